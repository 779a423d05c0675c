#pragma once

// What the database keeps and its views show, row by row.

#include "harness/core/json.h"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// A resolved set-up under which results may be compared (product contract, section 4).
struct ProtocolRow {
  std::string protocol;   ///< content key
  std::string data_kind;  ///< phantom | real
  std::string profile;
  Json settings;             ///< {"shared": {key: value}, "methods": {id: {key: value}}}
  Json manifest;             ///< data sets, roots, counts and digest
  bool pool_voxels = false;  ///< `evaluate.pool`: trial Dice from pooled voxels
};

/// The shared keys of a protocol's settings. Throws Error 65 if the settings are not as above.
const Json& shared_settings(const ProtocolRow& protocol);

enum class NodeState { pending, running, done, failed };
std::string to_string(NodeState state);
/// Throws Error 70 for any other name.
NodeState node_state(const std::string& name);

/// One unit of work: cubes, survey, prepare, pretrain, finetune, evaluate.
struct NodeRow {
  std::string key;  ///< content key
  std::string kind;
  Json inputs;  ///< what was hashed
  NodeState state = NodeState::pending;
  std::string reason;          ///< why it failed
  std::string started, ended;  ///< UTC, ISO 8601
  double seconds = 0;          ///< over all resumes
  std::string path;            ///< the node's product, absolute
  std::string sha256;          ///< of that product
  std::string host, device;
  int threads = 1;
  std::string commit;
  bool dirty = false;
  std::string torch, itk;
  std::string determinism;  ///< "bit-exact" or why not
  double peak_rss_mb = 0, peak_gpu_mb = 0, samples_per_s = 0;
  std::string command;  ///< command line that ran it
  /// Processor and C library, as `machine_description()` says it; empty before schema 3.
  std::string machine;
  /// What a training was given; empty for other work, and before schema 5.
  std::optional<std::int64_t> cubes;           ///< that a pre-training learns from
  std::optional<std::int64_t> steps, samples;  ///< optimiser steps, and cubes or patches in them
  std::optional<double> flops;                 ///< of the steps' convolutions and matrix products
};

/// Keys of the nodes that a node's inputs name.
std::vector<std::string> named_nodes(const Json& inputs);

/// One cell and the nodes that make it. `pretrain_node` is empty for Scratch.
struct CellRow {
  std::string cell_key;
  std::string protocol, method, task, fraction;
  int trial = 0;
  std::uint64_t seed = 0;
  std::string pretrain_node, finetune_node, evaluate_node;
};

/// How far a planned trial is, for choosing a protocol.
struct CellState {
  std::string protocol;
  std::int64_t protocol_row = 0;  ///< higher for a protocol that was stored later
  std::string method, task, fraction;
  std::string state;  ///< of `v_run`: pending, running, done, failed
  /// Its evaluation is done. Its results count even if work before it was repeated since and is
  /// not done.
  bool evaluated = false;
  std::string started, ended;  ///< of `v_run`; UTC, ISO 8601, empty if it has not
};

/// A finished pre-training of a method under a protocol.
struct PretrainingState {
  std::string protocol, method, ended;
};

/// A finished count of the data under a protocol.
struct SurveyState {
  std::string protocol, ended;
};

/// An attempt at a node that failed by its own fault; kept when the node is run again.
struct FailureRow {
  std::string node, kind;
  int attempt = 1;  ///< counts the failures of this node
  std::string reason, ended, host, device, commit;
  bool dirty = false;
  double seconds = 0;       ///< of this attempt
  bool done_since = false;  ///< the node was completed no earlier than `ended`
};

/// As in harness/nn/training.h, which this folder may not include.
struct StoredLoss {
  std::int64_t step = 0;
  int epoch = 0;
  std::string split;
  double loss = 0, learning_rate = 0, seconds = 0;
};
/// A loss of one trial's fine-tuning.
struct StoredCurveRow {
  std::string method, task;
  int trial = 0;
  StoredLoss loss;
};
struct StoredMetric {
  int epoch = 0;
  std::string split, name;
  double value = 0;
  std::optional<double> chance;
};
/// A metric of a pre-training at the epoch whose weights are kept.
struct KeptMetric {
  std::string node, name, split;
  int epoch = 0;
  std::optional<double> value, chance;
};

struct StoredCaseDice {
  std::string case_id, target, bucket;  ///< bucket S, M, L, or all
  double volume_mm3 = 0;                ///< ground-truth volume of the target
  double dice = 0;                      ///< percent
  std::int64_t voxels_both = 0, voxels_predicted = 0, voxels_true = 0;
};

/// Rows of the stable views that programs of ours read back. Beside the stored targets, a task with
/// several has the target "average": their mean, bucket all.
struct TrialDice {
  std::string method, task, fraction, target, bucket;
  int trial = 0;
  int cases = 0;
  double dice = 0;
  std::string evaluation;  ///< node that it comes from; trials with equal cases share it
};
struct RunRow {
  CellRow cell;
  std::string state, reason, started, ended, host, device, data_kind, commit;
  bool dirty = false;
};

/// What one trial of a method costs: fine-tuning and evaluation, mean over the stored trials.
/// Pre-training is not in it, as all trials share it.
struct TrialCost {
  std::string method, task, fraction;
  int trials = 0;      ///< that the mean is over
  double seconds = 0;  ///< one trial
};

/// A row of `v_budget`: what the trainings behind a method's trials were given, mean over its
/// stored trials. Empty: no pre-training, or written before schema 5.
struct Budget {
  std::string method, task, fraction;
  int trials = 0;
  std::optional<double> cubes, pretraining_steps, pretraining_flops, pretraining_hours;
  std::optional<double> finetuning_steps, finetuning_flops, finetuning_hours;
};

/// Inputs of the fine-tuning of a trial, which name its cases. All methods of a trial use the same:
/// that of its first cell stands for all.
struct TrialInputs {
  std::string task, fraction;
  Json inputs;
  std::int64_t first_cell = 0;  ///< place among all cells
};

/// A row of `v_case_dice`.
struct CaseRow {
  std::string method, task, fraction;
  int trial = 0;
  std::string case_id, target, bucket;
  double volume_mm3 = 0, dice = 0;
};

}  // namespace sar
