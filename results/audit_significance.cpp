// Check of statements of significance: significance.

#include "results/audit_checks.h"
#include "results/statistics.h"

#include <boost/math/distributions/students_t.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <optional>
#include <set>

namespace sar::audit_detail {
namespace {

namespace bm = boost::math;

double two_sided_p(double t, double df) {
  return std::min(1.0, 2 * bm::cdf(bm::complement(bm::students_t(df), std::abs(t))));
}

/// A p value from the printed numbers and bounds of it over all numbers that round to them.
struct PrintedTest {
  TTest test;
  double low = 0, high = 1;
};

/// Means and SDs with half a unit of their last digit.
struct Group {
  double mean = 0, mean_half = 0, sd_low = 0, sd = 0, sd_high = 0;
  int n = 0;

  explicit Group(const Place& place)
      : mean(place.cell().mean.value),
        mean_half(place.cell().mean.half_unit),
        sd_low(std::max(0.0, place.cell().sd->value - place.cell().sd->half_unit)),
        sd(place.cell().sd->value),
        sd_high(place.cell().sd->value + place.cell().sd->half_unit),
        n(place.table->spec.trials) {}
  [[nodiscard]] Summary summary() const { return {mean, std::max(0.0, sd), n}; }
};

/// Variance of the difference of the means, pooled or not.
double variance(bool pooled, double sd_a, int n_a, double sd_b, int n_b) {
  if (!pooled) {
    return sd_a * sd_a / n_a + sd_b * sd_b / n_b;
  }
  return ((n_a - 1) * sd_a * sd_a + (n_b - 1) * sd_b * sd_b) / (n_a + n_b - 2) *
         (1.0 / n_a + 1.0 / n_b);
}

/// Satterthwaite's degrees of freedom; empty if both SDs are 0.
std::optional<double> satterthwaite(double sd_a, int n_a, double sd_b, int n_b) {
  const double a = sd_a * sd_a / n_a;
  const double b = sd_b * sd_b / n_b;
  if (!(a + b > 0)) {
    return {};
  }
  const double share = a / (a + b);
  return 1 / (share * share / (n_a - 1) + (1 - share) * (1 - share) / (n_b - 1));
}

/// Bounds of p over the closed box of rounding intervals: |t| is extreme at its corners; the
/// degrees of freedom of Welch's test depend on the ratio of the SDs alone and are largest, n_a +
/// n_b - 2, where sd_a² / (n_a (n_a - 1)) = sd_b² / (n_b (n_b - 1)), so they too lie between their
/// values at two corners but for that ridge. p falls with |t| and with the degrees of freedom.
PrintedTest test_printed(const Group& a, const Group& b, bool pooled, double alpha) {
  PrintedTest result;
  result.test = pooled ? student_test(a.summary(), b.summary(), alpha)
                       : welch_test(a.summary(), b.summary(), alpha);
  const double difference = std::abs(a.mean - b.mean);
  const double slack = a.mean_half + b.mean_half;
  const double nearest = std::max(0.0, difference - slack);
  const double farthest = difference + slack;
  double least_df = a.n + b.n - 2;
  double most_df = least_df;
  if (!pooled) {
    const auto one = satterthwaite(a.sd_low, a.n, b.sd_high, b.n);
    const auto other = satterthwaite(a.sd_high, a.n, b.sd_low, b.n);
    least_df = std::min(one.value_or(least_df), other.value_or(least_df));
    most_df = std::max(one.value_or(most_df), other.value_or(most_df));
    const auto weight = [](double sd, int n) { return sd * sd / (n * (n - 1.0)); };
    const bool ridge = weight(a.sd_low, a.n) <= weight(b.sd_high, b.n) &&
                       weight(b.sd_low, b.n) <= weight(a.sd_high, a.n);
    most_df = ridge ? a.n + b.n - 2 : std::max(one.value_or(least_df), other.value_or(least_df));
  }
  const double most = variance(pooled, a.sd_high, a.n, b.sd_high, b.n);
  const double least = variance(pooled, a.sd_low, a.n, b.sd_low, b.n);
  result.high = nearest > 0 ? two_sided_p(nearest / std::sqrt(most), least_df) : 1.0;
  result.low = least > 0 ? two_sided_p(farthest / std::sqrt(least), most_df) : 0.0;
  if (result.test.testable) {  // not even by the last digit of double arithmetic
    result.low = std::min(result.low, result.test.p);
    result.high = std::max(result.high, result.test.p);
  }
  return result;
}

/// One row against another in one column.
struct Comparison {
  Place row, reference;
  PrintedTest student, welch;
  std::string obstacle;  ///< why it is not testable
  /// Correlation over trials from which on a paired test is significant; above 1: none is enough.
  double correlation = 0;
  std::map<std::string, std::map<std::string, double>> adjusted;  ///< family, then holm | bh

