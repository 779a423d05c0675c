#include "results/claims/claim_verdicts.h"

#include "harness/core/error.h"
#include "results/claims/claim_comparisons.h"
#include "results/statistics/statistics.h"
#include "results/tables/loss_curves.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <set>

namespace sar {
namespace verdict_detail {

/// Decimals that a printed number has; two for measured ones.
int decimals(double value, double half_unit) {
  if (half_unit <= 0) {
    return 2;
  }
  int digits = std::max(0, static_cast<int>(std::lround(-std::log10(2 * half_unit))));
  while (digits < 6 && std::abs(std::round(value * std::pow(10, digits)) / std::pow(10, digits) -
                                value) > kSumSlack) {
    ++digits;  // a mean of two printed numbers may need one more
  }
  return digits;
}

Verdict combine(const std::vector<Outcome>& outcomes) {
  const auto holds = std::ranges::count(outcomes, Outcome::holds);
  const auto fails = std::ranges::count(outcomes, Outcome::fails);
  if (holds > 0 && fails > 0) {
    return Verdict::mixed;
  }
  if (fails > 0) {
    return Verdict::unsupported;
  }
  return holds > 0 && holds == std::ssize(outcomes) ? Verdict::supported : Verdict::not_testable;
}

Verdict combine(const std::vector<FamilyVerdict>& families) {
  const auto all = [&](Verdict verdict) {
    return std::ranges::all_of(families, [&](const auto& each) { return each.verdict == verdict; });
  };
  for (const Verdict verdict : {Verdict::supported, Verdict::unsupported, Verdict::not_testable}) {
    if (all(verdict)) {
      return verdict;
    }
  }
  const bool fails = std::ranges::any_of(families, [](const FamilyVerdict& each) {
    return each.verdict == Verdict::mixed || each.verdict == Verdict::unsupported;
  });
  return fails ? Verdict::mixed : Verdict::not_testable;
}

double share(const std::string& text) {
  const auto bar = text.find('/');
  return bar == std::string::npos
             ? std::stod(text)
             : std::stod(text.substr(0, bar)) / std::stod(text.substr(bar + 1));
}

/// One data set of Table 1, printed or counted.
struct DataRow {
  std::string dataset, modality, organ;
  long cases = 0, volumes = 0;
  std::vector<long> cubes;
};

std::vector<DataRow> printed_rows(const Paper& paper) {
  std::vector<DataRow> rows;
  for (const PrintedDataset& set : paper.datasets) {
    const long volumes = set.volumes();
    rows.push_back({set.dataset,
                    set.modality,
                    set.organ,
                    std::stol(set.cases.substr(0, set.cases.find_first_of("x*"))),
                    volumes,
                    set.cube_counts()});
  }
  return rows;
}

std::vector<DataRow> counted_rows(const Json& survey) {
  std::vector<DataRow> rows;
  if (!survey.is_object() || !survey.contains("datasets")) {
    return rows;
  }
  for (const Json& set : survey.at("datasets")) {
    DataRow& row = rows.emplace_back(DataRow{set.at("dataset"),
                                             set.at("modality"),
                                             set.at("organ"),
                                             set.at("patients").get<long>(),
                                             set.at("volumes").get<long>(),
                                             {}});
    row.cases = row.cases == 0 ? row.volumes : row.cases;
    for (const Json& count : set.at("cubes")) {
      row.cubes.push_back(count.get<long>());
    }
  }
  return rows;
}

class Judge {
 public:
  Judge(const Paper& paper,
        const CellSource& source,
        const ClaimOptions& options,
        const ClaimRuns* runs)
      : paper_(paper), source_(source), options_(options), runs_(runs), tests_(options) {}

  ClaimVerdict judge(const Claim& claim) {
    verdict_ = {};
    verdict_.claim = claim;
    const std::map<std::string, void (Judge::*)()> kinds{
        {"equals", &Judge::equals},
        {"difference", &Judge::difference},
        {"greater", &Judge::greater},
        {"significant", &Judge::significant},
        {"largest-gain", &Judge::largest_gain},
        {"decreasing", &Judge::decreasing},
        {"annotation", &Judge::annotation},
        {"count", &Judge::count},
        {"ratio", &Judge::ratio},
        {"split", &Judge::split},
        {"best", &Judge::best},
        {"converges", &Judge::converges},
        {"lower-loss", &Judge::lower_loss},
        {"volumes", &Judge::volumes},
        {"unseen", &Judge::unseen},
        {"not-testable", &Judge::nothing},
    };
    const auto found = kinds.find(claim.kind);
    if (found == kinds.end()) {
      throw internal_error("a kind of claim without a judge").with("kind", claim.kind);
    }
    (this->*found->second)();
    return verdict_;
  }

 private:
  [[nodiscard]] const Claim& claim() const { return verdict_.claim; }
  [[nodiscard]] bool measured() const { return source_.name == "measured"; }
  [[nodiscard]] double level() const {
    return claim().alpha && !options_.alpha_for_all ? *claim().alpha : options_.alpha;
  }

  // --- cells

  /// The number of a cell, in the table named or in any other; the mean over a task's targets
  /// follows from them where no table prints it.
  [[nodiscard]] ComparedNumber side(CellPath path) const {
    ComparedNumber found{path.method, {}, {}, {}, 2};
    const auto number = look_up(path);
    if (number) {
      found.number = *number;
      found.cells = {path.text()};
    } else if (path.target == "average" && !derive_average(path, found)) {
      found.missing = missing(path);
    } else if (path.target != "average") {
      found.missing = missing(path);
    }
    found.digits = decimals(found.mean(), found.number.mean_half_unit);
    return found;
  }

