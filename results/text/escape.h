#pragma once

#include <string>

namespace sar {

// Plain text as text of a format: nothing in it is markup, and a reader sees what was written.

/// In a line or a table's cell of Markdown; line feeds become blanks. `ampersands`: as "&amp;",
/// else as they are.
std::string escape_markdown(const std::string& text, bool ampersands = true);

/// Between tags and in attributes in double quotes.
std::string escape_html(const std::string& text);

/// In elements and attributes of XML 1.0; line ends as references, U+FFFD as `xml_safe` says.
std::string escape_xml(const std::string& text);

/// A field of RFC 4180, quoted where it has to be.
std::string escape_csv(const std::string& text);

/// For pdflatex without further packages: special characters escaped, Greek letters and signs in
/// mathematics, letters with accents as they are. Other characters become "U+4E2D", bytes that are
/// not UTF-8 a question mark, control characters blanks.
std::string escape_latex(const std::string& text);

}  // namespace sar
