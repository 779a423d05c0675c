#include "results/statistics/power.h"

#include "harness/core/error.h"
#include "results/statistics/t_distribution.h"

#include <boost/math/distributions/students_t.hpp>
#include <boost/math/tools/roots.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sar {
namespace {

namespace bm = boost::math;

void require_groups(double n_a, double n_b) {
  if (n_a < 2 || n_b < 2) {
    throw usage_error("power needs two values per group")
        .with("n", fmt::format("{} and {}", n_a, n_b));
  }
}

void require_effect(double effect) {
  if (!std::isfinite(effect)) {
    throw usage_error("the standardised difference must be finite")
        .with("effect", fmt::format("{}", effect));
  }
}

void require_power(double power, double alpha) {
  if (!(power > alpha && power < 1)) {
    throw usage_error("power must lie between alpha and 1").with("power", fmt::format("{}", power));
  }
}

/// Student's two-sided test of n_a against n_b values.
struct StudentDesign {
  double df = 0;
  double critical = 0;        ///< t beyond which the test rejects
  double non_centrality = 0;  ///< of a standardised difference of 1

  StudentDesign(double n_a, double n_b, double alpha)
      : df(n_a + n_b - 2),
        critical(bm::quantile(bm::complement(bm::students_t(df), alpha / 2))),
        non_centrality(1 / std::sqrt(1 / n_a + 1 / n_b)) {}

  /// A non-centrality at which the test rejects in every digit: the denominator of t would have to
  /// reach 20 times its typical size, or the numerator fall 20 SDs short.
  [[nodiscard]] bool is_certain(double delta) const { return delta > 20 * (critical + 1); }

  [[nodiscard]] double power(double effect) const {
    const double delta = std::abs(effect) * non_centrality;
    return is_certain(delta) ? 1
                             : std::min(1.0,
                                        non_central_t_above(critical, df, delta) +
                                            non_central_t_above(critical, df, -delta));
  }
  /// 1 - power, with all its digits.
  [[nodiscard]] double miss(double effect) const {
    const double delta = std::abs(effect) * non_centrality;
    return is_certain(delta) ? 0
                             : non_central_t_below(critical, df, delta) -
                                   non_central_t_above(critical, df, -delta);
  }
};

}  // namespace

double student_power(double effect, int n_a, int n_b, double alpha) {
  require_effect(effect);
  require_groups(n_a, n_b);
  require_alpha(alpha);
  return StudentDesign(n_a, n_b, alpha).power(effect);
}

double detectable_effect(int n_a, int n_b, double power, double alpha) {
  require_groups(n_a, n_b);
  require_alpha(alpha);
  require_power(power, alpha);
  const StudentDesign test(n_a, n_b, alpha);
  const auto excess = [&](double effect) { return (1 - power) - test.miss(effect); };
  double low = 0;
  double at_low = excess(low);
  if (at_low >= 0) {
    return 0;  // power is alpha up to rounding
  }
  double high = (test.critical + 1) / test.non_centrality;
  double at_high = excess(high);
  while (at_high < 0) {
    low = high;
    at_low = at_high;
    high *= 2;
    at_high = excess(high);
  }
  std::uintmax_t iterations = 200;
  const auto root = bm::tools::toms748_solve(
      excess, low, high, at_low, at_high, bm::tools::eps_tolerance<double>(50), iterations);
  return root.first / 2 + root.second / 2;
}

std::optional<int> trials_needed(double effect, double power, double alpha, int most) {
  require_effect(effect);
  require_alpha(alpha);
  require_power(power, alpha);
  const auto suffices = [&](int n) { return StudentDesign(n, n, alpha).power(effect) >= power; };
  if (effect == 0 || most < 2) {
    return std::nullopt;
  }
  int enough = 2;
  int too_few = 1;
  while (!suffices(enough)) {
    if (enough == most) {
      return std::nullopt;
    }
    too_few = enough;
    enough = enough > most / 2 ? most : 2 * enough;
  }
  while (enough - too_few > 1) {
    const int middle = too_few + (enough - too_few) / 2;
    (suffices(middle) ? enough : too_few) = middle;
  }
  return enough;
}

}  // namespace sar
