#include "harness/volume/volume.h"

#include <catch2/catch.hpp>

#include <limits>

namespace {

using sar::Geometry;

Geometry example() {
  Geometry geometry;
  geometry.size = {4, 5, 6};
  geometry.spacing_mm = {1, 2, 3};
  geometry.origin_mm = {10, 20, 30};
  return geometry;
}

TEST_CASE("a size prints as x by y by z") {
  CHECK(sar::to_string(sar::Size3{64, 32, 1}) == "64x32x1");
}

TEST_CASE("equal and nearly equal geometries have no difference") {
  Geometry other = example();
  CHECK(sar::geometry_difference(example(), other).empty());
  other.origin_mm[2] += 0.002;  // below 1e-3 of a spacing of 3
  other.spacing_mm[1] *= 1.0005;
  other.direction[1] = 0.0005;
  CHECK(sar::geometry_difference(example(), other).empty());
}

TEST_CASE("each way to differ is named") {
  const auto difference = [](auto change) {
    Geometry other = example();
    change(other);
    return sar::geometry_difference(example(), other);
  };
  CHECK_THAT(difference([](Geometry& g) { g.size[1] = 7; }),
             Catch::Contains("size 4x5x6 against 4x7x6"));
  CHECK_THAT(difference([](Geometry& g) { g.spacing_mm[0] = 1.01; }), Catch::Contains("spacing"));
  CHECK_THAT(difference([](Geometry& g) { g.origin_mm[0] = 10.01; }), Catch::Contains("origin"));
  CHECK_THAT(difference([](Geometry& g) { g.direction[0] = -1; }), Catch::Contains("direction"));
  CHECK_THAT(
      difference([](Geometry& g) { g.origin_mm[0] = std::numeric_limits<double>::quiet_NaN(); }),
      Catch::Contains("origin"));
}

}  // namespace
