#include "results/comparison/baseline.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "results/text/words.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace sar {
namespace {

constexpr int kBaselineSchema = 1;
const std::array<std::string, 5> kSameEnvironment = {
    "device", "machine", "threads", "torch", "itk"};
const std::string kDeterminism = "determinism";
constexpr int kMostTrials = 1000;  ///< as for --trials
const std::string kAbsentField = "absent";

// --- freezing ----------------------------------------------------------------------------------

/// Cases of one evaluation that a cell is the mean of, as text that is equal only if all bits are.
std::string digest_of_cases(const std::vector<StoredCaseDice>& cases, const CellPath& path) {
  std::string text;
  for (const StoredCaseDice& each : cases) {
    // "average" is the mean over the targets.
    if ((path.target == "average" || each.target == path.target) &&
        (path.bucket == "all" || each.bucket == path.bucket)) {
      text += fmt::format("{}\t{}\t{}\t{}\t{}\t{}\t{}\n",
                          each.case_id,
                          each.target,
                          each.bucket,
                          each.dice,
                          each.voxels_both,
                          each.voxels_predicted,
                          each.voxels_true);
    }
  }
  return sha256(text).substr(0, 16);
}

void add_environment_value(Environment& environment,
                           const std::string& field,
                           const std::string& value) {
  std::vector<std::string>& values = environment[field];
  const auto place = std::ranges::lower_bound(values, value);
  if (!value.empty() && (place == values.end() || *place != value)) {
    values.insert(place, value);
  }
}

void add_environment_of(Environment& environment, const NodeRow& node) {
  add_environment_value(environment, "device", node.device);
  add_environment_value(environment, "machine", node.machine);
  add_environment_value(environment, "threads", std::to_string(node.threads));
  add_environment_value(environment, "torch", node.torch);
  add_environment_value(environment, "itk", node.itk);
  add_environment_value(environment, "determinism", node.determinism);
  add_environment_value(environment, "commit", commit_text(node.commit, node.dirty));
  if (node.machine.empty()) {  // from before the column: not known, whatever the others say
    add_environment_value(environment, "machine", "unknown");
  }
}

/// What made stored results.
class Makers {
 public:
  explicit Makers(const Store& store) : store_(store) {}

  /// Of a trial: walks from its nodes to those that they were made of.
  const Environment& of(const CellRow& row) {
    const auto [place, added] = found_.try_emplace(row.cell_key);
    if (added) {
      std::set<std::string> seen;
      for (const std::string& node : {row.pretrain_node, row.finetune_node, row.evaluate_node}) {
        collect(node, seen, place->second);
      }
    }
    return place->second;
  }

 private:
  void collect(const std::string& key, std::set<std::string>& seen, Environment& environment) {
    if (key.empty() || !seen.insert(key).second) {
      return;
    }
    auto place = nodes_.find(key);
    if (place == nodes_.end()) {
      place = nodes_.emplace(key, store_.node(key)).first;
    }
    if (!place->second) {
      return;
    }
    const NodeRow& node = *place->second;
    add_environment_of(environment, node);
    for (const std::string& need : named_nodes(node.inputs)) {
      collect(need, seen, environment);
    }
  }

