#pragma once

#include "experiments/cli/options.h"
#include "experiments/cli/session.h"
#include "experiments/runner.h"

#include <string>
#include <vector>

namespace sar::cli {

/// Flags of commands that execute a plan.
struct ExecutionOptions {
  int jobs = 0;   ///< 0: as many as cores, 1 on a GPU
  int limit = 0;  ///< 0: all cells
  bool keep_going = false, fail_fast = false, force = false, only_failed = false;
};
/// `launcher`: of the plan's options. Before `add_common`, whose --force is then this one.
void add_execution(CLI::App* app,
                   ExecutionOptions& options,
                   CommonOptions& common,
                   std::string& launcher);

/// Executes what is missing of a plan, as `run` does. `tables`: whose tests are renewed.
/// `command_line` is stored with each node.
RunReport execute_plan(const Session& session,
                       const Plan& plan,
                       Store& store,
                       const std::vector<TableSpec>& tables,
                       const CommonOptions& common,
                       const ExecutionOptions& options,
                       const std::string& command_line);

/// The tables of Dice whose tests are kept up to date: those of all experiments, and of this one.
std::vector<TableSpec> all_tables(const Catalog& catalog, const Experiment* current);

/// Says on standard error what failed.
void report_failures(const RunReport& report);

/// Takes one small phantom cell through the whole path (phantoms, preparation, training,
/// evaluation, database) in a folder that is removed afterwards; returns the seconds that it took.
/// Throws Error 70 with the reason if it fails.
double check_whole_path(const std::string& device);

}  // namespace sar::cli
