#include "results/statistics/bootstrap.h"

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "harness/core/rng.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <numeric>

namespace {

using sar::test::code_of;

using sar::BootstrapInterval;
using sar::BootstrapOptions;
using sar::TrialCases;
using Trials = std::vector<TrialCases>;

const sar::Json& reference() {
  static const sar::Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/bootstrap.json");
  return kReference;
}

Trials trials_of(const sar::Json& rows) {
  Trials trials;
  for (const sar::Json& row : rows) {
    trials.push_back({row[0], row[1]});
  }
  return trials;
}

/// Trials of 75 + trial + case + rest, with the SDs given; the effects of crossed cases are shared.
Trials simulated(sar::Rng& rng,
                 int count,
                 int cases,
                 double sd_trial,
                 double sd_rest,
                 const std::vector<double>& case_effects,
                 double sd_own_case) {
  Trials trials;
  for (int trial = 0; trial < count; ++trial) {
    TrialCases next;
    const double effect = sd_trial * rng.normal();
    for (int i = 0; i < cases; ++i) {
      const bool crossed = !case_effects.empty();
      next.cases.push_back(crossed ? i : trial * cases + i);
      const double of_case =
          crossed ? case_effects[static_cast<std::size_t>(i)] : sd_own_case * rng.normal();
      next.values.push_back(75 + effect + of_case + sd_rest * rng.normal());
    }
    trials.push_back(std::move(next));
  }
  return trials;
}

}  // namespace