  const Store& store_;
  std::map<std::string, std::optional<NodeRow>> nodes_;
  std::map<std::string, Environment> found_;  // by cell key
};

/// True if the two name the same values, known or not, of all that bits depend on.
bool names_same_makers(const Environment& a, const Environment& b) {
  const auto same = [&](const std::string& field) {
    return values_of(a, field) == values_of(b, field);
  };
  return same(kDeterminism) && std::ranges::all_of(kSameEnvironment, same);
}

/// True if every result was made by a program that promises the same bits again.
bool is_bit_exact(const Environment& environment) {
  return values_of(environment, kDeterminism) == std::vector<std::string>{"bit-exact"};
}

/// As `GateReport::environment_differences`.
std::vector<std::string> environment_differences(const Environment& from, const Environment& to) {
  std::vector<std::string> fields;
  for (const EnvironmentDifference& each : differences(from, to, kSameEnvironment)) {
    fields.push_back(each.field);
  }
  return fields;
}

/// As `GateReport::changes`.
std::vector<FieldDifference> protocol_changes(const ProtocolRow& from, const ProtocolRow& to) {
  // With equal keys, one of the two was edited if they differ in more than the kind of data.
  const bool all = from.protocol != to.protocol;
  const auto text = [](const std::optional<Json>& value) {
    return value ? value->dump() : kAbsentField;
  };
  std::vector<FieldDifference> changes;
  for (const ProtocolDifference& each : differences(from, to)) {
    const std::string& first = each.path.front();
    const bool named =
        all ? first != "pool_voxels" : first == "data_kind";  // no file has the former
    if (named && each.from != each.to) {
      changes.push_back({each.name(), text(each.from), text(each.to)});
    }
  }
  std::ranges::sort(changes, {}, &FieldDifference::field);
  return changes;
}
// --- the file ----------------------------------------------------------------------------------

Error bad_baseline(const std::filesystem::path& file, const std::string& reason) {
  return data_error("this is not a baseline that can be read")
      .with("file", file.string())
      .with("reason", reason)
      .hint("sar-bench baseline save -o FILE writes one");
}

Json environment_json(const Environment& environment) {
  Json json = Json::object();
  for (const auto& [field, values] : environment) {
    json[field] = values.size() == 1 ? Json(values.front()) : Json(values);
  }
  return json;
}

/// Throws Error 65 for another type.
const Json& object_at(const Json& json, const std::string& key) {
  const Json& value = json.at(key);
  if (!value.is_object()) {
    throw data_error(key + " is not an object").with("value", value.dump());
  }
  return value;
}

/// Throws Error 65 for what is not a whole number, or out of range.
template <class T>
T whole_number_at(const Json& json, const std::string& key, T least, T most) {
  const Json& value = json.at(key);
  const bool whole = value.is_number_unsigned() || value.is_number_integer();
  const bool negative = whole && !value.is_number_unsigned() && value.get<std::int64_t>() < 0;
  if (!whole || negative || value.get<std::uint64_t>() < static_cast<std::uint64_t>(least) ||
      value.get<std::uint64_t>() > static_cast<std::uint64_t>(most)) {
    throw data_error(key + " is not a whole number within its range: out of range")
        .with("value", value.dump())
        .with("least", fmt::format("{}", least))
        .with("most", fmt::format("{}", most));
  }
  return value.get<T>();
}

Environment environment_from(const Json& parent) {
  Environment environment;
  const Json& json = object_at(parent, "environment");
  for (const auto& [field, value] : json.items()) {
    std::vector<std::string>& values = environment[field];
    if (value.is_string()) {
      values = {value.get<std::string>()};
    } else {
      values = value.get<std::vector<std::string>>();
    }
  }
  for (const std::string field : {"device", "machine", "threads", "torch", "itk", "determinism"}) {
    if (!environment.contains(field)) {
      throw data_error("the environment lacks a field").with("field", field);
    }
  }
  return environment;
}

FrozenTrial trial_from(const Json& json) {
  FrozenTrial trial;
  trial.trial = whole_number_at(json, "trial", 0, kMostTrials - 1);
  trial.seed =
      whole_number_at<std::uint64_t>(json, "seed", 0, std::numeric_limits<std::uint64_t>::max());
  trial.cases = whole_number_at(json, "n_cases", 1, std::numeric_limits<int>::max());
  trial.digest = json.at("cases").get<std::string>();
  if (json.contains("environment")) {
    trial.environment = environment_from(json);
  }
  const Json& dice = json.at("dice");
  if (!dice.is_number()) {
    throw data_error("Dice is not a number").with("trial", json.dump());
  }
  trial.dice = dice.get<double>();
  if (!(trial.dice >= 0 && trial.dice <= 100)) {
    throw data_error("a trial is out of range").with("trial", json.dump());
  }
  return trial;
}

Baseline baseline_from(const Json& json) {
  Baseline baseline;
  const Json& protocol = object_at(json, "protocol");
  baseline.protocol.protocol = protocol.at("key");
  baseline.protocol.data_kind = json.at("data_kind");
  baseline.protocol.profile = protocol.at("profile");
  baseline.protocol.settings = object_at(protocol, "settings");
  baseline.protocol.manifest = object_at(protocol, "manifest");
  if (baseline.protocol.protocol.empty()) {
    throw data_error("the protocol has no key");
  }
  if (baseline.protocol.data_kind != "phantom" && baseline.protocol.data_kind != "real") {
    throw data_error("data_kind is neither phantom nor real")
        .with("data_kind", baseline.protocol.data_kind);
  }
  object_at(baseline.protocol.settings, "shared");
  baseline.experiments = json.at("experiments").get<std::vector<std::string>>();
  baseline.environment = environment_from(json);
  for (const Json& each : json.at("cells")) {
    FrozenCell cell;
    cell.path = parse_cell_path("any/" + each.at("cell").get<std::string>());
    cell.path.table.clear();
    for (const Json& trial : each.at("trials")) {
      cell.trials.push_back(trial_from(trial));
    }
    std::ranges::sort(cell.trials, {}, &FrozenTrial::trial);
    const auto same_number = std::ranges::adjacent_find(cell.trials, {}, &FrozenTrial::trial);
    if (cell.trials.empty() || same_number != cell.trials.end()) {
      throw data_error(cell.trials.empty() ? "a cell has no trial" : "a cell has a trial twice")
          .with("cell", cell.name());
    }
    baseline.cells.push_back(std::move(cell));
  }
  std::ranges::sort(baseline.cells, {}, &FrozenCell::name);
  if (const auto twice = std::ranges::adjacent_find(baseline.cells, {}, &FrozenCell::name);
      twice != baseline.cells.end()) {
    throw data_error("a cell is there twice").with("cell", twice->name());
  }
  if (baseline.cells.empty()) {
    throw data_error("there is no cell in it");
  }
  return baseline;
}

/// Throws Error 65 for a key that an object has twice: readers would not agree on its value.
Json parse_baseline(const std::string& text) {
  std::vector<std::set<std::string>> open;
  return Json::parse(text, [&](int, Json::parse_event_t event, Json& value) {
    if (event == Json::parse_event_t::object_start) {
      open.emplace_back();
    } else if (event == Json::parse_event_t::object_end) {
      open.pop_back();
    } else if (event == Json::parse_event_t::key &&
               !open.back().insert(value.get<std::string>()).second) {
      throw data_error("a key is there twice").with("key", value.get<std::string>());
    }
    return true;
  });
}

// --- the gate ----------------------------------------------------------------------------------

Summary summary_of_trials(const std::vector<FrozenTrial>& trials) {
  std::vector<double> values;
  values.reserve(trials.size());
  for (const FrozenTrial& each : trials) {
    values.push_back(each.dice);
  }
  return summarise(values);
}

bool is_same_result(const FrozenTrial& a, const FrozenTrial& b) {
  return a.seed == b.seed && a.cases == b.cases && a.dice == b.dice && a.digest == b.digest;
}

TrialChange change_of(const FrozenTrial& a, const FrozenTrial& b) {
  return {a.trial,
          a.dice,
          b.dice,
          a.seed != b.seed     ? "seed"
          : a.cases != b.cases ? "number of cases"
          : a.dice != b.dice   ? "Dice"
                               : "cases"};
}

void append_reason(std::string& reasons, const std::string& reason) {
  reasons += (reasons.empty() || reason.empty() ? "" : "; ") + reason;
}

/// What is wrong with a trial of which equal bits were promised; empty if nothing is.
std::string broken_promise(const FrozenTrial& base,
                           const FrozenTrial& now,
                           const Environment& maker) {
  std::string reason;
  if (!is_same_result(base, now)) {
    const TrialChange change = change_of(base, now);
    reason = fmt::format("trial {}: ", base.trial);
    reason +=
        change.what == "Dice"
            ? fmt::format("{} became {} ({:+.3g})", change.from, change.to, change.to - change.from)
        : change.what == "cases"
            ? std::string("the mean is the same, but single cases have other results")
            : "another " + change.what;
  }
  if (!is_bit_exact(maker)) {
    const std::string values = fmt::format("{}", fmt::join(values_of(maker, kDeterminism), " | "));
    append_reason(reason,
                  fmt::format("trial {}: determinism was bit-exact and is now {}",
                              base.trial,
                              values.empty() ? "unknown" : values));
  }
  return reason;
}

/// A cell under judgement: what was found of it.
struct Found {
  std::vector<FrozenTrial> trials;  ///< of the new results, those that the baseline has
  std::string broken;               ///< where equal bits were promised
  std::string absence;              ///< which trials are not there, and why
};

/// Looks for the trials of a cell, and compares the bits of those that are there.
Found find_trials(const Baseline& base,
                  const FrozenCell& frozen,
                  const Baseline& now,
                  GateCell& cell,
                  GateReport& report) {
  Found found;
  std::map<std::string, std::string> missing;  // trials by reason
  int promised = 0;
  const auto after = std::ranges::find(now.cells, cell.name, &FrozenCell::name);
  for (const FrozenTrial& wanted : frozen.trials) {
    const FrozenTrial* trial = nullptr;
    if (after != now.cells.end()) {
      const auto place = std::ranges::find(after->trials, wanted.trial, &FrozenTrial::trial);
      trial = place == after->trials.end() ? nullptr : &*place;
    }
    if (trial == nullptr) {
      const auto why = now.unfinished.find(
          trial_name(cell.path.method, cell.path.task, cell.path.fraction, wanted.trial));
      const std::string reason = why == now.unfinished.end() ? "not stored" : why->second;
      ++cell.missing;
      cell.failed_trials += reason.starts_with("failed") ? 1 : 0;
      missing[reason] += (missing[reason].empty() ? "" : ", ") + std::to_string(wanted.trial);
      continue;
    }
    const Environment& before = wanted.environment.empty() ? base.environment : wanted.environment;
    const Environment& maker = trial->environment.empty() ? now.environment : trial->environment;
    const std::vector<std::string> differences = environment_differences(before, maker);
    for (const std::string& each : differences) {
      if (std::ranges::find(report.environment_differences, each) ==
          report.environment_differences.end()) {
        report.environment_differences.push_back(each);
      }
    }
    if (!report.options.statistical && differences.empty() && is_bit_exact(before)) {
      ++promised;
      append_reason(found.broken, broken_promise(wanted, *trial, maker));
      report.determinism_lost = report.determinism_lost || !is_bit_exact(maker);
    }
    if (!is_same_result(wanted, *trial)) {
      cell.changes.push_back(change_of(wanted, *trial));
    }
    found.trials.push_back(*trial);
  }
  for (const auto& [reason, trials] : missing) {
    append_reason(found.absence, fmt::format("missing trials {}: {}", trials, reason));
  }
  cell.bit_exact = promised > 0 && promised == static_cast<int>(found.trials.size());
  return found;
}

/// Both one-sided tests from one statistic: t = (loss - margin) / standard error.
void test_loss(GateCell& cell, const GateOptions& options) {
  Summary shifted = cell.base;
  shifted.mean -= options.margin;
  const TTest test = welch_test(shifted, cell.now, 2 * options.alpha);
  if (!test.testable) {  // with three finite trials or more on each side: the standard error is 0
    cell.rule = GateRule::plain;
    cell.verdict = cell.loss > options.margin ? GateVerdict::failed : GateVerdict::passed;
    if (cell.verdict == GateVerdict::failed) {
      cell.reason = fmt::format("lost {:.4g} Dice points, more than the margin, without any spread",
                                cell.loss);
    }
    return;
  }
  cell.rule = GateRule::statistical;
  cell.tested = true;
  cell.t = test.t;
  cell.df = test.df;
  cell.p_loss = test.t > 0 ? test.p / 2 : 1 - test.p / 2;
  cell.p_kept = test.t > 0 ? 1 - test.p / 2 : test.p / 2;
  cell.loss_low = test.ci_low + options.margin;
  cell.loss_high = test.ci_high + options.margin;
}

/// Text that is equal for cells that are the very same runs on both sides: label fractions that
/// round to the same training cases.
std::string identity_of_runs(const FrozenCell& base, const std::vector<FrozenTrial>& now) {
  std::string text = fmt::format(
      "{}/{}/{}/{}", base.path.method, base.path.task, base.path.target, base.path.bucket);
  for (const auto* trials : {&base.trials, &now}) {
    for (const FrozenTrial& each : *trials) {
      text += fmt::format("|{} {} {}", each.trial, each.dice, each.digest);
    }
  }
  return text;
}

/// Holm's correction over the gate; a cell without a test counts with p = 1.
int adjust_losses(std::vector<GateCell>& cells, const std::vector<std::string>& identities) {
  std::map<std::string, std::size_t> place;
  std::vector<double> p;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (place.emplace(identities[i], p.size()).second) {
      p.push_back(cells[i].p_loss);
    }
  }
  const std::vector<double> adjusted = adjust(p, "holm");
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i].p_loss_adjusted = adjusted[place.at(identities[i])];
  }
  return static_cast<int>(p.size());
}

