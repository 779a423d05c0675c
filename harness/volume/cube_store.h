#pragma once

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

namespace sar {

/// What is known of a stored cube besides its voxels.
struct CubeInfo {
  std::string dataset;  ///< "luna"
  std::string case_id;  ///< case, for BraTS with its channel: "Brats18_x/flair"
  std::string patient;
  bool is_ct = true;
  Scale scale = Scale::small;
  Box box;
};

/// Where the index of a cube file lies: `<path>.json`.
std::filesystem::path cube_index_path(const std::filesystem::path& path);

/// SHA-256 of the voxels as the index states it; empty in an index of an older version. Throws
/// Error 65, 66 or 74 if there is no such index.
std::string stored_voxel_digest(const std::filesystem::path& path);

/// Writes cubes to `<path>` (voxels as little-endian uint16, 65535 = 1.0, cube after cube, x
/// fastest) and
/// `<path>.json` (version, shape, SHA-256 of the voxels, one entry per volume and one per cube).
/// Cubes go to a temporary file as they come; finish() moves it into place and writes the index
/// last, both atomically. Without finish() nothing is left behind.
class CubeStoreWriter {
 public:
  /// Throws Error 74 if the file cannot be written.
  CubeStoreWriter(std::filesystem::path path, Size3 shape);
  ~CubeStoreWriter();
  CubeStoreWriter(const CubeStoreWriter&) = delete;
  CubeStoreWriter& operator=(const CubeStoreWriter&) = delete;
  CubeStoreWriter(CubeStoreWriter&&) = delete;
  CubeStoreWriter& operator=(CubeStoreWriter&&) = delete;

  /// Notes a volume that cubes were cut from (or none, where a filter skipped it).
  void add_volume(const std::string& case_id, const Size3& size);
  /// Throws Error 70 if the shape differs or a value lies outside [0, 1].
  void add(const Cube& cube, const CubeInfo& info);
  void finish();

 private:
  std::filesystem::path path_;
  std::filesystem::path partial_;  ///< the temporary file
  std::ofstream file_;
  Size3 shape_;
  std::vector<std::uint16_t> voxels_;  ///< of the cube being written
  Json index_;
  Json volumes_;
};

/// Reads one or more cube files of equal shape as one list; voxels are mapped, not loaded.
/// Throws Error 65 if a file does not fit its index or the shapes differ.
class CubeStore {
 public:
  explicit CubeStore(const std::vector<std::filesystem::path>& paths);
  [[nodiscard]] std::size_t size() const { return infos_.size(); }
  [[nodiscard]] const Size3& shape() const { return shape_; }
  [[nodiscard]] const CubeInfo& info(std::size_t index) const { return infos_[index]; }
  [[nodiscard]] Block cube(std::size_t index) const;  ///< values in [0, 1]

 private:
  Size3 shape_{};
  std::vector<MappedFile> files_;
  std::vector<CubeInfo> infos_;
  std::vector<const std::uint16_t*> voxels_;
};

}  // namespace sar
