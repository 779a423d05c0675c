#include "results/figures/size.h"

#include "results/report/section.h"

#include <algorithm>
#include <set>

namespace sar::sections::size {
namespace {

bool is_tested(const ReportContents& contents, const TableSpec& spec, const TableColumn& column) {
  return std::ranges::any_of(contents.cases, [&](const CaseRow& each) {
    return each.task == column.task && each.target == column.target &&
           std::ranges::find(spec.rows, each.method, &TableRow::method) != spec.rows.end();
  });
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Dice against tumour volume";
  std::set<std::string> tasks;  // of earlier tables: one figure is enough
  for (const ReportTable& table : contents.tables) {
    const TableSpec& spec = table.measured.spec;
    if (filled_cells(table.measured) == 0) {
      continue;
    }
    for (const TableColumn& column : spec.columns) {
      if (column.fraction == "1" && column.target == "tumor" && is_tested(contents, spec, column) &&
          tasks.insert(column.task).second) {
        section.figure(size_figure("size-" + column.task + "-" + column.target,
                                   "Dice against tumour volume, " + column.group,
                                   contents.cases,
                                   spec.rows,
                                   column.task,
                                   column.target,
                                   contents.protocol));
      }
    }
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({40, "size", "Size", kNothingToShow, content});
}

}  // namespace sar::sections::size
