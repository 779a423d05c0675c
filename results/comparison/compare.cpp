#include "results/comparison/compare.h"

#include "harness/config/settings.h"
#include "harness/core/error.h"
#include "results/paper/cells.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <tuple>

namespace sar {
namespace compare_detail {  // named, as several files are compiled as one
namespace {

const std::string kNone = "–";

/// Method, length of the fraction (so that 1/5 comes before 1/10), fraction, task, target, bucket.
using CellKey =
    std::tuple<std::string, std::size_t, std::string, std::string, std::string, std::string>;

/// Of a trial, or of a compared cell.
template <class Named>
CellKey key_of(const Named& named) {
  return {
      named.method, named.fraction.size(), named.fraction, named.task, named.target, named.bucket};
}

/// "sar/brats/tumor/all", with the fraction behind it where it is not 1.
template <class Named>
std::string name_of(const Named& named) {
  return named.method + "/" +
         CellPath{"", named.method, named.task, named.target, named.bucket, named.fraction}
             .column();
}

struct TrialValue {
  int trial = 0;
  std::uint64_t seed = 0;
  double dice = 0;
  int cases = 0;
  std::string digest;      ///< of the cases; empty if it is not known
  std::string evaluation;  ///< node that it comes from
};

/// The trials of each cell, by number.
std::map<CellKey, std::vector<TrialValue>> values_of(const StoredResults& results) {
  std::map<std::tuple<std::string, std::string, std::string, int>, std::uint64_t> seeds;
  for (const RunRow& run : results.runs) {
    seeds[{run.cell.method, run.cell.task, run.cell.fraction, run.cell.trial}] = run.cell.seed;
  }
  std::map<std::pair<std::string, int>, std::string> digests;  // by cell and trial
  for (const FrozenCell& cell : results.cells) {
    for (const FrozenTrial& trial : cell.trials) {
      digests[{cell.name(), trial.trial}] = trial.digest;
    }
  }
  std::map<CellKey, std::vector<TrialValue>> values;
  for (const TrialDice& each : results.trials) {
    values[key_of(each)].push_back({each.trial,
                                    seeds[{each.method, each.task, each.fraction, each.trial}],
                                    each.dice,
                                    each.cases,
                                    digests[{name_of(each), each.trial}],
                                    each.evaluation});
  }
  for (auto& [key, list] : values) {
    std::ranges::sort(list, {}, &TrialValue::trial);
  }
  return values;
}

std::vector<double> dice_of(const std::vector<TrialValue>& values) {
  std::vector<double> dice;
  for (const TrialValue& each : values) {
    dice.push_back(each.dice);
  }
  return dice;
}

/// As `ComparedCell::differs_in`.
std::string first_difference(const std::vector<TrialValue>& base,
                             const std::vector<TrialValue>& next) {
  const auto equal = [&](const auto& member) {
    return std::ranges::equal(base, next, {}, member, member);
  };
  return !equal(&TrialValue::trial)    ? "trials"
         : !equal(&TrialValue::dice)   ? "Dice"
         : !equal(&TrialValue::seed)   ? "seed"
         : !equal(&TrialValue::cases)  ? "number of cases"
         : !equal(&TrialValue::digest) ? "cases"
                                       : "";
}

void test_cell(ComparedCell& cell,
               const std::vector<TrialValue>& base,
               const std::vector<TrialValue>& next,
               const CompareOptions& options) {
  std::vector<double> paired_base;
  std::vector<double> paired_next;
  for (const TrialValue& each : base) {
    const auto same = std::ranges::find_if(next, [&](const TrialValue& other) {
      return other.trial == each.trial && other.seed == each.seed;
    });
    if (same != next.end()) {
      paired_base.push_back(each.dice);
      paired_next.push_back(same->dice);
    }
  }
  cell.pairs = static_cast<int>(paired_base.size());
  cell.difference = cell.next->mean - cell.base->mean;
  cell.differs_in = first_difference(base, next);
  cell.identical = cell.differs_in.empty();
  if (cell.identical) {
    return;
  }
  if (options.test == "paired" && cell.pairs < 2) {
    cell.reason = "fewer than two trials with the same number and seed";
    return;
  }
  TTest test = options.test == "paired"  ? paired_test(paired_next, paired_base, options.alpha)
               : options.test == "welch" ? welch_test(*cell.next, *cell.base, options.alpha)
                                         : student_test(*cell.next, *cell.base, options.alpha);
  if (test.testable) {
    cell.test = std::move(test);
  } else {
    cell.reason = test.reason;
  }
}

/// What tells the runs behind a cell from others: label fractions that round to the same training
/// cases share their evaluations.
std::vector<std::string> runs_of(const ComparedCell& cell,
                                 const std::vector<TrialValue>& base,
                                 const std::vector<TrialValue>& next) {
  std::vector<std::string> runs{cell.method, cell.task, cell.target, cell.bucket};
  for (const auto* side : {&base, &next}) {
    for (const TrialValue& each : *side) {
      runs.push_back(each.evaluation.empty() ? cell.fraction : each.evaluation);
    }
    runs.emplace_back();  // ends this side
  }
  return runs;
}

/// The leaves of two trees that are not the same. A leaf that one side lacks is compared with
/// `fallback` of that side, if it is given.
void add_differences(std::vector<FieldDifference>& differences,
                     const std::string& prefix,
                     const Json& base,
                     const Json& next,
                     const Json* base_fallback = nullptr,
                     const Json* next_fallback = nullptr) {
  const auto left = flatten(base.is_object() ? base : Json::object());
  const auto right = flatten(next.is_object() ? next : Json::object());
  std::set<std::string> fields;
  for (const auto* side : {&left, &right}) {
    for (const auto& [field, value] : *side) {
      fields.insert(field);
    }
  }
  const auto text =
      [](const std::map<std::string, Json>& side, const std::string& field, const Json* fallback) {
        const auto found = side.find(field);
        const Json* value = found != side.end() ? &found->second
                            : fallback != nullptr && fallback->contains(field)
                                ? &fallback->at(field)
                                : nullptr;
        return value == nullptr     ? kNone
               : value->is_string() ? value->get<std::string>()
                                    : value->dump(-1, ' ', false, Json::error_handler_t::replace);
      };
  for (const std::string& field : fields) {
    const std::string a = text(left, field, base_fallback);
    const std::string b = text(right, field, next_fallback);
    if (a != b) {
      differences.push_back({prefix + field, a, b});
    }
  }
}

Json part(const Json& tree, const std::string& name) {
  return tree.is_object() && tree.contains(name) ? tree.at(name) : Json::object();
}

void add_difference(std::vector<FieldDifference>& differences,
                    const std::string& field,
                    const std::string& base,
                    const std::string& next) {
  if (base != next) {
    differences.push_back({field, base, next});
  }
}

// --- rendering ----------------------------------------------------------------------------------

bool phantom(const DatabaseComparison& all) {
  return all.base.data_kind == "phantom" || all.next.data_kind == "phantom";
}

std::string value_text(const std::optional<Summary>& summary) {
  if (!summary) {
    return kNone;
  }
  return fmt::format("{:.2f}", summary->mean) +
         (summary->sd ? fmt::format("±{:.2f}", *summary->sd) : "");
}

std::string test_name(const std::string& test) {
  return test == "student" ? "Student's two-sample test over trials"
         : test == "welch" ? "Welch's two-sample test over trials"
                           : "paired t-test over trials of the same number and seed";
}

std::string correction_name(const std::string& correction) {
  return correction == "holm" ? "by Holm's method" : "by Benjamini and Hochberg's method";
}

/// Two texts, cut to the width of a column so that what differs is still seen.
std::pair<std::string, std::string> shortened(const std::string& base, const std::string& next) {
  constexpr std::size_t kMost = 28;
  const auto is_inside = [](const std::string& text, std::size_t at) {  // a character of UTF-8
    return at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0U) == 0x80U;
  };
  const auto place = std::ranges::mismatch(base, next).in1 - base.begin();
  std::size_t from = 0;
  if (place > static_cast<std::ptrdiff_t>(kMost) - 6) {
    from = static_cast<std::size_t>(place) - 4;
    while (is_inside(base, from)) {
      --from;
    }
  }
  const auto cut = [&](const std::string& text) {
    const std::string rest = (from > 0 ? "..." : "") + text.substr(std::min(from, text.size()));
    if (rest.size() <= kMost) {
      return rest;
    }
    std::size_t end = kMost - 3;
    while (is_inside(rest, end)) {
      --end;
    }
    return rest.substr(0, end) + "...";
  };
  return {cut(base), cut(next)};
}

Sheet difference_sheet(const DatabaseComparison& all) {
  Sheet sheet;
  sheet.id = "compare";
  sheet.title = fmt::format("{} (new) against {} (base){}",
                            all.next_name,
                            all.base_name,
                            phantom(all) ? " [phantom data]" : "");
  sheet.header = {"What differs", "Base", "New"};
  sheet.text_columns = 3;
  const auto add = [&](const FieldDifference& each) {
    const auto [base, next] = shortened(each.base, each.next);
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
                            phantom(all) ? " [phantom data]" : "");
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
        value_text(cell.base),
        value_text(cell.next),
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
          ? fmt::format("; p adjusted: {} over {} comparisons, those of the same runs counted "
                        "once",
                        correction_name(all.options.correction),
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

Sheet csv_sheet(const DatabaseComparison& all) {
  const auto number = [](const std::optional<double>& value) {
    return value ? fmt::format("{}", *value) : "";
  };
  Sheet sheet;
  sheet.header = {"method",     "task",       "fraction", "target",  "bucket", "base_mean",
                  "base_sd",    "base_n",     "new_mean", "new_sd",  "new_n",  "identical",
                  "pairs",      "test",       "t",        "df",      "p",      "p_adjusted",
                  "correction", "difference", "ci_low",   "ci_high", "reason", "differs_in"};
  for (const ComparedCell& cell : all.cells) {
    std::vector<std::string>& row = sheet.rows.emplace_back(
        std::vector{cell.method, cell.task, cell.fraction, cell.target, cell.bucket});
    for (const auto& side : {cell.base, cell.next}) {
      row.push_back(side ? number(side->mean) : "");
      row.push_back(side ? number(side->sd) : "");
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
                number(cell.p_adjusted),
                all.options.correction,
                cell.test ? of_test(&TTest::difference) : number(cell.difference),
                of_test(&TTest::ci_low),
                of_test(&TTest::ci_high),
                cell.reason,
                cell.differs_in});
  }
  return sheet;
}

Json side_json(const std::string& name, const ProtocolRow& protocol) {
  return {{"name", name},
          {"protocol", protocol.protocol},
          {"profile", protocol.profile},
          {"data_kind", protocol.data_kind}};
}

Json document(const DatabaseComparison& all) {
  const auto optional = [](const auto& value) { return value ? Json(*value) : Json(); };
  const auto summary = [&](const std::optional<Summary>& side) {
    return side ? Json{{"mean", side->mean}, {"sd", optional(side->sd)}, {"n", side->n}} : Json();
  };
  const auto fields = [](const std::vector<FieldDifference>& list) {
    Json result = Json::array();
    for (const FieldDifference& each : list) {
      result.push_back({{"field", each.field}, {"base", each.base}, {"new", each.next}});
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
               {"difference", optional(cell.difference)},
               {"ci", nullptr},
               {"t", nullptr},
               {"df", nullptr},
               {"p", nullptr},
               {"p_adjusted", optional(cell.p_adjusted)},
               {"reason", cell.reason.empty() ? Json() : Json(cell.reason)},
               {"differs_in", cell.differs_in.empty() ? Json() : Json(cell.differs_in)}};
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
}  // namespace compare_detail

StoredResults stored_results(const Store& store,
                             const std::string& name,
                             const std::string& protocol) {
  StoredResults results;
  results.name = name;
  std::string key = protocol;
  if (key.empty()) {
    struct Candidate {
      bool complete = true;
      bool any = false;
      std::string ended;
      std::size_t place = 0;
    };
    std::map<std::string, Candidate> candidates;
    std::size_t place = 0;
    for (const RunRow& run : store.runs()) {
      Candidate& candidate = candidates[run.cell.protocol];
      candidate.place = ++place;
      if (run.state == "done") {
        candidate.any = true;
        candidate.ended = std::max(candidate.ended, run.ended);
      } else {
        candidate.complete = false;
      }
    }
    std::erase_if(candidates, [](const auto& entry) { return !entry.second.any; });
    const auto newest = std::ranges::max_element(candidates, {}, [](const auto& entry) {
      const Candidate& candidate = entry.second;
      return std::tuple(candidate.complete, candidate.ended, candidate.place);
    });
    if (newest == candidates.end()) {
      throw Error(ExitCode::results_missing, "no finished trial is stored").with("database", name);
    }
    key = newest->first;
  }
  const auto row = store.protocol(key);
  if (!row) {
    throw Error(ExitCode::results_missing, "no such protocol in the database")
        .with("protocol", key)
        .with("database", name)
        .hint("sar-bench list runs --db " + name + " shows the protocols");
  }
  results.protocol = *row;
  results.trials = store.trial_dice(row->protocol);
  results.runs = store.runs(row->protocol);
  Baseline frozen = freeze(store, *row, [](const CellPath&) { return true; });
  results.cells = std::move(frozen.cells);
  results.environment = std::move(frozen.environment);
  return results;
}

std::vector<FieldDifference> protocol_differences(const ProtocolRow& base,
                                                  const ProtocolRow& next) {
  using namespace compare_detail;
  std::vector<FieldDifference> differences;
  add_difference(differences, "data kind", base.data_kind, next.data_kind);
  add_difference(differences, "profile", base.profile, next.profile);
  add_difference(differences,
                 "trial Dice from pooled voxels",
                 base.pool_voxels ? "yes" : "no",
                 next.pool_voxels ? "yes" : "no");
  add_differences(
      differences, "numerics.", part(base.settings, "numerics"), part(next.settings, "numerics"));
  const Json base_shared = part(base.settings, "shared");
  const Json next_shared = part(next.settings, "shared");
  add_differences(differences, "", base_shared, next_shared);
  const Json base_methods = part(base.settings, "methods");
  const Json next_methods = part(next.settings, "methods");
  std::set<std::string> methods;
  for (const Json* side : {&base_methods, &next_methods}) {
    for (const auto& [method, own] : side->items()) {
      methods.insert(method);
    }
  }
  for (const std::string& method : methods) {  // a value that is not its own is the shared one
    add_differences(differences,
                    method + ": ",
                    part(base_methods, method),
                    part(next_methods, method),
                    &base_shared,
                    &next_shared);
  }
  add_differences(
      differences, "data.", part(base.manifest, "datasets"), part(next.manifest, "datasets"));
  return differences;
}

std::vector<FieldDifference> environment_differences(const StoredResults& base,
                                                     const StoredResults& next) {
  using namespace compare_detail;
  std::vector<FieldDifference> differences;
  const auto joined = [](const auto& values) {
    return values.empty() ? kNone : fmt::format("{}", fmt::join(values, ", "));
  };
  for (const auto& [field, name] :
       std::vector<std::pair<std::string, std::string>>{{"commit", "commit"},
                                                        {"torch", "LibTorch"},
                                                        {"itk", "ITK"},
                                                        {"device", "device"},
                                                        {"machine", "machine"},
                                                        {"threads", "threads"},
                                                        {"determinism", "determinism"}}) {
    const auto of = [&field = field, &joined](const StoredResults& side) {
      const auto found = side.environment.find(field);
      return found == side.environment.end() ? kNone : joined(found->second);
    };
    add_difference(differences, name, of(base), of(next));
  }
  const auto hosts = [&](const StoredResults& side) {
    std::set<std::string> names;
    for (const RunRow& run : side.runs) {
      if (run.state == "done") {
        names.insert(run.host);
      }
    }
    return joined(names);
  };
  add_difference(differences, "host", hosts(base), hosts(next));
  return differences;
}

std::string ComparedCell::name() const {
  return compare_detail::name_of(*this);
}

int DatabaseComparison::common() const {
  return static_cast<int>(std::ranges::count_if(
      cells, [](const ComparedCell& cell) { return cell.base && cell.next; }));
}

int DatabaseComparison::identical() const {
  return static_cast<int>(std::ranges::count(cells, true, &ComparedCell::identical));
}

int DatabaseComparison::tested() const {
  return static_cast<int>(
      std::ranges::count_if(cells, [](const ComparedCell& cell) { return cell.test.has_value(); }));
}

DatabaseComparison compare(const StoredResults& base,
                           const StoredResults& next,
                           const CompareOptions& options) {
  using namespace compare_detail;
  if (options.test != "student" && options.test != "welch" && options.test != "paired") {
    throw usage_error("stored runs are compared by student, welch or paired")
        .with("test", options.test);
  }
  DatabaseComparison all;
  all.base_name = base.name;
  all.next_name = next.name;
  all.base = base.protocol;
  all.next = next.protocol;
  all.options = options;
  all.protocol = protocol_differences(base.protocol, next.protocol);
  all.environment = environment_differences(base, next);
  const auto base_values = values_of(base);
  const auto next_values = values_of(next);
  std::set<CellKey> keys;
  for (const auto* side : {&base_values, &next_values}) {
    for (const auto& [key, values] : *side) {
      keys.insert(key);
    }
  }
  for (const CellKey& key : keys) {
    const auto& [method, length, fraction, task, target, bucket] = key;
    ComparedCell cell{method, task, target, bucket, fraction, {}, {}, false, {}, 0, {}, {}, {}, {}};
    const auto in_base = base_values.find(key);
    const auto in_next = next_values.find(key);
    if (in_base != base_values.end()) {
      cell.base = summarise(dice_of(in_base->second));
    }
    if (in_next != next_values.end()) {
      cell.next = summarise(dice_of(in_next->second));
    }
    if (cell.base && cell.next) {
      test_cell(cell, in_base->second, in_next->second, options);
    }
    all.cells.push_back(std::move(cell));
  }
  if (all.common() == 0) {
    throw Error(ExitCode::results_missing, "the two have no cell in common")
        .with("base", fmt::format("{}, {} cells", base.name, base_values.size()))
        .with("new", fmt::format("{}, {} cells", next.name, next_values.size()))
        .hint("--protocol-base and --protocol-new choose what is compared");
  }
  // Cells of the same runs on both sides are one comparison.
  std::map<std::vector<std::string>, std::size_t> families;
  std::vector<std::size_t> place;
  std::vector<double> p;
  for (const ComparedCell& cell : all.cells) {
    if (cell.test) {
      const auto [found, added] = families.try_emplace(
          runs_of(cell, base_values.at(key_of(cell)), next_values.at(key_of(cell))), p.size());
      place.push_back(found->second);
      if (added) {
        p.push_back(cell.test->p);
      }
    }
  }
  all.family = static_cast<int>(p.size());
  const std::vector<double> adjusted = adjust(p, options.correction);
  auto next_place = place.begin();
  for (ComparedCell& cell : all.cells) {
    if (cell.test) {
      cell.p_adjusted = adjusted[*next_place++];
    }
  }
  return all;
}

std::string render(const DatabaseComparison& comparison, const std::string& format) {
  using namespace compare_detail;
  if (format == "json") {
    return to_text(document(comparison));
  }
  if (format == "csv") {
    return render(csv_sheet(comparison), format);
  }
  return render(difference_sheet(comparison), format) + "\n" +
         render(cell_sheet(comparison), format);
}

}  // namespace sar
