// Keys of the ledger in docs/protocol.md that decide how cubes are cut, transformed and scored:
// each case changes a key by its name and looks for what the key promises.

#include "harness/config/core_keys.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/evaluation.h"
#include "harness/volume/transforms.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <set>

namespace {

using sar::Block;
using sar::CubeOptions;
using sar::Json;
using sar::Rng;
using sar::Scale;
using sar::Size3;
using sar::Volume;
using Changes = std::vector<std::pair<std::string, Json>>;

sar::Settings settings_with(const Changes& changes) {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  for (const auto& [key, value] : changes) {
    settings.set(schema, key, value, "test");
  }
  return settings;
}

CubeOptions cubes_with(const Changes& changes) {
  return sar::cube_options(settings_with(changes));
}

Volume make_volume(const Size3& size, const std::function<double(int, int, int)>& value) {
  Volume volume;
  volume.geometry.size = size;
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        volume.voxels.push_back(static_cast<float>(value(x, y, z)));
      }
    }
  }
  return volume;
}

Rng stream(int index) {
  return Rng(9).at(sar::purpose::cube, {static_cast<std::uint64_t>(index)});
}

double standard_deviation(const std::vector<float>& values) {
  const auto n = static_cast<double>(values.size());
  const double mean = std::accumulate(values.begin(), values.end(), 0.0) / n;
  double sum = 0;
  for (const float value : values) {
    sum += (static_cast<double>(value) - mean) * (static_cast<double>(value) - mean);
  }
  return std::sqrt(sum / n);
}

// ---- cubes

TEST_CASE("the axis of 32 voxels is z unless the shape says otherwise",
          "[key:cubes.shape_voxels]") {
  const Volume volume = make_volume({24, 24, 24}, [](int x, int, int) { return x % 2; });
  CHECK(draw_cube(volume, Scale::large, cubes_with({}), stream(0)).block.size == Size3{64, 64, 32});
  CHECK(
      draw_cube(volume, Scale::large, cubes_with({{"cubes.shape_voxels", {32, 16, 8}}}), stream(0))
          .block.size == Size3{32, 16, 8});
}

TEST_CASE("sides below the least one are raised to it", "[key:cubes.minimum_side_voxels]") {
  const Size3 volume{40, 64, 100};
  CHECK(box_size(volume, Scale::small, cubes_with({})) == Size3{8, 8, 13});
  CHECK(box_size(volume, Scale::small, cubes_with({{"cubes.minimum_side_voxels", 1}})) ==
        Size3{5, 8, 13});
}

TEST_CASE("the scale is of each axis or of the volume's cube root", "[key:cubes.scale_mode]") {
  CHECK(box_size({200, 100, 50}, Scale::large, cubes_with({})) == Size3{100, 50, 25});
  CHECK(box_size({200, 100, 50}, Scale::large, cubes_with({{"cubes.scale_mode", "volume"}})) ==
        Size3{50, 50, 50});
}

TEST_CASE("the scale is exact unless jitter is asked for", "[key:cubes.scale_jitter]") {
  const Volume volume = make_volume({80, 80, 80}, [](int x, int, int) { return x % 2; });
  const auto sides = [&](double jitter) {
    const CubeOptions options =
        cubes_with({{"cubes.scale_jitter", jitter}, {"cubes.shape_voxels", {8, 8, 8}}});
    std::set<int> found;
    for (int i = 0; i < 100; ++i) {
      found.insert(draw_cube(volume, Scale::large, options, stream(i)).box.size[0]);
    }
    return found;
  };
  CHECK(sides(0) == std::set<int>{40});
  const std::set<int> jittered = sides(0.2);
  CHECK(*jittered.begin() >= 32);
  CHECK(*jittered.rbegin() <= 48);
  // 17 equally wide sides: 100 draws meet at most 5 of them with a chance below 1e-49.
  CHECK(jittered.size() > 5);
}

