#pragma once

#include "results/store.h"
#include "results/table.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sar {

/// One column of a results table, ranked: would the order of the methods be the same with other
/// trials and other test cases?
struct RankedMethod {
  std::string method, label;
  double mean = 0;  ///< Dice in percent over trials of the mean over cases
  double rank = 0;  ///< as measured, 1 is best; equal means share the mean of their ranks
  /// Share of the samples in which the method takes rank 1, 2, ... (methods.size() entries, sum 1);
  /// methods that tie in a sample share its ranks equally.
  std::vector<double> share;
  double rank_low = 0, rank_high = 0;  ///< percentile interval of the rank, level as asked
};
struct RankStability {
  TableColumn column;
  std::vector<RankedMethod> methods;  ///< in the order of the table
  int trials = 0, cases = 0;          ///< drawn from: least number of trials, distinct cases
  bool nested = false;                ///< each trial has test cases of its own (folds)
  int samples = 0;
  double level = 0.95;
  double agreement = 0;   ///< mean Kendall's tau-b between a sample's means and the measured ones
  double same_first = 0;  ///< share of the samples in which the measured best method is best
  std::string reason;     ///< why there is nothing to draw; then `methods` is empty
};

struct RankStabilityOptions {
  int samples = 1000;
  double level = 0.95;
  std::uint64_t seed = 0;
};

/// Draws trials and cases anew as bootstrap.h does (crossed where all trials of a method have the
/// same test cases, nested otherwise), the same cases for every method in a sample, since all
/// methods are tested on the same ones; ranks the methods in each sample. After M. Wiesenfarth et
/// al., "Methods and open-source toolkit for analyzing and visualizing challenge results"
/// (Scientific Reports 11, 2021). `cases`: rows of any methods and columns; those of `column` and
/// `rows` are used. Methods without a trial are left out.
RankStability rank_stability(const std::vector<CaseRow>& cases,
                             const std::vector<TableRow>& rows,
                             const TableColumn& column,
                             const RankStabilityOptions& options = {});

}  // namespace sar
