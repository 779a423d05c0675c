// Keys of the ledger in docs/protocol.md that decide which cases are used and how they are
// prepared: each case changes a key by its name and looks for what the key promises.

#include "datasets/prepare.h"
#include "harness/core/files.h"
#include "tests/support/real_scans.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using sar::test::adapter_of;
using Changes = std::vector<std::pair<std::string, sar::Json>>;

namespace {

sar::Settings settings_with(const Changes& changes) {
  const sar::Schema schema = sar::test::full_schema();
  sar::Settings settings(schema);
  for (const auto& [key, value] : changes) {
    settings.set(schema, key, value, "test");
  }
  return settings;
}

/// One case of 6x5x4 voxels of 1 mm whose outer voxels are 0. Inside, channel k holds k times 100,
/// 200, 300, ... along x; the label is the voxel's x.
struct SmallCase {
  sar::TemporaryFolder folder;
  sar::CaseRecord record{"case-1", "case-1", {}, folder.path() / "seg.nii", "HGG"};

  explicit SmallCase(const std::vector<std::string>& channels = {"flair"}) {
    float scale = 1;
    for (const auto& channel : channels) {
      record.images[channel] = folder.path() / (channel + ".nii");
      sar::write_volume(
          record.images[channel], volume(100 * scale), {.type = sar::VoxelType::float32});
      scale += 1;
    }
    sar::write_volume(record.label, volume(1), {.type = sar::VoxelType::float32});
  }
  static sar::Volume volume(float step) {
    sar::Volume volume;
    volume.geometry.size = {6, 5, 4};
    for (int z = 0; z < 4; ++z) {
      for (int y = 0; y < 5; ++y) {
        for (int x = 0; x < 6; ++x) {
          const bool inside = x > 0 && x < 5 && y > 0 && y < 4 && z > 0 && z < 3;
          volume.voxels.push_back(inside ? static_cast<float>(x) * step : 0.0F);
        }
      }
    }
    return volume;
  }
  [[nodiscard]] sar::Volume source(const std::string& channel,
                                   sar::Modality modality,
                                   const Changes& changes) const {
    const sar::PreparedCache cache(folder.path() / "prepared");
    return *sar::prepared_source(
        record, channel, modality, "digest", settings_with(changes), cache);
  }
  /// `digest` stands for the image's content, of which a channel is a part.
  [[nodiscard]] sar::PreparedTaskCase brats(const Changes& changes,
                                            const std::string& digest = "digest") const {
    const sar::PreparedCache cache(folder.path() / "prepared");
    return *sar::prepared_task_case(
        record, "brats", digest, "label", settings_with(changes), cache);
  }
};

std::vector<std::string> ids_of(const std::vector<sar::CaseRecord>& cases) {
  std::vector<std::string> ids;
  for (const auto& record : cases) {
    ids.push_back(record.id);
  }
  return ids;
}
using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("MRI is clipped to the range of its key", "[datasets][key:preprocess.clip_mri]") {
  const SmallCase small;
  const auto inner = [&](const Changes& changes) {
    const sar::Volume volume = small.source("flair", sar::Modality::mri, changes);
    REQUIRE(volume.geometry.size == sar::Size3{4, 3, 2});  // the non-zero box
    return std::vector<float>(volume.voxels.begin(), volume.voxels.begin() + 4);
  };
  // 100, 200, 300, 400 by their own minimum and maximum; exact: one division.
  CHECK(inner({}) == std::vector<float>{0, 100.0F / 300, 200.0F / 300, 1});
  CHECK(inner({{"preprocess.clip_mri", {0.0, 200.0}}}) == std::vector<float>{0, 1, 1, 1});
  CHECK(inner({{"preprocess.clip_mri", {300.0, 4000.0}}}) == std::vector<float>{0, 0, 0, 1});
}

TEST_CASE("CT and MRI are cropped each by its own key",
          "[datasets][key:preprocess.crop_nonzero_ct][key:preprocess.crop_nonzero_mri]") {
  const SmallCase small({"ct", "flair"});
  const auto size = [&](bool ct, const Changes& changes) {
    return small.source(ct ? "ct" : "flair", ct ? sar::Modality::ct : sar::Modality::mri, changes)
        .geometry.size;
  };
  const sar::Size3 whole{6, 5, 4};
  const sar::Size3 box{4, 3, 2};
  CHECK(size(true, {}) == whole);
  CHECK(size(true, {{"preprocess.crop_nonzero_ct", true}}) == box);
  CHECK(size(true, {{"preprocess.crop_nonzero_mri", false}}) == whole);
  CHECK(size(false, {}) == box);
  CHECK(size(false, {{"preprocess.crop_nonzero_mri", false}}) == whole);
  CHECK(size(false, {{"preprocess.crop_nonzero_ct", true}}) == box);
}

TEST_CASE("the BraTS task reads the channel of its key", "[datasets][key:brats.modality]") {
  const SmallCase small({"flair", "t1", "t1ce", "t2"});
  for (const auto& [channel, step] : std::vector<std::pair<std::string, float>>{
           {"flair", 100}, {"t1", 200}, {"t1ce", 300}, {"t2", 400}}) {
    const auto prepared = small.brats({{"brats.modality", channel},
                                       {"finetune.normalization", "unit"},
                                       {"preprocess.normalization", "range"},
                                       {"preprocess.clip_mri", {0.0, 2000.0}}},
                                      channel);
    const std::size_t first_inside = (1 * 5 + 1) * 6 + 1;
    CHECK(prepared.image.voxels[first_inside] == step / 2000);  // exact: one division
    CHECK(prepared.image.voxels[first_inside + 3] == 4 * step / 2000);
  }
}

TEST_CASE("pre-training on LiTS and the pancreas task use the cases of their lists",
          "[datasets][key:lits.list][key:pancreas.list]") {
  const sar::TemporaryFolder folder;
  const auto touch = [](const fs::path& path) { sar::write_file_atomically(path, ""); };
  for (const char* number : {"1", "2", "3"}) {
    touch(folder.path() / "lits" / (std::string("volume-") + number + ".nii"));
    touch(folder.path() / "lits" / (std::string("segmentation-") + number + ".nii"));
  }
  sar::Json index{{"training", sar::Json::array()}, {"test", sar::Json::array()}};
  for (const char* name : {"pancreas_001", "pancreas_004", "pancreas_005"}) {
    for (const char* part : {"imagesTr", "labelsTr"}) {
      touch(folder.path() / "pancreas" / part / (std::string(name) + ".nii.gz"));
    }
    index["training"].push_back({{"image", std::string("./imagesTr/") + name + ".nii.gz"},
                                 {"label", std::string("./labelsTr/") + name + ".nii.gz"}});
  }
  sar::write_file_atomically(folder.path() / "pancreas" / "dataset.json", index.dump());

  const std::string list = (folder.path() / "list.txt").string();
  const auto chosen = [&](const std::string& dataset, const Changes& changes) {
    const auto cases = adapter_of(dataset).list(folder.path() / dataset);
    return ids_of(adapter_of(dataset).pretraining(cases, settings_with(changes)));
  };
  CHECK(chosen("lits", {}) == Ids{"volume-1", "volume-2", "volume-3"});
  sar::write_file_atomically(list, "volume-3\nvolume-1\n");
  CHECK(chosen("lits", {{"lits.list", list}}) == Ids{"volume-1", "volume-3"});
  CHECK(chosen("pancreas", {}).size() == 3);
  sar::write_file_atomically(list, "pancreas_004\n");
  CHECK(chosen("pancreas", {{"pancreas.list", list}}) == Ids{"pancreas_004"});
}
