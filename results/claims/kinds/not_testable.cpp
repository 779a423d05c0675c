// not-testable: no number at hand can show it; `reason` says why.

#include "results/claims/claim_kind.h"

namespace sar::claim_kinds::not_testable {
namespace {

void judge_claim(Judge& judge) {
  judge.not_testable(judge.claim().reason);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "not-testable", .needed = {"reason"}}, .judge = judge_claim});
}

}  // namespace sar::claim_kinds::not_testable
