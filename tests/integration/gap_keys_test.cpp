// Keys of the ledger in docs/protocol.md whose effect only a run shows, on the real programs: each
// case changes a key by its name and looks for what the key promises.

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;
using Arguments = std::vector<std::string>;

const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

/// A folder with a database; runs share what their keys do not change.
struct Runs {
  sar::TemporaryFolder own;
  const fs::path& folder = own.path();

  /// Runs an experiment with `key=value` settings on top of the common ones; returns its table.
  Json run(const std::string& experiment,
           Arguments flags,
           const Arguments& settings,
           const Arguments& common = {}) const {
    Arguments arguments{"run", experiment, "--profile", kTiny, "-q", "--json"};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    for (const auto* list : {&common, &settings}) {
      for (const auto& setting : *list) {
        arguments.insert(arguments.end(), {"--set", setting});
      }
    }
    const Outcome outcome = sar_bench(folder, arguments);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out);
  }

  Json rows(const std::string& sql) const {
    const Outcome outcome = sar_bench(folder, {"db", "sql", sql, "--json"});
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return Json::parse(outcome.out).at("rows");
  }
};

// ---- cubes

/// Counts of small, medium and large cubes by data set, from Table 1.
std::map<std::string, std::vector<int>> cube_counts(const Json& table) {
  std::map<std::string, std::vector<int>> counts;
  for (const Json& row : table.at("rows")) {
    counts[row.at("dataset")] = row.at("measured").at("cubes").get<std::vector<int>>();
  }
  return counts;
}

TEST_CASE("Table 1 counts the cubes that the keys ask for",
          "[gaps][key:cubes.small_per_case][key:cubes.medium_per_case][key:cubes.large_per_case]"
          "[key:luna.cube_multiplier][key:lits.cube_multiplier][key:brats.cube_multiplier]"
          "[key:heart.cube_multiplier]") {
  const Runs runs;
  using Counts = std::map<std::string, std::vector<int>>;
  // One case of each set but BraTS: four training cases of four channels. LiTS and heart count
  // twice.
  CHECK(cube_counts(runs.run("table1", {}, {})) == Counts{{"luna", {2, 1, 1}},
                                                          {"lits", {4, 2, 2}},
                                                          {"brats", {32, 16, 16}},
                                                          {"heart", {4, 2, 2}}});
  CHECK(cube_counts(runs.run("table1",
                             {},
                             {"cubes.small_per_case=1",
                              "cubes.medium_per_case=2",
                              "cubes.large_per_case=0",
                              "luna.cube_multiplier=3",
                              "lits.cube_multiplier=1",
                              "brats.cube_multiplier=2",
                              "heart.cube_multiplier=5"})) == Counts{{"luna", {3, 6, 0}},
                                                                     {"lits", {1, 2, 0}},
                                                                     {"brats", {32, 64, 0}},
                                                                     {"heart", {5, 10, 0}}});
}

/// Scales of the cubes on LUNA that a run has added to the work folder, with the sizes of the boxes
/// that they were cut from.
struct CutCubes {
  std::map<std::string, int> counts;
  std::set<std::vector<int>> sizes;
};
CutCubes cut_cubes(const Runs& runs, std::set<fs::path>& seen) {
  CutCubes found;
  for (const auto& entry : fs::recursive_directory_iterator(runs.folder)) {
    if (!entry.path().string().ends_with(".cubes.json") || !seen.insert(entry.path()).second) {
      continue;
    }
    const Json index = sar::read_json(entry.path());
    for (const Json& cube : index.at("cubes")) {
      if (cube.at("dataset") == "luna") {
        ++found.counts[cube.at("scale").get<std::string>()];
        found.sizes.insert(cube.at("size").get<std::vector<int>>());
      }
    }
  }
  return found;
}

TEST_CASE("single-scale and native rows are pre-trained on the cubes that their keys name",
          "[gaps][key:ablation.count][key:genesis.cube_source][key:mial.cube_source]") {
  const Runs runs;
  std::set<fs::path> seen;
  const auto cubes_of = [&](const std::string& method, const Arguments& settings) {
    runs.run("proxy", {"-m", method}, settings, {"pretrain.max_epochs=1"});
    return cut_cubes(runs, seen);
  };
  using Counts = std::map<std::string, int>;
  CHECK(cubes_of("scale4", {}).counts == Counts{{"medium", 4}});  // 2 + 1 + 1 of all scales
  CHECK(cubes_of("scale4", {"ablation.count=as_scale"}).counts == Counts{{"medium", 1}});
  CHECK(cubes_of("genesis", {}).counts == Counts{{"small", 2}, {"medium", 1}, {"large", 1}});
  CHECK(cubes_of("mial", {}).counts.empty());  // those of Genesis
  const CutCubes native = cubes_of("genesis", {"genesis.cube_source=native"});
  CHECK(native.counts == Counts{{"native", 4}});
  CHECK(native.sizes == std::set<std::vector<int>>{{16, 16, 16}});      // as the network's input
  CHECK(cubes_of("mial", {"mial.cube_source=native"}).counts.empty());  // the same native ones
  CHECK(runs.rows("select count(*) from v_node where kind = 'pretrain' and state = 'done'") ==
        Json{{6}});
}

