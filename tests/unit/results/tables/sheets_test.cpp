#include "results/tables/sheets.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "tests/support/error_code.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::sheets_test {

Paper sar_paper() {
  return read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
}

Json set(const std::string& id, int patients, int volumes, const Json& shape, const Json& cubes) {
  return {{"dataset", id},
          {"paper_name", id},
          {"modality", id == "brats" || id == "heart" ? "MRI" : "CT"},
          {"organ", id == "brats" ? "Brain" : "Lung"},
          {"patients", patients},
          {"volumes", volumes},
          {"median_shape_voxels", shape},
          {"median_prepared_shape_voxels", {138, 169, 138}},
          {"cubes", {{"small", cubes[0]}, {"medium", cubes[1]}, {"large", cubes[2]}}}};
}

TEST_CASE("Table 1 names each difference between the data at hand and the printed counts") {
  const Paper paper = sar_paper();
  const ProtocolRow protocol = test::protocol_row("p", "real");
  const Json survey{{"datasets",
                     {set("luna", 623, 623, {238, 512, 512}, {19936, 9968, 9968}),
                      set("brats", 190, 760, {138.5, 169, 138}, {24320, 12160, 12000})}}};
  const Sheet sheet = data_sheet("table1", "Data", {"luna", "brats"}, survey, &protocol, &paper);
  const Json& rows = sheet.json.at("rows");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].at("differences").empty());
  CHECK(rows[0].at("printed") == Json{{"cases", "623"},
                                      {"volumes", 623},
                                      {"modality", "CT"},
                                      {"organ", "Lung"},
                                      {"median_shape", "238×512×512"},
                                      {"cubes", {19936, 9968, 9968}}});
  CHECK(rows[1].at("measured").at("cases") == "190x4");
  CHECK(rows[1].at("measured").at("volumes") == 760);
  CHECK(rows[1].at("differences") ==
        Json{"median shape 138.5×169×138 as scanned, 138×169×138 as prepared (cropped, resampled), "
             "instead of 138×169×138",
             "12000 large cubes instead of 12160"});
  const std::string text = render(sheet, "text");
  CHECK_THAT(text, Catch::Contains("LUNA2016: as printed."));
  CHECK_THAT(text, Catch::Contains("12000 large cubes instead of 12160"));
  CHECK_THAT(text, !Catch::Contains("phantom"));
}

TEST_CASE("Table 1 of phantoms says so, and without a count it is what the paper prints") {
  const Paper paper = sar_paper();
  const ProtocolRow protocol = test::protocol_row("p", "phantom");
  const Json survey{{"datasets", {set("luna", 2, 2, {34, 48, 48}, {4, 2, 2})}}};
  const Sheet phantom = data_sheet("table1", "Data", {"luna"}, survey, &protocol, &paper);
  CHECK_THAT(render(phantom, "text"), Catch::Contains("[phantom data]"));
  CHECK_THAT(render(phantom, "md"), Catch::Contains("smaller by design"));
  CHECK(phantom.json.at("data_kind") == "phantom");
  CHECK(phantom.json.at("source") == "both");
  const std::string csv = render(phantom, "csv");
  CHECK_THAT(csv, Catch::Contains("LUNA2016,printed,") && Catch::Contains("9968,,\n"));
  CHECK_THAT(csv, Catch::Contains(",measured,") && Catch::EndsWith(",2,2,phantom,p\n"));

  const Sheet published = data_sheet("table1", "Data", {"luna", "heart"}, nullptr, nullptr, &paper);
  CHECK(published.json.at("source") == "published");
  CHECK(published.rows.size() == 2);
  CHECK(published.json.at("rows")[1].at("measured").is_null());

  const Sheet alone = data_sheet("table1", "Data", {"luna"}, survey, &protocol, nullptr);
  CHECK(alone.json.at("source") == "measured");
  CHECK(alone.json.at("rows")[0].at("printed").is_null());
}

TEST_CASE("a count of the data that is gone or was changed is not shown") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "survey.json";
  NodeRow node = test::node_row("n", "survey", NodeState::done);
  node.path = file.string();
  const std::string text = Json{{"datasets", Json::array()}}.dump();
  node.sha256 = sha256(text);
  const auto code = [&] { return test::code_of([&] { read_survey(node, file); }); };
  CHECK(code() == ExitCode::results_missing);
  write_file_atomically(file, text);
  CHECK(read_survey(node, file).at("datasets").empty());
  write_file_atomically(file, text + " ");
  CHECK(code() == ExitCode::data_invalid);
  write_file_atomically(file, "{");
  node.sha256 = sha256("{");
  CHECK(code() == ExitCode::data_invalid);
}

