#include "results/tables/forest.h"

#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace {

Summary summary_of(const Table& table, const TableCell& cell) {
  return cell.mean ? Summary{*cell.mean, sample_sd(table, cell), cell.n} : Summary{};
}

/// Reference less row. Where the table has a test its numbers are taken over, as SDs that divide by
/// n would give them back only up to rounding.
TTest tested(const Table& table, const TableCell& cell, const ForestRow& row) {
  TTest test;
  test.test = table.test;
  test.reason = cell.not_testable;
  if (const std::optional<TestResult>& of_table = chosen_test(table, cell)) {
    test = table.test == "welch" ? welch_test(row.reference, row.row, table.alpha)
                                 : student_test(row.reference, row.row, table.alpha);
    test.t = -of_table->t;
    test.df = of_table->df;
    test.p = of_table->p;
    test.hedges_g = -of_table->hedges_g;
    test.g_low = -of_table->g_high;
    test.g_high = -of_table->g_low;
  }
  test.difference = row.reference.mean - row.row.mean;
  return test;
}

std::string mean_text(const Summary& summary) {
  return value_text(summary.mean, summary.sd);
}

std::string n_text(const Summary& summary) {
  return summary.n == 0 ? "–" : fmt::format("{}", summary.n);
}

Json summary_json(const Summary& summary) {
  return {{"mean", summary.mean},
          {"sd", summary.sd ? Json(*summary.sd) : Json()},
          {"n", summary.n == 0 ? Json() : Json(summary.n)}};
}

/// Adds the lines and documents of one source.
void add_panels(Sheet& sheet,
                Json& documents,
                const std::vector<ForestPanel>& panels,
                const std::string& source,
                bool both,
                bool corrected) {
  for (const ForestPanel& panel : panels) {
    for (const ForestRow& row : panel.rows) {
      if (!row.test) {
        continue;
      }
      const TTest& test = *row.test;
      std::vector<std::string>& line = sheet.rows.emplace_back();
      line = {panel.name, row.label};
      if (both) {
        line.push_back(source);
      }
      line.insert(line.end(),
                  {fmt::format("{}, {}", n_text(row.reference), n_text(row.row)),
                   mean_text(row.reference),
                   mean_text(row.row),
                   fmt::format("{:.2f}", test.difference)});
      if (test.testable) {
        line.insert(line.end(),
                    {fmt::format("{:.2f}", test.ci_low),
                     fmt::format("{:.2f}", test.ci_high),
                     format_p(test.p)});
        if (corrected) {
          line.push_back(row.p_adjusted ? format_p(*row.p_adjusted) : "–");
        }
      } else {
        line.resize(sheet.header.size() - 1, "–");
        line.push_back(not_testable_because(test.reason));
      }
      const auto number = [&](double value) { return test.testable ? Json(value) : Json(); };
      documents.push_back({{"column", panel.name},
                           {"task", panel.column.task},
                           {"target", panel.column.target},
                           {"bucket", panel.column.bucket},
                           {"fraction", panel.column.fraction},
                           {"source", source},
                           {"method", row.method},
                           {"label", row.label},
                           {"reference", summary_json(row.reference)},
                           {"row", summary_json(row.row)},
                           {"difference", test.difference},
                           {"ci", {number(test.ci_low), number(test.ci_high)}},
                           {"t", number(test.t)},
                           {"df", number(test.df)},
                           {"p", number(test.p)},
                           {"p_adjusted", row.p_adjusted ? Json(*row.p_adjusted) : Json()},
                           {"not_testable", test.testable ? Json() : Json(test.reason)}});
    }
  }
}

}  // namespace

std::vector<ForestPanel> forest(const Table& table) {
  const auto reference =
      std::ranges::find(table.spec.rows, table.spec.reference, &TableRow::method);
  const auto reference_row = static_cast<std::size_t>(reference - table.spec.rows.begin());
  std::vector<ForestPanel> panels;
  for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
    ForestPanel& panel = panels.emplace_back();
    panel.column = table.spec.columns[column];
    panel.name = column_name(table.spec, column);
    for (std::size_t i = 0; i < table.spec.rows.size(); ++i) {
      if (table.spec.rows[i].method == table.spec.reference) {
        continue;
      }
      const TableCell& cell = table.cells[i][column];
      ForestRow& row = panel.rows.emplace_back();
      row.method = table.spec.rows[i].method;
      row.label = table.spec.rows[i].label;
      row.row = summary_of(table, cell);
      if (reference == table.spec.rows.end()) {
        continue;
      }
      const TableCell& of_reference = table.cells[reference_row][column];
      row.reference = summary_of(table, of_reference);
      if (cell.mean && of_reference.mean) {
        row.test = tested(table, cell, row);
        if (const auto& of_table = chosen_test(table, cell)) {
          row.p_adjusted = of_table->p_adjusted;
        }
      }
    }
  }
  return panels;
}

Sheet forest_sheet(const std::string& id,
                   const std::string& title,
                   const std::vector<ForestPanel>& measured,
                   const std::vector<ForestPanel>& published,
                   const Table& table) {
  const bool both = !measured.empty() && !published.empty();
  const bool corrected = table.correction != "none";
  const std::string reference = label_of(table.spec.rows, table.spec.reference);
  Sheet sheet;
  sheet.id = id;
  sheet.title = title;
  sheet.header = {"Column", "Method"};
  if (both) {
    sheet.source_column = sheet.header.size();
    sheet.header.emplace_back("Source");
  }
  sheet.text_columns = sheet.header.size();
  sheet.header.insert(sheet.header.end(),
                      {"n", reference + " mean", "Method mean", "Difference", "Low", "High", "p"});
  if (corrected) {
    sheet.header.push_back("p " + table.correction);
  }
  Json documents = Json::array();
  add_panels(sheet, documents, measured, "measured", both, corrected);
  add_panels(sheet, documents, published, "published", both, corrected);
  sheet.notes.push_back(
      fmt::format("Dice in percent, mean±SD over n trials ({0} first, then the method; –: not "
                  "stated). Difference: {0} less the method, so a positive one says that {0} is "
                  "better.",
                  reference));
  sheet.notes.push_back(fmt::format(
      "Low, High: {:g} % confidence interval of the difference; p two-sided, both by {}.{}",
      100 * (1 - table.alpha),
      table.test == "welch" ? "Welch's t-test" : "Student's pooled two-sample t-test",
      corrected ? fmt::format(" p {} is corrected over all comparisons of the table; the intervals "
                              "are not.",
                              table.correction)
                : " Neither is corrected for the number of comparisons."));
  for (const auto& columns : table.same_runs) {
    std::vector<std::string> names;
    for (const std::size_t column : columns) {
      names.push_back(column_name(table.spec, column));
    }
    sheet.notes.push_back(fmt::format(
        "{} come to the same training cases, so these are the same runs.", fmt::join(names, ", ")));
  }
  sheet.json = {{"schema_version", 1},
                {"id", id},
                {"title", title},
                {"source",
                 both               ? "both"
                 : measured.empty() ? "published"
                                    : "measured"},
                {"reference", table.spec.reference},
                {"test", table.test},
                {"alpha", table.alpha},
                {"correction", table.correction},
                {"comparisons", std::move(documents)}};
  return sheet;
}

}  // namespace sar
