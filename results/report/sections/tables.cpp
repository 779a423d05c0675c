#include "results/report/page_texts.h"
#include "results/report/section.h"
#include "results/tables/table_document.h"
#include "results/text/words.h"

#include <fmt/format.h>

#include <algorithm>

namespace sar::sections::tables {
namespace {

std::vector<std::string> tip_of(const Table& table,
                                const Table& corrected,
                                std::size_t row,
                                std::size_t column,
                                const std::string& path) {
  const TableCell& cell = table.cells[row][column];
  const bool published = table.source == "published";
  const bool welch = table.test == "welch";
  std::vector<std::string> lines{
      fmt::format("{}, {}", table.spec.rows[row].label, column_name(table.spec, column))};
  if (cell.mean) {
    lines.push_back(fmt::format("{}: mean {:.2f}, {}, n = {}",
                                table.source,
                                *cell.mean,
                                cell.sd ? fmt::format("SD {:.2f}", *cell.sd) : std::string("no SD"),
                                cell.n > 0 ? std::to_string(cell.n) : std::string("not stated")));
  } else {
    lines.push_back(table.source + (published ? ": not printed" : ": no trial yet"));
  }
  if (cell.failed > 0) {
    lines.push_back(fmt::format("{} of {} trials failed", cell.failed, cell.planned));
  }
  if (const auto& test = chosen_test(table, cell)) {
    lines.push_back(fmt::format("{}against {} ({}): t = {:.2f}, df = {:.4g}, p = {}",
                                published ? "computed here, " : "",
                                label_of(table.spec.rows, table.spec.reference),
                                welch ? "Welch" : "Student",
                                test->t,
                                test->df,
                                format_p(test->p)));
    if (const auto& other = welch ? cell.student : cell.welch) {
      lines.push_back(fmt::format("{}: p = {}", welch ? "Student" : "Welch", format_p(other->p)));
    }
    if (const auto& same = chosen_test(corrected, corrected.cells[row][column])) {
      lines.push_back(fmt::format("corrected over the table ({}): p = {}",
                                  correction_name(corrected.correction),
                                  format_p(same->p_adjusted)));
    }
  } else if (!cell.not_testable.empty()) {
    lines.push_back(not_testable_because(cell.not_testable));
  }
  lines.push_back("sar-bench explain " + path);
  return lines;
}

Json cell_view(const Table& table,
               const Table& corrected,
               std::size_t row,
               std::size_t column,
               const Audit* audit) {
  const TableCell& cell = table.cells[row][column];
  const CellText shown = cell_text(table, row, column);
  const std::string path = path_of(table, row, cell).text();
  Json attributes = Json::array();
  const auto attribute = [&](const char* name, const std::optional<double>& value) {
    if (value) {
      attributes.push_back(
          {{"attribute", std::string("data-") + name}, {"number", unrounded(value)}});
    }
  };
  const auto& test = chosen_test(table, cell);
  attribute("mean", cell.mean);
  attribute("sd", cell.sd);
  attribute("n", cell.mean && cell.n == 0 ? std::nullopt : std::optional<double>(cell.n));
  attribute("p", test ? std::optional(test->p) : std::nullopt);
  attribute("p-adjusted", test ? std::optional(test->p_adjusted) : std::nullopt);
  const auto& same = chosen_test(corrected, corrected.cells[row][column]);
  attribute("p-corrected", same ? std::optional(same->p_adjusted) : std::nullopt);
  std::vector<std::string> tip = tip_of(table, corrected, row, column, path);
  std::string classes = shown.best ? "best" : "";
  if (audit != nullptr && audit->doubted.contains(path)) {
    classes += " doubted";
    tip.insert(tip.end() - 1, "in doubt: see the audit");
  }
  if (table.source == "measured") {
    classes += " edge";
  }
  return {{"cell_id", cell_anchor(table.source, path)},
          {"path", path},
          {"source", table.source},
          {"attributes", std::move(attributes)},
          {"cell_class",
           classes.substr(classes.find_first_not_of(' ') == std::string::npos
                              ? classes.size()
                              : classes.find_first_not_of(' '))},
          {"value", shown.value},
          {"marks", shown.marks.empty() ? Json(false) : texts({shown.marks})},
          {"tip", texts(tip)}};
}

Json dice_view(const ReportTable& table, const Audit* audit) {
  const Table& measured = table.measured;
  const TableSpec& spec = measured.spec;
  const bool both = table.published.has_value();
  const std::size_t width = both ? 2 : 1;
  Json view{{"table_id", spec.id},
            {"table_anchor", "table-" + safe_name(spec.id)},
            {"table_title", spec.title},
            {"table_phantom", measured.protocol.data_kind == "phantom"},
            {"two_sources", both},
            {"head_rows", both ? 3 : 2},
            {"groups", Json::array()},
            {"columns", Json::array()},
            {"source_heads", Json::array()},
            {"rows", Json::array()}};
  std::string group;
  for (std::size_t column = 0; column < spec.columns.size(); ++column) {
    const TableColumn& each = spec.columns[column];
    if (view["groups"].empty() || group != each.group) {
      group = each.group;
      view["groups"].push_back({{"group", group}, {"group_columns", 0}, {"group_cells", 0}});
    }
    Json& last = view["groups"].back();
    last["group_columns"] = last["group_columns"].get<std::size_t>() + 1;
    last["group_cells"] = last["group_cells"].get<std::size_t>() + width;
    view["columns"].push_back({{"column", each.label},
                               {"column_cells", width},
                               {"column_scope", both ? "colgroup" : "col"},
                               {"edge", true},
                               {"sort_here", !both},
                               {"sort_column", 1 + column}});
    for (std::size_t source = 0; both && source < 2; ++source) {
      view["source_heads"].push_back({{"head_source", source == 0 ? "measured" : "published"},
                                      {"head_column", column_name(spec, column)},
                                      {"edge", source == 0},
                                      {"sort_column", 1 + 2 * column + source}});
    }
  }
  bool doubted = false;
  for (std::size_t row = 0; row < spec.rows.size(); ++row) {
    Json cells = Json::array();
    for (std::size_t column = 0; column < spec.columns.size(); ++column) {
      cells.push_back(cell_view(measured, table.corrected, row, column, nullptr));
      if (both) {
        const TableCell& cell = table.published->cells[row][column];
        doubted = doubted || (audit != nullptr &&
                              audit->doubted.contains(path_of(*table.published, row, cell).text()));
        cells.push_back(
            cell_view(*table.published, *table.published_corrected, row, column, audit));
      }
    }
    view["rows"].push_back({{"row_method", safe_name(spec.rows[row].method)},
                            {"row_label", spec.rows[row].label},
                            {"cells", std::move(cells)}});
  }
  std::vector<std::string> notes = table_notes(measured, "Bold");
  const auto shows = [&](const char* task) {
    return std::ranges::any_of(spec.columns,
                               [&](const TableColumn& each) { return each.task == task; });
  };
  if (shows("pancreas")) {
    notes.emplace_back(shows("brats") ? "A trial is a seed on one split for BraTS, a fold for the "
                                        "pancreas."
                                      : "A trial is a fold.");
  }
  view["notes"] = texts(notes);
  std::string printed;
  if (both) {
    for (const std::string& sentence : table_notes(*table.published, "Bold")) {
      printed += (printed.empty() ? "" : " ") + sentence;
    }
    if (doubted) {
      printed += " Wavy underline: a number in doubt by the audit below.";
    }
  }
  view["published_notes"] = both ? texts({printed}) : Json(false);
  return view;
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Tables";
  if (!contents.tables.empty()) {
    section.paragraphs.emplace_back(
        "Point at a number, or move to it with Tab and the arrow keys, for n, SD, t, df, p and the "
        "command that leads to its runs. A heading sorts.");
  }
  const Audit* audit = contents.audit ? &*contents.audit : nullptr;
  for (const ReportTable& table : contents.tables) {
    const TableSpec& spec = table.measured.spec;
    section.heading("about-" + safe_name(spec.id), spec.title + contents.phantom_mark());
    section.block("dice", dice_view(table, audit));
    for (const Table* source : {&table.measured, table.published ? &*table.published : nullptr}) {
      if (source != nullptr) {
        if (const Sheet tests = test_sheet(*source); !tests.rows.empty()) {
          section.folded_sheet("t-tests of the " + source->source + " numbers", tests);
        }
      }
    }
    if (const Sheet budget = budget_sheet(table.measured); !budget.rows.empty()) {
      section.folded_sheet("What each row was given", budget);
    }
    section.table_files(spec.id,
                        table.published ? document_of(table.measured, *table.published)
                                        : document_of(table.measured));
  }
  // Results first: the counts of the data come last, though they are the paper's Table 1.
  for (const Sheet& sheet : contents.data) {
    section.heading("about-" + safe_name(sheet.id), sheet.title);
    section.sheet(sheet);
    section.table_files(sheet);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({10, "tables", "Tables", "", content});
}

}  // namespace sar::sections::tables
