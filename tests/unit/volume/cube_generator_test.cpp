#include "harness/volume/cube_generator.h"

#include "harness/config/core_keys.h"
#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>

namespace {

using sar::CubeOptions;
using sar::Rng;
using sar::Scale;
using sar::Size3;
using sar::Volume;

Volume make_volume(const Size3& size, const std::function<float(int, int, int)>& value) {
  Volume volume;
  volume.geometry.size = size;
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        volume.voxels.push_back(value(x, y, z));
      }
    }
  }
  return volume;
}

Rng stream(int index) {
  return Rng(1).at(sar::purpose::cube, {static_cast<std::uint64_t>(index)});
}

double standard_deviation(const std::vector<float>& values) {
  double mean = 0;
  for (const float value : values) {
    mean += static_cast<double>(value) / static_cast<double>(values.size());
  }
  double sum = 0;
  for (const float value : values) {
    sum += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  }
  return std::sqrt(sum / static_cast<double>(values.size()));
}

TEST_CASE("the default counts make the 106,560 cubes of the paper's Table 1") {
  // Exact. Columns small, medium, large; the multipliers are the defaults of the four data sets.
  const CubeOptions options;
  struct Row {
    int cases, multiplier;
    std::array<int, 3> cubes;
  };
  int total = 0;
  for (const Row& row : {Row{623, 1, {19936, 9968, 9968}},
                         Row{111, 2, {7104, 3552, 3552}},
                         Row{190 * 4, 1, {24320, 12160, 12160}},
                         Row{30, 2, {1920, 960, 960}}}) {
    const std::array<int, 3> per_case = cubes_per_case(options, row.multiplier);
    for (const Scale scale : sar::kScales) {
      const auto s = static_cast<std::size_t>(scale);
      CHECK(per_case[s] * row.cases == row.cubes[s]);
      total += per_case[s] * row.cases;
    }
  }
  CHECK(total == 106560);
}

TEST_CASE("scales are an eighth, a quarter and a half of the side, in this order") {
  CHECK(sar::relative_side(Scale::small) == 0.125);
  CHECK(sar::relative_side(Scale::medium) == 0.25);
  CHECK(sar::relative_side(Scale::large) == 0.5);
  CHECK(sar::name_of(Scale::small) == "small");
  CHECK(sar::name_of(Scale::large) == "large");
}

TEST_CASE("the sides of a box follow the sides of the volume, rounded half up") {
  const CubeOptions options;
  CHECK(box_size({138, 169, 138}, Scale::small, options) == Size3{17, 21, 17});
  CHECK(box_size({138, 169, 138}, Scale::medium, options) == Size3{35, 42, 35});
  CHECK(box_size({138, 169, 138}, Scale::large, options) == Size3{69, 85, 69});
  CHECK(box_size({100, 100, 100}, Scale::large, options, 0.1) == Size3{55, 55, 55});
}

TEST_CASE("a box has the least side where the volume is small, but never leaves it") {
  const CubeOptions options;
  CHECK(box_size({40, 64, 5}, Scale::small, options) == Size3{8, 8, 5});
}

TEST_CASE("scaling by volume gives equal sides") {
  CubeOptions options;
  options.per_axis = false;
  CHECK(box_size({200, 100, 50}, Scale::large, options) == Size3{50, 50, 50});
  CHECK(box_size({400, 400, 50}, Scale::large, options) == Size3{100, 100, 50});
}

TEST_CASE("a drawn cube has the wanted shape, lies in [0, 1] and is the same for the same stream") {
  Rng noise(3);
  const Volume volume = make_volume(
      {40, 36, 30}, [&](int, int, int) { return noise.uniform_float() < 0.5F ? 0.0F : 1.0F; });
  CubeOptions options;
  options.shape = {24, 16, 8};
  for (const bool cubic : {false, true}) {
    options.resize.cubic = cubic;
    for (const Scale scale : sar::kScales) {
      const sar::Cube cube = draw_cube(volume, scale, options, stream(7));
      CHECK(cube.scale == scale);
      CHECK(cube.block.size == options.shape);
      CHECK(cube.box.size == box_size(volume.geometry.size, scale, options));
      CHECK(*std::min_element(cube.block.values.begin(), cube.block.values.end()) >= 0.0F);
      CHECK(*std::max_element(cube.block.values.begin(), cube.block.values.end()) <= 1.0F);
      const sar::Cube again = draw_cube(volume, scale, options, stream(7));
      CHECK(again.box == cube.box);
      CHECK(again.block.values == cube.block.values);  // exact
    }
  }
}

TEST_CASE("boxes are uniform over all valid places") {
  const Volume volume =
      make_volume({16, 16, 16}, [](int x, int, int) { return x % 2 == 0 ? 0.0F : 1.0F; });
  CubeOptions options;
  options.shape = {8, 8, 8};
  constexpr int n = 9000;
  std::array<std::array<int, 9>, 3> counts{};  // origins 0..8 of a box of 8
  for (int i = 0; i < n; ++i) {
    const sar::Cube cube = draw_cube(volume, Scale::large, options, stream(i));
    for (std::size_t axis = 0; axis < 3; ++axis) {
      ++counts[axis].at(static_cast<std::size_t>(cube.box.origin[axis]));
    }
  }
  // Statistical: mean 1,000, SD sqrt(1,000 * 8/9) = 29.8; 5 SD = 149.
  for (const auto& axis : counts) {
    for (const int count : axis) {
      CHECK(std::abs(count - n / 9) < 149);
    }
  }
}

