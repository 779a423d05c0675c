// significance: statements of significance can be reproduced from mean, SD and n.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/statistics/rounding_box.h"
#include "results/statistics/statistics.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>

namespace sar::audit_checks::significance {
namespace {

/// A p value from the printed numbers and bounds of it over all numbers that round to them.
struct PrintedTest {
  TTest test;
  double low = 0, high = 1;
};

RoundedSummary summary_of(const Place& place) {
  const PrintedCell& cell = place.cell();
  return {cell.mean.value,
          cell.mean.half_unit,
          std::max(0.0, cell.sd->value),
          cell.sd->half_unit,
          place.table->spec.trials};
}

PrintedTest test_printed(const RoundedSummary& a,
                         const RoundedSummary& b,
                         bool pooled,
                         double alpha) {
  PrintedTest result;
  const Summary one{a.mean, a.sd, a.n};
  const Summary other{b.mean, b.sd, b.n};
  result.test = pooled ? student_test(one, other, alpha) : welch_test(one, other, alpha);
  const Range bounds = p_bounds(a, b, pooled);
  result.low = bounds.low;
  result.high = bounds.high;
  if (result.test.testable) {  // not even by the last digit of double arithmetic
    result.low = std::min(result.low, result.test.p);
    result.high = std::max(result.high, result.test.p);
  }
  return result;
}

/// One row against another in one column.
struct StatedComparison {
  Place row, reference;
  PrintedTest student, welch;
  std::string obstacle;           ///< why it is not testable
  NeededCorrelation correlation;  ///< over trials, for a paired test to be significant
  std::map<std::string, std::map<std::string, double>> adjusted;  ///< family, then holm | bh

