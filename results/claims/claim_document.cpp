#include "results/claims/claim_document.h"

#include "results/document/sheet.h"
#include "results/tables/controls.h"
#include "results/text/layout.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace sar {
namespace {

Tone tone_of(Verdict verdict) {
  return verdict == Verdict::supported     ? Tone::good
         : verdict == Verdict::unsupported ? Tone::bad
         : verdict == Verdict::mixed       ? Tone::mixed
                                           : Tone::faint;
}

bool is_phantom(const ClaimReport& report) {
  return report.data_kind == "phantom";
}

std::string correction_text(const ClaimReport& report) {
  return report.options.correction == "none" ? "uncorrected" : report.options.correction;
}

double level_of(const ClaimReport& report, const Claim& claim) {
  return claim.alpha && !report.options.alpha_for_all ? *claim.alpha : report.options.alpha;
}

/// What the tests of a claim come to, family by family.
std::vector<std::string> family_texts(const ClaimReport& report, const ClaimVerdict& claim) {
  std::vector<std::string> lines;
  for (const FamilyVerdict& family : claim.families) {
    if (family.tested == 0) {
      lines.push_back("no test possible: " + word_of(family.verdict));
      continue;
    }
    const int left_out = family.left_out();
    std::string over;
    if (family.name != "this claim") {
      over = fmt::format(" over {}, {}", std::ssize(family.p_adjusted) - left_out, family.name);
    }
    if (left_out > 0) {
      over += fmt::format("; {} without a test left out", left_out);
    }
    const std::string text = fmt::format("{} of {} hold at p < {:g} ({}{})",
                                         family.holds,
                                         family.parts,
                                         level_of(report, claim.claim),
                                         correction_text(report),
                                         over);
    lines.push_back(text + ": " + word_of(family.verdict));
  }
  return lines;
}

/// The closest comparison that holds: what would tip first.
const ClaimEvidence* closest(const std::vector<ClaimEvidence>& evidence) {
  const ClaimEvidence* found = nullptr;
  for (const ClaimEvidence& each : evidence) {
    if (each.counts && each.outcome == Outcome::holds && each.value && each.threshold &&
        (found == nullptr ||
         std::abs(*each.value - *each.threshold) < std::abs(*found->value - *found->threshold))) {
      found = &each;
    }
  }
  return found;
}

/// Parts worth reading: those that fail or are open, and the closest that hold. `left_out`: how
/// many others there are.
std::vector<const ClaimEvidence*> chosen(const ClaimVerdict& claim, bool all, int& left_out) {
  constexpr int kFew = 4;
  constexpr int kMostFailing = 12;
  constexpr int kMostOpen = 3;  // what is missing is mostly the same
  std::vector<const ClaimEvidence*> list;
  const ClaimEvidence* nearest = closest(claim.evidence);
  const auto holding = std::ranges::count_if(claim.evidence, [](const ClaimEvidence& each) {
    return each.counts && each.outcome == Outcome::holds;
  });
  const auto beside = std::ranges::count(claim.evidence, false, &ClaimEvidence::counts);
  int open = 0;
  int failing = 0;
  left_out = 0;
  for (const ClaimEvidence& each : claim.evidence) {
    const bool holds = each.outcome == Outcome::holds;
    bool shown = !each.counts ? beside <= 2 * kFew : !holds || holding <= kFew || &each == nearest;
    if (each.outcome == Outcome::open && each.counts && !each.p) {
      shown = ++open <= kMostOpen;
    }
    if (each.outcome == Outcome::fails && each.counts) {
      shown = ++failing <= kMostFailing;
    }
    if (shown || all) {
      list.push_back(&each);
    } else {
      ++left_out;
    }
  }
  return list;
}

std::string mark_of(const ClaimEvidence& evidence) {
  return evidence.outcome == Outcome::holds   ? "+ "
         : evidence.outcome == Outcome::fails ? "- "
                                              : "? ";
}

std::string counts_text(const ClaimReport& report, bool adjusted) {
  const auto number = [&](Verdict verdict) {
    return fmt::format("{} {}",
                       adjusted ? report.count_adjusted(verdict) : report.count(verdict),
                       word_of(verdict));
  };
  return fmt::format("{}, {}, {}, {}",
                     number(Verdict::supported),
                     number(Verdict::unsupported),
                     number(Verdict::mixed),
                     number(Verdict::not_testable));
}

std::string heading(const ClaimReport& report) {
  return fmt::format("Claims of {}, judged by {}{}",
                     report.paper,
                     report.source == "measured" ? "stored runs" : "its printed numbers",
                     phantom_mark(report.data_kind));
}

std::vector<std::string> notes(const ClaimReport& report) {
  std::vector<std::string> list;
  list.push_back(fmt::format("{} claims: {}.", report.claims.size(), counts_text(report, false)));
  list.push_back(fmt::format(
      "After correction ({}): {}.", correction_text(report), counts_text(report, true)));
  list.push_back(
      fmt::format("Test: {}, two-sided, alpha = {:g} where the claim names none{}; after "
                  "correction a comparison "
                  "holds where it lies in the claimed direction and its adjusted p is below alpha.",
                  report.options.test,
                  report.options.alpha,
                  report.options.alpha_for_all ? " (given for all)" : ""));
  if (report.source == "published") {
    list.emplace_back(
        "Printed numbers stand for their whole rounding interval: p [least, largest] over it. What "
        "these tests show is what mean, SD and n allow; a test over cases would not show in them.");
  } else {
    list.push_back(fmt::format("{} A mean is a number if it lies within ±{:g} Dice points of it.",
                               protocol_note(report.protocol, report.profile),
                               report.options.margin));
    if (report.controls) {
      list.push_back(sentence(*report.controls));
    }
  }
  if (is_phantom(report)) {
    list.emplace_back(
        "Made with phantom data: these verdicts say nothing about real scans or about the paper.");
  }
  return list;
}

/// Verdict, statement and evidence of a claim, as a terminal shows them.
void add_claim(std::vector<Content>& contents,
               const ClaimReport& report,
               const ClaimVerdict& claim,
               bool all) {
  constexpr std::size_t kIndent = 14;  // of what belongs to a claim, below its verdict
  const auto add = [&](const std::string& text, const std::string& mark = {}) {
    contents.emplace_back(Paragraph{text, kIndent, mark});
  };
  contents.emplace_back(Line{word_of(claim.verdict),
                             claim.claim.id + phantom_mark(report.data_kind),
                             kIndent,
                             tone_of(claim.verdict)});
  add(claim.claim.statement);
  if (!claim.claim.reason.empty()) {
    add("(" + claim.claim.reason + ")");
  }
  if (claim.evidence.size() == 1) {
    add(claim.evidence.front().text, mark_of(claim.evidence.front()));
  } else if (claim.summary != claim.claim.reason) {
    add(claim.summary + ".");
    int left_out = 0;
    const auto parts = chosen(claim, all, left_out);
    for (const bool counts : {true, false}) {
      if (!counts &&
          std::ranges::any_of(parts, [](const ClaimEvidence* part) { return !part->counts; })) {
        add("beside, not counted:");
      }
      for (const ClaimEvidence* part : parts) {
        if (part->counts == counts) {
          add(part->text, mark_of(*part));
        }
      }
    }
    if (left_out > 0) {
      add(fmt::format("... and {} more (-v lists all)", left_out));
    }
  }
  for (const std::string& line : family_texts(report, claim)) {
    add("after correction: " + line);
  }
}

/// The claims by section of the paper.
void add_text(std::vector<Part>& parts, const ClaimReport& report, bool all) {
  parts.push_back({{Line{"", heading(report)}}, {"text"}});
  std::string section;
  for (const ClaimVerdict& each : report.claims) {
    if (each.claim.section != section) {
      section = each.claim.section;
      const bool number = section.find_first_not_of("0123456789.") == std::string::npos;
      parts.push_back({{Line{number ? "section " : "", section}}, {"text"}});
    }
    add_claim(parts.back().contents, report, each, all);
  }
  Part last{{}, {"text"}};
  for (const std::string& note : notes(report)) {
    last.contents.emplace_back(Paragraph{note});
  }
  parts.push_back(std::move(last));
}

Json counts_json(const ClaimReport& report, bool adjusted) {
  Json counts = Json::object();
  for (const Verdict verdict :
       {Verdict::supported, Verdict::unsupported, Verdict::mixed, Verdict::not_testable}) {
    counts[to_string(verdict)] = adjusted ? report.count_adjusted(verdict) : report.count(verdict);
  }
  return counts;
}

Json json_of(const ClaimReport& report) {
  Json claims = Json::array();
  for (const ClaimVerdict& each : report.claims) {
    Json evidence = Json::array();
    for (const ClaimEvidence& part : each.evidence) {
      evidence.push_back({{"cells", part.cells},
                          {"text", part.text},
                          {"value", json_or_null(part.value)},
                          {"threshold", json_or_null(part.threshold)},
                          {"p", json_or_null(part.p)},
                          {"p_low", json_or_null(part.p_low)},
                          {"p_high", json_or_null(part.p_high)},
                          {"p_student", json_or_null(part.p_student)},
                          {"p_welch", json_or_null(part.p_welch)},
                          {"p_adjusted", json_or_null(part.p_adjusted)},
                          {"outcome", to_string(part.outcome)},
                          {"outcome_adjusted", to_string(part.outcome_adjusted)},
                          {"counts", part.counts},
                          {"exception", part.exception}});
    }
    Json families = Json::array();
    for (const FamilyVerdict& family : each.families) {
      Json members = Json::array();
      for (const auto& [name, p] : family.p_adjusted) {
        members.push_back({{"comparison", name}, {"p_adjusted", json_or_null(p)}});
      }
      families.push_back({{"name", family.name},
                          {"verdict", to_string(family.verdict)},
                          {"holds", family.holds},
                          {"parts", family.parts},
                          {"tested", family.tested},
                          {"left_out", family.left_out()},
                          {"comparisons", std::move(members)}});
    }
    claims.push_back({{"id", each.claim.id},
                      {"section", each.claim.section},
                      {"statement", each.claim.statement},
                      {"kind", each.claim.kind},
                      {"reading", json_or_null(each.claim.reason)},
                      {"source", report.source},
                      {"data_kind", json_or_null(report.data_kind)},
                      {"verdict", to_string(each.verdict)},
                      {"verdict_adjusted", to_string(each.verdict_adjusted)},
                      {"tested", each.tested},
                      {"alpha", level_of(report, each.claim)},
                      {"summary", each.summary},
                      {"evidence", std::move(evidence)},
                      {"families", std::move(families)}});
  }
  const bool measured = report.source == "measured";
  return {{"schema_version", 1},
          {"paper", report.paper},
          {"source", report.source},
          {"data_kind", measured ? Json(report.data_kind) : Json()},
          {"protocol", measured ? Json(report.protocol) : Json()},
          {"profile", measured ? Json(report.profile) : Json()},
          {"controls", report.controls ? json_of(*report.controls) : Json()},
          {"test", report.options.test},
          {"correction", report.options.correction},
          {"alpha", report.options.alpha},
          {"margin_dice_points", report.options.margin},
          {"counts", counts_json(report, false)},
          {"counts_adjusted", counts_json(report, true)},
          {"claims", std::move(claims)}};
}

/// One row per claim; `brief` without the sentences, which no page of a paper has room for.
Sheet sheet_of(const ClaimReport& report, bool all, bool brief) {
  Sheet sheet;
  sheet.id = "claims";
  sheet.title = heading(report);
  sheet.header = {"Claim", "Section", "Verdict", "After correction"};
  if (!brief) {
    sheet.header.insert(sheet.header.end(), {"Statement", "Evidence"});
  }
  if (!report.data_kind.empty()) {
    sheet.header.emplace_back("Data");
  }
  sheet.text_columns = sheet.header.size();
  for (const ClaimVerdict& each : report.claims) {
    std::vector<std::string> parts{each.summary};
    if (each.evidence.size() > 1) {
      int left_out = 0;
      for (const ClaimEvidence* part : chosen(each, all, left_out)) {
        parts.push_back(to_string(part->outcome) + ": " + part->text);
      }
      if (left_out > 0) {
        parts.push_back(fmt::format("and {} more", left_out));
      }
    } else if (!each.evidence.empty() && each.evidence.front().text != each.summary) {
      parts.push_back(each.evidence.front().text);
    }
    sheet.rows.push_back({each.claim.id,
                          each.claim.section,
                          to_string(each.verdict),
                          to_string(each.verdict_adjusted)});
    if (!brief) {
      sheet.rows.back().push_back(each.claim.statement);
      sheet.rows.back().push_back(fmt::format("{}", fmt::join(parts, ". ")));
    }
    if (!report.data_kind.empty()) {
      sheet.rows.back().push_back(report.data_kind);
    }
  }
  sheet.notes = notes(report);
  return sheet;
}

}  // namespace

std::string word_of(Verdict verdict) {
  return verdict == Verdict::not_testable ? "not testable" : to_string(verdict);
}

Document document_of(const ClaimReport& report, bool all) {
  Document document;
  add_text(document.parts, report, all);
  document.parts.push_back({{titled_table(sheet_of(report, all, false))}, {"md", "html"}});
  document.parts.push_back({{titled_table(sheet_of(report, all, true))}, {"latex"}});
  // A file of values holds every part; a page those worth reading.
  document.values = document_of(sheet_of(report, true, false)).values;
  document.json = json_of(report);
  return document;
}

}  // namespace sar
