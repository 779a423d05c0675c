#include "results/figures/curves.h"

#include "results/figures/plot.h"
#include "tests/support/fixtures.h"
#include "tests/support/loss_curves.h"

#include <catch2/catch.hpp>

#include <iterator>
#include <regex>

namespace sar {
namespace {

TEST_CASE("smoothing averages the plotted training loss over the last steps",
          "[key:output.loss_curve_smoothing_steps]") {
  std::vector<StoredCurveRow> rows;
  test::add_trial(rows, "sar", 0, {1.0, 0.5, 0.0, 0.5}, 4);
  const LossCurves curves =
      build_curves(rows, test::protocol_row("key"), test::curve_spec({"sar"}));
  CHECK_THAT(gnuplot_script(curves, "svg", 1),
             Catch::Contains("1 1 1 1\n2 0.5 0.5 0.5\n3 0 0 0\n4 0.5 0.5 0.5\n"));
  CHECK_THAT(gnuplot_script(curves, "svg", 2),
             Catch::Contains("1 1 1 1\n2 0.75 0.75 0.75\n3 0.25 0.25 0.25\n4 0.25 0.25 0.25\n"));
}

TEST_CASE("the figure has a panel for every method on every task, and survives odd names") {
  std::vector<StoredCurveRow> rows;
  CurveSpec figure =
      test::curve_spec({"scratch", "genesis", "rpl", "jig", "rot", "cpc", "mial", "sa", "sar"});
  figure.tasks = {"brats", "pancreas"};
  figure.title = "a \"quoted\" \\ title_with^marks {and} <tags>";
  for (const TableRow& row : figure.rows) {
    for (const auto& task : figure.tasks) {
      test::add_trial(rows, row.method, 0, {1, 1, 0.5, 0.5}, 1, task);
      test::add_trial(rows, row.method, 1, {1, 1, 1, 0.5}, 1, task);
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
  CHECK_FALSE(plotted(gnuplot_script(
                          build_curves({}, test::protocol_row("k"), test::curve_spec()), "svg", 1))
                  .empty());
  std::vector<StoredCurveRow> rows;
  test::add_trial(rows, "sar", 0, {0.5}, 1);
  CHECK_FALSE(
      plotted(
          gnuplot_script(build_curves(rows, test::protocol_row("k"), test::curve_spec()), "svg", 1))
          .empty());
}

}  // namespace
}  // namespace sar
