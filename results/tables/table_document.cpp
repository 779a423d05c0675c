#include "results/tables/table_document.h"

#include "results/statistics/statistics.h"
#include "results/tables/controls.h"
#include "results/tables/proxy_sheet.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <utility>

namespace sar {
namespace {

std::string reference_label(const Table& table) {
  return label_of(table.spec.rows, table.spec.reference);
}

/// The headings of a table; `lead` are those of the text columns.
Grid headed_grid(const Table& table, std::vector<std::string> lead) {
  Grid grid;
  grid.text_columns = lead.size();
  grid.header = std::move(lead);
  for (const TableColumn& column : table.spec.columns) {
    grid.header.push_back(column.label);
    if (grid.groups.empty() || grid.groups.back().first != column.group) {
      grid.groups.emplace_back(column.group, 0);
    }
    ++grid.groups.back().second;
  }
  return grid;
}

void add_row(Grid& grid,
             const Table& table,
             std::size_t row,
             const std::vector<std::string>& lead) {
  std::vector<CellText>& cells = grid.rows.emplace_back();
  for (const std::string& text : lead) {
    cells.push_back({text, "", false});
  }
  for (std::size_t column = 0; column < table.cells[row].size(); ++column) {
    cells.push_back(cell_text(table, row, column));
  }
}

Grid value_grid(const Table& table) {
  Grid grid = headed_grid(table, {"Method"});
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    add_row(grid, table, row, {table.spec.rows[row].label});
  }
  return grid;
}

/// Each method twice: what was measured, and below it what is published.
Grid value_grid(const Table& measured, const Table& published) {
  Grid grid = headed_grid(measured, {"Method", ""});
  for (std::size_t row = 0; row < measured.cells.size(); ++row) {
    add_row(grid, measured, row, {measured.spec.rows[row].label, "measured"});
    add_row(grid, published, row, {"", "published"});
  }
  return grid;
}

/// One line per comparison with the reference; Welch beside Student.
Grid test_grid(const Table& table) {
  const bool corrected = table.correction != "none";
  Grid grid;
  grid.text_columns = 2;
  grid.header = {"Row", "Column", "n", "t", "df", "p Student", "p Welch"};
  if (corrected) {
    grid.header.push_back("p " + table.correction);
  }
  grid.header.push_back(fmt::format("Hedges' g [{:g}% CI]", 100 * (1 - table.alpha)));
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      const TableCell& cell = table.cells[row][column];
      const std::optional<TestResult>& chosen = chosen_test(table, cell);
      std::vector<std::string> line = {table.spec.rows[row].label,
                                       column_name(table.spec, column),
                                       cell.mean && cell.n == 0
                                           ? std::string("–")
                                           : fmt::format("{}, {}", cell.n, cell.reference_n)};
      const auto p_of = [](const std::optional<TestResult>& test) {
        return test ? format_p(test->p) : std::string("–");
      };
      if (chosen) {
        line.insert(line.end(),
                    {fmt::format("{:.2f}", chosen->t),
                     fmt::format("{:.4g}", chosen->df),
                     p_of(cell.student),
                     p_of(cell.welch)});
        if (corrected) {
          line.push_back(format_p(chosen->p_adjusted));
        }
        line.push_back(fmt::format(
            "{:.2f} [{:.2f}, {:.2f}]", chosen->hedges_g, chosen->g_low, chosen->g_high));
      } else if (!cell.not_testable.empty()) {
        line.resize(grid.header.size() - 1, "–");
        line.push_back(not_testable_because(cell.not_testable));
      } else {
        continue;
      }
      std::vector<CellText>& cells = grid.rows.emplace_back();
      for (std::string& text : line) {
        cells.push_back({std::move(text), "", false});
      }
    }
  }
  return grid;
}

const char* test_name(const Table& table) {
  return table.test == "student" ? "Student's pooled two-sample t-test" : "Welch's t-test";
}

std::string test_heading(const Table& table) {
  return fmt::format(
      "t-tests of each row against {0} (row minus {0}; n of row and {0}; t, df{1} of {2})",
      reference_label(table),
      table.correction == "none" ? "" : " and corrected p",
      test_name(table));
}

