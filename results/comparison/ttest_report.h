#pragma once

#include "harness/core/error.h"
#include "results/statistics/permutation.h"
#include "results/statistics/statistics.h"

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// How three numbers such as "75.2,1.6,5" are meant.
enum class Reading {
  automatic,  ///< mean, SD and n where they can be: SD >= 0 and n written as a whole number
  summary,    ///< always mean, SD and n
  values,     ///< always three values
};

/// One side of a comparison.
struct Sample {
  std::string given;          ///< as the user wrote it
  bool only_summary = false;  ///< read as mean, SD and n; else as values
  Summary summary;
  std::vector<double> values;  ///< empty if only the summary is known
  /// Read as mean, SD and n although the three numbers are of like size, as three values would be:
  /// none is more than three times another (a choice of ours).
  bool could_be_values = false;
  /// Three numbers of a comma list that no one said how to read, and that are not a mean, SD and n.
  bool three_values = false;
  std::string doubt;  ///< what the reader should check in the file; empty if nothing
};

/// Reads "mean,sd,n", a comma list of values, or the path of a file of values. A file holds values
/// whatever they look like, separated by white space or commas; a comment reaches from # to the end
/// of its line, and a byte order mark of UTF-8 is skipped. Throws Error 2 for a list with anything
/// but finite numbers and, with Reading::summary, for a list that is not a mean, SD and n; Error 66
/// for a list without a comma that is not a number and names no file; Error 65 for a file, listing
/// each fault with line and column: what is not a number, or not finite.
Sample read_sample(const std::string& argument, Reading reading = Reading::automatic);

/// What the user should know of how two samples were read; empty if there is no doubt. Throws
/// Error 2 where one comma list was read as values and the other, which could be values too, was
/// not; and where one is mean, SD and n and the other has three numbers that are not.
std::string reading_notice(const Sample& a, const Sample& b);

struct TTestOptions {
  std::string test = "student";  ///< student | welch | paired | permutation | corrected-cv
  double alpha = 0.05;
  double power = 0.8;                      ///< for the smallest difference that is found
  std::optional<double> correlation;       ///< paired, where only mean, SD and n are known
  std::optional<double> test_train_ratio;  ///< corrected-cv
  std::optional<double> margin;  ///< student and welch: adds a test of equivalence within ±margin
  bool paired_permutation = false;  ///< permutation of pairs: signs of differences are flipped
  std::uint64_t seed = 0;           ///< of a permutation test that is too large to enumerate
};

/// SD within two groups with a common one; both have an SD.
double sd_of_both(const Summary& a, const Summary& b);

/// A comparison of two samples, a - b.
struct TTestReport {
  Sample a, b;
  TTestOptions options;
  TTest chosen;  ///< of a permutation test: test, testable, reason, p, difference; t and df are 0
  TTest student, welch;  ///< stand beside whatever was chosen
  std::optional<PermutationTest> permutation;
  std::optional<Equivalence> equivalence;
  std::optional<double> detectable;  ///< least true difference that Student's test finds at `power`

  /// 0 tested, whatever was found; 4 not testable.
  [[nodiscard]] ExitCode exit_code() const;
};

/// Throws Error 2 where the test cannot be had from what is given: paired without values or
/// correlation, permutation and corrected-cv without values, corrected-cv without the ratio, lists
/// of different length that should be pairs, options that another test needs. A permutation test
/// whose floor does not lie below alpha is not testable: it could not be significant whatever the
/// values.
TTestReport ttest_report(const Sample& a, const Sample& b, const TTestOptions& options);

}  // namespace sar
