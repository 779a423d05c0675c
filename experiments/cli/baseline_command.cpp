#include "experiments/cli/commands.h"
#include "experiments/cli/execution.h"
#include "experiments/cli/output.h"
#include "experiments/cli/session.h"
#include "experiments/cli/statistics_options.h"
#include "harness/core/error.h"
#include "harness/core/machine.h"
#include "harness/core/signals.h"
#include "results/comparison/baseline_document.h"
#include "results/database/protocol_choice.h"
#include "results/text/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <iostream>
#include <memory>
#include <optional>
#include <set>

namespace sar::cli {
namespace fs = std::filesystem;
namespace {

struct BaselineCommand {
  CommonOptions common;
  PlanOptions plan;
  ExecutionOptions execution;
  std::vector<std::string> experiments;  ///< of `save`
  std::string file;                      ///< of `check`
  std::string protocol;
  bool run = false, statistical = false;
  std::optional<double> margin;  ///< none: the setting's
};

bool is_listed(const std::vector<std::string>& list, const std::string& value) {
  return list.empty() || std::ranges::find(list, value) != list.end();
}

bool is_chosen(const PlanOptions& options, const CellPath& path) {
  return is_listed(options.methods, path.method) && is_listed(options.tasks, path.task);
}

/// Throws Error 66 if there is no database, as for any other file that is named and not there.
Store open_database(const CommonOptions& common) {
  if (!fs::exists(common.database)) {
    throw Error(ExitCode::data_not_found, "the database is not there")
        .with("file", common.database)
        .hint("sar-bench run table2 makes it; --db names another");
  }
  return {common.database, Store::Mode::read};
}

/// Throws Error 2 naming the nearest.
void refuse_unknown_names(const PlanOptions& options, const Catalog& catalog) {
  for (const std::string& method : options.methods) {
    static_cast<void>(catalog.method(method));
  }
  std::vector<std::string> tasks;
  for (const DatasetInfo& each : catalog.datasets()) {
    tasks.push_back(each.id);
  }
  for (const std::string& task : options.tasks) {
    if (std::ranges::find(tasks, task) == tasks.end()) {
      const std::string nearest = nearest_match(task, tasks);
      Error error = usage_error("unknown task").with("task", task);
      throw nearest.empty() ? error : error.hint("did you mean " + nearest + "?");
    }
  }
}

/// The first of the chosen methods and tasks that none of the cells has; empty if there is none.
std::string name_without_cell(const PlanOptions& options, const std::vector<FrozenCell>& cells) {
  const auto has = [&](const std::string CellPath::*field, const std::string& name) {
    return std::ranges::any_of(cells, [&](const FrozenCell& each) {
      return is_chosen(options, each.path) && each.path.*field == name;
    });
  };
  for (const std::string& method : options.methods) {
    if (!has(&CellPath::method, method)) {
      return method;
    }
  }
  for (const std::string& task : options.tasks) {
    if (!has(&CellPath::task, task)) {
      return task;
    }
  }
  return {};
}

// --- save --------------------------------------------------------------------------------------

/// The cells that experiments show; all stored ones if none is named.
struct Wanted {
  std::set<std::pair<std::string, std::string>> cells;  ///< method, and a column or task
  std::set<CellGroup> groups;

