#include "tests/support/real_scans.h"

#include "harness/volume/intensity.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

// Real scans that nobody here made, laid out as the five data sets, go through verification,
// preparation, cubes, pre-training, fine-tuning and evaluation.
namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;

/// Labels inside a box, on the geometry of the cropped image.
sar::LabelMap crop_labels(const sar::LabelMap& labels, const sar::Box& box) {
  sar::Volume as_volume{labels.geometry, {labels.voxels.begin(), labels.voxels.end()}};
  const sar::Volume cropped = sar::crop_volume(as_volume, box);
  return {cropped.geometry, {cropped.voxels.begin(), cropped.voxels.end()}};
}

/// Six BraTS patients out of one head: overlapping parts of it, a few voxels apart.
void lay_out_brats_patients(const fs::path& root) {
  const sar::TemporaryFolder whole;
  const fs::path source = sar::test::lay_out_brats(whole.path()) / "HGG" / "Brats18_ch2_1";
  for (int patient = 0; patient < 6; ++patient) {
    const sar::Box box{{50 + patient, 70 + 2 * patient, 50 + patient}, {80, 88, 64}};
    const std::string id = "Brats18_ch2_" + std::to_string(patient) + "_1";
    const fs::path folder = root / "brats" / (patient % 2 == 0 ? "HGG" : "LGG") / id;
    for (const auto& [channel, extension] : std::map<std::string, std::string>{
             {"flair", ".nii.gz"}, {"t1", ".nii.gz"}, {"t1ce", ".nii"}, {"t2", ".nii"}}) {
      const sar::Volume volume =
          sar::read_volume(source / ("Brats18_ch2_1_" + channel + extension));
      sar::write_volume(folder / (id + "_" + channel + ".nii.gz"),
                        sar::crop_volume(volume, box),
                        {.type = sar::VoxelType::float32});
    }
    sar::write_label_map(
        folder / (id + "_seg.nii.gz"),
        crop_labels(sar::read_label_map(source / "Brats18_ch2_1_seg.nii.gz"), box));
  }
}

/// Four pancreas patients out of one CT, with organ and tumour as the layout's makers chose them.
void lay_out_pancreas_patients(const fs::path& root, const sar::test::Cranium& cranium) {
  const sar::TemporaryFolder whole;
  const fs::path source = sar::test::lay_out_pancreas(whole.path(), cranium);
  const sar::Volume image = sar::read_volume(source / "imagesTr" / "pancreas_001.nii");
  const sar::LabelMap label = sar::read_label_map(source / "labelsTr" / "pancreas_001.nii.gz");
  const fs::path folder = root / "Task07_Pancreas";
  Json training = Json::array();
  for (int patient = 0; patient < 4; ++patient) {
    const sar::Box box{{60 + 10 * patient, 60 + 8 * patient, 4}, {72, 72, 40}};
    const std::string name = "pancreas_00" + std::to_string(patient + 1) + ".nii.gz";
    sar::write_volume(
        folder / "imagesTr" / name, sar::crop_volume(image, box), {.type = sar::VoxelType::int16});
    sar::write_label_map(folder / "labelsTr" / name, crop_labels(label, box));
    training.push_back({{"image", "./imagesTr/" + name}, {"label", "./labelsTr/" + name}});
  }
  sar::write_file_atomically(folder / "dataset.json",
                             Json{{"training", training}, {"test", Json::array()}}.dump());
}

TEST_CASE("real scans laid out as the five data sets are verified, trained on and evaluated",
          "[real]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::TemporaryFolder folder;
  const fs::path root = folder.path() / "scans";
  const sar::test::Cranium cranium = sar::test::read_cranium();
  sar::test::lay_out_luna(root, cranium);
  sar::test::lay_out_lits(root, cranium);
  sar::test::lay_out_heart(root);
  lay_out_brats_patients(root);
  lay_out_pancreas_patients(root, cranium);
  std::vector<std::string> roots;
  for (const auto& [id, part] :
       std::map<std::string, std::string>{{"luna", "luna"},
                                          {"lits", "lits"},
                                          {"brats", "brats"},
                                          {"heart", "Task02_Heart"},
                                          {"pancreas", "Task07_Pancreas"}}) {
    roots.insert(roots.end(), {"--data", id + "=" + (root / part).string()});
  }
  const auto run = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), roots.begin(), roots.end());
    return sar_bench(folder.path(), arguments);
  };
  const Outcome verified = run({"data", "verify", "-q"});
  INFO(verified.out << verified.err);
  CHECK(verified.code == 0);
  const Outcome trained = run({"run",
                               "table2",
                               "--profile",
                               std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml",
                               "-m",
                               "scratch,sar",
                               "-q",
                               "--json"});
  INFO(trained.err);
  REQUIRE(trained.code == 0);
  const Json table = Json::parse(trained.out);
  CHECK(table.at("data_kind") == "real");
  CHECK(trained.out.find("phantom") == std::string::npos);
  for (const auto& row : table.at("rows")) {
    if (row.at("method") == "scratch" || row.at("method") == "sar") {
      CHECK(row.at("cells").at(3).at("n") == 1);
      CHECK(row.at("cells").at(4).at("n") == 1);
    }
  }
}

}  // namespace
