// duplicate-cell: rows of a column with the same mean and the same SD, digit by digit.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <utility>

namespace sar::audit_checks::duplicate_cell {
namespace {

std::string methods(const std::vector<Place>& places, const char* separator) {
  std::vector<std::string> list;
  for (const Place& place : places) {
    list.push_back(place.path().method);
  }
  return fmt::format("{}", fmt::join(list, separator));
}

/// Cells with equal texts, in the order of their first rows.
std::vector<std::vector<Place>> equal_ones(
    const std::vector<Place>& places, const std::function<std::string(const Place&)>& text_of) {
  std::vector<std::pair<std::string, std::vector<Place>>> groups;
  for (const Place& place : places) {
    const std::string text = text_of(place);
    if (text.empty()) {
      continue;
    }
    auto found = std::ranges::find(groups, text, [](const auto& group) { return group.first; });
    if (found == groups.end()) {
      found = groups.insert(groups.end(), {text, {}});
    }
    found->second.push_back(place);
  }
  std::vector<std::vector<Place>> result;
  for (auto& [text, group] : groups) {
    if (group.size() > 1) {
      result.push_back(std::move(group));
    }
  }
  return result;
}

// A choice, stated in the report: from so many pairs on that chance alone would make, over as many
// columns as the paper has, a pair says nothing. The usual level of a test.
constexpr double kChancePairs = 0.05;

/// P(two equally distributed numbers are printed alike) if they spread as those of a column do:
/// the unit of the coarsest over the range of n numbers, enlarged by (n + 1) / (n - 1), which is
/// unbiased for a uniform distribution and its range. A choice: about right for any smooth
/// distribution.
double chance_of_equal(const std::vector<const PrintedNumber*>& numbers) {
  double least = numbers.front()->value;
  double most = least;
  double unit = 0;
  for (const PrintedNumber* number : numbers) {
    least = std::min(least, number->value);
    most = std::max(most, number->value);
    unit = std::max(unit, 2 * number->half_unit);
  }
  const auto n = static_cast<double>(numbers.size());
  const double range = (most - least) * (n + 1) / (n - 1);
  return range > unit ? unit / range : 1.0;
}

/// Pairs of rows of a column that chance is expected to print alike in mean and SD.
double chance_pairs(const std::vector<Place>& places) {
  std::vector<const PrintedNumber*> means;
  std::vector<const PrintedNumber*> spreads;
  for (const Place& place : places) {
    if (place.cell().sd) {
      means.push_back(&place.cell().mean);
      spreads.push_back(&*place.cell().sd);
    }
  }
  const auto n = static_cast<double>(means.size());
  return n < 2 ? 0 : n * (n - 1) / 2 * chance_of_equal(means) * chance_of_equal(spreads);
}

/// Every case at the end of the scale, "0±0" or "100±0": what different methods may well share.
bool is_saturated(const PrintedCell& cell) {
  return cell.sd && cell.sd->value == 0 && (cell.mean.value == 0 || cell.mean.value == 100);
}

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::size_t columns = 0;
  std::size_t pairs = 0;
  std::size_t means = 0;
  std::size_t spreads = 0;
  const auto add = [&](Severity severity,
                       const std::string& what,
                       const std::vector<Place>& group,
                       const std::string& message) {
    const Place& first = group.front();
    Finding finding;
    finding.check = "duplicate-cell";
    finding.id = "duplicate-cell:" + first.path().column() + ":" + what + methods(group, "+");
    finding.severity = severity;
    finding.cells = paths(group);
    finding.message = fmt::format(
        "{} in {} of {}: {}.", labels(group), first.column_name(), first.table->spec.id, message);
    finding.values = {{"printed", Json::array()}};
    for (const Place& place : group) {
      finding.values["printed"].push_back(place.text());
    }
    if (severity == Severity::inconsistent) {
      finding.doubts = finding.cells;
    }
    outcome.findings.push_back(std::move(finding));
  };
  const auto pair_of = [](const Place& place) {
    return place.cell().sd ? place.text() : std::string();
  };
  double all_columns = 0;
  for (const PrintedTable& table : subject.paper.tables) {
    all_columns += static_cast<double>(table.spec.columns.size());
  }
  for (const PrintedTable& table : subject.paper.tables) {
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      ++columns;
      const std::vector<Place> places = column_of(table, column);
      const double chance = chance_pairs(places);
      for (const auto& group : equal_ones(places, pair_of)) {
        ++pairs;
        const bool saturated = is_saturated(group.front().cell());
        const bool rare = chance * all_columns < kChancePairs;
        add(rare && !saturated ? Severity::inconsistent : Severity::note,
            "",
            group,
            fmt::format(
                "the same mean and the same SD, {}, digit by digit{}",
                group.front().text(),
                saturated ? std::string(": the end of the scale, which several methods may reach")
                : rare    ? std::string(": a slip in copying, or a rare chance")
                       : fmt::format(": with so few digits for the spread of this column, chance "
                                     "makes about {:.2g} such pairs",
                                     chance)));
      }
      // Alone: not all of them are one identical pair.
      const auto alone = [&](const std::vector<Place>& group) {
        return std::ranges::any_of(group, [&](const Place& place) {
          return !place.cell().sd || pair_of(place) != pair_of(group.front());
        });
      };
      for (const auto& group :
           equal_ones(places, [](const Place& place) { return place.cell().mean.text; })) {
        if (alone(group)) {
          ++means;
          add(Severity::note,
              "mean:",
              group,
              fmt::format(
                  "the same mean, {}, {}",
                  group.front().cell().mean.text,
                  group.front().cell().sd ? "with different SDs" : "where no SD is printed"));
        }
      }
      for (const auto& group : equal_ones(places, [](const Place& place) {
             return place.cell().sd ? place.cell().sd->text : std::string();
           })) {
        if (alone(group)) {
          ++spreads;
          add(Severity::note,
              "sd:",
              group,
              fmt::format("the same SD, {}, of different means", group.front().cell().sd->text));
        }
      }
    }
  }
  outcome.report =
      report("duplicate-cell",
             columns > 0,
             fmt::format(
                 "Compared the rows of {} as printed texts, which needs no rounding intervals: {}, "
                 "{} alone, {} alone. An identical pair is more than a note where chance would "
                 "make fewer than {:g} of them in as many columns like its own, judged by its "
                 "digits and its "
                 "spread, and it is not 0±0 or 100±0.",
                 counted(columns, "column"),
                 counted(pairs, "identical pair") + " of mean and SD",
                 counted(means, "equal mean"),
                 counted(spreads, "equal SD"),
                 kChancePairs),
             {{"columns", columns},
              {"identical_pairs", pairs},
              {"equal_means", means},
              {"equal_sds", spreads}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"duplicate-cell", 20, run});
}

}  // namespace sar::audit_checks::duplicate_cell
