#include "results/report.h"

#include <string>

namespace sar {
namespace report_files_detail {

using Files = std::map<std::string, std::string>;

/// Adds one table in all its formats; `rendered` gives the text of a format.
template <class Rendered>
void add_table(Files& files, const std::string& id, const Rendered& rendered) {
  const std::string path = "tables/" + safe_name(id);
  files[path + ".md"] = rendered("md");
  files[path + ".tex"] = rendered("latex");
  files[path + ".csv"] = rendered("csv");
  files[path + ".json"] = rendered("json");
}

void add_sheet(Files& files, const Sheet& sheet) {
  add_table(files, sheet.id, [&](const std::string& format) { return render(sheet, format); });
}

void add_figure(Files& files, const ReportFigure& figure) {
  const std::string path = "figures/" + safe_name(figure.figure.id);
  if (figure.not_drawn.empty()) {
    files[path + ".svg"] = figure.drawing.svg;
    files[path + ".png"] = figure.drawing.png;
  }
  files[path + ".csv"] = render(figure.figure.data, "csv");
  files[path + ".json"] = render(figure.figure.data, "json");
}

}  // namespace report_files_detail

std::map<std::string, std::string> report_files(const ReportContents& contents) {
  using namespace report_files_detail;
  Files files;
  for (const Sheet& sheet : contents.data) {
    add_sheet(files, sheet);
  }
  for (const ReportTable& table : contents.tables) {
    add_table(files, table.measured.spec.id, [&](const std::string& format) {
      return table.published ? render_both(table.measured, *table.published, format)
                             : render(table.measured, format);
    });
  }
  for (const Sheet& sheet : contents.pretraining) {
    add_sheet(files, sheet);
  }
  for (const auto* figures : {&contents.forests,
                              &contents.curves,
                              &contents.sizes,
                              &contents.efficiency,
                              &contents.ranks}) {
    for (const ReportFigure& figure : *figures) {
      add_figure(files, figure);
    }
  }
  for (const LossCurves& curves : contents.losses) {  // the points; convergence is a table
    const std::string path = "figures/" + safe_name(curves.spec.id);
    files[path + ".csv"] = render_curves(curves, "csv", false);
    files[path + ".json"] = render_curves(curves, "json", false);
    add_sheet(files, convergence_sheet(curves));
  }
  if (contents.claims) {
    add_table(
        files, "claims", [&](const auto& format) { return render(*contents.claims, format); });
  }
  if (contents.measured_claims) {
    add_table(files, "claims-measured", [&](const auto& format) {
      return render(*contents.measured_claims, format);
    });
  }
  if (contents.audit) {
    add_table(files, "audit", [&](const auto& format) { return render(*contents.audit, format); });
  }
  if (contents.assumptions) {
    add_sheet(files, *contents.assumptions);
  }
  for (const ReportExamples& group : contents.examples) {
    for (std::size_t i = 0; i < group.cases.size(); ++i) {
      const std::string path =
          "figures/example-" + safe_name(group.task + "-" + group.method) + "-" + std::to_string(i);
      files[path + ".svg"] = group.cases[i].file_svg;
      files[path + ".png"] = group.cases[i].file_png;
    }
  }
  std::erase_if(files, [](const auto& file) { return file.second.empty(); });
  return files;
}

}  // namespace sar