  /// Sets the table of the path to the one that the number is in.
  std::optional<CellNumber> look_up(CellPath& path) const {
    if (auto number = source_.find(path)) {
      return number;
    }
    for (const PrintedTable& table : paper_.tables) {
      CellPath other = path;
      other.table = table.spec.id;
      if (auto number = source_.find(other)) {
        path = other;
        return number;
      }
    }
    return {};
  }

  /// Targets whose columns a table prints for the task, bucket and fraction of the path.
  static std::set<std::string> targets_in(const PrintedTable& table, const CellPath& path) {
    std::set<std::string> targets;
    for (const TableColumn& column : table.spec.columns) {
      if (column.task == path.task && column.bucket == path.bucket &&
          column.fraction == path.fraction && column.target != "average") {
        targets.insert(column.target);
      }
    }
    return targets;
  }

  /// The mean over a task's targets, all of one table: the path's own, or where that prints none of
  /// them, the first that prints all.
  bool derive_average(const CellPath& path, ComparedNumber& found) const {
    std::set<std::string> targets;
    for (const PrintedTable& table : paper_.tables) {
      for (const TableColumn& column : table.spec.columns) {
        if (column.task == path.task && column.target != "average") {
          targets.insert(column.target);
        }
      }
    }
    if (targets.size() < 2) {
      return false;
    }
    const PrintedTable* own = paper_.find(path.table);
    if (own != nullptr && !targets_in(*own, path).empty()) {
      return average_in(*own, path, targets, found);
    }
    return std::ranges::any_of(paper_.tables, [&](const PrintedTable& table) {
      return average_in(table, path, targets, found);
    });
  }

  bool average_in(const PrintedTable& table,
                  const CellPath& path,
                  const std::set<std::string>& targets,
                  ComparedNumber& found) const {
    if (targets_in(table, path) != targets) {
      return false;
    }
    CellNumber average;
    std::vector<std::string> cells;
    const auto n = static_cast<double>(targets.size());
    for (const auto& target : targets) {
      CellPath part = path;
      part.table = table.spec.id;
      part.target = target;
      const auto number = source_.find(part);
      if (!number) {
        return false;
      }
      average.summary.mean += number->summary.mean / n;
      average.mean_half_unit += number->mean_half_unit / n;
      cells.push_back(part.text());
    }
    found.number = std::move(average);
    found.cells = std::move(cells);
    found.label += " mean of " + fmt::format("{}", fmt::join(targets, " and "));
    return true;
  }

  [[nodiscard]] std::string missing(const CellPath& path) const {
    if (!measured()) {
      return "the paper prints no " + path.text();
    }
    return fmt::format("no finished trial of {} is stored: sar-bench run {} -m {} -t {}{} makes it",
                       path.text(),
                       path.table,
                       path.method,
                       path.task,
                       path.fraction == "1" ? "" : " --fraction " + path.fraction);
  }

  [[nodiscard]] CellPath path(const std::string& method, const std::string& column) const {
    return parse_cell_path(claim().table + "/" + method + "/" + column);
  }

  // --- tests

  /// That an exception is none supports a claim only together with what it is an exception from.
  static bool is_idle(const Comparison& comparison, Outcome outcome) {
    return comparison.expect_equal && outcome == Outcome::holds;
  }

  static std::string key(const Comparison& comparison) {
    return comparison.low.label + " on " + comparison.where;
  }

  /// Judges comparisons; `families` hold positions in the list. With `by_test` the verdict itself
  /// asks for significance, else for the direction alone.
  void compare(const std::vector<Comparison>& comparisons,
               const std::vector<std::pair<std::string, std::vector<std::size_t>>>& families,
               bool by_test) {
    const double alpha = level();
    verdict_.tested = true;
    std::vector<ComparisonP> tested;
    std::vector<ClaimEvidence> evidence(comparisons.size());
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      const Comparison& comparison = comparisons[i];
      tested.push_back(tests_.test(comparison));
      ClaimEvidence& one = evidence[i];
      one.counts = comparison.counts;
      one.exception = comparison.expect_equal;
      for (const ComparedNumber* each : {&comparison.high, &comparison.low}) {
        one.cells.insert(one.cells.end(), each->cells.begin(), each->cells.end());
      }
      if (comparison.missing().empty()) {
        one.value = comparison.difference();
        one.threshold = 0;
      }
      const ComparisonP& p = tested.back();
      one.p_student = p.student;
      one.p_welch = p.welch;
      if (p.reason.empty()) {
        one.p = p.p;
        one.p_low = p.low;
        one.p_high = p.high;
      }
      one.outcome = by_test ? significance(comparison, p, alpha) : direction(comparison);
    }
    for (const auto& [name, members] : families) {
      judge_family(name, members, comparisons, tested, evidence);
    }
    std::vector<Outcome> plain;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      ClaimEvidence& one = evidence[i];
      one.text = sentence(comparisons[i], tested[i], one, by_test);
      if (one.counts && !is_idle(comparisons[i], one.outcome)) {
        plain.push_back(one.outcome);
      }
    }
    verdict_.evidence = std::move(evidence);
    verdict_.verdict = combine(plain);
    verdict_.verdict_adjusted = combine(verdict_.families);
    summarise_parts("comparison", "comparisons");
  }

