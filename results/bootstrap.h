#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace sar {

/// Dice of the cases of one trial, for a bootstrap.
struct TrialCases {
  std::vector<int> cases;      ///< numbers that name the cases; the same number is the same case
  std::vector<double> values;  ///< Dice, one per case
};

struct BootstrapOptions {
  /// crossed: every trial has the same test cases (seeds on one split); trials and cases are drawn
  /// independently. nested: each trial has test cases of its own (folds); cases are drawn within
  /// each trial that was drawn.
  bool nested = false;
  int samples = 2000;
  double level = 0.95;
  std::uint64_t seed = 0;
};

/// A percentile interval of the mean over trials of the mean over cases. Five trials are few: the
/// interval covers less often than its level says (the tests state how often).
struct BootstrapInterval {
  double estimate = 0, low = 0, high = 0;
  int samples = 0;
};
/// Throws Error 2 for no trial, a trial without cases, lists of unequal length, crossed trials with
/// different cases, or samples < 1; Error 65 for a value that is not finite.
BootstrapInterval bootstrap_mean(std::span<const TrialCases> trials,
                                 const BootstrapOptions& options = {});
/// The same of the difference a - b. Crossed cases that both have are drawn together.
BootstrapInterval bootstrap_difference(std::span<const TrialCases> a,
                                       std::span<const TrialCases> b,
                                       const BootstrapOptions& options = {});

}  // namespace sar