  [[nodiscard]] bool testable() const { return obstacle.empty(); }
};

/// Paired test with n - 1 degrees of freedom: |d| / (s_d / √n) reaches the quantile where s_d² =
/// s_a² + s_b² - 2 r s_a s_b is small enough.
double needed_correlation(const Group& a, const Group& b, double alpha) {
  if (!(a.sd * b.sd > 0)) {
    return 2;
  }
  const double quantile = bm::quantile(bm::complement(bm::students_t(a.n - 1), alpha / 2));
  const double difference = a.mean - b.mean;
  const double largest = a.n * difference * difference / (quantile * quantile);
  return (a.sd * a.sd + b.sd * b.sd - largest) / (2 * a.sd * b.sd);
}

std::string show_correlation(double r) {
  return r > 1 ? "none suffices" : r <= -1 ? "any" : fmt::format("{:.2f}", r);
}

Comparison compare(const Place& row, const Place& reference, double alpha) {
  Comparison result;
  result.row = row;
  result.reference = reference;
  if (!row.cell().sd || !reference.cell().sd) {
    result.obstacle = "no SD is printed";
  } else if (row.table->spec.trials < 2 || reference.table->spec.trials < 2) {
    result.obstacle = "the number of trials is not stated";
  } else if (row.cell().sd->value < 0 || reference.cell().sd->value < 0) {
    result.obstacle = "a negative SD";
  }
  if (!result.testable()) {
    return result;
  }
  const Group a(row);
  const Group b(reference);
  result.student = test_printed(a, b, true, alpha);
  result.welch = test_printed(a, b, false, alpha);
  result.obstacle = result.student.test.reason;
  if (result.testable() && a.n == b.n) {
    result.correlation = needed_correlation(a, b, alpha);
  }
  return result;
}

/// What a statement of significance compares, or all rows of a table with its reference.
struct Statement {
  const Claim* claim = nullptr;  ///< null: nothing is said
  const PrintedTable* table = nullptr;
  double alpha = 0.05;
  std::vector<Comparison> comparisons;
  std::vector<ClaimFamily> families;
};

std::optional<std::size_t> row_of(const PrintedTable& table, const std::string& method) {
  const auto found = std::ranges::find(table.spec.rows, method, &TableRow::method);
  if (found == table.spec.rows.end()) {
    return {};
  }
  return static_cast<std::size_t>(found - table.spec.rows.begin());
}

/// Compares `method` with the rows `versus` (all others if empty) in `columns` (all if empty), and
/// corrects over each family.
Statement compare_all(const PrintedTable& table,
                      const std::string& method,
                      std::vector<std::string> versus,
                      const std::vector<std::string>& columns,
                      std::vector<ClaimFamily> families,
                      double alpha) {
  Statement statement;
  statement.table = &table;
  statement.alpha = alpha;
  const auto reference = row_of(table, method);
  if (!reference) {
    return statement;
  }
  if (versus.empty()) {
    for (const TableRow& row : table.spec.rows) {
      if (row.method != method) {
        versus.push_back(row.method);
      }
    }
  }
  for (const ClaimFamily& family : families) {  // a family may reach beyond the sentence
    for (const std::string& each : family.versus) {
      if (!std::ranges::count(versus, each)) {
        versus.push_back(each);
      }
    }
  }
  if (families.empty()) {
    families.push_back({"all comparisons", versus});
  }
  for (std::size_t row = 0; row < table.spec.rows.size(); ++row) {
    if (row == *reference || !std::ranges::count(versus, table.spec.rows[row].method)) {
      continue;
    }
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      const Place place{&table, row, column};
      if (columns.empty() || std::ranges::count(columns, place.path().column())) {
        statement.comparisons.push_back(compare(place, {&table, *reference, column}, alpha));
      }
    }
  }
  for (const ClaimFamily& family : families) {
    std::vector<Comparison*> members;
    std::vector<double> p;
    for (Comparison& each : statement.comparisons) {
      if (each.testable() && std::ranges::count(family.versus, each.row.method().method)) {
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
  statement.families = std::move(families);
  return statement;
}

Json json_of(const PrintedTest& test) {
  return {{"t", test.test.t},
          {"df", test.test.df},
          {"p", test.test.p},
          {"p_low", test.low},
          {"p_high", test.high}};
}

Json json_of(const Comparison& each) {
  Json json{{"cell", each.row.path().text()}, {"versus", each.reference.path().text()}};
  if (!each.testable()) {
    json["not_testable"] = each.obstacle;
    return json;
  }
  json["n"] = each.row.table->spec.trials;
  json["student"] = json_of(each.student);
  json["welch"] = json_of(each.welch);
  json["paired_needs_r"] = each.correlation > 1 ? Json() : Json(std::max(-1.0, each.correlation));
  json["p_adjusted"] = each.adjusted;
  return json;
}

/// "t(8) = -1.12, p = 0.294 (0.292 to 0.297 within rounding)"
std::string show(const PrintedTest& test) {
  return fmt::format("t({:.3g}) = {:.2f}, p = {} ({} to {} within rounding)",
                     test.test.df,
                     test.test.t,
                     format_p(test.test.p),
                     format_p(test.low),
                     format_p(test.high));
}

/// Where the printed numbers stand to "significant at alpha".
enum class Standing { significant, not_significant, undecided };

Standing standing(const Comparison& each, double alpha) {
  if (each.student.high < alpha && each.welch.high < alpha) {
    return Standing::significant;
  }
  if (each.student.low >= alpha && each.welch.low >= alpha) {
    return Standing::not_significant;
  }
  return Standing::undecided;
}

/// What speaks against the statement in one comparison, if anything does.
std::optional<Finding> contradiction(const Statement& statement, const Comparison& each) {
  const Claim& claim = *statement.claim;
  const double alpha = statement.alpha;
  const CellPath path = each.row.path();
  const bool excepted = std::ranges::any_of(claim.except, [&](const CellPath& other) {
    return other.method == path.method && other.column() == path.column();
  });
  const Standing stands = standing(each, alpha);
  if (excepted ? stands != Standing::significant : stands == Standing::significant) {
    return {};
  }
  Finding finding;
  finding.check = "significance";
  finding.id = "significance:" + path.text();
  finding.cells = {path.text(), each.reference.path().text()};
  finding.severity =
      !excepted && stands == Standing::not_significant ? Severity::inconsistent : Severity::note;
  finding.values = json_of(each);
  finding.values["claim"] = claim.id;
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
        "p < {:g} is not reproducible from mean, SD and n = {} with an unpaired test", alpha, n);
    text += each.correlation > 1
                ? "; nor with a paired one, whatever the correlation over trials."
                : fmt::format(
                      "; a paired one would have needed a correlation over trials of at "
                      "least {:.2f}.",
                      each.correlation);
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
  sheet.header = {"Row",
                  "Column",
                  "t",
                  "p Student",
                  "within rounding",
                  "p Welch",
                  "within rounding",
                  "Holm",
                  "r paired"};
  const std::string family = statement.families.back().name;
  for (const Comparison& each : statement.comparisons) {
    std::vector<std::string> line{each.row.method().label, each.row.column_name()};
    if (each.testable()) {
      const auto range = [](const PrintedTest& test) {
        return fmt::format("{} {}", format_p(test.low), format_p(test.high));
      };
      const auto found = each.adjusted.find(family);
      line.insert(line.end(),
                  {fmt::format("{:.2f}", each.student.test.t),
                   format_p(each.student.test.p),
                   range(each.student),
                   format_p(each.welch.test.p),
                   range(each.welch),
                   found == each.adjusted.end() ? "–" : format_p(found->second.at("holm")),
                   show_correlation(each.correlation)});
    } else {
      line.resize(sheet.header.size(), "–");
    }
    sheet.rows.push_back(std::move(line));
  }
  sheet.notes = {
      fmt::format("Two-sided; row less {}. Within rounding: bounds of p over all numbers "
                  "that round to the printed ones. Holm: Student's p corrected over {}. r "
                  "paired: correlation over trials from which on a paired test with n - 1 "
                  "degrees of freedom gives p < {:g}.",
                  statement.comparisons.front().reference.method().label,
                  family,
                  statement.alpha)};
  return sheet;
}

/// How many of each family stay significant after correction, and which are lost.
Json families_json(const Statement& statement, Sheet& sheet) {
  Json list = Json::array();
  for (const ClaimFamily& family : statement.families) {
    std::vector<const Comparison*> members;
    for (const Comparison& each : statement.comparisons) {
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
      for (const Comparison* each : members) {
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
    count("student", nullptr, [](const Comparison& each) { return each.student.test.p; });
    count("welch", nullptr, [](const Comparison& each) { return each.welch.test.p; });
    count("holm", "Holm", [&](const Comparison& each) {
      return each.adjusted.at(family.name).at("holm");
    });
    count("bh", "Benjamini–Hochberg", [&](const Comparison& each) {
      return each.adjusted.at(family.name).at("bh");
    });
    sheet.rows.push_back(std::move(line));
    list.push_back(std::move(entry));
  }
  return list;
}

}  // namespace

Outcome check_significance(const Subject& subject) {
  Outcome outcome;
  const Paper& paper = subject.paper;
  std::vector<Statement> statements;
  std::set<std::string> stated;  // tables
  for (const Claim& claim : subject.claims) {
    const PrintedTable* table = claim.kind == "significant" ? paper.find(claim.table) : nullptr;
    if (table == nullptr) {
      continue;
    }
    const double alpha =
        claim.alpha && !subject.options.alpha_given ? *claim.alpha : subject.options.alpha;
    Statement statement =
        compare_all(*table, claim.method, claim.versus, claim.columns, claim.families, alpha);
    statement.claim = &claim;
    stated.insert(claim.table);
    statements.push_back(std::move(statement));
  }
  for (const PrintedTable& table : paper.tables) {
    if (!stated.contains(table.spec.id)) {
      statements.push_back(compare_all(table, paper.reference, {}, {}, {}, subject.options.alpha));
    }
  }
  std::vector<std::string> said;
  Json values = Json::array();
  std::size_t tested = 0;
  for (const Statement& statement : statements) {
    const auto testable = static_cast<std::size_t>(
        std::ranges::count_if(statement.comparisons, &Comparison::testable));
    if (testable == 0) {
      said.push_back(fmt::format("{}: no comparison is testable.", statement.table->spec.id));
      continue;
    }
    tested += testable;
    std::map<Standing, std::size_t> counts;
    Json comparisons = Json::array();
    for (const Comparison& each : statement.comparisons) {
      comparisons.push_back(json_of(each));
      if (each.testable()) {
        ++counts[standing(each, statement.alpha)];
      }
    }
    std::string text;
    if (statement.claim != nullptr) {
      std::size_t among = 0;  // of those that the sentence is about
      std::size_t refuted = 0;
      for (const Comparison& each : statement.comparisons) {
        const auto& versus = statement.claim->versus;
        if (!each.testable() ||
            (!versus.empty() && !std::ranges::count(versus, each.row.method().method))) {
          continue;
        }
        ++among;
        if (auto finding = contradiction(statement, each)) {
          refuted += finding->severity == Severity::note ? 0U : 1U;
          outcome.findings.push_back(std::move(*finding));
        }
      }
      text = fmt::format(
          "{}, {}: \"{}\" ({} read as p < {:g}). {} of {} comparisons do not come out "
          "as stated, ",
          statement.table->spec.id,
          statement.claim->id,
          statement.claim->statement,
          statement.claim->alpha ? fmt::format("\"p = {:g}\"", *statement.claim->alpha)
                                 : std::string("significant"),
          statement.alpha,
          refuted,
          among);
    } else {
      text = statement.table->spec.id + ", of which no significance is stated: ";
    }
    text += fmt::format(
        "{} of {} with p < {:g} by Student's and Welch's test within all rounding, {} by neither "
        "within any, {} between.",
        counts[Standing::significant],
        testable,
        statement.alpha,
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
    outcome.report.sheets.push_back(comparison_sheet(statement, id));
    outcome.report.sheets.push_back(std::move(families));
    values.push_back({{"table", statement.table->spec.id},
                      {"claim", statement.claim != nullptr ? Json(statement.claim->id) : Json()},
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

}  // namespace sar::audit_detail
