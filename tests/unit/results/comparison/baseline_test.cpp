#include "results/comparison/baseline.h"

#include "harness/core/files.h"
#include "harness/core/rng.h"
#include "results/comparison/baseline_document.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

namespace sar::baseline_test {
namespace fs = std::filesystem;

Environment environment(const std::string& machine = "Processor 1, glibc 2.36") {
  return {{"device", {"cpu"}},
          {"machine", {machine}},
          {"threads", {"1"}},
          {"torch", {"1.13.0"}},
          {"itk", {"5.2.1"}},
          {"determinism", {"bit-exact"}},
          {"commit", {"abc123"}}};
}

/// The fields among those of the same environment that two do not share.
std::vector<std::string> unlike(const Environment& a, const Environment& b) {
  Baseline base;
  base.environment = a;
  Baseline now;
  now.environment = b;
  return check_baseline(base, now, {}).environment_differences;
}

FrozenCell cell(const std::string& name, const std::vector<double>& dice) {
  FrozenCell result;
  result.path = parse_cell_path("any/" + name);
  result.path.table.clear();
  for (std::size_t i = 0; i < dice.size(); ++i) {
    result.trials.push_back(
        {static_cast<int>(i), 1000 + i, 6, dice[i], fmt::format("{:016x}", i + 1), {}});
  }
  return result;
}

Baseline baseline(std::vector<FrozenCell> cells) {
  Baseline result;
  result.protocol = test::protocol_row("p1");
  result.protocol.settings = {{"shared", {{"finetune.learning_rate", 0.001}, {"seed", 0}}},
                              {"methods", {{"sar", {{"sa.weight", 1}}}}},
                              {"numerics", {{"numerics_version", 1}}}};
  result.environment = environment();
  result.cells = std::move(cells);
  return result;
}

/// The same results, made elsewhere.
Baseline elsewhere(std::vector<FrozenCell> cells) {
  Baseline result = baseline(std::move(cells));
  result.environment = environment("Processor 2, glibc 2.36");
  return result;
}

/// Stored results with a known environment.
void put_cell(Store& store, const CellRow& row, const std::vector<StoredCaseDice>& dice) {
  test::put_done_cell(store, row, dice);
  for (const std::string& key : {row.pretrain_node, row.finetune_node, row.evaluate_node}) {
    if (auto node = store.node(key)) {
      node->machine = "Processor 1, glibc 2.36";
      node->itk = "5.2.1";
      node->torch = "1.13.0";
      node->determinism = "bit-exact";
      store.put_node(*node);
    }
  }
}

const auto kEverything = [](const CellPath&) { return true; };

// --- freezing and the file ----------------------------------------------------------------------

TEST_CASE("frozen cells hold every stored trial with its seed, cases and environment") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("p1"));
  for (int trial = 0; trial < 2; ++trial) {
    put_cell(store,
             test::cell_row("p1", "sar", "brats", trial),
             test::brats_cases(60 + trial + 1.0 / 3));
    put_cell(store,
             test::cell_row("p1", "sar", "pancreas", trial),
             test::pancreas_cases(70, 50 + trial));
  }
  const Baseline frozen = freeze(store, test::protocol_row("p1"), kEverything);
  std::vector<std::string> names;
  for (const FrozenCell& each : frozen.cells) {
    names.push_back(each.name());
  }
  CHECK(names == std::vector<std::string>{"sar/brats/tumor/L",
                                          "sar/brats/tumor/M",
                                          "sar/brats/tumor/S",
                                          "sar/brats/tumor/all",
                                          "sar/pancreas/average/all",
                                          "sar/pancreas/organ/all",
                                          "sar/pancreas/tumor/all"});
  const FrozenCell& all = frozen.cells[3];
  REQUIRE(all.trials.size() == 2);
  CHECK(all.trials[1].seed == 1001);
  CHECK(all.trials[1].cases == 6);
  CHECK(all.trials[1].dice == store.trial_dice("p1").at(7).dice);
  CHECK(unlike(frozen.environment, environment()).empty());
  CHECK(values_of(frozen.environment, "determinism") == std::vector<std::string>{"bit-exact"});
  CHECK(frozen.unfinished.empty());
}

TEST_CASE("the digest of cases tells results apart whose mean is the same") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  const CellRow row = test::cell_row("p1", "scratch", "pancreas", 0);
  store.put_protocol(test::protocol_row("p1"));
  put_cell(store, row, test::pancreas_cases(70, 50));
  const Baseline before = freeze(store, test::protocol_row("p1"), kEverything);
  std::vector<StoredCaseDice> swapped = test::pancreas_cases(70, 50);
  std::swap(swapped[0].dice, swapped[2].dice);  // the organ of the two cases
  put_cell(store, row, swapped);
  const Baseline after = freeze(store, test::protocol_row("p1"), kEverything);
  REQUIRE(before.cells.size() == 3);
  for (std::size_t i = 0; i < 3; ++i) {
    CHECK(before.cells[i].trials[0].dice == after.cells[i].trials[0].dice);
    const bool concerned = before.cells[i].path.target != "tumor";  // organ, and the average
    CHECK((before.cells[i].trials[0].digest != after.cells[i].trials[0].digest) == concerned);
  }
  const GateReport report = check_baseline(before, after, {});
  CHECK(report.exit_code() == ExitCode::gate_failed);
  CHECK(report.count(GateVerdict::failed) == 2);
  CHECK(report.cells[1].reason ==
        "trial 0: the mean is the same, but single cases have other results");
}

TEST_CASE("results of several makers are not a single environment, nor are those of unknown ones") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("p1"));
  put_cell(store, test::cell_row("p1", "scratch", "brats", 0), test::brats_cases(60));
  const CellRow other = test::cell_row("p1", "scratch", "brats", 1);
  put_cell(store, other, test::brats_cases(61));
  NodeRow node = *store.node(other.finetune_node);
  node.machine = "Processor 2, glibc 2.36";
  node.determinism = "not promised by CUDA kernels";
  store.put_node(node);
  const Environment mixed = freeze(store, test::protocol_row("p1"), kEverything).environment;
  CHECK(mixed.at("machine").size() == 2);
  CHECK(unlike(mixed, mixed) == std::vector<std::string>{"machine"});
  CHECK(values_of(mixed, "determinism").size() == 2);
  node.machine.clear();
  store.put_node(node);
  Environment unknown = freeze(store, test::protocol_row("p1"), kEverything).environment;
  CHECK(unlike(unknown, unknown) == std::vector<std::string>{"machine"});
  unknown["machine"] = {"unknown"};
  CHECK(unlike(unknown, unknown) == std::vector<std::string>{"machine"});
  CHECK(unlike({}, {}).size() == 5);
}

