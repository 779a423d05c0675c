#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "tests/support/planning.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <set>

namespace {

using sar::Plan;
using sar::Selection;

struct Planning {
  sar::TemporaryFolder folder;
  sar::Catalog catalog = sar::test::make_catalog(folder.path());
  sar::Manifest manifest = sar::test::make_manifest();
  Selection selection = cells({"scratch", "genesis", "sar"}, {"brats", "pancreas"}, {"1"}, 5);

  static Selection cells(std::vector<std::string> methods,
                         std::vector<std::string> tasks,
                         std::vector<std::string> fractions,
                         int trials) {
    Selection wanted;
    wanted.methods = std::move(methods);
    wanted.tasks = std::move(tasks);
    wanted.fractions = std::move(fractions);
    wanted.trials = trials;
    return wanted;
  }

  Plan plan(const std::vector<std::pair<std::string, std::string>>& values = {}) const {
    sar::ConfigurationSources sources;
    for (const auto& [key, value] : values) {
      sources.flags.push_back({key, value, "--set"});
    }
    const sar::Configuration configuration(catalog, sources);
    return sar::make_plan(
        catalog, configuration, manifest, "test", {selection}, folder.path() / "work");
  }

  Plan plan_of(const std::vector<Selection>& selections) const {
    const sar::Configuration configuration(catalog, {});
    return sar::make_plan(
        catalog, configuration, manifest, "test", selections, folder.path() / "work");
  }

  static int count(const Plan& plan, const std::string& kind) {
    return static_cast<int>(std::ranges::count(plan.nodes, kind, &sar::PlannedNode::kind));
  }

