#include "results/comparison/verify.h"

#include "harness/core/error.h"
#include "results/comparison/verify_document.h"
#include "results/tables/table.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <sstream>

namespace sar::verify_test {

/// Five trials with this mean and SD.
std::vector<double> trials(double mean, double sd) {
  std::vector<double> values;
  for (const int step : {-2, -1, 0, 1, 2}) {
    values.push_back(mean + step * sd / std::sqrt(2.5));
  }
  return values;
}

PrintedNumber printed(double value) {
  return {"", value, 0.005};
}

/// A table of one column, brats/tumor/all; the last row is the reference.
PrintedTable table_of(const std::string& id, const std::vector<Summary>& rows) {
  PrintedTable table;
  table.spec.id = id;
  table.spec.trials = rows.front().n;
  table.spec.columns = {{"BraTS", "Tumorall", "brats", "tumor", "all", "1"}};
  for (std::size_t row = 0; row < rows.size(); ++row) {
    const std::string method = "m" + std::to_string(row);
    table.spec.rows.push_back({method, method});
    table.spec.reference = method;
    PrintedCell cell{printed(rows[row].mean), std::nullopt, std::nullopt};
    if (rows[row].sd) {
      cell.sd = printed(*rows[row].sd);
    }
    table.cells.push_back({cell});
  }
  return table;
}

Paper paper_of(const std::vector<Summary>& rows) {
  Paper paper;
  paper.id = "invented";
  paper.tables = {table_of("table2", rows)};
  return paper;
}

/// `values`: trials of m0, m1, ...; none where a method was not run.
CellSource runs_of(const std::vector<std::vector<double>>& values,
                   const std::string& data_kind = "real") {
  std::vector<TrialDice> rows;
  for (std::size_t method = 0; method < values.size(); ++method) {
    for (std::size_t trial = 0; trial < values[method].size(); ++trial) {
      rows.push_back({"m" + std::to_string(method),
                      "brats",
                      "1",
                      "tumor",
                      "all",
                      static_cast<int>(trial),
                      6,
                      values[method][trial],
                      {}});
    }
  }
  return measured_cells(rows, test::protocol_row("p", data_kind));
}

/// The verdict on one printed number from the trials of one method.
VerifiedCell verified(const Summary& published,
                      const std::vector<double>& measured,
                      const VerifyOptions& options = {},
                      const std::set<std::string>& doubted = {},
                      const std::string& data_kind = "real") {
  const Paper paper = paper_of({published});
  return verify(paper, runs_of({measured}, data_kind), doubted, options).cells.at(0);
}

const std::string kPath = "table2/m0/brats/tumor/all";

// Numbers below: SciPy's ttest_ind_from_stats, and its t and nct distributions.

TEST_CASE("means shown to lie within the margin are reproduced, with the numbers behind it") {
  const VerifiedCell cell = verified({70, 0.5, 5}, trials(70.5, 0.5));
  CHECK(cell.path.text() == kPath);
  CHECK(cell.verdict == Reproduction::reproduced);
  CHECK(*cell.difference == Approx(0.5).epsilon(1e-12));
  CHECK(cell.test->t == Approx(1.5811388300841895).epsilon(1e-9));
  CHECK(cell.test->df == Approx(8).epsilon(1e-9));
  CHECK(cell.test->p == Approx(0.15250228520801462).epsilon(1e-9));
  CHECK(*cell.p_adjusted == cell.test->p);  // a family of one
  CHECK(cell.equivalence->p == Approx(0.000728767659798239).epsilon(1e-9));
  CHECK(*cell.power == Approx(0.9997662806574532).epsilon(1e-9));
  CHECK(cell.reasons.empty());
}

TEST_CASE("a significant difference within the margin is still reproduced: that comes first") {
  const VerifiedCell cell = verified({70, 0.3, 5}, trials(71, 0.3));
  CHECK(cell.test->p == Approx(0.0007548710449630141).epsilon(1e-9));
  CHECK(cell.equivalence->p == Approx(0.00037743552248150703).epsilon(1e-9));
  CHECK(cell.verdict == Reproduction::reproduced);
}

TEST_CASE("means shown to differ are different, also where the power is low") {
  const VerifiedCell cell = verified({70, 1, 5}, trials(75, 1));
  CHECK(cell.test->p == Approx(4.755471757840457e-05).epsilon(1e-9));
  CHECK(*cell.power == Approx(0.7905423779725717).epsilon(1e-9));
  CHECK(cell.verdict == Reproduction::different);
  // The difference is measured - published.
  CHECK(verified({75, 1, 5}, trials(70, 1)).test->ci_high < 0);
}

TEST_CASE("no difference shown is compatible or underpowered, by the power at the margin") {
  const Summary published{70, 0.9, 5};
  const std::vector<double> measured = trials(71.3, 0.9);
  const VerifiedCell cell = verified(published, measured);
  CHECK(cell.test->p == Approx(0.05175795725399831).epsilon(1e-9));
  CHECK(*cell.power == Approx(0.8666766229112727).epsilon(1e-9));
  CHECK(cell.verdict == Reproduction::compatible);
  VerifyOptions options;
  options.power = 0.8666;
  CHECK(verified(published, measured, options).verdict == Reproduction::compatible);
  options.power = 0.8667;
  CHECK(verified(published, measured, options).verdict == Reproduction::underpowered);
  options = {};
  options.margin = 1;
  CHECK(verified(published, measured, options).verdict == Reproduction::underpowered);
  options.margin = 20;
  CHECK(verified(published, measured, options).verdict == Reproduction::reproduced);
  options = {};
  options.alpha = 0.052;
  CHECK(verified(published, measured, options).verdict == Reproduction::different);
  CHECK(verified({70, 5, 5}, trials(71, 5)).verdict == Reproduction::underpowered);
}

TEST_CASE("phantom data, an unprinted SD or n and a doubted cell come before everything else") {
  const std::vector<double> far = trials(75, 1);
  const auto check = [](const VerifiedCell& cell, const std::vector<std::string>& reasons) {
    CHECK(cell.verdict == Reproduction::not_testable);
    CHECK(cell.reasons == reasons);
    CHECK(!cell.test);
    CHECK(!cell.p_adjusted);
    CHECK(!cell.equivalence);
    CHECK(!cell.power);
  };
  check(verified({70, 1, 5}, far, {}, {}, "phantom"), {"phantom data"});
  check(verified({70, {}, 5}, far), {"no SD is printed"});
  check(verified({70, 1, 0}, far), {"the number of trials is not printed"});
  check(verified({70, 1, 1}, far), {"the printed mean is over one trial"});
  check(verified({70, 1, 5}, far, {}, {kPath}), {"audit doubts the printed number"});
  check(verified({70, {}, 0}, far, {}, {kPath}, "phantom"),
        {"phantom data",
         "no SD is printed",
         "the number of trials is not printed",
         "audit doubts the printed number"});
  // Also before a missing run.
  check(verified({70, 1, 5}, {}, {}, {kPath}), {"audit doubts the printed number"});
  check(verified({70, 1, 5}, {}, {}, {}, "phantom"), {"phantom data"});
  // Another cell's doubt is none of this one's.
  CHECK(verified({70, 1, 5}, far, {}, {"table3/m0/brats/tumor/all"}).verdict ==
        Reproduction::different);
  // What was measured is there all the same.
  const VerifiedCell phantom = verified({70, 1, 5}, far, {}, {}, "phantom");
  CHECK(phantom.measured->mean == Approx(75).epsilon(1e-12));
  CHECK(*phantom.difference == Approx(5).epsilon(1e-12));
}

TEST_CASE("a cell without a finished trial is missing; one trial or no spread is not testable") {
  const VerifiedCell missing = verified({70, 1, 5}, {});
  CHECK(missing.verdict == Reproduction::missing);
  CHECK(!missing.measured);
  CHECK(!missing.difference);
  CHECK(!missing.test);
  const VerifiedCell one = verified({70, 1, 5}, {70});
  CHECK(one.verdict == Reproduction::not_testable);
  CHECK(one.reasons.size() == 1);
  CHECK(one.measured->n == 1);
  const VerifiedCell constant = verified({70, 0, 5}, {70, 70, 70});
  CHECK(constant.verdict == Reproduction::not_testable);
  CHECK(constant.reasons.size() == 1);
  // A constant measurement against a printed spread can be tested.
  CHECK(verified({70, 1, 5}, {75, 75, 75}).verdict == Reproduction::different);
}

TEST_CASE("p is corrected by Holm over the tested cells of the table") {
  // p = 0.00834 alone; over five cells 0.0417, over six 0.0500273.
  const std::pair published{Summary{70, 1, 5}, Summary{70, 5, 5}};
  const std::pair measured{trials(72.2, 1), trials(71, 5)};
  const auto result = [&](int others, bool doubt_one, const VerifyOptions& options = {}) {
    std::vector<Summary> printed_rows{published.first};
    std::vector<std::vector<double>> runs{measured.first};
    for (int i = 0; i < others; ++i) {
      printed_rows.push_back(published.second);
      runs.push_back(measured.second);
    }
    const Paper paper = paper_of(printed_rows);
    std::set<std::string> doubted;
    if (doubt_one) {
      doubted.insert("table2/m1/brats/tumor/all");
    }
    return verify(paper, runs_of(runs), doubted, options);
  };
  const double p = 0.008337908390856016;
  const Verification five = result(4, false);
  CHECK(*five.cells[0].p_adjusted == Approx(5 * p).epsilon(1e-9));
  CHECK(five.cells[0].verdict == Reproduction::different);
  const Verification six = result(5, false);
  CHECK(six.cells[0].test->p == Approx(p).epsilon(1e-9));
  CHECK(*six.cells[0].p_adjusted == Approx(6 * p).epsilon(1e-9));
  CHECK(six.cells[0].verdict == Reproduction::underpowered);
  CHECK(six.count(Reproduction::underpowered) == 6);
  const Verification without = result(5, true);
  CHECK(*without.cells[0].p_adjusted == Approx(5 * p).epsilon(1e-9));
  CHECK(without.cells[0].verdict == Reproduction::different);
  CHECK(without.count(Reproduction::not_testable) == 1);
  VerifyOptions plain;
  plain.correction = "none";
  CHECK(result(5, false, plain).cells[0].verdict == Reproduction::different);

  // Another table is another family.
  Paper two = paper_of({published.first, published.second, published.second, published.second});
  two.tables.push_back(table_of("table3", {published.first, published.second, published.second}));
  const Verification both = verify(
      two, runs_of({measured.first, measured.second, measured.second, measured.second}), {}, {});
  CHECK(*both.cells[0].p_adjusted == Approx(4 * p).epsilon(1e-9));
  CHECK(*both.cells[4].p_adjusted == Approx(3 * p).epsilon(1e-9));
  CHECK(both.count(Reproduction::different, "table3") == 1);
  CHECK(both.count(Reproduction::different) == 2);
}

TEST_CASE("Student's test pools the variances, in the test and in the equivalence test") {
  VerifyOptions options;
  options.margin = 8;
  const VerifiedCell welch = verified({70, 1, 5}, trials(74, 3), options);
  options.test = "student";
  const VerifiedCell student = verified({70, 1, 5}, trials(74, 3), options);
  CHECK(welch.test->test == "welch");
  CHECK(student.test->test == "student");
  CHECK(student.test->p == Approx(0.02220390414047725).epsilon(1e-9));
  CHECK(welch.test->p == Approx(0.037781186965693415).epsilon(1e-9));
  CHECK(student.test->df == 8);
  CHECK(welch.test->df == Approx(4.878048780487805).epsilon(1e-9));
  CHECK(student.equivalence->df == 8);
  CHECK(welch.equivalence->df == Approx(4.878048780487805).epsilon(1e-9));
  CHECK(*student.power == *welch.power);
}

TEST_CASE("direction and rank agreement compare the rows of a column") {
  // Five of six pairs agree: tau-b 4/6. Of 24 permutations, four have tau-b >= 2/3 and four <=
  // -2/3.
  const std::vector<Summary> printed_rows{{70, 1, 5}, {72, 1, 5}, {74, 1, 5}, {76, 1, 5}};
  const Paper paper = paper_of(printed_rows);
  const auto column = [&](const std::vector<double>& means, const std::string& kind = "real") {
    std::vector<std::vector<double>> runs;
    for (const double mean : means) {
      runs.push_back(mean > 0 ? trials(mean, 1) : std::vector<double>{});
    }
    return verify(paper, runs_of(runs, kind), {}, {});
  };
  for (const char* kind : {"real", "phantom"}) {
    const Verification result = column({60, 65, 63, 70}, kind);
    const VerifiedColumn& one = result.columns.at(0);
    CHECK(one.table == "table2");
    CHECK(one.column == "brats/tumor/all");
    CHECK(one.methods == 4);
    CHECK(one.compared == 3);
    CHECK(one.same_direction == 3);
    CHECK(one.ranks.testable);
    CHECK(one.ranks.exact);
    CHECK(one.ranks.tau_b == Approx(2.0 / 3).epsilon(1e-12));
    CHECK(one.ranks.p == Approx(8.0 / 24).epsilon(1e-12));
    CHECK(one.ranks.floor == Approx(2.0 / 24).epsilon(1e-12));
    CHECK(result.cells[0].direction == "same");
    CHECK(result.cells[3].direction.empty());  // the reference
  }
  const Verification mixed = column({60, 75, 70, 70});
  CHECK(mixed.cells[0].direction == "same");
  CHECK(mixed.cells[1].direction == "opposite");
  CHECK(mixed.cells[2].direction == "tied");
  CHECK(mixed.columns[0].compared == 3);
  CHECK(mixed.columns[0].same_direction == 1);
  // Without the reference there is no direction, without a row no rank of it.
  const Verification no_reference = column({60, 65, 63, 0});
  CHECK(no_reference.cells[0].direction.empty());
  CHECK(no_reference.columns[0].compared == 0);
  CHECK(no_reference.columns[0].methods == 3);
  CHECK(no_reference.columns[0].ranks.testable);
  const Verification two = column({60, 0, 0, 70});
  CHECK(two.columns[0].compared == 1);
  CHECK(!two.columns[0].ranks.testable);
  CHECK(!two.columns[0].ranks.reason.empty());
}

TEST_CASE("options out of range are usage errors") {
  for (const auto& change : std::vector<void (*)(VerifyOptions&)>{
           [](VerifyOptions& options) { options.test = "paired"; },
           [](VerifyOptions& options) { options.correction = "bonferroni"; },
           [](VerifyOptions& options) { options.margin = 0; },
           [](VerifyOptions& options) { options.alpha = 0; },
           [](VerifyOptions& options) { options.power = 1; }}) {
    VerifyOptions options;
    change(options);
    try {
      verified({70, 1, 5}, trials(75, 1), options);
      FAIL("was accepted");
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::usage);
    }
  }
}