TEST_CASE("the environment follows a result back to the data that it was made of") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("p1"));
  const CellRow row = test::cell_row("p1", "sar", "brats", 0);
  put_cell(store, row, test::brats_cases(60));
  NodeRow cubes = test::node_row("cubes-1", "cubes", NodeState::done);
  cubes.machine = "Processor 3, glibc 2.36";
  store.put_node(cubes);
  NodeRow pretrain = *store.node(row.pretrain_node);
  pretrain.inputs["cubes"] = {"cubes-1"};
  store.put_node(pretrain);
  const Environment found = freeze(store, test::protocol_row("p1"), kEverything).environment;
  CHECK(found.at("machine") ==
        std::vector<std::string>{"Processor 1, glibc 2.36", "Processor 3, glibc 2.36"});
}

TEST_CASE("a baseline reads back to the same bits, and writes the same text again") {
  Baseline saved = baseline({cell("sar/brats/tumor/L", {100.0 / 3, 0.1 + 0.2, 5e-324}),
                             cell("sar/pancreas/organ/all/1/10", {61.5})});
  saved.experiments = {"table2", "table4"};
  saved.environment["machine"] = {"a", "b"};
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "baseline.json";
  write_file_atomically(file, baseline_text(saved));
  const Baseline read = read_baseline(file);
  CHECK(baseline_text(read) == baseline_text(saved));
  CHECK(read.cells[0].trials == saved.cells[0].trials);
  CHECK(read.cells[1].path.fraction == "1/10");
  CHECK(read.protocol.settings == saved.protocol.settings);
  CHECK(read.protocol.manifest == saved.protocol.manifest);
  CHECK(read.experiments == saved.experiments);
  CHECK(read.environment == saved.environment);
}

TEST_CASE("a change of one trial is a change of one line") {
  const auto lines = [](const std::string& text) {
    std::vector<std::string> list(1);
    for (const char each : text) {
      each == '\n' ? list.emplace_back() : list.back() += each;
    }
    return list;
  };
  const auto before = lines(baseline_text(baseline({cell("sar/brats/tumor/L", {60, 61, 62})})));
  const auto after = lines(baseline_text(baseline({cell("sar/brats/tumor/L", {60, 61.5, 62})})));
  REQUIRE(before.size() == after.size());
  int different = 0;
  for (std::size_t i = 0; i < before.size(); ++i) {
    different += before[i] == after[i] ? 0 : 1;
  }
  CHECK(different == 1);
}

ExitCode code_of_reading(const fs::path& file, const std::string& text, std::string& what) {
  write_file_atomically(file, text);
  try {
    static_cast<void>(read_baseline(file));
  } catch (const Error& error) {
    what = error.what();
    return error.code();
  }
  return ExitCode::ok;
}

TEST_CASE("a file that is not a baseline is refused with its name and the reason") {
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "baseline.json";
  const std::string good = baseline_text(baseline({cell("sar/brats/tumor/L", {60, 61, 62})}));
  std::string what;
  CHECK(code_of_reading(file, good, what) == ExitCode::ok);
  for (std::size_t length = 0; length + 2 < good.size(); length += 7) {  // truncated anywhere
    INFO(length);
    CHECK(code_of_reading(file, good.substr(0, length), what) == ExitCode::data_invalid);
    CHECK(what.find(file.string()) != std::string::npos);
  }
  const auto changed = [&](const std::string& from, const std::string& to) {
    std::string text = good;
    const auto place = text.find(from);
    REQUIRE(place != std::string::npos);
    return text.replace(place, from.size(), to);
  };
  const std::vector<std::pair<std::string, std::string>> faults{
      {"[1, 2]", "schema_version"},
      {"{}", "schema_version"},
      {changed("\"schema_version\": 1", "\"schema_version\": 2"), "schema_version"},
      {changed("\"cells\"", "\"sells\""), "cells"},
      {changed("sar/brats/tumor/L", "sar/brats"), "TASK/TARGET"},
      {changed("\"dice\":61.0", "\"dice\":161.0"), "out of range"},
      {changed("\"dice\":61.0", "\"dice\":\"61\""), "number"},
      {changed("\"dice\":61.0", "\"dice\":true"), "number"},
      {changed("\"dice\":61.0", "\"dice\":1e999"), "overflow"},
      {changed("\"dice\":61.0", "\"dice\":NaN"), "parse error"},
      {changed("\"trial\":1", "\"trial\":1.5"), "whole number"},
      {changed("\"trial\":1", "\"trial\":true"), "whole number"},
      {changed("\"trial\":1", "\"trial\":-1"), "out of range"},
      {changed("\"trial\":1", "\"trial\":4294967296"), "out of range"},
      {changed("\"trial\":1", "\"trial\":2147483647"), "out of range"},
      {changed("\"n_cases\":6", "\"n_cases\":6.9"), "whole number"},
      {changed("\"n_cases\":6", "\"n_cases\":4294967302"), "out of range"},
      {changed("\"seed\":1001", "\"seed\":-1"), "out of range"},
      {changed("\"seed\":1001", "\"seed\":1e300"), "whole number"},
      {changed("\"environment\": {", "\"environment\": null, \"x\": {"), "environment"},
      {changed("\"environment\": {", "\"environment\": \"y\", \"x\": {"), "environment"},
      {changed("\"environment\": {", "\"environment\": [], \"x\": {"), "environment"},
      {changed("\"environment\": {", "\"environment\": {}, \"x\": {"), "lacks a field"},
      {changed("\"determinism\"", "\"determination\""), "determinism"},
      {changed("\"settings\": {", "\"settings\": \"y\", \"x\": {"), "settings"},
      {changed("\"shared\": {", "\"shared\": 3, \"x\": {"), "shared"},
      {changed("\"manifest\": {", "\"manifest\": null, \"x\": {"), "manifest"},
      {changed("\"data_kind\": \"phantom\"", "\"data_kind\": \"unreal\""), "data_kind"},
      {changed("\"schema_version\": 1", "\"schema_version\": 1, \"schema_version\": 1"), "twice"},
      {changed("\"dice\":61.0", "\"dice\":61.0,\"dice\":1"), "twice"},
      {changed("\"cells\": [", "\"cells\": [], \"cells\": ["), "twice"},
      {changed("\"trial\":1", "\"trial\":0"), "twice"},
      {changed("\"n_cases\":6", "\"n_cases\":0"), "out of range"},
      {changed("\"environment\": {", "\"environment\": {\"extra\": 3,"), "array"},
      {baseline_text(baseline({})), "no cell"},
      {baseline_text(baseline({cell("sar/brats/tumor/L", {})})), "no trial"},
      {baseline_text(baseline({cell("sar/brats/tumor/L", {60}), cell("sar/brats/tumor/L", {60})})),
       "twice"}};
  for (const auto& [text, reason] : faults) {
    what.clear();
    CHECK(code_of_reading(file, text, what) == ExitCode::data_invalid);
    CHECK_THAT(what, Catch::Contains(reason) && Catch::Contains(file.string()));
  }
  try {
    static_cast<void>(read_baseline(folder.path()));
    FAIL("a folder was read");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data_invalid);
  }
  fs::remove(file);
  try {
    static_cast<void>(read_baseline(file));
    FAIL("an absent file was read");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data_not_found);
  }
}

