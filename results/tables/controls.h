#pragma once

#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// The rows of `controls` against its reference, in those columns of `table` that hold all cases:
/// buckets share the trials of their whole.
Controls compare_controls(const std::vector<TrialDice>& trials,
                          const TableSpec& controls,
                          const TableSpec& table,
                          const TableOptions& options);

/// The line below a table: one sentence for each column with controls, or that none was run.
/// `differs`: a cell of the table differs from its reference.
std::vector<std::string> sentences(const Controls& controls, bool differs);

/// For JSON: {"test", "comparisons": [{"control", "reference", "column", ...}]}.
Json json_of(const Controls& controls);

/// Puts into a measured table what its rows were given, and what the controls say, unless they are
/// its rows.
void add_budgets(Table& table, const std::vector<Budget>& budgets);
void add_controls(Table& table,
                  const std::vector<TrialDice>& trials,
                  const TableSpec& controls,
                  const TableOptions& options);

}  // namespace sar