  static std::set<std::string> keys(const Plan& plan, const std::string& kind = {}) {
    std::set<std::string> all;
    for (const auto& node : plan.nodes) {
      if (kind.empty() || node.kind == kind) {
        all.insert(node.key);
      }
    }
    return all;
  }
};

TEST_CASE_METHOD(Planning,
                 "pre-training is planned once per method and shared by all trials and tasks") {
  const Plan planned = plan();
  CHECK(planned.cells.size() == 3 * 2 * 5);
  CHECK(count(planned, "cubes") == 4);
  CHECK(count(planned, "prepare") == 2);
  CHECK(count(planned, "pretrain") == 2);
  CHECK(count(planned, "finetune") == 30);
  CHECK(count(planned, "evaluate") == 30);
  CHECK(planned.requested_nodes > static_cast<int>(planned.nodes.size()));
}

TEST_CASE_METHOD(Planning, "every node comes after the nodes that it needs") {
  const Plan planned = plan();
  std::set<std::string> seen;
  for (const auto& node : planned.nodes) {
    for (const auto& need : node.needs) {
      CHECK(seen.contains(need));
    }
    seen.insert(node.key);
  }
}

TEST_CASE_METHOD(Planning, "all methods of a trial share data, order seed and validation cases") {
  const Plan planned = plan();
  std::map<std::string, sar::Json> first;
  for (const auto& cell : planned.cells) {
    const auto& inputs = planned.node(cell.row.finetune_node).inputs;
    const std::string trial = cell.row.task + std::to_string(cell.row.trial);
    const sar::Json common{inputs.at("train"),
                           inputs.at("validation"),
                           inputs.at("seed"),
                           inputs.at("steps_per_epoch"),
                           inputs.at("settings")};
    const auto [found, inserted] = first.emplace(trial, common);
    CHECK(found->second == common);
  }
  CHECK(first.size() == 10);
}

TEST_CASE_METHOD(Planning, "no test case is trained on, validated on, or seen in pre-training") {
  const Plan planned = plan();
  for (const auto& cell : planned.cells) {
    const auto test =
        planned.node(cell.row.evaluate_node).inputs.at("test").get<std::set<std::string>>();
    for (const char* list : {"train", "validation"}) {
      for (const auto& id : planned.node(cell.row.finetune_node).inputs.at(list)) {
        CHECK_FALSE(test.contains(id.get<std::string>()));
      }
    }
    if (cell.row.pretrain_node.empty() || cell.row.task != "brats") {
      continue;
    }
    for (const auto& need : planned.node(cell.row.pretrain_node).needs) {
      for (const auto& record : planned.node(need).inputs.at("cases")) {
        CHECK_FALSE(test.contains(record.at("id").get<std::string>()));
      }
    }
  }
}

TEST_CASE_METHOD(Planning, "the null control differs from Scratch by its seeds alone") {
  selection = cells({"scratch", "null"}, {"brats", "pancreas"}, {"1", "1/5"}, 3);
  const Plan planned = plan();
  std::map<std::string, std::vector<sar::Json>> pairs;
  std::set<sar::Json> seeds;
  for (const auto& cell : planned.cells) {
    sar::Json inputs = planned.node(cell.row.finetune_node).inputs;
    CHECK(inputs.at("seed") == cell.row.seed);
    seeds.insert(inputs.at("seed"));
    inputs.erase("seed");
    pairs[cell.row.task + cell.row.fraction + std::to_string(cell.row.trial)].push_back(inputs);
  }
  CHECK(pairs.size() == 12);
  for (const auto& [name, pair] : pairs) {
    INFO(name);
    REQUIRE(pair.size() == 2);
    CHECK(pair[0] == pair[1]);
  }
  CHECK(seeds.size() == 6);  // of three trials each
}

TEST_CASE_METHOD(Planning, "controls are part of the protocol only where they were changed") {
  const std::string protocol = plan().protocol.protocol;
  CHECK(plan({{"control.oracle_budget", "2"}}).protocol.protocol == protocol);  // its default
  CHECK(plan({{"control.oracle_budget", "3"}}).protocol.protocol != protocol);
}

TEST_CASE_METHOD(Planning, "the oracle starts from a training on all labels and no test case") {
  selection = cells({"scratch", "oracle"}, {"brats", "pancreas"}, {"1", "1/5"}, 5);
  const Plan planned = plan({{"finetune.max_epochs", "7"},
                             {"finetune.frozen_epochs", "1"},
                             {"control.oracle_budget", "3"}});
  std::map<std::string, std::set<std::string>> starts;  // by task
  for (const auto& cell : planned.cells) {
    if (cell.row.method != "oracle") {
      CHECK(cell.row.pretrain_node.empty());
      continue;
    }
    const auto& start = planned.node(cell.row.pretrain_node);
    const auto& evaluation = planned.node(cell.row.evaluate_node);
    starts[cell.row.task].insert(start.key);
    CHECK(start.kind == "finetune");
    CHECK(start.inputs.at("initial") == "");
    CHECK(start.inputs.at("seed") != cell.row.seed);
    CHECK(start.inputs.at("settings").at("finetune.max_epochs") == 21);
    CHECK_FALSE(start.inputs.at("settings").contains("finetune.frozen_epochs"));  // all must learn
    std::set<std::string> cases;
    for (const char* list : {"train", "validation"}) {
      for (const auto& id : start.inputs.at(list)) {
        cases.insert(id);
      }
    }
    for (const auto& id : evaluation.inputs.at("test")) {
      CHECK_FALSE(cases.contains(id));
      cases.insert(id);
    }
    CHECK(cases.size() == (cell.row.task == "brats" ? 30 : 15));  // all that are labelled
    const auto& own = planned.node(cell.row.finetune_node);
    CHECK(own.inputs.at("initial") == start.key);
    CHECK(own.inputs.at("transfer") == "encoder_and_decoder");
    CHECK(own.inputs.at("settings").at("finetune.max_epochs") == 7);
  }
  CHECK(starts.at("brats").size() == 1);     // one split for all trials
  CHECK(starts.at("pancreas").size() == 5);  // one for each fold
}

TEST_CASE_METHOD(Planning, "BraTS trials keep one 2:1 split, pancreas trials are the folds") {
  const Plan planned = plan();
  std::set<std::string> brats_tests;
  std::multiset<std::string> pancreas_cases;
  for (const auto& cell : planned.cells) {
    if (cell.row.method != "scratch") {
      continue;
    }
    const auto& test = planned.node(cell.row.evaluate_node).inputs.at("test");
    if (cell.row.task == "brats") {
      CHECK(test.size() == 10);
      brats_tests.insert(test.dump());
    } else {
      for (const auto& id : test) {
        pancreas_cases.insert(id.get<std::string>());
      }
    }
  }
  CHECK(brats_tests.size() == 1);
  CHECK(pancreas_cases.size() == 15);  // each case is tested exactly once
  CHECK(std::set<std::string>(pancreas_cases.begin(), pancreas_cases.end()).size() == 15);
}

TEST_CASE_METHOD(Planning, "a split per trial repeats pre-training per trial") {
  const Plan planned = plan({{"brats.split_mode", "resample"}});
  CHECK(count(planned, "pretrain") == 2 * 5);
}

TEST_CASE_METHOD(Planning, "a test case in the pre-training list is refused") {
  sar::write_file_atomically(folder.path() / "split.toml",
                             "train = [\"brats_100\", \"brats_101\"]\ntest = [\"brats_101\"]\n");
  try {
    plan({{"brats.split_file", (folder.path() / "split.toml").string()}});
    FAIL("accepted");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::data_invalid);
    CHECK(std::string(error.what()).find("brats_101") != std::string::npos);
  }
}