TEST_CASE("cubic interpolation follows a parabola where trilinear takes the chord",
          "[key:cubes.interpolation]") {
  constexpr int n = 128;
  const Volume volume =
      make_volume({n, 16, 16}, [](int x, int, int) { return x * x / double{n * n}; });
  for (const bool cubic : {false, true}) {
    const CubeOptions options = cubes_with({{"cubes.interpolation", cubic ? "cubic" : "trilinear"},
                                            {"cubes.shape_voxels", {n, 8, 8}},
                                            {"cubes.filter", "none"}});
    const sar::Cube cube = draw_cube(volume, Scale::large, options, stream(1));
    REQUIRE(cube.box.size == Size3{n / 2, 8, 8});
    for (int i = 40; i < 88; ++i) {  // far from the box's border, where the spline bends otherwise
      const double x = cube.box.origin[0] + i / 2.0 - 0.25;
      // Halfway between quarters, a chord over one voxel lies 1/4 * 3/4 above the parabola.
      const double expected = (x * x + (cubic ? 0 : 0.1875)) / double{n * n};
      // Tolerance: float32 values below 1 in a few operations; the chord's excess is 1.1e-5.
      REQUIRE(static_cast<double>(cube.block.values[static_cast<std::size_t>(i)]) ==
              Approx(expected).margin(1e-6));
    }
  }
}

TEST_CASE("without the prefilter a shrunk cube holds plain trilinear samples",
          "[key:cubes.antialias]") {
  // Two of eight voxels are 1. A box of 64 shrinks to 8: samples lie halfway between voxels 8i + 3
  // and 8i + 4 of the box.
  const Volume volume =
      make_volume({128, 16, 16}, [](int x, int, int) { return x % 8 < 2 ? 1 : 0; });
  const Changes common{{"cubes.shape_voxels", {8, 8, 8}}, {"cubes.filter", "none"}};
  for (int i = 0; i < 20; ++i) {
    Changes plain = common;
    plain.emplace_back("cubes.antialias", false);
    const sar::Cube sampled = draw_cube(volume, Scale::large, cubes_with(plain), stream(i));
    const sar::Cube filtered = draw_cube(volume, Scale::large, cubes_with(common), stream(i));
    REQUIRE(sampled.box == filtered.box);
    const int x = sampled.box.origin[0] + 3;
    const double expected = ((x % 8 < 2 ? 1 : 0) + ((x + 1) % 8 < 2 ? 1 : 0)) / 2.0;  // 0, 1/2 or 1
    for (std::size_t at = 2; at < 6; ++at) {
      CHECK(static_cast<double>(sampled.block.values[at]) == expected);  // exact: halves
      // The Gaussian of sigma 3.5 leaves of the period 8 a wave of exp(-2 (pi 3.5 / 8)^2) = 2 %.
      CHECK(static_cast<double>(filtered.block.values[at]) == Approx(0.25).margin(0.03));
    }
  }
}

/// Counts drawn cubes without any contrast.
int flat_cubes(const Volume& volume, const CubeOptions& options) {
  int flat = 0;
  for (int i = 0; i < 60; ++i) {
    const auto cube = draw_cube(volume, Scale::small, options, stream(i));
    flat += standard_deviation(cube.block.values) < 0.01 ? 1 : 0;
  }
  return flat;
}

/// Contrast in a slab of 16 of 64 slices: boxes of 8 slices miss it in 34 of 57 places.
const Volume& slab() {
  static const Volume volume = make_volume(
      {64, 64, 64}, [](int x, int, int z) { return z >= 24 && z < 40 && x % 2 == 0 ? 1 : 0; });
  return volume;
}

TEST_CASE("flat cubes are redrawn, at most so many times, or kept",
          "[key:cubes.filter][key:cubes.maximum_retries]") {
  const auto with = [](const std::string& filter, int retries) {
    return cubes_with({{"cubes.filter", filter},
                       {"cubes.maximum_retries", retries},
                       {"cubes.shape_voxels", {16, 16, 8}}});
  };
  CHECK(flat_cubes(slab(), with("min_std", 50)) == 0);  // all 51 fail with (34/57)^51 = 4e-12
  // Statistical, of 60 cubes: none 36, SD 3.8; one retry 21, SD 3.7.
  const int kept = flat_cubes(slab(), with("none", 50));
  const int once = flat_cubes(slab(), with("min_std", 1));
  CHECK(kept > 20);
  CHECK(once > 2);
  CHECK(once < kept);
  CHECK(flat_cubes(slab(), with("min_std", 0)) == kept);  // exact: the first box of each stream
  // The lung rule skips short volumes.
  CHECK(gives_cubes(slab(), with("min_std", 50)));
  CHECK_FALSE(gives_cubes(slab(), with("genesis_lung", 50)));
}

