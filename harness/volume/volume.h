#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace sar {

/// Number of voxels along x, y, z. Voxels are stored with x fastest, as in NIfTI, MetaImage and
/// ITK; a contiguous LibTorch tensor of shape (depth, height, width) = (z, y, x) has the same
/// bytes.
using Size3 = std::array<int, 3>;

constexpr std::size_t count_voxels(const Size3& size) {
  return static_cast<std::size_t>(size[0]) * static_cast<std::size_t>(size[1]) *
         static_cast<std::size_t>(size[2]);
}

/// "64x64x32"
std::string to_string(const Size3& size);

/// A box of voxels inside a volume: `origin` is its first voxel, all indices in x, y, z order.
struct Box {
  Size3 origin{};
  Size3 size{};
  bool operator==(const Box&) const = default;
};

/// Where a grid lies in the patient. Physical coordinates are millimetres in ITK's LPS convention:
/// x grows to the patient's left, y to the back, z to the head.
struct Geometry {
  Size3 size{};
  std::array<double, 3> spacing_mm{1, 1, 1};
  std::array<double, 3> origin_mm{0, 0, 0};  ///< centre of voxel (0, 0, 0)
  /// Row-major 3x3: column i is the unit vector along index axis i.
  std::array<double, 9> direction{1, 0, 0, 0, 1, 0, 0, 0, 1};

  [[nodiscard]] double voxel_volume_mm3() const {
    return spacing_mm[0] * spacing_mm[1] * spacing_mm[2];
  }
  bool operator==(const Geometry&) const = default;
};

/// Says in words how two geometries differ (size, spacing, origin, direction); empty if they agree
/// within `tolerance` (relative to the spacing for spacing and origin, absolute for the direction).
std::string geometry_difference(const Geometry& a, const Geometry& b, double tolerance = 1e-3);

/// Intensities on a grid (HU for CT, scanner units for MRI, or normalised values).
struct Volume {
  Geometry geometry;
  std::vector<float> voxels;  ///< count_voxels(geometry.size) values, x fastest
};

/// Integer labels on a grid; 0 is background.
struct LabelMap {
  Geometry geometry;
  std::vector<std::uint8_t> voxels;
};

/// A block of values without a place in space: cubes, patches, probabilities.
struct Block {
  Size3 size{};
  std::vector<float> values;  ///< x fastest
};

}  // namespace sar