  void judge_family(const std::string& name,
                    const std::vector<std::size_t>& members,
                    const std::vector<Comparison>& comparisons,
                    const std::vector<ComparisonP>& tested,
                    std::vector<ClaimEvidence>& evidence) {
    std::vector<ComparisonP> of_family;
    for (const std::size_t member : members) {
      of_family.push_back(tested[member]);
    }
    const std::vector<ComparisonP> adjusted = tests_.adjusted(of_family);
    FamilyVerdict family;
    family.name = name;
    std::vector<Outcome> outcomes;
    bool undecided = false;
    for (std::size_t i = 0; i < members.size(); ++i) {
      ClaimEvidence& one = evidence[members[i]];
      const ComparisonP& own = adjusted[i];
      const Outcome outcome = significance(comparisons[members[i]], own, level());
      if (!is_idle(comparisons[members[i]], outcome)) {
        outcomes.push_back(outcome);
      }
      if (!one.exception) {
        ++family.parts;
        family.holds += outcome == Outcome::holds ? 1 : 0;
        family.tested += own.reason.empty() && own.floor < level() ? 1 : 0;
        undecided = undecided || (one.outcome == Outcome::holds && outcome == Outcome::open);
      }
      const auto shown = own.reason.empty() ? std::optional(own.p) : std::nullopt;
      family.p_adjusted.emplace_back(key(comparisons[members[i]]), shown);
      if (verdict_.families.empty()) {
        one.p_adjusted = shown;
        one.outcome_adjusted = outcome;
      } else if (!one.p_adjusted && shown) {  // of a later family alone
        one.p_adjusted = shown;
        one.outcome_adjusted = outcome;
      }
      if (own.reason.empty() && own.floor >= level()) {
        one.text = "; the least adjusted p that it could give is " + format_p(own.floor) +
                   ", so it is not testable";
      }
    }
    family.verdict = combine(outcomes);
    if (undecided && family.verdict == Verdict::unsupported) {
      family.verdict = Verdict::mixed;  // what held and cannot be tested does not fail
    }
    verdict_.families.push_back(std::move(family));
  }

  /// All that count, in one family.
  void compare(const std::vector<Comparison>& comparisons, bool by_test = false) {
    std::vector<std::size_t> members;
    for (std::size_t i = 0; i < comparisons.size(); ++i) {
      if (comparisons[i].counts) {
        members.push_back(i);
      }
    }
    compare(comparisons, {{"this claim", members}}, by_test);
  }

  [[nodiscard]] std::string sentence(const Comparison& comparison,
                                     const ComparisonP& tested,
                                     const ClaimEvidence& evidence,
                                     bool by_test) const {
    if (!comparison.missing().empty()) {
      return comparison.missing();
    }
    const int digits = std::max(comparison.high.digits, comparison.low.digits);
    std::string text = fmt::format("{} - {} = {:.{}f}{} on {}",
                                   comparison.high.text(),
                                   comparison.low.text(),
                                   *evidence.value,
                                   digits,
                                   comparison.unit,
                                   comparison.where);
    if (direction(comparison) == Outcome::open) {
      text += fmt::format(", undecided by rounding (±{:g})", comparison.slack());
    }
    if (!tested.reason.empty()) {
      text += "; no test: " + tested.reason;
    } else {
      text += "; " + tests_.text(comparison, tested);
      if (evidence.p_adjusted && options_.correction != "none") {
        text += fmt::format(", {} {}", options_.correction, format_p(*evidence.p_adjusted));
      }
      if (by_test && evidence.outcome == Outcome::open && tested.floor < level()) {
        text += ", undecided by rounding";
      }
      if (tested.floor >= level()) {
        text += fmt::format("; the least p that it could give is {}, so it is not testable",
                            format_p(tested.floor));
      } else {
        text += evidence.text;  // what the family adds
      }
    }
    if (comparison.expect_equal) {
      text += "; said not to be significant";
    }
    return text;
  }

  void summarise_parts(const std::string& one, const std::string& many) {
    struct Tally {
      int parts = 0, holds = 0, open = 0;
    } plain, exceptions;
    for (const ClaimEvidence& each : verdict_.evidence) {
      if (each.counts) {
        Tally& tally = each.exception ? exceptions : plain;
        ++tally.parts;
        tally.holds += each.outcome == Outcome::holds ? 1 : 0;
        tally.open += each.outcome == Outcome::open ? 1 : 0;
      }
    }
    const bool single = plain.parts == 1;
    verdict_.summary = fmt::format(
        "{} of {} {} hold{}", plain.holds, plain.parts, single ? one : many, single ? "s" : "");
    if (plain.open > 0) {
      verdict_.summary += fmt::format(", {} open", plain.open);
    }
    if (exceptions.parts > 0) {
      verdict_.summary += fmt::format("; of {} said not to be significant, {} hold{}",
                                      exceptions.parts,
                                      exceptions.holds,
                                      exceptions.holds == 1 ? "s" : "");
    }
  }

  // --- claims about cells

  /// A claim without a test over several numbers: both verdicts are the same.
  void conclude(const std::string& one, const std::string& many) {
    std::vector<Outcome> outcomes;
    for (ClaimEvidence& each : verdict_.evidence) {
      each.outcome_adjusted = each.outcome;
      if (each.counts) {
        outcomes.push_back(each.outcome);
      }
    }
    verdict_.verdict = verdict_.verdict_adjusted = combine(outcomes);
    summarise_parts(one, many);
  }

  void conclude(ClaimEvidence evidence) {
    verdict_.summary = evidence.text;
    verdict_.verdict = verdict_.verdict_adjusted = combine({evidence.outcome});
    evidence.outcome_adjusted = evidence.outcome;
    verdict_.evidence = {std::move(evidence)};
  }

