// significant: the comparisons of `greater` are significant at `alpha`, but for those of `except`.
// Each of `families` is corrected for itself; without them, `versus` is one.

#include "results/claims/claim_kind.h"

#include <algorithm>

namespace sar::claim_kinds::significant {
namespace {

void judge_claim(Judge& judge) {
  std::vector<std::string> methods = judge.claim().versus;
  for (const ClaimFamily& family : judge.claim().families) {
    for (const auto& method : family.versus) {
      if (std::ranges::find(methods, method) == methods.end()) {
        methods.push_back(method);
      }
    }
  }
  std::vector<Comparison> comparisons = judge.pairs(methods);
  const auto belongs = [&](const Comparison& each, const std::vector<std::string>& list) {
    return std::ranges::find(list, each.low.label) != list.end();
  };
  for (Comparison& each : comparisons) {
    each.counts = belongs(each, judge.claim().versus);
  }
  if (judge.claim().families.empty()) {
    judge.compare(comparisons, /*by_test=*/true);
    return;
  }
  Judge::Families families;
  for (const ClaimFamily& family : judge.claim().families) {
    auto& members = families.emplace_back(family.name, std::vector<std::size_t>{}).second;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      if (belongs(comparisons[i], family.versus)) {
        members.push_back(i);
      }
    }
  }
  judge.compare(comparisons, families, /*by_test=*/true);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "significant",
                      .needed = {"table", "method", "versus"},
                      .optional = {"columns", "alpha", "except", "families"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::significant
