#include "results/statistics.h"

#include "harness/core/error.h"
#include "harness/core/json.h"

#include <catch2/catch.hpp>

#include <array>
#include <cmath>
#include <limits>

namespace {

using sar::Json;
using sar::Summary;
using sar::TTest;

const Json& reference() {
  static const Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/ttest.json");
  return kReference;
}

/// Relative agreement; values that are zero up to rounding are compared with the given scale.
bool agrees(double value, double expected, double tolerance, double scale = 0) {
  return std::abs(value - expected) <= tolerance * std::max(std::abs(expected), scale);
}

/// Tolerance 1e-10: both sides compute in double precision with about 1e-13 of error; in far tails
/// the error of log p grows with its size (p = 1e-300 has log p = -690).
constexpr double kTolerance = 1e-10;

void check_test(const TTest& test, const Json& expected) {
  CHECK(test.testable);
  CHECK(agrees(test.t, expected[0], kTolerance));
  CHECK(agrees(test.df, expected[1], kTolerance));
  CHECK(agrees(test.p, expected[2], kTolerance));
  if (!expected[3].is_null()) {
    CHECK(
        agrees(test.p, expected[3], 2 * kTolerance));  // SciPy's own p is within 1e-10 of the exact
  }
  // A bound of the interval may lie near zero: its error is that of its two terms.
  const double scale = std::abs(test.difference) + (test.ci_high - test.ci_low) / 2;
  CHECK(agrees(test.ci_low, expected[4], kTolerance, scale));
  CHECK(agrees(test.ci_high, expected[5], kTolerance, scale));
}

void check_effect(const TTest& test, const Json& expected) {
  REQUIRE(test.has_effect == !expected[0].is_null());
  if (test.has_effect) {
    const double scale = std::abs(test.hedges_g) + (test.g_high - test.g_low) / 2;
    CHECK(agrees(test.hedges_g, expected[0], kTolerance));
    CHECK(agrees(test.g_low, expected[1], kTolerance, scale));
    CHECK(agrees(test.g_high, expected[2], kTolerance, scale));
  }
}

}  // namespace

TEST_CASE("Student's and Welch's tests agree with the reference values") {
  const Json& cases = reference().at("two_sample_cases");
  REQUIRE(cases.size() > 200);
  for (const Json& row : cases) {
    INFO(row.dump());
    const Summary a{row[0], row[1].get<double>(), row[2]};
    const Summary b{row[3], row[4].get<double>(), row[5]};
    const TTest student = sar::student_test(a, b, row[6]);
    const TTest welch = sar::welch_test(a, b, row[6]);
    CHECK(student.test == "student");
    CHECK(welch.test == "welch");
    check_test(student, row[7]);
    check_test(welch, row[8]);
    check_effect(student, row[9]);
    check_effect(welch, row[9]);
  }
}

TEST_CASE("the paired test agrees with the reference values") {
  for (const Json& row : reference().at("paired_cases")) {
    INFO(row.dump());
    const std::vector<double> a = row[0];
    const std::vector<double> b = row[1];
    const TTest paired = sar::paired_test(a, b, row[2]);
    CHECK(paired.test == "paired");
    check_test(paired, row[3]);
    check_effect(paired, row[4]);
  }
}

TEST_CASE("Holm and Benjamini-Hochberg agree with their definitions") {
  for (const Json& row : reference().at("adjustments")) {
    const std::vector<double> p = row[0];
    const std::vector<double> holm = sar::adjust(p, "holm");
    const std::vector<double> bh = sar::adjust(p, "bh");
    for (std::size_t i = 0; i < p.size(); ++i) {  // tolerance: a few roundings of a product
      CHECK(agrees(holm[i], row[1][i], 1e-14));
      CHECK(agrees(bh[i], row[2][i], 1e-14));
      CHECK(p[i] <= bh[i]);
      CHECK(bh[i] <= holm[i]);
    }
    CHECK(sar::adjust(p, "none") == p);
  }
  CHECK(sar::adjust({}, "holm").empty());
}

TEST_CASE("an unknown correction and an impossible p are usage errors") {
  const std::vector<double> p = {0.1};
  const std::vector<double> impossible = {1.5};
  const std::vector<double> missing = {std::nan("")};
  CHECK_THROWS_AS(sar::adjust(p, "bonferoni"), sar::Error);
  CHECK_THROWS_AS(sar::adjust(impossible, "none"), sar::Error);
  CHECK_THROWS_AS(sar::adjust(missing, "holm"), sar::Error);
}

TEST_CASE("exchanging the groups mirrors the result and keeps p") {
  const Summary a{84.92, 1.62, 5};
  const Summary b{80.15, 0.47, 4};
  for (auto* test : {&sar::student_test, &sar::welch_test}) {
    const TTest forth = test(a, b, 0.05);
    const TTest back = test(b, a, 0.05);
    // Exact: the sign is carried through unchanged.
    CHECK(forth.p == back.p);
    CHECK(forth.t == -back.t);
    CHECK(forth.ci_low == -back.ci_high);
    CHECK(forth.hedges_g == -back.hedges_g);
    CHECK(forth.g_low == -back.g_high);
  }
}

TEST_CASE("the interval excludes zero exactly where p is below alpha") {
  for (int step = 0; step <= 40; ++step) {
    const TTest test = sar::student_test({80.0, 2.0, 5}, {80.0 + 0.2 * step, 2.0, 5}, 0.05);
    INFO(step);
    CHECK((test.p < 0.05) == (test.ci_high < 0));
    CHECK((test.p < 0.05) == (test.g_high < 0));  // the non-central t gives the same decision
  }
}

