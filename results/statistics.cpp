#include "results/statistics.h"

#include "harness/core/error.h"

#include <boost/math/distributions/non_central_t.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/quadrature/gauss.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/roots.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>

namespace sar {
namespace {

namespace bm = boost::math;

/// Hedges' exact small-sample correction J(df); L. V. Hedges, "Distribution theory for Glass's
/// estimator of effect size", J. Educ. Stat. 6 (1981). df >= 2.
double small_sample_correction(double df) {
  const double gamma_ratio = bm::tgamma_delta_ratio((df - 1) / 2, 0.5);  // of (df-1)/2 over df/2
  return 1 / (gamma_ratio * std::sqrt(df / 2));
}

/// P(T <= t) of the non-central t distribution, t >= 0. Boost's series takes a number of terms that
/// grows with t; beyond small t its place is taken by integrating over the normal numerator Z,
///   P = P(Z <= -delta) + integral over z > -delta of phi(z) P(chi2 >= df ((z + delta) / t)^2),
/// whose integrand is smooth as long as the chi-square part is not narrow against 1.
double non_central_t_cdf(double t, double df, double delta) {
  if (t < 20 || t * t < 2 * df) {
    return bm::cdf(bm::non_central_t(df, delta), t);
  }
  constexpr double kReach = 12;  // phi(12) is below 1e-31
  constexpr int kPanels = 4;     // with 30 nodes each, good to the last digit (see the tests)
  const double from = std::max(-delta, -kReach);
  double sum = bm::cdf(bm::normal(), -delta);
  const auto integrand = [&](double z) {
    const double u = (z + delta) / t;
    return std::exp(-z * z / 2) * bm::gamma_q(df / 2, df / 2 * u * u);
  };
  for (int panel = 0; panel < kPanels && from < kReach; ++panel) {
    const double width = (kReach - from) / kPanels;
    sum += bm::quadrature::gauss<double, 30>::integrate(
               integrand, from + panel * width, from + (panel + 1) * width) *
           std::numbers::inv_sqrtpi / std::numbers::sqrt2;
  }
  return sum;
}

/// The non-centrality for which P(T <= t) = probability, t >= 0.
double find_non_centrality(double t, double df, double probability) {
  // Normal approximation of delta about t; widened until it brackets the root.
  const double spread = std::sqrt(1 + t * t / (2 * df));
  const double guess = t - bm::quantile(bm::normal(), probability) * spread;
  const auto excess = [&](double delta) { return non_central_t_cdf(t, df, delta) - probability; };
  double low = guess - spread / 4;
  double high = guess + spread / 4;
  double at_low = excess(low);
  double at_high = excess(high);
  for (double step = spread / 2; at_low < 0; step *= 2) {
    high = low;
    at_high = at_low;
    low -= step;
    at_low = excess(low);
  }
  for (double step = spread / 2; at_high > 0; step *= 2) {
    low = high;
    at_low = at_high;
    high += step;
    at_high = excess(high);
  }
  std::uintmax_t iterations = 200;
  const auto root = bm::tools::toms748_solve(
      excess, low, high, at_low, at_high, bm::tools::eps_tolerance<double>(50), iterations);
  return root.first / 2 + root.second / 2;
}

/// Fills Hedges' g: `scale` turns a t value (or non-centrality) into a standardised difference.
void set_effect(TTest& result, double t, double df, double scale, double alpha) {
  result.has_effect = df >= 2;
  if (!result.has_effect) {
    return;
  }
  const double factor = small_sample_correction(df) * scale;
  result.hedges_g = factor * t;
  const double low = factor * find_non_centrality(std::abs(t), df, 1 - alpha / 2);
  const double high = factor * find_non_centrality(std::abs(t), df, alpha / 2);
  result.g_low = t < 0 ? -high : low;
  result.g_high = t < 0 ? -low : high;
}

void set_test(TTest& result, double standard_error, double df, double alpha) {
  const bm::students_t distribution(df);
  result.testable = true;
  result.df = df;
  result.t = result.difference / standard_error;
  result.p = std::min(1.0, 2 * bm::cdf(bm::complement(distribution, std::abs(result.t))));
  const double reach = standard_error * bm::quantile(bm::complement(distribution, alpha / 2));
  result.ci_low = result.difference - reach;
  result.ci_high = result.difference + reach;
}

/// A standard error below the rounding of the means is no spread at all.
bool is_zero(double standard_error, double scale) {
  constexpr double kRounding = 1e-14;
  return standard_error <= kRounding * scale;
}

void require_alpha(double alpha) {
  if (!(alpha > 0 && alpha < 1)) {
    throw usage_error("alpha must lie between 0 and 1").with("alpha", fmt::format("{}", alpha));
  }
}

/// Why two samples cannot be compared, or an empty text.
std::string obstacle(const Summary& a, const Summary& b) {
  for (const Summary& group : {a, b}) {
    if (group.n < 0 || (group.sd && *group.sd < 0)) {
      throw usage_error("n and standard deviation must not be negative");
    }
    if (group.n < 2) {
      return fmt::format("n = {}", group.n);
    }
    if (!group.sd) {
      return "no standard deviation";
    }
    if (!std::isfinite(group.mean) || !std::isfinite(*group.sd)) {
      return "not finite";
    }
  }
  return "";
}

TTest two_sample_test(
    const char* name, bool pooled, const Summary& a, const Summary& b, double alpha) {
  require_alpha(alpha);
  TTest result;
  result.test = name;
  result.reason = obstacle(a, b);
  if (!result.reason.empty()) {
    return result;
  }
  const double pooled_df = a.n + b.n - 2;
  const double pooled_sd =
      std::sqrt(((a.n - 1) * *a.sd * *a.sd + (b.n - 1) * *b.sd * *b.sd) / pooled_df);
  const double reciprocal = std::sqrt(1.0 / a.n + 1.0 / b.n);
  const double of_a = *a.sd * *a.sd / a.n;
  const double of_b = *b.sd * *b.sd / b.n;
  const double standard_error = pooled ? pooled_sd * reciprocal : std::sqrt(of_a + of_b);
  const double difference = a.mean - b.mean;
  if (is_zero(standard_error, std::max(std::abs(a.mean), std::abs(b.mean)))) {
    result.reason = "standard error is zero";
    return result;
  }
  if (!std::isfinite(standard_error) || !std::isfinite(difference / standard_error)) {
    result.reason = "not finite";
    return result;
  }
  // Satterthwaite, written with shares of the variance so that nothing overflows.
  const double share_a = of_a / (of_a + of_b);
  const double share_b = of_b / (of_a + of_b);
  const double satterthwaite_df =
      1 / (share_a * share_a / (a.n - 1) + share_b * share_b / (b.n - 1));
  result.difference = difference;
  set_test(result, standard_error, pooled ? pooled_df : satterthwaite_df, alpha);
  set_effect(result, difference / (pooled_sd * reciprocal), pooled_df, reciprocal, alpha);
  return result;
}

}  // namespace

Summary summarise(std::span<const double> values) {
  for (const double value : values) {
    if (!std::isfinite(value)) {
      throw data_error("a value is not finite").with("value", fmt::format("{}", value));
    }
  }
  Summary result;
  result.n = static_cast<int>(values.size());
  if (values.empty()) {
    return result;
  }
  const auto [least, largest] = std::minmax_element(values.begin(), values.end());
  if (*least == *largest) {
    result.mean = *least;
    if (result.n > 1) {
      result.sd = 0.0;
    }
    return result;
  }
  const auto n = static_cast<double>(result.n);
  result.mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double squares = 0;
  double rest = 0;  // what rounding left in the mean
  for (const double value : values) {
    squares += (value - result.mean) * (value - result.mean);
    rest += value - result.mean;
  }
  result.sd = std::sqrt((squares - rest * rest / n) / (n - 1));
  return result;
}

TTest student_test(const Summary& a, const Summary& b, double alpha) {
  return two_sample_test("student", true, a, b, alpha);
}

TTest welch_test(const Summary& a, const Summary& b, double alpha) {
  return two_sample_test("welch", false, a, b, alpha);
}

TTest paired_test(std::span<const double> a, std::span<const double> b, double alpha) {
  require_alpha(alpha);
  if (a.size() != b.size()) {
    throw usage_error("a paired test needs lists of equal length")
        .with("lengths", fmt::format("{} and {}", a.size(), b.size()));
  }
  TTest result;
  result.test = "paired";
  std::vector<double> differences(a.size());
  double scale = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = a[i] - b[i];
    if (!std::isfinite(differences[i])) {
      result.reason = "not finite";
      return result;
    }
    scale = std::max({scale, std::abs(a[i]), std::abs(b[i])});
  }
  const Summary summary = summarise(differences);
  if (summary.n < 2) {
    result.reason = fmt::format("n = {}", summary.n);
    return result;
  }
  const double root_n = std::sqrt(static_cast<double>(summary.n));
  const double standard_error = *summary.sd / root_n;
  if (is_zero(standard_error, scale)) {
    result.reason = "standard error is zero";
    return result;
  }
  result.difference = summary.mean;
  set_test(result, standard_error, summary.n - 1, alpha);
  set_effect(result, result.t, result.df, 1 / root_n, alpha);
  return result;
}

