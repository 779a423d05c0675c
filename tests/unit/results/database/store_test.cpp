#include "results/database/store.h"

#include "harness/core/error.h"
#include "results/database/schema.h"
#include "results/statistics/statistics.h"
#include "results/tables/table_document.h"
#include "tests/support/fixtures.h"
#include "tests/unit/results/database/sqlite_file.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <fstream>
#include <thread>

namespace {

namespace fs = std::filesystem;
using sar::CellRow;
using sar::Json;
using sar::NodeRow;
using sar::NodeState;
using sar::Store;
using sar::StoreOptions;
using sar::test::brats_cases;
using sar::test::case_row;
using sar::test::cell_row;
using sar::test::node_row;
using sar::test::pancreas_cases;
using sar::test::protocol_row;
using sar::test::put_done_cell;
using sar::test::small_spec;
using sar::test::SqliteFile;

/// A database in a folder of its own, with one protocol.
struct Fixture {
  Fixture() : store(folder.path() / "runs.sqlite", Store::Mode::read_write) {
    store.put_protocol(protocol_row("proto1"));
  }
  [[nodiscard]] fs::path file() const { return folder.path() / "runs.sqlite"; }
  /// First value of the first row.
  [[nodiscard]] Json value(const std::string& sql) const {
    const Json result = store.query(sql);
    REQUIRE_FALSE(result["rows"].empty());
    return result["rows"][0][0];
  }

  sar::TemporaryFolder folder;
  Store store;
};

/// Error code and text of what `call` throws.
template <class Call>
std::pair<sar::ExitCode, std::string> error_of(Call call) {
  try {
    call();
  } catch (const sar::Error& error) {
    return {error.code(), error.what()};
  }
  return {sar::ExitCode::ok, "no error"};
}

void write_bytes(const fs::path& path, std::streamoff offset, const std::string& bytes) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(offset);
  file << bytes;
}

}  // namespace

TEST_CASE("protocols are kept as first stored and found by a unique prefix") {
  Fixture f;
  sar::ProtocolRow changed = protocol_row("proto1", "real");
  f.store.put_protocol(changed);
  CHECK(f.store.protocol("proto1")->data_kind == "phantom");
  CHECK(f.store.protocol("pro")->settings == protocol_row("proto1").settings);
  CHECK_FALSE(f.store.protocol("x"));
  CHECK_FALSE(f.store.protocol(""));
  f.store.put_protocol(protocol_row("proto1b"));
  CHECK(f.store.protocol("proto1")->protocol == "proto1");  // the whole key wins
  CHECK(error_of([&] { (void)f.store.protocol("prot"); }).first == sar::ExitCode::usage);
}

TEST_CASE("a node is read back as it was stored, and storing again replaces it") {
  Fixture f;
  NodeRow node = node_row("n1", "finetune", NodeState::running);
  node.inputs = {{"epochs", 3}, {"name", "a\"b"}};
  node.seconds = 1.25;
  node.path = "/tmp/it's here";
  node.sha256 = "00ff";
  node.threads = 2;
  node.dirty = true;
  node.itk = "5.2";
  node.determinism = "bit-exact";
  node.peak_rss_mb = 512.5;
  node.peak_gpu_mb = 1;
  node.command = "sar-bench run";
  node.steps = 84;
  node.samples = 336;
  node.flops = 1.5e12;
  f.store.put_node(node);
  f.store.put_rows("n1", {{1, 0, "train", 0.5, 0.1, 0.2}}, {});
  node.state = NodeState::failed;
  node.reason = "loss is not finite";
  f.store.put_node(node);
  const NodeRow back = *f.store.node("n1");
  CHECK(back.state == NodeState::failed);
  CHECK(back.reason == node.reason);
  CHECK(back.inputs == node.inputs);
  CHECK(back.kind == node.kind);
  CHECK(back.started == node.started);
  CHECK(back.ended.empty());
  CHECK(back.seconds == node.seconds);
  CHECK(back.path == node.path);
  CHECK(back.sha256 == node.sha256);
  CHECK(back.host == node.host);
  CHECK(back.device == node.device);
  CHECK(back.threads == 2);
  CHECK(back.commit == node.commit);
  CHECK(back.dirty);
  CHECK(back.torch == node.torch);
  CHECK(back.itk == node.itk);
  CHECK(back.determinism == node.determinism);
  CHECK(back.peak_rss_mb == node.peak_rss_mb);
  CHECK(back.peak_gpu_mb == node.peak_gpu_mb);
  CHECK(back.samples_per_s == node.samples_per_s);
  CHECK(back.command == node.command);
  CHECK(back.steps == node.steps);
  CHECK(back.samples == node.samples);
  CHECK(back.flops == node.flops);
  CHECK_FALSE(back.cubes);                           // of pre-trainings alone
  CHECK(f.value("SELECT COUNT(*) FROM loss") == 1);  // its rows survive
  CHECK_FALSE(f.store.node("n"));                    // no prefix: nodes are named by programs
}

TEST_CASE("a cell is read back as it was stored, seeds of 64 bits included") {
  Fixture f;
  CellRow cell = cell_row("proto1", "sar", "brats", 3, "1/20");
  cell.seed = 0xFEDCBA9876543210ULL;
  f.store.put_cell(cell);
  const CellRow back = f.store.runs("proto1").at(0).cell;
  CHECK(back.seed == cell.seed);
  CHECK(back.fraction == "1/20");
  CHECK(back.trial == 3);
  CHECK(back.pretrain_node == cell.pretrain_node);
  CHECK(back.finetune_node == cell.finetune_node);
  CHECK(back.evaluate_node == cell.evaluate_node);
  CHECK(back.cell_key == cell.cell_key);
  cell.cell_key = "another key for the same cell";
  CHECK(error_of([&] { f.store.put_cell(cell); }).first == sar::ExitCode::input_output);
}

