#include "results/claims/claim_comparisons.h"

#include "results/paper/predicates.h"
#include "results/statistics/permutation.h"
#include "results/statistics/rounding_box.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace sar {
namespace {

RoundedSummary rounded(const CellNumber& number) {
  return {number.summary.mean,
          number.mean_half_unit,
          *number.summary.sd,
          number.sd_half_unit,
          number.summary.n};
}

}  // namespace

std::string ComparedNumber::text() const {
  return fmt::format("{} {:.{}f}", label, mean(), digits);
}

double Comparison::slack() const {
  return high.number.mean_half_unit + low.number.mean_half_unit;
}

const std::string& Comparison::missing() const {
  return high.missing.empty() ? low.missing : high.missing;
}

const ComparisonP& ComparisonTests::test(const Comparison& comparison) {
  const auto [found, fresh] = tests_.try_emplace(
      {comparison.high.cells, comparison.low.cells, comparison.unit, comparison.at_least});
  if (fresh) {
    found->second = run(comparison);
  }
  return found->second;
}

ComparisonP ComparisonTests::run(const Comparison& comparison) const {
  ComparisonP tested;
  if (!comparison.missing().empty()) {
    tested.reason = "a number is missing";
    return tested;
  }
  const Summary& a = comparison.high.number.summary;
  const Summary& b = comparison.low.number.summary;
  if (a.n == 0 || b.n == 0) {
    tested.reason = "n is not stated";
    return tested;
  }
  if (comparison.at_least) {
    return run_margin(comparison);
  }
  if (options_.test == "permutation") {
    return run_permutation(comparison);
  }
  const TTest student = student_test(a, b, options_.alpha);
  if (!student.testable) {
    tested.reason = student.reason;
    return tested;
  }
  tested.student = student.p;
  tested.welch = welch_test(a, b, options_.alpha).p;
  tested.p = options_.test == "student" ? *tested.student : *tested.welch;
  tested.low = tested.high = tested.p;
  search_box(comparison, tested);
  return tested;
}

void ComparisonTests::search_box(const Comparison& comparison, ComparisonP& tested) const {
  if (comparison.slack() <= 0) {
    return;
  }
  const Range bounds = p_bounds(
      rounded(comparison.high.number), rounded(comparison.low.number), options_.test == "student");
  tested.low = std::min(tested.low, bounds.low);  // not even by the last digit
  tested.high = std::max(tested.high, bounds.high);
}

ComparisonP ComparisonTests::run_permutation(const Comparison& comparison) const {
  ComparisonP tested;
  const std::vector<double>& a = comparison.high.number.trials;
  const std::vector<double>& b = comparison.low.number.trials;
  if (a.empty() || b.empty()) {
    tested.reason = "a permutation test needs the single values, which are not printed";
    return tested;
  }
  const PermutationTest outcome = permutation_test(a, b);
  tested.reason = outcome.testable ? "" : outcome.reason;
  tested.p = tested.low = tested.high = outcome.p;
  tested.floor = outcome.floor;
  return tested;
}

ComparisonP ComparisonTests::run_margin(const Comparison& comparison) const {
  const Equivalence outcome = equivalence_test(comparison.high.number.summary,
                                               comparison.low.number.summary,
                                               options_.margin,
                                               /*pooled=*/options_.test == "student",
                                               options_.alpha);
  ComparisonP tested;
  tested.reason = outcome.testable ? "" : outcome.reason;
  if (outcome.testable) {
    tested.p = tested.low = tested.high = outcome.p_above;
  }
  return tested;
}

std::vector<ComparisonP> ComparisonTests::adjusted(std::vector<ComparisonP> family) const {
  for (const auto member :
       {&ComparisonP::p, &ComparisonP::low, &ComparisonP::high, &ComparisonP::floor}) {
    std::vector<double> p;
    for (const ComparisonP& each : family) {
      if (each.reason.empty()) {
        p.push_back(each.*member);
      }
    }
    p = adjust(p, options_.correction);
    auto next = p.begin();
    for (ComparisonP& each : family) {
      if (each.reason.empty()) {
        each.*member = *next++;
      }
    }
  }
  return family;
}

std::string ComparisonTests::text(const Comparison& comparison, const ComparisonP& tested) const {
  if (comparison.at_least) {
    return fmt::format("not worse by {:g} points: p = {}", options_.margin, format_p(tested.p));
  }
  std::string text = "p = " + format_p(tested.p);
  if (format_p(tested.low) != format_p(tested.high)) {
    text += fmt::format(" [{}, {}]", format_p(tested.low), format_p(tested.high));
  }
  const bool student = options_.test == "student";
  const std::optional<double>& beside = student ? tested.welch : tested.student;
  if (beside) {
    text += fmt::format(" ({} {})", student ? "Welch" : "Student", format_p(*beside));
  }
  return text;
}

Outcome direction(const Comparison& comparison) {
  if (!comparison.missing().empty()) {
    return Outcome::open;
  }
  const double difference = comparison.difference();
  const double slack = comparison.slack();
  if (slack <= 0) {  // measured: every digit counts
    return difference > 0 || (comparison.at_least && difference == 0) ? Outcome::holds
                                                                      : Outcome::fails;
  }
  const bool holds =
      comparison.at_least ? difference >= slack - kSumSlack : difference > slack + kSumSlack;
  const bool fails =
      comparison.at_least ? difference < -slack - kSumSlack : difference <= -slack + kSumSlack;
  return holds ? Outcome::holds : fails ? Outcome::fails : Outcome::open;
}

Outcome significance(const Comparison& comparison, const ComparisonP& tested, double alpha) {
  const Outcome way = direction(comparison);
  if (!tested.reason.empty()) {
    return way == Outcome::fails && !comparison.expect_equal ? Outcome::fails : Outcome::open;
  }
  if (tested.floor >= alpha) {
    return Outcome::open;
  }
  const bool shown = tested.high < alpha;
  const bool refuted = tested.low >= alpha;
  if (comparison.expect_equal) {
    return refuted ? Outcome::holds : shown ? Outcome::fails : Outcome::open;
  }
  return way == Outcome::fails || refuted ? Outcome::fails
         : shown && way == Outcome::holds ? Outcome::holds
                                          : Outcome::open;
}

}  // namespace sar
