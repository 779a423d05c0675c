#include "results/report/section.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar::sections::failures {
namespace {

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Failed and retried cells";
  const RunSummary& summary = contents.summary;
  std::size_t standing = 0;
  Sheet sheet;
  sheet.id = "failures";
  sheet.title = "Failed and retried work";
  sheet.header = {"What", "Cells that need it", "State", "When", "Host", "Reason"};
  sheet.text_columns = sheet.header.size();
  for (const FailedWork& failure : summary.failures) {
    standing += failure.done_since ? 0 : 1;
    std::string cells = failure.method;
    if (!failure.task.empty()) {
      cells += " " + failure.task;
      cells += failure.fraction == "1" ? "" : " at " + failure.fraction;
      cells += fmt::format(", trial {}", fmt::join(failure.trials, ", "));
    }
    sheet.rows.push_back({failure.kind,
                          cells,
                          failure.done_since ? "done since, by another attempt"
                                             : fmt::format("failed, attempt {}", failure.attempt),
                          failure.ended,
                          failure.host,
                          failure.reason});
  }
  if (sheet.rows.empty()) {
    section.message(summary.failed == 0
                        ? std::string("Nothing failed, and nothing was tried twice.")
                        : fmt::format("{} trials of table cells have failed; why is not "
                                      "stored.",
                                      summary.failed));
  } else {
    const std::size_t mended = sheet.rows.size() - standing;
    if (standing > 0) {
      sheet.notes.push_back(counted(standing, "failure stands.", "failures stand."));
    }
    if (mended > 0) {
      sheet.notes.push_back(counted(mended, "was", "were") + " mended by another attempt.");
    }
    if (summary.failed > 0) {
      sheet.notes.push_back(
          counted(static_cast<std::size_t>(summary.failed),
                  "trial of a table cell has no result",
                  "trials of table cells have no result") +
          " because of them; sar-bench run EXPERIMENT --only-failed tries again.");
    }
    section.sheet(sheet);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({110, "failures", "Failures", {}, content});
}

}  // namespace sar::sections::failures
