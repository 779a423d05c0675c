#include "results/audit/audit_document.h"

#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace {

std::string heading(const Audit& audit) {
  return fmt::format("Audit of {}: {}", audit.paper, audit.title);
}

std::string verdict(const Audit& audit) {
  const auto applicable = std::ranges::count(audit.checks, "checked", &CheckReport::status);
  const auto number = [&](Severity severity, const char* noun) {
    return counted(static_cast<std::size_t>(audit.count(severity)), noun);
  };
  std::string text = audit.findings.empty()
                         ? std::string("Nothing found")
                         : fmt::format("{}, {}, {}",
                                       number(Severity::error, "error"),
                                       number(Severity::inconsistent, "inconsistent finding"),
                                       number(Severity::note, "note"));
  return fmt::format("{}; {} of {} checks apply to this paper; {} in doubt.",
                     text,
                     applicable,
                     audit.checks.size(),
                     audit.doubted.empty() ? std::string("no cell is")
                                           : counted(audit.doubted.size(), "cell") +
                                                 (audit.doubted.size() == 1 ? " is" : " are"));
}

/// What a reader may do next.
std::vector<std::string> next_steps(const Audit& audit) {
  std::vector<std::string> steps;
  if (!audit.doubted.empty()) {
    steps.emplace_back(
        "Ask the authors for the values behind the doubted cells (JSON, \"doubted\"): the Dice of "
        "each trial and case settles them.");
  }
  steps.emplace_back(
      "sar-bench claims --source published: do the printed numbers support the sentences?");
  steps.emplace_back("sar-bench verify: do stored runs reproduce the printed numbers?");
  return steps;
}

Tone tone_of(Severity severity) {
  return severity == Severity::error          ? Tone::error
         : severity == Severity::inconsistent ? Tone::warning
                                              : Tone::note;
}

/// Verdict, findings and what each check did, as a terminal shows them.
void add_text(std::vector<Part>& parts, const Audit& audit) {
  const auto add = [&](std::vector<Content> contents) {
    parts.push_back({std::move(contents), {"text"}});
  };
  add({Paragraph{heading(audit)}, Paragraph{verdict(audit)}});
  for (const Finding& finding : audit.findings) {
    add({Line{to_string(finding.severity), "  " + finding.id, 0, tone_of(finding.severity)},
         Paragraph{finding.message, 2}});
  }
  add({Line{"What each check did", ""}});
  for (const CheckReport& check : audit.checks) {
    add({Line{check.check, check.status == "checked" ? "" : " (" + check.status + ")"},
         Paragraph{check.summary, 2}});
  }
}

/// Findings and what each check did, as plain tables: for formats that lay them out themselves.
Sheet findings_sheet(const Audit& audit) {
  Sheet sheet;
  sheet.id = "audit-findings";
  sheet.title = heading(audit);
  sheet.header = {"Severity", "Finding", "Cells", "What"};
  sheet.text_columns = 4;
  for (const Finding& finding : audit.findings) {
    sheet.rows.push_back({to_string(finding.severity),
                          finding.id,
                          fmt::format("{}", fmt::join(finding.cells, ", ")),
                          finding.message});
  }
  sheet.notes = {verdict(audit)};
  return sheet;
}

Sheet checks_sheet(const Audit& audit) {
  Sheet sheet;
  sheet.id = "audit-checks";
  sheet.title = "What each check did";
  sheet.header = {"Check", "Status", "What it did"};
  sheet.text_columns = 3;
  for (const CheckReport& check : audit.checks) {
    sheet.rows.push_back({check.check, check.status, check.summary});
  }
  sheet.notes = next_steps(audit);
  return sheet;
}

/// Sentences are not cells of a LaTeX table, which does not break lines: lists of them.
std::vector<Content> latex_lists(const Audit& audit) {
  std::vector<Content> contents{Heading{heading(audit)}, Paragraph{verdict(audit)}};
  if (!audit.findings.empty()) {
    Descriptions findings;
    for (const Finding& finding : audit.findings) {
      findings.items.emplace_back(to_string(finding.severity), finding.id + ": " + finding.message);
    }
    contents.emplace_back(std::move(findings));
  }
  Descriptions checks;
  for (const CheckReport& check : audit.checks) {
    checks.items.emplace_back(check.check, check.status + ": " + check.summary);
  }
  contents.emplace_back(std::move(checks));
  return contents;
}

Values values_of(const Audit& audit) {
  Values values{{"severity", "check", "id", "cells", "rests_on", "message"}, {}};
  for (const Finding& finding : audit.findings) {
    values.rows.push_back({to_string(finding.severity),
                           finding.check,
                           finding.id,
                           fmt::format("{}", fmt::join(finding.cells, " ")),
                           fmt::format("{}", fmt::join(finding.rests_on, " ")),
                           finding.message});
  }
  return values;
}

Json json_of(const Audit& audit) {
  Json findings = Json::array();
  for (const Finding& finding : audit.findings) {
    findings.push_back({{"id", finding.id},
                        {"check", finding.check},
                        {"severity", to_string(finding.severity)},
                        {"cells", finding.cells},
                        {"message", finding.message},
                        {"values", finding.values},
                        {"rests_on", finding.rests_on},
                        {"doubts", finding.doubts}});
  }
  Json checks = Json::array();
  for (const CheckReport& check : audit.checks) {
    checks.push_back({{"check", check.check},
                      {"status", check.status},
                      {"summary", check.summary},
                      {"values", check.values}});
  }
  return {{"schema_version", 1},
          {"paper", audit.paper},
          {"title", audit.title},
          {"findings", std::move(findings)},
          {"checks", std::move(checks)},
          {"doubted", audit.doubted}};
}

}  // namespace

Document document_of(const Audit& audit) {
  Document document;
  document.section = "audit";
  add_text(document.parts, audit);
  document.parts.push_back({{titled_table(findings_sheet(audit))}, {"md", "html"}});
  document.parts.push_back({{titled_table(checks_sheet(audit))}, {"md", "html"}});
  document.parts.push_back({latex_lists(audit), {"latex"}});
  for (const CheckReport& check : audit.checks) {
    for (const Sheet& sheet : check.sheets) {
      document.parts.push_back({{titled_table(sheet)}});
    }
  }
  Part next{{Line{"Next", ""}}, {"text"}};
  for (const std::string& step : next_steps(audit)) {
    next.contents.emplace_back(Paragraph{step, 0, "- "});
  }
  document.parts.push_back(std::move(next));
  document.values = values_of(audit);
  document.json = json_of(audit);
  return document;
}

}  // namespace sar
