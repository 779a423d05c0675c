#include "harness/core/base64.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/io/image_io.h"
#include "harness/volume/evaluation.h"
#include "harness/volume/slices.h"
#include "tests/support/process.h"
#include "tests/support/real_scans.h"

#include <catch2/catch.hpp>

#include <map>
#include <set>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;

const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

/// Nine BraTS phantoms, so that three test cases fall into three buckets; four of the pancreas, two
/// a fold, without buckets.
void run_tiny(const fs::path& folder, const std::vector<std::string>& more) {
  std::vector<std::string> arguments{
      "run", "table2", "--profile", kTiny, "-m", "scratch", "-q", "--set", "phantom.brats_cases=9"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  const Outcome outcome = sar_bench(folder, arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
}

Json rows(const fs::path& folder, const std::string& sql) {
  const Outcome outcome = sar_bench(folder, {"db", "sql", sql, "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out).at("rows");
}

/// Products of the evaluations by task, each as the database says it was written.
std::map<std::string, Json> evaluations(const fs::path& folder) {
  std::map<std::string, Json> products;
  for (const Json& row :
       rows(folder, "select path, sha256 from node where kind = 'evaluate' order by key")) {
    const fs::path path = row.at(0).get<std::string>();
    CHECK(sar::sha256_of_file(path) == row.at(1).get<std::string>());
    const Json product = sar::read_json(path);
    products[product.at("task").get<std::string>()] = product;
  }
  return products;
}

TEST_CASE("a run leaves example slices of every bucket, the same by any number of workers",
          "[trains][run][examples]") {
  const sar::TemporaryFolder one;
  run_tiny(one.path(), {"-j", "1"});
  const auto products = evaluations(one.path());
  REQUIRE(products.size() == 2);
  for (const auto& [task, product] : products) {
    INFO(task);
    std::map<std::string, std::multiset<std::string>> places;
    std::map<std::string, double> dice;
    std::map<std::string, std::set<std::string>> cases;
    for (const Json& row : product.at("dice")) {
      if (row.at("target") == "tumor") {
        dice[row.at("case_id").get<std::string>()] = row.at("dice");
        cases[row.at("bucket").get<std::string>()].insert(row.at("case_id").get<std::string>());
      }
    }
    for (const Json& example : product.at("examples")) {
      const std::string id = example.at("case_id");
      const std::string bucket = example.at("bucket");
      CHECK(cases.at(bucket).contains(id));
      CHECK(example.at("dice") == dice.at(id));
      CHECK(example.at("orientation") == "stated");
      for (const Json& place : example.at("places")) {
        places[bucket].insert(place.get<std::string>());
      }
      REQUIRE(example.at("slices").size() == 3);
      for (const Json& slice : example.at("slices")) {
        CHECK(sar::from_base64(slice.at("image_png").get<std::string>()).starts_with("\x89PNG"));
        CHECK((example.at("centre") != "truth" || !slice.at("truth").empty()));
      }
    }
    CHECK(places.size() == cases.size());
    CHECK(places.size() == (task == "brats" ? 3U : 1U));
    for (const auto& [bucket, found] : places) {
      CHECK(found == std::multiset<std::string>{"best", "median", "worst"});
    }
  }
  const sar::TemporaryFolder two;
  run_tiny(two.path(), {"-j", "2"});
  const std::string digests = "select key, sha256 from node where kind = 'evaluate' order by key";
  CHECK(rows(two.path(), digests) == rows(one.path(), digests));

  // Without slices: the same work, the same numbers, no pictures.
  const sar::TemporaryFolder without;
  run_tiny(without.path(), {"--set", "output.example_slices=false"});
  for (const char* same : {"select protocol from protocol",
                           "select key from node order by key",
                           "select * from v_case_dice order by 1, 2, 3, 4, 5, 6, 7"}) {
    CHECK(rows(without.path(), same).dump() == rows(one.path(), same).dump());
  }
  for (const auto& [task, product] : evaluations(without.path())) {
    CHECK(product.at("examples").is_null());
    CHECK(product.at("dice").dump() == products.at(task).at("dice").dump());
  }
}

/// Middle of the corners of all outlines, as shares of width and height.
std::array<double, 2> middle_of(const sar::Slice& slice) {
  std::array<double, 2> sum{};
  double corners = 0;
  for (const sar::Contour& contour : slice.truth) {
    for (std::size_t i = 0; i < contour.size(); i += 2) {
      sum[0] += contour[i];
      sum[1] += contour[i + 1];
      ++corners;
    }
  }
  return {sum[0] / corners / slice.width, sum[1] / corners / slice.height};
}

TEST_CASE("slices of a real head show its left on the right, the back below, the cerebellum low",
          "[examples]") {
  if (!sar::test::have_real_scans()) {
    WARN(sar::test::kNoScans);
    return;
  }
  const sar::Volume image = sar::read_volume(sar::test::kTemplates / "ch2bet.nii.gz");
  const sar::LabelMap atlas = sar::read_label_map(sar::test::kTemplates / "aal.nii.gz");
  const auto cut = [&](int label) {
    const auto mask = sar::mask_of(atlas.voxels, {label});
    return sar::cut_slices(image, atlas.geometry, mask, std::vector<std::uint8_t>(mask.size()));
  };
  const sar::CaseSlices calcarine = cut(43);  // left, at the back: aal.nii.txt
  CHECK(middle_of(calcarine.slices[0])[0] > 0.5);
  CHECK(middle_of(calcarine.slices[0])[1] > 0.6);
  CHECK(middle_of(calcarine.slices[1])[0] > 0.5);
  CHECK(middle_of(calcarine.slices[2])[0] > 0.6);
  const sar::CaseSlices cerebellum = cut(92);  // Crus 1, right
  CHECK(middle_of(cerebellum.slices[0])[0] < 0.4);
  CHECK(middle_of(cerebellum.slices[1])[0] < 0.4);
  CHECK(middle_of(cerebellum.slices[1])[1] > 0.6);
  CHECK(middle_of(cerebellum.slices[2])[1] > 0.6);
}

}  // namespace
