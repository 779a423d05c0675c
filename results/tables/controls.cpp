#include "results/tables/controls.h"

#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar {
namespace {

/// A column for all cases of each task, target and fraction that the table shows.
std::vector<TableColumn> whole_columns(const TableSpec& spec) {
  std::vector<TableColumn> whole;
  for (const TableColumn& each : spec.columns) {
    TableColumn column = each;
    if (column.bucket != "all") {
      column.bucket = "all";
      column.label = each.target + ", all cases";
    }
    const auto shown = find_column(spec, column);
    if (shown) {
      column.label = column_name(spec, *shown);
    }
    const bool known = std::ranges::any_of(whole, [&](const TableColumn& other) {
      return other.task == column.task && other.target == column.target &&
             other.fraction == column.fraction;
    });
    if (!known) {
      whole.push_back(std::move(column));
    }
  }
  return whole;
}

/// "oracle − scratch = +9.75 (n = 4, 4; df = 6), p = 8.0e-04".
std::string sentence(const ControlComparison& each) {
  const std::string n = fmt::format("n = {}, {}", each.n, each.reference_n);
  return fmt::format("{} − {} = {}{:.2f} ({}",
                     each.control,
                     each.reference,
                     each.difference < 0 ? "−" : "+",
                     std::abs(each.difference),
                     n) +
         (each.test ? fmt::format(
                          "; df = {:.4g}), p = {}", each.test->df, format_p(each.test->p_adjusted))
                    : "), " + not_testable_because(each.not_testable));
}

/// Mean of a quantity over rows of the budget, each weighted by its trials; empty if one lacks it.
std::optional<double> mean_of(const std::vector<const Budget*>& rows,
                              std::optional<double> Budget::*quantity) {
  double sum = 0;
  double trials = 0;
  for (const Budget* row : rows) {
    const std::optional<double>& value = row->*quantity;
    if (!value) {
      return std::nullopt;
    }
    sum += *value * row->trials;
    trials += row->trials;
  }
  return trials > 0 ? std::optional(sum / trials) : std::nullopt;
}

}  // namespace

Controls compare_controls(const std::vector<TrialDice>& trials,
                          const TableSpec& controls,
                          const TableSpec& table,
                          const std::string& test) {
  TableOptions options;
  options.test = test == "welch" ? "welch" : "student";
  options.correction = "holm";
  Controls found{options.test, {}};
  for (const TableColumn& column : whole_columns(table)) {
    TableSpec spec = controls;
    spec.columns = {column};
    const SummaryTable summaries = summary_table(trials, spec);
    const Table tested = build_table(summaries, spec, options);
    const Summary& reference = summaries.reference.front();
    for (std::size_t row = 0; row < spec.rows.size(); ++row) {
      const Summary& control = summaries.rows[row].front();
      if (spec.rows[row].method == spec.reference || control.n == 0 || reference.n == 0) {
        continue;
      }
      found.comparisons.push_back({spec.rows[row].method,
                                   spec.reference,
                                   column.label,
                                   control.mean - reference.mean,
                                   control.n,
                                   reference.n,
                                   chosen_test(tested, tested.cells[row].front()),
                                   tested.cells[row].front().not_testable});
    }
  }
  return found;
}

std::string sentence(const Controls& controls, bool a_cell_differs) {
  if (controls.comparisons.empty()) {
    return a_cell_differs ? "No controls were run."
                          : "No controls were run: that no cell differs says little.";
  }
  std::vector<std::string> columns;
  std::map<std::string, std::vector<std::string>> parts;
  for (const ControlComparison& each : controls.comparisons) {
    if (!parts.contains(each.column)) {
      columns.push_back(each.column);
    }
    parts[each.column].push_back(sentence(each));
  }
  std::vector<std::string> lines;
  for (const std::string& column : columns) {
    lines.push_back(fmt::format("{}: {}", column, fmt::join(parts.at(column), "; ")));
  }
  return fmt::format("Controls ({}, two-sided, p by Holm over the controls of a column). {}.",
                     controls.test == "welch" ? "Welch's t-test" : "Student's pooled t-test",
                     fmt::join(lines, ". "));
}

Json json_of(const Controls& controls) {
  Json list = Json::array();
  for (const ControlComparison& each : controls.comparisons) {
    list.push_back(
        {{"control", each.control},
         {"reference", each.reference},
         {"column", each.column},
         {"difference", each.difference},
         {"n", each.n},
         {"reference_n", each.reference_n},
         {"df", each.test ? Json(each.test->df) : Json()},
         {"p", each.test ? Json(each.test->p) : Json()},
         {"p_adjusted", each.test ? Json(each.test->p_adjusted) : Json()},
         {"not_testable", each.not_testable.empty() ? Json() : Json(each.not_testable)}});
  }
  return {{"test", controls.test}, {"correction", "holm"}, {"comparisons", std::move(list)}};
}

void add_budgets(Table& table, const std::vector<Budget>& budgets) {
  table.budgets.clear();
  for (const TableRow& row : table.spec.rows) {
    std::vector<const Budget*> shown;
    for (const Budget& each : budgets) {
      if (each.method == row.method && shows(table.spec, each.method, each.task, each.fraction)) {
        shown.push_back(&each);
      }
    }
    Budget mean;
    mean.method = row.method;
    for (const Budget* each : shown) {
      mean.trials += each->trials;
    }
    for (const auto quantity : {&Budget::cubes,
                                &Budget::pretraining_steps,
                                &Budget::pretraining_flops,
                                &Budget::pretraining_hours,
                                &Budget::finetuning_steps,
                                &Budget::finetuning_flops,
                                &Budget::finetuning_hours}) {
      mean.*quantity = mean_of(shown, quantity);
    }
    table.budgets.push_back(std::move(mean));
  }
}

void add_controls(Table& table, const std::vector<TrialDice>& trials, const TableSpec& controls) {
  const bool own_rows = std::ranges::all_of(controls.rows, [&](const TableRow& row) {
    return std::ranges::find(table.spec.rows, row.method, &TableRow::method) !=
           table.spec.rows.end();
  });
  if (!own_rows) {
    table.controls = compare_controls(trials, controls, table.spec, table.test);
  }
}

}  // namespace sar
