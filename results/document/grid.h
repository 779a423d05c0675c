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
  bool text_at_end = false;                                 ///< the last column is one as well
};

/// The same rows without marks.
std::vector<std::vector<CellText>> plain_cells(const std::vector<std::vector<std::string>>& rows);

/// "78.10 ± 3.20" for "78.10±3.20" in columns of numbers, where there is room.
Grid with_blanks(Grid grid);

}  // namespace sar
