#include "results/document/grid.h"

#include "results/text/layout.h"

namespace sar {

std::vector<std::vector<CellText>> plain_cells(const std::vector<std::vector<std::string>>& rows) {
  std::vector<std::vector<CellText>> result;
  for (const auto& row : rows) {
    std::vector<CellText>& cells = result.emplace_back();
    for (const std::string& text : row) {
      cells.push_back({text, "", false});
    }
  }
  return result;
}

Grid with_blanks(Grid grid) {
  for (auto& row : grid.rows) {
    for (std::size_t column = grid.text_columns; column < row.size(); ++column) {
      row[column].value = replace_all(row[column].value, {{"±", " ± "}});
    }
  }
  return grid;
}

}  // namespace sar
