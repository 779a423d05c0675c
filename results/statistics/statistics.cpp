#include "results/statistics/statistics.h"

#include "harness/core/error.h"
#include "results/statistics/t_distribution.h"

#include <boost/math/distributions/chi_squared.hpp>
#include <boost/math/distributions/normal.hpp>
#include <boost/math/distributions/students_t.hpp>
#include <boost/math/special_functions/gamma.hpp>
#include <boost/math/tools/roots.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
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

/// The non-centrality that leaves `probability` (up to 1/2) above t, or below t, t >= 0.
double find_non_centrality(double t, double df, double probability, bool above) {
  if (t > 1e12) {  // the normal part vanishes beside delta: T is delta / sqrt(chi2 / df)
    const bm::chi_squared squares(df);
    const double quantile = above ? bm::quantile(squares, probability)
                                  : bm::quantile(bm::complement(squares, probability));
    return t * std::sqrt(quantile / df);
  }
  // On the scale of normal quantiles the probability is nearly linear in delta: few steps suffice.
  const double z = bm::quantile(bm::normal(), probability);
  const auto excess = [&](double delta) {  // falls with delta
    const double reached =
        above ? non_central_t_above(t, df, delta) : non_central_t_below(t, df, delta);
    const double quantile = bm::quantile(bm::normal(), std::clamp(reached, 1e-300, 1 - 1e-16));
    return above ? z - quantile : quantile - z;
  };
  // Normal approximation of delta about t; widened until it brackets the root.
  const double spread = std::hypot(1, t / std::sqrt(2 * df));
  const double guess = above ? t + z * spread : t - z * spread;
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
      excess, low, high, at_low, at_high, bm::tools::eps_tolerance<double>(46), iterations);
  return root.first / 2 + root.second / 2;
}

/// Fills Hedges' g: `scale` turns a t value (or non-centrality) into a standardised difference.
void set_effect(TTest& result, double t, double df, double scale, double alpha) {
  result.has_effect = df >= 2 && std::isfinite(t);
  if (!result.has_effect) {
    return;
  }
  const double factor = small_sample_correction(df) * scale;
  result.hedges_g = factor * t;
  const double low = factor * find_non_centrality(std::abs(t), df, alpha / 2, true);
  const double high = factor * find_non_centrality(std::abs(t), df, alpha / 2, false);
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

double common_df(const Summary& a, const Summary& b) {
  return static_cast<double>(a.n) + b.n - 2;
}

/// A power of two near the larger SD, or 1 if both are zero. Squares of SDs over it neither vanish
/// nor overflow, and such a quotient is exact.
double size_of(double sd_a, double sd_b) {
  const double larger = std::max(sd_a, sd_b);
  return larger > 0 && std::isfinite(larger) ? std::exp2(std::ilogb(larger)) : 1;
}

double reciprocal_root(const Summary& a, const Summary& b) {
  return std::sqrt(1.0 / a.n + 1.0 / b.n);
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

/// What a test of the difference of two means rests on. `reason` says why there is none.
struct Contrast {
  std::string reason;
  double difference = 0;
  double standard_error = 0;
  double df = 0;
};

Contrast contrast(const Summary& a, const Summary& b, bool pooled) {
  Contrast result;
  result.reason = obstacle(a, b);
  if (!result.reason.empty()) {
    return result;
  }
  const double size = size_of(*a.sd, *b.sd);
  const double of_a = (*a.sd / size) * (*a.sd / size) / a.n;
  const double of_b = (*b.sd / size) * (*b.sd / size) / b.n;
  result.difference = a.mean - b.mean;
  result.standard_error =
      pooled ? pooled_sd(a, b) * reciprocal_root(a, b) : size * std::sqrt(of_a + of_b);
  if (result.standard_error == 0) {
    result.reason = "standard error is zero";
  } else if (!std::isfinite(pooled_sd(a, b)) || !std::isfinite(result.standard_error) ||
             !std::isfinite(result.difference / result.standard_error)) {
    result.reason = "not finite";
  } else if (pooled) {
    result.df = common_df(a, b);
  } else {
    // Satterthwaite, written with shares of the variance so that nothing overflows.
    const double share_a = of_a / (of_a + of_b);
    const double share_b = of_b / (of_a + of_b);
    result.df = 1 / (share_a * share_a / (a.n - 1) + share_b * share_b / (b.n - 1));
  }
  return result;
}

TTest two_sample_test(
    const char* name, bool pooled, const Summary& a, const Summary& b, double alpha) {
  require_alpha(alpha);
  TTest result;
  result.test = name;
  const Contrast of = contrast(a, b, pooled);
  result.reason = of.reason;
  if (!result.reason.empty()) {
    return result;
  }
  result.difference = of.difference;
  set_test(result, of.standard_error, of.df, alpha);
  const double scale = reciprocal_root(a, b);
  set_effect(result, of.difference / (pooled_sd(a, b) * scale), common_df(a, b), scale, alpha);
  return result;
}

/// Tests the mean of n differences against 0. `factor` times their variance is the variance of
/// their mean.
void test_differences(TTest& result, const Summary& differences, double factor, double alpha) {
  const double scale = std::sqrt(factor);
  const double standard_error = *differences.sd * scale;
  if (standard_error == 0) {
    result.reason = "standard error is zero";
    return;
  }
  if (!std::isfinite(standard_error) || !std::isfinite(differences.mean / standard_error)) {
    result.reason = "not finite";
    return;
  }
  result.difference = differences.mean;
  set_test(result, standard_error, differences.n - 1, alpha);
  set_effect(result, result.t, result.df, scale, alpha);
}

/// The same from two lists; `overlap` is added to 1/n for the factor.
TTest test_pairs(const char* name,
                 std::span<const double> a,
                 std::span<const double> b,
                 double overlap,
                 double alpha) {
  require_alpha(alpha);
  if (a.size() != b.size()) {
    throw usage_error("a paired test needs lists of equal length")
        .with("lengths", fmt::format("{} and {}", a.size(), b.size()));
  }
  TTest result;
  result.test = name;
  std::vector<double> differences(a.size());
  double size = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    differences[i] = a[i] - b[i];
    if (!std::isfinite(differences[i])) {
      result.reason = "not finite";
      return result;
    }
    size = std::max({size, std::abs(a[i]), std::abs(b[i])});
  }
  const Summary summary = summarise(differences);
  if (summary.n < 2) {
    result.reason = fmt::format("n = {}", summary.n);
    return result;
  }
  // Equal differences of decimal numbers differ by their rounding, up to half a unit of either
  // value; four such units are a choice of ours.
  if (*summary.sd > 0 && *summary.sd <= 4 * std::numeric_limits<double>::epsilon() * size) {
    result.reason = "standard error is below the rounding of the values";
    return result;
  }
  test_differences(result, summary, 1.0 / summary.n + overlap, alpha);
  return result;
}

void require_equivalence_options(double margin, double alpha) {
  require_alpha(alpha);
  if (!(alpha < 0.5)) {
    throw usage_error("alpha of an equivalence test must be below 0.5")
        .with("alpha", fmt::format("{}", alpha));
  }
  if (!(margin > 0 && std::isfinite(margin))) {
    throw usage_error("an equivalence test needs a positive margin")
        .with("margin", fmt::format("{}", margin));
  }
}

}  // namespace

