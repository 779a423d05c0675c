// monotone: means do not rise with fewer labels.

#include "results/audit/averages.h"
#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/paper/predicates.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sar::audit_checks::monotone {
namespace {

Outcome run(const Subject& subject) {
  Outcome outcome;
  const std::map<std::string, Place> cells = first_cells(subject.paper);
  std::map<std::string, std::vector<Point>> series;  // method, task, target, bucket
  std::vector<std::string> order;
  std::map<std::string, CellPath> path_of;
  std::map<std::string, const PrintedTable*> table_of;
  for (const Place& place : all_places(subject.paper)) {
    CellPath path = place.path();
    path.table.clear();
    if (cells.at(path.text()).path() != place.path() || fraction_value(path.fraction) <= 0) {
      continue;  // shown before
    }
    const PrintedNumber& mean = place.cell().mean;
    path.fraction = "1";
    const std::string key = path.text();
    if (!series.contains(key)) {
      order.push_back(key);
      path_of[key] = path;
      table_of[key] = place.table;
    }
    series[key].push_back(
        {place.head().fraction, mean.value, mean.half_unit, mean.text, {place.path().text()}});
  }
  std::size_t steps = 0;
  std::size_t long_series = 0;
  std::size_t derived = 0;
  double smallest_fall = 100;
  for (const std::string& key : order) {
    std::vector<Point>& points = series.at(key);
    const CellPath& path = path_of.at(key);
    const bool has_full =
        std::ranges::any_of(points, [](const Point& point) { return point.fraction == "1"; });
    if (path.target == "average" && !has_full) {
      if (const auto parts = targets_of(cells, *table_of.at(key), path); parts.size() > 1) {
        Point point = mean_of(parts);
        point.fraction = "1";
        point.text = fmt::format("{} = {:g}", point.text, point.value);
        points.push_back(std::move(point));
        ++derived;
      }
    }
    std::ranges::stable_sort(points, std::ranges::greater(), [](const Point& point) {
      return fraction_value(point.fraction);
    });
    long_series += points.size() > 1 ? 1U : 0U;
    for (std::size_t i = 1; i < points.size(); ++i) {
      const Point& more = points[i - 1];
      const Point& less = points[i];
      ++steps;
      smallest_fall = std::min(smallest_fall, more.value - less.value);
      if (less.value - more.value <= less.half + more.half + kSumSlack) {
        continue;
      }
      Finding finding;
      finding.check = "monotone";
      finding.id = fmt::format("monotone:{}/{}/{}/{}:{}",
                               path.method,
                               path.task,
                               path.target,
                               path.bucket,
                               less.fraction);
      finding.severity = Severity::note;
      finding.cells = less.cells;
      finding.cells.insert(finding.cells.end(), more.cells.begin(), more.cells.end());
      finding.message = fmt::format(
          "{} on {} {}: with {} of the labels {}, more than the {} with {}: fewer labels, a higher "
          "mean. Chance can do this.",
          path.method,
          path.task,
          path.target,
          less.fraction,
          less.text,
          more.text,
          more.fraction == "1" ? "all" : more.fraction);
      finding.values = {{"fractions", {more.fraction, less.fraction}},
                        {"means", {more.value, less.value}},
                        {"rise", less.value - more.value}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  std::string summary = "No method is printed at several label fractions.";
  if (steps > 0) {
    summary = fmt::format(
        "{} over label fractions, {} from one to the next smaller fraction: {}. Smallest fall "
        "{:.2f}.",
        long_series == 1 ? "1 series" : fmt::format("{} series", long_series),
        counted(steps, "step"),
        outcome.findings.empty()
            ? std::string("no mean rises")
            : fmt::format("{} of them up beyond rounding", outcome.findings.size()),
        smallest_fall);
    if (derived > 0) {
      summary +=
          fmt::format(" With all labels, {} derived as the mean of the printed targets.",
                      derived == 1 ? "1 average is" : fmt::format("{} averages are", derived));
    }
  }
  outcome.report = report("monotone",
                          steps > 0,
                          std::move(summary),
                          {{"series", long_series}, {"steps", steps}, {"derived", derived}});
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"monotone", 70, run});
}

}  // namespace sar::audit_checks::monotone
