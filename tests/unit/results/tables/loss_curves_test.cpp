#include "results/tables/loss_curves.h"

#include "harness/core/error.h"
#include "results/statistics/statistics.h"
#include "tests/support/fixtures.h"
#include "tests/support/loss_curves.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>

namespace sar::curves_test {

std::vector<int> epochs_of(std::size_t steps, int width) {
  std::vector<int> epochs;
  for (std::size_t i = 0; i < steps; ++i) {
    epochs.push_back(static_cast<int>(i) / width + 1);
  }
  return epochs;
}

TEST_CASE(
    "a trial has converged where the mean over an epoch stays near its last value") {  // exact
  // Two steps an epoch: means at steps 2..8 are .9 .7 .5 .45 .4 .4 .4, the last one .4; within 5 %
  // (.02) from step 6 on.
  const std::vector<double> losses{1.0, 0.8, 0.6, 0.4, 0.5, 0.3, 0.5, 0.3};
  const auto found = convergence_of(losses, epochs_of(8, 2), 0.05);
  REQUIRE(found);
  CHECK(found->steps == 6);
  CHECK(found->of_steps == 8);
  CHECK(found->epochs == 3);
  CHECK(found->final_loss == Approx(0.4).epsilon(1e-12));
  // 15 % (.06) take the .45 in.
  CHECK(convergence_of(losses, epochs_of(8, 2), 0.15)->steps == 5);
}

TEST_CASE("a loss that leaves the neighbourhood again has not converged before") {  // exact
  const std::vector<double> losses{0.4, 0.4, 0.8, 0.8, 0.4, 0.4};
  CHECK(convergence_of(losses, epochs_of(6, 1), 0.05)->steps == 5);
}

TEST_CASE("a constant loss has converged with its first epoch, a falling one with its last step") {
  CHECK(convergence_of(std::vector<double>(9, 0.5), epochs_of(9, 3), 0.05)->steps == 3);
  CHECK(convergence_of({8, 4, 2, 1}, epochs_of(4, 1), 0.05)->steps == 4);
}

TEST_CASE("a negative final loss has a neighbourhood too") {  // exact
  CHECK(convergence_of({-0.2, -0.5, -0.98, -1.0}, epochs_of(4, 1), 0.05)->steps == 3);
}

TEST_CASE("without finite losses there is no convergence") {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  CHECK_FALSE(convergence_of({}, {}, 0.05));
  CHECK_FALSE(convergence_of({1, nan}, {1, 1}, 0.05));
  CHECK_FALSE(convergence_of({1, 2}, {1}, 0.05));
}

TEST_CASE("curves are means with the range over trials; shorter trials end earlier") {  // exact
  std::vector<StoredCurveRow> rows;
  test::add_trial(rows, "sar", 0, {1.0, 0.5, 0.25, 0.25}, 2);
  test::add_trial(rows, "sar", 1, {0.5, 0.25}, 2);
  const LossCurves curves = build_curves(rows, test::protocol_row("p"), test::curve_spec());
  REQUIRE(curves.curves.size() == 2);
  CHECK(curves.curves[0].training.empty());  // Scratch has no run
  CHECK(curves.curves[0].steps.n == 0);
  const MethodCurve& sar = curves.curves[1];
  REQUIRE(sar.training.size() == 4);
  CHECK(sar.training[0].mean == 0.75);
  CHECK(sar.training[0].least == 0.5);
  CHECK(sar.training[0].most == 1.0);
  CHECK(sar.training[0].n == 2);
  CHECK(sar.training[3].n == 1);
  REQUIRE(sar.validation.size() == 2);
  CHECK(sar.validation[0].step == 2);
  CHECK(sar.validation[0].mean == Approx((0.6 + 0.35) / 2).epsilon(1e-12));
  CHECK(sar.trials.size() == 2);
}

/// Trials that converge at the given steps of ten: the loss falls to 0.5 there.
void add_converging(std::vector<StoredCurveRow>& rows,
                    const std::string& method,
                    const std::vector<int>& steps,
                    const std::string& task = "brats") {
  for (std::size_t trial = 0; trial < steps.size(); ++trial) {
    std::vector<double> losses(10, 0.5);
    std::fill_n(losses.begin(), steps[trial] - 1, 1.0);
    test::add_trial(rows, method, static_cast<int>(trial), losses, 1, task);
  }
}

TEST_CASE("steps to convergence are tested against the reference, with Holm over all of them") {
  std::vector<StoredCurveRow> rows;
  add_converging(rows, "scratch", {7, 8, 6, 8, 7});
  add_converging(rows, "genesis", {4, 5, 3, 5, 4});
  add_converging(rows, "sar", {3, 4, 5, 3, 4});
  const LossCurves curves =
      build_curves(rows, test::protocol_row("p"), test::curve_spec({"scratch", "genesis", "sar"}));
  const MethodCurve& scratch = curves.curves[0];
  CHECK(scratch.steps.mean == Approx(7.2).epsilon(1e-12));
  // SciPy 1.17.1: scipy.stats.ttest_ind([7, 8, 6, 8, 7], [3, 4, 5, 3, 4]). Tolerance: double
  // rounding.
  REQUIRE(scratch.student);
  CHECK(scratch.student->t == Approx(6.425396041156865).epsilon(1e-10));
  CHECK(scratch.student->p == Approx(0.00020355671554060778).epsilon(1e-10));
  REQUIRE(curves.curves[1].student);
  CHECK(scratch.student->p_adjusted == Approx(2 * scratch.student->p).epsilon(1e-12));
  CHECK(curves.curves[1].student->p_adjusted ==
        Approx(curves.curves[1].student->p).epsilon(1e-12));  // the larger of two
  CHECK_FALSE(curves.curves[2].student);                      // the reference itself
}

TEST_CASE(
    "trials that settle with their last step are told apart, and the correction is the user's") {
  std::vector<StoredCurveRow> rows;
  add_converging(rows, "scratch", {10, 8, 9, 10, 9});  // of ten
  add_converging(rows, "genesis", {4, 5, 3, 5, 4});
  add_converging(rows, "sar", {3, 4, 5, 3, 4});
  const CurveSpec figure = test::curve_spec({"scratch", "genesis", "sar"});
  const LossCurves curves = build_curves(rows, test::protocol_row("p"), figure, {"welch", "none"});
  const Sheet sheet = convergence_sheet(curves);
  REQUIRE(sheet.header[5] == "of");
  CHECK(sheet.rows[0][5] == "10.0");
  REQUIRE(sheet.header[6] == "At end");
  CHECK(sheet.rows[0][6] == "2");
  CHECK(sheet.rows[2][6] == "0");
  CHECK(sheet.json.at("convergence")[0].at("settled_at_end") == 2);
  CHECK(curves.curves[0].welch->p_adjusted == curves.curves[0].welch->p);
  CHECK(sheet.rows[0].back() == format_p(curves.curves[0].welch->p));
}

TEST_CASE("equal steps in all trials are not testable, and the sheet says so") {
  std::vector<StoredCurveRow> rows;
  add_converging(rows, "scratch", {4, 4, 4});
  add_converging(rows, "sar", {4, 4, 4});
  const LossCurves curves = build_curves(rows, test::protocol_row("p"), test::curve_spec());
  CHECK_FALSE(curves.curves[0].student);
  CHECK_FALSE(curves.curves[0].not_testable.empty());
  const std::string text = written(document_of(convergence_sheet(curves)), "text");
  CHECK_THAT(text, Catch::Contains("not testable (" + curves.curves[0].not_testable));
  CHECK_THAT(text, Catch::Contains("[phantom data]"));
}

TEST_CASE("the CSV of curves has one line per point, and per row of each trial") {
  std::vector<StoredCurveRow> rows;
  test::add_trial(rows, "sar", 0, {1.0, 0.5}, 2);
  test::add_trial(rows, "sar", 1, {0.5, 0.25}, 2);
  const LossCurves curves = build_curves(rows, test::protocol_row("key"), test::curve_spec());
  const std::string means = written(document_of(curves), "csv");
  CHECK(means ==
        "task,method,split,step,epoch,n,mean,min,max,data_kind,protocol\n"
        "brats,sar,train,1,1,2,0.75,0.5,1,phantom,key\n"
        "brats,sar,train,2,1,2,0.375,0.25,0.5,phantom,key\n"
        "brats,sar,train_epoch,2,1,2,0.5625,0.375,0.75,phantom,key\n"
        "brats,sar,val,2,1,2,0.475,0.35,0.6,phantom,key\n");
  const std::string each = written(document_of(curves, true), "csv");
  CHECK(std::count(each.begin(), each.end(), '\n') == 1 + 6);
  CHECK_THAT(each, Catch::Contains("brats,sar,1,val,2,1,0.35,0.001,0.7,phantom,key\n"));
  CHECK_THROWS_AS(written(document_of(curves), "text"), Error);
}

TEST_CASE("the JSON of curves has the points, the definition and the tests") {
  std::vector<StoredCurveRow> rows;
  add_converging(rows, "scratch", {7, 8, 6});
  add_converging(rows, "sar", {3, 4, 5});
  const LossCurves curves = build_curves(rows, test::protocol_row("key"), test::curve_spec());
  const Json json = Json::parse(written(document_of(curves), "json"));
  CHECK(json.at("schema_version") == 1);
  CHECK(json.at("figure") == "fig3");
  CHECK(json.at("data_kind") == "phantom");
  CHECK(json.at("tolerance") == 0.05);
  REQUIRE(json.at("curves").size() == 2);
  CHECK(json.at("curves")[1].at("train").size() == 10);
  CHECK(json.at("convergence")[0].at("mean_steps") == 7.0);
  CHECK(json.at("convergence")[0].at("student").at("p").get<double>() < 0.05);
  CHECK(json.at("convergence")[1].at("student").is_null());
  CHECK(json.at("convergence")[1].at("trials")[2].at("steps") == 5);
}

TEST_CASE("the store gives the losses of finished fine-tunings of one fraction only") {
  const TemporaryFolder folder;
  Store store(folder.path() / "a.sqlite", Store::Mode::read_write);
  store.put_protocol(test::protocol_row("p"));
  const auto put = [&](const CellRow& cell, NodeState state, double loss) {
    store.put_cell(cell);
    store.put_node(test::node_row(cell.finetune_node, "finetune", NodeState::running));
    store.put_rows(cell.finetune_node,
                   {{1, 1, "train", loss, 1e-3, 0.1},
                    {2, 1, "train", std::numeric_limits<double>::quiet_NaN(), 1e-3, 0.2}},
                   {});
    store.put_node(test::node_row(cell.finetune_node, "finetune", state));
  };
  put(test::cell_row("p", "sar", "brats", 0), NodeState::done, 0.5);
  put(test::cell_row("p", "sar", "brats", 1), NodeState::running, 0.25);
  put(test::cell_row("p", "sar", "brats", 0, "1/2"), NodeState::done, 0.125);
  const auto rows = store.finetuning_curves("p", "1");
  REQUIRE(rows.size() == 2);
  CHECK(rows[0].method == "sar");
  CHECK(rows[0].loss.loss == 0.5);
  CHECK(std::isnan(rows[1].loss.loss));
  CHECK(store.finetuning_curves("p", "1/2").size() == 2);
  CHECK(store.finetuning_curves("other", "1").empty());
}

}  // namespace sar::curves_test