std::vector<double> adjust(std::span<const double> p, const std::string& correction) {
  for (const double value : p) {
    if (!(value >= 0 && value <= 1)) {
      throw usage_error("a p value must lie between 0 and 1").with("p", fmt::format("{}", value));
    }
  }
  std::vector<double> adjusted(p.begin(), p.end());
  if (correction == "none") {
    return adjusted;
  }
  if (correction != "holm" && correction != "bh") {
    throw usage_error("unknown correction: " + correction).hint("use none, holm or bh");
  }
  const std::size_t m = p.size();
  std::vector<std::size_t> order(m);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(
      order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return p[i] < p[j]; });
  if (correction == "holm") {
    double largest = 0;
    for (std::size_t rank = 0; rank < m; ++rank) {
      const double factor = static_cast<double>(m - rank);
      largest = std::max(largest, std::min(1.0, factor * p[order[rank]]));
      adjusted[order[rank]] = largest;
    }
  } else {
    double least = 1;
    for (std::size_t rank = m; rank > 0; --rank) {
      const double factor = static_cast<double>(m) / static_cast<double>(rank);
      least = std::min(least, factor * p[order[rank - 1]]);
      adjusted[order[rank - 1]] = least;
    }
  }
  return adjusted;
}

std::string format_p(double p) {
  if (p < 1e-300) {
    return "<1e-300";
  }
  return p < 0.001 ? fmt::format("{:.1e}", p) : fmt::format("{:.3f}", p);
}

}  // namespace sar
