// Transforms, cubes and intensities against second implementations of their rules in NumPy, SciPy
// and scikit-image, on the same draws: tests/reference/volume/make_transforms.py, make_cubes.py.

#include "harness/core/rng.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/intensity.h"
#include "harness/volume/transforms.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <string>

namespace {

using sar::Block;
using sar::Json;
using sar::Rng;
using sar::Size3;

/// The stream of a case, whose indices are numbers.
Rng stream_of(const Json& item) {
  const auto indices = item.at("indices").get<std::vector<std::uint64_t>>();
  const Rng rng(item.at("seed").get<std::uint64_t>());
  return indices.size() == 1 ? rng.at(sar::purpose::transform, {indices[0]})
                             : rng.at(sar::purpose::transform, {indices.at(0), indices.at(1)});
}

TEST_CASE("keyed streams are Philox4x32-10 under keys derived from purpose and indices",
          "[oracle]") {
  // Exact; the words come from the generator of another package.
  const Json data = reference("transforms");
  for (const Json& item : data.at("streams")) {
    const Rng root(std::stoull(item.at("seed").get<std::string>()));
    const auto purpose = item.at("purpose").get<std::string>();
    std::vector<std::uint64_t> i;
    for (const std::string text : item.at("indices")) {
      i.push_back(std::stoull(text));
    }
    INFO(item.dump());
    Rng stream = i.empty()       ? root.at(purpose)
                 : i.size() == 1 ? root.at(purpose, {i[0]})
                 : i.size() == 2 ? root.at(purpose, {i[0], i[1]})
                                 : root.at(purpose, {i.at(0), i.at(1), i.at(2)});
    for (const std::uint32_t word : item.at("words")) {
      REQUIRE(stream.next() == word);
    }
    const auto ranges = item.at("ranges").get<std::vector<std::uint32_t>>();
    const auto below = item.at("below").get<std::vector<std::uint32_t>>();
    REQUIRE(ranges.size() == below.size());
    for (std::size_t k = 0; k < ranges.size(); ++k) {
      REQUIRE(stream.below(ranges[k]) == below[k]);
    }
  }
}

TEST_CASE("flips equal NumPy's", "[oracle]") {
  const Json document = reference("transforms");
  const Json& data = document.at("flips");
  const Size3 size = data.at("size");
  for (const Json& item : data.at("cases")) {
    Block block{size, std::vector<float>(sar::count_voxels(size))};
    for (std::size_t i = 0; i < block.values.size(); ++i) {
      block.values[i] = static_cast<float>(i);
    }
    const auto axes = item.at("axes").get<std::vector<int>>();
    const auto has = [&](int axis) { return std::ranges::count(axes, axis) > 0; };
    flip(block, has(0), has(1), has(2));
    INFO(item.at("axes").dump());
    CHECK(block.values == item.at("values").get<std::vector<float>>());  // exact
  }
}

TEST_CASE("local shuffling moves every voxel to where the written rule moves it", "[oracle]") {
  const Json data = reference("transforms");
  for (const Json& item : data.at("shuffles")) {
    Block block = pattern(item.at("size"));
    Rng rng = stream_of(item);
    INFO(sar::to_string(block.size) << ", " << item.at("windows") << " windows");
    local_shuffle(block, item.at("windows"), rng);
    check_exact(block, item);
  }
}

TEST_CASE("the intensity map follows the Bezier curve of its draws", "[oracle]") {
  const Json document = reference("transforms");
  const Json& data = document.at("maps");
  for (const Json& item : data.at("cases")) {
    Block block{{201, 1, 1}, data.at("ramp")};
    Rng rng = stream_of(item);
    nonlinear(block, item.at("points"), rng);
    const auto expected = item.at("values").get<std::vector<double>>();
    // Tolerance: between 2e-7 and 5e-5, derived by the script from the slope and curvature of the
    // curve: single precision, and the table's polyline of 4 * points pieces.
    const auto tolerance = item.at("tolerance").get<double>();
    REQUIRE(block.values.size() == expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) {
      INFO("seed " << item.at("seed") << ", entry " << i);
      REQUIRE(std::abs(static_cast<double>(block.values[i]) - expected[i]) <= tolerance);
    }
  }
}

TEST_CASE("painting makes the boxes and the noise of the written rule", "[oracle]") {
  const Json data = reference("transforms");
  for (const Json& item : data.at("paints")) {
    Block block = pattern(item.at("size"));
    Rng rng = stream_of(item);
    INFO(item.at("kind") << " " << sar::to_string(block.size) << " " << item.at("indices").dump());
    (item.at("kind") == "inpaint" ? sar::inpaint : sar::outpaint)(block, rng);
    check_exact(block, item);
  }
}

sar::TransformOptions options_of(const Json& item) {
  sar::TransformOptions options;
  item.at("flip_rate").get_to(options.flip_rate);
  item.at("flip_axes").get_to(options.flip_axes);
  item.at("local_shuffle_rate").get_to(options.local_shuffle_rate);
  item.at("local_shuffle_windows").get_to(options.local_shuffle_windows);
  item.at("nonlinear_rate").get_to(options.nonlinear_rate);
  item.at("bezier_points").get_to(options.bezier_points);
  item.at("paint_rate").get_to(options.paint_rate);
  item.at("inpaint_rate").get_to(options.inpaint_rate);
  return options;
}

TEST_CASE("restoration pairs equal those of the written rules on the same draws", "[oracle]") {
  const Json data = reference("transforms");
  for (const Json& item : data.at("pairs")) {
    const Block cube = pattern(item.at("size"));
    INFO("size " << sar::to_string(cube.size) << ", seed " << item.at("seed") << ", epoch and cube "
                 << item.at("indices").dump());
    const sar::RestorationPair pair =
        make_restoration_pair(cube, options_of(item.at("options")), stream_of(item));
    check_exact(pair.target, item.at("target"));
    REQUIRE(pair.input.size == cube.size);
    const auto tolerance = item.at("tolerance").get<double>();  // of a mapped voxel, as above
    if (tolerance == 0) {
      check_exact(pair.input, item.at("input"));
      continue;
    }
    // Every row along x as a weighted sum, with the weights of row_sums() in the script. Tolerance:
    // the sum of what its voxels may differ by, and the last stored digit.
    const auto expected = item.at("input").get<std::vector<double>>();
    const auto width = static_cast<std::size_t>(cube.size[0]);
    REQUIRE(expected.size() * width == pair.input.values.size());
    for (std::size_t row = 0; row < expected.size(); ++row) {
      double sum = 0;
      double weights = 0;
      for (std::size_t x = 0; x < width; ++x) {
        const double weight = 1 + static_cast<double>(x * 7 % 16) / 16;
        sum += weight * static_cast<double>(pair.input.values[row * width + x]);
        weights += weight;
      }
      INFO("row " << row);
      REQUIRE(std::abs(sum - expected[row]) <= weights * tolerance + 1e-7);
    }
  }
}

// ---- cubes

/// make_volume() of make_cubes.py: disordered values, 0 below a place on one axis.
sar::Volume make_volume(const Json& item) {
  sar::Volume volume;
  volume.geometry.size = item.at("size");
  const auto axis = item.at("flat_axis").get<std::size_t>();
  const int below = item.at("flat_below");
  const float factor = item.at("factor");
  const float summand = item.at("summand");
  volume.voxels = pattern(volume.geometry.size).values;
  std::size_t i = 0;
  Size3 at{};
  for (at[2] = 0; at[2] < volume.geometry.size[2]; ++at[2]) {
    for (at[1] = 0; at[1] < volume.geometry.size[1]; ++at[1]) {
      for (at[0] = 0; at[0] < volume.geometry.size[0]; ++at[0], ++i) {
        const float value = std::min(std::max(factor * volume.voxels[i] + summand, 0.0F), 1.0F);
        volume.voxels[i] = at.at(axis) < below ? 0.0F : value;
      }
    }
  }
  return volume;
}

sar::Scale scale_of(const std::string& name) {
  for (const sar::Scale scale : {sar::Scale::small, sar::Scale::medium, sar::Scale::large}) {
    if (sar::name_of(scale) == name) {
      return scale;
    }
  }
  return sar::Scale::native;
}

TEST_CASE("drawn cubes are the boxes of the written rule, resized as SciPy resizes them",
          "[oracle]") {
  const Json data = reference("cubes");
  for (const Json& item : data.at("cubes")) {
    Json chosen = data.at("defaults");
    chosen.update(item.at("options"));
    sar::CubeOptions options;
    options.shape = item.at("shape");
    options.minimum_side = chosen.at("minimum_side");
    options.per_axis = chosen.at("per_axis");
    options.scale_jitter = chosen.at("scale_jitter");
    options.resize = {chosen.at("cubic"), chosen.at("antialias")};
    options.filter = chosen.at("filter").get<std::string>();
    options.minimum_standard_deviation = chosen.at("minimum_standard_deviation");
    options.maximum_retries = chosen.at("maximum_retries");
    const auto indices = item.at("indices").get<std::array<std::uint64_t, 3>>();
    const Rng rng = Rng(item.at("seed").get<std::uint64_t>())
                        .at(sar::purpose::cube, {indices[0], indices[1], indices[2]});
    INFO("case " << indices[1] << ", " << item.at("scale") << " to "
                 << sar::to_string(options.shape) << ", " << chosen.dump());
    const sar::Cube cube = draw_cube(make_volume(item), scale_of(item.at("scale")), options, rng);
    CHECK(cube.box == sar::Box{item.at("origin"), item.at("sides")});  // exact
    CHECK(cube.block.size == options.shape);
    const auto expected = item.at("values").get<std::vector<double>>();
    REQUIRE(cube.block.values.size() == expected.size());
    double largest = 0;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      largest =
          std::max(largest, std::abs(static_cast<double>(cube.block.values[i]) - expected[i]));
    }
    // Tolerance: three passes in single precision over values below 1, each rounding by a few units
    // of 2^-24, which a spline's prefilter amplifies up to threefold per axis.
    CHECK(largest < 1e-6);
  }
}

