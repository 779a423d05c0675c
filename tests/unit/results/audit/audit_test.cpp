#include "results/audit/audit.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/audit/audit_document.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>

namespace sar::audit_test {

PrintedCell printed_cell(const std::string& text) {
  const auto sign = text.find("±");
  PrintedCell cell{parse_printed(text.substr(0, sign)), {}, {}};
  if (sign != std::string::npos) {
    cell.sd = parse_printed(text.substr(sign + std::string("±").size()));
  }
  return cell;
}

using Rows = std::vector<std::pair<std::string, std::vector<std::string>>>;

/// `columns` as "task/target/bucket" or "task/target/bucket/1/2".
PrintedTable printed_table(const std::string& id,
                           const std::vector<std::string>& columns,
                           const Rows& rows,
                           int trials = 5) {
  PrintedTable table;
  table.spec.id = id;
  table.spec.title = id;
  table.spec.reference = "ours";
  table.spec.trials = trials;
  for (const std::string& column : columns) {
    const CellPath path = parse_cell_path("t/m/" + column);
    table.spec.columns.push_back({"", column, path.task, path.target, path.bucket, path.fraction});
  }
  for (const auto& [method, cells] : rows) {
    table.spec.rows.push_back({method, method});
    table.cells.emplace_back();
    for (const std::string& cell : cells) {
      table.cells.back().push_back(printed_cell(cell));
    }
  }
  return table;
}

Paper paper_of(const std::vector<PrintedTable>& tables) {
  Paper paper;
  paper.id = "small";
  paper.title = "A small paper";
  paper.reference = "ours";
  paper.tables = tables;
  return paper;
}

const std::vector<std::string> kBuckets{
    "brain/tumor/S", "brain/tumor/M", "brain/tumor/L", "brain/tumor/all"};

/// Ten cases split 2, 5, 3: each last mean is (2 S + 5 M + 3 L) / 10, worked by hand.
Rows weighted_rows() {
  return {{"a", {"60.00", "70.00", "80.00", "71.00"}},      // 120 + 350 + 240 = 710
          {"b", {"61.35", "72.11", "75.02", "70.83"}},      // 122.70 + 360.55 + 225.06 = 708.31
          {"c", {"55.55", "81.20", "79.99", "75.71"}},      // 111.10 + 406.00 + 239.97 = 757.07
          {"d", {"64.20", "69.90", "88.80", "74.43"}},      // 128.40 + 349.50 + 266.40 = 744.30
          {"ours", {"70.10", "83.30", "85.60", "81.35"}}};  // 140.20 + 416.50 + 256.80 = 813.50
}

Paper bucket_paper(const Rows& rows, int cases = 10) {
  Paper paper = paper_of({printed_table("t", kBuckets, rows)});
  paper.bucket_groups = {{"brain", "tumor", "1", {"S", "M", "L"}, "all", cases, ""}};
  return paper;
}

std::vector<std::string> ids(const Audit& audit) {
  std::vector<std::string> list;
  for (const Finding& finding : audit.findings) {
    list.push_back(finding.id);
  }
  return list;
}

using Ids = std::vector<std::string>;

const Finding& find(const Audit& audit, const std::string& id) {
  const auto found = std::ranges::find(audit.findings, id, &Finding::id);
  if (found == audit.findings.end()) {
    FAIL("no finding " << id);
  }
  return *found;
}

const CheckReport& check(const Audit& audit, const std::string& name) {
  const auto found = std::ranges::find(audit.checks, name, &CheckReport::check);
  REQUIRE(found != audit.checks.end());
  return *found;
}

Claim claim(const std::string& id, const std::string& kind) {
  Claim claim;
  claim.id = id;
  claim.section = "4";
  claim.kind = kind;
  return claim;
}

TEST_CASE("a clean paper gives eleven reports and no finding") {
  const Audit result = audit(bucket_paper(weighted_rows()), {});
  CHECK(ids(result).empty());
  CHECK(result.doubted.empty());
  std::vector<std::string> names;
  for (const CheckReport& report : result.checks) {
    names.push_back(report.check);
    CHECK_FALSE(report.summary.empty());
    CHECK((report.status == "checked" || report.status == "not applicable"));
  }
  std::ranges::sort(names);
  CHECK(names == Ids{"bold-best",
                     "bucket-weights",
                     "counts",
                     "cross-table",
                     "derived-average",
                     "duplicate-cell",
                     "monotone",
                     "range",
                     "sd-bound",
                     "significance",
                     "text-vs-table"});
  CHECK(check(result, "bucket-weights").status == "checked");
  CHECK(check(result, "counts").status == "not applicable");
  CHECK(ids(audit(paper_of({}), {})).empty());
  CHECK_THAT(written(document_of(result), "text"), Catch::Contains("Nothing found"));
}

// --- duplicate-cell, cross-table, range, bold-best ----------------------------------------------

TEST_CASE("an identical pair of mean and SD is inconsistent, one of them alone a note") {
  const Audit result = audit(paper_of({printed_table("t",
                                                     {"x/y/all"},
                                                     {{"a", {"50.10±1.20"}},
                                                      {"b", {"50.10±1.20"}},
                                                      {"c", {"50.10±1.30"}},
                                                      {"d", {"70.11±3.3"}},
                                                      {"e", {"51.00±1.30"}}})}),
                             {});
  CHECK(ids(result) == Ids{"duplicate-cell:x/y/all:a+b",
                           "duplicate-cell:x/y/all:mean:a+b+c",
                           "duplicate-cell:x/y/all:sd:c+e"});
  const Finding& pair = result.findings[0];
  CHECK(pair.severity == Severity::inconsistent);
  CHECK(pair.cells == Ids{"t/a/x/y/all", "t/b/x/y/all"});
  CHECK(pair.doubts == pair.cells);
  CHECK(result.findings[1].severity == Severity::note);
  CHECK(result.findings[1].doubts.empty());
  CHECK(result.doubted == std::set<std::string>{"t/a/x/y/all", "t/b/x/y/all"});
}

TEST_CASE("an identical pair is a note where chance or the end of the scale explains it") {
  const auto of = [](const Rows& rows) {
    const Audit result = audit(paper_of({printed_table("t", {"x/y/all"}, rows)}), {});
    return find(result, "duplicate-cell:x/y/all:a+b").severity;
  };
  const std::string pair = "50.10±1.20";
  CHECK(of({{"a", {pair}}, {"b", {pair}}, {"c", {"60.00±2.00"}}, {"d", {"70.00±3.00"}}}) ==
        Severity::inconsistent);
  // By hand: the means spread over 20 × 5 / 3, the SDs over 2 × 5 / 3, six pairs of rows, units of
  // one: 6 × 0.03 × 0.3 = 0.054.
  CHECK(of({{"a", {"50±1"}}, {"b", {"50±1"}}, {"c", {"60±2"}}, {"d", {"70±3"}}}) == Severity::note);
  CHECK(of({{"a", {"50±1"}}, {"b", {"50±1"}}, {"c", {"60±2"}}, {"d", {"72±3"}}}) ==
        Severity::inconsistent);  // 6 × 3 / 110 × 0.3 = 0.049
  for (const char* end : {"0.00±0.00", "100.00±0.00"}) {
    CHECK(of({{"a", {end}}, {"b", {end}}, {"c", {"60.00±2.00"}}, {"d", {"70.00±3.00"}}}) ==
          Severity::note);
  }
}

TEST_CASE("equal cells of different columns, and means without SD, are no identical pair") {
  CHECK(ids(audit(paper_of({printed_table(
                      "t",
                      {"x/y/all", "x/z/all"},
                      {{"a", {"50.10±1.20", "60.00±2.00"}}, {"b", {"60.00±2.00", "50.10±1.20"}}})}),
                  {}))
            .empty());
  const Audit without =
      audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"50.10"}}, {"b", {"50.10"}}})}), {});
  CHECK(ids(without) == Ids{"duplicate-cell:x/y/all:mean:a+b"});
  CHECK(without.findings[0].severity == Severity::note);
}