// ---- pre-training

TEST_CASE("another initialisation seed repeats the pre-training alone",
          "[gaps][key:pretrain.initialisation_seed]") {
  const Runs runs;
  const auto curve = [&](int seed) {
    const std::string setting = "pretrain.initialisation_seed=" + std::to_string(seed);
    const std::string protocol = runs.run("proxy", {"-m", "genesis"}, {setting}).at("protocol");
    return runs.rows(
        "select step, split, loss from v_loss where stage = 'pretrain' and protocol = '" +
        protocol + "' order by 1, 2");
  };
  const Json zero = curve(0);
  const Json one = curve(1);
  REQUIRE(zero.size() > 3);
  CHECK(one.size() == zero.size());
  CHECK(one != zero);
  CHECK(runs.rows("select kind, count(*) from v_node group by kind order by kind") ==
        Json::parse(R"([["cubes",4],["pretrain",2]])"));
}

// ---- evaluation

/// Cases of BraTS under a protocol, by id.
struct Case {
  std::string bucket;
  double volume_mm3 = 0;
  double true_voxels = 0;
  double dice = 0;
};
std::map<std::string, Case> cases_of(const Runs& runs, const std::string& protocol) {
  std::map<std::string, Case> cases;
  for (const Json& row : runs.rows(
           "select d.case_id, d.bucket, d.volume_mm3, d.voxels_true, d.dice from case_dice d "
           "join cell c on c.evaluate_node = d.node where d.target = 'tumor' and c.protocol = '" +
           protocol + "'")) {
    cases[row.at(0)] = {row.at(1), row.at(2), row.at(3), row.at(4)};
  }
  return cases;
}

/// Cases in each bucket.
std::map<std::string, int> sizes_of(const std::map<std::string, Case>& cases) {
  std::map<std::string, int> sizes;
  for (const auto& [id, each] : cases) {
    ++sizes[each.bucket];
  }
  return sizes;
}

TEST_CASE("buckets, grid and empty masks follow their keys without new training",
          "[gaps][key:buckets.rule][key:buckets.thresholds_mm3][key:buckets.source]"
          "[trains][key:evaluate.grid][key:evaluate.empty_dice_percent]") {
  const Runs runs;
  // 21 patients: 14 to train on and 7 to test on. Phantom scans have 1 mm, the task 2 mm.
  const Arguments common{"phantom.brats_cases=21", "finetune.spacing_mm=[2,2,2]"};
  const auto evaluated = [&](const Arguments& settings) {
    const Json table = runs.run("table2", {"-m", "scratch", "-t", "brats"}, settings, common);
    return cases_of(runs, table.at("protocol"));
  };
  using Sizes = std::map<std::string, int>;
  const auto quarters = evaluated({});
  REQUIRE(quarters.size() == 7);
  CHECK(sizes_of(quarters) == Sizes{{"S", 1}, {"M", 5}, {"L", 1}});
  CHECK(sizes_of(evaluated({"buckets.rule=tertile"})) == Sizes{{"S", 2}, {"M", 3}, {"L", 2}});

  std::vector<double> volumes;
  for (const auto& [id, each] : quarters) {
    volumes.push_back(each.volume_mm3);
  }
  std::ranges::sort(volumes);
  const auto fixed = evaluated(
      {"buckets.rule=thresholds",
       fmt::format("buckets.thresholds_mm3=[{:.1f},{:.1f}]", volumes[3], volumes[3] + 0.5)});
  for (const auto& [id, each] : fixed) {
    CHECK(each.bucket == (each.volume_mm3 < volumes[3]   ? "S"
                          : each.volume_mm3 > volumes[3] ? "L"
                                                         : "M"));
  }

  // Edges of the training cases: the third smallest and third largest of their 14 volumes, which
  // the preparation has counted.
  const auto ranked = evaluated({"buckets.source=train"});
  const Json prepared = runs.rows("select path from node where kind = 'prepare'");
  REQUIRE(prepared.size() == 1);
  std::vector<double> training;
  const Json summary = sar::read_json(prepared.at(0).at(0).get<std::string>());
  for (const Json& each : summary.at("cases")) {
    if (!quarters.contains(each.at("id").get<std::string>())) {
      training.push_back(each.at("native_voxels_by_label").at("1").get<double>() *
                         each.at("voxel_volume_mm3").get<double>());
    }
  }
  REQUIRE(training.size() == 14);
  std::ranges::sort(training);
  for (const auto& [id, each] : ranked) {
    INFO(id << ", " << each.volume_mm3 << " mm3");
    CHECK(each.bucket == (each.volume_mm3 <= training[2]    ? "S"
                          : each.volume_mm3 >= training[11] ? "L"
                                                            : "M"));
  }

  // On the scan's grid a true voxel has 1 mm3. On the task's it has about 8: a side is a whole
  // share of at least 23 voxels, so at most a 24th off 2 mm.
  const auto resampled = evaluated({"evaluate.grid=resampled"});
  for (const auto& [id, each] : resampled) {
    INFO(id);
    CHECK(quarters.at(id).true_voxels == quarters.at(id).volume_mm3);
    if (each.true_voxels > 0) {
      CHECK(each.volume_mm3 / each.true_voxels == Approx(8).epsilon(0.13));
    }
  }
  CHECK(resampled.size() == 7);

  // No voxel is more probable than 1, and no label is 200: both masks are empty.
  for (const double dice : {100.0, 30.0}) {
    const auto empty = evaluated({"brats.labels=[200]",
                                  "evaluate.threshold=1.0",
                                  fmt::format("evaluate.empty_dice_percent={:.1f}", dice)});
    for (const auto& [id, each] : empty) {
      CHECK(each.volume_mm3 == 0);
      CHECK(each.dice == dice);
    }
  }
  // Trained once for the scans' labels and once without any; evaluated each time.
  CHECK(runs.rows("select kind, count(*) from v_node where kind in ('finetune', 'evaluate') group "
                  "by kind order by kind") == Json::parse(R"([["evaluate",7],["finetune",2]])"));
}

