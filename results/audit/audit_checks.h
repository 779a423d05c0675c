#pragma once

// The checks of an audit; for results/audit*.cpp alone.

#include "results/audit/audit.h"
#include "results/paper/cells.h"
#include "results/text/layout.h"

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sar::audit_detail {

/// Of sums of a few numbers below 1000 in double arithmetic; far below half a printed digit.
constexpr double kSumRounding = 1e-9;

/// What is audited.
struct Subject {
  const Paper& paper;
  const std::vector<Claim>& claims;
  const AuditOptions& options;
};

/// What one check did and found.
struct Outcome {
  CheckReport report;
  std::vector<Finding> findings;
};

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

/// Digits after the decimal point.
int decimals(const PrintedNumber& number);
/// "section 4.0.1", "abstract".
std::string section_of(const Claim& claim);
CheckReport report(const std::string& check, bool applicable, std::string summary, Json values);

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
std::vector<BucketWeights> bucket_weights_of(const Paper& paper);

Outcome check_duplicates(const Subject& subject);
Outcome check_range(const Subject& subject);
Outcome check_cross_table(const Subject& subject);
/// `duplicates`: findings that may point at the cell that slipped.
Outcome check_bucket_weights(const Subject& subject,
                             const std::vector<BucketWeights>& groups,
                             const std::vector<Finding>& duplicates);
Outcome check_sd_bound(const Subject& subject, const std::vector<BucketWeights>& groups);
Outcome check_significance(const Subject& subject);
Outcome check_text(const Subject& subject);
Outcome check_bold(const Subject& subject);
Outcome check_counts(const Subject& subject);
Outcome check_monotone(const Subject& subject);
Outcome check_derived_average(const Subject& subject);

}  // namespace sar::audit_detail
