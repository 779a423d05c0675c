#pragma once

// Averages over the targets of a task; for results/audit/ alone.

#include "results/audit/printed_cells.h"

#include <map>
#include <string>
#include <vector>

namespace sar::audit_checks {

/// The first printed cell of each method, task, target, bucket and fraction, by its path without
/// the table.
std::map<std::string, Place> first_cells(const Paper& paper);

/// The printed targets of one method's task, but for its average: those of the average's own table,
/// as others may show targets that it does not include; of all tables where that one prints none.
std::vector<Place> targets_of(const std::map<std::string, Place>& cells,
                              const PrintedTable& own,
                              const CellPath& average);

/// A mean of a method at one label fraction, printed or the average of printed targets.
struct Point {
  std::string fraction;
  double value = 0, half = 0;
  std::string text;
  std::vector<std::string> cells;
};

/// Mean of several printed means, with the half width of its rounding interval; no fraction.
Point mean_of(const std::vector<Place>& parts);

}  // namespace sar::audit_checks
