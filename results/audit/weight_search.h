#pragma once

// The weights of a bucket group as the printed means show them; for results/audit/ alone.

#include "results/audit/printed_cells.h"
#include "results/paper/paper.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sar::audit_checks {

/// A split of the test cases over the parts of a bucket group.
using Split = std::vector<long>;

/// One row of a bucket group: the same method with equal numbers in several tables is one row.
struct BucketRow {
  std::vector<Place> parts;  ///< in the order of the group
  Place whole;
  std::vector<std::string> cells;  ///< paths of all of them, those of further tables behind
  bool fits_best = false;          ///< fits one of the best splits
  bool fits_any = false;           ///< fits some split
};

/// Weights of a bucket group as the printed means show them.
struct BucketWeights {
  const BucketGroup* group = nullptr;
  std::vector<BucketRow> rows;
  long from = 0, to = -1;   ///< numbers of test cases whose splits were all tried
  std::size_t most = 0;     ///< rows that a best split fits
  std::vector<Split> best;  ///< all that fit so many, if three or more; the closest first
  Split runner_up;          ///< next in number of rows, then in closeness; may be empty
  std::size_t runner_up_rows = 0;
  double by_chance = 0;   ///< splits that chance would let fit so many rows, as expected
  bool majority = false;  ///< at least three rows and half of them share a best split
  bool shared = false;    ///< so do they, and chance does not explain it
  long others_to = 0;     ///< other numbers of test cases that were tried
  std::vector<std::pair<long, std::size_t>> others;  ///< those that fit as many rows, with rows
  std::size_t any_rows = 0;  ///< rows that weights of any kind fit; 0: too many to try
  std::vector<std::vector<double>> corners;  ///< of the sets of weights that fit so many
  std::size_t better_rows = 0;  ///< rows that `better` fits if more than `most`, else 0
  std::string better;           ///< "a split of 94 cases"; then no row is judged by `best`
};
/// Tries every split of the stated numbers of test cases, or of a range of numbers, other numbers,
/// and weights of any kind.
std::vector<BucketWeights> bucket_weights_of(const Paper& paper);
/// Splits of one question that are tried at most.
constexpr double kMostSplits = 5e6;

/// Bounds of one row: a split w fits if sum of w[i] low[i] <= 0 <= sum of w[i] high[i], which is
/// |sum of w[i] m[i] - N m_all| <= N half_all + sum of w[i] half[i], exactly.
struct Bounds {
  std::vector<long> low, high;

  Bounds(const BucketRow& row, const Grid& grid);
  [[nodiscard]] bool fits(const Split& split) const;
  /// Distance of the weighted mean from the whole, in units of the grid.
  [[nodiscard]] double misfit(const Split& split) const;
};
/// One grid for the means of all rows.
Grid grid_of(const std::vector<BucketRow>& rows);
std::vector<Bounds> bounds_of(const std::vector<BucketRow>& rows, const Grid& grid);
std::size_t rows_fitting(const std::vector<Bounds>& rows, const Split& split);

/// The parts, and after them the whole.
std::vector<Place> places_of(const BucketRow& row);
/// Test cases of a split.
long sum_of(const Split& split);
/// "(23, 49, 23)"
std::string show(const Split& split);
/// "(23 × 74.36 + 49 × 85.67 + 23 × 85.62) / 95"
std::string weighted_sum(const Split& split, const std::vector<std::string>& numbers);
/// "brats/tumor"
std::string group_name(const BucketGroup& group);
/// "brats/tumor:genesis"; with the table where several print the method differently.
std::string row_id(const BucketWeights& weights, const BucketRow& row);

}  // namespace sar::audit_checks
