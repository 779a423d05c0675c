#include "harness/core/error.h"
#include "results/document/grid.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <set>
#include <utility>

namespace sar {
namespace {

std::string escape_markdown(const std::string& text) {
  return replace_all(text,
                     {{"\\", "\\\\"},
                      {"|", "\\|"},
                      {"*", "\\*"},
                      {"_", "\\_"},
                      {"`", "\\`"},
                      {"<", "&lt;"},
                      {"&", "&amp;"},
                      {"[", "\\["},
                      {"]", "\\]"},
                      {"\n", " "}});
}

std::string escape_html(const std::string& text) {
  return replace_all(text, {{"&", "&amp;"}, {"<", "&lt;"}, {">", "&gt;"}, {"\"", "&quot;"}});
}

/// RFC 4180.
std::string escape_csv(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) {
    return text;
  }
  return '"' + replace_all(text, {{"\"", "\"\""}}) + '"';
}

std::string reference_label(const Table& table) {
  for (const TableRow& row : table.spec.rows) {
    if (row.method == table.spec.reference) {
      return row.label;
    }
  }
  return table.spec.reference;
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
      const std::optional<TestResult>& chosen = table.test == "student" ? cell.student : cell.welch;
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
        line.push_back("not testable: " + cell.not_testable);
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

struct PageTests {
  std::string heading;
  Grid grid;
  bool measured = true;
};

/// A table with all that goes with it, as every laid-out format shows it.
struct Page {
  std::string id, title;
  std::string phantom;  ///< "phantom data", or empty
  Grid values;
  std::vector<std::string> notes;
  std::vector<std::string> published_notes;  ///< of a second source; may be empty
  std::vector<PageTests> tests;              ///< empty grids are left out
};

Page page_of(const Table& table, const std::string& best_mark) {
  Page page{table.spec.id,
            table.spec.title,
            table.protocol.data_kind == "phantom" ? "phantom data" : "",
            value_grid(table),
            table_notes(table, best_mark),
            {},
            {}};
  if (Grid tests = test_grid(table); !tests.rows.empty()) {
    page.tests.push_back({test_heading(table), std::move(tests), table.source != "published"});
  }
  return page;
}

Page page_of(const Table& measured, const Table& published, const std::string& best_mark) {
  Page page = page_of(measured, best_mark);
  const Page other = page_of(published, best_mark);
  page.title += ", measured and published";
  page.phantom = page.phantom.empty() ? "" : "measured on phantom data";
  page.values = value_grid(measured, published);
  page.notes.front() = "Measured: " + page.notes.front();
  page.published_notes = other.notes;
  for (PageTests& tests : page.tests) {
    tests.heading = "Measured: " + tests.heading;
  }
  for (const PageTests& tests : other.tests) {
    page.tests.push_back({"Published: " + tests.heading, tests.grid, false});
  }
  return page;
}

// --- text ---------------------------------------------------------------------------------------

std::string spaces(std::size_t width) {
  return std::string(width, ' ');
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

struct TextColumn {
  std::size_t text = 0, marks = 0;
  [[nodiscard]] std::size_t width() const { return text + marks; }
};

std::string text_block(const Grid& grid,
                       const std::vector<TextColumn>& widths,
                       const std::vector<std::size_t>& columns,
                       bool color) {
  const std::string gap = "  ";
  std::string result;
  // Group headings, each over a rule as wide as its columns in this block.
  std::string labels;
  std::string rules;
  std::size_t first = grid.text_columns;
  for (const auto& [label, span] : grid.groups) {
    std::size_t width = 0;
    for (const std::size_t column : columns) {
      if (column >= first && column < first + span) {
        width += widths[column].width() + gap.size();
      }
    }
    if (width > 0) {
      width -= gap.size();
      const std::size_t filled = std::max(width, display_width(label));
      labels += gap + label + spaces(filled - display_width(label));
      rules += gap + std::string(width, '-') + spaces(filled - width);
    }
    first += span;
  }
  if (!grid.groups.empty()) {
    std::size_t stub = (grid.text_columns - 1) * gap.size();
    for (std::size_t column = 0; column < grid.text_columns; ++column) {
      stub += widths[column].width();
    }
    result += trimmed(spaces(stub) + labels);
    result += trimmed(spaces(stub) + rules);
  }
  const auto add_line = [&](const std::function<CellText(std::size_t)>& cell_at) {
    std::string line;
    for (const std::size_t column : columns) {
      const CellText cell = cell_at(column);
      const TextColumn& width = widths[column];
      const std::string pad = spaces(width.text - display_width(cell.value));
      const std::string shown =
          color && cell.best ? "\x1b[1m" + cell.value + "\x1b[0m" : cell.value;
      line += line.empty() ? "" : gap;
      line += column < grid.text_columns ? shown + pad : pad + shown;
      line += cell.marks + spaces(width.marks - display_width(cell.marks));
    }
    result += trimmed(std::move(line));
  };
  add_line([&](std::size_t column) { return CellText{grid.header[column], "", false}; });
  for (const auto& row : grid.rows) {
    add_line([&](std::size_t column) { return row[column]; });
  }
  return result;
}

std::string text_grid(Grid grid, bool color) {
  std::vector<TextColumn> widths(grid.header.size());
  for (auto& row : grid.rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      CellText& cell = row[column];
      if (cell.best && !color) {
        cell.marks.insert(0, "*");
      }
      widths[column].text = std::max(widths[column].text, display_width(cell.value));
      widths[column].marks = std::max(widths[column].marks, display_width(cell.marks));
    }
  }
  for (std::size_t column = 0; column < grid.header.size(); ++column) {
    widths[column].text = std::max(widths[column].text, display_width(grid.header[column]));
  }
  // As many columns side by side as fit, a group being kept together if it can.
  const auto block_width = [&](const std::vector<std::size_t>& columns) {
    std::size_t width = 0;
    for (const std::size_t column : columns) {
      width += widths[column].width() + 2;
    }
    return width - 2;
  };
  std::vector<std::vector<std::size_t>> blocks(1);
  for (std::size_t column = 0; column < grid.text_columns; ++column) {
    blocks.back().push_back(column);
  }
  const std::vector<std::size_t> stub = blocks.back();
  const auto place = [&](const std::vector<std::size_t>& columns) {
    std::vector<std::size_t> together = blocks.back();
    together.insert(together.end(), columns.begin(), columns.end());
    if (block_width(together) > kTextWidth && blocks.back().size() > stub.size()) {
      blocks.push_back(stub);
    }
    blocks.back().insert(blocks.back().end(), columns.begin(), columns.end());
  };
  if (grid.groups.empty()) {
    for (std::size_t column = grid.text_columns; column < grid.header.size(); ++column) {
      blocks.back().push_back(column);
    }
  }
  std::size_t next = grid.text_columns;
  for (const auto& group : grid.groups) {
    std::vector<std::size_t> columns(group.second);
    std::generate(columns.begin(), columns.end(), [&] { return next++; });
    std::vector<std::size_t> alone = stub;
    alone.insert(alone.end(), columns.begin(), columns.end());
    if (block_width(alone) <= kTextWidth) {
      place(columns);
    } else {
      for (const std::size_t column : columns) {
        place({column});
      }
    }
  }
  std::string result;
  for (const auto& block : blocks) {
    result += (result.empty() ? "" : "\n") + text_block(grid, widths, block, color);
  }
  return result;
}

std::string render_text(const Page& page, bool color) {
  std::string result =
      wrapped(page.title + (page.phantom.empty() ? "" : " [" + page.phantom + "]")) + "\n" +
      text_grid(page.values, color) + "\n" + wrapped(fmt::format("{}", fmt::join(page.notes, " ")));
  if (!page.published_notes.empty()) {
    result += wrapped(fmt::format("{}", fmt::join(page.published_notes, " ")));
  }
  for (const auto& [heading, tests, measured] : page.tests) {
    result += "\n" + wrapped(heading) + "\n" + text_grid(tests, false);
  }
  return result;
}

// --- Markdown -----------------------------------------------------------------------------------

std::string markdown_grid(const Grid& grid) {
  std::vector<std::string> header;
  std::size_t column = 0;
  for (; column < grid.text_columns; ++column) {
    header.push_back(escape_markdown(grid.header[column]));
  }
  if (grid.groups.size() < 2) {
    for (; column < grid.header.size(); ++column) {
      header.push_back(escape_markdown(grid.header[column]));
    }
  }
  for (const auto& [label, span] : grid.groups) {  // Markdown has one line of headings only
    for (std::size_t i = 0; i < span && column < grid.header.size(); ++i, ++column) {
      header.push_back(escape_markdown(label + ": " + grid.header[column]));
    }
  }
  std::string result = fmt::format("| {} |\n|", fmt::join(header, " | "));
  for (std::size_t i = 0; i < header.size(); ++i) {
    result += i < grid.text_columns ? " --- |" : " ---: |";
  }
  result += "\n";
  for (const auto& row : grid.rows) {
    std::vector<std::string> cells;
    for (const CellText& cell : row) {
      const std::string text = escape_markdown(cell.value);
      cells.push_back((cell.best ? "**" + text + "**" : text) + cell.marks);
    }
    result += fmt::format("| {} |\n", fmt::join(cells, " | "));
  }
  return result;
}

std::string render_markdown(const Page& page) {
  std::string result = "**" + escape_markdown(page.title) + "**" +
                       (page.phantom.empty() ? "" : " (*" + page.phantom + "*)") + "\n\n" +
                       markdown_grid(page.values) + "\n";
  for (const auto* notes : {&page.notes, &page.published_notes}) {
    for (const std::string& sentence : *notes) {
      result += escape_markdown(sentence) + "\n";
    }
  }
  for (const auto& [heading, tests, measured] : page.tests) {
    result += "\n" + escape_markdown(heading) + "\n\n" + markdown_grid(tests);
  }
  return result;
}

// --- LaTeX --------------------------------------------------------------------------------------

std::string render_latex(const Page& page) {
  const std::string end = page.phantom.empty() ? "." : " (\\emph{" + page.phantom + "}).";
  std::vector<std::string> caption{page.title};
  caption.insert(caption.end(), page.notes.begin(), page.notes.end());
  caption.insert(caption.end(), page.published_notes.begin(), page.published_notes.end());
  std::string result = latex_needs() + latex_tables(caption, end, page.id, page.values);
  std::string label = page.id + "-tests";
  for (const auto& [heading, tests, measured] : page.tests) {
    result += "\n" + latex_tables({heading}, measured ? end : ".", label, tests);
    label = page.id + "-tests-published";
  }
  return result;
}

// --- HTML ---------------------------------------------------------------------------------------

std::string html_grid(const Grid& grid, const std::string& caption, const std::string& attributes) {
  std::string result = "<table " + attributes + ">\n<caption>" + caption + "</caption>\n<thead>\n";
  if (!grid.groups.empty()) {
    result += fmt::format("<tr><td colspan=\"{}\"></td>", grid.text_columns);
    for (const auto& [label, span] : grid.groups) {
      result +=
          fmt::format("<th scope=\"colgroup\" colspan=\"{}\">{}</th>", span, escape_html(label));
    }
    result += "</tr>\n";
  }
  result += "<tr>";
  for (const std::string& label : grid.header) {
    result += "<th scope=\"col\">" + escape_html(label) + "</th>";
  }
  result += "</tr>\n</thead>\n<tbody>\n";
  for (const auto& row : grid.rows) {
    result += "<tr>";
    for (std::size_t column = 0; column < row.size(); ++column) {
      const CellText& cell = row[column];
      const std::string text = escape_html(cell.value);
      const std::string shown = (cell.best ? "<strong>" + text + "</strong>" : text) + cell.marks;
      result += column == 0 ? "<th scope=\"row\">" + shown + "</th>" : "<td>" + shown + "</td>";
    }
    result += "</tr>\n";
  }
  return result + "</tbody>\n</table>\n";
}

std::string render_html(const Page& page) {
  const std::string mark = page.phantom.empty() ? "" : " (<em>" + page.phantom + "</em>)";
  Grid values = page.values;
  for (std::size_t row = 1; row < values.rows.size(); ++row) {  // no heading of a row is empty
    if (values.rows[row][0].value.empty()) {
      values.rows[row][0].value = values.rows[row - 1][0].value;
    }
  }
  std::string result = "<figure class=\"results\">\n";
  result += html_grid(
      values, escape_html(page.title) + mark, "class=\"dice\" id=\"" + escape_html(page.id) + "\"");
  for (const auto& [heading, tests, measured] : page.tests) {
    result += html_grid(tests, escape_html(heading) + (measured ? mark : ""), "class=\"tests\"");
  }
  result += "<figcaption>";
  for (const auto* notes : {&page.notes, &page.published_notes}) {
    for (const std::string& sentence : *notes) {
      result += escape_html(sentence) + "\n";
    }
  }
  return result + "</figcaption>\n</figure>\n";
}

/// "78.10 ± 3.20", where there is room.
Page with_blanks(Page page) {
  for (auto& row : page.values.rows) {
    for (std::size_t column = page.values.text_columns; column < row.size(); ++column) {
      row[column].value = replace_all(row[column].value, {{"±", " ± "}});
    }
  }
  return page;
}

/// Throws Error 2 for another format.
std::string render_page(const std::function<Page(const std::string& best_mark)>& page,
                        const std::string& format,
                        bool color) {
  if (format == "text") {
    return render_text(page(color ? "bold" : "*"), color);
  }
  if (format == "md") {
    return render_markdown(with_blanks(page("bold")));
  }
  if (format == "latex") {
    return render_latex(page("Bold"));
  }
  if (format == "html") {
    return render_html(with_blanks(page("Bold")));
  }
  throw usage_error("unknown format: " + format).hint("use text, md, latex, csv, json or html");
}

// --- CSV and JSON -------------------------------------------------------------------------------

template <class Value>
std::string csv_number(const std::optional<Value>& value) {
  return value ? fmt::format("{}", *value) : "";  // the shortest text that reads back the same
}

std::string render_csv(const Table& table) {
  std::string result =
      "table,source,method,label,task,target,bucket,fraction,n,trials,failed,mean,sd,best";
  for (const char* test : {"student", "welch"}) {
    result += fmt::format(",{0}_t,{0}_df,{0}_p,{0}_p_adjusted", test);
  }
  result += ",hedges_g,g_low,g_high,not_testable,correction,data_kind,protocol\n";
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
                                       csv_number(cell.mean),
                                       csv_number(cell.sd),
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
      std::transform(line.begin(), line.end(), line.begin(), escape_csv);
      result += fmt::format("{}\n", fmt::join(line, ","));
    }
  }
  return result;
}

