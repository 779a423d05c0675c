#pragma once

#include "results/claims/claim_verdicts.h"
#include "results/paper/cells.h"

#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace sar {

/// One side of a comparison.
struct ComparedNumber {
  std::string label;               ///< "sar"
  CellNumber number;               ///< Dice in percent, steps or a loss
  std::vector<std::string> cells;  ///< where it comes from
  std::string missing;             ///< why there is none; empty if there is one
  int digits = 2;                  ///< decimals to show

  [[nodiscard]] double mean() const { return number.summary.mean; }
  [[nodiscard]] std::string text() const;  ///< "sar 78.10"
};

/// "`high` is above `low`".
struct Comparison {
  ComparedNumber high, low;
  std::string where;          ///< "brats/tumor/S"
  std::string unit;           ///< of the difference; empty for Dice points
  bool at_least = false;      ///< "at least as good": tested as not worse by the margin
  bool expect_equal = false;  ///< "not significantly different"
  bool counts = true;         ///< as in ClaimEvidence

  [[nodiscard]] double difference() const { return high.mean() - low.mean(); }
  [[nodiscard]] double slack() const;  ///< half units of both means
  /// Why a number is missing; empty if both are there.
  [[nodiscard]] const std::string& missing() const;
};

/// p of the chosen test at the numbers themselves and over the box of their roundings.
struct ComparisonP {
  std::string reason;  ///< why there is none; empty if there is one
  double p = 1, low = 1, high = 1;
  double floor = 0;                      ///< least p that the test could give with so many values
  std::optional<double> student, welch;  ///< two-sided
};

/// Tests comparisons as the options say.
class ComparisonTests {
 public:
  explicit ComparisonTests(const ClaimOptions& options) : options_(options) {}

  /// Two-sided p of the chosen test; one-sided p of "worse by the margin" where `at_least`. Over
  /// the box: the bounds of rounding_box.h. Each pair of cells is tested once, as many sentences
  /// compare the same ones.
  const ComparisonP& test(const Comparison& comparison);
  /// Every p (and floor) corrected over the family. What cannot be tested has no p and is left out
  /// of the family.
  [[nodiscard]] std::vector<ComparisonP> adjusted(std::vector<ComparisonP> family) const;
  /// "p = 0.010 [0.009, 0.011] (Welch 0.018)".
  [[nodiscard]] std::string text(const Comparison& comparison, const ComparisonP& tested) const;

 private:
  [[nodiscard]] ComparisonP run(const Comparison& comparison) const;
  [[nodiscard]] ComparisonP run_permutation(const Comparison& comparison) const;
  [[nodiscard]] ComparisonP run_margin(const Comparison& comparison) const;
  void search_box(const Comparison& comparison, ComparisonP& tested) const;

  const ClaimOptions& options_;
  using Cells = std::vector<std::string>;
  std::map<std::tuple<Cells, Cells, std::string, bool>, ComparisonP> tests_;
};

/// Does the direction hold for all values within the roundings?
Outcome direction(const Comparison& comparison);
/// Is the direction shown with p below alpha, for all values within the roundings? A direction that
/// is not there fails without a test; where the floor of the test is not below alpha it is open.
Outcome significance(const Comparison& comparison, const ComparisonP& tested, double alpha);

}  // namespace sar
