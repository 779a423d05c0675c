#include "results/comparison/power_report.h"

#include "harness/core/error.h"
#include "results/statistics/power.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace sar {
namespace {

PowerPlan plan_of(double difference, double sd, int n_a, int n_b, const PowerOptions& options) {
  const double alpha = options.alpha / std::max(1, options.family);
  PowerPlan plan;
  plan.n_row = n_a;
  plan.n_reference = n_b;
  plan.difference = difference;
  plan.sd = sd;
  plan.detectable = sd * detectable_effect(n_a, n_b, options.power, alpha);
  plan.power = student_power(std::abs(difference) / sd, n_a, n_b, alpha);
  plan.needed = trials_needed(std::abs(difference) / sd, options.power, alpha, kMostPlannedTrials);
  return plan;
}

PowerPlan plan_of(const std::optional<CellNumber>& row,
                  const std::optional<CellNumber>& reference,
                  const PowerOptions& options) {
  PowerPlan plan;
  if (!row || !reference) {
    plan.reason = "no number";
    return plan;
  }
  const Summary& a = row->summary;
  const Summary& b = reference->summary;
  plan.n_row = a.n;
  plan.n_reference = b.n;
  if (a.n == 0 || b.n == 0) {
    plan.reason = "n is not stated";
  } else if (a.n < 2 || b.n < 2) {
    plan.reason = fmt::format("n = {}", std::min(a.n, b.n));
  } else if (!a.sd || !b.sd) {
    plan.reason = "no standard deviation";
  } else {
    const double sd = pooled_sd(a, b);
    if (!(sd > 0)) {
      plan.reason = "standard deviation is zero";
      return plan;
    }
    return plan_of(a.mean - b.mean, sd, a.n, b.n, options);
  }
  return plan;
}

/// Trials of a method, task and fraction to be added, and what one of them costs.
struct Addition {
  int trials = 0;
  std::optional<double> seconds;
};
using Additions = std::map<std::tuple<std::string, std::string, std::string>, Addition>;

std::optional<double> seconds_of(const CostSource& costs, const CellPath& cell) {
  const auto found = std::ranges::find_if(costs.trials, [&](const TrialCost& cost) {
    return cost.method == cell.method && cost.task == cell.task && cost.fraction == cell.fraction;
  });
  return found == costs.trials.end() ? std::nullopt : std::optional(found->seconds);
}

/// What a comparison lacks, of which `additions` keeps the most.
void add_trials(PowerComparison& comparison, const CostSource& costs, Additions& additions) {
  const PowerPlan& plan = comparison.plan;
  if (!plan.needed) {
    return;
  }
  double seconds = 0;
  bool known = true;
  const auto add = [&](const CellPath& cell, int trials) {
    const int more = std::max(0, *plan.needed - trials);
    Addition& addition = additions[{cell.method, cell.task, cell.fraction}];
    addition.trials = std::max(addition.trials, more);
    addition.seconds = seconds_of(costs, cell);
    seconds += more * addition.seconds.value_or(0);
    known = known && addition.seconds;
    return more;
  };
  const int row = add(comparison.row, plan.n_row);
  const int reference = add(comparison.reference, plan.n_reference);
  comparison.additional = {row, reference};
  if (known || row + reference == 0) {
    comparison.hours = seconds / 3600;
  }
}

}  // namespace

PowerReport power_report(const TableSpec& spec,
                         const CellSource& source,
                         const CostSource& costs,
                         const PowerOptions& options) {
  PowerReport report;
  report.table = spec.id;
  report.title = spec.title;
  report.reference = spec.reference;
  report.reference_label = label_of(spec.rows, spec.reference);
  report.source = source.name;
  report.origin = {source.data_kind, source.protocol};
  report.options = options;
  report.costs = costs;
  Additions additions;
  for (const TableRow& row : spec.rows) {
    if (row.method == spec.reference) {
      continue;
    }
    for (const TableColumn& column : spec.columns) {
      PowerComparison& comparison = report.comparisons.emplace_back();
      comparison.label = row.label;
      comparison.row = comparison.reference = {
          spec.id, row.method, column.task, column.target, column.bucket, column.fraction};
      comparison.reference.method = spec.reference;
      comparison.plan =
          plan_of(source.find(comparison.row), source.find(comparison.reference), options);
      add_trials(comparison, costs, additions);
    }
  }
  double hours = 0;
  for (const auto& [key, addition] : additions) {
    const auto& [method, task, fraction] = key;
    report.additional_trials += addition.trials;
    hours += addition.trials * addition.seconds.value_or(0) / 3600;
    if (addition.trials > 0 && !addition.seconds) {
      report.without_hours.push_back(method + " " + task + (fraction == "1" ? "" : " " + fraction));
    }
  }
  if (!costs.trials.empty() && report.without_hours.empty()) {
    report.hours = hours;
  }
  return report;
}

PowerPlan power_plan(double difference, double sd, int n, const PowerOptions& options) {
  if (!std::isfinite(difference) || !std::isfinite(sd) || sd <= 0) {
    throw usage_error("the difference must be finite and the SD positive")
        .with("effect", fmt::format("{}", difference))
        .with("sd", fmt::format("{}", sd));
  }
  if (n < 2) {
    throw usage_error("n must be at least 2").with("n", std::to_string(n));
  }
  return plan_of(difference, sd, n, n, options);
}

}  // namespace sar