TEST_CASE("the average over targets takes the background in if asked for",
          "[trains][gaps][key:evaluate.average_background]") {
  const Runs runs;
  for (const bool background : {false, true}) {
    const Json table = runs.run("table2",
                                {"-m", "scratch", "-t", "pancreas"},
                                {fmt::format("evaluate.average_background={}", background)});
    std::map<std::string, double> dice;
    for (const Json& row :
         runs.rows("select target, dice from v_trial_dice where bucket = 'all' and protocol = '" +
                   table.at("protocol").get<std::string>() + "'")) {
      dice[row.at(0)] = row.at(1);
    }
    REQUIRE(dice.contains("background") == background);
    double sum = dice.at("organ") + dice.at("tumor");
    sum += background ? dice.at("background") : 0;
    CHECK(dice.at("average") ==
          Approx(sum / (background ? 3 : 2)).epsilon(1e-12));  // double rounding
  }
}

// ---- statistics

/// Cells of a table that hold a number under `name`, by method, task, target and bucket.
std::map<std::string, double> cells_of(const Json& table, const std::string& name) {
  std::map<std::string, double> values;
  for (const Json& row : table.at("rows")) {
    for (const Json& cell : row.at("cells")) {
      if (cell.contains(name) && cell.at(name).is_number()) {
        values[row.at("method").get<std::string>() + "/" + cell.at("task").get<std::string>() +
               "/" + cell.at("target").get<std::string>() + "/" +
               cell.at("bucket").get<std::string>()] = cell.at(name);
      }
    }
  }
  return values;
}

