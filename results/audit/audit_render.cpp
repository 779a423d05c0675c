#include "harness/core/error.h"
#include "results/audit/audit.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar {
namespace audit_detail {

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

std::string colored(const std::string& text, Severity severity, bool color) {
  if (!color) {
    return text;
  }
  const char* code = severity == Severity::error          ? "31"
                     : severity == Severity::inconsistent ? "33"
                                                          : "36";
  return fmt::format("\x1b[1;{}m{}\x1b[0m", code, text);
}

std::string render_text(const Audit& audit, bool color) {
  std::string text = wrapped(heading(audit), 0) + wrapped(verdict(audit), 0);
  for (const Finding& finding : audit.findings) {
    text += "\n" + colored(to_string(finding.severity), finding.severity, color) + "  " +
            finding.id + "\n" + wrapped(finding.message, 2);
  }
  text += "\nWhat each check did\n";
  for (const CheckReport& check : audit.checks) {
    text += fmt::format("\n{}{}\n{}",
                        check.check,
                        check.status == "checked" ? "" : " (" + check.status + ")",
                        wrapped(check.summary, 2));
  }
  for (const CheckReport& check : audit.checks) {
    for (const Sheet& sheet : check.sheets) {
      text += "\n" + render(sheet, "text");
    }
  }
  text += "\nNext\n";
  for (const std::string& step : next_steps(audit)) {
    text += "- " + wrapped(step, 2).substr(2);
  }
  return text;
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

std::string render_sheets(const Audit& audit, const std::string& format) {
  std::string text = render(findings_sheet(audit), format);
  text += "\n" + render(checks_sheet(audit), format);
  for (const CheckReport& check : audit.checks) {
    for (const Sheet& sheet : check.sheets) {
      text += "\n" + render(sheet, format);
    }
  }
  return text;
}

std::string render_csv(const Audit& audit) {
  Sheet sheet = findings_sheet(audit);
  sheet.header = {"severity", "check", "id", "cells", "rests_on", "message"};
  sheet.rows.clear();
  for (const Finding& finding : audit.findings) {
    sheet.rows.push_back({to_string(finding.severity),
                          finding.check,
                          finding.id,
                          fmt::format("{}", fmt::join(finding.cells, " ")),
                          fmt::format("{}", fmt::join(finding.rests_on, " ")),
                          finding.message});
  }
  return render(sheet, "csv");
}

/// Sentences are no cells of a LaTeX table, which does not break lines: a list of them.
std::string latex_list(const std::vector<std::pair<std::string, std::string>>& items) {
  std::string text = "\\begin{description}\\sloppy\n";
  for (const auto& [name, what] : items) {
    text += fmt::format("\\item[{{{}}}] {}\n", escape_latex(name), escape_latex(what));
  }
  return text + "\\end{description}\n";
}

std::string render_latex(const Audit& audit) {
  std::vector<std::pair<std::string, std::string>> findings;
  for (const Finding& finding : audit.findings) {
    findings.emplace_back(to_string(finding.severity), finding.id + ": " + finding.message);
  }
  std::vector<std::pair<std::string, std::string>> checks;
  for (const CheckReport& check : audit.checks) {
    checks.emplace_back(check.check, check.status + ": " + check.summary);
  }
  std::string text = "\\paragraph{" + escape_latex(heading(audit)) + "}\n" +
                     escape_latex(verdict(audit)) + "\n" +
                     (findings.empty() ? "" : latex_list(findings)) + latex_list(checks);
  for (const CheckReport& check : audit.checks) {
    for (const Sheet& sheet : check.sheets) {
      text += "\n" + render(sheet, "latex");
    }
  }
  return text;
}

std::string render_json(const Audit& audit) {
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
  return to_text({{"schema_version", 1},
                  {"paper", audit.paper},
                  {"title", audit.title},
                  {"findings", std::move(findings)},
                  {"checks", std::move(checks)},
                  {"doubted", audit.doubted}});
}

}  // namespace audit_detail

std::string render(const Audit& audit, const std::string& format, bool color) {
  using namespace audit_detail;
  if (format == "text") {
    return render_text(audit, color);
  }
  if (format == "md") {
    return render_sheets(audit, format);
  }
  if (format == "html") {
    return "<section class=\"audit\">\n" + render_sheets(audit, format) + "</section>\n";
  }
  if (format == "latex") {
    return render_latex(audit);
  }
  if (format == "csv") {
    return render_csv(audit);
  }
  if (format == "json") {
    return render_json(audit);
  }
  throw usage_error("unknown format: " + format).hint("use text, md, latex, csv, json or html");
}

}  // namespace sar
