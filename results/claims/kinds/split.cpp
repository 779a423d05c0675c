// split: `number` cases in this ratio leave the first part to the data set of `where`.

#include "results/claims/claim_kind.h"
#include "results/claims/data_counts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar::claim_kinds::split {
namespace {

std::vector<std::string> faults(const Claim& claim, const Json&) {
  if (claim.ratio.size() > 2) {
    return {"'ratio' of a split has two parts, e.g. [2, 1]"};
  }
  return {};
}

/// The number of the text against the printed cases.
void judge_printed(Judge& judge) {
  const Claim& claim = judge.claim();
  const std::vector<DataSetCounts> sets = data_counts(judge);
  const std::string dataset = claim.where.contains("dataset") ? claim.where.at("dataset") : "";
  const auto set = std::ranges::find(sets, dataset, &DataSetCounts::dataset);
  if (set == sets.end()) {
    judge.not_testable("'where' names no data set of the paper's table");
    return;
  }
  const double first = first_part(claim.number->value, claim.ratio);
  const auto cases = static_cast<double>(set->cases);
  ClaimEvidence evidence;
  evidence.value = first;
  evidence.threshold = cases;
  evidence.outcome = is_part(first, cases) ? Outcome::holds : Outcome::fails;
  evidence.text = fmt::format("{} split {}: {:g} for training, and {} cases of {} are printed",
                              claim.number->text,
                              fmt::join(claim.ratio, ":"),
                              first,
                              set->cases,
                              set->dataset);
  judge.conclude(std::move(evidence));
}

/// The stored cases that are not for testing.
void judge_measured(Judge& judge) {
  const Claim& claim = judge.claim();
  const TaskRuns* found = claim.tasks.empty() ? nullptr : task_runs(judge, claim.tasks.front());
  if (found == nullptr) {
    judge.not_testable("no finished run of the task is stored");
    return;
  }
  const double first = first_part(found->cases, claim.ratio);
  const double left = found->cases - found->test_cases;
  ClaimEvidence evidence;
  evidence.value = left;
  evidence.threshold = first;
  evidence.outcome = is_part(first, left) ? Outcome::holds : Outcome::fails;
  evidence.text = fmt::format("{} cases, {} of them for testing, leave {:g}; {} would leave {:g}",
                              found->cases,
                              found->test_cases,
                              left,
                              fmt::join(claim.ratio, ":"),
                              first);
  judge.conclude(std::move(evidence));
}

void judge_claim(Judge& judge) {
  if (!judge.measured()) {
    judge_printed(judge);
  } else if (about_real_data(judge)) {
    judge_measured(judge);
  }
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "split",
                      .needed = {"number", "ratio", "where"},
                      .optional = {"tasks"},
                      .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::split
