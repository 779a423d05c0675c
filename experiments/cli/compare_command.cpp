#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/statistics_options.h"
#include "results/comparison/compare_document.h"

namespace sar::cli {
namespace {

struct CompareCommand {
  CommonOptions common;
  std::string base, next;
  std::string base_protocol, next_protocol;
};

ExitCode run_compare(const CompareCommand& command) {
  const StatisticsOptions said(Catalog::load(), command.common);
  CompareOptions options;
  options.test = said.test();
  options.correction = said.correction();
  options.alpha = said.alpha();
  const auto stored = [](const std::string& file, const std::string& protocol) {
    return stored_results(Store(file, Store::Mode::read), file, protocol);
  };
  const DatabaseComparison result = compare(stored(command.base, command.base_protocol),
                                            stored(command.next, command.next_protocol),
                                            options);
  emit(command.common, written(document_of(result), command.common.chosen_format()));
  return ExitCode::ok;
}

}  // namespace

void add_compare(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<CompareCommand>();
  auto* sub = app.add_subcommand(
      "compare",
      "two databases, cell by cell, with tests; what differs between them comes first. No gate: it "
      "exits 0 whatever it finds (baseline check is the gate)");
  single(sub, "base", command->base, "database to compare with")->required();
  single(sub, "new", command->next, "database that is compared; may be the same file")->required();
  single(sub,
         "--protocol-base",
         command->base_protocol,
         "protocol of the base instead of its newest complete one");
  single(sub,
         "--protocol-new",
         command->next_protocol,
         "protocol of the new one instead of its newest complete one");
  add_common(sub, command->common);
  sub->remove_option(sub->get_option("--test"));
  single(sub,
         "--test",
         command->common.test,
         "student, welch, or paired (trials of equal number and seed)")
      ->check(CLI::IsMember({"student", "welch", "paired"}));
  sub->get_option("--correction")->description("correction over the tested cells: none, holm, bh");
  on_chosen(sub, chosen, command, [](const CompareCommand& each, const Chosen&) {
    return run_compare(each);
  });
}

}  // namespace sar::cli