TEST_CASE("the interval is that of the enumerated bootstrap distribution") {
  for (const sar::Json& row : reference().at("exact")) {
    BootstrapOptions options;
    options.nested = row[0];
    options.samples = 40'000;
    const Trials a = trials_of(row[1]);
    for (const sar::Json& expected : row[3]) {
      INFO(row.dump() << " at " << expected.dump());
      options.level = expected[0];
      const BootstrapInterval interval =
          row[2].is_null() ? sar::bootstrap_mean(a, options)
                           : sar::bootstrap_difference(a, trials_of(row[2]), options);
      // The distribution has steps: the quantiles are its values up to rounding.
      CHECK(interval.low == Approx(expected[1].get<double>()).margin(1e-12));
      CHECK(interval.high == Approx(expected[2].get<double>()).margin(1e-12));
      CHECK(interval.samples == 40'000);
    }
  }
}

TEST_CASE("five trials are covered as often as the header says") {
  constexpr int kExperiments = 800;
  const double reference_experiments = reference().at("experiments");
  sar::Rng rng = sar::Rng(17).at("coverage test");
  for (const sar::Json& row : reference().at("coverage")) {
    const std::string kind = row[0];
    const int trials = row[1];
    const int cases = row[2];
    const double sd_trial = row[3];
    const double sd_case = row[4];
    const double sd_rest = row[5];
    const double expected = row[6];
    BootstrapOptions options;
    options.nested = kind == "nested mean";
    options.samples = 400;
    int covered = 0;
    for (int i = 0; i < kExperiments; ++i) {
      std::vector<double> effects(options.nested ? 0 : static_cast<std::size_t>(cases));
      std::generate(effects.begin(), effects.end(), [&] { return sd_case * rng.normal(); });
      const auto draw = [&] {
        return simulated(rng, trials, cases, sd_trial, sd_rest, effects, sd_case);
      };
      options.seed = static_cast<std::uint64_t>(i);
      const Trials a = draw();
      const bool difference = kind == "crossed difference";
      const BootstrapInterval interval = difference ? sar::bootstrap_difference(a, draw(), options)
                                                    : sar::bootstrap_mean(a, options);
      const double truth = difference ? 0 : 75;
      covered += interval.low <= truth && truth <= interval.high ? 1 : 0;
    }
    const double share = covered / static_cast<double>(kExperiments);
    INFO(row.dump() << " here " << share);
    // Four SDs of the difference of two simulations.
    const double sd =
        std::sqrt(expected * (1 - expected) * (1.0 / kExperiments + 1 / reference_experiments));
    CHECK(std::abs(share - expected) < 4 * sd);
    if (kind == "crossed mean" && sd_case == 0) {
      CHECK(share > 0.82);  // far below the nominal 0.95
      CHECK(share < 0.89);
    }
  }
}

TEST_CASE("the estimate is the mean over trials of the mean over cases") {
  const Trials trials = {{{1, 2, 3}, {10, 20, 60}}, {{4}, {50}}};
  BootstrapOptions options;
  options.nested = true;
  CHECK(sar::bootstrap_mean(trials, options).estimate == 40);
  const Trials other = {{{9}, {15}}};
  CHECK(sar::bootstrap_difference(trials, other, options).estimate == 25);
}

TEST_CASE("the same seed gives the same interval, whatever the order of the cases") {
  const Trials trials = {{{1, 2, 3}, {70, 81, 64}}, {{1, 2, 3}, {72, 85, 61}}};
  const Trials reordered = {{{3, 1, 2}, {64, 70, 81}}, {{2, 3, 1}, {85, 61, 72}}};
  BootstrapOptions options;
  options.seed = 3;
  const BootstrapInterval first = sar::bootstrap_mean(trials, options);
  const BootstrapInterval again = sar::bootstrap_mean(reordered, options);
  CHECK(first.low == again.low);
  CHECK(first.high == again.high);
  options.seed = 4;
  options.samples = 50;
  const BootstrapInterval few = sar::bootstrap_mean(trials, options);
  options.seed = 5;
  CHECK(few.low != sar::bootstrap_mean(trials, options).low);
}

TEST_CASE("methods that differ by the same on every case have an interval without width") {
  // Cases and, where folds are the same, trials are drawn for both.
  const Trials a = {{{1, 2, 3}, {60, 75, 90}}};
  const Trials b = {{{3, 2, 1}, {88, 73, 58}}};
  BootstrapOptions crossed;
  const BootstrapInterval interval = sar::bootstrap_difference(a, b, crossed);
  CHECK(interval.low == Approx(2).epsilon(1e-12));
  CHECK(interval.high == Approx(2).epsilon(1e-12));
  const Trials folds_a = {{{1, 2}, {60, 75}}, {{3, 4}, {90, 20}}};
  const Trials folds_b = {{{1, 2}, {58, 73}}, {{4, 3}, {18, 88}}};
  BootstrapOptions nested;
  nested.nested = true;
  const BootstrapInterval of_folds = sar::bootstrap_difference(folds_a, folds_b, nested);
  CHECK(of_folds.low == 2);
  CHECK(of_folds.high == 2);
  CHECK(of_folds.estimate == 2);
}

TEST_CASE("impossible input of a bootstrap is refused") {
  const Trials good = {{{1, 2}, {70, 80}}, {{1, 2}, {71, 82}}};
  const auto mean_code = [](const Trials& trials, const BootstrapOptions& options) {
    return code_of([&] { sar::bootstrap_mean(trials, options); });
  };
  constexpr auto kUsage = sar::ExitCode::usage;
  CHECK(mean_code(good, {}) == sar::ExitCode::ok);
  CHECK(mean_code({}, {}) == kUsage);
  CHECK(mean_code({{{}, {}}}, {}) == kUsage);
  CHECK(mean_code({{{1, 2}, {70}}}, {}) == kUsage);
  CHECK(mean_code({{{1, 1}, {70, 71}}}, {}) == kUsage);
  const Trials folds = {{{1, 2}, {70, 80}}, {{3}, {71}}};
  BootstrapOptions nested;
  nested.nested = true;
  CHECK(mean_code(folds, {}) == kUsage);
  CHECK(mean_code(folds, nested) == sar::ExitCode::ok);
  CHECK(mean_code({{{1, 2}, {70, std::nan("")}}}, {}) == sar::ExitCode::data_invalid);
  CHECK(mean_code({{{1}, {HUGE_VAL}}}, {}) == sar::ExitCode::data_invalid);
  BootstrapOptions none;
  none.samples = 0;
  CHECK(mean_code(good, none) == kUsage);
  for (const double level : {0.0, 1.0, std::nan("")}) {
    BootstrapOptions options;
    options.level = level;
    CHECK(mean_code(good, options) == kUsage);
  }
  CHECK(code_of([&] { sar::bootstrap_difference(good, {}); }) == kUsage);
  CHECK(code_of([&] { sar::bootstrap_difference({}, good); }) == kUsage);
}
