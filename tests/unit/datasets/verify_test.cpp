#include "datasets/verify.h"

#include "harness/core/files.h"
#include "tests/support/real_scans.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using sar::Finding;
using sar::test::adapter_of;

namespace {

std::string text_of(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += (finding.severity == Finding::Severity::error ? "error " : "note ") + finding.check +
            " " + finding.case_id + " " + finding.file + ": " + finding.message + "\n";
  }
  return text;
}

/// How often each check was reported, as "error geometry" or "note count".
std::map<std::string, int> tally(const std::vector<Finding>& findings) {
  std::map<std::string, int> counts;
  for (const Finding& finding : findings) {
    ++counts[(finding.severity == Finding::Severity::error ? "error " : "note ") + finding.check];
  }
  return counts;
}
using Tally = std::map<std::string, int>;

const Finding& find(const std::vector<Finding>& findings,
                    const std::string& check,
                    const std::string& id) {
  const auto found = std::find_if(findings.begin(), findings.end(), [&](const Finding& finding) {
    return finding.check == check && finding.case_id == id;
  });
  REQUIRE(found != findings.end());
  return *found;
}

/// A small image whose voxels depend on `seed`.
sar::Volume small_volume(int seed) {
  sar::Volume volume;
  volume.geometry.size = {6, 5, 4};
  for (int i = 0; i < 120; ++i) {
    volume.voxels.push_back(static_cast<float>((i * 31 + seed * 7) % 113));
  }
  return volume;
}

sar::Volume small_label() {
  sar::Volume label = small_volume(0);
  for (float& value : label.voxels) {
    value = value > 90 ? 2.0F : value > 60 ? 1.0F : 0.0F;
  }
  return label;
}

constexpr sar::WriteOptions kFloat{.type = sar::VoxelType::float32};

}  // namespace

TEST_CASE("a sound data set has only the note on the number of cases", "[datasets]") {
  const sar::TemporaryFolder folder;
  for (const int i : {1, 2, 3}) {
    const std::string number = std::to_string(i);
    sar::write_volume(folder.path() / ("volume-" + number + ".nii"), small_volume(i), kFloat);
    sar::write_volume(
        folder.path() / ("segmentation-" + number + ".nii.gz"), small_label(), kFloat);
  }
  std::vector<std::pair<int, int>> steps;
  const auto findings =
      sar::verify_dataset(adapter_of("lits"), folder.path(), [&](int done, int total) {
        steps.emplace_back(done, total);
      });
  INFO(text_of(findings));
  CHECK(tally(findings) == Tally{{"note count", 1}});
  CHECK_THAT(findings[0].message, Contains("3 of the 3") && Contains("111"));
  CHECK(findings[0].dataset == "lits");
  CHECK(steps == std::vector<std::pair<int, int>>{{1, 3}, {2, 3}, {3, 3}});
}

TEST_CASE("every fault of a data set is reported in one pass", "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path& root = folder.path();
  const auto image = [&](int i) { return root / ("volume-" + std::to_string(i) + ".nii.gz"); };
  const auto segmentation = [&](int i) {
    return root / ("segmentation-" + std::to_string(i) + ".nii.gz");
  };
  for (int i = 1; i <= 9; ++i) {
    sar::write_volume(image(i), small_volume(i), kFloat);
    sar::write_volume(segmentation(i), small_label(), kFloat);
  }
  // 1: another spacing in the label; 2: shifted label; 3: values that mean nothing; 4: NaN and
  // infinity; 5: truncated image; 6: the voxels of 9, stored otherwise; 7: no foreground; 8: no
  // segmentation.
  sar::Volume label = small_label();
  label.geometry.spacing_mm[2] = 1.5;
  sar::write_volume(segmentation(1), label, kFloat);
  label = small_label();
  label.geometry.origin_mm[0] = 5;
  sar::write_volume(segmentation(2), label, kFloat);
  label = small_label();
  label.voxels[0] = 3;
  label.voxels[1] = 3;
  label.voxels[2] = 0.5F;
  label.voxels[3] = -1;
  label.voxels[4] = std::numeric_limits<float>::quiet_NaN();
  sar::write_volume(segmentation(3), label, kFloat);
  sar::Volume volume = small_volume(4);
  volume.voxels[7] = std::numeric_limits<float>::quiet_NaN();
  volume.voxels[8] = -std::numeric_limits<float>::infinity();
  sar::write_volume(image(4), volume, kFloat);
  const std::string bytes = sar::read_file(image(5));
  sar::write_file_atomically(image(5), bytes.substr(0, bytes.size() / 2));
  sar::write_volume(image(6), small_volume(9), {.type = sar::VoxelType::int16});
  label = small_label();
  std::fill(label.voxels.begin(), label.voxels.end(), 0.0F);
  sar::write_volume(segmentation(7), label, kFloat);
  fs::remove(segmentation(8));

  const auto findings = sar::verify_dataset(adapter_of("lits"), root);
  INFO(text_of(findings));
  CHECK(tally(findings) == Tally{{"error layout", 1},
                                 {"error geometry", 2},
                                 {"error label-values", 1},
                                 {"error not-finite", 1},
                                 {"error unreadable", 1},
                                 {"error duplicate-image", 1},
                                 {"note empty-label", 1},
                                 {"note count", 1}});
  CHECK_THAT(find(findings, "geometry", "volume-1").message, Contains("spacing"));
  CHECK_THAT(find(findings, "geometry", "volume-2").message, Contains("origin"));
  const std::string values = find(findings, "label-values", "volume-3").message;
  CHECK_THAT(values,
             Contains("NaN (1 voxels)") && Contains("3 (2 voxels)") && Contains("0.5") &&
                 Contains("-1 (1 voxels)"));
  CHECK_THAT(find(findings, "not-finite", "volume-4").message, Contains("2 voxels"));
  CHECK_THAT(find(findings, "unreadable", "volume-5").message, Contains("truncated"));
  CHECK_THAT(find(findings, "duplicate-image", "volume-9").message, Contains("volume-6"));
  CHECK_THAT(find(findings, "layout", "volume-8").message, Contains("without its segmentation"));
  CHECK(find(findings, "empty-label", "volume-7").file == segmentation(7).string());
}