TEST_CASE("findings in the same words about two tables keep ids of their own") {
  const Rows rows{{"a", {"50.10"}}, {"b", {"50.10"}}};
  const Audit result = audit(
      paper_of({printed_table("t", {"x/y/all"}, rows), printed_table("u", {"x/y/all"}, rows)}), {});
  CHECK(ids(result) == Ids{"duplicate-cell:x/y/all:mean:a+b", "duplicate-cell:x/y/all:mean:a+b:2"});
}

TEST_CASE("a cell that two tables print must be the same, as far as its digits go") {
  const auto differing = [](const std::string& text) {
    return ids(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"50.10±1.20"}}}),
                               printed_table("u", {"x/y/all"}, {{"a", {text}}})}),
                     {}));
  };
  CHECK(differing("50.10±1.20").empty());
  CHECK(differing("50.10").empty());
  CHECK(differing("50.1±1.2").empty());
  CHECK(differing("50.11±1.20") == Ids{"cross-table:a/x/y/all:t+u"});
  CHECK(differing("50.10±1.21") == Ids{"cross-table:a/x/y/all:t+u"});
  CHECK(differing("50.2") == Ids{"cross-table:a/x/y/all:t+u"});  // from 50.15 on
}

TEST_CASE("means lie between 0 and 100, SDs between 0 and the largest possible") {
  const auto of = [](const std::string& text, int trials = 5) {
    return ids(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {text}}}, trials)}), {}));
  };
  CHECK(of("100.00").empty());
  CHECK(of("0").empty());
  CHECK(of("100.4±0").size() == 1);
  CHECK(of("100").empty());
  CHECK(of("100.01") == Ids{"range:t/a/x/y/all:mean"});  // at least 100.005
  CHECK(of("-0.5±1.0") == Ids{"range:t/a/x/y/all:mean"});
  CHECK(of("50.0±-0.1") == Ids{"range:t/a/x/y/all:sd"});
  // By hand: mean 90, n = 5: √(90 × 10 × 5 / 4) = √1125 = 33.541; the mean may be 89.995 (33.548).
  CHECK(of("90.00±33.55").empty());
  CHECK(of("90.00±33.56") == Ids{"range:t/a/x/y/all:sd"});
  CHECK(of("90.00±33.56", 0).empty());  // n unknown
  CHECK(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"101.0"}}})}), {})
            .findings[0]
            .severity == Severity::error);
}

TEST_CASE("bold is the largest mean of a column, all of several equal ones, or one of them") {
  const auto of = [](const std::vector<std::optional<bool>>& bold) {
    Paper paper = paper_of({printed_table(
        "t", {"x/y/all"}, {{"a", {"70.0±1.0"}}, {"b", {"71.0±2.0"}}, {"c", {"71.0±3.0"}}})});
    for (std::size_t row = 0; row < bold.size(); ++row) {
      paper.tables[0].cells[row][0].bold = bold[row];
    }
    std::vector<std::string> found = ids(audit(paper, {}));
    std::erase(found, "duplicate-cell:x/y/all:mean:b+c");
    return found;
  };
  CHECK(of({false, true, true}).empty());
  CHECK(of({false, true, false}).empty());
  CHECK(of({true, false, false}) == Ids{"bold-best:t/x/y/all"});
  CHECK(of({true, true, true}) == Ids{"bold-best:t/x/y/all"});
  CHECK(of({false, false, false}).empty());  // a table without any mark
  CHECK(of({true, std::nullopt, std::nullopt}).empty());
  Paper paper = paper_of({printed_table(
      "t", {"x/y/all", "x/z/all"}, {{"a", {"70.0", "50.0"}}, {"b", {"71.0", "49.0"}}})});
  for (auto& row : paper.tables[0].cells) {
    row[0].bold = false;
    row[1].bold = row[1].mean.value == 50;
  }
  const Audit result = audit(paper, {});
  REQUIRE(ids(result) == Ids{"bold-best:t/x/y/all"});
  CHECK(result.findings[0].cells == Ids{"t/b/x/y/all"});
}

