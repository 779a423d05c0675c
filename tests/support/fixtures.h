#pragma once

#include "harness/core/files.h"
#include "results/database/store.h"
#include "results/database/table_spec.h"

#include <string>
#include <vector>

namespace sar::test {

inline ProtocolRow protocol_row(const std::string& key, const std::string& data_kind = "phantom") {
  return {key, data_kind, "quick", {{"shared", {{"network.base", 8}}}}, {{"brats", 12}}, false};
}

inline std::string cell_key(const std::string& protocol,
                            const std::string& method,
                            const std::string& task,
                            const std::string& fraction,
                            int trial) {
  return protocol + "/" + method + "/" + task + "/" + fraction + "/" + std::to_string(trial);
}

/// The cell of a trial; its node keys follow from its name.
inline CellRow cell_row(const std::string& protocol,
                        const std::string& method,
                        const std::string& task,
                        int trial,
                        const std::string& fraction = "1") {
  CellRow cell;
  cell.cell_key = cell_key(protocol, method, task, fraction, trial);
  cell.protocol = protocol;
  cell.method = method;
  cell.task = task;
  cell.fraction = fraction;
  cell.trial = trial;
  cell.seed = 1000 + static_cast<std::uint64_t>(trial);
  cell.pretrain_node = method == "scratch" ? "" : "pretrain-" + protocol + method;
  cell.finetune_node = "finetune-" + cell.cell_key;
  cell.evaluate_node = "evaluate-" + cell.cell_key;
  return cell;
}

inline NodeRow node_row(const std::string& key, const std::string& kind, NodeState state) {
  NodeRow node;
  node.key = key;
  node.kind = kind;
  node.inputs = {{"kind", kind}};
  node.state = state;
  node.started = "2024-05-01T10:00:00Z";
  node.ended = state == NodeState::done ? "2024-05-01T11:00:00Z" : "";
  node.host = "node1";
  node.device = "cpu";
  node.commit = "abc123";
  node.torch = "1.13.1";
  node.samples_per_s = 12.5;
  return node;
}

/// One case with volumes and voxel counts that give exactly this Dice.
inline StoredCaseDice case_row(const std::string& id,
                               const std::string& target,
                               const std::string& bucket,
                               double dice,
                               std::int64_t voxels = 1000) {
  const auto both = static_cast<std::int64_t>(dice / 100 * static_cast<double>(voxels));
  return {id, target, bucket, static_cast<double>(voxels), dice, both, voxels, voxels};
}

/// Stores a cell with all its nodes done.
inline CellRow put_done_cell(Store& store,
                             const CellRow& cell,
                             const std::vector<StoredCaseDice>& dice,
                             const std::string& ended = "2024-05-01T11:00:00Z") {
  if (!cell.pretrain_node.empty()) {
    store.put_node(node_row(cell.pretrain_node, "pretrain", NodeState::done));
  }
  store.put_node(node_row(cell.finetune_node, "finetune", NodeState::done));
  store.put_cell(cell);
  NodeRow evaluate = node_row(cell.evaluate_node, "evaluate", NodeState::done);
  evaluate.ended = ended;
  store.finish_node(evaluate, dice);
  return cell;
}

/// A brats trial of six cases, two a bucket, spread about `dice`.
inline std::vector<StoredCaseDice> brats_cases(double dice) {
  return {case_row("c1", "tumor", "S", dice - 6, 100),
          case_row("c2", "tumor", "S", dice - 4, 200),
          case_row("c3", "tumor", "M", dice, 400),
          case_row("c4", "tumor", "M", dice + 1, 500),
          case_row("c5", "tumor", "L", dice + 3, 900),
          case_row("c6", "tumor", "L", dice + 6, 1000)};
}

inline std::vector<StoredCaseDice> pancreas_cases(double organ, double tumor) {
  return {case_row("p1", "organ", "all", organ - 1),
          case_row("p1", "tumor", "all", tumor - 2),
          case_row("p2", "organ", "all", organ + 1),
          case_row("p2", "tumor", "all", tumor + 2)};
}

/// Scratch, Genesis and SAR over brats and pancreas, in the paper's layout.
inline TableSpec small_spec(int trials) {
  TableSpec spec;
  spec.id = "table2";
  spec.title = "Comparison with state-of-the-art methods";
  spec.trials = trials;
  spec.rows = {{"scratch", "Scratch"}, {"genesis", "Genesis"}, {"sar", "SAR"}};
  for (const char* bucket : {"S", "M", "L", "all"}) {
    spec.columns.push_back(
        {"Task 1. BraTS2018", std::string("Tumor") + bucket, "brats", "tumor", bucket, "1"});
  }
  spec.columns.push_back({"Task 2. MSD(Pancreas)", "Organ", "pancreas", "organ", "all", "1"});
  spec.columns.push_back({"Task 2. MSD(Pancreas)", "Tumor", "pancreas", "tumor", "all", "1"});
  return spec;
}

}  // namespace sar::test
