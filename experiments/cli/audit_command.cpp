#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/statistics_options.h"
#include "results/audit/audit_document.h"
#include "results/claims/claim_verdicts.h"
#include "results/paper/paper.h"

#include <filesystem>
#include <iostream>

namespace sar::cli {
namespace {

struct AuditCommand {
  CommonOptions common;
  std::string paper = "sar2021";
  bool strict = false;
};

ExitCode run_audit(const AuditCommand& command) {
  if (!command.common.quiet &&
      (!command.common.test.empty() || !command.common.correction.empty())) {
    std::cerr << "note: audit always shows Student and Welch, Holm and BH; --test and --correction "
                 "change nothing\n";
  }
  const std::filesystem::path given = command.paper;
  const bool path = command.paper.find('/') != std::string::npos || given == "." || given == "..";
  const Paper paper = read_paper(path ? std::filesystem::absolute(given).lexically_normal()
                                      : Catalog::load().paper_folder(command.paper));
  AuditOptions options;
  options.alpha = StatisticsOptions(command.common).alpha();
  options.alpha_given = command.common.alpha_given;
  const Audit result = audit(paper, read_claims(paper), options);
  emit(command.common,
       written(document_of(result), command.common.chosen_format(), {command.common.color_on(1)}));
  const bool gate =
      command.strict && result.count(Severity::inconsistent) + result.count(Severity::error) > 0;
  return gate ? ExitCode::gate_failed : ExitCode::ok;
}

}  // namespace

void add_audit(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<AuditCommand>();
  auto* sub = app.add_subcommand("audit", "do a paper's printed numbers hold together?");
  single(sub, "paper", command->paper, "a name in experiments/papers, or a folder, e.g. ./mypaper")
      ->capture_default_str();
  sub->add_flag("--strict", command->strict, "exit 1 if a finding is more than a note");
  add_common(sub, command->common);
  for (const char* option : {"--test", "--correction"}) {
    sub->get_option(option)->description(
        "changes nothing here: Student and Welch, Holm and BH are all shown");
  }
  on_chosen(sub, chosen, command, [](const AuditCommand& each, const Chosen&) {
    return run_audit(each);
  });
}

}  // namespace sar::cli