TEST_CASE("the least contrast decides which cubes are redrawn",
          "[key:cubes.minimum_standard_deviation]") {
  // Half of the volume has a standard deviation of 0.05, half of 0.5.
  const Volume volume = make_volume(
      {64, 64, 64}, [](int x, int, int z) { return x % 2 == 0 ? 0.0 : (z < 32 ? 0.1 : 1.0); });
  const auto least = [&](double minimum) {
    const CubeOptions options = cubes_with({{"cubes.minimum_standard_deviation", minimum},
                                            {"cubes.antialias", false},
                                            {"cubes.shape_voxels", {8, 8, 8}}});
    double deviation = 1;
    for (int i = 0; i < 40; ++i) {  // a box of 8 lies in the weak half with probability 25/57
      const auto cube = draw_cube(volume, Scale::small, options, stream(i));
      deviation = std::min(deviation, standard_deviation(cube.block.values));
    }
    return deviation;
  };
  CHECK(least(0.01) == Approx(0.05).epsilon(1e-4));  // float32
  CHECK(least(0.2) >= 0.2);
}

// ---- transforms

/// Pairs of one cube under the given keys, with every other transform off.
struct Pairs {
  Block cube;
  Changes changes{{"transform.flip_rate", 0.0},
                  {"transform.local_shuffle_rate", 0.0},
                  {"transform.nonlinear_rate", 0.0},
                  {"transform.paint_rate", 0.0}};

  explicit Pairs(const Size3& size, bool ones = false) : cube{size, {}} {
    for (std::size_t i = 0; i < sar::count_voxels(size); ++i) {
      // Different values, so that a moved voxel shows.
      cube.values.push_back(ones ? 1.0F : static_cast<float>(i) * 0x1.0p-16F);
    }
  }
  [[nodiscard]] std::vector<sar::RestorationPair> with(const Changes& more, int count = 40) const {
    Changes all = changes;
    all.insert(all.end(), more.begin(), more.end());
    const auto options = sar::transform_options(settings_with(all));
    std::vector<sar::RestorationPair> pairs;
    for (int i = 0; i < count; ++i) {
      pairs.push_back(make_restoration_pair(
          cube, options, Rng(5).at(sar::purpose::transform, {static_cast<std::uint64_t>(i)})));
    }
    return pairs;
  }
  [[nodiscard]] int corrupted(const Changes& more) const {
    const auto pairs = with(more);
    return static_cast<int>(std::count_if(pairs.begin(), pairs.end(), [](const auto& pair) {
      return pair.input.values != pair.target.values;
    }));
  }
  [[nodiscard]] int flipped(const Changes& more) const {
    const auto pairs = with(more);
    return static_cast<int>(std::count_if(pairs.begin(), pairs.end(), [&](const auto& pair) {
      return pair.target.values != cube.values;
    }));
  }
};

TEST_CASE("a rate of 0 switches a transform off, a rate of 1 gives it to every cube",
          "[key:transform.flip_rate][key:transform.local_shuffle_rate]"
          "[key:transform.nonlinear_rate][key:transform.paint_rate]") {
  const Pairs pairs({24, 24, 8});
  CHECK(pairs.flipped({}) == 0);
  // Three flips of one axis each never cancel.
  CHECK(pairs.flipped({{"transform.flip_rate", 1.0}}) == 40);
  CHECK(pairs.corrupted({}) == 0);
  for (const char* key : {"transform.local_shuffle_rate", "transform.nonlinear_rate"}) {
    INFO(key);
    CHECK(pairs.corrupted({{key, 1.0}}) == 40);
  }
  // In-painting leaves one cube in twenty alone; out-painting none.
  CHECK(pairs.corrupted({{"transform.paint_rate", 1.0}, {"transform.inpaint_rate", 0.0}}) == 40);
}

