#include "datasets/prepare.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "tests/support/real_scans.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <future>
#include <limits>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using sar::test::adapter_of;

namespace {

sar::Json real_reference() {
  return sar::read_json(fs::path(SARBENCH_REFERENCE_DIR) / "datasets" / "real_scans.json");
}

/// The defaults with some keys changed.
sar::Settings settings_with(const std::vector<std::pair<std::string, sar::Json>>& changes) {
  const sar::Schema schema = sar::test::full_schema();
  sar::Settings settings(schema);
  for (const auto& [key, value] : changes) {
    settings.set(schema, key, value, "test");
  }
  return settings;
}

std::size_t offset_of(const sar::Size3& size, int x, int y, int z) {
  return static_cast<std::size_t>((z * size[1] + y) * size[0] + x);
}

std::size_t files_in(const fs::path& folder) {
  std::size_t count = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    count += entry.is_regular_file() && entry.path().extension() == ".mha" ? 1U : 0U;
  }
  return count;
}

template <typename Function>
std::string error_text(int code, const Function& function) {
  try {
    function();
  } catch (const sar::Error& error) {
    CHECK(static_cast<int>(error.code()) == code);
    return error.what();
  }
  FAIL("no error was thrown");
  return {};
}

/// A small case on disk: an image with a zero rim, and a label.
struct SmallCase {
  sar::TemporaryFolder folder;
  sar::CaseRecord record;
  sar::Volume image;
  sar::Volume label;

  SmallCase() {
    image.geometry.size = {10, 9, 8};
    image.geometry.spacing_mm = {1, 1, 2};
    for (int z = 0; z < 8; ++z) {
      for (int y = 0; y < 9; ++y) {
        for (int x = 0; x < 10; ++x) {
          const bool inside = x >= 2 && x < 8 && y >= 1 && y < 7 && z >= 3 && z < 6;
          image.voxels.push_back(inside ? static_cast<float>(100 + 10 * x + 5 * y + z) : 0.0F);
        }
      }
    }
    label = image;
    for (float& value : label.voxels) {
      value = value > 160 ? 4.0F : value > 140 ? 2.0F : value > 130 ? 1.0F : 0.0F;
    }
    record = {"case-1", "case-1", {}, folder.path() / "seg.nii", "HGG"};
    for (const char* channel : {"flair", "ct"}) {
      record.images[channel] = folder.path() / (std::string(channel) + ".nii");
    }
    write();
  }
  void write() const {
    for (const auto& [channel, file] : record.images) {
      sar::write_volume(file, image, {.type = sar::VoxelType::float32});
    }
    sar::write_volume(record.label, label, {.type = sar::VoxelType::float32});
  }
  [[nodiscard]] sar::PreparedCache cache() const {
    return sar::PreparedCache(folder.path() / "prepared");
  }
};

}  // namespace

TEST_CASE("a prepared MRI is cropped, resampled to 1 mm, and spans [0, 1]",
          "[datasets][key:preprocess.crop_nonzero_mri][key:preprocess.normalization]") {
  const SmallCase small;
  const auto volume = sar::prepared_source(
      small.record, "flair", sar::Modality::mri, "digest", settings_with({}), small.cache());
  CHECK(volume->geometry.size == sar::Size3{6, 6, 6});  // box 6x6x3 at 1x1x2 mm
  CHECK(volume->geometry.spacing_mm == std::array<double, 3>{1, 1, 1});
  CHECK(volume->geometry.origin_mm[0] == 2.0);
  const auto [low, high] = std::minmax_element(volume->voxels.begin(), volume->voxels.end());
  CHECK(*low == 0.0F);
  CHECK(*high == 1.0F);

  const auto whole = sar::prepared_source(small.record,
                                          "flair",
                                          sar::Modality::mri,
                                          "digest",
                                          settings_with({{"preprocess.crop_nonzero_mri", false},
                                                         {"preprocess.normalization", "range"},
                                                         {"preprocess.spacing_mm", {1, 1, 2}}}),
                                          small.cache());
  REQUIRE(whole->geometry.size == small.image.geometry.size);
  for (std::size_t i = 0; i < whole->voxels.size(); ++i) {
    CHECK(whole->voxels[i] == small.image.voxels[i] / 4000.0F);  // exact: nothing but the division
  }
}

