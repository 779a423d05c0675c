#include "results/audit/audit.h"

#include "harness/core/error.h"
#include "results/audit/audit_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar {
namespace audit_detail {

CellPath Place::path() const {
  return {
      table->spec.id, method().method, head().task, head().target, head().bucket, head().fraction};
}

std::string Place::text() const {
  return cell().mean.text + (cell().sd ? "±" + cell().sd->text : "");
}

std::string Place::column_name() const {
  return sar::column_name(table->spec, column);
}

std::vector<Place> all_places(const Paper& paper) {
  std::vector<Place> places;
  for (const PrintedTable& table : paper.tables) {
    for (std::size_t row = 0; row < table.cells.size(); ++row) {
      for (std::size_t column = 0; column < table.cells[row].size(); ++column) {
        places.push_back({&table, row, column});
      }
    }
  }
  return places;
}

Place find_place(const Paper& paper, const CellPath& path) {
  const PrintedTable* table = paper.find(path.table);
  if (table == nullptr) {
    return {};
  }
  for (std::size_t row = 0; row < table->cells.size(); ++row) {
    for (std::size_t column = 0; column < table->cells[row].size(); ++column) {
      const Place place{table, row, column};
      if (place.path() == path) {
        return place;
      }
    }
  }
  return {};
}

int decimals(const PrintedNumber& number) {
  if (!(number.half_unit > 0)) {
    return 9;  // not rounded
  }
  return static_cast<int>(std::lround(-std::log10(2 * number.half_unit)));
}

std::string section_of(const Claim& claim) {
  const std::string& section = claim.section;
  const bool numbered = !section.empty() && section.front() >= '0' && section.front() <= '9';
  return numbered ? "section " + section : section.empty() ? "text" : section;
}

CheckReport report(const std::string& check, bool applicable, std::string summary, Json values) {
  return {
      check, applicable ? "checked" : "not applicable", std::move(summary), std::move(values), {}};
}

Grid::Grid(const std::vector<const PrintedNumber*>& numbers) {
  int finest = 0;
  for (const PrintedNumber* number : numbers) {
    finest = std::max(finest, decimals(*number));
  }
  scale_ = 2 * std::pow(10.0, finest);
}

long Grid::value(const PrintedNumber& number) const {
  return std::lround(number.value * scale_);
}

long Grid::half(const PrintedNumber& number) const {
  return std::lround(number.half_unit * scale_);
}

/// Findings of checks later in the order rest on those of earlier ones that doubt their cells.
void link(std::vector<Outcome>& outcomes) {
  std::map<std::string, std::vector<std::string>> doubted_by;  // cell to findings
  for (Outcome& outcome : outcomes) {
    for (Finding& finding : outcome.findings) {
      std::set<std::string> named;
      for (const std::string& cell : finding.cells) {
        for (const std::string& other : doubted_by[cell]) {
          if (named.insert(other).second) {
            finding.rests_on.push_back(other);
          }
        }
      }
      std::vector<std::string> unsaid;
      for (const std::string& other : finding.rests_on) {
        if (finding.message.find(other) == std::string::npos) {
          unsaid.push_back(other);
        }
      }
      if (!unsaid.empty()) {
        finding.message +=
            fmt::format(" Rests on a cell that is doubted by {}.", fmt::join(unsaid, " and "));
      }
    }
    for (const Finding& finding : outcome.findings) {
      for (const std::string& cell : finding.doubts) {
        doubted_by[cell].push_back(finding.id);
      }
    }
  }
}

/// Two findings in the same words, about two tables, have the same id: number the later ones.
void number_equal_ids(Outcome& outcome) {
  std::map<std::string, int> seen;
  for (Finding& finding : outcome.findings) {
    if (const int before = seen[finding.id]++; before > 0) {
      finding.id += fmt::format(":{}", before + 1);
    }
  }
}

}  // namespace audit_detail

std::string to_string(Severity severity) {
  switch (severity) {
    case Severity::note:
      return "note";
    case Severity::inconsistent:
      return "inconsistent";
    case Severity::error:
      return "error";
  }
  throw internal_error("a finding without a severity");
}

int Audit::count(Severity severity) const {
  return static_cast<int>(std::ranges::count(findings, severity, &Finding::severity));
}

Audit audit(const Paper& paper, const std::vector<Claim>& claims, const AuditOptions& options) {
  using namespace audit_detail;
  if (!(options.alpha > 0 && options.alpha < 1)) {
    throw usage_error("alpha must lie between 0 and 1")
        .with("alpha", fmt::format("{}", options.alpha));
  }
  const Subject subject{paper, claims, options};
  const std::vector<BucketWeights> weights = bucket_weights_of(paper);
  std::vector<Outcome> outcomes;
  const auto add = [&](Outcome outcome) -> const Outcome& {
    number_equal_ids(outcome);
    return outcomes.emplace_back(std::move(outcome));
  };
  // Checks that doubt cells come first, so that later ones can name what they rest on.
  add(check_range(subject));
  const std::vector<Finding> duplicates = add(check_duplicates(subject)).findings;
  add(check_cross_table(subject));
  add(check_bucket_weights(subject, weights, duplicates));
  add(check_sd_bound(subject, weights));
  add(check_derived_average(subject));
  add(check_monotone(subject));
  add(check_bold(subject));
  add(check_text(subject));
  add(check_counts(subject));
  add(check_significance(subject));
  link(outcomes);
  Audit result;
  result.paper = paper.id;
  result.title = paper.title;
  for (Outcome& outcome : outcomes) {
    result.checks.push_back(std::move(outcome.report));
    for (Finding& finding : outcome.findings) {
      result.doubted.insert(finding.doubts.begin(), finding.doubts.end());
      result.findings.push_back(std::move(finding));
    }
  }
  std::ranges::stable_sort(
      result.findings, [](Severity a, Severity b) { return a > b; }, &Finding::severity);
  return result;
}

}  // namespace sar