TEST_CASE("the official code's slip never flips z", "[key:transform.flip_axes]") {
  const Pairs pairs({4, 3, 2});
  const auto z_flips = [&](const std::string& axes) {
    const auto all = pairs.with({{"transform.flip_rate", 1.0}, {"transform.flip_axes", axes}}, 200);
    return std::count_if(all.begin(), all.end(), [](const auto& pair) {
      return *std::min_element(pair.target.values.begin(), pair.target.values.begin() + 12) > 0;
    });  // voxel 0 has left the first slice
  };
  CHECK(z_flips("repo") == 0);
  // Three flips over three axes: z an odd number of times in 12 + 1 of 27. Statistical: 96, SD 7.
  CHECK(std::abs(static_cast<double>(z_flips("xyz")) - 200.0 * 13 / 27) < 5 * 7.1);
}

TEST_CASE("the number of shuffle windows bounds how much moves",
          "[key:transform.local_shuffle_windows]") {
  const Pairs pairs({24, 24, 8});  // windows of at most 2x2x1 voxels
  const auto most_moved = [&](int windows) {
    std::size_t most = 0;
    for (const auto& pair : pairs.with({{"transform.local_shuffle_rate", 1.0},
                                        {"transform.local_shuffle_windows", windows}})) {
      std::size_t moved = 0;
      for (std::size_t i = 0; i < pair.input.values.size(); ++i) {
        moved += pair.input.values[i] != pair.target.values[i] ? 1U : 0U;
      }
      most = std::max(most, moved);
    }
    return most;
  };
  CHECK(most_moved(1) <= 4);
  CHECK(most_moved(0) > 1000);  // of 4,608 voxels, which 0 covers nearly twice
}

TEST_CASE("the intensity map has as many straight pieces as its table",
          "[key:transform.bezier_points]") {
  // 961 values in 15 pieces of 64: between the ends of a piece a table of 16 entries is straight.
  Pairs pairs({31, 31, 1});
  for (std::size_t i = 0; i < 961; ++i) {
    pairs.cube.values[i] = static_cast<float>(i) / 960.0F;
  }
  const auto bend = [&](int points) {
    double most = 0;
    for (const auto& pair :
         pairs.with({{"transform.nonlinear_rate", 1.0}, {"transform.bezier_points", points}})) {
      const auto& values = pair.input.values;
      for (std::size_t piece = 0; piece < 15; ++piece) {
        const auto first = static_cast<double>(values[64 * piece]);
        const auto last = static_cast<double>(values[64 * piece + 64]);
        const double chord = (first + last) / 2;
        most = std::max(most, std::abs(static_cast<double>(values[64 * piece + 32]) - chord));
      }
    }
    return most;
  };
  CHECK(bend(16) < 1e-5);    // float32, where the map is steep
  CHECK(bend(1000) > 1e-3);  // a cubic curve over a fifteenth of the range
}

TEST_CASE("painting is out-painting or in-painting by the share of the latter",
          "[key:transform.inpaint_rate]") {
  // Out-painting always covers the corner, in-painting never does; noise is below 1.
  const Pairs pairs({16, 16, 16}, true);
  const auto corners_kept = [&](double share) {
    const auto all = pairs.with({{"transform.paint_rate", 1.0}, {"transform.inpaint_rate", share}});
    return std::count_if(
        all.begin(), all.end(), [](const auto& pair) { return pair.input.values.front() == 1.0F; });
  };
  CHECK(corners_kept(0) == 0);
  CHECK(corners_kept(1) == 40);
}

// ---- scores and buckets

TEST_CASE("only the largest component counts if asked for", "[key:evaluate.keep_largest]") {
  sar::LabelMap truth{{}, {0, 1, 1, 0, 0, 0, 0, 0}};
  truth.geometry.size = {8, 1, 1};
  const std::vector<std::uint8_t> prediction{0, 1, 1, 0, 0, 1, 0, 0};
  const auto dice = [&](bool keep) {
    return score(prediction,
                 truth,
                 {1},
                 sar::score_options(settings_with({{"evaluate.keep_largest", keep}})))
        .dice_percent;
  };
  CHECK(dice(false) == Approx(80).epsilon(1e-14));  // 2 * 2 / (3 + 2)
  CHECK(dice(true) == 100);
}

