#include "results/report/contents.h"

#include "harness/core/error.h"
#include "results/claims/claim_verdicts.h"
#include "results/database/protocol_choice.h"
#include "results/database/stored_file.h"
#include "results/paper/cells.h"
#include "results/paper/data_sheet.h"
#include "results/tables/controls.h"
#include "results/tables/labelled_cases.h"
#include "results/tables/proxy_sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <system_error>

namespace sar {
namespace fs = std::filesystem;
namespace {

class Gathering {
 public:
  Gathering(const ReportRequest& request, const Store& store, const Paper& paper)
      : request_(request), store_(store), paper_(paper) {}

  ReportContents gather() {
    describe();
    const std::string& protocol = request_.protocol.protocol;
    contents_.trial_dice = store_.trial_dice(protocol);
    contents_.runs = store_.runs(protocol);
    contents_.cases = store_.cases(protocol, "1");
    contents_.labelled_cases = sar::labelled_cases(store_.trial_inputs(protocol));
    contents_.summary = run_summary(store_, request_.protocol);
    count_trials();
    read_count();
    for (const TableSpec& part : request_.tables) {
      add_table(part);
    }
    for (const DataRequest& part : request_.data) {
      add_data(part);
    }
    for (const CurveSpec& part : request_.curves) {
      add_curves(part);
    }
    for (const ProxyRequest& part : request_.pretraining) {
      add_pretraining(part);
    }
    judge();
    add_examples();
    if (empty()) {
      throw Error(ExitCode::results_missing, "no finished trial of " + request_.id + " is stored")
          .with("protocol", protocol)
          .hint("sar-bench run table2 makes some; sar-bench status shows what is running");
    }
    return std::move(contents_);
  }

 private:
  void describe() {
    std::vector<std::string> parts;
    for (const TableSpec& part : request_.tables) {
      parts.push_back(part.id);
    }
    for (const DataRequest& part : request_.data) {
      parts.push_back(part.id);
    }
    const bool printed = std::ranges::any_of(parts, [&](const std::string& part) {
      return paper_.find(part) != nullptr || part == paper_.data_table;
    });
    contents_.whole = request_.whole;
    contents_.title = request_.whole && printed ? "Report on " + paper_.title : request_.title;
    contents_.paper = paper_.title;
    contents_.citation = printed ? paper_.citation : "";
    contents_.database = request_.database;
    contents_.program = request_.program;
    contents_.version = request_.version;
    contents_.made = request_.made;
    contents_.protocol = request_.protocol;
    contents_.table_options = request_.table_options;
    contents_.smoothing = request_.smoothing;
    contents_.settings = request_.settings;
  }

  /// Trials of the cells that the report's tables show; without tables all of the protocol.
  void count_trials() {
    for (const RunRow& run : contents_.runs) {
      if (request_.tables.empty() ||
          std::ranges::any_of(request_.tables, [&](const TableSpec& spec) {
            return shows(spec, run.cell.method, run.cell.task, run.cell.fraction);
          })) {
        ++contents_.trials.planned;
        contents_.trials.done += run.state == "done" ? 1 : 0;
        contents_.trials.failed += run.state == "failed" ? 1 : 0;
      }
    }
  }

  void read_count() {
    if (const auto node = store_.survey(contents_.protocol.protocol)) {
      try {
        survey_ = read_survey(*node, product_of(*node));
      } catch (const Error& error) {
        unreadable_count_ = "No count of the data at hand is shown: " + error.message() + ".";
      }
    }
  }

  [[nodiscard]] std::string why_no_count(const std::string& part) const {
    if (!unreadable_count_.empty()) {
      return unreadable_count_;
    }
    const bool failed = std::ranges::any_of(contents_.summary.work, [](const WorkDone& work) {
      return work.kind == "survey" && work.failed > 0;
    });
    if (failed) {
      return "The count of the data at hand failed: see Failures.";
    }
    std::string why = fmt::format(
        "The data at hand have not been counted under this protocol: {} run {} --profile {} "
        "--db {} counts them.",
        contents_.program,
        part,
        contents_.protocol.profile,
        contents_.database);
    if (const std::string other = protocol_of_survey(store_.surveys()); !other.empty()) {
      why += fmt::format(" Under protocol {0} they have been: --protocol {0} shows it.",
                         other.substr(0, 12));
    }
    return why;
  }

  void add_table(const TableSpec& part) {
    const ProtocolRow& protocol = contents_.protocol;
    TableSpec spec = part;
    if (const int planned = store_.planned_trials(protocol.protocol, spec); planned > 0) {
      spec.trials = planned;
    }
    const TableOptions& options = request_.table_options;
    ReportTable table;
    table.measured = build_table(contents_.trial_dice, contents_.runs, protocol, spec, options);
    add_budgets(table.measured, store_.budgets(protocol.protocol));
    table.measured.proxies = proxy_results(spec.rows, store_, protocol);
    add_controls(table.measured, contents_.trial_dice, request_.controls);
    TableOptions corrected = options;
    corrected.correction = options.correction == "none" ? "holm" : options.correction;
    table.corrected = build_table(contents_.trial_dice, contents_.runs, protocol, spec, corrected);
    if (const PrintedTable* printed = paper_.find(part.id)) {
      table.published = published_table(*printed, part, options);
      table.published_corrected = published_table(*printed, part, corrected);
    }
    contents_.tables.push_back(std::move(table));
  }

