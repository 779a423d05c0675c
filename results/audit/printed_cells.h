#pragma once

// Printed cells and what checks say of them; for results/audit/ alone.

#include "results/paper/cells.h"
#include "results/paper/claims.h"
#include "results/paper/paper.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sar::audit_checks {

/// One printed cell and where it stands.
struct Place {
  const PrintedTable* table = nullptr;
  std::size_t row = 0, column = 0;

  [[nodiscard]] const PrintedCell& cell() const { return table->cells[row][column]; }
  [[nodiscard]] const TableRow& method() const { return table->spec.rows[row]; }
  [[nodiscard]] const TableColumn& head() const { return table->spec.columns[column]; }
  [[nodiscard]] CellPath path() const;
  [[nodiscard]] std::string text() const;         ///< "85.62±1.27"
  [[nodiscard]] std::string column_name() const;  ///< "TumorL"; with its group if not unique
};
/// All cells of all tables of Dice, table by table, row by row.
std::vector<Place> all_places(const Paper& paper);
/// The cell of a path, or a Place without a table.
Place find_place(const Paper& paper, const CellPath& path);

/// The cells of one column of a table.
std::vector<Place> column_of(const PrintedTable& table, std::size_t column);

std::vector<std::string> paths(const std::vector<Place>& places);
/// "SAR", "SAR and Jig", "SAR, Jig and Rot".
std::string labels(const std::vector<Place>& places);

/// Digits after the decimal point.
int decimals(const PrintedNumber& number);
/// "section 4.0.1", "abstract".
std::string section_of(const Claim& claim);
/// The same to begin a sentence with: "Section 4.0.1".
std::string sentence_start(const Claim& claim);

/// Printed numbers as whole multiples of half a unit of the last digit of the finest among them, so
/// that sums of them and the ends of rounding intervals are exact.
class Grid {
 public:
  explicit Grid(const std::vector<const PrintedNumber*>& numbers);
  [[nodiscard]] long value(const PrintedNumber& number) const;
  [[nodiscard]] long half(const PrintedNumber& number) const;
  [[nodiscard]] double real(double units) const { return units / scale_; }

 private:
  double scale_ = 1;
};

}  // namespace sar::audit_checks