TEST_CASE("a bold mean that rounding cannot tell from the largest is no fault") {
  const auto of = [](const std::string& bold, const std::string& other) {
    Paper paper = paper_of({printed_table("t", {"x/y/all"}, {{"a", {bold}}, {"b", {other}}})});
    paper.tables[0].cells[0][0].bold = true;
    paper.tables[0].cells[1][0].bold = false;
    return ids(audit(paper, {}));
  };
  CHECK(of("71.0", "71.04").empty());
  CHECK(of("71.0", "71.06") == Ids{"bold-best:t/x/y/all"});
  CHECK(of("71.00", "71.01") == Ids{"bold-best:t/x/y/all"});
}

// --- bucket-weights, sd-bound -------------------------------------------------------------------

TEST_CASE("weights are recovered from the means, and a row that does not fit them is named") {
  Rows rows = weighted_rows();
  const Json clean = check(audit(bucket_paper(rows), {}), "bucket-weights").values.at("groups")[0];
  CHECK(clean.at("best") == Json{2, 5, 3});
  CHECK(clean.at("best_rows") == 5);
  CHECK(clean.at("tied_splits") == 1);
  CHECK(clean.at("shared") == true);
  CHECK(clean.at("other_cases") ==
        Json{{{"cases", 20}, {"rows", 5}}, {{"cases", 30}, {"rows", 5}}});  // in proportion

  // Row a is exact: 71 = 710 / 10. Rounding explains 0.005 of either side, both ends included.
  rows[0].second[3] = "71.01";
  CHECK(ids(audit(bucket_paper(rows), {})).empty());
  rows[0].second[3] = "70.99";
  CHECK(ids(audit(bucket_paper(rows), {})).empty());
  rows[0].second[3] = "71.02";
  const Audit result = audit(bucket_paper(rows), {});
  REQUIRE(ids(result) == Ids{"bucket-weights:brain/tumor:a"});
  const Finding& finding = result.findings[0];
  CHECK(finding.severity == Severity::inconsistent);
  CHECK(finding.cells ==
        Ids{"t/a/brain/tumor/S", "t/a/brain/tumor/M", "t/a/brain/tumor/L", "t/a/brain/tumor/all"});
  CHECK(finding.doubts == finding.cells);
  CHECK(finding.values.at("split") == Json{2, 5, 3});
  CHECK(finding.values.at("misfit").get<double>() == Approx(-0.02).epsilon(1e-12));
  CHECK_THAT(finding.message, Catch::Contains("(2 × 60.00 + 5 × 70.00 + 3 × 80.00) / 10 = 71.000"));
  CHECK_THAT(finding.message, Catch::Contains("4 of 5 rows share these weights"));
  // By hand: S alone: (710.2 ± 0.05 - 5 (70 ± 0.005) - 3 (80 ± 0.005)) / 2 = 60.1 ± 0.045.
  const Json& needed = finding.values.at("needed");
  CHECK(needed.at("S").at("low").get<double>() == Approx(60.055).epsilon(1e-12));
  CHECK(needed.at("S").at("high").get<double>() == Approx(60.145).epsilon(1e-12));
  CHECK(needed.at("all").at("low").get<double>() == Approx(70.995).epsilon(1e-12));
  CHECK(needed.at("all").at("high").get<double>() == Approx(71.005).epsilon(1e-12));
}

TEST_CASE(
    "weights that do better than the stated number of cases are told, and no row is accused") {
  const auto of = [](const std::vector<double>& weights, int stated) {
    Rows rows;
    int row = 0;
    for (const double level : {60.1, 62.7, 65.3, 68.9, 71.2, 74.6, 77.7, 64.0, 70.5}) {
      // Parts close to each other fit many weights; the last two rows fit few.
      const double wide = row >= 7 ? 1 : 0.1;
      const double turn = row % 3;
      const std::vector<double> parts{
          level - (12 + turn) * wide, level + (2 - turn) * wide, level + (8 + 0.5 * turn) * wide};
      std::vector<std::string> cells;
      double whole = 0;
      double sum = 0;
      for (std::size_t i = 0; i < 3; ++i) {
        cells.push_back(fmt::format("{:.2f}", parts[i]));
        whole += weights[i] * parse_printed(cells.back()).value;
        sum += weights[i];
      }
      cells.push_back(fmt::format("{:.2f}", whole / sum));
      rows.emplace_back(fmt::format("m{}", row++), cells);
    }
    const Audit result = audit(bucket_paper(rows, stated), {});
    CHECK(result.doubted.empty());
    CHECK(result.count(Severity::inconsistent) == 0);
    return result;
  };
  const std::string id = "bucket-weights:brain/tumor:other-weights";
  CHECK(find(of({25, 45, 24}, 95), id).values.at("rows_fitting_others") == 9);
  CHECK(find(of({25, 45, 24}, 95), id).values.at("other_weights") == "a split of 94 cases");
  CHECK_THAT(find(of({1, 1, 1}, 95), id).message, Catch::Contains("plain average"));
  // No whole numbers of cases near: weights by volume, say.
  const Audit volumes = of({0.2113, 0.3391, 0.4496}, 19);
  CHECK(find(volumes, id).values.at("rows_fitting_others") == 9);
  CHECK(ids(of({25, 45, 25}, 95)).empty());
}

TEST_CASE("too many cases to try every split are told, not passed over") {
  const Audit result = audit(bucket_paper(weighted_rows(), 100000), {});
  CHECK(check(result, "bucket-weights").status == "not checked");
  CHECK(find(result, "bucket-weights:brain/tumor:not-checked").severity == Severity::note);
}

