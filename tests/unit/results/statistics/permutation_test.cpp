#include "results/statistics/permutation.h"

#include "harness/core/error.h"
#include "harness/core/json.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <vector>

namespace {

using sar::PermutationOptions;
using sar::PermutationTest;
using Values = std::vector<double>;

const sar::Json& reference() {
  static const sar::Json kReference =
      sar::read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/permutation.json");
  return kReference;
}

PermutationOptions pairs() {
  PermutationOptions options;
  options.paired = true;
  return options;
}

Values counting(int n, double from) {
  Values values;
  for (int i = 0; i < n; ++i) {
    values.push_back(from + i);
  }
  return values;
}

}  // namespace

TEST_CASE("the exact permutation test agrees with the reference values") {
  for (const char* kind : {"scipy", "decimal"}) {
    REQUIRE(reference().at(kind).size() > 50);
    for (const sar::Json& row : reference().at(kind)) {
      INFO(row.dump());
      const Values a = row[0];
      const Values b = row[1];
      PermutationOptions options;
      options.paired = row[2];
      const PermutationTest test = sar::permutation_test(a, b, options);
      REQUIRE(test.testable);
      CHECK(test.exact);
      CHECK(test.p == Approx(row[3].get<double>()).epsilon(1e-13));  // a quotient of whole numbers
      CHECK(test.p >= test.floor);
      const PermutationTest back = sar::permutation_test(b, a, options);
      CHECK(back.p == test.p);
      CHECK(back.difference == -test.difference);
    }
  }
}

TEST_CASE("the floor is the p of groups that do not overlap") {
  struct Row {
    int n_a, n_b;
    double floor, arrangements;
  };
  for (const Row& row :
       {Row{5, 5, 2.0 / 252, 252}, Row{2, 2, 2.0 / 6, 6}, Row{3, 3, 2.0 / 20, 20}}) {
    const PermutationTest test =
        sar::permutation_test(counting(row.n_a, 0), counting(row.n_b, 100));
    CHECK(test.floor == row.floor);
    CHECK(test.p == row.floor);
    CHECK(test.arrangements == row.arrangements);
    CHECK(test.difference == -100);
  }
}

TEST_CASE("groups of unequal size have no mirrored arrangement, so the floor is one of them") {
  // The two largest of five against the rest: no other choice of two is as far from it.
  const PermutationTest test = sar::permutation_test(Values{9, 10}, Values{0, 1, 2});
  CHECK(test.arrangements == 10);
  CHECK(test.floor == 0.1);
  CHECK(test.p == 0.1);
}

TEST_CASE("five pairs reach one sixteenth at best") {
  const PermutationTest test =
      sar::permutation_test(Values{2, 3, 4, 5, 6}, Values{1, 1, 1, 1, 1}, pairs());
  CHECK(test.floor == 0.0625);
  CHECK(test.p == 0.0625);
  CHECK(test.arrangements == 32);
  CHECK(test.difference == 3);
}

