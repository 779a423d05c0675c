#pragma once

#include "results/audit/audit.h"
#include "results/claims/claim_verdicts.h"
#include "results/database/run_summary.h"
#include "results/database/store.h"
#include "results/figures/examples.h"
#include "results/paper/assumptions.h"
#include "results/paper/paper.h"
#include "results/tables/loss_curves.h"
#include "results/tables/table.h"
#include "results/text/words.h"

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// Counts of data that a report is to show.
struct DataRequest {
  std::string id, title;
  std::vector<std::string> datasets;
};
/// Proxy metrics that a report is to show.
struct ProxyRequest {
  std::string id, title;
  std::vector<TableRow> rows;
};

/// What a report is to show and how. What is stored and what a paper says is gathered from it.
struct ReportRequest {
  std::string id, title;  ///< of the experiment
  bool whole = false;     ///< a collection; else one experiment
  std::vector<TableSpec> tables;
  TableSpec controls;  ///< the controls and what they control
  std::vector<DataRequest> data;
  std::vector<CurveSpec> curves;
  std::vector<ProxyRequest> pretraining;
  ProtocolRow protocol;        ///< under which all of them are shown
  TableOptions table_options;  ///< test, correction and level of the tables
  CurveTests curve_tests;      ///< of steps to convergence
  int smoothing = 1;           ///< steps over which plotted loss curves are averaged
  ClaimOptions claim_options;  ///< how claims are judged
  Sheet settings;              ///< those of the protocol that differ from the built-in ones
  KeyWords key_words;          ///< for the assumption ledger
  Json defaults;               ///< built-in values by key
  std::vector<std::string> example_methods;  ///< none: the reference and the first row; or {"all"},
                                             ///< {"none"}
  std::string database;                      ///< as the user called it
  std::string program;                       ///< how the user calls sar-bench
  std::string version, made;                 ///< of sar-bench; date of the report, UTC
  std::filesystem::path work;  ///< folder of products, if they are not where they were made
};

/// A table of Dice with what the paper prints for it.
struct ReportTable {
  Table measured;   ///< as `show` builds it; all gaps where nothing is stored
  Table corrected;  ///< the same with p corrected, for tooltips: by Holm if it is not as measured
  std::optional<Table> published;  ///< in the same rows and columns
  std::optional<Table> published_corrected;
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

/// What a report shows, gathered from the database and a paper. Sections are made of it.
struct ReportContents {
  bool whole = false;  ///< of a collection: sections without content say so, else they are left out
  std::string title;   ///< of the experiment
  std::string paper;   ///< title of the one whose claims are judged
  std::string citation;       ///< of the same, where its numbers stand beside the measured ones
  std::string database;       ///< as the user called it
  std::string program;        ///< how the user calls sar-bench
  std::string version, made;  ///< of sar-bench; date of the report, UTC
  ProtocolRow protocol;
  // Stored rows of the protocol; cases those with all labels.
  std::vector<TrialDice> trial_dice;
  std::vector<RunRow> runs;
  std::vector<CaseRow> cases;
  std::map<std::pair<std::string, std::string>, double> labelled_cases;  ///< by task and fraction
  TableOptions table_options;                                            ///< of `tables`
  int smoothing = 1;  ///< steps over which plotted loss curves are averaged
  RunSummary summary;
  TrialCount trials;
  Sheet settings;           ///< that differ from the built-in ones
  std::vector<Sheet> data;  ///< Table 1
  std::vector<ReportTable> tables;
  std::vector<LossCurves> losses;  ///< those of which something is stored
  std::vector<Sheet> pretraining;  ///< proxy metrics
  std::optional<ClaimReport> claims, measured_claims;
  std::optional<Audit> audit;
  std::optional<Sheet> assumptions;
  std::vector<ReportExamples> examples;

  [[nodiscard]] bool is_phantom() const { return protocol.data_kind == "phantom"; }
  /// " [phantom data]", or nothing for real data.
  [[nodiscard]] std::string phantom_mark() const { return sar::phantom_mark(protocol.data_kind); }
};

/// Gathers what a report shows. Throws Error 4 if nothing of it is stored, Error 65 for a faulty
/// claim or assumption of the paper, Error 74 as the store does.
ReportContents gather_report(const ReportRequest& request, const Store& store, const Paper& paper);

}  // namespace sar
