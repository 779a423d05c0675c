#include "harness/volume/resample.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <memory>
#include <numeric>

namespace sar {
namespace {

/// Lines that are processed side by side. The recursive filter runs along a line, so the compiler
/// can only use vector instructions, and hide their latency, across lines.
constexpr int kLanes = 32;

/// Largest grid that is made: 2^31 voxels are 8 GiB of floats.
constexpr double kMaximumVoxels = 0x1.0p31;

/// Index of sample `i` of a line of `n` samples that is continued by mirroring at the centres of
/// its first and last sample (… 2 1 | 0 1 2 … n-1 | n-2 …).
int mirror(int i, int n) {
  if (n == 1) {
    return 0;
  }
  const int period = 2 * (n - 1);
  i = std::abs(i) % period;
  return i < n ? i : period - i;
}

/// Resampling of one axis as a small matrix: output i is the weighted sum of the `taps` samples
/// that start at first[i] of the line, which has `padding` mirrored samples before and behind it.
struct AxisPlan {
  int input = 0;
  int output = 0;
  int taps = 0;
  int padding = 0;
  bool prefilter = false;      ///< turn the samples into B-spline coefficients first
  std::vector<int> first;      ///< per output
  std::vector<float> weights;  ///< per output and tap

  [[nodiscard]] bool identity() const { return taps == 0; }
};

constexpr double kSplinePole = -0.26794919243112270647;  // sqrt(3) - 2
constexpr double kSplineGain = 6.0;

/// `sigma` voxels of the Gaussian that precedes the interpolation; 0: none. Gaussian and
/// interpolation are linear, so their weights are multiplied out and the filtered line is never
/// stored; for the spline the order of Gaussian and prefilter does not matter, as both are
/// symmetric under mirroring.
AxisPlan make_plan(int input, int output, bool cubic, double sigma) {
  AxisPlan plan;
  plan.input = input;
  plan.output = output;
  if (input == output && sigma == 0) {
    return plan;
  }
  plan.prefilter = cubic && input > 1;
  const int radius = static_cast<int>(4.0 * sigma + 0.5);
  std::vector<double> gaussian(static_cast<std::size_t>(2 * radius + 1), 1.0);
  if (radius > 0) {
    for (int k = -radius; k <= radius; ++k) {
      gaussian[static_cast<std::size_t>(k + radius)] = std::exp(-0.5 * k * k / (sigma * sigma));
    }
    const double sum = std::accumulate(gaussian.begin(), gaussian.end(), 0.0);
    for (double& weight : gaussian) {
      weight /= sum;
    }
  }
  const int interpolation_taps = cubic ? 4 : 2;
  plan.taps = interpolation_taps + 2 * radius;
  plan.first.resize(static_cast<std::size_t>(output));
  const auto taps = static_cast<std::size_t>(plan.taps);
  plan.weights.resize(taps * plan.first.size());
  std::vector<double> sums(taps);
  for (std::size_t i = 0; i < plan.first.size(); ++i) {
    double x = (static_cast<double>(i) + 0.5) * input / output - 0.5;
    if (!cubic) {
      x = std::clamp(x, 0.0, input - 1.0);
    }
    const double whole = std::floor(x);
    const double t = x - whole;
    const double u = 1 - t;
    std::array<double, 4> basis{u, t, 0, 0};
    if (cubic) {
      basis = {u * u * u / 6,
               2.0 / 3 - t * t * (1 - t / 2),
               2.0 / 3 - u * u * (1 - u / 2),
               t * t * t / 6};
    }
    std::fill(sums.begin(), sums.end(), 0.0);
    for (int k = 0; k < interpolation_taps; ++k) {
      for (std::size_t g = 0; g < gaussian.size(); ++g) {
        sums[static_cast<std::size_t>(k) + g] += basis[static_cast<std::size_t>(k)] * gaussian[g];
      }
    }
    const double gain = plan.prefilter ? kSplineGain : 1.0;
    for (std::size_t tap = 0; tap < taps; ++tap) {
      plan.weights[i * taps + tap] = static_cast<float>(gain * sums[tap]);
    }
    plan.first[i] = static_cast<int>(whole) - (cubic ? 1 : 0) - radius;
  }
  plan.padding = std::max({0, -plan.first.front(), plan.first.back() + plan.taps - input});
  for (int& first : plan.first) {
    first += plan.padding;
  }
  return plan;
}

using Lanes = std::array<float, kLanes>;

/// Four floats that the compiler keeps in one register (a GCC and Clang extension). Left to itself,
/// GCC 12 turns the sum over taps into scalar code.
using Quad [[gnu::vector_size(16)]] = float;

/// B-spline coefficients without the gain, in place (it is part of the weights).
void prefilter(float* line, int n) {
  constexpr auto pole = static_cast<float>(kSplinePole);
  // The first causal coefficient is an infinite sum over the mirrored line; pole^18 is below 1e-10.
  Lanes sum{};
  double power = 1;
  for (int k = 0; k < 18; ++k, power *= kSplinePole) {
    const float* sample = line + mirror(k, n) * kLanes;
    for (int l = 0; l < kLanes; ++l) {
      sum[static_cast<std::size_t>(l)] += static_cast<float>(power) * sample[l];
    }
  }
  std::copy(sum.begin(), sum.end(), line);
  for (int i = 1; i < n; ++i) {
    float* sample = line + i * kLanes;
    for (int l = 0; l < kLanes; ++l) {
      sample[l] += pole * sample[l - kLanes];
    }
  }
  constexpr auto last_factor = static_cast<float>(kSplinePole / (kSplinePole * kSplinePole - 1));
  float* last = line + (n - 1) * kLanes;
  for (int l = 0; l < kLanes; ++l) {
    last[l] = last_factor * (last[l] + pole * last[l - kLanes]);
  }
  for (int i = n - 2; i >= 0; --i) {
    float* sample = line + i * kLanes;
    for (int l = 0; l < kLanes; ++l) {
      sample[l] = pole * (sample[l + kLanes] - sample[l]);
    }
  }
}

/// Distance of each sample of the padded line from the line's first sample, `step` apart.
std::vector<std::ptrdiff_t> sample_offsets(const AxisPlan& plan, std::ptrdiff_t step) {
  std::vector<std::ptrdiff_t> offsets;
  for (int i = -plan.padding; i < plan.input + plan.padding; ++i) {
    offsets.push_back(mirror(i, plan.input) * step);
  }
  return offsets;
}

/// Output sample i of `Count` * 4 adjacent lines; `line` is the first sample of the first of them.
template <std::size_t Count>
void weighted_sum(const AxisPlan& plan,
                  const float* line,
                  const std::vector<std::ptrdiff_t>& offsets,
                  int i,
                  float* out) {
  const std::ptrdiff_t* offset = offsets.data() + plan.first[static_cast<std::size_t>(i)];
  const float* weight = plan.weights.data() + i * plan.taps;
  std::array<Quad, Count> sum;
  const auto add_tap = [&](int tap, bool first) {
    const float* sample = line + offset[tap];
    const Quad w = Quad{} + weight[tap];
    for (std::size_t q = 0; q < Count; ++q) {
      Quad value;
      std::memcpy(&value, sample + 4 * q, sizeof(value));
      sum[q] = first ? w * value : sum[q] + w * value;
    }
  };
  add_tap(0, true);
  for (int tap = 1; tap < plan.taps; ++tap) {
    add_tap(tap, false);
  }
  std::memcpy(out, sum.data(), sizeof(sum));
}

/// Values with x adjacent; rows and slices may lie apart (a box inside a volume).
struct Grid {
  const float* values = nullptr;
  Size3 size{};
  std::ptrdiff_t row = 0;    ///< from y to y + 1
  std::ptrdiff_t slice = 0;  ///< from z to z + 1
};

Grid compact_grid(const float* values, const Size3& size) {
  const std::ptrdiff_t row = size[0];
  return {values, size, row, row * size[1]};
}

/// Along x: the lanes are rows, transposed on the way in and out.
void resample_x(const Grid& in, const AxisPlan& plan, float* out) {
  std::vector<float> lines(static_cast<std::size_t>(plan.input) * kLanes);
  const std::vector<std::ptrdiff_t> offsets = sample_offsets(plan, kLanes);
  const int rows = in.size[1] * in.size[2];
  Lanes sum{};
  for (int start = 0; start < rows; start += kLanes) {
    const int count = std::min(kLanes, rows - start);
    for (int l = 0; l < count; ++l) {
      const float* row =
          in.values + (start + l) % in.size[1] * in.row + (start + l) / in.size[1] * in.slice;
      float* sample = lines.data() + l;
      for (int i = 0; i < plan.input; ++i) {
        sample[i * kLanes] = row[i];
      }
    }
    if (plan.prefilter) {
      prefilter(lines.data(), plan.input);
    }
    float* target = out + std::ptrdiff_t{start} * plan.output;
    for (int i = 0; i < plan.output; ++i) {
      weighted_sum<kLanes / 4>(plan, lines.data(), offsets, i, sum.data());
      for (int l = 0; l < count; ++l) {
        target[std::ptrdiff_t{l} * plan.output + i] = sum[static_cast<std::size_t>(l)];
      }
    }
  }
}

/// Along y or z without prefilter: the lanes are neighbours in x, read in place, and the output is
/// made in the order of memory.
void resample_yz(const Grid& in, bool along_y, const AxisPlan& plan, float* out) {
  const std::vector<std::ptrdiff_t> offsets = sample_offsets(plan, along_y ? in.row : in.slice);
  const int slices = along_y ? in.size[2] : plan.output;
  const int rows = along_y ? plan.output : in.size[1];
  const int width = in.size[0];
  for (int z = 0; z < slices; ++z) {
    for (int y = 0; y < rows; ++y, out += width) {
      const int i = along_y ? y : z;
      const float* line = in.values + (along_y ? z * in.slice : y * in.row);
      int x = 0;
      if (width >= kLanes) {  // the last block overlaps the one before it
        for (; x < width; x += kLanes) {
          const int start = std::min(x, width - kLanes);
          weighted_sum<kLanes / 4>(plan, line + start, offsets, i, out + start);
        }
      }
      for (; x + 4 <= width; x += 4) {
        weighted_sum<1>(plan, line + x, offsets, i, out + x);
      }
      const auto first = static_cast<std::size_t>(plan.first[static_cast<std::size_t>(i)]);
      const float* weight = plan.weights.data() + i * plan.taps;
      for (; x < width; ++x) {
        float sum = 0;
        for (std::size_t tap = 0; tap < static_cast<std::size_t>(plan.taps); ++tap) {
          sum += weight[tap] * line[x + offsets[first + tap]];
        }
        out[x] = sum;
      }
    }
  }
}

/// Along y or z with prefilter: blocks of lines are copied, filtered and summed. The last block of
/// a row overlaps the one before it rather than being a partial one.
void spline_yz(const Grid& in, bool along_y, const AxisPlan& plan, float* out) {
  const std::ptrdiff_t step = along_y ? in.row : in.slice;
  const std::ptrdiff_t outer_step = along_y ? in.slice : in.row;
  const int outer = along_y ? in.size[2] : in.size[1];
  const int width = in.size[0];
  const int count = std::min(kLanes, width);
  const std::ptrdiff_t out_step = along_y ? width : std::ptrdiff_t{width} * in.size[1];
  const std::ptrdiff_t out_outer_step = along_y ? std::ptrdiff_t{width} * plan.output : width;
  // Constant sizes become a few vector moves.
  const auto copy = [count](const float* from, float* to) {
    if (count == kLanes) {
      std::memcpy(to, from, sizeof(Lanes));
    } else {
      std::copy_n(from, count, to);
    }
  };
  std::vector<float> lines(static_cast<std::size_t>(plan.input) * kLanes);
  const std::vector<std::ptrdiff_t> offsets = sample_offsets(plan, kLanes);
  Lanes sum{};
  for (int o = 0; o < outer; ++o) {
    for (int start = 0; start < width; start += kLanes) {
      const int x = std::min(start, width - count);
      const float* source = in.values + o * outer_step + x;
      for (int i = 0; i < plan.input; ++i) {
        copy(source + i * step, lines.data() + std::ptrdiff_t{i} * kLanes);
      }
      prefilter(lines.data(), plan.input);
      float* target = out + o * out_outer_step + x;
      for (int i = 0; i < plan.output; ++i) {
        weighted_sum<kLanes / 4>(plan, lines.data(), offsets, i, sum.data());
        copy(sum.data(), target + i * out_step);
      }
    }
  }
}

/// Applies the plans axis by axis, the one that shrinks most first as it saves the others work; of
/// equal ones z before y before x, whose transposition then has less to move.
std::vector<float> resample_axes(Grid grid, const std::array<AxisPlan, 3>& plans) {
  std::array<int, 3> order{2, 1, 0};
  const auto ratio = [&](int axis) {
    const AxisPlan& plan = plans[static_cast<std::size_t>(axis)];
    return static_cast<double>(plan.output) / plan.input;
  };
  std::stable_sort(order.begin(), order.end(), [&](int a, int b) { return ratio(a) < ratio(b); });
  const auto last = std::find_if(order.rbegin(), order.rend(), [&](int axis) {
    return !plans[static_cast<std::size_t>(axis)].identity();
  });
  std::unique_ptr<float[]> held;
  std::vector<float> result;
  for (const int axis : order) {
    const AxisPlan& plan = plans[static_cast<std::size_t>(axis)];
    if (plan.identity()) {
      continue;
    }
    Size3 size = grid.size;
    size[static_cast<std::size_t>(axis)] = plan.output;
    std::unique_ptr<float[]> buffer;
    float* out = nullptr;
    if (axis == *last) {
      result.resize(count_voxels(size));
      out = result.data();
    } else {
      buffer = std::make_unique_for_overwrite<float[]>(count_voxels(size));
      out = buffer.get();
    }
    if (axis == 0) {
      resample_x(grid, plan, out);
    } else if (plan.prefilter) {
      spline_yz(grid, axis == 1, plan, out);
    } else {
      resample_yz(grid, axis == 1, plan, out);
    }
    grid = compact_grid(out, size);
    held = std::move(buffer);
  }
  if (last == order.rend()) {  // nothing to resample
    result.reserve(count_voxels(grid.size));
    for (int z = 0; z < grid.size[2]; ++z) {
      for (int y = 0; y < grid.size[1]; ++y) {
        const float* row = grid.values + y * grid.row + z * grid.slice;
        result.insert(result.end(), row, row + grid.size[0]);
      }
    }
  }
  return result;
}

void check_grid(const Size3& size) {
  const bool empty = size[0] < 1 || size[1] < 1 || size[2] < 1;
  if (empty || static_cast<double>(size[0]) * size[1] * size[2] > kMaximumVoxels) {
    throw data_error(empty ? "a grid without voxels" : "a grid of more than 2^31 voxels")
        .with("size", to_string(size));
  }
}

void check_resampling(const Geometry& geometry, std::size_t voxels, const Size3& size) {
  check_grid(geometry.size);
  check_grid(size);
  if (voxels != count_voxels(geometry.size)) {
    throw internal_error("a volume whose voxels do not fill its grid")
        .with("size", to_string(geometry.size))
        .with("voxels", std::to_string(voxels));
  }
}

Volume resample(const Volume& volume, const Size3& size, bool cubic) {
  const Size3& old = volume.geometry.size;
  check_resampling(volume.geometry, volume.voxels.size(), size);
  Volume result;
  result.geometry = resampled_geometry(volume.geometry, size);
  result.voxels = resample_axes(compact_grid(volume.voxels.data(), old),
                                {make_plan(old[0], size[0], cubic, 0),
                                 make_plan(old[1], size[1], cubic, 0),
                                 make_plan(old[2], size[2], cubic, 0)});
  return result;
}

}  // namespace

Size3 resampled_size(const Geometry& geometry, const std::array<double, 3>& spacing_mm) {
  Size3 size{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double extent = geometry.size[axis] * geometry.spacing_mm[axis];
    const double voxels = std::floor(extent / spacing_mm[axis] + 0.5);
    if (!(extent > 0 && spacing_mm[axis] > 0 && voxels < kMaximumVoxels)) {
      throw data_error("cannot resample to this spacing")
          .with("size", to_string(geometry.size))
          .with("spacing_mm", std::to_string(geometry.spacing_mm[axis]))
          .with("wanted_spacing_mm", std::to_string(spacing_mm[axis]));
    }
    size[axis] = std::max(1, static_cast<int>(voxels));
  }
  return size;
}

Geometry resampled_geometry(const Geometry& geometry, const Size3& size) {
  Geometry result = geometry;
  result.size = size;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double ratio = static_cast<double>(geometry.size[axis]) / size[axis];
    result.spacing_mm[axis] = geometry.spacing_mm[axis] * ratio;
    const double shift_mm = (0.5 * ratio - 0.5) * geometry.spacing_mm[axis];
    for (std::size_t row = 0; row < 3; ++row) {
      result.origin_mm[row] += geometry.direction[3 * row + axis] * shift_mm;
    }
  }
  return result;
}

