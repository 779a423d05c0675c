#pragma once

#include "results/database/rows.h"
#include "results/document/sheet.h"
#include "results/paper/cells.h"
#include "results/tables/table.h"

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Trials per group that are counted up to.
constexpr int kMostPlannedTrials = 1'000'000;

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

/// The power of Student's two-sample test at one difference.
struct PowerPlan {
  std::string reason;              ///< why it cannot be planned; then only the n mean something
  int n_row = 0, n_reference = 0;  ///< trials
  double difference = 0;           ///< row less reference, Dice points
  double sd = 0;                   ///< pooled over both, Dice points
  double detectable = 0;  ///< smallest true difference that is found with the power asked for
  double power = 0;       ///< with these n, if the difference is the true one
  std::optional<int>
      needed;  ///< trials of either for the power asked for; empty: > kMostPlannedTrials
};

/// A row of a table against its reference row, in one column.
struct PowerComparison {
  CellPath row, reference;
  std::string label;  ///< of the row
  PowerPlan plan;
  std::optional<std::array<int, 2>> additional;  ///< trials of row and reference to be added
  std::optional<double> hours;                   ///< that these cost; empty if unknown
};

struct PowerReport {
  std::string table, title, reference, reference_label;
  std::string source;  ///< published | measured
  Origin origin;       ///< of measured numbers
  PowerOptions options;
  CostSource costs;
  std::vector<PowerComparison> comparisons;  ///< row by row
  /// Trials to be added so that every comparison has what it needs: one trial fills all columns of
  /// its task, and the reference's serve every row.
  long additional_trials = 0;
  std::optional<double> hours;             ///< that these cost; empty if that of one is unknown
  std::vector<std::string> without_hours;  ///< "sar brats": rows and tasks whose cost is unknown
};

/// Every row of a table of Dice against its reference row: difference, pooled SD, the smallest
/// difference that these n show with the power asked for, the power at this difference, the trials
/// per row that would reach it *if the difference were true* (a planning figure), and the hours of
/// the additional trials. Student's two-sample test throughout. Comparisons without SD or n say
/// why.
PowerReport power_report(const TableSpec& spec,
                         const CellSource& source,
                         const CostSource& costs,
                         const PowerOptions& options);

/// One difference and SD; `n` per group. Throws Error 2 unless both are finite, SD is positive and
/// n at least 2.
PowerPlan power_plan(double difference, double sd, int n, const PowerOptions& options);

}  // namespace sar
