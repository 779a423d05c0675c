// ratio: the cube counts of each data set are in this ratio, in some order.

#include "results/claims/claim_kind.h"
#include "results/claims/data_counts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::claim_kinds::ratio {
namespace {

void judge_claim(Judge& judge) {
  const std::vector<DataSetCounts> sets = data_counts(judge);
  for (const DataSetCounts& set : sets) {
    const bool holds = in_ratio(set.cubes, judge.claim().ratio);
    ClaimEvidence evidence;
    evidence.outcome = holds ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format("{}: {} {} {}",
                                set.dataset,
                                fmt::join(set.cubes, ", "),
                                holds ? "are in the ratio" : "are not in the ratio",
                                fmt::join(judge.claim().ratio, ":"));
    judge.add(std::move(evidence));
  }
  if (!sets.empty()) {
    judge.conclude("data set", "data sets");
  }
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "ratio", .needed = {"ratio"}}, .judge = judge_claim});
}

}  // namespace sar::claim_kinds::ratio
