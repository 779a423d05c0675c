#include "harness/volume/cube_generator.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>

namespace sar {
namespace {

/// Population standard deviation of a cube's values.
double standard_deviation(const std::vector<float>& values) {
  double sum = 0;
  double squares = 0;
  for (const float value : values) {
    const auto v = static_cast<double>(value);
    sum += v;
    squares += v * v;
  }
  const auto n = static_cast<double>(values.size());
  const double mean = sum / n;
  return std::sqrt(std::max(0.0, squares / n - mean * mean));
}

// Models Genesis, infinite_generator_3D.py and config.py. -150 HU is 0.425 of [-1000, 1000].
constexpr float kLungThreshold = 0.425F;
constexpr double kLungMaximumScore = 0.15;
constexpr Size3 kLungMargin{100, 100, 30};
constexpr int kLungLeastSlices = 96;

/// Mean over the box of 1 where the voxel reaches the threshold, else 1/2 where the voxel one slice
/// on does (the last slice of the volume is its own successor), else 0.
double lung_score(const Volume& volume, const Box& box) {
  const Size3& size = volume.geometry.size;
  const auto row = static_cast<std::size_t>(size[0]);
  const auto slice = row * static_cast<std::size_t>(size[1]);
  std::int64_t halves = 0;
  for (int z = box.origin[2]; z < box.origin[2] + box.size[2]; ++z) {
    const std::size_t ahead = z + 1 < size[2] ? slice : 0;
    for (int y = box.origin[1]; y < box.origin[1] + box.size[1]; ++y) {
      const float* voxel = volume.voxels.data() + static_cast<std::size_t>(z) * slice +
                           static_cast<std::size_t>(y) * row +
                           static_cast<std::size_t>(box.origin[0]);
      for (int x = 0; x < box.size[0]; ++x, ++voxel) {
        halves += *voxel >= kLungThreshold ? 2 : (voxel[ahead] >= kLungThreshold ? 1 : 0);
      }
    }
  }
  return 0.5 * static_cast<double>(halves) / static_cast<double>(count_voxels(box.size));
}

/// A box at a uniform place. Margins shrink where the volume is too small for them.
Box draw_box(const Size3& volume, Scale scale, const CubeOptions& options, Rng& rng) {
  const double jitter =
      options.scale_jitter * rng.uniform(-1, 1);  // always drawn: keys stay aligned
  Box box;
  box.size = box_size(volume, scale, options, jitter);
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int room = volume[axis] - box.size[axis];
    const int margin = options.filter == "genesis_lung" ? std::min(kLungMargin[axis], room / 2) : 0;
    box.origin[axis] = rng.between(margin, room - margin);
  }
  return box;
}

}  // namespace

double relative_side(Scale scale) {
  constexpr std::array<double, 3> sides{1.0 / 8, 1.0 / 4, 1.0 / 2};
  if (scale == Scale::native) {
    throw internal_error("a native cube has no scale");
  }
  return sides.at(static_cast<std::size_t>(scale));
}

std::string_view name_of(Scale scale) {
  constexpr std::array<std::string_view, 4> names{"small", "medium", "large", "native"};
  return names.at(static_cast<std::size_t>(scale));
}

CubeOptions cube_options(const Settings& settings) {
  CubeOptions options;
  options.shape = settings.integers3("cubes.shape_voxels");
  options.per_case = {settings.integer("cubes.small_per_case"),
                      settings.integer("cubes.medium_per_case"),
                      settings.integer("cubes.large_per_case")};
  options.minimum_side = settings.integer("cubes.minimum_side_voxels");
  options.per_axis = settings.text("cubes.scale_mode") == "axis";
  options.scale_jitter = settings.number("cubes.scale_jitter");
  options.resize.cubic = settings.text("cubes.interpolation") == "cubic";
  options.resize.antialias = settings.flag("cubes.antialias");
  options.filter = settings.text("cubes.filter");
  options.minimum_standard_deviation = settings.number("cubes.minimum_standard_deviation");
  options.maximum_retries = settings.integer("cubes.maximum_retries");
  return options;
}

std::array<int, 3> cubes_per_case(const CubeOptions& options, int multiplier) {
  std::array<int, 3> counts = options.per_case;
  for (int& count : counts) {
    count *= multiplier;
  }
  return counts;
}

Size3 box_size(const Size3& volume, Scale scale, const CubeOptions& options, double jitter) {
  const double cube_root = std::cbrt(static_cast<double>(count_voxels(volume)));
  Size3 size{};
  if (scale == Scale::native) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      size[axis] = std::min(volume[axis], options.shape[axis]);
    }
    return size;
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const double whole = options.per_axis ? volume[axis] : cube_root;
    const double side = std::floor(whole * relative_side(scale) * (1 + jitter) + 0.5);
    size[axis] = std::min(volume[axis], std::max(options.minimum_side, static_cast<int>(side)));
  }
  return size;
}

bool gives_cubes(const Volume& volume, const CubeOptions& options) {
  return options.filter != "genesis_lung" || volume.geometry.size[2] >= kLungLeastSlices;
}

Cube draw_cube(const Volume& volume, Scale scale, const CubeOptions& options, Rng rng) {
  const Size3& size = volume.geometry.size;
  if (volume.voxels.empty() || volume.voxels.size() != count_voxels(size)) {
    throw internal_error("cubes are cut from a volume whose voxels do not fill its grid")
        .with("size", to_string(size))
        .with("voxels", std::to_string(volume.voxels.size()));
  }
  Cube cube;
  cube.scale = scale;
  for (int attempt = 0; attempt <= options.maximum_retries; ++attempt) {
    cube.box = draw_box(size, scale, options, rng);
    if (options.filter == "genesis_lung" && attempt < options.maximum_retries &&
        lung_score(volume, cube.box) > kLungMaximumScore) {
      continue;
    }
    cube.block = crop_and_resize(volume, cube.box, options.shape, options.resize);
    if (options.filter != "min_std" ||
        standard_deviation(cube.block.values) >= options.minimum_standard_deviation) {
      break;
    }
  }
  for (float& value : cube.block.values) {  // cubic interpolation overshoots, weights round
    value = std::min(std::max(value, 0.0F), 1.0F);
  }
  return cube;
}

}  // namespace sar
