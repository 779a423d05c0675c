#include "datasets/dataset.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "tests/support/real_scans.h"

#include <catch2/catch.hpp>
#include <unistd.h>

#include <set>
#include <string>
#include <vector>

namespace fs = std::filesystem;
using Catch::Matchers::Contains;
using sar::test::adapter_of;

namespace {

void touch(const fs::path& path) {
  sar::write_file_atomically(path, "");
}

std::vector<std::string> ids_of(const std::vector<sar::CaseRecord>& cases) {
  std::vector<std::string> ids;
  for (const auto& record : cases) {
    ids.push_back(record.id);
  }
  return ids;
}
using Ids = std::vector<std::string>;

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

sar::Settings settings_with(const std::string& key, const sar::Json& value) {
  const sar::Schema schema = sar::test::full_schema();
  sar::Settings settings(schema);
  settings.set(schema, key, value, "test");
  return settings;
}

sar::Settings defaults() {
  return sar::Settings(sar::test::full_schema());
}

void lay_out_brats_case(const fs::path& folder,
                        const std::string& id,
                        const std::string& extension) {
  for (const char* name : {"flair", "t1", "t1ce", "t2", "seg"}) {
    touch(folder / id / (id + "_" + name + extension));
  }
}

void lay_out_task(const fs::path& folder, int training, int test) {
  sar::Json index{{"training", sar::Json::array()}, {"test", sar::Json::array()}};
  for (int i = 1; i <= training + test; ++i) {
    const std::string name = "case_00" + std::to_string(i) + ".nii.gz";
    if (i <= training) {
      touch(folder / "imagesTr" / name);
      touch(folder / "labelsTr" / name);
      index["training"].push_back(
          {{"image", "./imagesTr/" + name}, {"label", "./labelsTr/" + name}});
    } else {
      touch(folder / "imagesTs" / name);
      index["test"].push_back("./imagesTs/" + name);
    }
  }
  sar::write_file_atomically(folder / "dataset.json", index.dump());
}

}  // namespace

TEST_CASE("the build registers the five data sets with what the paper counts", "[datasets]") {
  const std::vector<std::pair<std::string, int>> sets{
      {"luna", 623}, {"lits", 111}, {"brats", 285}, {"heart", 30}, {"pancreas", 282}};
  for (const auto& [id, count] : sets) {
    const sar::DatasetAdapter& adapter = adapter_of(id);
    CHECK(adapter.paper_cases == count);
    CHECK_FALSE(adapter.layout.empty());
    CHECK(adapter.find_cases != nullptr);
    CHECK(adapter.pretraining != nullptr);
  }
  CHECK(adapter_of("luna").modality == sar::Modality::ct);
  CHECK(adapter_of("brats").modality == sar::Modality::mri);
  CHECK_THAT(error_text(2, [] { adapter_of("pancrea"); }), Contains("pancreas"));
  sar::DatasetRegistry registry;
  sar::datasets::register_all(registry);
  CHECK(registry.all().size() == sets.size());
  error_text(70, [&] { registry.add(adapter_of("luna")); });
}

TEST_CASE("a root that is absent or holds something else is error 66 and names the layout",
          "[datasets]") {
  const sar::TemporaryFolder folder;
  touch(folder.path() / "empty" / "notes.txt");
  for (const char* id : {"luna", "lits", "brats", "heart", "pancreas"}) {
    for (const char* name : {"absent", "empty"}) {
      INFO(id << " " << name);
      const std::string text =
          error_text(66, [&] { return adapter_of(id).list(folder.path() / name); });
      CHECK_THAT(text, Contains(name));
    }
    const std::string text =
        error_text(66, [&] { return adapter_of(id).list(folder.path() / "empty"); });
    CHECK_THAT(text, Contains(adapter_of(id).layout));
  }
}

TEST_CASE("a folder that may not be read is error 74", "[datasets]") {
  if (::geteuid() == 0) {
    return;  // root reads everything
  }
  const sar::TemporaryFolder folder;
  for (const char* name : {"subset0", "HGG"}) {
    fs::create_directory(folder.path() / name);
    fs::permissions(folder.path() / name, fs::perms::none);
  }
  for (const char* id : {"luna", "lits", "brats"}) {
    INFO(id);
    error_text(74, [&] { return adapter_of(id).list(folder.path()); });
  }
  for (const char* name : {"subset0", "HGG"}) {
    fs::permissions(folder.path() / name, fs::perms::owner_all);
  }
}

