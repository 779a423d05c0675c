#pragma once

#include "results/claims/claim_runs.h"
#include "results/paper/claims.h"
#include "results/tables/table.h"

#include <optional>
#include <string>
#include <vector>

namespace sar {

/// supported: every part of the claim holds; unsupported: a part fails and none holds; mixed: some
/// hold, some fail; not_testable: nothing fails, but not every part could be decided.
enum class Verdict { supported, unsupported, mixed, not_testable };
/// "supported", ..., "not-testable".
std::string to_string(Verdict verdict);

/// What a part of a claim (a comparison, a number) comes to. open: it could not be decided.
enum class Outcome { holds, fails, open };
std::string to_string(Outcome outcome);

struct ClaimOptions {
  std::string test = "student";     ///< student | welch | permutation (needs single values)
  std::string correction = "holm";  ///< none | holm | bh, over the comparisons of each family
  double alpha = 0.05;              ///< where the claim names no level
  bool alpha_for_all = false;       ///< `alpha` takes the place of the level that a claim names
  double margin = 2;                ///< Dice points within which a measured mean is a number
};

/// One part of a claim with its arithmetic.
struct ClaimEvidence {
  std::vector<std::string> cells;          ///< paths
  std::string text;                        ///< the arithmetic as a sentence
  std::optional<double> value, threshold;  ///< comparison: difference of means and 0
  std::optional<double> p;                 ///< of the chosen test, two-sided
  std::optional<double> p_low, p_high;     ///< least and largest over the box of roundings
  std::optional<double> p_student, p_welch;
  std::optional<double> p_adjusted;  ///< over the first family that holds the comparison
  Outcome outcome = Outcome::open;
  Outcome outcome_adjusted = Outcome::open;
  bool counts = true;      ///< towards the verdict; else it is shown beside it
  bool exception = false;  ///< said not to be significant: can only spoil a claim, not support it
};

/// Comparisons that are corrected together.
struct FamilyVerdict {
  std::string name;
  Verdict verdict = Verdict::not_testable;
  int holds = 0, parts = 0;  ///< without exceptions
  int tested = 0;            ///< of `parts`: a test could reach the level
  /// By cell; none where there is no test: those are left out of the family.
  std::vector<std::pair<std::string, std::optional<double>>> p_adjusted;

  /// Comparisons without a test.
  [[nodiscard]] int left_out() const;
};

struct ClaimVerdict {
  Claim claim;
  Verdict verdict = Verdict::not_testable;
  /// After correction: each part in the claimed direction and with an adjusted p below alpha; equal
  /// to `verdict` for claims that no test applies to. A part that held and is open after correction
  /// does not fail by that: next to parts that fail, it leaves the verdict mixed.
  Verdict verdict_adjusted = Verdict::not_testable;
  bool tested = false;  ///< `verdict_adjusted` rests on tests
  std::string summary;  ///< how many parts hold, or why it is not testable
  std::vector<ClaimEvidence> evidence;
  std::vector<FamilyVerdict> families;
};

struct ClaimReport {
  std::string paper, title;
  std::string source;                        ///< published | measured
  std::string data_kind, protocol, profile;  ///< of measured numbers
  ClaimOptions options;
  std::vector<ClaimVerdict> claims;
  std::optional<Controls> controls = {};  ///< what those of measured numbers showed

  [[nodiscard]] int count(Verdict verdict) const;
  [[nodiscard]] int count_adjusted(Verdict verdict) const;
};

/// All claims of a paper's folder, of the kinds of results/claims/kinds/; read_claim_files says the
/// rest.
std::vector<Claim> read_claims(const Paper& paper);

/// A verdict on every claim, from printed numbers, or with `runs` from measured ones. What each
/// kind of claim demands of the numbers is in docs/claims.md. Throws Error 2 for an unknown test or
/// correction.
ClaimReport judge_claims(const Paper& paper,
                         const std::vector<Claim>& claims,
                         const CellSource& source,
                         const ClaimOptions& options,
                         const ClaimRuns* runs = nullptr);

/// Ids of the claims that are unsupported or mixed, by themselves or after correction: a gate lets
/// only a report without any pass. Throws Error 4 for phantom data, which cannot support or refute
/// a sentence.
std::vector<std::string> fallen_claims(const ClaimReport& report);

}  // namespace sar
