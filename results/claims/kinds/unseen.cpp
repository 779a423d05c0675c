// unseen: no test case of `tasks` is among the pre-training cases.

#include "results/claims/claim_kind.h"
#include "results/claims/data_counts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::claim_kinds::unseen {
namespace {

void judge_claim(Judge& judge) {
  if (!judge.measured()) {
    judge.not_printed();
    return;
  }
  for (const auto& task : judge.claim().tasks) {
    const TaskRuns* found = task_runs(judge, task);
    ClaimEvidence evidence;
    if (found == nullptr || found->compared == 0) {
      evidence.text = task + ": no finished run of a pre-trained method is stored";
    } else {
      evidence.value = static_cast<double>(found->seen.size());
      evidence.threshold = 0;
      evidence.outcome = found->seen.empty() ? Outcome::holds : Outcome::fails;
      evidence.text =
          fmt::format("{}: of {} test cases {} by image content",
                      task,
                      found->compared,
                      found->seen.empty() ? "none was seen in pre-training"
                                          : fmt::format("{} were seen in pre-training ({})",
                                                        found->seen.size(),
                                                        fmt::join(found->seen, ", ")));
    }
    judge.add(std::move(evidence));
  }
  judge.conclude("task", "tasks");
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "unseen", .needed = {"tasks"}}, .judge = judge_claim});
}

}  // namespace sar::claim_kinds::unseen
