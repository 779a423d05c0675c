#pragma once

#include <filesystem>
#include <string>
#include <vector>

namespace sar::test {

/// What a made-up database holds. The defaults fill Tables 1 to 4, Figure 3 and the proxy metrics
/// of the paper with gaps of every kind.
struct SyntheticRuns {
  std::vector<std::string> methods{"scratch",
                                   "genesis",
                                   "rpl",
                                   "jig",
                                   "rot",
                                   "cpc",
                                   "mial",
                                   "sa",
                                   "sar",
                                   "scale2",
                                   "scale4",
                                   "scale8"};
  std::vector<std::string> tasks{"brats", "pancreas"};
  std::vector<std::string> fractions{"1/2", "1/5", "1/10", "1/20", "1/50"};  ///< beside 1
  std::vector<std::string> fraction_methods{"scratch", "sar"};  ///< that run with these
  int trials = 5;
  int rows_per_trial = 12;  ///< of test cases and targets: half as many cases with two targets
  int epochs = 4, steps_per_epoch = 6;
  std::string data_kind = "phantom";
  /// The failed trial of `mial` on brats, the single trial of `rot` on pancreas, and `cpc` on brats
  /// that was planned but never run.
  bool gaps = true;
  /// Texts from outside (case ids, hosts, paths, reasons, commands) are those of `hostile_texts`.
  bool hostile = true;
};

/// Texts that do harm wherever they are not escaped: markup, quotes, a script, backslashes, control
/// signs, right-to-left, very long words. A page that takes one for markup has its title changed to
/// "owned", gets an element of the class "owned", or asks for a file "owned".
const std::vector<std::string>& hostile_texts();

/// Writes a database to `file`, and the count of its pre-training data beside it. The same bytes of
/// results at every call: fixed dates, no clock.
void write_synthetic_database(const std::filesystem::path& file, const SyntheticRuns& runs = {});

}  // namespace sar::test
