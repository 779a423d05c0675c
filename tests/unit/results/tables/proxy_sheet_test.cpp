#include "results/tables/proxy_sheet.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::proxy_sheet_test {

TEST_CASE("a sheet is one table in every format, and odd characters break none") {
  Sheet sheet;
  sheet.id = "odd";
  sheet.title = "A & B <i>";
  sheet.header = {"Name", "Value, unit"};
  sheet.rows = {{"a|b_\"c\"", "1"}, {"100 %", "2"}};
  sheet.notes = {"50 % of <all> & more."};
  sheet.json = {{"schema_version", 1}};
  CHECK_THAT(written(document_of(sheet), "md"), Catch::Contains("a\\|b"));
  CHECK_THAT(written(document_of(sheet), "csv"),
             Catch::Contains("Name,\"Value, unit\"\n\"a|b_\"\"c\"\"\",1\n"));
  CHECK_THAT(written(document_of(sheet), "html"), Catch::Contains("A &amp; B &lt;i&gt;"));
  CHECK_THAT(written(document_of(sheet), "html"), !Catch::Contains("<all>"));
  CHECK_THAT(written(document_of(sheet), "latex"), Catch::Contains("100 \\%"));
  CHECK_THAT(written(document_of(sheet), "latex"), Catch::Contains("\\toprule"));
  CHECK(Json::parse(written(document_of(sheet), "json")) == sheet.json);
  CHECK_THROWS_AS(written(document_of(sheet), "pdf"), Error);
}

TEST_CASE("proxy metrics are those of the epoch whose weights are kept, beside guessing") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  const ProtocolRow protocol = test::protocol_row("p");
  store.put_protocol(protocol);
  store.put_node(test::node_row("n", "pretrain", NodeState::running));
  store.put_pretraining("p", "rot", "n");
  store.put_rows(
      "n",
      {{8, 1, "val", 1.5, 1e-3, 1}, {16, 2, "val", 0.5, 1e-3, 2}, {24, 3, "val", 0.75, 1e-3, 3}},
      {{1, "train", "rotation_accuracy", 0.2, 0.1},
       {1, "val", "rotation_accuracy", 0.3, 0.1},
       {2, "train", "rotation_accuracy", 0.5, 0.1},
       {2, "val", "rotation_accuracy", 0.75, 0.1},
       {3, "train", "rotation_accuracy", 0.9, 0.1},
       {3, "val", "rotation_accuracy", 0.6, 0.1}});
  store.put_node(test::node_row("n", "pretrain", NodeState::done));
  NodeRow failed = test::node_row("f", "pretrain", NodeState::failed);
  failed.reason = "diverged at step 7";
  store.put_node(failed);
  store.put_pretraining("p", "jig", "f");
  const auto results =
      proxy_results({{"rot", "3D-Rot"}, {"cpc", "3D-CPC"}, {"jig", "3D-Jig"}}, store, protocol);
  REQUIRE(results.size() == 3);
  CHECK_FALSE(results[0].empty());
  CHECK(results[1].empty());
  CHECK(results[2].failures == std::vector<std::string>{"diverged at step 7"});
  const Sheet sheet = proxy_sheet("proxy", "Proxy", results, protocol);
  REQUIRE(sheet.rows.size() == 3);
  CHECK(sheet.rows[0] ==
        std::vector<std::string>{"3D-Rot", "rotation_accuracy", "2", "0.5000", "0.7500", "0.1000"});
  CHECK(sheet.rows[1][1] == "not pre-trained yet");
  CHECK(sheet.rows[2][1] == "failed");
  CHECK_THAT(written(document_of(sheet), "text"),
             Catch::Contains("3D-Jig failed: diverged at step 7."));
  REQUIRE(sheet.json.at("rows").size() == 2);
  CHECK(sheet.json.at("rows")[1].at("reason") == "diverged at step 7");
  CHECK(sheet.json.at("rows")[0].at("val").at("value") == 0.75);
  CHECK(sheet.json.at("rows")[0].at("epochs") == Json{2});
}

TEST_CASE("the line below a table says which proxy tasks were learnt no better than by guessing") {
  const auto result = [](const char* label, const char* metric, double value, double chance) {
    return ProxyResult{"", label, {{metric, {1}, {}, {value, chance}}}, {}};
  };
  CHECK(sentence(std::vector<ProxyResult>{{"scratch", "Scratch", {}, {}}}).empty());
  CHECK(sentence(std::vector{result("3D-Rot", "rotation_accuracy", 0.61, 0.1),
                             result("Genesis", "restoration_mse", 0.0352, 0.0519)}) ==
        "Proxy tasks on patients held out, with what guessing gives: 3D-Rot rotation_accuracy 0.61 "
        "(0.1), Genesis restoration_mse 0.0352 (0.0519).");
  CHECK_THAT(sentence(std::vector{result("3D-Jig", "permutation_accuracy", 0.04, 0.0417),
                                  result("Genesis", "restoration_mse", 0.06, 0.0519),
                                  result("3D-CPC", "contrastive_accuracy", 0.04, 0.008)}),
             Catch::EndsWith(" No better than guessing: 3D-Jig permutation_accuracy, Genesis "
                             "restoration_mse."));
  // In +MIAL's game a modality that cannot be told is what the encoder is after.
  CHECK(sentence(std::vector{result("+MIAL", "modality_accuracy", 0.4, 0.6)}) ==
        "Proxy tasks on patients held out, with what guessing gives: +MIAL modality_accuracy 0.4 "
        "(0.6).");
  ProxyResult not_held_out = result("3D-Rot", "rotation_accuracy", 0.61, 0.1);
  not_held_out.metrics.front().held_out = {};
  CHECK(sentence(std::vector{not_held_out}).empty());
}

TEST_CASE("several pre-trainings of a method are averaged, each at its own epoch") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  const ProtocolRow protocol = test::protocol_row("p");
  store.put_protocol(protocol);
  for (const int run : {0, 1}) {
    const std::string key = "n" + std::to_string(run);
    store.put_node(test::node_row(key, "pretrain", NodeState::running));
    store.put_pretraining("p", "rot", key);
    std::vector<StoredMetric> metrics;
    for (int epoch = 1; epoch <= 1 + run; ++epoch) {  // without held-out cubes the last is kept
      metrics.push_back({epoch, "train", "rotation_accuracy", 0.25 * (epoch + run), 0.1});
    }
    store.put_rows(key, {}, metrics);
    store.put_node(test::node_row(key, "pretrain", NodeState::done));
  }
  const Sheet sheet =
      proxy_sheet("proxy", "Proxy", proxy_results({{"rot", "3D-Rot"}}, store, protocol), protocol);
  REQUIRE(sheet.rows.size() == 1);
  CHECK(sheet.rows[0] ==
        std::vector<std::string>{"3D-Rot", "rotation_accuracy", "1, 2", "0.5000", "–", "0.1000"});
  CHECK(sheet.json.at("rows")[0].at("n") == 2);
}

}  // namespace sar::proxy_sheet_test