// --- the protocol -------------------------------------------------------------------------------

TEST_CASE("a changed protocol is named field by field and not compared") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  Baseline now = base;
  now.protocol.protocol = "p2";
  now.protocol.settings["shared"]["finetune.learning_rate"] = 0.01;
  now.protocol.settings["shared"].erase("seed");
  now.protocol.settings["methods"]["sar"]["sa.steps"] = 3;
  now.protocol.settings["numerics"]["numerics_version"] = 2;
  now.protocol.manifest["brats"] = {1, 2};
  now.cells[0].trials[0].dice = 10;  // would be a regression
  const GateReport report = check_baseline(base, now, {});
  CHECK(report.exit_code() == ExitCode::results_missing);
  CHECK(report.cause() == "protocol");
  std::vector<std::string> changes;
  for (const FieldDifference& each : report.changes) {
    changes.push_back(each.field + ": " + each.from + " -> " + each.to);
  }
  CHECK(changes == std::vector<std::string>{"manifest.brats: 12 -> [1,2]",
                                            "settings.methods.sar.sa.steps: absent -> 3",
                                            "settings.numerics.numerics_version: 1 -> 2",
                                            "settings.shared.finetune.learning_rate: 0.001 -> 0.01",
                                            "settings.shared.seed: 0 -> absent"});
  for (const std::string format : {"text", "md", "json", "junit"}) {
    const std::string text = written(document_of(report), format);
    CHECK_THAT(text, Catch::Contains("learning"));
    CHECK_THAT(text, Catch::Contains("0.001"));
  }
}

TEST_CASE("protocols that differ in nothing stored are still not compared, and that is said") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  Baseline now = base;
  now.protocol.protocol = "p2";
  const GateReport report = check_baseline(base, now, {});
  CHECK(report.exit_code() == ExitCode::results_missing);
  CHECK(report.changes.empty());
  CHECK_THAT(written(document_of(report), "text"), Catch::Contains("No stored field differs"));
}

TEST_CASE("a baseline that calls phantoms real data is not compared with them") {
  const Baseline now = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  Baseline base = now;
  base.protocol.data_kind = "real";
  const GateReport report = check_baseline(base, now, {});
  CHECK(report.exit_code() == ExitCode::results_missing);
  CHECK(report.cause() == "protocol");
  REQUIRE(report.changes.size() == 1);
  CHECK(report.changes[0].field == "data_kind");
}

// --- bit-exact ----------------------------------------------------------------------------------

TEST_CASE("in the same environment equal bits pass and any other bit fails") {
  const Baseline base =
      baseline({cell("sar/brats/tumor/L", {60, 61}), cell("sar/brats/tumor/S", {30, 31})});
  CHECK(check_baseline(base, base, {}).exit_code() == ExitCode::ok);
  CHECK(check_baseline(base, base, {}).bit_exact);
  for (const std::string what : {"Dice", "cases", "number of cases", "seed"}) {
    Baseline now = base;
    FrozenTrial& trial = now.cells[1].trials[1];
    if (what == "Dice") {
      trial.dice = std::nextafter(trial.dice, 100);  // better, by the smallest amount there is
    } else if (what == "cases") {
      trial.digest = "0123456789abcdef";
    } else if (what == "number of cases") {
      ++trial.cases;
    } else {
      ++trial.seed;
    }
    const GateReport report = check_baseline(base, now, {});
    CHECK(report.exit_code() == ExitCode::gate_failed);
    CHECK(report.cells[0].verdict == GateVerdict::passed);
    CHECK(report.cells[1].verdict == GateVerdict::failed);
    REQUIRE(report.cells[1].changes.size() == 1);
    CHECK(report.cells[1].changes[0].trial == 1);
    CHECK(report.cells[1].changes[0].what == what);
    CHECK_THAT(written(document_of(report), "text"), Catch::Contains("kNumericsVersion"));
  }
}

TEST_CASE("a difference is stated with its size") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61})});
  const Baseline now = baseline({cell("sar/brats/tumor/L", {60, 60.5})});
  CHECK(check_baseline(base, now, {}).cells[0].reason == "trial 1: 61 became 60.5 (-0.5)");
}

TEST_CASE("each field of the environment can end the promise of equal bits") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  for (const std::string field : {"device", "machine", "threads", "torch", "itk", "commit"}) {
    Baseline now = baseline({cell("sar/brats/tumor/L", {60, 61, 62.01})});
    now.environment[field] = {"another"};
    const GateReport report = check_baseline(base, now, {});
    INFO(field);
    CHECK(report.bit_exact == (field == "commit"));
    CHECK(report.environment_differences.empty() == (field == "commit"));
  }
}

