#include "results/audit/audit_document.h"
#include "results/report/page_texts.h"
#include "results/report/section.h"

#include <fmt/format.h>

#include <set>

namespace sar::sections::audit {
namespace {

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Do the printed numbers hold together?";
  if (!contents.audit) {
    return section;
  }
  const Audit& audit = *contents.audit;
  std::set<std::string> known;  // cells that the page shows
  for (const ReportTable& table : contents.tables) {
    for (std::size_t row = 0; table.published && row < table.published->cells.size(); ++row) {
      for (const TableCell& cell : table.published->cells[row]) {
        known.insert(path_of(*table.published, row, cell).text());
      }
    }
  }
  Json findings = Json::array();
  for (const Finding& finding : audit.findings) {
    Json cells = Json::array();
    for (const std::string& cell : finding.cells) {
      cells.push_back(
          {{"cell", cell},
           {"target", known.contains(cell) ? Json(cell_anchor("published", cell)) : Json(false)}});
    }
    findings.push_back({{"finding_id", finding.id},
                        {"severity", to_string(finding.severity)},
                        {"sign", finding.severity == Severity::note ? "○" : "✗"},
                        {"finding_text", finding.message},
                        {"cell_links", std::move(cells)}});
  }
  section.paragraphs.push_back(fmt::format(
      "{}: {} errors, {} inconsistent, {} notes. The audit needs no run: it holds the paper's "
      "numbers against each other, rounding allowed for.",
      audit.title,
      audit.count(Severity::error),
      audit.count(Severity::inconsistent),
      audit.count(Severity::note)));
  if (findings.empty()) {
    section.message("No finding: the printed numbers hold together.");
  } else {
    section.block("audit", {{"finding", std::move(findings)}});
  }
  Sheet checks;
  checks.id = "checks";
  checks.title = "Checks";
  checks.header = {"Check", "State", "What it did"};
  checks.text_columns = 3;
  for (const CheckReport& check : audit.checks) {
    checks.rows.push_back({check.check, check.status, check.summary});
  }
  section.folded_sheet("What each check did", checks);
  section.table_files("audit", document_of(audit));
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({100, "audit", "Audit", {}, content});
}

}  // namespace sar::sections::audit
