#pragma once

#include "results/database/rows.h"
#include "results/database/table_spec.h"
#include "results/statistics/statistics.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Test of row minus reference: negative t and g say that the row is below the reference.
struct TestResult {
  std::string test;  ///< student | welch
  double t = 0, df = 0, p = 1;
  double p_adjusted = 1;
  double hedges_g = 0, g_low = 0, g_high = 0;  ///< interval of level 1 - alpha
};

/// Means and SDs of a table; n = 0 where there is none.
struct SummaryTable {
  std::vector<std::vector<Summary>> rows;           ///< [row][column]
  std::vector<Summary> reference;                   ///< of the reference method, [column]
  std::vector<std::vector<std::size_t>> same_runs;  ///< columns, by position
  bool unknown_n = false;  ///< the means are over an unknown number of trials: no test
};
/// Of stored trials; `reference` also where the reference method is not a row.
SummaryTable summary_table(const std::vector<TrialDice>& trials, const TableSpec& spec);

/// Both tests of a cell against the reference row of its column.
struct CellTests {
  std::optional<TestResult> student, welch;  ///< empty if not testable
  std::string
      not_testable;  ///< why, e.g. "n = 1"; empty for the reference and where one has no trial
};

/// The family of tests of a table, [row][column]: p is corrected (none | holm | bh) over all cells,
/// those of the same runs counted once. `alpha`: 1 - level of the intervals.
std::vector<std::vector<CellTests>> family_tests(const SummaryTable& summaries,
                                                 const TableSpec& spec,
                                                 const std::string& correction,
                                                 double alpha);

/// A row of cell_statistic.
struct CellStatistic {
  std::string method, task, fraction, target, bucket;
  Summary summary;
};

/// A row of ttest; the numbers are empty if the cells cannot be tested.
struct StoredTest {
  std::string family, task, target, bucket, fraction, method, versus, test;
  std::optional<double> t = {}, df = {}, p = {}, p_adjusted = {};
  std::optional<double> hedges_g = {}, g_low = {}, g_high = {};
};

/// What the database keeps beside the trials of a protocol.
struct ProtocolStatistics {
  std::vector<CellStatistic> cells;
  std::vector<StoredTest> tests;
};
/// `trials` in the order of `Store::trial_dice`. Tests are corrected by Holm, their intervals of
/// level 95 %.
ProtocolStatistics protocol_statistics(const std::vector<TrialDice>& trials,
                                       const std::vector<TableSpec>& families);

}  // namespace sar
