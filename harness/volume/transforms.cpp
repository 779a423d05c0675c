#include "harness/volume/transforms.h"

#include "harness/core/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <span>

namespace sar {
namespace {

// Numbers of the streams of the steps of one sample.
enum Step : std::uint64_t { kFlip = 0, kLocalShuffle = 1, kNonlinear = 2, kPaint = 3 };

/// Independent, unbiased draws from {0 .. ranges[i] - 1} for all i out of one random word, where a
/// draw for each would be most of the cost of shuffling. The product of the ranges must be below
/// 2^32. Brackett-Rozinsky and Lemire, "Batched ranged random integer generation", 2024.
template <std::size_t N>
std::array<std::uint32_t, N> draw_below(Rng& rng, const std::array<std::uint32_t, N>& ranges) {
  std::uint32_t product = 1;
  for (const std::uint32_t range : ranges) {
    product *= range;
  }
  std::array<std::uint32_t, N> values;
  std::uint32_t rest = 0;
  do {
    rest = rng.next();
    for (std::size_t i = 0; i < N; ++i) {
      const std::uint64_t scaled = std::uint64_t{rest} * ranges[i];
      values[i] = static_cast<std::uint32_t>(scaled >> 32U);
      rest = static_cast<std::uint32_t>(scaled);
    }
  } while (rest < product && rest < (0U - product) % product);
  return values;
}

/// Uniform permutation (Fisher–Yates), four steps per random word where that many fit.
void permute(float* values, std::uint32_t count, Rng& rng) {
  for (; count > 256; --count) {
    std::swap(values[count - 1], values[rng.below(count)]);
  }
  for (; count > 1; count -= std::min(count, 4U)) {  // 256 * 255 * 254 * 253 < 2^32
    std::array<std::uint32_t, 4> ranges;
    for (std::uint32_t step = 0; step < 4; ++step) {
      ranges[step] = count > step ? count - step : 1;
    }
    const std::array<std::uint32_t, 4> places = draw_below(rng, ranges);
    for (std::size_t step = 0; step < 4; ++step) {
      std::swap(values[ranges[step] - 1], values[places[step]]);
    }
  }
}

/// Calls `visit(begin, length)` for each row of a box inside a cube.
template <typename Visit>
void for_each_row(const Size3& cube, const Box& box, Visit visit) {
  for (int z = box.origin[2]; z < box.origin[2] + box.size[2]; ++z) {
    for (int y = box.origin[1]; y < box.origin[1] + box.size[1]; ++y) {
      const auto begin = (static_cast<std::size_t>(z) * static_cast<std::size_t>(cube[1]) +
                          static_cast<std::size_t>(y)) *
                             static_cast<std::size_t>(cube[0]) +
                         static_cast<std::size_t>(box.origin[0]);
      visit(begin, static_cast<std::size_t>(box.size[0]));
    }
  }
}

/// Painted boxes keep 3 voxels from the border; sides are at least 1 and the margin shrinks in
/// cubes that are too small for both.
Box draw_painted_box(const Size3& cube, const Size3& least, const Size3& most, Rng& rng) {
  Box box;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int low = std::max(1, least[axis]);
    box.size[axis] = rng.between(low, std::max(low, most[axis]));
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int room = cube[axis] - box.size[axis];
    const int margin = std::min(3, room / 2);
    box.origin[axis] = rng.between(margin, room - margin);
  }
  return box;
}

constexpr double kNextBox = 0.95;  ///< chance that painting goes on with another box
constexpr int kMaximumBoxes = 5;

void check_range(const std::vector<float>& values) {
  constexpr float tolerance = 1e-4F;
  // Written so that a NaN fails, without a branch per voxel.
  std::size_t outside = 0;
  for (const float value : values) {
    outside += value >= -tolerance && value <= 1 + tolerance ? 0U : 1U;
  }
  if (outside > 0) {
    throw internal_error("the transforms need values in [0, 1]")
        .with("voxels outside", std::to_string(outside));
  }
}

}  // namespace