TEST_CASE("a case without tumour that is predicted so counts what the key says",
          "[key:evaluate.empty_dice_percent]") {
  sar::LabelMap truth{{}, {1, 1, 0, 0}};
  truth.geometry.size = {4, 1, 1};
  const std::vector<std::uint8_t> prediction{1, 0, 0, 0};
  const auto dice = [&](int target, double empty) {
    return score(prediction,
                 truth,
                 {target},
                 sar::score_options(settings_with({{"evaluate.empty_dice_percent", empty}})))
        .dice_percent;
  };
  CHECK(dice(2, 100) == 100);
  CHECK(dice(2, 0) == 0);
  CHECK(dice(1, 0) == dice(1, 100));  // not empty: 2 * 1 / (1 + 2)
  CHECK(dice(1, 100) == Approx(200.0 / 3).epsilon(1e-14));
}

TEST_CASE("classes are taken together and one channel is held against the threshold") {
  sar::LabelMap truth{{}, {1, 2, 0, 0}};
  truth.geometry.size = {4, 1, 1};
  const auto both =
      score(std::vector<std::uint8_t>{2, 1, 0, 0}, truth, {1, 2}, sar::ScoreOptions{});
  CHECK(both.overlap.both == 2);
  CHECK(both.dice_percent == 100);
  const Size3 size{4, 1, 1};
  const Block first{size, {0.5F, 0.51F, 0.2F, 0.9F}};
  const Block second{size, {0.5F, 0.49F, 0.8F, 0.1F}};
  CHECK(sar::classify({first}, 0.5) == std::vector<std::uint8_t>{0, 1, 0, 1});
  CHECK(sar::classify({first, second}, 0.5) == std::vector<std::uint8_t>{0, 0, 1, 0});
}

TEST_CASE("edges of the training cases put these cases where their own ranks do") {
  std::vector<sar::SizedCase> cases;
  std::vector<double> volumes;
  for (int i = 0; i < 21; ++i) {
    cases.push_back({"case" + std::to_string(i), 10.0 * ((8 * i) % 21)});
    volumes.push_back(cases.back().volume_mm3);
  }
  for (const std::string rule : {"quartile", "tertile"}) {
    CHECK(sar::size_buckets(cases, rule, {}, volumes) == sar::size_buckets(cases, rule));
  }
}

TEST_CASE("test cases fall where the training cases' edges lie, even all on one side") {
  // Quarters of eight: S up to 20, L from 70.
  const std::vector<double> training{80, 10, 30, 20, 70, 40, 60, 50};
  const std::vector<sar::SizedCase> test{{"a", 20}, {"b", 20.5}, {"c", 69}, {"d", 70}, {"e", 99}};
  using Buckets = std::map<std::string, std::string>;
  CHECK(sar::size_buckets(test, "quartile", {}, training) ==
        Buckets{{"a", "S"}, {"b", "M"}, {"c", "M"}, {"d", "L"}, {"e", "L"}});
  // Thirds of eight hold two cases as well; thirds of nine hold three.
  std::vector<double> nine = training;
  nine.push_back(90);
  CHECK(sar::size_buckets(test, "tertile", {}, nine).at("b") == "S");
  CHECK(sar::size_buckets({{"a", 1}, {"b", 2}, {"c", 3}}, "quartile", {}, training) ==
        Buckets{{"a", "S"}, {"b", "S"}, {"c", "S"}});
  // Fixed thresholds need no edges; too few cases on either side give no buckets.
  CHECK(sar::size_buckets(test, "thresholds", {25, 100}, training).at("b") == "S");
  CHECK(sar::size_buckets(test, "quartile", {}, std::vector<double>{1, 2}).empty());
  CHECK(sar::size_buckets({{"a", 1}, {"b", 2}}, "quartile", {}, training).empty());
}

}  // namespace