Json optional_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
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
  const std::optional<TestResult>& chosen = table.test == "student" ? cell.student : cell.welch;
  return {{"mean", optional_json(cell.mean)},
          {"sd", optional_json(cell.sd)},
          {"n", cell.mean && cell.n == 0 ? Json() : Json(cell.n)},
          {"failed", cell.failed},
          {"best", cell.best},
          {"p_vs_sar", chosen ? Json(chosen->p) : Json()},
          {"p_adjusted", chosen ? Json(chosen->p_adjusted) : Json()},
          {"student", test_json(cell.student)},
          {"welch", test_json(cell.welch)},
          {"not_testable", cell.not_testable.empty() ? Json() : Json(cell.not_testable)}};
}

/// Document of a table; with `published` each cell has both as objects.
std::string render_json(const Table& table, const Table* published = nullptr) {
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
  }
  const Json document = {{"schema_version", 1},
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
  return to_text(document);
}

Grid grid_of(const Sheet& sheet) {
  Grid grid;
  grid.header = sheet.header;
  grid.text_columns = sheet.text_columns;
  for (const auto& row : sheet.rows) {
    std::vector<CellText>& cells = grid.rows.emplace_back();
    for (const std::string& text : row) {
      cells.push_back({text, "", false});
    }
  }
  return grid;
}

}  // namespace