TEST_CASE("a cell is the likely slip only where an identical pair points at it") {
  Rows rows = weighted_rows();
  for (auto& [method, cells] : rows) {
    for (std::string& cell : cells) {
      cell += method == "a"   ? "±1.00"
              : method == "b" ? "±1.10"
              : method == "c" ? "±1.20"
              : method == "d" ? "±1.30"
                              : "±1.40";
    }
  }
  rows[0].second[2] = rows[1].second[2];  // copied from b: 75.02±1.10
  const Audit result = audit(bucket_paper(rows), {});
  CHECK(ids(result) == Ids{"duplicate-cell:brain/tumor/L:a+b", "bucket-weights:brain/tumor:a"});
  const Finding& finding = result.findings[1];
  CHECK(finding.values.at("suspects") == Json{"t/a/brain/tumor/L"});
  CHECK(finding.doubts == Ids{"t/a/brain/tumor/L"});
  CHECK(finding.rests_on == Ids{"duplicate-cell:brain/tumor/L:a+b"});
  CHECK(result.doubted == std::set<std::string>{"t/a/brain/tumor/L", "t/b/brain/tumor/L"});
}

TEST_CASE("a cell that could only be mended by no Dice is marked so") {
  Rows rows = weighted_rows();
  rows[0].second[3] = "79.00";  // S would have to be 100: 2 × 100 + 350 + 240 = 790
  const Audit whole = audit(bucket_paper(rows), {});
  CHECK(whole.findings[0].values.at("needed").at("S").at("possible") == true);
  rows[0].second[3] = "79.10";
  const Audit beyond = audit(bucket_paper(rows), {});
  CHECK(beyond.findings[0].values.at("needed").at("S").at("possible") == false);
  CHECK_THAT(beyond.findings[0].message, Catch::Contains("(no Dice in percent)"));
}

TEST_CASE("a whole outside its parts fits no weights, even alone") {
  const auto of = [](const std::string& whole) {
    return audit(bucket_paper({{"a", {"60.00", "70.00", "80.00", whole}},
                               {"ours", {"70.10", "83.30", "85.60", "81.35"}}}),
                 {});
  };
  CHECK(ids(of("77.00")).empty());   // 1, 1, 8: 60 + 70 + 640 = 770
  const Audit within = of("79.00");  // more than any split of ten cases gives
  REQUIRE(ids(within) == Ids{"bucket-weights:brain/tumor:a"});
  CHECK_THAT(within.findings[0].message, Catch::Contains("no split of 10 cases"));
  const Audit result = of("80.02");
  REQUIRE(ids(result) == Ids{"bucket-weights:brain/tumor:a"});
  CHECK_THAT(result.findings[0].message, Catch::Contains("no weights at all"));
}

TEST_CASE("rows that share no split are one finding") {
  Rows rows = weighted_rows();
  rows[0].second[3] = "66.00";  // 10 cases: 6, 2, 2
  rows[1].second[3] = "63.53";
  rows[2].second[3] = "78.42";
  rows[3].second[3] = "80.70";
  const Audit result = audit(bucket_paper(rows), {});
  CHECK(find(result, "bucket-weights:brain/tumor:no-shared-split").severity ==
        Severity::inconsistent);
}

TEST_CASE("without a number of cases a range of them is tried") {
  const Audit result = audit(bucket_paper(weighted_rows(), 0), {});
  CHECK(ids(result).empty());
  const Json group = check(result, "bucket-weights").values.at("groups")[0];
  CHECK(group.at("cases").is_null());
  CHECK(group.at("best") == Json{2, 5, 3});
  CHECK(group.at("best_rows") == 5);
}

TEST_CASE("another number of cases that does better is told") {
  const Audit result = audit(bucket_paper(weighted_rows(), 11), {});
  const Json group = check(result, "bucket-weights").values.at("groups")[0];
  CHECK(group.at("best_rows") < 5);
}

TEST_CASE("two and four buckets have weights too") {
  // (3 x + 7 y) / 10 and (w + 2 x + 3 y + 4 z) / 10, by hand.
  Paper two = paper_of({printed_table("t",
                                      {"x/y/A", "x/y/B", "x/y/all"},
                                      {{"a", {"50.00", "60.00", "57.00"}},
                                       {"b", {"44.10", "61.70", "56.42"}},
                                       {"c", {"48.30", "72.30", "65.10"}},
                                       {"d", {"51.20", "66.60", "60.00"}}})});
  two.bucket_groups = {{"x", "y", "1", {"A", "B"}, "all", 10, ""}};
  const Audit result = audit(two, {});
  CHECK(ids(result) == Ids{"bucket-weights:x/y:d"});  // 15.36 + 46.62 = 61.98
  Paper four = paper_of({printed_table("t",
                                       {"x/y/A", "x/y/B", "x/y/C", "x/y/D", "x/y/all"},
                                       {{"a", {"50.00", "60.00", "70.00", "80.00", "70.00"}},
                                        {"b", {"44.10", "61.70", "66.60", "71.50", "65.33"}},
                                        {"c", {"48.30", "72.30", "52.90", "91.10", "71.60"}},
                                        {"d", {"51.20", "66.60", "71.00", "64.30", "65.46"}}})});
  four.bucket_groups = {{"x", "y", "1", {"A", "B", "C", "D"}, "all", 10, ""}};
  const Audit wide = audit(four, {});
  CHECK(ids(wide).empty());
  CHECK(check(wide, "bucket-weights").values.at("groups")[0].at("best") == Json{1, 2, 3, 4});
}

TEST_CASE("an SD of the whole keeps within Minkowski's bounds, rounding included") {
  const auto of = [](const std::vector<std::string>& sds) {
    Rows rows = weighted_rows();
    for (std::size_t i = 0; i < 4; ++i) {
      rows[0].second[i] += "±" + sds[i];
    }
    return audit(bucket_paper(rows), {});
  };
  // By hand: 0.2 × 1 + 0.5 × 2 + 0.3 × 3 = 2.10, with rounding 2.105.
  CHECK(ids(of({"1.00", "2.00", "3.00", "2.11"})).empty());  // from 2.105
  const Audit above = of({"1.00", "2.00", "3.00", "2.12"});
  REQUIRE(ids(above) == Ids{"sd-bound:brain/tumor:a"});
  CHECK_THAT(above.findings[0].message,
             Catch::Contains("(2 × 1.00 + 5 × 2.00 + 3 × 3.00) / 10 = 2.100"));
  CHECK_THAT(above.findings[0].message, Catch::Contains("Assumed"));
  // By hand: 0.5 × 3.995 - 0.2 × 0.105 - 0.3 × 0.105 = 1.945.
  CHECK(ids(of({"0.10", "4.00", "0.10", "1.94"})).empty());  // up to 1.945
  CHECK(ids(of({"0.10", "4.00", "0.10", "1.93"})) == Ids{"sd-bound:brain/tumor:a"});
}

