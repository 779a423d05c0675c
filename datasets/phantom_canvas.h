#pragma once

#include "harness/core/rng.h"
#include "harness/volume/volume.h"

#include <array>
#include <cstddef>
#include <span>
#include <vector>

/// Drawing tools of the phantom suite: signed distance fields, smooth noise, and soft painting.
namespace sar::phantom {

/// One value per voxel of a canvas, x fastest.
using Field = std::vector<float>;

/// Millimetres from the centre of the canvas: x to the left, y to the back, z to the head.
struct Point {
  float x = 0;
  float y = 0;
  float z = 0;
};

inline Point operator+(Point a, Point b) {
  return {a.x + b.x, a.y + b.y, a.z + b.z};
}
inline Point operator-(Point a, Point b) {
  return {a.x - b.x, a.y - b.y, a.z - b.z};
}
inline Point operator*(float s, Point a) {
  return {s * a.x, s * a.y, s * a.z};
}
float length(Point a);
/// Independent normal coordinates.
Point gaussian_point(Rng& rng, float deviation);

/// Where a body lies on the canvas: anatomy is written in units of the body's half-width, so that
/// one description serves several fields of view.
struct Frame {
  Point centre_mm;
  float unit_mm = 1;
  [[nodiscard]] Point at(float x, float y, float z) const {
    return centre_mm + unit_mm * Point{x, y, z};
  }
};

/// What a shape is filled with: a mean and a standard deviation of texture.
struct Material {
  float mean = 0;
  float texture = 0;
};

/// A voxel grid to draw on. Distances are in mm, negative inside a shape; those of ellipsoids are
/// approximate away from the surface.
class Canvas {
 public:
  Canvas(const Size3& size, const std::array<double, 3>& spacing_mm);

  [[nodiscard]] const Size3& size() const { return size_; }
  [[nodiscard]] const std::array<double, 3>& spacing_mm() const { return spacing_mm_; }
  [[nodiscard]] std::size_t count() const { return count_voxels(size_); }
  [[nodiscard]] float extent_mm(std::size_t axis) const;
  [[nodiscard]] float voxel_volume_mm3() const;
  /// Width over which partial volume blurs a sharp border.
  [[nodiscard]] float border_mm() const;
  [[nodiscard]] Point position(std::size_t index) const;
  /// Index of the voxel that holds `point`, clamped to the canvas.
  [[nodiscard]] std::size_t voxel_at(Point point) const;

  /// A distance field without any shape in it.
  [[nodiscard]] Field empty() const { return Field(count(), kFar); }
  /// Joins an ellipsoid, turned by `turn` radians about z, to the shapes of `field`.
  void add_ellipsoid(Field& field, Point centre, Point radii, float turn = 0) const;
  /// Joins a straight tube with round ends whose radius goes from `radius_a` to `radius_b`.
  void add_tube(Field& field, Point a, Point b, float radius_a, float radius_b) const;
  /// Joins a tube through all points, smoothed by a Catmull–Rom spline.
  void add_curve(Field& field, std::span<const Point> points, std::span<const float> radii) const;

  /// Smooth Gaussian noise of mean 0 and variance 1 whose blobs repeat about every `wavelength_mm`.
  [[nodiscard]] Field noise(float wavelength_mm, const Rng& rng) const;
  /// Three octaves of `noise`, each of half the wavelength and 0.6 of the strength; variance 1.
  [[nodiscard]] Field fractal_noise(float wavelength_mm, const Rng& rng) const;
  /// Independent noise of mean 0 and variance 1 in every voxel.
  [[nodiscard]] Field white_noise(const Rng& rng) const;
  /// White noise blurred in-plane, as a CT reconstruction kernel does; variance 1.
  [[nodiscard]] Field grain(const Rng& rng) const;

  static constexpr float kFar = 1e6F;

 private:
  Size3 size_;
  std::array<double, 3> spacing_mm_;
};

/// field += amount * other
void add(Field& field, float amount, const Field& other);
/// Joins (least), intersects (greatest) or cuts away shapes.
void join(Field& field, const Field& other);
void cut(Field& field, const Field& other);
void intersect(Field& field, const Field& other);

/// The shape with its border moved outwards (inwards if negative).
Field grown(const Field& field, float amount_mm);

/// Shifts `field` so that it is negative in exactly `count` voxels (the least ones), at least one
/// and no more than are nearer than Canvas::kFar / 2.
void set_voxel_count(Field& field, std::size_t count);

/// Share of a voxel that lies inside a shape whose border is `width_mm` wide: 1 inside, 0 outside.
inline float coverage(float distance_mm, float width_mm) {
  const float share = 0.5F - distance_mm / width_mm;
  return share < 0 ? 0.0F : (share > 1 ? 1.0F : share);
}

/// Blends a material into an image wherever the shape covers it.
void paint(Field& image,
           const Field& shape,
           float width_mm,
           const Material& material,
           const Field& texture);

}  // namespace sar::phantom