TEST_CASE("a sheet is one table in every format, and odd characters break none") {
  Sheet sheet;
  sheet.id = "odd";
  sheet.title = "A & B <i>";
  sheet.header = {"Name", "Value, unit"};
  sheet.rows = {{"a|b_\"c\"", "1"}, {"100 %", "2"}};
  sheet.notes = {"50 % of <all> & more."};
  sheet.json = {{"schema_version", 1}};
  CHECK_THAT(render(sheet, "md"), Catch::Contains("a\\|b"));
  CHECK_THAT(render(sheet, "csv"), Catch::Contains("Name,\"Value, unit\"\n\"a|b_\"\"c\"\"\",1\n"));
  CHECK_THAT(render(sheet, "html"), Catch::Contains("A &amp; B &lt;i&gt;"));
  CHECK_THAT(render(sheet, "html"), !Catch::Contains("<all>"));
  CHECK_THAT(render(sheet, "latex"), Catch::Contains("100 \\%"));
  CHECK_THAT(render(sheet, "latex"), Catch::Contains("\\toprule"));
  CHECK(Json::parse(render(sheet, "json")) == sheet.json);
  CHECK_THROWS_AS(render(sheet, "pdf"), Error);
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
  const Sheet sheet = proxy_sheet(
      "proxy", "Proxy", {{"rot", "3D-Rot"}, {"cpc", "3D-CPC"}, {"jig", "3D-Jig"}}, store, protocol);
  REQUIRE(sheet.rows.size() == 3);
  CHECK(sheet.rows[0] ==
        std::vector<std::string>{"3D-Rot", "rotation_accuracy", "2", "0.5000", "0.7500", "0.1000"});
  CHECK(sheet.rows[1][1] == "not pre-trained yet");
  CHECK(sheet.rows[2][1] == "failed");
  CHECK_THAT(render(sheet, "text"), Catch::Contains("3D-Jig failed: diverged at step 7."));
  REQUIRE(sheet.json.at("rows").size() == 2);
  CHECK(sheet.json.at("rows")[1].at("reason") == "diverged at step 7");
  CHECK(sheet.json.at("rows")[0].at("val").at("value") == 0.75);
  CHECK(sheet.json.at("rows")[0].at("epochs") == Json{2});
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
  const Sheet sheet = proxy_sheet("proxy", "Proxy", {{"rot", "3D-Rot"}}, store, protocol);
  REQUIRE(sheet.rows.size() == 1);
  CHECK(sheet.rows[0] ==
        std::vector<std::string>{"3D-Rot", "rotation_accuracy", "1, 2", "0.5000", "–", "0.1000"});
  CHECK(sheet.json.at("rows")[0].at("n") == 2);
}

TEST_CASE("the newest protocol of a pre-training and of a count of the data is found") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  for (const char* protocol : {"old", "new", "unfinished"}) {
    store.put_protocol(test::protocol_row(protocol));
    for (const char* kind : {"pretrain", "survey"}) {
      NodeRow node = test::node_row(
          std::string(kind) + protocol,
          kind,
          protocol == std::string("unfinished") ? NodeState::running : NodeState::done);
      node.ended = protocol == std::string("old") ? "2024-01-01T00:00:00Z" : "2024-02-01T00:00:00Z";
      if (kind == std::string("survey")) {
        node.inputs["protocol"] = protocol;
      }
      store.put_node(node);
    }
    store.put_pretraining(protocol, "sar", std::string("pretrain") + protocol);
  }
  CHECK(store.newest_pretraining({"sar"})->protocol == "new");
  CHECK(store.newest_survey()->protocol == "new");
  CHECK_FALSE(store.newest_pretraining({"rot"}));
  // One that has all methods goes before a newer one that lacks some.
  store.put_node(test::node_row("rot-old", "pretrain", NodeState::done));
  store.put_pretraining("old", "rot", "rot-old");
  CHECK(store.newest_pretraining({"sar", "rot"})->protocol == "old");
  CHECK(store.newest_pretraining({"sar"})->protocol == "new");
  CHECK(store.survey("old")->key == "surveyold");
  CHECK_FALSE(store.survey("unfinished"));
}

}  // namespace sar::sheets_test
