#include "harness/volume/transforms.h"

#include "harness/config/core_keys.h"
#include "harness/core/error.h"
#include "reference.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <map>

namespace {

using sar::Block;
using sar::Rng;
using sar::Size3;
using sar::TransformOptions;

constexpr Size3 kPaper{64, 64, 32};

Rng stream(int index) {
  return Rng(2).at(sar::purpose::transform, {static_cast<std::uint64_t>(index)});
}

Block random_block(const Size3& size) {
  Block block{size, std::vector<float>(sar::count_voxels(size))};
  Rng rng(4);
  for (float& value : block.values) {
    value = rng.uniform_float();
  }
  return block;
}

/// Every voxel holds its own index, scaled to [0, 1): exact in single precision up to 2^24 voxels.
Block index_block(const Size3& size) {
  Block block{size, std::vector<float>(sar::count_voxels(size))};
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = static_cast<float>(i) * 0x1.0p-24F;
  }
  return block;
}

Size3 place(std::size_t index, const Size3& size) {
  const auto i = static_cast<int>(index);
  return {i % size[0], i / size[0] % size[1], i / (size[0] * size[1])};
}

/// Voxels of a cube that a predicate selects: how many, and between which corners.
struct Selection {
  std::size_t count = 0;
  Size3 low{1 << 30, 1 << 30, 1 << 30};
  Size3 high{-1, -1, -1};

  [[nodiscard]] Size3 sides() const {
    return {high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1};
  }
  [[nodiscard]] bool is_box() const { return count > 0 && count == sar::count_voxels(sides()); }
};

Selection select(const Block& block, const std::function<bool(float)>& wanted) {
  Selection result;
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    if (wanted(block.values[i])) {
      ++result.count;
      const Size3 at = place(i, block.size);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        result.low[axis] = std::min(result.low[axis], at[axis]);
        result.high[axis] = std::max(result.high[axis], at[axis]);
      }
    }
  }
  return result;
}

/// Voxels are 1 before painting, a value that the noise in [0, 1) never takes.
Block painted(const Size3& size, void (*paint)(Block&, Rng&), int seed) {
  Block block{size, std::vector<float>(sar::count_voxels(size), 1.0F)};
  Rng rng = stream(seed);
  paint(block, rng);
  return block;
}

TransformOptions only(const std::function<void(TransformOptions&)>& change) {
  TransformOptions options;
  options.flip_rate = options.local_shuffle_rate = options.nonlinear_rate = options.paint_rate = 0;
  change(options);
  return options;
}

// ---- flip

