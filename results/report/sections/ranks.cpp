#include "results/figures/rank.h"
#include "results/report/section.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace sar::sections::ranks {
namespace {

/// Only where all columns have all labels, and there is more than one order of two.
bool is_ranked(const Table& table) {
  return filled_cells(table) > 0 && table.spec.rows.size() > 2 &&
         std::ranges::all_of(table.spec.columns,
                             [](const TableColumn& column) { return column.fraction == "1"; });
}

void add(SectionContent& section,
         std::vector<std::string>& gaps,
         const ReportContents& contents,
         const TableSpec& spec) {
  std::vector<RankStability> columns;
  std::set<std::string> reasons;
  bool ranked = false;
  for (const TableColumn& column : spec.columns) {
    const RankStability& ranks =
        columns.emplace_back(rank_stability(contents.cases, spec.rows, column));
    ranked = ranked || !ranks.methods.empty();
    reasons.insert(ranks.reason);
  }
  if (ranked) {
    section.figure(rank_figure(
        "ranks-" + spec.id, "Stability of ranks, " + spec.id, columns, contents.protocol));
  } else {
    gaps.push_back(fmt::format("{}: {}.", spec.id, fmt::join(reasons, "; ")));
  }
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "How stable is the order of the methods?";
  section.paragraphs = {
      "Trials and test cases are redrawn many times; each time the methods are ranked."};
  std::vector<std::string> gaps;
  for (const ReportTable& table : contents.tables) {
    if (is_ranked(table.measured)) {
      add(section, gaps, contents, table.measured.spec);
    }
  }
  for (const std::string& gap : gaps) {
    section.message(gap);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({60, "ranks", "Ranks", kNothingToShow, content});
}

}  // namespace sar::sections::ranks
