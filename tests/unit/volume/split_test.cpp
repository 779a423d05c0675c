#include "harness/volume/split.h"

#include "harness/core/error.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string>

namespace {

using sar::CaseIds;
using sar::Rng;

CaseIds make_ids(int n) {
  CaseIds ids;
  for (int i = 0; i < n; ++i) {
    ids.push_back(fmt::format("case{:03}", i));
  }
  return ids;
}

CaseIds united(CaseIds a, const CaseIds& b) {
  a.insert(a.end(), b.begin(), b.end());
  std::sort(a.begin(), a.end());
  return a;
}

TEST_CASE("a 2:1 split of 285 patients is 190 and 95, whatever the order of the files") {
  const CaseIds ids = make_ids(285);
  const sar::TrainTest split = split_train_test(ids, 1.0 / 3, Rng(0));
  CHECK(split.train.size() == 190);
  CHECK(split.test.size() == 95);
  CHECK(united(split.train, split.test) == ids);
  const CaseIds reversed(ids.rbegin(), ids.rend());
  CHECK(split_train_test(reversed, 1.0 / 3, Rng(0)).test == split.test);
  CHECK(split_train_test(ids, 1.0 / 3, Rng(1)).test != split.test);
}

TEST_CASE("both parts of a split have a patient and repeated ids count once") {
  const sar::TrainTest two = split_train_test({"a", "b", "a"}, 0.01, Rng(0));
  CHECK(two.test.size() == 1);
  CHECK(two.train.size() == 1);
  CHECK(split_train_test({"a", "b"}, 0.99, Rng(0)).train.size() == 1);
  CHECK_THROWS_AS(split_train_test({"a", "a"}, 0.5, Rng(0)), sar::Error);
  CHECK_THROWS_AS(split_train_test({"a", "b"}, 0, Rng(0)), sar::Error);
}

TEST_CASE("folds cover every case once and differ by at most one") {
  const CaseIds ids = make_ids(281);
  CaseIds all;
  std::multiset<std::size_t> sizes;
  for (const CaseIds& fold : split_folds(ids, 5, Rng(0))) {
    all = united(all, fold);
    sizes.insert(fold.size());
  }
  CHECK(all == ids);
  CHECK(sizes == std::multiset<std::size_t>{56, 56, 56, 56, 57});
  CHECK_THROWS_AS(split_folds({"a", "b"}, 3, Rng(0)), sar::Error);
}

TEST_CASE("label fractions have the paper's counts and are nested") {
  for (const auto& [n, expected] :
       {std::pair{190, std::vector<std::size_t>{190, 95, 38, 19, 10, 4}},
        std::pair{225, std::vector<std::size_t>{225, 113, 45, 23, 11, 5}},
        std::pair{224, std::vector<std::size_t>{224, 112, 45, 22, 11, 4}}}) {
    CaseIds larger = make_ids(n);
    std::size_t i = 0;
    for (const std::string text : {"1", "1/2", "1/5", "1/10", "1/20", "1/50"}) {
      const CaseIds part = take_fraction(make_ids(n), sar::parse_fraction(text), Rng(3));
      CHECK(part.size() == expected[i++]);  // exact
      CHECK(std::includes(larger.begin(), larger.end(), part.begin(), part.end()));
      larger = part;
    }
  }
  CHECK(take_fraction({"a", "b"}, 0.02, Rng(0)).size() == 1);
  CHECK_THROWS_AS(take_fraction({}, 0.5, Rng(0)), sar::Error);
}

TEST_CASE("fractions are read as quotients or numbers above 0 and not above 1") {
  CHECK(sar::parse_fraction("1") == 1.0);
  CHECK(sar::parse_fraction("1/50") == 1.0 / 50);
  CHECK(sar::parse_fraction("0.25") == 0.25);
  for (const std::string bad :
       {"", "0", "2", "3/2", "1/0", "1/", "/2", "-1/-2", "1/2/3", "half", "0.5x", "nan", "inf"}) {
    INFO(bad);
    CHECK_THROWS_AS(sar::parse_fraction(bad), sar::Error);
  }
}

TEST_CASE("validation takes its share, at least one case, and leaves one for training") {
  const auto sizes = [](int n, double fraction) {
    const sar::TrainValidation parts = carve_validation(make_ids(n), fraction, Rng(0));
    CHECK(united(parts.train, parts.validation) == make_ids(n));
    return std::pair{parts.train.size(), parts.validation.size()};
  };
  CHECK(sizes(190, 0.125) == std::pair<std::size_t, std::size_t>{166, 24});  // 23.75 is rounded up
  CHECK(sizes(4, 0.125) == std::pair<std::size_t, std::size_t>{3, 1});
  CHECK(sizes(2, 0.9) == std::pair<std::size_t, std::size_t>{1, 1});
  CHECK(sizes(1, 0.125) == std::pair<std::size_t, std::size_t>{1, 0});
  CHECK(sizes(10, 0) == std::pair<std::size_t, std::size_t>{10, 0});
}

TEST_CASE("a test case that was seen in pre-training is refused by name") {
  CHECK_NOTHROW(sar::refuse_leak({"brats/a", "lits/b"}, {"brats/c", "heart/a"}));
  try {
    sar::refuse_leak({"brats/c", "brats/a", "lits/b"}, {"lits/b", "brats/c", "brats/d"});
    FAIL("no error");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::data_invalid);
    CHECK_THAT(error.what(), Catch::Contains("brats/c, lits/b") && !Catch::Contains("brats/d"));
  }
}

}  // namespace
