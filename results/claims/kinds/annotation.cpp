// annotation: with a share 1 - `saving` of the labels, a method is at least as good as each of
// `versus` with all of them, in each of `columns` (at fraction 1).

#include "results/claims/claim_kind.h"
#include "results/paper/predicates.h"
#include "results/tables/table.h"

#include <algorithm>
#include <functional>
#include <set>

namespace sar::claim_kinds::annotation {
namespace {

/// Label fractions that any table prints for a task and target, the largest first.
std::vector<std::string> fractions_of(const Paper& paper, const CellPath& path) {
  std::set<std::string> found{"1"};
  for (const PrintedTable& table : paper.tables) {
    for (const TableColumn& column : table.spec.columns) {
      if (column.task == path.task && column.target == path.target &&
          column.bucket == path.bucket) {
        found.insert(column.fraction);
      }
    }
  }
  std::vector<std::string> list(found.begin(), found.end());
  std::ranges::sort(list, std::greater<>(), fraction_value);
  return list;
}

void judge_claim(Judge& judge) {
  const double kept = 1 - fraction_value(judge.claim().saving);
  std::vector<Comparison> comparisons;
  for (const auto& method : judge.claim().versus) {
    for (const auto& column : judge.claim().columns) {
      const CellPath full = judge.path(method, column);
      const auto fractions = fractions_of(judge.context().paper, full);
      for (const auto& fraction : fractions) {
        // The most labels that the saving leaves.
        const auto fewer = std::ranges::find_if(fractions, [&](const std::string& each) {
          return fraction_value(each) <= kept * fraction_value(fraction) + kSumSlack;
        });
        if (fewer == fractions.end()) {
          continue;
        }
        Comparison& one = comparisons.emplace_back();
        CellPath high = full;
        high.method = judge.claim().method;
        high.fraction = *fewer;
        CellPath low = full;
        low.fraction = fraction;
        one.high = judge.side(high);
        one.low = judge.side(low);
        one.high.label += " at " + *fewer;
        one.low.label += " at " + fraction;
        one.where = full.column();
        one.at_least = true;
        one.counts = fraction == "1";
      }
    }
  }
  judge.compare(comparisons);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "annotation",
                      .needed = {"table", "method", "versus", "columns", "saving"},
                      .columns_of_any_table = true},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::annotation
