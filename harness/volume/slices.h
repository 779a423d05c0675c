#pragma once

#include "harness/volume/volume.h"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sar {

/// A closed line along pixel edges as x0, y0, x1, y1, ...: its corners in pixels, pixel (i, j)
/// covering [i, i + 1] x [j, j + 1], x to the right and y down. Horizontal and vertical edges
/// alternate; the last corner is joined to the first.
using Contour = std::vector<int>;

/// The outline of a mask with rows of `width` pixels: every edge between a pixel inside and one
/// outside (or beyond the border), once. Outer lines run clockwise as seen, holes against it, so
/// that the areas enclosed by all lines add up to the pixels inside. Pixels that touch at a corner
/// alone get lines of their own. In order of their topmost, then leftmost edges.
std::vector<Contour> outline(std::span<const std::uint8_t> mask, int width, int height);

/// A slice with its image and outlines, row by row from the top.
struct Slice {
  std::string plane;                 ///< axial | coronal | sagittal
  int index = 0;                     ///< voxel along z, y or x of the grid, from 0
  int width = 0, height = 0;         ///< pixels
  std::array<double, 2> pixel_mm{};  ///< across and down
  std::vector<std::uint8_t> grey;    ///< width * height values
  std::vector<Contour> truth, prediction;
};

/// The slices of a case through its tumour.
struct CaseSlices {
  /// What they run through: "truth": the voxel of the ground truth nearest (in millimetres) to its
  /// centroid, so that each slice shows some of it; "prediction": the same of the prediction, where
  /// the truth is empty; "middle": the middle of the grid, where both are.
  std::string centre;
  std::array<Slice, 3> slices;  ///< axial, coronal, sagittal
};

/// Cuts a case. `truth` and `prediction` are masks on `grid`, which covers the same space as
/// `image`; of the image only these slices are interpolated, linearly as by `resample_linear`.
///
/// Orientation: volumes have canonical axes once they are read (harness/io/image_io.h), so slices
/// lie as radiologists hang them: the patient's right on the left of axial and coronal ones,
/// anterior up (axial) or on the left (sagittal), superior up. Of an oblique scan the planes are
/// those of its voxels. Where a file does not state its axes, nobody knows: they are taken for
/// canonical.
///
/// Grey (a choice of ours): 0 to 255 over the 1st to the 99th percentile (nearest rank) of the
/// pixels of the three slices. `background`: the value that voxels outside the body were set to, if
/// they were; what lies within 0.05 of it and hangs together with the border of its slice is drawn
/// black and left out of the percentiles. Throws Error 70 for masks that do not fill the grid.
CaseSlices cut_slices(const Volume& image,
                      const Geometry& grid,
                      std::span<const std::uint8_t> truth,
                      std::span<const std::uint8_t> prediction,
                      std::optional<float> background = std::nullopt);

/// A case that was scored, and the bucket that it fell into.
struct ScoredCase {
  std::string id, bucket;
  double dice = 0;  ///< percent
};
/// A case that stands for its bucket.
struct ExampleCase {
  std::size_t index = 0;            ///< into the list of cases
  std::vector<std::string> places;  ///< of best, median, worst
};
/// The best, the median and the worst case of each bucket (S, M, L, others by name; within a bucket
/// in this order). Cases are ordered by Dice, ties by id; of an even number the lower of the two in
/// the middle is the median. A case with several places is named once.
std::vector<ExampleCase> example_cases(const std::vector<ScoredCase>& cases);

}  // namespace sar
