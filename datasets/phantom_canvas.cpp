#include "datasets/phantom_canvas.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace sar::phantom {
namespace {

/// Weights of the uniform cubic B-spline for the four lattice points around `t` in [0, 1).
std::array<float, 4> spline_weights(float t) {
  const float s = 1 - t;
  return {s * s * s / 6,
          (3 * t * t * t - 6 * t * t + 4) / 6,
          (3 * s * s * s - 6 * s * s + 4) / 6,
          t * t * t / 6};
}

/// The lattice points and weights that each voxel of one axis reads.
struct SplineAxis {
  std::size_t lattice = 0;
  std::vector<std::size_t> first;
  std::vector<std::array<float, 4>> weights;

  SplineAxis(int voxels, double step_voxels, double phase) {
    for (int i = 0; i < voxels; ++i) {
      const double place = i / step_voxels + phase;
      const double whole = std::floor(place);
      first.push_back(static_cast<std::size_t>(whole));
      weights.push_back(spline_weights(static_cast<float>(place - whole)));
    }
    lattice = first.back() + 4;
  }
};

/// Standard normal to within 1 % up to two standard deviations, never beyond 3.5: the sum of four
/// uniform numbers of 16 bits. No library function is involved, so the bits are the same
/// everywhere.
float cheap_normal(Rng& rng) {
  const std::uint64_t bits = rng.next64();
  const std::uint64_t sum =
      (bits & 0xFFFFU) + ((bits >> 16U) & 0xFFFFU) + ((bits >> 32U) & 0xFFFFU) + (bits >> 48U);
  constexpr float kMean = 2 * 65535.0F;
  constexpr float kDeviation = 37837.2F;  // 65536 / sqrt(12) * sqrt(4)
  return (static_cast<float>(sum) - kMean) / kDeviation;
}

}  // namespace

float length(Point a) {
  return std::sqrt(a.x * a.x + a.y * a.y + a.z * a.z);
}

Point gaussian_point(Rng& rng, float deviation) {
  const float x = deviation * static_cast<float>(rng.normal());
  const float y = deviation * static_cast<float>(rng.normal());
  return {x, y, deviation * static_cast<float>(rng.normal())};
}

Canvas::Canvas(const Size3& size, const std::array<double, 3>& spacing_mm)
    : size_(size), spacing_mm_(spacing_mm) {}

float Canvas::extent_mm(std::size_t axis) const {
  return static_cast<float>(size_[axis] * spacing_mm_[axis]);
}

float Canvas::voxel_volume_mm3() const {
  return static_cast<float>(spacing_mm_[0] * spacing_mm_[1] * spacing_mm_[2]);
}

float Canvas::border_mm() const {
  return 1.2F * std::cbrt(voxel_volume_mm3());
}

Point Canvas::position(std::size_t index) const {
  const auto nx = static_cast<std::size_t>(size_[0]);
  const auto ny = static_cast<std::size_t>(size_[1]);
  const std::array<std::size_t, 3> voxel{index % nx, index / nx % ny, index / (nx * ny)};
  std::array<float, 3> place{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    place[axis] = static_cast<float>((static_cast<double>(voxel[axis]) - 0.5 * (size_[axis] - 1)) *
                                     spacing_mm_[axis]);
  }
  return {place[0], place[1], place[2]};
}

std::size_t Canvas::voxel_at(Point point) const {
  const std::array<double, 3> place{point.x, point.y, point.z};
  std::size_t index = 0;
  for (std::size_t axis = 3; axis-- > 0;) {
    const double voxel = place[axis] / spacing_mm_[axis] + 0.5 * size_[axis];
    const double clamped = std::clamp(std::floor(voxel), 0.0, size_[axis] - 1.0);
    index = index * static_cast<std::size_t>(size_[axis]) + static_cast<std::size_t>(clamped);
  }
  return index;
}

// First-order distance to an ellipsoid: k (k - 1) / |gradient of k|, with k the radius in the space
// where the ellipsoid is the unit sphere.
void Canvas::add_ellipsoid(Field& field, Point centre, Point radii, float turn) const {
  const float cosine = std::cos(turn);
  const float sine = std::sin(turn);
  std::size_t index = 0;
  const Point origin = position(0) - centre;
  for (int k = 0; k < size_[2]; ++k) {
    const float z = origin.z + static_cast<float>(k * spacing_mm_[2]);
    const float qz = z / radii.z;
    for (int j = 0; j < size_[1]; ++j) {
      const float y = origin.y + static_cast<float>(j * spacing_mm_[1]);
      for (int i = 0; i < size_[0]; ++i, ++index) {
        const float x = origin.x + static_cast<float>(i * spacing_mm_[0]);
        const float qx = (cosine * x + sine * y) / radii.x;
        const float qy = (cosine * y - sine * x) / radii.y;
        const float radius = length({qx, qy, qz});
        const float slope = length({qx / radii.x, qy / radii.y, qz / radii.z});
        const float distance =
            slope > 0 ? radius * (radius - 1) / slope : -std::min({radii.x, radii.y, radii.z});
        field[index] = std::min(field[index], distance);
      }
    }
  }
}

