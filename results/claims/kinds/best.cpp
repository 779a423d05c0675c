// best: bold marks are where the largest mean of each column of a table is.

#include "results/claims/claim_kind.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace sar::claim_kinds::best {
namespace {

/// Printed numbers are compared as they are printed: bold marks were set on those.
ClaimEvidence bold_evidence(const Judge& judge,
                            const PrintedTable& table,
                            std::size_t column,
                            const std::string& name,
                            const std::vector<std::size_t>& bold,
                            std::size_t largest) {
  ClaimEvidence evidence;
  const double most = table.cells[largest][column].mean.value;
  bool holds = !bold.empty();
  std::vector<std::string> marked;
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    const bool is_bold = std::ranges::find(bold, row) != bold.end();
    holds = holds && is_bold == (table.cells[row][column].mean.value == most);
    if (is_bold) {
      marked.push_back(table.spec.rows[row].method + " " + table.cells[row][column].mean.text);
      evidence.cells.push_back(judge.path(table.spec.rows[row].method, name).text());
      evidence.value = table.cells[row][column].mean.value;
    }
  }
  evidence.threshold = most;
  evidence.outcome = holds ? Outcome::holds : Outcome::fails;
  evidence.text = fmt::format("bold on {}: {}; largest: {} {}",
                              name,
                              marked.empty() ? "none" : fmt::format("{}", fmt::join(marked, ", ")),
                              table.spec.rows[largest].method,
                              table.cells[largest][column].mean.text);
  return evidence;
}

void judge_claim(Judge& judge) {
  const PrintedTable* table = judge.context().paper.find(judge.claim().table);
  std::vector<Comparison> comparisons;
  for (std::size_t column = 0; column < table->spec.columns.size(); ++column) {
    const TableColumn& named = table->spec.columns[column];
    const std::string name =
        CellPath{"", "", named.task, named.target, named.bucket, named.fraction}.column();
    if (std::ranges::find(judge.claim().columns, name) == judge.claim().columns.end()) {
      continue;
    }
    std::vector<std::size_t> bold;
    std::size_t largest = 0;
    for (std::size_t row = 0; row < table->cells.size(); ++row) {
      const PrintedCell& cell = table->cells[row][column];
      if (!cell.bold) {
        judge.not_testable(judge.claim().reason.empty() ? "which numbers are bold is not known"
                                                        : judge.claim().reason);
        return;
      }
      if (*cell.bold) {
        bold.push_back(row);
      }
      if (cell.mean.value > table->cells[largest][column].mean.value) {
        largest = row;
      }
    }
    if (judge.measured()) {
      for (const std::size_t row : bold) {
        for (std::size_t other = 0; other < table->cells.size(); ++other) {
          if (std::ranges::find(bold, other) == bold.end()) {
            comparisons.push_back({judge.side(judge.path(table->spec.rows[row].method, name)),
                                   judge.side(judge.path(table->spec.rows[other].method, name)),
                                   name,
                                   {}});
          }
        }
      }
      continue;
    }
    judge.add(bold_evidence(judge, *table, column, name, bold, largest));
  }
  if (judge.measured()) {
    judge.compare(comparisons);
  } else {
    judge.conclude("column", "columns");
  }
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "best", .needed = {"table"}, .optional = {"columns"}},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::best