TEST_CASE("the budget of a method is what the trainings behind its finished trials were given") {
  Fixture f;
  const auto put = [&](const std::string& key, const char* kind, int steps, double hours) {
    NodeRow node = node_row(key, kind, NodeState::done);
    node.steps = steps;
    node.flops = 1e9 * steps;
    node.seconds = 3600 * hours;
    if (node.kind == "pretrain") {
      node.cubes = 512;
    }
    f.store.put_node(node);
  };
  for (int trial = 0; trial < 3; ++trial) {
    const CellRow cell = cell_row("proto1", "sar", "brats", trial);
    put(cell.pretrain_node, "pretrain", 960, 2);
    if (trial == 2) {  // not evaluated yet
      f.store.put_cell(cell);
      continue;
    }
    sar::test::put_done_cell(f.store, cell, sar::test::brats_cases(60));
    put(cell.pretrain_node, "pretrain", 960, 2);
    put(cell.finetune_node, "finetune", 80 + 10 * trial, 0.5);
  }
  const CellRow scratch = cell_row("proto1", "scratch", "brats", 0);
  sar::test::put_done_cell(f.store, scratch, sar::test::brats_cases(50));
  f.store.put_rows(scratch.finetune_node,
                   {{1, 1, "train", 0.9, 0.1, 1}, {7, 2, "train", 0.8, 0.1, 2}},
                   {});  // as written before steps were stored
  const auto budgets = f.store.budgets("proto1");
  REQUIRE(budgets.size() == 2);
  CHECK(budgets[0].method == "sar");
  CHECK(budgets[0].trials == 2);
  CHECK(budgets[0].cubes == 512);
  CHECK(budgets[0].pretraining_steps == 960);
  CHECK(budgets[0].pretraining_flops == 960e9);
  CHECK(budgets[0].pretraining_hours == 2);
  CHECK(budgets[0].finetuning_steps == 85);
  CHECK(budgets[0].finetuning_flops == 85e9);
  CHECK(budgets[0].finetuning_hours == 0.5);
  NodeRow older = *f.store.node(cell_row("proto1", "sar", "brats", 1).finetune_node);
  older.flops.reset();
  f.store.put_node(older);
  CHECK_FALSE(f.store.budgets("proto1").at(0).finetuning_flops);  // no mean over some of them
  CHECK(budgets[1].method == "scratch");
  CHECK_FALSE(budgets[1].cubes);
  CHECK_FALSE(budgets[1].pretraining_hours);
  CHECK(budgets[1].finetuning_steps == 7);
  CHECK_FALSE(budgets[1].finetuning_flops);
}

TEST_CASE("a cell of an unknown protocol and rows of an unknown node are refused") {
  Fixture f;
  CHECK(error_of([&] { f.store.put_cell(cell_row("nowhere", "sar", "brats", 0)); }).first ==
        sar::ExitCode::input_output);
  CHECK(error_of([&] {
          f.store.put_rows("nowhere", {{1, 0, "train", 1, 1, 1}}, {});
        }).first == sar::ExitCode::input_output);
}

TEST_CASE("repeated loss rows of a resumed stage replace the earlier ones") {
  Fixture f;
  f.store.put_node(node_row("pre", "pretrain", NodeState::running));
  f.store.put_pretraining("proto1", "sar", "pre");
  f.store.put_rows("pre",
                   {{10, 0, "train", 0.9, 0.1, 1}, {20, 1, "train", 0.8, 0.1, 2}},
                   {{0, "val", "scale_accuracy", 0.4, 1.0 / 3}});
  f.store.put_rows("pre",
                   {{20, 1, "train", 0.7, 0.05, 3},
                    {20, 1, "val", 0.75, 0.05, 3},
                    {30, 2, "train", std::nan(""), 0.05, 4}},
                   {{0, "val", "scale_accuracy", 0.5, 1.0 / 3}, {1, "val", "psnr", 20, {}}});
  const Json rows = f.store.query(
      "SELECT step, split, loss FROM v_loss WHERE stage = 'pretrain' ORDER BY step, split");
  CHECK(rows["rows"] == Json::parse(R"([[10,"train",0.9],[20,"train",0.7],[20,"val",0.75],
                                        [30,"train",null]])"));
  CHECK(f.store.query("SELECT DISTINCT task, fraction, trial FROM v_loss")["rows"] ==
        Json::parse("[[null,null,null]]"));
  const Json metrics =
      f.store.query("SELECT name, value, chance FROM v_proxy_metric ORDER BY name");
  CHECK(metrics["rows"][0] == Json({"psnr", 20.0, nullptr}));
  CHECK(metrics["rows"][1][1] == 0.5);
}

TEST_CASE("trial Dice is the mean over cases, in each bucket and overall") {
  Fixture f;
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  const auto trials = f.store.trial_dice("proto1");
  REQUIRE(trials.size() == 4);
  const std::map<std::string, std::pair<double, int>> expected = {
      {"L", {84.5, 2}}, {"M", {80.5, 2}}, {"S", {75, 2}}, {"all", {80, 6}}};
  for (const auto& trial : trials) {  // exact: sums of halves
    CHECK(trial.dice == expected.at(trial.bucket).first);
    CHECK(trial.cases == expected.at(trial.bucket).second);
  }
  // Property: the overall mean is the mean of the buckets weighted with their cases.
  double sum = 0;
  int cases = 0;
  for (const auto& trial : trials) {
    sum += trial.bucket == "all" ? 0 : trial.dice * trial.cases;
    cases += trial.bucket == "all" ? 0 : trial.cases;
  }
  CHECK(sum / cases == 80);
}

TEST_CASE("a task with several targets also has their average") {
  Fixture f;
  put_done_cell(f.store, cell_row("proto1", "sar", "pancreas", 0), pancreas_cases(75, 33));
  const auto trials = f.store.trial_dice("proto1");
  REQUIRE(trials.size() == 3);
  CHECK(trials[0].target == "average");
  CHECK(trials[0].dice == 54);  // exact
  CHECK(trials[0].cases == 2);
  CHECK(trials[1].dice == 75);
  CHECK(trials[2].dice == 33);
  CHECK(f.value("SELECT mean FROM v_cell WHERE target = 'average'") == 54);
}

