#include "results/tables/controls.h"

#include "results/document/document.h"
#include "results/tables/table_document.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace sar::controls_test {

TableSpec spec_of(const std::vector<std::string>& methods, const std::string& reference) {
  TableSpec spec;
  spec.id = "table";
  spec.title = "A table";
  spec.reference = reference;
  spec.trials = 4;
  for (const std::string& method : methods) {
    spec.rows.push_back({method, method});
  }
  spec.columns = {{"Brain", "S", "brats", "tumor", "S", "1"},
                  {"Brain", "all", "brats", "tumor", "all", "1"},
                  {"Pancreas", "organ", "pancreas", "organ", "all", "1"}};
  return spec;
}
const TableSpec& controls() {
  static const TableSpec spec = spec_of({"scratch", "null", "oracle"}, "scratch");
  return spec;
}

void add(std::vector<TrialDice>& trials,
         const std::string& method,
         const std::string& bucket,
         const std::vector<double>& dice) {
  for (std::size_t i = 0; i < dice.size(); ++i) {
    trials.push_back({method, "brats", "1", "tumor", bucket, static_cast<int>(i), 4, dice[i], {}});
  }
}

std::vector<TrialDice> stored() {
  std::vector<TrialDice> trials;
  add(trials, "scratch", "all", {60, 62, 61, 65});
  add(trials, "null", "all", {61, 64, 60, 62});
  add(trials, "oracle", "all", {70, 74, 72, 71});
  add(trials, "scratch", "S", {30, 32, 31, 35});
  add(trials, "oracle", "S", {30, 34, 32, 31});
  add(trials, "sar", "all", {60, 62, 61, 64});
  return trials;
}

TEST_CASE("controls are compared in the columns that hold all cases, by Holm over the controls") {
  const TableSpec table = spec_of({"scratch", "sar"}, "sar");
  const Controls found = compare_controls(stored(), controls(), table, "student");
  REQUIRE(found.comparisons.size() == 2);
  CHECK(found.comparisons[0].control == "null");
  CHECK(found.comparisons[0].column == "all");
  CHECK(found.comparisons[0].difference == Approx(-0.25).epsilon(1e-12));
  CHECK(found.comparisons[1].control == "oracle");
  CHECK(found.comparisons[1].difference == Approx(9.75).epsilon(1e-12));
  CHECK(found.comparisons[1].n == 4);
  CHECK(found.comparisons[1].reference_n == 4);
  // scipy.stats.ttest_ind([61, 64, 60, 62], [60, 62, 61, 65]).pvalue = 0.8619001164998464;
  // With [70, 74, 72, 71] in the first place 0.00039778056210967253, twice that by Holm.
  REQUIRE(found.comparisons[0].test);
  CHECK(found.comparisons[0].test->p_adjusted == Approx(0.8619001164998464).epsilon(1e-9));
  REQUIRE(found.comparisons[1].test);
  CHECK(found.comparisons[1].test->p_adjusted == Approx(2 * 0.00039778056210967253).epsilon(1e-9));
}

TEST_CASE("a table says what its controls showed, or that none was run") {
  Table table = build_table(
      stored(), {}, sar::test::protocol_row("p"), spec_of({"scratch", "sar"}, "sar"), {});
  const auto text = [&] {
    std::string all;
    for (const std::string& note : table_notes(table, "bold")) {
      all += note + "\n";
    }
    return all;
  };
  CHECK_THAT(text(), !Catch::Contains("ontrols"));  // not asked for
  add_controls(table, stored(), controls());
  CHECK_THAT(text(),
             Catch::Contains("Controls (Student's pooled t-test, two-sided, p by Holm over the "
                             "controls of a column). all: null − scratch = −0.25 (n = 4, 4; df = "
                             "6), p = 0.862; oracle − scratch = +9.75 (n = 4, 4; df = 6), p = "
                             "8.0e-04."));
  CHECK(document_of(table).json.at("controls").at("comparisons").size() == 2);
  add_controls(table, {}, controls());
  CHECK_THAT(text(), Catch::Contains("No controls were run: that no cell differs says little."));
  CHECK(sentence(Controls{}, true) == "No controls were run.");

  Table own = build_table(stored(), {}, sar::test::protocol_row("p"), controls(), {});
  add_controls(own, stored(), controls());
  CHECK_FALSE(own.controls);  // they are its rows
}