TEST_CASE("a program that no longer promises equal bits fails, and determinism is named") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  for (const bool equal : {true, false}) {
    Baseline now = base;
    now.cells[0].trials[0].dice = equal ? 60 : 60.01;
    now.environment["determinism"] = {"not promised by this build"};
    const GateReport report = check_baseline(base, now, {});
    CHECK(report.exit_code() == ExitCode::gate_failed);
    CHECK(report.determinism_lost);
    CHECK_THAT(report.cells[0].reason,
               Catch::Contains("determinism was bit-exact and is now not promised by this build"));
    now.environment["determinism"].clear();
    CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::gate_failed);
    // On another machine nothing was promised, and the other way round nothing is lost.
    now.environment["machine"] = {"Processor 2, glibc 2.36"};
    CHECK_FALSE(check_baseline(base, now, {}).determinism_lost);
    now = base;
    Baseline loose = base;
    loose.environment["determinism"] = {"not promised by this build"};
    CHECK(check_baseline(loose, now, {}).exit_code() == ExitCode::ok);
  }
}

TEST_CASE("results of other machines beside a cell or a trial do not excuse its bits") {
  const TemporaryFolder folder;
  const auto fill = [&](const std::string& name, double loss) {
    Store store(folder.path() / name, Store::Mode::read_write);
    store.put_protocol(test::protocol_row("p1"));
    for (int trial = 0; trial < 5; ++trial) {
      put_cell(store,
               test::cell_row("p1", "scratch", "brats", trial),
               test::brats_cases(60 + 0.1 * trial - loss));
    }
    put_cell(store, test::cell_row("p1", "scratch", "pancreas", 0), test::pancreas_cases(70, 50));
    return store;
  };
  const auto made_elsewhere = [](Store& store, const std::string& task, int trial) {
    NodeRow node = *store.node(test::cell_row("p1", "scratch", task, trial).finetune_node);
    node.machine = "Processor 2, glibc 2.36";
    store.put_node(node);
  };
  const auto brats = [](const CellPath& path) { return path.task == "brats"; };
  const Baseline base = freeze(fill("base.sqlite", 0), test::protocol_row("p1"), brats);
  Store lost = fill("lost.sqlite", 1);  // less than the margin
  const auto check_now = [&](const std::function<bool(const CellPath&)>& wanted) {
    return check_baseline(base, freeze(lost, test::protocol_row("p1"), wanted), {});
  };
  REQUIRE(check_now(brats).exit_code() == ExitCode::gate_failed);
  made_elsewhere(lost, "pancreas", 0);
  CHECK(check_now(brats).bit_exact);
  CHECK(check_now(brats).exit_code() == ExitCode::gate_failed);
  CHECK(check_now(kEverything).exit_code() == ExitCode::gate_failed);
  CHECK(check_now(kEverything).environment_differences.empty());
  made_elsewhere(lost, "brats", 4);  // of five trials, four are still promised
  const GateReport report = check_now(brats);
  CHECK(report.exit_code() == ExitCode::gate_failed);
  CHECK_FALSE(report.bit_exact);
  CHECK(report.environment_differences == std::vector<std::string>{"machine"});
  CHECK_THAT(report.cells[0].reason, Catch::Contains("trial 3: "));
  CHECK_THAT(report.cells[0].reason, !Catch::Contains("trial 4: "));
  for (int trial = 0; trial < 4; ++trial) {
    made_elsewhere(lost, "brats", trial);
  }
  CHECK(check_now(brats).exit_code() == ExitCode::ok);  // all elsewhere: a loss below the margin
}

TEST_CASE("a trial that the baseline does not have does not excuse the bits of others") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 60.1, 60.2})});
  Baseline now = baseline({cell("sar/brats/tumor/L", {59.9, 60.1, 60.2, 60})});
  now.cells[0].trials[3].environment = environment("Processor 2, glibc 2.36");
  CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::gate_failed);
}

TEST_CASE("a baseline of several machines reads back with the machine of each trial") {
  Baseline saved = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  saved.environment["machine"] = {"Processor 1, glibc 2.36", "Processor 2, glibc 2.36"};
  for (int trial = 0; trial < 3; ++trial) {
    saved.cells[0].trials[static_cast<std::size_t>(trial)].environment =
        environment(trial == 0 ? "Processor 1, glibc 2.36" : "Processor 2, glibc 2.36");
  }
  const TemporaryFolder folder;
  const fs::path file = folder.path() / "baseline.json";
  write_file_atomically(file, baseline_text(saved));
  const Baseline base = read_baseline(file);
  CHECK(base.cells[0].trials == saved.cells[0].trials);
  Baseline now = base;
  CHECK(check_baseline(base, now, {}).bit_exact);
  now.cells[0].trials[1].dice = 61.01;
  CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::gate_failed);
}

TEST_CASE("other bits fail whatever trials are missing") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  Baseline now = baseline({cell("sar/brats/tumor/L", {60, 59})});
  now.unfinished[trial_name("sar", "brats", "1", 2)] = "pending";
  const GateReport report = check_baseline(base, now, {});
  CHECK(report.exit_code() == ExitCode::gate_failed);
  CHECK(report.cells[0].reason == "trial 1: 61 became 59 (-2); missing trials 2: pending");
  now.cells[0].trials[1].dice = 61;
  CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::results_missing);
}

TEST_CASE("the statistical rule can be asked for in the same environment") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 60.1, 60.2})});
  const Baseline now = baseline({cell("sar/brats/tumor/L", {60.2, 60.1, 60})});
  CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::gate_failed);
  GateOptions options;
  options.statistical = true;
  const GateReport report = check_baseline(base, now, options);
  CHECK(report.exit_code() == ExitCode::ok);
  CHECK(report.environment_differences.empty());
}

// --- statistical --------------------------------------------------------------------------------