TEST_CASE("without recovered weights the SD of the whole is at most the largest") {
  const auto of = [](const std::string& sd) {
    return ids(audit(bucket_paper({{"a", {"60.00±1.00", "70.00±2.00", "80.00±3.00", "71.00±" + sd}},
                                   {"ours", {"70.10", "83.30", "85.60", "81.35"}}}),
                     {}));
  };
  CHECK(of("3.01").empty());
  CHECK(of("3.02") == Ids{"sd-bound:brain/tumor:a"});
}

// --- significance -------------------------------------------------------------------------------

Paper compared_paper(const std::string& row, const std::string& ours, int trials = 5) {
  return paper_of({printed_table("t", {"x/y/all"}, {{"a", {row}}, {"ours", {ours}}}, trials)});
}

Claim significance_claim() {
  Claim significant = claim("all", "significant");
  significant.table = "t";
  significant.method = "ours";
  significant.versus = {"a"};
  significant.alpha = 0.05;
  return significant;
}

TEST_CASE("a statement of significance falls only with the whole rounding box and both tests") {
  const auto of = [](const std::string& row, const std::string& ours) {
    return audit(compared_paper(row, ours), {significance_claim()});
  };
  CHECK(ids(of("70.00±1.00", "75.00±1.10")).empty());
  const Audit fallen = of("70.00±3.00", "71.00±3.10");
  REQUIRE(ids(fallen) == Ids{"significance:t/a/x/y/all"});
  CHECK(fallen.findings[0].severity == Severity::inconsistent);
  CHECK(fallen.findings[0].cells == Ids{"t/a/x/y/all", "t/ours/x/y/all"});
  CHECK(fallen.findings[0].doubts.empty());
  CHECK_THAT(fallen.findings[0].message,
             Catch::Contains("not reproducible from mean, SD and n = 5 with an unpaired test"));
  CHECK_THAT(fallen.findings[0].message, !Catch::Contains("wrong"));
  CHECK_THAT(check(fallen, "significance").summary,
             Catch::Contains("a test over cases would not show in these SDs"));
  CHECK_THAT(check(fallen, "significance").summary,
             Catch::Contains("\"p = 0.05\", read as p < 0.05"));
  // Whole numbers: 69.5 to 70.5 against 73.5 to 74.5, SDs 0.5 to 1.5 and 1.5 to 2.5.
  const Audit open = of("70±1", "74±2");
  REQUIRE(ids(open) == Ids{"significance:t/a/x/y/all"});
  CHECK(open.findings[0].severity == Severity::note);
  CHECK_THAT(open.findings[0].message, Catch::Contains("Rounding decides"));
  // By hand: se = √(9.01 / 5) = 1.342, t = 2.53; beyond 2.306 (df 8), within 2.776 (df 4.01).
  const Audit split = of("70.00±3.00", "73.40±0.10");
  REQUIRE(ids(split) == Ids{"significance:t/a/x/y/all"});
  CHECK(split.findings[0].severity == Severity::note);
  CHECK_THAT(split.findings[0].message, Catch::Contains("by Student's test alone"));
}

TEST_CASE("bounds of p hold for every set of numbers that round to the printed ones") {
  const Paper paper = compared_paper("70.1±3.2", "74.3±0.9");
  const Audit result = audit(paper, {});
  const Json test = check(result, "significance").values.at("statements")[0].at("comparisons")[0];
  const Summary a{70.1, 3.2, 5};
  const Summary b{74.3, 0.9, 5};
  // Tolerance: another order of the same double arithmetic.
  CHECK(test.at("student").at("p").get<double>() == Approx(student_test(a, b).p).epsilon(1e-12));
  CHECK(test.at("welch").at("p").get<double>() == Approx(welch_test(a, b).p).epsilon(1e-12));
  for (int i = 0; i < 81; ++i) {  // three values of each number
    const auto moved = [&](double value, int digit) { return value + 0.05 * (digit % 3 - 1); };
    const Summary c{moved(70.1, i), moved(3.2, i / 3), 5};
    const Summary d{moved(74.3, i / 9), moved(0.9, i / 27), 5};
    CHECK(student_test(c, d).p >= test.at("student").at("p_low").get<double>());
    CHECK(student_test(c, d).p <= test.at("student").at("p_high").get<double>());
    CHECK(welch_test(c, d).p >= test.at("welch").at("p_low").get<double>());
    CHECK(welch_test(c, d).p <= test.at("welch").at("p_high").get<double>());
  }
  // Means that may be equal.
  const Json equal = check(audit(compared_paper("70.0±0.1", "70.1±0.2"), {}), "significance")
                         .values.at("statements")[0]
                         .at("comparisons")[0];
  CHECK(equal.at("student").at("p_high") == 1);
}

TEST_CASE("an excepted comparison that is significant after all is a note, by whichever sentence") {
  Claim except = significance_claim();
  except.except = {parse_cell_path("t/a/x/y/all")};
  const Audit result = audit(compared_paper("70.00±1.00", "75.00±1.10"), {except});
  REQUIRE(ids(result) == Ids{"significance:t/a/x/y/all"});
  CHECK(result.findings[0].severity == Severity::note);
  CHECK(result.findings[0].values.at("stated") == "not significant");
  CHECK(ids(audit(compared_paper("70.00±3.00", "71.00±3.10"), {except})).empty());
  Claim again =
      significance_claim();  // "all are significant", said elsewhere without the exception
  again.id = "abstract";
  CHECK(ids(audit(compared_paper("70.00±3.00", "71.00±3.10"), {again, except})).empty());
}

