#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>
#include <set>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;

const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

Json json_of(const fs::path& folder, std::vector<std::string> arguments) {
  arguments.emplace_back("--json");
  const Outcome outcome = sar_bench(folder, arguments);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out);
}

std::int64_t count(const fs::path& folder, const std::string& of) {
  return json_of(folder, {"db", "sql", "select count(*) from " + of})
      .at("rows")
      .at(0)
      .at(0)
      .get<std::int64_t>();
}

TEST_CASE("all experiments run as one, train nothing twice, and print every table",
          "[trains][all]") {
  const sar::TemporaryFolder own;
  const fs::path& folder = own.path();
  const Outcome first = sar_bench(folder, {"run", "all", "--profile", kTiny});
  INFO(first.err);
  REQUIRE(first.code == 0);

  // The plan counts what the parts share, and each planned node was run once.
  const Json plan = json_of(folder, {"plan", "all", "--profile", kTiny});
  std::int64_t planned = 0;
  for (const auto& [kind, counts] : plan.at("nodes").items()) {
    INFO(kind);
    CHECK(counts.at("done") == counts.at("planned"));
    planned += counts.at("planned").get<std::int64_t>();
  }
  CHECK(plan.at("nodes").at("pretrain").at("planned") == 11);  // every method but Scratch, once
  CHECK(plan.at("nodes").at("survey").at("planned") == 1);
  std::int64_t added = 0;
  std::map<std::string, std::int64_t> added_by;
  for (const Json& part : plan.at("parts")) {
    added_by[part.at("experiment")] = part.at("new_nodes");
    added += part.at("new_nodes").get<std::int64_t>();
    CHECK(part.at("new_nodes") <= part.at("nodes"));
  }
  CHECK(added == planned);
  CHECK(added_by.at("fig3") == 0);
  CHECK(added_by.at("proxy") == 0);
  CHECK(plan.at("nodes_before_sharing") > 2 * planned);
  CHECK_THAT(first.err,
             Catch::Contains("\n" + std::to_string(planned) + " nodes run, 0 stored before"));
  CHECK(count(folder, "v_node where state = 'done'") == planned);
  CHECK(count(folder, "v_run where state = 'done'") ==
        static_cast<std::int64_t>(plan.at("cells").size()));

  // Afterwards a part of it, and a user's own file about the same cells, have nothing to do.
  sar::write_file_atomically(
      folder / "mine.toml",
      "id = \"mine\"\ntitle = \"Mine\"\nmethods = [\"scale8\", \"genesis\"]\nreference = "
      "\"genesis\"\ntrials = 1\n[[columns]]\nlabel = \"all\"\ntask = \"brats\"\ntarget = "
      "\"tumor\"\n");
  for (const std::string experiment : {"table3", "proxy", "./mine.toml"}) {
    const Outcome again = sar_bench(folder, {"run", experiment, "--profile", kTiny});
    INFO(again.err);
    CHECK(again.code == 0);
    CHECK_THAT(again.err, Catch::Contains("\n0 nodes run,"));
  }
  CHECK_THAT(sar_bench(folder, {"show", "mine.toml"}).out, Catch::Contains("1/8"));

  // Table 1: counted and printed side by side.
  const Json table1 = json_of(folder, {"show", "table1"});
  REQUIRE(table1.at("rows").size() == 4);
  for (const Json& row : table1.at("rows")) {
    CHECK_FALSE(row.at("differences").empty());  // phantoms are few
    CHECK(row.at("printed").at("cubes").size() == 3);
  }
  const Json& brats = table1.at("rows").at(2);
  CHECK(brats.at("dataset") == "brats");
  CHECK(brats.at("measured").at("cases") == "4x4");  // two of six are test cases
  CHECK(brats.at("measured").at("cubes") == Json{32, 16, 16});

  // Published and measured numbers of one table.
  const Json both = json_of(folder, {"show", "table2", "--source", "both"});
  const Json& cell = both.at("rows").at(0).at("cells").at(3);
  CHECK(cell.at("published").at("mean") == 74.35);
  CHECK(cell.at("measured").at("n") == 1);
  CHECK_FALSE(cell.contains("mean"));

  // Table 4: the mean of organ and tumour.
  const Json table4 = json_of(folder, {"show", "table4"});
  const Json& average = table4.at("rows").at(1).at("cells").at(5);
  CHECK(average.at("target") == "average");
  CHECK(average.at("fraction") == "1/2");
  const Json parts = json_of(folder,
                             {"db",
                              "sql",
                              "select avg(dice) from v_trial_dice where method = 'sar' and task = "
                              "'pancreas' and fraction = '1/2' and target in ('organ', 'tumor')"});
  CHECK(average.at("mean").get<double>() ==
        Approx(parts.at("rows").at(0).at(0).get<double>()).epsilon(1e-12));  // double rounding
  CHECK_THAT(sar_bench(folder, {"show", "table4"}).out,
             Catch::Contains("come to the same training cases"));
  const Json explained =
      json_of(folder, {"explain", "table4/sar/pancreas/average/all/1/2"}).at("trials").at(0);
  std::set<std::string> targets;
  for (const Json& each : explained.at("cases")) {
    targets.insert(each.at("target").get<std::string>());
  }
  CHECK(targets == std::set<std::string>{"organ", "tumor"});
  CHECK(sar_bench(folder, {"explain", "fig3/sar/brats/tumor/all"}).code == 2);

  // Every part of `all`, and the proxy tasks beside guessing.
  const Json all = json_of(folder, {"show", "all"});
  CHECK(all.at("parts").size() == 6);
  std::set<std::string> proxies;
  const Json proxy = json_of(folder, {"show", "proxy"});
  for (const Json& row : proxy.at("rows")) {
    proxies.insert(row.at("method").get<std::string>() + "/" + row.at("metric").get<std::string>());
  }
  for (const char* name : {"rpl/patch_location_accuracy",
                           "jig/permutation_accuracy",
                           "rot/rotation_accuracy",
                           "cpc/contrastive_accuracy",
                           "sa/scale_accuracy",
                           "scale4/modality_accuracy"}) {
    CHECK(proxies.contains(name));
  }

  // The loss curves as files, or one format alone.
  CHECK(sar_bench(folder, {"curves", "fig3", "-o", "figures"}).code == 0);
  for (const char* name : {"fig3.csv", "fig3-trials.csv", "fig3.json", "fig3.svg", "fig3.png"}) {
    INFO(name);
    CHECK(fs::file_size(folder / "figures" / name) > 1000);
  }
  const Outcome csv = sar_bench(folder, {"curves", "fig3", "--format", "csv"});
  CHECK(csv.out == sar::read_file(folder / "figures" / "fig3.csv"));
  CHECK(sar_bench(folder, {"curves", "fig3", "-o", "one.svg"}).code == 0);
  CHECK(sar::read_file(folder / "one.svg") == sar::read_file(folder / "figures" / "fig3.svg"));
  CHECK(sar_bench(folder, {"curves", "fig3", "-o", "one.pdf"}).code == 2);
  CHECK(sar_bench(folder, {"curves", "table2"}).code == 2);
  CHECK_THAT(sar_bench(folder, {"curves", "fig3", "-o", "figures"}).out,
             Catch::Contains("within 5"));
  CHECK(sar_bench(folder, {"curves", "fig3", "--json", "-o", "figures"}).code == 2);
  CHECK(sar_bench(folder, {"show", "all", "--format", "csv"}).code == 2);

  // A newer run of one method does not hide the others, and all parts stay under one protocol.
  REQUIRE(
      sar_bench(folder,
                {"run", "proxy", "--profile", kTiny, "-m", "rot", "--set", "rot.pool_grid=1", "-q"})
          .code == 0);
  CHECK(json_of(folder, {"show", "proxy"}) == proxy);
  std::set<std::string> protocols;
  const Json again = json_of(folder, {"show", "all"});
  for (const Json& part : again.at("parts")) {
    protocols.insert(part.at("protocol").get<std::string>());
  }
  CHECK(protocols.size() == 1);

  // Cells of a user's own file are explained by its path, as the hint after its run says.
  CHECK(sar_bench(folder, {"explain", "./mine.toml/genesis/brats/tumor/all"}).code == 0);
}