TEST_CASE_METHOD(Planning,
                 "a test case among the training cases is refused without pre-training too") {
  selection.methods = {"scratch"};
  sar::write_file_atomically(folder.path() / "split.toml",
                             "train = [\"brats_100\"]\ntest = [\"brats_100\"]\n");
  CHECK_THROWS_AS(plan({{"brats.split_file", (folder.path() / "split.toml").string()}}),
                  sar::Error);
}

TEST_CASE_METHOD(Planning, "keys that a task does not read do not renew its evaluations") {
  const Plan before = plan();
  CHECK(keys(plan({{"evaluate.pool", "true"}})) == keys(before));
  selection.tasks = {"pancreas"};
  const auto pancreas = keys(plan());
  CHECK(keys(plan({{"buckets.rule", "tertile"}})) == pancreas);
}

TEST_CASE_METHOD(Planning, "a changed value gives new keys to exactly the work that reads it") {
  const Plan before = plan();
  const Plan evaluation = plan({{"evaluate.step", "1.0"}});
  CHECK(keys(evaluation, "finetune") == keys(before, "finetune"));
  CHECK(keys(evaluation, "pretrain") == keys(before, "pretrain"));
  CHECK(keys(evaluation, "evaluate") != keys(before, "evaluate"));
  const Plan tuning = plan({{"finetune.learning_rate", "0.01"}});
  CHECK(keys(tuning, "pretrain") == keys(before, "pretrain"));
  CHECK(keys(tuning, "finetune") != keys(before, "finetune"));
  const Plan module = plan({{"sa.learning_rate", "0.2"}});  // read by SAR's pre-training alone
  std::vector<std::string> changed;
  for (const auto& node : module.nodes) {
    if (!keys(before).contains(node.key)) {
      changed.push_back(node.label);
    }
  }
  CHECK(std::ranges::all_of(
      changed, [](const std::string& label) { return label.find("sar") != std::string::npos; }));
  CHECK_FALSE(changed.empty());
}

TEST_CASE_METHOD(
    Planning,
    "the protocol changes with any configured value and the data, not with the selection") {
  const Plan before = plan();
  CHECK(plan({{"finetune.learning_rate", "0.01"}}).protocol.protocol != before.protocol.protocol);
  CHECK(plan({{"compute.checkpoint_seconds", "5"}}).protocol.protocol == before.protocol.protocol);
  Plan without = plan({{"output.example_slices", "false"}});
  CHECK(without.protocol.protocol == before.protocol.protocol);
  CHECK(keys(without) == keys(before));
  const auto evaluation =
      std::ranges::find(without.nodes, std::string("evaluate"), &sar::PlannedNode::kind);
  REQUIRE(evaluation != without.nodes.end());
  CHECK(std::get<sar::jobs::Evaluate>(evaluation->job).settings.at("output.example_slices") ==
        false);
  selection.methods = {"scratch"};
  selection.trials = 2;
  CHECK(plan().protocol.protocol == before.protocol.protocol);
  manifest.datasets.at("luna").digest = "another";
  CHECK(plan().protocol.protocol != before.protocol.protocol);
}

