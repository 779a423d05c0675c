#pragma once

#include "experiments/catalog.h"
#include "experiments/configuration.h"
#include "experiments/experiment.h"
#include "experiments/jobs.h"
#include "experiments/manifest.h"
#include "results/database/store.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// One unit of work. Its key hashes `inputs`; `job` adds what the worker needs but results do not
/// depend on (paths).
struct PlannedNode {
  std::string key;
  std::string kind;   ///< cubes | survey | prepare | pretrain | finetune | evaluate
  std::string label;  ///< "fine-tune SAR on brats, trial 2"
  Json inputs;
  jobs::NodeJob job;
  std::vector<std::string> needs;  ///< keys of nodes that must be done before
  std::filesystem::path product;   ///< file that the node leaves
};

struct PlannedCell {
  CellRow row;
  std::string label;
};

/// What one experiment of a collection asks for.
struct PlanPart {
  std::string experiment;
  int cells = 0;
  int requested_nodes = 0;  ///< nodes if nothing were shared
  int nodes = 0;            ///< different nodes
  int added_nodes = 0;      ///< those that no experiment before it asked for
};

/// What to run: nodes so ordered that each comes after those that it needs, and the cells that they
/// make.
struct Plan {
  ProtocolRow protocol;
  std::vector<PlannedNode> nodes;
  std::vector<PlannedCell> cells;
  std::map<std::string, std::vector<std::string>>
      pretraining;                   ///< method to its pre-training nodes
  std::vector<std::string> targets;  ///< nodes that are wanted although no cell needs them
  std::vector<PlanPart> parts;       ///< one per selection
  int requested_nodes = 0;           ///< nodes if nothing were shared between cells
  bool provisional = false;          ///< the phantom suite is not written yet, so no key is final

  [[nodiscard]] const PlannedNode& node(const std::string& key) const;
};

/// What an experiment wants: cells, or pre-trainings, or counts of the data alone.
struct Selection {
  std::string experiment;
  ExperimentKind kind = ExperimentKind::dice;
  std::vector<std::string> methods, tasks, fractions;
  int trials = 5;
};

/// Selections that cover an experiment, one per part of a collection, with at most `trials` trials.
std::vector<Selection> selections_of(const Experiment& experiment, int trials);

/// Expands selections into one graph of work, in which each node is there once. Throws Error 66 for
/// a missing data set, 65 for a leak of test cases into pre-training or for too few cases.
Plan make_plan(const Catalog& catalog,
               const Configuration& configuration,
               const Manifest& manifest,
               const std::string& profile,
               const std::vector<Selection>& selections,
               const std::filesystem::path& work_folder);

}  // namespace sar