TEST_CASE("a protocol that pools voxels shows the Dice of pooled counts", "[key:evaluate.pool]") {
  Fixture f;
  sar::ProtocolRow pooled = protocol_row("pooled");
  pooled.pool_voxels = true;
  f.store.put_protocol(pooled);
  // 2 * 10 / (10 + 30) = 50 %, 2 * 90 / (100 + 100) = 90 %; pooled 2 * 100 / 240 = 83.3 %.
  const std::vector<sar::StoredCaseDice> dice = {{"a", "tumor", "all", 30, 50, 10, 10, 30},
                                                 {"b", "tumor", "all", 100, 90, 90, 100, 100}};
  CellRow cell = cell_row("pooled", "sar", "brats", 0);
  put_done_cell(f.store, cell, dice);
  CHECK(f.store.trial_dice("pooled")[0].dice == Approx(200.0 * 100 / 240).epsilon(1e-15));
  CellRow same = cell_row("proto1", "sar", "brats", 0);
  same.evaluate_node = cell.evaluate_node;
  f.store.put_cell(same);
  CHECK(f.store.trial_dice("proto1")[0].dice == 70);
  // No voxel anywhere: what an empty case counts is kept.
  put_done_cell(
      f.store, cell_row("pooled", "genesis", "brats", 0), {{"a", "tumor", "all", 0, 100, 0, 0, 0}});
  CHECK(f.value("SELECT dice FROM v_trial_dice WHERE method = 'genesis'") == 100);
}

TEST_CASE("cell statistics follow every added, replaced or withdrawn trial by themselves") {
  Fixture f;
  const auto cell = [&] {
    return f.store.query("SELECT n_trials, mean, sd FROM v_cell WHERE bucket = 'all'")["rows"];
  };
  CHECK(cell() == Json::array());
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  CHECK(cell() == Json::parse("[[1, 80.0, null]]"));
  const CellRow second =
      put_done_cell(f.store, cell_row("proto1", "sar", "brats", 1), brats_cases(84));
  CHECK(cell()[0][0] == 2);
  CHECK(cell()[0][1] == 82);
  CHECK(cell()[0][2].get<double>() == Approx(std::sqrt(8.0)).epsilon(1e-15));
  // Evaluated again with another outcome.
  f.store.finish_node(node_row(second.evaluate_node, "evaluate", NodeState::done), brats_cases(80));
  CHECK(cell() == Json::parse("[[2, 80.0, 0.0]]"));
  // Being computed anew: the trial does not count meanwhile.
  f.store.put_node(node_row(second.evaluate_node, "evaluate", NodeState::running));
  CHECK(cell() == Json::parse("[[1, 80.0, null]]"));
  CHECK(f.store.trial_dice("proto1").size() == 4);
  CHECK(f.value("SELECT COUNT(*) FROM v_case_dice") == 6);
  CHECK(f.store.check().empty());
}

TEST_CASE("fractions that share a node all show its rows") {
  Fixture f;
  const CellRow tenth = cell_row("proto1", "sar", "brats", 0, "1/10");
  put_done_cell(f.store, tenth, brats_cases(60));
  CellRow twentieth = cell_row("proto1", "sar", "brats", 0, "1/20");
  twentieth.finetune_node = tenth.finetune_node;
  twentieth.evaluate_node = tenth.evaluate_node;
  f.store.put_cell(twentieth);
  f.store.put_rows(tenth.finetune_node, {{1, 0, "train", 0.5, 0.1, 1}}, {});
  for (const char* view : {"v_case_dice", "v_trial_dice", "v_cell", "v_loss", "v_run"}) {
    const Json rows = f.store.query(std::string("SELECT fraction, COUNT(*) FROM ") + view +
                                    " GROUP BY fraction ORDER BY fraction");
    INFO(view);
    REQUIRE(rows["rows"].size() == 2);
    CHECK(rows["rows"][0][0] == "1/10");
    CHECK(rows["rows"][1][0] == "1/20");
    CHECK(rows["rows"][0][1] == rows["rows"][1][1]);
  }
  CHECK(f.store.runs("proto1")[1].state == "done");
}

TEST_CASE("the state of a cell follows from its nodes") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "sar", "brats", 0);
  f.store.put_cell(cell);
  const auto state = [&] { return f.store.runs("proto1").at(0).state; };
  CHECK(state() == "pending");
  f.store.put_node(node_row(cell.pretrain_node, "pretrain", NodeState::done));
  CHECK(state() == "pending");
  f.store.put_node(node_row(cell.finetune_node, "finetune", NodeState::running));
  CHECK(state() == "running");
  NodeRow failed = node_row(cell.finetune_node, "finetune", NodeState::failed);
  failed.reason = "loss is not finite at step 12";
  failed.ended = "2024-05-01T10:30:00Z";
  f.store.put_node(failed);
  const sar::RunRow run = f.store.runs("proto1").at(0);
  CHECK(run.state == "failed");
  CHECK(run.reason == failed.reason);
  CHECK(run.ended == failed.ended);
  CHECK(run.host == "node1");
  CHECK(run.data_kind == "phantom");
  CHECK(run.cell.seed == cell.seed);
  CHECK(run.cell.evaluate_node == cell.evaluate_node);
  put_done_cell(f.store, cell, brats_cases(80));
  CHECK(state() == "done");
  CHECK(f.store.runs("proto1").at(0).reason.empty());
  CHECK(f.store.runs("elsewhere").empty());
  CHECK(f.store.runs().size() == 1);
}

TEST_CASE("a failed pre-training fails the cells that need it, with its reason") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "genesis", "brats", 0);
  f.store.put_cell(cell);
  f.store.put_cell(cell_row("proto1", "scratch", "brats", 0));
  NodeRow failed = node_row(cell.pretrain_node, "pretrain", NodeState::failed);
  failed.reason = "out of memory";
  f.store.put_node(failed);
  const auto runs = f.store.runs("proto1");
  CHECK(runs[0].state == "failed");
  CHECK(runs[0].reason == "out of memory");
  CHECK(runs[0].host == "node1");
  CHECK(runs[1].state == "pending");
}