TEST_CASE_METHOD(Planning, "paths and worker folders are not part of a key") {
  const Plan here = plan();
  const sar::Configuration configuration(catalog, {});
  const Plan there = sar::make_plan(
      catalog, configuration, manifest, "test", {selection}, folder.path() / "elsewhere");
  CHECK(keys(here) == keys(there));
}

TEST_CASE_METHOD(Planning, "fractions are nested and equal case lists share one node") {
  selection = cells({"scratch"}, {"brats"}, {"1", "1/2", "1/5", "1/10", "1/20", "1/50"}, 1);
  const Plan planned = plan();
  std::set<std::string> previous;
  std::map<std::string, std::string> node_of;
  for (const auto& cell : planned.cells) {
    const auto& inputs = planned.node(cell.row.finetune_node).inputs;
    std::set<std::string> ids = inputs.at("train").get<std::set<std::string>>();
    ids.merge(inputs.at("validation").get<std::set<std::string>>());
    if (!previous.empty()) {
      CHECK(std::ranges::includes(previous, ids));
    }
    previous = ids;
    node_of[cell.row.fraction] = cell.row.finetune_node;
  }
  CHECK(node_of.at("1/20") == node_of.at("1/50"));  // 20 training cases: one case each
  CHECK(node_of.at("1/2") != node_of.at("1/5"));
}

TEST_CASE_METHOD(Planning, "small fractions keep the steps of the full run unless told otherwise") {
  selection = cells({"scratch"}, {"brats"}, {"1", "1/10"}, 1);
  const auto steps = [](const Plan& planned) {
    std::vector<int> list;
    for (const auto& cell : planned.cells) {
      list.push_back(planned.node(cell.row.finetune_node).inputs.at("steps_per_epoch"));
    }
    return list;
  };
  // 20 training cases, 1/8 of them (3, round half up) for validation: 17 x 8 patches in batches of
  // 16 = 9 steps
  CHECK(steps(plan()) == std::vector<int>{9, 9});
  CHECK(steps(plan({{"finetune.steps_per_epoch", "cases"}})) == std::vector<int>{9, 1});
}

TEST_CASE_METHOD(Planning, "more pancreas trials than folds are refused") {
  selection.trials = 6;
  CHECK_THROWS_AS(plan(), sar::Error);
}

TEST_CASE_METHOD(Planning, "experiments of a collection share every node of work") {
  Selection fractions = cells({"scratch", "sar"}, {"brats"}, {"1", "1/2"}, 5);
  Selection counts;
  counts.kind = sar::ExperimentKind::data;
  Selection proxies;
  proxies.kind = sar::ExperimentKind::pretraining;
  proxies.methods = {"genesis", "sar"};
  const Plan together = plan_of({counts, selection, fractions, proxies});
  std::set<std::string> apart;
  for (const Selection& each : {counts, selection, fractions, proxies}) {
    const std::set<std::string> alone = keys(plan_of({each}));
    apart.insert(alone.begin(), alone.end());
  }
  CHECK(keys(together) == apart);
  CHECK(together.nodes.size() == apart.size());  // each of them once
  std::set<std::string> cell_keys;
  for (const auto& cell : together.cells) {
    CHECK(cell_keys.insert(cell.row.cell_key).second);
  }
  CHECK(cell_keys.size() == 3 * 2 * 5 + 2 * 5);  // the second asks for ten that the first has

  REQUIRE(together.parts.size() == 4);
  int added = 0;
  for (const auto& part : together.parts) {
    CHECK(part.added_nodes <= part.nodes);
    CHECK(part.nodes <= part.requested_nodes);
    added += part.added_nodes;
  }
  CHECK(added == static_cast<int>(together.nodes.size()));
  CHECK(together.parts[3].added_nodes == 0);  // both are pre-trained for the table already
}

