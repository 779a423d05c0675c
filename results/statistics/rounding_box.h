#pragma once

namespace sar {

/// Mean and SD of n values as printed. The true ones lie within half a unit of the last digit, both
/// ends included; an SD never below 0.
struct RoundedSummary {
  double mean = 0, mean_half_unit = 0;
  double sd = 0, sd_half_unit = 0;
  int n = 0;  ///< at least 2
};

struct Range {
  double low = 0, high = 0;
};

/// Bounds of the two-sided p of Student's (`pooled`) or Welch's test over the closed box of
/// rounding intervals: no numbers that round to the printed ones give a p outside. For Student's
/// test they are attained, for Welch's they may be a little wide. |t| is extreme at corners; the
/// degrees of freedom of Welch's test depend on the ratio of the SDs alone and are largest, n_a +
/// n_b - 2, where sd_a² / (n_a (n_a - 1)) = sd_b² / (n_b (n_b - 1)), so they too lie between their
/// values at two corners but for that ridge; p falls with |t| and with the degrees of freedom.
/// Means that may be equal give a high of 1; SDs that may both be 0 with different means a low of
/// 0.
Range p_bounds(const RoundedSummary& a, const RoundedSummary& b, bool pooled);

/// Correlation over n trials from which on a paired two-sided t-test of a and b (n - 1 degrees of
/// freedom, n that of a) is significant at `alpha`, in (0, 1), and its least and largest values
/// over the closed box. |d| / (s_d / √n) reaches the quantile where s_d² = sd_a² + sd_b² - 2 r sd_a
/// sd_b is small enough. Above 1: no correlation suffices; at most -1: any does.
struct NeededCorrelation {
  double as_printed = 0;
  Range range;
};
NeededCorrelation needed_correlation(const RoundedSummary& a,
                                     const RoundedSummary& b,
                                     double alpha);

}  // namespace sar
