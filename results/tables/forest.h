#pragma once

#include "results/document/sheet.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// The reference against one method: difference of means with its confidence interval.
struct ForestRow {
  std::string method, label;
  /// Dice in percent, SDs by n - 1. n = 0 where there is no value, and beside a mean whose n the
  /// paper does not say.
  Summary reference, row;
  /// reference - row, of the table's test and level; empty where either has no value. Not testable:
  /// `reason` says why, and of the numbers only `difference` means something.
  std::optional<TTest> test;
  std::optional<double> p_adjusted;  ///< as the table's correction says
};
struct ForestPanel {
  TableColumn column;
  std::string name;             ///< column as the table's tests call it
  std::vector<ForestRow> rows;  ///< the reference's own row left out
};
/// One panel per column of a table, from the same means, SDs and n as the table's own tests: equal
/// p and degrees of freedom, t and Hedges' g with the sign turned. The reference must be a row of
/// the table, or nothing is compared.
std::vector<ForestPanel> forest(const Table& table);

/// One line per comparison: means, difference, its interval, p. Either list may be empty; with both
/// a column says which numbers are meant. `table`: whose test, correction, alpha and reference the
/// panels have.
Sheet forest_sheet(const std::string& id,
                   const std::string& title,
                   const std::vector<ForestPanel>& measured,
                   const std::vector<ForestPanel>& published,
                   const Table& table);

}  // namespace sar