TransformOptions transform_options(const Settings& settings) {
  TransformOptions options;
  options.flip_rate = settings.number("transform.flip_rate");
  options.flip_axes = settings.text("transform.flip_axes");
  options.local_shuffle_rate = settings.number("transform.local_shuffle_rate");
  options.local_shuffle_windows = settings.integer("transform.local_shuffle_windows");
  options.nonlinear_rate = settings.number("transform.nonlinear_rate");
  options.bezier_points = settings.integer("transform.bezier_points");
  options.paint_rate = settings.number("transform.paint_rate");
  options.inpaint_rate = settings.number("transform.inpaint_rate");
  return options;
}

int automatic_shuffle_windows(const Size3& size) {
  double window = 1;  // mean voxels of a window
  for (const int side : size) {
    window *= (1 + std::max(1, side / 10)) / 2.0;
  }
  return static_cast<int>(
      std::floor(1.8692 * static_cast<double>(count_voxels(size)) / window + 0.5));
}

void flip(Block& cube, bool x, bool y, bool z) {
  const auto row = static_cast<std::ptrdiff_t>(cube.size[0]);
  const std::ptrdiff_t slice = row * cube.size[1];
  float* const values = cube.values.data();
  if (x) {
    for (float* p = values; p != values + slice * cube.size[2]; p += row) {
      std::reverse(p, p + row);
    }
  }
  if (y) {
    for (int k = 0; k < cube.size[2]; ++k) {
      float* low = values + k * slice;
      for (float* high = low + slice - row; low < high; low += row, high -= row) {
        std::swap_ranges(low, low + row, high);
      }
    }
  }
  if (z) {
    float* low = values;
    for (float* high = values + slice * (cube.size[2] - 1); low < high;
         low += slice, high -= slice) {
      std::swap_ranges(low, low + slice, high);
    }
  }
}

void local_shuffle(Block& cube, int windows, Rng& rng) {
  const std::vector<float> original = cube.values;
  std::array<std::uint32_t, 3> largest{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    largest[axis] = static_cast<std::uint32_t>(std::max(1, cube.size[axis] / 10));
  }
  std::vector<float> buffer(std::size_t{largest[0]} * largest[1] * largest[2]);
  float* const window = buffer.data();
  const float* const source = original.data();
  float* const target = cube.values.data();
  for (int i = 0; i < windows; ++i) {
    const std::array<std::uint32_t, 3> sides = draw_below(rng, largest);
    Box box;
    std::array<std::uint32_t, 3> places{};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      box.size[axis] = static_cast<int>(sides[axis]) + 1;
      places[axis] = static_cast<std::uint32_t>(cube.size[axis] - box.size[axis] + 1);
    }
    places = draw_below(rng, places);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      box.origin[axis] = static_cast<int>(places[axis]);
    }
    float* end = window;
    for_each_row(cube.size, box, [&](std::size_t begin, std::size_t length) {
      for (std::size_t x = begin; x < begin + length; ++x) {
        *end++ = source[x];
      }
    });
    permute(window, static_cast<std::uint32_t>(end - window), rng);
    const float* next = window;
    for_each_row(cube.size, box, [&](std::size_t begin, std::size_t length) {
      for (std::size_t x = begin; x < begin + length; ++x) {
        target[x] = *next++;
      }
    });
  }
}

std::vector<float> bezier_table(
    double u1, double u2, double u3, double u4, bool inverted, int points) {
  if (points < 2) {
    throw internal_error("an intensity table needs two points");
  }
  const auto curve = [](double a, double b, double t) {
    const double s = 1 - t;
    return 3 * a * t * s * s + 3 * b * t * t * s + t * t * t;
  };
  // The curve as a polyline of 4 * points pieces, walked along with the table: both coordinates
  // grow with t for any controls in [0, 1].
  const int pieces = 4 * points;
  std::vector<float> table(static_cast<std::size_t>(points));
  double x_before = 0;
  double y_before = 0;
  double x_after = 0;
  double y_after = 0;
  int piece = 0;
  for (int i = 1; i + 1 < points; ++i) {
    const double x = static_cast<double>(i) / (points - 1);
    while (x_after < x && piece < pieces) {
      x_before = x_after;
      y_before = y_after;
      ++piece;
      const double t = static_cast<double>(piece) / pieces;
      x_after = curve(u1, u3, t);
      // Inverted, intensity x(t) becomes y(1 - t); kept as 1 - y so that it grows as well.
      y_after = inverted ? 1 - curve(u2, u4, 1 - t) : curve(u2, u4, t);
      y_after = std::clamp(y_after, y_before, 1.0);  // no step back by rounding
    }
    const double width = x_after - x_before;
    const double y =
        width > 0 ? y_before + (y_after - y_before) * ((x - x_before) / width) : y_after;
    table[static_cast<std::size_t>(i)] = static_cast<float>(inverted ? 1 - y : y);
  }
  table.front() = inverted ? 1.0F : 0.0F;
  table.back() = inverted ? 0.0F : 1.0F;
  return table;
}