TEST_CASE("CT is clipped to its own range and not cropped", "[datasets]") {
  SmallCase small;
  small.image.voxels[0] = -3000;
  small.image.voxels[1] = 5000;
  small.write();
  const auto volume = sar::prepared_source(small.record,
                                           "ct",
                                           sar::Modality::ct,
                                           "digest",
                                           settings_with({{"preprocess.spacing_mm", {1, 1, 2}}}),
                                           small.cache());
  CHECK(volume->geometry.size == small.image.geometry.size);
  CHECK(volume->voxels[0] == 0.0F);
  CHECK(volume->voxels[1] == 1.0F);
  CHECK(volume->voxels[2] == 0.5F);  // exact: 0 HU in [-1000, 1000]
}

TEST_CASE("a prepared volume is computed once per content and settings", "[datasets]") {
  const SmallCase small;
  const auto cache = small.cache();
  const auto prepare = [&](const std::string& digest,
                           const std::vector<std::pair<std::string, sar::Json>>& changes) {
    return sar::prepared_source(
        small.record, "flair", sar::Modality::mri, digest, settings_with(changes), cache);
  };
  const auto first = prepare("digest", {});
  CHECK(files_in(cache.folder()) == 1);
  const auto again = prepare("digest", {});
  CHECK(again->voxels == first->voxels);  // exact
  CHECK(again->geometry == first->geometry);
  CHECK(files_in(cache.folder()) == 1);
  prepare("digest", {{"preprocess.clip_ct_hu", {-500.0, 500.0}}, {"finetune.batch_size", 3}});
  CHECK(files_in(cache.folder()) == 1);  // keys that an MRI does not read
  prepare("digest", {{"preprocess.clip_mri", {0.0, 150.0}}});
  prepare("digest", {{"preprocess.normalization", "range"}});
  prepare("digest", {{"preprocess.crop_nonzero_mri", false}});
  prepare("digest", {{"preprocess.spacing_mm", {2, 2, 2}}});
  prepare("another digest", {});
  CHECK(files_in(cache.folder()) == 6);

  // The source is not looked at again.
  fs::remove(small.record.images.at("flair"));
  CHECK(prepare("digest", {})->voxels == first->voxels);
  CHECK_THAT(error_text(66, [&] { prepare("third digest", {}); }), Contains("case-1"));

  // A damaged file of the cache is an error, never data.
  for (const auto& entry : fs::directory_iterator(cache.folder())) {
    if (entry.path().extension() == ".mha") {
      fs::resize_file(entry.path(), fs::file_size(entry.path()) - 1);
    }
  }
  CHECK_THAT(error_text(65, [&] { prepare("digest", {}); }), Contains(".mha"));
}

TEST_CASE("several that need the same volume get the same bits", "[datasets]") {
  const SmallCase small;
  const auto cache = small.cache();
  const auto settings = settings_with({});
  std::vector<std::future<std::shared_ptr<const sar::Volume>>> tasks;
  for (int i = 0; i < 8; ++i) {
    tasks.push_back(std::async(std::launch::async, [&] {
      return sar::prepared_source(
          small.record, "flair", sar::Modality::mri, "digest", settings, cache);
    }));
  }
  const auto first = tasks[0].get();
  for (std::size_t i = 1; i < tasks.size(); ++i) {
    CHECK(tasks[i].get()->voxels == first->voxels);  // exact
  }
  CHECK(files_in(cache.folder()) == 1);
}

