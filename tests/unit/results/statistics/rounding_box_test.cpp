#include "results/statistics/rounding_box.h"

#include "results/statistics/statistics.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <vector>

namespace sar::rounding_box_test {

/// Means and SDs in the closed box of a printed pair, its corners among them.
std::vector<RoundedSummary> inside(const RoundedSummary& printed) {
  std::vector<RoundedSummary> list;
  for (const double mean : {-1.0, -0.4, 0.0, 0.7, 1.0}) {
    for (const double sd : {-1.0, -0.3, 0.0, 0.6, 1.0}) {
      list.push_back({printed.mean + mean * printed.mean_half_unit,
                      0,
                      std::max(0.0, printed.sd + sd * printed.sd_half_unit),
                      0,
                      printed.n});
    }
  }
  return list;
}

const std::vector<std::pair<RoundedSummary, RoundedSummary>> kPairs{
    {{83.03, 0.005, 3.14, 0.005, 5}, {84.92, 0.005, 1.62, 0.005, 5}},
    {{70.1, 0.05, 1.0, 0.05, 3}, {72.3, 0.05, 1.1, 0.05, 7}},
    {{70, 0.5, 1, 0.5, 5}, {73, 0.5, 1, 0.5, 5}},
    {{70, 0.5, 0, 0.5, 4}, {71, 0.5, 2, 0.5, 6}},
    {{50.0, 0.05, 4.0, 0.05, 5}, {60.0, 0.05, 0.1, 0.05, 5}}};

TEST_CASE("no numbers that round to the printed ones give a p outside its bounds") {
  for (const auto& [a, b] : kPairs) {
    for (const bool pooled : {true, false}) {
      const Range bounds = p_bounds(a, b, pooled);
      double least = 1;
      double most = 0;
      for (const RoundedSummary& one : inside(a)) {
        for (const RoundedSummary& other : inside(b)) {
          const Summary first{one.mean, one.sd, one.n};
          const Summary second{other.mean, other.sd, other.n};
          const TTest test = pooled ? student_test(first, second) : welch_test(first, second);
          if (test.testable) {
            least = std::min(least, test.p);
            most = std::max(most, test.p);
          }
        }
      }
      INFO(a.mean << " " << b.mean << " " << pooled);
      CHECK(bounds.low <= least * (1 + 1e-9));
      CHECK(bounds.high >= most * (1 - 1e-9));
      if (pooled && a.sd > 0) {  // attained
        CHECK(bounds.low == Approx(least).epsilon(1e-9));
        CHECK(bounds.high == Approx(most).epsilon(1e-9));
      }
    }
  }
}

TEST_CASE("the needed correlation is known as far as the printed digits go") {
  for (const auto& [a, b] : kPairs) {
    const NeededCorrelation needed = needed_correlation(a, b, 0.05);
    CHECK(needed.range.low <= needed.as_printed);
    CHECK(needed.as_printed <= needed.range.high);
    for (const RoundedSummary& one : inside(a)) {
      for (const RoundedSummary& other : inside(b)) {
        const double r = needed_correlation(one, other, 0.05).as_printed;
        INFO(a.mean << " " << b.mean << " " << r);
        CHECK(needed.range.low <= r + 1e-9);
        CHECK(r - 1e-9 <= needed.range.high);
      }
    }
  }
  // By hand, t(4) at 0.975 = 2.776445: (3.14² + 1.62² - 5 × 1.89² / 2.776445²) / (2 × 3.14 × 1.62)
  // = (9.8596 + 2.6244 - 2.31693) / 10.1736 = 0.99936, which half a unit takes over 1.
  const NeededCorrelation straddling = needed_correlation(kPairs[0].first, kPairs[0].second, 0.05);
  CHECK(straddling.as_printed == Approx(0.99936).epsilon(1e-4));
  CHECK(straddling.range.low < 1);
  CHECK(straddling.range.high > 1);
}

}  // namespace sar::rounding_box_test