TEST_CASE("a control without a test still shows its difference") {
  std::vector<TrialDice> trials;
  add(trials, "scratch", "all", {60});
  add(trials, "oracle", "all", {70});
  const Controls found = compare_controls(trials, controls(), controls(), "student");
  REQUIRE(found.comparisons.size() == 1);
  CHECK_FALSE(found.comparisons[0].test);
  CHECK_THAT(sentence(found),
             Catch::Contains("all: oracle − scratch = +10.00 (n = 1, 1), not testable: n = 1."));
}

TEST_CASE("a table of buckets alone is told what the controls showed over all cases") {
  TableSpec table = spec_of({"scratch", "sar"}, "sar");
  table.columns.resize(1);  // S
  const Controls found = compare_controls(stored(), controls(), table, "student");
  REQUIRE(found.comparisons.size() == 2);
  CHECK(found.comparisons[0].column == "tumor, all cases");
  CHECK(found.comparisons[1].difference == Approx(9.75).epsilon(1e-12));
}

TEST_CASE("each row says what it was given, mean over the trials that the table shows") {
  Table table = build_table(
      stored(), {}, sar::test::protocol_row("p"), spec_of({"scratch", "sar"}, "sar"), {});
  CHECK(budget_sheet(table).rows.empty());
  Budget brats{"sar", "brats", "1", 4, 512, 960, 2e12, 1.5, 80, 3e12, 0.5};
  Budget pancreas{"sar", "pancreas", "1", 1, 512, 960, 2e12, 1.5, 90, 8e12, 1.0};
  Budget foreign{"sar", "brats", "1/2", 4, 512, 960, 2e12, 1.5, 1000, 3e12, 0.5};
  Budget scratch{"scratch", "brats", "1", 4, {}, {}, {}, {}, 80, {}, 0.5};
  add_budgets(table, {brats, pancreas, foreign, scratch});
  const Sheet sheet = budget_sheet(table);
  REQUIRE(sheet.rows.size() == 2);
  CHECK(sheet.rows[0] == std::vector<std::string>{"scratch", "–", "–", "–", "–", "80", "?", "0.5"});
  CHECK(sheet.rows[1] ==
        std::vector<std::string>{"sar", "512", "960", "2", "1.5", "82", "4", "0.6"});
  const Json json = document_of(table).json.at("rows").at(1).at("budget");
  CHECK(json.at("pretraining").at("cubes") == 512);
  CHECK(json.at("finetuning").at("steps") == 82);
  CHECK(json.at("finetuning").at("flops") == 4e12);
  for (const char* format : {"text", "md", "latex", "html"}) {
    INFO(format);
    const std::string page = written(document_of(table), format);
    CHECK_THAT(page,
               Catch::Contains("What each row was given") && Catch::Contains("TFLOP") &&
                   Catch::Contains("each fine-tuning (mean)"));
  }
}

TEST_CASE("operations of long trainings are told in larger units, without exponents") {
  Table table = build_table(
      stored(), {}, sar::test::protocol_row("p"), spec_of({"scratch", "sar"}, "sar"), {});
  add_budgets(table, {{"sar", "brats", "1", 5, {}, 1e6, 1.95e17, 1230.4, 5000, 2e15, 48.1}});
  const Sheet sheet = budget_sheet(table);
  REQUIRE(sheet.rows.size() == 1);
  CHECK(sheet.header[3] == "pre-training: PFLOP");
  CHECK(sheet.rows[0] ==
        std::vector<std::string>{"sar", "?", "1000000", "195", "1230", "5000", "2", "48.1"});
}

}  // namespace sar::controls_test
