#include "experiments/plan.h"

#include "experiments/plan/nodes.h"
#include "experiments/plan/protocol.h"
#include "experiments/plan/splits.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"

#include <algorithm>
#include <set>

namespace sar {
namespace {

/// Expands selections into cells, and these into nodes.
class Planner {
 public:
  Planner(const Catalog& catalog,
          const Configuration& configuration,
          const Manifest& manifest,
          const std::string& profile,
          const std::filesystem::path& work)
      : catalog_(catalog),
        shared_(configuration.shared()),
        splits_(shared_, manifest),
        nodes_(catalog, configuration, manifest, splits_, std::filesystem::absolute(work), plan_) {
    check_values(shared_);
    plan_.provisional = std::ranges::any_of(
        manifest.datasets, [](const auto& each) { return each.second.digest == kNotWritten; });
    plan_.protocol = make_protocol(catalog, configuration, manifest, splits_, profile);
  }

  Plan plan(const std::vector<Selection>& selections) {
    for (const auto& selection : selections) {
      const int requested_before = plan_.requested_nodes;
      const std::size_t nodes_before = plan_.nodes.size();
      const int cells = add_selection(selection);
      plan_.parts.push_back({selection.experiment,
                             cells,
                             plan_.requested_nodes - requested_before,
                             nodes_.take_touched(),
                             static_cast<int>(plan_.nodes.size() - nodes_before)});
    }
    order_by_kind();
    return std::move(plan_);
  }

 private:
  /// Returns the number of its cells.
  int add_selection(const Selection& selection) {
    if (selection.kind == ExperimentKind::data) {
      target(nodes_.survey(splits_.trial("brats", 0).train));
      return 0;
    }
    if (selection.kind == ExperimentKind::pretraining) {
      const TrialSplit brats = splits_.trial("brats", 0);
      for (const auto& method : selection.methods) {
        target(nodes_.pretraining(catalog_.method(method), brats));
      }
      return 0;
    }
    int cells = 0;
    const int cap = shared_.integer("fractions.trials");
    for (const auto& fraction : selection.fractions) {
      const int trials =
          fraction == "1" || cap == 0 ? selection.trials : std::min(cap, selection.trials);
      for (int trial = 0; trial < trials; ++trial) {
        for (const auto& task : selection.tasks) {
          for (const auto& method : selection.methods) {
            add_cell(catalog_.method(method), task, fraction, trial);
            ++cells;
          }
        }
      }
    }
    return cells;
  }

  void target(const std::string& key) {
    if (std::ranges::find(plan_.targets, key) == plan_.targets.end()) {
      plan_.targets.push_back(key);
    }
  }

  void add_cell(const MethodInfo& method,
                const std::string& task,
                const std::string& fraction,
                int trial) {
    const TrialSplit parts = splits_.trial(task, trial);
    if (parts.train.empty() || parts.test.empty()) {
      throw data_error("too few cases for a training and a test set")
          .with("task", task)
          .with("cases", std::to_string(parts.train.size() + parts.test.size()));
    }
    PlannedCell cell;
    cell.label = method.paper_name + ", " + task + ", fraction " + fraction + ", trial " +
                 std::to_string(trial);
    cell.row.protocol = plan_.protocol.protocol;
    cell.row.method = method.id;
    cell.row.task = task;
    cell.row.fraction = fraction;
    cell.row.trial = trial;
    cell.row.seed = splits_.seed_of(trial, method.trial_seeds);
    cell.row.cell_key = content_key({{"protocol", cell.row.protocol},
                                     {"method", method.id},
                                     {"task", task},
                                     {"fraction", fraction},
                                     {"trial", trial}});
    if (method.pretrains) {
      // Pre-training must not see a test case of any task, under any trial that shares it.
      cell.row.pretrain_node =
          nodes_.pretraining(method, task == "brats" ? parts : splits_.trial("brats", trial));
      nodes_.refuse_seen_images(cell.row.pretrain_node, task, parts.test);
    }
    const std::string prepared = nodes_.prepared(task);
    if (method.supervised) {
      cell.row.pretrain_node = nodes_.supervised(method, task, trial, prepared);
    }
    cell.row.finetune_node = nodes_.finetuning(cell, prepared, parts.train);
    cell.row.evaluate_node = nodes_.evaluation(cell, prepared, parts);
    if (cell_keys_.insert(cell.row.cell_key).second) {
      plan_.cells.push_back(std::move(cell));
    }
  }

  /// Keeps the order in which nodes were added (which respects needs) but brings shared work to the
  /// front, so that workers are not starved: cubes and preparation, pre-training, then fine-tuning
  /// and evaluation by trial.
  void order_by_kind() {
    const auto rank = [](const PlannedNode& node) {
      return node.kind == "prepare" || node.kind == "cubes"     ? 0
             : node.kind == "pretrain" || node.kind == "survey" ? 1
                                                                : 2;
    };
    std::ranges::stable_sort(plan_.nodes, {}, rank);
  }

  const Catalog& catalog_;
  const Settings& shared_;
  Plan plan_;
  Splits splits_;
  Nodes nodes_;
  std::set<std::string> cell_keys_;  ///< cells that are planned already
};

}  // namespace

const PlannedNode& Plan::node(const std::string& key) const {
  const auto found = std::ranges::find(nodes, key, &PlannedNode::key);
  if (found == nodes.end()) {
    throw internal_error("no such node in the plan").with("key", key);
  }
  return *found;
}

std::vector<Selection> selections_of(const Experiment& experiment, int trials) {
  std::vector<Selection> selections;
  const auto add = [](std::vector<std::string>& list, const std::string& value) {
    if (std::ranges::find(list, value) == list.end()) {
      list.push_back(value);
    }
  };
  for (const Experiment* part : parts_of(experiment)) {
    Selection selection;
    selection.experiment = part->id;
    selection.kind = part->kind;
    for (const auto* rows : {&part->table.rows, &part->curves.rows, &part->rows}) {
      for (const auto& row : *rows) {
        add(selection.methods, row.method);
      }
    }
    if (part->kind == ExperimentKind::dice) {
      selection.trials = std::min(part->table.trials, trials);
      for (const auto& column : part->table.columns) {
        add(selection.tasks, column.task);
        add(selection.fractions, column.fraction);
      }
    } else if (part->kind == ExperimentKind::curves) {
      selection.trials = std::min(part->curves.trials, trials);
      selection.tasks = part->curves.tasks;
      selection.fractions = {part->curves.fraction};
    }
    selections.push_back(std::move(selection));
  }
  return selections;
}

Plan make_plan(const Catalog& catalog,
               const Configuration& configuration,
               const Manifest& manifest,
               const std::string& profile,
               const std::vector<Selection>& selections,
               const std::filesystem::path& work_folder) {
  return Planner(catalog, configuration, manifest, profile, work_folder).plan(selections);
}

}  // namespace sar
