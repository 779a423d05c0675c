#include "harness/volume/resample.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace {

using sar::Box;
using sar::Size3;
using sar::Volume;

Volume make_volume(const Size3& size, const std::vector<float>& voxels) {
  Volume volume;
  volume.geometry.size = size;
  volume.voxels = voxels;
  return volume;
}

Volume random_volume(const Size3& size) {
  Volume volume = make_volume(size, std::vector<float>(sar::count_voxels(size)));
  sar::Rng rng(1);
  for (float& voxel : volume.voxels) {
    voxel = rng.uniform_float();
  }
  return volume;
}

double largest_difference(const std::vector<float>& a, const std::vector<double>& b) {
  REQUIRE(a.size() == b.size());
  double largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(a[i]) - b[i]));
  }
  return largest;
}

// Tolerance of all comparisons with SciPy (double precision) on values of +-1000: three passes in
// single precision, each rounding by at most about 1000 * 2^-24 = 6e-5 and amplified by up to 3 per
// spline axis.
constexpr double kTolerance = 1e-3;

TEST_CASE("cubic and linear resampling equal SciPy on half-pixel grids") {
  const sar::Json data = reference("resampling");
  const Volume volume = make_volume(data.at("size"), data.at("values"));
  for (const sar::Json& item : data.at("cases")) {
    const Size3 size = item.at("size");
    const bool cubic = item.at("method") == "cubic";
    INFO(item.at("method") << " to " << sar::to_string(size));
    const Volume result = cubic ? resample_cubic(volume, size) : resample_linear(volume, size);
    CHECK(result.geometry.size == size);
    CHECK(largest_difference(result.voxels, item.at("values")) < kTolerance);
  }
}

TEST_CASE("resized boxes equal SciPy's Gaussian filter and interpolation of the box alone") {
  const sar::Json data = reference("resampling");
  const Volume volume = make_volume(data.at("size"), data.at("values"));
  for (const sar::Json& item : data.at("resizes")) {
    const Box box{item.at("origin"), item.at("extent")};
    const sar::ResizeOptions options{item.at("cubic"), item.at("antialias")};
    INFO(sar::to_string(box.size) << " cubic " << options.cubic << " antialias "
                                  << options.antialias);
    const sar::Block block = crop_and_resize(volume, box, item.at("size"), options);
    CHECK(largest_difference(block.values, item.at("values")) < kTolerance);
  }
}

TEST_CASE("nearest resampling takes the nearest centre and the lower one of a tie") {
  const sar::Json data = reference("resampling");
  sar::LabelMap labels;
  labels.geometry.size = data.at("size");
  labels.voxels = data.at("labels").get<std::vector<std::uint8_t>>();
  for (const sar::Json& item : data.at("nearest")) {
    const auto expected = item.at("values").get<std::vector<std::uint8_t>>();
    CHECK(resample_nearest(labels, item.at("size")).voxels == expected);  // exact
  }
}

TEST_CASE("wide rows, whose blocks overlap, are resampled like narrow ones") {
  // Exact: along y and z each column is computed on its own with the same operations.
  const Volume wide = random_volume({75, 9, 8});
  for (const bool cubic : {false, true}) {
    const auto resample = cubic ? sar::resample_cubic : sar::resample_linear;
    const Volume expected = resample(wide, {75, 13, 5});
    for (const int width : {1, 3, 5, 31, 33}) {
      Volume narrow = make_volume({width, 9, 8}, {});
      for (std::size_t row = 0; row < 72; ++row) {
        const auto begin = wide.voxels.begin() + static_cast<std::ptrdiff_t>(row * 75);
        narrow.voxels.insert(narrow.voxels.end(), begin, begin + width);
      }
      const Volume result = resample(narrow, {width, 13, 5});
      bool equal = true;
      for (std::size_t row = 0; row < 65; ++row) {
        for (std::size_t x = 0; x < static_cast<std::size_t>(width); ++x) {
          equal &= result.voxels[row * static_cast<std::size_t>(width) + x] ==
                   expected.voxels[row * 75 + x];
        }
      }
      CHECK(equal);
    }
  }
}

TEST_CASE("a constant volume stays constant") {
  const Volume volume = make_volume({9, 1, 40}, std::vector<float>(360, 700.0F));
  for (const auto& resample : {sar::resample_cubic, sar::resample_linear}) {
    for (const float voxel : resample(volume, {20, 3, 7}).voxels) {
      // Tolerance: the weights sum to 1 within a few units of single precision (700 * 1e-6).
      REQUIRE(voxel == Approx(700.0F).margin(1e-3));
    }
  }
}