  void not_testable(const std::string& why) {
    verdict_.verdict = verdict_.verdict_adjusted = Verdict::not_testable;
    verdict_.summary = why;
  }

  void equals() { compare_with_number({side(claim().cells.at(0))}); }
  void difference() { compare_with_number({side(claim().cells.at(0)), side(claim().cells.at(1))}); }

  void compare_with_number(const std::vector<ComparedNumber>& sides) {
    const PrintedNumber& number = *claim().number;
    ClaimEvidence evidence;
    double value = 0;
    double slack = number.half_unit;
    int digits = 2;
    for (std::size_t i = 0; i < sides.size(); ++i) {
      if (!sides[i].missing.empty()) {
        not_testable(sides[i].missing);
        return;
      }
      evidence.cells.insert(evidence.cells.end(), sides[i].cells.begin(), sides[i].cells.end());
      value += (i == 0 ? 1 : -1) * sides[i].mean();
      slack += sides[i].number.mean_half_unit;
      digits = std::max(digits, sides[i].digits);
    }
    evidence.value = value;
    evidence.threshold = number.value;
    std::string terms = sides.front().text();
    if (sides.size() > 1) {
      terms += fmt::format(" - {} = {:.{}f}", sides.back().text(), value, digits);
    }
    if (measured()) {
      measured_against(number, sides, terms, evidence);
    } else {
      // A quotation with as many decimals repeats every digit; what is rounded further, or a
      // difference, which may be of the unrounded numbers, agrees within the roundings.
      const bool quotation = sides.size() == 1 && std::abs(sides.front().number.mean_half_unit -
                                                           number.half_unit) <= kSumSlack;
      const bool holds = std::abs(value - number.value) <= (quotation ? 0 : slack) + kSumSlack;
      evidence.outcome = holds ? Outcome::holds : Outcome::fails;
      evidence.text = fmt::format(
          "{} against {} in the text: {}", terms, number.text, holds ? "equal" : "not equal");
      if (!quotation) {
        evidence.text += fmt::format(" within the roundings (±{:g})", slack);
      }
    }
    conclude(std::move(evidence));
  }

  /// Is a measured mean (or difference) within the margin of a number? By two one-sided tests, the
  /// number being taken as exact.
  void measured_against(const PrintedNumber& number,
                        const std::vector<ComparedNumber>& sides,
                        const std::string& terms,
                        ClaimEvidence& evidence) const {
    Summary shifted = sides.front().number.summary;
    shifted.mean -= number.value;
    const Equivalence outcome = sides.size() == 1
                                    ? equivalence_test(shifted, options_.margin, options_.alpha)
                                    : equivalence_test(shifted,
                                                       sides.back().number.summary,
                                                       options_.margin,
                                                       options_.test != "welch",
                                                       options_.alpha);
    evidence.text = fmt::format("{} against {}", terms, number.text);
    if (!outcome.testable) {
      evidence.text += ": not testable, " + outcome.reason;
      return;
    }
    evidence.p = outcome.p;
    const bool within = outcome.p < options_.alpha;
    const bool outside = outcome.ci_low > options_.margin || outcome.ci_high < -options_.margin;
    evidence.outcome = within ? Outcome::holds : outside ? Outcome::fails : Outcome::open;
    evidence.text += fmt::format(
        " (n = {}): difference {:.2f}, {:g} % interval [{:.2f}, {:.2f}], {} ±{:g} points",
        sides.front().number.summary.n,
        outcome.difference,
        100 * (1 - 2 * options_.alpha),
        outcome.ci_low,
        outcome.ci_high,
        within    ? "within"
        : outside ? "outside"
                  : "neither within nor outside",
        options_.margin);
  }

  [[nodiscard]] std::vector<Comparison> pairs(const std::vector<std::string>& versus) const {
    std::vector<Comparison> list;
    for (const auto& method : versus) {
      for (const auto& column : claim().columns) {
        const CellPath low = path(method, column);
        Comparison& one = list.emplace_back(
            Comparison{side(path(claim().method, column)), side(low), column, {}});
        one.expect_equal = std::ranges::find(claim().except, low) != claim().except.end();
      }
    }
    return list;
  }

  /// Label fractions that come to equal training cases share their runs: no two numbers there.
  static void mark_same_runs(Comparison& comparison) {
    const auto& a = comparison.high.number.trials;
    if (a.size() > 1 && a == comparison.low.number.trials) {
      comparison.high.missing =
          fmt::format("{} and {} on {} are the same runs: equal training cases",
                      comparison.high.label,
                      comparison.low.label,
                      comparison.where);
    }
  }

  void greater() { compare(pairs(claim().versus)); }

  void significant() {
    std::vector<std::string> methods = claim().versus;
    for (const ClaimFamily& family : claim().families) {
      for (const auto& method : family.versus) {
        if (std::ranges::find(methods, method) == methods.end()) {
          methods.push_back(method);
        }
      }
    }
    std::vector<Comparison> comparisons = pairs(methods);
    const auto belongs = [&](const Comparison& each, const std::vector<std::string>& list) {
      return std::ranges::find(list, each.low.label) != list.end();
    };
    for (Comparison& each : comparisons) {
      each.counts = belongs(each, claim().versus);
    }
    if (claim().families.empty()) {
      compare(comparisons, /*by_test=*/true);
      return;
    }
    std::vector<std::pair<std::string, std::vector<std::size_t>>> families;
    for (const ClaimFamily& family : claim().families) {
      auto& members = families.emplace_back(family.name, std::vector<std::size_t>{}).second;
      for (std::size_t i = 0; i < comparisons.size(); ++i) {
        if (belongs(comparisons[i], family.versus)) {
          members.push_back(i);
        }
      }
    }
    compare(comparisons, families, /*by_test=*/true);
  }

