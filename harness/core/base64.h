#pragma once

#include <string>
#include <string_view>

namespace sar {

/// Base64 of RFC 4648 with padding, on one line.
std::string base64(std::string_view bytes);

/// The bytes of a text in base64. Strict: no blanks, no missing padding, no bits beyond the last
/// byte, so that one text alone stands for given bytes. Throws Error 65.
std::string from_base64(std::string_view text);

}  // namespace sar
