#pragma once

#include "experiments/cli/options.h"
#include "harness/core/error.h"

#include <functional>
#include <memory>
#include <string>

namespace sar::cli {

/// What main needs from the command that was chosen.
struct Chosen {
  std::function<ExitCode()> run;
  std::string command_line;  ///< as typed, stored with each node
  std::string program;       ///< how the user calls this program, for hints
};

/// Sets what a sub-command does: `run(command, chosen)` under the log file that its flags name.
template <class Command, class Function>
void on_chosen(CLI::App* sub, Chosen& chosen, std::shared_ptr<Command> command, Function run) {
  sub->callback([=, &chosen] {
    chosen.run = [=, &chosen] {
      const ErrorLog log(command->common.log_file);
      check_settings(command->common);
      return run(*command, chosen);
    };
  });
}

void add_run(CLI::App& app, Chosen& chosen);
void add_plan(CLI::App& app, Chosen& chosen);
void add_worker(CLI::App& app, Chosen& chosen);
void add_status(CLI::App& app, Chosen& chosen);
void add_show(CLI::App& app, Chosen& chosen);
void add_curves(CLI::App& app, Chosen& chosen);
void add_report(CLI::App& app, Chosen& chosen);
void add_audit(CLI::App& app, Chosen& chosen);
void add_verify(CLI::App& app, Chosen& chosen);
void add_compare(CLI::App& app, Chosen& chosen);
void add_claims(CLI::App& app, Chosen& chosen);
void add_explain(CLI::App& app, Chosen& chosen);
void add_data(CLI::App& app, Chosen& chosen);
void add_list(CLI::App& app, Chosen& chosen);
void add_config(CLI::App& app, Chosen& chosen);
void add_db(CLI::App& app, Chosen& chosen);
void add_ttest(CLI::App& app, Chosen& chosen);
void add_power(CLI::App& app, Chosen& chosen);
void add_doctor(CLI::App& app, Chosen& chosen);
void add_completion(CLI::App& app, Chosen& chosen);
void add_baseline(CLI::App& app, Chosen& chosen);

}  // namespace sar::cli
