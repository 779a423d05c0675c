// greater: a method's mean is above those of `versus` in each column.

#include "results/claims/claim_kind.h"

namespace sar::claim_kinds::greater {
namespace {

void judge_claim(Judge& judge) {
  judge.compare(judge.pairs(judge.claim().versus));
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "greater",
                      .needed = {"table", "method", "versus"},
                      .optional = {"columns"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::greater
