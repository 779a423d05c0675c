#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "results/paper/cells.h"
#include "results/report/page_template.h"
#include "results/report/report.h"
#include "results/tables/table_document.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace sar {
namespace page_detail {

Json texts(const std::vector<std::string>& lines) {
  Json list = Json::array();
  for (const std::string& line : lines) {
    list.push_back({{"text", line}});
  }
  return list;
}

/// A block of a section; the template has one part for each kind.
Json block(const std::string& kind, Json content) {
  static const std::set<std::string> kKinds{"heading",
                                            "message",
                                            "list",
                                            "properties",
                                            "dice",
                                            "figure",
                                            "sheet",
                                            "claims",
                                            "audit",
                                            "examples",
                                            "files"};
  Json result = Json::object();
  for (const std::string& each : kKinds) {  // all named: mustache looks further out for others
    result[each] = false;
  }
  result.at(kind) = std::move(content);
  return result;
}

Json heading(const std::string& id, const std::string& text) {
  return block("heading", {{"heading_id", id}, {"heading_text", text}});
}

Json message(const std::string& text) {
  return block("message", {{"message_text", text}});
}

bool is_phantom(const ReportContents& contents) {
  return contents.protocol && contents.protocol->data_kind == "phantom";
}

std::string number_text(double value) {
  return fmt::format("{}", value);  // the shortest text that reads back the same, as in CSV
}

/// Hours as people read them: "12 h", "1.5 h", "51 min".
std::string hours_text(double hours) {
  return hours >= 10   ? fmt::format("{:.0f} h", hours)
         : hours >= 1  ? fmt::format("{:.1f} h", hours)
         : hours > 0.1 ? fmt::format("{:.0f} min", 60 * hours)
                       : fmt::format("{:.1f} min", 60 * hours);
}

std::string how_many(std::size_t n, const std::string& one, const std::string& many) {
  return fmt::format("{} {}", n, n == 1 ? one : many);
}

// --- plain tables -------------------------------------------------------------------------------

bool is_number(const std::string& text) {
  return !text.empty() && text.find_first_of("0123456789") != std::string::npos &&
         text.find_first_not_of("0123456789.,+-−–<>≤≥×±% ()[]ex/") == std::string::npos;
}

Json sheet_view(const Sheet& sheet) {
  Json view{{"sheet_id", sheet.id},
            {"sheet_title", sheet.title},
            {"heads", Json::array()},
            {"sheet_rows", Json::array()},
            {"notes", texts(sheet.notes)}};
  // A table whose rows go in pairs (printed and measured) would lose its sense by sorting.
  const bool sortable = sheet.rows.size() > 2 &&
                        std::none_of(sheet.rows.begin(), sheet.rows.end(), [](const auto& row) {
                          return row.empty() || row.front().empty();
                        });
  for (std::size_t column = 0; column < sheet.header.size(); ++column) {
    view["heads"].push_back({{"head", sheet.header[column]},
                             {"align", column < sheet.text_columns ? "left" : "right"},
                             {"sortable", sortable && !sheet.header[column].empty()},
                             {"sort_column", column}});
  }
  for (const auto& row : sheet.rows) {
    Json cells = Json::array();
    for (std::size_t column = 0; column < row.size(); ++column) {
      const bool left =
          column < sheet.text_columns || (!is_number(row[column]) && row[column] != "–");
      cells.push_back({{"text", row[column]},
                       {"first", column == 0 && !row[column].empty()},
                       {"align", left ? "left" : "right"}});
    }
    view["sheet_rows"].push_back({{"sheet_cells", std::move(cells)}, {"row_class", false}});
  }
  return view;
}

Json shown(const Sheet& sheet) {
  Json view = sheet_view(sheet);
  view["fold"] = false;
  return block("sheet", std::move(view));
}

/// Behind a line that opens it.
Json folded(const std::string& title, const Sheet& sheet) {
  Json view = sheet_view(sheet);
  view["fold"] = {{"fold_title", title}};
  return block("sheet", std::move(view));
}

// --- tables of Dice -----------------------------------------------------------------------------

std::string anchor(const std::string& source, const std::string& path) {
  return source + "-" + safe_name(replace_all(path, {{"/", "."}}));
}

CellPath path_of(const Table& table, std::size_t row, const TableCell& cell) {
  return {table.spec.id,
          table.spec.rows[row].method,
          cell.task,
          cell.target,
          cell.bucket,
          cell.fraction};
}

std::string label_of_reference(const Table& table) {
  const auto row = std::ranges::find(table.spec.rows, table.spec.reference, &TableRow::method);
  return row == table.spec.rows.end() ? table.spec.reference : row->label;
}

std::string correction_name(const std::string& correction) {
  return correction == "holm" ? "Holm" : correction == "bh" ? "Benjamini–Hochberg" : correction;
}

/// "after Holm", "without correction"
std::string corrected_by(const std::string& correction) {
  return correction == "none" ? "without correction" : "after " + correction_name(correction);
}

const std::optional<TestResult>& chosen_test(const Table& table, const TableCell& cell) {
  return table.test == "welch" ? cell.welch : cell.student;
}

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
                                label_of_reference(table),
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
    lines.push_back("not testable: " + cell.not_testable);
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
          {{"attribute", std::string("data-") + name}, {"number", number_text(*value)}});
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
  return {{"cell_id", anchor(table.source, path)},
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

/// `of`: what is in them, where that is not plain: ", by the stored runs".
Json file_links(const std::vector<std::pair<std::string, std::string>>& links,
                const std::string& of = "") {
  Json files = Json::array();
  for (const auto& [href, label] : links) {
    files.push_back({{"href", href}, {"file_label", label}});
  }
  return block("files", {{"files_of", of}, {"file", std::move(files)}});
}

Json table_files(const std::string& id, const std::string& of = "") {
  const std::string path = "tables/" + safe_name(id);
  return file_links({{path + ".md", "Markdown"},
                     {path + ".tex", "LaTeX"},
                     {path + ".csv", "CSV"},
                     {path + ".json", "JSON"}},
                    of);
}

// --- figures ------------------------------------------------------------------------------------

void add_figure(Json& blocks, const ReportFigure& figure) {
  const Figure& what = figure.figure;
  const bool drawn = figure.not_drawn.empty();
  blocks.push_back(
      block("figure",
            {{"figure_id", "figure-" + safe_name(what.id)},
             {"figure_title", what.title},
             {"svg", drawn ? Json{{"drawing", figure.drawing.inline_svg}} : Json(false)},
             {"not_drawn", drawn ? Json(false) : texts({figure.not_drawn})},
             {"notes", texts(what.notes)}}));
  constexpr std::size_t kMostRows = 1000;  // beyond, a page opens slowly and nobody reads them
  if (what.data.rows.size() <= kMostRows) {
    blocks.push_back(folded("The numbers of this figure", what.data));
  } else {
    blocks.push_back(message(fmt::format("Its {} rows of numbers are in the CSV and JSON files.",
                                         what.data.rows.size())));
  }
  const std::string path = "figures/" + safe_name(what.id);
  std::vector<std::pair<std::string, std::string>> links{{path + ".csv", "CSV"},
                                                         {path + ".json", "JSON"}};
  if (drawn) {
    links.insert(links.begin(), {{path + ".svg", "SVG"}, {path + ".png", "PNG"}});
  }
  blocks.push_back(file_links(links));
}

/// A section, or nothing where it would have no content.
Json section(const std::string& id,
             const std::string& short_title,
             const std::string& title,
             const std::vector<std::string>& paragraphs,
             Json blocks) {
  return {{"section_id", id},
          {"short_title", short_title},
          {"section_title", title},
          {"paragraphs", texts(paragraphs)},
          {"blocks", std::move(blocks)}};
}

// --- what was run -------------------------------------------------------------------------------

Json property(const std::string& name, const std::vector<std::string>& values) {
  return {{"name", name},
          {"values", texts(values.empty() ? std::vector<std::string>{"–"} : values)}};
}

std::vector<std::string> data_sets(const ProtocolRow& protocol) {
  std::vector<std::string> lines;
  if (!protocol.manifest.is_object() || !protocol.manifest.contains("datasets")) {
    return lines;
  }
  for (const auto& [name, set] : protocol.manifest.at("datasets").items()) {
    const std::size_t left_out =
        set.contains("left_out") && set.at("left_out").is_array() ? set.at("left_out").size() : 0;
    lines.push_back(fmt::format("{}: {} cases{}, digest {}",
                                name,
                                set.value("cases", 0),
                                left_out > 0 ? fmt::format(" ({} left out)", left_out) : "",
                                set.value("digest", "").substr(0, 12)));
  }
  return lines;
}

Json work_sheet(const RunSummary& summary) {
  Sheet sheet;
  sheet.id = "work";
  sheet.title = "Work";
  sheet.header = {"Kind", "Done", "Failed", "Open", "Time", "Largest memory", "Largest GPU memory"};
  for (const WorkDone& work : summary.work) {
    sheet.rows.push_back({work.kind,
                          std::to_string(work.done),
                          std::to_string(work.failed),
                          std::to_string(work.open),
                          hours_text(work.hours),
                          work.peak_rss_mb > 0 ? fmt::format("{:.0f} MB", work.peak_rss_mb) : "–",
                          work.peak_gpu_mb > 0 ? fmt::format("{:.0f} MB", work.peak_gpu_mb) : "–"});
  }
  sheet.notes = {
      "Time: of the finished work, each node once, over all resumes; workers run side by "
      "side, so that a run takes less."};
  return shown(sheet);
}

Json run_section(const ReportContents& contents) {
  Json blocks = Json::array();
  const ProtocolRow& protocol = *contents.protocol;
  const RunSummary& summary = contents.summary;
  std::vector<std::string> seeds;
  for (const auto& [trial, values] : summary.seeds) {
    seeds.push_back(fmt::format("trial {}: {}", trial, fmt::join(values, ", ")));
  }
  std::vector<std::string> threads;
  for (const int count : summary.threads) {
    threads.push_back(std::to_string(count));
  }
  double hours = 0;
  for (const WorkDone& work : summary.work) {
    hours += work.hours;
  }
  std::vector<std::string> commits = summary.commits;
  if (summary.dirty) {
    commits.emplace_back("some work was done by a program with uncommitted changes");
  }
  blocks.push_back(block(
      "properties",
      {{"property",
        {property("Protocol", {protocol.protocol}),
         property("Profile", {protocol.profile}),
         property("Data", {protocol.data_kind == "phantom" ? "phantom images" : "real scans"}),
         property("Trials of table cells",
                  {fmt::format("{} done, {} failed, {} open of {}",
                               summary.done,
                               summary.failed,
                               summary.open,
                               summary.cells)}),
         property("From, to (UTC)", {summary.first, summary.last}),
         property("Worker time", {hours_text(hours)}),
         property("Host", summary.hosts),
         property("Machine", summary.machines),
         property("Device", summary.devices),
         property("Threads of a worker", threads),
         property("Reproducibility", summary.determinism),
         property("Commit of sar-bench", commits),
         property("LibTorch", summary.torch),
         property("ITK", summary.itk),
         property("sar-bench, of this report", {contents.version}),
         property("Database", {contents.database}),
         property("Seeds", seeds),
         property("Data sets", data_sets(protocol)),
         property("Commands", summary.commands)}}}));
  blocks.push_back(work_sheet(summary));
  if (!contents.settings.rows.empty()) {
    blocks.push_back(folded("Settings that differ from the built-in ones", contents.settings));
  }
  return section("run", "Run", "What was run", {}, std::move(blocks));
}

// --- failures -----------------------------------------------------------------------------------

Json failures_section(const RunSummary& summary) {
  Json blocks = Json::array();
  std::size_t standing = 0;
  Sheet sheet;
  sheet.id = "failures";
  sheet.title = "Failed and retried work";
  sheet.header = {"What", "Cells that need it", "State", "When", "Host", "Reason"};
  sheet.text_columns = sheet.header.size();
  for (const FailedWork& failure : summary.failures) {
    standing += failure.done_since ? 0 : 1;
    std::string cells = failure.method;
    if (!failure.task.empty()) {
      cells += " " + failure.task;
      cells += failure.fraction == "1" ? "" : " at " + failure.fraction;
      cells += fmt::format(", trial {}", fmt::join(failure.trials, ", "));
    }
    sheet.rows.push_back({failure.kind,
                          cells,
                          failure.done_since ? "done since, by another attempt"
                                             : fmt::format("failed, attempt {}", failure.attempt),
                          failure.ended,
                          failure.host,
                          failure.reason});
  }
  if (sheet.rows.empty()) {
    blocks.push_back(message(summary.failed == 0
                                 ? std::string("Nothing failed, and nothing was tried twice.")
                                 : fmt::format("{} trials of table cells have failed; why is not "
                                               "stored.",
                                               summary.failed)));
  } else {
    const std::size_t mended = sheet.rows.size() - standing;
    if (standing > 0) {
      sheet.notes.push_back(how_many(standing, "failure stands.", "failures stand."));
    }
    if (mended > 0) {
      sheet.notes.push_back(how_many(mended, "was", "were") + " mended by another attempt.");
    }
    if (summary.failed > 0) {
      sheet.notes.push_back(
          how_many(static_cast<std::size_t>(summary.failed),
                   "trial of a table cell has no result",
                   "trials of table cells have no result") +
          " because of them; sar-bench run EXPERIMENT --only-failed tries again.");
    }
    blocks.push_back(shown(sheet));
  }
  return section("failures", "Failures", "Failed and retried cells", {}, std::move(blocks));
}

// --- claims and audit ---------------------------------------------------------------------------

std::string sign_of(Verdict verdict) {
  return verdict == Verdict::supported     ? "✓"
         : verdict == Verdict::unsupported ? "✗"
         : verdict == Verdict::mixed       ? "◐"
                                           : "○";
}

std::string word_of(Verdict verdict) {
  return verdict == Verdict::not_testable ? "not testable" : to_string(verdict);
}

Json verdict_view(const ClaimVerdict& claim, const ClaimReport& report) {
  // Phantom runs show how a verdict would come about; their lamps stay dark.
  const bool phantom = report.data_kind == "phantom";
  const Verdict lamp = phantom ? Verdict::not_testable : claim.verdict;
  return {{"source", report.source},
          {"verdict", to_string(lamp)},
          {"judged", to_string(claim.verdict)},
          {"verdict_text",
           phantom && claim.verdict != lamp ? "(" + word_of(claim.verdict) + ")"
                                            : word_of(claim.verdict)},
          {"sign", sign_of(lamp)},
          {"adjusted",
           claim.tested ? texts({fmt::format("significant {}: {}",
                                             corrected_by(report.options.correction),
                                             word_of(claim.verdict_adjusted))})
                        : Json(false)}};
}

/// `audit`: of printed numbers, or null.
Json side_view(const ClaimVerdict& claim, const ClaimReport& report, const Audit* audit) {
  Json evidence = Json::array();
  for (const ClaimEvidence& each : claim.evidence) {
    std::string text = each.text;
    for (const std::string& cell : each.cells) {
      if (audit != nullptr && audit->doubted.contains(cell)) {
        text += " (" + cell + " is in doubt: see the audit)";
      }
    }
    evidence.push_back({{"outcome", to_string(each.outcome)}, {"text", text}});
  }
  return {{"side", report.source == "published" ? "By the printed numbers" : "By the stored runs"},
          {"summary", claim.summary},
          {"evidence", std::move(evidence)}};
}

Json claims_section(const ReportContents& contents) {
  const ClaimReport& published = *contents.claims;
  std::vector<const ClaimReport*> reports{&published};
  if (contents.measured_claims) {
    reports.push_back(&*contents.measured_claims);
  }
  Json claims = Json::array();
  for (std::size_t i = 0; i < published.claims.size(); ++i) {
    Json verdicts = Json::array();
    Json sides = Json::array();
    std::string filter;
    for (const ClaimReport* report : reports) {
      const ClaimVerdict& claim = report->claims.at(i);
      verdicts.push_back(verdict_view(claim, *report));
      const bool printed = report->source == "published";
      sides.push_back(
          side_view(claim, *report, printed && contents.audit ? &*contents.audit : nullptr));
      if (report->data_kind != "phantom") {
        filter += (filter.empty() ? "" : " ") + to_string(claim.verdict);
      }
    }
    const Claim& claim = published.claims[i].claim;
    const bool number = claim.section.find_first_not_of("0123456789.") == std::string::npos;
    claims.push_back({{"claim_id", safe_name(claim.id)},
                      {"claim_filter", filter},
                      {"statement", claim.statement},
                      {"where", (number ? "section " : "") + claim.section + ", " + claim.id},
                      {"verdicts", std::move(verdicts)},
                      {"sides", std::move(sides)}});
  }
  std::vector<std::string> paragraphs{"What " + contents.paper + " says of its results."};
  for (const ClaimReport* report : reports) {
    paragraphs.push_back(fmt::format(
        "{}: {} of {} claims are supported, {} unsupported, {} mixed, {} cannot be tested; where "
        "differences must also be significant ({} t-test, {}, alpha {:g}), {} are supported.{}",
        report->source == "published" ? "By the printed numbers" : "By the stored runs",
        report->count(Verdict::supported),
        report->claims.size(),
        report->count(Verdict::unsupported),
        report->count(Verdict::mixed),
        report->count(Verdict::not_testable),
        report->options.test == "welch" ? "Welch's" : "Student's",
        corrected_by(report->options.correction),
        report->options.alpha,
        report->count_adjusted(Verdict::supported),
        report->data_kind == "phantom" ? " Phantom data can neither support nor refute a sentence "
                                         "about real scans."
                                       : ""));
  }
  paragraphs.emplace_back(
      "A sentence that one mean is above another is supported by the means alone; the second line "
      "of its verdict says whether the difference is also significant.");
  Json blocks = Json::array();
  blocks.push_back(
      block("claims",
            {{"claims_caption", "What the paper claims, sentence by sentence"},
             {"with_measured", contents.measured_claims.has_value()},
             {"measured_heading",
              is_phantom(contents) ? "By the stored runs [phantom data]" : "By the stored runs"},
             {"claim", std::move(claims)}}));
  blocks.push_back(
      table_files("claims", contents.measured_claims ? ", by the printed numbers" : ""));
  if (contents.measured_claims) {
    blocks.push_back(table_files("claims-measured", ", by the stored runs"));
  }
  return section("claims", "Claims", "Claims of the paper", paragraphs, std::move(blocks));
}

Json audit_section(const ReportContents& contents) {
  const Audit& audit = *contents.audit;
  std::set<std::string> known;  // cells that the page shows
  for (const ReportTable& table : contents.tables) {
    for (std::size_t row = 0; table.published && row < table.published->cells.size(); ++row) {
      for (const TableCell& cell : table.published->cells[row]) {
        known.insert(path_of(*table.published, row, cell).text());
      }
    }
  }
  Json findings = Json::array();
  for (const Finding& finding : audit.findings) {
    Json cells = Json::array();
    for (const std::string& cell : finding.cells) {
      cells.push_back(
          {{"cell", cell},
           {"target", known.contains(cell) ? Json(anchor("published", cell)) : Json(false)}});
    }
    findings.push_back({{"finding_id", finding.id},
                        {"severity", to_string(finding.severity)},
                        {"sign", finding.severity == Severity::note ? "○" : "✗"},
                        {"finding_text", finding.message},
                        {"cell_links", std::move(cells)}});
  }
  Json blocks = Json::array();
  if (findings.empty()) {
    blocks.push_back(message("No finding: the printed numbers hold together."));
  } else {
    blocks.push_back(block("audit", {{"finding", std::move(findings)}}));
  }
  Sheet checks;
  checks.id = "checks";
  checks.title = "Checks";
  checks.header = {"Check", "State", "What it did"};
  checks.text_columns = 3;
  for (const CheckReport& check : audit.checks) {
    checks.rows.push_back({check.check, check.status, check.summary});
  }
  blocks.push_back(folded("What each check did", checks));
  blocks.push_back(table_files("audit"));
  return section(
      "audit",
      "Audit",
      "Do the printed numbers hold together?",
      {fmt::format("{}: {} errors, {} inconsistent, {} notes. The audit needs no run: it holds the "
                   "paper's numbers against each other, rounding allowed for.",
                   audit.title,
                   audit.count(Severity::error),
                   audit.count(Severity::inconsistent),
                   audit.count(Severity::note))},
      std::move(blocks));
}

// --- example cases ------------------------------------------------------------------------------

std::string titled(std::string word) {
  word[0] = word[0] >= 'a' && word[0] <= 'z' ? static_cast<char>(word[0] - 'a' + 'A') : word[0];
  return word;
}

Json plane_view(const ExampleSlice& slice, const Example& example) {
  const double width = slice.width * slice.pixel_mm[0];
  const double height = slice.height * slice.pixel_mm[1];
  return {{"plane_name",
           fmt::format("{} slice {} of case {}: image with the outlines of ground truth "
                       "and prediction",
                       titled(slice.plane),
                       slice.index,
                       example.case_id)},
          {"width_mm", number_text(width)},
          {"height_mm", number_text(height)},
          {"png", base64(slice.png)},
          {"truth_path", outline_path(slice.truth, slice.pixel_mm[0], slice.pixel_mm[1])},
          {"prediction_path", outline_path(slice.prediction, slice.pixel_mm[0], slice.pixel_mm[1])},
          {"plane_label", fmt::format("{} {}", slice.plane, slice.index)}};
}

/// `id`: of the case among the examples, as its files and its place in the page have it.
Json case_view(const Example& example, const ReportExamples& group, const std::string& id) {
  Json planes = Json::array();
  for (const ExampleSlice& slice : example.slices) {
    planes.push_back(plane_view(slice, example));
  }
  std::string notes;
  if (const auto volume = group.volume_mm3.find(example.case_id);
      volume != group.volume_mm3.end()) {
    notes = fmt::format("Tumour volume {:.2f} ml. ", volume->second / 1000);
  }
  notes += example.centre == "truth"        ? ""
           : example.centre == "prediction" ? "No tumour in the ground truth: cut through the "
                                              "predicted one. "
                                            : "No tumour in ground truth and prediction: cut "
                                              "through the middle. ";
  notes += example.oriented ? "" : "The file does not state which side is which. ";
  return {{"case_anchor", id},
          {"case_file", "figures/" + id + ".svg"},
          {"places", titled(fmt::format("{}", fmt::join(example.places, " and ")))},
          {"case_bucket", example.bucket == "all" ? "of all cases" : "of bucket " + example.bucket},
          {"case_dice", fmt::format("{:.2f}", example.dice)},
          {"case_id", example.case_id},
          {"case_note", notes.empty() ? Json(false) : texts({notes})},
          {"planes", std::move(planes)}};
}

Json examples_section(const ReportContents& contents) {
  Json groups = Json::array();
  for (const ReportExamples& group : contents.examples) {
    const std::string id = safe_name(group.task + "-" + group.method);
    Json cases = Json::array();
    for (std::size_t i = 0; i < group.cases.size(); ++i) {
      cases.push_back(case_view(group.cases[i], group, fmt::format("example-{}-{}", id, i)));
    }
    groups.push_back(
        {{"group_id", "examples-" + id},
         {"group_heading",
          fmt::format("{} on {}, trial {}{}",
                      group.label,
                      group.task,
                      group.trial,
                      is_phantom(contents) ? " [phantom data]" : "")},
         {"group_message", group.missing.empty() ? Json(false) : texts({group.missing})},
         {"cases", std::move(cases)}});
  }
  Json blocks = Json::array();
  if (groups.empty()) {
    blocks.push_back(
        message("There is no evaluation to take examples from, or none was asked for."));
  } else {
    blocks.push_back(block("examples", {{"example_groups", std::move(groups)}}));
  }
  return section("examples",
                 "Examples",
                 "Example cases",
                 {"Axial, coronal and sagittal slice through the tumour's centre for the best, the "
                  "median and the worst case of each size bucket, as kept at evaluation. The "
                  "patient's right is on the left."},
                 std::move(blocks));
}

// --- the whole ----------------------------------------------------------------------------------

Json fact(const std::string& kind,
          const std::string& link,
          const std::string& value,
          const std::string& text) {
  return {{"fact_class", kind}, {"fact_link", link}, {"fact_value", value}, {"fact_text", text}};
}

Json facts_of(const ReportContents& contents) {
  Json facts = Json::array();
  const RunSummary& summary = contents.summary;
  const auto standing = static_cast<std::size_t>(std::ranges::count_if(
      summary.failures, [](const FailedWork& failure) { return !failure.done_since; }));
  const TrialCount& trials = contents.trials;
  std::size_t cells = 0;
  std::size_t empty = 0;
  for (const ReportTable& table : contents.tables) {
    const std::size_t all = table.measured.spec.rows.size() * table.measured.spec.columns.size();
    cells += all;
    empty += all - static_cast<std::size_t>(filled_cells(table.measured));
  }
  const bool complete = trials.done == trials.planned && trials.planned > 0 && empty == 0;
  std::string done = "planned trials done";
  if (trials.failed > 0) {
    done += fmt::format(", {} failed", trials.failed);
  } else if (standing > 0) {
    done += "; other work failed: " + counted(standing, "failure");
  }
  if (empty > 0) {
    done += fmt::format("; {} of {} cells of the tables are empty", empty, cells);
  }
  facts.push_back(fact(trials.failed > 0           ? "bad"
                       : standing > 0 || !complete ? "warn"
                                                   : "good",
                       trials.failed > 0 || standing > 0 ? "#failures" : "#run",
                       fmt::format("{} of {}", trials.done, trials.planned),
                       done));
  for (const ReportTable& table : contents.tables) {
    int tested = 0;
    int marked = 0;
    int corrected = 0;
    for (std::size_t row = 0; row < table.measured.cells.size(); ++row) {
      for (std::size_t column = 0; column < table.measured.cells[row].size(); ++column) {
        const TableCell& cell = table.measured.cells[row][column];
        tested += chosen_test(table.measured, cell) ? 1 : 0;
        marked += is_significant(table.measured, cell) ? 1 : 0;
        corrected += is_significant(table.corrected, table.corrected.cells[row][column]) ? 1 : 0;
      }
    }
    if (tested > 0) {
      const bool plain = table.measured.correction == "none";
      facts.push_back(fact(
          "",
          "#table-" + safe_name(table.measured.spec.id),
          fmt::format("{} of {}", marked, tested),
          fmt::format(
              "comparisons of {} significant at {:g} {}{}",
              table.measured.spec.id,
              table.measured.alpha,
              corrected_by(table.measured.correction),
              plain ? fmt::format("; {} {}", corrected, corrected_by(table.corrected.correction))
                    : "")));
      break;  // the first table is the main one
    }
  }
  if (contents.claims) {
    facts.push_back(fact(
        "",
        "#claims",
        fmt::format(
            "{} of {}", contents.claims->count(Verdict::supported), contents.claims->claims.size()),
        fmt::format(
            "claims supported by the paper's own printed numbers; {} where differences must "
            "be significant {}",
            contents.claims->count_adjusted(Verdict::supported),
            corrected_by(contents.claims->options.correction))));
  }
  if (contents.audit) {
    const int faults =
        contents.audit->count(Severity::error) + contents.audit->count(Severity::inconsistent);
    facts.push_back(fact(faults > 0 ? "warn" : "good",
                         "#audit",
                         std::to_string(faults),
                         "findings where printed numbers do not hold together"));
  }
  return facts;
}

std::string lead_of(const ReportContents& contents) {
  std::string lead;
  if (!contents.citation.empty()) {
    lead = "Measured beside " + contents.citation + ". ";
  } else if (contents.claims || contents.audit) {
    lead = "Claims and audit are of " + contents.paper + ". ";
  }
  if (contents.protocol) {
    lead += fmt::format("Protocol {}, profile {}.",
                        contents.protocol->protocol.substr(0, 12),
                        contents.protocol->profile);
  }
  return lead;
}

Json tables_section(const ReportContents& contents) {
  Json blocks = Json::array();
  const Audit* audit = contents.audit ? &*contents.audit : nullptr;
  for (const ReportTable& table : contents.tables) {
    blocks.push_back(
        heading("about-" + safe_name(table.measured.spec.id),
                table.measured.spec.title + (is_phantom(contents) ? " [phantom data]" : "")));
    blocks.push_back(block("dice", dice_view(table, audit)));
    for (const Table* source : {&table.measured, table.published ? &*table.published : nullptr}) {
      if (source != nullptr) {
        if (const Sheet tests = test_sheet(*source); !tests.rows.empty()) {
          blocks.push_back(folded("t-tests of the " + source->source + " numbers", tests));
        }
      }
    }
    blocks.push_back(table_files(table.measured.spec.id));
  }
  // Results first: the counts of the data come last, though they are the paper's Table 1.
  for (const Sheet& sheet : contents.data) {
    blocks.push_back(heading("about-" + safe_name(sheet.id), sheet.title));
    blocks.push_back(shown(sheet));
    blocks.push_back(table_files(sheet.id));
  }
  return section(
      "tables",
      "Tables",
      "Tables",
      contents.tables.empty()
          ? std::vector<std::string>{}
          : std::vector<std::string>{"Point at a number, or move to it with Tab and the arrow "
                                     "keys, for n, SD, t, df, p "
                                     "and the command that leads to its runs. A heading sorts."},
      std::move(blocks));
}

Json figures_section(const std::string& id,
                     const std::string& short_title,
                     const std::string& title,
                     const std::vector<std::string>& paragraphs,
                     const std::vector<ReportFigure>& figures,
                     const std::vector<std::string>& sentences = {},
                     const std::vector<std::string>& not_drawn = {}) {
  Json blocks = Json::array();
  if (!sentences.empty()) {
    blocks.push_back(block("list", {{"entries", texts(sentences)}}));
  }
  for (const ReportFigure& figure : figures) {
    add_figure(blocks, figure);
  }
  for (const std::string& sentence : not_drawn) {
    blocks.push_back(message(sentence));
  }
  if (figures.empty() && not_drawn.empty()) {
    blocks.push_back(message("Nothing is stored that it could show."));
  }
  return section(id, short_title, title, paragraphs, std::move(blocks));
}

Json sections_of(const ReportContents& contents) {
  Json sections = Json::array();
  const std::string reference =
      contents.tables.empty() ? "" : label_of_reference(contents.tables.front().measured);
  // A report of one part has the sections of that part; one of the whole says what is missing.
  const auto not_drawn = [&](const char* section) {
    const auto sentences = contents.not_drawn.find(section);
    return sentences == contents.not_drawn.end() ? std::vector<std::string>{} : sentences->second;
  };
  const auto add = [&](const char* section, const auto& figures, const auto& made) {
    if (contents.whole || !figures.empty() || !not_drawn(section).empty()) {
      sections.push_back(made(figures));
    }
  };
  if (contents.whole || !contents.tables.empty() || !contents.data.empty()) {
    sections.push_back(tables_section(contents));
  }
  add("forest", contents.forests, [&](const auto& figures) {
    return figures_section(
        "forest",
        "Differences",
        reference + " against each method",
        {"Difference of the means with its confidence interval: an interval that "
         "holds zero is compatible with no difference at all."},
        figures,
        {},
        not_drawn("forest"));
  });
  add("curves", contents.curves, [&](const auto& figures) {
    Json curves = figures_section("curves", "Loss", "Loss curves", {}, figures);
    for (const LossCurves& each : contents.losses) {
      curves.at("blocks").push_back(
          table_files(each.spec.id, ", of the steps until the loss settles"));
    }
    return curves;
  });
  add("size", contents.sizes, [](const auto& figures) {
    return figures_section("size", "Size", "Dice against tumour volume", {}, figures);
  });
  add("labels", contents.efficiency, [&](const auto& figures) {
    return figures_section("labels",
                           "Labels",
                           "Label efficiency",
                           {"Means alone are compared here, without a test: with few trials a mean "
                            "can be reached by chance."},
                           figures,
                           contents.saved);
  });
  add("ranks", contents.ranks, [&](const auto& figures) {
    return figures_section(
        "ranks",
        "Ranks",
        "How stable is the order of the methods?",
        {"Trials and test cases are drawn anew many times; each time the methods are ranked."},
        figures,
        {},
        not_drawn("ranks"));
  });
  if (contents.whole || !contents.examples.empty()) {
    sections.push_back(examples_section(contents));
  }
  if (!contents.pretraining.empty()) {
    Json blocks = Json::array();
    for (const Sheet& sheet : contents.pretraining) {
      blocks.push_back(shown(sheet));
      blocks.push_back(table_files(sheet.id));
    }
    sections.push_back(section("pretraining",
                               "Proxy tasks",
                               "How well were the proxy tasks learned?",
                               {},
                               std::move(blocks)));
  }
  if (contents.claims) {
    sections.push_back(claims_section(contents));
  }
  if (contents.audit) {
    sections.push_back(audit_section(contents));
  }
  sections.push_back(failures_section(contents.summary));
  if (contents.assumptions) {
    Json blocks = Json::array();
    blocks.push_back(shown(*contents.assumptions));
    blocks.push_back(table_files("assumptions"));
    sections.push_back(section("assumptions",
                               "Ledger",
                               "Where the paper is silent: the assumption ledger",
                               {},
                               std::move(blocks)));
  }
  sections.push_back(run_section(contents));
  return sections;
}

}  // namespace page_detail

