// largest-gain: the gain of a method over each of `versus` is largest in the first of `columns`.

#include "results/claims/claim_kind.h"
#include "results/paper/predicates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <limits>

namespace sar::claim_kinds::largest_gain {
namespace {

std::vector<std::string> faults(const Claim&, const Json& entry) {
  if (entry.contains("columns") && entry.at("columns").size() < 2) {
    return {"a claim of kind largest-gain needs at least two columns"};
  }
  return {};
}

/// Whether a difference is positive for all values within its roundings.
void above(double difference, double box, ClaimEvidence& evidence) {
  if (difference <= kSumSlack - box) {
    evidence.outcome = Outcome::fails;
  } else if (difference <= kSumSlack + box && evidence.outcome == Outcome::holds) {
    evidence.outcome = Outcome::open;
  }
}

void judge_claim(Judge& judge) {
  for (const auto& method : judge.claim().versus) {
    ClaimEvidence evidence;
    std::vector<std::string> gains;
    double first = 0;
    double slack = 0;
    double least_lead = std::numeric_limits<double>::infinity();
    evidence.outcome = Outcome::holds;
    std::string missing;
    for (const auto& column : judge.claim().columns) {
      const ComparedNumber own = judge.side(judge.path(judge.claim().method, column));
      const ComparedNumber other = judge.side(judge.path(method, column));
      missing = !missing.empty() ? missing : !own.missing.empty() ? own.missing : other.missing;
      const double gain = own.mean() - other.mean();
      const double half = own.number.mean_half_unit + other.number.mean_half_unit;
      if (gains.empty()) {
        first = gain;
        slack = half;
        above(first, slack, evidence);  // the least loss is not a gain
      } else {
        const double lead = first - gain;
        above(lead, slack + half, evidence);
        if (lead < least_lead) {
          least_lead = lead;
          evidence.value = first;
          evidence.threshold = gain;
        }
      }
      gains.push_back(fmt::format("{} {:.{}f}", column, gain, std::max(own.digits, other.digits)));
      evidence.cells.insert(evidence.cells.end(), own.cells.begin(), own.cells.end());
      evidence.cells.insert(evidence.cells.end(), other.cells.begin(), other.cells.end());
    }
    if (!missing.empty()) {
      evidence.text = missing;
      evidence.outcome = Outcome::open;
      evidence.value = evidence.threshold = {};
    } else {
      evidence.text =
          fmt::format("{} - {}: {}{}{}",
                      judge.claim().method,
                      method,
                      fmt::join(gains, ", "),
                      first < 0 ? "; the first is not a gain" : "",
                      evidence.outcome == Outcome::open ? "; undecided by rounding" : "");
    }
    judge.add(std::move(evidence));
  }
  judge.conclude("gain", "gains");
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "largest-gain",
                      .needed = {"table", "method", "versus", "columns"},
                      .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::largest_gain
