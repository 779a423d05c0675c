#include "results/database/trial_means.h"

#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::trial_means_test {

TEST_CASE("a trial has a mean per target and bucket, over all buckets, and over the targets") {
  using test::case_row;
  const std::vector<TrialMean> means = trial_means({case_row("a", "organ", "S", 80),
                                                    case_row("b", "organ", "L", 60),
                                                    case_row("a", "tumor", "S", 30)});
  std::vector<std::string> names;
  std::vector<double> values;
  std::vector<int> cases;
  for (const TrialMean& each : means) {
    names.push_back(each.target + " " + each.bucket);
    values.push_back(each.dice);
    cases.push_back(each.cases);
  }
  CHECK(names == std::vector<std::string>{
                     "organ L", "organ S", "organ all", "tumor S", "tumor all", "average all"});
  CHECK(values == std::vector<double>{60, 80, 70, 30, 30, 50});
  CHECK(cases == std::vector<int>{1, 1, 2, 1, 1, 1});  // of the average: the fewest of a target
  CHECK(trial_means({}).empty());
}

TEST_CASE("pooled Dice counts voxels, and is the mean where there are none") {
  const std::vector<TrialMean> means = trial_means(
      {{"a", "tumor", "all", 0, 50, 10, 10, 30}, {"b", "tumor", "all", 0, 90, 90, 100, 100}});
  REQUIRE(means.size() == 1);
  CHECK(means[0].dice == 70);
  CHECK(means[0].pooled == Approx(200.0 * 100 / 240).epsilon(1e-15));
  CHECK(trial_means({{"a", "tumor", "all", 0, 100, 0, 0, 0}})[0].pooled == 100);
}

}  // namespace sar::trial_means_test
