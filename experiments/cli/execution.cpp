#include "experiments/cli/execution.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/machine.h"

#include <algorithm>
#include <iostream>

namespace sar::cli {

/// The tables of Dice whose tests are kept up to date: those of all experiments, and of this one.
std::vector<TableSpec> all_tables(const Catalog& catalog, const Experiment* current) {
  std::vector<TableSpec> tables;
  const auto add = [&](const Experiment& experiment) {
    for (const Experiment* part : parts_of(experiment)) {
      if (part->kind == ExperimentKind::dice &&
          std::ranges::find(tables, part->id, &TableSpec::id) == tables.end()) {
        tables.push_back(part->table);
      }
    }
  };
  for (const auto& name : catalog.experiment_names()) {
    add(read_experiment(catalog.experiment_file(name), catalog));
  }
  if (current != nullptr) {
    add(*current);
  }
  return tables;
}

void report_failures(const RunReport& report) {
  for (const auto& failure : report.failures) {
    std::cerr << "failed: " << failure << '\n';
  }
  if (!report.failures.empty()) {
    std::cerr << "failed work is not tried again by itself; --only-failed does it\n";
  }
}

RunReport execute_plan(const Session& session,
                       const Plan& plan,
                       Store& store,
                       const std::vector<TableSpec>& tables,
                       const CommonOptions& common,
                       const ExecutionOptions& execution,
                       const std::string& command_line) {
  RunOptions options;
  const bool cuda = session.configuration().shared().text("compute.device").starts_with("cuda");
  options.jobs = execution.jobs > 0 ? execution.jobs : cuda ? 1 : usable_cores();
  options.fail_fast = execution.fail_fast;
  options.force = execution.force;
  options.retry_failed = execution.only_failed;
  options.limit = execution.limit;
  options.command = command_line;
  options.progress = common.progress_style();
  options.color = common.color_on(2);
  options.quiet = common.quiet;
  return execute(plan, store, session.catalog(), state_folder(common), tables, options);
}

void add_execution(CLI::App* app,
                   ExecutionOptions& options,
                   CommonOptions& common,
                   std::string& launcher) {
  app->add_flag(
         "--force",
         options.force,
         "compute again what is stored; let -o replace a file of another kind (an image, say)")
      ->each([&common](const std::string&) { common.force = true; });
  single(app, "-j,--jobs", options.jobs, "worker processes (default: cores; 1 on a GPU)")
      ->check(CLI::Range(1, 4096));
  single(app, "--launcher", launcher, "local: workers on this machine")
      ->check(CLI::IsMember({"local"}));
  single(app, "--limit", options.limit, "start at most N unfinished cells")
      ->check(CLI::Range(1, 1'000'000));
  auto* keep_going =
      app->add_flag("--keep-going", options.keep_going, "go on after a failed cell (default)");
  app->add_flag("--fail-fast", options.fail_fast, "stop at the first failed cell")
      ->excludes(keep_going);
  app->add_flag("--only-failed", options.only_failed, "try failed cells again");
}

double check_whole_path(const std::string& device) {
  const TemporaryFolder folder("sar-bench-doctor");
  CommonOptions common;
  common.database = (folder.path() / "doctor.sqlite").string();
  common.quiet = true;
  common.isolated = true;
  common.settings = {"phantom.side_voxels=32",
                     "phantom.luna_cases=1",
                     "phantom.brats_cases=3",
                     "phantom.pancreas_cases=2",
                     "network.base_channels=4",
                     "finetune.max_epochs=1"};
  PlanOptions options;
  options.experiment = "table2";
  options.profile = "smoke";
  options.methods = {"scratch"};
  options.tasks = {"pancreas"};
  options.trials = 1;
  options.device = device;
  Session session(common, options);
  const Plan plan = session.plan(session.manifest(false));
  Store store(common.database, Store::Mode::read_write);
  const RunReport report = execute_plan(session, plan, store, {}, common, {}, "sar-bench doctor");
  if (report.cells_done != 1) {
    throw internal_error("the phantom case did not get through")
        .with("reason", report.failures.empty() ? "interrupted" : report.failures.front());
  }
  return report.seconds;
}

}  // namespace sar::cli
