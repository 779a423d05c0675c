#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "experiments/experiment.h"
#include "harness/core/json.h"
#include "results/database/store.h"
#include "results/paper/cells.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"
#include "results/text/words.h"

#include <fmt/format.h>

#include <cmath>
#include <iostream>
#include <memory>

namespace sar::cli {
namespace {

struct ShowCommand {
  CommonOptions common;
  ViewOptions view;
  std::string subject;  ///< an experiment, or a cell
};

/// `name`: as the user called the experiment.
Error no_results(const Experiment& experiment, const std::string& name) {
  return Error(ExitCode::results_missing, "no finished trial of " + experiment.id + " is stored")
      .hint("sar-bench run " + name + " makes them; sar-bench status shows what is running");
}

ExitCode show(const ShowCommand& command) {
  const Catalog catalog = Catalog::load();
  const Experiment experiment = read_experiment(catalog.experiment_file(command.subject), catalog);
  check_format(experiment, command.common);
  std::optional<Store> store;
  if (command.view.source == "measured" ||
      (command.view.source == "both" && std::filesystem::exists(command.common.database))) {
    store.emplace(open_results(command.common));
  }
  const Viewer viewer(catalog, command.common, command.view, store ? &*store : nullptr);
  const View view = viewer.view(experiment);
  if (!view.filled) {
    throw no_results(experiment, command.subject);
  }
  emit(command.common, view.text);
  return ExitCode::ok;
}

/// What a paper prints for a cell, with its test against the reference.
struct PublishedCell {
  std::string paper, reference;  ///< the paper's id; the method that is tested against
  Summary summary;
  std::optional<Summary> reference_summary;  ///< empty: the cell is the reference's own
  TTest student, welch;                      ///< of cell - reference
};

std::optional<PublishedCell> published_cell(const Paper& paper, const CellPath& path) {
  const CellSource source = published_cells(paper);
  const auto number = source.find(path);
  if (!number) {
    return std::nullopt;
  }
  PublishedCell cell{
      paper.id, paper.find(path.table)->spec.reference, number->summary, std::nullopt, {}, {}};
  CellPath reference = path;
  reference.method = cell.reference;
  if (const auto other = source.find(reference); other && !(reference == path)) {
    cell.reference_summary = other->summary;
    cell.student = student_test(cell.summary, other->summary);
    cell.welch = welch_test(cell.summary, other->summary);
  }
  return cell;
}

Json summary_json(const Summary& summary) {
  return {{"mean", summary.mean},
          {"sd", summary.sd ? Json(*summary.sd) : Json()},
          {"n", summary.n > 0 ? Json(summary.n) : Json()}};
}

Json published_json(const PublishedCell& cell) {
  Json result = summary_json(cell.summary);
  result["paper"] = cell.paper;
  result["versus"] = nullptr;
  if (cell.reference_summary) {
    const auto test = [](const TTest& each) {
      return each.testable
                 ? Json{{"t", each.t}, {"df", each.df}, {"p", each.p}, {"reason", nullptr}}
                 : Json{{"t", nullptr}, {"df", nullptr}, {"p", nullptr}, {"reason", each.reason}};
    };
    result["versus"] = {{"method", cell.reference},
                        {"published", summary_json(*cell.reference_summary)},
                        {"difference", cell.summary.mean - cell.reference_summary->mean},
                        {"student", test(cell.student)},
                        {"welch", test(cell.welch)}};
  }
  return result;
}

std::string summary_text(const Summary& summary) {
  return fmt::format("{:.2f}", summary.mean) +
         (summary.sd ? fmt::format(" ± {:.2f}", *summary.sd) : ", no SD") +
         (summary.n > 0 ? fmt::format(", n = {}", summary.n) : ", n not printed");
}

/// The printed numbers and their test, with the arithmetic.
std::string published_text(const PublishedCell& cell) {
  const Summary& a = cell.summary;
  std::string text = fmt::format("published in {}: {}\n", cell.paper, summary_text(a));
  if (!cell.reference_summary) {
    return text + "  it is the reference that other methods are tested against\n";
  }
  const Summary& b = *cell.reference_summary;
  const double difference = a.mean - b.mean;
  text += fmt::format(
      "  against {}: {}; difference {:+.2f}\n", cell.reference, summary_text(b), difference);
  if (!cell.student.testable) {
    return text + (a.sd && b.sd ? fmt::format("  no test: {}\n", cell.student.reason)
                                : "  no test: a spread is not printed\n");
  }
  const double variance = pooled_variance(*a.sd, a.n, *b.sd, b.n);
  text += fmt::format(
      "  pooled variance s2 = ({}·{:.2f}² + {}·{:.2f}²) / {} = {:.4f}\n"
      "  standard error sqrt(s2·(1/{} + 1/{})) = {:.4f}\n",
      a.n - 1,
      *a.sd,
      b.n - 1,
      *b.sd,
      a.n + b.n - 2,
      variance,
      a.n,
      b.n,
      std::sqrt(variance * (1.0 / a.n + 1.0 / b.n)));
  for (const TTest* test : {&cell.student, &cell.welch}) {
    text +=
        fmt::format("  {}: t = {:.4f}, df = {:g}, p = {} (two-sided, unpaired, not corrected)\n",
                    test == &cell.student ? "Student" : "Welch",
                    test->t,
                    test->df,
                    format_p(test->p));
  }
  return text;
}

/// Throws Error 2 for a method, table or column that does not exist.
Experiment experiment_of(const CellPath& path, const Catalog& catalog) {
  static_cast<void>(catalog.method(path.method));
  const Experiment experiment = read_experiment(catalog.experiment_file(path.table), catalog);
  if (experiment.kind != ExperimentKind::dice) {
    throw usage_error("only tables of Dice have cells to explain").with("experiment", path.table);
  }
  if (!find_column(experiment.table, path.table_column())) {
    std::string known;
    for (const auto& column : experiment.table.columns) {
      known += " " + column.task + "/" + column.target + "/" + column.bucket +
               (column.fraction == "1" ? "" : "/" + column.fraction);
    }
    throw usage_error("no such column in " + experiment.table.id)
        .with("cell", path.text())
        .hint("it has:" + known);
  }
  return experiment;
}

/// The finished trials of a cell, each with its nodes and cases.
Json trials_of(const CellPath& path, const Store& store, const std::string& protocol) {
  Json trials = Json::array();
  for (const auto& trial : store.trial_dice(protocol)) {
    if (trial.method != path.method || trial.task != path.task || trial.target != path.target ||
        trial.bucket != path.bucket || trial.fraction != path.fraction) {
      continue;
    }
    Json entry{{"trial", trial.trial}, {"dice", trial.dice}, {"cases", Json::array()}};
    for (const auto& run : store.runs(protocol)) {
      const auto& cell = run.cell;
      if (cell.method != path.method || cell.task != path.task || cell.fraction != path.fraction ||
          cell.trial != trial.trial) {
        continue;
      }
      entry["cell_key"] = cell.cell_key;
      entry["seed"] = cell.seed;
      entry["host"] = run.host;
      entry["device"] = run.device;
      entry["commit"] = commit_text(run.commit, run.dirty);
      entry["started"] = run.started;
      entry["ended"] = run.ended;
      for (const auto& [name, key] : {std::pair{"pretrain", cell.pretrain_node},
                                      std::pair{"finetune", cell.finetune_node},
                                      std::pair{"evaluate", cell.evaluate_node}}) {
        if (const auto node = store.node(key)) {
          entry[name] = {{"node", key},
                         {"path", node->path},
                         {"sha256", node->sha256},
                         {"seconds", node->seconds}};
          if (std::string(name) == "finetune") {
            entry["command"] = node->command;
            entry["training_cases"] = node->inputs.at("train");
            entry["validation_cases"] = node->inputs.at("validation");
          }
        }
      }
      for (const auto& dice : store.case_dice(cell.evaluate_node)) {
        // "average" is the mean over the targets.
        if ((path.target == "average" || dice.target == path.target) &&
            (path.bucket == "all" || dice.bucket == path.bucket)) {
          entry["cases"].push_back({{"case", dice.case_id},
                                    {"target", dice.target},
                                    {"bucket", dice.bucket},
                                    {"volume_mm3", dice.volume_mm3},
                                    {"dice", dice.dice}});
        }
      }
    }
    trials.push_back(std::move(entry));
  }
  return trials;
}

ExitCode explain(const ShowCommand& command) {
  const CellPath path = parse_cell_path(command.subject);
  const Catalog catalog = Catalog::load();
  const Paper paper = read_paper(catalog.paper_folder(command.view.paper));
  const auto published = published_cell(paper, path);
  // A table of the paper alone has no runs; anything else must be an experiment's cell.
  std::optional<Experiment> experiment;
  const auto names = catalog.experiment_names();
  if (!published || std::ranges::find(names, path.table) != names.end()) {
    experiment = experiment_of(path, catalog);
  }
  std::optional<ProtocolRow> stored;
  Json trials = Json::array();
  if (experiment && (!published || std::filesystem::exists(command.common.database))) {
    const Store store = open_results(command.common);
    stored = Viewer(catalog, command.common, command.view, &store).protocol(*experiment);
    if (stored) {
      trials = trials_of(path, store, stored->protocol);
    } else if (!published) {
      throw no_results(*experiment, path.table);
    }
  }
  if (trials.empty() && !published) {
    throw Error(ExitCode::results_missing, "no finished trial for this cell")
        .with("cell", command.subject)
        .with("protocol", stored->protocol);
  }
  if (command.common.chosen_format() == "json") {
    emit(command.common,
         to_text({{"schema_version", 1},
                  {"cell", command.subject},
                  {"protocol", stored ? Json(stored->protocol) : Json()},
                  {"data_kind", stored ? Json(stored->data_kind) : Json()},
                  {"published", published ? published_json(*published) : Json()},
                  {"trials", trials}}));
    return ExitCode::ok;
  }
  std::string text = command.subject;
  if (stored) {
    text += fmt::format("   protocol {}, profile {}, {} data",
                        stored->protocol,
                        stored->profile,
                        stored->data_kind);
  }
  text += "\n";
  if (published) {
    text += "\n" + published_text(*published);
  }
  if (trials.empty()) {
    text += "\nno finished trial of it is stored\n";
  }
  for (const Json& trial : trials) {
    text += fmt::format("\ntrial {}: {:.4f} Dice over {} cases   seed {}\n",
                        trial.at("trial").get<int>(),
                        trial.at("dice").get<double>(),
                        trial.at("cases").size(),
                        trial.value("seed", std::uint64_t{0}));
    text += fmt::format("  cell {}   {} on {}, {} to {}\n  commit {}\n",
                        trial.value("cell_key", ""),
                        trial.value("device", ""),
                        trial.value("host", ""),
                        trial.value("started", ""),
                        trial.value("ended", ""),
                        trial.value("commit", ""));
    text += fmt::format("  command {}\n", trial.value("command", ""));
    for (const char* name : {"pretrain", "finetune", "evaluate"}) {
      if (trial.contains(name)) {
        text += fmt::format("  {:<9} {}  sha256 {}...  {}\n",
                            name,
                            trial.at(name).at("path").get<std::string>(),
                            trial.at(name).at("sha256").get<std::string>().substr(0, 12),
                            format_duration(trial.at(name).at("seconds")));
      }
    }
    text += fmt::format("  trained on {} cases, validated on {}\n",
                        trial.value("training_cases", Json::array()).size(),
                        trial.value("validation_cases", Json::array()).size());
    for (const Json& each : trial.at("cases")) {
      text += fmt::format("    {:<28} {:<6} {:<3} {:>10.0f} mm3  {:7.3f}\n",
                          each.at("case").get<std::string>(),
                          each.at("target").get<std::string>(),
                          each.at("bucket").get<std::string>(),
                          each.at("volume_mm3").get<double>(),
                          each.at("dice").get<double>());
    }
  }
  emit(command.common, text);
  return ExitCode::ok;
}

}  // namespace

void add_show(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<ShowCommand>();
  auto* sub = app.add_subcommand("show", "a table, from stored runs or as published");
  single(sub,
         "experiment",
         command->subject,
         "table1 to table4, fig3, proxy, all, or an experiment file of your own")
      ->required();
  single(sub,
         "--source",
         command->view.source,
         "measured: stored runs; published: the paper's numbers")
      ->check(CLI::IsMember({"measured", "published", "both"}))
      ->capture_default_str();
  single(sub, "--paper", command->view.paper, "whose numbers are published: a name, or a folder")
      ->capture_default_str();
  single(sub,
         "--protocol",
         command->view.protocol,
         "show this protocol instead of the newest complete one");
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const ShowCommand& each, const Chosen&) { return show(each); });
}

void add_explain(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<ShowCommand>();
  auto* sub = app.add_subcommand("explain",
                                 "from a printed number to its trials, cases, weights, splits, "
                                 "commit and command; what a paper "
                                 "prints for it, tested against the reference");
  single(sub, "cell", command->subject, "TABLE/METHOD/TASK/TARGET/BUCKET[/FRACTION]")->required();
  single(sub, "--paper", command->view.paper, "whose numbers are published: a name, or a folder")
      ->capture_default_str();
  single(sub, "--protocol", command->view.protocol, "explain under this protocol");
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const ShowCommand& each, const Chosen&) { return explain(each); });
}

}  // namespace sar::cli
