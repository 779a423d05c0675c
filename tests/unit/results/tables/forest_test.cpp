#include "results/tables/forest.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <sstream>

namespace sar::forest_test {
namespace {

TableSpec spec_of(int trials) {
  TableSpec spec;
  spec.id = "table2";
  spec.title = "Comparison";
  spec.rows = {{"other", "Other"}, {"sar", "SAR"}};
  spec.columns = {{"Task 1", "Tumor", "brats", "tumor", "all", "1"}};
  spec.trials = trials;
  return spec;
}

Table table_of(const std::vector<double>& reference,
               const std::vector<double>& other,
               const TableOptions& options) {
  std::vector<TrialDice> trials;
  const auto add = [&](const char* method, const std::vector<double>& values) {
    for (std::size_t i = 0; i < values.size(); ++i) {
      trials.push_back(
          {method, "brats", "1", "tumor", "all", static_cast<int>(i), 4, values[i], {}});
    }
  };
  add("sar", reference);
  add("other", other);
  return build_table(trials, {}, {}, spec_of(5), options);
}

/// Six columns of brats and pancreas, three methods, of which the second has no value in the first
/// column.
Table wide_table(const TableOptions& options, bool unknown_n = false) {
  TableSpec spec = spec_of(5);
  spec.rows = {{"a", "A"}, {"sar", "SAR"}, {"b", "B"}};
  spec.columns = {{"Task 1", "Tumor", "brats", "tumor", "all", "1"},
                  {"Task 2", "Organ", "pancreas", "organ", "all", "1"},
                  {"Task 2", "Tumor", "pancreas", "tumor", "all", "1"}};
  SummaryTable summaries;
  summaries.rows = {{{70, 2.0, 5}, {60, 1.5, 5}, {20, 3.0, 5}},
                    {{75, 1.0, 5}, {61, 2.5, 4}, {20, 2.0, 5}},
                    {{}, {64, 1.0, 5}, {15, std::nullopt, 1}}};
  summaries.reference = summaries.rows[1];
  summaries.unknown_n = unknown_n;
  return build_table(summaries, spec, options);
}

}  // namespace

TEST_CASE("the difference and its interval agree with SciPy") {
  const Json reference = read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/forest.json");
  REQUIRE(reference.size() > 20);
  for (const Json& row : reference) {
    INFO(row.dump());
    for (const bool welch : {false, true}) {
      for (const int ddof : {0, 1}) {  // how SDs are printed must not matter
        TableOptions options;
        options.test = welch ? "welch" : "student";
        options.alpha = row[2];
        options.delta_degrees_of_freedom = ddof;
        const Table table = table_of(row[0], row[1], options);
        const auto panels = forest(table);
        REQUIRE(panels.size() == 1);
        REQUIRE(panels[0].rows.size() == 1);
        REQUIRE(panels[0].rows[0].test.has_value());
        const TTest& test = *panels[0].rows[0].test;
        const Json& expected = row[welch ? 4 : 3];
        REQUIRE(test.testable);
        CHECK(test.test == options.test);
        // Both programs round; quantiles of few degrees of freedom amplify it.
        CHECK(test.t == Approx(expected[0].get<double>()).epsilon(1e-9));
        CHECK(test.df == Approx(expected[1].get<double>()).epsilon(1e-9));
        CHECK(test.p == Approx(expected[2].get<double>()).epsilon(1e-9));
        CHECK(test.ci_low == Approx(expected[3].get<double>()).epsilon(1e-9));
        CHECK(test.ci_high == Approx(expected[4].get<double>()).epsilon(1e-9));
        CHECK(test.difference == Approx((test.ci_low + test.ci_high) / 2).margin(1e-9));
        // Zero lies in the interval exactly if p is not below alpha.
        CHECK((test.ci_low > 0 || test.ci_high < 0) == (test.p < options.alpha));
        // The very numbers of the table's own test.
        const auto& own = welch ? table.cells[0][0].welch : table.cells[0][0].student;
        CHECK(test.p == own->p);
        CHECK(test.df == own->df);
        CHECK(test.t == -own->t);
        CHECK(test.hedges_g == -own->hedges_g);
        CHECK(test.g_low == -own->g_high);
      }
    }
  }
}

TEST_CASE("a forest has a panel per column and a row per method but the reference") {
  TableOptions options;
  options.correction = "holm";
  const Table table = wide_table(options);
  const auto panels = forest(table);
  REQUIRE(panels.size() == 3);
  CHECK(panels[0].name == "Task 1 Tumor");
  CHECK(panels[1].name == "Organ");
  for (const ForestPanel& panel : panels) {
    REQUIRE(panel.rows.size() == 2);
    CHECK(panel.rows[0].method == "a");
    CHECK(panel.rows[1].label == "B");
  }
  const ForestRow& tested = panels[0].rows[0];
  CHECK(tested.test->difference == 5);
  CHECK(tested.test->ci_low > 0);
  CHECK(tested.reference.n == 5);
  CHECK(tested.row.sd == 2.0);
  CHECK(tested.p_adjusted == table.cells[0][0].student->p_adjusted);
  CHECK(*tested.p_adjusted > tested.test->p);
  CHECK_FALSE(panels[0].rows[1].test.has_value());  // no value
  const ForestRow& single = panels[2].rows[1];
  REQUIRE(single.test.has_value());
  CHECK_FALSE(single.test->testable);
  CHECK(single.test->reason == "n = 1");
  CHECK(single.test->difference == 5);
  CHECK_FALSE(single.p_adjusted.has_value());
}

TEST_CASE("a paper that does not state n leaves the difference without a test") {
  const auto panels = forest(wide_table({}, true));
  const ForestRow& row = panels[0].rows[0];
  REQUIRE(row.test.has_value());
  CHECK_FALSE(row.test->testable);
  CHECK(row.test->reason == "n is not stated");
  CHECK(row.test->difference == 5);
  CHECK(row.reference.n == 0);
  CHECK_FALSE(row.p_adjusted.has_value());
}

TEST_CASE("without the reference among the rows nothing is compared") {
  Table table = wide_table({});
  table.spec.reference = "elsewhere";
  for (const ForestPanel& panel : forest(table)) {
    CHECK(panel.rows.size() == 3);
    for (const ForestRow& row : panel.rows) {
      CHECK_FALSE(row.test.has_value());
    }
  }
}

TEST_CASE("the sheet of a forest shows both sources and says why there is no test") {
  TableOptions options;
  options.correction = "bh";
  options.alpha = 0.1;
  const Table table = wide_table(options);
  const auto measured = forest(table);
  const auto published = forest(wide_table(options, true));
  const Sheet alone = forest_sheet("forest-table2", "SAR against others", measured, {}, table);
  CHECK(alone.rows.size() == 5);
  CHECK(alone.rows[0].size() == alone.header.size());
  CHECK(alone.rows[0][0] == "Task 1 Tumor");
  CHECK(alone.rows.back().back() == "not testable: n = 1");
  const Sheet both =
      forest_sheet("forest-table2", "SAR against others", measured, published, table);
  REQUIRE(both.rows.size() == 10);
  CHECK(both.rows[5][2] == "published");
  CHECK(both.rows[5][3] == "–, –");
  CHECK(both.rows[5][6] == "5.00");
  const std::string text = written(document_of(both), "text");
  CHECK_THAT(text, Catch::Contains("90 % confidence interval"));
  CHECK_THAT(text, Catch::Contains("Student's pooled"));
  CHECK_THAT(text, Catch::Contains("p bh is corrected"));
  const Json& first = both.json.at("comparisons")[0];
  CHECK(first.at("p").get<double>() == measured[0].rows[0].test->p);
  CHECK(first.at("ci")[1].get<double>() == measured[0].rows[0].test->ci_high);
  CHECK(both.json.at("comparisons")[5].at("p").is_null());
  CHECK(both.json.at("source") == "both");
  CHECK(alone.json.at("source") == "measured");
}

TEST_CASE("in CSV, what a paper prints bears neither our protocol nor our kind of data") {
  const Table table = wide_table({});
  Sheet sheet = forest_sheet("f", "Forest", forest(table), forest(wide_table({}, true)), table);
  sheet.origin = {"phantom", "0123456789ab"};
  std::istringstream lines(written(document_of(sheet), "csv"));
  std::string line;
  std::getline(lines, line);
  CHECK_THAT(line, Catch::EndsWith(",data_kind,protocol"));
  int measured = 0;
  int published = 0;
  while (std::getline(lines, line)) {
    const bool ours = line.find(",measured,") != std::string::npos;
    CHECK_THAT(line, Catch::EndsWith(ours ? ",phantom,0123456789ab" : ",,"));
    ++(ours ? measured : published);
  }
  CHECK(measured == 5);
  CHECK(published == 5);
}

}  // namespace sar::forest_test
