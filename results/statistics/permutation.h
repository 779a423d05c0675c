#pragma once

#include <cstdint>
#include <span>
#include <string>

namespace sar {

struct PermutationOptions {
  bool paired = false;            ///< flip signs of differences instead of exchanging groups
  double most_exact = 2'000'000;  ///< enumerate up to so many arrangements
  int samples = 100'000;          ///< else draw so many (Monte Carlo),
  double most_drawn = 1e9;        ///< fewer if that were more values in all than this
  std::uint64_t seed = 0;
};

/// Permutation test of the difference of means, two-sided.
struct PermutationTest {
  bool testable = false;
  std::string reason;
  double difference = 0;  ///< mean a - mean b
  double p = 1;           ///< exact: share of arrangements at least as far from 0; Monte Carlo:
                          ///< (hits + 1) / (samples + 1), or the floor if that is larger
  double floor = 1;       ///< the least p that these numbers of values could give: two
                          ///< arrangements of all for pairs and for groups of one size, one for
                          ///< groups of unequal size; Monte Carlo: at least 1 / (samples + 1)
  bool exact = false;
  double arrangements = 0;  ///< enumerated or drawn
};
/// Throws Error 2 if paired lists differ in length, samples < 1, or there are so many values that
/// not even 999 arrangements of them (or `samples`) may be drawn; n < 2, values that are not
/// finite, groups whose values are all equal and pairs without any difference are not testable.
/// Arrangements that differ from the observed one by rounding alone count as equal to it.
PermutationTest permutation_test(std::span<const double> a,
                                 std::span<const double> b,
                                 const PermutationOptions& options = {});

}  // namespace sar