// ---- intensities

TEST_CASE("clipping and scaling give NumPy's bits", "[oracle]") {
  const Json data = reference("cubes");
  for (const Json& item : data.at("intensities")) {
    // Exact: one operation in single precision at a time.
    const float low = item.at("low");
    const float high = item.at("high");
    INFO(low << " to " << high);
    std::vector<float> clipped = item.at("values");
    sar::clip(clipped, low, high);
    CHECK(clipped == item.at("clipped").get<std::vector<float>>());
    std::vector<float> values = clipped;
    sar::normalise_volume(values);
    CHECK(values == item.at("by_volume").get<std::vector<float>>());
    values = clipped;
    sar::normalise_range(values, low, high);
    CHECK(values == item.at("by_range").get<std::vector<float>>());
  }
}

TEST_CASE("z-scores of the non-zero voxels hold far from zero and for both signs", "[oracle]") {
  const Json data = reference("cubes");
  for (const Json& item : data.at("scores")) {
    for (const bool zero_background : {false, true}) {
      std::vector<float> values = item.at("values");
      sar::normalise_nonzero(values, zero_background);
      const auto expected =
          item.at(zero_background ? "zeroed" : "scores").get<std::vector<double>>();
      REQUIRE(values.size() == expected.size());
      for (std::size_t i = 0; i < values.size(); ++i) {
        // Tolerance: the result is rounded to single precision once (2^-24 = 6e-8, relative), and
        // the mean of 20,000 at an SD of 3 costs double precision some 1e-12.
        REQUIRE(static_cast<double>(values[i]) == Approx(expected[i]).epsilon(1e-7).margin(1e-8));
      }
    }
  }
}

TEST_CASE("the non-zero box is SciPy's", "[oracle]") {
  const Json data = reference("cubes");
  for (const Json& item : data.at("nonzero_boxes")) {
    sar::Volume volume;
    volume.geometry.size = item.at("size");
    volume.voxels = item.at("values").get<std::vector<float>>();
    CHECK(sar::nonzero_box(volume) == sar::Box{item.at("origin"), item.at("sides")});  // exact
  }
}

}  // namespace
