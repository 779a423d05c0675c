// The gate on the real programs: a baseline is saved, then the same protocol is run again by a
// program with a fault in what it computes (tests/support/faulty_worker.cpp).

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/faulty_program.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::FaultyProgram;
using sar::test::Outcome;
using sar::test::Program;
using sar::test::sar_bench;
using Arguments = std::vector<std::string>;

const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

/// Settings under which networks take so few steps (8 an epoch) that another processor's rounding
/// does not grow: Scratch's Dice moved by less than a point between oneDNN's kernels for AMX, AVX2
/// and SSE4.1, those of Genesis by four. They mark thousands of the 32,768 voxels of each of four
/// test cases, so that whatever changes the weights changes some voxel.
Arguments few_steps(int epochs) {
  return {"phantom.brats_cases=12",
          "network.base_channels=4",
          "optimizer.learning_rate=0.01",
          "finetune.learning_rate=0.005",
          fmt::format("finetune.max_epochs={}", epochs)};
}

void append_settings(Arguments& arguments, const Arguments& settings) {
  for (const std::string& each : settings) {
    arguments.insert(arguments.end(), {"--set", each});
  }
}

/// Runs what a baseline is made of and saves it; returns the file.
fs::path save_baseline(const fs::path& folder, Arguments run, const Arguments& settings = {}) {
  run.insert(run.begin(), {"run", "table2", "--profile", kTiny, "-q"});
  append_settings(run, settings);
  const Outcome made = sar_bench(folder, run);
  INFO(made.err);
  REQUIRE(made.code == 0);
  const fs::path file = folder / "baseline.json";
  const Outcome saved = sar_bench(folder, {"baseline", "save", "-o", file.string()});
  INFO(saved.err);
  REQUIRE(saved.code == 0);
  return file;
}

Arguments check_run(const fs::path& file, const Arguments& more, const Arguments& settings = {}) {
  Arguments arguments{"baseline", "check", file.string(), "--run", "--profile", kTiny, "-q"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  append_settings(arguments, settings);
  return arguments;
}

/// Methods of the cells with a verdict.
std::set<std::string> methods_with(const Json& report, const std::string& verdict) {
  std::set<std::string> methods;
  for (const Json& cell : report.at("cells")) {
    if (cell.at("verdict") == verdict) {
      const std::string name = cell.at("cell");
      methods.insert(name.substr(0, name.find('/')));
    }
  }
  return methods;
}

TEST_CASE("a program without a fault passes, and each injected fault is caught",
          "[trains][baseline]") {
  const sar::TemporaryFolder folder;
  const Arguments settings = few_steps(2);
  const fs::path file =
      save_baseline(folder.path(), {"-m", "scratch,genesis", "-t", "brats"}, settings);
  const Outcome same = sar_bench(folder.path(), {"baseline", "check", file.string()});
  INFO(same.err);
  CHECK(same.code == 0);
  const auto verdict = [&](const std::string& fault) {
    const FaultyProgram program(folder.path(), fault);
    const Outcome outcome = program.run(check_run(file, {"--json"}, settings));
    INFO(fault << ": " << outcome.err);
    REQUIRE_FALSE(outcome.out.empty());
    const Json report = Json::parse(outcome.out);
    CHECK(report.at("exit_code") == outcome.code);
    CHECK(report.at("bit_exact") == true);
    CHECK(report.at("protocol_changed") == false);
    int failed = 0;
    for (const Json& cell : report.at("cells")) {
      failed += cell.at("verdict") == "failed" ? 1 : 0;
    }
    WARN(fmt::format("{}: exit {}, {} of {} cells differ",
                     fault,
                     outcome.code,
                     failed,
                     report.at("cells").size()));
    return std::pair(outcome.code, report);
  };
  CHECK(verdict("none").first == 0);
  const auto [rate, wrong_rate] = verdict("learning_rate");
  CHECK(rate == 1);
  CHECK(methods_with(wrong_rate, "failed") == std::set<std::string>{"genesis", "scratch"});
  const auto [transform, broken_transform] = verdict("transform");
  CHECK(transform == 1);
  CHECK(methods_with(broken_transform, "failed") == std::set<std::string>{"genesis"});
  CHECK(methods_with(broken_transform, "passed").contains("scratch"));  // it is not pre-trained
  const auto [labels, shifted_labels] = verdict("shifted_labels");
  CHECK(labels == 1);
  CHECK(methods_with(shifted_labels, "failed") == std::set<std::string>{"genesis", "scratch"});
  const auto [twice, double_rate] = verdict("double_rate");
  CHECK(twice == 1);
  CHECK(methods_with(double_rate, "failed") == std::set<std::string>{"genesis", "scratch"});
  const auto [painting, one_transform] = verdict("one_transform");
  CHECK(painting == 1);
  CHECK(methods_with(one_transform, "failed") == std::set<std::string>{"genesis"});
}

TEST_CASE("training that diverges is neither a pass nor a mere gap", "[trains][baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch", "-t", "brats"});
  const FaultyProgram program(folder.path(), "diverging");
  const Outcome outcome = program.run(check_run(file, {"--json"}));
  INFO(outcome.err);
  REQUIRE_FALSE(outcome.out.empty());
  const Json report = Json::parse(outcome.out);
  CHECK(outcome.code == 3);
  CHECK(report.at("exit_code") == 3);
  CHECK(report.at("cause") == "failed");
  CHECK_THAT(report.at("cells").at(0).at("reason").get<std::string>(), Catch::Contains("diverged"));
}