TEST_CASE("every failed attempt stays, also when the work has succeeded since") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "sar", "brats", 2, "1/10");
  f.store.put_cell(cell);
  CHECK(f.store.failures().empty());
  NodeRow node = node_row(cell.finetune_node, "finetune", NodeState::running);
  for (const int attempt : {1, 2}) {
    node.state = NodeState::running;
    node.reason.clear();
    f.store.put_node(node);
    node.state = NodeState::failed;
    node.reason = "failure " + std::to_string(attempt);
    node.ended = "2024-05-0" + std::to_string(attempt) + "T10:00:00Z";
    node.seconds = attempt;
    node.dirty = attempt == 2;
    f.store.put_node(node);
  }
  auto failures = f.store.failures();
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].reason == "failure 2");  // newest first
  CHECK(failures[0].attempt == 2);
  CHECK(failures[0].node == cell.finetune_node);
  CHECK(failures[0].kind == "finetune");
  CHECK(failures[0].host == "node1");
  CHECK(failures[0].device == "cpu");
  CHECK(failures[0].commit == "abc123");
  CHECK(failures[0].seconds == 2);
  CHECK(failures[0].dirty);
  CHECK_FALSE(failures[1].dirty);
  CHECK_FALSE(failures[0].done_since);
  node.state = NodeState::done;
  node.reason.clear();
  node.ended = "2024-05-03T10:00:00Z";
  f.store.finish_node(node, {});
  failures = f.store.failures();
  REQUIRE(failures.size() == 2);
  CHECK(failures[0].done_since);
  CHECK(failures[1].done_since);
  CHECK(f.store.query("SELECT method, task, fraction, trial, kind, attempt, reason, done_since "
                      "FROM v_failure ORDER BY attempt")["rows"] ==
        Json::parse(R"([["sar","brats","1/10",2,"finetune",1,"failure 1",1],
                        ["sar","brats","1/10",2,"finetune",2,"failure 2",1]])"));
  CHECK(f.store.check().empty());
}

TEST_CASE("work that was not run because other work failed is not a failed attempt") {
  Fixture f;
  NodeRow node;
  node.key = "n1";
  node.kind = "finetune";
  node.state = NodeState::failed;
  node.reason = "not run, because 'pre-train SAR' failed: out of memory";
  f.store.put_node(node);
  CHECK(f.store.failures().empty());
  CHECK(f.store.check().empty());
}

TEST_CASE("a failed attempt to replace a result is kept and leaves the result") {
  Fixture f;
  const CellRow cell =
      put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  NodeRow again = *f.store.node(cell.evaluate_node);
  again.state = NodeState::failed;
  again.reason = "out of memory";
  again.ended = "2024-05-02T10:00:00Z";
  f.store.add_failure(again);
  CHECK(f.store.runs("proto1").at(0).state == "done");
  REQUIRE(f.store.failures().size() == 1);
  CHECK(f.store.failures()[0].reason == "out of memory");
  CHECK_FALSE(f.store.failures()[0].done_since);  // the result is older
  again.state = NodeState::done;
  again.ended = "2024-05-03T10:00:00Z";
  f.store.finish_node(again, brats_cases(80));
  CHECK(f.store.failures().at(0).done_since);
  again.key = "nowhere";
  CHECK(error_of([&] { f.store.add_failure(again); }).first == sar::ExitCode::input_output);
}

TEST_CASE("a failure is shown for every cell that needs the work, and on the data for none") {
  Fixture f;
  f.store.put_protocol(protocol_row("proto2"));
  const CellRow cell = cell_row("proto1", "sar", "brats", 0, "1/10");
  CellRow shared = cell_row("proto2", "sar", "brats", 0, "1/20");
  shared.evaluate_node = cell.evaluate_node;
  f.store.put_cell(cell);
  f.store.put_cell(shared);
  f.store.put_pretraining("proto1", "sar", cell.pretrain_node);
  for (const auto& [key, kind] : {std::pair(cell.evaluate_node, "evaluate"),
                                  std::pair(cell.pretrain_node, "pretrain"),
                                  std::pair(std::string("cubes"), "cubes")}) {
    f.store.put_node(node_row(key, kind, NodeState::failed));
  }
  CHECK(f.store.query("SELECT kind, protocol, method, task, fraction, trial FROM v_failure "
                      "ORDER BY kind, protocol")["rows"] ==
        Json::parse(R"([["cubes",null,null,null,null,null],
                        ["evaluate","proto1","sar","brats","1/10",0],
                        ["evaluate","proto2","sar","brats","1/20",0],
                        ["pretrain","proto1","sar",null,null,null]])"));
  CHECK(f.store.failures().size() == 3);  // each attempt once
}

TEST_CASE("the nodes of a protocol are those of its cells and all that these name") {
  Fixture f;
  f.store.put_protocol(protocol_row("proto2"));
  const CellRow cell = cell_row("proto1", "sar", "brats", 0);
  f.store.put_cell(cell);
  put_done_cell(f.store, cell_row("proto2", "sar", "brats", 0), brats_cases(80));
  const auto put = [&](const std::string& key, const std::string& kind, const Json& inputs) {
    NodeRow node = node_row(key, kind, NodeState::pending);
    node.inputs = inputs;
    f.store.put_node(node);
  };
  put("c1", "cubes", {{"cases", Json::array({{{"id", "c2"}}})}});
  put("c2", "cubes", Json::object());
  put("c3", "cubes", Json::object());
  put("p1", "prepare", Json::object());
  put("s1", "survey", {{"protocol", "proto1"}, {"cubes", {{"brats", "c3"}, {"luna", "gone"}}}});
  put("s2", "survey", {{"protocol", "proto2"}, {"cubes", {{"brats", "c2"}}}});
  put(cell.pretrain_node, "pretrain", {{"cubes", {"c1"}}});
  put(cell.finetune_node, "finetune", {{"prepared", "p1"}, {"initial", cell.pretrain_node}});
  put(cell.evaluate_node, "evaluate", {{"prepared", "p1"}, {"weights", cell.finetune_node}});
  std::vector<std::string> keys;
  for (const NodeRow& node : f.store.nodes("proto1")) {
    keys.push_back(node.key);
  }
  std::vector<std::string> expected = {
      "c1", "c3", cell.evaluate_node, cell.finetune_node, "p1", cell.pretrain_node, "s1"};
  std::sort(expected.begin(), expected.end());
  CHECK(keys == expected);
  CHECK(f.store.nodes("nowhere").empty());
}

