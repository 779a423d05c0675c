#include "harness/core/rng.h"

#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <set>
#include <vector>

namespace {

using sar::Rng;

TEST_CASE("the generator gives the published Philox4x32-10 vectors") {
  // Exact: known-answer test of Random123 (kat_vectors: philox4x32 10, counter 0, key 0).
  Rng zero(0);
  CHECK(zero.next() == 0x6627e8d5U);
  CHECK(zero.next() == 0xe169c58dU);
  CHECK(zero.next() == 0xbc57ac4cU);
  CHECK(zero.next() == 0x9b00dbd8U);
}

TEST_CASE("a copied stream replays the same numbers") {
  Rng rng = Rng(7).at(sar::purpose::cube, {3, 5});
  rng.next();
  Rng copy = rng;
  for (int i = 0; i < 100; ++i) {
    REQUIRE(rng.next64() == copy.next64());  // exact
  }
}

TEST_CASE("a derived stream does not depend on what was drawn before") {
  Rng used(11);
  for (int i = 0; i < 1000; ++i) {
    used.next();
  }
  Rng a = used.at(sar::purpose::order, {4});
  Rng b = Rng(11).at(sar::purpose::order, {4});
  CHECK(a.next64() == b.next64());  // exact
}

TEST_CASE("streams of other seeds, purposes and indices start differently") {
  std::set<std::uint64_t> first;
  std::size_t streams = 0;
  for (const std::uint64_t seed : {0ULL, 1ULL, 1ULL << 32U}) {
    for (const std::string_view purpose : {sar::purpose::split,
                                           sar::purpose::validation,
                                           sar::purpose::fraction,
                                           sar::purpose::initialisation,
                                           sar::purpose::order,
                                           sar::purpose::cube,
                                           sar::purpose::transform,
                                           sar::purpose::patch,
                                           sar::purpose::augment,
                                           sar::purpose::proxy,
                                           sar::purpose::dropout,
                                           sar::purpose::phantom}) {
      for (std::uint64_t i = 0; i < 20; ++i) {
        for (const Rng& stream : {Rng(seed).at(purpose, {i}),
                                  Rng(seed).at(purpose, {i, 0}),
                                  Rng(seed).at(purpose, {0, i + 1}),
                                  Rng(seed).at(purpose, {i << 32U, 1, 1})}) {
          Rng copy = stream;
          first.insert(copy.next64());
          ++streams;
        }
      }
    }
  }
  // All index lists differ. Statistical: 2,880 draws of 64 bits collide with a chance of
  // 2880^2 / 2^65 = 2e-13.
  CHECK(first.size() == streams);
}

TEST_CASE("neighbouring streams are uncorrelated") {
  // Statistical: the correlation of n = 20,000 independent pairs has SD 1/sqrt(n) = 0.0071; 5 SD.
  constexpr int n = 20000;
  Rng a = Rng(1).at(sar::purpose::transform, {0, 1});
  Rng b = Rng(1).at(sar::purpose::transform, {0, 2});
  double sum = 0;
  for (int i = 0; i < n; ++i) {
    sum += (a.uniform() - 0.5) * (b.uniform() - 0.5);
  }
  CHECK(std::abs(sum / n * 12) < 5 / std::sqrt(n));
}

TEST_CASE("uniform numbers stay in [0, 1) and fill it evenly") {
  Rng rng(3);
  constexpr int n = 160000;
  std::vector<int> counts(16);
  for (int i = 0; i < n; ++i) {
    const double value = i % 2 == 0 ? rng.uniform() : static_cast<double>(rng.uniform_float());
    REQUIRE((value >= 0 && value < 1));
    ++counts[static_cast<std::size_t>(value * 16)];
  }
  // Statistical: binomial with mean 10,000 and SD sqrt(10,000 * 15/16) = 97; 5 SD = 484.
  for (const int count : counts) {
    CHECK(std::abs(count - n / 16) < 484);
  }
}

TEST_CASE("below draws every value equally often and never the bound") {
  Rng rng(5);
  constexpr int n = 70000;
  std::vector<int> counts(7);
  for (int i = 0; i < n; ++i) {
    ++counts.at(rng.below(7));
  }
  // Statistical: mean 10,000, SD sqrt(10,000 * 6/7) = 92.6; 5 SD = 463.
  for (const int count : counts) {
    CHECK(std::abs(count - n / 7) < 463);
  }
  CHECK(rng.below(1) == 0);
  CHECK_THROWS_AS(rng.below(0), sar::Error);
}

TEST_CASE("between includes both ends") {
  Rng rng(6);
  std::set<int> seen;
  for (int i = 0; i < 1000; ++i) {
    seen.insert(rng.between(-2, 2));
  }
  CHECK(seen == std::set<int>{-2, -1, 0, 1, 2});  // P(one missing) < 5 * 0.8^1000
  CHECK_THROWS_AS(rng.between(1, 0), sar::Error);
}

TEST_CASE("normal numbers have mean 0 and variance 1") {
  Rng rng(9);
  constexpr int n = 100000;
  double sum = 0;
  double squares = 0;
  for (int i = 0; i < n; ++i) {
    const double value = rng.normal();
    REQUIRE(std::isfinite(value));
    sum += value;
    squares += value * value;
  }
  // Statistical: SD of the mean 1/sqrt(n), of the mean square sqrt(2/n); 5 SD each.
  CHECK(std::abs(sum / n) < 5 / std::sqrt(n));
  CHECK(std::abs(squares / n - 1) < 5 * std::sqrt(2.0 / n));
}

TEST_CASE("a permutation holds every number once and each place is uniform") {
  constexpr int n = 24000;
  std::vector<int> first(4);
  for (int i = 0; i < n; ++i) {
    Rng rng = Rng(13).at(sar::purpose::order, {static_cast<std::uint64_t>(i)});
    std::vector<std::uint32_t> order = rng.permutation(4);
    ++first[order[0]];
    std::sort(order.begin(), order.end());
    REQUIRE(order == std::vector<std::uint32_t>{0, 1, 2, 3});
  }
  // Statistical: mean 6,000, SD sqrt(6,000 * 3/4) = 67; 5 SD = 335.
  for (const int count : first) {
    CHECK(std::abs(count - n / 4) < 335);
  }
  CHECK(Rng(1).permutation(0).empty());
}

}  // namespace
