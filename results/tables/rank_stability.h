#pragma once

#include "results/database/store.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sar {

struct RankedMethod {
  std::string method, label;
  double mean = 0;  ///< Dice in percent, of the trials and cases drawn from: mean over trials of
                    ///< the mean over cases
  /// As measured, 1 is best; equal means (to 1e-9 Dice points) share the mean of their ranks.
  double rank = 0;
  /// Share of the samples in which the method takes rank 1, 2, ... (methods.size() entries, sum 1);
  /// methods that tie in a sample share its ranks equally.
  std::vector<double> share;
  /// Percentile interval of the rank, level as asked: the least ranks that at least (1 - level) / 2
  /// and (1 + level) / 2 of the samples do not exceed. Ranks are few, so nothing is interpolated.
  double rank_low = 0, rank_high = 0;
};
/// One column of a results table, ranked: would the order of the methods be the same with other
/// trials and other test cases?
struct RankStability {
  TableColumn column;
  std::vector<RankedMethod> methods;  ///< in the order of the table
  int trials = 0, cases = 0;          ///< drawn from: least number of trials, distinct cases
  bool nested = false;                ///< each trial has test cases of its own (folds)
  int samples = 0;
  double level = 0.95;
  std::uint64_t seed = 0;
  /// Mean Kendall's tau-b between a sample's means and the measured ones. Where all means of either
  /// are equal there is no order to agree with, and tau-b counts as 0.
  double agreement = 0;
  /// Share of the samples in which the measured best method is best; ties count by their share, and
  /// several measured best ones together.
  double same_first = 0;
  std::string reason;  ///< why there is nothing to draw; then `methods` is empty
};

struct RankStabilityOptions {
  int samples = 1000;
  double level = 0.95;
  std::uint64_t seed = 0;
};

/// Draws trials and cases anew as bootstrap.h does and ranks the methods in each sample. After
/// M. Wiesenfarth et al., "Methods and open-source toolkit for analyzing and visualizing challenge
/// results" (Scientific Reports 11, 2021), who draw cases.
///
/// Crossed, where all trials of each method have the same test cases (seeds on one split): trials
/// are drawn for each method, as seeds of different trainings have nothing in common; cases once
/// for all methods, from those that all trials of all methods have. (With fewer labels the trials
/// of one number do share their training cases across methods. To draw them apart widens the
/// intervals.) Nested otherwise (folds): folds, and cases within each drawn one, are drawn once for
/// all methods, from the folds and cases that all methods have.
///
/// `cases`: rows of any methods and columns; those of `column` and `rows` are used. The bucket
/// "all" takes the cases of all buckets; the target "average" is the mean over the targets of the
/// task, of the cases that have every target. Methods without a trial are left out. Draws are keyed
/// by sample and, for trials of crossed methods, by method: neither the order of rows nor another
/// method with the same cases changes those of a method.
///
/// Few trials and cases vary less than new ones would, as with every bootstrap (see bootstrap.h).
///
/// Throws Error 2 for samples < 1, a level outside (0, 1), and a case that a trial has twice;
/// Error 65 for a Dice that is not finite.
RankStability rank_stability(const std::vector<CaseRow>& cases,
                             const std::vector<TableRow>& rows,
                             const TableColumn& column,
                             const RankStabilityOptions& options = {});

/// One line per column and method: mean, rank, its interval, and the share of the samples of each
/// rank in percent; notes say what was drawn and how, and why a column is not ranked.
Sheet rank_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<RankStability>& columns);

}  // namespace sar
