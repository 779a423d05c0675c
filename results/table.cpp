#include "results/table.h"

#include "harness/core/error.h"
#include "results/statistics.h"

#include <algorithm>
#include <array>
#include <map>

namespace sar {
namespace {

using CellName = std::array<std::string, 5>;  ///< method, task, fraction, target, bucket

TestResult test_result(const TTest& test) {
  return {test.test, test.t, test.df, test.p, test.p, test.hedges_g, test.g_low, test.g_high};
}

/// Marks the largest mean of a column, where there is something to compare.
void mark_best(Table& table, std::size_t column) {
  std::vector<TableCell*> filled;
  for (auto& row : table.cells) {
    if (row[column].mean) {
      filled.push_back(&row[column]);
    }
  }
  if (filled.size() < 2) {
    return;
  }
  const auto largest =
      std::max_element(filled.begin(), filled.end(), [](const auto* a, const auto* b) {
        return *a->mean < *b->mean;
      });
  for (TableCell* cell : filled) {
    cell->best = *cell->mean == *(*largest)->mean;
  }
}

/// Adjusts the p values of one test over all cells of the table.
void adjust_family(Table& table, std::optional<TestResult> TableCell::*test) {
  std::vector<double> p;
  for (const auto& row : table.cells) {
    for (const TableCell& cell : row) {
      if (cell.*test) {
        p.push_back((cell.*test)->p);
      }
    }
  }
  const std::vector<double> adjusted = adjust(p, table.correction);
  std::size_t next = 0;
  for (auto& row : table.cells) {
    for (TableCell& cell : row) {
      if (cell.*test) {
        (cell.*test)->p_adjusted = adjusted[next++];
      }
    }
  }
}

}  // namespace

Table build_table(const std::vector<TrialDice>& trials,
                  const std::vector<RunRow>& runs,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options) {
  if (options.test != "student" && options.test != "welch") {
    throw usage_error("a table is tested by student or welch").with("test", options.test);
  }
  std::map<CellName, std::vector<double>> values;
  for (const TrialDice& t : trials) {
    values[{t.method, t.task, t.fraction, t.target, t.bucket}].push_back(t.dice);
  }
  const auto summary_of = [&](const std::string& method, const TableColumn& column) {
    const auto found =
        values.find({method, column.task, column.fraction, column.target, column.bucket});
    return found == values.end() ? Summary{} : summarise(found->second);
  };

  Table table;
  table.spec = spec;
  table.protocol = protocol;
  table.test = options.test;
  table.correction = options.correction;
  table.alpha = options.alpha;
  for (const TableRow& row : spec.rows) {
    std::vector<TableCell>& cells = table.cells.emplace_back();
    for (const TableColumn& column : spec.columns) {
      TableCell& cell = cells.emplace_back();
      cell.task = column.task;
      cell.target = column.target;
      cell.bucket = column.bucket;
      cell.fraction = column.fraction;
      const Summary summary = summary_of(row.method, column);
      cell.n = summary.n;
      if (summary.n > 0) {
        cell.mean = summary.mean;
        cell.sd = summary.sd;
      }
      cell.failed =
          static_cast<int>(std::count_if(runs.begin(), runs.end(), [&](const RunRow& run) {
            return run.state == "failed" && run.cell.method == row.method &&
                   run.cell.task == column.task && run.cell.fraction == column.fraction;
          }));
      const Summary reference = summary_of(spec.reference, column);
      cell.reference_n = reference.n;
      if (row.method == spec.reference || summary.n == 0 || reference.n == 0) {
        continue;
      }
      for (auto [result, test] :
           {std::pair(&cell.student, &student_test), std::pair(&cell.welch, &welch_test)}) {
        const TTest outcome = test(summary, reference, options.alpha);
        if (outcome.testable) {
          *result = test_result(outcome);
        } else {
          cell.not_testable = outcome.reason;
        }
      }
    }
  }
  for (std::size_t column = 0; column < spec.columns.size(); ++column) {
    mark_best(table, column);
  }
  adjust_family(table, &TableCell::student);
  adjust_family(table, &TableCell::welch);
  return table;
}

Table build_table(const Store& store,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options) {
  return build_table(
      store.trial_dice(protocol.protocol), store.runs(protocol.protocol), protocol, spec, options);
}

int filled_cells(const Table& table) {
  int filled = 0;
  for (const auto& row : table.cells) {
    filled += static_cast<int>(
        std::count_if(row.begin(), row.end(), [](const TableCell& cell) { return cell.n > 0; }));
  }
  return filled;
}

}  // namespace sar
