#include "results/figures/forest.h"

#include "results/report/page_texts.h"
#include "results/report/section.h"

#include <fmt/format.h>

#include <algorithm>

namespace sar::sections::forest {
namespace {

/// A figure of measured comparisons; printed ones alone would stand under our protocol.
void add(SectionContent& section, std::vector<std::string>& gaps, const ReportTable& table) {
  const TableSpec& spec = table.measured.spec;
  const std::string reference = label_of(spec.rows, spec.reference);
  const std::vector<ForestPanel> measured = sar::forest(table.corrected);
  const bool compared = std::ranges::any_of(measured, [](const ForestPanel& panel) {
    return std::ranges::any_of(panel.rows,
                               [](const ForestRow& row) { return row.test.has_value(); });
  });
  if (!compared) {
    gaps.push_back(fmt::format(
        "{}: no column has trials of both {} and another method yet.", spec.id, reference));
    return;
  }
  section.figure(forest_figure("forest-" + spec.id,
                               "Differences from " + reference + ", " + spec.id,
                               measured,
                               table.published_corrected ? sar::forest(*table.published_corrected)
                                                         : std::vector<ForestPanel>{},
                               table.corrected));
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  if (!contents.tables.empty()) {
    const TableSpec& first = contents.tables.front().measured.spec;
    section.title = label_of(first.rows, first.reference);
  }
  section.title += " against each method";
  section.paragraphs = {
      "Difference of the means with its confidence interval: an interval that holds zero is "
      "compatible with no difference at all."};
  std::vector<std::string> gaps;
  for (const ReportTable& table : contents.tables) {
    if (filled_cells(table.measured) > 0) {
      add(section, gaps, table);
    }
  }
  for (const std::string& gap : gaps) {
    section.message(gap);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({20, "forest", "Differences", kNothingToShow, content});
}

}  // namespace sar::sections::forest
