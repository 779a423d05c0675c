#include "results/database/run_summary.h"

#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace {

using sar::CellRow;
using sar::FailedWork;
using sar::Json;
using sar::NodeRow;
using sar::NodeState;
using sar::RunSummary;
using sar::Store;
using sar::WorkDone;
using sar::test::brats_cases;
using sar::test::cell_row;
using sar::test::node_row;
using sar::test::protocol_row;
using sar::test::put_done_cell;
using Texts = std::vector<std::string>;

/// A database of two protocols.
struct Fixture {
  Fixture() : store(folder.path() / "runs.sqlite", Store::Mode::read_write) {
    store.put_protocol(protocol_row("proto1"));
    store.put_protocol(protocol_row("proto2"));
  }

  /// Stores a node that is done after so many hours.
  NodeRow put(const std::string& key, const std::string& kind, double hours, Json inputs = {}) {
    NodeRow node = node_row(key, kind, NodeState::done);
    node.seconds = hours * 3600;
    node.inputs.update(inputs.is_null() ? Json::object() : inputs);
    store.put_node(node);
    return node;
  }

  void fail(NodeRow node, const std::string& reason, const std::string& ended) {
    node.state = NodeState::failed;
    node.reason = reason;
    node.ended = ended;
    store.put_node(node);
  }

  [[nodiscard]] RunSummary summary(const std::string& protocol = "proto1") const {
    return run_summary(store, *store.protocol(protocol));
  }

  sar::TemporaryFolder folder;
  Store store;
};

const WorkDone& work_of(const RunSummary& summary, const std::string& kind) {
  for (const WorkDone& work : summary.work) {
    if (work.kind == kind) {
      return work;
    }
  }
  throw std::runtime_error("no work of this kind: " + kind);
}

}  // namespace

TEST_CASE("a protocol with nothing stored has an empty summary") {
  const Fixture f;
  const RunSummary summary = f.summary();
  CHECK(summary.cells == 0);
  CHECK(summary.work.empty());
  CHECK(summary.failures.empty());
  CHECK(summary.hosts.empty());
  CHECK(summary.first.empty());
  CHECK_FALSE(summary.dirty);
}

TEST_CASE("all work of a protocol is counted, each node once, that of another protocol is not") {
  Fixture f;
  f.put("cubes-a", "cubes", 0.5);
  f.put("cubes-b", "cubes", 0.25);
  f.put("cubes-other", "cubes", 100);
  f.put("prepared", "prepare", 1);
  f.put("survey1", "survey", 2, {{"protocol", "proto1"}, {"cubes", {{"brats", "cubes-a"}}}});
  f.put("survey2", "survey", 100, {{"protocol", "proto2"}, {"cubes", {{"brats", "cubes-other"}}}});
  // A pre-training that no cell uses: asked for by the table of proxy tasks.
  f.put("pretrain-alone", "pretrain", 4, {{"cubes", {"cubes-a", "cubes-b"}}});
  f.store.put_pretraining("proto1", "rotation", "pretrain-alone");
  const CellRow cell = cell_row("proto1", "sar", "brats", 0, "1/10");
  f.put(cell.pretrain_node, "pretrain", 8, {{"cubes", {"cubes-a"}}});
  f.put(cell.finetune_node,
        "finetune",
        16,
        {{"prepared", "prepared"}, {"initial", cell.pretrain_node}});
  f.put(cell.evaluate_node,
        "evaluate",
        32,
        {{"prepared", "prepared"}, {"weights", cell.finetune_node}});
  f.store.put_cell(cell);
  CellRow shared = cell_row("proto1", "sar", "brats", 0, "1/20");
  shared.finetune_node = cell.finetune_node;
  shared.evaluate_node = cell.evaluate_node;
  f.store.put_cell(shared);
  put_done_cell(f.store, cell_row("proto2", "genesis", "brats", 0), brats_cases(80));
  f.store.put_cell(cell_row("proto1", "genesis", "brats", 0));  // its nodes are not stored yet

  const RunSummary summary = f.summary();
  Texts kinds;
  for (const WorkDone& work : summary.work) {
    kinds.push_back(work.kind);
    CHECK(work.failed == 0);
    CHECK(work.open == 0);
  }
  CHECK(kinds == Texts{"cubes", "survey", "prepare", "pretrain", "finetune", "evaluate"});
  const std::map<std::string, std::pair<int, double>> expected = {{"cubes", {2, 0.75}},
                                                                  {"survey", {1, 2}},
                                                                  {"prepare", {1, 1}},
                                                                  {"pretrain", {2, 12}},
                                                                  {"finetune", {1, 16}},
                                                                  {"evaluate", {1, 32}}};
  for (const auto& [kind, counts] : expected) {  // exact: whole seconds
    INFO(kind);
    CHECK(work_of(summary, kind).done == counts.first);
    CHECK(work_of(summary, kind).hours == counts.second);
  }
  CHECK(summary.cells == 3);
  CHECK(summary.done == 2);
  CHECK(summary.open == 1);
  CHECK(f.summary("proto2").cells == 1);
  CHECK(work_of(f.summary("proto2"), "cubes").hours == 100);
}

