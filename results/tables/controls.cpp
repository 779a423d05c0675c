#include "results/tables/controls.h"

#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sar {
namespace {

/// Columns that hold all cases of a target.
std::vector<std::size_t> whole_columns(const TableSpec& spec) {
  std::vector<std::size_t> whole;
  for (std::size_t column = 0; column < spec.columns.size(); ++column) {
    if (spec.columns[column].bucket == "all") {
      whole.push_back(column);
    }
  }
  return whole;
}

std::string sentence(const ControlComparison& each) {
  return fmt::format("{} − {} = {:+.2f}, p = {}",
                     each.control,
                     each.reference,
                     each.difference,
                     each.test ? format_p(each.test->p_adjusted) : "–");
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
                          const TableOptions& options) {
  Controls found{options.test, {}};
  TableOptions corrected = options;
  corrected.correction = "holm";
  for (const std::size_t column : whole_columns(table)) {
    TableSpec spec = controls;
    spec.columns = {table.columns[column]};
    const SummaryTable summaries = summary_table(trials, spec);
    const Table tested = build_table(summaries, spec, corrected);
    const Summary& reference = summaries.reference.front();
    for (std::size_t row = 0; row < spec.rows.size(); ++row) {
      const Summary& control = summaries.rows[row].front();
      if (spec.rows[row].method == spec.reference || control.n == 0 || reference.n == 0) {
        continue;
      }
      found.comparisons.push_back({spec.rows[row].method,
                                   spec.reference,
                                   column_name(table, column),
                                   control.mean - reference.mean,
                                   control.n,
                                   reference.n,
                                   chosen_test(tested, tested.cells[row].front())});
    }
  }
  return found;
}

std::vector<std::string> sentences(const Controls& controls, bool differs) {
  if (controls.comparisons.empty()) {
    return {differs ? "No controls were run: that a cell does not differ says little."
                    : "No controls were run: that no cell differs says little."};
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
  return {fmt::format("Controls ({}, p by Holm over the controls of a column): {}.",
                      controls.test == "welch" ? "Welch's t-test" : "Student's t-test",
                      fmt::join(lines, ". "))};
}

Json json_of(const Controls& controls) {
  Json list = Json::array();
  for (const ControlComparison& each : controls.comparisons) {
    list.push_back({{"control", each.control},
                    {"reference", each.reference},
                    {"column", each.column},
                    {"difference", each.difference},
                    {"n", each.n},
                    {"reference_n", each.reference_n},
                    {"p", each.test ? Json(each.test->p) : Json()},
                    {"p_adjusted", each.test ? Json(each.test->p_adjusted) : Json()}});
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

void add_controls(Table& table,
                  const std::vector<TrialDice>& trials,
                  const TableSpec& controls,
                  const TableOptions& options) {
  const bool own_rows = std::ranges::all_of(controls.rows, [&](const TableRow& row) {
    return std::ranges::find(table.spec.rows, row.method, &TableRow::method) !=
           table.spec.rows.end();
  });
  if (!own_rows) {
    table.controls = compare_controls(trials, controls, table.spec, options);
  }
}

}  // namespace sar