void Canvas::add_tube(Field& field, Point a, Point b, float radius_a, float radius_b) const {
  const double margin = static_cast<double>(std::max(radius_a, radius_b) + 4 * border_mm());
  const std::array<double, 3> low{std::min(a.x, b.x), std::min(a.y, b.y), std::min(a.z, b.z)};
  const std::array<double, 3> high{std::max(a.x, b.x), std::max(a.y, b.y), std::max(a.z, b.z)};
  Size3 first{};
  Size3 last{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double half = 0.5 * (size_[axis] - 1);
    first[axis] =
        std::max(0, static_cast<int>(std::floor((low[axis] - margin) / spacing_mm_[axis] + half)));
    last[axis] =
        std::min(size_[axis] - 1,
                 static_cast<int>(std::ceil((high[axis] + margin) / spacing_mm_[axis] + half)));
  }
  const Point along = b - a;
  const float square = std::max(1e-6F, along.x * along.x + along.y * along.y + along.z * along.z);
  const Point origin = position(0);
  for (int k = first[2]; k <= last[2]; ++k) {
    for (int j = first[1]; j <= last[1]; ++j) {
      std::size_t index = (static_cast<std::size_t>(k) * static_cast<std::size_t>(size_[1]) +
                           static_cast<std::size_t>(j)) *
                              static_cast<std::size_t>(size_[0]) +
                          static_cast<std::size_t>(first[0]);
      for (int i = first[0]; i <= last[0]; ++i, ++index) {
        const Point from_a{origin.x + static_cast<float>(i * spacing_mm_[0]) - a.x,
                           origin.y + static_cast<float>(j * spacing_mm_[1]) - a.y,
                           origin.z + static_cast<float>(k * spacing_mm_[2]) - a.z};
        const float dot = from_a.x * along.x + from_a.y * along.y + from_a.z * along.z;
        const float share = std::clamp(dot / square, 0.0F, 1.0F);
        const float distance =
            length(from_a - share * along) - (radius_a + share * (radius_b - radius_a));
        field[index] = std::min(field[index], distance);
      }
    }
  }
}

void Canvas::add_curve(Field& field,
                       std::span<const Point> points,
                       std::span<const float> radii) const {
  constexpr int kPieces = 4;
  const std::size_t last = points.size() - 1;
  for (std::size_t i = 0; i < last; ++i) {
    const Point before = points[i == 0 ? 0 : i - 1];
    const Point after = points[std::min(i + 2, last)];
    const Point slope_a = 0.5F * (points[i + 1] - before);
    const Point slope_b = 0.5F * (after - points[i]);
    const auto place = [&](float t) {
      const float t2 = t * t;
      const float t3 = t2 * t;
      return (2 * t3 - 3 * t2 + 1) * points[i] + (t3 - 2 * t2 + t) * slope_a +
             (3 * t2 - 2 * t3) * points[i + 1] + (t3 - t2) * slope_b;
    };
    for (int piece = 0; piece < kPieces; ++piece) {
      const float t = static_cast<float>(piece) / kPieces;
      const float u = static_cast<float>(piece + 1) / kPieces;
      const float change = radii[i + 1] - radii[i];
      add_tube(field, place(t), place(u), radii[i] + t * change, radii[i] + u * change);
    }
  }
}

