#pragma once

#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// The rows of `controls` against its reference, over all cases of each task, target and fraction
/// that `table` shows: buckets share the trials of their whole. `test`: student | welch; for any
/// other, which means and SDs do not allow, Student's.
Controls compare_controls(const std::vector<TrialDice>& trials,
                          const TableSpec& controls,
                          const TableSpec& table,
                          const std::string& test);

/// The line below a table: what the controls showed in each column, or that none was run (and,
/// where no cell differs, that this says little).
std::string sentence(const Controls& controls, bool a_cell_differs = false);

/// For JSON: {"test", "correction", "comparisons": [{"control", "reference", "column",
/// "difference", "n", "reference_n", "df", "p", "p_adjusted", "not_testable"}]}.
Json json_of(const Controls& controls);

/// Puts into a measured table what its rows were given, and what the controls say, unless they are
/// its rows.
void add_budgets(Table& table, const std::vector<Budget>& budgets);
void add_controls(Table& table, const std::vector<TrialDice>& trials, const TableSpec& controls);

}  // namespace sar
