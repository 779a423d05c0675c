#pragma once

#include "results/claims/claim_comparisons.h"

#include <optional>
#include <set>
#include <string>

namespace sar {

/// The numbers that a paper's sentences speak of, from the paper itself or from stored runs.
class CellNumbers {
 public:
  /// Both must outlive it.
  CellNumbers(const Paper& paper, const CellSource& source) : paper_(paper), source_(source) {}

  /// The number of a cell, in the table named or in any other; the mean over a task's targets
  /// follows from them where no table prints it. A number that is not there says why.
  [[nodiscard]] ComparedNumber at(CellPath path) const;

 private:
  /// Sets the table of the path to the one that the number is in.
  std::optional<CellNumber> look_up(CellPath& path) const;
  /// The mean over a task's targets, all of one table: the path's own, or where that prints none of
  /// them, the first that prints all.
  bool derive_average(const CellPath& path, ComparedNumber& found) const;
  bool average_in(const PrintedTable& table,
                  const CellPath& path,
                  const std::set<std::string>& targets,
                  ComparedNumber& found) const;
  [[nodiscard]] std::string missing(const CellPath& path) const;

  const Paper& paper_;
  const CellSource& source_;
};

}  // namespace sar
