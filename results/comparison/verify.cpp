#include "results/comparison/verify.h"

#include "harness/core/error.h"
#include "results/statistics/power.h"
#include "results/statistics/statistics.h"

#include <fmt/format.h>

#include <algorithm>

namespace sar {
namespace {

/// What rules out a test whatever the runs measured.
std::vector<std::string> why_not(const VerifiedCell& cell,
                                 const CellSource& measured,
                                 const std::set<std::string>& doubted) {
  std::vector<std::string> reasons;
  if (measured.data_kind == "phantom") {
    reasons.emplace_back("phantom data");
  }
  if (!cell.published.sd) {
    reasons.emplace_back("no SD is printed");
  }
  if (cell.published.n < 2) {
    reasons.emplace_back(cell.published.n == 0 ? "the number of trials is not printed"
                                               : "the printed mean is over one trial");
  }
  if (doubted.contains(cell.path.text())) {
    reasons.emplace_back("audit doubts the printed number");
  }
  return reasons;
}

/// Tests a cell; its verdict waits for the correction over its table.
void test_cell(VerifiedCell& cell,
               const CellSource& measured,
               const std::set<std::string>& doubted,
               const VerifyOptions& options) {
  cell.verdict = Reproduction::not_testable;
  cell.reasons = why_not(cell, measured, doubted);
  if (!cell.reasons.empty()) {
    return;
  }
  if (!cell.measured) {
    cell.verdict = Reproduction::missing;
    return;
  }
  const bool pooled = options.test == "student";
  const TTest test = pooled ? student_test(*cell.measured, cell.published, options.alpha)
                            : welch_test(*cell.measured, cell.published, options.alpha);
  if (!test.testable) {
    cell.reasons = {test.reason};
    return;
  }
  cell.test = test;
  cell.equivalence =
      equivalence_test(*cell.measured, cell.published, options.margin, pooled, options.alpha);
  cell.power = student_power(options.margin / pooled_sd(*cell.measured, cell.published),
                             cell.measured->n,
                             cell.published.n,
                             options.alpha);
}

void decide(VerifiedCell& cell, const VerifyOptions& options) {
  if (cell.equivalence->testable && cell.equivalence->p < options.alpha) {
    cell.verdict = Reproduction::reproduced;
  } else if (*cell.p_adjusted < options.alpha) {
    cell.verdict = Reproduction::different;
  } else if (*cell.power < options.power) {
    cell.verdict = Reproduction::underpowered;
  } else {
    cell.verdict = Reproduction::compatible;
  }
}

std::string direction_of(const VerifiedCell& cell, const VerifiedCell& reference) {
  if (!cell.measured || !reference.measured || cell.path == reference.path) {
    return {};
  }
  const double published = cell.published.mean - reference.published.mean;
  const double measured = cell.measured->mean - reference.measured->mean;
  if (published == 0 || measured == 0) {
    return "tied";
  }
  return (published > 0) == (measured > 0) ? "same" : "opposite";
}

/// Direction and rank agreement of the cells of one column.
VerifiedColumn compare_rows(std::span<VerifiedCell> cells, const std::string& reference) {
  VerifiedColumn column{cells.front().path.table, cells.front().path.column(), 0, 0, 0, {}};
  const auto found = std::ranges::find(
      cells, reference, [](const VerifiedCell& cell) { return cell.path.method; });
  std::vector<double> published;
  std::vector<double> measured;
  for (VerifiedCell& cell : cells) {
    if (cell.measured) {
      published.push_back(cell.published.mean);
      measured.push_back(cell.measured->mean);
    }
    if (found != cells.end()) {
      cell.direction = direction_of(cell, *found);
      column.compared += cell.direction.empty() ? 0 : 1;
      column.same_direction += cell.direction == "same" ? 1 : 0;
    }
  }
  column.methods = static_cast<int>(published.size());
  column.ranks = rank_agreement(published, measured);
  return column;
}

}  // namespace

std::string to_string(Reproduction verdict) {
  switch (verdict) {
    case Reproduction::reproduced:
      return "reproduced";
    case Reproduction::compatible:
      return "compatible";
    case Reproduction::different:
      return "different";
    case Reproduction::underpowered:
      return "underpowered";
    case Reproduction::missing:
      return "missing";
    case Reproduction::not_testable:
      return "not-testable";
  }
  throw internal_error("a verdict without a name");
}

int Verification::count(Reproduction verdict, const std::string& table) const {
  return static_cast<int>(std::ranges::count_if(cells, [&](const VerifiedCell& cell) {
    return cell.verdict == verdict && (table.empty() || cell.path.table == table);
  }));
}

Verification verify(const Paper& paper,
                    const CellSource& measured,
                    const std::set<std::string>& doubted,
                    const VerifyOptions& options) {
  if (options.test != "student" && options.test != "welch") {
    throw usage_error("published numbers are tested by student or welch")
        .with("test", options.test);
  }
  if (!(options.power > 0 && options.power < 1)) {
    throw usage_error("power must lie between 0 and 1")
        .with("power", fmt::format("{}", options.power));
  }
  Verification all;
  all.paper = paper.id;
  all.title = paper.title;
  all.protocol = measured.protocol;
  all.data_kind = measured.data_kind;
  all.options = options;
  const CellSource published = published_cells(paper);
  for (const PrintedTable& table : paper.tables) {
    all.tables.push_back(table.spec.id);
    const std::size_t begin = all.cells.size();
    for (const TableColumn& column : table.spec.columns) {
      const std::size_t top = all.cells.size();
      for (const TableRow& row : table.spec.rows) {
        VerifiedCell& cell = all.cells.emplace_back();
        cell.path = {
            table.spec.id, row.method, column.task, column.target, column.bucket, column.fraction};
        cell.published = published.find(cell.path)->summary;
        if (const auto found = measured.find(cell.path)) {
          cell.measured = found->summary;
          cell.difference = cell.measured->mean - cell.published.mean;
        }
        test_cell(cell, measured, doubted, options);
      }
      all.columns.push_back(compare_rows(std::span(all.cells).subspan(top), table.spec.reference));
    }
    std::vector<VerifiedCell*> tested;
    std::vector<double> p;
    for (VerifiedCell& cell : std::span(all.cells).subspan(begin)) {
      if (cell.test) {
        tested.push_back(&cell);
        p.push_back(cell.test->p);
      }
    }
    const std::vector<double> adjusted = adjust(p, options.correction);
    for (std::size_t i = 0; i < tested.size(); ++i) {
      tested[i]->p_adjusted = adjusted[i];
      decide(*tested[i], options);
    }
  }
  return all;
}

}  // namespace sar