TEST_CASE("what cannot be tested says why and carries no number") {
  const Summary good{80.0, 2.0, 5};
  const double infinity = std::numeric_limits<double>::infinity();
  struct Row {
    Summary other;
    const char* reason;
  };
  for (const Row& row : {Row{{70.0, std::nullopt, 1}, "n = 1"},
                         Row{{}, "n = 0"},
                         Row{{70.0, std::nullopt, 5}, "no standard deviation"},
                         Row{{infinity, 1.0, 5}, "not finite"},
                         Row{{70.0, infinity, 5}, "not finite"},
                         Row{{std::nan(""), 1.0, 5}, "not finite"}}) {
    for (auto* test : {&sar::student_test, &sar::welch_test}) {
      for (const TTest& result :
           std::array{test(good, row.other, 0.05), test(row.other, good, 0.05)}) {
        CHECK_FALSE(result.testable);
        CHECK(result.reason == row.reason);
        CHECK_FALSE(result.has_effect);
        CHECK(result.p == 1);
      }
    }
  }
}

TEST_CASE("one constant group is testable, two are not") {
  const Summary constant{80.0, 0.0, 5};
  CHECK(sar::student_test(constant, {79.0, 1.5, 5}).testable);
  CHECK(sar::welch_test(constant, {79.0, 1.5, 5}).testable);
  for (const double mean : {80.0, 81.0}) {
    const TTest test = sar::student_test(constant, {mean, 0.0, 5});
    CHECK_FALSE(test.testable);
    CHECK(test.reason == "standard error is zero");
  }
}

TEST_CASE("equal differences up to rounding are no spread") {
  // 0.1 + 0.2 - 0.2 and the like leave differences that differ in the last digit only.
  const std::vector<double> a = {70.1, 80.2, 90.3, 60.7};
  std::vector<double> b = a;
  for (double& value : b) {
    value -= 0.3;
  }
  const TTest test = sar::paired_test(a, b);
  CHECK_FALSE(test.testable);
  CHECK(test.reason == "standard error is zero");
}

TEST_CASE("the paired test refuses lists of different length and needs two pairs") {
  const std::vector<double> one = {1.0};
  const std::vector<double> two = {1.0, 3.0};
  const std::vector<double> other = {2.0, 2.5};
  CHECK_THROWS_AS(sar::paired_test(one, two), sar::Error);
  CHECK(sar::paired_test(one, one).reason == "n = 1");
  const TTest test = sar::paired_test(two, other);
  CHECK(test.testable);
  CHECK_FALSE(test.has_effect);  // one degree of freedom: Hedges' correction does not exist
}

TEST_CASE("impossible input of a test is a usage error") {
  const Summary good{80.0, 2.0, 5};
  const auto code_of = [](auto call) {
    try {
      call();
    } catch (const sar::Error& error) {
      return error.code();
    }
    return sar::ExitCode::ok;
  };
  CHECK(code_of([&] { sar::student_test(good, {80.0, -1.0, 5}); }) == sar::ExitCode::usage);
  CHECK(code_of([&] { sar::welch_test(good, {80.0, 1.0, -5}); }) == sar::ExitCode::usage);
  for (const double alpha : {0.0, 1.0, -0.1, std::nan("")}) {
    CHECK(code_of([&] { sar::student_test(good, good, alpha); }) == sar::ExitCode::usage);
  }
}

TEST_CASE("a test of extreme size ends and stays finite") {
  for (const double sd : {1e-9, 1e-3, 1e3}) {
    for (const int n : {2, 3, 1000, 1'000'000}) {
      const TTest test = sar::student_test({90.0, sd, n}, {10.0, sd, n});
      INFO(sd << " " << n);
      REQUIRE(test.testable);
      CHECK(std::isfinite(test.p));
      CHECK(test.g_low < test.hedges_g);
      CHECK(test.hedges_g < test.g_high);
    }
  }
}

TEST_CASE("summaries are those of the sample, and constant samples have no spread at all") {
  const std::vector<double> values = {2, 4, 4, 4, 5, 5, 7, 9};
  const Summary summary = sar::summarise(values);
  CHECK(summary.n == 8);
  CHECK(summary.mean == 5);                                          // exact: small integers
  CHECK(*summary.sd == Approx(std::sqrt(32.0 / 7)).epsilon(1e-15));  // one square root
  const std::vector<double> constant(7, 0.1);
  CHECK(sar::summarise(constant).mean == 0.1);
  CHECK(sar::summarise(constant).sd == 0.0);
  // Shifted values: cancellation may cost the digits of the shift (1e9 of 1e16), not more.
  const std::vector<double> shifted = {1e9 + 1, 1e9 + 2, 1e9 + 3};
  CHECK(*sar::summarise(shifted).sd == Approx(1.0).epsilon(1e-7));
}

TEST_CASE("summaries of too few or not finite values") {
  CHECK(sar::summarise({}).n == 0);
  const std::vector<double> one = {3.5};
  CHECK(sar::summarise(one).mean == 3.5);
  CHECK_FALSE(sar::summarise(one).sd.has_value());
  const std::vector<double> bad = {1.0, std::nan("")};
  try {
    sar::summarise(bad);
    FAIL("no error");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::data_invalid);
  }
}

TEST_CASE("p values are printed shortly and never as zero") {
  CHECK(sar::format_p(0.0342) == "0.034");
  CHECK(sar::format_p(4.1e-5) == "4.1e-05");
  CHECK(sar::format_p(1) == "1.000");
  CHECK(sar::format_p(0) == "<1e-300");
  CHECK(sar::format_p(3e-301) == "<1e-300");
}
