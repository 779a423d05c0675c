#include "results/tables/table.h"

#include "harness/core/error.h"
#include "results/statistics/statistics.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
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

/// Adjusts the p values of one test over all cells of the table. Columns of the same runs are one
/// comparison, not several.
void adjust_family(Table& table, std::optional<TestResult> TableCell::*test) {
  std::map<std::size_t, std::size_t> original;  // column to the first one of the same runs
  for (const auto& columns : table.same_runs) {
    for (const std::size_t column : columns) {
      original[column] = columns.front();
    }
  }
  std::vector<double> p;
  std::vector<TestResult*> tested;
  for (auto& row : table.cells) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      const auto found = original.find(column);
      if (row[column].*test && (found == original.end() || found->second == column)) {
        p.push_back((row[column].*test)->p);
        tested.push_back(&*(row[column].*test));
      }
    }
  }
  const std::vector<double> adjusted = adjust(p, table.correction);
  for (std::size_t i = 0; i < tested.size(); ++i) {
    tested[i]->p_adjusted = adjusted[i];
  }
  for (auto& row : table.cells) {
    for (const auto& [column, first] : original) {
      if (row[column].*test && row[first].*test) {
        (row[column].*test)->p_adjusted = (row[first].*test)->p_adjusted;
      }
    }
  }
}

/// Groups of columns that show one target and bucket of the same evaluations.
std::vector<std::vector<std::size_t>> columns_of_same_runs(const TableSpec& spec,
                                                           const std::vector<TrialDice>& trials) {
  using Group = std::pair<std::array<std::string, 3>, std::vector<std::string>>;
  std::map<Group, std::vector<std::size_t>> groups;
  for (std::size_t index = 0; index < spec.columns.size(); ++index) {
    const TableColumn& column = spec.columns[index];
    std::vector<std::string> evaluations;
    for (const TrialDice& trial : trials) {
      if (!trial.evaluation.empty() && trial.task == column.task &&
          trial.fraction == column.fraction && trial.target == column.target &&
          trial.bucket == column.bucket &&
          std::ranges::find(spec.rows, trial.method, &TableRow::method) != spec.rows.end()) {
        evaluations.push_back(trial.evaluation);
      }
    }
    std::ranges::sort(evaluations);
    if (!evaluations.empty()) {
      groups[{{column.task, column.target, column.bucket}, evaluations}].push_back(index);
    }
  }
  std::vector<std::vector<std::size_t>> same;
  for (auto& [group, columns] : groups) {
    if (columns.size() > 1) {
      same.push_back(std::move(columns));
    }
  }
  std::ranges::sort(same);
  return same;
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
  SummaryTable summaries;
  std::map<CellName, std::vector<double>> values;
  for (const TrialDice& t : trials) {
    values[{t.method, t.task, t.fraction, t.target, t.bucket}].push_back(t.dice);
  }
  const auto line_of = [&](const std::string& method) {
    std::vector<Summary> line;
    for (const TableColumn& column : spec.columns) {
      const auto found =
          values.find({method, column.task, column.fraction, column.target, column.bucket});
      line.push_back(found == values.end() ? Summary{} : summarise(found->second));
    }
    return line;
  };
  for (const TableRow& row : spec.rows) {
    summaries.rows.push_back(line_of(row.method));
  }
  summaries.reference = line_of(spec.reference);
  summaries.same_runs = columns_of_same_runs(spec, trials);
  Table table = build_table(summaries, spec, options);
  table.protocol = protocol;
  table.delta_degrees_of_freedom = options.delta_degrees_of_freedom;
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      TableCell& cell = table.cells[row][column];
      const std::string& cell_method = spec.rows[row].method;
      if (cell.sd && options.delta_degrees_of_freedom == 0) {
        *cell.sd *= std::sqrt((cell.n - 1.0) / cell.n);
      }
      int planned = 0;
      for (const RunRow& run : runs) {
        if (run.cell.method == cell_method && run.cell.task == cell.task &&
            run.cell.fraction == cell.fraction) {
          ++planned;
          cell.failed += run.state == "failed" ? 1 : 0;
        }
      }
      // Runs that do not even cover the trials at hand say nothing of those to come.
      cell.planned = planned >= std::max(1, cell.n + cell.failed) ? planned : spec.trials;
    }
  }
  return table;
}

Table build_table(const SummaryTable& summaries,
                  const TableSpec& spec,
                  const TableOptions& options) {
  if (options.test != "student" && options.test != "welch") {
    throw usage_error("a table is tested by student or welch").with("test", options.test);
  }
  Table table;
  table.spec = spec;
  table.test = options.test;
  table.correction = options.correction;
  table.alpha = options.alpha;
  table.same_runs = summaries.same_runs;
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    std::vector<TableCell>& cells = table.cells.emplace_back();
    for (std::size_t index = 0; index < spec.columns.size(); ++index) {
      const TableColumn& column = spec.columns[index];
      TableCell& cell = cells.emplace_back();
      cell.task = column.task;
      cell.target = column.target;
      cell.bucket = column.bucket;
      cell.fraction = column.fraction;
      const Summary& summary = summaries.rows[row][index];
      cell.n = cell.planned = summary.n;
      if (summaries.unknown_n && summary.n > 0) {
        cell.mean = summary.mean;
        cell.n = cell.planned = 0;
        cell.not_testable = spec.rows[row].method == spec.reference ? "" : "n is not stated";
        continue;
      }
      if (summary.n > 0) {
        cell.mean = summary.mean;
        cell.sd = summary.sd;
      }
      const Summary& reference = summaries.reference[index];
      cell.reference_n = reference.n;
      if (spec.rows[row].method == spec.reference || summary.n == 0 || reference.n == 0) {
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

std::string column_name(const TableSpec& spec, std::size_t column) {
  const TableColumn& named = spec.columns[column];
  const auto same = std::ranges::count(spec.columns, named.label, &TableColumn::label);
  return same == 1 ? named.label : named.group + " " + named.label;
}

double fraction_value(const std::string& fraction) {
  const auto whole = [](std::string_view text) {
    double value = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
    return parsed.ec == std::errc() && parsed.ptr == text.data() + text.size() ? value : 0.0;
  };
  const auto slash = fraction.find('/');
  if (slash == std::string::npos) {
    return whole(fraction);
  }
  const double below = whole(std::string_view(fraction).substr(slash + 1));
  return below > 0 ? whole(std::string_view(fraction).substr(0, slash)) / below : 0.0;
}

std::optional<double> sample_sd(const Table& table, const TableCell& cell) {
  if (!cell.sd || cell.n < 2 || table.delta_degrees_of_freedom == 1) {
    return cell.sd;
  }
  return *cell.sd * std::sqrt(cell.n / (cell.n - 1.0));
}

int filled_cells(const Table& table) {
  int filled = 0;
  for (const auto& row : table.cells) {
    filled += static_cast<int>(std::count_if(
        row.begin(), row.end(), [](const TableCell& cell) { return cell.mean.has_value(); }));
  }
  return filled;
}

}  // namespace sar
