#include "experiments/cli/commands.h"
#include "experiments/cli/execution.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "harness/core/files.h"
#include "harness/core/signals.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>

namespace sar::cli {
namespace {

struct RunCommand {
  CommonOptions common;
  PlanOptions plan;
  ExecutionOptions execution;
  bool dry = false;
  std::string cell;   ///< of `worker`
  bool next = false;  ///< of `worker`
};

std::string describe(const Plan& plan, const Session& session) {
  std::map<std::string, int> kinds;
  for (const auto& node : plan.nodes) {
    ++kinds[node.kind];
  }
  int asked_cells = 0;
  for (const auto& part : plan.parts) {
    asked_cells += part.cells;
  }
  std::string text =
      fmt::format("{}: {} cells, {} nodes of work ({} cells and {} nodes before sharing)\n",
                  session.experiment()->id,
                  plan.cells.size(),
                  plan.nodes.size(),
                  asked_cells,
                  plan.requested_nodes);
  if (plan.parts.size() > 1) {
    text += fmt::format("  {:<12}{:>7}{:>8}{:>8}\n", "part", "cells", "nodes", "new");
    for (const auto& part : plan.parts) {
      text += fmt::format(
          "  {:<12}{:>7}{:>8}{:>8}\n", part.experiment, part.cells, part.nodes, part.added_nodes);
    }
    text += "  new: nodes that no part above asked for; every node is run once\n";
  }
  for (const auto& [kind, count] : kinds) {
    text += fmt::format("  {:<9} {}\n", kind, count);
  }
  text += fmt::format(
      "profile {}, {} data, protocol {}\n",
      session.profile().name,
      plan.protocol.data_kind,
      plan.provisional ? "not known before the phantom suite is written" : plan.protocol.protocol);
  return text;
}

/// How an experiment is called on the command line: by name, or by its file if it is the user's.
std::string name_of(const Experiment& experiment, const Catalog& catalog) {
  const auto names = catalog.experiment_names();
  return std::ranges::find(names, experiment.id) != names.end() ? experiment.id
                                                                : experiment.file.string();
}

/// A cell of the experiment's first table that is done, as `explain` takes it; empty if none is.
std::string cell_to_explain(const Session& session, const Plan& plan, const Store& store) {
  for (const Experiment* part : parts_of(*session.experiment())) {
    if (part->kind != ExperimentKind::dice) {
      continue;
    }
    const TableColumn& column = part->table.columns.front();
    const auto cell = std::ranges::find_if(plan.cells, [&](const PlannedCell& each) {
      return each.row.task == column.task && each.row.fraction == column.fraction &&
             std::ranges::find(part->table.rows, each.row.method, &TableRow::method) !=
                 part->table.rows.end() &&
             is_done(store, plan.node(each.row.evaluate_node));
    });
    if (cell != plan.cells.end()) {
      return fmt::format("{}/{}/{}/{}/{}{}",
                         name_of(*part, session.catalog()),
                         cell->row.method,
                         column.task,
                         column.target,
                         column.bucket,
                         column.fraction == "1" ? "" : "/" + column.fraction);
    }
  }
  return {};
}

/// What was done, and at most five lines on where to look next; what failed comes first.
void say_where_to_look(const RunCommand& command,
                       const Chosen& chosen,
                       const Session& session,
                       const Plan& plan,
                       const Store& store,
                       const RunReport& report) {
  if (command.common.quiet) {
    return;
  }
  const auto line = [&](const std::string& what, const std::string& why) {
    return fmt::format("{} {} --db {}   {}", chosen.program, what, command.common.database, why);
  };
  std::vector<std::string> lines;
  if (report.nodes_failed > 0) {
    lines.push_back(line("status --once", "why work failed; `list runs` has every cell"));
    lines.emplace_back("the same command with --only-failed   tries failed work again");
  }
  lines.push_back(line("show " + command.plan.experiment, "again (--format md, latex, csv, json)"));
  lines.push_back(
      line("report", "all of it on one page, " + command.common.database + ".report/report.html"));
  const std::string cell = cell_to_explain(session, plan, store);
  if (!cell.empty()) {
    lines.push_back(line("explain " + cell, "from a number to its runs"));
  }
  for (const Experiment* part : parts_of(*session.experiment())) {
    if (part->kind == ExperimentKind::curves) {
      lines.push_back(line("curves " + name_of(*part, session.catalog()),
                           "the loss curves as CSV, JSON, SVG and PNG"));
    }
  }
  std::cerr << fmt::format("\n{} nodes run, {} stored before, {} failed; {}.\n",
                           report.nodes_run,
                           report.nodes_stored,
                           report.nodes_failed,
                           format_duration(report.seconds));
  constexpr std::size_t kMost = 5;
  for (std::size_t i = 0; i < std::min(kMost, lines.size()); ++i) {
    std::cerr << (i == 0 ? "Next: " : "      ") << lines[i] << '\n';
  }
}

/// How much of a plan is stored, per kind of work.
struct Kind {
  int done = 0, planned = 0;
  double seconds = 0;  ///< of those stored
  int measured = 0;
};
using Progressed = std::map<std::string, Kind>;

Progressed progress_of(const Plan& plan, const std::optional<Store>& store) {
  Progressed kinds;
  for (const auto& node : plan.nodes) {
    Kind& kind = kinds[node.kind];
    ++kind.planned;
    if (!store) {
      continue;
    }
    kind.done += is_done(*store, node) ? 1 : 0;
    if (const auto row = store->node(node.key); row && row->state == NodeState::done) {
      kind.seconds += row->seconds;
      ++kind.measured;
    }
  }
  return kinds;
}

std::string missing_work(const Progressed& progressed) {
  std::string text = "\n";
  double hours = 0;
  bool known = true;
  for (const auto& [name, kind] : progressed) {
    const int missing = kind.planned - kind.done;
    text += fmt::format("{:<9} {:4} done {:4} missing", name, kind.done, missing);
    if (kind.measured > 0) {
      text += fmt::format("   {} each, as measured", format_duration(kind.seconds / kind.measured));
      hours += missing * kind.seconds / kind.measured / 3600;
    } else if (missing > 0) {
      known = false;
    }
    text += '\n';
  }
  return text + (known ? fmt::format("about {:.2f} worker hours are missing\n", hours)
                       : "no estimate of time: not every kind of work has been run under this "
                         "protocol yet\n");
}

/// Keys are null as long as the phantom suite is not written, because they hash its files.
Json plan_json(const Plan& plan,
               const Session& session,
               const std::optional<Store>& store,
               const Progressed& progressed) {
  const auto final_key = [&](const std::string& key) {
    return plan.provisional ? Json() : Json(key);
  };
  Json json{{"schema_version", 1},
            {"experiment", session.experiment()->id},
            {"profile", session.profile().name},
            {"protocol", final_key(plan.protocol.protocol)},
            {"data_kind", plan.protocol.data_kind},
            {"nodes_before_sharing", plan.requested_nodes},
            {"parts", Json::array()},
            {"nodes", Json::object()},
            {"cells", Json::array()}};
  for (const auto& [name, kind] : progressed) {
    json["nodes"][name] = {{"done", kind.done}, {"planned", kind.planned}};
  }
  for (const auto& part : plan.parts) {
    json["parts"].push_back({{"experiment", part.experiment},
                             {"cells", part.cells},
                             {"nodes_before_sharing", part.requested_nodes},
                             {"nodes", part.nodes},
                             {"new_nodes", part.added_nodes}});
  }
  for (const auto& cell : plan.cells) {
    json["cells"].push_back(
        {{"cell_key", final_key(cell.row.cell_key)},
         {"method", cell.row.method},
         {"task", cell.row.task},
         {"fraction", cell.row.fraction},
         {"trial", cell.row.trial},
         {"done", store && is_done(*store, plan.node(cell.row.evaluate_node))}});
  }
  return json;
}

ExitCode show_plan(const RunCommand& command) {
  Session session(command.common, command.plan);
  const Plan plan = session.plan(session.manifest(true));
  for (const auto& key : session.unread_settings(plan)) {
    std::cerr << "warning: no planned cell reads " << key << '\n';
  }
  std::optional<Store> store;
  if (std::filesystem::exists(command.common.database)) {
    store.emplace(command.common.database, Store::Mode::read);
  }
  const Progressed progressed = progress_of(plan, store);
  emit(command.common,
       command.common.chosen_format() == "json"
           ? to_text(plan_json(plan, session, store, progressed))
           : describe(plan, session) + missing_work(progressed));
  return ExitCode::ok;
}

ExitCode run(const RunCommand& command, const Chosen& chosen) {
  if (command.dry) {
    return show_plan(command);
  }
  check_output(command.common);
  Session session(command.common, command.plan);
  check_format(*session.experiment(), command.common);
  const Plan plan = session.plan(session.manifest(false));
  for (const auto& key : session.unread_settings(plan)) {
    std::cerr << "warning: no planned cell reads " << key << '\n';
  }
  if (!command.common.quiet) {
    std::cerr << describe(plan, session);
  }
  catch_stop_signals();
  Store store(command.common.database, Store::Mode::read_write);
  const RunReport report = execute_plan(session,
                                        plan,
                                        store,
                                        all_tables(session.catalog(), session.experiment()),
                                        command.common,
                                        command.execution,
                                        chosen.command_line);
  ViewOptions view;
  view.protocol = plan.protocol.protocol;
  emit(command.common,
       Viewer(session.catalog(), command.common, view, &store).view(*session.experiment()).text);
  if (report.interrupted) {
    std::cerr << "interrupted; run the same command again to resume\n";
    return ExitCode::interrupted;
  }
  report_failures(report);
  say_where_to_look(command, chosen, session, plan, store, report);
  return report.nodes_failed > 0 ? ExitCode::cells_failed : ExitCode::ok;
}

ExitCode run_cell(const RunCommand& command, const Chosen& chosen) {
  if (command.cell.empty() && !command.next) {
    throw usage_error("worker needs a cell key or --next");
  }
  Session session(command.common, command.plan);
  Plan plan = session.plan(session.manifest(false));
  const std::vector<std::string> targets = std::exchange(plan.targets, {});
  Store store(command.common.database, Store::Mode::read_write);
  if (command.next) {
    std::erase_if(plan.cells, [&](const PlannedCell& cell) {
      const auto stored = store.node(cell.row.evaluate_node);
      const bool failed = stored && stored->state == NodeState::failed;
      return is_done(store, plan.node(cell.row.evaluate_node)) ||
             (failed && !command.execution.only_failed);
    });
    if (!plan.cells.empty()) {
      plan.cells.resize(1);
    } else {  // work that no cell needs comes last
      const auto open = std::ranges::find_if(targets, [&](const std::string& key) {
        const auto stored = store.node(key);
        return !is_done(store, plan.node(key)) &&
               (!stored || stored->state != NodeState::failed || command.execution.only_failed);
      });
      if (open != targets.end()) {
        plan.targets = {*open};
      }
    }
  } else {
    std::erase_if(plan.cells, [&](const PlannedCell& cell) {
      return !cell.row.cell_key.starts_with(command.cell);
    });
    if (plan.cells.size() != 1) {
      throw usage_error(plan.cells.empty() ? "no such cell in this plan"
                                           : "the cell key is not unique")
          .with("cell", command.cell)
          .hint("sar-bench plan EXPERIMENT --json lists the cells");
    }
  }
  if (plan.cells.empty() && plan.targets.empty()) {
    std::cerr << "nothing to do: all that is planned is stored\n";
    return ExitCode::ok;
  }
  catch_stop_signals();
  ExecutionOptions execution = command.execution;
  execution.jobs = 1;
  const RunReport report = execute_plan(session,
                                        plan,
                                        store,
                                        all_tables(session.catalog(), session.experiment()),
                                        command.common,
                                        execution,
                                        chosen.command_line);
  if (report.interrupted) {
    return ExitCode::interrupted;
  }
  report_failures(report);
  return report.nodes_failed > 0 ? ExitCode::cells_failed : ExitCode::ok;
}

}  // namespace

void add_run(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<RunCommand>();
  auto* sub =
      app.add_subcommand("run", "plan an experiment, execute what is missing, print its tables");
  add_planning(sub, command->plan);
  add_database(sub, command->common);
  add_execution(sub, command->execution, command->common, command->plan.launcher);
  sub->add_flag("-n,--dry-run", command->dry, "plan only");
  add_common(sub, command->common);
  on_chosen(sub, chosen, command, &run);
}

void add_plan(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<RunCommand>();
  auto* sub =
      app.add_subcommand("plan", "what an experiment needs: cells and work, done and missing");
  add_planning(sub, command->plan);
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const RunCommand& each, const Chosen&) { return show_plan(each); });
}

void add_worker(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<RunCommand>();
  auto* sub = app.add_subcommand("worker", "run one cell of an experiment (what launchers call)");
  auto* key = single(sub, "cell", command->cell, "cell key, or a unique beginning of it");
  sub->add_flag("--next", command->next, "the first cell that is not stored")->excludes(key);
  sub->add_option("-e,--experiment", command->plan.experiment, "experiment that plans the cell")
      ->default_val("table2");
  auto* hidden = sub->add_option_group("planning");
  PlanOptions& plan = command->plan;
  single(hidden, "--profile", plan.profile, "profile")->capture_default_str();
  hidden->add_option("--data", plan.data, "root of a data set, e.g. luna=DIR");
  single(hidden, "--seed", plan.seed, "seed of splits and trials");
  single(hidden, "--device", plan.device, "cpu, cuda, or cuda:N");
  single(hidden, "--precision", plan.precision, "fp32, tf32, bf16, or auto");
  add_database(sub, command->common);
  add_execution(sub, command->execution, command->common, command->plan.launcher);
  add_common(sub, command->common);
  on_chosen(sub, chosen, command, &run_cell);
}

}  // namespace sar::cli