std::vector<Note> notes_of(const Table& table) {
  bool gaps = false;
  bool partial = false;
  bool best = false;
  bool significant = false;
  bool unknown_n = false;
  int tested = 0;
  int untestable = 0;
  std::set<std::string> reasons;
  std::map<std::string, int> failed;  // each cell once, though it fills several columns
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    for (const TableCell& cell : table.cells[row]) {
      gaps = gaps || !cell.mean;
      partial = partial || (cell.n > 0 && cell.n < cell.planned);
      unknown_n = unknown_n || (cell.mean && cell.n == 0);
      tested += cell.student || cell.welch ? 1 : 0;
      untestable += cell.not_testable.empty() ? 0 : 1;
      if (!cell.not_testable.empty()) {
        reasons.insert(cell.not_testable);
      }
      best = best || cell.best;
      significant = significant || is_significant(table, cell);
      if (cell.failed > 0) {
        failed[fmt::format("{} on {}{}",
                           table.spec.rows[row].label,
                           cell.task,
                           cell.fraction == "1" ? "" : " at " + cell.fraction)] = cell.failed;
      }
    }
  }
  std::vector<Note> result;
  const bool published = table.source == "published";
  bool spread = !published;  // measured cells get one as soon as they have two trials
  for (const auto& row : table.cells) {
    spread = spread || std::any_of(row.begin(), row.end(), [](const TableCell& cell) {
               return cell.sd.has_value();
             });
  }
  result.emplace_back(fmt::format("{}Dice in percent, mean{}{}.",
                                  published ? "As published: " : "",
                                  spread ? " ± SD" : "",
                                  unknown_n ? "; over how many trials is not stated"
                                            : fmt::format(" over {} trials", table.spec.trials)));
  if (table.delta_degrees_of_freedom == 0) {
    result.emplace_back("SDs divide by n instead of n - 1.");
  }
  if (best) {
    result.push_back({"best of its column.", true});
  }
  if (tested > 0) {
    result.emplace_back(
        fmt::format("†: differs from {} ({}{}, two-sided, alpha = {:g}, correction: {}){}",
                    reference_label(table),
                    published ? "computed here from the printed numbers: " : "",
                    test_name(table),
                    table.alpha,
                    table.correction,
                    significant ? "." : "; no cell does."));
  }
  if (untestable > 0) {
    result.emplace_back(fmt::format("{} cells could not be tested against {} ({}).",
                                    untestable,
                                    reference_label(table),
                                    fmt::join(reasons, "; ")));
  } else if (tested == 0) {
    result.emplace_back(
        fmt::format("No cell could be tested against {}: there is nothing to compare.",
                    reference_label(table)));
  }
  if (partial) {
    result.emplace_back(fmt::format("(n/{}): only n trials so far.", table.spec.trials));
  }
  if (gaps) {
    result.emplace_back(published ? "–: not printed." : "–: no trial yet.");
  }
  for (const auto& columns : table.same_runs) {
    std::vector<std::string> labels;
    for (const std::size_t column : columns) {
      labels.push_back(table.spec.columns[column].label);
    }
    result.emplace_back(
        fmt::format("{}: {} come to the same training cases, so these are the same runs.",
                    table.spec.columns[columns.front()].group,
                    fmt::join(labels, ", ")));
  }
  if (!failed.empty()) {
    std::vector<std::string> items;
    for (const auto& [where, count] : failed) {
      items.push_back(fmt::format("{}: {}", where, count));
    }
    result.emplace_back(fmt::format("Failed trials: {}.", fmt::join(items, ", ")));
  }
  if (published) {
    return result;
  }
  if (table.protocol.protocol.empty()) {
    result.emplace_back("No run of it is stored.");
    return result;
  }
  if (table.controls) {
    const bool differs = std::ranges::any_of(table.cells, [&](const auto& row) {
      return std::ranges::any_of(
          row, [&](const TableCell& cell) { return is_significant(table, cell); });
    });
    result.emplace_back(sentence(*table.controls, differs));
  }
  if (std::string proxies = sentence(table.proxies); !proxies.empty()) {
    result.emplace_back(std::move(proxies));
  }
  result.emplace_back(protocol_note(table.protocol.protocol, table.protocol.profile));
  if (table.protocol.data_kind == "phantom") {
    result.emplace_back(kPhantomNote);
  }
  return result;
}

