#pragma once

namespace sar {

/// Throws Error 2 unless alpha lies within [1e-12, 1): the tests' interval ends and critical values
/// keep their digits down to there.
void require_alpha(double alpha);

/// P(T <= t) and P(T > t) of the non-central t distribution with `df` degrees of freedom (a whole
/// number) and non-centrality `delta`, t >= 0. Each is computed as such, so that a small one keeps
/// its digits: that above for every delta, that below for delta >= 0.
double non_central_t_below(double t, double df, double delta);
double non_central_t_above(double t, double df, double delta);

}  // namespace sar