void judge_test(GateCell& cell, const GateOptions& options) {
  if (cell.p_loss_adjusted < options.alpha) {
    cell.verdict = GateVerdict::failed;
    cell.reason = fmt::format("lost {:.4g} Dice points, beyond the margin of {:g} (p = {}, Holm)",
                              cell.loss,
                              options.margin,
                              format_p(cell.p_loss_adjusted));
  } else if (cell.p_kept < options.alpha) {
    cell.verdict = GateVerdict::passed;
  } else {
    cell.verdict = GateVerdict::undecided;
    cell.reason = fmt::format(
        "neither a loss beyond the margin of {:g} nor its absence is shown: the loss may lie "
        "between {:.4g} and {:.4g}",
        options.margin,
        cell.loss_low,
        cell.loss_high);
  }
}

/// Decides all but the statistical verdict, which needs the other cells.
void judge_cell(GateCell& cell, const Found& found, const GateOptions& options) {
  cell.reason = found.absence;
  if (!found.broken.empty()) {
    cell.rule = GateRule::bit_exact;
    cell.verdict = GateVerdict::failed;
    cell.reason = found.broken;
    append_reason(cell.reason, found.absence);
  } else if (cell.changes.empty() || cell.bit_exact) {
    if (cell.missing == 0) {
      cell.rule = cell.bit_exact ? GateRule::bit_exact : GateRule::identical;
      cell.verdict = GateVerdict::passed;
    }
  } else if (found.trials.size() >= kLeastGateTrials) {
    test_loss(cell, options);
  } else if (cell.missing == 0) {
    cell.reason = fmt::format(
        "{} trial{}: fewer than {} are only compared bit by bit, which needs the baseline's "
        "environment",
        found.trials.size(),
        found.trials.size() == 1 ? "" : "s",
        kLeastGateTrials);
  }
}

