#include "results/figures/efficiency.h"
#include "results/report/section.h"

namespace sar::sections::labels {
namespace {

/// The groups of label fractions of a table; cells with all labels may stand in other tables.
std::vector<LabelEfficiency> groups_of(const ReportContents& contents, const Table& table) {
  TableSpec all_labels = table.spec;
  for (TableColumn& column : all_labels.columns) {
    column.fraction = "1";
  }
  const Table whole = build_table(
      contents.trial_dice, contents.runs, contents.protocol, all_labels, contents.table_options);
  return label_efficiency(table, &whole, contents.labelled_cases);
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Label efficiency";
  section.paragraphs = {
      "Means alone are compared here, without a test: with few trials a mean can be reached by "
      "chance."};
  std::vector<Figure> figures;
  std::vector<std::string> sentences;
  for (const ReportTable& table : contents.tables) {
    const TableSpec& spec = table.measured.spec;
    const std::vector<LabelEfficiency> groups = groups_of(contents, table.measured);
    if (groups.empty() || filled_cells(table.measured) == 0) {
      continue;
    }
    figures.push_back(efficiency_figure(
        "labels-" + spec.id, "Label efficiency, " + spec.id, groups, contents.protocol));
    for (const LabelEfficiency& group : groups) {
      for (const AnnotationSaved& saved : group.saved) {
        sentences.push_back(group.title + contents.phantom_mark() + ": " + sentence(saved, group));
      }
    }
  }
  if (!sentences.empty()) {
    section.list(sentences);
  }
  for (Figure& figure : figures) {
    section.figure(std::move(figure));
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({50, "labels", "Labels", kNothingToShow, content});
}

}  // namespace sar::sections::labels