TEST_CASE("p values and verdicts agree with SciPy's one-sided Welch tests and Holm's correction") {
  const Json reference = read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/gate.json");
  for (const Json& gate : reference.at("gates")) {
    std::vector<FrozenCell> before;
    std::vector<FrozenCell> after;
    for (const Json& each : gate.at("cells")) {
      const std::string name = fmt::format("sar/brats/tumor/{}", before.size());
      before.push_back(cell(name, each.at("base").get<std::vector<double>>()));
      after.push_back(cell(name, each.at("now").get<std::vector<double>>()));
    }
    GateOptions options;
    options.margin = gate.at("margin");
    options.alpha = gate.at("alpha");
    const GateReport report = check_baseline(baseline(before), elsewhere(after), options);
    CHECK(static_cast<int>(report.exit_code()) == gate.at("exit_code").get<int>());
    REQUIRE(report.cells.size() == gate.at("cells").size());
    for (std::size_t i = 0; i < report.cells.size(); ++i) {
      const Json& expected = gate.at("cells")[i];
      const GateCell& found = report.cells[i];
      REQUIRE(found.tested);
      CHECK(to_string(found.verdict) == expected.at("verdict").get<std::string>());
      // tolerance: SciPy 1.10 sums its variances in another order, and t is a small difference
      const auto near = [](double value) { return Approx(value).epsilon(1e-9).margin(1e-15); };
      CHECK(found.t == near(expected.at("t")));
      CHECK(found.p_loss == near(expected.at("p_loss")));
      CHECK(found.p_kept == near(expected.at("p_kept")));
      CHECK(found.p_loss_adjusted == near(expected.at("p_loss_adjusted")));
    }
  }
}

TEST_CASE("the bounds of the loss exclude the margin exactly where the tests reject") {
  GateOptions options;
  for (const double loss : {0.0, 1.0, 1.9, 2.1, 3.0, 4.0}) {
    const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62, 61, 60.5})});
    const Baseline now = elsewhere({cell(
        "sar/brats/tumor/L", {60.3 - loss, 61.2 - loss, 61.5 - loss, 60.1 - loss, 61 - loss})});
    const GateCell found = check_baseline(base, now, options).cells[0];
    CHECK((found.loss_low > options.margin) == (found.p_loss < options.alpha));
    CHECK((found.loss_high < options.margin) == (found.p_kept < options.alpha));
    CHECK(found.loss_low < found.loss);
    CHECK(found.loss < found.loss_high);
  }
}

TEST_CASE("fewer than three trials are compared bit by bit or not at all") {
  const Baseline base =
      baseline({cell("sar/brats/tumor/L", {60, 61}), cell("sar/brats/tumor/S", {30, 31})});
  GateReport report = check_baseline(base, elsewhere(base.cells), {});
  CHECK(report.exit_code() == ExitCode::ok);  // equal bits: nothing can have been lost
  CHECK(report.cells[0].rule == GateRule::identical);
  Baseline now = elsewhere(base.cells);
  now.cells[1].trials[0].dice = 1;  // a huge loss, but nothing tells it from chance
  report = check_baseline(base, now, {});
  CHECK(report.exit_code() == ExitCode::results_missing);
  CHECK(report.cause() == "few_trials");
  CHECK(report.cells[0].verdict == GateVerdict::passed);
  CHECK_THAT(report.cells[1].reason, Catch::StartsWith("2 trials: fewer than 3"));
}

TEST_CASE("without spread on either side the loss itself meets the margin") {
  const auto verdict = [](double after) {
    const GateReport report =
        check_baseline(baseline({cell("sar/brats/tumor/L", {50, 50, 50})}),
                       elsewhere({cell("sar/brats/tumor/L", {after, after, after})}),
                       {});
    CHECK((report.cells[0].rule == GateRule::plain) == (after != 50));
    CHECK_FALSE(report.cells[0].tested);
    return report.verdict;
  };
  CHECK(verdict(50) == GateVerdict::passed);
  CHECK(verdict(55) == GateVerdict::passed);
  CHECK(verdict(48) == GateVerdict::passed);  // the margin itself is not a loss beyond it
  CHECK(verdict(47.9) == GateVerdict::failed);
}

TEST_CASE("spread on one side alone is enough for a test") {
  const GateReport report = check_baseline(baseline({cell("sar/brats/tumor/L", {50, 50, 50})}),
                                           elsewhere({cell("sar/brats/tumor/L", {40, 40.1, 40.2})}),
                                           {});
  CHECK(report.cells[0].tested);
  CHECK(report.exit_code() == ExitCode::gate_failed);
}

TEST_CASE("what is missing leaves the gate undecided, with the reason, unless a loss is shown") {
  const std::vector<double> steady{60, 60.1, 60.2};
  const Baseline base =
      baseline({cell("sar/brats/tumor/L", steady), cell("sar/pancreas/organ/all", steady)});
  for (const bool same_environment : {true, false}) {
    Baseline now = same_environment ? base : elsewhere(base.cells);
    now.cells[0].trials.pop_back();
    now.unfinished[trial_name("sar", "brats", "1", 2)] = "failed: diverged at step 7";
    GateReport report = check_baseline(base, now, {});
    CHECK(report.exit_code() == ExitCode::cells_failed);  // it ran, and is not a pass
    CHECK(report.cause() == "failed");
    CHECK(report.cells[0].failed_trials == 1);
    CHECK(report.cells[0].reason == "missing trials 2: failed: diverged at step 7");
    CHECK(report.cells[0].missing == 1);
    CHECK(report.cells[1].verdict == GateVerdict::passed);
    now.unfinished.begin()->second = "pending";
    CHECK(check_baseline(base, now, {}).exit_code() == ExitCode::results_missing);
    CHECK(check_baseline(base, now, {}).cause() == "missing");
    now.unfinished.begin()->second = "failed: diverged at step 7";
    now.cells[1] = cell("sar/pancreas/organ/all", {40, 40.1, 40.2});
    report = check_baseline(base, now, {});
    CHECK(report.exit_code() == ExitCode::gate_failed);
    CHECK(report.cause().empty());
    now.cells.clear();
    report = check_baseline(base, now, {});
    CHECK(report.cells[0].reason ==
          "missing trials 2: failed: diverged at step 7; missing trials 0, 1: not stored");
  }
}

TEST_CASE("with a trial missing a loss can be shown elsewhere, and a pass cannot") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 60.1, 60.2, 60.3})});
  const auto report = [&](const std::vector<double>& dice) {
    return check_baseline(base, elsewhere({cell("sar/brats/tumor/L", dice)}), {});
  };
  CHECK(report({60.1, 60, 60.3, 60.2}).exit_code() == ExitCode::ok);
  CHECK(report({60.1, 60, 60.3}).exit_code() == ExitCode::results_missing);
  CHECK(report({70, 70, 70}).exit_code() == ExitCode::results_missing);
  CHECK(report({40.1, 40, 40.3}).exit_code() == ExitCode::gate_failed);
  CHECK(report({1, 1}).exit_code() == ExitCode::results_missing);  // too few to tell
}