TEST_CASE("a flip moves each voxel to its mirrored place") {
  const Size3 size{5, 4, 3};
  for (int bits = 0; bits < 8; ++bits) {
    Block block = index_block(size);
    flip(block, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
    for (std::size_t i = 0; i < block.values.size(); ++i) {
      Size3 at = place(i, size);
      for (std::size_t axis = 0; axis < 3; ++axis) {
        at[axis] = (bits >> axis & 1) != 0 ? size[axis] - 1 - at[axis] : at[axis];
      }
      const auto source = static_cast<std::size_t>((at[2] * size[1] + at[1]) * size[0] + at[0]);
      REQUIRE(block.values[i] == index_block(size).values[source]);  // exact
    }
  }
}

TEST_CASE("net flips occur at the rates that up to three draws imply") {
  // P(k draws succeed) = .6, .24, .096, .064; axes uniform and independent, pairs cancel.
  //   none:       .6 + .096/3                    = .632
  //   one axis:   .24/3 + .064 * 7/27            = .096593 each
  //   two axes:   .096 * 2/9                     = .021333 each
  //   all three:  .064 * 6/27                    = .014222
  // Official slip (draws among channel, x, y), none: .6 + .24/3 + .096/3 + .064 * 7/27 = .728593.
  constexpr int n = 20000;
  const Block cube = index_block({2, 2, 2});
  for (const std::string axes : {"xyz", "repo"}) {
    const TransformOptions options = only([&](TransformOptions& o) {
      o.flip_rate = 0.4;
      o.flip_axes = axes;
    });
    std::array<int, 8> counts{};
    for (int i = 0; i < n; ++i) {
      const sar::RestorationPair pair = make_restoration_pair(cube, options, stream(i));
      REQUIRE(pair.input.values == pair.target.values);
      // The first voxel holds the index of the corner that came there: bit per axis.
      ++counts.at(static_cast<std::size_t>(pair.target.values[0] * 0x1.0p24F));
    }
    const auto near = [&](int count, double probability) {
      // Statistical: 5 standard deviations of a binomial count.
      return std::abs(count - n * probability) < 5 * std::sqrt(n * probability * (1 - probability));
    };
    if (axes == "repo") {
      CHECK(near(counts[0], 0.728593));
      CHECK(counts[4] + counts[5] + counts[6] + counts[7] == 0);  // never z
    } else {
      CHECK(near(counts[0], 0.632));
      for (const std::size_t one : {1U, 2U, 4U}) {
        CHECK(near(counts[one], 0.096593));
        CHECK(near(counts[7 - one], 0.021333));
      }
      CHECK(near(counts[7], 0.014222));
    }
  }
}

// ---- local shuffle

TEST_CASE("a shuffled window keeps its multiset of values and its size limits") {
  const Block before = index_block(kPaper);
  std::array<int, 3> widest{};
  for (int seed = 0; seed < 300; ++seed) {
    Block after = before;
    Rng rng = stream(seed);
    local_shuffle(after, 1, rng);
    Block difference = after;
    for (std::size_t i = 0; i < after.values.size(); ++i) {
      difference.values[i] = after.values[i] != before.values[i] ? 1.0F : 0.0F;
    }
    const Selection changed = select(difference, [](float v) { return v != 0.0F; });
    if (changed.count > 0) {
      for (std::size_t axis = 0; axis < 3; ++axis) {
        widest[axis] = std::max(widest[axis], changed.sides()[axis]);
      }
    }
    std::sort(after.values.begin(), after.values.end());
    REQUIRE(after.values == before.values);  // exact; `before` is sorted
  }
  CHECK(widest == Size3{6, 6, 3});  // 64/10, 64/10, 32/10, all reached within 300 windows
}

TEST_CASE("every order of a shuffled window is equally likely") {
  // Windows of 1, 2 or 3 voxels in x, a third each. Three voxels have 6 orders, two have 2.
  // Chances:
  //   each of the two cycles of three, and the exchange at distance 2:  1/3 * 1/6       = 1/18 each
  //   exchange of neighbours:                             1/3 * 2/6 + 1/3 * 1/2         = 5/18
  //   nothing moves:                                      1/3 + 1/3 * 1/2 + 1/3 * 1/6   = 10/18
  constexpr int n = 9000;
  const Block before = index_block({30, 10, 1});
  std::map<std::vector<int>, int> counts;  // distances that the moved voxels came from, in x order
  for (int seed = 0; seed < n; ++seed) {
    Block after = before;
    Rng rng = stream(seed);
    local_shuffle(after, 1, rng);
    std::vector<int> distances;
    for (std::size_t i = 0; i < after.values.size(); ++i) {
      if (after.values[i] != before.values[i]) {
        distances.push_back(static_cast<int>(after.values[i] * 0x1.0p24F) - static_cast<int>(i));
      }
    }
    ++counts[distances];
  }
  const auto check = [&](const std::vector<int>& distances, double probability) {
    // Statistical: 5 standard deviations of a binomial count.
    CHECK(std::abs(counts[distances] - n * probability) <
          5 * std::sqrt(n * probability * (1 - probability)));
  };
  check({}, 10.0 / 18);
  check({1, -1}, 5.0 / 18);
  check({2, -2}, 1.0 / 18);
  check({1, 1, -2}, 1.0 / 18);
  check({2, -1, -1}, 1.0 / 18);
  CHECK(counts.size() == 5);
}

TEST_CASE("shuffling reads the unmodified cube: no value travels further than one window") {
  Block block = index_block(kPaper);
  Rng rng = stream(0);
  local_shuffle(block, 10000, rng);
  std::size_t moved = 0;
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    const auto source = static_cast<std::size_t>(block.values[i] * 0x1.0p24F);
    const Size3 from = place(source, kPaper);
    const Size3 to = place(i, kPaper);
    REQUIRE(std::abs(from[0] - to[0]) <= 5);
    REQUIRE(std::abs(from[1] - to[1]) <= 5);
    REQUIRE(std::abs(from[2] - to[2]) <= 2);
    moved += source != i ? 1 : 0;
  }
  // Statistical: 82 % of the voxels are touched (simulation) and about 1 voxel of a window of 24.5
  // on average stays in place, so 79 % move; the SD over cubes is below 1 %.
  CHECK(static_cast<double>(moved) / static_cast<double>(block.values.size()) ==
        Approx(0.79).margin(0.03));
}

