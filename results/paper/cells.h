#pragma once

#include "results/database/store.h"
#include "results/paper/paper.h"
#include "results/statistics/statistics.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Names one cell of a table of Dice, as every command and file writes it.
struct CellPath {
  std::string table, method, task, target, bucket = "all", fraction = "1";

  /// "table2/genesis/brats/tumor/L"; the fraction follows where it is not 1:
  /// "table4/sar/pancreas/average/all/1/10".
  [[nodiscard]] std::string text() const;
  /// The column alone: "brats/tumor/L", "pancreas/average/all/1/10".
  [[nodiscard]] std::string column() const;
  /// As `find_column` takes it: without headings.
  [[nodiscard]] TableColumn table_column() const;
  friend bool operator==(const CellPath&, const CellPath&) = default;
};
/// Reads what `text()` writes. Throws Error 2 for anything else.
CellPath parse_cell_path(const std::string& text);

/// What is known of one cell.
struct CellNumber {
  Summary summary;             ///< n = 0: the mean is there, over an unknown number
  double mean_half_unit = 0;   ///< half a unit of the last printed digit; 0: not rounded
  double sd_half_unit = 0;     ///< as above
  std::vector<double> trials;  ///< the values behind the mean, by trial; empty if printed
};

/// Where the numbers of cells come from: a paper, or stored runs of one protocol.
struct CellSource {
  std::string name;       ///< published | measured
  std::string data_kind;  ///< of measured numbers: phantom | real
  std::string protocol;   ///< of measured numbers
  std::function<std::optional<CellNumber>(const CellPath&)> find;
};
/// The paper must outlive the source.
CellSource published_cells(const Paper& paper);
/// From rows that were read before; the table of a path does not matter, as all tables of one
/// protocol share its trials.
CellSource measured_cells(std::vector<TrialDice> trials, const ProtocolRow& protocol);

}  // namespace sar