double pooled_variance(double sd_a, int n_a, double sd_b, int n_b) {
  return ((n_a - 1) * sd_a * sd_a + (n_b - 1) * sd_b * sd_b) / (static_cast<double>(n_a) + n_b - 2);
}

double pooled_sd(const Summary& a, const Summary& b) {
  const double size = size_of(*a.sd, *b.sd);
  return size * std::sqrt(pooled_variance(*a.sd / size, a.n, *b.sd / size, b.n));
}

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
  return test_pairs("paired", a, b, 0, alpha);
}

TTest paired_test(const Summary& a, const Summary& b, double correlation, double alpha) {
  require_alpha(alpha);
  if (!(correlation >= -1 && correlation <= 1)) {
    throw usage_error("a correlation must lie between -1 and 1")
        .with("r", fmt::format("{}", correlation));
  }
  if (a.n != b.n) {
    throw usage_error("a paired test needs as many values in one group as in the other")
        .with("n", fmt::format("{} and {}", a.n, b.n));
  }
  TTest result;
  result.test = "paired";
  result.reason = obstacle(a, b);
  if (!result.reason.empty()) {
    return result;
  }
  // The variance of a - b, written so that a correlation near 1 does not cancel.
  const double size = size_of(*a.sd, *b.sd);
  const double of_a = *a.sd / size;
  const double of_b = *b.sd / size;
  const double sd =
      size * std::sqrt((of_a - of_b) * (of_a - of_b) + 2 * (1 - correlation) * of_a * of_b);
  test_differences(result, {a.mean - b.mean, sd, a.n}, 1.0 / a.n, alpha);
  return result;
}

TTest corrected_cv_test(std::span<const double> a,
                        std::span<const double> b,
                        double test_train_ratio,
                        double alpha) {
  if (!(test_train_ratio > 0 && std::isfinite(test_train_ratio))) {
    throw usage_error("the ratio of test to training cases must be positive")
        .with("ratio", fmt::format("{}", test_train_ratio));
  }
  return test_pairs("corrected-cv", a, b, test_train_ratio, alpha);
}

Equivalence equivalence_test(
    const Summary& a, const Summary& b, double margin, bool pooled, double alpha) {
  require_equivalence_options(margin, alpha);
  Equivalence result;
  result.margin = margin;
  const Contrast of = contrast(a, b, pooled);
  result.reason = of.reason;
  if (!result.reason.empty()) {
    return result;
  }
  const bm::students_t distribution(of.df);
  result.testable = true;
  result.difference = of.difference;
  result.df = of.df;
  result.p_above =
      bm::cdf(bm::complement(distribution, (of.difference + margin) / of.standard_error));
  result.p_below = bm::cdf(distribution, (of.difference - margin) / of.standard_error);
  result.p = std::max(result.p_above, result.p_below);
  const double reach = of.standard_error * bm::quantile(bm::complement(distribution, alpha));
  result.ci_low = of.difference - reach;
  result.ci_high = of.difference + reach;
  return result;
}

Equivalence equivalence_test(const Summary& differences, double margin, double alpha) {
  require_equivalence_options(margin, alpha);
  Equivalence result;
  result.margin = margin;
  result.difference = differences.mean;
  if (differences.n < 2 || !differences.sd) {
    result.reason = fmt::format("n = {}", differences.n);
    return result;
  }
  const double error = *differences.sd / std::sqrt(static_cast<double>(differences.n));
  if (error <= 0) {
    result.reason = "standard error is zero";
    return result;
  }
  const bm::students_t distribution(differences.n - 1);
  const auto beyond = [&](double t) { return bm::cdf(bm::complement(distribution, t)); };
  result.testable = true;
  result.df = differences.n - 1;
  result.p_above = beyond((differences.mean + margin) / error);
  result.p_below = beyond((margin - differences.mean) / error);
  result.p = std::max(result.p_above, result.p_below);
  const double reach = error * bm::quantile(bm::complement(distribution, alpha));
  result.ci_low = differences.mean - reach;
  result.ci_high = differences.mean + reach;
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
