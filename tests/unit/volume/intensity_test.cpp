#include "harness/volume/intensity.h"

#include "harness/core/error.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace {

using Values = std::vector<float>;

TEST_CASE("clipping limits values to the range") {
  Values values{-2000, -1000, 5, 1000, 4000};
  sar::clip(values, -1000, 1000);
  CHECK(values == Values{-1000, -1000, 5, 1000, 1000});  // exact
}

TEST_CASE("a volume is scaled by its own least and largest value") {
  Values values{-1000, 0, 600};
  sar::normalise_volume(values);
  CHECK(values == Values{0, 0.625F, 1});  // exact: 1000/1600
}

TEST_CASE("a constant volume becomes 0") {
  Values values{7, 7, 7};
  sar::normalise_volume(values);
  CHECK(values == Values{0, 0, 0});
  Values none;
  sar::normalise_volume(none);
  CHECK(none.empty());
}

TEST_CASE("scaling by the clip range leaves a dark scan dark") {
  Values values{0, 800};
  sar::normalise_range(values, 0, 4000);
  CHECK(values == Values{0, 0.2F});  // exact: one division
}

TEST_CASE("the z-score uses the non-zero voxels, as computed with NumPy") {
  const sar::Json data = reference("evaluation");
  const Values values = data.at("intensities");
  const Values expected = data.at("z_scores");
  Values scores = values;
  sar::normalise_nonzero(scores, false);
  Values zeroed = values;
  sar::normalise_nonzero(zeroed, true);
  for (std::size_t i = 0; i < values.size(); ++i) {
    REQUIRE(scores[i] ==
            Approx(expected[i]).margin(1e-6));  // tolerance: single precision of values below 5
    REQUIRE(zeroed[i] == (values[i] == 0.0F ? 0.0F : scores[i]));
  }
}

TEST_CASE("the z-score of a volume without contrast is 0") {
  for (const Values& start : {Values{0, 0}, Values{0, 5, 5}, Values{}}) {
    Values values = start;
    sar::normalise_nonzero(values, false);
    CHECK(values == Values(start.size(), 0.0F));
  }
}

TEST_CASE("the non-zero box is the smallest one and cropping to it moves the origin") {
  sar::Volume volume;
  volume.geometry.size = {6, 5, 4};
  volume.geometry.spacing_mm = {1, 2, 3};
  volume.geometry.origin_mm = {10, 20, 30};
  volume.geometry.direction = {-1, 0, 0, 0, -1, 0, 0, 0, 1};
  volume.voxels.assign(120, 0);
  const auto at = [](int x, int y, int z) { return static_cast<std::size_t>((z * 5 + y) * 6 + x); };
  volume.voxels[at(4, 1, 2)] = 7;
  volume.voxels[at(2, 3, 1)] = -3;
  const sar::Box box = sar::nonzero_box(volume);
  CHECK(box == sar::Box{{2, 1, 1}, {3, 3, 2}});
  const sar::Volume cropped = sar::crop_volume(volume, box);
  CHECK(cropped.geometry.size == sar::Size3{3, 3, 2});
  CHECK(cropped.geometry.origin_mm == std::array<double, 3>{10 - 2, 20 - 2, 30 + 3});
  CHECK(cropped.voxels[2 + 3 * (0 + 3 * 1)] == 7);
  CHECK(cropped.voxels[0 + 3 * (2 + 3 * 0)] == -3);
  CHECK_THROWS_AS(sar::crop_volume(volume, {{4, 0, 0}, {3, 1, 1}}), sar::Error);
}

TEST_CASE("the non-zero box of an empty volume is the whole grid") {
  sar::Volume volume;
  volume.geometry.size = {3, 2, 1};
  volume.voxels.assign(6, 0);
  CHECK(sar::nonzero_box(volume) == sar::Box{{0, 0, 0}, {3, 2, 1}});
}

}  // namespace
