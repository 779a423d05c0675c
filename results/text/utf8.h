#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace sar {

/// One character of a UTF-8 text.
struct Character {
  std::string_view bytes;         ///< as they stand in the text
  std::optional<char32_t> point;  ///< none: a single byte that is not UTF-8
};
/// Takes the first character off a text, which must not be empty.
Character take_character(std::string_view& text);

/// True for what shows in a line of text; false for controls, line ends, marks that turn the
/// direction of writing, the byte order mark, and what Unicode reserves as no character.
bool is_printable(char32_t point);

/// The text without the byte order mark that some programs write first.
std::string without_byte_order_mark(std::string text);

/// Where the character begins that `place` lies in; the size of the text if it lies behind it.
std::size_t character_at(std::string_view text, std::size_t place);

/// The text with U+FFFD for each byte that XML 1.0 cannot carry: not UTF-8, controls but tab and
/// line ends, U+FFFE and U+FFFF.
std::string xml_safe(const std::string& text);

}  // namespace sar
