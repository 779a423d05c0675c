#include "results/claims/training_curves.h"

#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace sar {

void judge_curves(Judge& judge,
                  double (*number)(const TrialConvergence&),
                  const std::string& unit,
                  int digits) {
  const ClaimRuns* runs = judge.context().runs;
  if (!judge.measured() || runs == nullptr) {
    judge.not_printed();
    return;
  }
  CurveSpec spec;
  spec.reference = judge.claim().method;
  spec.rows = {{judge.claim().method, judge.claim().method}};
  for (const auto& method : judge.claim().versus) {
    spec.rows.push_back({method, method});
  }
  spec.tasks = judge.claim().tasks;
  const LossCurves curves = build_curves(runs->curves, runs->protocol, spec);
  const auto side_of = [&](const std::string& method, const std::string& task) {
    ComparedNumber one{method, {}, {"finetune/" + method + "/" + task}, {}, digits};
    const auto found = std::ranges::find_if(curves.curves, [&](const MethodCurve& each) {
      return each.method == method && each.task == task;
    });
    if (found == curves.curves.end() || found->trials.empty()) {
      one.missing = fmt::format(
          "no finished fine-tuning of {} on {} is stored: sar-bench run fig3 -m {} -t {} makes "
          "it",
          method,
          task,
          method,
          task);
      return one;
    }
    for (const TrialConvergence& trial : found->trials) {
      one.number.trials.push_back(number(trial));
    }
    one.number.summary = summarise(one.number.trials);
    return one;
  };
  std::vector<Comparison> comparisons;
  for (const auto& task : judge.claim().tasks) {
    for (const auto& method : judge.claim().versus) {
      Comparison& one = comparisons.emplace_back();
      one.high = side_of(method, task);
      one.low = side_of(judge.claim().method, task);
      one.where = task;
      one.unit = unit;
    }
  }
  judge.compare(comparisons);
}

}  // namespace sar