TEST_CASE("channels of a BraTS case must share one grid", "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path stem = folder.path() / "HGG" / "Brats18_X_1" / "Brats18_X_1_";
  int seed = 0;
  for (const char* channel : {"flair", "t1", "t1ce", "t2"}) {
    sar::Volume volume = small_volume(++seed);
    if (std::string(channel) == "t1ce") {
      volume.geometry.size = {5, 6, 4};
    }
    sar::write_volume(stem.string() + channel + ".nii", volume, kFloat);
  }
  sar::Volume label = small_label();
  for (float& value : label.voxels) {
    value *= 2;  // 2 and 4 are classes of the set
  }
  label.voxels[0] = 3;  // 3 is none
  sar::write_volume(stem.string() + "seg.nii", label, kFloat);
  const auto findings = sar::verify_dataset(adapter_of("brats"), folder.path());
  INFO(text_of(findings));
  CHECK(tally(findings) ==
        Tally{{"error geometry", 1}, {"error label-values", 1}, {"note count", 1}});
  CHECK_THAT(find(findings, "geometry", "Brats18_X_1").file, Contains("t1ce"));
  CHECK_THAT(find(findings, "label-values", "Brats18_X_1").message, Contains("3 (1 voxels)"));
}

TEST_CASE("a root without the data set is one finding, not an exception", "[datasets]") {
  const auto findings = sar::verify_dataset(adapter_of("heart"), "/nonexistent/place");
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].check == "layout");
  CHECK(findings[0].severity == Finding::Severity::error);
}

TEST_CASE(
    "an image whose data file is missing or short is unreadable, and the rest is still checked",
    "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path subset = folder.path() / "subset0";
  for (const int i : {1, 2, 3}) {
    sar::write_volume(subset / (std::to_string(i) + ".mhd"), small_volume(i), kFloat);
  }
  fs::remove(subset / "1.raw");
  fs::resize_file(subset / "2.raw", 100);
  const auto findings = sar::verify_dataset(adapter_of("luna"), folder.path());
  INFO(text_of(findings));
  CHECK(tally(findings) == Tally{{"error unreadable", 2}, {"note count", 1}});
  CHECK_THAT(find(findings, "unreadable", "1").message, Contains("missing"));
  CHECK_THAT(find(findings, "unreadable", "2").message, Contains("too short"));
}

TEST_CASE("real scans laid out as the five data sets pass verification", "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  const sar::test::Cranium cranium = sar::test::read_cranium();
  const std::map<std::string, fs::path> roots{
      {"luna", sar::test::lay_out_luna(folder.path(), cranium)},
      {"lits", sar::test::lay_out_lits(folder.path(), cranium)},
      {"brats", sar::test::lay_out_brats(folder.path())},
      {"heart", sar::test::lay_out_heart(folder.path())},
      {"pancreas", sar::test::lay_out_pancreas(folder.path(), cranium)}};
  const std::map<std::string, std::size_t> cases{
      {"luna", 2}, {"lits", 1}, {"brats", 1}, {"heart", 2}, {"pancreas", 1}};
  for (const auto& [id, root] : roots) {
    CHECK(adapter_of(id).list(root).size() == cases.at(id));
    const auto findings = sar::verify_dataset(adapter_of(id), root);
    INFO(text_of(findings));
    CHECK(tally(findings) == Tally{{"note count", 1}});
  }
}

TEST_CASE("a published atlas whose two NIfTI forms contradict each other is noted",
          "[datasets][real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  fs::copy_file(sar::test::kTemplates / "ch2.nii.gz", folder.path() / "volume-1.nii.gz");
  // Its qform turns z upside down, its sform does not; nor does its grid fit the head.
  fs::copy_file(sar::test::kTemplates / "JHU-WhiteMatter-labels-1mm.nii.gz",
                folder.path() / "segmentation-1.nii.gz");
  const auto findings = sar::verify_dataset(adapter_of("lits"), folder.path());
  INFO(text_of(findings));
  CHECK(tally(findings) == Tally{{"note geometry", 1},
                                 {"error geometry", 1},
                                 {"error label-values", 1},
                                 {"note count", 1}});
}
