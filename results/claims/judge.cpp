#include "results/claims/judge.h"

#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace sar {
namespace {

Verdict combine(const std::vector<Outcome>& outcomes) {
  const auto holds = std::ranges::count(outcomes, Outcome::holds);
  const auto fails = std::ranges::count(outcomes, Outcome::fails);
  if (holds > 0 && fails > 0) {
    return Verdict::mixed;
  }
  if (fails > 0) {
    return Verdict::unsupported;
  }
  return holds > 0 && holds == std::ssize(outcomes) ? Verdict::supported : Verdict::not_testable;
}

Verdict combine(const std::vector<FamilyVerdict>& families) {
  const auto all = [&](Verdict verdict) {
    return std::ranges::all_of(families, [&](const auto& each) { return each.verdict == verdict; });
  };
  for (const Verdict verdict : {Verdict::supported, Verdict::unsupported, Verdict::not_testable}) {
    if (all(verdict)) {
      return verdict;
    }
  }
  const bool fails = std::ranges::any_of(families, [](const FamilyVerdict& each) {
    return each.verdict == Verdict::mixed || each.verdict == Verdict::unsupported;
  });
  return fails ? Verdict::mixed : Verdict::not_testable;
}

/// An exception that holds supports a claim only together with what it is an exception from.
bool is_idle(const Comparison& comparison, Outcome outcome) {
  return comparison.expect_equal && outcome == Outcome::holds;
}

std::string key(const Comparison& comparison) {
  return comparison.low.label + " on " + comparison.where;
}

}  // namespace

CellPath Judge::path(const std::string& method, const std::string& column) const {
  return parse_cell_path(claim().table + "/" + method + "/" + column);
}

double Judge::level() const {
  return claim().alpha && !context_.options.alpha_for_all ? *claim().alpha : context_.options.alpha;
}

std::vector<Comparison> Judge::pairs(const std::vector<std::string>& versus) const {
  std::vector<Comparison> list;
  for (const auto& method : versus) {
    for (const auto& column : claim().columns) {
      const CellPath low = path(method, column);
      Comparison& one =
          list.emplace_back(Comparison{side(path(claim().method, column)), side(low), column, {}});
      one.expect_equal = std::ranges::find(claim().except, low) != claim().except.end();
    }
  }
  return list;
}

void Judge::compare(const std::vector<Comparison>& comparisons,
                    const Families& families,
                    bool by_test) {
  const double alpha = level();
  verdict_.tested = true;
  std::vector<ComparisonP> tested;
  std::vector<ClaimEvidence> evidence(comparisons.size());
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    const Comparison& comparison = comparisons[i];
    tested.push_back(context_.tests.test(comparison));
    ClaimEvidence& one = evidence[i];
    one.counts = comparison.counts;
    one.exception = comparison.expect_equal;
    for (const ComparedNumber* each : {&comparison.high, &comparison.low}) {
      one.cells.insert(one.cells.end(), each->cells.begin(), each->cells.end());
    }
    if (comparison.missing().empty()) {
      one.value = comparison.difference();
      one.threshold = 0;
    }
    const ComparisonP& p = tested.back();
    one.p_student = p.student;
    one.p_welch = p.welch;
    if (p.reason.empty()) {
      one.p = p.p;
      one.p_low = p.low;
      one.p_high = p.high;
    }
    one.outcome = by_test ? significance(comparison, p, alpha) : direction(comparison);
  }
  for (const auto& [name, members] : families) {
    judge_family(name, members, comparisons, tested, evidence);
  }
  std::vector<Outcome> plain;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    ClaimEvidence& one = evidence[i];
    one.text = sentence(comparisons[i], tested[i], one, by_test);
    if (one.counts && !is_idle(comparisons[i], one.outcome)) {
      plain.push_back(one.outcome);
    }
  }
  verdict_.evidence = std::move(evidence);
  verdict_.verdict = combine(plain);
  verdict_.verdict_adjusted = combine(verdict_.families);
  summarise_parts("comparison", "comparisons");
}