TEST_CASE("cells that are not testable are none of the statement's") {
  const auto of = [](const std::string& row, int trials) {
    const Audit result = audit(compared_paper(row, "75.00±1.10", trials), {significance_claim()});
    CHECK(ids(result).empty());
    return check(result, "significance").status;
  };
  CHECK(of("70.00", 5) == "not applicable");
  CHECK(of("70.00±1.00", 0) == "not applicable");
  CHECK(audit(compared_paper("70.00±0.00", "75.00±0.00"), {significance_claim()})
            .count(Severity::inconsistent) == 0);
  CHECK(of("70.00±1.00", 5) == "checked");
}

TEST_CASE("the level of the user replaces that of the paper") {
  AuditOptions options;
  options.alpha = 0.5;
  options.alpha_given = true;
  CHECK(ids(audit(compared_paper("70.00±1.00", "71.00±1.10"), {significance_claim()}, options))
            .empty());
  options.alpha_given = false;  // the sentence names its own
  CHECK(audit(compared_paper("70.00±1.00", "71.00±1.10"), {significance_claim()}, options)
            .findings.size() == 1);
  options.alpha = 1;
  CHECK_THROWS_AS(audit(compared_paper("70.00±1.00", "71.00±1.10"), {}, options), Error);
}

// --- text-vs-table, counts ----------------------------------------------------------------------

TEST_CASE("a number in the text is that of its cell, in as many digits as it has") {
  const auto of = [](const std::string& number) {
    Claim equals = claim("dice", "equals");
    equals.cells = {parse_cell_path("t/a/x/y/all")};
    equals.number = parse_printed(number);
    return audit(compared_paper("84.92±1.00", "90.00±1.10"), {equals});
  };
  CHECK(ids(of("84.92")).empty());
  CHECK(ids(of("84.9")).empty());
  CHECK(ids(of("85")).empty());
  const Audit last_digit = of("84.93");  // as many digits: it is no rounding of the same number
  REQUIRE(ids(last_digit) == Ids{"text-vs-table:dice"});
  CHECK(last_digit.findings[0].severity == Severity::inconsistent);
  CHECK(of("84.94").findings.at(0).severity == Severity::inconsistent);
  CHECK(of("84.8").findings.at(0).severity == Severity::inconsistent);
  CHECK(of("84.8").findings[0].cells == Ids{"t/a/x/y/all", "text/dice"});
}

TEST_CASE("a difference in the text holds within the rounding of all three numbers") {
  const auto of = [](const std::string& number) {
    Claim gain = claim("gain", "difference");
    gain.cells = {parse_cell_path("t/ours/x/y/all"), parse_cell_path("t/a/x/y/all")};
    gain.number = parse_printed(number);
    return ids(audit(compared_paper("65.41±1.00", "78.10±2.00"), {gain}));
  };
  CHECK(of("12.69").empty());
  CHECK(of("12.70").empty());  // 0.01 of 0.015
  CHECK(of("12.71") == Ids{"text-vs-table:gain"});
  CHECK(of("12.67") == Ids{"text-vs-table:gain"});
  CHECK(of("13").empty());
}

Paper data_paper() {
  Paper paper = paper_of({});
  paper.data_table = "t1";
  paper.datasets = {{"p", "P", "10", "CT", "Lung", "", {"40", "20", "20"}},
                    {"q", "Q", "30", "CT", "Liver", "", {"120", "60", "60"}},
                    {"r", "R", "5x4", "MRI", "Brain", "", {"80", "40", "40"}}};
  return paper;
}

TEST_CASE("counts in the text are those of the table of data sets") {
  const auto count = [](const std::string& what,
                        const std::string& number,
                        const std::map<std::string, std::string>& where = {}) {
    Claim said = claim("n", "count");
    said.what = what;
    said.number = parse_printed(number);
    said.where = where;
    return ids(audit(data_paper(), {said})).size();
  };
  CHECK(count("volumes", "40", {{"modality", "CT"}}) == 0);
  CHECK(count("volumes", "41", {{"modality", "CT"}}) == 1);
  CHECK(count("volumes", "60") == 0);
  CHECK(count("cases", "45") == 0);
  CHECK(count("cases", "60") == 1);
  CHECK(count("cubes", "480") == 0);
  CHECK(count("cubes", "240", {{"dataset", "q"}}) == 0);
  CHECK(count("datasets", "3") == 0);
  CHECK(count("modalities", "2") == 0);
  CHECK(count("organs", "3") == 0);
  CHECK(count("organs", "4") == 1);
  CHECK(count("scales", "3") == 0);
  Claim scales = claim("n", "count");
  scales.what = "scales";
  scales.number = parse_printed("3");
  Paper uneven = data_paper();
  uneven.datasets[1].cubes.pop_back();
  CHECK(std::ranges::count(ids(audit(uneven, {scales})), "counts:n") == 1);
  Claim regions = claim("n", "count");
  regions.what = "organs";
  regions.regard = {{"Lung", "body"}, {"Liver", "body"}};
  regions.number = parse_printed("2");
  CHECK(ids(audit(data_paper(), {regions})).empty());
}

TEST_CASE("cubes are in the stated ratio in some order, and a split leaves the cases of its set") {
  Claim ratio = claim("ratio", "ratio");
  ratio.ratio = {1, 1, 2};
  CHECK(ids(audit(data_paper(), {ratio})).empty());
  ratio.ratio = {1, 2, 3};
  CHECK(ids(audit(data_paper(), {ratio})) ==
        Ids{"counts:ratio:p", "counts:ratio:q", "counts:ratio:r"});
  Claim split = claim("split", "split");
  split.ratio = {2, 1};
  split.where = {{"dataset", "q"}};
  split.number = parse_printed("46");  // 30.7, so 30 or 31
  CHECK(ids(audit(data_paper(), {split})).empty());
  split.number = parse_printed("48");
  CHECK(ids(audit(data_paper(), {split})) == Ids{"counts:split"});
}

