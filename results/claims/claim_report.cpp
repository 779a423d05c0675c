#include "harness/core/error.h"
#include "results/claims/claim_verdicts.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <vector>

namespace sar {
namespace report_detail {

constexpr std::size_t kIndent = 14;  ///< of what belongs to a claim, below its verdict

std::string paragraph(const std::string& text, const std::string& mark = {}) {
  return wrapped(text, kIndent, mark);
}

std::string word_of(Verdict verdict) {
  return verdict == Verdict::not_testable ? "not testable" : to_string(verdict);
}

std::string lamp(Verdict verdict, bool color) {
  const std::string word = fmt::format("{:<14}", word_of(verdict));
  if (!color) {
    return word;
  }
  const char* code = verdict == Verdict::supported     ? "32"
                     : verdict == Verdict::unsupported ? "31"
                     : verdict == Verdict::mixed       ? "33"
                                                       : "2";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, word);
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
                     is_phantom(report) ? " [phantom data]" : "");
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
    list.push_back(
        fmt::format("Protocol {}, profile {}. A mean is a number if it lies within ±{:g} "
                    "Dice points of it.",
                    report.protocol.substr(0, 12),
                    report.profile,
                    report.options.margin));
  }
  if (is_phantom(report)) {
    list.emplace_back(
        "Made with phantom data: these verdicts say nothing about real scans or about the paper.");
  }
  return list;
}

std::string render_text(const ClaimReport& report, bool color, bool all) {
  std::string text = heading(report) + "\n";
  std::string section;
  for (const ClaimVerdict& each : report.claims) {
    if (each.claim.section != section) {
      section = each.claim.section;
      const bool number = section.find_first_not_of("0123456789.") == std::string::npos;
      text += "\n" + (number ? "section " + section : section) + "\n";
    }
    text += lamp(each.verdict, color) + each.claim.id +
            (is_phantom(report) ? " [phantom data]" : "") + "\n";
    text += paragraph(each.claim.statement);
    const bool only_reason = each.summary == each.claim.reason;
    if (!each.claim.reason.empty()) {
      text += paragraph("(" + each.claim.reason + ")");
    }
    if (each.evidence.size() == 1) {
      text += paragraph(each.evidence.front().text, mark_of(each.evidence.front()));
    } else if (!only_reason) {
      text += paragraph(each.summary + ".");
      int left_out = 0;
      const auto parts = chosen(each, all, left_out);
      for (const bool counts : {true, false}) {
        if (!counts &&
            std::ranges::any_of(parts, [](const ClaimEvidence* part) { return !part->counts; })) {
          text += paragraph("beside, not counted:");
        }
        for (const ClaimEvidence* part : parts) {
          text += part->counts == counts ? paragraph(part->text, mark_of(*part)) : "";
        }
      }
      if (left_out > 0) {
        text += paragraph(fmt::format("... and {} more (-v lists all)", left_out));
      }
    }
    for (const auto& line : family_texts(report, each)) {
      text += paragraph("after correction: " + line);
    }
  }
  text += "\n";
  for (const auto& note : notes(report)) {
    text += wrapped(note);
  }
  return text;
}

Json number_json(const std::optional<double>& value) {
  return value ? Json(*value) : Json();
}

Json counts_json(const ClaimReport& report, bool adjusted) {
  Json counts = Json::object();
  for (const Verdict verdict :
       {Verdict::supported, Verdict::unsupported, Verdict::mixed, Verdict::not_testable}) {
    counts[to_string(verdict)] = adjusted ? report.count_adjusted(verdict) : report.count(verdict);
  }
  return counts;
}

std::string render_json(const ClaimReport& report) {
  Json claims = Json::array();
  for (const ClaimVerdict& each : report.claims) {
    Json evidence = Json::array();
    for (const ClaimEvidence& part : each.evidence) {
      evidence.push_back({{"cells", part.cells},
                          {"text", part.text},
                          {"value", number_json(part.value)},
                          {"threshold", number_json(part.threshold)},
                          {"p", number_json(part.p)},
                          {"p_low", number_json(part.p_low)},
                          {"p_high", number_json(part.p_high)},
                          {"p_student", number_json(part.p_student)},
                          {"p_welch", number_json(part.p_welch)},
                          {"p_adjusted", number_json(part.p_adjusted)},
                          {"outcome", to_string(part.outcome)},
                          {"outcome_adjusted", to_string(part.outcome_adjusted)},
                          {"counts", part.counts},
                          {"exception", part.exception}});
    }
    Json families = Json::array();
    for (const FamilyVerdict& family : each.families) {
      Json members = Json::array();
      for (const auto& [name, p] : family.p_adjusted) {
        members.push_back({{"comparison", name}, {"p_adjusted", number_json(p)}});
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
                      {"reading", each.claim.reason.empty() ? Json() : Json(each.claim.reason)},
                      {"source", report.source},
                      {"data_kind", report.data_kind.empty() ? Json() : Json(report.data_kind)},
                      {"verdict", to_string(each.verdict)},
                      {"verdict_adjusted", to_string(each.verdict_adjusted)},
                      {"tested", each.tested},
                      {"alpha", level_of(report, each.claim)},
                      {"summary", each.summary},
                      {"evidence", std::move(evidence)},
                      {"families", std::move(families)}});
  }
  const bool measured = report.source == "measured";
  return to_text({{"schema_version", 1},
                  {"paper", report.paper},
                  {"source", report.source},
                  {"data_kind", measured ? Json(report.data_kind) : Json()},
                  {"protocol", measured ? Json(report.protocol) : Json()},
                  {"profile", measured ? Json(report.profile) : Json()},
                  {"test", report.options.test},
                  {"correction", report.options.correction},
                  {"alpha", report.options.alpha},
                  {"margin_dice_points", report.options.margin},
                  {"counts", counts_json(report, false)},
                  {"counts_adjusted", counts_json(report, true)},
                  {"claims", std::move(claims)}});
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

}  // namespace report_detail

std::string render(const ClaimReport& report, const std::string& format, bool color, bool all) {
  if (format == "text") {
    return report_detail::render_text(report, color, all);
  }
  if (format == "json") {
    return report_detail::render_json(report);
  }
  // A file of values holds every part; a page those worth reading.
  return render(report_detail::sheet_of(report, all || format == "csv", format == "latex"), format);
}

}  // namespace sar
