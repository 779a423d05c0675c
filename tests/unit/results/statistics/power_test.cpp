#include "results/statistics/power.h"

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "results/statistics/t_distribution.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace {

using sar::test::code_of;

const sar::Json& reference() {
  static const sar::Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/power.json");
  return kReference;
}

}  // namespace

TEST_CASE("power agrees with the reference values") {
  REQUIRE(reference().at("power").size() > 100);
  for (const sar::Json& row : reference().at("power")) {
    INFO(row.dump());
    // Tolerance: both the critical value and the non-central t carry about 1e-13.
    CHECK(sar::student_power(row[0], row[1], row[2], row[3]) ==
          Approx(row[4].get<double>()).epsilon(1e-10));
  }
}

TEST_CASE("the detectable effect agrees with the reference values and has the power asked for") {
  for (const sar::Json& row : reference().at("detectable")) {
    INFO(row.dump());
    const double effect = sar::detectable_effect(row[0], row[1], row[2], row[3]);
    CHECK(effect == Approx(row[4].get<double>()).epsilon(1e-10));
    CHECK(sar::student_power(effect, row[0], row[1], row[3]) ==
          Approx(row[2].get<double>()).epsilon(1e-10));
  }
}

TEST_CASE("the trials needed agree with the reference values, and one fewer is too few") {
  for (const sar::Json& row : reference().at("trials")) {
    INFO(row.dump());
    const double effect = row[0];
    const double power = row[1];
    const double alpha = row[2];
    const int needed = row[3];
    CHECK(sar::trials_needed(effect, power, alpha) == needed);
    CHECK(sar::trials_needed(-effect, power, alpha) == needed);
    CHECK(sar::trials_needed(effect, power, alpha, needed) == needed);
    if (needed > 2) {
      CHECK_FALSE(sar::trials_needed(effect, power, alpha, needed - 1).has_value());
    }
  }
}

TEST_CASE("power of the textbook's example") {
  // Cohen (1988), table 2.3.5: d = 0.50 and n = 64 at two-sided alpha = .05 give power .80.
  CHECK(std::round(100 * sar::student_power(0.5, 64, 64, 0.05)) == 80);
  CHECK(sar::trials_needed(0.5, 0.8, 0.05) == 64);
}

TEST_CASE("without a difference power is alpha, and no number of trials is enough") {
  for (const double alpha : {1e-12, 0.05, 0.5, 0.99}) {
    CHECK(sar::student_power(0, 5, 7, alpha) == Approx(alpha).epsilon(1e-10));
  }
  CHECK_FALSE(sar::trials_needed(0, 0.8, 0.05).has_value());
  CHECK_FALSE(sar::trials_needed(1e-6, 0.8, 0.05).has_value());  // more than a million
  CHECK_FALSE(sar::trials_needed(1, 0.8, 0.05, 1).has_value());
}

TEST_CASE("power grows with the difference up to 1 and stays there") {
  for (const int n : {2, 5, 1000, 1'000'000}) {
    for (const double alpha : {1e-12, 0.001, 0.05}) {
      double last = 0;
      for (double effect = 1e-6; effect < 1e300; effect *= 3) {
        const double power = sar::student_power(effect, n, n, alpha);
        INFO(n << " " << alpha << " " << effect);
        REQUIRE(power >= last - 1e-12);  // rounding of values near 1 or near alpha
        REQUIRE(power <= 1);
        CHECK(power == sar::student_power(-effect, n, n, alpha));
        last = power;
      }
      CHECK(last == 1);
    }
  }
}

TEST_CASE("a power barely above alpha and one barely below 1 have their effects") {
  CHECK(sar::detectable_effect(5, 5, std::nextafter(0.05, 1.0), 0.05) < 1e-6);
  const double nearly = std::nextafter(1.0, 0.0);
  const double effect = sar::detectable_effect(5, 5, nearly, 0.05);
  CHECK(effect > sar::detectable_effect(5, 5, 0.999999, 0.05));
  CHECK(effect < 20);
}

TEST_CASE("impossible requests of power are usage errors") {
  const double missing = std::numeric_limits<double>::quiet_NaN();
  const double infinity = std::numeric_limits<double>::infinity();
  constexpr auto kUsage = sar::ExitCode::usage;
  CHECK(code_of([] { sar::student_power(1, 1, 5, 0.05); }) == kUsage);
  CHECK(code_of([] { sar::student_power(1, 5, 0, 0.05); }) == kUsage);
  CHECK(code_of([] { sar::detectable_effect(5, 1, 0.8, 0.05); }) == kUsage);
  for (const double effect : {missing, infinity, -infinity}) {
    CHECK(code_of([&] { sar::student_power(effect, 5, 5, 0.05); }) == kUsage);
    CHECK(code_of([&] { sar::trials_needed(effect, 0.8, 0.05); }) == kUsage);
  }
  for (const double alpha : {0.0, 1.0, -0.1, 1e-13, missing}) {
    CHECK(code_of([&] { sar::student_power(1, 5, 5, alpha); }) == kUsage);
    CHECK(code_of([&] { sar::detectable_effect(5, 5, 0.8, alpha); }) == kUsage);
    CHECK(code_of([&] { sar::trials_needed(1, 0.8, alpha); }) == kUsage);
  }
  for (const double power : {0.05, 0.01, 1.0, 1.5, missing}) {
    CHECK(code_of([&] { sar::detectable_effect(5, 5, power, 0.05); }) == kUsage);
    CHECK(code_of([&] { sar::trials_needed(1, power, 0.05); }) == kUsage);
  }
}

TEST_CASE("tails of the non-central t keep their digits") {
  const sar::Json rows =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/statistics.json").at("tails");
  REQUIRE(rows.size() > 100);
  for (const sar::Json& row : rows) {
    INFO(row.dump());
    const double delta = row[2];
    // Tolerance: delta itself is rounded, which in a far tail costs as many digits as the tail has.
    if (!row[3].is_null()) {
      CHECK(sar::non_central_t_above(row[0], row[1], delta) ==
            Approx(row[3].get<double>()).epsilon(1e-11));
    }
    if (!row[4].is_null() && delta >= 0) {
      CHECK(sar::non_central_t_below(row[0], row[1], delta) ==
            Approx(row[4].get<double>()).epsilon(1e-11));
    }
  }
}