TEST_CASE("trials that the baseline does not have are left out") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 60.1, 60.2})});
  const Baseline now = elsewhere({cell("sar/brats/tumor/L", {60.1, 60, 60.2, 1, 2, 3})});
  const GateReport report = check_baseline(base, now, {});
  CHECK(report.cells[0].now.n == 3);
  CHECK(report.exit_code() == ExitCode::ok);
}

TEST_CASE("cells that are the very same runs count once in the correction") {
  // 1/20 and 1/50 of few cases round to the same training cases.
  const auto cells = [](const std::vector<double>& dice) {
    return std::vector<FrozenCell>{cell("sar/brats/tumor/all/1/20", dice),
                                   cell("sar/brats/tumor/all/1/50", dice)};
  };
  const GateReport shared =
      check_baseline(baseline(cells({60, 61, 62, 61})), elsewhere(cells({55, 56, 57.5, 57})), {});
  CHECK(shared.tests == 1);
  CHECK(shared.cells[0].p_loss_adjusted == shared.cells[0].p_loss);
  CHECK(shared.cells[1].p_loss_adjusted == shared.cells[1].p_loss);
}

TEST_CASE("a margin or level out of range is refused") {
  const Baseline base = baseline({cell("sar/brats/tumor/L", {60, 61, 62})});
  const auto code = [&](double margin, double alpha) {
    GateOptions options;
    options.margin = margin;
    options.alpha = alpha;
    try {
      static_cast<void>(check_baseline(base, base, options));
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  CHECK(code(0, 0.05) == ExitCode::usage);
  CHECK(code(-1, 0.05) == ExitCode::usage);
  CHECK(code(std::nan(""), 0.05) == ExitCode::usage);
  CHECK(code(2, 0) == ExitCode::usage);
  CHECK(code(2, 0.5) == ExitCode::usage);
  CHECK(code(2, 0.05) == ExitCode::ok);
}

// --- reports ------------------------------------------------------------------------------------

/// Every verdict and rule at once, and names that need escaping.
GateReport sample_report() {
  const std::vector<double> steady{60, 60.1, 60.2, 60.3};
  Baseline base = baseline({cell("scratch/brats/tumor/S", {30, 31}),
                            cell("sar/brats/tumor/L", steady),
                            cell("sar/brats/tumor/M", steady),
                            cell("sar/brats/tumor/S", steady),
                            cell("sar/brats/tumor/all", steady),
                            cell("sar/pancreas/organ/all", {7, 7, 7}),
                            cell("sar/pancreas/tumor/all", steady)});
  Baseline now = elsewhere({cell("scratch/brats/tumor/S", {30, 32}),
                            cell("sar/brats/tumor/L", {55, 55.5, 54.5, 55.2}),
                            cell("sar/brats/tumor/M", {60.2, 60.1, 60, 60.3}),
                            cell("sar/brats/tumor/S", {40, 70, 50, 65}),
                            cell("sar/brats/tumor/all", steady),
                            cell("sar/pancreas/organ/all", {7, 7, 7})});
  now.cells[5].trials[0].digest = "0123456789abcdef";
  now.unfinished[trial_name("sar", "pancreas", "1", 0)] = "failed: <loss> & \"NaN\" | 'inf'\n\x01";
  GateReport report = check_baseline(base, now, {});
  report.base.name = "a&b.json";
  report.now.name = "runs.sqlite";
  return report;
}

TEST_CASE("each format of a gate's report is the approved text") {
  for (const std::string format : {"text", "md", "junit"}) {
    const fs::path path =
        std::string(SARBENCH_SOURCE_DIR) + "/tests/golden/results/baseline." + format + ".approved";
    const std::string rendered = written(document_of(sample_report()), format);
    if (std::getenv("SARBENCH_APPROVE") != nullptr) {
      write_file_atomically(path, rendered);
    }
    INFO(format);
    CHECK(rendered == read_file(path));
  }
  CHECK_THROWS_AS(written(document_of(sample_report()), "latex"), Error);
}

/// Reads XML as far as a well-formed document of elements, attributes and text goes: returns an
/// empty text, or what is wrong.
std::string xml_fault(const std::string& xml) {
  std::vector<std::string> open;
  bool root = false;
  const auto bad_text = [](const std::string& text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
      const auto code = static_cast<unsigned char>(text[i]);
      if (text[i] == '<' || (code < 0x20 && code != '\t' && code != '\n' && code != '\r')) {
        return true;
      }
      if (text[i] == '&') {
        const std::string rest = text.substr(i, 6);
        if (!rest.starts_with("&amp;") && !rest.starts_with("&lt;") && !rest.starts_with("&gt;") &&
            !rest.starts_with("&quot;") && !rest.starts_with("&#10;")) {
          return true;
        }
      }
    }
    return false;
  };
  std::size_t place = 0;
  while (place < xml.size()) {
    const std::size_t begin = xml.find('<', place);
    if (begin == std::string::npos) {
      break;
    }
    if (bad_text(xml.substr(place, begin - place))) {
      return "bad text before " + xml.substr(begin, 40);
    }
    const std::size_t end = xml.find('>', begin);
    if (end == std::string::npos) {
      return "a tag without end";
    }
    std::string tag = xml.substr(begin + 1, end - begin - 1);
    place = end + 1;
    if (tag.starts_with("?")) {
      continue;
    }
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) {
        return "closes what is not open: " + tag;
      }
      open.pop_back();
      continue;
    }
    if (open.empty() && root) {
      return "a second root";
    }
    root = true;
    const bool empty = tag.ends_with("/");
    tag = empty ? tag.substr(0, tag.size() - 1) : tag;
    const std::string name = tag.substr(0, tag.find(' '));
    std::string rest = tag.substr(name.size());
    std::vector<std::string> attributes;
    while (rest.find_first_not_of(' ') != std::string::npos) {
      const std::size_t start = rest.find_first_not_of(' ');
      const std::size_t equals = rest.find("=\"", start);
      const std::size_t quote = equals == std::string::npos ? equals : rest.find('"', equals + 2);
      if (start == 0 || quote == std::string::npos) {
        return "bad attributes: " + tag;
      }
      const std::string key = rest.substr(start, equals - start);
      if (std::ranges::find(attributes, key) != attributes.end() ||
          bad_text(rest.substr(equals + 2, quote - equals - 2))) {
        return "bad attribute: " + tag;
      }
      attributes.push_back(key);
      rest = rest.substr(quote + 1);
    }
    if (!empty) {
      open.push_back(name);
    }
  }
  return !open.empty() ? "left open: " + open.back() : root ? "" : "no element";
}