TEST_CASE_METHOD(Planning, "counting the data needs the cubes alone, and is kept per protocol") {
  selection = {};
  selection.kind = sar::ExperimentKind::data;
  const Plan planned = plan();
  CHECK(planned.cells.empty());
  CHECK(count(planned, "cubes") == 4);
  CHECK(count(planned, "survey") == 1);
  CHECK(planned.nodes.size() == 5);
  REQUIRE(planned.targets.size() == 1);
  CHECK(planned.node(planned.targets.front()).kind == "survey");
  CHECK(keys(plan({{"finetune.learning_rate", "0.01"}}), "survey") != keys(planned, "survey"));
}

TEST_CASE_METHOD(Planning, "proxy tasks need no fine-tuning") {
  selection = {};
  selection.kind = sar::ExperimentKind::pretraining;
  selection.methods = {"genesis", "sar"};
  const Plan planned = plan();
  CHECK(planned.cells.empty());
  CHECK(count(planned, "pretrain") == 2);
  CHECK(planned.targets.size() == 2);
  CHECK(count(planned, "finetune") == 0);
}

/// Settings of the cube nodes that the pre-training of a method needs, by data set.
std::map<std::string, sar::Json> cubes_of(const Plan& planned, const std::string& method) {
  std::map<std::string, sar::Json> cubes;
  for (const auto& need : planned.node(planned.pretraining.at(method).front()).needs) {
    const auto& inputs = planned.node(need).inputs;
    cubes[inputs.at("dataset")] = inputs;
  }
  return cubes;
}

TEST_CASE_METHOD(Planning,
                 "a single-scale method reads cubes of its scale, as many as SAR reads in all",
                 "[key:ablation.count]") {
  selection.methods = {"scale2", "scale8", "sar"};
  const auto counts = [](const sar::Json& inputs) {
    return std::vector<int>{inputs.at("settings").at("cubes.small_per_case"),
                            inputs.at("settings").at("cubes.medium_per_case"),
                            inputs.at("settings").at("cubes.large_per_case")};
  };
  const Plan planned = plan();
  CHECK(counts(cubes_of(planned, "sar").at("luna")) == std::vector<int>{32, 16, 16});
  CHECK(counts(cubes_of(planned, "scale2").at("luna")) == std::vector<int>{0, 0, 64});
  CHECK(counts(cubes_of(planned, "scale8").at("luna")) == std::vector<int>{64, 0, 0});
  const Plan share = plan({{"ablation.count", "as_scale"}});
  CHECK(counts(cubes_of(share, "scale2").at("luna")) == std::vector<int>{0, 0, 16});
  CHECK(counts(cubes_of(share, "scale8").at("luna")) == std::vector<int>{32, 0, 0});
  CHECK(counts(cubes_of(share, "sar").at("luna")) == std::vector<int>{32, 16, 16});
}

TEST_CASE_METHOD(Planning,
                 "Genesis may read native cubes while the other methods keep the shared ones",
                 "[key:genesis.cube_source][key:mial.cube_source]") {
  selection.methods = {"genesis", "mial", "sar"};
  const Plan before = plan();
  CHECK(cubes_of(before, "genesis") == cubes_of(before, "sar"));
  const Plan native = plan({{"genesis.cube_source", "native"}});
  CHECK(cubes_of(native, "sar") == cubes_of(before, "sar"));
  CHECK(cubes_of(native, "mial") == cubes_of(before, "sar"));
  CHECK(cubes_of(native, "genesis").at("luna").at("native_per_case") == 64);
  const Plan both = plan({{"genesis.cube_source", "native"}, {"mial.cube_source", "native"}});
  CHECK(both.pretraining.at("sar") == before.pretraining.at("sar"));  // it reads neither key
  CHECK(cubes_of(both, "mial") == cubes_of(both, "genesis"));
  CHECK(count(both, "cubes") == 8);
}

TEST_CASE_METHOD(Planning,
                 "small fractions may have fewer trials, under the same protocol",
                 "[key:fractions.trials]") {
  selection = cells({"scratch"}, {"brats"}, {"1", "1/2"}, 5);
  const Plan before = plan();
  CHECK(before.cells.size() == 10);
  const Plan fewer = plan({{"fractions.trials", "2"}});
  std::map<std::string, int> trials;
  for (const auto& cell : fewer.cells) {
    ++trials[cell.row.fraction];
  }
  CHECK(trials == std::map<std::string, int>{{"1", 5}, {"1/2", 2}});
  CHECK(fewer.protocol.protocol == before.protocol.protocol);
  CHECK(plan({{"fractions.trials", "9"}}).cells.size() == 10);
}

