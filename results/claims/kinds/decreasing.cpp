// decreasing: the mean falls from column to column of each task, target and bucket, for a method
// and for each of `versus`.

#include "results/claims/claim_kind.h"

#include <fmt/format.h>

#include <map>

namespace sar::claim_kinds::decreasing {
namespace {

std::vector<std::string> faults(const Claim&, const Json& entry) {
  if (entry.contains("columns") && entry.at("columns").size() < 2) {
    return {"a claim of kind decreasing needs at least two columns"};
  }
  return {};
}

/// Label fractions that come to equal training cases share their runs: no two numbers there.
void mark_same_runs(Comparison& comparison) {
  const auto& a = comparison.high.number.trials;
  if (a.size() > 1 && a == comparison.low.number.trials) {
    comparison.high.missing = fmt::format("{} and {} on {} are the same runs: equal training cases",
                                          comparison.high.label,
                                          comparison.low.label,
                                          comparison.where);
  }
}

void judge_claim(Judge& judge) {
  std::map<std::string, std::vector<std::string>> chains;  // one per task, target and bucket
  for (const auto& column : judge.claim().columns) {
    CellPath each = judge.path(judge.claim().method, column);
    each.fraction = "1";
    chains[each.column()].push_back(column);
  }
  std::vector<std::string> methods{judge.claim().method};
  methods.insert(methods.end(), judge.claim().versus.begin(), judge.claim().versus.end());
  std::vector<Comparison> comparisons;
  for (const auto& [name, columns] : chains) {
    for (const auto& method : methods) {
      for (std::size_t i = 0; i + 1 < columns.size(); ++i) {
        Comparison& one = comparisons.emplace_back();
        const CellPath more = judge.path(method, columns[i]);
        const CellPath less = judge.path(method, columns[i + 1]);
        one.high = judge.side(more);
        one.low = judge.side(less);
        one.where = name;
        one.high.label += " at " + more.fraction;
        one.low.label += " at " + less.fraction;
        mark_same_runs(one);
      }
    }
  }
  judge.compare(comparisons);
}

}  // namespace

void register_in(ClaimKinds& kinds) {
  kinds.add({.form = {.kind = "decreasing",
                      .needed = {"table", "method", "columns"},
                      .optional = {"versus"},
                      .columns_of_any_table = true,
                      .faults = faults},
             .judge = judge_claim});
}

}  // namespace sar::claim_kinds::decreasing
