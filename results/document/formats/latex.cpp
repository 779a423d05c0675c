#include "results/document/latex_tables.h"
#include "results/document/output_format.h"
#include "results/text/escape.h"

#include <fmt/format.h>

namespace sar::formats::latex {
namespace {

struct Writer {
  std::string operator()(const Heading& heading) const {
    return "\\paragraph{" + escape_latex(heading.text) + "}\n";
  }
  std::string operator()(const Paragraph& paragraph) const {
    return escape_latex(paragraph.mark + paragraph.text) + "\n";
  }
  std::string operator()(const Line& line) const {
    return escape_latex(line.label.empty() ? line.text : line.label + " " + line.text) + "\n";
  }
  std::string operator()(const Descriptions& list) const {
    std::string text = "\\begin{description}\\sloppy\n";
    for (const auto& [name, what] : list.items) {
      text += fmt::format("\\item[{{{}}}] {}\n", escape_latex(name), escape_latex(what));
    }
    return text + "\\end{description}\n";
  }
  std::string operator()(const Grid& grid) const { return untitled("", grid); }
  std::string operator()(const Details& details) const {
    return untitled(details.summary, details.grid);
  }
  std::string operator()(const TitledTable& titled) const {
    const std::string end =
        titled.emphasis.empty() ? "." : " (\\emph{" + escape_latex(titled.emphasis) + "}).";
    std::vector<std::string> caption{titled.title};
    for (const auto& paragraph : titled.notes) {
      for (const Note& note : paragraph) {
        caption.push_back(sentence(note, "Bold"));
      }
    }
    std::string result = latex_needs() + latex_tables(caption, end, titled.id, titled.grid);
    for (const TitledTable::Further& further : titled.further) {
      result += "\n" + latex_tables(
                           {further.title}, further.emphasis ? end : ".", further.id, further.grid);
    }
    return result;
  }
  static std::string untitled(const std::string& caption, const Grid& grid) {
    return latex_needs() + latex_tables({caption}, "", "untitled", grid);
  }
};

std::string write(const Document& document, const WriteOptions& /*options*/) {
  return written_parts(document, "latex", Writer());
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"latex", 3, true, write});
}

}  // namespace sar::formats::latex
