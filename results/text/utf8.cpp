#include "results/text/utf8.h"

#include <utf8cpp/utf8.h>

namespace sar {

Character take_character(std::string_view& text) {
  const char* end = text.data();
  std::optional<char32_t> point;
  try {
    point = static_cast<char32_t>(utf8::next(end, text.data() + text.size()));
  } catch (const utf8::exception&) {
    end = text.data() + 1;
  }
  const auto length = static_cast<std::size_t>(end - text.data());
  const Character first{text.substr(0, length), point};
  text.remove_prefix(length);
  return first;
}

std::size_t character_at(std::string_view text, std::size_t place) {
  std::size_t begin = 0;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t length = take_character(rest).bytes.size();
    if (begin + length > place) {
      break;
    }
    begin += length;
  }
  return begin;
}

std::string xml_safe(const std::string& text) {
  std::string result;
  for (std::string_view rest = text; !rest.empty();) {
    const auto [bytes, point] = take_character(rest);
    const bool control =
        point && *point < 0x20 && *point != '\t' && *point != '\n' && *point != '\r';
    if (!point || control || *point == 0xFFFE || *point == 0xFFFF) {
      for (std::size_t i = 0; i < bytes.size(); ++i) {
        result += "\xEF\xBF\xBD";
      }
    } else {
      result += bytes;
    }
  }
  return result;
}

}  // namespace sar