TEST_CASE("the statistical rule shows the loss that a wrong learning rate makes",
          "[trains][baseline]") {
  // Statistical. In 32 steps Scratch learns the large tumours, which the fault leaves unlearned:
  // 82 +- 4 Dice over eight trials against 18 +- 12, so p is 1.5e-6 after Holm, four orders below
  // alpha, and the same with kernels for AMX, AVX2 and SSE4.1. Both sides are all but fixed: the
  // faulty networks are the initial ones, which no processor changes, and the others took few
  // steps.
  const sar::TemporaryFolder folder;
  const Arguments cells{"-m", "scratch", "-t", "brats", "--trials", "8"};
  const fs::path file = save_baseline(folder.path(), cells, few_steps(4));
  const FaultyProgram program(folder.path(), "learning_rate");
  const Outcome outcome = program.run(check_run(file, {"--json", "--statistical"}, few_steps(4)));
  INFO(outcome.err);
  REQUIRE_FALSE(outcome.out.empty());
  const Json report = Json::parse(outcome.out);
  CHECK(outcome.code == 1);
  CHECK(report.at("exit_code") == outcome.code);
  CHECK(report.at("bit_exact") == false);
  const Json& all = report.at("cells");
  const auto large = std::ranges::find(all, "scratch/brats/tumor/L", [](const Json& cell) {
    return cell.at("cell").get<std::string>();
  });
  REQUIRE(large != all.end());
  INFO(large->dump());
  CHECK(large->at("verdict") == "failed");
  CHECK(large->at("loss") > 30);
  CHECK(large->at("p_loss_adjusted") < 1e-3);
}

TEST_CASE("a changed setting is named and nothing is run", "[baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch", "-t", "brats"});
  const Outcome outcome =
      sar_bench(folder.path(),
                check_run(file, {"--db", "new.sqlite", "--set", "finetune.learning_rate=0.0125"}));
  INFO(outcome.err);
  CHECK(outcome.code == 4);
  CHECK_THAT(outcome.out, Catch::Contains("settings.shared.finetune.learning_rate"));
  CHECK_THAT(outcome.out, Catch::Contains("-> 0.0125"));
  CHECK_FALSE(fs::exists(folder.path() / "new.sqlite"));
  // The same protocol in stored results of a changed one.
  Arguments changed{"run", "table2", "--profile", kTiny, "-q", "-m", "scratch", "-t", "brats"};
  append_settings(changed, {"evaluate.step=0.75"});
  REQUIRE(sar_bench(folder.path(), changed).code == 0);
  const Outcome newest = sar_bench(folder.path(), {"baseline", "check", file.string()});
  CHECK(newest.code == 4);
  CHECK_THAT(newest.out, Catch::Contains("settings.shared.evaluate.step: 1.0 -> 0.75"));
  const std::string key = sar::read_json(file).at("protocol").at("key");
  CHECK(sar_bench(folder.path(), {"baseline", "check", file.string(), "--protocol", key}).code ==
        0);
}

TEST_CASE("the gate says what is missing, and tells results of this program from stored ones",
          "[baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch"});
  const std::string text = sar::read_file(file);
  REQUIRE(sar_bench(folder.path(),
                    {"run",
                     "table2",
                     "--profile",
                     kTiny,
                     "-q",
                     "-m",
                     "scratch",
                     "-t",
                     "brats",
                     "--db",
                     "half.sqlite"})
              .code == 0);
  const Outcome half =
      sar_bench(folder.path(), {"baseline", "check", file.string(), "--db", "half.sqlite"});
  CHECK(half.code == 4);
  CHECK_THAT(half.out, Catch::Contains("missing trials 0: not stored"));
  CHECK(sar_bench(folder.path(),
                  {"baseline", "check", file.string(), "--db", "half.sqlite", "-t", "brats"})
            .code == 0);
  // What is stored was made by this program if it has a commit to show for itself.
  const Json dirty = Json::parse(
      sar_bench(folder.path(), {"db", "sql", "select max(dirty) from node", "--json"}).out);
  const bool clean = dirty.at("rows").at(0).at(0) == 0;
  const Outcome again = sar_bench(folder.path(), check_run(file, {"--db", "half.sqlite"}));
  INFO(again.err);
  CHECK(again.code == (clean ? 0 : 4));
  if (!clean) {
    CHECK_THAT(again.err, Catch::Contains("say nothing about it"));
  }
  CHECK(sar_bench(folder.path(), check_run(file, {"--db", "half.sqlite", "--force"})).code == 0);
  CHECK(sar::read_file(file) == text);
  // The same results give the same file.
  const Outcome saved = sar_bench(
      folder.path(), {"baseline", "save", "-o", "again.json", "--db", "half.sqlite", "-q"});
  CHECK(saved.code == 0);
  CHECK(sar::read_file(folder.path() / "again.json") == text);
}

