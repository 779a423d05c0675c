#include "results/statistics/rounding_box.h"

#include "results/statistics/statistics.h"

#include <boost/math/distributions/students_t.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <optional>

namespace sar {
namespace rounding_box_detail {

namespace bm = boost::math;

double two_sided_p(double t, double df) {
  return std::min(1.0, 2 * bm::cdf(bm::complement(bm::students_t(df), std::abs(t))));
}

Range sd_range(const RoundedSummary& summary) {
  return {std::max(0.0, summary.sd - summary.sd_half_unit),
          std::max(0.0, summary.sd + summary.sd_half_unit)};
}

/// Variance of the difference of the means, pooled or not.
double variance(bool pooled, double sd_a, int n_a, double sd_b, int n_b) {
  if (!pooled) {
    return sd_a * sd_a / n_a + sd_b * sd_b / n_b;
  }
  return pooled_variance(sd_a, n_a, sd_b, n_b) * (1.0 / n_a + 1.0 / n_b);
}

/// Satterthwaite's degrees of freedom; empty if both SDs are 0.
std::optional<double> satterthwaite(double sd_a, int n_a, double sd_b, int n_b) {
  const double a = sd_a * sd_a / n_a;
  const double b = sd_b * sd_b / n_b;
  if (!(a + b > 0)) {
    return {};
  }
  const double share = a / (a + b);
  return 1 / (share * share / (n_a - 1) + (1 - share) * (1 - share) / (n_b - 1));
}

/// `largest`: variance of the difference that is still significant, times n.
double correlation(double sd_a, double sd_b, double largest) {
  constexpr double kInfinite = std::numeric_limits<double>::infinity();
  const double excess = sd_a * sd_a + sd_b * sd_b - largest;
  if (!(sd_a * sd_b > 0)) {  // one group does not vary: the correlation does not matter
    return excess > 0 ? kInfinite : -kInfinite;
  }
  return excess / (2 * sd_a * sd_b);
}

}  // namespace rounding_box_detail

Range p_bounds(const RoundedSummary& a, const RoundedSummary& b, bool pooled) {
  using namespace rounding_box_detail;
  const double difference = std::abs(a.mean - b.mean);
  const double slack = a.mean_half_unit + b.mean_half_unit;
  // Printed numbers that differ by just the slack may be equal: not in double arithmetic.
  const double nearest = difference - slack > 1e-9 ? difference - slack : 0.0;
  const double farthest = difference + slack;
  const Range sd_a = sd_range(a);
  const Range sd_b = sd_range(b);
  double least_df = a.n + b.n - 2;
  double most_df = least_df;
  if (!pooled) {
    const auto one = satterthwaite(sd_a.low, a.n, sd_b.high, b.n);
    const auto other = satterthwaite(sd_a.high, a.n, sd_b.low, b.n);
    const auto weight = [](double sd, int n) { return sd * sd / (n * (n - 1.0)); };
    const bool ridge = weight(sd_a.low, a.n) <= weight(sd_b.high, b.n) &&
                       weight(sd_b.low, b.n) <= weight(sd_a.high, a.n);
    const double all = a.n + b.n - 2;
    least_df = std::min(one.value_or(all), other.value_or(all));
    most_df = ridge ? all : std::max(one.value_or(least_df), other.value_or(least_df));
  }
  const double most = variance(pooled, sd_a.high, a.n, sd_b.high, b.n);
  const double least = variance(pooled, sd_a.low, a.n, sd_b.low, b.n);
  Range range;
  range.high = nearest > 0 && most > 0 ? two_sided_p(nearest / std::sqrt(most), least_df)
               : nearest > 0           ? 0.0
                                       : 1.0;
  range.low =
      least > 0 ? two_sided_p(farthest / std::sqrt(least), most_df) : (farthest > 0 ? 0.0 : 1.0);
  return range;
}

NeededCorrelation needed_correlation(const RoundedSummary& a,
                                     const RoundedSummary& b,
                                     double alpha) {
  using namespace rounding_box_detail;
  const double quantile = bm::quantile(bm::complement(bm::students_t(a.n - 1), alpha / 2));
  const auto largest = [&](double difference) {
    return a.n * difference * difference / (quantile * quantile);
  };
  const double difference = std::abs(a.mean - b.mean);
  const double slack = a.mean_half_unit + b.mean_half_unit;
  NeededCorrelation needed;
  needed.as_printed = correlation(std::max(0.0, a.sd), std::max(0.0, b.sd), largest(difference));
  needed.range = {needed.as_printed, needed.as_printed};
  const Range sd_a = sd_range(a);
  const Range sd_b = sd_range(b);
  const auto include = [&](double one, double other, double limit) {
    const double r = correlation(one, other, limit);
    needed.range.low = std::min(needed.range.low, r);
    needed.range.high = std::max(needed.range.high, r);
  };
  for (const double limit :
       {largest(std::max(0.0, difference - slack)), largest(difference + slack)}) {
    for (const double one : {sd_a.low, sd_a.high}) {
      for (const double other : {sd_b.low, sd_b.high}) {
        include(one, other, limit);
      }
    }
    // With one SD fixed it is least where the square of the other is that of the first less the
    // limit.
    for (const double fixed : {sd_a.low, sd_a.high}) {
      const double lowest = std::sqrt(std::max(0.0, fixed * fixed - limit));
      include(fixed, std::clamp(lowest, sd_b.low, sd_b.high), limit);
    }
    for (const double fixed : {sd_b.low, sd_b.high}) {
      const double lowest = std::sqrt(std::max(0.0, fixed * fixed - limit));
      include(std::clamp(lowest, sd_a.low, sd_a.high), fixed, limit);
    }
  }
  return needed;
}

}  // namespace sar
