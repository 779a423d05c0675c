#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

namespace sar::audit_test {

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
  CHECK_THAT(beyond.findings[0].message, Catch::Contains("(not a Dice in percent)"));
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

}  // namespace sar::audit_test
