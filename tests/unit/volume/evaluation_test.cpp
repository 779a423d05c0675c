#include "harness/volume/evaluation.h"

#include "harness/core/error.h"
#include "reference.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace {

using Mask = std::vector<std::uint8_t>;

std::map<std::string, int> counts(int n, const std::string& rule) {
  std::vector<sar::SizedCase> cases;
  for (int i = 0; i < n; ++i) {
    cases.push_back({fmt::format("case{:03}", i), 1000.0 - i});
  }
  std::map<std::string, int> result;
  for (const auto& [id, bucket] : sar::size_buckets(cases, rule)) {
    ++result[bucket];
  }
  return result;
}

TEST_CASE("window starts equal nnU-Net's rule computed in Python") {
  const sar::Json data = reference("evaluation");
  for (const sar::Json& item : data.at("window_starts")) {
    const auto expected = item.at("starts").get<std::vector<int>>();
    const int length = item.at("length");
    const int window = item.at("window");
    const double step = item.at("step");
    INFO(length << " " << window << " " << step);
    const std::vector<int> starts = sar::window_starts(length, window, step);
    CHECK(starts == expected);  // exact
    CHECK((length <= window || starts.back() == length - window));
  }
  CHECK_THROWS_AS(sar::window_starts(64, 32, 0), sar::Error);
}

TEST_CASE("window weights equal the Gaussian-filtered impulse of SciPy") {
  const sar::Json data = reference("evaluation");
  for (const sar::Json& item : data.at("window_weights")) {
    const sar::Block weights = sar::window_weights(item.at("size"), true);
    const auto expected = item.at("values").get<std::vector<double>>();
    REQUIRE(weights.values.size() == expected.size());
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      // Tolerance: single precision of the result. The scipy kernel has the same support.
      REQUIRE(weights.values[i] == Approx(expected[i]).epsilon(1e-6).margin(1e-12));
      REQUIRE(weights.values[i] > 0.0F);
      largest = std::max(largest, static_cast<double>(weights.values[i]));
    }
    CHECK(largest == 1.0);
  }
  CHECK(sar::window_weights({2, 2, 2}, false).values == std::vector<float>(8, 1.0F));
}

TEST_CASE("Dice equals the NumPy value") {
  const sar::Json data = reference("evaluation");
  const Mask prediction = data.at("prediction");
  const Mask truth = data.at("truth");
  // Tolerance: one rounding of a double.
  CHECK(sar::dice_percent(prediction, truth) ==
        Approx(data.at("dice_percent").get<double>()).epsilon(1e-14));
}

TEST_CASE("Dice of empty masks is 0 for one and a choice for both") {
  const Mask none(8, 0);
  Mask one(8, 0);
  one[3] = 2;  // any label counts
  CHECK(sar::dice_percent(one, none) == 0.0);
  CHECK(sar::dice_percent(none, one) == 0.0);
  CHECK(sar::dice_percent(none, none) == 100.0);
  CHECK(sar::dice_percent(none, none, 0.0) == 0.0);
  CHECK(sar::dice_percent(one, one) == 100.0);
  CHECK_THROWS_AS(sar::dice_percent(one, Mask(7, 0)), sar::Error);
}

TEST_CASE("pooled counts add up") {
  const Mask a{1, 1, 0, 0};
  const Mask b{1, 0, 1, 0};
  const sar::Overlap overlap = sar::count_overlap(a, b);
  CHECK(overlap.both == 1);
  CHECK(overlap.prediction == 2);
  CHECK(overlap.truth == 2);
  CHECK(sar::dice_percent(overlap) == 50.0);
}

TEST_CASE("the largest 26-connected component is the one that SciPy finds") {
  const sar::Json data = reference("evaluation");
  for (const sar::Json& item : data.at("components")) {
    Mask mask = item.at("mask");
    sar::keep_largest_component(mask, item.at("size"));
    CHECK(mask == item.at("kept").get<Mask>());  // exact
  }
}

TEST_CASE("of equally large components the first is kept, and an empty mask stays empty") {
  Mask mask{1, 1, 0, 3, 3, 0};
  sar::keep_largest_component(mask, {6, 1, 1});
  CHECK(mask == Mask{1, 1, 0, 0, 0, 0});
  Mask empty(6, 0);
  sar::keep_largest_component(empty, {6, 1, 1});
  CHECK(empty == Mask(6, 0));
}

TEST_CASE("quartile buckets hold the smallest and largest quarter, at least one case each") {
  using Counts = std::map<std::string, int>;
  CHECK(counts(95, "quartile") == Counts{{"S", 23}, {"M", 49}, {"L", 23}});
  CHECK(counts(4, "quartile") == Counts{{"S", 1}, {"M", 2}, {"L", 1}});
  CHECK(counts(3, "quartile") == Counts{{"S", 1}, {"M", 1}, {"L", 1}});
  CHECK(counts(2, "quartile").empty());
  CHECK(counts(95, "tertile") == Counts{{"S", 31}, {"M", 33}, {"L", 31}});
}

TEST_CASE("buckets follow the volume, ties the id") {
  const auto buckets = sar::size_buckets({{"b", 5}, {"a", 5}, {"c", 5}, {"d", 9}}, "quartile");
  CHECK(buckets.at("a") == "S");
  CHECK(buckets.at("b") == "M");
  CHECK(buckets.at("c") == "M");
  CHECK(buckets.at("d") == "L");
}

TEST_CASE("threshold buckets are closed below") {
  const auto buckets =
      sar::size_buckets({{"a", 9.9}, {"b", 10}, {"c", 19.9}, {"d", 20}}, "thresholds", {10, 20});
  CHECK(buckets.at("a") == "S");
  CHECK(buckets.at("b") == "M");
  CHECK(buckets.at("c") == "M");
  CHECK(buckets.at("d") == "L");
  CHECK_THROWS_AS(sar::size_buckets({}, "thresholds", {20, 10}), sar::Error);
  CHECK_THROWS_AS(sar::size_buckets({}, "median"), sar::Error);
}

}  // namespace
