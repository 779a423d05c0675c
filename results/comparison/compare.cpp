#include "results/comparison/compare.h"

#include "harness/core/error.h"
#include "results/database/protocol_choice.h"
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

// --- what differs --------------------------------------------------------------------------------

/// Where a value of a protocol is shown: part, method (of its own values alone), name.
using Place = std::tuple<int, std::string, std::string>;

/// Empty for a value that is not shown.
std::optional<Place> place_of(const ProtocolDifference& each) {
  const std::vector<std::string>& path = each.path;
  if (path.size() == 1) {
    return path[0] == "data_kind" ? Place{0, "", "data kind"}
           : path[0] == "profile" ? Place{1, "", "profile"}
                                  : Place{2, "", "trial Dice from pooled voxels"};
  }
  const bool settings = path[0] == "settings";
  if (settings && path[1] == "numerics" && path.size() > 2) {
    return Place{3, "", each.name(1)};
  }
  if (settings && path[1] == "shared" && path.size() > 2) {
    return Place{4, "", each.name(2)};
  }
  if (settings && path[1] == "methods" && path.size() > 3) {
    return Place{5, path[2], path[2] + ": " + each.name(3)};
  }
  if (path[0] == "manifest" && path[1] == "datasets" && path.size() > 2) {
    return Place{6, "", "data." + each.name(2)};
  }
  return std::nullopt;
}

/// One side of a difference; a value that a method does not have of its own is the shared one.
std::string side_text(const ProtocolDifference& each,
                      const std::optional<Json>& value,
                      const ProtocolRow& side) {
  const Json* shown = value ? &*value : nullptr;
  if (!value && each.path.size() > 3 && each.path[1] == "methods") {
    const Json::json_pointer shared = Json::json_pointer("/shared") / each.name(3);
    shown = side.settings.contains(shared) ? &side.settings.at(shared) : nullptr;
  }
  return shown == nullptr     ? kNone
         : shown->is_string() ? shown->get<std::string>()
         : shown->is_boolean() && each.path[0] == "pool_voxels"
             ? (shown->get<bool>() ? "yes" : "no")
             : shown->dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The environment with the hosts of finished runs.
Environment environment_of(const StoredResults& results) {
  std::set<std::string> hosts;
  for (const RunRow& run : results.runs) {
    if (run.state == "done") {
      hosts.insert(run.host);
    }
  }
  Environment environment = results.environment;
  environment["host"] = {hosts.begin(), hosts.end()};
  return environment;
}

}  // namespace

StoredResults stored_results(const Store& store,
                             const std::string& name,
                             const std::string& protocol) {
  StoredResults results;
  results.name = name;
  std::string key = protocol;
  if (key.empty()) {
    key = protocol_to_compare(store.cell_states()).protocol;
    if (key.empty()) {
      throw Error(ExitCode::results_missing, "no finished trial is stored").with("database", name);
    }
  }
  results.protocol = named_protocol(store, key, name);
  results.trials = store.trial_dice(results.protocol.protocol);
  results.runs = store.runs(results.protocol.protocol);
  Baseline frozen = freeze(store, results.protocol, [](const CellPath&) { return true; });
  results.cells = std::move(frozen.cells);
  results.environment = std::move(frozen.environment);
  return results;
}

std::vector<FieldDifference> protocol_differences(const ProtocolRow& base,
                                                  const ProtocolRow& next) {
  std::map<Place, FieldDifference> shown;
  for (const ProtocolDifference& each : differences(base, next)) {
    const std::optional<Place> place = place_of(each);
    const std::string a = side_text(each, each.from, base);
    const std::string b = side_text(each, each.to, next);
    if (place && a != b) {
      shown[*place] = {std::get<2>(*place), a, b};
    }
  }
  std::vector<FieldDifference> list;
  for (auto& [place, each] : shown) {
    list.push_back(std::move(each));
  }
  return list;
}

std::vector<FieldDifference> environment_differences(const StoredResults& base,
                                                     const StoredResults& next) {
  static const std::vector<std::string> kFields = {
      "commit", "torch", "itk", "device", "machine", "threads", "determinism", "host"};
  const auto joined = [](const std::vector<std::string>& values) {
    return values.empty() ? kNone : fmt::format("{}", fmt::join(values, ", "));
  };
  std::vector<FieldDifference> list;
  for (const EnvironmentDifference& each :
       differences(environment_of(base), environment_of(next), kFields)) {
    const std::string a = joined(each.from);
    const std::string b = joined(each.to);
    if (a != b) {
      list.push_back({each.field == "torch" ? "LibTorch"
                      : each.field == "itk" ? "ITK"
                                            : each.field,
                      a,
                      b});
    }
  }
  return list;
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
