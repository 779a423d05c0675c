#include "harness/core/error.h"
#include "results/audit/audit_document.h"
#include "results/claims/claim_document.h"
#include "results/report/report.h"
#include "results/tables/table_document.h"

#include <fmt/format.h>

#include <algorithm>
#include <future>
#include <string>
#include <thread>
#include <utility>

namespace sar {
namespace report_files_detail {

using Files = std::map<std::string, std::string>;

/// Adds a report in the formats of tables.
void add_table(Files& files, const std::string& id, const Document& document) {
  const std::string path = "tables/" + safe_name(id);
  files[path + ".md"] = written(document, "md");
  files[path + ".tex"] = written(document, "latex");
  files[path + ".csv"] = written(document, "csv");
  files[path + ".json"] = written(document, "json");
}

void add_sheet(Files& files, const Sheet& sheet) {
  add_table(files, sheet.id, document_of(sheet));
}

void add_figure(Files& files, const ReportFigure& figure) {
  const std::string path = "figures/" + safe_name(figure.figure.id);
  if (figure.not_drawn.empty()) {
    files[path + ".svg"] = figure.drawing.svg;
    files[path + ".png"] = figure.drawing.png;
  }
  const Document numbers = document_of(figure.figure.data);
  files[path + ".csv"] = written(numbers, "csv");
  files[path + ".json"] = written(numbers, "json");
}

/// Pictures of the example cases. Each is a process of its own, so several are made side by side.
void add_examples(Files& files, const std::vector<ReportExamples>& groups) {
  std::vector<std::pair<std::string, const Example*>> examples;
  for (const ReportExamples& group : groups) {
    for (std::size_t i = 0; i < group.cases.size(); ++i) {
      examples.emplace_back(
          fmt::format("figures/example-{}-{}", safe_name(group.task + "-" + group.method), i),
          &group.cases[i]);
    }
  }
  const std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
  for (std::size_t first = 0; first < examples.size(); first += workers) {
    const std::size_t last = std::min(examples.size(), first + workers);
    std::vector<std::future<std::string>> pictures;
    for (std::size_t i = first; i < last; ++i) {
      pictures.push_back(
          std::async(std::launch::async, [&, i] { return example_png(*examples[i].second); }));
    }
    for (std::size_t i = first; i < last; ++i) {
      files[examples[i].first + ".svg"] = example_svg(*examples[i].second);
      try {
        files[examples[i].first + ".png"] = pictures[i - first].get();
      } catch (const Error&) {
        continue;  // without gnuplot, which figures of the page report
      }
    }
  }
}

}  // namespace report_files_detail

std::map<std::string, std::string> report_files(const ReportContents& contents) {
  using namespace report_files_detail;
  Files files;
  for (const Sheet& sheet : contents.data) {
    add_sheet(files, sheet);
  }
  for (const ReportTable& table : contents.tables) {
    add_table(files,
              table.measured.spec.id,
              table.published ? document_of(table.measured, *table.published)
                              : document_of(table.measured));
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
    add_table(files, "claims", document_of(*contents.claims));
  }
  if (contents.measured_claims) {
    add_table(files, "claims-measured", document_of(*contents.measured_claims));
  }
  if (contents.audit) {
    add_table(files, "audit", document_of(*contents.audit));
  }
  if (contents.assumptions) {
    add_sheet(files, *contents.assumptions);
  }
  add_examples(files, contents.examples);
  return files;
}

}  // namespace sar
