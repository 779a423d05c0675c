// bold-best: bold marks are on the largest mean of a column.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar::audit_checks::bold_best {
namespace {

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::size_t checked = 0;
  std::vector<std::string> unknown;
  for (const PrintedTable& table : subject.paper.tables) {
    const bool marks = std::ranges::any_of(table.cells, [](const auto& row) {
      return std::ranges::any_of(row,
                                 [](const PrintedCell& cell) { return cell.bold.value_or(false); });
    });
    if (!marks) {
      unknown.push_back(table.spec.id);
      continue;
    }
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      const std::vector<Place> places = column_of(table, column);
      if (std::ranges::any_of(places, [](const Place& place) { return !place.cell().bold; })) {
        continue;
      }
      ++checked;
      // Of equal ones that with the most decimals: it says the most.
      const PrintedNumber* largest = &places.front().cell().mean;
      for (const Place& place : places) {
        const PrintedNumber& mean = place.cell().mean;
        if (mean.value > largest->value ||
            (mean.value == largest->value && decimals(mean) > decimals(*largest))) {
          largest = &mean;
        }
      }
      std::vector<Place> best;
      std::vector<Place> bold;
      std::vector<Place> wrong;  // bold, but not the largest
      for (const Place& place : places) {
        const bool is_best = repeats(place.cell().mean, *largest);
        if (is_best) {
          best.push_back(place);
        }
        if (*place.cell().bold) {
          bold.push_back(place);
          if (!is_best) {
            wrong.push_back(place);
          }
        }
      }
      // Equal largest means may share the mark or leave it to one of them.
      if (!bold.empty() && wrong.empty()) {
        continue;
      }
      std::vector<Place> named = wrong;
      for (const Place& place : best) {
        if (!*place.cell().bold) {
          named.push_back(place);
        }
      }
      Finding finding;
      finding.check = "bold-best";
      finding.id = fmt::format("bold-best:{}/{}", table.spec.id, places[0].path().column());
      finding.severity = Severity::inconsistent;
      finding.cells = paths(named);
      finding.message =
          fmt::format("{} of {}: {}, but the largest mean is {} of {}.",
                      places[0].column_name(),
                      table.spec.id,
                      bold.empty() ? std::string("no cell is bold") : "bold is " + labels(bold),
                      largest->text,
                      labels(best));
      finding.values = {{"bold", paths(bold)}, {"largest", paths(best)}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  std::string summary = fmt::format(
      "Bold marks against the largest printed mean in {}, as printed texts, which needs no "
      "rounding intervals; where decimals differ, by these.",
      counted(checked, "column"));
  if (checked == 0) {
    summary = "No column with known bold marks.";
  }
  if (!unknown.empty() && checked > 0) {
    summary += fmt::format(" No bold mark is known in {}.", fmt::join(unknown, ", "));
  }
  outcome.report =
      report("bold-best", checked > 0, summary, {{"columns", checked}, {"unknown", unknown}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"bold-best", 80, run});
}

}  // namespace sar::audit_checks::bold_best
