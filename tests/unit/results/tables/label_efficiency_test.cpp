#include "results/tables/label_efficiency.h"

#include <catch2/catch.hpp>

#include <cmath>

namespace sar::label_efficiency_test {
namespace {

using Labelled = std::map<std::pair<std::string, std::string>, double>;

TableSpec spec_of(const std::vector<std::string>& fractions) {
  TableSpec spec;
  spec.id = "table4";
  spec.rows = {{"scratch", "Scratch"}, {"sar", "SAR"}};
  for (const std::string& fraction : fractions) {
    spec.columns.push_back({"BraTS2018", fraction, "brats", "tumor", "all", fraction});
  }
  return spec;
}

/// SAR: 30, 60, 50, 70 with 1/20, 1/10, 1/5, 1/2; Scratch: 20, 55, 75, 60.
Table fractions_table(bool unknown_n = false) {
  SummaryTable summaries;
  summaries.rows = {{{60, 1.0, 5}, {75, 2.0, 5}, {55, 3.0, 5}, {20, 4.0, 5}},
                    {{70, 1.5, 5}, {50, 2.5, 5}, {60, 3.5, 5}, {30, 4.5, 5}}};
  summaries.reference = summaries.rows[1];
  summaries.unknown_n = unknown_n;
  return build_table(summaries, spec_of({"1/2", "1/5", "1/10", "1/20"}), {});
}

/// All labels: Scratch 72, SAR 74.
Table whole_table() {
  SummaryTable summaries;
  summaries.rows = {{{72, 0.5, 5}}, {{74, 0.6, 5}}};
  summaries.reference = summaries.rows[1];
  return build_table(summaries, spec_of({"1"}), {});
}

std::vector<std::string> fractions_of(const EfficiencyCurve& curve) {
  std::vector<std::string> fractions;
  for (const EfficiencyPoint& point : curve.points) {
    fractions.push_back(point.fraction);
  }
  return fractions;
}

}  // namespace

TEST_CASE("labels saved, worked by hand, by fractions") {
  const Table whole = whole_table();
  const auto groups = label_efficiency(fractions_table(), &whole, {});
  REQUIRE(groups.size() == 1);
  const LabelEfficiency& group = groups[0];
  CHECK(group.title == "BraTS2018");
  CHECK(group.reference_label == "SAR");
  REQUIRE(group.curves.size() == 2);
  CHECK(fractions_of(group.curves[0]) ==
        std::vector<std::string>{"1/20", "1/10", "1/5", "1/2", "1"});
  CHECK(group.curves[1].points[1].dice.mean == 60);
  CHECK(group.curves[1].points[1].dice.sd == 3.5);
  CHECK_FALSE(group.curves[1].points[1].labelled_cases.has_value());

  REQUIRE(group.saved.size() == 5);  // of Scratch, most labels first
  const auto& with_all = group.saved[0];
  CHECK(with_all.fraction == "1");
  CHECK(with_all.by == "1");  // 72: SAR has 74 with all, 70 with half
  CHECK(with_all.saved == 0);
  CHECK_FALSE(with_all.same_cases);
  CHECK(sentence(with_all, group) ==
        "With all labels SAR (74.00 ± 0.60, n = 5) reaches what Scratch reaches with all labels "
        "(72.00 ± 0.50, n = 5), and with no smaller fraction at hand: nothing saved.");

  const auto& with_half = group.saved[1];  // 60: SAR has exactly 60 with 1/10
  CHECK(with_half.by == "1/10");
  CHECK(with_half.reference_mean == 60);
  CHECK(with_half.saved == Approx(0.8));
  CHECK(
      sentence(with_half, group) ==
      "With 1/10 of the labels SAR (60.00 ± 3.50, n = 5) reaches what Scratch reaches with 1/2 of "
      "the labels (60.00 ± 1.00, n = 5): 80 % fewer labels. With more, 1/5 of the labels, it is "
      "below that again.");

  const auto& never = group.saved[2];  // 75
  CHECK_FALSE(never.by.has_value());
  CHECK(never.saved == 0);
  CHECK(sentence(never, group) ==
        "SAR does not reach what Scratch reaches with 1/5 of the labels (75.00 ± 2.00, n = 5) with "
        "any fraction at hand: its best mean is that with all labels (74.00 ± 0.60, n = 5).");

  CHECK(group.saved[3].by == "1/10");  // 55
  CHECK(group.saved[4].by == "1/20");  // 20
  CHECK(group.saved[4].saved == 0);
}

TEST_CASE("labelled cases count where they are known") {
  // 1/20 and 1/10 come to the same cases; half has 9 of them instead of five times as many.
  const Labelled labelled = {{{"brats", "1/2"}, 9},
                             {{"brats", "1/5"}, 4},
                             {{"brats", "1/10"}, 2},
                             {{"brats", "1/20"}, 2},
                             {{"pancreas", "1/2"}, 1}};
  const auto groups = label_efficiency(fractions_table(), nullptr, labelled);
  REQUIRE(groups.size() == 1);
  CHECK(fractions_of(groups[0].curves[0]).size() == 4);  // without all labels
  REQUIRE(groups[0].saved.size() == 4);
  CHECK(groups[0].saved[0].saved == Approx(1 - 2.0 / 9));
  CHECK_THAT(sentence(groups[0].saved[0], groups[0]),
             Catch::Contains(": 78 % fewer labelled cases (2 instead of 9). With more, 1/5 of "));

  // A baseline that is only reached with more labels.
  Table table = fractions_table();
  table.cells[0][3].mean = 55.0;  // Scratch with 1/20: SAR needs 1/10
  const auto same = label_efficiency(table, nullptr, labelled)[0];
  CHECK(same.saved[3].by == "1/10");
  CHECK(same.saved[3].same_cases);
  CHECK(same.saved[3].saved == 0);
  CHECK_THAT(sentence(same.saved[3], same),
             Catch::EndsWith("but both fractions come to the same labelled cases: nothing saved."));
  const auto more = label_efficiency(table, nullptr, {})[0];
  CHECK(more.saved[3].saved == Approx(-1));
  CHECK_FALSE(more.saved[3].same_cases);
  CHECK_THAT(sentence(more.saved[3], more),
             Catch::EndsWith("and with no smaller fraction at hand: 100 % more labels."));
  // The table knows which columns show the same runs.
  table.same_runs = {{2, 3}};
  CHECK(label_efficiency(table, nullptr, {})[0].saved[3].same_cases);
}

TEST_CASE("printed means without n are compared as well") {
  const auto group = label_efficiency(fractions_table(true), nullptr, {})[0];
  CHECK(group.curves[0].points[0].dice.n == 0);
  CHECK(group.saved[0].by == "1/10");
  CHECK(
      sentence(group.saved[0], group) ==
      "With 1/10 of the labels SAR (60.00, n not stated) reaches what Scratch reaches with 1/2 of "
      "the labels (60.00, n not stated): 80 % fewer labels. With more, 1/5 of the labels, it is "
      "below that again.");
}

TEST_CASE("fractions without a value are left out, and so are groups of one fraction") {
  Table table = fractions_table();
  table.cells[1][2].mean.reset();  // SAR with 1/10
  table.cells[1][0].mean.reset();  // and with 1/2
  const auto group = label_efficiency(table, nullptr, {})[0];
  CHECK(fractions_of(group.curves[1]) == std::vector<std::string>{"1/20", "1/5"});
  CHECK_FALSE(group.saved[0].by.has_value());
  CHECK_THAT(sentence(group.saved[0], group),
             Catch::Contains("with 1/5 of the labels (50.00 ± 2.50, n = 5)"));
  for (auto& cell : table.cells[1]) {
    cell.mean.reset();
  }
  const auto empty = label_efficiency(table, nullptr, {})[0];
  CHECK(sentence(empty.saved[0], empty) ==
        "SAR has no result that could be held against what Scratch reaches with 1/2 of the labels "
        "(60.00 ± 1.00, n = 5).");
  CHECK(label_efficiency(whole_table(), nullptr, {}).empty());
}

TEST_CASE("SDs are those of samples, however the table prints them") {
  Table table = fractions_table();
  table.delta_degrees_of_freedom = 0;
  CHECK(*label_efficiency(table, nullptr, {})[0].curves[0].points[0].dice.sd ==
        Approx(4 * std::sqrt(5.0 / 4)));
}

TEST_CASE("the sheet of label efficiency has a line per method and fraction") {
  const Labelled labelled = {{{"brats", "1/2"}, 9}, {{"brats", "1/10"}, 2}};
  const auto groups = label_efficiency(fractions_table(), nullptr, labelled);
  const Sheet sheet = efficiency_sheet("labels-table4", "Labels", groups);
  REQUIRE(sheet.rows.size() == 8);
  CHECK(sheet.rows[3] ==
        std::vector<std::string>{
            "BraTS2018", "Scratch", "1/2", "9", "5", "60.00", "1.00", "1/10", "78 %"});
  CHECK(sheet.rows[2][7] == "not reached");
  CHECK(sheet.rows[7][7] == "–");
  CHECK(sheet.header.size() == 9);
  CHECK_THAT(written(document_of(sheet), "text"), Catch::Contains("least fraction"));
  const Json& group = sheet.json.at("groups")[0];
  CHECK(group.at("curves")[0].at("points")[0].at("labelled_cases").is_null());
  CHECK(group.at("saved")[0].at("saved").get<double>() == 1 - 2.0 / 9);
  CHECK(group.at("saved")[1].at("by").is_null());
  CHECK(group.at("saved")[0].at("sentence") == sentence(groups[0].saved[0], groups[0]));
  CHECK(efficiency_sheet("x", "y", {}).rows.empty());
}

}  // namespace sar::label_efficiency_test
