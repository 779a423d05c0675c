#pragma once

#include "results/comparison/baseline.h"
#include "results/comparison/differences.h"
#include "results/database/store.h"
#include "results/statistics/statistics.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// What is stored under one protocol.
struct StoredResults {
  std::string name;  ///< how it is called, e.g. its file
  ProtocolRow protocol;
  std::vector<TrialDice> trials;
  std::vector<RunRow> runs;
  std::vector<FrozenCell> cells = {};  ///< the same trials, with a digest of the cases behind each
  Environment environment = {};        ///< of every node behind them
};
/// Of the protocol given (a key or a unique prefix of it); if empty, of the newest under which
/// every planned trial is done, else of the newest with any result. Throws Error 4 if there is
/// none.
StoredResults stored_results(const Store& store,
                             const std::string& name,
                             const std::string& protocol = {});

/// Every field in which two protocols differ: data kind, profile, resolved configuration (shared
/// and of each method), numerics, and counts and digests of the data. Called
/// "finetune.learning_rate", "sar: network.base_channels", "data.brats.cases"; "–" where a side
/// does not have it.
std::vector<FieldDifference> protocol_differences(const ProtocolRow& base, const ProtocolRow& next);
/// What the results were made with, where the two sides differ: commit, versions of LibTorch and
/// ITK, device, machine, threads, determinism, and hosts of the finished runs. Several values of
/// one side are joined by ", ".
std::vector<FieldDifference> environment_differences(const StoredResults& base,
                                                     const StoredResults& next);

struct CompareOptions {
  std::string test = "student";     ///< student | welch | paired
  std::string correction = "none";  ///< none | holm | bh, over the tested cells
  double alpha = 0.05;
};

struct ComparedCell {
  std::string method, task, target, bucket, fraction;
  std::optional<Summary> base, next;  ///< empty: no trial on this side
  /// The same trials of the same seeds, with the same results of every case, bit for bit.
  bool identical = false;
  std::optional<double> difference;  ///< new - base, Dice points
  int pairs = 0;                     ///< trials with equal number and seed
  std::optional<TTest> test;         ///< of new - base; cells that are identical need none
  std::optional<double> p_adjusted;
  std::string reason;  ///< why there is no test, of a cell that both have and that differs
  /// Of a cell that both have, the first of these that is not the same: "trials", "Dice", "seed",
  /// "number of cases", "cases". Empty if identical.
  std::string differs_in;

  /// "sar/brats/tumor/all", with the fraction behind it where it is not 1
  [[nodiscard]] std::string name() const;
};

struct DatabaseComparison {
  std::string base_name, next_name;
  ProtocolRow base, next;
  CompareOptions options;
  std::vector<FieldDifference> protocol, environment;
  std::vector<ComparedCell> cells;  ///< every cell that either has
  int family =
      0;  ///< comparisons that p is corrected over: label fractions of the same runs are one

  [[nodiscard]] int common() const;     ///< cells that both have
  [[nodiscard]] int identical() const;  ///< of these, identical ones
  [[nodiscard]] int tested() const;
};

/// Cell by cell, new against base. student and welch: two independent samples of trials; paired:
/// the trials that have the same number and seed on both sides, at least two. No gate: a p value
/// above alpha does not show that nothing got worse. Throws Error 2 for an unknown test or
/// correction, and Error 4 if there is no cell that both have.
DatabaseComparison compare(const StoredResults& base,
                           const StoredResults& next,
                           const CompareOptions& options = {});

}  // namespace sar
