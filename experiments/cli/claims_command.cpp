#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"
#include "experiments/cli/statistics_options.h"
#include "experiments/cli/views.h"
#include "results/claims/claim_document.h"
#include "results/paper/cells.h"
#include "results/paper/claims.h"
#include "results/tables/controls.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <memory>

namespace sar::cli {
namespace {

struct ClaimsCommand {
  CommonOptions common;
  std::string source = "published";
  std::string paper = "sar2021";
  std::string protocol;
  bool strict = false;
};

ProtocolRow protocol_of(const Store& store, const Paper& paper, const std::string& named) {
  if (auto row = protocol_of_paper(store, paper, named)) {
    return *std::move(row);
  }
  throw Error(ExitCode::results_missing, "no finished trial of the paper's tables is stored")
      .with("paper", paper.id)
      .hint(
          "sar-bench run table2 makes some; without --source measured, the printed numbers are "
          "judged");
}

ClaimReport report_of(const ClaimsCommand& command) {
  const Catalog catalog = Catalog::load();
  const Paper paper = read_paper(catalog.paper_folder(command.paper));
  const std::vector<Claim> claims = read_claims(paper);
  if (claims.empty()) {
    throw not_found_error("the paper has no claims")
        .with("folder", (paper.folder / "claims").string())
        .hint("docs/claims.md says how to write them");
  }
  const ClaimOptions options = claim_options(catalog, command.common);
  if (command.source == "published") {
    return judge_claims(paper, claims, published_cells(paper), options);
  }
  const Store store = open_results(command.common);
  const ProtocolRow protocol = protocol_of(store, paper, command.protocol);
  const std::vector<TrialDice> trials = store.trial_dice(protocol.protocol);
  if (trials.empty()) {
    throw Error(ExitCode::results_missing, "no finished trial is stored under this protocol")
        .with("protocol", protocol.protocol);
  }
  const ClaimRuns runs = read_claim_runs(store, protocol);
  ClaimReport report =
      judge_claims(paper, claims, measured_cells(trials, protocol), options, &runs);
  const TableSpec controls = controls_of(catalog);
  report.controls = compare_controls(trials, controls, controls, options.test);
  return report;
}

ExitCode claims(const ClaimsCommand& command) {
  if (command.source == "published" && !command.protocol.empty()) {
    throw usage_error("--protocol names stored runs").hint("add --source measured");
  }
  const ClaimReport report = report_of(command);
  const CommonOptions& common = command.common;
  emit(common,
       written(document_of(report, common.verbose),
               common.chosen_format(),
               {common.color_on(1) && common.output.empty()}));
  if (!command.strict) {
    return ExitCode::ok;
  }
  const std::vector<std::string> fallen = fallen_claims(report);
  if (fallen.empty()) {
    return ExitCode::ok;
  }
  if (!common.quiet) {
    std::cerr << fmt::format(
        "--strict: {} of {} claims are unsupported or mixed, by themselves or "
        "after correction: {}\n",
        fallen.size(),
        report.claims.size(),
        fmt::join(fallen, ", "));
  }
  return ExitCode::gate_failed;
}

}  // namespace

void add_claims(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<ClaimsCommand>();
  auto* sub = app.add_subcommand("claims",
                                 "every sentence of a paper that claims something, with a verdict");
  single(sub, "--source", command->source, "judge by printed numbers or by stored runs")
      ->check(CLI::IsMember({"published", "measured"}))
      ->capture_default_str();
  single(sub, "--paper", command->paper, "name in experiments/papers, or a folder")
      ->type_name("NAME|DIR")
      ->capture_default_str();
  single(sub,
         "--protocol",
         command->protocol,
         "stored runs of this protocol instead of the newest complete one");
  sub->add_flag("--strict",
                command->strict,
                "exit 1 if a claim is unsupported or mixed, by itself or after correction; 4 for "
                "phantom runs");
  add_database(sub, command->common);
  add_common(sub, command->common);
  sub->remove_option(sub->get_option("--test"));
  single(sub,
         "--test",
         command->common.test,
         "test of comparisons: student, welch, or permutation (of stored trials)")
      ->check(CLI::IsMember({"student", "welch", "permutation"}));
  sub->get_option("--alpha")->description("level, also where a claim names its own");
  sub->get_option("--correction")
      ->description("correction over each claim's comparisons: none, holm (default), bh");
  on_chosen(
      sub, chosen, command, [](const ClaimsCommand& each, const Chosen&) { return claims(each); });
}

}  // namespace sar::cli