TEST_CASE("LUNA lists its subsets and pre-trains on those chosen", "[datasets][key:luna.subsets]") {
  const sar::TemporaryFolder folder;
  const fs::path& root = folder.path();
  touch(root / "subset9" / "d.mhd");
  touch(root / "subset6" / "c.mhd");
  touch(root / "subset6" / "c.raw");
  touch(root / "subset6" / "._c.mhd");
  touch(root / "subset0" / "subset0" / "b.mhd");  // as some unpack it
  touch(root / "subset10" / "x.mhd");
  touch(root / "seg-lungs-LUNA16" / "b.mhd");
  const auto cases = adapter_of("luna").list(root);
  CHECK(ids_of(cases) == Ids{"b", "c", "d"});
  CHECK(cases[0].group == "subset0");
  CHECK(cases[0].patient == "b");
  CHECK(cases[0].label.empty());
  CHECK(cases[0].images.at("ct") == root / "subset0" / "subset0" / "b.mhd");
  CHECK(ids_of(adapter_of("luna").pretraining(cases, defaults())) == Ids{"b", "c"});
  CHECK(ids_of(adapter_of("luna").pretraining(cases, settings_with("luna.subsets", {9, 0}))) ==
        Ids{"b", "d"});
  error_text(66,
             [&] { adapter_of("luna").pretraining(cases, settings_with("luna.subsets", {1})); });
  // One series in two subsets.
  touch(root / "subset1" / "c.mhd");
  CHECK_THAT(error_text(65, [&] { return adapter_of("luna").list(root); }),
             Contains("more than once"));
}

TEST_CASE("a case list narrows pre-training and must fit the cases", "[datasets][key:luna.list]") {
  const sar::TemporaryFolder folder;
  for (const char* id : {"a", "b", "c"}) {
    touch(folder.path() / "subset0" / (std::string(id) + ".mhd"));
  }
  const auto cases = adapter_of("luna").list(folder.path());
  const fs::path list = folder.path() / "cases.txt";
  const auto settings = settings_with("luna.list", list.string());
  const auto choose = [&] { return ids_of(adapter_of("luna").pretraining(cases, settings)); };
  CHECK_THAT(error_text(66, choose), Contains("cases.txt"));
  sar::write_file_atomically(list, "# the good ones\nc\r\n\n  a # first\n");
  CHECK(choose() == Ids{"a", "c"});
  sar::write_file_atomically(list, "a\nzebra\n");
  CHECK_THAT(error_text(66, choose), Contains("zebra"));
  sar::write_file_atomically(list, "a\na\n");
  CHECK_THAT(error_text(65, choose), Contains("twice"));
  sar::write_file_atomically(list, "# nothing\n");
  CHECK_THAT(error_text(65, choose), Contains("no case"));
}

TEST_CASE("LiTS pairs volumes with segmentations in any sub folder", "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path& root = folder.path();
  touch(root / "Training Batch 1" / "volume-2.nii");
  touch(root / "Training Batch 1" / "segmentation-2.nii.gz");
  touch(root / "Training Batch 2" / "volume-10.nii.gz");
  touch(root / "labels" / "segmentation-10.nii");
  touch(root / "test-volume-3.nii");
  const auto cases = adapter_of("lits").list(root);
  CHECK(ids_of(cases) == Ids{"volume-10", "volume-2"});
  CHECK(cases[0].label == root / "labels" / "segmentation-10.nii");
  CHECK(cases[0].images.at("ct") == root / "Training Batch 2" / "volume-10.nii.gz");

  touch(root / "volume-4.nii");
  touch(root / "segmentation-5.nii");
  touch(root / "copy" / "volume-2.nii.gz");
  const std::string text = error_text(65, [&] { return adapter_of("lits").list(root); });
  CHECK_THAT(text, Contains("volume-4: volume without"));  // all of them in one error
  CHECK_THAT(text, Contains("volume-5: segmentation without"));
  CHECK_THAT(text, Contains("volume-2: id occurs more than once"));
  const sar::Listing listing = adapter_of("lits").scan(root);
  CHECK(listing.problems.size() == 3);
  CHECK(ids_of(listing.cases) == Ids{"volume-10", "volume-2", "volume-2", "volume-4"});
}

