// count: a number in the text follows from the table of data sets; of `tasks`: is the number of
// their cases.

#include "harness/core/error.h"
#include "results/claims/claim_kind.h"
#include "results/claims/data_counts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <set>

namespace sar::claim_kinds::count {
namespace {

std::vector<std::string> faults(const Claim& claim, const Json& entry) {
  static const std::vector<std::string> kCounted{
      "cases", "volumes", "datasets", "modalities", "organs", "scales", "cubes"};
  std::vector<std::string> list;
  if (entry.contains("what") == entry.contains("tasks")) {
    list.emplace_back(
        "a count is either of 'what' in the table of data sets or of the cases of 'tasks'");
  }
  if (!claim.what.empty() && std::ranges::count(kCounted, claim.what) == 0) {
    const std::string nearest = nearest_match(claim.what, kCounted);
    list.push_back(fmt::format("'what' is one of {}; got '{}'{}",
                               fmt::join(kCounted, ", "),
                               claim.what,
                               nearest.empty() ? "" : "; did you mean '" + nearest + "'?"));
  }
  return list;
}

/// "luna 623 + lits 111", "brain, lung", "3 or 4 cube counts a row".
std::string sum_text(const std::vector<DataSetCounts>& sets,
                     const DataCount& count,
                     const std::string& what) {
  if (what == "scales") {
    std::set<std::string> different;
    for (const long number : count.numbers) {
      different.insert(std::to_string(number));
    }
    return fmt::format("{} cube counts a row", fmt::join(different, " or "));
  }
  if (!count.values.empty()) {
    return fmt::format(
        "{}", fmt::join(std::set<std::string>(count.values.begin(), count.values.end()), ", "));
  }
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < count.numbers.size(); ++i) {
    terms.push_back(fmt::format("{} {}", sets[count.sets[i]].dataset, count.numbers[i]));
  }
  return fmt::format("{}", fmt::join(terms, " + "));
}

/// Labelled cases of tasks, in stored runs alone.
void count_task_cases(Judge& judge, const PrintedNumber& number) {
  if (!judge.measured()) {
    judge.not_printed();
    return;
  }
  if (!about_real_data(judge)) {
    return;
  }
  long total = 0;
  for (const auto& task : judge.claim().tasks) {
    const TaskRuns* found = task_runs(judge, task);
    if (found == nullptr) {
      judge.not_testable("no finished run of " + task + " is stored");
      return;
    }
    total += found->cases;
  }
  ClaimEvidence evidence;
  evidence.value = static_cast<double>(total);
  evidence.threshold = number.value;
  evidence.outcome = static_cast<double>(total) == number.value ? Outcome::holds : Outcome::fails;
  evidence.text = fmt::format("{} labelled cases against {} in the text", total, number.text);
  judge.conclude(std::move(evidence));
}

void judge_claim(Judge& judge) {
  const Claim& claim = judge.claim();
  const PrintedNumber& number = *claim.number;
  if (!claim.tasks.empty()) {
    count_task_cases(judge, number);
    return;
  }
  const std::vector<DataSetCounts> sets = data_counts(judge);
  if (sets.empty()) {
    return;
  }
  const DataCount count = count_of(sets, claim);
  const long total = count.differs ? 0 : count.number;
  ClaimEvidence evidence;
  evidence.value = static_cast<double>(total);
  evidence.threshold = number.value;
  evidence.outcome = count.agrees_with(number) ? Outcome::holds : Outcome::fails;
  evidence.text = fmt::format(
      "{} = {} against {} in the text", sum_text(sets, count, claim.what), total, number.text);
  judge.conclude(std::move(evidence));
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "count",
                      .needed = {"number"},
                      .optional = {"what", "where", "regard", "tasks"},
                      .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::count
