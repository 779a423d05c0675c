#pragma once

#include "results/database/cell_statistics.h"
#include "results/database/store.h"
#include "results/database/table_spec.h"
#include "results/statistics/statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

struct TableCell {
  std::string task, target, bucket, fraction;
  int n = 0;                   ///< trials; 0 with a mean: the paper does not say
  int planned = 0;             ///< trials that are to be
  int reference_n = 0;         ///< trials of the reference row in this column
  std::optional<double> mean;  ///< empty: no trial yet
  std::optional<double> sd;    ///< empty if n < 2
  bool best = false;           ///< largest mean of a column with at least two; equal ones share it
  std::optional<TestResult> student, welch;  ///< against the reference row; empty if not testable
  std::string
      not_testable;  ///< why, e.g. "n = 1"; empty for the reference and where one has no trial
  int failed = 0;    ///< trials that failed
};

/// A control against the method that it controls, in one column of a table.
struct ControlComparison {
  std::string control, reference;  ///< methods: "oracle", "scratch"
  std::string column;              ///< as the table calls it
  double difference = 0;           ///< mean Dice of the control less that of the reference, points
  int n = 0, reference_n = 0;      ///< trials
  std::optional<TestResult> test;  ///< p adjusted by Holm over the controls of the column
  std::string not_testable;        ///< why there is no test
};
/// What tells whether a table could have shown a difference (assay sensitivity: ICH E10, section
/// 1.5).
struct Controls {
  std::string test;                            ///< student | welch
  std::vector<ControlComparison> comparisons;  ///< none: no control was run
};

/// One metric of a method's pre-trainings, at the epochs whose weights are kept: means where there
/// are several.
struct ProxyMetric {
  struct Value {
    std::optional<double> value, chance;  ///< in the metric's own unit; chance: of guessing
  };
  std::string name;         ///< "rotation_accuracy"
  std::vector<int> epochs;  ///< one per pre-training
  Value training;           ///< mean over the epoch, while the weights change
  Value held_out;           ///< empty without held-out patients
};

/// How well a method solves its proxy task.
struct ProxyResult {
  std::string method, label;
  std::vector<ProxyMetric> metrics;   ///< by name
  std::vector<std::string> failures;  ///< reasons of failed pre-trainings

  [[nodiscard]] bool empty() const { return metrics.empty() && failures.empty(); }
};

struct Table {
  TableSpec spec;
  std::string source = "measured";  ///< measured | published
  ProtocolRow protocol;             ///< of measured numbers
  std::string test, correction;     ///< chosen for the marks
  double alpha = 0.05;
  int delta_degrees_of_freedom = 1;
  std::vector<std::vector<TableCell>> cells;  ///< [row][column]
  /// Columns (by position) that show the very same runs: label fractions that round to the same
  /// training cases.
  std::vector<std::vector<std::size_t>> same_runs;
  /// Of measured tables: what the trainings of each row were given, mean over the trials shown; how
  /// well their proxy tasks were learnt; and the controls, where they are not rows themselves.
  /// Empty where nobody asked.
  std::vector<Budget> budgets;
  std::vector<ProxyResult> proxies;
  std::optional<Controls> controls;
};

struct TableOptions {
  std::string test = "student";  ///< the test that marks significance; the other is shown beside it
  std::string correction = "none";  ///< none | holm | bh over all cells of the table
  double alpha = 0.05;
  /// Printed SDs divide by n less this, 0 or 1; tests always by n - 1.
  int delta_degrees_of_freedom = 1;
};

/// Builds a table from stored trials. Never fails on gaps: they are marked. Throws Error 2 for a
/// test other than student and welch or an unknown correction.
Table build_table(const Store& store,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options);
/// The same from rows that were read before.
Table build_table(const std::vector<TrialDice>& trials,
                  const std::vector<RunRow>& runs,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options);

/// The same from means, SDs and n.
Table build_table(const SummaryTable& summaries,
                  const TableSpec& spec,
                  const TableOptions& options);

/// Value of "1/10"; "1" is 1. 0 for a text that is not a fraction.
double fraction_value(const std::string& fraction);

/// SD of a cell by n - 1, however the table prints it; empty where the cell has none.
std::optional<double> sample_sd(const Table& table, const TableCell& cell);

/// Number of cells with a mean.
int filled_cells(const Table& table);

/// The test that sets the table's marks.
const std::optional<TestResult>& chosen_test(const Table& table, const TableCell& cell);

/// True if the cell differs from the reference row: by the test that sets the table's marks, with
/// its p value adjusted as the table says, two-sided, below `alpha`. Cells without a test do not.
bool is_significant(const Table& table, const TableCell& cell);

/// What a table calls a method; the id itself where it has no such row.
std::string label_of(const std::vector<TableRow>& rows, const std::string& method);

/// "78.10±3.20"; "78.10" without an SD. Dice in percent.
std::string value_text(double mean, const std::optional<double>& sd);

/// How a column (by position) is called outside its table: with its group where the label alone is
/// not unique.
std::string column_name(const TableSpec& spec, std::size_t column);

}  // namespace sar
