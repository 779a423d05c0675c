#include "results/statistics/rank_agreement.h"

#include "harness/core/error.h"
#include "harness/core/json.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

const sar::Json& reference() {
  static const sar::Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/rank_agreement.json");
  return kReference;
}

using Values = std::vector<double>;

}  // namespace

TEST_CASE("tau-b and its exact p agree with the reference values") {
  REQUIRE(reference().at("exact").size() > 80);
  for (const sar::Json& row : reference().at("exact")) {
    INFO(row.dump());
    const Values a = row[0];
    const Values b = row[1];
    const sar::RankAgreement agreement = sar::rank_agreement(a, b);
    REQUIRE(agreement.testable);
    CHECK(agreement.exact);
    // Absolute: tau-b of 0 is compared as well. p and floor are quotients of whole numbers.
    CHECK(std::abs(agreement.tau_b - row[2].get<double>()) < 1e-14);
    CHECK(agreement.p == Approx(row[3].get<double>()).epsilon(1e-13));
    CHECK(agreement.floor == Approx(row[4].get<double>()).epsilon(1e-13));
  }
}

TEST_CASE("more than ten values are drawn, and p is near the exact one") {
  for (const sar::Json& row : reference().at("large")) {
    INFO(row.dump());
    const Values a = row[0];
    const Values b = row[1];
    const double exact = row[3];
    const sar::RankAgreement agreement = sar::rank_agreement(a, b, 7);
    REQUIRE(agreement.testable);
    CHECK_FALSE(agreement.exact);
    CHECK(std::abs(agreement.tau_b - row[2].get<double>()) < 1e-14);
    // Five binomial SDs of 100,000 draws and the one hit that is always added.
    CHECK(std::abs(agreement.p - exact) < 5 * std::sqrt(exact * (1 - exact) / 1e5) + 1e-5);
    CHECK(agreement.p == sar::rank_agreement(a, b, 7).p);
    CHECK(agreement.p != sar::rank_agreement(a, b, 8).p);
  }
}

TEST_CASE("three values in the same order cannot be told from chance") {
  const sar::RankAgreement agreement = sar::rank_agreement(Values{1, 2, 3}, Values{70, 80, 90});
  CHECK(agreement.tau_b == 1);
  CHECK(agreement.p == Approx(1.0 / 3));  // 2 of 3! orders
  CHECK(agreement.floor == agreement.p);
}

TEST_CASE("the floor beyond ten values knows of ties") {
  // One value of eleven stands out in each list: it is the same one in 1 of 11 permutations.
  Values a(11, 0.0);
  Values b(11, 0.0);
  a[3] = 1;
  b[3] = 1;
  const sar::RankAgreement agreement = sar::rank_agreement(a, b);
  CHECK(agreement.tau_b == 1);
  CHECK(std::abs(agreement.floor - 1.0 / 11) < 0.005);  // five binomial SDs of 100,000 draws
  CHECK(agreement.p == agreement.floor);
}

TEST_CASE("rank agreement mirrors and does not care which list comes first") {
  const Values a = {3, 1, 4, 1, 5, 9, 2, 6, 5, 3};
  const Values b = {2, 7, 1, 8, 2, 8, 1, 8, 2, 8};
  Values mirrored = b;
  for (double& value : mirrored) {
    value = -value;
  }
  const sar::RankAgreement agreement = sar::rank_agreement(a, b);
  CHECK(sar::rank_agreement(b, a).tau_b == agreement.tau_b);
  CHECK(sar::rank_agreement(b, a).p == Approx(agreement.p).epsilon(1e-14));
  CHECK(sar::rank_agreement(a, mirrored).tau_b == -agreement.tau_b);
  CHECK(sar::rank_agreement(a, mirrored).p == Approx(agreement.p).epsilon(1e-14));
}

TEST_CASE("what has no rank agreement says why") {
  const auto reason_of = [](const Values& a, const Values& b) {
    const sar::RankAgreement agreement = sar::rank_agreement(a, b);
    CHECK_FALSE(agreement.testable);
    CHECK(agreement.p == 1);
    return agreement.reason;
  };
  CHECK(reason_of({}, {}) == "n = 0");
  CHECK(reason_of({1, 2}, {1, 2}) == "n = 2");
  CHECK(reason_of({1, 1, 1}, {1, 2, 3}) == "a list of equal values");
  CHECK(reason_of({1, 2, 3}, {4, 4, 4}) == "a list of equal values");
  CHECK(reason_of({1, 2, std::nan("")}, {1, 2, 3}) == "not finite");
  CHECK(reason_of({1, 2, 3}, {1, std::numeric_limits<double>::infinity(), 3}) == "not finite");
  try {
    sar::rank_agreement(Values{1, 2, 3}, Values{1, 2});
    FAIL("no error");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::usage);
  }
}