TEST_CASE("work of two protocols that share nodes is told under both") {
  Fixture f;
  const CellRow cell =
      put_done_cell(f.store, cell_row("proto1", "scratch", "brats", 0), brats_cases(80));
  CellRow same = cell_row("proto2", "scratch", "brats", 0);
  same.finetune_node = cell.finetune_node;
  same.evaluate_node = cell.evaluate_node;
  f.store.put_cell(same);
  CHECK(f.summary("proto1").done == 1);
  CHECK(f.summary("proto2").done == 1);
  CHECK(work_of(f.summary("proto2"), "finetune").done == 1);
}

TEST_CASE("hosts, versions and times are those of finished work, distinct and in order") {
  Fixture f;
  const CellRow cell = cell_row("proto1", "sar", "brats", 0);
  f.store.put_cell(cell);
  NodeRow node = node_row(cell.pretrain_node, "pretrain", NodeState::done);
  node.host = "zeta";
  node.threads = 2;
  node.started = "2024-05-02T10:00:00Z";
  node.ended = "2024-05-02T11:00:00Z";
  node.machine = "processor A";
  node.determinism = "cuDNN";
  node.command = "sar-bench run table2";
  node.peak_rss_mb = 100;
  f.store.put_node(node);
  node.key = cell.finetune_node;
  node.kind = "finetune";
  node.host = "alpha";
  node.commit = "fed456";
  node.dirty = true;
  node.started = "2024-05-01T09:00:00Z";
  node.ended = "2024-05-01T12:00:00Z";
  node.determinism = "bit-exact";
  f.store.put_node(node);
  node.key = cell.evaluate_node;
  node.kind = "evaluate";
  node.state = NodeState::running;
  node.host = "unfinished";
  node.started = "2020-01-01T00:00:00Z";
  node.threads = 64;
  f.store.put_node(node);

  const RunSummary summary = f.summary();
  CHECK(summary.hosts == Texts{"alpha", "zeta"});
  CHECK(summary.machines == Texts{"processor A"});
  CHECK(summary.devices == Texts{"cpu"});
  CHECK(summary.commits == Texts{"abc123", "fed456"});
  CHECK(summary.torch == Texts{"1.13.1"});
  CHECK(summary.itk.empty());  // unknown
  CHECK(summary.determinism == Texts{"bit-exact", "cuDNN"});
  CHECK(summary.commands == Texts{"sar-bench run table2"});
  CHECK(summary.threads == std::vector<int>{2});
  CHECK(summary.dirty);
  CHECK(summary.first == "2024-05-01T09:00:00Z");
  CHECK(summary.last == "2024-05-02T11:00:00Z");
  CHECK(work_of(summary, "pretrain").peak_rss_mb == 100);
  CHECK(work_of(summary, "evaluate").open == 1);
}

TEST_CASE("seeds are listed by trial") {
  Fixture f;
  for (const int trial : {1, 0}) {
    f.store.put_cell(cell_row("proto1", "sar", "brats", trial));
    f.store.put_cell(cell_row("proto1", "scratch", "brats", trial));
  }
  CellRow other = cell_row("proto1", "sar", "pancreas", 0);
  other.seed = 7;
  f.store.put_cell(other);
  CHECK(f.summary().seeds ==
        std::map<int, std::vector<std::uint64_t>>{{0, {7, 1000}}, {1, {1001}}});
}