/// With three digits, and never an exponent.
std::string three_digits(double value) {
  return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

/// What each row was given, so that equal budgets are seen. "–": no pre-training; "?": it is not
/// stored.
Grid budget_grid(const Table& table) {
  double most = 0;
  for (const Budget& budget : table.budgets) {
    most =
        std::max({most, budget.pretraining_flops.value_or(0), budget.finetuning_flops.value_or(0)});
  }
  constexpr double kTera = 1e12;
  constexpr double kPeta = 1e15;
  const double unit = most >= kPeta ? kPeta : kTera;
  const std::string flops = most >= kPeta ? "PFLOP" : "TFLOP";
  Grid grid;
  grid.header = {"Method", "cubes", "steps", flops, "hours", "steps", flops, "hours"};
  grid.groups = {{"pre-training", 4}, {"each fine-tuning (mean)", 3}};
  for (std::size_t row = 0; row < table.budgets.size(); ++row) {
    const Budget& budget = table.budgets[row];
    if (budget.trials == 0) {
      continue;
    }
    const std::string unknown = budget.pretraining_hours ? "?" : "–";
    const auto count = [](const std::optional<double>& value, const std::string& without) {
      return value ? fmt::format("{:.0f}", *value) : without;
    };
    const auto amount =
        [](const std::optional<double>& value, double in, const std::string& without) {
          return value ? three_digits(*value / in) : without;
        };
    std::vector<CellText>& cells = grid.rows.emplace_back();
    for (const std::string& each : {table.spec.rows[row].label,
                                    count(budget.cubes, unknown),
                                    count(budget.pretraining_steps, unknown),
                                    amount(budget.pretraining_flops, unit, unknown),
                                    amount(budget.pretraining_hours, 1, unknown),
                                    count(budget.finetuning_steps, "?"),
                                    amount(budget.finetuning_flops, unit, "?"),
                                    amount(budget.finetuning_hours, 1, "?")}) {
      cells.push_back({each, "", false});
    }
  }
  return grid;
}

constexpr const char* kBudgetHeading =
    "What each row was given (floating-point operations of convolutions and matrix products, "
    "forward and backward; hours of training on the machine that ran it; ?: not stored)";

Json budget_json(const Budget& budget) {
  return {{"trials", budget.trials},
          {"pretraining",
           {{"cubes", json_or_null(budget.cubes)},
            {"steps", json_or_null(budget.pretraining_steps)},
            {"flops", json_or_null(budget.pretraining_flops)},
            {"hours", json_or_null(budget.pretraining_hours)}}},
          {"finetuning",
           {{"steps", json_or_null(budget.finetuning_steps)},
            {"flops", json_or_null(budget.finetuning_flops)},
            {"hours", json_or_null(budget.finetuning_hours)}}}};
}

/// The tests of a table below it, if there are any.
void add_tests(TitledTable& page,
               const Table& table,
               const std::string& id,
               const std::string& source = {}) {
  if (Grid tests = test_grid(table); !tests.rows.empty()) {
    page.further.push_back(
        {id, source + test_heading(table), std::move(tests), table.source != "published"});
  }
}

void add_budget(TitledTable& page, const Table& table) {
  if (Grid budget = budget_grid(table); !budget.rows.empty()) {
    page.further.push_back({page.id + "-budget", kBudgetHeading, std::move(budget)});
  }
}

/// A table with all that goes with it.
TitledTable page_of(const Table& table) {
  TitledTable page{table.spec.id, table.spec.title, value_grid(table), {notes_of(table)}};
  page.as_in_paper = true;
  page.emphasis = table.protocol.data_kind == "phantom" ? "phantom data" : "";
  add_tests(page, table, page.id + "-tests");
  add_budget(page, table);
  return page;
}

TitledTable page_of(const Table& measured, const Table& published) {
  TitledTable page = page_of(measured);
  page.title += ", measured and published";
  page.emphasis = page.emphasis.empty() ? "" : "measured on phantom data";
  page.grid = value_grid(measured, published);
  page.notes = {notes_of(measured), notes_of(published)};
  std::string& first = page.notes.front().front().text;
  first = "Measured: " + first;
  page.further.clear();
  add_tests(page, measured, page.id + "-tests", "Measured: ");
  add_tests(page,
            published,
            page.id + (page.further.empty() ? "-tests" : "-tests-published"),
            "Published: ");
  add_budget(page, measured);
  return page;
}

// --- CSV and JSON -------------------------------------------------------------------------------

Values values_of(const Table& table) {
  Values values;
  values.header = {"table",
                   "source",
                   "method",
                   "label",
                   "task",
                   "target",
                   "bucket",
                   "fraction",
                   "n",
                   "trials",
                   "failed",
                   "mean",
                   "sd",
                   "best"};
  for (const std::string test : {"student", "welch"}) {
    for (const char* what : {"_t", "_df", "_p", "_p_adjusted"}) {
      values.header.push_back(test + what);
    }
  }
  values.header.insert(
      values.header.end(),
      {"hedges_g", "g_low", "g_high", "not_testable", "correction", "data_kind", "protocol"});
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    for (const TableCell& cell : table.cells[row]) {
      std::vector<std::string> line = {table.spec.id,
                                       table.source,
                                       table.spec.rows[row].method,
                                       table.spec.rows[row].label,
                                       cell.task,
                                       cell.target,
                                       cell.bucket,
                                       cell.fraction,
                                       cell.mean && cell.n == 0 ? "" : std::to_string(cell.n),
                                       std::to_string(table.spec.trials),
                                       std::to_string(cell.failed),
                                       unrounded(cell.mean),
                                       unrounded(cell.sd),
                                       cell.best ? "1" : "0"};
      const auto add = [&](const std::optional<TestResult>& test,
                           std::initializer_list<double TestResult::*> members) {
        for (const auto member : members) {
          line.push_back(test ? fmt::format("{}", (*test).*member) : "");
        }
      };
      for (const auto* test : {&cell.student, &cell.welch}) {
        add(*test, {&TestResult::t, &TestResult::df, &TestResult::p, &TestResult::p_adjusted});
      }
      add(cell.student, {&TestResult::hedges_g, &TestResult::g_low, &TestResult::g_high});
      line.insert(
          line.end(),
          {cell.not_testable, table.correction, table.protocol.data_kind, table.protocol.protocol});
      values.rows.push_back(std::move(line));
    }
  }
  return values;
}

