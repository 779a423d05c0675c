#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/statistics_options.h"
#include "experiments/cli/views.h"
#include "results/audit/audit.h"
#include "results/claims/claim_verdicts.h"
#include "results/comparison/verify_document.h"

#include <cmath>

namespace sar::cli {
namespace {

struct VerifyCommand {
  CommonOptions common;
  std::string paper = "sar2021", protocol;
  double margin = 0;  ///< Dice points; 0: as configured
  bool strict = false;
};

/// Test and correction have defaults of their own here; that of the correction is changed by its
/// flag alone.
VerifyOptions verify_options(const VerifyCommand& command,
                             const Catalog& catalog,
                             const ProtocolRow& protocol) {
  const StatisticsOptions said(catalog, command.common, &protocol);
  VerifyOptions options;
  options.margin =
      command.margin > 0 ? command.margin : said.number("statistics.margin_dice_points");
  options.power = said.number("statistics.power");
  options.alpha = said.alpha();
  options.test = said.test(options.test);
  options.correction = StatisticsOptions(command.common).correction(options.correction);
  return options;
}

ProtocolRow protocol_of(const VerifyCommand& command, const Store& store, const Paper& paper) {
  if (auto row = protocol_of_paper(store, paper, command.protocol)) {
    return *std::move(row);
  }
  throw Error(ExitCode::results_missing, "no finished trial of the paper's tables is stored")
      .with("database", command.common.database)
      .hint("sar-bench run all --profile paper makes them");
}

ExitCode run_verify(const VerifyCommand& command) {
  const Catalog catalog = Catalog::load();
  const Paper paper = read_paper(catalog.paper_folder(command.paper));
  const Store store = open_results(command.common);
  const ProtocolRow protocol = protocol_of(command, store, paper);
  std::vector<TrialDice> trials = store.trial_dice(protocol.protocol);
  if (trials.empty()) {
    throw Error(ExitCode::results_missing, "no finished trial under this protocol")
        .with("protocol", protocol.protocol);
  }
  const std::set<std::string> doubted = audit(paper, read_claims(paper)).doubted;
  Verification result = verify(paper,
                               measured_cells(std::move(trials), protocol),
                               doubted,
                               verify_options(command, catalog, protocol));
  result.profile = protocol.profile;
  emit(command.common, written(document_of(result), command.common.chosen_format()));
  return command.strict && result.count(Reproduction::different) > 0 ? ExitCode::gate_failed
                                                                     : ExitCode::ok;
}

}  // namespace

void add_verify(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<VerifyCommand>();
  auto* sub = app.add_subcommand(
      "verify", "are a paper's published numbers reproduced? A verdict per cell from stored runs");
  single(sub, "--paper", command->paper, "whose numbers are published: a name, or a folder")
      ->capture_default_str();
  single(sub,
         "--protocol",
         command->protocol,
         "verify with this protocol instead of the newest complete one");
  single(sub,
         "--margin",
         command->margin,
         "Dice points within which two means count as equal (default: "
         "statistics.margin_dice_points)")
      ->type_name("POINTS")
      ->check(CLI::Range(0.001, 100.0));
  sub->add_flag("--strict", command->strict, "exit 1 if a cell is different");
  add_database(sub, command->common);
  add_common(sub, command->common);
  sub->get_option("--test")->description(
      "test of each difference: welch (default here) or student");
  sub->get_option("--correction")
      ->description("correction over the tested cells of a table: holm (default here), bh, none");
  on_chosen(sub, chosen, command, [](const VerifyCommand& each, const Chosen&) {
    return run_verify(each);
  });
}

}  // namespace sar::cli
