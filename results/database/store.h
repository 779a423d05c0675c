#pragma once

#include "harness/core/json.h"
#include "results/database/rows.h"
#include "results/database/table_spec.h"

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sar {

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
  /// Keys of all, oldest first.
  [[nodiscard]] std::vector<std::string> protocols() const;
  /// Of all planned trials of all protocols, in the order in which they were planned.
  [[nodiscard]] std::vector<CellState> cell_states() const;
  /// Of all protocols.
  [[nodiscard]] std::vector<PretrainingState> pretrainings() const;
  /// Of all protocols, in the order in which they were planned.
  [[nodiscard]] std::vector<SurveyState> surveys() const;
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
  /// Metrics of the finished pre-trainings of a method under a protocol, by name, node and split.
  [[nodiscard]] std::vector<KeptMetric> kept_metrics(const std::string& protocol,
                                                     const std::string& method) const;
  [[nodiscard]] std::vector<NodeRow> failed_pretrainings(const std::string& protocol,
                                                         const std::string& method) const;
  void put_cell(const CellRow& row);

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
  /// trial, split and step. A loss that was not a number is NaN.
  [[nodiscard]] std::vector<StoredCurveRow> finetuning_curves(const std::string& protocol,
                                                              const std::string& fraction) const;
  [[nodiscard]] std::vector<RunRow> runs(const std::string& protocol = {}) const;
  /// Of each method, task and fraction with a finished trial.
  [[nodiscard]] std::vector<TrialCost> trial_costs(const std::string& protocol) const;
  /// What the trainings behind them were given.
  [[nodiscard]] std::vector<Budget> budgets(const std::string& protocol) const;
  [[nodiscard]] std::vector<StoredCaseDice> case_dice(const std::string& evaluate_node) const;
  /// All test cases of a protocol with one label fraction, by task, target, method, trial and case.
  [[nodiscard]] std::vector<CaseRow> cases(const std::string& protocol,
                                           const std::string& fraction) const;

  /// Of each planned trial of each task and fraction.
  [[nodiscard]] std::vector<TrialInputs> trial_inputs(const std::string& protocol) const;

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
