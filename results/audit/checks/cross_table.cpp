// cross-table: a cell that several tables print is the same in each.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <map>

namespace sar::audit_checks::cross_table {
namespace {

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::map<std::string, std::vector<Place>> same;  // method and column to its cells
  std::vector<std::string> order;
  for (const Place& place : all_places(subject.paper)) {
    const CellPath path = place.path();
    const std::string key = path.method + "/" + path.column();
    if (!same.contains(key)) {
      order.push_back(key);
    }
    same[key].push_back(place);
  }
  std::size_t compared = 0;
  for (const std::string& key : order) {
    const std::vector<Place>& places = same.at(key);
    for (std::size_t i = 1; i < places.size(); ++i) {
      ++compared;
      const PrintedCell& a = places[0].cell();
      const PrintedCell& b = places[i].cell();
      if (repeats(a.mean, b.mean) && (!a.sd || !b.sd || repeats(*a.sd, *b.sd))) {
        continue;
      }
      Finding finding;
      finding.check = "cross-table";
      finding.id = fmt::format(
          "cross-table:{}:{}+{}", key, places[0].table->spec.id, places[i].table->spec.id);
      finding.severity = Severity::inconsistent;
      finding.cells = paths({places[0], places[i]});
      finding.doubts = finding.cells;
      finding.message = fmt::format("{}, {}: {} in {}, but {} in {}.",
                                    places[0].method().label,
                                    places[0].column_name(),
                                    places[0].text(),
                                    places[0].table->spec.id,
                                    places[i].text(),
                                    places[i].table->spec.id);
      finding.values = {{"printed", {places[0].text(), places[i].text()}}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  outcome.report = report(
      "cross-table",
      compared > 0,
      compared > 0 ? fmt::format("{} printed in more than one table: {} differ. Compared as "
                                 "printed texts, which needs no rounding intervals; where "
                                 "the tables print different numbers of decimals, by their "
                                 "rounding intervals.",
                                 counted(compared, "cell"),
                                 outcome.findings.empty() ? std::string("none")
                                                          : std::to_string(outcome.findings.size()))
                   : "No cell is printed in more than one table.",
      {{"compared", compared}, {"different", outcome.findings.size()}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"cross-table", 30, run});
}

}  // namespace sar::audit_checks::cross_table