  void add_data(const DataRequest& part) {
    Sheet sheet = data_sheet(part.id,
                             part.title,
                             part.datasets,
                             survey_,
                             survey_.is_null() ? nullptr : &contents_.protocol,
                             &paper_);
    if (survey_.is_null()) {
      sheet.notes.push_back(why_no_count(part.id));
    }
    contents_.data.push_back(std::move(sheet));
  }

  void add_curves(const CurveSpec& part) {
    LossCurves curves = build_curves(store_, contents_.protocol, part, request_.curve_tests);
    if (!curves.rows.empty()) {
      contents_.losses.push_back(std::move(curves));
    }
  }

  void add_pretraining(const ProxyRequest& part) {
    if (const auto results = proxy_results(part.rows, store_, contents_.protocol);
        !results.empty()) {
      contents_.pretraining.push_back(
          proxy_sheet(part.id, part.title, results, contents_.protocol));
    }
  }

  void judge() {
    const std::vector<Claim> claims = read_claims(paper_);
    contents_.audit = audit(paper_, claims, {});  // at the paper's own level, whatever --alpha is
    if (!claims.empty()) {
      const ClaimOptions& how = request_.claim_options;
      contents_.claims = judge_claims(paper_, claims, published_cells(paper_), how);
      if (!contents_.trial_dice.empty()) {
        ClaimRuns runs = read_claim_runs(store_, contents_.protocol);
        runs.survey = survey_;
        contents_.measured_claims = judge_claims(
            paper_, claims, measured_cells(contents_.trial_dice, contents_.protocol), how, &runs);
        contents_.measured_claims->controls =
            compare_controls(contents_.trial_dice, request_.controls, request_.controls, how.test);
      }
    }
    const std::vector<Assumption> assumptions = read_assumptions(paper_.folder, request_.key_words);
    if (!assumptions.empty()) {
      contents_.assumptions =
          assumption_sheet(assumptions, contents_.protocol.settings, request_.defaults);
    }
  }

  /// Example cases of the reference and of the first row, or of the methods asked for.
  void add_examples() {
    const auto& asked = request_.example_methods;
    if (asked.size() == 1 && asked.front() == "none") {
      return;
    }
    const bool every = asked.size() == 1 && asked.front() == "all";
    std::set<std::string> covered;  // tasks of earlier tables: their methods are enough
    for (const ReportTable& table : contents_.tables) {
      const TableSpec& spec = table.measured.spec;
      const std::set<std::string> earlier = covered;
      std::vector<std::string> methods = asked;
      if (methods.empty() && !spec.rows.empty()) {
        methods = {spec.reference, spec.rows.front().method};
      } else if (every) {
        methods.clear();
        for (const TableRow& row : spec.rows) {
          methods.push_back(row.method);
        }
      }
      for (const TableColumn& column : spec.columns) {
        if (column.fraction != "1" || (asked.empty() && earlier.contains(column.task))) {
          continue;
        }
        covered.insert(column.task);
        for (const std::string& method : methods) {
          const auto row = std::ranges::find(spec.rows, method, &TableRow::method);
          const bool there = std::ranges::any_of(contents_.examples, [&](const auto& each) {
            return each.task == column.task && each.method == method;
          });
          if (row != spec.rows.end() && !there) {
            add_examples_of(column.task, *row);
          }
        }
      }
    }
  }

  void add_examples_of(const std::string& task, const TableRow& row) {
    const auto run = std::ranges::find_if(contents_.runs, [&](const RunRow& each) {
      return each.state == "done" && each.cell.task == task && each.cell.method == row.method &&
             each.cell.fraction == "1";
    });
    if (run == contents_.runs.end()) {
      return;  // no trial: the tables say so
    }
    ReportExamples& group = contents_.examples.emplace_back();
    group.task = task;
    group.method = row.method;
    group.label = row.label;
    group.trial = run->cell.trial;
    for (const CaseRow& each : contents_.cases) {
      if (each.task == task && each.method == row.method && each.trial == group.trial &&
          each.target == "tumor") {
        group.volume_mm3[each.case_id] = each.volume_mm3;
      }
    }
    const auto evaluation = store_.node(run->cell.evaluate_node);
    try {
      group.cases = read_examples(product_of(*evaluation), evaluation->sha256);
      for (Example& example : group.cases) {
        example.origin = fmt::format(
            "{} on {}, trial {}{}", row.label, task, group.trial, contents_.phantom_mark());
      }
    } catch (const Error& error) {
      group.missing = "No slices to show: " + error.message() + ".";
    }
  }

  /// The file of a node: where the database says, or, if database and work folder were moved
  /// together, in the work folder of today.
  [[nodiscard]] fs::path product_of(const NodeRow& node) const {
    const fs::path said = node.path;
    const fs::path here = request_.work / said.parent_path().filename() / said.filename();
    std::error_code ignored;  // a name from a database may be none for this file system
    return !fs::exists(said, ignored) && fs::exists(here, ignored) ? here : said;
  }

  [[nodiscard]] bool empty() const {
    const bool cells = std::ranges::any_of(contents_.tables, [](const ReportTable& table) {
      return filled_cells(table.measured) > 0;
    });
    return !cells && contents_.losses.empty() && contents_.pretraining.empty() && survey_.is_null();
  }

  const ReportRequest& request_;
  const Store& store_;
  const Paper& paper_;
  ReportContents contents_;
  Json survey_;                   ///< counts of the data at hand; null if there are none
  std::string unreadable_count_;  ///< why the stored ones are not shown: a sentence
};

}  // namespace

ReportContents gather_report(const ReportRequest& request, const Store& store, const Paper& paper) {
  return Gathering(request, store, paper).gather();
}

}  // namespace sar
