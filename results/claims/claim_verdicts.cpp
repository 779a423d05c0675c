#include "results/claims/claim_verdicts.h"

#include "harness/core/error.h"
#include "results/claims/claim_kind.h"
#include "results/claims/judge.h"
#include "results/statistics/statistics.h"

#include <algorithm>

namespace sar {

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::supported:
      return "supported";
    case Verdict::unsupported:
      return "unsupported";
    case Verdict::mixed:
      return "mixed";
    case Verdict::not_testable:
      return "not-testable";
  }
  return {};
}

std::string to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::holds:
      return "holds";
    case Outcome::fails:
      return "fails";
    case Outcome::open:
      return "open";
  }
  return {};
}

int FamilyVerdict::left_out() const {
  return static_cast<int>(
      std::ranges::count_if(p_adjusted, [](const auto& each) { return !each.second; }));
}

int ClaimReport::count(Verdict verdict) const {
  return static_cast<int>(std::ranges::count(claims, verdict, &ClaimVerdict::verdict));
}

int ClaimReport::count_adjusted(Verdict verdict) const {
  return static_cast<int>(std::ranges::count(claims, verdict, &ClaimVerdict::verdict_adjusted));
}

std::vector<std::string> fallen_claims(const ClaimReport& report) {
  if (report.data_kind == "phantom") {
    throw Error(ExitCode::results_missing, "phantom runs cannot support or refute a sentence")
        .with("protocol", report.protocol)
        .hint("--strict needs runs of real data, or --source published");
  }
  const auto stands = [](Verdict verdict) {
    return verdict == Verdict::supported || verdict == Verdict::not_testable;
  };
  std::vector<std::string> fallen;
  for (const ClaimVerdict& each : report.claims) {
    if (!stands(each.verdict) || !stands(each.verdict_adjusted)) {
      fallen.push_back(each.claim.id);
    }
  }
  return fallen;
}

std::vector<Claim> read_claims(const Paper& paper) {
  return read_claim_files(paper, known_claim_kinds().forms());
}

ClaimReport judge_claims(const Paper& paper,
                         const std::vector<Claim>& claims,
                         const CellSource& source,
                         const ClaimOptions& options,
                         const ClaimRuns* runs) {
  if (options.test != "student" && options.test != "welch" && options.test != "permutation") {
    throw usage_error("unknown test: " + options.test).hint("use student, welch or permutation");
  }
  static_cast<void>(adjust({}, options.correction));  // refuses an unknown one
  ClaimReport report{paper.id,
                     paper.title,
                     source.name,
                     source.data_kind,
                     source.protocol,
                     runs != nullptr ? runs->protocol.profile : std::string(),
                     options,
                     {}};
  ClaimContext context{paper, source, options, runs, ComparisonTests(options)};
  for (const Claim& claim : claims) {
    Judge judge(claim, context);
    known_claim_kinds().at(claim.kind).judge(judge);
    report.claims.push_back(judge.verdict());
  }
  return report;
}

}  // namespace sar
