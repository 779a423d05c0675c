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

namespace sar {
namespace {

namespace bm = boost::math;

/// Boost's series takes a number of terms that grows with t; beyond small t its place is taken by
/// integrating over the normal numerator Z,
///   P(T <= t) = P(Z <= -delta) + integral over z > -delta of phi(z) P(chi2 >= df ((z + delta) /
///   t)^2),
/// whose integrand is smooth as long as the chi-square part is not narrow against 1.
bool has_short_series(double t, double df) {
  return t < 20 || t * t < 2 * df;
}

/// Integral over z > -delta of phi(z) tail(df / 2, df / 2 ((z + delta) / t)^2).
template <typename Tail>
double integrate_numerator(double t, double df, double delta, const Tail& tail) {
  constexpr double kReach = 12;  // phi(12) is below 1e-31
  constexpr int kPanels = 4;     // with 30 nodes each, good to the last digit (see the tests)
  const double from = std::max(-delta, -kReach);
  const auto integrand = [&](double z) {
    const double u = (z + delta) / t;
    return std::exp(-z * z / 2) * tail(df / 2, df / 2 * u * u);
  };
  double sum = 0;
  for (int panel = 0; panel < kPanels && from < kReach; ++panel) {
    const double width = (kReach - from) / kPanels;
    sum += bm::quadrature::gauss<double, 30>::integrate(
        integrand, from + panel * width, from + (panel + 1) * width);
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
  if (has_short_series(t, df)) {
    return bm::cdf(bm::complement(bm::non_central_t(df, delta), t));
  }
  const auto tail = [](double a, double x) { return bm::gamma_p(a, x); };
  return integrate_numerator(t, df, delta, tail);
}

}  // namespace sar