  /// Whether a difference is positive for all values within its roundings.
  static void above(double difference, double box, ClaimEvidence& evidence) {
    if (difference <= kSumSlack - box) {
      evidence.outcome = Outcome::fails;
    } else if (difference <= kSumSlack + box && evidence.outcome == Outcome::holds) {
      evidence.outcome = Outcome::open;
    }
  }

  void largest_gain() {
    for (const auto& method : claim().versus) {
      ClaimEvidence evidence;
      std::vector<std::string> gains;
      double first = 0;
      double slack = 0;
      double least_lead = std::numeric_limits<double>::infinity();
      evidence.outcome = Outcome::holds;
      std::string missing;
      for (const auto& column : claim().columns) {
        const ComparedNumber own = side(path(claim().method, column));
        const ComparedNumber other = side(path(method, column));
        missing = !missing.empty() ? missing : !own.missing.empty() ? own.missing : other.missing;
        const double gain = own.mean() - other.mean();
        const double half = own.number.mean_half_unit + other.number.mean_half_unit;
        if (gains.empty()) {
          first = gain;
          slack = half;
          above(first, slack, evidence);  // the least loss is no gain
        } else {
          const double lead = first - gain;
          above(lead, slack + half, evidence);
          if (lead < least_lead) {
            least_lead = lead;
            evidence.value = first;
            evidence.threshold = gain;
          }
        }
        gains.push_back(
            fmt::format("{} {:.{}f}", column, gain, std::max(own.digits, other.digits)));
        evidence.cells.insert(evidence.cells.end(), own.cells.begin(), own.cells.end());
        evidence.cells.insert(evidence.cells.end(), other.cells.begin(), other.cells.end());
      }
      if (!missing.empty()) {
        evidence.text = missing;
        evidence.outcome = Outcome::open;
        evidence.value = evidence.threshold = {};
      } else {
        evidence.text =
            fmt::format("{} - {}: {}{}{}",
                        claim().method,
                        method,
                        fmt::join(gains, ", "),
                        first < 0 ? "; the first is no gain" : "",
                        evidence.outcome == Outcome::open ? "; undecided by rounding" : "");
      }
      verdict_.evidence.push_back(std::move(evidence));
    }
    conclude("gain", "gains");
  }

  void decreasing() {
    std::map<std::string, std::vector<std::string>> chains;  // one per task, target and bucket
    for (const auto& column : claim().columns) {
      CellPath each = path(claim().method, column);
      each.fraction = "1";
      chains[each.column()].push_back(column);
    }
    std::vector<std::string> methods{claim().method};
    methods.insert(methods.end(), claim().versus.begin(), claim().versus.end());
    std::vector<Comparison> comparisons;
    for (const auto& [name, columns] : chains) {
      for (const auto& method : methods) {
        for (std::size_t i = 0; i + 1 < columns.size(); ++i) {
          Comparison& one = comparisons.emplace_back();
          const CellPath more = path(method, columns[i]);
          const CellPath less = path(method, columns[i + 1]);
          one.high = side(more);
          one.low = side(less);
          one.where = name;
          one.high.label += " at " + more.fraction;
          one.low.label += " at " + less.fraction;
          mark_same_runs(one);
        }
      }
    }
    compare(comparisons);
  }

  /// Label fractions that any table prints for a task and target, the largest first.
  [[nodiscard]] std::vector<std::string> fractions_of(const CellPath& path) const {
    std::set<std::string> found{"1"};
    for (const PrintedTable& table : paper_.tables) {
      for (const TableColumn& column : table.spec.columns) {
        if (column.task == path.task && column.target == path.target &&
            column.bucket == path.bucket) {
          found.insert(column.fraction);
        }
      }
    }
    std::vector<std::string> list(found.begin(), found.end());
    std::ranges::sort(list, std::greater<>(), share);
    return list;
  }

  void annotation() {
    const double kept = 1 - share(claim().saving);
    std::vector<Comparison> comparisons;
    for (const auto& method : claim().versus) {
      for (const auto& column : claim().columns) {
        const CellPath full = path(method, column);
        const auto fractions = fractions_of(full);
        for (const auto& fraction : fractions) {
          // The most labels that the saving leaves.
          const auto fewer = std::ranges::find_if(fractions, [&](const std::string& each) {
            return share(each) <= kept * share(fraction) + kSumSlack;
          });
          if (fewer == fractions.end()) {
            continue;
          }
          Comparison& one = comparisons.emplace_back();
          CellPath high = full;
          high.method = claim().method;
          high.fraction = *fewer;
          CellPath low = full;
          low.fraction = fraction;
          one.high = side(high);
          one.low = side(low);
          one.high.label += " at " + *fewer;
          one.low.label += " at " + fraction;
          one.where = full.column();
          one.at_least = true;
          one.counts = fraction == "1";
        }
      }
    }
    compare(comparisons);
  }

