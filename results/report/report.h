#pragma once

#include "results/report/contents.h"

#include <map>
#include <string>
#include <vector>

namespace sar {

/// Texts of the page's own files (experiments/report/).
struct PageTemplate {
  std::string page;  ///< mustache
  std::string style, script;
};

struct Report {
  /// One self-contained HTML document. Every text from outside is escaped; a content security
  /// policy allows the page's own script alone.
  std::string page;
  /// The files beside the page, by path relative to its folder: tables as Markdown, LaTeX, CSV and
  /// JSON, figures as SVG, PNG, CSV and JSON.
  std::map<std::string, std::string> files;
  /// Why figures were not drawn, each reason once; the page says so in their places.
  std::vector<std::string> not_drawn;
};

/// Makes all sections, draws their figures and fills the template. Throws Error 70 for a faulty
/// template.
Report make_report(const ReportContents& contents, const PageTemplate& page);

}  // namespace sar
