#include "results/t_distribution.h"

#include "harness/core/error.h"

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

namespace sar {
namespace {

namespace bm = boost::math;

/// Boost's series takes a number of terms that grows with t; beyond small t its place is taken by
/// integrating over the normal numerator Z,
///   P(T <= t) = P(Z <= -delta) +
///               integral over z > -delta of phi(z) P(chi2 >= df ((z + delta) / t)^2).
bool has_short_series(double t, double df) {
  return t < 20 || t * t < 2 * df;
}

/// Integral over z > -delta of phi(z) tail(df / 2, df / 2 ((z + delta) / t)^2). The tail steps
/// about z = t - delta, as narrowly as chi / sqrt(df) lies about 1.
template <typename Tail>
double integrate_numerator(double t, double df, double delta, const Tail& tail) {
  constexpr double kReach = 12;  // phi(12) is below 1e-31
  const double from = std::max(-delta, -kReach);
  std::vector<double> edges = {from};
  for (double edge = -6; edge <= kReach; edge += 6) {
    edges.push_back(edge);
  }
  for (int step = -6; step <= 6; step += 3) {
    edges.push_back(t - delta + step * t / std::sqrt(2 * df));
  }
  std::sort(edges.begin(), edges.end());
  const auto integrand = [&](double z) {
    const double u = (z + delta) / t;
    return std::exp(-z * z / 2) * tail(df / 2, df / 2 * u * u);
  };
  double sum = 0;
  for (std::size_t i = 1; i < edges.size(); ++i) {
    if (edges[i - 1] >= from && edges[i] <= kReach && edges[i - 1] < edges[i]) {
      // 30 nodes per panel are good to the last digit (see the tests)
      sum += bm::quadrature::gauss<double, 30>::integrate(integrand, edges[i - 1], edges[i]);
    }
  }
  return sum * std::numbers::inv_sqrtpi / std::numbers::sqrt2;
}

}  // namespace

void require_alpha(double alpha) {
  if (!(alpha >= 1e-12 && alpha < 1)) {
    throw usage_error("alpha must lie between 1e-12 and 1").with("alpha", fmt::format("{}", alpha));
  }
}

double non_central_t_below(double t, double df, double delta) {
  if (has_short_series(t, df)) {
    return bm::cdf(bm::non_central_t(df, delta), t);
  }
  const auto tail = [](double a, double x) { return bm::gamma_q(a, x); };
  return bm::cdf(bm::normal(), -delta) + integrate_numerator(t, df, delta, tail);
}

double non_central_t_above(double t, double df, double delta) {
  // With delta < 0 the terms of Boost's series cancel: a small tail would lose its digits.
  constexpr double kTiny = 1e-100;  // squares of (z + delta) / t stay finite above it
  if (t < kTiny || (delta >= 0 && has_short_series(t, df))) {
    return bm::cdf(bm::complement(bm::non_central_t(df, delta), t));
  }
  const auto tail = [](double a, double x) { return bm::gamma_p(a, x); };
  return integrate_numerator(t, df, delta, tail);
}

}  // namespace sar