/// Characters of the widest line.
std::size_t width(const std::string& text) {
  std::size_t widest = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    widest = std::max(widest, static_cast<std::size_t>(std::ranges::count_if(line, [](char byte) {
                        return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
                      })));
  }
  return widest;
}

/// Every cell of the paper, far from what is printed and with a wide spread.
Verification of_the_paper(const std::string& kind) {
  const Paper paper =
      read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
  std::vector<TrialDice> rows;
  for (const PrintedTable& table : paper.tables) {
    for (std::size_t row = 0; row < table.spec.rows.size(); ++row) {
      for (const TableColumn& column : table.spec.columns) {
        if (table.spec.id == "table3" && table.spec.rows[row].method == "sar") {
          continue;  // as in Table 2
        }
        for (int trial = 0; trial < 5; ++trial) {
          rows.push_back({table.spec.rows[row].method,
                          column.task,
                          column.fraction,
                          column.target,
                          column.bucket,
                          trial,
                          6,
                          10.0 + 11.1 * trial + static_cast<double>(row),
                          {}});
        }
      }
    }
  }
  Verification result = verify(paper,
                               measured_cells(rows, test::protocol_row("0123456789abcdef", kind)),
                               {"table2/genesis/brats/tumor/L"},
                               {});
  result.profile = "paper";
  return result;
}