TEST_CASE("jittered sides fill the range around the scale") {
  const Volume volume =
      make_volume({80, 80, 80}, [](int x, int, int) { return x % 2 == 0 ? 0.0F : 1.0F; });
  CubeOptions options;
  options.shape = {8, 8, 8};
  options.scale_jitter = 0.1;
  int least = 80;
  int most = 0;
  for (int i = 0; i < 300; ++i) {
    const Size3 size = draw_cube(volume, Scale::large, options, stream(i)).box.size;
    CHECK(size[0] == size[2]);  // one draw per cube
    least = std::min(least, size[0]);
    most = std::max(most, size[0]);
  }
  CHECK(least == 36);  // 40 -+ 10 %; each end has a chance of about 1/16 per draw
  CHECK(most == 44);
}

TEST_CASE("min_std redraws cubes without contrast") {
  // Only a slab in z has contrast: 16 of 64 slices. Boxes of 8 slices meet it in about 23 of 57
  // places.
  const Volume volume = make_volume({64, 64, 64}, [](int x, int, int z) {
    return z >= 24 && z < 40 && x % 2 == 0 ? 1.0F : 0.0F;
  });
  CubeOptions options;
  options.shape = {16, 16, 8};
  int flat_without = 0;
  for (int i = 0; i < 100; ++i) {
    options.filter = "min_std";
    const sar::Cube cube = draw_cube(volume, Scale::small, options, stream(i));
    CHECK(standard_deviation(cube.block.values) >=
          0.01);  // all 51 tries fail with (34/57)^51 = 4e-12
    options.filter = "none";
    const sar::Cube any = draw_cube(volume, Scale::small, options, stream(i));
    flat_without += standard_deviation(any.block.values) < 0.01 ? 1 : 0;
  }
  CHECK(flat_without > 35);  // statistical: mean 60, SD 4.9
}

TEST_CASE("a volume without any contrast still gives its cubes") {
  const Volume volume = make_volume({20, 20, 20}, [](int, int, int) { return 0.0F; });
  CubeOptions options;
  options.shape = {8, 8, 8};
  const sar::Cube cube = draw_cube(volume, Scale::large, options, stream(0));
  CHECK(cube.block.values == std::vector<float>(512, 0.0F));
}

TEST_CASE("the lung filter keeps to its margins and rejects tissue above 15 percent") {
  // Tissue left of x = 112; boxes are 30 wide and 100..110 is all that the margin leaves. From 108
  // on the share is 4/30 or less, at 107 it is 5/30 = 0.167.
  const Volume volume =
      make_volume({240, 240, 96}, [](int x, int, int) { return x < 112 ? 0.5F : 0.0F; });
  CubeOptions options;
  options.shape = {8, 8, 8};
  options.filter = "genesis_lung";
  for (int i = 0; i < 40; ++i) {
    const sar::Box box = draw_cube(volume, Scale::small, options, stream(i)).box;
    CHECK(box.origin[0] >= 108);  // all 51 tries fail with (8/11)^51 = 9e-8
    CHECK(box.origin[0] <= 110);
    CHECK((box.origin[1] >= 100 && box.origin[1] <= 110));
    CHECK((box.origin[2] >= 30 && box.origin[2] <= 54));
  }
}

TEST_CASE("the lung filter counts half for a voxel below tissue") {
  // One slice in eight is tissue: 0.125 alone would pass, with the halves it is 0.1875. One slice
  // in sixteen gives 0.094 and passes. A passing first box is kept whatever the number of retries.
  CubeOptions options;
  options.shape = {8, 8, 8};
  options.filter = "genesis_lung";
  for (const int period : {8, 16}) {
    const Volume volume =
        make_volume({32, 32, 128}, [&](int, int, int z) { return z % period == 0 ? 1.0F : 0.0F; });
    int kept_first = 0;
    for (int i = 0; i < 20; ++i) {
      options.maximum_retries = 50;
      const sar::Box box = draw_cube(volume, Scale::small, options, stream(i)).box;
      options.maximum_retries = 0;
      kept_first += box == draw_cube(volume, Scale::small, options, stream(i)).box ? 1 : 0;
    }
    // Boxes of 4x4... are raised to 8x8x16 and have 25 * 25 * 53 places: two equal draws are rare.
    CHECK(kept_first == (period == 16 ? 20 : 0));
  }
}

TEST_CASE("only the lung filter skips volumes, those below 96 slices") {
  CubeOptions options;
  Volume volume;
  volume.geometry.size = {512, 512, 95};
  CHECK(gives_cubes(volume, options));
  options.filter = "genesis_lung";
  CHECK_FALSE(gives_cubes(volume, options));
  volume.geometry.size[2] = 96;
  CHECK(gives_cubes(volume, options));
}

TEST_CASE("the options are read from the settings") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  CHECK(sar::cube_options(settings).shape == Size3{64, 64, 32});
  CHECK(sar::cube_options(settings).per_case == std::array<int, 3>{32, 16, 16});
  settings.set(schema, "cubes.interpolation", "cubic", "test");
  settings.set(schema, "cubes.scale_mode", "volume", "test");
  settings.set(schema, "cubes.medium_per_case", 5, "test");
  const CubeOptions options = sar::cube_options(settings);
  CHECK(options.resize.cubic);
  CHECK_FALSE(options.per_axis);
  CHECK(options.per_case == std::array<int, 3>{32, 5, 16});
}

}  // namespace