TEST_CASE("JUnit output is well-formed XML with one test case per cell") {
  CHECK(xml_fault("<a><b c=\"d\"/>e &amp; f</a>").empty());  // the checker itself
  for (const char* bad : {"<a>",
                          "<a></b>",
                          "<a b=c/>",
                          "<a b=\"1\" b=\"2\"/>",
                          "<a>&x</a>",
                          "x",
                          "<a b=\"<\"/>",
                          "<a/><b/>"}) {
    CHECK_FALSE(xml_fault(bad).empty());
  }
  const std::string xml = written(document_of(sample_report()), "junit");
  CHECK(xml_fault(xml) == "");
  const auto count = [&](const std::string& what) {
    int found = 0;
    for (auto at = xml.find(what); at != std::string::npos; at = xml.find(what, at + 1)) {
      ++found;
    }
    return found;
  };
  CHECK(count("<testcase ") == 7);
  CHECK(count("<failure ") == 1);
  CHECK(count("<skipped ") == 3);
  CHECK(count("tests=\"7\" failures=\"1\" errors=\"0\"") == 2);
  CHECK(count("skipped=\"3\"") == 1);
  CHECK(xml.find("&lt;loss&gt; &amp; &quot;NaN&quot; | 'inf'&#10;") != std::string::npos);
  CHECK(xml.find('\x01') == std::string::npos);
}

TEST_CASE("text that is not UTF-8, or that XML forbids, does not break a report") {
  const std::string replacement = "\xEF\xBF\xBD";
  const auto shown = [&](const std::string& name) {
    GateReport report = sample_report();
    report.now.name = "<" + name + ">";
    CHECK_FALSE(Json::parse(written(document_of(report), "json"))
                    .at("new")
                    .at("name")
                    .get<std::string>()
                    .empty());
    const std::string xml = written(document_of(report), "junit");
    const std::string begin = "\"new.results\" value=\"&lt;";
    const auto from = xml.find(begin) + begin.size();
    return xml.substr(from, xml.find("&gt;\"", from) - from);
  };
  CHECK(shown("é€😀") == "é€😀");
  CHECK(shown("a\xFFz") == "a" + replacement + "z");
  CHECK(shown("a\x01z") == "a" + replacement + "z");
  CHECK(shown("cut \xE2\x82") == "cut " + replacement + replacement);
  for (const std::string forbidden : {"\xC0\xAF",             // overlong
                                      "\xED\xA0\x80",         // a surrogate
                                      "\xEF\xBF\xBE",         // U+FFFE
                                      "\xEF\xBF\xBF",         // U+FFFF
                                      "\xF4\x90\x80\x80"}) {  // beyond Unicode
    std::string expected;
    for (std::size_t i = 0; i < forbidden.size(); ++i) {
      expected += replacement;
    }
    CHECK(shown(forbidden) == expected);
  }
}

TEST_CASE("notes are shown in every form of the report") {
  GateReport report = sample_report();
  report.notes = {"margin 99 Dice points"};
  for (const std::string format : {"text", "md", "json", "junit"}) {
    CHECK_THAT(written(document_of(report), format), Catch::Contains("margin 99 Dice points"));
  }
}

TEST_CASE("JSON carries unrounded numbers and the exit code") {
  const Json json = Json::parse(written(document_of(sample_report()), "json"));
  CHECK(json.at("exit_code") == 1);
  CHECK(json.at("verdict") == "failed");
  CHECK(json.at("same_environment") == false);
  CHECK(json.at("environment_differences") == Json::array({"machine"}));
  CHECK(json.at("cells").size() == 7);
  CHECK(json.at("cells")[1].at("loss").get<double>() == sample_report().cells[1].loss);
  CHECK(json.at("cells")[0].at("p_loss").is_null());  // never a p that was not computed
}

// --- how often the gate is wrong ----------------------------------------------------------------

/// The sampling model. Dice of trial t and case c is m_c + a_t + e_tc: the case's own mean, an
/// effect of the trial that all its cases share, and the rest. From stored runs of five trials a
/// and e are estimated, widened for the means that were taken off (by the square roots of T / (T -
/// 1) and, for e, C / (C - 1)). A simulated trial draws one a, and for each case one of that case's
/// e, with replacement; Dice stays within 0 and 100. All trials are independent, and so are
/// baseline and new results: new hardware shares no bits. The cases are the same on both sides, as
/// the test set is. `quiet` scales a and e.
class NoiseModel {
 public:
  explicit NoiseModel(const Json& rows) {
    std::map<std::string, std::map<std::string, std::map<int, double>>> dice;
    for (const Json& row : rows) {
      dice[row[0]][row[2]][row[1].get<int>()] = row[4];
      bucket_[row[2]] = row[3];
    }
    for (const auto& [method, cases] : dice) {
      Method& model = methods_[method];
      std::map<int, double> trial_mean;
      double grand = 0;
      for (const auto& [id, trials] : cases) {
        double mean = 0;
        for (const auto& [trial, value] : trials) {
          mean += value / static_cast<double>(trials.size());
          trial_mean[trial] += value / static_cast<double>(cases.size());
        }
        model.mean[id] = mean;
        grand += mean / static_cast<double>(cases.size());
      }
      const auto trials = static_cast<double>(trial_mean.size());
      const auto number = static_cast<double>(cases.size());
      const double widen = std::sqrt(trials / (trials - 1));
      for (const auto& [trial, mean] : trial_mean) {
        model.trial.push_back(widen * (mean - grand));
        for (const auto& [id, values] : cases) {
          model.rest[id].push_back(widen * std::sqrt(number / (number - 1)) *
                                   (values.at(trial) - model.mean[id] - mean + grand));
        }
      }
    }
  }