TEST_CASE("all cases of a protocol and fraction are read in a stable order") {
  Fixture f;
  f.store.put_protocol(protocol_row("proto2"));
  put_done_cell(f.store, cell_row("proto1", "sar", "pancreas", 0), pancreas_cases(75, 33));
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 1), brats_cases(80));
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(81));
  put_done_cell(f.store, cell_row("proto1", "genesis", "brats", 0), brats_cases(70));
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0, "1/10"), brats_cases(60));
  put_done_cell(f.store, cell_row("proto2", "sar", "brats", 0), brats_cases(50));
  const CellRow unfinished = cell_row("proto1", "scratch", "brats", 0);
  put_done_cell(f.store, unfinished, brats_cases(40));
  f.store.put_node(node_row(unfinished.evaluate_node, "evaluate", NodeState::running));

  const std::vector<sar::CaseRow> cases = f.store.cases("proto1", "1");
  REQUIRE(cases.size() == 3 * 6 + 4);
  const auto order = [](const sar::CaseRow& row) {
    return std::tie(row.task, row.target, row.method, row.trial, row.case_id);
  };
  for (std::size_t i = 1; i < cases.size(); ++i) {
    CHECK(order(cases[i - 1]) < order(cases[i]));
  }
  const sar::CaseRow& row = cases[6];
  CHECK(row.method == "sar");
  CHECK(row.task == "brats");
  CHECK(row.fraction == "1");
  CHECK(row.trial == 0);
  CHECK(row.case_id == "c1");
  CHECK(row.target == "tumor");
  CHECK(row.bucket == "S");
  CHECK(row.volume_mm3 == 100);
  CHECK(row.dice == 75);
  CHECK(f.store.cases("proto1", "1/10").size() == 6);
  CHECK(f.store.cases("proto1", "1/2").empty());
}

TEST_CASE("a trial has the inputs of its fine-tuning, whatever the methods") {
  Fixture f;
  const auto put = [&](const CellRow& cell, const Json& train) {
    NodeRow node = node_row(cell.finetune_node, "finetune", NodeState::pending);
    node.inputs = {{"train", train}};
    f.store.put_node(node);
    f.store.put_cell(cell);
  };
  for (const char* method : {"sar", "genesis"}) {
    put(cell_row("proto1", method, "brats", 0, "1/10"), {"a", method});
  }
  put(cell_row("proto1", "sar", "brats", 1, "1/10"), {"b"});
  put(cell_row("proto1", "sar", "pancreas", 0), {"c"});
  f.store.put_cell(cell_row("proto1", "sar", "brats", 0, "1/2"));  // fine-tuning not planned yet
  std::vector<std::string> found;
  for (const sar::TrialInputs& each : f.store.trial_inputs("proto1")) {
    found.push_back(each.task + " " + each.fraction + " " + each.inputs.at("train").dump());
  }
  std::ranges::sort(found);
  CHECK(found == std::vector<std::string>{
                     R"(brats 1/10 ["a","sar"])", R"(brats 1/10 ["b"])", R"(pancreas 1 ["c"])"});
  CHECK(f.store.trial_inputs("proto2").empty());
}

TEST_CASE("t-tests are stored per family and renewed with every trial") {
  Fixture f;
  for (int trial = 0; trial < 3; ++trial) {
    put_done_cell(f.store, cell_row("proto1", "sar", "brats", trial), brats_cases(84 + trial));
    put_done_cell(
        f.store, cell_row("proto1", "genesis", "brats", trial), brats_cases(80 + 2 * trial));
  }
  put_done_cell(f.store, cell_row("proto1", "scratch", "brats", 0), brats_cases(70));
  f.store.renew_statistics("proto1", {small_spec(3)});
  const auto row = [&](const std::string& method, const std::string& test) {
    return f.store.query(
        "SELECT t, df, p, hedges_g, ci_low, ci_high, p_adjusted FROM v_ttest "
        "WHERE family = 'table2' AND versus = 'sar' AND bucket = 'all' AND "
        "method = '" +
        method + "' AND test = '" + test + "'")["rows"];
  };
  const sar::TTest expected = sar::student_test({82, 2, 3}, {85, 1, 3});
  const Json student = row("genesis", "student");
  REQUIRE(student.size() == 1);
  // Tolerance 1e-12: the means come from three roundings each.
  CHECK(student[0][0].get<double>() == Approx(expected.t).epsilon(1e-12));
  CHECK(student[0][1].get<double>() == Approx(expected.df).epsilon(1e-12));
  CHECK(student[0][2].get<double>() == Approx(expected.p).epsilon(1e-12));
  CHECK(student[0][3].get<double>() == Approx(expected.hedges_g).epsilon(1e-12));
  CHECK(student[0][4].get<double>() == Approx(expected.g_low).epsilon(1e-12));
  CHECK(student[0][5].get<double>() == Approx(expected.g_high).epsilon(1e-12));
  CHECK(student[0][6].get<double>() >= student[0][2].get<double>());
  CHECK(row("genesis", "welch")[0][1].get<double>() ==
        Approx(sar::welch_test({82, 2, 3}, {85, 1, 3}).df).epsilon(1e-12));
  // One trial of Scratch: a row that says "not testable", not a p.
  CHECK(row("scratch", "student") == Json::parse("[[null,null,null,null,null,null,null]]"));
  // No trial on pancreas: no row. 2 methods x 4 buckets x 2 tests.
  CHECK(f.value("SELECT COUNT(*) FROM v_ttest") == 16);
  put_done_cell(f.store, cell_row("proto1", "scratch", "brats", 1), brats_cases(72));
  CHECK(row("scratch", "student")[0][1] == 3.0);  // df of 2 against 3 trials
  CHECK(f.store.check().empty());
}