void Judge::judge_family(const std::string& name,
                         const std::vector<std::size_t>& members,
                         const std::vector<Comparison>& comparisons,
                         const std::vector<ComparisonP>& tested,
                         std::vector<ClaimEvidence>& evidence) {
  std::vector<ComparisonP> of_family;
  for (const std::size_t member : members) {
    of_family.push_back(tested[member]);
  }
  const std::vector<ComparisonP> adjusted = context_.tests.adjusted(of_family);
  FamilyVerdict family;
  family.name = name;
  std::vector<Outcome> outcomes;
  bool undecided = false;
  for (std::size_t i = 0; i < members.size(); ++i) {
    ClaimEvidence& one = evidence[members[i]];
    const ComparisonP& own = adjusted[i];
    const Outcome outcome = significance(comparisons[members[i]], own, level());
    if (!is_idle(comparisons[members[i]], outcome)) {
      outcomes.push_back(outcome);
    }
    if (!one.exception) {
      ++family.parts;
      family.holds += outcome == Outcome::holds ? 1 : 0;
      family.tested += own.reason.empty() && own.floor < level() ? 1 : 0;
      undecided = undecided || (one.outcome == Outcome::holds && outcome == Outcome::open);
    }
    const auto shown = own.reason.empty() ? std::optional(own.p) : std::nullopt;
    family.p_adjusted.emplace_back(key(comparisons[members[i]]), shown);
    if (verdict_.families.empty()) {
      one.p_adjusted = shown;
      one.outcome_adjusted = outcome;
    } else if (!one.p_adjusted && shown) {  // of a later family alone
      one.p_adjusted = shown;
      one.outcome_adjusted = outcome;
    }
    if (own.reason.empty() && own.floor >= level()) {
      one.text = "; the least adjusted p that it could give is " + format_p(own.floor) +
                 ", so it is not testable";
    }
  }
  family.verdict = combine(outcomes);
  if (undecided && family.verdict == Verdict::unsupported) {
    family.verdict = Verdict::mixed;  // what held and cannot be tested does not fail
  }
  verdict_.families.push_back(std::move(family));
}

void Judge::compare(const std::vector<Comparison>& comparisons, bool by_test) {
  std::vector<std::size_t> members;
  for (std::size_t i = 0; i < comparisons.size(); ++i) {
    if (comparisons[i].counts) {
      members.push_back(i);
    }
  }
  compare(comparisons, {{"this claim", members}}, by_test);
}

std::string Judge::sentence(const Comparison& comparison,
                            const ComparisonP& tested,
                            const ClaimEvidence& evidence,
                            bool by_test) const {
  if (!comparison.missing().empty()) {
    return comparison.missing();
  }
  const int digits = std::max(comparison.high.digits, comparison.low.digits);
  std::string text = fmt::format("{} - {} = {:.{}f}{} on {}",
                                 comparison.high.text(),
                                 comparison.low.text(),
                                 *evidence.value,
                                 digits,
                                 comparison.unit,
                                 comparison.where);
  if (direction(comparison) == Outcome::open) {
    text += fmt::format(", undecided by rounding (±{:g})", comparison.slack());
  }
  if (!tested.reason.empty()) {
    text += "; no test: " + tested.reason;
  } else {
    text += "; " + context_.tests.text(comparison, tested);
    if (evidence.p_adjusted && context_.options.correction != "none") {
      text += fmt::format(", {} {}", context_.options.correction, format_p(*evidence.p_adjusted));
    }
    if (by_test && evidence.outcome == Outcome::open && tested.floor < level()) {
      text += ", undecided by rounding";
    }
    if (tested.floor >= level()) {
      text += fmt::format("; the least p that it could give is {}, so it is not testable",
                          format_p(tested.floor));
    } else {
      text += evidence.text;  // what the family adds
    }
  }
  if (comparison.expect_equal) {
    text += "; said not to be significant";
  }
  return text;
}

void Judge::summarise_parts(const std::string& one, const std::string& many) {
  struct Tally {
    int parts = 0, holds = 0, open = 0;
  } plain, exceptions;
  for (const ClaimEvidence& each : verdict_.evidence) {
    if (each.counts) {
      Tally& tally = each.exception ? exceptions : plain;
      ++tally.parts;
      tally.holds += each.outcome == Outcome::holds ? 1 : 0;
      tally.open += each.outcome == Outcome::open ? 1 : 0;
    }
  }
  const bool single = plain.parts == 1;
  verdict_.summary = fmt::format(
      "{} of {} {} hold{}", plain.holds, plain.parts, single ? one : many, single ? "s" : "");
  if (plain.open > 0) {
    verdict_.summary += fmt::format(", {} open", plain.open);
  }
  if (exceptions.parts > 0) {
    verdict_.summary += fmt::format("; of {} said not to be significant, {} hold{}",
                                    exceptions.parts,
                                    exceptions.holds,
                                    exceptions.holds == 1 ? "s" : "");
  }
}

void Judge::conclude(const std::string& one, const std::string& many) {
  std::vector<Outcome> outcomes;
  for (ClaimEvidence& each : verdict_.evidence) {
    each.outcome_adjusted = each.outcome;
    if (each.counts) {
      outcomes.push_back(each.outcome);
    }
  }
  verdict_.verdict = verdict_.verdict_adjusted = combine(outcomes);
  summarise_parts(one, many);
}

void Judge::conclude(ClaimEvidence evidence) {
  verdict_.summary = evidence.text;
  verdict_.verdict = verdict_.verdict_adjusted = combine({evidence.outcome});
  evidence.outcome_adjusted = evidence.outcome;
  verdict_.evidence = {std::move(evidence)};
}

void Judge::not_testable(const std::string& why) {
  verdict_.verdict = verdict_.verdict_adjusted = Verdict::not_testable;
  verdict_.summary = why;
  verdict_.evidence.clear();
}

}  // namespace sar
