#pragma once

#include "harness/core/error.h"
#include "results/comparison/differences.h"
#include "results/database/store.h"
#include "results/paper/cells.h"
#include "results/statistics/statistics.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace sar {

/// One trial of a cell.
struct FrozenTrial {
  int trial = 0;
  std::uint64_t seed = 0;
  int cases = 0;
  double dice = 0;  ///< percent, mean over cases, unrounded
  /// Digest of the identity, Dice and voxel counts of every case behind the mean: 16 hexadecimal
  /// digits of their SHA-256.
  std::string digest;
  Environment environment;  ///< empty: that of all results together
  friend bool operator==(const FrozenTrial&, const FrozenTrial&) = default;
};

struct FrozenCell {
  CellPath path;                    ///< without a table: all tables of a protocol share its trials
  std::vector<FrozenTrial> trials;  ///< by number
  /// "sar/brats/tumor/L", "sar/pancreas/organ/all/1/10".
  [[nodiscard]] std::string name() const { return path.method + "/" + path.column(); }
};

/// Results, frozen with what they were made of and by.
struct Baseline {
  ProtocolRow protocol;
  std::vector<std::string> experiments;  ///< as they were asked for; none: all that was stored
  Environment environment;
  std::vector<FrozenCell> cells;  ///< by name
  /// Stored trials without a result and why ("failed: diverged ..."), by `trial_name`; not in the
  /// file.
  std::map<std::string, std::string> unfinished;
};
/// "sar/brats/1/10 trial 2"
std::string trial_name(const std::string& method,
                       const std::string& task,
                       const std::string& fraction,
                       int trial);

/// Fewer are never tested: with two, a test sees nothing but huge losses, and says "kept" of none.
inline constexpr int kLeastGateTrials = 3;

/// Freezes the stored cells of a protocol for which `wanted` holds.
Baseline freeze(const Store& store,
                const ProtocolRow& protocol,
                const std::function<bool(const CellPath&)>& wanted);

/// JSON that diffs well: keys and cells sorted, one trial a line, numbers in the fewest digits that
/// read back to the same bits.
std::string baseline_text(const Baseline& baseline);
/// Throws Error 66 if the file is absent; 65 if it is a folder, no JSON, of an unknown
/// schema_version, lacks a field, or has one of another type, out of range, or twice.
Baseline read_baseline(const std::filesystem::path& file);

enum class GateVerdict { passed, failed, undecided };
std::string to_string(GateVerdict verdict);

/// How a cell was decided.
enum class GateRule {
  bit_exact,    ///< every trial must be equal in every bit
  identical,    ///< equal in every bit although nothing promised it: nothing is left to test
  statistical,  ///< one-sided Welch tests
  plain,        ///< no spread on either side: the loss itself against the margin
  none          ///< not compared
};
std::string to_string(GateRule rule);

struct TrialChange {
  int trial = 0;
  double from = 0, to = 0;  ///< Dice, percent
  std::string what;         ///< "Dice", "cases", "number of cases", "seed": the first that differs
};

struct GateCell {
  std::string name;
  CellPath path;
  GateVerdict verdict = GateVerdict::undecided;
  GateRule rule = GateRule::none;
  std::string reason;      ///< why it did not pass; empty if it did
  int missing = 0;         ///< trials of the baseline that the new results lack
  int failed_trials = 0;   ///< of these, trials that ran and failed, e.g. diverged
  bool bit_exact = false;  ///< equal bits were promised of every trial that is there
  Summary base, now;       ///< over the trials of the baseline
  double loss = 0;         ///< base mean - now mean, Dice points
  bool tested = false;     ///< the numbers below say something
  double t = 0, df = 0;
  double p_loss = 1;                   ///< one-sided, of "the loss is at most the margin"
  double p_loss_adjusted = 1;          ///< Holm's, over the gate
  double p_kept = 1;                   ///< one-sided, of "the loss is at least the margin"
  double loss_low = 0, loss_high = 0;  ///< one-sided bounds of the loss, each of level 1 - alpha
  std::vector<TrialChange> changes;    ///< trials that are not equal bit by bit
};

struct GateOptions {
  double margin = 2;         ///< Dice points, above 0
  double alpha = 0.05;       ///< within (0, 0.5)
  bool statistical = false;  ///< ask for a loss also where every bit should be equal
};

/// One of the two that are compared.
struct GateSide {
  std::string name;  ///< of the file or database, for the reader
  ProtocolRow protocol;
  Environment environment;
};

struct GateReport {
  GateVerdict verdict = GateVerdict::undecided;
  GateOptions options;
  GateSide base, now;
  /// The fields among device, machine, threads, torch and itk that do not have one and the same
  /// known value on both sides. None: the same environment.
  std::vector<std::string> environment_differences;
  bool bit_exact = false;         ///< the rule was bit-exact equality, for every cell
  bool determinism_lost = false;  ///< equal bits were promised before, and no longer are
  int tests = 0;                  ///< size of Holm's family
  /// Of the protocol: "settings.shared.finetune.learning_rate", JSON or "absent" on each side. If
  /// the protocols have equal keys, the kind of data at most. If any, nothing was compared.
  std::vector<FieldDifference> changes;
  bool protocol_changed = false;
  std::vector<GateCell> cells;     ///< those of the baseline
  std::vector<std::string> notes;  ///< for the reader, e.g. where the margin comes from

  [[nodiscard]] int count(GateVerdict each) const;
  [[nodiscard]] int bit_exact_cells() const;
  /// Why it is undecided, the first that holds: "protocol" (another one), "failed" (trials ran and
  /// failed), "missing" (trials), "few_trials" (for a test), "noise" (too much for this many
  /// trials). Empty if it is decided.
  [[nodiscard]] std::string cause() const;
  /// 0 passed, 1 failed, 3 undecided because trials failed, 4 undecided else.
  [[nodiscard]] ExitCode exit_code() const;
};

/// The gate. For each cell of `base`, over the trials that it has:
/// 1. Another protocol: nothing is compared, undecided.
/// 2. A trial made in the same environment as the baseline's, which was bit-exact, unless
///    `statistical`: equal in every bit, or the cell has failed. It has failed too if the new trial
///    no longer promises equal bits. Each trial has the environment of its own making; other
///    results beside it do not count.
/// 3. Cells with other trials: equal in every bit passes. Fewer than three trials are undecided.
///    Failed if a loss beyond the margin is shown: Welch's one-sided test of "base - now <= margin"
///    has a Holm adjusted p below alpha; Holm's family is all cells of the gate, and cells that are
///    the very same runs count once. Passed if "base - now >= margin" is rejected at alpha; no
///    correction, because the gate passes only if every cell does (an intersection-union test: R.
///    L. Berger, 1982). Else undecided. Without spread on either side the loss is compared with the
///    margin.
/// 4. A cell that lacks a trial may fail by those that are there, and else is undecided.
/// The gate has failed if any cell has, and has passed only if all cells have. Throws Error 2 for a
/// margin or alpha out of range.
GateReport check_baseline(const Baseline& base, const Baseline& now, const GateOptions& options);

/// The decision rule in words.
std::string rule_text(const GateReport& report);

}  // namespace sar