TEST_CASE("too many arrangements are drawn, and p is near the exact one") {
  for (const sar::Json& row : reference().at("large")) {
    INFO(row.dump());
    const Values a = row[0];
    const Values b = row[1];
    PermutationOptions options;
    options.paired = row[2];
    options.most_exact = 1000;
    options.seed = 11;
    const double exact = row[3];
    const PermutationTest test = sar::permutation_test(a, b, options);
    CHECK_FALSE(test.exact);
    CHECK(test.arrangements == 100'000);
    // Five binomial SDs of 100,000 draws and the one hit that is always added.
    CHECK(std::abs(test.p - exact) < 5 * std::sqrt(exact * (1 - exact) / 1e5) + 1e-5);
    CHECK(test.p == sar::permutation_test(a, b, options).p);
    options.seed = 12;
    CHECK(test.p != sar::permutation_test(a, b, options).p);
  }
}

TEST_CASE("draws alone never show more than their number allows") {
  PermutationOptions options;
  options.samples = 999;
  const PermutationTest many = sar::permutation_test(counting(40, 0), counting(40, 1000), options);
  CHECK_FALSE(many.exact);
  CHECK(many.floor == 0.001);
  CHECK(many.p == 0.001);
  options.most_exact = 10;  // 252 arrangements, of which 2 are as far apart
  CHECK(sar::permutation_test(counting(5, 0), counting(5, 1000), options).floor == 2.0 / 252);
}

TEST_CASE("a group far larger than the other is enumerated too") {
  const PermutationTest test = sar::permutation_test(Values{5000, 6000}, counting(1500, 0));
  CHECK(test.exact);
  CHECK(test.arrangements == 1502.0 * 1501 / 2);
  CHECK(test.p == test.floor);
}

TEST_CASE("what a permutation test cannot test says why and carries no number") {
  const auto reason_of = [](const Values& a, const Values& b, const PermutationOptions& options) {
    const PermutationTest test = sar::permutation_test(a, b, options);
    CHECK_FALSE(test.testable);
    CHECK(test.p == 1);
    CHECK(test.difference == 0);
    return test.reason;
  };
  const double infinity = std::numeric_limits<double>::infinity();
  CHECK(reason_of({}, {}, {}) == "n = 0");
  CHECK(reason_of({1, 2}, {3}, {}) == "n = 1");
  CHECK(reason_of({1}, {2}, pairs()) == "n = 1");
  CHECK(reason_of({1, std::nan("")}, {1, 2}, {}) == "not finite");
  CHECK(reason_of({1, infinity}, {1, infinity}, pairs()) == "not finite");
  CHECK(reason_of({80.1, 80.1}, {80.1, 80.1, 80.1}, {}) == "all values are equal");
  CHECK(reason_of({80.1, 79.3}, {80.1, 79.3}, pairs()) == "all differences are zero");
}

TEST_CASE("constant groups that differ are as far apart as can be") {
  CHECK(sar::permutation_test(Values(5, 80.0), Values(5, 81.3)).p == 2.0 / 252);
  CHECK(sar::permutation_test(Values(5, 80.0), Values(5, 81.3), pairs()).p == 0.0625);
}

TEST_CASE("impossible requests of a permutation test are usage errors") {
  const auto code_of = [](const Values& a, const Values& b, const PermutationOptions& options) {
    try {
      sar::permutation_test(a, b, options);
    } catch (const sar::Error& error) {
      return error.code();
    }
    return sar::ExitCode::ok;
  };
  CHECK(code_of({1, 2, 3}, {1, 2}, pairs()) == sar::ExitCode::usage);
  PermutationOptions none;
  none.samples = 0;
  CHECK(code_of({1, 2, 3}, {1, 2}, none) == sar::ExitCode::usage);
}

TEST_CASE("of very many values fewer arrangements are drawn, and of too many none") {
  PermutationOptions options;
  options.most_drawn = 40'000;  // of 20 values each: 2,000 arrangements
  const Values a = counting(20, 0);
  const Values b = counting(20, 3);
  for (const bool paired : {false, true}) {
    options.paired = paired;
    const PermutationTest test = sar::permutation_test(a, b, options);
    CHECK(test.arrangements == (paired ? std::exp2(20) : 2000));  // 2^20 are enumerated
    CHECK(test.floor == (paired ? 2 / std::exp2(20) : 1 / 2001.0));
  }
  options.paired = false;
  options.most_drawn = 20 * 998;
  try {
    sar::permutation_test(a, b, options);
    FAIL("accepted");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::usage);
    CHECK_THAT(error.what(), Catch::Contains("too many") && Catch::Contains("--test student"));
  }
  options.samples = 500;
  options.most_drawn = 20 * 500;  // as many as were asked for
  CHECK(sar::permutation_test(a, b, options).arrangements == 500);
}