TEST_CASE("a falsified count of cubes is off in its quotient, its proportions, or both") {
  CHECK(ids(audit(data_paper(), {})).empty());
  Paper paper = data_paper();
  paper.datasets[1].cubes[0] = "121";
  CHECK(ids(audit(paper, {})) == Ids{"counts:t1/q:not-whole", "counts:t1/q:proportions"});
  CHECK(audit(paper, {}).findings[0].cells == Ids{"t1/q/cubes", "t1/q/cases"});
  paper = data_paper();
  paper.datasets[1].cases = "31";
  CHECK(ids(audit(paper, {})) == Ids{"counts:t1/q:not-whole"});
  paper = data_paper();
  paper.datasets[1].cubes = {"240", "120", "120"};  // twice as many, yet whole
  const Audit twice = audit(paper, {});
  REQUIRE(ids(twice) == Ids{"counts:t1:per-volume"});
  CHECK(twice.findings[0].severity == Severity::note);
  // Where half of the sets have no whole quotient, none of them is off.
  paper = data_paper();
  paper.datasets[0].cases = "11";
  paper.datasets[1].cases = "31";
  CHECK(ids(audit(paper, {})).empty());
}

// --- monotone, derived-average ------------------------------------------------------------------

TEST_CASE("a mean that rises with fewer labels is a note, beyond rounding") {
  const auto of = [](const std::string& half) {
    return audit(
        paper_of({printed_table("t", {"x/y/all"}, {{"a", {"60.00"}}}),
                  printed_table("u", {"x/y/all/1/5", "x/y/all/1/2"}, {{"a", {"50.00", half}}})}),
        {});
  };
  CHECK(ids(of("55.00")).empty());
  CHECK(ids(of("60.01")).empty());
  CHECK(ids(of("49.99")).empty());
  const Audit above_full = of("60.02");
  REQUIRE(ids(above_full) == Ids{"monotone:a/x/y/all:1/2"});
  CHECK(above_full.findings[0].severity == Severity::note);
  CHECK(above_full.findings[0].cells == Ids{"u/a/x/y/all/1/2", "t/a/x/y/all"});
  CHECK(ids(of("49.98")) == Ids{"monotone:a/x/y/all:1/5"});
}

TEST_CASE("the average over targets with all labels is derived where it is not printed") {
  const auto of = [](const std::string& half) {
    return ids(
        audit(paper_of({printed_table("t", {"x/y/all", "x/z/all"}, {{"a", {"60.00", "40.00"}}}),
                        printed_table("u", {"x/average/all/1/2"}, {{"a", {half}}})}),
              {}));
  };
  CHECK(of("50.01").empty());
  CHECK(of("50.02") == Ids{"monotone:a/x/average/all:1/2"});
}

TEST_CASE("an average is the mean of its targets, beyond rounding") {
  const auto of = [](const std::string& average) {
    return audit(
        paper_of({printed_table(
            "t", {"x/y/all", "x/z/all", "x/average/all"}, {{"a", {"60.00", "40.00", average}}})}),
        {});
  };
  CHECK(ids(of("50.00")).empty());
  CHECK(ids(of("50.01")).empty());
  CHECK(ids(of("50.02")) == Ids{"derived-average:t/a/x/average/all"});
  CHECK(check(of("50.00"), "derived-average").status == "checked");
  const Audit alone =
      audit(paper_of({printed_table("t", {"x/average/all"}, {{"a", {"50.00"}}})}), {});
  CHECK(check(alone, "derived-average").status == "not applicable");
  CHECK_THAT(check(alone, "derived-average").summary, Catch::Contains("cannot be checked"));
}

TEST_CASE("an average is not held against targets that another table adds") {
  const auto of = [](const std::vector<std::string>& columns,
                     const std::vector<std::string>& cells,
                     const std::string& average) {
    std::vector<std::string> own = columns;
    own.emplace_back("x/average/all");
    std::vector<std::string> own_cells = cells;
    own_cells.push_back(average);
    return audit(
        paper_of({printed_table("t", own, {{"a", own_cells}}),
                  printed_table("u", {"x/w/all", "x/v/all"}, {{"a", {"10.00", "20.00"}}})}),
        {});
  };
  CHECK(ids(of({"x/y/all", "x/z/all"}, {"60.00", "40.00"}, "50.00")).empty());
  CHECK(of({"x/y/all", "x/z/all"}, {"60.00", "40.00"}, "51.00").count(Severity::inconsistent) == 1);
  // Printed elsewhere alone, the targets may be others than those averaged.
  const Audit elsewhere = of({}, {}, "50.00");
  CHECK(find(elsewhere, "derived-average:t/a/x/average/all").severity == Severity::note);
}

// --- the SAR paper ------------------------------------------------------------------------------

const std::filesystem::path kSar =
    std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021";

const Audit& sar_audit() {
  static const Audit result = [] {
    const Paper paper = read_paper(kSar);
    return audit(paper, read_claims(paper));
  }();
  return result;
}

Json reference() {
  return read_json(std::filesystem::path(SARBENCH_REFERENCE_DIR) / "results/audit.json");
}

TEST_CASE("the SAR paper's tumour sizes are a quarter, a half and a quarter of the test cases") {
  // Against splits tried one by one in Python (make_audit.py); exact.
  const Json expected = reference().at("buckets");
  const Json group = check(sar_audit(), "bucket-weights").values.at("groups")[0];
  CHECK(group.at("rows").size() == expected.at("rows"));
  CHECK(group.at("best") == expected.at("best"));
  CHECK(group.at("best_rows") == expected.at("best_rows"));
  CHECK(group.at("tied_splits") == expected.at("ties"));
  CHECK(group.at("runner_up_rows") == expected.at("runner_up_rows"));
  std::vector<int> others;
  for (const Json& other : group.at("other_cases")) {
    others.push_back(other.at("cases"));
  }
  CHECK(Json(others) == expected.at("other_cases"));
  for (const Json& method : expected.at("not_fitting")) {
    CHECK(find(sar_audit(), "bucket-weights:brats/tumor:" + method.get<std::string>()).severity ==
          Severity::inconsistent);
  }
  CHECK_THAT(check(sar_audit(), "bucket-weights").summary, Catch::Contains("95 / 4 rounded down"));
}