/// What is not there may have been lost: such a cell can fail, but not pass.
void withhold_pass(GateCell& cell, const std::string& absence) {
  if (cell.missing > 0 && cell.verdict != GateVerdict::failed) {
    cell.verdict = GateVerdict::undecided;
    cell.reason = absence;
  }
}

}  // namespace

std::string trial_name(const std::string& method,
                       const std::string& task,
                       const std::string& fraction,
                       int trial) {
  return fmt::format("{}/{}/{} trial {}", method, task, fraction, trial);
}

Baseline freeze(const Store& store,
                const ProtocolRow& protocol,
                const std::function<bool(const CellPath&)>& wanted) {
  Baseline baseline;
  baseline.protocol = protocol;
  std::map<std::string, CellRow> rows;  // by trial_name
  for (const RunRow& run : store.runs(protocol.protocol)) {
    const CellRow& cell = run.cell;
    const std::string name = trial_name(cell.method, cell.task, cell.fraction, cell.trial);
    rows.emplace(name, cell);
    if (run.state != "done") {
      baseline.unfinished[name] = run.state + (run.reason.empty() ? "" : ": " + run.reason);
    }
  }
  std::map<std::string, std::vector<StoredCaseDice>> cases;  // by evaluation
  Makers makers(store);
  for (const TrialDice& each : store.trial_dice(protocol.protocol)) {
    const CellPath path{{}, each.method, each.task, each.target, each.bucket, each.fraction};
    if (!wanted(path)) {
      continue;
    }
    const CellRow& row = rows.at(trial_name(each.method, each.task, each.fraction, each.trial));
    if (!cases.contains(each.evaluation)) {
      cases[each.evaluation] = store.case_dice(each.evaluation);
    }
    if (baseline.cells.empty() || !(baseline.cells.back().path == path)) {
      baseline.cells.push_back({path, {}});
    }
    const Environment& maker = makers.of(row);
    for (const auto& [field, values] : maker) {
      baseline.environment[field];  // known, if only as unknown
      for (const std::string& value : values) {
        add_environment_value(baseline.environment, field, value);
      }
    }
    baseline.cells.back().trials.push_back({each.trial,
                                            row.seed,
                                            each.cases,
                                            each.dice,
                                            digest_of_cases(cases.at(each.evaluation), path),
                                            maker});
  }
  for (FrozenCell& cell : baseline.cells) {
    for (FrozenTrial& trial : cell.trials) {
      if (names_same_makers(trial.environment, baseline.environment)) {
        trial.environment.clear();
      }
    }
  }
  std::ranges::sort(baseline.cells, {}, &FrozenCell::name);
  return baseline;
}