TEST_CASE("a worker computes one cell and what it needs, nothing else", "[all]") {
  const sar::TemporaryFolder own;
  const fs::path& folder = own.path();
  const std::vector<std::string> next{"worker", "-e", "all", "--next", "--profile", kTiny, "-q"};
  REQUIRE(sar_bench(folder, next).code == 0);
  CHECK(count(folder, "v_run where state = 'done'") == 1);
  CHECK(count(folder, "v_node where state = 'done'") == 3);  // Scratch: prepare, train, evaluate
  // Without cells it takes the work that no cell needs, here the count of the data.
  REQUIRE(sar_bench(folder, {"worker", "-e", "table1", "--next", "--profile", kTiny, "-q"}).code ==
          0);
  CHECK(count(folder, "v_node where state = 'done' and kind = 'survey'") == 1);
}

TEST_CASE("keys that contradict each other are refused before anything is computed", "[all]") {
  const sar::TemporaryFolder own;
  for (const auto& [key, word] :
       std::map<std::string, std::string>{{"cpc.grid=5", "cpc.grid"},
                                          {"rot.pool_grid=4", "rot.pool_grid"},
                                          {"rpl.grid=2", "rpl.jitter_voxels"}}) {
    const std::string method = key.substr(0, 3);
    const Outcome outcome =
        sar_bench(own.path(), {"plan", "proxy", "--profile", kTiny, "-m", method, "--set", key});
    INFO(key << ": " << outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains(word));
  }
}

TEST_CASE("published and measured numbers keep one shape where nothing is measured", "[all]") {
  const sar::TemporaryFolder own;
  const Json table = json_of(own.path(), {"show", "table3", "--source", "both"});
  const Json& cell = table.at("rows").at(0).at("cells").at(0);
  CHECK(cell.at("published").at("mean") == 76.17);
  CHECK(cell.at("measured").at("mean").is_null());
  CHECK(json_of(own.path(), {"show", "table1", "--source", "both"}).at("rows").size() == 4);
}

