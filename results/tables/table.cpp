#include "results/tables/table.h"

#include "harness/core/error.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <map>

namespace sar {
namespace {

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

}  // namespace

Table build_table(const std::vector<TrialDice>& trials,
                  const std::vector<RunRow>& runs,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options) {
  Table table = build_table(summary_table(trials, spec), spec, options);
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
  const auto tests = family_tests(summaries, spec, options.correction, options.alpha);
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
        cell.not_testable = tests[row][index].not_testable;
        continue;
      }
      if (summary.n > 0) {
        cell.mean = summary.mean;
        cell.sd = summary.sd;
      }
      cell.reference_n = summaries.reference[index].n;
      cell.student = tests[row][index].student;
      cell.welch = tests[row][index].welch;
      cell.not_testable = tests[row][index].not_testable;
    }
  }
  for (std::size_t column = 0; column < spec.columns.size(); ++column) {
    mark_best(table, column);
  }
  return table;
}

Table build_table(const Store& store,
                  const ProtocolRow& protocol,
                  const TableSpec& spec,
                  const TableOptions& options) {
  return build_table(
      store.trial_dice(protocol.protocol), store.runs(protocol.protocol), protocol, spec, options);
}

const std::optional<TestResult>& chosen_test(const Table& table, const TableCell& cell) {
  return table.test == "student" ? cell.student : cell.welch;
}

bool is_significant(const Table& table, const TableCell& cell) {
  const std::optional<TestResult>& test = chosen_test(table, cell);
  return test && test->p_adjusted < table.alpha;
}

std::string label_of(const std::vector<TableRow>& rows, const std::string& method) {
  const auto row = std::ranges::find(rows, method, &TableRow::method);
  return row == rows.end() ? method : row->label;
}

std::string value_text(double mean, const std::optional<double>& sd) {
  return fmt::format("{:.2f}", mean) + (sd ? fmt::format("±{:.2f}", *sd) : "");
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