Json test_json(const std::optional<TestResult>& test) {
  if (!test) {
    return nullptr;
  }
  return {{"t", test->t},
          {"df", test->df},
          {"p", test->p},
          {"p_adjusted", test->p_adjusted},
          {"hedges_g", test->hedges_g},
          {"ci", {test->g_low, test->g_high}}};
}

/// The numbers of one cell.
Json numbers_json(const Table& table, const TableCell& cell) {
  const std::optional<TestResult>& chosen = chosen_test(table, cell);
  return {{"mean", json_or_null(cell.mean)},
          {"sd", json_or_null(cell.sd)},
          {"n", cell.mean && cell.n == 0 ? Json() : Json(cell.n)},
          {"failed", cell.failed},
          {"best", cell.best},
          {"p_vs_sar", chosen ? Json(chosen->p) : Json()},
          {"p_adjusted", chosen ? Json(chosen->p_adjusted) : Json()},
          {"student", test_json(cell.student)},
          {"welch", test_json(cell.welch)},
          {"not_testable", json_or_null(cell.not_testable)}};
}

/// Document of a table; with `published` each cell has both as objects.
Json json_of(const Table& table, const Table* published = nullptr) {
  Json rows = Json::array();
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    Json cells = Json::array();
    for (std::size_t column = 0; column < table.cells[row].size(); ++column) {
      const TableCell& cell = table.cells[row][column];
      Json entry{{"task", cell.task},
                 {"target", cell.target},
                 {"bucket", cell.bucket},
                 {"fraction", cell.fraction}};
      if (published != nullptr) {
        entry["measured"] = numbers_json(table, cell);
        entry["published"] = numbers_json(*published, published->cells[row][column]);
      } else {
        entry.update(numbers_json(table, cell));
      }
      cells.push_back(std::move(entry));
    }
    rows.push_back({{"method", table.spec.rows[row].method},
                    {"label", table.spec.rows[row].label},
                    {"data_kind", table.protocol.data_kind},
                    {"cells", std::move(cells)}});
    if (!table.budgets.empty()) {
      rows.back()["budget"] = budget_json(table.budgets[row]);
    }
    if (row < table.proxies.size()) {
      for (const ProxyMetric& metric : table.proxies[row].metrics) {
        rows.back()["proxy_tasks"].push_back(json_of(metric));
      }
    }
  }
  Json json{{"schema_version", 1},
            {"table", table.spec.id},
            {"title", table.spec.title},
            {"source", published != nullptr ? "both" : table.source},
            {"delta_degrees_of_freedom", table.delta_degrees_of_freedom},
            {"protocol", table.protocol.protocol},
            {"profile", table.protocol.profile},
            {"data_kind", table.protocol.data_kind},
            {"reference", table.spec.reference},
            {"trials", table.spec.trials},
            {"test", table.test},
            {"correction", table.correction},
            {"alpha", table.alpha},
            {"rows", std::move(rows)}};
  if (table.controls) {
    json["controls"] = json_of(*table.controls);
  }
  return json;
}