  void best() {
    const PrintedTable* table = paper_.find(claim().table);
    std::vector<Comparison> comparisons;
    for (std::size_t column = 0; column < table->spec.columns.size(); ++column) {
      const TableColumn& named = table->spec.columns[column];
      const std::string name =
          CellPath{"", "", named.task, named.target, named.bucket, named.fraction}.column();
      if (std::ranges::find(claim().columns, name) == claim().columns.end()) {
        continue;
      }
      std::vector<std::size_t> bold;
      std::size_t largest = 0;
      for (std::size_t row = 0; row < table->cells.size(); ++row) {
        const PrintedCell& cell = table->cells[row][column];
        if (!cell.bold) {
          verdict_.evidence.clear();
          not_testable(claim().reason.empty() ? "which numbers are bold is not known"
                                              : claim().reason);
          return;
        }
        if (*cell.bold) {
          bold.push_back(row);
        }
        if (cell.mean.value > table->cells[largest][column].mean.value) {
          largest = row;
        }
      }
      if (measured()) {
        for (const std::size_t row : bold) {
          for (std::size_t other = 0; other < table->cells.size(); ++other) {
            if (std::ranges::find(bold, other) == bold.end()) {
              comparisons.push_back({side(path(table->spec.rows[row].method, name)),
                                     side(path(table->spec.rows[other].method, name)),
                                     name,
                                     {}});
            }
          }
        }
        continue;
      }
      verdict_.evidence.push_back(bold_evidence(*table, column, name, bold, largest));
    }
    if (measured()) {
      compare(comparisons);
    } else {
      conclude("column", "columns");
    }
  }

  /// Printed numbers are compared as they are printed: bold marks were set on those.
  ClaimEvidence bold_evidence(const PrintedTable& table,
                              std::size_t column,
                              const std::string& name,
                              const std::vector<std::size_t>& bold,
                              std::size_t largest) const {
    ClaimEvidence evidence;
    const double most = table.cells[largest][column].mean.value;
    bool holds = !bold.empty();
    std::vector<std::string> marked;
    for (std::size_t row = 0; row < table.cells.size(); ++row) {
      const bool is_bold = std::ranges::find(bold, row) != bold.end();
      holds = holds && is_bold == (table.cells[row][column].mean.value == most);
      if (is_bold) {
        marked.push_back(table.spec.rows[row].method + " " + table.cells[row][column].mean.text);
        evidence.cells.push_back(path(table.spec.rows[row].method, name).text());
        evidence.value = table.cells[row][column].mean.value;
      }
    }
    evidence.threshold = most;
    evidence.outcome = holds ? Outcome::holds : Outcome::fails;
    evidence.text =
        fmt::format("bold on {}: {}; largest: {} {}",
                    name,
                    marked.empty() ? "none" : fmt::format("{}", fmt::join(marked, ", ")),
                    table.spec.rows[largest].method,
                    table.cells[largest][column].mean.text);
    return evidence;
  }

  // --- claims about data

  /// Rows of the table of data sets; none, with the reason set, where they say nothing.
  std::vector<DataRow> data_rows() {
    if (!measured()) {
      if (paper_.datasets.empty()) {
        not_testable("the paper has no table of data sets");
      }
      return printed_rows(paper_);
    }
    if (!about_real_data()) {
      return {};
    }
    auto rows = counted_rows(runs_->survey);
    if (rows.empty()) {
      not_testable(
          "the pre-training data are not counted yet, or the count is gone or was changed: "
          "sar-bench "
          "run table1");
    }
    return rows;
  }

  bool about_real_data() {
    if (runs_ == nullptr) {
      not_testable("no stored run is at hand");
      return false;
    }
    if (source_.data_kind != "real") {
      not_testable(
          "phantom data: counts of an invented suite say nothing about the real data sets");
      return false;
    }
    return true;
  }

  [[nodiscard]] const TaskRuns* task_runs(const std::string& task) const {
    if (runs_ == nullptr) {
      return nullptr;
    }
    const auto found = runs_->tasks.find(task);
    return found == runs_->tasks.end() ? nullptr : &found->second;
  }

  /// What the claim says of a thing that the paper's tables do not print.
  void not_printed() { not_testable(claim().reason.empty() ? "not printed" : claim().reason); }

  void count() {
    const PrintedNumber& number = *claim().number;
    if (!claim().tasks.empty()) {
      count_task_cases(number);
      return;
    }
    const std::vector<DataRow> rows = data_rows();
    if (rows.empty()) {
      return;
    }
    long total = 0;
    std::set<std::string> distinct;
    std::vector<std::string> terms;
    for (const DataRow& row : rows) {
      const std::map<std::string, std::string> named{
          {"dataset", row.dataset}, {"modality", row.modality}, {"organ", row.organ}};
      if (std::ranges::any_of(claim().where, [&](const auto& entry) {
            return named.at(entry.first) != entry.second;
          })) {
        continue;
      }
      const auto add = [&](long value) {
        total += value;
        terms.push_back(fmt::format("{} {}", row.dataset, value));
      };
      const auto regarded = [&](const std::string& value) {
        const auto found = claim().regard.find(value);
        return found == claim().regard.end() ? value : found->second;
      };
      const std::string& what = claim().what;
      if (what == "cases") {
        add(row.cases);
      } else if (what == "volumes") {
        add(row.volumes);
      } else if (what == "cubes") {
        long sum = 0;
        for (const long cubes : row.cubes) {
          sum += cubes;
        }
        add(sum);
      } else if (what == "scales") {
        distinct.insert(std::to_string(row.cubes.size()));
      } else {
        distinct.insert(regarded(what == "datasets"     ? row.dataset
                                 : what == "modalities" ? row.modality
                                                        : row.organ));
      }
    }
    ClaimEvidence evidence;
    std::string sum = fmt::format("{}", fmt::join(terms, " + "));
    if (claim().what == "scales") {
      total = distinct.size() == 1 ? std::stol(*distinct.begin()) : 0;
      sum = fmt::format("{} cube counts a row", fmt::join(distinct, " or "));
    } else if (!distinct.empty()) {
      total = std::ssize(distinct);
      sum = fmt::format("{}", fmt::join(distinct, ", "));
    }
    evidence.value = static_cast<double>(total);
    evidence.threshold = number.value;
    const bool holds = std::abs(static_cast<double>(total) - number.value) <= kSumSlack;
    evidence.outcome = holds ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format("{} = {} against {} in the text", sum, total, number.text);
    conclude(std::move(evidence));
  }

