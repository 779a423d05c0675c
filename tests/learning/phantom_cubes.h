#pragma once

#include <filesystem>
#include <vector>

namespace sar::learning_test {

/// What the cubes of a file are.
enum class CubeSet {
  large,          ///< half a volume's side, 32x32x16 voxels, 24 of each volume
  every_scale,    ///< the three scales, 16x16x16 voxels, 12 of each scale and volume
  equally_sharp,  ///< as every_scale, resized through 8x8x8 voxels: no scale is blurred more
};

/// Cubes of a phantom suite that was written to files, listed by the adapters, prepared and cut as
/// a run does it; one file per data set: luna (CT), lits (CT), brats (MRI, four channels), heart
/// (MRI). They are made once for each build of this program, in about 10 s, and shared by its
/// processes: the first one makes them, the others wait.
std::vector<std::filesystem::path> phantom_cubes(CubeSet set);

}  // namespace sar::learning_test