/// The grid without its marks and groups.
Sheet sheet_of(const Grid& grid, const std::string& id, const std::string& title) {
  Sheet sheet;
  sheet.id = id;
  sheet.title = title;
  sheet.text_columns = grid.text_columns;
  std::size_t column = 0;
  for (; column < grid.text_columns; ++column) {
    sheet.header.push_back(grid.header[column]);
  }
  for (const auto& [group, width] : grid.groups) {
    for (std::size_t i = 0; i < width; ++i, ++column) {
      sheet.header.push_back(group + ": " + grid.header[column]);
    }
  }
  sheet.header.insert(sheet.header.end(),
                      grid.header.begin() + static_cast<std::ptrdiff_t>(column),
                      grid.header.end());
  for (const auto& row : grid.rows) {
    std::vector<std::string>& line = sheet.rows.emplace_back();
    for (const CellText& cell : row) {
      line.push_back(cell.value);
    }
  }
  return sheet;
}

}  // namespace

CellText cell_text(const Table& table, std::size_t row, std::size_t column) {
  const TableCell& cell = table.cells[row][column];
  CellText shown{"–", "", cell.best};
  if (cell.mean) {
    shown.value = value_text(*cell.mean, cell.sd);
    shown.marks = is_significant(table, cell) ? "†" : "";
    if (cell.n < cell.planned) {
      shown.marks += fmt::format(" ({}/{})", cell.n, cell.planned);
    }
  }
  return shown;
}

std::vector<std::string> table_notes(const Table& table, const std::string& best_mark) {
  std::vector<std::string> sentences;
  for (const Note& note : notes_of(table)) {
    sentences.push_back(sentence(note, best_mark));
  }
  return sentences;
}

Sheet test_sheet(const Table& table) {
  return sheet_of(test_grid(table), table.spec.id + "-tests-" + table.source, test_heading(table));
}

Sheet budget_sheet(const Table& table) {
  return sheet_of(budget_grid(table), table.spec.id + "-budget", kBudgetHeading);
}

Document document_of(const Table& table) {
  Document document;
  document.parts.push_back({{page_of(table)}});
  document.values = values_of(table);
  document.json = json_of(table);
  return document;
}

Document document_of(const Table& measured, const Table& published) {
  Document document;
  document.parts.push_back({{page_of(measured, published)}});
  document.values = values_of(measured);
  const Values second = values_of(published);
  document.values.rows.insert(document.values.rows.end(), second.rows.begin(), second.rows.end());
  document.json = json_of(measured, &published);
  return document;
}

}  // namespace sar
