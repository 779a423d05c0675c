#include "results/document/output_format.h"
#include "results/text/escape.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::formats::md {
namespace {

struct Writer {
  bool is_comment = false;

  [[nodiscard]] std::string escaped(const std::string& text) const {
    return escape_markdown(text, !is_comment);
  }

  std::string operator()(const Heading& heading) const {
    return "### " + escaped(heading.text) + "\n";
  }
  std::string operator()(const Paragraph& paragraph) const {
    return paragraph.mark + escaped(paragraph.text) + "\n";
  }
  std::string operator()(const Line& line) const {
    return escaped(line.label.empty() ? line.text : line.label + " " + line.text) + "\n";
  }
  std::string operator()(const Descriptions& list) const {
    std::string text;
    for (const auto& [name, what] : list.items) {
      text += "- **" + escaped(name) + "** " + escaped(what) + "\n";
    }
    return text;
  }
  std::string operator()(const Grid& grid) const {
    std::vector<std::string> header;
    std::size_t column = 0;
    for (; column < grid.text_columns; ++column) {
      header.push_back(escaped(grid.header[column]));
    }
    if (grid.groups.size() < 2) {
      for (; column < grid.header.size(); ++column) {
        header.push_back(escaped(grid.header[column]));
      }
    }
    for (const auto& [label, span] : grid.groups) {  // Markdown has one line of headings only
      for (std::size_t i = 0; i < span && column < grid.header.size(); ++i, ++column) {
        header.push_back(escaped(label + ": " + grid.header[column]));
      }
    }
    std::string result = fmt::format("| {} |\n|", fmt::join(header, " | "));
    for (std::size_t i = 0; i < header.size(); ++i) {
      const bool text = i < grid.text_columns || (grid.text_at_end && i + 1 == header.size());
      result += is_comment ? (text ? " :-- |" : " --: |") : (text ? " --- |" : " ---: |");
    }
    result += "\n";
    for (const auto& row : grid.rows) {
      std::vector<std::string> cells;
      for (const CellText& cell : row) {
        const std::string text = escaped(cell.value);
        cells.push_back((cell.best ? "**" + text + "**" : text) + escaped(cell.marks));
      }
      result += fmt::format("| {} |\n", fmt::join(cells, " | "));
    }
    return result;
  }
  std::string operator()(const Details& details) const {
    return "<details><summary>" + escape_html(details.summary) + "</summary>\n\n" +
           (*this)(details.grid) + "\n</details>\n";
  }
  std::string operator()(const TitledTable& titled) const {
    std::string result = "**" + escaped(titled.title) + "**" +
                         (titled.emphasis.empty() ? "" : " (*" + escaped(titled.emphasis) + "*)") +
                         "\n\n" +
                         (*this)(titled.as_in_paper ? with_blanks(titled.grid) : titled.grid);
    result += titled.notes.empty() ? "" : "\n";
    for (const auto& paragraph : titled.notes) {
      for (const Note& note : paragraph) {
        result += (titled.as_in_paper ? "" : "- ") + escaped(sentence(note, "bold")) + "\n";
      }
    }
    for (const TitledTable::Further& further : titled.further) {
      result += "\n" + escaped(further.title) + "\n\n" + (*this)(further.grid);
    }
    return result;
  }
};

std::string write(const Document& document, const WriteOptions& /*options*/) {
  return written_parts(document, "md", Writer{document.is_comment});
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"md", 2, true, write});
}

}  // namespace sar::formats::md