TEST_CASE("an unchanged grid is returned bit for bit") {
  const Volume volume = random_volume({6, 5, 4});
  CHECK(resample_cubic(volume, {6, 5, 4}).voxels == volume.voxels);
  CHECK(resample_linear(volume, {6, 5, 4}).voxels == volume.voxels);
  CHECK(crop_and_resize(volume, {{1, 0, 2}, {3, 5, 2}}, {3, 5, 2}, {}).values ==
        crop(volume, {{1, 0, 2}, {3, 5, 2}}, 0).values);
}

TEST_CASE("a resized box does not see what lies outside it") {
  Volume volume = random_volume({20, 18, 16});
  const Box box{{4, 5, 6}, {9, 8, 7}};
  const sar::Block before = crop_and_resize(volume, box, {5, 4, 9}, {});
  const sar::Block inside = crop(volume, box, 0);
  std::fill(volume.voxels.begin(), volume.voxels.end(), 1e6F);
  for (int z = 0; z < 7; ++z) {
    for (int y = 0; y < 8; ++y) {
      for (int x = 0; x < 9; ++x) {
        volume.voxels[static_cast<std::size_t>(((z + 6) * 18 + y + 5) * 20 + x + 4)] =
            inside.values[static_cast<std::size_t>((z * 8 + y) * 9 + x)];
      }
    }
  }
  CHECK(crop_and_resize(volume, box, {5, 4, 9}, {}).values == before.values);  // exact
}

TEST_CASE("the new size rounds the extent to whole voxels, half up, at least one") {
  sar::Geometry geometry;
  geometry.size = {512, 5, 1};
  geometry.spacing_mm = {0.7, 0.5, 0.2};
  CHECK(sar::resampled_size(geometry, {1, 1, 1}) == Size3{358, 3, 1});
  geometry.spacing_mm[1] = 0;
  CHECK_THROWS_AS(sar::resampled_size(geometry, {1, 1, 1}), sar::Error);
}

TEST_CASE("a resampled grid covers the same space") {
  sar::Geometry geometry;
  geometry.size = {10, 20, 30};
  geometry.spacing_mm = {1, 2, 3};
  geometry.origin_mm = {5, 6, 7};
  geometry.direction = {0, 1, 0, -1, 0, 0, 0, 0, 1};  // x axis points to -y, y axis to +x
  const sar::Geometry result = sar::resampled_geometry(geometry, {5, 40, 30});
  // Tolerances: double rounding only.
  CHECK(result.spacing_mm[0] == Approx(2));
  CHECK(result.spacing_mm[1] == Approx(1));
  CHECK(result.spacing_mm[2] == Approx(3));
  // First centres: half of (2 - 1) mm along the x axis, half of (1 - 2) mm along the y axis.
  CHECK(result.origin_mm[0] == Approx(5 - 0.5));
  CHECK(result.origin_mm[1] == Approx(6 - 0.5));
  CHECK(result.origin_mm[2] == Approx(7));
}

TEST_CASE("a crop that reaches outside is padded") {
  const Volume volume = random_volume({3, 4, 5});
  const sar::Block block = crop(volume, {{-1, 2, 4}, {6, 3, 2}}, 9);
  std::size_t i = 0;
  for (int z = 4; z < 6; ++z) {
    for (int y = 2; y < 5; ++y) {
      for (int x = -1; x < 5; ++x, ++i) {
        const bool in = x >= 0 && x < 3 && y < 4 && z < 5;
        REQUIRE(block.values[i] ==
                (in ? volume.voxels[static_cast<std::size_t>((z * 4 + y) * 3 + x)] : 9.0F));
      }
    }
  }
  CHECK(crop(volume, {{7, 0, 0}, {1, 1, 1}}, 9).values == std::vector<float>{9});
}

TEST_CASE("empty and oversized grids and boxes that leave the volume are refused") {
  const Volume volume = random_volume({4, 4, 4});
  CHECK_THROWS_AS(resample_cubic(volume, {0, 4, 4}), sar::Error);
  CHECK_THROWS_AS(resample_linear(volume, {40000, 40000, 40000}), sar::Error);
  CHECK_THROWS_AS(resample_cubic(make_volume({2, 2, 2}, {1, 2, 3}), {4, 4, 4}), sar::Error);
  CHECK_THROWS_AS(crop_and_resize(volume, {{2, 0, 0}, {3, 1, 1}}, {4, 4, 4}, {}), sar::Error);
  CHECK_THROWS_AS(crop_and_resize(volume, {{-1, 0, 0}, {3, 1, 1}}, {4, 4, 4}, {}), sar::Error);
}

}  // namespace
