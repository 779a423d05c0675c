#include "results/statistics/t_distribution.h"

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

/// Double precision throughout: Boost would otherwise compute in long double, three times as long.
using Fast = bm::policies::policy<bm::policies::promote_double<false>>;

/// Boost's series takes a number of terms that grows with t, and its terms cancel where delta < 0.
/// Elsewhere its place is taken by integrating over the normal numerator Z,
///   P(T <= t) = P(Z <= -delta) +
///               integral over z > -delta of phi(z) P(chi2 >= df ((z + delta) / t)^2).
bool has_short_series(double t, double delta) {
  return t < 20 && delta >= 0 && delta < 1000;
}

/// Share of a chi-square with df degrees of freedom below (or above) df u^2. Chernoff's bound keeps
/// Boost from far tails, where it overflows.
double chi_square_share(double df, double u, bool below) {
  const bool nothing = df / 2 * (1 - u * u + 2 * std::log(u)) < -690;  // below 1e-299
  if (nothing) {
    return (u < 1) == below ? 0 : 1;
  }
  return below ? bm::gamma_p(df / 2, df / 2 * u * u, Fast())
               : bm::gamma_q(df / 2, df / 2 * u * u, Fast());
}

/// Integral over z > -delta of phi(z) times the chi-square's share below (or above) df ((z + delta)
/// / t)^2. The share steps about z = t - delta, as narrowly as chi / sqrt(df) lies about 1.
double integrate_numerator(double t, double df, double delta, bool below) {
  constexpr double kReach = 12;  // phi(12) is below 1e-31
  const double from = std::max(-delta, -kReach);
  std::vector<double> edges = {from};
  for (double edge = -6; edge <= kReach; edge += 6) {
    edges.push_back(edge);
  }
  for (int step = -9; step <= 9; step += 3) {
    edges.push_back(t - delta + step * t / std::sqrt(2 * df));
  }
  std::sort(edges.begin(), edges.end());
  const auto integrand = [&](double z) {
    return std::exp(-z * z / 2) * chi_square_share(df, (z + delta) / t, below);
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
  if (delta < 0) {
    return 1 - non_central_t_above(t, df, delta);  // at least a half
  }
  if (has_short_series(t, delta)) {
    return bm::cdf(bm::non_central_t_distribution<double, Fast>(df, delta), t);
  }
  return bm::cdf(bm::normal(), -delta) + integrate_numerator(t, df, delta, false);
}

double non_central_t_above(double t, double df, double delta) {
  if (has_short_series(t, delta) && t < delta + 3) {  // a smaller tail would lose digits
    return bm::cdf(bm::complement(bm::non_central_t_distribution<double, Fast>(df, delta), t));
  }
  if (t < 1e-100) {  // squares of (z + delta) / t stay finite above it
    return bm::cdf(bm::normal(), delta);
  }
  return integrate_numerator(t, df, delta, true);
}

}  // namespace sar