TEST_CASE("statistics of an unknown protocol are refused") {
  Fixture f;
  CHECK_FALSE(error_of([&] { f.store.renew_statistics("nowhere", {}); }).first ==
              sar::ExitCode::ok);
}

TEST_CASE("a Dice out of range is refused and stores nothing") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "sar", "brats", 0);
  f.store.put_cell(cell);
  for (const double dice : {-0.1, 100.1, std::nan("")}) {
    auto rows = brats_cases(80);
    rows[3].dice = dice;
    const auto [code, text] = error_of([&] {
      f.store.finish_node(node_row(cell.evaluate_node, "evaluate", NodeState::done), rows);
    });
    CHECK(code == sar::ExitCode::data_invalid);
    CHECK(text.find("c4") != std::string::npos);
  }
  CHECK_FALSE(f.store.node(cell.evaluate_node));
}

TEST_CASE("a finish that fails half-way leaves nothing behind") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "sar", "brats", 0);
  f.store.put_cell(cell);
  auto rows = brats_cases(80);
  rows.push_back(rows.front());  // the same case twice
  CHECK(error_of([&] {
          f.store.finish_node(node_row(cell.evaluate_node, "evaluate", NodeState::done), rows);
        }).first == sar::ExitCode::input_output);
  CHECK_FALSE(f.store.node(cell.evaluate_node));
  CHECK(f.store.case_dice(cell.evaluate_node).empty());
  put_done_cell(f.store, cell, brats_cases(80));  // and the store goes on working
  CHECK(f.store.case_dice(cell.evaluate_node).size() == 6);
}

TEST_CASE("cases are read back as they were stored") {
  Fixture f;
  const CellRow cell =
      put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80.123456789));
  const auto expected = brats_cases(80.123456789);
  const auto back = f.store.case_dice(cell.evaluate_node);
  REQUIRE(back.size() == expected.size());
  for (std::size_t i = 0; i < back.size(); ++i) {  // exact
    CHECK(back[i].case_id == expected[i].case_id);
    CHECK(back[i].bucket == expected[i].bucket);
    CHECK(back[i].dice == expected[i].dice);
    CHECK(back[i].volume_mm3 == expected[i].volume_mm3);
    CHECK(back[i].voxels_both == expected[i].voxels_both);
    CHECK(back[i].voxels_predicted == expected[i].voxels_predicted);
    CHECK(back[i].voxels_true == expected[i].voxels_true);
  }
}

