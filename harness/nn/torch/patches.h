#pragma once

#include "harness/core/rng.h"
#include "harness/nn/training.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <vector>

namespace sar {

/// Value that stands outside an image: the smallest of its eight corner voxels. That is air in CT
/// and 0 in a brain scan whose background stays 0, so padding looks like more of what surrounds the
/// patient.
float background_of(const Volume& image);

/// First voxel of a patch of `patch` voxels that covers all of `length`: negative by half the
/// difference where the patch is longer (the image lies in its middle).
constexpr int centred_start(int length, int patch) {
  return -((patch - length) / 2);
}

/// Voxels of each foreground class of a case, in storage order, for drawing one at random.
struct ForegroundIndex {
  std::vector<std::vector<std::uint32_t>> voxels;  ///< one non-empty list per class that is present
};
/// Classes 1 .. classes - 1, or any non-zero label as one class if `classes` is 1. Throws Error 65
/// naming the case if image and label differ in size or a label is not below max(classes, 2).
ForegroundIndex foreground_index(const TaskCase& task_case, int classes);

/// Place of a training patch: with probability `foreground_ratio` centred on a voxel drawn from a
/// class drawn among those present (moved inside the image where it would stick out), else uniform
/// over all places inside. Sides longer than the image are centred. Draws from `rng` alone.
Box draw_patch(const Size3& image,
               const ForegroundIndex& foreground,
               const Size3& patch,
               double foreground_ratio,
               Rng& rng);

/// Labels of a box, 0 outside the image; with `classes` 1 any non-zero label becomes 1.
std::vector<std::int64_t> crop_labels(const LabelMap& labels, const Box& box, int classes);

}  // namespace sar