void nonlinear(Block& cube, int points, Rng& rng) {
  std::array<double, 4> u{};
  for (double& coordinate : u) {
    coordinate = rng.uniform();
  }
  const bool inverted = rng.chance(0.5);
  std::vector<float> table = bezier_table(u[0], u[1], u[2], u[3], inverted, points);
  const auto scale = static_cast<float>(points - 1);
  table.push_back(table.back());  // so that 1 can be looked up like the others
  const float* const entries = table.data();
  for (float& value : cube.values) {
    const float position = std::min(std::max(value, 0.0F), 1.0F) * scale;
    const int index = static_cast<int>(position);
    const float low = entries[index];
    value = low + (position - static_cast<float>(index)) * (entries[index + 1] - low);
  }
}

void inpaint(Block& cube, Rng& rng) {
  Size3 least{};
  Size3 most{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    least[axis] = cube.size[axis] / 6;
    most[axis] = cube.size[axis] / 3;
  }
  for (int boxes = 0; boxes < kMaximumBoxes && rng.chance(kNextBox); ++boxes) {
    const Box box = draw_painted_box(cube.size, least, most, rng);
    for_each_row(cube.size, box, [&](std::size_t begin, std::size_t length) {
      for (float& value : std::span(cube.values).subspan(begin, length)) {
        value = rng.uniform_float();
      }
    });
  }
}

void outpaint(Block& cube, Rng& rng) {
  const std::vector<float> original = cube.values;
  for (float& value : cube.values) {
    value = rng.uniform_float();
  }
  Size3 least{};
  Size3 most{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    least[axis] = cube.size[axis] - 4 * cube.size[axis] / 7;
    most[axis] = cube.size[axis] - 3 * cube.size[axis] / 7;
  }
  for (int boxes = 0; boxes < kMaximumBoxes && (boxes == 0 || rng.chance(kNextBox)); ++boxes) {
    const Box box = draw_painted_box(cube.size, least, most, rng);
    for_each_row(cube.size, box, [&](std::size_t begin, std::size_t length) {
      std::copy_n(original.begin() + static_cast<std::ptrdiff_t>(begin),
                  length,
                  cube.values.begin() + static_cast<std::ptrdiff_t>(begin));
    });
  }
}

RestorationPair make_restoration_pair(const Block& cube,
                                      const TransformOptions& options,
                                      const Rng& rng) {
  check_range(cube.values);
  RestorationPair pair;
  pair.target = cube;

  // Up to three flips; the official code draws among (channel, x, y) of its arrays.
  Rng stream = rng.at(purpose::transform, {kFlip});
  std::array<bool, 3> flipped{};
  for (int i = 0; i < 3 && stream.chance(options.flip_rate); ++i) {
    const std::uint32_t axis = stream.below(3);
    if (options.flip_axes != "repo") {
      flipped[axis] = !flipped[axis];
    } else if (axis > 0) {
      flipped[axis - 1] = !flipped[axis - 1];
    }
  }
  flip(pair.target, flipped[0], flipped[1], flipped[2]);
  pair.input = pair.target;

  stream = rng.at(purpose::transform, {kLocalShuffle});
  if (stream.chance(options.local_shuffle_rate)) {
    const int windows = options.local_shuffle_windows > 0 ? options.local_shuffle_windows
                                                          : automatic_shuffle_windows(cube.size);
    local_shuffle(pair.input, windows, stream);
  }
  stream = rng.at(purpose::transform, {kNonlinear});
  if (stream.chance(options.nonlinear_rate)) {
    nonlinear(pair.input, options.bezier_points, stream);
  }
  stream = rng.at(purpose::transform, {kPaint});
  if (stream.chance(options.paint_rate)) {
    if (stream.chance(options.inpaint_rate)) {
      inpaint(pair.input, stream);
    } else {
      outpaint(pair.input, stream);
    }
  }
  return pair;
}

}  // namespace sar
