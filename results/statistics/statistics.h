#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sar {

/// Mean and sample standard deviation (n - 1) of n values.
struct Summary {
  double mean = 0;
  std::optional<double> sd;  ///< empty if n < 2
  int n = 0;
};
/// Throws Error 65 if a value is not finite. n = 0 gives n = 0 and mean 0. Equal values give an SD
/// of exactly 0.
Summary summarise(std::span<const double> values);

/// Variance of two groups with a common one, from their SDs: ((n_a - 1) sd_a² + (n_b - 1) sd_b²) /
/// (n_a + n_b - 2). Each group has a value at least, one of them two.
double pooled_variance(double sd_a, int n_a, double sd_b, int n_b);
/// Its root, of two groups that have SDs. Neither vanishes nor overflows on the way.
double pooled_sd(const Summary& a, const Summary& b);

/// Result of a two-sample (or paired) t-test of a - b. `reason` says why it is not testable
/// (n < 2, no standard deviation, standard error zero, not finite); then the numbers are empty. A
/// standard error is zero only if it is exactly that; differences of pairs whose SD is that of
/// rounding (4 units of 2^-52 of the largest value) are not testable either.
struct TTest {
  std::string test;  ///< student | welch | paired
  bool testable = false;
  std::string reason;
  double t = 0, df = 0;
  double p = 1;                    ///< two-sided
  double difference = 0;           ///< mean a - mean b
  double ci_low = 0, ci_high = 0;  ///< of the difference, level 1 - alpha
  /// Hedges' g is defined from two degrees of freedom on; of the testable cases only a paired test
  /// of two pairs has fewer. Without it the three numbers below say nothing.
  bool has_effect = false;
  double hedges_g = 0;           ///< with the exact small-sample correction
  double g_low = 0, g_high = 0;  ///< by the non-central t, level 1 - alpha
};

/// Student's pooled two-sample t-test from mean, SD and n. Throws Error 2 if alpha is not within
/// [1e-12, 1), or an SD or n is negative. So do the other tests.
TTest student_test(const Summary& a, const Summary& b, double alpha = 0.05);
/// Welch's test with Satterthwaite's degrees of freedom. Hedges' g and its interval are those of
/// Student's test: the size of an effect does not depend on how it is tested.
TTest welch_test(const Summary& a, const Summary& b, double alpha = 0.05);
/// Paired t-test of equally long lists; Hedges' g of the differences, which is the mean difference
/// over the SD of the differences. Throws Error 2 if the lengths differ.
TTest paired_test(std::span<const double> a, std::span<const double> b, double alpha = 0.05);

/// The same from means and SDs, given the correlation r of the paired values: n is that of both.
/// Throws Error 2 if n differs or r lies outside [-1, 1].
TTest paired_test(const Summary& a, const Summary& b, double correlation, double alpha = 0.05);

/// Paired t-test whose variance is corrected for training sets that overlap: cross-validation folds
/// or redrawn splits, not seeds on one split (C. Nadeau, Y. Bengio, "Inference for the
/// Generalization Error", Machine Learning 52, 2003): the variance of the mean difference is
/// (1/n + test_train_ratio) times that of the differences. Hedges' g is that of the paired test;
/// its interval comes from the corrected t, and is wider. Throws Error 2 if the lengths differ or
/// the ratio is not positive.
TTest corrected_cv_test(std::span<const double> a,
                        std::span<const double> b,
                        double test_train_ratio,
                        double alpha = 0.05);

/// Two one-sided tests (D. J. Schuirmann, 1987): is the difference a - b within ±margin?
struct Equivalence {
  bool testable = false;
  std::string reason;
  double margin = 0;
  double difference = 0;
  double df = 0;
  double p_above = 1;  ///< of "difference <= -margin": small shows that a is not inferior
  double p_below = 1;  ///< of "difference >= margin": small shows that a is not superior
  double p = 1;        ///< the larger of the two
  double ci_low = 0, ci_high = 0;  ///< level 1 - 2 alpha: within ±margin exactly if p < alpha
};
/// On Welch's standard error and degrees of freedom, or on Student's if `pooled`. Throws Error 2
/// unless margin is positive and alpha below 0.5, and as the t-tests do.
Equivalence equivalence_test(
    const Summary& a, const Summary& b, double margin, bool pooled = false, double alpha = 0.05);
/// The same of one sample of differences against 0. Throws as above.
Equivalence equivalence_test(const Summary& differences, double margin, double alpha = 0.05);

/// Adjusted p values in the order given: "holm" (Holm's step-down), "bh" (Benjamini–Hochberg's
/// step-up, approximate under dependence), or "none" (unchanged). Throws Error 2 for another name
/// and for a p outside [0, 1].
std::vector<double> adjust(std::span<const double> p, const std::string& correction);

/// "0.034", "4.1e-05", "<1e-300".
std::string format_p(double p);

}  // namespace sar
