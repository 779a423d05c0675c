#include "experiments/cli/commands.h"
#include "experiments/cli/statistics_options.h"
#include "experiments/cli/views.h"
#include "results/comparison/power_document.h"
#include "results/comparison/ttest_document.h"
#include "results/database/protocol_choice.h"

#include <fmt/format.h>

#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

namespace sar::cli {
namespace {

struct TTestCommand {
  CommonOptions common;
  std::string a, b;
  bool summary = false, values = false, paired = false;
  std::optional<double> correlation, test_train_ratio, margin;
  std::uint64_t seed = 0;
};

struct PowerCommand {
  CommonOptions common;
  ViewOptions view;
  std::string table = "table2";
  std::optional<double> effect, sd, power;
  int n = 5;
};

ExitCode ttest(const TTestCommand& command) {
  const Catalog catalog = Catalog::load();
  const StatisticsOptions said(catalog, command.common);
  const Reading reading = command.summary  ? Reading::summary
                          : command.values ? Reading::values
                                           : Reading::automatic;
  const Sample a = read_sample(command.a, reading);
  const Sample b = read_sample(command.b, reading);
  const std::string notice = reading_notice(a, b);
  if (!notice.empty() && !command.common.quiet) {
    std::cerr << "note: " << notice << '\n';
  }
  if (!command.common.correction.empty() && command.common.correction != "none" &&
      !command.common.quiet) {
    std::cerr << "note: one comparison is a family of one: nothing to correct\n";
  }
  TTestOptions options;
  options.test = said.test();
  options.alpha = said.alpha();
  options.power = said.number("statistics.power");
  options.correlation = command.correlation;
  options.test_train_ratio = command.test_train_ratio;
  options.margin = command.margin;
  options.paired_permutation = command.paired;
  options.seed = command.seed;
  const TTestReport report = ttest_report(a, b, options);
  emit(command.common, written(document_of(report), command.common.chosen_format()));
  return report.exit_code();
}

/// What trials cost in the user's database, or why that is unknown.
CostSource costs_of(const PowerCommand& command,
                    const Catalog& catalog,
                    const Store* store,
                    const std::optional<ProtocolRow>& protocol) {
  CostSource costs;
  if (protocol) {
    costs.trials = store->trial_costs(protocol->protocol);
    costs.data_kind = protocol->data_kind;
    costs.where = fmt::format("{}, protocol {}, profile {}, {} data",
                              command.common.database,
                              protocol->protocol.substr(0, 12),
                              protocol->profile,
                              protocol->data_kind);
  }
  if (costs.trials.empty()) {
    costs.data_kind.clear();
    costs.where =
        command.common.database +
        (store == nullptr ? " is not there" : " holds no finished trial of these methods");
    const std::vector<std::string> names = catalog.experiment_names();
    if (std::ranges::find(names, command.table) != names.end()) {
      costs.where += "; sar-bench run " + command.table + " --trials 1 times one trial of each";
    }
  }
  return costs;
}

ExitCode power(const PowerCommand& command) {
  const Catalog catalog = Catalog::load();
  const StatisticsOptions said(catalog, command.common);
  PowerOptions options;
  options.alpha = said.alpha();
  options.power = command.power.value_or(said.number("statistics.power"));
  if (!command.common.test.empty() && command.common.test != "student" && !command.common.quiet) {
    std::cerr << "note: power is that of Student's test\n";
  }
  const std::string format = command.common.chosen_format();
  if (command.effect || command.sd) {
    if (!command.effect || !command.sd) {
      throw usage_error("--effect D and --sd S go together: a difference and the SD of the trials");
    }
    emit(command.common,
         written(document_of(power_plan(*command.effect, *command.sd, command.n, options), options),
                 format));
    return ExitCode::ok;
  }
  const bool published = command.view.source == "published";
  std::optional<Store> store;
  if (!published || std::filesystem::exists(command.common.database)) {
    store.emplace(open_results(command.common));
  }
  std::optional<Paper> paper;
  TableSpec spec;
  std::optional<ProtocolRow> protocol;
  if (published) {
    paper = read_paper(catalog.paper_folder(command.view.paper));
    const PrintedTable* printed = paper->find(command.table);
    if (printed == nullptr) {
      std::string known;
      for (const PrintedTable& each : paper->tables) {
        known += " " + each.spec.id;
      }
      throw usage_error("the paper has no table of Dice of this name")
          .with("table", command.table)
          .with("paper", paper->id)
          .hint("it has:" + known);
    }
    spec = printed->spec;
    if (store) {
      protocol = newest_protocol(*store, spec);
    }
  } else {
    const Experiment experiment = read_experiment(catalog.experiment_file(command.table), catalog);
    if (experiment.kind != ExperimentKind::dice) {
      throw usage_error("only tables of Dice have comparisons").with("experiment", command.table);
    }
    spec = experiment.table;
    protocol = Viewer(catalog, command.common, command.view, &*store).protocol(experiment);
    if (!protocol) {
      throw Error(ExitCode::results_missing, "no finished trial of " + experiment.id + " is stored")
          .hint("sar-bench run " + command.table + " makes them");
    }
  }
  if (said.correction() != "none") {
    options.family = static_cast<int>((spec.rows.size() - 1) * spec.columns.size());
  }
  const CellSource source = published
                                ? published_cells(*paper)
                                : measured_cells(store->trial_dice(protocol->protocol), *protocol);
  const PowerReport report = power_report(
      spec, source, costs_of(command, catalog, store ? &*store : nullptr, protocol), options);
  emit(command.common, written(document_of(report), format));
  return ExitCode::ok;
}

}  // namespace

void add_ttest(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<TTestCommand>();
  auto* sub = app.add_subcommand("ttest",
                                 "test a difference of two samples, from mean, SD and n or from "
                                 "values");
  const std::string sample = "mean,sd,n, or a comma list or file of values";
  single(sub, "A", command->a, sample)->required();
  single(sub, "B", command->b, sample)->required();
  auto* summary = sub->add_flag(
      "--summary", command->summary, "comma lists are mean,sd,n (by default: where they can be)");
  sub->add_flag("--values", command->values, "comma lists are values, also three of them")
      ->excludes(summary);
  single(sub, "--correlation", command->correlation, "paired: of the pairs, given mean,sd,n")
      ->check(CLI::Range(-1.0, 1.0));
  single(sub,
         "--test-train-ratio",
         command->test_train_ratio,
         "corrected-cv: test cases over training cases, 0.25 for five folds");
  single(sub, "--margin", command->margin, "also test whether they are equivalent within ± this");
  sub->add_flag("--paired", command->paired, "permutation: of pairs, value i with value i");
  single(sub, "--seed", command->seed, "permutation: of the arrangements, where there are too many")
      ->capture_default_str();
  add_common(sub, command->common);
  sub->remove_option(sub->get_option("--test"));
  single(sub,
         "--test",
         command->common.test,
         "student, welch, paired, permutation, corrected-cv (default: statistics.test)")
      ->check(CLI::IsMember({"student", "welch", "paired", "permutation", "corrected-cv"}));
  on_chosen(
      sub, chosen, command, [](const TTestCommand& each, const Chosen&) { return ttest(each); });
}

void add_power(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<PowerCommand>();
  command->view.source = "published";
  auto* sub = app.add_subcommand("power",
                                 "trials needed per comparison, and the hours that they cost here");
  single(sub, "--table", command->table, "table whose rows are compared with its reference")
      ->capture_default_str();
  single(sub,
         "--source",
         command->view.source,
         "published: the paper's numbers; measured: stored runs. Hours are those of --db")
      ->check(CLI::IsMember({"measured", "published"}))
      ->capture_default_str();
  single(sub, "--paper", command->view.paper, "whose numbers are published: a name, or a folder")
      ->capture_default_str();
  single(sub, "--protocol", command->view.protocol, "of measured numbers (default: the newest)");
  single(sub, "--power", command->power, "power that counts as enough (default: statistics.power)")
      ->check(CLI::Range(0.5, 0.999));
  single(sub, "--effect", command->effect, "plan for this difference instead of a table's");
  single(sub, "--sd", command->sd, "with --effect: SD of the trials");
  single(sub, "-n,--n", command->n, "with --effect: trials per group")->capture_default_str();
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const PowerCommand& each, const Chosen&) { return power(each); });
}

}  // namespace sar::cli