bool is_significant(const Table& table, const TableCell& cell) {
  const std::optional<TestResult>& test = table.test == "student" ? cell.student : cell.welch;
  return test && test->p_adjusted < table.alpha;
}

CellText cell_text(const Table& table, std::size_t row, std::size_t column) {
  const TableCell& cell = table.cells[row][column];
  CellText shown{"–", "", cell.best};
  if (cell.mean) {
    shown.value = fmt::format("{:.2f}", *cell.mean);
    if (cell.sd) {
      shown.value += fmt::format("±{:.2f}", *cell.sd);
    }
    shown.marks = is_significant(table, cell) ? "†" : "";
    if (cell.n < cell.planned) {
      shown.marks += fmt::format(" ({}/{})", cell.n, cell.planned);
    }
  }
  return shown;
}

std::vector<std::string> table_notes(const Table& table, const std::string& best_mark) {
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
  std::vector<std::string> result;
  const bool published = table.source == "published";
  bool spread = !published;  // measured cells get one as soon as they have two trials
  for (const auto& row : table.cells) {
    spread = spread || std::any_of(row.begin(), row.end(), [](const TableCell& cell) {
               return cell.sd.has_value();
             });
  }
  result.push_back(fmt::format("{}Dice in percent, mean{}{}.",
                               published ? "As published: " : "",
                               spread ? " ± SD" : "",
                               unknown_n ? "; over how many trials is not stated"
                                         : fmt::format(" over {} trials", table.spec.trials)));
  if (table.delta_degrees_of_freedom == 0) {
    result.emplace_back("SDs divide by n instead of n - 1.");
  }
  if (best) {
    result.push_back(fmt::format("{}: best of its column.", best_mark));
  }
  if (tested > 0) {
    result.push_back(
        fmt::format("†: differs from {} ({}{}, two-sided, alpha = {:g}, correction: {}){}",
                    reference_label(table),
                    published ? "computed here from the printed numbers: " : "",
                    test_name(table),
                    table.alpha,
                    table.correction,
                    significant ? "." : "; no cell does."));
  }
  if (untestable > 0) {
    result.push_back(fmt::format("{} cells could not be tested against {} ({}).",
                                 untestable,
                                 reference_label(table),
                                 fmt::join(reasons, "; ")));
  } else if (tested == 0) {
    result.push_back(fmt::format("No cell could be tested against {}: there is nothing to compare.",
                                 reference_label(table)));
  }
  if (partial) {
    result.push_back(fmt::format("(n/{}): only n trials so far.", table.spec.trials));
  }
  if (gaps) {
    result.emplace_back(published ? "–: not printed." : "–: no trial yet.");
  }
  for (const auto& columns : table.same_runs) {
    std::vector<std::string> labels;
    for (const std::size_t column : columns) {
      labels.push_back(table.spec.columns[column].label);
    }
    result.push_back(
        fmt::format("{}: {} come to the same training cases, so these are the same runs.",
                    table.spec.columns[columns.front()].group,
                    fmt::join(labels, ", ")));
  }
  if (!failed.empty()) {
    std::vector<std::string> items;
    for (const auto& [where, count] : failed) {
      items.push_back(fmt::format("{}: {}", where, count));
    }
    result.push_back(fmt::format("Failed trials: {}.", fmt::join(items, ", ")));
  }
  if (published) {
    return result;
  }
  if (table.protocol.protocol.empty()) {
    result.emplace_back("No run of it is stored.");
    return result;
  }
  result.push_back(fmt::format(
      "Protocol {}, profile {}.", table.protocol.protocol.substr(0, 12), table.protocol.profile));
  if (table.protocol.data_kind == "phantom") {
    result.emplace_back(
        "Made with phantom data: these numbers say nothing about real scans and cannot be compared "
        "with the paper's.");
  }
  return result;
}

