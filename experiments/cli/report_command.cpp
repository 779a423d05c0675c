#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "experiments/experiment.h"
#include "experiments/run_status.h"
#include "experiments/version.h"
#include "harness/core/files.h"
#include "results/database/protocol_choice.h"
#include "results/database/store.h"
#include "results/database/stored_file.h"
#include "results/figures/examples.h"
#include "results/paper/assumptions.h"
#include "results/paper/cells.h"
#include "results/paper/claims.h"
#include "results/paper/data_sheet.h"
#include "results/report/report.h"
#include "results/tables/proxy_sheet.h"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

namespace sar::cli {
namespace report_command {
namespace fs = std::filesystem;

struct ReportCommand {
  CommonOptions common;
  ViewOptions view;
  std::string experiment = "all";
  std::vector<std::string> examples;  ///< methods whose cases are shown; "none"
};

/// Now, or the time that SOURCE_DATE_EPOCH names, so that a report can be made again bit by bit.
std::string time_of_report() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (epoch == nullptr || *epoch == '\0') {
    return utc_now();
  }
  constexpr long long kLast = 253'402'300'799;  // of the year 9999
  char* end = nullptr;
  const long long seconds = std::strtoll(epoch, &end, 10);
  if (*end != '\0' || seconds < 0 || seconds > kLast) {
    throw usage_error("SOURCE_DATE_EPOCH is not a number of seconds since 1970, to the year 9999")
        .with("value", epoch);
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

std::string label_of(const TableSpec& spec, const std::string& method) {
  const auto row = std::ranges::find(spec.rows, method, &TableRow::method);
  return row == spec.rows.end() ? method : row->label;
}

/// Gathers what a report shows.
class Gathering {
 public:
  Gathering(const ReportCommand& command, const Chosen& chosen)
      : command_(command),
        catalog_(Catalog::load()),
        experiment_(read_experiment(catalog_.experiment_file(command.experiment), catalog_)),
        store_(open_results(command.common)),
        viewer_(catalog_, command.common, command.view, &store_),
        paper_(read_paper(catalog_.paper_folder(command.view.paper))) {
    contents_.program = chosen.program;
  }

  ReportContents gather() {
    contents_.whole = experiment_.kind == ExperimentKind::collection;
    const bool printed = std::ranges::any_of(parts_of(experiment_), [&](const Experiment* part) {
      return paper_.find(part->id) != nullptr || part->id == paper_.data_table;
    });
    contents_.title = contents_.whole && printed ? "Report on " + paper_.title : experiment_.title;
    contents_.paper = paper_.title;
    contents_.citation = printed ? paper_.citation : "";
    contents_.database = command_.common.database;
    const Version version = own_version();
    contents_.version = version.program + ", commit " + version.commit.substr(0, 12) +
                        (version.dirty ? " (with changes)" : "");
    contents_.made = time_of_report();
    contents_.protocol = viewer_.protocol(experiment_);
    if (!contents_.protocol) {
      throw Error(ExitCode::results_missing,
                  "no finished trial of " + experiment_.id + " is stored")
          .with("database", command_.common.database)
          .hint("sar-bench run " + command_.experiment +
                " makes some; sar-bench status shows what is running");
    }
    const ProtocolRow& protocol = *contents_.protocol;
    trials_ = store_.trial_dice(protocol.protocol);
    runs_ = store_.runs(protocol.protocol);
    cases_ = store_.cases(protocol.protocol, "1");
    contents_.summary = run_summary(store_, protocol);
    contents_.settings = changed_settings();
    count_trials();
    read_count();
    for (const Experiment* part : parts_of(experiment_)) {
      add(*part);
    }
    add_figures_of_tables();
    judge();
    add_examples();
    draw_all();
    if (empty()) {
      throw Error(ExitCode::results_missing,
                  "no finished trial of " + experiment_.id + " is stored")
          .with("protocol", protocol.protocol)
          .hint("sar-bench run table2 makes some; sar-bench status shows what is running");
    }
    return std::move(contents_);
  }

 private:
  void add(const Experiment& part) {
    const ProtocolRow& protocol = *contents_.protocol;
    switch (part.kind) {
      case ExperimentKind::dice:
        add_table(part);
        break;
      case ExperimentKind::data:
        add_data(part);
        break;
      case ExperimentKind::curves: {
        LossCurves curves =
            build_curves(store_.finetuning_curves(protocol.protocol, part.curves.fraction),
                         protocol,
                         part.curves,
                         curve_tests(command_.common));
        if (!curves.rows.empty()) {
          contents_.curves.push_back({curves_figure(curves, smoothing()), {}, {}});
          contents_.losses.push_back(std::move(curves));
        }
        break;
      }
      case ExperimentKind::pretraining: {
        Sheet sheet = proxy_sheet(part.id, part.title, part.rows, store_, protocol);
        if (!sheet.rows.empty()) {
          contents_.pretraining.push_back(std::move(sheet));
        }
        break;
      }
      case ExperimentKind::collection:
        break;  // parts_of() gives its parts
    }
  }

  void add_data(const Experiment& part) {
    Sheet sheet = data_sheet(part.id,
                             part.title,
                             part.datasets,
                             survey_,
                             survey_.is_null() ? nullptr : &*contents_.protocol,
                             &paper_);
    if (survey_.is_null()) {
      sheet.notes.push_back(why_no_count(part.id));
    }
    contents_.data.push_back(std::move(sheet));
  }

  /// Trials of the cells that the report's tables show; without tables all of the protocol.
  void count_trials() {
    std::vector<const TableSpec*> specs;
    for (const Experiment* part : parts_of(experiment_)) {
      if (part->kind == ExperimentKind::dice) {
        specs.push_back(&part->table);
      }
    }
    for (const RunRow& run : runs_) {
      if (specs.empty() || std::ranges::any_of(specs, [&](const TableSpec* spec) {
            return shows(*spec, run.cell.method, run.cell.task, run.cell.fraction);
          })) {
        ++contents_.trials.planned;
        contents_.trials.done += run.state == "done" ? 1 : 0;
        contents_.trials.failed += run.state == "failed" ? 1 : 0;
      }
    }
  }

  void read_count() {
    if (const auto node = store_.survey(contents_.protocol->protocol)) {
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
        contents_.protocol->profile,
        contents_.database);
    if (const std::string other = protocol_of_survey(store_.surveys()); !other.empty()) {
      why += fmt::format(" Under protocol {0} they have been: --protocol {0} shows it.",
                         other.substr(0, 12));
    }
    return why;
  }

  void add_table(const Experiment& part) {
    const ProtocolRow& protocol = *contents_.protocol;
    TableSpec spec = part.table;
    if (const int planned = store_.planned_trials(protocol.protocol, spec); planned > 0) {
      spec.trials = planned;
    }
    const TableOptions options = viewer_.table_options(&protocol);
    ReportTable table;
    table.measured = build_table(trials_, runs_, protocol, spec, options);
    TableOptions corrected = options;
    corrected.correction = options.correction == "none" ? "holm" : options.correction;
    table.corrected = build_table(trials_, runs_, protocol, spec, corrected);
    if (const PrintedTable* printed = paper_.find(part.id)) {
      table.published = published_table(*printed, part.table, options);
      table.published_corrected = published_table(*printed, part.table, corrected);
    }
    contents_.tables.push_back(std::move(table));
  }

  void add_figures_of_tables() {
    const ProtocolRow& protocol = *contents_.protocol;
    const auto labelled = store_.labelled_cases(protocol.protocol);
    std::set<std::pair<std::string, std::string>> sizes;  // task and target
    for (const ReportTable& table : contents_.tables) {
      const Table& measured = table.measured;
      if (filled_cells(measured) == 0) {
        continue;
      }
      const TableSpec& spec = measured.spec;
      const bool all_labels = std::ranges::all_of(
          spec.columns, [](const TableColumn& column) { return column.fraction == "1"; });
      add_forest(table);
      if (all_labels && spec.rows.size() > 2) {
        add_ranks(spec);
      }
      for (const TableColumn& column : spec.columns) {
        const auto tested = [&] {
          return std::ranges::any_of(cases_, [&](const CaseRow& each) {
            return each.task == column.task && each.target == column.target &&
                   std::ranges::find(spec.rows, each.method, &TableRow::method) != spec.rows.end();
          });
        };
        if (column.fraction == "1" && column.target == "tumor" && tested() &&
            sizes.emplace(column.task, column.target).second) {
          contents_.sizes.push_back({size_figure("size-" + column.task + "-" + column.target,
                                                 "Dice against tumour volume, " + column.group,
                                                 cases_,
                                                 spec.rows,
                                                 column.task,
                                                 column.target,
                                                 protocol),
                                     {},
                                     {}});
        }
      }
    }
    for (const ReportTable& table : contents_.tables) {
      TableSpec all_labels = table.measured.spec;
      for (TableColumn& column : all_labels.columns) {
        column.fraction = "1";
      }
      const Table whole =
          build_table(trials_, runs_, protocol, all_labels, viewer_.table_options(&protocol));
      const std::vector<LabelEfficiency> groups =
          label_efficiency(table.measured, &whole, labelled);
      if (groups.empty() || filled_cells(table.measured) == 0) {
        continue;
      }
      const TableSpec& spec = table.measured.spec;
      contents_.efficiency.push_back(
          {efficiency_figure("labels-" + spec.id, "Label efficiency, " + spec.id, groups, protocol),
           {},
           {}});
      for (const LabelEfficiency& group : groups) {
        for (const AnnotationSaved& saved : group.saved) {
          contents_.saved.push_back(group.title + phantom_mark() + ": " + sentence(saved, group));
        }
      }
    }
  }

  /// A figure of measured comparisons; printed ones alone would stand under our protocol.
  void add_forest(const ReportTable& table) {
    const TableSpec& spec = table.measured.spec;
    const std::vector<ForestPanel> measured = forest(table.corrected);
    const bool compared = std::ranges::any_of(measured, [](const ForestPanel& panel) {
      return std::ranges::any_of(panel.rows,
                                 [](const ForestRow& row) { return row.test.has_value(); });
    });
    if (!compared) {
      contents_.not_drawn["forest"].push_back(
          fmt::format("{}: no column has trials of both {} and another method yet.",
                      spec.id,
                      label_of(spec, spec.reference)));
      return;
    }
    contents_.forests.push_back(
        {forest_figure("forest-" + spec.id,
                       "Differences from " + label_of(spec, spec.reference) + ", " + spec.id,
                       measured,
                       table.published_corrected ? forest(*table.published_corrected)
                                                 : std::vector<ForestPanel>{},
                       table.corrected),
         {},
         {}});
  }

  void add_ranks(const TableSpec& spec) {
    std::vector<RankStability> ranks;
    for (const TableColumn& column : spec.columns) {
      ranks.push_back(rank_stability(cases_, spec.rows, column));
    }
    const bool ranked = std::ranges::any_of(
        ranks, [](const RankStability& column) { return !column.methods.empty(); });
    if (!ranked) {
      std::set<std::string> reasons;
      for (const RankStability& column : ranks) {
        reasons.insert(column.reason);
      }
      contents_.not_drawn["ranks"].push_back(
          fmt::format("{}: {}.", spec.id, fmt::join(reasons, "; ")));
      return;
    }
    contents_.ranks.push_back(
        {rank_figure(
             "ranks-" + spec.id, "Stability of ranks, " + spec.id, ranks, *contents_.protocol),
         {},
         {}});
  }

  void judge() {
    const std::vector<Claim> claims = read_claims(paper_);
    contents_.audit = audit(paper_, claims, {});  // at the paper's own level, whatever --alpha is
    if (!claims.empty()) {
      const ClaimOptions how = claim_options(catalog_, command_.common);
      contents_.claims = judge_claims(paper_, claims, published_cells(paper_), how);
      if (!trials_.empty()) {
        ClaimRuns runs = read_claim_runs(store_, *contents_.protocol);
        runs.survey = survey_;
        contents_.measured_claims =
            judge_claims(paper_, claims, measured_cells(trials_, *contents_.protocol), how, &runs);
      }
    }
    const std::vector<Assumption> assumptions =
        read_assumptions(paper_.folder, catalog_.key_words());
    if (!assumptions.empty()) {
      contents_.assumptions =
          assumption_sheet(assumptions, contents_.protocol->settings, catalog_.defaults());
    }
  }

  /// Example cases of the reference and of the first row, or of the methods asked for.
  void add_examples() {
    const auto& asked = command_.examples;
    if (asked.size() == 1 && asked.front() == "none") {
      return;
    }
    const bool every = asked.size() == 1 && asked.front() == "all";
    for (const std::string& method : asked) {
      if (!every) {
        static_cast<void>(catalog_.method(method));  // refuses unknown ones
      }
    }
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
    const auto run = std::ranges::find_if(runs_, [&](const RunRow& each) {
      return each.state == "done" && each.cell.task == task && each.cell.method == row.method &&
             each.cell.fraction == "1";
    });
    if (run == runs_.end()) {
      return;  // no trial: the tables say so
    }
    ReportExamples& group = contents_.examples.emplace_back();
    group.task = task;
    group.method = row.method;
    group.label = row.label;
    group.trial = run->cell.trial;
    for (const CaseRow& each : cases_) {
      if (each.task == task && each.method == row.method && each.trial == group.trial &&
          each.target == "tumor") {
        group.volume_mm3[each.case_id] = each.volume_mm3;
      }
    }
    const auto evaluation = store_.node(run->cell.evaluate_node);
    try {
      group.cases = read_examples(product_of(*evaluation), evaluation->sha256);
      for (Example& example : group.cases) {
        example.origin =
            fmt::format("{} on {}, trial {}{}", row.label, task, group.trial, phantom_mark());
      }
    } catch (const Error& error) {
      group.missing = "No slices to show: " + error.message() + ".";
    }
  }

  [[nodiscard]] std::string phantom_mark() const {
    return contents_.protocol->data_kind == "phantom" ? " [phantom data]" : "";
  }

  /// The file of a node: where the database says, or, if database and work folder were moved
  /// together, in the work folder of today.
  [[nodiscard]] fs::path product_of(const NodeRow& node) const {
    const fs::path said = node.path;
    const fs::path here =
        work_folder(command_.common) / said.parent_path().filename() / said.filename();
    std::error_code ignored;  // a name from a database may be none for this file system
    return !fs::exists(said, ignored) && fs::exists(here, ignored) ? here : said;
  }

  void draw_all() {
    std::vector<Figure> figures;
    std::vector<ReportFigure*> places;
    for (auto* list : {&contents_.forests,
                       &contents_.curves,
                       &contents_.sizes,
                       &contents_.efficiency,
                       &contents_.ranks}) {
      for (ReportFigure& figure : *list) {
        figures.push_back(figure.figure);
        places.push_back(&figure);
      }
    }
    try {
      std::vector<Drawing> drawings = draw(figures);
      for (std::size_t i = 0; i < places.size(); ++i) {
        places[i]->drawing = std::move(drawings[i]);
      }
    } catch (const Error&) {
      draw_singly(places);
    }
  }

  /// So that one that cannot be drawn does not take the others away.
  static void draw_singly(const std::vector<ReportFigure*>& places) {
    std::set<std::string> reasons;
    for (ReportFigure* place : places) {
      try {
        place->drawing = draw({place->figure}).front();
      } catch (const Error& error) {
        place->not_drawn = "Not drawn: " + error.message() + ". The numbers are below.";
        if (reasons.insert(error.message()).second) {
          std::cerr << "warning: not every figure is drawn: " << error.what() << '\n';
        }
      }
    }
  }

  [[nodiscard]] int smoothing() const {
    return user_configuration(catalog_, command_.common)
        .shared()
        .integer("output.loss_curve_smoothing_steps");
  }

  [[nodiscard]] Sheet changed_settings() const {
    Sheet sheet;
    sheet.id = "settings";
    sheet.title = "Settings of the protocol that differ from the built-in ones";
    sheet.header = {"Key", "Value", "Built-in", "Meaning"};
    sheet.text_columns = 4;
    const Json& shared = shared_settings(*contents_.protocol);
    for (const KeySpec& key : catalog_.schema().keys()) {
      if (shared.contains(key.name) && shared.at(key.name) != key.default_value) {
        sheet.rows.push_back(
            {key.name, shared.at(key.name).dump(), key.default_value.dump(), key.meaning});
      }
    }
    return sheet;
  }

  [[nodiscard]] bool empty() const {
    const bool cells = std::ranges::any_of(contents_.tables, [](const ReportTable& table) {
      return filled_cells(table.measured) > 0;
    });
    return !cells && contents_.curves.empty() && contents_.pretraining.empty() && survey_.is_null();
  }

  const ReportCommand& command_;
  Catalog catalog_;
  Experiment experiment_;
  Store store_;
  Viewer viewer_;
  Paper paper_;
  ReportContents contents_;
  std::vector<TrialDice> trials_;
  std::vector<RunRow> runs_;
  std::vector<CaseRow> cases_;
  Json survey_;                   ///< counts of the data at hand; null if there are none
  std::string unreadable_count_;  ///< why the stored ones are not shown: a sentence
};

constexpr const char* kMaker = "sar-bench report";  ///< marks a folder as ours

/// Writes all files and removes those that an earlier report left here and this one does not have.
/// The list of files names old and new ones meanwhile, so that a run that was interrupted leaves no
/// file that the next one takes for somebody else's.
void write_report(const fs::path& folder,
                  const std::string& page,
                  const std::map<std::string, std::string>& files) {
  const fs::path list = folder / "files.json";
  std::set<std::string> old;
  Json before;
  try {
    before = fs::exists(list) ? read_json(list) : Json();
  } catch (const Error&) {
    before = nullptr;  // somebody else's
  }
  if (before.is_object() && before.value("made_by", Json()) == kMaker) {
    for (const Json& name : before.value("files", Json::array())) {
      const fs::path relative = name.is_string() ? name.get<std::string>() : "";
      const std::string top = relative.begin() == relative.end() ? "" : relative.begin()->string();
      if ((top == "tables" || top == "figures") &&
          std::ranges::find(relative, fs::path("..")) == relative.end()) {
        old.insert(relative.string());
      }
    }
  } else {
    for (const char* name : {"report.html", "files.json", "tables", "figures"}) {
      if (fs::exists(folder / name)) {
        throw io_error("the folder holds files that no earlier report left there")
            .with("file", (folder / name).string())
            .hint("name another folder with -o, or move them away");
      }
    }
  }
  std::set<std::string> names{"report.html"};
  for (const auto& [name, content] : files) {
    names.insert(name);
  }
  const auto write_list = [&](const std::set<std::string>& listed) {
    write_file_atomically(list,
                          to_text({{"schema_version", 1}, {"made_by", kMaker}, {"files", listed}}));
  };
  old.insert(names.begin(), names.end());
  write_list(old);
  for (const auto& [name, content] : files) {
    write_file_atomically(folder / name, content);
  }
  write_file_atomically(folder / "report.html", page);
  for (const std::string& name : old) {
    std::error_code ignored;
    if (!names.contains(name)) {
      fs::remove(folder / name, ignored);
    }
  }
  write_list(names);
}

ExitCode run(const ReportCommand& command, const Chosen& chosen) {
  const CommonOptions& common = command.common;
  const fs::path folder =
      common.output.empty() ? fs::path(common.database + ".report") : fs::path(common.output);
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw io_error("the report's folder is a file").with("path", folder.string());
  }
  Gathering gathering(command, chosen);
  const ReportContents contents = gathering.gather();
  const fs::path templates = Catalog::load().report_folder();
  const std::string page = report_page(contents,
                                       {read_file(templates / "page.mustache"),
                                        read_file(templates / "page.css"),
                                        read_file(templates / "page.js")});
  const auto files = report_files(contents);
  write_report(folder, page, files);
  const bool slices = std::ranges::any_of(
      contents.examples, [](const ReportExamples& group) { return !group.cases.empty(); });
  if (!common.quiet && slices && contents.protocol->data_kind != "phantom") {
    std::cerr
        << "note: the report shows slices of test cases with their ids; --examples none leaves "
           "them out\n";
  }
  const std::string path = fs::absolute(folder / "report.html").lexically_normal().string();
  std::cout
      << (common.chosen_format() == "json"
              ? Json{{"schema_version", 1}, {"report", path}, {"files", files.size() + 1}}.dump(2) +
                    "\n"
              : path + "\n");
  return ExitCode::ok;
}

}  // namespace report_command

void add_report(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<report_command::ReportCommand>();
  auto* sub = app.add_subcommand(
      "report", "one self-contained HTML file, and every table and figure as files of their own");
  single(sub, "experiment", command->experiment, "what to report on: a name, or a file of your own")
      ->capture_default_str();
  single(sub, "--paper", command->view.paper, "whose numbers stand beside: a name, or a folder")
      ->capture_default_str();
  single(sub,
         "--protocol",
         command->view.protocol,
         "report on this protocol instead of the newest complete one");
  sub->add_option("--examples",
                  command->examples,
                  "methods whose example cases are shown (default: the reference and the first "
                  "row), or all, or none")
      ->delimiter(',');
  add_database(sub, command->common);
  add_common(sub, command->common, false);
  sub->get_option("--output")->description("folder of the report (default: DB.report)");
  on_chosen(sub, chosen, command, &report_command::run);
}

}  // namespace sar::cli