TEST_CASE("failures that stand come first, then those mended since, each newest first") {
  Fixture f;
  const CellRow mended = cell_row("proto1", "sar", "brats", 1, "1/10");
  CellRow shared = cell_row("proto1", "sar", "brats", 2, "1/20");
  shared.finetune_node = mended.finetune_node;
  const CellRow standing = cell_row("proto1", "genesis", "brats", 0);
  const CellRow foreign = cell_row("proto2", "genesis", "brats", 0);
  for (const CellRow& cell : {mended, shared, standing, foreign}) {
    f.store.put_cell(cell);
  }
  const NodeRow finetune = node_row(mended.finetune_node, "finetune", NodeState::failed);
  f.fail(finetune, "out of memory", "2024-05-03T10:00:00Z");
  f.fail(finetune, "diverged", "2024-05-04T10:00:00Z");
  f.put(mended.pretrain_node, "pretrain", 1);
  NodeRow done = finetune;
  done.state = NodeState::done;
  done.ended = "2024-05-05T10:00:00Z";
  f.store.put_node(done);
  f.fail(node_row(standing.pretrain_node, "pretrain", NodeState::failed),
         "disk is full",
         "2024-05-02T10:00:00Z");
  NodeRow unreached = node_row(standing.finetune_node, "finetune", NodeState::failed);
  unreached.started.clear();
  f.fail(unreached, "not run, because the pre-training failed", "");
  f.fail(node_row(foreign.evaluate_node, "evaluate", NodeState::failed), "x", "2024-05-09");

  const RunSummary summary = f.summary();
  REQUIRE(summary.failures.size() == 3);
  const FailedWork& first = summary.failures[0];
  CHECK(first.node == standing.pretrain_node);
  CHECK(first.kind == "pretrain");
  CHECK(first.method == "genesis");
  CHECK(first.task.empty());
  CHECK(first.fraction.empty());
  CHECK(first.trials.empty());
  CHECK(first.reason == "disk is full");
  CHECK(first.host == "node1");
  CHECK_FALSE(first.done_since);
  const FailedWork& second = summary.failures[1];
  CHECK(second.node == mended.finetune_node);
  CHECK(second.reason == "diverged");
  CHECK(second.attempt == 2);
  CHECK(second.ended == "2024-05-04T10:00:00Z");
  CHECK(second.done_since);
  CHECK(second.method == "sar");
  CHECK(second.task == "brats");
  CHECK(second.fraction == "1/10, 1/20");  // the node serves both, and is one failure
  CHECK(second.trials == std::vector<int>{1, 2});
  CHECK(summary.failures[2].reason == "out of memory");
  CHECK(summary.failures[2].attempt == 1);
  CHECK(work_of(summary, "finetune").failed == 1);
  CHECK(work_of(summary, "finetune").done == 1);
  CHECK(summary.failed == 1);
}

TEST_CASE("a failure on the data or in a pre-training without cells tells what it was for") {
  Fixture f;
  f.fail(node_row("cubes-a", "cubes", NodeState::failed), "unreadable", "2024-05-01");
  NodeRow prepare = node_row("prepared", "prepare", NodeState::failed);
  prepare.inputs["task"] = "pancreas";
  f.fail(prepare, "unreadable", "2024-05-02");
  NodeRow alone = node_row("pretrain-alone", "pretrain", NodeState::failed);
  alone.inputs.update({{"method", "jigsaw"}, {"cubes", {"cubes-a"}}});
  f.fail(alone, "diverged", "2024-05-03");
  f.store.put_pretraining("proto1", "jigsaw", "pretrain-alone");
  const CellRow cell = cell_row("proto1", "scratch", "pancreas", 0);
  NodeRow finetune = node_row(cell.finetune_node, "finetune", NodeState::pending);
  finetune.inputs["prepared"] = "prepared";
  f.store.put_node(finetune);
  f.store.put_cell(cell);

  const RunSummary summary = f.summary();
  REQUIRE(summary.failures.size() == 3);
  CHECK(summary.failures[0].method == "jigsaw");
  CHECK(summary.failures[1].kind == "prepare");
  CHECK(summary.failures[1].method.empty());
  CHECK(summary.failures[1].task == "pancreas");
  CHECK(summary.failures[2].kind == "cubes");
  CHECK(summary.failures[2].method.empty());
  CHECK(summary.failures[2].trials.empty());
}
