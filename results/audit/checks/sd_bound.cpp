// sd-bound: the SD of a whole lies within what the SDs of its parts allow.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <numeric>

namespace sar::audit_checks::sd_bound {
namespace {

/// One row's SD of the whole against its parts' under one split, within rounding.
struct SdBounds {
  double sum = 0;            ///< weighted sum of the printed SDs
  double largest = 0;        ///< the largest that the whole's SD may be
  double least = 0;          ///< the least that it may be
  double low = 0, high = 0;  ///< interval of the printed SD of the whole
};

SdBounds sd_bounds(const BucketRow& row, const Split& split) {
  SdBounds bounds;
  const auto cases = static_cast<double>(sum_of(split));
  std::vector<double> low;
  std::vector<double> high;
  for (std::size_t i = 0; i < split.size(); ++i) {
    const PrintedNumber& sd = *row.parts[i].cell().sd;
    const double weight = static_cast<double>(split[i]) / cases;
    bounds.sum += weight * sd.value;
    low.push_back(weight * std::max(0.0, sd.value - sd.half_unit));
    high.push_back(weight * (sd.value + sd.half_unit));
  }
  bounds.largest = std::accumulate(high.begin(), high.end(), 0.0);
  for (std::size_t i = 0; i < split.size(); ++i) {
    bounds.least = std::max(bounds.least, low[i] + high[i] - bounds.largest);
  }
  const PrintedNumber& whole = *row.whole.cell().sd;
  bounds.low = std::max(0.0, whole.value - whole.half_unit);
  bounds.high = whole.value + whole.half_unit;
  return bounds;
}

/// Is the SD of the whole out of the bounds for all weights that fit the most rows, whole numbers
/// of cases or not? Each bound is linear in the weights, so that its extremes are at their corners.
bool above_at_all(const BucketRow& row, const std::vector<std::vector<double>>& corners) {
  const PrintedNumber& whole = *row.whole.cell().sd;
  return std::ranges::all_of(corners, [&](const std::vector<double>& weights) {
    double largest = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const PrintedNumber& sd = *row.parts[i].cell().sd;
      largest += weights[i] * (sd.value + sd.half_unit);
    }
    return whole.value - whole.half_unit > largest + kSumSlack;
  });
}
bool below_at_all(const BucketRow& row, const std::vector<std::vector<double>>& corners) {
  const PrintedNumber& whole = *row.whole.cell().sd;
  for (std::size_t outweighs = 0; outweighs < row.parts.size(); ++outweighs) {
    const bool below = std::ranges::all_of(corners, [&](const std::vector<double>& weights) {
      double least = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const PrintedNumber& sd = *row.parts[i].cell().sd;
        least += i == outweighs ? weights[i] * std::max(0.0, sd.value - sd.half_unit)
                                : -weights[i] * (sd.value + sd.half_unit);
      }
      return whole.value + whole.half_unit < least - kSumSlack;
    });
    if (below) {
      return true;
    }
  }
  return false;
}

bool above(const SdBounds& bounds) {
  return bounds.low > bounds.largest + kSumSlack;
}
bool below(const SdBounds& bounds) {
  return bounds.high < bounds.least - kSumSlack;
}

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::size_t tested = 0;
  Json rows = Json::array();
  std::vector<std::string> said;
  for (const BucketWeights& weights : subject.weights) {
    // Without recovered weights: any weights, so the SD of the whole is at most the largest.
    std::size_t here = 0;
    for (const BucketRow& row : weights.rows) {
      const std::vector<Place> places = places_of(row);
      if (std::ranges::any_of(places, [](const Place& place) { return !place.cell().sd; })) {
        continue;
      }
      ++here;
      std::vector<std::string> numbers;
      SdBounds any{0, 0, 0, 0, 0};
      for (const Place& part : row.parts) {
        numbers.push_back(part.cell().sd->text);
        any.largest = std::max(any.largest, part.cell().sd->value + part.cell().sd->half_unit);
      }
      const PrintedNumber& whole = *row.whole.cell().sd;
      any.low = std::max(0.0, whole.value - whole.half_unit);
      const bool known = weights.shared;
      const SdBounds bounds = known ? sd_bounds(row, weights.best.front()) : any;
      const bool too_large = known ? above_at_all(row, weights.corners) &&
                                         std::ranges::all_of(weights.best,
                                                             [&](const Split& each) {
                                                               return above(sd_bounds(row, each));
                                                             })
                                   : above(any);
      const bool too_small = known && below_at_all(row, weights.corners) &&
                             std::ranges::all_of(weights.best, [&](const Split& each) {
                               return below(sd_bounds(row, each));
                             });
      rows.push_back({{"cell", row.whole.path().text()},
                      {"sd", whole.value},
                      {"weighted_sum", known ? Json(bounds.sum) : Json()},
                      {"at_most", bounds.largest},
                      {"at_least", bounds.least}});
      if (!too_large && !too_small) {
        continue;
      }
      const int digits = decimals(whole) + 1;
      Finding finding;
      finding.check = "sd-bound";
      finding.id = "sd-bound:" + row_id(weights, row);
      finding.severity = Severity::inconsistent;
      finding.cells = row.cells;
      finding.doubts = row.cells;
      if (too_large && known) {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but an SD of a weighted mean is at most the weighted sum of "
            "the SDs: {} = {:.{}f}, with rounding at most {:.{}f} against at least {:.{}f}.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            weighted_sum(weights.best.front(), numbers),
            bounds.sum,
            digits,
            bounds.largest,
            digits,
            bounds.low,
            digits);
      } else if (too_large) {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but an SD of a weighted mean is at most the largest of the "
            "SDs "
            "{}, whatever the weights.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            fmt::join(numbers, ", "));
      } else {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but with the weights {} one part's SD outweighs those of the "
            "others ({}): at least {:.{}f} is left, against at most {:.{}f}.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            show(weights.best.front()),
            fmt::join(numbers, ", "),
            bounds.least,
            digits,
            bounds.high,
            digits);
      }
      finding.message +=
          known
              ? " Assumed: the recovered weights, the same in every trial, and SDs over the same "
                "trials with the same divisor (Minkowski's inequality)."
              : " Assumed: the same weights in every trial, and SDs over the same trials with the "
                "same divisor (Minkowski's inequality).";
      finding.values = {{"sd", whole.value},
                        {"at_most", bounds.largest},
                        {"at_least", bounds.least},
                        {"split", known ? Json(weights.best.front()) : Json()}};
      outcome.findings.push_back(std::move(finding));
    }
    tested += here;
    if (here > 0) {
      said.push_back(
          weights.shared
              ? fmt::format("{}: {} against the weights {}{}",
                            group_name(*weights.group),
                            counted(here, "row"),
                            show(weights.best.front()),
                            weights.best.size() > 1
                                ? fmt::format(" and {} that do as well", weights.best.size() - 1)
                                : "")
              : fmt::format("{}: {} against any weights, as none could be recovered",
                            group_name(*weights.group),
                            counted(here, "row")));
    }
  }
  outcome.report = report(
      "sd-bound",
      tested > 0,
      tested > 0
          ? fmt::format("SD of the whole against its parts': at most their weighted sum, at least "
                        "what the largest term leaves of the others (Minkowski's inequality). {}; "
                        "{} outside. Assumed: in every trial the same weights, SDs over the same "
                        "trials with the same divisor.",
                        fmt::join(said, "; "),
                        counted(outcome.findings.size(), "row"))
          : "No row prints the SDs of a whole and all its parts.",
      {{"rows", std::move(rows)}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"sd-bound", 50, run});
}

}  // namespace sar::audit_checks::sd_bound
