#include "results/text/utf8.h"

#include <utf8cpp/utf8.h>

#include <iterator>

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

bool is_printable(char32_t point) {
  const auto within = [point](char32_t first, char32_t last) {
    return point >= first && point <= last;
  };
  return !within(0, 0x1F) && !within(0x7F, 0x9F) && !within(0x200E, 0x200F) &&
         !within(0x2028, 0x202E) && !within(0x2066, 0x2069) && point != 0xFEFF &&
         (point & 0xFFFEU) != 0xFFFE;
}

std::string without_byte_order_mark(std::string text) {
  if (utf8::starts_with_bom(text.begin(), text.end())) {
    text.erase(0, 3);
  }
  return text;
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
        utf8::append(0xFFFD, std::back_inserter(result));
      }
    } else {
      result += bytes;
    }
  }
  return result;
}

}  // namespace sar
