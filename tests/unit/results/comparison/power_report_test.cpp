#include "harness/core/error.h"
#include "results/comparison/power_document.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <tuple>

namespace sar::power_report_test {

const Json& comparison(const Json& json, const std::string& cell) {
  for (const Json& each : json.at("comparisons")) {
    if (each.at("cell") == cell) {
      return each;
    }
  }
  FAIL("no comparison " << cell);
  return json;
}

Paper sar_paper() {
  return read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
}

// Reference values: SciPy 1.17.1. With c = t.isf(alpha/2, 2n-2) and d = effect * sqrt(n/2), power
// is nct.sf(c, 2n-2, d) + nct.cdf(-c, 2n-2, d); the effect at 80 % by brentq, n by counting up.
TEST_CASE("power of one difference: what is found, how surely, how many trials it takes") {
  const PowerOptions options;
  const PowerPlan plan = power_plan(1, 1, 5, options);
  CHECK(plan.power == Approx(0.28629549338059757).epsilon(1e-9));
  CHECK(plan.detectable == Approx(2.024439339384107).epsilon(1e-8));
  CHECK(plan.needed == 17);
  PowerOptions shared;
  shared.family = 3;
  CHECK(power_plan(1, 1, 5, shared).needed == 23);
  CHECK(power_plan(-1, 1, 5, options).needed == 17);
  const PowerPlan nothing = power_plan(0, 1, 5, options);
  CHECK_FALSE(nothing.needed.has_value());
  CHECK_THAT(written(document_of(nothing, options), "text"), Catch::Contains(">1000000"));
  CHECK(document_of(nothing, options).json.at("trials_needed").is_null());
  CHECK_THROWS_AS(power_plan(1, 0, 5, options), Error);
  CHECK_THROWS_AS(power_plan(NAN, 1, 5, options), Error);
  CHECK_THROWS_AS(power_plan(1, 1, 1, options), Error);
}

TEST_CASE("every row of a printed table is planned against its reference") {
  const Paper paper = sar_paper();
  const Document document = document_of(power_report(
      paper.find("table2")->spec, published_cells(paper), {{}, "there are no runs", ""}, {}));
  CHECK(document.json.at("comparisons").size() == 48);
  const Json& genesis = comparison(document.json, "table2/genesis/brats/tumor/all");
  CHECK(genesis.at("versus") == "table2/sar/brats/tumor/all");
  CHECK(genesis.at("difference").get<double>() == Approx(-1.89).epsilon(1e-10));
  CHECK(genesis.at("sd").get<double>() == Approx(2.498399487672058).epsilon(1e-10));
  CHECK(genesis.at("power").get<double>() == Approx(0.18449640888725302).epsilon(1e-9));
  CHECK(genesis.at("detectable_difference").get<double>() ==
        Approx(5.057858208340413).epsilon(1e-8));
  CHECK(genesis.at("trials_needed") == 29);
  CHECK(genesis.at("additional_trials") == Json{24, 24});
  CHECK(genesis.at("hours").is_null());
  CHECK(document.json.at("hours").is_null());
  const std::string text = written(document, "text");
  CHECK_THAT(text,
             Catch::Contains("planning figures") &&
                 Catch::Contains("Hours: unknown, as there are no runs."));
  // Already beyond 80 %: nothing to add, whatever a trial costs.
  const Json& jig = comparison(document.json, "table2/jig/brats/tumor/all");
  CHECK(jig.at("power").get<double>() > 0.999);
  CHECK(jig.at("additional_trials") == Json{0, 0});
  CHECK(jig.at("hours") == 0.0);
}

TEST_CASE("hours are those of the stored trials of both rows, and a trial serves all its columns") {
  const Paper paper = sar_paper();
  TableSpec spec = paper.find("table2")->spec;
  std::erase_if(spec.rows,
                [](const TableRow& row) { return row.method != "genesis" && row.method != "sar"; });
  std::erase_if(spec.columns, [](const TableColumn& column) {
    return column.task != "brats" || (column.bucket != "all" && column.bucket != "M");
  });
  const CostSource costs{{{"genesis", "brats", "1", 5, 3600}, {"sar", "brats", "1", 5, 7200}},
                         "test.sqlite, phantom data",
                         "phantom"};
  const PowerReport report = power_report(spec, published_cells(paper), costs, {});
  const Document document = document_of(report);
  // 24 more trials of either row for Tumorall: 24 h + 48 h.
  CHECK(comparison(document.json, "table2/genesis/brats/tumor/all").at("hours").get<double>() ==
        Approx(72).epsilon(1e-12));
  const Json& medium = comparison(document.json, "table2/genesis/brats/tumor/M");
  const int needed = medium.at("trials_needed");
  // The same trials fill both columns: the larger need counts, not the sum.
  const int more = std::max(29, needed) - 5;
  CHECK(report.additional_trials == 2 * more);
  CHECK(report.hours.value() == Approx(3 * more).epsilon(1e-12));
  CHECK(document.json.at("hours") == *report.hours);
  CHECK_THAT(written(document, "text"), Catch::Contains("test.sqlite, phantom data"));
  CostSource half = costs;
  half.trials.pop_back();
  const PowerReport unknown = power_report(spec, published_cells(paper), half, {});
  CHECK_FALSE(unknown.hours.has_value());
  CHECK_THAT(written(document_of(unknown), "text"),
             Catch::Contains("Hours of sar brats are unknown"));
}

TEST_CASE("comparisons without SD or n are lines with their reason") {
  const Paper paper = sar_paper();
  const Document document = document_of(power_report(
      paper.find("table4")->spec, published_cells(paper), {{}, "there are no runs", ""}, {}));
  CHECK(document.json.at("comparisons").size() == 10);
  for (const Json& each : document.json.at("comparisons")) {
    CHECK(each.at("reason") == "n is not stated");
    CHECK(each.at("power").is_null());
  }
  const std::string text = written(document, "text");
  CHECK_THAT(text,
             Catch::Contains("10 comparisons cannot be planned: n is not stated.") &&
                 !Catch::Contains("nan"));
}

TEST_CASE("what a trial costs is the mean time of its fine-tuning and evaluation") {
  const TemporaryFolder folder;
  Store store(folder.path() / "test.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("p1", "phantom"));
  for (int trial = 0; trial < 2; ++trial) {
    CellRow cell;
    cell.cell_key = "cell" + std::to_string(trial);
    cell.protocol = "p1";
    cell.method = "scratch";
    cell.task = "brats";
    cell.fraction = "1";
    cell.trial = trial;
    cell.finetune_node = "tune" + std::to_string(trial);
    cell.evaluate_node = "look" + std::to_string(trial);
    for (const auto& [key, kind, seconds] :
         {std::tuple{cell.finetune_node, "finetune", 10.0 + 20 * trial},
          std::tuple{cell.evaluate_node, "evaluate", 1.0}}) {
      NodeRow node;
      node.key = key;
      node.kind = kind;
      node.seconds = seconds;
      node.state = NodeState::done;
      store.put_node(node);
    }
    store.put_cell(cell);
  }
  const std::vector<TrialCost> costs = store.trial_costs("p1");
  REQUIRE(costs.size() == 1);
  CHECK(costs[0].method == "scratch");
  CHECK(costs[0].trials == 2);
  CHECK(costs[0].seconds == Approx(21).epsilon(1e-12));
  CHECK(store.trial_costs("p2").empty());
}

}  // namespace sar::power_report_test