std::string baseline_text(const Baseline& baseline) {
  const Json head{{"schema_version", kBaselineSchema},
                  {"data_kind", baseline.protocol.data_kind},
                  {"experiments", baseline.experiments},
                  {"environment", environment_json(baseline.environment)},
                  {"protocol",
                   {{"key", baseline.protocol.protocol},
                    {"profile", baseline.protocol.profile},
                    {"settings", baseline.protocol.settings},
                    {"manifest", baseline.protocol.manifest}}}};
  std::string text = to_text(head);
  text.resize(text.size() - 3);  // the closing brace and its line
  text += ",\n  \"cells\": [";
  for (std::size_t i = 0; i < baseline.cells.size(); ++i) {
    const FrozenCell& cell = baseline.cells[i];
    text += fmt::format(
        "{}\n    {{\"cell\": {}, \"trials\": [", i == 0 ? "" : ",", Json(cell.name()).dump());
    for (std::size_t j = 0; j < cell.trials.size(); ++j) {
      const FrozenTrial& trial = cell.trials[j];
      Json line{{"trial", trial.trial},
                {"seed", trial.seed},
                {"n_cases", trial.cases},
                {"dice", trial.dice},
                {"cases", trial.digest}};
      if (!trial.environment.empty()) {
        line["environment"] = environment_json(trial.environment);
      }
      text += fmt::format("{}\n      {}", j == 0 ? "" : ",", line.dump());
    }
    text += "\n    ]}";
  }
  return text + "\n  ]\n}\n";
}

