// lower-loss: the final loss of a method is below those of `versus`.

#include "results/claims/claim_kind.h"
#include "results/claims/training_curves.h"

namespace sar::claim_kinds::lower_loss {
namespace {

void judge_claim(Judge& judge) {
  judge_curves(
      judge, [](const TrialConvergence& trial) { return trial.final_loss; }, " of loss", 4);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "lower-loss",
                      .needed = {"method", "versus", "tasks"},
                      .optional = {"table"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::lower_loss
