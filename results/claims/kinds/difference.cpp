// difference: a number in the text is the difference of two cells, minuend and subtrahend.

#include "results/claims/claim_kind.h"
#include "results/claims/number_in_text.h"

namespace sar::claim_kinds::difference {
namespace {

std::vector<std::string> faults(const Claim&, const Json& entry) {
  if (entry.contains("cells") && entry.at("cells").is_array() && entry.at("cells").size() != 2) {
    return {"a claim of kind difference needs two cells: minuend and subtrahend"};
  }
  return {};
}

void judge_claim(Judge& judge) {
  const std::vector<CellPath>& cells = judge.claim().cells;
  judge_number(judge, {judge.side(cells.at(0)), judge.side(cells.at(1))});
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "difference", .needed = {"cells", "number"}, .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::difference
