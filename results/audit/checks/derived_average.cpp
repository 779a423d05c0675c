// derived-average: an average is the mean of its targets.

#include "results/audit/averages.h"
#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <cmath>
#include <map>

namespace sar::audit_checks::derived_average {
namespace {

Outcome run(const Subject& subject) {
  Outcome outcome;
  const std::map<std::string, Place> cells = first_cells(subject.paper);
  std::size_t checked = 0;
  std::vector<std::string> without;
  Json lines = Json::array();
  for (const Place& place : all_places(subject.paper)) {
    const CellPath path = place.path();
    if (path.target != "average") {
      continue;
    }
    const std::vector<Place> parts = targets_of(cells, *place.table, path);
    if (parts.size() < 2) {
      without.push_back(path.text());
      continue;
    }
    ++checked;
    const Point mean = mean_of(parts);
    const PrintedNumber& printed = place.cell().mean;
    lines.push_back({{"cell", path.text()}, {"printed", printed.value}, {"derived", mean.value}});
    if (within_rounding(printed.value, mean.value, printed.half_unit + mean.half)) {
      continue;
    }
    Finding finding;
    finding.check = "derived-average";
    finding.id = "derived-average:" + path.text();
    const bool elsewhere = parts.front().table != place.table;
    finding.severity = elsewhere ? Severity::note : Severity::inconsistent;
    finding.cells = {path.text()};
    finding.cells.insert(finding.cells.end(), mean.cells.begin(), mean.cells.end());
    const int digits = decimals(printed) + 1;
    finding.message = fmt::format(
        "{}, {}: {}, but the mean of its targets is {} = {:.{}f}: {:.{}f} apart, of which rounding "
        "explains at most {:.{}f}.",
        place.method().label,
        place.column_name(),
        printed.text,
        mean.text,
        mean.value,
        digits,
        std::abs(printed.value - mean.value),
        digits,
        printed.half_unit + mean.half,
        digits);
    if (elsewhere) {
      finding.message +=
          " The targets are those of other tables, and may be others than those averaged.";
    }
    finding.values = {{"printed", printed.value}, {"derived", mean.value}};
    outcome.findings.push_back(std::move(finding));
  }
  std::string summary;
  if (checked > 0) {
    summary =
        fmt::format("{} against the mean of the printed targets: {} beyond rounding.",
                    counted(checked, "average"),
                    outcome.findings.empty() ? std::string("none off")
                                             : fmt::format("{} off", outcome.findings.size()));
  }
  if (!without.empty()) {
    summary += fmt::format("{}{} cannot be checked: the targets behind {} are not printed ({}{}).",
                           summary.empty() ? "" : " ",
                           counted(without.size(), "average"),
                           without.size() == 1 ? "it" : "them",
                           without.front(),
                           without.size() > 1 ? ", …" : "");
  }
  if (summary.empty()) {
    summary = "No column is an average of targets.";
  }
  outcome.report = report("derived-average",
                          checked > 0,
                          std::move(summary),
                          {{"compared", std::move(lines)}, {"not_checkable", without}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"derived-average", 60, run});
}

}  // namespace sar::audit_checks::derived_average
