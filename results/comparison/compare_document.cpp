#include "results/comparison/compare_document.h"

#include "results/document/sheet.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"
#include "results/text/utf8.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>

namespace sar {
namespace {

const std::string kNone = "–";

bool phantom(const DatabaseComparison& all) {
  return all.base.data_kind == "phantom" || all.next.data_kind == "phantom";
}

std::string mean_text(const std::optional<Summary>& summary) {
  return summary ? value_text(summary->mean, summary->sd) : kNone;
}

std::string test_name(const std::string& test) {
  return test == "student" ? "Student's two-sample test over trials"
         : test == "welch" ? "Welch's two-sample test over trials"
                           : "paired t-test over trials of the same number and seed";
}

/// Two texts, cut to the width of a column so that what differs is still seen.
std::pair<std::string, std::string> shortened(const std::string& base, const std::string& next) {
  constexpr std::size_t kMost = 28;
  const auto place = std::ranges::mismatch(base, next).in1 - base.begin();
  const std::size_t from = place > static_cast<std::ptrdiff_t>(kMost) - 6
                               ? character_at(base, static_cast<std::size_t>(place) - 4)
                               : 0;
  const auto cut = [&](const std::string& text) {
    const std::string rest = (from > 0 ? "..." : "") + text.substr(std::min(from, text.size()));
    return rest.size() <= kMost ? rest : rest.substr(0, character_at(rest, kMost - 3)) + "...";
  };
  return {cut(base), cut(next)};
}

Sheet difference_sheet(const DatabaseComparison& all) {
  Sheet sheet;
  sheet.id = "compare";
  sheet.title = fmt::format("{} (new) against {} (base){}",
                            all.next_name,
                            all.base_name,
                            phantom(all) ? kPhantomMark : "");
  sheet.header = {"What differs", "Base", "New"};
  sheet.text_columns = 3;
  const auto add = [&](const FieldDifference& each) {
    const auto [base, next] = shortened(each.from, each.to);
    sheet.rows.push_back({each.field, base, next});
  };
  if (all.base.protocol != all.next.protocol) {
    add({"protocol", all.base.protocol, all.next.protocol});
  }
  std::ranges::for_each(all.protocol, add);
  std::ranges::for_each(all.environment, add);
  if (sheet.rows.empty()) {
    sheet.rows.push_back({"neither protocol nor environment", kNone, kNone});
  }
  if (all.base.data_kind != all.next.data_kind) {
    sheet.notes.emplace_back(
        "One side is of phantom data, the other of real data: their difference says nothing of "
        "methods or code.");
  } else if (all.base.protocol == all.next.protocol) {
    sheet.notes.push_back(fmt::format("Both are of protocol {}: the same configuration and data.",
                                      all.base.protocol));
  }
  return sheet;
}

Sheet cell_sheet(const DatabaseComparison& all) {
  Sheet sheet;
  sheet.id = "compare-cells";
  sheet.title = fmt::format("{} that differ{}",
                            all.common() == all.identical() ? "No cells" : "Cells",
                            phantom(all) ? kPhantomMark : "");
  sheet.header = {"Cell", "Base", "New", "n", "Difference", "p"};
  const bool corrected = all.options.correction != "none";
  if (corrected) {
    sheet.header.emplace_back("p adjusted");
  }
  const bool paired = all.options.test == "paired";
  std::vector<std::string> only_base;
  std::vector<std::string> only_new;
  std::map<std::string, std::vector<std::string>> reasons;
  std::map<std::string, std::vector<std::string>> equal_dice;  // by what differs
  for (const ComparedCell& cell : all.cells) {
    if (!cell.base || !cell.next) {
      (cell.base ? only_base : only_new).push_back(cell.name());
      continue;
    }
    if (cell.identical) {
      continue;
    }
    if (cell.differs_in != "Dice" && cell.differs_in != "trials") {
      equal_dice[cell.differs_in].push_back(cell.name());
    }
    std::string difference =
        fmt::format("{:+.2f}", cell.test ? cell.test->difference : *cell.difference);
    if (cell.test) {
      difference += fmt::format("±{:.2f}", (cell.test->ci_high - cell.test->ci_low) / 2);
    } else {
      reasons[cell.reason].push_back(cell.name());
    }
    std::vector<std::string>& row = sheet.rows.emplace_back(std::vector<std::string>{
        cell.name(),
        mean_text(cell.base),
        mean_text(cell.next),
        paired                         ? fmt::format("{} pairs", cell.pairs)
        : cell.base->n == cell.next->n ? std::to_string(cell.base->n)
                                       : fmt::format("{}, {}", cell.base->n, cell.next->n),
        difference,
        cell.test ? format_p(cell.test->p) : kNone});
    if (corrected) {
      row.push_back(cell.p_adjusted ? format_p(*cell.p_adjusted) : kNone);
    }
  }
  sheet.notes.push_back(fmt::format(
      "{} cells in both: {} identical bit for bit, {} tested, {} differ without a test.",
      all.common(),
      all.identical(),
      all.tested(),
      all.common() - all.identical() - all.tested()));
  const auto below = std::ranges::count_if(all.cells, [&](const ComparedCell& cell) {
    return cell.p_adjusted && *cell.p_adjusted < all.options.alpha;
  });
  sheet.notes.push_back(fmt::format(
      "Difference: new - base in Dice points, ± half its {:g} % confidence interval. p: {}, "
      "two-sided{}. {} of {} below {:g}.",
      100 * (1 - all.options.alpha),
      test_name(all.options.test),
      corrected
          ? fmt::format("; p adjusted: by {} over {} comparisons, those of the same runs counted "
                        "once",
                        correction_method(all.options.correction),
                        all.family)
          : ", not corrected",
      below,
      all.tested(),
      all.options.alpha));
  sheet.notes.emplace_back(
      "A p value above that does not show that nothing changed: sar-bench baseline check is the "
      "gate.");
  for (const auto& [reason, cells] : reasons) {
    sheet.notes.push_back(fmt::format("No test, {}: {}.", reason, fmt::join(cells, ", ")));
  }
  for (const auto& [what, cells] : equal_dice) {
    sheet.notes.push_back(fmt::format("The same Dice, but not the same {}: {}.",
                                      what == "cases" ? "results of cases" : what,
                                      fmt::join(cells, ", ")));
  }
  if (!only_base.empty()) {
    sheet.notes.push_back(fmt::format("Only in base: {}.", fmt::join(only_base, ", ")));
  }
  if (!only_new.empty()) {
    sheet.notes.push_back(fmt::format("Only in new: {}.", fmt::join(only_new, ", ")));
  }
  return sheet;
}

Values values_of(const DatabaseComparison& all) {
  Values values;
  values.header = {"method",     "task",       "fraction", "target",  "bucket", "base_mean",
                   "base_sd",    "base_n",     "new_mean", "new_sd",  "new_n",  "identical",
                   "pairs",      "test",       "t",        "df",      "p",      "p_adjusted",
                   "correction", "difference", "ci_low",   "ci_high", "reason", "differs_in"};
  for (const ComparedCell& cell : all.cells) {
    std::vector<std::string>& row = values.rows.emplace_back(
        std::vector{cell.method, cell.task, cell.fraction, cell.target, cell.bucket});
    for (const auto& side : {cell.base, cell.next}) {
      row.push_back(side ? unrounded(side->mean) : "");
      row.push_back(side ? unrounded(side->sd) : "");
      row.push_back(side ? std::to_string(side->n) : "");
    }
    const auto of_test = [&](double TTest::*member) {
      return cell.test ? fmt::format("{}", *cell.test.*member) : "";
    };
    row.insert(row.end(),
               {cell.identical ? "1" : "0",
                std::to_string(cell.pairs),
                all.options.test,
                of_test(&TTest::t),
                of_test(&TTest::df),
                of_test(&TTest::p),
                unrounded(cell.p_adjusted),
                all.options.correction,
                cell.test ? of_test(&TTest::difference) : unrounded(cell.difference),
                of_test(&TTest::ci_low),
                of_test(&TTest::ci_high),
                cell.reason,
                cell.differs_in});
  }
  return values;
}

Json side_json(const std::string& name, const ProtocolRow& protocol) {
  return {{"name", name},
          {"protocol", protocol.protocol},
          {"profile", protocol.profile},
          {"data_kind", protocol.data_kind}};
}

Json json_of(const DatabaseComparison& all) {
  const auto summary = [&](const std::optional<Summary>& side) {
    return side ? Json{{"mean", side->mean}, {"sd", json_or_null(side->sd)}, {"n", side->n}}
                : Json();
  };
  const auto fields = [](const std::vector<FieldDifference>& list) {
    Json result = Json::array();
    for (const FieldDifference& each : list) {
      result.push_back({{"field", each.field}, {"base", each.from}, {"new", each.to}});
    }
    return result;
  };
  Json cells = Json::array();
  for (const ComparedCell& cell : all.cells) {
    Json entry{{"cell", cell.name()},
               {"method", cell.method},
               {"task", cell.task},
               {"target", cell.target},
               {"bucket", cell.bucket},
               {"fraction", cell.fraction},
               {"base", summary(cell.base)},
               {"new", summary(cell.next)},
               {"identical", cell.identical},
               {"pairs", cell.pairs},
               {"difference", json_or_null(cell.difference)},
               {"ci", nullptr},
               {"t", nullptr},
               {"df", nullptr},
               {"p", nullptr},
               {"p_adjusted", json_or_null(cell.p_adjusted)},
               {"reason", json_or_null(cell.reason)},
               {"differs_in", json_or_null(cell.differs_in)}};
    if (cell.test) {
      entry["difference"] = cell.test->difference;
      entry["ci"] = {cell.test->ci_low, cell.test->ci_high};
      entry["t"] = cell.test->t;
      entry["df"] = cell.test->df;
      entry["p"] = cell.test->p;
    }
    cells.push_back(std::move(entry));
  }
  return {{"schema_version", 1},
          {"base", side_json(all.base_name, all.base)},
          {"new", side_json(all.next_name, all.next)},
          {"test", all.options.test},
          {"correction", all.options.correction},
          {"alpha", all.options.alpha},
          {"protocol_differences", fields(all.protocol)},
          {"environment_differences", fields(all.environment)},
          {"summary",
           {{"common", all.common()},
            {"identical", all.identical()},
            {"tested", all.tested()},
            {"family", all.family},
            {"only_one", static_cast<int>(all.cells.size()) - all.common()}}},
          {"cells", std::move(cells)}};
}

}  // namespace

Document document_of(const DatabaseComparison& comparison) {
  Document document;
  document.parts.push_back({{titled_table(difference_sheet(comparison))}});
  document.parts.push_back({{titled_table(cell_sheet(comparison))}});
  document.values = values_of(comparison);
  document.json = json_of(comparison);
  return document;
}

}  // namespace sar