TEST_CASE("BraTS lists four channels per patient, compressed or not", "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path& root = folder.path();
  lay_out_brats_case(root / "LGG", "Brats18_B_1", ".nii");
  lay_out_brats_case(root / "HGG", "Brats18_C_1", ".nii.gz");
  lay_out_brats_case(root / "HGG", "Brats18_A_1", ".nii.gz");
  const auto cases = adapter_of("brats").list(root);
  CHECK(ids_of(cases) == Ids{"Brats18_A_1", "Brats18_B_1", "Brats18_C_1"});
  CHECK(cases[1].group == "LGG");
  CHECK(cases[1].patient == "Brats18_B_1");
  CHECK(cases[1].label.filename() == "Brats18_B_1_seg.nii");
  CHECK(cases[0].images.size() == 4);
  CHECK(cases[0].images.at("t1ce").filename() == "Brats18_A_1_t1ce.nii.gz");
  CHECK(adapter_of("brats").pretraining(cases, defaults()).size() == 3);

  fs::remove(root / "LGG" / "Brats18_B_1" / "Brats18_B_1_t2.nii");
  fs::remove(root / "HGG" / "Brats18_A_1" / "Brats18_A_1_seg.nii.gz");
  const std::string text = error_text(65, [&] { return adapter_of("brats").list(root); });
  CHECK_THAT(text,
             Contains("Brats18_B_1: no channel t2") && Contains("Brats18_A_1: no segmentation"));
}

TEST_CASE("Decathlon tasks are listed from their index, from the task folder or its parent",
          "[datasets]") {
  const sar::TemporaryFolder folder;
  const fs::path heart = folder.path() / "Task02_Heart";
  lay_out_task(heart, 2, 1);
  touch(heart / "imagesTr" / "._case_001.nii.gz");
  for (const fs::path& root : {heart, folder.path()}) {
    const auto cases = adapter_of("heart").list(root);
    CHECK(ids_of(cases) == Ids{"case_001", "case_002", "case_003"});
    CHECK(cases[0].group == "training");
    CHECK(cases[2].group == "test");
    CHECK(cases[2].label.empty());
    CHECK(cases[0].images.at("mri") == heart / "imagesTr" / "case_001.nii.gz");
    CHECK(adapter_of("heart").pretraining(cases, defaults()).size() == 3);  // test scans too
  }
  const fs::path pancreas = folder.path() / "Task07_Pancreas";
  lay_out_task(pancreas, 3, 2);
  const auto cases = adapter_of("pancreas").list(folder.path());
  CHECK(cases.size() == 5);
  CHECK(ids_of(adapter_of("pancreas").pretraining(cases, defaults())) ==
        Ids{"case_001", "case_002", "case_003"});

  SECTION("test scans that were not downloaded are not a fault") {
    fs::remove_all(pancreas / "imagesTs");
    CHECK(adapter_of("pancreas").list(pancreas).size() == 3);
  }
  SECTION("missing and unnamed files are all named") {
    fs::remove(pancreas / "labelsTr" / "case_002.nii.gz");
    fs::remove(pancreas / "imagesTs" / "case_005.nii.gz");
    touch(pancreas / "imagesTr" / "case_777.nii.gz");
    const std::string text = error_text(65, [&] { return adapter_of("pancreas").list(pancreas); });
    CHECK_THAT(
        text,
        Contains("labelsTr/case_002") && Contains("imagesTs/case_005") && Contains("case_777"));
  }
  SECTION("a broken index is error 65") {
    sar::write_file_atomically(pancreas / "dataset.json", "{\"training\": [");
    CHECK_THAT(error_text(65, [&] { return adapter_of("pancreas").list(pancreas); }),
               Contains("dataset.json"));
    sar::write_file_atomically(pancreas / "dataset.json", "{\"training\": [{\"image\": 3}]}");
    CHECK_THAT(error_text(65, [&] { return adapter_of("pancreas").list(pancreas); }),
               Contains("dataset.json"));
    sar::write_file_atomically(pancreas / "dataset.json", "[]");
    error_text(65, [&] { return adapter_of("pancreas").list(pancreas); });
  }
}
