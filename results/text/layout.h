#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sar {

/// Columns of a terminal that text output keeps within.
constexpr std::size_t kTextWidth = 100;

/// Columns that a UTF-8 text takes, each code point counted as one.
std::size_t display_width(const std::string& text);

/// "1 row", "3 rows".
std::string counted(std::size_t number, const std::string& noun);

/// Breaks a text at blanks into lines within `kTextWidth`; longer words stand alone. Every line is
/// indented; the first begins with `mark`, the others below its text. Ends with a line feed.
std::string wrapped(const std::string& text, std::size_t indent = 0, const std::string& mark = {});

/// Replaces each occurrence of a first text by its second, in one pass; the earlier entry wins.
std::string replace_all(std::string_view text,
                        const std::vector<std::pair<std::string_view, std::string_view>>& table);

/// Plain text as LaTeX text for pdflatex without further packages: special characters escaped,
/// Greek letters and signs in mathematics, letters with accents as they are. Other characters
/// become "U+4E2D", bytes that are no UTF-8 a question mark, control characters blanks.
std::string escape_latex(const std::string& text);

}  // namespace sar
