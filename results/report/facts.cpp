#include "results/report/facts.h"

#include "results/report/page_texts.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>

namespace sar {
namespace {

Json fact(const std::string& kind,
          const std::string& link,
          const std::string& value,
          const std::string& text) {
  return {{"fact_class", kind}, {"fact_link", link}, {"fact_value", value}, {"fact_text", text}};
}

}  // namespace

Json facts_of(const ReportContents& contents) {
  Json facts = Json::array();
  const RunSummary& summary = contents.summary;
  const auto standing = static_cast<std::size_t>(std::ranges::count_if(
      summary.failures, [](const FailedWork& failure) { return !failure.done_since; }));
  const TrialCount& trials = contents.trials;
  std::size_t cells = 0;
  std::size_t empty = 0;
  for (const ReportTable& table : contents.tables) {
    const std::size_t all = table.measured.spec.rows.size() * table.measured.spec.columns.size();
    cells += all;
    empty += all - static_cast<std::size_t>(filled_cells(table.measured));
  }
  const bool complete = trials.done == trials.planned && trials.planned > 0 && empty == 0;
  std::string done = "planned trials done";
  if (trials.failed > 0) {
    done += fmt::format(", {} failed", trials.failed);
  } else if (standing > 0) {
    done += "; other work failed: " + counted(standing, "failure");
  }
  if (empty > 0) {
    done += fmt::format("; {} of {} cells of the tables are empty", empty, cells);
  }
  facts.push_back(fact(trials.failed > 0           ? "bad"
                       : standing > 0 || !complete ? "warn"
                                                   : "good",
                       trials.failed > 0 || standing > 0 ? "#failures" : "#run",
                       fmt::format("{} of {}", trials.done, trials.planned),
                       done));
  for (const ReportTable& table : contents.tables) {
    int tested = 0;
    int marked = 0;
    int corrected = 0;
    for (std::size_t row = 0; row < table.measured.cells.size(); ++row) {
      for (std::size_t column = 0; column < table.measured.cells[row].size(); ++column) {
        const TableCell& cell = table.measured.cells[row][column];
        tested += chosen_test(table.measured, cell) ? 1 : 0;
        marked += is_significant(table.measured, cell) ? 1 : 0;
        corrected += is_significant(table.corrected, table.corrected.cells[row][column]) ? 1 : 0;
      }
    }
    if (tested > 0) {
      const bool plain = table.measured.correction == "none";
      facts.push_back(fact(
          "",
          "#table-" + safe_name(table.measured.spec.id),
          fmt::format("{} of {}", marked, tested),
          fmt::format(
              "comparisons of {} significant at {:g} {}{}",
              table.measured.spec.id,
              table.measured.alpha,
              corrected_by(table.measured.correction),
              plain ? fmt::format("; {} {}", corrected, corrected_by(table.corrected.correction))
                    : "")));
      break;  // the first table is the main one
    }
  }
  if (contents.claims) {
    facts.push_back(fact(
        "",
        "#claims",
        fmt::format(
            "{} of {}", contents.claims->count(Verdict::supported), contents.claims->claims.size()),
        fmt::format(
            "claims supported by the paper's own printed numbers; {} where differences must "
            "be significant {}",
            contents.claims->count_adjusted(Verdict::supported),
            corrected_by(contents.claims->options.correction))));
  }
  if (contents.audit) {
    const int faults =
        contents.audit->count(Severity::error) + contents.audit->count(Severity::inconsistent);
    facts.push_back(fact(faults > 0 ? "warn" : "good",
                         "#audit",
                         std::to_string(faults),
                         "findings where printed numbers do not hold together"));
  }
  return facts;
}

}  // namespace sar