  void count_task_cases(const PrintedNumber& number) {
    if (!measured()) {
      not_printed();
      return;
    }
    if (!about_real_data()) {
      return;
    }
    long total = 0;
    for (const auto& task : claim().tasks) {
      const TaskRuns* found = task_runs(task);
      if (found == nullptr) {
        not_testable("no finished run of " + task + " is stored");
        return;
      }
      total += found->cases;
    }
    ClaimEvidence evidence;
    evidence.value = static_cast<double>(total);
    evidence.threshold = number.value;
    evidence.outcome = static_cast<double>(total) == number.value ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format("{} labelled cases against {} in the text", total, number.text);
    conclude(std::move(evidence));
  }

  void ratio() {
    std::vector<long> wanted = claim().ratio;
    std::ranges::sort(wanted);
    const std::vector<DataRow> rows = data_rows();
    for (const DataRow& row : rows) {
      std::vector<long> cubes = row.cubes;
      std::ranges::sort(cubes);
      bool holds = cubes.size() == wanted.size() && !cubes.empty() && cubes.front() > 0;
      for (std::size_t i = 0; holds && i < cubes.size(); ++i) {
        holds = cubes[i] * wanted.front() == cubes.front() * wanted[i];
      }
      ClaimEvidence evidence;
      evidence.outcome = holds ? Outcome::holds : Outcome::fails;
      evidence.text = fmt::format("{}: {} {} {}",
                                  row.dataset,
                                  fmt::join(row.cubes, ", "),
                                  holds ? "are in the ratio" : "are not in the ratio",
                                  fmt::join(claim().ratio, ":"));
      verdict_.evidence.push_back(std::move(evidence));
    }
    if (!rows.empty()) {
      conclude("data set", "data sets");
    }
  }

  void split() {
    const long parts = claim().ratio[0] + claim().ratio[1];
    const double number = claim().number->value;
    ClaimEvidence evidence;
    const std::string ratio_text = fmt::format("{}", fmt::join(claim().ratio, ":"));
    if (!measured()) {
      const std::vector<DataRow> rows = data_rows();
      const auto row =
          std::ranges::find(rows,
                            claim().where.contains("dataset") ? claim().where.at("dataset") : "",
                            &DataRow::dataset);
      if (row == rows.end()) {
        not_testable("'where' names no data set of the paper's table");
        return;
      }
      const double first =
          number * static_cast<double>(claim().ratio[0]) / static_cast<double>(parts);
      evidence.value = first;
      evidence.threshold = static_cast<double>(row->cases);
      evidence.outcome =
          std::abs(first - static_cast<double>(row->cases)) < 1 ? Outcome::holds : Outcome::fails;
      evidence.text = fmt::format("{} split {}: {:g} for training, and {} cases of {} are printed",
                                  claim().number->text,
                                  ratio_text,
                                  first,
                                  row->cases,
                                  row->dataset);
      conclude(std::move(evidence));
      return;
    }
    if (!about_real_data()) {
      return;
    }
    const TaskRuns* found = claim().tasks.empty() ? nullptr : task_runs(claim().tasks.front());
    if (found == nullptr) {
      not_testable("no finished run of the task is stored");
      return;
    }
    const double first = static_cast<double>(found->cases) * static_cast<double>(claim().ratio[0]) /
                         static_cast<double>(parts);
    evidence.value = found->cases - found->test_cases;
    evidence.threshold = first;
    evidence.outcome = std::abs(*evidence.value - first) < 1 ? Outcome::holds : Outcome::fails;
    evidence.text = fmt::format("{} cases, {} of them for testing, leave {:g}; {} would leave {:g}",
                                found->cases,
                                found->test_cases,
                                *evidence.value,
                                ratio_text,
                                first);
    conclude(std::move(evidence));
  }

  void volumes() {
    if (!measured()) {
      not_printed();
      return;
    }
    if (!about_real_data()) {
      return;
    }
    const TaskRuns* found = task_runs(claim().tasks.front());
    if (found == nullptr || found->most_voxels == 0) {
      not_testable("no test tumour of " + claim().tasks.front() + " is stored");
      return;
    }
    const auto add = [&](const std::string& text, std::int64_t voxels, double bound, bool holds) {
      ClaimEvidence evidence;
      evidence.value = static_cast<double>(voxels);
      evidence.threshold = bound;
      evidence.outcome = holds ? Outcome::holds : Outcome::fails;
      evidence.text = fmt::format("{} test tumour: {} voxels against {:g}", text, voxels, bound);
      verdict_.evidence.push_back(std::move(evidence));
    };
    const double less = claim().number->value;
    const double more = claim().other_number->value;
    add("smallest", found->least_voxels, less, static_cast<double>(found->least_voxels) < less);
    add("largest", found->most_voxels, more, static_cast<double>(found->most_voxels) > more);
    conclude("bound", "bounds");
  }