  [[nodiscard]] bool contains(const CellPath& path) const {
    return groups.empty() || cells.contains({path.method, path.column()}) ||
           cells.contains({path.method, path.task + " " + path.fraction});
  }
};

void add_cells(Wanted& wanted, const Experiment& part, const PlanOptions& options) {
  if (part.kind != ExperimentKind::dice && part.kind != ExperimentKind::curves) {
    return;
  }
  const bool curves = part.kind == ExperimentKind::curves;
  const TableSpec spec = curves ? cells_of(part.curves) : part.table;
  for (const TableRow& row : spec.rows) {
    for (const TableColumn& column : spec.columns) {
      const CellPath path{
          {}, row.method, column.task, column.target, column.bucket, column.fraction};
      if (!is_chosen(options, path)) {
        continue;
      }
      wanted.groups.emplace(path.method, path.task, path.fraction);
      // A figure shows the losses of a fine-tuning: whatever Dice came of it belongs to it.
      wanted.cells.emplace(path.method, curves ? path.task + " " + path.fraction : path.column());
    }
  }
}

Wanted wanted_cells(const BaselineCommand& command, const Catalog& catalog) {
  Wanted wanted;
  for (const std::string& name : command.experiments) {
    const Experiment experiment = read_experiment(catalog.experiment_file(name), catalog);
    for (const Experiment* part : parts_of(experiment)) {
      add_cells(wanted, *part, command.plan);
    }
  }
  if (!command.experiments.empty() && wanted.groups.empty()) {
    throw usage_error("the chosen experiments have no cell of the chosen methods and tasks");
  }
  return wanted;
}

/// The protocol asked for, or the newest one that is complete.
ProtocolRow protocol_to_freeze(const BaselineCommand& command,
                               const Store& store,
                               const std::set<CellGroup>& groups) {
  if (!command.protocol.empty()) {
    return named_protocol(store, command.protocol);
  }
  const ProtocolChoice choice = protocol_to_freeze(store.cell_states(), groups);
  if (!choice.complete) {
    throw Error(ExitCode::results_missing,
                choice.protocol.empty() ? "no finished trial of these cells is stored"
                                        : "a baseline has no gaps, and no stored protocol has "
                                          "every cell of these done")
        .with("database", command.common.database)
        .hint(
            "sar-bench run makes what is missing, sar-bench status shows it; --protocol freezes "
            "what is there of one protocol");
  }
  return store.protocol(choice.protocol).value();
}

ExitCode save(const BaselineCommand& command) {
  if (command.common.output.empty()) {
    throw usage_error("baseline save needs -o FILE");
  }
  const Catalog catalog = Catalog::load();
  refuse_unknown_names(command.plan, catalog);
  const Wanted wanted = wanted_cells(command, catalog);
  const Store store = open_database(command.common);
  const ProtocolRow protocol = protocol_to_freeze(command, store, wanted.groups);
  Baseline baseline = freeze(store, protocol, [&](const CellPath& path) {
    return wanted.contains(path) && is_chosen(command.plan, path);
  });
  if (baseline.cells.empty()) {
    throw Error(ExitCode::results_missing, "no finished trial of these cells is stored")
        .with("protocol", protocol.protocol);
  }
  if (const std::string name = name_without_cell(command.plan, baseline.cells); !name.empty()) {
    throw Error(ExitCode::results_missing, "no finished trial of a chosen name is stored")
        .with("name", name)
        .with("protocol", protocol.protocol);
  }
  baseline.experiments = command.experiments;
  write_output(command.common.output, baseline_text(baseline), command.common.force);
  if (command.common.quiet) {
    return ExitCode::ok;
  }
  const auto fewest = std::ranges::min_element(
      baseline.cells, {}, [](const FrozenCell& cell) { return cell.trials.size(); });
  std::cerr << fmt::format("{}: {} cells of protocol {}, profile {}, {} data\n",
                           command.common.output,
                           baseline.cells.size(),
                           protocol.protocol,
                           protocol.profile,
                           protocol.data_kind);
  if (fewest->trials.size() < kLeastGateTrials) {
    std::cerr << fmt::format(
        "note: {} has {} trials: with fewer than {} a check is bit-exact, in this environment "
        "only\n",
        fewest->name(),
        fewest->trials.size(),
        kLeastGateTrials);
  }
  const std::vector<std::string>& machine = baseline.environment["machine"];
  if (std::ranges::find(machine, "unknown") != machine.end()) {
    std::cerr << "note: older results do not say which machine made them, so no check of them is "
                 "bit-exact\n";
  }
  for (const std::string& commit : baseline.environment["commit"]) {
    if (commit.ends_with("(with changes)")) {
      std::cerr << "warning: made by a program with changes that are not committed\n";
    }
  }
  return ExitCode::ok;
}

// --- check -------------------------------------------------------------------------------------

/// What the results of this program will be made by.
Environment this_environment(const Session& session) {
  const Settings& shared = session.configuration().shared();
  const Version source = own_version();
  return {{"device", {shared.text("compute.device")}},
          {"machine", {machine_description()}},
          {"threads", {std::to_string(shared.integer("compute.threads"))}},
          {"torch", {session.catalog().versions().at("torch")}},
          {"itk", {session.catalog().versions().at("itk")}},
          {"commit", {commit_text(source.commit, source.dirty)}}};
}

/// One selection per group of cells of the baseline; the plan shares their work.
std::vector<Selection> selections_of(const Baseline& base) {
  std::map<CellGroup, int> trials;
  for (const FrozenCell& cell : base.cells) {
    int& count = trials[{cell.path.method, cell.path.task, cell.path.fraction}];
    count = std::max(count, cell.trials.back().trial + 1);
  }
  std::vector<Selection> selections;
  for (const auto& [group, count] : trials) {
    const auto& [method, task, fraction] = group;
    selections.push_back({"baseline", ExperimentKind::dice, {method}, {task}, {fraction}, count});
  }
  return selections;
}

/// Results that another program left say nothing about this one, whose code may have changed; with
/// uncommitted changes nobody can tell.
void refuse_results_of_others(const Plan& plan, const Store& store, const std::string& database) {
  const Version source = own_version();
  int others = 0;
  std::string commit;
  for (const PlannedNode& planned : plan.nodes) {
    const auto node = store.node(planned.key);
    if (node && node->state == NodeState::done &&
        (node->commit != source.commit || node->dirty || source.dirty)) {
      ++others;
      commit = commit_text(node->commit, node->dirty);
    }
  }
  if (others > 0) {
    throw Error(ExitCode::results_missing,
                fmt::format("{} of {} pieces of work are stored already, and not known to be made "
                            "by this program: they say nothing about it",
                            others,
                            plan.nodes.size()))
        .with("database", database)
        .with("made by", commit)
        .with("this program", commit_text(source.commit, source.dirty))
        .hint(
            "name a new file with --db, or compute them again with --force; without --run the "
            "stored results are compared, whoever made them");
  }
}

/// What of the stored results is compared: nothing beside the baseline's cells may decide on them.
std::function<bool(const CellPath&)> cells_of_baseline(const Baseline& base) {
  return [&base](const CellPath& path) {
    return std::ranges::any_of(base.cells,
                               [&](const FrozenCell& each) { return each.path == path; });
  };
}

/// Plans the baseline's cells and runs what is missing; nothing is run under another protocol.
Baseline run_missing(const BaselineCommand& command, const Baseline& base, const Chosen& chosen) {
  PlanOptions options = command.plan;
  options.methods.clear();  // the baseline was narrowed to them before
  options.tasks.clear();
  if (options.profile.empty()) {
    options.profile = base.protocol.profile;
  }
  if (!base.experiments.empty()) {
    options.experiment = base.experiments.front();  // all were stored under one protocol
  }
  Session session(command.common, options);
  const Plan plan = make_plan(session.catalog(),
                              session.configuration(),
                              session.manifest(false),
                              session.profile().name,
                              selections_of(base),
                              session.work());
  Baseline now;
  now.protocol = plan.protocol;
  now.environment = this_environment(session);
  if (plan.protocol.protocol != base.protocol.protocol) {
    return now;
  }
  catch_stop_signals();
  Store store(command.common.database, Store::Mode::read_write);
  if (!command.execution.force) {
    refuse_results_of_others(plan, store, command.common.database);
  }
  const RunReport report = execute_plan(session,
                                        plan,
                                        store,
                                        all_tables(session.catalog(), session.experiment()),
                                        command.common,
                                        command.execution,
                                        chosen.command_line);
  if (report.interrupted) {
    throw Error(ExitCode::interrupted, "interrupted").hint("run the same command again to resume");
  }
  report_failures(report);
  const Environment expected = std::move(now.environment);
  now = freeze(store, plan.protocol, cells_of_baseline(base));
  if (now.cells.empty()) {
    now.environment = expected;
  }
  return now;
}

Baseline stored_results(const BaselineCommand& command,
                        const Baseline& base,
                        std::vector<std::string>& notes) {
  const Store store = open_database(command.common);
  std::set<CellGroup> groups;
  for (const FrozenCell& cell : base.cells) {
    groups.emplace(cell.path.method, cell.path.task, cell.path.fraction);
  }
  const ProtocolChoice latest = protocol_to_check(store.cell_states(), groups);
  const std::string key = command.protocol.empty() ? latest.protocol : command.protocol;
  const auto protocol = store.protocol(key);
  if (!protocol) {
    throw Error(ExitCode::results_missing,
                key.empty() ? "no trial of the baseline's cells is stored"
                            : "no such protocol in the database")
        .with("database", command.common.database)
        .with("protocol", key.empty() ? base.protocol.protocol : key)
        .hint("baseline check FILE --run makes them");
  }
  if (protocol->protocol != latest.protocol) {
    notes.push_back(
        fmt::format("the newest results of these cells are of protocol {}, which is not compared",
                    latest.protocol));
  }
  if (!latest.newer.empty() && latest.newer != protocol->protocol) {
    notes.push_back(fmt::format(
        "protocol {} was planned later, and none of its trials of these cells has begun",
        latest.newer));
  }
  return freeze(store, *protocol, cells_of_baseline(base));
}

/// Margin and level: by flag, or the user's settings. The baseline's file does not loosen them.
GateOptions gate_options(const BaselineCommand& command, std::vector<std::string>& notes) {
  const StatisticsOptions said(Catalog::load(), command.common);
  const std::string margin = "statistics.margin_dice_points";
  GateOptions options;
  options.margin = command.margin ? *command.margin : said.number(margin);
  options.alpha = said.alpha();
  options.statistical = command.statistical;
  notes.push_back(fmt::format("margin {} Dice points ({}), alpha {} ({})",
                              options.margin,
                              command.margin ? "--margin" : said.origin(margin),
                              options.alpha,
                              said.origin_of_alpha()));
  return options;
}

ExitCode check(const BaselineCommand& command, const Chosen& chosen) {
  if (!command.common.test.empty() && command.common.test != "welch") {
    throw usage_error("the gate tests with Welch's test").with("--test", command.common.test);
  }
  if (!command.common.correction.empty() && command.common.correction != "holm") {
    throw usage_error("the gate corrects with Holm's method")
        .with("--correction", command.common.correction);
  }
  Baseline base = read_baseline(command.file);
  if (const std::string name = name_without_cell(command.plan, base.cells); !name.empty()) {
    std::set<std::string> known;
    for (const FrozenCell& each : base.cells) {
      known.insert({each.path.method, each.path.task});
    }
    const std::string nearest = nearest_match(name, {known.begin(), known.end()});
    Error error = usage_error("the baseline has no cell of a chosen method or task")
                      .with("name", name)
                      .with("file", command.file);
    throw nearest.empty() ? error : error.hint("did you mean " + nearest + "?");
  }
  std::erase_if(base.cells,
                [&](const FrozenCell& cell) { return !is_chosen(command.plan, cell.path); });
  std::vector<std::string> notes;
  const GateOptions options = gate_options(command, notes);
  const Baseline now =
      command.run ? run_missing(command, base, chosen) : stored_results(command, base, notes);
  GateReport report = check_baseline(base, now, options);
  report.notes = notes;
  report.base.name = command.file;
  report.now.name = command.common.database;
  emit(command.common, written(document_of(report), command.common.chosen_format()));
  if (!command.common.output.empty() && !command.common.quiet) {
    std::cerr << fmt::format("baseline check: {} (exit {}); the report is in {}\n",
                             to_string(report.verdict),
                             static_cast<int>(report.exit_code()),
                             command.common.output);
  }
  return report.exit_code();
}

void add_narrowing(CLI::App* sub, PlanOptions& options) {
  sub->add_option("-m,--method", options.methods, "only these methods")->delimiter(',');
  sub->add_option("-t,--task", options.tasks, "only these tasks")->delimiter(',');
}

void add_save(CLI::App* baseline, Chosen& chosen) {
  auto command = std::make_shared<BaselineCommand>();
  auto* sub = baseline->add_subcommand("save", "freeze stored results in a file: -o FILE");
  sub->add_option("experiment",
                  command->experiments,
                  "experiments whose cells are frozen (default: all that is stored)");
  add_narrowing(sub, command->plan);
  single(sub,
         "--protocol",
         command->protocol,
         "freeze what is stored of this protocol instead of the newest complete one");
  add_database(sub, command->common);
  add_common(sub, command->common, /*formats=*/false);
  on_chosen(
      sub, chosen, command, [](const BaselineCommand& each, const Chosen&) { return save(each); });
}

void add_check(CLI::App* baseline, Chosen& chosen) {
  auto command = std::make_shared<BaselineCommand>();
  command->plan.profile.clear();
  auto* sub = baseline->add_subcommand("check",
                                       "compare results with a baseline: exit 1 on a regression, 3 "
                                       "if trials failed, 4 if undecided");
  single(sub, "file", command->file, "what baseline save wrote")->required();
  auto* run = sub->add_flag("--run", command->run, "run what is missing first, with this program");
  single(sub,
         "--protocol",
         command->protocol,
         "compare what is stored of this protocol instead of the newest one")
      ->excludes(run);
  sub->add_flag("--statistical",
                command->statistical,
                "ask for a loss beyond the margin also where every bit should be equal");
  single(sub,
         "--margin",
         command->margin,
         "loss in Dice points that counts (default: statistics.margin_dice_points)")
      ->check([](const std::string& text) {
        double value = 0;
        const bool number = CLI::detail::lexical_cast(text, value);
        return number && value >= 0.001 && value <= 100
                   ? std::string()
                   : "a number from 0.001 to 100 is needed, not " + text;
      });
  add_narrowing(sub, command->plan);
  single(sub, "--format", command->common.format, "text, md (for a pull request), json, or junit")
      ->check(CLI::IsMember({"text", "md", "json", "junit"}))
      ->capture_default_str();
  auto* planning = sub->add_option_group("with --run");
  PlanOptions& plan = command->plan;
  single(planning, "--profile", plan.profile, "profile (default: the baseline's)");
  planning->add_option("--data", plan.data, "root of a data set, e.g. luna=DIR; may be repeated")
      ->type_name("SET=DIR");
  single(planning, "--seed", plan.seed, "seed of splits and trials");
  single(planning, "--device", plan.device, "cpu, cuda, or cuda:N");
  single(planning, "--precision", plan.precision, "fp32, tf32, bf16, or auto")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16", "auto"}));
  add_execution(planning, command->execution, command->common, command->plan.launcher);
  for (CLI::Option* each : planning->get_options()) {
    if (each->get_name() != "--force") {  // also of -o
      each->needs(run);  // without it they would say nothing about what is compared
    }
  }
  add_database(sub, command->common);
  add_common(sub, command->common, /*formats=*/false);
  on_chosen(sub, chosen, command, &check);
}

}  // namespace

void add_baseline(CLI::App& app, Chosen& chosen) {
  auto* baseline = app.add_subcommand(
      "baseline", "freeze results in a file, and check later ones against it (for CI)");
  baseline->require_subcommand(1);
  add_save(baseline, chosen);
  add_check(baseline, chosen);
}

}  // namespace sar::cli