TEST_CASE("tables use the test, correction, level and spread of the protocol",
          "[gaps][key:statistics.test][key:statistics.correction][key:statistics.alpha]"
          "[trains][key:statistics.delta_degrees_of_freedom]") {
  const Runs runs;
  // So few steps that the networks are near the initial ones, which are the same on every
  // processor: they mark thousands of the 32,768 voxels of each test case, other ones in each
  // trial, so that no cell is without spread.
  const Arguments common{"phantom.brats_cases=12",
                         "network.base_channels=4",
                         "pretrain.max_epochs=1",
                         "optimizer.learning_rate=0.01",
                         "finetune.learning_rate=0.005",
                         "finetune.max_epochs=2"};
  const auto table = [&](const Arguments& settings) {
    return runs.run(
        "table2", {"-m", "scratch,genesis,sar", "-t", "brats", "--trials", "3"}, settings, common);
  };
  const Json plain = table({});
  CHECK(plain.at("test") == "student");
  const auto stored = [&](const Json& shown, const std::string& test, const std::string& column) {
    std::map<std::string, double> values;
    for (const Json& row : runs.rows("select method, task, target, bucket, " + column +
                                     " from v_ttest where test = '" + test + "' and protocol = '" +
                                     shown.at("protocol").get<std::string>() + "'")) {
      values[row.at(0).get<std::string>() + "/" + row.at(1).get<std::string>() + "/" +
             row.at(2).get<std::string>() + "/" + row.at(3).get<std::string>()] = row.at(4);
    }
    return values;
  };
  const auto p = cells_of(plain, "p_vs_sar");
  REQUIRE(p.size() == 2 * 4);  // two methods against SAR, three buckets and all
  CHECK(p == stored(plain, "student", "p"));

  const Json welch = table({"statistics.test=welch"});
  CHECK(welch.at("test") == "welch");
  CHECK(cells_of(welch, "p_vs_sar") == stored(welch, "welch", "p"));
  CHECK(cells_of(welch, "p_vs_sar") != p);

  // Holm: the least p is multiplied by the number of tests.
  const Json holm = table({"statistics.correction=holm"});
  const auto least = [](const std::map<std::string, double>& values) {
    return std::ranges::min_element(values, {}, [](const auto& each) { return each.second; })
        ->second;
  };
  CHECK(cells_of(plain, "p_adjusted") == p);
  CHECK(least(cells_of(holm, "p_adjusted")) ==
        Approx(std::min(1.0, 8 * least(p))).epsilon(1e-12));  // one product

  // The level decides the marks: at a level of almost 1 every cell with a test has one.
  const auto marks = [&](const std::string& alpha) {
    const Json shown = table({"statistics.alpha=" + alpha});
    CHECK(shown.at("alpha") == std::stod(alpha));
    const Outcome text = sar_bench(
        runs.folder, {"show", "table2", "--protocol", shown.at("protocol").get<std::string>()});
    REQUIRE(text.code == 0);
    return text.out.find("no cell does") == std::string::npos;
  };
  CHECK(marks("0.999999"));
  CHECK_FALSE(marks("1e-12"));

  // Printed spread: n instead of n - 1; tests and the database stay.
  const Json population = table({"statistics.delta_degrees_of_freedom=0"});
  const auto narrow = cells_of(population, "sd");
  const auto usual = cells_of(plain, "sd");
  REQUIRE(usual.size() == 3 * 4);
  REQUIRE(narrow.size() == usual.size());
  for (const auto& [cell, sd] : usual) {
    CHECK(narrow.at(cell) == Approx(sd * std::sqrt(2.0 / 3)).epsilon(1e-12));  // three trials
  }
  CHECK(cells_of(population, "p_vs_sar") == p);
  CHECK(
      runs.rows("select distinct sd from v_cell where bucket = 'all' and method = 'sar'").size() ==
      1);
}

// ---- configuration

TEST_CASE("the configuration shows every key with its value, meaning and origin", "[gaps]") {
  const sar::TemporaryFolder folder;
  sar::write_file_atomically(folder.path() / "mine.toml", "seed = 5\n");
  const Arguments sources{"--profile", kTiny, "-c", "mine.toml", "--set", "evaluate.step=0.25"};
  const auto shown = [&](Arguments arguments) {
    arguments.insert(arguments.end(), sources.begin(), sources.end());
    const Outcome outcome = sar_bench(folder.path(), arguments);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return outcome.out;
  };
  const Json keys = Json::parse(shown({"config", "show", "--json"})).at("keys");
  const std::string text = shown({"config", "show"});
  CHECK(keys.size() > 150);
  CHECK(std::ranges::count(text, '\n') == static_cast<std::ptrdiff_t>(keys.size()));
  for (const auto& [name, key] : keys.items()) {
    INFO(name);
    const auto at = text.find("\n" + name + " ");
    const bool first = text.starts_with(name + " ");
    REQUIRE((first || at != std::string::npos));
    const std::string line = text.substr(first ? 0 : at + 1, text.find('\n', at + 1) - at - 1);
    CHECK_FALSE(key.at("meaning").get<std::string>().empty());
    CHECK_THAT(line, Catch::Contains(key.at("value").dump()));
    CHECK_THAT(line, Catch::Contains(key.at("meaning").get<std::string>()));
    CHECK_THAT(line, Catch::Contains("[" + key.at("origin").get<std::string>() + "]"));
  }
  const auto is = [&](const std::string& name, const Json& value, const std::string& origin) {
    CHECK(keys.at(name).at("value") == value);
    CHECK_THAT(keys.at(name).at("origin").get<std::string>(), Catch::StartsWith(origin));
  };
  is("evaluate.gaussian", true, "built-in");
  is("network.base_channels", 2, "profile");
  is("evaluate.step", 0.25, "--set");
  CHECK(keys.at("seed").at("value") == 5);
  CHECK_THAT(keys.at("seed").at("origin").get<std::string>(), Catch::Contains("mine.toml"));
}

}  // namespace
