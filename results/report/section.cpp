#include "results/report/section.h"

#include "harness/core/error.h"
#include "results/report/page_texts.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace sar {
namespace {

/// A block of the page; the template has one part for each kind.
Json block_of(const std::string& kind, Json content) {
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
    view["sheet_rows"].push_back({{"sheet_cells", std::move(cells)}});
  }
  return view;
}

using Links = std::vector<std::pair<std::string, std::string>>;

/// `of`: what is in the files, where that is not plain: ", by the stored runs".
Json links(const Links& to, const std::string& of = "") {
  Json files = Json::array();
  for (const auto& [path, label] : to) {
    files.push_back({{"href", path}, {"file_label", label}});
  }
  return block_of("files", {{"files_of", of}, {"file", std::move(files)}});
}

}  // namespace

void SectionContent::block(const std::string& kind, Json view) {
  blocks_.push_back(block_of(kind, std::move(view)));
}

void SectionContent::heading(const std::string& id, const std::string& text) {
  block("heading", {{"heading_id", id}, {"heading_text", text}});
}

void SectionContent::message(const std::string& text) {
  block("message", {{"message_text", text}});
}

void SectionContent::list(const std::vector<std::string>& entries) {
  block("list", {{"entries", texts(entries)}});
}

void SectionContent::sheet(const Sheet& sheet) {
  Json view = sheet_view(sheet);
  view["fold"] = false;
  block("sheet", std::move(view));
}

void SectionContent::folded_sheet(const std::string& line, const Sheet& sheet) {
  Json view = sheet_view(sheet);
  view["fold"] = {{"fold_title", line}};
  block("sheet", std::move(view));
}

void SectionContent::figure(Figure figure) {
  SectionFigure& own = figures_.emplace_back();
  own.figure = std::move(figure);
  own.place = blocks_.size();
  const Sheet& numbers = own.figure.data;
  blocks_.push_back(nullptr);              // the picture
  constexpr std::size_t kMostRows = 1000;  // beyond, a page opens slowly and nobody reads them
  if (numbers.rows.size() <= kMostRows) {
    folded_sheet("The numbers of this figure", numbers);
  } else {
    message(
        fmt::format("Its {} rows of numbers are in the CSV and JSON files.", numbers.rows.size()));
  }
  blocks_.push_back(nullptr);  // links to its files
  const std::string path = "figures/" + safe_name(own.figure.id);
  for (const char* format : {"csv", "json"}) {
    file(path + "." + format, written(document_of(numbers), format));
  }
}

void SectionContent::table_files(const std::string& id,
                                 const Document& document,
                                 const std::string& of) {
  const std::string path = "tables/" + safe_name(id);
  file(path + ".md", written(document, "md"));
  file(path + ".tex", written(document, "latex"));
  file(path + ".csv", written(document, "csv"));
  file(path + ".json", written(document, "json"));
  blocks_.push_back(links({{path + ".md", "Markdown"},
                           {path + ".tex", "LaTeX"},
                           {path + ".csv", "CSV"},
                           {path + ".json", "JSON"}},
                          of));
}

void SectionContent::table_files(const Sheet& sheet, const std::string& of) {
  table_files(sheet.id, document_of(sheet), of);
}

void SectionContent::file(const std::string& path, std::string content) {
  files_[path] = std::move(content);
}

Json SectionContent::blocks() const {
  Json blocks = blocks_;
  for (const SectionFigure& each : figures_) {
    const std::string name = safe_name(each.figure.id);
    const bool drawn = each.not_drawn.empty();
    blocks.at(each.place) =
        block_of("figure",
                 {{"figure_id", "figure-" + name},
                  {"figure_title", each.figure.title},
                  {"svg", drawn ? Json{{"drawing", each.drawing.inline_svg}} : Json(false)},
                  {"not_drawn", drawn ? Json(false) : texts({each.not_drawn})},
                  {"notes", texts(each.figure.notes)}});
    Links files{{"figures/" + name + ".csv", "CSV"}, {"figures/" + name + ".json", "JSON"}};
    if (drawn) {
      files.insert(files.begin(),
                   {{"figures/" + name + ".svg", "SVG"}, {"figures/" + name + ".png", "PNG"}});
    }
    blocks.at(each.place + 2) = links(files);
  }
  return blocks;
}

ReportFiles SectionContent::files() const {
  ReportFiles files = files_;
  for (const SectionFigure& each : figures_) {
    if (each.not_drawn.empty()) {
      const std::string path = "figures/" + safe_name(each.figure.id);
      files[path + ".svg"] = each.drawing.svg;
      files[path + ".png"] = each.drawing.png;
    }
  }
  return files;
}

void SectionRegistry::add(Section section) {
  const auto twice = std::ranges::find_if(sections_, [&](const Section& other) {
    return other.id == section.id || other.order == section.order;
  });
  if (twice != sections_.end()) {
    throw internal_error("two sections of the report have one id or one order number")
        .with("section", section.id)
        .with("other", twice->id);
  }
  const auto place = std::ranges::upper_bound(sections_, section.order, {}, &Section::order);
  sections_.insert(place, std::move(section));
}

}  // namespace sar