  void unseen() {
    if (!measured()) {
      not_printed();
      return;
    }
    for (const auto& task : claim().tasks) {
      const TaskRuns* found = task_runs(task);
      ClaimEvidence evidence;
      if (found == nullptr || found->compared == 0) {
        evidence.text = task + ": no finished run of a pre-trained method is stored";
      } else {
        evidence.value = static_cast<double>(found->seen.size());
        evidence.threshold = 0;
        evidence.outcome = found->seen.empty() ? Outcome::holds : Outcome::fails;
        evidence.text =
            fmt::format("{}: of {} test cases {} by image content",
                        task,
                        found->compared,
                        found->seen.empty() ? "none was seen in pre-training"
                                            : fmt::format("{} were seen in pre-training ({})",
                                                          found->seen.size(),
                                                          fmt::join(found->seen, ", ")));
      }
      verdict_.evidence.push_back(std::move(evidence));
    }
    conclude("task", "tasks");
  }

  // --- claims about training

  /// Method against each other method and task; `number` gives one value per trial.
  void compare_curves(const std::function<double(const TrialConvergence&)>& number,
                      const std::string& unit,
                      bool method_is_low,
                      int digits) {
    if (!measured() || runs_ == nullptr) {
      not_printed();
      return;
    }
    CurveSpec spec;
    spec.reference = claim().method;
    spec.rows = {{claim().method, claim().method}};
    for (const auto& method : claim().versus) {
      spec.rows.push_back({method, method});
    }
    spec.tasks = claim().tasks;
    const LossCurves curves = build_curves(runs_->curves, runs_->protocol, spec);
    const auto side_of = [&](const std::string& method, const std::string& task) {
      ComparedNumber one{method, {}, {"finetune/" + method + "/" + task}, {}, digits};
      const auto found = std::ranges::find_if(curves.curves, [&](const MethodCurve& each) {
        return each.method == method && each.task == task;
      });
      if (found == curves.curves.end() || found->trials.empty()) {
        one.missing = fmt::format(
            "no finished fine-tuning of {} on {} is stored: sar-bench run fig3 -m {} -t {} makes "
            "it",
            method,
            task,
            method,
            task);
        return one;
      }
      for (const TrialConvergence& trial : found->trials) {
        one.number.trials.push_back(number(trial));
        one.number.trial_numbers.push_back(trial.trial);
      }
      one.number.summary = summarise(one.number.trials);
      return one;
    };
    std::vector<Comparison> comparisons;
    for (const auto& task : claim().tasks) {
      for (const auto& method : claim().versus) {
        Comparison& one = comparisons.emplace_back();
        one.high = side_of(method_is_low ? method : claim().method, task);
        one.low = side_of(method_is_low ? claim().method : method, task);
        one.where = task;
        one.unit = unit;
      }
    }
    compare(comparisons);
  }

  void converges() {
    compare_curves([](const TrialConvergence& trial) { return static_cast<double>(trial.steps); },
                   " steps",
                   /*method_is_low=*/true,
                   1);
  }
  void lower_loss() {
    compare_curves([](const TrialConvergence& trial) { return trial.final_loss; },
                   " of loss",
                   /*method_is_low=*/true,
                   4);
  }

  void nothing() { not_testable(claim().reason); }

  const Paper& paper_;
  const CellSource& source_;
  const ClaimOptions& options_;
  const ClaimRuns* runs_;
  ComparisonTests tests_;
  ClaimVerdict verdict_;
};

}  // namespace verdict_detail

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::supported:
      return "supported";
    case Verdict::unsupported:
      return "unsupported";
    case Verdict::mixed:
      return "mixed";
    case Verdict::not_testable:
      return "not-testable";
  }
  return {};
}

std::string to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::holds:
      return "holds";
    case Outcome::fails:
      return "fails";
    case Outcome::open:
      return "open";
  }
  return {};
}

int FamilyVerdict::left_out() const {
  return static_cast<int>(
      std::ranges::count_if(p_adjusted, [](const auto& each) { return !each.second; }));
}

int ClaimReport::count(Verdict verdict) const {
  return static_cast<int>(std::ranges::count(claims, verdict, &ClaimVerdict::verdict));
}

int ClaimReport::count_adjusted(Verdict verdict) const {
  return static_cast<int>(std::ranges::count(claims, verdict, &ClaimVerdict::verdict_adjusted));
}

std::vector<std::string> fallen_claims(const ClaimReport& report) {
  if (report.data_kind == "phantom") {
    throw Error(ExitCode::results_missing, "phantom runs cannot support or refute a sentence")
        .with("protocol", report.protocol)
        .hint("--strict needs runs of real data, or --source published");
  }
  const auto stands = [](Verdict verdict) {
    return verdict == Verdict::supported || verdict == Verdict::not_testable;
  };
  std::vector<std::string> fallen;
  for (const ClaimVerdict& each : report.claims) {
    if (!stands(each.verdict) || !stands(each.verdict_adjusted)) {
      fallen.push_back(each.claim.id);
    }
  }
  return fallen;
}

ClaimReport judge_claims(const Paper& paper,
                         const std::vector<Claim>& claims,
                         const CellSource& source,
                         const ClaimOptions& options,
                         const ClaimRuns* runs) {
  if (options.test != "student" && options.test != "welch" && options.test != "permutation") {
    throw usage_error("unknown test: " + options.test).hint("use student, welch or permutation");
  }
  static_cast<void>(adjust({}, options.correction));  // refuses an unknown one
  ClaimReport report{paper.id,
                     paper.title,
                     source.name,
                     source.data_kind,
                     source.protocol,
                     runs != nullptr ? runs->protocol.profile : std::string(),
                     options,
                     {}};
  verdict_detail::Judge judge(paper, source, options, runs);
  for (const Claim& claim : claims) {
    report.claims.push_back(judge.judge(claim));
  }
  return report;
}

}  // namespace sar