/// One digest per kind of node over the keys of a plan, and the key of its protocol.
std::map<std::string, std::string> digests_of(const Plan& plan) {
  std::map<std::string, std::string> texts;
  for (const auto& node : plan.nodes) {
    texts[node.kind] += node.key + "\n";
  }
  for (const auto& cell : plan.cells) {
    texts["cells"] += cell.row.cell_key + "\n";
  }
  std::map<std::string, std::string> digests{{"protocol", plan.protocol.protocol}};
  for (const auto& [kind, text] : texts) {
    digests[kind] = sar::sha256(text).substr(0, 16);
  }
  return digests;
}

/// Plans that read every branch of the planner.
std::vector<Plan> plans_of_all_kinds(Planning& planning) {
  planning.selection = Planning::cells({"scratch", "genesis", "mial", "sar", "scale2", "scale8"},
                                       {"brats", "pancreas"},
                                       {"1", "1/2", "1/5"},
                                       3);
  const auto split = planning.folder.path() / "split.toml";
  sar::write_file_atomically(
      split,
      "train = [\"brats_100\", \"brats_105\", \"brats_107\", \"brats_109\"]\n"
      "test = [\"brats_101\", \"brats_129\"]\n");
  Selection survey;
  survey.kind = sar::ExperimentKind::data;
  Selection pretraining;
  pretraining.kind = sar::ExperimentKind::pretraining;
  pretraining.methods = {"sar"};
  return {planning.plan(),
          planning.plan({{"seed", "7"},
                         {"genesis.cube_source", "native"},
                         {"brats.split_mode", "resample"},
                         {"buckets.source", "train"},
                         {"buckets.rule", "tertile"},
                         {"ablation.count", "as_scale"},
                         {"finetune.normalization", "unit"},
                         {"fractions.nested", "false"},
                         {"fractions.trials", "2"}}),
          planning.plan_of({survey, pretraining}),
          planning.plan({{"brats.split_file", split.string()}})};
}

TEST_CASE_METHOD(Planning, "content keys stay as they are, so that earlier databases are resumed") {
  using Digests = std::map<std::string, std::string>;
  const auto plans = plans_of_all_kinds(*this);
  CHECK(digests_of(plans.at(0)) == Digests{{"cells", "c1a382c772724b6a"},
                                           {"cubes", "e11cffeedc5a01a8"},
                                           {"evaluate", "8391bb61e35aadf7"},
                                           {"finetune", "38da5f0d4258188d"},
                                           {"prepare", "7d015a06f5283248"},
                                           {"pretrain", "48f9181c9b4000e0"},
                                           {"protocol", "24eeff7cbb114a63d676"}});
  CHECK(digests_of(plans.at(1)) == Digests{{"cells", "b487c912710f18e1"},
                                           {"cubes", "c0207bb0fc9c7e3c"},
                                           {"evaluate", "2fbb60ccb3037f4d"},
                                           {"finetune", "02801a68e9e4a615"},
                                           {"prepare", "1c885b5327765557"},
                                           {"pretrain", "6628dfa8778cedc5"},
                                           {"protocol", "bbfcf6965a5bbf36a668"}});
  CHECK(digests_of(plans.at(2)) == Digests{{"cubes", "8221f2975e81cfef"},
                                           {"pretrain", "d0ba24b6d2f81196"},
                                           {"protocol", "24eeff7cbb114a63d676"},
                                           {"survey", "192812bfb5a57f95"}});
  CHECK(digests_of(plans.at(3)) == Digests{{"cells", "a82c8e175664f09f"},
                                           {"cubes", "1276cf88df01181d"},
                                           {"evaluate", "6bdc2c71ea068f73"},
                                           {"finetune", "214f3709866e1bf7"},
                                           {"prepare", "7d015a06f5283248"},
                                           {"pretrain", "aac09960a176fd40"},
                                           {"protocol", "7f609fe88f6cd507f085"}});
}

}  // namespace
