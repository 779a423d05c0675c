#include "experiments/schedule.h"

#include <algorithm>

namespace sar {
namespace {

/// Rough cost of a node relative to the others.
double weight_of(const std::string& kind) {
  if (kind == "pretrain") {
    return 20;
  }
  if (kind == "finetune") {
    return 8;
  }
  return kind == "evaluate" ? 2 : 3;
}

/// Nodes with the same text are taken to take equally long.
std::string likeness(const std::string& kind, const Json& inputs) {
  std::string text = kind;
  for (const char* field : {"method", "task", "dataset"}) {
    const auto found = inputs.find(field);
    text += '\n' + (found != inputs.end() ? found->dump() : std::string());
  }
  return text;
}

}  // namespace

ExpectedSeconds::ExpectedSeconds(const std::vector<NodeRow>& rows) {
  double seconds = 0;
  double weight = 0;
  for (const NodeRow& row : rows) {
    if (row.state != NodeState::done || row.seconds <= 0) {
      continue;
    }
    for (Mean* mean : {&alike_[likeness(row.kind, row.inputs)], &kinds_[row.kind]}) {
      mean->sum += row.seconds;
      ++mean->count;
    }
    seconds += row.seconds;
    weight += weight_of(row.kind);
  }
  if (weight > 0) {
    seconds_per_weight_ = seconds / weight;
  }
}

double ExpectedSeconds::of(const std::string& kind, const Json& inputs) const {
  for (const auto& [means, name] :
       {std::pair{&alike_, likeness(kind, inputs)}, std::pair{&kinds_, kind}}) {
    if (const auto found = means->find(name); found != means->end()) {
      return found->second.sum / found->second.count;
    }
  }
  return weight_of(kind) * seconds_per_weight_;
}

WorkQueue::WorkQueue(std::vector<WorkItem> items)
    : items_(std::move(items)),
      dependants_(items_.size()),
      unmet_(items_.size()),
      chain_(items_.size()) {
  for (std::size_t item = 0; item < items_.size(); ++item) {
    for (const std::size_t need : items_[item].needs) {
      dependants_[need].push_back(item);
      unmet_[item] += items_[need].state != WorkState::done ? 1U : 0U;
    }
  }
  for (std::size_t item = items_.size(); item-- > 0;) {
    if (items_[item].state == WorkState::waiting) {
      double behind = 0;
      for (const std::size_t dependant : dependants_[item]) {
        behind = std::max(behind, chain_[dependant]);
      }
      chain_[item] = items_[item].seconds + behind;
    }
  }
  for (std::size_t item = 0; item < items_.size(); ++item) {
    if (items_[item].state == WorkState::failed) {
      fail(item);
    } else {
      offer(item);
    }
  }
}

void WorkQueue::offer(std::size_t item) {
  if (items_[item].state == WorkState::waiting && unmet_[item] == 0) {
    ready_.emplace(-chain_[item], item);
  }
}

std::optional<std::size_t> WorkQueue::next(const std::set<std::size_t>& skip) const {
  for (const auto& [chain, item] : ready_) {
    if (!skip.contains(item)) {
      return item;
    }
  }
  return std::nullopt;
}

void WorkQueue::start(std::size_t item) {
  ready_.erase({-chain_[item], item});
  items_[item].state = WorkState::running;
}

void WorkQueue::put_back(std::size_t item) {
  items_[item].state = WorkState::waiting;
  offer(item);
}

void WorkQueue::finish(std::size_t item) {
  ready_.erase({-chain_[item], item});
  items_[item].state = WorkState::done;
  for (const std::size_t dependant : dependants_[item]) {
    --unmet_[dependant];
    offer(dependant);
  }
}

void WorkQueue::fail(std::size_t item) {
  ready_.erase({-chain_[item], item});
  items_[item].state = WorkState::failed;
  // Dependants come after what they need, so one pass in this order reaches all of them.
  std::set<std::size_t> reached(dependants_[item].begin(), dependants_[item].end());
  for (auto at = reached.begin(); at != reached.end(); ++at) {
    if (items_[*at].state != WorkState::waiting) {
      continue;
    }
    items_[*at].state = WorkState::failed;
    const auto because = std::ranges::find_if(items_[*at].needs, [&](std::size_t need) {
      return items_[need].state == WorkState::failed;
    });
    lost_.emplace_back(*at, *because);
    reached.insert(dependants_[*at].begin(), dependants_[*at].end());
  }
}

std::vector<std::pair<std::size_t, std::size_t>> WorkQueue::take_lost() {
  return std::exchange(lost_, {});
}

}  // namespace sar
