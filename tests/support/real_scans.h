#pragma once

#include "datasets/dataset.h"
#include "harness/config/core_keys.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/json.h"
#include "harness/io/image_io.h"

#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

// Real scans laid out as each of the five data sets. Nobody here made them: they are the head MRI,
// the label atlases and the monkey brain of Debian's package mricron-data, and the head CT with its
// masks of invesalius-examples.
namespace sar::test {

namespace fs = std::filesystem;

inline const fs::path kTemplates = "/usr/share/mricron/templates";
inline const fs::path kCranium = "/usr/share/doc/invesalius-examples/examples/Cranium.inv3";

/// False if Debian's packages are not installed; the test then says so and ends.
inline bool have_real_scans() {
  return fs::exists(kTemplates / "ch2.nii.gz") && fs::exists(kCranium);
}
inline constexpr const char* kNoScans =
    "skipped: install the packages mricron-data and invesalius-examples";

/// Keys of the product and of all data sets, with their defaults.
inline Schema full_schema() {
  Schema schema = core_schema();
  DatasetRegistry registry;
  datasets::register_all(registry);
  for (const DatasetAdapter& adapter : registry.all()) {
    for (const KeySpec& key : adapter.keys) {
      schema.add(key);
    }
  }
  return schema;
}

inline const DatasetAdapter& adapter_of(const std::string& id) {
  static const DatasetRegistry kRegistry = [] {
    DatasetRegistry registry;
    datasets::register_all(registry);
    return registry;
  }();
  return kRegistry.at(id);
}

/// Class of each atlas label by `classes`; 0 for those not named.
inline LabelMap renumbered(const fs::path& atlas, const std::map<int, int>& classes) {
  LabelMap labels = read_label_map(atlas);
  for (auto& value : labels.voxels) {
    const auto found = classes.find(value);
    value = found == classes.end() ? std::uint8_t{0} : static_cast<std::uint8_t>(found->second);
  }
  return labels;
}

/// root/brats: one HGG case. flair is the skull-stripped head MRI as installed, t1 the whole head;
/// the tumour classes are three regions of the AAL atlas (thalamus, putamen, caudate).
inline fs::path lay_out_brats(const fs::path& root) {
  const std::string id = "Brats18_ch2_1";
  const fs::path folder = root / "brats" / "HGG" / id;
  fs::create_directories(folder);
  fs::copy_file(kTemplates / "ch2bet.nii.gz", folder / (id + "_flair.nii.gz"));
  fs::copy_file(kTemplates / "ch2.nii.gz", folder / (id + "_t1.nii.gz"));
  Volume image = read_volume(kTemplates / "ch2bet.nii.gz");
  for (float& value : image.voxels) {
    value = 2 * value;
  }
  write_volume(folder / (id + "_t1ce.nii"), image, {.type = VoxelType::int16});
  for (float& value : image.voxels) {
    value = value > 0 ? 400 - value : 0;
  }
  write_volume(folder / (id + "_t2.nii"), image, {.type = VoxelType::float32});
  write_label_map(folder / (id + "_seg.nii.gz"),
                  renumbered(kTemplates / "aal.nii.gz", {{77, 1}, {73, 2}, {71, 4}}));
  return root / "brats";
}

/// root/Task02_Heart, in need of its parent: the monkey brain with its atlas as label, the head as
/// test scan.
inline fs::path lay_out_heart(const fs::path& root) {
  const fs::path folder = root / "Task02_Heart";
  for (const char* name : {"imagesTr", "labelsTr", "imagesTs"}) {
    fs::create_directories(folder / name);
  }
  fs::copy_file(kTemplates / "inia19-t1-brain.nii.gz", folder / "imagesTr" / "la_003.nii.gz");
  Volume atlas = read_volume(kTemplates / "inia19-NeuroMaps.nii.gz");
  for (float& value : atlas.voxels) {
    value = value > 0 ? 1 : 0;
  }
  write_volume(folder / "labelsTr" / "la_003.nii.gz", atlas, {.type = VoxelType::uint8});
  fs::copy_file(kTemplates / "ch2bet.nii.gz", folder / "imagesTs" / "la_001.nii.gz");
  write_file_atomically(folder / "imagesTr" / "._la_003.nii.gz", "left by macOS");
  const Json index{{"name", "LeftAtrium"},
                   {"numTraining", 1},
                   {"training",
                    Json::array({{{"image", "./imagesTr/la_003.nii.gz"},
                                  {"label", "./labelsTr/la_003.nii.gz"}}})},
                   {"test", {"./imagesTs/la_001.nii.gz"}}};
  write_file_atomically(folder / "dataset.json", index.dump());
  return root;
}

/// The CT's voxels and its bone mask, as InVesalius stores them: raw int16, and uint8 with a
/// leading plane along each axis.
struct Cranium {
  std::string voxels;
  LabelMap bone;
};
inline Cranium read_cranium() {
  const TemporaryFolder folder;
  const std::string command = "tar -xzf '" + kCranium.string() + "' -C '" + folder.path().string() +
                              "' --strip-components=1 --wildcards '*/matrix.dat' '*/mask_0.dat'";
  if (std::system(command.c_str()) != 0) {
    throw io_error("cannot unpack the CT").with("file", kCranium.string());
  }
  Cranium cranium{read_file(folder.path() / "matrix.dat"), {}};
  const std::string mask = read_file(folder.path() / "mask_0.dat");
  Geometry& geometry = cranium.bone.geometry;
  geometry.size = {256, 256, 108};
  geometry.spacing_mm = {0.9570312, 0.9570312, 1.5};
  for (std::size_t z = 1; z <= 108; ++z) {
    for (std::size_t y = 1; y <= 256; ++y) {
      for (std::size_t x = 1; x <= 256; ++x) {
        const auto value = static_cast<unsigned char>(mask[(z * 257 + y) * 257 + x]);
        cranium.bone.voxels.push_back(value > 127 ? 1 : 0);
      }
    }
  }
  return cranium;
}

inline void write_mhd(const fs::path& header, const std::string& voxels) {
  const fs::path raw = fs::path(header).replace_extension(".raw");
  write_file_atomically(raw, voxels);
  write_file_atomically(header,
                        "ObjectType = Image\nNDims = 3\nBinaryData = True\n"
                        "BinaryDataByteOrderMSB = False\nCompressedData = False\n"
                        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\n"
                        "ElementSpacing = 0.9570312 0.9570312 1.5\nDimSize = 256 256 108\n"
                        "ElementType = MET_SHORT\nElementDataFile = " +
                            raw.filename().string() + "\n");
}

/// root/luna: the CT as MetaImage in subset3, and in subset8, which pre-training leaves alone,
/// mirrored.
inline fs::path lay_out_luna(const fs::path& root, const Cranium& cranium) {
  fs::create_directories(root / "luna" / "subset3");
  write_mhd(root / "luna" / "subset3" / "1.3.6.1.4.1.14519.1.mhd", cranium.voxels);
  Volume mirrored = read_volume(root / "luna" / "subset3" / "1.3.6.1.4.1.14519.1.mhd");
  std::reverse(mirrored.voxels.begin(), mirrored.voxels.end());
  write_volume(root / "luna" / "subset8" / "1.3.6.1.4.1.14519.2.mhd",
               mirrored,
               {.type = VoxelType::int16, .compress = true});
  return root / "luna";
}

/// root/lits: the CT with its bone as liver, in one of the set's sub folders.
inline fs::path lay_out_lits(const fs::path& root, const Cranium& cranium) {
  const fs::path folder = root / "lits" / "Training Batch 1";
  write_mhd(root / "source.mhd", cranium.voxels);
  write_volume(
      folder / "volume-10.nii", read_volume(root / "source.mhd"), {.type = VoxelType::int16});
  write_label_map(folder / "segmentation-10.nii.gz", cranium.bone);
  return root / "lits";
}

/// root/Task07_Pancreas: the CT with its bone as organ, the densest lower part of it as tumour;
/// test scans were not downloaded.
inline fs::path lay_out_pancreas(const fs::path& root, const Cranium& cranium) {
  const fs::path folder = root / "Task07_Pancreas";
  write_mhd(root / "source.mhd", cranium.voxels);
  write_volume(folder / "imagesTr" / "pancreas_001.nii",
               read_volume(root / "source.mhd"),
               {.type = VoxelType::int16});
  LabelMap label = cranium.bone;
  for (std::size_t i = 0; i < label.voxels.size() / 4; ++i) {
    label.voxels[i] = label.voxels[i] == 1 ? 2 : 0;
  }
  write_label_map(folder / "labelsTr" / "pancreas_001.nii.gz", label);
  const Json index{{"training",
                    Json::array({{{"image", "./imagesTr/pancreas_001.nii"},
                                  {"label", "./labelsTr/pancreas_001.nii.gz"}}})},
                   {"test", {"./imagesTs/pancreas_002.nii.gz"}}};
  write_file_atomically(folder / "dataset.json", index.dump());
  return folder;
}

}  // namespace sar::test
