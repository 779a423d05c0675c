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

}  // namespace

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
  return name_of(*this);
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

}  // namespace sar
