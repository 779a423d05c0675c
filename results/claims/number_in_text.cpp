#include "results/claims/number_in_text.h"

#include "results/paper/predicates.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sar {
namespace {

/// Is a measured mean (or difference) within the margin of a number? By two one-sided tests, the
/// number being taken as exact.
void measured_against(const ClaimOptions& options,
                      const PrintedNumber& number,
                      const std::vector<ComparedNumber>& sides,
                      const std::string& terms,
                      ClaimEvidence& evidence) {
  Summary shifted = sides.front().number.summary;
  shifted.mean -= number.value;
  const Equivalence outcome = sides.size() == 1
                                  ? equivalence_test(shifted, options.margin, options.alpha)
                                  : equivalence_test(shifted,
                                                     sides.back().number.summary,
                                                     options.margin,
                                                     options.test != "welch",
                                                     options.alpha);
  evidence.text = fmt::format("{} against {}", terms, number.text);
  if (!outcome.testable) {
    evidence.text += ": not testable, " + outcome.reason;
    return;
  }
  evidence.p = outcome.p;
  const bool within = outcome.p < options.alpha;
  const bool outside = outcome.ci_low > options.margin || outcome.ci_high < -options.margin;
  evidence.outcome = within ? Outcome::holds : outside ? Outcome::fails : Outcome::open;
  evidence.text +=
      fmt::format(" (n = {}): difference {:.2f}, {:g} % interval [{:.2f}, {:.2f}], {} ±{:g} points",
                  sides.front().number.summary.n,
                  outcome.difference,
                  100 * (1 - 2 * options.alpha),
                  outcome.ci_low,
                  outcome.ci_high,
                  within    ? "within"
                  : outside ? "outside"
                            : "neither within nor outside",
                  options.margin);
}

}  // namespace

void judge_number(Judge& judge, const std::vector<ComparedNumber>& sides) {
  const PrintedNumber& number = *judge.claim().number;
  ClaimEvidence evidence;
  double value = 0;
  double slack = number.half_unit;
  int digits = 2;
  for (std::size_t i = 0; i < sides.size(); ++i) {
    if (!sides[i].missing.empty()) {
      judge.not_testable(sides[i].missing);
      return;
    }
    evidence.cells.insert(evidence.cells.end(), sides[i].cells.begin(), sides[i].cells.end());
    value += (i == 0 ? 1 : -1) * sides[i].mean();
    slack += sides[i].number.mean_half_unit;
    digits = std::max(digits, sides[i].digits);
  }
  evidence.value = value;
  evidence.threshold = number.value;
  std::string terms = sides.front().text();
  if (sides.size() > 1) {
    terms += fmt::format(" - {} = {:.{}f}", sides.back().text(), value, digits);
  }
  if (judge.measured()) {
    measured_against(judge.context().options, number, sides, terms, evidence);
  } else {
    // A quotation with as many decimals repeats every digit; what is rounded further, or a
    // difference, which may be of the unrounded numbers, agrees within the roundings.
    const ComparedNumber& first = sides.front();
    const bool quotation = sides.size() == 1 && is_quotation(number, first.number.mean_half_unit);
    const bool holds = sides.size() == 1 ? repeats(number, value, first.number.mean_half_unit)
                                         : within_rounding(number.value, value, slack);
    evidence.outcome = holds ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format(
        "{} against {} in the text: {}", terms, number.text, holds ? "equal" : "not equal");
    if (!quotation) {
      evidence.text += fmt::format(" within the roundings (±{:g})", slack);
    }
  }
  judge.conclude(std::move(evidence));
}

}  // namespace sar