TEST_CASE("a BraTS case is a z-score over its non-zero voxels, and one tumour class",
          "[datasets][key:brats.labels][key:brats.zero_background][key:finetune.spacing_mm]"
          "[key:finetune.normalization]") {
  const SmallCase small;
  const auto prepare = [&](const std::vector<std::pair<std::string, sar::Json>>& changes) {
    std::vector<std::pair<std::string, sar::Json>> all{{"finetune.spacing_mm", {1, 1, 2}}};
    all.insert(all.end(), changes.begin(), changes.end());
    return sar::prepared_task_case(
        small.record, "brats", "image", "label", settings_with(all), small.cache());
  };
  const auto prepared = prepare({});
  double sum = 0;
  double squares = 0;
  int count = 0;
  for (std::size_t i = 0; i < prepared->image.voxels.size(); ++i) {
    const bool background = small.image.voxels[i] == 0;
    const auto value = static_cast<double>(prepared->image.voxels[i]);
    if (background) {
      CHECK(value == 0);  // exact
    } else {
      sum += value;
      squares += value * value;
      ++count;
    }
    CHECK(prepared->label.voxels[i] == (small.label.voxels[i] > 0 ? 1 : 0));
  }
  // Tolerance: 108 values rounded to float32.
  CHECK(sum / count == Approx(0).margin(1e-6));
  CHECK(squares / count == Approx(1).epsilon(1e-6));
  CHECK(prepared->native_label.voxels == prepared->label.voxels);

  const auto core = prepare({{"brats.labels", {4}}, {"brats.zero_background", false}});
  CHECK(core->image.voxels[0] < 0);
  for (std::size_t i = 0; i < core->label.voxels.size(); ++i) {
    CHECK(core->label.voxels[i] == (small.label.voxels[i] == 4.0F ? 1 : 0));
  }

  const auto resampled = prepare({{"finetune.spacing_mm", {2, 2, 2}}});
  CHECK(resampled->image.geometry.size == sar::Size3{5, 5, 8});
  CHECK(resampled->label.geometry == resampled->image.geometry);
  CHECK(resampled->native_label.geometry.size == sar::Size3{10, 9, 8});

  const auto unit = prepare({{"finetune.normalization", GENERATE("unit", "unit_mri")}});
  const auto [low, high] =
      std::minmax_element(unit->image.voxels.begin(), unit->image.voxels.end());
  CHECK(*low == 0.0F);
  CHECK(*high == 1.0F);
}

TEST_CASE("a pancreas case is clipped, shifted and scaled, and keeps its classes", "[datasets]") {
  SmallCase small;
  for (float& value : small.label.voxels) {
    value = std::min(value, 2.0F);
  }
  small.image.voxels[0] = -500;
  small.write();
  const auto settings = settings_with({{"finetune.spacing_mm", {1, 1, 2}},
                                       {"finetune.normalization", GENERATE("paper", "unit_mri")}});
  const auto prepared =
      sar::prepared_task_case(small.record, "pancreas", "image", "label", settings, small.cache());
  for (std::size_t i = 0; i < prepared->image.voxels.size(); ++i) {
    const double clipped = std::clamp(static_cast<double>(small.image.voxels[i]), -96.0, 215.0);
    // Tolerance: one rounding to float32.
    CHECK(static_cast<double>(prepared->image.voxels[i]) ==
          Approx((clipped - 77.99) / 75.40).epsilon(1e-6));
    CHECK(static_cast<float>(prepared->label.voxels[i]) == small.label.voxels[i]);
  }
  small.label.voxels[5] = 3;
  small.write();
  CHECK_THAT(error_text(65,
                        [&] {
                          sar::prepared_task_case(
                              small.record, "pancreas", "image", "other", settings, small.cache());
                        }),
             Contains("case-1") && Contains("seg.nii") && Contains("3"));
}

TEST_CASE("cases that cannot be prepared say which and why", "[datasets]") {
  SmallCase small;
  const auto settings = settings_with({});
  const auto source = [&] {
    sar::prepared_source(
        small.record, "flair", sar::Modality::mri, "digest", settings, small.cache());
  };
  const auto task = [&] {
    sar::prepared_task_case(small.record, "brats", "image", "label", settings, small.cache());
  };
  small.image.voxels[3] = std::numeric_limits<float>::quiet_NaN();
  small.write();
  CHECK_THAT(error_text(65, source),
             Contains("NaN") && Contains("case-1") && Contains("flair.nii"));
  CHECK_THAT(error_text(65, task), Contains("NaN") && Contains("case-1"));
  small.image.voxels[3] = 0;
  small.label.geometry.origin_mm[1] = 30;
  small.write();
  CHECK_THAT(error_text(65, task), Contains("different grids") && Contains("origin"));
  small.record.label.clear();
  CHECK_THAT(error_text(65, task), Contains("no label"));
  small.record.images.clear();
  CHECK_THAT(error_text(65, source), Contains("no such channel"));
  CHECK(files_in(small.folder.path()) == 0);
}

