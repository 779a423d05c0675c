// volumes: the test tumours reach from below `number` to above `other_number` voxels.

#include "results/claims/claim_kind.h"
#include "results/claims/data_counts.h"

#include <fmt/format.h>

#include <cstdint>

namespace sar::claim_kinds::volumes {
namespace {

void judge_claim(Judge& judge) {
  if (!judge.measured()) {
    judge.not_printed();
    return;
  }
  if (!about_real_data(judge)) {
    return;
  }
  const TaskRuns* found = task_runs(judge, judge.claim().tasks.front());
  if (found == nullptr || found->most_voxels == 0) {
    judge.not_testable("no test tumour of " + judge.claim().tasks.front() + " is stored");
    return;
  }
  const auto add = [&](const std::string& text, std::int64_t voxels, double bound, bool holds) {
    ClaimEvidence evidence;
    evidence.value = static_cast<double>(voxels);
    evidence.threshold = bound;
    evidence.outcome = holds ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format("{} test tumour: {} voxels against {:g}", text, voxels, bound);
    judge.add(std::move(evidence));
  };
  const double less = judge.claim().number->value;
  const double more = judge.claim().other_number->value;
  add("smallest", found->least_voxels, less, static_cast<double>(found->least_voxels) < less);
  add("largest", found->most_voxels, more, static_cast<double>(found->most_voxels) > more);
  judge.conclude("bound", "bounds");
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "volumes", .needed = {"tasks", "number", "other_number"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::volumes
