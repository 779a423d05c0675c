#pragma once

#include <array>
#include <filesystem>
#include <string>
#include <vector>

namespace sar {

/// Closed lines along pixel edges, each x0, y0, x1, y1, ... in pixels (harness/volume/slices.h).
using Contours = std::vector<std::vector<int>>;

/// A slice of an example with the outlines of its tumour.
struct ExampleSlice {
  std::string plane;                 ///< axial | coronal | sagittal
  int index = 0;                     ///< voxel along z, y or x, from 0
  int width = 0, height = 0;         ///< pixels
  std::array<double, 2> pixel_mm{};  ///< across and down
  std::string png;                   ///< the image, a file of 8-bit grey pixels
  Contours truth, prediction;        ///< empty where the slice shows none
};

/// A test case that an evaluation kept for its readers.
struct Example {
  std::string case_id, target, bucket;  ///< bucket S, M, L, or all
  std::vector<std::string> places;      ///< which of its bucket it is: best, median, worst
  double dice = 0;                      ///< percent
  /// What the slices run through: the true tumour ("truth"), the predicted one where there is no
  /// true one ("prediction"), or the "middle" of the scan where there is neither.
  std::string centre;
  bool oriented = false;             ///< the scan's file states which side is which
  std::vector<ExampleSlice> slices;  ///< axial, coronal, sagittal
  /// Whose prediction it is and of what kind of data, for pictures: "SAR, trial 0 [phantom data]".
  /// Not in the file: the reader's to say.
  std::string origin;
};

/// The examples in the product of an evaluation, in its order: by bucket, in each from best to
/// worst. Nothing in the file is trusted. Throws, with the file named,
/// - Error 66 if it is gone,
/// - Error 65 if its SHA-256 is not `expected_sha256`: it was changed since it was written,
/// - Error 4 if it was made before slices were kept, or with `output.example_slices` = false (the
///   message says which),
/// - Error 65 naming the case and the fault if its examples are not as the worker writes them.
/// The messages (`Error::message`) are whole sentences for a report.
std::vector<Example> read_examples(const std::filesystem::path& path,
                                   const std::string& expected_sha256);

}  // namespace sar