Volume resample_cubic(const Volume& volume, const Size3& size) {
  return resample(volume, size, true);
}

Volume resample_linear(const Volume& volume, const Size3& size) {
  return resample(volume, size, false);
}

LabelMap resample_nearest(const LabelMap& labels, const Size3& size) {
  const Size3& old = labels.geometry.size;
  check_resampling(labels.geometry, labels.voxels.size(), size);
  std::array<std::vector<std::size_t>, 3> source;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::int64_t n = old[axis];
    const std::int64_t n_new = size[axis];
    for (std::int64_t i = 0; i < n_new; ++i) {
      // ceil((i + 0.5) n / n_new) - 1 in whole numbers: rounds to the nearest centre, ties down.
      source[axis].push_back(
          static_cast<std::size_t>(((2 * i + 1) * n + 2 * n_new - 1) / (2 * n_new) - 1));
    }
  }
  LabelMap result;
  result.geometry = resampled_geometry(labels.geometry, size);
  result.voxels.resize(count_voxels(size));
  std::uint8_t* target = result.voxels.data();
  for (const std::size_t z : source[2]) {
    for (const std::size_t y : source[1]) {
      const std::uint8_t* row = labels.voxels.data() + (z * static_cast<std::size_t>(old[1]) + y) *
                                                           static_cast<std::size_t>(old[0]);
      for (const std::size_t x : source[0]) {
        *target++ = row[x];
      }
    }
  }
  return result;
}

