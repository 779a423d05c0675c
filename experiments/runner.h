#pragma once

#include "experiments/catalog.h"
#include "experiments/plan.h"
#include "experiments/progress.h"
#include "results/database/store.h"

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sar {

struct RunOptions {
  int jobs = 1;               ///< worker processes
  bool fail_fast = false;     ///< stop at the first failed node
  bool force = false;         ///< compute the planned nodes again although they are stored
  bool retry_failed = false;  ///< compute nodes again that are stored as failed
  int limit = 0;              ///< start at most so many unfinished cells; 0: all
  std::string command;        ///< command line, stored with each node
  Progress::Style progress = Progress::Style::lines;
  bool color = false;
  bool quiet = false;
};

struct RunReport {
  int nodes_planned = 0, nodes_stored = 0, nodes_run = 0, nodes_failed = 0, nodes_not_reached = 0;
  int cells_done = 0, cells_failed = 0, cells_missing = 0;
  double seconds = 0;
  bool interrupted = false;
  std::vector<std::string> failures;  ///< one line per failed node
};

/// Executes what the store does not hold yet. Rows go to the store as they are made; a node's
/// product is complete when its row says done. Several runs may share a store: each node is guarded
/// by a lock file in `state_folder`, which goes with the database. `tables` are the experiments
/// whose tests are renewed when a trial is added.
RunReport execute(const Plan& plan,
                  Store& store,
                  const Catalog& catalog,
                  const std::filesystem::path& state_folder,
                  const std::vector<TableSpec>& tables,
                  const RunOptions& options);

/// True if the node is stored as done and what it left can still be used.
bool is_done(const Store& store, const PlannedNode& node);

}  // namespace sar
