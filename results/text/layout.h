#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sar {

/// Columns of a terminal that text output keeps within.
constexpr std::size_t kTextWidth = 100;

/// Columns that a UTF-8 text takes, each character counted as one.
std::size_t display_width(std::string_view text);

/// The text if it takes at most `width` columns, else its beginning and an ellipsis.
std::string cut_to(const std::string& text, std::size_t width);

/// "1 row", "3 rows".
std::string counted(std::size_t number, const std::string& noun);
/// "1 row fails", "3 rows fail".
std::string counted(std::size_t number, const std::string& one, const std::string& many);

/// Breaks a text at blanks into lines within `kTextWidth`; longer words stand alone. Every line is
/// indented; the first begins with `mark`, the others below its text. Ends with a line feed.
std::string wrapped(const std::string& text, std::size_t indent = 0, const std::string& mark = {});

/// Replaces each occurrence of a first text by its second, in one pass; the earlier entry wins.
std::string replace_all(std::string_view text,
                        const std::vector<std::pair<std::string_view, std::string_view>>& table);

}  // namespace sar