TEST_CASE("a verification is readable in every format and names its margin with each verdict") {
  const Verification real = of_the_paper("real");
  CHECK(real.cells.size() == 54 + 16 + 20);
  CHECK(real.count(Reproduction::not_testable, "table2") == 1);
  CHECK(real.count(Reproduction::not_testable, "table4") == 20);
  const std::string text = written(document_of(real), "text");
  CHECK(width(text) <= 100);
  CHECK_THAT(text, Catch::Contains("Margin ±2 Dice points"));
  CHECK_THAT(text, Catch::Contains("different (±2)"));
  CHECK_THAT(text,
             Catch::Contains("Not testable, audit doubts the printed number: "
                             "genesis/brats/tumor/L."));
  CHECK_THAT(text, Catch::Contains("Not testable, no SD is printed: all cells."));
  CHECK_THAT(text, !Catch::Contains("phantom"));
  for (const char* format : {"text", "md", "latex", "html"}) {
    CHECK_THAT(written(document_of(of_the_paper("phantom")), format),
               Catch::Contains("phantom data"));
  }
  const std::string phantom = written(document_of(of_the_paper("phantom")), "text");
  CHECK(width(phantom) <= 100);
  // tau-b has a p on phantom data too: it is cells that are not tested.
  const std::string unbroken = written(document_of(of_the_paper("phantom")), "md");
  CHECK_THAT(unbroken, Catch::Contains("what they measured is shown, and no cell is tested"));
  CHECK_THAT(unbroken, Catch::Contains("Phantom data: no cell is tested. tau-b and its p"));
  CHECK_THAT(unbroken, !Catch::Contains("nothing is tested"));
  CHECK_THAT(written(document_of(real), "md"), !Catch::Contains("no cell is tested"));
  const std::string csv = written(document_of(real), "csv");
  CHECK(std::ranges::count(csv, '\n') == 91);
  CHECK_THAT(csv, Catch::StartsWith("cell,published_mean,"));
  CHECK_THROWS_AS(written(document_of(real), "pdf"), Error);
}

