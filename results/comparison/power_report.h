#pragma once

#include "results/database/rows.h"
#include "results/document/sheet.h"
#include "results/paper/cells.h"
#include "results/tables/table.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

struct PowerOptions {
  double alpha = 0.05;
  double power = 0.8;
  /// Comparisons that alpha is shared by: each is planned at alpha / family, the strictest level
  /// that Holm or Benjamini–Hochberg can ask for. 1: no correction.
  int family = 1;
};

/// Where the costs come from.
struct CostSource {
  std::vector<TrialCost> trials;  ///< empty: unknown
  std::string where;  ///< "sar-bench.sqlite, profile quick, phantom data"; or why they are unknown
  std::string data_kind;  ///< phantom | real; empty if unknown
};

/// Every row of a table of Dice against its reference row: difference, pooled SD, the smallest
/// difference that these n show with the power asked for, the power at this difference, the trials
/// per row that would reach it *if the difference were true* (a planning figure), and the hours of
/// the additional trials. Student's two-sample test throughout. Comparisons without SD or n are
/// lines with their reason.
Sheet power_sheet(const TableSpec& spec,
                  const CellSource& source,
                  const CostSource& costs,
                  const PowerOptions& options);

/// The same for one difference and SD; `n` per group. Throws Error 2 unless both are finite, SD is
/// positive and n at least 2.
Sheet power_sheet(double difference, double sd, int n, const PowerOptions& options);

}  // namespace sar
