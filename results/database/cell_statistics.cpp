#include "results/database/cell_statistics.h"

#include <algorithm>
#include <array>
#include <map>
#include <tuple>
#include <utility>

namespace sar {
namespace {

using CellName = std::array<std::string, 5>;  ///< method, task, fraction, target, bucket

TestResult test_result(const TTest& test) {
  return {test.test, test.t, test.df, test.p, test.p, test.hedges_g, test.g_low, test.g_high};
}

/// Adjusts the p values of one test over all cells of the table. Columns of the same runs are one
/// comparison, not several.
void adjust_family(std::vector<std::vector<CellTests>>& cells,
                   const std::vector<std::vector<std::size_t>>& same_runs,
                   const std::string& correction,
                   std::optional<TestResult> CellTests::*test) {
  std::map<std::size_t, std::size_t> original;  // column to the first one of the same runs
  for (const auto& columns : same_runs) {
    for (const std::size_t column : columns) {
      original[column] = columns.front();
    }
  }
  std::vector<double> p;
  std::vector<TestResult*> tested;
  for (auto& row : cells) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      const auto found = original.find(column);
      if (row[column].*test && (found == original.end() || found->second == column)) {
        p.push_back((row[column].*test)->p);
        tested.push_back(&*(row[column].*test));
      }
    }
  }
  const std::vector<double> adjusted = adjust(p, correction);
  for (std::size_t i = 0; i < tested.size(); ++i) {
    tested[i]->p_adjusted = adjusted[i];
  }
  for (auto& row : cells) {
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

void append_tests(const std::vector<TrialDice>& trials,
                  const TableSpec& spec,
                  std::vector<StoredTest>& tests) {
  const SummaryTable summaries = summary_table(trials, spec);
  const auto cells = family_tests(summaries, spec, "holm", 0.05);
  for (std::size_t row = 0; row < cells.size(); ++row) {
    for (std::size_t index = 0; index < cells[row].size(); ++index) {
      const CellTests& cell = cells[row][index];
      if (!cell.student && cell.not_testable.empty()) {
        continue;  // nothing to compare: no trial, the reference itself, or no trial of it
      }
      const TableColumn& column = spec.columns[index];
      for (const auto& [name, result] :
           {std::pair("student", &cell.student), std::pair("welch", &cell.welch)}) {
        StoredTest test{spec.id,
                        column.task,
                        column.target,
                        column.bucket,
                        column.fraction,
                        spec.rows[row].method,
                        spec.reference,
                        name};
        if (*result) {
          const TestResult& r = **result;
          test.t = r.t;
          test.df = r.df;
          test.p = r.p;
          test.p_adjusted = r.p_adjusted;
          test.hedges_g = r.hedges_g;
          test.g_low = r.g_low;
          test.g_high = r.g_high;
        }
        tests.push_back(std::move(test));
      }
    }
  }
}

}  // namespace

SummaryTable summary_table(const std::vector<TrialDice>& trials, const TableSpec& spec) {
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
  return summaries;
}

std::vector<std::vector<CellTests>> family_tests(const SummaryTable& summaries,
                                                 const TableSpec& spec,
                                                 const std::string& correction,
                                                 double alpha) {
  std::vector<std::vector<CellTests>> cells(spec.rows.size(),
                                            std::vector<CellTests>(spec.columns.size()));
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      CellTests& cell = cells[row][column];
      const Summary& summary = summaries.rows[row][column];
      const Summary& reference = summaries.reference[column];
      if (spec.rows[row].method == spec.reference || summary.n == 0) {
        continue;
      }
      if (summaries.unknown_n) {
        cell.not_testable = "n is not stated";
        continue;
      }
      if (reference.n == 0) {
        continue;
      }
      for (auto [result, test] :
           {std::pair(&cell.student, &student_test), std::pair(&cell.welch, &welch_test)}) {
        const TTest outcome = test(summary, reference, alpha);
        if (outcome.testable) {
          *result = test_result(outcome);
        } else {
          cell.not_testable = outcome.reason;
        }
      }
    }
  }
  adjust_family(cells, summaries.same_runs, correction, &CellTests::student);
  adjust_family(cells, summaries.same_runs, correction, &CellTests::welch);
  return cells;
}

ProtocolStatistics protocol_statistics(const std::vector<TrialDice>& trials,
                                       const std::vector<TableSpec>& families) {
  ProtocolStatistics result;
  const auto cell_of = [](const TrialDice& t) {
    return std::tie(t.method, t.task, t.fraction, t.target, t.bucket);
  };
  std::vector<double> values;
  for (std::size_t i = 0; i < trials.size(); ++i) {
    values.push_back(trials[i].dice);
    if (i + 1 == trials.size() || cell_of(trials[i]) != cell_of(trials[i + 1])) {
      const TrialDice& t = trials[i];
      result.cells.push_back({t.method, t.task, t.fraction, t.target, t.bucket, summarise(values)});
      values.clear();
    }
  }
  for (const TableSpec& spec : families) {
    append_tests(trials, spec, result.tests);
  }
  return result;
}

}  // namespace sar