Baseline read_baseline(const std::filesystem::path& file) {
  if (std::filesystem::is_directory(file)) {
    throw bad_baseline(file, "it is a folder");
  }
  const std::string text = read_file(file);
  Json json;
  try {
    json = parse_baseline(text);
  } catch (const Json::exception& error) {
    throw bad_baseline(file, error.what());
  } catch (const Error& error) {
    throw bad_baseline(file, error.what());
  }
  if (!json.is_object() || !json.contains("schema_version")) {
    throw bad_baseline(file, "it has no schema_version");
  }
  if (json.at("schema_version") != Json(kBaselineSchema)) {
    throw data_error("the baseline has another schema_version than this sar-bench knows")
        .with("file", file.string())
        .with("schema_version", json.at("schema_version").dump())
        .with("known", std::to_string(kBaselineSchema))
        .hint("use the sar-bench that wrote it, or save a new baseline");
  }
  try {
    return baseline_from(json);
  } catch (const Json::exception& error) {
    throw bad_baseline(file, error.what());
  } catch (const Error& error) {
    throw bad_baseline(file, error.what());
  }
}

int GateReport::count(GateVerdict each) const {
  return static_cast<int>(std::ranges::count(cells, each, &GateCell::verdict));
}

int GateReport::bit_exact_cells() const {
  return static_cast<int>(std::ranges::count(cells, true, &GateCell::bit_exact));
}

std::string GateReport::cause() const {
  if (verdict != GateVerdict::undecided) {
    return {};
  }
  if (protocol_changed) {
    return "protocol";
  }
  if (std::ranges::any_of(cells, [](const GateCell& each) { return each.failed_trials > 0; })) {
    return "failed";
  }
  if (std::ranges::any_of(cells, [](const GateCell& each) { return each.missing > 0; })) {
    return "missing";
  }
  const bool untested = std::ranges::any_of(cells, [](const GateCell& each) {
    return each.verdict == GateVerdict::undecided && each.rule == GateRule::none;
  });
  return untested ? "few_trials" : "noise";
}

ExitCode GateReport::exit_code() const {
  switch (verdict) {
    case GateVerdict::passed:
      return ExitCode::ok;
    case GateVerdict::failed:
      return ExitCode::gate_failed;
    case GateVerdict::undecided:
      return cause() == "failed" ? ExitCode::cells_failed : ExitCode::results_missing;
  }
  throw internal_error("unknown verdict of a gate");
}