TEST_CASE(
    "the automatic number of windows is 10,000 at the paper's size and in proportion elsewhere") {
  CHECK(sar::automatic_shuffle_windows(kPaper) == 10000);
  CHECK(sar::automatic_shuffle_windows({32, 32, 16}) == 7656);
}

// ---- intensity map

TEST_CASE("the intensity table equals the densely sampled Bezier curve") {
  const sar::Json data = reference("bezier");
  const auto entries = data.at("entries").get<std::vector<std::size_t>>();
  for (const sar::Json& item : data.at("cases")) {
    const auto u = item.at("controls").get<std::vector<double>>();
    for (const bool inverted : {false, true}) {
      const auto expected =
          item.at(inverted ? "inverted" : "increasing").get<std::vector<double>>();
      const std::vector<float> table =
          sar::bezier_table(u[0], u[1], u[2], u[3], inverted, data.at("points"));
      for (std::size_t i = 0; i < entries.size(); ++i) {
        // Tolerance: polylines of 4,000 and 100,000 pieces; error of second order, below 1e-5 away
        // from vertical tangents.
        REQUIRE(static_cast<double>(table[entries[i]]) == Approx(expected[i]).margin(1e-5));
      }
    }
  }
}

TEST_CASE("intensity tables are monotone from end point to end point") {
  Rng rng(8);
  for (int i = 0; i < 500; ++i) {
    std::array<double, 4> u{};
    for (double& value : u) {
      value = i < 16 ? static_cast<double>(i >> (&value - u.data()) & 1) : rng.uniform();
    }
    for (const bool inverted : {false, true}) {
      std::vector<float> table = sar::bezier_table(u[0], u[1], u[2], u[3], inverted, 200);
      if (inverted) {
        std::reverse(table.begin(), table.end());
      }
      REQUIRE(table.front() == 0.0F);
      REQUIRE(table.back() == 1.0F);
      REQUIRE(std::is_sorted(table.begin(), table.end()));  // exact
    }
  }
}

TEST_CASE("the straight curve is the identity, inverted the negative") {
  // Controls on the diagonal at 1/3 and 2/3 make x(t) = y(t) = t.
  const double third = 1.0 / 3;
  const std::vector<float> same = sar::bezier_table(third, third, 2 * third, 2 * third, false, 101);
  const std::vector<float> inverse =
      sar::bezier_table(third, third, 2 * third, 2 * third, true, 101);
  for (std::size_t i = 0; i < 101; ++i) {
    REQUIRE(same[i] == Approx(static_cast<double>(i) / 100).margin(1e-6));  // single precision
    REQUIRE(inverse[i] == Approx(1 - static_cast<double>(i) / 100).margin(1e-6));
  }
}

TEST_CASE("the intensity map keeps or reverses the order of voxels, half the time each") {
  constexpr int n = 1000;
  int increasing = 0;
  for (int seed = 0; seed < n; ++seed) {
    Block block{{5, 1, 1}, {0.0F, 0.25F, 0.5F, 0.75F, 1.0F}};
    Rng rng = stream(seed);
    nonlinear(block, 1000, rng);
    const bool up = block.values.front() == 0.0F;
    REQUIRE(block.values.back() == (up ? 1.0F : 0.0F));
    REQUIRE((up ? std::is_sorted(block.values.begin(), block.values.end())
                : std::is_sorted(block.values.rbegin(), block.values.rend())));
    increasing += up ? 1 : 0;
  }
  CHECK(std::abs(increasing - n / 2) < 5 * std::sqrt(n / 4.0));  // statistical: 5 SD
}

// ---- painting

