#include "results/claims/cell_numbers.h"

#include "results/paper/predicates.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

namespace sar {
namespace {

/// Decimals that a printed number has; two for measured ones.
int decimals(double value, double half_unit) {
  if (half_unit <= 0) {
    return 2;
  }
  int digits = std::max(0, static_cast<int>(std::lround(-std::log10(2 * half_unit))));
  while (digits < 6 && std::abs(std::round(value * std::pow(10, digits)) / std::pow(10, digits) -
                                value) > kSumSlack) {
    ++digits;  // a mean of two printed numbers may need one more
  }
  return digits;
}

/// Targets whose columns a table prints for the task, bucket and fraction of the path.
std::set<std::string> targets_in(const PrintedTable& table, const CellPath& path) {
  std::set<std::string> targets;
  for (const TableColumn& column : table.spec.columns) {
    if (column.task == path.task && column.bucket == path.bucket &&
        column.fraction == path.fraction && column.target != "average") {
      targets.insert(column.target);
    }
  }
  return targets;
}

}  // namespace

ComparedNumber CellNumbers::at(CellPath path) const {
  ComparedNumber found{path.method, {}, {}, {}, 2};
  const auto number = look_up(path);
  if (number) {
    found.number = *number;
    found.cells = {path.text()};
  } else if (path.target == "average" && !derive_average(path, found)) {
    found.missing = missing(path);
  } else if (path.target != "average") {
    found.missing = missing(path);
  }
  found.digits = decimals(found.mean(), found.number.mean_half_unit);
  return found;
}

std::optional<CellNumber> CellNumbers::look_up(CellPath& path) const {
  if (auto number = source_.find(path)) {
    return number;
  }
  for (const PrintedTable& table : paper_.tables) {
    CellPath other = path;
    other.table = table.spec.id;
    if (auto number = source_.find(other)) {
      path = other;
      return number;
    }
  }
  return {};
}

bool CellNumbers::derive_average(const CellPath& path, ComparedNumber& found) const {
  std::set<std::string> targets;
  for (const PrintedTable& table : paper_.tables) {
    for (const TableColumn& column : table.spec.columns) {
      if (column.task == path.task && column.target != "average") {
        targets.insert(column.target);
      }
    }
  }
  if (targets.size() < 2) {
    return false;
  }
  const PrintedTable* own = paper_.find(path.table);
  if (own != nullptr && !targets_in(*own, path).empty()) {
    return average_in(*own, path, targets, found);
  }
  return std::ranges::any_of(paper_.tables, [&](const PrintedTable& table) {
    return average_in(table, path, targets, found);
  });
}

bool CellNumbers::average_in(const PrintedTable& table,
                             const CellPath& path,
                             const std::set<std::string>& targets,
                             ComparedNumber& found) const {
  if (targets_in(table, path) != targets) {
    return false;
  }
  CellNumber average;
  std::vector<std::string> cells;
  const auto n = static_cast<double>(targets.size());
  for (const auto& target : targets) {
    CellPath part = path;
    part.table = table.spec.id;
    part.target = target;
    const auto number = source_.find(part);
    if (!number) {
      return false;
    }
    average.summary.mean += number->summary.mean / n;
    average.mean_half_unit += number->mean_half_unit / n;
    cells.push_back(part.text());
  }
  found.number = std::move(average);
  found.cells = std::move(cells);
  found.label += " mean of " + fmt::format("{}", fmt::join(targets, " and "));
  return true;
}

std::string CellNumbers::missing(const CellPath& path) const {
  if (source_.name != "measured") {
    return "the paper prints no " + path.text();
  }
  return fmt::format("no finished trial of {} is stored: sar-bench run {} -m {} -t {}{} makes it",
                     path.text(),
                     path.table,
                     path.method,
                     path.task,
                     path.fraction == "1" ? "" : " --fraction " + path.fraction);
}

}  // namespace sar