std::string safe_name(const std::string& text) {
  std::string name;
  bool changed = text.empty();
  for (const char c : text) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '_' || c == '-' || (c == '.' && !name.empty());
    changed = changed || !safe;
    name += safe ? c : '-';
  }
  // Names with unusual signs could collide: they carry a digest.
  return changed ? name.substr(0, 40) + "-" + sha256(text).substr(0, 8) : name;
}

std::string report_page(const ReportContents& contents, const PageTemplate& page) {
  using namespace page_detail;
  std::set<std::string> methods;
  for (const ReportTable& table : contents.tables) {
    for (const TableRow& row : table.measured.spec.rows) {
      methods.insert(row.method);
    }
  }
  const Json view{
      {"page_title",
       "sar-bench report: " + contents.title + (is_phantom(contents) ? " [phantom data]" : "")},
      {"heading_of_page", contents.title + (is_phantom(contents) ? " [phantom data]" : "")},
      {"content_security_policy",
       "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" +
           base64(sha256_bytes("\n" + page.script + "\n")) + "'"},
      {"css", figure_css({methods.begin(), methods.end()}) + page.style},
      {"script", page.script},
      {"lead", lead_of(contents)},
      {"phantom",
       is_phantom(contents)
           ? Json(
                 "Every measured number on this page was made with phantom images. It says nothing "
                 "about real scans and cannot be compared with the paper's.")
           : Json(false)},
      {"facts", facts_of(contents)},
      {"sections", sections_of(contents)},
      {"footer",
       fmt::format("Made {} by sar-bench {} from {}.",
                   contents.made,
                   contents.version,
                   contents.database)}};
  return filled_template(page.page, view);
}

}  // namespace sar