GateReport check_baseline(const Baseline& base, const Baseline& now, const GateOptions& options) {
  if (!(options.margin > 0) || !(options.alpha > 0 && options.alpha < 0.5)) {
    throw usage_error("the margin must be above 0 and alpha between 0 and 0.5")
        .with("margin", fmt::format("{}", options.margin))
        .with("alpha", fmt::format("{}", options.alpha));
  }
  GateReport report;
  report.options = options;
  report.base.protocol = base.protocol;
  report.now.protocol = now.protocol;
  report.base.environment = base.environment;
  report.now.environment = now.environment;
  report.changes = protocol_changes(base.protocol, now.protocol);
  report.protocol_changed =
      base.protocol.protocol != now.protocol.protocol || !report.changes.empty();
  if (report.protocol_changed || now.cells.empty()) {
    report.environment_differences = environment_differences(base.environment, now.environment);
  }
  std::vector<std::string> identities;
  std::vector<std::string> absences;
  for (const FrozenCell& frozen : base.cells) {
    GateCell cell;
    cell.name = frozen.name();
    cell.path = frozen.path;
    cell.base = summary_of_trials(frozen.trials);
    Found found;
    if (report.protocol_changed) {
      cell.reason = "the protocol changed";
    } else {
      found = find_trials(base, frozen, now, cell, report);
      cell.now = summary_of_trials(found.trials);
      cell.loss = found.trials.empty() ? 0 : cell.base.mean - cell.now.mean;
      judge_cell(cell, found, options);
    }
    identities.push_back(identity_of_runs(frozen, found.trials));
    absences.push_back(found.absence);
    report.cells.push_back(std::move(cell));
  }
  report.bit_exact =
      report.bit_exact_cells() > 0 && std::ranges::all_of(report.cells, [](const GateCell& each) {
        return each.bit_exact || each.now.n == 0;
      });
  if (!report.bit_exact && !report.protocol_changed) {
    report.tests = adjust_losses(report.cells, identities);
  }
  for (std::size_t i = 0; i < report.cells.size(); ++i) {
    if (report.cells[i].rule == GateRule::statistical) {
      judge_test(report.cells[i], options);
    }
    withhold_pass(report.cells[i], absences[i].empty() ? report.cells[i].reason : absences[i]);
  }
  report.verdict = report.count(GateVerdict::failed) > 0      ? GateVerdict::failed
                   : report.count(GateVerdict::undecided) > 0 ? GateVerdict::undecided
                                                              : GateVerdict::passed;
  return report;
}

std::string to_string(GateVerdict verdict) {
  switch (verdict) {
    case GateVerdict::passed:
      return "passed";
    case GateVerdict::failed:
      return "failed";
    case GateVerdict::undecided:
      return "undecided";
  }
  throw internal_error("unknown verdict of a gate");
}

std::string to_string(GateRule rule) {
  switch (rule) {
    case GateRule::bit_exact:
      return "bit-exact";
    case GateRule::identical:
      return "identical";
    case GateRule::statistical:
      return "welch";
    case GateRule::plain:
      return "no spread";
    case GateRule::none:
      return "none";
  }
  throw internal_error("unknown rule of a gate");
}

std::string rule_text(const GateReport& report) {
  if (report.protocol_changed) {
    return "results of different protocols are not compared (exit 4)";
  }
  if (report.bit_exact) {
    return "same protocol, same environment, and programs that promise the same bits: every trial "
           "must be equal in every bit, also case by case; any difference fails (exit 1)";
  }
  const std::string others =
      report.bit_exact_cells() == 0
          ? ""
          : fmt::format(
                "{} of {} cells were made in the same environment, by programs that promise "
                "the same bits: any other bit fails (exit 1). The others: ",
                report.bit_exact_cells(),
                report.cells.size());
  return others + fmt::format(
                      "unpaired one-sided Welch tests over trials, margin {} Dice points, alpha "
                      "{}. A cell fails "
                      "(exit 1) if a loss beyond the margin is shown: p < alpha after Holm over {} "
                      "cells. It "
                      "passes "
                      "if a loss of the margin or more is rejected: p < alpha, uncorrected, "
                      "because the gate "
                      "passes "
                      "only if every cell does. All else is undecided (exit 4), and so are fewer "
                      "than {} trials "
                      "that are not equal bit by bit. Without any spread the loss itself is "
                      "compared with the "
                      "margin",
                      report.options.margin,
                      report.options.alpha,
                      report.tests,
                      kLeastGateTrials);
}

}  // namespace sar