TEST_CASE("published tables need neither data nor runs", "[all]") {
  const sar::TemporaryFolder folder;
  for (const char* table : {"table1", "table2", "table3", "table4"}) {
    const Outcome outcome = sar_bench(folder.path(), {"show", table, "--source", "published"});
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK_FALSE(fs::exists(folder.path() / "sar-bench.sqlite"));
  }
  const Json table = json_of(folder.path(), {"show", "table2", "--source", "published"});
  CHECK(table.at("source") == "published");
  CHECK(table.at("rows").size() == 9);
  const Outcome unknown =
      sar_bench(folder.path(), {"show", "table2", "--source", "published", "--paper", "sar2022"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Catch::Contains("sar2021"));
  CHECK(sar_bench(folder.path(), {"show", "fig3"}).code == 4);
  CHECK(sar_bench(folder.path(), {"curves"}).code == 4);
}

TEST_CASE("flags narrow every part of a collection", "[all]") {
  const sar::TemporaryFolder folder;
  const auto parts = [&](std::vector<std::string> flags) {
    std::vector<std::string> arguments{"plan", "all", "--profile", kTiny};
    arguments.insert(arguments.end(), flags.begin(), flags.end());
    std::map<std::string, int> cells;
    const Json plan = json_of(folder.path(), arguments);
    for (const Json& part : plan.at("parts")) {
      cells[part.at("experiment")] = part.at("cells");
    }
    return cells;
  };
  // Scratch has no row in Table 3 and no pre-training.
  CHECK(parts({"-m", "scratch"}) ==
        std::map<std::string, int>{{"table1", 0}, {"table2", 2}, {"table4", 10}, {"fig3", 2}});
  CHECK(parts({"-m", "scratch", "-t", "brats", "--fraction", "1/2"}) ==
        std::map<std::string, int>{{"table1", 0}, {"table4", 1}});
  CHECK(sar_bench(folder.path(), {"plan", "all", "--profile", kTiny, "-m", "sarr"}).code == 2);
}

TEST_CASE("a table is planned with its controls where the profile or the user says so", "[all]") {
  const sar::TemporaryFolder folder;
  const auto planned = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"plan", "table2", "--profile", kTiny};
    arguments.insert(arguments.end(), more.begin(), more.end());
    std::map<std::string, std::set<std::string>> tasks;  // by method
    const Json plan = json_of(folder.path(), arguments);
    for (const Json& cell : plan.at("cells")) {
      tasks[cell.at("method")].insert(cell.at("task").get<std::string>());
    }
    return tasks;
  };
  CHECK_FALSE(planned({}).contains("oracle"));
  const std::string with = "control.with_tables=true";
  const auto both = planned({"--set", with});
  CHECK(both.at("oracle") == std::set<std::string>{"brats", "pancreas"});
  CHECK(both.at("null") == both.at("oracle"));
  CHECK(planned({"--set", with, "--task", "brats"}).at("null") == std::set<std::string>{"brats"});
  CHECK_FALSE(planned({"--set", with, "-m", "sar"}).contains("null"));  // named methods are all
}

TEST_CASE("the MSD average may take the background in",
          "[trains][all][key:evaluate.average_background]") {
  const sar::TemporaryFolder own;
  const fs::path& folder = own.path();
  const auto average = [&](std::vector<std::string> more) {
    std::vector<std::string> arguments{"run",
                                       "table4",
                                       "--profile",
                                       kTiny,
                                       "-q",
                                       "-m",
                                       "scratch",
                                       "-t",
                                       "pancreas",
                                       "--fraction",
                                       "1/2"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return json_of(folder, arguments).at("rows").at(0).at("cells").at(5).at("mean").get<double>();
  };
  const double foreground = average({});
  const double with_background = average({"--set", "evaluate.average_background=true"});
  // The one evaluation stores organ and tumour, the other the background too. Nothing is said of
  // their sizes, which follow from the training.
  std::map<std::string, std::map<std::string, double>> parts;  // Dice by protocol and target
  const Json stored = json_of(
      folder,
      {"db", "sql", "select protocol, target, dice from v_trial_dice where target <> 'average'"});
  for (const Json& row : stored.at("rows")) {
    parts[row.at(0)][row.at(1)] = row.at(2);
  }
  REQUIRE(parts.size() == 2);
  const auto with = std::ranges::find_if(
      parts, [](const auto& each) { return each.second.contains("background"); });
  REQUIRE(with != parts.end());
  const double background = with->second.at("background");
  const double organ = with->second.at("organ");
  const double tumor = with->second.at("tumor");
  parts.erase(with);
  CHECK(parts.begin()->second ==
        std::map<std::string, double>{{"organ", organ}, {"tumor", tumor}});  // the same weights
  CHECK(foreground == Approx((organ + tumor) / 2).epsilon(1e-12));           // double rounding
  CHECK(with_background == Approx((background + organ + tumor) / 3).epsilon(1e-12));
  CHECK(count(folder, "v_node where kind = 'finetune'") == 1);  // only the evaluation is new
}

}  // namespace