  [[nodiscard]] bool testable() const { return obstacle.empty(); }
};

/// Rounded up: what is shown suffices.
std::string show_correlation(double r) {
  return r > 1 ? "none" : r <= -1 ? "any" : fmt::format("{:.3f}", std::ceil(1000 * r) / 1000);
}

/// Rounding decides whether any correlation suffices.
bool straddles(const NeededCorrelation& needed) {
  return needed.range.low <= 1 && needed.range.high > 1;
}

/// Fills in the tests of a comparison, or why there are none.
void test(StatedComparison& each, double alpha) {
  const PrintedCell& row = each.row.cell();
  const PrintedCell& reference = each.reference.cell();
  if (!row.sd || !reference.sd) {
    each.obstacle = "no SD is printed";
  } else if (each.row.table->spec.trials < 2) {
    each.obstacle = "the number of trials is not stated";
  } else if (row.sd->value < 0 || reference.sd->value < 0) {
    each.obstacle = "a negative SD";
  } else {
    const RoundedSummary a = summary_of(each.row);
    const RoundedSummary b = summary_of(each.reference);
    each.student = test_printed(a, b, true, alpha);
    each.welch = test_printed(a, b, false, alpha);
    each.obstacle = each.student.test.reason;
    each.correlation = needed_correlation(a, b, alpha);
  }
}

/// Sentences about the same comparisons, or none: then all rows of a table with its reference.
struct Statement {
  std::vector<const Claim*> claims;
  const PrintedTable* table = nullptr;
  std::string method;
  double alpha = 0.05;
  std::vector<StatedComparison> comparisons;
  std::vector<ClaimFamily> families;
};

std::vector<std::string> other_rows(const PrintedTable& table, const std::string& method) {
  std::vector<std::string> others;
  for (const TableRow& row : table.spec.rows) {
    if (row.method != method) {
      others.push_back(row.method);
    }
  }
  return others;
}

/// Does the sentence speak of this comparison? An empty list means all.
bool speaks_of(const Claim& claim, const StatedComparison& each) {
  const CellPath path = each.row.path();
  return (claim.versus.empty() || std::ranges::count(claim.versus, path.method) > 0) &&
         (claim.columns.empty() || std::ranges::count(claim.columns, path.column()) > 0);
}

bool is_excepted(const Claim& claim, const StatedComparison& each) {
  const CellPath path = each.row.path();
  return std::ranges::any_of(claim.except, [&](const CellPath& other) {
    return other.method == path.method && other.column() == path.column();
  });
}

/// Makes the comparisons that a sentence or a family names, and corrects over each family.
void fill(Statement& statement) {
  const PrintedTable& table = *statement.table;
  const std::vector<std::string> others = other_rows(table, statement.method);
  for (const Claim* claim : statement.claims) {
    for (const ClaimFamily& family : claim->families) {
      if (std::ranges::count(statement.families, family.name, &ClaimFamily::name) == 0) {
        statement.families.push_back(family);
      }
    }
  }
  const auto reference = std::ranges::find(table.spec.rows, statement.method, &TableRow::method);
  if (reference == table.spec.rows.end()) {
    return;
  }
  const auto reference_row = static_cast<std::size_t>(reference - table.spec.rows.begin());
  for (std::size_t row = 0; row < table.spec.rows.size(); ++row) {
    for (std::size_t column = 0; row != reference_row && column < table.spec.columns.size();
         ++column) {
      StatedComparison each;
      each.row = {&table, row, column};
      each.reference = {&table, reference_row, column};
      const bool in_family =
          std::ranges::any_of(statement.families, [&](const ClaimFamily& family) {
            return std::ranges::count(family.versus, each.row.method().method) > 0;
          });
      if (statement.claims.empty() || in_family ||
          std::ranges::any_of(statement.claims,
                              [&](const Claim* claim) { return speaks_of(*claim, each); })) {
        test(each, statement.alpha);
        statement.comparisons.push_back(std::move(each));
      }
    }
  }
  if (statement.families.empty()) {
    statement.families.push_back({"all comparisons", others});
  }
  for (const ClaimFamily& family : statement.families) {
    std::vector<StatedComparison*> members;
    std::vector<double> p;
    for (StatedComparison& each : statement.comparisons) {
      if (each.testable() && std::ranges::count(family.versus, each.row.method().method) > 0) {
        members.push_back(&each);
        p.push_back(each.student.test.p);
      }
    }
    for (const char* correction : {"holm", "bh"}) {
      const std::vector<double> adjusted = adjust(p, correction);
      for (std::size_t i = 0; i < members.size(); ++i) {
        members[i]->adjusted[family.name][correction] = adjusted[i];
      }
    }
  }
}

/// Sentences of the same table, method and level together; then every other table.
std::vector<Statement> statements_of(const Subject& subject) {
  std::optional<double> named;  // a sentence without a level has that of the others
  for (const Claim& claim : subject.claims) {
    if (claim.kind == "significant" && claim.alpha && !named) {
      named = claim.alpha;
    }
  }
  std::vector<Statement> statements;
  for (const Claim& claim : subject.claims) {
    const PrintedTable* table =
        claim.kind == "significant" ? subject.paper.find(claim.table) : nullptr;
    if (table == nullptr) {
      continue;
    }
    const double alpha = subject.options.alpha_given
                             ? subject.options.alpha
                             : claim.alpha.value_or(named.value_or(subject.options.alpha));
    auto same = std::ranges::find_if(statements, [&](const Statement& other) {
      return other.table == table && other.method == claim.method && other.alpha == alpha;
    });
    if (same == statements.end()) {
      same = statements.insert(statements.end(), {{}, table, claim.method, alpha, {}, {}});
    }
    same->claims.push_back(&claim);
  }
  for (const PrintedTable& table : subject.paper.tables) {
    if (std::ranges::count(statements, &table, &Statement::table) == 0) {
      statements.push_back(
          {{}, &table, subject.paper.reference, named.value_or(subject.options.alpha), {}, {}});
      if (subject.options.alpha_given) {
        statements.back().alpha = subject.options.alpha;
      }
    }
  }
  for (Statement& statement : statements) {
    fill(statement);
  }
  return statements;
}

Json json_of(const PrintedTest& test) {
  return {{"t", test.test.t},
          {"df", test.test.df},
          {"p", test.test.p},
          {"p_low", test.low},
          {"p_high", test.high}};
}

Json json_of(const StatedComparison& each) {
  Json json{{"cell", each.row.path().text()}, {"versus", each.reference.path().text()}};
  if (!each.testable()) {
    json["not_testable"] = each.obstacle;
    return json;
  }
  json["n"] = each.row.table->spec.trials;
  json["student"] = json_of(each.student);
  json["welch"] = json_of(each.welch);
  const auto needed = [](double r) { return r > 1 ? Json() : Json(std::max(-1.0, r)); };
  json["paired_needs_r"] = needed(each.correlation.as_printed);
  json["paired_needs_r_low"] = needed(each.correlation.range.low);
  json["paired_needs_r_high"] = needed(each.correlation.range.high);
  json["p_adjusted"] = each.adjusted;
  return json;
}

/// "t(8) = -1.12, p = 0.294 (bounds within rounding 0.292 to 0.297)"
std::string show(const PrintedTest& test) {
  return fmt::format("t({:.3g}) = {:.2f}, p = {} (bounds within rounding {} to {})",
                     test.test.df,
                     test.test.t,
                     format_p(test.test.p),
                     format_p(test.low),
                     format_p(test.high));
}

/// Where the printed numbers stand to "significant at alpha".
enum class Standing { significant, not_significant, undecided };

Standing standing(const StatedComparison& each, double alpha) {
  if (each.student.high < alpha && each.welch.high < alpha) {
    return Standing::significant;
  }
  if (each.student.low >= alpha && each.welch.low >= alpha) {
    return Standing::not_significant;
  }
  return Standing::undecided;
}

/// What speaks against the sentences in one comparison, if anything does.
std::optional<Finding> contradiction(const Statement& statement, const StatedComparison& each) {
  std::vector<std::string> stated;
  bool excepted = false;  // by one sentence: then the others are not meant to include it either
  for (const Claim* claim : statement.claims) {
    excepted = excepted || is_excepted(*claim, each);
    if (speaks_of(*claim, each)) {
      stated.push_back(claim->id);
    }
  }
  const Standing stands = standing(each, statement.alpha);
  if (!each.testable() || stated.empty() || (stands == Standing::significant) != excepted) {
    return {};
  }
  const CellPath path = each.row.path();
  const double alpha = statement.alpha;
  Finding finding;
  finding.check = "significance";
  finding.id = "significance:" + path.text();
  finding.cells = {path.text(), each.reference.path().text()};
  finding.severity =
      !excepted && stands == Standing::not_significant ? Severity::inconsistent : Severity::note;
  finding.values = json_of(each);
  finding.values["claims"] = stated;
  finding.values["alpha"] = alpha;
  finding.values["stated"] = excepted ? "not significant" : "significant";
  const int n = each.row.table->spec.trials;
  std::string text = fmt::format("{} against {}, {}: {} against {}; Student {}, Welch {}. ",
                                 each.row.method().label,
                                 each.reference.method().label,
                                 each.row.column_name(),
                                 each.row.text(),
                                 each.reference.text(),
                                 show(each.student),
                                 show(each.welch));
  if (excepted) {
    text += fmt::format(
        "Excepted from \"significant\", yet p < {:g} in both tests, within all rounding.", alpha);
  } else if (stands == Standing::not_significant) {
    text += fmt::format(
        "p < {:g} is not reproducible from mean, SD and n = {} with an unpaired test; ", alpha, n);
    const Range& range = each.correlation.range;
    if (range.low > 1) {
      text += "nor with a paired one, whatever the correlation over trials, within all rounding.";
    } else if (straddles(each.correlation)) {
      text += fmt::format(
          "rounding decides whether a paired one could: it would need a correlation over trials of "
          "at least {}, or more than 1.",
          show_correlation(range.low));
    } else {
      text += fmt::format(
          "a paired one would need a correlation over trials of at least {} to {}, depending on "
          "rounding.",
          show_correlation(range.low),
          show_correlation(range.high));
    }
  } else {
    const bool student = each.student.test.p < alpha;
    const bool welch = each.welch.test.p < alpha;
    text += student == welch
                ? fmt::format("Rounding decides whether p < {:g}.", alpha)
                : fmt::format(
                      "p < {:g} by {} alone.", alpha, student ? "Student's test" : "Welch's test");
  }
  finding.message = std::move(text);
  return finding;
}

Sheet comparison_sheet(const Statement& statement, const std::string& id) {
  Sheet sheet;
  sheet.id = id;
  sheet.title = fmt::format("Every comparison with {} in {}",
                            statement.comparisons.front().reference.method().label,
                            statement.table->spec.id);
  sheet.text_columns = 2;
  sheet.header = {
      "Row", "Column", "t", "p Student", "p Welch", "within rounding", "Holm", "r paired"};
  const std::string family = statement.families.back().name;
  for (const StatedComparison& each : statement.comparisons) {
    std::vector<std::string> line{each.row.method().label, each.row.column_name()};
    if (each.testable()) {
      const auto found = each.adjusted.find(family);
      line.insert(line.end(),
                  {fmt::format("{:.2f}", each.student.test.t),
                   format_p(each.student.test.p),
                   format_p(each.welch.test.p),
                   fmt::format("{} to {}",
                               format_p(std::min(each.student.low, each.welch.low)),
                               format_p(std::max(each.student.high, each.welch.high))),
                   found == each.adjusted.end() ? "–" : format_p(found->second.at("holm")),
                   straddles(each.correlation) ? std::string("rounding")
                                               : show_correlation(each.correlation.range.high)});
    } else {
      line.resize(sheet.header.size(), "–");
    }
    sheet.rows.push_back(std::move(line));
  }
  sheet.notes = {fmt::format(
      "Two-sided, row less {}. Within rounding: bounds of both p over all numbers that round to "
      "the "
      "printed ones. Holm: Student's p corrected over {}. r paired: the correlation over trials "
      "from "
      "which on a paired test, n - 1 degrees of freedom, gives p < {:g} within all rounding; any, "
      "or none suffices; rounding: it "
      "decides whether any does.",
      statement.comparisons.front().reference.method().label,
      family,
      statement.alpha)};
  return sheet;
}

/// How many of each family stay significant after correction, and which are lost.
Json families_json(const Statement& statement, Sheet& sheet) {
  Json list = Json::array();
  for (const ClaimFamily& family : statement.families) {
    std::vector<const StatedComparison*> members;
    for (const StatedComparison& each : statement.comparisons) {
      if (each.adjusted.contains(family.name)) {
        members.push_back(&each);
      }
    }
    Json entry{{"name", family.name}, {"comparisons", members.size()}};
    std::vector<std::string> line{family.name, std::to_string(members.size())};
    const auto count = [&](const std::string& key, const char* correction, auto p_of) {
      std::vector<std::string> lost;
      std::vector<std::string> names;
      std::size_t kept = 0;
      for (const StatedComparison* each : members) {
        if (p_of(*each) < statement.alpha) {
          ++kept;
        } else if (each->student.test.p < statement.alpha) {
          lost.push_back(each->row.path().text());
          names.push_back(each->row.method().label + " " + each->row.column_name());
        }
      }
      entry[key] = {{"significant", kept}};
      line.push_back(std::to_string(kept));
      if (correction != nullptr) {
        entry[key]["lost"] = lost;
        if (!lost.empty()) {
          sheet.notes.push_back(
              fmt::format("{}, lost to {}: {}.", family.name, correction, fmt::join(names, ", ")));
        }
      }
    };
    count("student", nullptr, [](const StatedComparison& each) { return each.student.test.p; });
    count("welch", nullptr, [](const StatedComparison& each) { return each.welch.test.p; });
    count("holm", "Holm", [&](const StatedComparison& each) {
      return each.adjusted.at(family.name).at("holm");
    });
    count("bh", "Benjamini–Hochberg", [&](const StatedComparison& each) {
      return each.adjusted.at(family.name).at("bh");
    });
    sheet.rows.push_back(std::move(line));
    list.push_back(std::move(entry));
  }
  return list;
}

Outcome run(const Subject& subject) {
  Outcome outcome;
  const std::vector<Statement> statements = statements_of(subject);
  std::vector<std::string> said;
  Json values = Json::array();
  std::size_t tested = 0;
  for (const Statement& statement : statements) {
    const auto testable = static_cast<std::size_t>(
        std::ranges::count_if(statement.comparisons, &StatedComparison::testable));
    if (testable == 0) {
      said.push_back(fmt::format("{}: no comparison is testable.", statement.table->spec.id));
      continue;
    }
    tested += testable;
    std::map<Standing, std::size_t> counts;
    std::map<std::string, std::size_t> contradicted;  // of each sentence
    Json comparisons = Json::array();
    for (const StatedComparison& each : statement.comparisons) {
      comparisons.push_back(json_of(each));
      counts[standing(each, statement.alpha)] += each.testable() ? 1U : 0U;
      if (auto finding = contradiction(statement, each)) {
        for (const Json& claim : finding->values.at("claims")) {
          contradicted[claim] += finding->severity == Severity::inconsistent ? 1U : 0U;
        }
        outcome.findings.push_back(std::move(*finding));
      }
    }
    std::string text = statement.table->spec.id + ": ";
    Json sentences = Json::array();
    for (const Claim* claim : statement.claims) {
      const auto stated = static_cast<std::size_t>(
          std::ranges::count_if(statement.comparisons, [&](const StatedComparison& each) {
            return each.testable() && speaks_of(*claim, each) &&
                   std::ranges::none_of(statement.claims, [&](const Claim* other) {
                     return is_excepted(*other, each);
                   });
          }));
      text += fmt::format(
          "{} ({}) states {}{}, of which {} cannot be reproduced. ",
          claim->id,
          section_of(*claim),
          counted(stated, "comparison"),
          claim->alpha
              ? fmt::format(" as significant at \"p = {0:g}\", read as p < {0:g}", *claim->alpha)
              : fmt::format(" as significant, read as p < {:g}", statement.alpha),
          contradicted[claim->id]);
      sentences.push_back({{"claim", claim->id},
                           {"comparisons", stated},
                           {"not_reproducible", contradicted[claim->id]}});
    }
    text += fmt::format(
        "{}p < {:g} by Student's and Welch's test within all rounding in {} of {}, by neither "
        "within "
        "any in {}, between in {}.",
        statement.claims.empty() ? "no significance is stated. " : "",
        statement.alpha,
        counts[Standing::significant],
        testable,
        counts[Standing::not_significant],
        counts[Standing::undecided]);
    said.push_back(std::move(text));
    const std::string id = fmt::format("significance-{}", outcome.report.sheets.size() / 2 + 1);
    Sheet families;
    families.id = id + "-families";
    families.title = fmt::format(
        "Significant at {:g} in {}, after correction", statement.alpha, statement.table->spec.id);
    families.header = {"Family", "Tests", "Student", "Welch", "Holm", "BH"};
    Json corrected = families_json(statement, families);
    families.notes.insert(families.notes.begin(),
                          "Holm and Benjamini–Hochberg (BH, approximate under dependence) correct "
                          "Student's p.");
    if (testable < statement.comparisons.size()) {
      families.notes.push_back(
          fmt::format("{} cannot be tested, so without p, and left out of the families.",
                      counted(statement.comparisons.size() - testable, "comparison")));
    }
    outcome.report.sheets.push_back(comparison_sheet(statement, id));
    outcome.report.sheets.push_back(std::move(families));
    values.push_back({{"table", statement.table->spec.id},
                      {"claims", std::move(sentences)},
                      {"alpha", statement.alpha},
                      {"comparisons", std::move(comparisons)},
                      {"families", std::move(corrected)}});
  }
  if (tested > 0) {
    said.emplace_back(
        "Unpaired tests from mean, SD and n; a test over cases would not show in these SDs, so a "
        "statement that rests on one can neither be confirmed nor refuted here.");
  }
  if (statements.empty()) {
    said.emplace_back("The paper has no table of Dice.");
  }
  std::vector<Sheet> sheets = std::move(outcome.report.sheets);
  outcome.report = report("significance",
                          tested > 0,
                          fmt::format("{}", fmt::join(said, " ")),
                          {{"statements", std::move(values)}});
  outcome.report.sheets = std::move(sheets);
  return outcome;
}

}  // namespace

void register_in(Checks& checks) {
  checks.add({"significance", 110, run});
}

}  // namespace sar::audit_checks::significance
