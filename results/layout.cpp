#include "results/layout.h"

#include <algorithm>

namespace sar {

std::size_t display_width(const std::string& text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char byte) {
    return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
  }));
}

std::string wrapped(const std::string& text, std::size_t indent, const std::string& mark) {
  const std::string hanging(indent + display_width(mark), ' ');
  std::string result;
  std::string line = std::string(indent, ' ') + mark;
  bool fresh = true;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    const std::string word = text.substr(from, to - from);
    if (!fresh && display_width(line) + 1 + display_width(word) > kTextWidth) {
      result += line + "\n";
      line = hanging;
      fresh = true;
    }
    line += (fresh ? "" : " ") + word;
    fresh = false;
    from = to + 1;
  }
  return result + line + "\n";
}

std::string replace_all(std::string_view text,
                        const std::vector<std::pair<std::string_view, std::string_view>>& table) {
  std::string result;
  while (!text.empty()) {
    const auto found = std::find_if(table.begin(), table.end(), [&](const auto& entry) {
      return text.starts_with(entry.first);
    });
    if (found == table.end()) {
      result += text.front();
      text.remove_prefix(1);
    } else {
      result += found->second;
      text.remove_prefix(found->first.size());
    }
  }
  return result;
}

std::string escape_latex(const std::string& text) {
  return replace_all(text,
                     {{"\\", "\\textbackslash{}"},
                      {"&", "\\&"},
                      {"%", "\\%"},
                      {"$", "\\$"},
                      {"#", "\\#"},
                      {"_", "\\_"},
                      {"{", "\\{"},
                      {"}", "\\}"},
                      {"~", "\\textasciitilde{}"},
                      {"^", "\\textasciicircum{}"},
                      {"<", "$<$"},
                      {">", "$>$"},
                      {"±", "$\\pm$"},
                      {"†", "$\\dagger$"},
                      {"×", "$\\times$"},
                      {"–", "--"},
                      {"−", "$-$"},
                      {"√", "$\\surd$"},
                      {"…", "\\dots{}"},
                      {"\n", " "}});
}

}  // namespace sar
