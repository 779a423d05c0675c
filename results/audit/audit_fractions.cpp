// Checks over label fractions and over targets: monotone, derived-average.

#include "results/audit/audit_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar::audit_detail {
namespace {

/// A mean of a method at one label fraction, printed or the average of printed targets.
struct Point {
  std::string fraction;
  double value = 0, half = 0;
  std::string text;
  std::vector<std::string> cells;
};

/// The first printed cell of each method, task, target, bucket and fraction.
std::map<std::string, Place> first_cells(const Paper& paper) {
  std::map<std::string, Place> cells;
  for (const Place& place : all_places(paper)) {
    CellPath path = place.path();
    path.table.clear();
    cells.try_emplace(path.text(), place);
  }
  return cells;
}

/// The printed targets of one method's task, but for its average: those of the average's own table,
/// as others may show targets that it does not include; of all tables where that one prints none.
std::vector<Place> targets_of(const std::map<std::string, Place>& cells,
                              const PrintedTable& own,
                              const CellPath& average) {
  const auto is_part = [&](const CellPath& path) {
    return path.method == average.method && path.task == average.task &&
           path.bucket == average.bucket && path.fraction == average.fraction &&
           path.target != "average";
  };
  std::vector<Place> parts;
  for (std::size_t row = 0; row < own.cells.size(); ++row) {
    for (std::size_t column = 0; column < own.cells[row].size(); ++column) {
      if (const Place place{&own, row, column}; is_part(place.path())) {
        parts.push_back(place);
      }
    }
  }
  if (!parts.empty()) {
    return parts;
  }
  for (const auto& [key, place] : cells) {
    if (is_part(place.path())) {
      parts.push_back(place);
    }
  }
  return parts;
}

/// Mean of several printed means, with the half width of its rounding interval.
Point mean_of(const std::vector<Place>& parts) {
  Point point;
  std::vector<std::string> texts;
  const auto n = static_cast<double>(parts.size());
  for (const Place& part : parts) {
    point.value += part.cell().mean.value / n;
    point.half += part.cell().mean.half_unit / n;
    point.cells.push_back(part.path().text());
    texts.push_back(part.cell().mean.text);
  }
  point.text = fmt::format("({}) / {}", fmt::join(texts, " + "), parts.size());
  return point;
}

}  // namespace

Outcome check_monotone(const Subject& subject) {
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
      if (less.value - more.value <= less.half + more.half + kSumRounding) {
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

Outcome check_derived_average(const Subject& subject) {
  Outcome outcome;
  const std::map<std::string, Place> cells = first_cells(subject.paper);
  std::size_t checked = 0;
  std::vector<std::string> without;
  Json lines = Json::array();
  for (const Place& place : all_places(subject.paper)) {
    const CellPath path = place.path();
    if (path.target != "average") {
      continue;
    }
    const std::vector<Place> parts = targets_of(cells, *place.table, path);
    if (parts.size() < 2) {
      without.push_back(path.text());
      continue;
    }
    ++checked;
    const Point mean = mean_of(parts);
    const PrintedNumber& printed = place.cell().mean;
    lines.push_back({{"cell", path.text()}, {"printed", printed.value}, {"derived", mean.value}});
    if (std::abs(printed.value - mean.value) <= printed.half_unit + mean.half + kSumRounding) {
      continue;
    }
    Finding finding;
    finding.check = "derived-average";
    finding.id = "derived-average:" + path.text();
    const bool elsewhere = parts.front().table != place.table;
    finding.severity = elsewhere ? Severity::note : Severity::inconsistent;
    finding.cells = {path.text()};
    finding.cells.insert(finding.cells.end(), mean.cells.begin(), mean.cells.end());
    const int digits = decimals(printed) + 1;
    finding.message = fmt::format(
        "{}, {}: {}, but the mean of its targets is {} = {:.{}f}: {:.{}f} apart, of which rounding "
        "explains at most {:.{}f}.",
        place.method().label,
        place.column_name(),
        printed.text,
        mean.text,
        mean.value,
        digits,
        std::abs(printed.value - mean.value),
        digits,
        printed.half_unit + mean.half,
        digits);
    if (elsewhere) {
      finding.message +=
          " The targets are those of other tables, and may be others than those averaged.";
    }
    finding.values = {{"printed", printed.value}, {"derived", mean.value}};
    outcome.findings.push_back(std::move(finding));
  }
  std::string summary;
  if (checked > 0) {
    summary =
        fmt::format("{} against the mean of the printed targets: {} beyond rounding.",
                    counted(checked, "average"),
                    outcome.findings.empty() ? std::string("none off")
                                             : fmt::format("{} off", outcome.findings.size()));
  }
  if (!without.empty()) {
    summary += fmt::format("{}{} cannot be checked: the targets behind {} are not printed ({}{}).",
                           summary.empty() ? "" : " ",
                           counted(without.size(), "average"),
                           without.size() == 1 ? "it" : "them",
                           without.front(),
                           without.size() > 1 ? ", …" : "");
  }
  if (summary.empty()) {
    summary = "No column is an average of targets.";
  }
  outcome.report = report("derived-average",
                          checked > 0,
                          std::move(summary),
                          {{"compared", std::move(lines)}, {"not_checkable", without}});
  return outcome;
}

}  // namespace sar::audit_detail
