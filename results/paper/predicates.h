#pragma once

#include "results/paper/claims.h"
#include "results/paper/paper.h"

#include <cstddef>
#include <string>
#include <vector>

namespace sar {

// What sentences of a paper say about printed numbers, decided once for all who ask.

/// Slack of sums of printed numbers: far above the rounding of doubles, far below a printed digit.
constexpr double kSumSlack = 1e-9;

/// Do two numbers agree, each known within its half unit, `slack` being their sum? Bounds included.
bool within_rounding(double a, double b, double slack);
/// Is a number in the text printed with as many decimals as a value with this half unit? Then it is
/// a quotation of it, and repeats every digit.
bool is_quotation(const PrintedNumber& said, double half_unit);
/// Does a number in the text repeat a value: digit by digit as a quotation, else within both
/// roundings?
bool repeats(const PrintedNumber& said, double value, double half_unit);
bool repeats(const PrintedNumber& said, const PrintedNumber& printed);

/// A data set as a paper's table prints it, or as stored data count it.
struct DataSetCounts {
  std::string dataset, label, modality, organ;
  long cases = 0;           ///< patients or scans: 190 of "190x4"
  long volumes = 0;         ///< 760 of "190x4"
  std::vector<long> cubes;  ///< per scale
};
/// Those of a paper's table, in its order.
std::vector<DataSetCounts> printed_counts(const Paper& paper);
/// The data sets that the claim's `where` keeps, by position; all without one.
std::vector<std::size_t> data_sets_of(const std::vector<DataSetCounts>& sets, const Claim& claim);

/// What data sets say to the `what` of a claim of the kind count.
struct DataCount {
  std::vector<std::size_t> sets;  ///< that `where` keeps
  /// Cases, volumes, cubes or scales of each of them; empty where values are counted.
  std::vector<long> numbers;
  /// Data sets, modalities or organs, each once, after `regard`, in the order of the table.
  std::vector<std::string> values;
  long number = 0;       ///< sum of `numbers` or number of `values`; scales: of the last data set
  bool differs = false;  ///< the data sets do not all have so many scales

  [[nodiscard]] bool agrees_with(const PrintedNumber& said) const;
};
DataCount count_of(const std::vector<DataSetCounts>& sets, const Claim& claim);

/// Whole numbers divided by their greatest common divisor.
std::vector<long> proportions(std::vector<long> numbers);
/// Are the numbers in this ratio, in some order? No numbers are in none.
bool in_ratio(std::vector<long> numbers, std::vector<long> ratio);

/// What a split of so many cases in a ratio leaves to the first part.
double first_part(double cases, const std::vector<long>& ratio);
/// Is a number of cases what a split leaves, give or take less than one case?
bool is_part(double part, double cases);

}  // namespace sar
