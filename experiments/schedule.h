#pragma once

#include "harness/core/json.h"
#include "results/database/store.h"

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// How long a node is expected to take: as long as finished ones like it did, else a rough weight.
class ExpectedSeconds {
 public:
  /// From nodes of the same protocol, of which those that are done count.
  explicit ExpectedSeconds(const std::vector<NodeRow>& rows);

  /// Mean seconds of finished nodes of the kind with the same method, task and data set in their
  /// inputs, else of the kind; else the kind's weight, in seconds as far as other kinds tell how
  /// long a unit of weight takes.
  [[nodiscard]] double of(const std::string& kind, const Json& inputs) const;

 private:
  struct Mean {
    double sum = 0;
    int count = 0;
  };
  std::map<std::string, Mean> alike_, kinds_;
  double seconds_per_weight_ = 1;
};

enum class WorkState {
  idle,  ///< not asked for
  waiting,
  running,
  done,
  failed,
};

struct WorkItem {
  std::vector<std::size_t> needs;  ///< positions of items before this one
  double seconds = 0;              ///< expected
  WorkState state = WorkState::waiting;
};

/// Which work can start, and what is worth starting first: the item with the longest chain of work
/// behind it (its own seconds included), so that all workers end together. Items are called by
/// position.
class WorkQueue {
 public:
  /// Work that waits for a failed item is failed from the start; `take_lost()` has it.
  explicit WorkQueue(std::vector<WorkItem> items);

  [[nodiscard]] WorkState state(std::size_t item) const { return items_[item].state; }
  [[nodiscard]] double seconds(std::size_t item) const { return items_[item].seconds; }
  /// The waiting item that comes next, but none of `skip`; nothing if none can start.
  [[nodiscard]] std::optional<std::size_t> next(const std::set<std::size_t>& skip = {}) const;

  void start(std::size_t item);
  void put_back(std::size_t item);  ///< running work that was interrupted waits again
  /// What only waited for it can start.
  void finish(std::size_t item);
  /// What waits for it, directly or not, can never run: it fails too.
  void fail(std::size_t item);
  /// Items that failed because another one did, with that one, since the last call; each after
  /// those that it needs.
  std::vector<std::pair<std::size_t, std::size_t>> take_lost();

 private:
  void offer(std::size_t item);

  std::vector<WorkItem> items_;
  std::vector<std::vector<std::size_t>> dependants_;
  std::vector<std::size_t> unmet_;  ///< needs that are not done
  std::vector<double> chain_;       ///< seconds of the longest chain that begins with the item
  std::set<std::pair<double, std::size_t>> ready_;  ///< by falling chain, then position
  std::vector<std::pair<std::size_t, std::size_t>> lost_;
};

}  // namespace sar