  /// Cells S, M, L and all of both methods over `trials` simulated trials; `loss` is taken off the
  /// case Dice of those whose name contains `where`, before they are held within 0 and 100.
  [[nodiscard]] std::vector<FrozenCell> draw(
      Rng rng, std::size_t trials, double quiet, double loss, const std::string& where) const {
    std::map<std::string, std::vector<double>> values;
    for (const auto& [method, model] : methods_) {
      for (std::size_t trial = 0; trial < trials; ++trial) {
        const double effect = pick(rng, model.trial);
        std::map<std::string, std::pair<double, int>> sums;
        for (const auto& [id, mean] : model.mean) {
          const double drawn = mean + quiet * (effect + pick(rng, model.rest.at(id)));
          for (const std::string& bucket : {bucket_.at(id), std::string("all")}) {
            const std::string name = method + "/brats/tumor/" + bucket;
            const double lost = name.find(where) == std::string::npos ? 0 : loss;
            sums[bucket].first += std::clamp(drawn - lost, 0.0, 100.0);
            ++sums[bucket].second;
          }
        }
        for (const auto& [bucket, sum] : sums) {
          const std::string name = method + "/brats/tumor/" + bucket;
          values[name].push_back(sum.first / sum.second);
        }
      }
    }
    std::vector<FrozenCell> cells;
    for (const auto& [name, dice] : values) {
      cells.push_back(cell(name, dice));
    }
    return cells;
  }

 private:
  struct Method {
    std::map<std::string, double> mean;
    std::vector<double> trial;
    std::map<std::string, std::vector<double>> rest;
  };
  static double pick(Rng& rng, const std::vector<double>& values) {
    return values[rng.below(static_cast<std::uint32_t>(values.size()))];
  }
  std::map<std::string, Method> methods_;
  std::map<std::string, std::string> bucket_;
};

struct Rates {
  int passed = 0, failed = 0, undecided = 0;
};

constexpr int kGates = 200;
/// Of 200 gates that each fail with a probability of at most .05, more than 18 do so with a
/// probability below 1 %.
constexpr int kMostFailures = 18;

Rates rates_of(std::uint64_t seed,
               double quiet,
               double loss,
               const std::string& where = "",
               std::size_t trials = 5) {
  static const NoiseModel kModel(
      read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/gate_noise.json").at("rows"));
  Rates rates;
  for (std::uint64_t gate = 0; gate < kGates; ++gate) {
    const Rng rng(seed);
    const GateReport report =
        check_baseline(baseline(kModel.draw(rng.at("baseline", {gate}), trials, quiet, 0, where)),
                       elsewhere(kModel.draw(rng.at("new", {gate}), trials, quiet, loss, where)),
                       {});
    switch (report.exit_code()) {
      case ExitCode::ok:
        ++rates.passed;
        break;
      case ExitCode::gate_failed:
        ++rates.failed;
        break;
      case ExitCode::results_missing:
        ++rates.undecided;
        break;
      default:
        FAIL("an exit code that no simulated gate can have");
    }
  }
  WARN(
      fmt::format("noise x {:<4} loss {:<4} in {:<16}: exit 1 {:5.1f} %, exit 0 {:5.1f} %, exit 4 "
                  "{:5.1f} % of {} gates, {} trials",
                  quiet,
                  loss,
                  where.empty() ? "all cells" : where,
                  rates.failed / 2.0,
                  rates.passed / 2.0,
                  rates.undecided / 2.0,
                  kGates,
                  trials));
  return rates;
}

double binomial_tail(int above, int n, double p) {
  double tail = 0;
  for (int k = above + 1; k <= n; ++k) {
    tail += std::exp(std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1) +
                     k * std::log(p) + (n - k) * std::log1p(-p));
  }
  return tail;
}

TEST_CASE("the limit on failures is the 99 % limit of the binomial distribution") {
  CHECK(binomial_tail(kMostFailures, kGates, 0.05) == Approx(0.005823557967790675).epsilon(1e-9));
  CHECK(binomial_tail(kMostFailures - 1, kGates, 0.05) > 0.01);
}

TEST_CASE("without a change the gate fails at most as often as alpha allows") {
  CHECK(rates_of(1, 1, 0).failed <= kMostFailures);
  CHECK(rates_of(2, 0.1, 0).failed <= kMostFailures);
}

TEST_CASE("a loss of the margin itself, where the test is at its level, fails no more often") {
  CHECK(rates_of(3, 1, 2).failed <= kMostFailures);
  CHECK(rates_of(4, 0.1, 2).failed <= kMostFailures);
}

TEST_CASE("a loss of the margin in one cell is passed at most as often as alpha allows") {
  CHECK(rates_of(5, 1, 2, "scratch/brats/tumor/L").passed <= kMostFailures);
  CHECK(rates_of(6, 0.1, 2, "scratch/brats/tumor/L").passed <= kMostFailures);
}

TEST_CASE("losses are caught, the larger the more surely") {
  // Each case is printed. The bounds lie well below what these seeds give, so that a change of the
  // gate breaks them and a change of a last digit does not.
  const Rates five = rates_of(7, 1, 5);
  const Rates ten = rates_of(8, 1, 10);
  const Rates twenty = rates_of(9, 1, 20);
  CHECK(five.failed < ten.failed);
  CHECK(ten.failed < twenty.failed);
  CHECK(ten.failed >= kGates / 2);
  CHECK(twenty.failed >= kGates * 9 / 10);
  CHECK(five.passed + ten.passed + twenty.passed == 0);
  CHECK(rates_of(10, 1, 40, "sar/brats/tumor/").failed >= kGates * 8 / 10);
  CHECK(rates_of(11, 0.1, 5).failed >= kGates * 9 / 10);
}

TEST_CASE("with little noise a gate without a change passes") {
  CHECK(rates_of(12, 0.1, 0).passed > rates_of(12, 1, 0).passed);
  CHECK(rates_of(13, 0.05, 0).passed >= kGates * 9 / 10);
}

TEST_CASE("with many trials a gate without a change passes, noise and all") {
  const Rates few = rates_of(14, 1, 0, "", 100);
  const Rates many = rates_of(15, 1, 0, "", 400);
  const Rates most = rates_of(16, 1, 0, "", 1000);
  CHECK(few.passed < many.passed);
  CHECK(many.passed < most.passed);
  CHECK(most.failed <= kMostFailures);
}

}  // namespace sar::baseline_test