TEST_CASE("the JSON of a verification has the shape of the product contract") {
  const Json json = Json::parse(written(document_of(of_the_paper("real")), "json"));
  CHECK(json.at("schema_version") == 1);
  CHECK(json.at("margin") == 2.0);
  CHECK(json.at("cells").size() == 90);
  const Json& cell = json.at("cells")[0];
  CHECK(cell.at("cell") == "table2/scratch/brats/tumor/S");
  CHECK(cell.at("published") == Json{{"mean", 65.41}, {"sd", 7.82}, {"n", 5}});
  CHECK(cell.at("measured").at("n") == 5);
  CHECK(cell.at("difference").is_number());
  CHECK(cell.at("ci").size() == 2);
  CHECK(cell.at("p").get<double>() <= cell.at("p_adjusted").get<double>());
  CHECK(cell.at("margin") == 2.0);
  CHECK(cell.at("reason").is_null());
  CHECK(cell.at("direction") == "same");
  const Json& without = json.at("cells")[89];  // Table 4
  CHECK(without.at("published").at("sd").is_null());
  CHECK(without.at("published").at("n").is_null());
  CHECK(without.at("verdict") == "not-testable");
  CHECK(without.at("p").is_null());
  CHECK(without.at("ci").is_null());
  int sum = 0;
  for (const char* verdict :
       {"reproduced", "compatible", "different", "underpowered", "missing", "not-testable"}) {
    sum += json.at("summary").at(verdict).get<int>();
  }
  CHECK(sum == 90);
  CHECK(json.at("columns").size() == 20);
}

}  // namespace sar::verify_test