Block crop_and_resize(const Volume& volume,
                      const Box& box,
                      const Size3& size,
                      const ResizeOptions& options) {
  const Size3& whole = volume.geometry.size;
  std::array<AxisPlan, 3> plans;
  check_grid(size);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (box.origin[axis] < 0 || box.size[axis] < 1 ||
        box.origin[axis] > whole[axis] - box.size[axis]) {
      throw internal_error("the box of a cube leaves its volume")
          .with("axis", std::to_string(axis))
          .with("box", to_string(box.size))
          .with("volume", to_string(whole));
    }
    const double factor = static_cast<double>(box.size[axis]) / size[axis];
    const double sigma = options.antialias && factor > 1 ? (factor - 1) / 2 : 0.0;
    plans[axis] = make_plan(box.size[axis], size[axis], options.cubic, sigma);
  }
  Grid grid = compact_grid(volume.voxels.data(), whole);
  grid.values += box.origin[0] + box.origin[1] * grid.row + box.origin[2] * grid.slice;
  grid.size = box.size;
  return {size, resample_axes(grid, plans)};
}

Block crop(const Volume& volume, const Box& box, float padding) {
  const Size3& whole = volume.geometry.size;
  Block block{box.size, std::vector<float>(count_voxels(box.size), padding)};
  const int x_begin = std::max(0, -box.origin[0]);
  const int x_end = std::min(box.size[0], whole[0] - box.origin[0]);
  if (x_begin >= x_end) {
    return block;
  }
  const Grid grid = compact_grid(volume.voxels.data(), whole);
  float* row = block.values.data();
  for (int z = box.origin[2]; z < box.origin[2] + box.size[2]; ++z) {
    for (int y = box.origin[1]; y < box.origin[1] + box.size[1]; ++y, row += box.size[0]) {
      if (z >= 0 && z < whole[2] && y >= 0 && y < whole[1]) {
        const float* source = grid.values + z * grid.slice + y * grid.row + box.origin[0];
        std::copy(source + x_begin, source + x_end, row + x_begin);
      }
    }
  }
  return block;
}

}  // namespace sar
