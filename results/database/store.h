#pragma once

#include "harness/core/json.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
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
};

/// One cell and the nodes that make it. `pretrain_node` is empty for Scratch.
struct CellRow {
  std::string cell_key;
  std::string protocol, method, task, fraction;
  int trial = 0;
  std::uint64_t seed = 0;
  std::string pretrain_node, finetune_node, evaluate_node;
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
  std::string state, reason, started, ended, host, device, data_kind, commit, torch, itk;
  bool dirty = false;
  int threads = 1;
  double peak_rss_mb = 0, peak_gpu_mb = 0, samples_per_s = 0;
};

/// A row of `v_case_dice`.
struct CaseRow {
  std::string method, task, fraction;
  int trial = 0;
  std::string case_id, target, bucket;
  double volume_mm3 = 0, dice = 0;
};

struct TableSpec;  // results/table.h

struct StoreOptions {
  std::chrono::milliseconds busy_timeout{60'000};  ///< how long to wait for other writers
  int page_limit = 0;  ///< most pages of 4 KiB that the file may grow to; 0: no limit
};

/// The database. Any number of processes may use one file: writes are short transactions that wait
/// for each other. One object is for one thread at a time. A member that throws leaves the file as
/// it was before: Error 74 naming the file and SQLite's reason (full disk, locked, read-only, not a
/// database, newer schema).
class Store {
 public:
  enum class Mode { read, read_write };
  /// Creates the file in read_write mode, migrates an older one after a backup beside it
  /// (`FILE.backup-v<N>`), refuses a newer one. In read mode an absent file is Error 66.
  Store(const std::filesystem::path& path, Mode mode, const StoreOptions& options = {});
  ~Store();
  Store(Store&&) noexcept;
  Store& operator=(Store&&) noexcept;

  void put_protocol(const ProtocolRow& row);  ///< keeps an existing row
  /// By key or by a unique prefix of it; Error 2 if several keys begin so.
  [[nodiscard]] std::optional<ProtocolRow> protocol(const std::string& key) const;
  /// Newest protocol under which every (method, task, fraction) of `spec` was planned and all
  /// trials planned for it are done; else the newest with any result for it; else none. Newest:
  /// with the evaluation that ended last, then the one stored last.
  [[nodiscard]] std::optional<ProtocolRow> newest_protocol(const TableSpec& spec) const;
  /// Newest protocol under which all these methods are pre-trained; else the newest with any of
  /// them; else none.
  [[nodiscard]] std::optional<ProtocolRow> newest_pretraining(
      const std::vector<std::string>& methods) const;
  /// Newest protocol under which the pre-training data are counted.
  [[nodiscard]] std::optional<ProtocolRow> newest_survey() const;
  /// The finished count of the pre-training data under a protocol.
  [[nodiscard]] std::optional<NodeRow> survey(const std::string& protocol) const;
  /// Trials per cell that were planned under a protocol for the cells of `spec`; 0 if none.
  [[nodiscard]] int planned_trials(const std::string& protocol, const TableSpec& spec) const;

  /// Inserts the node unless its key is stored already, in whatever state.
  void register_node(const NodeRow& row);
  /// Inserts or replaces. Results of a node count only while its state is done. A failed node that
  /// had begun (`started`) is a failed attempt and also stays in `failures`; one that never began
  /// was not run, because another one failed.
  void put_node(const NodeRow& row);
  /// Keeps a failed attempt at a stored node whose row stays as it is: a result was to be replaced.
  void add_failure(const NodeRow& row);
  [[nodiscard]] std::optional<NodeRow> node(const std::string& key) const;
  /// All work that the results of a protocol rest on, by key: the nodes of its cells, its
  /// pre-trainings and survey, and the cubes and preparations that these name in their inputs.
  [[nodiscard]] std::vector<NodeRow> nodes(const std::string& protocol) const;
  /// Failed attempts at nodes of all protocols, newest first.
  [[nodiscard]] std::vector<FailureRow> failures() const;
  /// Links the pre-training of a method to a protocol, so that `v_loss` can name it.
  void put_pretraining(const std::string& protocol,
                       const std::string& method,
                       const std::string& node);
  void put_cell(const CellRow& row);
  /// By key or by a unique prefix of it; Error 2 if several keys begin so.
  [[nodiscard]] std::optional<CellRow> cell(const std::string& cell_key) const;

  /// Rows of a running node; rows with the same step (epoch, name) are replaced, so a resumed stage
  /// may repeat.
  void put_rows(const std::string& node,
                const std::vector<StoredLoss>& losses,
                const std::vector<StoredMetric>& metrics);
  /// Marks the node done together with its results, in one transaction, which also renews the
  /// statistics of every protocol with a cell that uses it. Earlier results of the node are
  /// replaced. Throws Error 65 for a Dice or volume that is not finite or out of range.
  void finish_node(const NodeRow& row, const std::vector<StoredCaseDice>& dice);
  /// Recomputes cell means, SDs and t-tests of a protocol, in one transaction. `tables` (families
  /// of tests) are added to those that the protocol already has, replacing those of the same id;
  /// all are renewed by themselves whenever a trial is added later.
  void renew_statistics(const std::string& protocol, const std::vector<TableSpec>& tables);

  [[nodiscard]] std::vector<TrialDice> trial_dice(const std::string& protocol) const;
  /// Losses of all finished fine-tunings of a protocol with one label fraction, by task, method,
  /// trial, split and step. A loss that was no number is NaN.
  [[nodiscard]] std::vector<StoredCurveRow> finetuning_curves(const std::string& protocol,
                                                              const std::string& fraction) const;
  [[nodiscard]] std::vector<RunRow> runs(const std::string& protocol = {}) const;
  [[nodiscard]] std::vector<StoredCaseDice> case_dice(const std::string& evaluate_node) const;
  /// All test cases of a protocol with one label fraction, by task, target, method, trial and case.
  [[nodiscard]] std::vector<CaseRow> cases(const std::string& protocol,
                                           const std::string& fraction) const;

  /// Labelled cases that fine-tuning uses, for training and for validation, by task and fraction:
  /// mean over the trials that are planned. A case on both sides counts once.
  [[nodiscard]] std::map<std::pair<std::string, std::string>, double> labelled_cases(
      const std::string& protocol) const;

  /// SQLite's integrity and foreign-key checks plus our own (stored statistics equal recomputed
  /// ones, products present, failures kept); one line per fault.
  [[nodiscard]] std::vector<std::string> check() const;
  /// Runs one reading statement: {"columns": [names], "rows": [[values]]}; a blob is hexadecimal
  /// text. Throws Error 2 for a statement that writes or is not valid SQL, or for several.
  [[nodiscard]] Json query(const std::string& sql) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sar
