// The cutting, turning and ordering of pieces against NumPy, SciPy and scikit-image, on the same
// draws: tests/reference/volume/make_pieces.py.

#include "harness/volume/pieces.h"

#include "harness/core/error.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <string>

namespace {

using sar::Block;
using sar::Json;
using sar::Rng;
using sar::Size3;

Rng stream_of(const Json& item) {
  const auto indices = item.at("indices").get<std::array<std::uint64_t, 2>>();
  return Rng(item.at("seed").get<std::uint64_t>())
      .at(sar::purpose::proxy, {indices[0], indices[1]});
}

TEST_CASE("the ten rotations are NumPy's quarter turns", "[oracle]") {
  const Json document = reference("pieces");
  const Json& data = document.at("rotations");
  const int side = data.at("side");
  Block block{{side, side, side}, {}};
  for (std::size_t i = 0; i < sar::count_voxels(block.size); ++i) {
    block.values.push_back(static_cast<float>(i));
  }
  REQUIRE(data.at("turned").size() == static_cast<std::size_t>(sar::kRotations));
  std::set<std::vector<float>> seen;
  for (int rotation = 0; rotation < sar::kRotations; ++rotation) {
    const auto index = static_cast<std::size_t>(rotation);
    INFO("rotation " << rotation);
    const Block turned = rotated(block, rotation);
    CHECK(turned.size == block.size);
    CHECK(turned.values == data.at("turned")[index].get<std::vector<float>>());  // exact
    CHECK(seen.insert(turned.values).second);
    const int inverse = data.at("inverses")[index];
    CHECK(rotated(turned, inverse).values == block.values);
  }
}

TEST_CASE("only cubes are turned, and only by the ten rotations", "[oracle]") {
  const Block cube = pattern({4, 4, 4});
  CHECK_THROWS_AS(rotated(cube, -1), sar::Error);
  CHECK_THROWS_AS(rotated(cube, sar::kRotations), sar::Error);
  CHECK_THROWS_AS(rotated(pattern({4, 4, 5}), 1), sar::Error);
  CHECK_THROWS_AS(rotated(pattern({4, 5, 4}), 1), sar::Error);
}

TEST_CASE("a grid's patches lie where the written rule puts them", "[oracle]") {
  const Json data = reference("pieces");
  for (const Json& item : data.at("grids")) {
    const sar::GridOptions options{item.at("cells"), item.at("patch"), item.at("jitter")};
    const Block block = pattern(item.at("size"));
    Rng rng = stream_of(item);
    INFO(sar::to_string(block.size) << " in " << options.cells << " cells a side");
    const std::vector<Block> patches = cut_grid(block, options, rng);
    REQUIRE(patches.size() == item.at("count").get<std::size_t>());
    Block all{{options.patch[0], options.patch[1], 0}, {}};
    for (const Block& patch : patches) {
      REQUIRE(patch.size == options.patch);
      all.size[2] += patch.size[2];
      all.values.insert(all.values.end(), patch.values.begin(), patch.values.end());
    }
    check_exact(all, item.at("patches"));
  }
}

TEST_CASE("a patch and its jitter must fit the cell on every axis", "[oracle]") {
  const Block block = pattern({12, 10, 8});
  Rng rng(0);
  CHECK(cut_grid(block, {2, {6, 5, 4}, 0}, rng).size() == 8);
  CHECK(cut_grid(block, {2, {4, 3, 2}, 2}, rng).size() == 8);
  CHECK_THROWS_AS(cut_grid(block, {2, {4, 3, 3}, 2}, rng), sar::Error);
  CHECK_THROWS_AS(cut_grid(block, {2, {7, 5, 4}, 0}, rng), sar::Error);
  CHECK_THROWS_AS(cut_grid(block, {2, {6, 0, 4}, 0}, rng), sar::Error);
  CHECK_THROWS_AS(cut_grid(block, {2, {6, 5, 4}, -1}, rng), sar::Error);
}

TEST_CASE("a random crop is put back in the middle of zeros", "[oracle]") {
  const Json data = reference("pieces");
  for (const Json& item : data.at("crops")) {
    const Block block = pattern(item.at("size"));
    const Size3 side = item.at("side");
    Rng rng = stream_of(item);
    INFO(sar::to_string(side) << " of " << sar::to_string(block.size));
    const Block padded = cropped_and_padded(block, side, rng);
    CHECK(padded.size == block.size);
    check_exact(padded, item);
  }
  Rng rng(0);
  CHECK_THROWS_AS(cropped_and_padded(pattern({5, 5, 5}), {5, 6, 5}, rng), sar::Error);
  CHECK_THROWS_AS(cropped_and_padded(pattern({5, 5, 5}), {5, 5, 0}, rng), sar::Error);
}

TEST_CASE("mirroring along x equals NumPy's", "[oracle]") {
  const Json data = reference("pieces");
  for (const Json& item : data.at("mirrors")) {
    const Block block = pattern(item.at("size"));
    check_exact(mirrored_x(block), item);
  }
}

TEST_CASE("resized blocks equal SciPy's Gaussian filter and linear interpolation", "[oracle]") {
  const Json data = reference("pieces");
  for (const Json& item : data.at("resizes")) {
    const Block block = pattern(item.at("size"));
    const Size3 size = item.at("new");
    INFO(sar::to_string(block.size) << " to " << sar::to_string(size));
    const Block result = resized(block, size);
    CHECK(result.size == size);
    const auto expected = item.at("values").get<std::vector<double>>();
    REQUIRE(result.values.size() == expected.size());
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest = std::max(largest, std::abs(static_cast<double>(result.values[i]) - expected[i]));
    }
    // Tolerance: three passes in single precision over values below 1, whose weights are rounded by
    // 2^-25 each and sum to 1, and 5e-9 for the stored digits.
    CHECK(largest < 5e-7);
  }
  const Block same = pattern({5, 4, 3});
  CHECK(resized(same, {5, 4, 3}).values == same.values);  // exact
}

TEST_CASE("sets of permutations are the greedy choice and as far apart as SciPy finds them",
          "[oracle]") {
  const Json data = reference("pieces");
  for (const Json& item : data.at("permutation_sets")) {
    const int count = item.at("count");
    const int pieces = item.at("pieces");
    const auto selection = item.at("selection").get<std::string>();
    INFO(count << " of " << pieces << ", " << selection << ", seed " << item.at("seed"));
    const auto orders =
        sar::permutation_set(count, pieces, selection, item.at("seed").get<std::uint64_t>());
    CHECK(orders == item.at("orders").get<std::vector<std::vector<int>>>());  // exact
    int least = pieces;
    int sum = 0;
    for (std::size_t a = 0; a < orders.size(); ++a) {
      for (std::size_t b = a + 1; b < orders.size(); ++b) {
        const int distance = sar::hamming_distance(orders[a], orders[b]);
        least = std::min(least, distance);
        sum += distance;
      }
    }
    CHECK(least == item.at("least_distance").get<int>());  // exact
    CHECK(sum == item.at("sum_of_distances").get<int>());
  }
}

TEST_CASE("more orders than there are, and other selections, are refused", "[oracle]") {
  CHECK(sar::permutation_set(6, 3, "maxmin", 0).size() == 6);
  CHECK_THROWS_AS(sar::permutation_set(7, 3, "maxmin", 0), sar::Error);
  CHECK_THROWS_AS(sar::permutation_set(7, 3, "random", 0), sar::Error);
  CHECK_THROWS_AS(sar::permutation_set(2, 3, "furthest", 0), sar::Error);
}

}  // namespace
