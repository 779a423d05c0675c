#include "results/statistics/statistics.h"

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace {

using sar::test::code_of;

using sar::Json;
using sar::Summary;
using sar::TTest;

const Json& reference() {
  static const Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/ttest.json");
  return kReference;
}

const Json& more_reference() {
  static const Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/statistics.json");
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

/// t, df, p, and the interval of the difference.
void check_numbers(const TTest& test, const Json& expected) {
  REQUIRE(test.testable);
  CHECK(agrees(test.t, expected[0], kTolerance));
  CHECK(test.df == expected[1].get<double>());
  CHECK(agrees(test.p, expected[2], kTolerance));
  const double scale = std::abs(test.difference) + (test.ci_high - test.ci_low) / 2;
  CHECK(agrees(test.ci_low, expected[3], kTolerance, scale));
  CHECK(agrees(test.ci_high, expected[4], kTolerance, scale));
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

TEST_CASE("the pooled SD weighs variances by their degrees of freedom, however large") {
  // (4 x 9 + 9 x 16) / 13 = 180 / 13
  CHECK(sar::pooled_variance(3, 5, 4, 10) == Approx(180.0 / 13).epsilon(1e-15));
  CHECK(sar::pooled_sd({0, 3.0, 5}, {0, 4.0, 10}) == Approx(std::sqrt(180.0 / 13)).epsilon(1e-15));
  for (const double size : {0x1p-800, 0x1p800}) {
    INFO(size);
    CHECK(sar::pooled_sd({0, 3 * size, 5}, {0, 4 * size, 10}) ==
          size * sar::pooled_sd({0, 3.0, 5}, {0, 4.0, 10}));
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

TEST_CASE("equal differences up to rounding have no spread") {
  // Each is 0.3 in decimals, and differs from the others in the last binary digits.
  const std::vector<double> a = {70.1, 80.2, 90.3, 60.7};
  const std::vector<double> b = {69.8, 79.9, 90.0, 60.4};
  const TTest test = sar::paired_test(a, b);
  CHECK_FALSE(test.testable);
  CHECK(test.reason == "standard error is below the rounding of the values");
  CHECK(sar::paired_test(a, a).reason == "standard error is zero");
  // Differences 0, 3, 1, 8 of numbers that are 1e15 in size: SciPy 1.17.1's ttest_rel.
  const std::vector<double> large = {1e15, 1e15 + 3, 1e15 + 1, 1e15 + 8};
  const TTest exact = sar::paired_test(large, std::vector<double>(4, 1e15));
  REQUIRE(exact.testable);
  CHECK(agrees(exact.t, 1.6858544608470492, kTolerance));
  CHECK(agrees(exact.p, 0.1904104089998691, kTolerance));
}

TEST_CASE("a standard error that is tiny, or small beside the means, is not zero") {
  const TTest same = sar::student_test({1e15, 1.0, 5}, {1e15, 2.0, 5});
  REQUIRE(same.testable);
  CHECK(same.t == 0);
  CHECK(agrees(same.p, 1, kTolerance));
  // mpmath, 60 digits: t and p of 5 ± 1e-14 and 5.5 ± 2e-14, 5 values each.
  const TTest far = sar::student_test({5.0, 1e-14, 5}, {5.5, 2e-14, 5});
  REQUIRE(far.testable);
  CHECK(agrees(far.t, -5e13, kTolerance));
  CHECK(far.p == Approx(2.8672e-107).epsilon(1e-9));
  // sqrt of the 0.025 and 0.975 quantiles of chi2(8) over 8, SciPy 1.17.1: bounds of delta over t.
  const double factor = far.hedges_g / far.t;
  CHECK(agrees(far.g_high / factor / far.t, 0.5219830872802118, 1e-9));
  CHECK(agrees(far.g_low / factor / far.t, 1.4804790668684178, 1e-9));
  for (const double sd : {1e-300, 1e-160, 1e160, 1e300}) {  // their squares are 0 or infinite
    for (auto* test : {&sar::student_test, &sar::welch_test}) {
      INFO(sd);
      const TTest result = test({5.0, 0.0, 5}, {4.0, sd, 5}, 0.05);
      REQUIRE(result.testable);
      CHECK(agrees(result.t * sd, std::sqrt(5.0), kTolerance));
      CHECK(agrees(result.df, test({5.0, 0.0, 5}, {4.0, 1.0, 5}, 0.05).df, kTolerance));
      CHECK(std::isfinite(result.g_low));
      CHECK(std::isfinite(result.g_high));
    }
    CHECK(sar::paired_test({5.0, 0.0, 5}, {4.0, sd, 5}, 0.5).testable);
    CHECK(sar::equivalence_test({5.0, 0.0, 5}, {4.0, sd, 5}, 2).testable);
  }
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

TEST_CASE("the paired test from summaries agrees with the reference values") {
  for (const Json& row : more_reference().at("paired_summary")) {
    INFO(row.dump());
    const Summary a{row[0], row[1].get<double>(), row[4]};
    const Summary b{row[2], row[3].get<double>(), row[4]};
    const TTest test = sar::paired_test(a, b, row[5].get<double>(), row[6].get<double>());
    CHECK(test.test == "paired");
    check_numbers(test, row[7]);
    if (!row[8].is_null()) {
      check_effect(test, row[8]);
    }
  }
}

TEST_CASE("the paired test from summaries is that of the lists they come from") {
  const Json& rows = more_reference().at("paired_lists");
  REQUIRE(rows.size() > 50);
  for (const Json& row : rows) {
    INFO(row.dump());
    const TTest test = sar::paired_test(Summary{row[0], row[1].get<double>(), row[4]},
                                        Summary{row[2], row[3].get<double>(), row[4]},
                                        row[5].get<double>());
    REQUIRE(test.testable);
    CHECK(agrees(test.t, row[6], kTolerance));
    CHECK(agrees(test.p, row[7], kTolerance));
  }
}

TEST_CASE("a paired test from summaries needs one n and a correlation") {
  const Summary a{84.92, 1.62, 5};
  constexpr auto kUsage = sar::ExitCode::usage;
  CHECK(code_of([&] { sar::paired_test(a, {80.0, 1.0, 4}, 0.5); }) == kUsage);
  CHECK(code_of([&] { sar::paired_test(a, {80.0, -1.0, 5}, 0.5); }) == kUsage);
  for (const double r : {-1.001, 1.001, std::nan("")}) {
    CHECK(code_of([&] { sar::paired_test(a, a, r); }) == kUsage);
  }
  CHECK(sar::paired_test(a, {80.0, 1.62, 5}, 1.0).reason == "standard error is zero");
  CHECK(sar::paired_test(a, {80.0, std::nullopt, 5}, 0.5).reason == "no standard deviation");
  CHECK(sar::paired_test({1, {}, 1}, {2, {}, 1}, 0.5).reason == "n = 1");
  CHECK(sar::paired_test(a, {std::nan(""), 1.0, 5}, 0.5).reason == "not finite");
  CHECK(sar::paired_test(a, {80.0, 1e200, 5}, 0.5).testable);  // its square overflows, it does not
}

TEST_CASE("uncorrelated pairs have the standard error of unpaired groups and half the freedom") {
  const Summary a{84.92, 1.62, 5};
  const Summary b{83.03, 3.14, 5};
  const TTest paired = sar::paired_test(a, b, 0.0);
  CHECK(paired.t == Approx(sar::student_test(a, b).t).epsilon(1e-14));
  CHECK(paired.df == 4);
}

TEST_CASE("the corrected test of folds agrees with the reference values") {
  for (const Json& row : more_reference().at("corrected")) {
    INFO(row.dump());
    const std::vector<double> a = row[0];
    const std::vector<double> b = row[1];
    const TTest test = sar::corrected_cv_test(a, b, row[2], row[3]);
    CHECK(test.test == "corrected-cv");
    check_numbers(test, row[4]);
    check_effect(test, row[5]);
  }
}

TEST_CASE("Nadeau and Bengio's correction worked by hand") {
  // Differences 1, 2, 3, 4, 5: mean 3, variance 2.5. Five folds: test over training is 1/4, so the
  // variance of the mean is (1/5 + 1/4) 2.5 = 1.125, against 0.5 uncorrected.
  const std::vector<double> a = {81, 82, 83, 84, 85};
  const std::vector<double> b = {80, 80, 80, 80, 80};
  const TTest corrected = sar::corrected_cv_test(a, b, 0.25);
  const TTest paired = sar::paired_test(a, b);
  CHECK(corrected.t == Approx(3 / std::sqrt(1.125)).epsilon(1e-14));
  CHECK(paired.t == Approx(3 / std::sqrt(0.5)).epsilon(1e-14));
  CHECK(corrected.df == 4);
  CHECK(corrected.hedges_g == Approx(paired.hedges_g).epsilon(1e-14));
  CHECK(corrected.g_high - corrected.g_low > paired.g_high - paired.g_low);
}

TEST_CASE("the corrected test needs pairs and a positive ratio") {
  const std::vector<double> two = {1, 3};
  const std::vector<double> three = {1, 3, 4};
  constexpr auto kUsage = sar::ExitCode::usage;
  CHECK(code_of([&] { sar::corrected_cv_test(two, three, 0.25); }) == kUsage);
  for (const double ratio : {0.0, -0.25, HUGE_VAL, std::nan("")}) {
    CHECK(code_of([&] { sar::corrected_cv_test(two, two, ratio); }) == kUsage);
  }
  CHECK(sar::corrected_cv_test({}, {}, 0.25).reason == "n = 0");
  CHECK(sar::corrected_cv_test(two, two, 0.25).reason == "standard error is zero");
  const std::vector<double> missing = {1, std::nan("")};
  CHECK(sar::corrected_cv_test(two, missing, 0.25).reason == "not finite");
}

TEST_CASE("the equivalence test agrees with the reference values") {
  const Json& rows = more_reference().at("equivalence");
  REQUIRE(rows.size() > 100);
  for (const Json& row : rows) {
    INFO(row.dump());
    const Summary a{row[0], row[1].get<double>(), row[2]};
    const Summary b{row[3], row[4].get<double>(), row[5]};
    const sar::Equivalence test = sar::equivalence_test(a, b, row[6], row[7], row[8]);
    REQUIRE(test.testable);
    CHECK(agrees(test.df, row[9], kTolerance));
    CHECK(agrees(test.p_above, row[10], kTolerance));
    CHECK(agrees(test.p_below, row[11], kTolerance));
    CHECK(test.p == std::max(test.p_above, test.p_below));
    const double scale = std::abs(test.difference) + (test.ci_high - test.ci_low) / 2;
    CHECK(agrees(test.ci_low, row[12], kTolerance, scale));
    CHECK(agrees(test.ci_high, row[13], kTolerance, scale));
    const double margin = row[6];
    CHECK((test.p < row[8].get<double>()) == (test.ci_low > -margin && test.ci_high < margin));
  }
}

TEST_CASE("an equivalence test needs a spread, a margin and a small alpha") {
  const Summary constant{80.0, 0.0, 5};
  const Summary good{79.0, 1.5, 5};
  CHECK(sar::equivalence_test(constant, good, 3).testable);
  const sar::Equivalence none = sar::equivalence_test(constant, {81.0, 0.0, 5}, 3);
  CHECK_FALSE(none.testable);
  CHECK(none.reason == "standard error is zero");
  CHECK(none.p == 1);
  CHECK(sar::equivalence_test(good, {79.0, std::nullopt, 1}, 3).reason == "n = 1");
  CHECK(sar::equivalence_test(good, {HUGE_VAL, 1.0, 5}, 3).reason == "not finite");
  constexpr auto kUsage = sar::ExitCode::usage;
  for (const double margin : {0.0, -1.0, HUGE_VAL, std::nan("")}) {
    CHECK(code_of([&] { sar::equivalence_test(good, good, margin); }) == kUsage);
  }
  for (const double alpha : {0.0, 0.5, 1.0, std::nan("")}) {
    CHECK(code_of([&] { sar::equivalence_test(good, good, 1, false, alpha); }) == kUsage);
  }
}

TEST_CASE("Hedges' correction and the bounds of the effect agree with the reference values") {
  for (const Json& row : more_reference().at("corrections")) {
    const double df = row[0];
    INFO(df);
    // Differences of mean 1 and SD 1, so g is the correction itself.
    const Summary a{1.0, 1.0, static_cast<int>(df) + 1};
    const TTest test = sar::paired_test(a, {0.0, 0.0, a.n}, 0.0);
    CHECK(agrees(test.hedges_g, row[1], 1e-13));  // a gamma ratio: some tens of roundings
  }
  for (const Json& row : more_reference().at("non_centralities")) {
    INFO(row.dump());
    const double t = row[0];
    const double df = row[1];
    const double alpha = row[2];
    const int n = static_cast<int>(df) + 1;
    const TTest test = sar::paired_test({t, std::sqrt(n), n}, {0.0, 0.0, n}, 0.0, alpha);
    const double scale = t == 0 ? 1 / std::sqrt(n) : test.hedges_g / t;  // J / sqrt(n)
    if (t == 0) {
      CHECK(test.hedges_g == 0);
      CHECK(agrees(test.g_low / test.g_high, -1, kTolerance));
      continue;
    }
    const double size = std::abs(t) + 1;
    CHECK(agrees(test.g_low / scale, row[3], kTolerance, size));
    CHECK(agrees(test.g_high / scale, row[4], kTolerance, size));
  }
}

TEST_CASE("Benjamini-Hochberg agrees with SciPy, with zeros, ones and ties") {
  for (const Json& row : more_reference().at("benjamini_hochberg")) {
    const std::vector<double> p = row[0];
    const std::vector<double> adjusted = sar::adjust(p, "bh");
    for (std::size_t i = 0; i < p.size(); ++i) {
      CHECK(agrees(adjusted[i], row[1][i], 1e-14));  // a few roundings of a product
    }
  }
}

TEST_CASE("Holm's correction worked by hand") {
  // Sorted .01 .02 .03 .04 times 4 3 2 1: .04 .06 .06 .04, then never falling: .04 .06 .06 .06.
  const std::vector<double> p = {0.03, 0.01, 0.04, 0.02};
  const std::vector<double> adjusted = sar::adjust(p, "holm");
  const std::vector<double> expected = {0.06, 0.04, 0.06, 0.06};
  for (std::size_t i = 0; i < p.size(); ++i) {
    CHECK(adjusted[i] == Approx(expected[i]).epsilon(1e-14));
  }
}

TEST_CASE("an alpha smaller than the tests can resolve is a usage error, the least one is not") {
  const Summary a{84.92, 1.62, 5};
  const Summary b{83.03, 3.14, 5};
  CHECK(code_of([&] { sar::student_test(a, b, 1e-13); }) == sar::ExitCode::usage);
  const TTest test = sar::student_test(a, b, 1e-12);
  CHECK(test.g_low < 0);
  CHECK(test.g_high > 0);
}

TEST_CASE("a p below the smallest number is printed as such") {
  const TTest test = sar::student_test({90.0, 0.01, 400}, {10.0, 0.01, 400});
  CHECK(test.testable);
  CHECK(sar::format_p(test.p) == "<1e-300");
}
