#pragma once

#include "results/claims/cell_numbers.h"
#include "results/claims/claim_comparisons.h"
#include "results/claims/claim_verdicts.h"

#include <cstddef>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// What all claims of one report are judged by. All but the tests must outlive it.
struct ClaimContext {
  const Paper& paper;
  const CellSource& source;
  const ClaimOptions& options;
  const ClaimRuns* runs;  ///< stored runs behind measured cells; null: none at hand
  ComparisonTests tests;
};

/// The judgement of one claim, step by step. What a kind of claim asks of the numbers stands in its
/// file in results/claims/kinds/; it ends with `conclude`, `compare` or `not_testable`.
class Judge {
 public:
  Judge(const Claim& claim, ClaimContext& context)
      : context_(context), numbers_(context.paper, context.source) {
    verdict_.claim = claim;
  }

  [[nodiscard]] const Claim& claim() const { return verdict_.claim; }
  [[nodiscard]] const ClaimContext& context() const { return context_; }
  [[nodiscard]] bool measured() const { return context_.source.name == "measured"; }
  [[nodiscard]] const ClaimVerdict& verdict() const { return verdict_; }

  /// The number of a cell, as `CellNumbers` finds it.
  [[nodiscard]] ComparedNumber side(const CellPath& path) const { return numbers_.at(path); }
  /// A cell of the claim's table.
  [[nodiscard]] CellPath path(const std::string& method, const std::string& column) const;
  /// The claim's method above each of `versus` in each of its columns; not so where `except` says.
  [[nodiscard]] std::vector<Comparison> pairs(const std::vector<std::string>& versus) const;

  /// One more part of the claim, for `conclude` of all parts.
  void add(ClaimEvidence evidence) { verdict_.evidence.push_back(std::move(evidence)); }
  /// A claim without a test over several parts: both verdicts are the same. `one` and `many` are
  /// nouns for the parts.
  void conclude(const std::string& one, const std::string& many);
  /// The same of a claim with this part alone, whose text sums it up.
  void conclude(ClaimEvidence evidence);

  /// Named lists of positions in a list of comparisons.
  using Families = std::vector<std::pair<std::string, std::vector<std::size_t>>>;
  /// Judges comparisons, corrected over each family. With `by_test` the verdict itself asks for
  /// significance, else for the direction alone.
  void compare(const std::vector<Comparison>& comparisons, const Families& families, bool by_test);
  /// All that count, in one family.
  void compare(const std::vector<Comparison>& comparisons, bool by_test = false);

  /// Parts that were added are dropped.
  void not_testable(const std::string& why);
  /// What the claim says of a thing that the paper's tables do not print.
  void not_printed() { not_testable(claim().reason.empty() ? "not printed" : claim().reason); }

 private:
  [[nodiscard]] double level() const;
  void judge_family(const std::string& name,
                    const std::vector<std::size_t>& members,
                    const std::vector<Comparison>& comparisons,
                    const std::vector<ComparisonP>& tested,
                    std::vector<ClaimEvidence>& evidence);
  [[nodiscard]] std::string sentence(const Comparison& comparison,
                                     const ComparisonP& tested,
                                     const ClaimEvidence& evidence,
                                     bool by_test) const;
  void summarise_parts(const std::string& one, const std::string& many);

  ClaimContext& context_;
  CellNumbers numbers_;
  ClaimVerdict verdict_;
};

}  // namespace sar
