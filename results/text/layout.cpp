#include "results/text/layout.h"

#include "results/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>

namespace sar {

std::size_t display_width(std::string_view text) {
  std::size_t width = 0;
  for (; !text.empty(); ++width) {
    take_character(text);
  }
  return width;
}

std::string cut_to(const std::string& text, std::size_t width) {
  if (display_width(text) <= width) {
    return text;
  }
  std::string_view rest = text;
  for (std::size_t columns = 1; columns < width; ++columns) {
    take_character(rest);
  }
  return text.substr(0, text.size() - rest.size()) + "…";
}

std::string counted(std::size_t number, const std::string& noun) {
  return counted(number, noun, noun + "s");
}

std::string counted(std::size_t number, const std::string& one, const std::string& many) {
  return fmt::format("{} {}", number, number == 1 ? one : many);
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

}  // namespace sar
