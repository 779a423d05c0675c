#pragma once

#include "harness/volume/volume.h"

#include <span>
#include <string_view>

namespace sar {

/// Clips to [low, high] in place.
void clip(std::span<float> values, float low, float high);

/// (v - min) / (max - min) in place; a constant volume becomes 0. Paper section 3.1.
void normalise_volume(std::span<float> values);

/// (v - low) / (high - low) in place: Models Genesis's scaling by the fixed clip limits.
void normalise_range(std::span<float> values, float low, float high);

/// Subtracts the mean of the non-zero voxels and divides by their standard deviation (population
/// form), in place. Paper section 3.2.1. Zero voxels become 0 if `zero_background`, else
/// (0-mean)/SD. A volume without non-zero voxels, or with a constant one, becomes 0.
void normalise_nonzero(std::span<float> values, bool zero_background);

/// The smallest box that holds every voxel that differs from zero; the whole grid if there is none.
Box nonzero_box(const Volume& volume);

/// The part of a volume inside `box`, with its origin moved accordingly.
Volume crop_volume(const Volume& volume, const Box& box);

}  // namespace sar
