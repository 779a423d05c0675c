#pragma once

#include "results/audit/audit.h"
#include "results/claims/claim_verdicts.h"
#include "results/database/run_summary.h"
#include "results/figures/examples.h"
#include "results/figures/figure.h"
#include "results/tables/table.h"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// A table of Dice with what the paper prints for it.
struct ReportTable {
  Table measured;                  ///< as `show` builds it; all gaps where nothing is stored
  Table corrected;                 ///< the same with p corrected by Holm, for tooltips
  std::optional<Table> published;  ///< in the same rows and columns
  std::optional<Table> published_corrected;
};

/// A figure as drawn, or why it is not.
struct ReportFigure {
  Figure figure;
  Drawing drawing;
  std::string not_drawn;  ///< a sentence; empty if it is drawn
};

/// Example cases of one evaluation.
struct ReportExamples {
  std::string task, method, label;
  int trial = 0;
  std::vector<Example> cases;
  std::map<std::string, double> volume_mm3;  ///< of the tumour, by case
  std::string missing;                       ///< why there is none: a sentence
};

/// Trials of the cells that a report is on.
struct TrialCount {
  int planned = 0, done = 0, failed = 0;
};

/// What a report shows, gathered from the database and a paper.
struct ReportContents {
  bool whole = false;  ///< of a collection: sections without content say so, else they are left out
  std::string title;   ///< of the experiment
  std::string paper;   ///< title of the one whose claims are judged
  std::string citation;       ///< of the same, where its numbers stand beside the measured ones
  std::string database;       ///< as the user called it
  std::string program;        ///< how the user calls sar-bench
  std::string version, made;  ///< of sar-bench; date of the report, UTC
  std::optional<ProtocolRow> protocol;  ///< empty: nothing is stored
  RunSummary summary;
  TrialCount trials;
  Sheet settings;           ///< that differ from the built-in ones
  std::vector<Sheet> data;  ///< Table 1
  std::vector<ReportTable> tables;
  std::vector<LossCurves> losses;  ///< of `curves`, in the same order
  std::vector<ReportFigure> curves, sizes, efficiency, ranks, forests;
  /// Sentences on figures for which too little is stored, by section: "forest", "ranks".
  std::map<std::string, std::vector<std::string>> not_drawn;
  std::vector<std::string> saved;  ///< sentences on annotation saved
  std::vector<Sheet> pretraining;  ///< proxy metrics
  std::optional<ClaimReport> claims, measured_claims;
  std::optional<Audit> audit;
  std::optional<Sheet> assumptions;
  std::vector<ReportExamples> examples;
};

/// Texts of the page's own files (experiments/report/).
struct PageTemplate {
  std::string page;  ///< mustache
  std::string style, script;
};

/// The page: one self-contained HTML document. Every text from outside is escaped; a content
/// security policy allows the page's own script alone. Throws Error 70 for a faulty template.
std::string report_page(const ReportContents& contents, const PageTemplate& page);

/// The files beside the page, by path relative to its folder: tables as Markdown, LaTeX, CSV and
/// JSON, figures as SVG, PNG, CSV and JSON.
std::map<std::string, std::string> report_files(const ReportContents& contents);

/// A name that is safe as file name and as HTML id: letters, digits, '-', '_' and '.', the last not
/// in front; equal names stay equal, different ones stay different.
std::string safe_name(const std::string& text);

}  // namespace sar
