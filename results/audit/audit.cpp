#include "results/audit/audit.h"

#include "harness/core/error.h"
#include "results/audit/check.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sar {
namespace {

using audit_checks::Outcome;

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

}  // namespace

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
  if (!(options.alpha > 0 && options.alpha < 1)) {
    throw usage_error("alpha must lie between 0 and 1")
        .with("alpha", fmt::format("{}", options.alpha));
  }
  const std::vector<audit_checks::BucketWeights> weights = audit_checks::bucket_weights_of(paper);
  std::vector<Outcome> outcomes;
  const audit_checks::Subject subject{paper, claims, options, weights, outcomes};
  for (const audit_checks::Check& check : audit_checks::known_checks().all()) {
    outcomes.push_back(check.run(subject));
    number_equal_ids(outcomes.back());
  }
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