TEST_CASE("in-painted boxes keep 3 voxels from the border and have sides of a sixth to a third") {
  constexpr int n = 1500;
  int boxes = 0;
  int untouched = 0;
  double share = 0;
  for (int seed = 0; seed < n; ++seed) {
    const Block block = painted(kPaper, sar::inpaint, seed);
    const Selection noise = select(block, [](float v) { return v != 1.0F; });
    share += static_cast<double>(noise.count) / static_cast<double>(block.values.size()) / n;
    untouched += noise.count == 0 ? 1 : 0;
    for (std::size_t axis = 0; axis < 3 && noise.count > 0; ++axis) {
      REQUIRE(noise.low[axis] >= 3);
      REQUIRE(noise.high[axis] < kPaper[axis] - 3);
    }
    if (noise.is_box()) {  // one box, or smaller ones inside it
      ++boxes;
      REQUIRE((noise.sides()[0] >= 10 && noise.sides()[0] <= 21));
      REQUIRE((noise.sides()[1] >= 10 && noise.sides()[1] <= 21));
      REQUIRE((noise.sides()[2] >= 5 && noise.sides()[2] <= 10));
    }
  }
  // Statistical: no box with .05, exactly one with .95 * .05 = .0475; 5 SD of the binomial counts.
  CHECK(std::abs(untouched - n * 0.05) < 5 * std::sqrt(n * 0.05 * 0.95));
  CHECK(boxes > n * 0.0475 - 5 * std::sqrt(n * 0.0475 * 0.9525));
  CHECK(share == Approx(0.056).margin(0.003));  // 5.6 % by simulation; SD of the mean 0.06 %
}

TEST_CASE("out-painting leaves windows of about half the side at 3 voxels from the border") {
  constexpr int n = 1500;
  int boxes = 0;
  double visible = 0;
  for (int seed = 0; seed < n; ++seed) {
    const Block block = painted(kPaper, sar::outpaint, seed);
    const Selection kept = select(block, [](float v) { return v == 1.0F; });
    visible += static_cast<double>(kept.count) / static_cast<double>(block.values.size()) / n;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      REQUIRE(kept.low[axis] >= 3);
      REQUIRE(kept.high[axis] < kPaper[axis] - 3);
    }
    if (kept.is_box()) {
      ++boxes;
      REQUIRE((kept.sides()[0] >= 28 && kept.sides()[0] <= 37));
      REQUIRE((kept.sides()[1] >= 28 && kept.sides()[1] <= 37));
      REQUIRE((kept.sides()[2] >= 14 && kept.sides()[2] <= 19));
    }
  }
  CHECK(boxes >
        n * 0.05 - 5 * std::sqrt(n * 0.05 * 0.95));  // statistical: a single window with .05
  CHECK(visible ==
        Approx(0.317).margin(0.012));  // 31.7 % by simulation; SD of the mean about 0.2 %
}

TEST_CASE(
    "cubes that are too small for the rules are still painted and shuffled inside their bounds") {
  for (const Size3& size : {Size3{16, 16, 16}, Size3{14, 9, 8}, Size3{6, 5, 4}, Size3{2, 1, 1}}) {
    for (int seed = 0; seed < 200; ++seed) {
      Block block = random_block(size);
      Rng rng = stream(seed);
      sar::inpaint(block, rng);
      sar::outpaint(block, rng);
      sar::local_shuffle(block, 50, rng);
      REQUIRE(block.values.size() == sar::count_voxels(size));
      REQUIRE(std::all_of(
          block.values.begin(), block.values.end(), [](float v) { return v >= 0 && v < 1; }));
    }
  }
}

// ---- pair

TEST_CASE("each corruption happens at its rate") {
  constexpr int n = 2000;
  const Block cube = index_block({24, 24, 8});
  const auto share = [&](const TransformOptions& options) {
    int changed = 0;
    for (int i = 0; i < n; ++i) {
      const sar::RestorationPair pair = make_restoration_pair(cube, options, stream(i));
      REQUIRE(pair.target.values == cube.values);
      changed += pair.input.values != pair.target.values ? 1 : 0;
    }
    return static_cast<double>(changed) / n;
  };
  // Statistical: 5 SD of a share of 2,000.
  const auto bound = [](double p) { return 5 * std::sqrt(p * (1 - p) / n); };
  CHECK(share(only([](TransformOptions& o) { o.local_shuffle_rate = 0.5; })) ==
        Approx(0.5).margin(bound(0.5)));
  CHECK(share(only([](TransformOptions& o) { o.nonlinear_rate = 0.9; })) ==
        Approx(0.9).margin(bound(0.9)));
  // In-painting leaves 5 % of its cubes alone: .9 * (.8 + .2 * .95) = .891.
  CHECK(share(only([](TransformOptions& o) { o.paint_rate = 0.9; })) ==
        Approx(0.891).margin(bound(0.891)));
}

