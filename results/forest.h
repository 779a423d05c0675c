#pragma once

#include "results/statistics.h"
#include "results/table.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// The reference against one method: difference of means with its confidence interval.
struct ForestRow {
  std::string method, label;
  Summary reference, row;     ///< Dice in percent
  std::optional<TTest> test;  ///< reference - row, of the table's test and level; empty: no values
  std::optional<double> p_adjusted;  ///< as the table's correction says
};
struct ForestPanel {
  TableColumn column;
  std::string name;             ///< column as the table's tests call it
  std::vector<ForestRow> rows;  ///< the reference's own row left out
};
/// One panel per column of a table, from the same means, SDs and n as the table's own tests.
std::vector<ForestPanel> forest(const Table& table);

}  // namespace sar
