#pragma once

#include <optional>

namespace sar {

/// Power of Student's two-sided two-sample t-test at a true standardised difference (difference
/// over the common SD), by the non-central t (J. Cohen, Statistical Power Analysis, 1988, ch. 2).
/// Both tails count. Throws Error 2 unless n_a, n_b >= 2, alpha in [1e-12, 1), effect finite.
double student_power(double effect, int n_a, int n_b, double alpha);

/// The smallest standardised difference that n_a against n_b values show with this power.
/// Throws Error 2 as above and unless power lies in (alpha, 1).
double detectable_effect(int n_a, int n_b, double power, double alpha);

/// The least n per group that reaches the power at this standardised difference; empty if more than
/// `most` would be needed (always for an effect of 0). Throws Error 2 as above.
std::optional<int> trials_needed(double effect, double power, double alpha, int most = 1'000'000);

}  // namespace sar
