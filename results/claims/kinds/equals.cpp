// equals: a number in the text is the value of a cell.

#include "results/claims/claim_kind.h"
#include "results/claims/number_in_text.h"

namespace sar::claim_kinds::equals {
namespace {

std::vector<std::string> faults(const Claim&, const Json& entry) {
  if (entry.contains("cells") && entry.at("cells").is_array() && entry.at("cells").size() != 1) {
    return {"a claim of kind equals needs one cell"};
  }
  return {};
}

void judge_claim(Judge& judge) {
  judge_number(judge, {judge.side(judge.claim().cells.at(0))});
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "equals", .needed = {"cells", "number"}, .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::equals
