#include "results/document/output_format.h"
#include "results/text/escape.h"
#include "results/text/layout.h"

#include <fmt/format.h>

namespace sar::formats::html {
namespace {

std::string table(const Grid& grid, const std::string& attributes, const std::string& caption) {
  std::string result = "<table" + attributes + ">\n";
  result += caption.empty() ? "" : "<caption>" + caption + "</caption>\n";
  result += "<thead>\n";
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
      const std::string shown =
          (cell.best ? "<strong>" + text + "</strong>" : text) + escape_html(cell.marks);
      result += column == 0 ? "<th scope=\"row\">" + shown + "</th>" : "<td>" + shown + "</td>";
    }
    result += "</tr>\n";
  }
  return result + "</tbody>\n</table>\n";
}

/// No heading of a row is empty.
Grid with_row_headings(Grid grid) {
  for (std::size_t row = 1; row < grid.rows.size(); ++row) {
    if (grid.rows[row][0].value.empty()) {
      grid.rows[row][0].value = grid.rows[row - 1][0].value;
    }
  }
  return grid;
}

std::string element(const std::string& name, const std::string& text) {
  return "<" + name + ">" + escape_html(text) + "</" + name + ">\n";
}

struct Writer {
  std::string operator()(const Heading& heading) const { return element("h3", heading.text); }
  std::string operator()(const Paragraph& paragraph) const {
    return element("p", paragraph.mark + paragraph.text);
  }
  std::string operator()(const Line& line) const {
    return element("p", line.label.empty() ? line.text : line.label + " " + line.text);
  }
  std::string operator()(const Descriptions& list) const {
    std::string result = "<dl>\n";
    for (const auto& [name, what] : list.items) {
      result += element("dt", name) + element("dd", what);
    }
    return result + "</dl>\n";
  }
  std::string operator()(const Grid& grid) const { return table(grid, "", ""); }
  std::string operator()(const Details& details) const {
    return "<details>" + element("summary", details.summary) + table(details.grid, "", "") +
           "</details>\n";
  }
  std::string operator()(const TitledTable& titled) const {
    const std::string emphasis =
        titled.emphasis.empty() ? "" : " (<em>" + escape_html(titled.emphasis) + "</em>)";
    const std::string attributes = fmt::format(
        " class=\"{}\" id=\"{}\"", titled.as_in_paper ? "dice" : "sheet", escape_html(titled.id));
    std::string result =
        "<figure class=\"results\">\n" +
        table(titled.as_in_paper ? with_row_headings(with_blanks(titled.grid)) : titled.grid,
              attributes,
              escape_html(titled.title) + emphasis);
    for (const TitledTable::Further& further : titled.further) {
      result += table(further.grid,
                      " class=\"tests\"",
                      escape_html(further.title) + (further.emphasis ? emphasis : ""));
    }
    result += "<figcaption>";
    for (const auto& paragraph : titled.notes) {
      for (const Note& note : paragraph) {
        result += escape_html(sentence(note, "Bold")) + "\n";
      }
    }
    return result + "</figcaption>\n</figure>\n";
  }
};

std::string write(const Document& document, const WriteOptions& /*options*/) {
  const std::string parts = written_parts(document, "html", Writer());
  return document.section.empty() ? parts
                                  : "<section class=\"" + escape_html(document.section) + "\">\n" +
                                        parts + "</section>\n";
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"html", 6, true, write});
}

}  // namespace sar::formats::html