TEST_CASE("the SAR paper's identical pair points at the cells that its weights doubt") {
  const Audit& result = sar_audit();
  CHECK(find(result, "duplicate-cell:brats/tumor/L:genesis+rpl").severity ==
        Severity::inconsistent);
  CHECK(find(result, "bucket-weights:brats/tumor:rpl").values.at("suspects") ==
        Json{"table2/rpl/brats/tumor/L"});
  CHECK(find(result, "bucket-weights:brats/tumor:jig").values.at("suspects").empty());
  CHECK(find(result, "duplicate-cell:brats/tumor/L:mean:rot+cpc").severity == Severity::note);
  const Finding& rests = find(result, "significance:table2/rpl/brats/tumor/L");
  CHECK(rests.rests_on ==
        Ids{"duplicate-cell:brats/tumor/L:genesis+rpl", "bucket-weights:brats/tumor:rpl"});
  // By hand: (23 × 6.725 + 49 × 2.045 + 23 × 1.275) / 95 = 2.992 against at least 3.135.
  const Finding& spread = find(result, "sd-bound:brats/tumor:genesis");
  CHECK(spread.values.at("at_most").get<double>() == Approx(2.99163).epsilon(1e-5));
}

TEST_CASE("the SAR paper's p values, their ranges and corrections are those of SciPy") {
  const Json expected = reference();
  const Json statement = check(sar_audit(), "significance").values.at("statements")[0];
  CHECK(statement.at("table") == "table2");
  const Json& comparisons = statement.at("comparisons");
  REQUIRE(comparisons.size() == expected.at("comparisons").size());
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Json& here = comparisons[i];
    const Json& there = expected.at("comparisons")[i];
    INFO(there.at("cell"));
    CHECK(here.at("cell") == there.at("cell"));
    for (const char* test : {"student", "welch"}) {
      INFO(test);
      // Tolerance: double rounding of either side.
      CHECK(here.at(test).at("p").get<double>() ==
            Approx(there.at(test).at("p").get<double>()).epsilon(1e-10));
      // Ours are bounds over the whole box, SciPy's are its corners: never tighter, hardly wider.
      const double least = there.at(test).at("least");
      const double most = there.at(test).at("most");
      CHECK(here.at(test).at("p_low").get<double>() <= least * (1 + 1e-10));
      CHECK(here.at(test).at("p_high").get<double>() >= most * (1 - 1e-10));
      CHECK(here.at(test).at("p_low").get<double>() == Approx(least).epsilon(0.03));
      CHECK(here.at(test).at("p_high").get<double>() == Approx(most).epsilon(0.03));
    }
    if (there.at("r").is_null()) {
      CHECK(here.at("paired_needs_r").is_null());
    } else {
      // Tolerance: the root finder's, of p near its target.
      CHECK(here.at("paired_needs_r").get<double>() ==
            Approx(there.at("r").get<double>()).margin(1e-8));
    }
  }
  for (const Json& family : statement.at("families")) {
    const Json& there = expected.at("families").at(family.at("name").get<std::string>());
    CHECK(family.at("comparisons") == there.at("size"));
    CHECK(family.at("holm").at("significant") == there.at("holm"));
    CHECK(family.at("bh").at("significant") == there.at("bh"));
  }
}

TEST_CASE("what the SAR paper gets right is not found") {
  for (const char* name :
       {"text-vs-table", "bold-best", "cross-table", "monotone", "range", "derived-average"}) {
    INFO(name);
    CHECK(std::ranges::count(sar_audit().findings, name, &Finding::check) == 0);
  }
  CHECK(sar_audit().count(Severity::error) == 0);
  for (const Finding& finding : sar_audit().findings) {  // Table 1: 64 instead of 32, yet whole
    CHECK((finding.check != "counts" || finding.severity == Severity::note));
  }
}

TEST_CASE("an audit is told as approved") {
  // SARBENCH_APPROVE=1 writes the file anew; the difference is then reviewed like code.
  const std::filesystem::path path =
      std::filesystem::path(SARBENCH_SOURCE_DIR) / "tests/golden/results/audit.text.approved";
  const std::string text = written(document_of(sar_audit()), "text");
  if (std::getenv("SARBENCH_APPROVE") != nullptr) {
    write_file_atomically(path, text);
  }
  CHECK(text == read_file(path));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    INFO(line);
    CHECK(std::ranges::count_if(line, [](char byte) { return (byte & 0xC0) != 0x80; }) <= 100);
  }
}

TEST_CASE("an audit in JSON has the shape of the contract") {
  const Json json = Json::parse(written(document_of(sar_audit()), "json"));
  CHECK(json.at("schema_version") == 1);
  CHECK(json.at("paper") == "sar2021");
  CHECK(json.at("checks").size() == 11);
  CHECK(json.at("findings").size() == sar_audit().findings.size());
  CHECK(json.at("doubted").size() == sar_audit().doubted.size());
  std::set<std::string> seen;
  for (const Json& finding : json.at("findings")) {
    CHECK(seen.insert(finding.at("id")).second);
    CHECK(finding.at("id").get<std::string>().starts_with(finding.at("check").get<std::string>() +
                                                          ":"));
    CHECK(finding.at("cells").is_array());
    CHECK(finding.at("message").is_string());
    CHECK(finding.at("values").is_object());
    CHECK(Json{"error", "inconsistent", "note"}.dump().find(finding.at("severity").dump()) !=
          std::string::npos);
  }
}

TEST_CASE("every format of an audit names its findings") {
  for (const char* format : {"text", "md", "csv", "json", "html", "latex"}) {
    INFO(format);
    const std::string text = written(document_of(sar_audit()), format);
    for (const Finding& finding : sar_audit().findings) {
      CHECK_THAT(text, Catch::Contains(finding.id));
    }
    CHECK_THAT(text, !Catch::Contains("\x1b"));
  }
  CHECK_THAT(written(document_of(sar_audit()), "text", {true}),
             Catch::Contains("\x1b[1;33minconsistent\x1b[0m"));
  CHECK_THAT(written(document_of(sar_audit()), "latex"), Catch::Contains("\\begin{description}"));
  CHECK_THROWS_AS(written(document_of(sar_audit()), "pdf"), Error);
}

}  // namespace sar::audit_test
