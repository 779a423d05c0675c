#include "results/audit/averages.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::audit_checks {

std::map<std::string, Place> first_cells(const Paper& paper) {
  std::map<std::string, Place> cells;
  for (const Place& place : all_places(paper)) {
    CellPath path = place.path();
    path.table.clear();
    cells.try_emplace(path.text(), place);
  }
  return cells;
}

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

}  // namespace sar::audit_checks