TEST_CASE("one painted cube in five is in-painted") {
  constexpr int n = 2000;
  const TransformOptions options = only([](TransformOptions& o) { o.paint_rate = 1; });
  Block cube{{16, 16, 16}, std::vector<float>(4096, 1.0F)};
  int inpainted = 0;
  for (int i = 0; i < n; ++i) {
    // Out-painting always covers the corner, in-painting never does.
    inpainted += make_restoration_pair(cube, options, stream(i)).input.values[0] == 1.0F ? 1 : 0;
  }
  CHECK(std::abs(inpainted - n * 0.2) < 5 * std::sqrt(n * 0.2 * 0.8));  // statistical: 5 SD
}

TEST_CASE("a pair depends on its stream only") {
  const Block cube = random_block({32, 32, 16});
  const sar::RestorationPair a = make_restoration_pair(cube, {}, stream(5));
  make_restoration_pair(cube, {}, stream(6));
  const sar::RestorationPair b = make_restoration_pair(cube, {}, stream(5));
  CHECK(a.input.values == b.input.values);  // exact
  CHECK(a.target.values == b.target.values);
  CHECK(a.input.values != make_restoration_pair(cube, {}, stream(6)).input.values);
}

TEST_CASE("changing one rate leaves the other steps' draws alone") {
  const Block cube{{32, 32, 16}, std::vector<float>(16384, 1.0F)};
  TransformOptions with;
  with.local_shuffle_rate = with.nonlinear_rate = with.paint_rate = 1;
  with.inpaint_rate = 0;
  TransformOptions without = with;
  without.local_shuffle_rate = without.nonlinear_rate = without.flip_rate = 0;
  const std::vector<float> a = make_restoration_pair(cube, with, stream(1)).input.values;
  const std::vector<float> b = make_restoration_pair(cube, without, stream(1)).input.values;
  std::size_t noise = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (b[i] != 1.0F) {
      ++noise;
      REQUIRE(a[i] == b[i]);  // exact: same windows, same noise
    }
  }
  CHECK(noise > 0);
}

TEST_CASE("the target is only flipped") {
  const Block cube = random_block({16, 16, 16});
  TransformOptions options;
  options.flip_rate = 1;
  Block expected = cube;
  const sar::RestorationPair pair = make_restoration_pair(cube, options, stream(3));
  bool found = false;
  for (int bits = 0; bits < 8; ++bits) {
    expected = cube;
    flip(expected, (bits & 1) != 0, (bits & 2) != 0, (bits & 4) != 0);
    found |= expected.values == pair.target.values;
  }
  CHECK(found);
}

TEST_CASE("values outside [0, 1] and NaN are refused") {
  for (const float bad : {-0.01F, 1.01F, std::numeric_limits<float>::quiet_NaN()}) {
    Block cube = random_block({8, 8, 8});
    cube.values[100] = bad;
    CHECK_THROWS_AS(make_restoration_pair(cube, {}, stream(0)), sar::Error);
  }
}

TEST_CASE("the transform options are read from the settings") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  const TransformOptions defaults;
  const TransformOptions read = sar::transform_options(settings);
  CHECK(read.flip_rate == defaults.flip_rate);
  CHECK(read.local_shuffle_rate == defaults.local_shuffle_rate);
  CHECK(read.nonlinear_rate == defaults.nonlinear_rate);
  CHECK(read.paint_rate == defaults.paint_rate);
  CHECK(read.inpaint_rate == defaults.inpaint_rate);
  CHECK(read.bezier_points == defaults.bezier_points);
  settings.set(schema, "transform.flip_axes", "repo", "test");
  settings.set(schema, "transform.local_shuffle_windows", 500, "test");
  CHECK(sar::transform_options(settings).flip_axes == "repo");
  CHECK(sar::transform_options(settings).local_shuffle_windows == 500);
}

}  // namespace
