// converges: a method reaches its final loss in fewer steps than each of `versus`.

#include "results/claims/claim_kind.h"
#include "results/claims/training_curves.h"

namespace sar::claim_kinds::converges {
namespace {

void judge_claim(Judge& judge) {
  judge_curves(
      judge,
      [](const TrialConvergence& trial) { return static_cast<double>(trial.steps); },
      " steps",
      1);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "converges",
                      .needed = {"method", "versus", "tasks"},
                      .optional = {"table"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::converges
