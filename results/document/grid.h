#pragma once

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// One cell of a table as every laid-out format shows it, before any markup.
struct CellText {
  std::string value;  ///< "78.10±3.20", "78.10" without an SD, "–" without a mean
  std::string marks;  ///< "†", " (3/5)", "† (3/5)" or nothing; beside the value
  bool best = false;  ///< to be set apart, e.g. in bold
};

/// What of a table every laid-out format shows, before any markup.
struct Grid {
  std::vector<std::pair<std::string, std::size_t>> groups;  ///< label and number of columns
  std::vector<std::string> header;                          ///< with the row heading
  std::vector<std::vector<CellText>> rows;                  ///< as long as the header
  std::size_t text_columns = 1;                             ///< left-aligned ones
};

/// The grid as one or more LaTeX tables, for a document that uses booktabs and nothing else, with
/// the text width of article. What is too wide gets smaller type and narrower gaps, then broken
/// lines in its text columns, then further tables for some of its groups or columns; what is too
/// long for a page goes on in further tables. `caption` is
/// plain text of several sentences, of which a further table repeats the first alone; `note` is
/// LaTeX that follows that first one. `label`: of the first table, after "tab:".
std::string latex_tables(const std::vector<std::string>& caption,
                         const std::string& note,
                         const std::string& label,
                         const Grid& grid);

/// The line that says what a document needs for these tables.
std::string latex_needs();

}  // namespace sar
