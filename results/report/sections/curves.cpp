#include "results/figures/curves.h"

#include "results/report/page_texts.h"
#include "results/report/section.h"

namespace sar::sections::curves {
namespace {

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Loss curves";
  for (const LossCurves& curves : contents.losses) {
    section.figure(curves_figure(curves, contents.smoothing));
  }
  for (const LossCurves& curves : contents.losses) {
    // Beside the picture lie the points; convergence is a table.
    const std::string path = "figures/" + safe_name(curves.spec.id);
    const Document points = document_of(curves);
    section.file(path + ".csv", written(points, "csv"));
    section.file(path + ".json", written(points, "json"));
    section.table_files(convergence_sheet(curves), ", of the steps until the loss settles");
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({30, "curves", "Loss", kNothingToShow, content});
}

}  // namespace sar::sections::curves
