#pragma once

#include "harness/volume/volume.h"

#include <filesystem>
#include <string>

namespace sar {

/// Voxel types that are read and written.
enum class VoxelType { int8, uint8, int16, uint16, int32, uint32, float32, float64 };
std::string to_string(VoxelType type);

struct ImageHeader {
  Geometry geometry;  ///< in canonical orientation, as `read_volume` returns it
  VoxelType type = VoxelType::int16;
  double slope = 1;  ///< value = slope * stored + intercept, already applied when reading
  double intercept = 0;
  /// Where the stored axes point, e.g. "LPS", "RAS"; "oblique LPS" if one is off by > 1 degree;
  /// "none" if the file does not say (NIfTI without any form).
  std::string orientation;
  /// A doubt about the geometry that is not a fault by itself, else empty: no orientation stated,
  /// or NIfTI's two forms disagree by more than half a voxel.
  std::string remark;
};

/// Reads NIfTI-1 (.nii, .nii.gz) and MetaImage (.mhd with .raw/.zraw, .mha). The image is brought
/// to canonical orientation by flipping and permuting axes only: x to the patient's left, y to the
/// back, z to the head (ITK's LPS), for an oblique one to the nearest such axes with the tilt kept
/// in `direction`. Intensities are slope * stored + intercept. Geometry is as ITK derives it from
/// the header: of NIfTI's two forms the sform if it is the only one or in scanner coordinates (code
/// 1), else the qform. A 4-D file is accepted when it holds one volume. Throws Error 66 if the file
/// is not there, 74 if it may not be read, 65 if it is truncated, damaged (checksums of compressed
/// data are verified), longer than its header says, has more than one volume or component, a size
/// below 1, a spacing that is not positive and finite, or axes that are not at right angles; the
/// error names the file and the reason.
ImageHeader read_image_header(const std::filesystem::path& path);
Volume read_volume(const std::filesystem::path& path);

/// Labels: as `read_volume`; values must be integers in 0..255, else Error 65 names the value.
LabelMap read_label_map(const std::filesystem::path& path);

/// How a volume is written. Values are divided by `slope` after subtracting `intercept`, rounded
/// and clamped for integer types.
struct WriteOptions {
  VoxelType type = VoxelType::int16;
  double slope = 1;       ///< NIfTI only (scl_slope)
  double intercept = 0;   ///< NIfTI only (scl_inter)
  bool compress = false;  ///< .mhd only: .zraw instead of .raw; NIfTI compresses by its name
};

/// Writes by the extension of `path`; no reader ever sees a partial file (an .mhd appears after its
/// data). Throws Error 74.
void write_volume(const std::filesystem::path& path,
                  const Volume& volume,
                  const WriteOptions& options);
void write_label_map(const std::filesystem::path& path,
                     const LabelMap& labels,
                     bool compress = false);

/// Version of the ITK library in use, e.g. "5.2.1".
std::string itk_version();

}  // namespace sar
