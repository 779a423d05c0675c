#pragma once

#include <optional>
#include <span>
#include <string>

namespace sar {

/// Kendall's tau-b between two lists, with its two-sided permutation p.
struct RankAgreement {
  bool testable = false;
  std::string reason;
  double tau_b = 0;
  double p = 1;        ///< share of permutations with |tau-b| at least as large
  double floor = 1;    ///< the least p that these lists could give
  bool exact = false;  ///< else Monte Carlo
};
/// tau-b alone; empty for fewer than two values and for a list of equal values. Throws Error 2 if
/// the lengths differ and Error 65 for a value that is not finite.
std::optional<double> kendall_tau_b(std::span<const double> a, std::span<const double> b);

/// Exact up to ten values, all permutations enumerated; beyond, 100,000 draws keyed by `seed`.
/// p and floor are then (hits + 1) / (draws + 1). Throws Error 2 if the lengths differ. Fewer than
/// three values, values that are not finite, and a list of equal values are not testable.
RankAgreement rank_agreement(std::span<const double> a,
                             std::span<const double> b,
                             unsigned long long seed = 0);

}  // namespace sar