TEST_CASE("names that no cell has and a database that is not there are refused", "[baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch", "-t", "brats"});
  const auto outcome = [&](const Arguments& more) {
    Arguments arguments{"baseline", "check", file.string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sar_bench(folder.path(), arguments);
  };
  CHECK(outcome({"-m", "scratch"}).code == 0);
  CHECK(outcome({"-m", "scratch,scrach"}).code == 2);
  CHECK_THAT(outcome({"-m", "scratch,scrach"}).err, Catch::Contains("did you mean scratch?"));
  CHECK(outcome({"-m", "scratch,genesis"}).code == 2);  // a method, but of no cell
  CHECK(outcome({"-t", "brats,pancreas"}).code == 2);
  CHECK(outcome({"--db", "absent.sqlite"}).code == 66);
  const Outcome told = outcome({"--margin", "1.5"});
  CHECK_THAT(told.out, Catch::Contains("margin 1.5 Dice points (--margin)"));
  CHECK(sar_bench(folder.path(), {"baseline", "save", "-o", "b.json", "-m", "scratch,genesis"})
            .code == 4);
}

TEST_CASE("a wider margin inside a baseline's file does not widen the gate", "[baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch", "-t", "brats"});
  Json edited = sar::read_json(file);
  edited["protocol"]["settings"]["shared"]["statistics.margin_dice_points"] = 99;
  edited["protocol"]["settings"]["shared"]["statistics.alpha"] = nullptr;
  sar::write_file_atomically(file, edited.dump());
  const Outcome outcome = sar_bench(folder.path(), {"baseline", "check", file.string(), "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(Json::parse(outcome.out).at("margin_dice_points") == 2);
  CHECK(Json::parse(outcome.out).at("alpha") == 0.05);
}

TEST_CASE("reports go to files in the forms that a pull request and a CI server read",
          "[baseline]") {
  const sar::TemporaryFolder folder;
  const fs::path file = save_baseline(folder.path(), {"-m", "scratch", "-t", "brats"});
  for (const auto& [format, beginning] : {std::pair("md", "### Baseline check passed"),
                                          std::pair("junit", "<?xml version=\"1.0\""),
                                          std::pair("json", "{"),
                                          std::pair("text", "baseline check passed")}) {
    const Outcome outcome =
        sar_bench(folder.path(),
                  {"baseline", "check", file.string(), "--format", format, "-o", "report", "-q"});
    CHECK(outcome.code == 0);
    CHECK(outcome.out.empty());
    CHECK(sar::read_file(folder.path() / "report").starts_with(beginning));
  }
}

TEST_CASE("files and flags that the gate cannot use are refused", "[baseline]") {
  const sar::TemporaryFolder folder;
  const auto code = [&](const Arguments& arguments) {
    return sar_bench(folder.path(), arguments).code;
  };
  CHECK(code({"baseline"}) == 2);
  CHECK(code({"baseline", "save"}) == 2);
  CHECK(code({"baseline", "save", "-o", "b.json"}) == 66);  // no database
  CHECK(code({"baseline", "save", "-o", "b.json", "-m", "nonsense"}) == 2);
  CHECK(code({"baseline", "save", "-o", "b.json", "-t", "nonsense"}) == 2);
  CHECK(code({"baseline", "check"}) == 2);
  CHECK(code({"baseline", "check", "absent.json"}) == 66);
  sar::write_file_atomically(folder.path() / "cut.json", "{\"schema_version\": 1, \"cel");
  CHECK(code({"baseline", "check", "cut.json"}) == 65);
  sar::write_file_atomically(folder.path() / "newer.json", "{\"schema_version\": 99}");
  const Outcome newer = sar_bench(folder.path(), {"baseline", "check", "newer.json"});
  CHECK(newer.code == 65);
  CHECK_THAT(newer.err, Catch::Contains("99"));
  CHECK(code({"baseline", "check", "newer.json", "--test", "student"}) == 2);
  CHECK(code({"baseline", "check", "newer.json", "--correction", "bh"}) == 2);
  CHECK(code({"baseline", "check", "newer.json", "--format", "latex"}) == 2);
  CHECK(code({"baseline", "check", "newer.json", "--margin", "0"}) == 2);
  CHECK(code({"baseline", "check", "newer.json", "--margin", "nan"}) == 2);
  CHECK(code({"baseline", "check", "newer.json", "--alpha", "nan"}) == 2);
  CHECK(code({"baseline", "check", folder.path().string()}) == 65);
  // what says how to run means nothing where nothing is run
  for (const char* flag : {"--profile", "--device", "--data", "--seed", "--precision", "--jobs"}) {
    CHECK(
        code(
            {"baseline", "check", "newer.json", flag, flag == std::string("--jobs") ? "1" : "x"}) ==
        2);
  }
}

}  // namespace