Sheet test_sheet(const Table& table) {
  const Grid grid = test_grid(table);
  Sheet sheet;
  sheet.id = table.spec.id + "-tests-" + table.source;
  sheet.title = test_heading(table);
  sheet.header = grid.header;
  sheet.text_columns = grid.text_columns;
  for (const auto& row : grid.rows) {
    std::vector<std::string>& line = sheet.rows.emplace_back();
    for (const CellText& cell : row) {
      line.push_back(cell.value);
    }
  }
  return sheet;
}

std::string render(const Table& table, const std::string& format, bool color) {
  if (format == "csv") {
    return render_csv(table);
  }
  if (format == "json") {
    return render_json(table);
  }
  return render_page(
      [&](const std::string& best_mark) { return page_of(table, best_mark); }, format, color);
}

std::string render_both(const Table& measured,
                        const Table& published,
                        const std::string& format,
                        bool color) {
  if (format == "json") {
    return render_json(measured, &published);
  }
  if (format == "csv") {
    const std::string second = render_csv(published);
    return render_csv(measured) + second.substr(second.find('\n') + 1);  // one heading
  }
  return render_page(
      [&](const std::string& best_mark) { return page_of(measured, published, best_mark); },
      format,
      color);
}

std::string render(const Sheet& sheet, const std::string& format) {
  const Grid grid = grid_of(sheet);
  std::string notes;
  if (format == "text") {
    notes = sheet.notes.empty() ? "" : "\n";
    for (const std::string& sentence : sheet.notes) {
      notes += wrapped(sentence);
    }
    return sheet.title + "\n\n" + text_grid(grid, false) + notes;
  }
  if (format == "md") {
    for (const std::string& sentence : sheet.notes) {
      notes += "\n- " + escape_markdown(sentence);
    }
    return "**" + escape_markdown(sheet.title) + "**\n\n" + markdown_grid(grid) +
           (notes.empty() ? "" : notes + "\n");
  }
  if (format == "latex") {
    std::vector<std::string> caption{sheet.title};
    caption.insert(caption.end(), sheet.notes.begin(), sheet.notes.end());
    return latex_needs() + latex_tables(caption, ".", sheet.id, grid);
  }
  if (format == "html") {
    std::string result = "<figure class=\"results\">\n" +
                         html_grid(grid,
                                   escape_html(sheet.title),
                                   "class=\"sheet\" id=\"" + escape_html(sheet.id) + "\"") +
                         "<figcaption>";
    for (const std::string& sentence : sheet.notes) {
      result += escape_html(sentence) + "\n";
    }
    return result + "</figcaption>\n</figure>\n";
  }
  if (format == "csv") {
    std::string result;
    const auto add = [&](std::vector<std::string> line) {
      std::transform(line.begin(), line.end(), line.begin(), escape_csv);
      result += fmt::format("{}\n", fmt::join(line, ","));
    };
    // Where the document says what the numbers were made of, each line does.
    const auto said = [&](const char* name) {
      return sheet.json.is_object() && sheet.json.contains(name) && sheet.json.at(name).is_string();
    };
    const bool origin = said("data_kind") && said("protocol");
    const auto add_with =
        [&](std::vector<std::string> line, const std::string& kind, const std::string& protocol) {
          if (origin) {
            line.insert(line.end(), {kind, protocol});
          }
          add(std::move(line));
        };
    const std::string kind = origin ? sheet.json.at("data_kind").get<std::string>() : "";
    const std::string protocol = origin ? sheet.json.at("protocol").get<std::string>() : "";
    add_with(sheet.header, "data_kind", "protocol");
    for (const auto& row : sheet.rows) {
      const bool measured = !sheet.source_column || row.at(*sheet.source_column) == "measured";
      add_with(row, measured ? kind : "", measured ? protocol : "");
    }
    return result;
  }
  if (format == "json") {
    return to_text(sheet.json);
  }
  throw usage_error("unknown format: " + format).hint("use text, md, latex, csv, json or html");
}

}  // namespace sar
