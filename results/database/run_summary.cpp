#include "results/database/run_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace sar {
namespace {

constexpr std::array<const char*, 6> kWorkKinds = {
    "cubes", "survey", "prepare", "pretrain", "finetune", "evaluate"};

constexpr double kSecondsPerHour = 3600;

/// Adds `value` to an ascending list unless it is there already.
template <class Value>
void add_distinct(std::vector<Value>& list, const Value& value) {
  const auto place = std::ranges::lower_bound(list, value);
  if (place == list.end() || *place != value) {
    list.insert(place, value);
  }
}

void add_known(std::vector<std::string>& list, const std::string& value) {
  if (!value.empty()) {
    add_distinct(list, value);
  }
}

void count_runs(const std::vector<RunRow>& runs, RunSummary& summary) {
  for (const RunRow& run : runs) {
    ++summary.cells;
    ++(run.state == "done" ? summary.done : run.state == "failed" ? summary.failed : summary.open);
    add_distinct(summary.seeds[run.cell.trial], run.cell.seed);
  }
}

void count_nodes(const std::vector<NodeRow>& nodes, RunSummary& summary) {
  for (const char* kind : kWorkKinds) {
    WorkDone work;
    work.kind = kind;
    for (const NodeRow& node : nodes) {
      if (node.kind != kind) {
        continue;
      }
      if (node.state != NodeState::done) {
        ++(node.state == NodeState::failed ? work.failed : work.open);
        continue;
      }
      ++work.done;
      work.hours += node.seconds / kSecondsPerHour;
      work.peak_rss_mb = std::max(work.peak_rss_mb, node.peak_rss_mb);
      work.peak_gpu_mb = std::max(work.peak_gpu_mb, node.peak_gpu_mb);
    }
    if (work.done + work.failed + work.open > 0) {
      summary.work.push_back(std::move(work));
    }
  }
}

void describe_nodes(const std::vector<NodeRow>& nodes, RunSummary& summary) {
  for (const NodeRow& node : nodes) {
    if (node.state != NodeState::done) {
      continue;
    }
    add_known(summary.hosts, node.host);
    add_known(summary.machines, node.machine);
    add_known(summary.devices, node.device);
    add_known(summary.commits, node.commit);
    add_known(summary.torch, node.torch);
    add_known(summary.itk, node.itk);
    add_known(summary.determinism, node.determinism);
    add_known(summary.commands, node.command);
    add_distinct(summary.threads, node.threads);
    summary.dirty = summary.dirty || node.dirty;
    if (!node.started.empty() && (summary.first.empty() || node.started < summary.first)) {
      summary.first = node.started;
    }
    summary.last = std::max(summary.last, node.ended);
  }
}

/// Cells that need a node, as texts for a reader.
struct Need {
  std::vector<std::string> methods, tasks, fractions;  ///< in the order of the cells
  std::vector<int> trials;
};

std::map<std::string, Need> needs_by_node(const std::vector<RunRow>& runs) {
  const auto add = [](std::vector<std::string>& list, const std::string& value) {
    if (std::ranges::find(list, value) == list.end()) {
      list.push_back(value);
    }
  };
  std::map<std::string, Need> needs;
  for (const RunRow& run : runs) {
    add(needs[run.cell.pretrain_node].methods, run.cell.method);
    for (const std::string& key : {run.cell.finetune_node, run.cell.evaluate_node}) {
      Need& need = needs[key];
      add(need.methods, run.cell.method);
      add(need.tasks, run.cell.task);
      add(need.fractions, run.cell.fraction);
      add_distinct(need.trials, run.cell.trial);
    }
  }
  return needs;
}

void list_failures(const std::vector<FailureRow>& failures,
                   const std::vector<NodeRow>& nodes,
                   const std::vector<RunRow>& runs,
                   RunSummary& summary) {
  const std::map<std::string, Need> needs = needs_by_node(runs);
  for (const FailureRow& failure : failures) {
    const auto node = std::ranges::lower_bound(nodes, failure.node, {}, &NodeRow::key);
    if (node == nodes.end() || node->key != failure.node) {
      continue;  // of another protocol
    }
    FailedWork work;
    work.node = failure.node;
    work.kind = failure.kind;
    work.attempt = failure.attempt;
    if (const auto need = needs.find(failure.node); need != needs.end()) {
      work.method = fmt::format("{}", fmt::join(need->second.methods, ", "));
      work.task = fmt::format("{}", fmt::join(need->second.tasks, ", "));
      work.fraction = fmt::format("{}", fmt::join(need->second.fractions, ", "));
      work.trials = need->second.trials;
    } else {
      work.method = node->inputs.value("method", "");
      work.task = node->inputs.value("task", "");
    }
    work.reason = failure.reason;
    work.host = failure.host;
    work.ended = failure.ended;
    work.done_since = failure.done_since;
    summary.failures.push_back(std::move(work));
  }
  std::ranges::stable_partition(summary.failures,
                                [](const FailedWork& work) { return !work.done_since; });
}

}  // namespace

RunSummary run_summary(const Store& store, const ProtocolRow& protocol) {
  const std::vector<RunRow> runs = store.runs(protocol.protocol);
  const std::vector<NodeRow> nodes = store.nodes(protocol.protocol);
  RunSummary summary;
  count_runs(runs, summary);
  count_nodes(nodes, summary);
  describe_nodes(nodes, summary);
  list_failures(store.failures(), nodes, runs, summary);
  return summary;
}

}  // namespace sar