TEST_CASE("real images are read as nibabel reads them", "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::Json reference = real_reference();
  for (const auto& [name, entry] : reference["images"].items()) {
    INFO(name);
    const sar::Volume volume = sar::read_volume(sar::test::kTemplates / name);
    CHECK(volume.geometry.size == entry["size"].get<sar::Size3>());
    for (std::size_t axis = 0; axis < 3; ++axis) {
      // Exact: half and whole millimetres.
      CHECK(volume.geometry.spacing_mm[axis] == entry["spacing"][axis].get<double>());
      CHECK(volume.geometry.origin_mm[axis] == entry["origin"][axis].get<double>());
    }
    double sum = 0;
    for (const float value : volume.voxels) {
      sum += static_cast<double>(value);
    }
    CHECK(sum ==
          Approx(entry["sum"].get<double>()).epsilon(1e-12));  // order of 4 million additions
    for (const auto& voxel : entry["voxels"]) {
      const std::size_t at = offset_of(volume.geometry.size, voxel[0], voxel[1], voxel[2]);
      CHECK(volume.voxels[at] == voxel[3].get<float>());  // exact
    }
  }
}

TEST_CASE("a damaged entry of the cache is made again, and that is said", "[datasets]") {
  const SmallCase small;
  std::vector<std::string> said;
  const auto prepared = [&] {
    const sar::PreparedCache cache(small.folder.path() / "prepared",
                                   [&](const std::string& text) { said.push_back(text); });
    return sar::prepared_task_case(
        small.record, "brats", "image", "label", settings_with({}), cache);
  };
  const auto whole = prepared();
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(small.folder.path() / "prepared")) {
    if (entry.is_regular_file()) {
      files.push_back(entry.path());
    }
  }
  REQUIRE(files.size() == 4);  // image, two labels, and the record of their digests
  for (const fs::path& file : files) {
    const std::string content = sar::read_file(file);
    std::string flipped = content;
    flipped.back() = static_cast<char>(flipped.back() ^ 1);
    for (const std::string& damage : {flipped, content.substr(0, content.size() / 2)}) {
      sar::write_file_atomically(file, damage);
      said.clear();
      const auto again = prepared();
      INFO(file);
      CHECK(said.size() == 1);
      CHECK(again->image.voxels == whole->image.voxels);
      CHECK(again->label.voxels == whole->label.voxels);
      CHECK(again->native_label.voxels == whole->native_label.voxels);
      CHECK(sar::read_file(file) == content);
    }
  }
  said.clear();
  static_cast<void>(prepared());
  CHECK(said.empty());
}

TEST_CASE("the real head MRI is prepared as NumPy does it", "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  const sar::PreparedCache cache(folder.path() / "prepared");
  const fs::path root = sar::test::lay_out_brats(folder.path());
  const auto cases = adapter_of("brats").list(root);
  REQUIRE(cases.size() == 1);
  const sar::Json reference = real_reference();
  const sar::Json& head = reference["images"]["ch2bet.nii.gz"];
  const auto origin = head["nonzero_origin"].get<sar::Size3>();

  // Pre-training: cropped to the brain, already 1 mm, so only scaled.
  const auto source = sar::prepared_source(
      cases[0], "flair", sar::Modality::mri, "digest", settings_with({}), cache);
  CHECK(source->geometry.size == head["nonzero_size"].get<sar::Size3>());
  for (const auto& voxel : head["voxels"]) {
    const std::size_t at = offset_of(source->geometry.size,
                                     voxel[0].get<int>() - origin[0],
                                     voxel[1].get<int>() - origin[1],
                                     voxel[2].get<int>() - origin[2]);
    const double expected = voxel[3].get<double>() / head["maximum"].get<double>();
    CHECK(static_cast<double>(source->voxels[at]) == Approx(expected).epsilon(1e-6));  // float32
  }

  // Fine-tuning: z-score over the brain, regions of the atlas as tumour.
  const auto prepared =
      sar::prepared_task_case(cases[0], "brats", "image", "label", settings_with({}), cache);
  const double mean = head["nonzero_mean"];
  const double deviation = head["nonzero_sd"];
  for (const auto& voxel : head["voxels"]) {
    const std::size_t at = offset_of(prepared->image.geometry.size, voxel[0], voxel[1], voxel[2]);
    // Tolerance: float32, and NumPy's pairwise sums against plain ones.
    CHECK(static_cast<double>(prepared->image.voxels[at]) ==
          Approx((voxel[3].get<double>() - mean) / deviation).epsilon(1e-5).margin(1e-6));
  }
  const auto atlas = sar::read_label_map(sar::test::kTemplates / "aal.nii.gz");
  std::size_t tumour = 0;
  for (std::size_t i = 0; i < atlas.voxels.size(); ++i) {
    const int region = atlas.voxels[i];
    const bool expected = region == 77 || region == 73 || region == 71;
    tumour += expected ? 1 : 0;
    if ((prepared->label.voxels[i] == 1) != expected) {
      FAIL_CHECK("voxel " << i << " has the wrong class");
      break;
    }
  }
  CHECK(tumour > 10000);
}