// Cubic B-spline through a lattice of independent values, two lattice steps per wavelength. Each
// axis in turn goes from the lattice to voxels.
Field Canvas::noise(float wavelength_mm, const Rng& rng) const {
  Rng stream = rng;
  std::vector<SplineAxis> axes;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double step = std::max(1.0, 0.5 * static_cast<double>(wavelength_mm) / spacing_mm_[axis]);
    axes.emplace_back(size_[axis], step, stream.uniform());
  }
  Field values(axes[0].lattice * axes[1].lattice * axes[2].lattice);
  for (float& value : values) {
    value = cheap_normal(stream);
  }
  std::size_t inner = 1;  // product of the axes that are voxels already
  std::size_t outer = axes[1].lattice * axes[2].lattice;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const std::size_t lattice = axes[axis].lattice;
    const auto voxels = static_cast<std::size_t>(size_[axis]);
    Field result(outer * voxels * inner);
    for (std::size_t o = 0; o < outer; ++o) {
      for (std::size_t v = 0; v < voxels; ++v) {
        const auto& weight = axes[axis].weights[v];
        const float* in = values.data() + (o * lattice + axes[axis].first[v]) * inner;
        float* out = result.data() + (o * voxels + v) * inner;
        for (std::size_t i = 0; i < inner; ++i) {
          out[i] = weight[0] * in[i] + weight[1] * in[i + inner] + weight[2] * in[i + 2 * inner] +
                   weight[3] * in[i + 3 * inner];
        }
      }
    }
    values = std::move(result);
    inner *= voxels;
    outer = axis == 0 ? axes[2].lattice : 1;
  }
  // The squared weights of one axis sum to 151/315 on average.
  const float gain = std::pow(151.0F / 315.0F, -1.5F);
  for (float& value : values) {
    value *= gain;
  }
  return values;
}

Field Canvas::fractal_noise(float wavelength_mm, const Rng& rng) const {
  Field sum = noise(wavelength_mm, rng.at(purpose::phantom, {0}));
  add(sum, 0.6F, noise(wavelength_mm / 2, rng.at(purpose::phantom, {1})));
  add(sum, 0.36F, noise(wavelength_mm / 4, rng.at(purpose::phantom, {2})));
  const float gain = 1 / std::sqrt(1 + 0.6F * 0.6F + 0.36F * 0.36F);
  for (float& value : sum) {
    value *= gain;
  }
  return sum;
}

Field Canvas::white_noise(const Rng& rng) const {
  Rng stream = rng;
  Field values(count());
  for (float& value : values) {
    value = cheap_normal(stream);
  }
  return values;
}

Field Canvas::grain(const Rng& rng) const {
  Field values = white_noise(rng);
  const auto nx = static_cast<std::size_t>(size_[0]);
  const auto ny = static_cast<std::size_t>(size_[1]);
  // (1, 2, 1) / 4 in x and y keeps 3/8 of the variance on each axis; multiplied out again.
  for (const auto& [voxels, stride] : {std::pair{nx, std::size_t{1}}, std::pair{ny, nx}}) {
    const Field source = values;
    for (std::size_t index = 0; index < values.size(); ++index) {
      const std::size_t place = index / stride % voxels;
      const float before = source[place == 0 ? index + stride : index - stride];
      const float after = source[place + 1 == voxels ? index - stride : index + stride];
      values[index] = 0.25F * (before + after) + 0.5F * source[index];
    }
  }
  for (float& value : values) {
    value *= 8.0F / 3.0F;
  }
  return values;
}

void add(Field& field, float amount, const Field& other) {
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] += amount * other[i];
  }
}

void join(Field& field, const Field& other) {
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] = std::min(field[i], other[i]);
  }
}

void cut(Field& field, const Field& other) {
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] = std::max(field[i], -other[i]);
  }
}

void intersect(Field& field, const Field& other) {
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] = std::max(field[i], other[i]);
  }
}

Field grown(const Field& field, float amount_mm) {
  Field result = field;
  for (float& distance : result) {
    distance -= amount_mm;
  }
  return result;
}

void set_voxel_count(Field& field, std::size_t count) {
  Field order;
  for (const float value : field) {
    if (value < Canvas::kFar / 2) {
      order.push_back(value);
    }
  }
  if (order.empty()) {
    return;
  }
  count = std::clamp<std::size_t>(count, 1, order.size());
  const auto last_inside = order.begin() + static_cast<std::ptrdiff_t>(count - 1);
  std::nth_element(order.begin(), last_inside, order.end());
  // Halfway to the next value; equal values (a set of measure zero) would fall on one side
  // together.
  const float inside = *last_inside;
  const float outside =
      count < order.size() ? *std::min_element(last_inside + 1, order.end()) : inside + 1;
  const float border = inside + 0.5F * (outside - inside);
  for (float& value : field) {
    value -= border;
  }
}

void paint(Field& image,
           const Field& shape,
           float width_mm,
           const Material& material,
           const Field& texture) {
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float share = coverage(shape[i], width_mm);
    if (share > 0) {
      image[i] += share * (material.mean + material.texture * texture[i] - image[i]);
    }
  }
}

}  // namespace sar::phantom
