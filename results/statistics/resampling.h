#pragma once

// Pieces of resampling with replacement; for bootstrap.cpp and rank_stability.cpp.

#include "harness/core/rng.h"

#include <cstdint>
#include <numeric>
#include <vector>

namespace sar {

/// How often each of n things is drawn in n draws with replacement.
inline std::vector<int> draw_counts(Rng& rng, std::size_t n) {
  std::vector<int> counts(n);
  for (std::size_t i = 0; i < n; ++i) {
    ++counts[rng.below(static_cast<std::uint32_t>(n))];
  }
  return counts;
}

/// Mean of values of which each counts as often as it was drawn; the counts add up to their number.
inline double weighted_mean(const std::vector<double>& values, const std::vector<int>& counts) {
  return std::inner_product(values.begin(), values.end(), counts.begin(), 0.0) /
         static_cast<double>(values.size());
}

}  // namespace sar