TEST_CASE("the real head CT is prepared as SciPy's third-order spline does it",
          "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  const sar::PreparedCache cache(folder.path() / "prepared");
  const sar::test::Cranium cranium = sar::test::read_cranium();
  const auto luna = adapter_of("luna").list(sar::test::lay_out_luna(folder.path(), cranium));
  const auto chosen = adapter_of("luna").pretraining(luna, settings_with({}));
  REQUIRE(chosen.size() == 1);
  const auto pancreas =
      adapter_of("pancreas").list(sar::test::lay_out_pancreas(folder.path(), cranium));
  REQUIRE(pancreas.size() == 1);
  const sar::Json reference = real_reference();

  const auto source =
      sar::prepared_source(chosen[0], "ct", sar::Modality::ct, "digest", settings_with({}), cache);
  const auto task =
      sar::prepared_task_case(pancreas[0], "pancreas", "image", "label", settings_with({}), cache);
  const auto size = reference["ct"]["size"].get<sar::Size3>();
  CHECK(source->geometry.size == size);
  CHECK(task->image.geometry.size == size);
  for (const auto& point : reference["ct"]["points"]) {
    const std::size_t at = offset_of(size, point[0], point[1], point[2]);
    const double value = point[3];
    // Tolerance: the spline is good to 1e-3 HU of a range of 2000 HU and of a divisor of 75.4 HU.
    CHECK(static_cast<double>(source->voxels[at]) ==
          Approx((std::clamp(value, -1000.0, 1000.0) + 1000) / 2000).margin(1e-6));
    CHECK(static_cast<double>(task->image.voxels[at]) ==
          Approx((std::clamp(value, -96.0, 215.0) - 77.99) / 75.40).margin(2e-5));
  }
  // The resampled label keeps the volume of each class. Statistical bound: nearest neighbour errs
  // at the surface only; 2 % is many times the voxels' share of an unbiased surface error.
  for (const std::uint8_t label : {std::uint8_t{1}, std::uint8_t{2}}) {
    const auto volume_of = [&](const sar::LabelMap& map) {
      return static_cast<double>(std::count(map.voxels.begin(), map.voxels.end(), label)) *
             map.geometry.voxel_volume_mm3();
    };
    CHECK(volume_of(task->native_label) > 10000);
    CHECK(volume_of(task->label) == Approx(volume_of(task->native_label)).epsilon(0.02));
  }
}

TEST_CASE("real heart-like MRI with test scans is prepared", "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  const sar::PreparedCache cache(folder.path() / "prepared");
  const auto cases = adapter_of("heart").list(sar::test::lay_out_heart(folder.path()));
  REQUIRE(cases.size() == 2);
  const sar::Json reference = real_reference();
  const auto box = reference["images"]["inia19-t1-brain.nii.gz"]["nonzero_size"].get<sar::Size3>();
  for (const auto& record : cases) {
    const auto volume = sar::prepared_source(
        record, "mri", sar::Modality::mri, record.id, settings_with({}), cache);
    if (record.group == "training") {  // 0.5 mm to 1 mm: half the box, rounded half up
      for (std::size_t axis = 0; axis < 3; ++axis) {
        CHECK(volume->geometry.size[axis] == (box[axis] + 1) / 2);
      }
    }
    const auto [low, high] = std::minmax_element(volume->voxels.begin(), volume->voxels.end());
    CHECK(*low == 0.0F);
    CHECK(*high == 1.0F);
  }
}
