#include "harness/core/error.h"
#include "results/figures/curves.h"
#include "results/figures/plot.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <limits>
#include <regex>

namespace sar::loss_curves_figure_test {

CurveSpec spec(std::vector<std::string> methods = {"scratch", "sar"}) {
  CurveSpec curves;
  curves.id = "fig3";
  curves.title = "Loss curves";
  for (const auto& method : methods) {
    curves.rows.push_back({method, method == "sar" ? "SAR" : method});
  }
  curves.tasks = {"brats"};
  return curves;
}

/// Training losses of one trial, `width` steps an epoch, and a validation loss after each epoch.
void add_trial(std::vector<StoredCurveRow>& rows,
               const std::string& method,
               int trial,
               const std::vector<double>& losses,
               int width,
               const std::string& task = "brats") {
  for (std::size_t i = 0; i < losses.size(); ++i) {
    const auto step = static_cast<std::int64_t>(i) + 1;
    const int epoch = static_cast<int>(i) / width + 1;
    rows.push_back({method, task, trial, {step, epoch, "train", losses[i], 1e-3, 0.5}});
    if (step % width == 0) {
      rows.push_back({method, task, trial, {step, epoch, "val", losses[i] + 0.1, 1e-3, 0.7}});
    }
  }
}

/// Trials that converge at the given steps of ten: the loss falls to 0.5 there.
void add_converging(std::vector<StoredCurveRow>& rows,
                    const std::string& method,
                    const std::vector<int>& steps,
                    const std::string& task = "brats") {
  for (std::size_t trial = 0; trial < steps.size(); ++trial) {
    std::vector<double> losses(10, 0.5);
    std::fill_n(losses.begin(), steps[trial] - 1, 1.0);
    add_trial(rows, method, static_cast<int>(trial), losses, 1, task);
  }
}

TEST_CASE("smoothing averages the plotted training loss over the last steps",
          "[key:output.loss_curve_smoothing_steps]") {
  std::vector<StoredCurveRow> rows;
  add_trial(rows, "sar", 0, {1.0, 0.5, 0.0, 0.5}, 4);
  const LossCurves curves = build_curves(rows, test::protocol_row("key"), spec({"sar"}));
  CHECK_THAT(gnuplot_script(curves, "svg", 1),
             Catch::Contains("1 1 1 1\n2 0.5 0.5 0.5\n3 0 0 0\n4 0.5 0.5 0.5\n"));
  CHECK_THAT(gnuplot_script(curves, "svg", 2),
             Catch::Contains("1 1 1 1\n2 0.75 0.75 0.75\n3 0.25 0.25 0.25\n4 0.25 0.25 0.25\n"));
}

TEST_CASE("the figure has a panel for every method on every task, and survives odd names") {
  std::vector<StoredCurveRow> rows;
  CurveSpec figure = spec({"scratch", "genesis", "rpl", "jig", "rot", "cpc", "mial", "sa", "sar"});
  figure.tasks = {"brats", "pancreas"};
  figure.title = "a \"quoted\" \\ title_with^marks {and} <tags>";
  for (const TableRow& row : figure.rows) {
    for (const auto& task : figure.tasks) {
      add_converging(rows, row.method, {3, 4}, task);
    }
  }
  const LossCurves curves = build_curves(rows, test::protocol_row("key"), figure);
  const std::string svg = plotted(gnuplot_script(curves, "svg", 1));
  CHECK_THAT(svg, Catch::StartsWith("<?xml"));
  CHECK_THAT(svg, Catch::Contains("[phantom data]"));
  CHECK_THAT(svg, Catch::Contains("title_with^marks {and} &lt;tags>"));
  for (const TableRow& row : figure.rows) {
    INFO(row.label);
    const std::regex label("<text>\\s*" + row.label + "\\s*</text>");
    const auto panels =
        std::distance(std::sregex_iterator(svg.begin(), svg.end(), label), std::sregex_iterator());
    CHECK(panels >= 2);  // a panel on each task; SAR stands in the legend too
  }
  const std::string png = plotted(gnuplot_script(curves, "png", 1));
  CHECK(png.substr(1, 3) == "PNG");
}

TEST_CASE("a figure without any run, or with one trial alone, can be drawn") {
  CHECK_FALSE(
      plotted(gnuplot_script(build_curves({}, test::protocol_row("k"), spec()), "svg", 1)).empty());
  std::vector<StoredCurveRow> rows;
  add_trial(rows, "sar", 0, {0.5}, 1);
  CHECK_FALSE(plotted(gnuplot_script(build_curves(rows, test::protocol_row("k"), spec()), "svg", 1))
                  .empty());
}

TEST_CASE("a script that gnuplot refuses is an error with gnuplot's words") {
  try {
    plotted("plot nonsense(");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::input_output);
    CHECK_THAT(error.what(), Catch::Contains("line"));
  }
}

}  // namespace sar::loss_curves_figure_test