TEST_CASE("several processes write one new database at the same time without loss") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  constexpr int kProcesses = 4;
  constexpr int kTrials = 5;
  std::array<pid_t, kProcesses> children{};
  for (int process = 0; process < kProcesses; ++process) {
    children[static_cast<std::size_t>(process)] = ::fork();
    if (children[static_cast<std::size_t>(process)] == 0) {
      int status = 1;
      try {
        Store store(file, Store::Mode::read_write);  // all of them make or find it
        store.put_protocol(protocol_row("proto1"));
        const std::string method = "m" + std::to_string(process);
        for (int trial = 0; trial < kTrials; ++trial) {
          put_done_cell(store, cell_row("proto1", method, "brats", trial), brats_cases(80));
        }
        status = 0;
      } catch (const std::exception& error) {
        ::dprintf(2, "%s\n", error.what());
      }
      ::_exit(status);
    }
  }
  for (const pid_t child : children) {
    int status = -1;
    REQUIRE(::waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  const Store store(file, Store::Mode::read);
  CHECK(store.runs("proto1").size() == kProcesses * kTrials);
  CHECK(store.trial_dice("proto1").size() == kProcesses * kTrials * 4);
  CHECK(store.check().empty());
}

TEST_CASE("a reader works beside an open write transaction, a writer gives up after its patience") {
  Fixture f;
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  SqliteFile other(f.file());
  other.run("BEGIN IMMEDIATE; DELETE FROM cell_statistic");
  const Store reader(f.file(), Store::Mode::read);
  CHECK(reader.trial_dice("proto1").size() == 4);
  StoreOptions hasty;
  hasty.busy_timeout = std::chrono::milliseconds(30);
  Store writer(f.file(), Store::Mode::read_write, hasty);
  const auto [code, text] = error_of([&] { writer.put_protocol(protocol_row("proto2")); });
  CHECK(code == sar::ExitCode::input_output);
  CHECK(text.find("locked") != std::string::npos);
  CHECK(text.find(f.file().string()) != std::string::npos);
  other.run("ROLLBACK");
  writer.put_protocol(protocol_row("proto2"));
}

TEST_CASE("a writer waits for another one") {
  Fixture f;
  SqliteFile other(f.file());
  other.run("BEGIN IMMEDIATE; DELETE FROM cell_statistic");
  std::thread releasing([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    other.run("COMMIT");
  });
  f.store.put_protocol(protocol_row("proto2"));
  releasing.join();
  CHECK(f.store.protocol("proto2"));
}

TEST_CASE("a full disk is reported and loses nothing that was stored") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  {
    Store store(file, Store::Mode::read_write);
    store.put_protocol(protocol_row("proto1"));
    put_done_cell(store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  }
  StoreOptions small;
  small.page_limit = 1;  // SQLite takes the present size instead: not a page more
  Store store(file, Store::Mode::read_write, small);
  std::vector<sar::StoredLoss> losses;
  for (int step = 0; step < 10'000; ++step) {
    losses.push_back({step, 0, "train", 0.5, 0.1, 1.0});
  }
  const std::string node = cell_row("proto1", "sar", "brats", 0).finetune_node;
  const auto [code, text] = error_of([&] { store.put_rows(node, losses, {}); });
  CHECK(code == sar::ExitCode::input_output);
  CHECK(text.find("full") != std::string::npos);
  CHECK(text.find(file.string()) != std::string::npos);
  CHECK(store.query("SELECT COUNT(*) FROM loss")["rows"][0][0] == 0);
  CHECK(store.trial_dice("proto1").size() == 4);
  CHECK(store.check().empty());
}

TEST_CASE("a store opened for reading writes nothing and says so") {
  Fixture f;
  Store reader(f.file(), Store::Mode::read);
  const auto [code, text] = error_of([&] { reader.put_protocol(protocol_row("proto2")); });
  CHECK(code == sar::ExitCode::input_output);
  CHECK(text.find("readonly") != std::string::npos);
}

TEST_CASE("reading a database that is not there is an error of its own") {
  const sar::TemporaryFolder folder;
  const auto [code, text] =
      error_of([&] { Store(folder.path() / "none.sqlite", Store::Mode::read); });
  CHECK(code == sar::ExitCode::data_not_found);
  CHECK(text.find("none.sqlite") != std::string::npos);
  CHECK_FALSE(fs::exists(folder.path() / "none.sqlite"));
  std::ofstream(folder.path() / "empty.sqlite");
  CHECK(error_of([&] { Store(folder.path() / "empty.sqlite", Store::Mode::read); }).first ==
        sar::ExitCode::data_not_found);
}

TEST_CASE("writing makes missing folders") {
  const sar::TemporaryFolder folder;
  const Store store(folder.path() / "a" / "b" / "runs.sqlite", Store::Mode::read_write);
  CHECK(fs::exists(folder.path() / "a" / "b" / "runs.sqlite"));
}

TEST_CASE("files that are not sar-bench databases are refused and left alone") {
  const sar::TemporaryFolder folder;
  const fs::path text_file = folder.path() / "notes.txt";
  std::ofstream(text_file) << std::string(5000, 'x');
  const fs::path foreign = folder.path() / "foreign.sqlite";
  SqliteFile(foreign).run("CREATE TABLE theirs (a)");
  for (const fs::path& path : {text_file, foreign}) {
    const std::string before = sar::read_file(path);
    for (const Store::Mode mode : {Store::Mode::read, Store::Mode::read_write}) {
      const auto [code, text] = error_of([&] { Store(path, mode); });
      CHECK(code == sar::ExitCode::input_output);
      CHECK(text.find(path.string()) != std::string::npos);
    }
    CHECK(sar::read_file(path) == before);
  }
  CHECK(error_of([&] { Store(folder.path(), Store::Mode::read_write); }).first ==
        sar::ExitCode::input_output);
}

TEST_CASE("a database of a newer version is refused and left alone") {
  Fixture f;
  const fs::path copy = f.folder.path() / "newer.sqlite";
  SqliteFile(f.file()).run("VACUUM INTO '" + copy.string() + "'");
  write_bytes(copy, 60, std::string("\0\0\0\x63", 4));  // user_version in the file header
  const std::string before = sar::read_file(copy);
  for (const Store::Mode mode : {Store::Mode::read, Store::Mode::read_write}) {
    const auto [code, text] = error_of([&] { Store(copy, mode); });
    CHECK(code == sar::ExitCode::input_output);
    CHECK(text.find("newer") != std::string::npos);
    CHECK(text.find("99") != std::string::npos);
  }
  CHECK(sar::read_file(copy) == before);
}

TEST_CASE("a damaged database gives an error, not a crash") {
  Fixture f;
  for (int trial = 0; trial < 20; ++trial) {
    put_done_cell(f.store, cell_row("proto1", "sar", "brats", trial), brats_cases(80));
  }
  const fs::path copy = f.folder.path() / "damaged.sqlite";
  SqliteFile(f.file()).run("VACUUM INTO '" + copy.string() + "'");
  const auto size = fs::file_size(copy);
  write_bytes(copy, 4096, std::string(size - 4096, '\x5a'));
  const auto [code, text] = error_of([&] {
    const Store store(copy, Store::Mode::read);
    (void)store.trial_dice("proto1");
  });
  CHECK(code == sar::ExitCode::input_output);
  CHECK(text.find(copy.string()) != std::string::npos);
}

TEST_CASE("the check finds statistics, products and references that went wrong") {
  Fixture f;
  const CellRow cell =
      put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  put_done_cell(f.store, cell_row("proto1", "genesis", "brats", 0), brats_cases(70));
  f.store.renew_statistics("proto1", {small_spec(1)});
  REQUIRE(f.store.check().empty());
  const auto faults_after = [&](const std::string& damage, const std::string& repair) {
    SqliteFile(f.file()).run(damage);
    const auto faults = f.store.check();
    SqliteFile(f.file()).run(repair);
    REQUIRE(f.store.check().empty());
    std::string joined;
    for (const auto& fault : faults) {
      joined += fault + "\n";
    }
    return joined;
  };
  using Catch::Contains;
  CHECK_THAT(faults_after("UPDATE cell_statistic SET mean = mean + 1 WHERE bucket = 'S'",
                          "UPDATE cell_statistic SET mean = mean - 1 WHERE bucket = 'S'"),
             Contains("cell statistics") && Contains("tumor S"));
  CHECK_THAT(faults_after("UPDATE trial_dice SET dice = dice + 1 WHERE bucket = 'L'",
                          "UPDATE trial_dice SET dice = dice - 1 WHERE bucket = 'L'"),
             Contains("trial means") && Contains("cell statistics"));
  CHECK_THAT(faults_after("UPDATE ttest SET p = 0.01", "UPDATE ttest SET p = NULL"),
             Contains("t-tests") && Contains("genesis sar student"));
  CHECK_THAT(faults_after("UPDATE node SET path = '/no/such/file' WHERE kind = 'evaluate'",
                          "UPDATE node SET path = NULL"),
             Contains("/no/such/file"));
  CHECK_THAT(faults_after("INSERT INTO loss VALUES ('nowhere', 'train', 1, 0, 1, 1, 1)",
                          "DELETE FROM loss"),
             Contains("refers to a missing row of node"));
  CHECK_THAT(faults_after("UPDATE cell SET finetune_node = 'nowhere' WHERE method = 'sar'",
                          "UPDATE cell SET finetune_node = '" + cell.finetune_node +
                              "' WHERE method = 'sar'"),
             Contains("fine-tuning is missing"));
  CHECK_THAT(
      faults_after("UPDATE node SET state = 'failed' WHERE key = '" + cell.finetune_node + "'",
                   "UPDATE node SET state = 'done' WHERE key = '" + cell.finetune_node + "'"),
      Contains(cell.finetune_node + " has failed but its failure is not kept"));
  CHECK_THAT(
      faults_after("INSERT INTO failure VALUES ('nowhere', 1, 'x', NULL, 1, NULL, NULL, NULL, 0)",
                   "DELETE FROM failure"),
      Contains("refers to a missing row of node"));
}

TEST_CASE("queries read anything and change nothing") {
  Fixture f;
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  const Json result =
      f.store.query("SELECT 1 AS one, 2.5, 'text', NULL, x'00ff', \"commit\" FROM v_run; -- end");
  CHECK(result["columns"] == Json({"one", "2.5", "'text'", "NULL", "x'00ff'", "commit"}));
  CHECK(result["rows"] == Json::parse(R"([[1, 2.5, "text", null, "00ff", "abc123"]])"));
  CHECK(f.store.query("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3) "
                      "SELECT SUM(i) FROM n")["rows"][0][0] == 6);
  CHECK(f.store.query("PRAGMA table_info(v_cell)")["rows"].size() == 9);
  CHECK(f.store.query("SELECT name FROM pragma_table_info('v_cell')")["rows"].size() == 9);
  CHECK(f.store.query("EXPLAIN QUERY PLAN SELECT * FROM v_cell")["columns"].size() == 4);
  const std::string outside = (f.folder.path() / "other.sqlite").string();
  for (const std::string& sql : {std::string("DELETE FROM cell"),
                                 std::string("UPDATE node SET state = 'done'"),
                                 std::string("DROP VIEW v_cell"),
                                 std::string("CREATE TABLE x (a)"),
                                 std::string("PRAGMA user_version = 5"),
                                 std::string("PRAGMA journal_mode = delete"),
                                 std::string("PRAGMA foreign_keys = OFF"),
                                 "ATTACH '" + outside + "' AS o",
                                 "VACUUM INTO '" + outside + "'",
                                 std::string("BEGIN"),
                                 std::string("SELEC 1"),
                                 std::string("SELECT * FROM nowhere"),
                                 std::string(""),
                                 std::string("  ; "),
                                 std::string("SELECT 1; SELECT 2"),
                                 std::string("INSERT INTO cell SELECT * FROM cell RETURNING *")}) {
    INFO(sql);
    CHECK(error_of([&] { (void)f.store.query(sql); }).first == sar::ExitCode::usage);
  }
  CHECK(f.value("SELECT COUNT(*) FROM cell") == 1);
  CHECK_FALSE(fs::exists(outside));
  put_done_cell(f.store, cell_row("proto1", "sar", "brats", 1), brats_cases(80));  // still writable
}

TEST_CASE("a store can be moved") {
  Fixture f;
  Store moved = std::move(f.store);
  CHECK(moved.protocol("proto1"));
  f.store = std::move(moved);
  CHECK(f.store.protocol("proto1"));
}

TEST_CASE(
    "planning a stored cell again changes nothing; a changed cell is stored and counted anew") {
  Fixture f;
  CellRow cell = put_done_cell(f.store, cell_row("proto1", "sar", "brats", 0), brats_cases(80));
  const CellRow other =
      put_done_cell(f.store, cell_row("proto1", "genesis", "brats", 0), brats_cases(70));
  SqliteFile watcher(f.file());
  const std::string before = watcher.value("PRAGMA data_version");  // counts commits of others
  f.store.put_cell(cell);
  CHECK(watcher.value("PRAGMA data_version") == before);
  cell.evaluate_node = other.evaluate_node;
  f.store.put_cell(cell);
  CHECK(watcher.value("PRAGMA data_version") != before);
  CHECK(f.value("SELECT mean FROM v_cell WHERE method = 'sar' AND bucket = 'all'") == 70);
}

/// Reads the protocol "proto1" as somebody who may write neither the file nor its folder; returns 0
/// if that works.
int status_of_reader(const fs::path& file) {
  const fs::path inner = file.parent_path();
  fs::permissions(inner.parent_path(), fs::perms(0755));
  fs::permissions(inner, fs::perms(0555));
  const pid_t child = ::fork();
  if (child == 0) {
    constexpr unsigned kNobody = 65534;  // root could write all the same
    const bool weak = ::geteuid() != 0 || ::setuid(kNobody) == 0;
    int status = 1;
    try {
      status = weak && Store(file, Store::Mode::read).protocol("proto1") ? 0 : 2;
    } catch (const std::exception& error) {
      ::dprintf(2, "%s\n", error.what());
    }
    ::_exit(status);
  }
  int status = -1;
  REQUIRE(::waitpid(child, &status, 0) == child);
  fs::permissions(inner, fs::perms(0755));
  return status;
}

TEST_CASE("a database in a folder that cannot be written can be read") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "50% #1?" / "runs.sqlite";
  Store(file, Store::Mode::read_write).put_protocol(protocol_row("proto1"));
  CHECK(status_of_reader(file) == 0);
}

TEST_CASE("so can one of an older version, which stays as it is") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "inner" / "runs.sqlite";
  sar::OpenOptions options;
  options.write = true;
  sar::open_database(file, options, sar::schema_history().first(3));
  SqliteFile(file).run("INSERT INTO protocol VALUES ('proto1', 'phantom', 'quick', '{}', '{}', 0)");
  CHECK(status_of_reader(file) == 0);
  CHECK(SqliteFile(file).value("PRAGMA user_version") == "3");
  // As root, too, where there is no place for the backup.
  fs::create_directories(file.string() + ".backup-v3/taken");
  CHECK(Store(file, Store::Mode::read).protocol("proto1"));
  CHECK(SqliteFile(file).value("PRAGMA user_version") == "3");
  CHECK_THROWS_AS(Store(file, Store::Mode::read_write), sar::Error);
}

TEST_CASE("the log is merged when the last one closes: one file remains") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  {
    Store store(file, Store::Mode::read_write);
    store.put_protocol(protocol_row("proto1"));
    CHECK(fs::exists(file.string() + "-wal"));
  }
  CHECK_FALSE(fs::exists(file.string() + "-wal"));
  CHECK(Store(file, Store::Mode::read).protocol("proto1"));
}
