// range: means lie between 0 and 100, SDs between 0 and the largest possible.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sar::audit_checks::range {
namespace {

Outcome run(const Subject& subject) {
  Outcome outcome;
  std::size_t means = 0;
  std::size_t spreads = 0;
  double closest = 0;  // largest share of the possible SD
  std::string closest_cell;
  for (const Place& place : all_places(subject.paper)) {
    const PrintedNumber& mean = place.cell().mean;
    const std::string cell = place.path().text();
    const auto add = [&](const std::string& what, const std::string& message, Json values) {
      Finding finding;
      finding.check = "range";
      finding.id = "range:" + cell + ":" + what;
      finding.severity = Severity::error;
      finding.cells = {cell};
      finding.doubts = {cell};
      finding.message =
          fmt::format("{}, {}: {}", place.method().label, place.column_name(), message);
      finding.values = std::move(values);
      outcome.findings.push_back(std::move(finding));
    };
    ++means;
    const double low = mean.value - mean.half_unit;
    const double high = mean.value + mean.half_unit;
    if (low > 100 || high < 0) {
      add("mean",
          fmt::format("the mean {} is not a Dice in percent, which lies between 0 and 100.",
                      mean.text),
          {{"mean", mean.value}});
    }
    if (!place.cell().sd) {
      continue;
    }
    ++spreads;
    const PrintedNumber& sd = *place.cell().sd;
    if (sd.value + sd.half_unit < 0) {
      add("sd", fmt::format("the SD {} is negative.", sd.text), {{"sd", sd.value}});
      continue;
    }
    const int n = place.table->spec.trials;
    if (n < 2 || low > 100 || high < 0) {
      continue;
    }
    // The largest variance of values in [0, 100] with mean m is m (100 - m) (R. Bhatia, C. Davis,
    // "A better bound on the variance", 2000); with n - 1 the SD is the largest that any divisor
    // in use gives. Over the interval of the mean it is largest where that is nearest to 50.
    const double m = std::clamp(50.0, std::max(low, 0.0), std::min(high, 100.0));
    const double largest = std::sqrt(m * (100 - m) * n / (n - 1.0));
    constexpr double kRounding = 1e-9;  // of the square root, far below half a printed digit
    if (sd.value - sd.half_unit > largest + kRounding) {
      add("sd",
          fmt::format("the SD {} is more than {} values between 0 and 100 with mean {} can have: "
                      "√({:g} × (100 − {:g}) × {} / {}) = {:.2f}.",
                      sd.text,
                      n,
                      mean.text,
                      m,
                      m,
                      n,
                      n - 1,
                      largest),
          {{"sd", sd.value}, {"largest", largest}, {"n", n}});
    }
    if (largest > 0 && sd.value / largest > closest) {
      closest = sd.value / largest;
      closest_cell = cell;
    }
  }
  std::string summary = fmt::format(
      "{} in [0, 100]; {} against 0 and the largest that n values in [0, 100] with that mean can "
      "have, √(mean × (100 − mean) × n / (n − 1))",
      counted(means, "mean"),
      counted(spreads, "SD"));
  summary += closest_cell.empty()
                 ? "."
                 : fmt::format(": at most {:.0f} % of it ({}).", 100 * closest, closest_cell);
  outcome.report = report("range",
                          means > 0,
                          std::move(summary),
                          {{"means", means}, {"sds", spreads}, {"largest_share", closest}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"range", 10, run});
}

}  // namespace sar::audit_checks::range
