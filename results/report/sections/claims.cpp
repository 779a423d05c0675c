#include "results/claims/claim_document.h"
#include "results/report/page_texts.h"
#include "results/report/section.h"

#include <fmt/format.h>

namespace sar::sections::claims {
namespace {

std::string sign_of(Verdict verdict) {
  return verdict == Verdict::supported     ? "✓"
         : verdict == Verdict::unsupported ? "✗"
         : verdict == Verdict::mixed       ? "◐"
                                           : "○";
}

Json verdict_view(const ClaimVerdict& claim, const ClaimReport& report) {
  // Phantom runs show how a verdict would come about; their lamps stay unlit.
  const bool phantom = report.data_kind == "phantom";
  const Verdict lamp = phantom ? Verdict::not_testable : claim.verdict;
  return {{"source", report.source},
          {"verdict", to_string(lamp)},
          {"judged", to_string(claim.verdict)},
          {"verdict_text",
           phantom && claim.verdict != lamp ? "(" + word_of(claim.verdict) + ")"
                                            : word_of(claim.verdict)},
          {"sign", sign_of(lamp)},
          {"adjusted",
           claim.tested ? texts({fmt::format("significant {}: {}",
                                             corrected_by(report.options.correction),
                                             word_of(claim.verdict_adjusted))})
                        : Json(false)}};
}

/// `audit`: of printed numbers, or null.
Json side_view(const ClaimVerdict& claim, const ClaimReport& report, const Audit* audit) {
  Json evidence = Json::array();
  for (const ClaimEvidence& each : claim.evidence) {
    std::string text = each.text;
    for (const std::string& cell : each.cells) {
      if (audit != nullptr && audit->doubted.contains(cell)) {
        text += " (" + cell + " is in doubt: see the audit)";
      }
    }
    evidence.push_back({{"outcome", to_string(each.outcome)}, {"text", text}});
  }
  return {{"side", report.source == "published" ? "By the printed numbers" : "By the stored runs"},
          {"summary", claim.summary},
          {"evidence", std::move(evidence)}};
}

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Claims of the paper";
  if (!contents.claims) {
    return section;
  }
  const ClaimReport& published = *contents.claims;
  std::vector<const ClaimReport*> reports{&published};
  if (contents.measured_claims) {
    reports.push_back(&*contents.measured_claims);
  }
  Json claims = Json::array();
  for (std::size_t i = 0; i < published.claims.size(); ++i) {
    Json verdicts = Json::array();
    Json sides = Json::array();
    std::string filter;
    for (const ClaimReport* report : reports) {
      const ClaimVerdict& claim = report->claims.at(i);
      verdicts.push_back(verdict_view(claim, *report));
      const bool printed = report->source == "published";
      sides.push_back(
          side_view(claim, *report, printed && contents.audit ? &*contents.audit : nullptr));
      if (report->data_kind != "phantom") {
        filter += (filter.empty() ? "" : " ") + to_string(claim.verdict);
      }
    }
    const Claim& claim = published.claims[i].claim;
    const bool number = claim.section.find_first_not_of("0123456789.") == std::string::npos;
    claims.push_back({{"claim_id", safe_name(claim.id)},
                      {"claim_filter", filter},
                      {"statement", claim.statement},
                      {"where", (number ? "section " : "") + claim.section + ", " + claim.id},
                      {"verdicts", std::move(verdicts)},
                      {"sides", std::move(sides)}});
  }
  section.paragraphs = {"What " + contents.paper + " says of its results."};
  for (const ClaimReport* report : reports) {
    section.paragraphs.push_back(fmt::format(
        "{}: {} of {} claims are supported, {} unsupported, {} mixed, {} cannot be tested; where "
        "differences must also be significant ({} t-test, {}, alpha {:g}), {} are supported.{}",
        report->source == "published" ? "By the printed numbers" : "By the stored runs",
        report->count(Verdict::supported),
        report->claims.size(),
        report->count(Verdict::unsupported),
        report->count(Verdict::mixed),
        report->count(Verdict::not_testable),
        report->options.test == "welch" ? "Welch's" : "Student's",
        corrected_by(report->options.correction),
        report->options.alpha,
        report->count_adjusted(Verdict::supported),
        report->data_kind == "phantom" ? " Phantom data can neither support nor refute a sentence "
                                         "about real scans."
                                       : ""));
  }
  section.paragraphs.emplace_back(
      "A sentence that one mean is above another is supported by the means alone; the second line "
      "of its verdict says whether the difference is also significant.");
  section.block("claims",
                {{"claims_caption", "What the paper claims, sentence by sentence"},
                 {"with_measured", contents.measured_claims.has_value()},
                 {"measured_heading", "By the stored runs" + contents.phantom_mark()},
                 {"claim", std::move(claims)}});
  section.table_files(
      "claims", document_of(published), contents.measured_claims ? ", by the printed numbers" : "");
  if (contents.measured_claims) {
    section.table_files(
        "claims-measured", document_of(*contents.measured_claims), ", by the stored runs");
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({90, "claims", "Claims", {}, content});
}

}  // namespace sar::sections::claims
