#include "results/comparison/verify_document.h"

#include "results/document/sheet.h"
#include "results/statistics/statistics.h"
#include "results/tables/table.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <map>
#include <set>

namespace sar {
namespace {

constexpr std::array kVerdicts{Reproduction::reproduced,
                               Reproduction::compatible,
                               Reproduction::different,
                               Reproduction::underpowered,
                               Reproduction::missing,
                               Reproduction::not_testable};

std::string margin_text(const Verification& all) {
  return fmt::format("±{:g}", all.options.margin);
}

std::string test_name(const VerifyOptions& options) {
  return options.test == "student" ? "Student's" : "Welch's";
}

std::string correction_text(const VerifyOptions& options) {
  return options.correction == "none" ? "not corrected"
                                      : "corrected by " + correction_method(options.correction) +
                                            " over the tested cells of each table";
}

Sheet summary_sheet(const Verification& all) {
  Sheet sheet;
  sheet.id = "verify";
  sheet.title = fmt::format("Are the numbers of {} reproduced? Margin {} Dice points{}",
                            all.paper,
                            margin_text(all),
                            phantom_mark(all.data_kind));
  sheet.header = {"Table"};
  for (const Reproduction verdict : kVerdicts) {
    sheet.header.push_back(to_string(verdict));
  }
  for (const std::string& table : all.tables) {
    std::vector<std::string>& row = sheet.rows.emplace_back(std::vector{table});
    for (const Reproduction verdict : kVerdicts) {
      row.push_back(std::to_string(all.count(verdict, table)));
    }
  }
  std::vector<std::string>& row = sheet.rows.emplace_back(std::vector<std::string>{"all"});
  for (const Reproduction verdict : kVerdicts) {
    row.push_back(std::to_string(all.count(verdict)));
  }
  sheet.notes.push_back(fmt::format(
      "Measured: protocol {}, profile {}, {} data.", all.protocol, all.profile, all.data_kind));
  const double confidence = 100 * (1 - all.options.alpha);
  sheet.notes.push_back(fmt::format(
      "The first that applies: not-testable; missing: no finished trial; reproduced: two one-sided "
      "tests at {:g} show a difference within {} Dice points; different: p of {} two-sample test, "
      "{}, is below {:g}; underpowered: a true difference of {:g} Dice points would be seen with "
      "a power below {:g} (Student's test at {:g}, before correction); compatible: otherwise.",
      all.options.alpha,
      margin_text(all),
      test_name(all.options),
      correction_text(all.options),
      all.options.alpha,
      all.options.margin,
      all.options.power,
      all.options.alpha));
  sheet.notes.push_back(fmt::format(
      "Below, a difference is measured - published, ± half its {:g} % confidence interval, before "
      "correction; p is {}; behind each verdict stands the margin.",
      confidence,
      all.options.correction == "none" ? "not corrected" : "corrected"));
  if (all.data_kind == "phantom") {
    sheet.notes.emplace_back(
        "Phantom data cannot confirm or refute a published number: what they measured is shown, "
        "and no cell is tested.");
  }
  return sheet;
}

/// "scratch/brats/tumor/S, sar/brats/tumor/S", or their number where they are many.
std::string listed(const std::vector<std::string>& cells, std::size_t of) {
  constexpr std::size_t kMost = 20;
  return cells.size() == of     ? "all cells"
         : cells.size() > kMost ? fmt::format("{} cells", cells.size())
                                : fmt::format("{}", fmt::join(cells, ", "));
}

Sheet table_sheet(const Verification& all, const std::string& table) {
  Sheet sheet;
  sheet.id = "verify-" + table;
  sheet.title = table + phantom_mark(all.data_kind);
  sheet.header = {"Cell", "Published", "Measured", "n", "Difference", "p", "Verdict"};
  std::map<std::string, std::vector<std::string>> reasons;
  std::set<int> trials;
  for (const VerifiedCell& cell : all.cells) {
    if (cell.path.table != table) {
      continue;
    }
    const std::string name = cell.path.method + "/" + cell.path.column();
    std::string difference = cell.difference ? fmt::format("{:+.2f}", *cell.difference) : "–";
    if (cell.test) {
      difference += fmt::format("±{:.2f}", (cell.test->ci_high - cell.test->ci_low) / 2);
    }
    sheet.rows.push_back({name,
                          value_text(cell.published.mean, cell.published.sd),
                          cell.measured ? value_text(cell.measured->mean, cell.measured->sd) : "–",
                          cell.measured ? std::to_string(cell.measured->n) : "–",
                          difference,
                          cell.p_adjusted ? format_p(*cell.p_adjusted) : "–",
                          to_string(cell.verdict) + " (" + margin_text(all) + ")"});
    for (const std::string& reason : cell.reasons) {
      reasons[reason].push_back(name);
    }
    trials.insert(cell.published.n);
  }
  for (const auto& [reason, cells] : reasons) {
    sheet.notes.push_back(
        fmt::format("Not testable, {}: {}.", reason, listed(cells, sheet.rows.size())));
  }
  if (trials.size() == 1 && *trials.begin() > 0) {
    sheet.notes.push_back(fmt::format("Published means are over {} trials.", *trials.begin()));
  }
  return sheet;
}

Sheet agreement_sheet(const Verification& all) {
  Sheet sheet;
  sheet.id = "verify-agreement";
  sheet.title = std::string("Do the methods compare as published? No verdict rests on this") +
                phantom_mark(all.data_kind);
  sheet.header = {"Column", "Same sign", "Methods", "tau-b", "p", "Least p"};
  int same = 0;
  int compared = 0;
  bool exact = true;
  for (const VerifiedColumn& column : all.columns) {
    if (column.methods == 0) {
      continue;
    }
    const RankAgreement& ranks = column.ranks;
    sheet.rows.push_back({column.table + "/" + column.column,
                          fmt::format("{} of {}", column.same_direction, column.compared),
                          std::to_string(column.methods),
                          ranks.testable ? fmt::format("{:.2f}", ranks.tau_b) : "–",
                          ranks.testable ? format_p(ranks.p) : "–",
                          ranks.testable ? format_p(ranks.floor) : "–"});
    same += column.same_direction;
    compared += column.compared;
    exact = exact && (ranks.exact || !ranks.testable);
  }
  sheet.notes.push_back(fmt::format(
      "Same sign: rows whose difference from the reference row has the published sign, "
      "{} of {} in all. tau-b: Kendall's rank correlation of the published with the "
      "measured means; p: {} permutation of methods, two-sided, not corrected; least p: "
      "what so many methods can give at best.",
      same,
      compared,
      exact ? "exact" : "exact up to ten methods, else Monte Carlo"));
  if (all.data_kind == "phantom") {
    sheet.notes.emplace_back(
        "Phantom data: no cell is tested. tau-b and its p compare orders of methods on an invented "
        "suite, and say nothing about the paper.");
  }
  return sheet;
}

Values values_of(const Verification& all) {
  Values values;
  values.header = {"cell",
                   "published_mean",
                   "published_sd",
                   "published_n",
                   "measured_mean",
                   "measured_sd",
                   "measured_n",
                   "difference",
                   "ci_low",
                   "ci_high",
                   "test",
                   "t",
                   "df",
                   "p",
                   "p_adjusted",
                   "correction",
                   "margin",
                   "p_equivalence",
                   "power",
                   "verdict",
                   "reason",
                   "direction",
                   "data_kind",
                   "protocol"};
  for (const VerifiedCell& cell : all.cells) {
    const auto of_test = [&](double TTest::*member) {
      return cell.test ? fmt::format("{}", *cell.test.*member) : "";
    };
    values.rows.push_back({cell.path.text(),
                           fmt::format("{}", cell.published.mean),
                           unrounded(cell.published.sd),
                           cell.published.n > 0 ? std::to_string(cell.published.n) : "",
                           cell.measured ? fmt::format("{}", cell.measured->mean) : "",
                           cell.measured ? unrounded(cell.measured->sd) : "",
                           cell.measured ? std::to_string(cell.measured->n) : "",
                           unrounded(cell.difference),
                           of_test(&TTest::ci_low),
                           of_test(&TTest::ci_high),
                           all.options.test,
                           of_test(&TTest::t),
                           of_test(&TTest::df),
                           of_test(&TTest::p),
                           unrounded(cell.p_adjusted),
                           all.options.correction,
                           fmt::format("{}", all.options.margin),
                           cell.equivalence ? fmt::format("{}", cell.equivalence->p) : "",
                           unrounded(cell.power),
                           to_string(cell.verdict),
                           fmt::format("{}", fmt::join(cell.reasons, "; ")),
                           cell.direction,
                           all.data_kind,
                           all.protocol});
  }
  return values;
}

Json summary_json(const Summary& summary) {
  return {{"mean", summary.mean},
          {"sd", json_or_null(summary.sd)},
          {"n", summary.n > 0 ? Json(summary.n) : Json()}};
}

Json json_of(const Verification& all) {
  Json cells = Json::array();
  for (const VerifiedCell& cell : all.cells) {
    Json entry{{"cell", cell.path.text()},
               {"published", summary_json(cell.published)},
               {"measured", cell.measured ? summary_json(*cell.measured) : Json()},
               {"difference", json_or_null(cell.difference)},
               {"ci", nullptr},
               {"t", nullptr},
               {"df", nullptr},
               {"p", nullptr},
               {"p_adjusted", json_or_null(cell.p_adjusted)},
               {"margin", all.options.margin},
               {"equivalence", nullptr},
               {"power", json_or_null(cell.power)},
               {"verdict", to_string(cell.verdict)},
               {"reason", json_or_null(fmt::format("{}", fmt::join(cell.reasons, "; ")))},
               {"direction", json_or_null(cell.direction)}};
    if (cell.test) {
      entry["ci"] = {cell.test->ci_low, cell.test->ci_high};
      entry["t"] = cell.test->t;
      entry["df"] = cell.test->df;
      entry["p"] = cell.test->p;
    }
    if (cell.equivalence) {
      entry["equivalence"] = {{"p", cell.equivalence->p},
                              {"ci", {cell.equivalence->ci_low, cell.equivalence->ci_high}}};
    }
    cells.push_back(std::move(entry));
  }
  Json columns = Json::array();
  for (const VerifiedColumn& column : all.columns) {
    Json entry{{"table", column.table},
               {"column", column.column},
               {"methods", column.methods},
               {"compared", column.compared},
               {"same_direction", column.same_direction},
               {"tau_b", nullptr},
               {"p", nullptr},
               {"floor", nullptr},
               {"exact", nullptr},
               {"reason", json_or_null(column.ranks.reason)}};
    if (column.ranks.testable) {
      entry["tau_b"] = column.ranks.tau_b;
      entry["p"] = column.ranks.p;
      entry["floor"] = column.ranks.floor;
      entry["exact"] = column.ranks.exact;
    }
    columns.push_back(std::move(entry));
  }
  Json summary = Json::object();
  for (const Reproduction verdict : kVerdicts) {
    summary[to_string(verdict)] = all.count(verdict);
  }
  return {{"schema_version", 1},
          {"paper", all.paper},
          {"protocol", all.protocol},
          {"profile", all.profile},
          {"data_kind", all.data_kind},
          {"test", all.options.test},
          {"correction", all.options.correction},
          {"alpha", all.options.alpha},
          {"margin", all.options.margin},
          {"power", all.options.power},
          {"summary", std::move(summary)},
          {"cells", std::move(cells)},
          {"columns", std::move(columns)}};
}

}  // namespace

Document document_of(const Verification& verification) {
  Document document;
  document.parts.push_back({{titled_table(summary_sheet(verification))}});
  for (const std::string& table : verification.tables) {
    document.parts.push_back({{titled_table(table_sheet(verification, table))}});
  }
  document.parts.push_back({{titled_table(agreement_sheet(verification))}});
  document.values = values_of(verification);
  document.json = json_of(verification);
  return document;
}

}  // namespace sar
