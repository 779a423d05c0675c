#pragma once

#include "harness/config/settings.h"
#include "harness/core/rng.h"
#include "harness/volume/resample.h"
#include "harness/volume/volume.h"

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sar {

/// Scale of a cube relative to its volume (paper section 2.2). The number is the class index of the
/// scale-aware module and the index in the cube store. A native cube is as large as the network's
/// input, in voxels of the preprocessed volume; it has no class.
enum class Scale : std::uint8_t { small = 0, medium = 1, large = 2, native = 3 };
inline constexpr std::array<Scale, 3> kScales{Scale::small, Scale::medium, Scale::large};
/// Side of the box relative to the volume: 1/8, 1/4, 1/2. Throws Error 70 for a native cube.
double relative_side(Scale scale);
std::string_view name_of(Scale scale);

/// All that decides how cubes are cut; read from the keys `cubes.*`.
struct CubeOptions {
  Size3 shape{64, 64, 32};                  ///< voxels of the stored cube, x, y, z
  std::array<int, 3> per_case{32, 16, 16};  ///< small, medium, large per volume (Table 1)
  int minimum_side = 8;                     ///< least side of a box in voxels
  bool per_axis = true;     ///< scale each axis; false: one side from the cube root of the volume
  double scale_jitter = 0;  ///< relative, uniform in +-jitter
  ResizeOptions resize;
  std::string filter = "min_std";  ///< min_std | genesis_lung | none
  double minimum_standard_deviation = 0.01;
  int maximum_retries = 50;
};
CubeOptions cube_options(const Settings& settings);

/// Cubes of one scale that a data set gives per case: per_case times the data set's multiplier.
std::array<int, 3> cubes_per_case(const CubeOptions& options, int multiplier);

struct Cube {
  Block block;  ///< `shape` voxels in [0, 1]
  Box box;      ///< where it was cut
  Scale scale = Scale::small;
};

/// Side of the box per axis: max(minimum_side, floor(n * s * (1 + jitter) + 0.5)), at most n; of a
/// native cube the options' shape, at most n.
Size3 box_size(const Size3& volume, Scale scale, const CubeOptions& options, double jitter = 0);

/// False for volumes that a filter skips altogether: `genesis_lung` wants at least 96 slices.
bool gives_cubes(const Volume& volume, const CubeOptions& options);

/// Draws one cube from a volume with values in [0, 1]. `rng` must be the stream of this very cube,
/// e.g. rng.at(purpose::cube, {case_hash, scale, index}); a rejected box is redrawn from the same
/// stream, and after maximum_retries the last one is kept, as Table 1's counts are exact. `min_std`
/// rejects cubes whose standard deviation (after resizing) is below the least one. `genesis_lung`
/// keeps air-dominated boxes as Models Genesis does (infinite_generator_3D.py): it stays 100 voxels
/// in x and y and 30 in z away from the volume's border (less where the volume is too small for
/// that) and rejects boxes whose mean tissue score is above 0.15.
Cube draw_cube(const Volume& volume, Scale scale, const CubeOptions& options, Rng rng);

}  // namespace sar
