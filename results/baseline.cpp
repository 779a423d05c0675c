#include "results/baseline.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace sar {
namespace {

constexpr int kBaselineSchema = 1;
constexpr std::array<const char*, 5> kSameEnvironment = {
    "device", "machine", "threads", "torch", "itk"};
const std::string kAbsent = "absent";

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

void add_value(Environment& environment, const std::string& field, const std::string& value) {
  std::vector<std::string>& values = environment[field];
  const auto place = std::ranges::lower_bound(values, value);
  if (!value.empty() && (place == values.end() || *place != value)) {
    values.insert(place, value);
  }
}

void add_node(Environment& environment, const NodeRow& node) {
  add_value(environment, "device", node.device);
  add_value(environment, "machine", node.machine);
  add_value(environment, "threads", std::to_string(node.threads));
  add_value(environment, "torch", node.torch);
  add_value(environment, "itk", node.itk);
  add_value(environment, "determinism", node.determinism);
  add_value(environment, "commit", node.commit + (node.dirty ? " (with changes)" : ""));
  if (node.machine.empty()) {  // from before the column: not known, whatever the others say
    add_value(environment, "machine", "unknown");
  }
}

/// Walks from a node to those that it was made of.
void collect_nodes(const Store& store,
                   const std::string& key,
                   std::set<std::string>& seen,
                   Environment& environment) {
  if (key.empty() || !seen.insert(key).second) {
    return;
  }
  const std::optional<NodeRow> node = store.node(key);
  if (!node) {
    return;
  }
  add_node(environment, *node);
  for (const char* field : {"weights", "initial", "prepared", "cubes"}) {
    if (!node->inputs.contains(field)) {
      continue;
    }
    const Json& value = node->inputs.at(field);
    for (const Json& each : value.is_string() ? Json::array({value}) : value) {
      collect_nodes(store, each.get<std::string>(), seen, environment);
    }
  }
}

CellGroup group_of(const CellRow& cell) {
  return {cell.method, cell.task, cell.fraction};
}

// --- the file ----------------------------------------------------------------------------------

Error bad_baseline(const std::filesystem::path& file, const std::string& reason) {
  return data_error("this is no baseline that can be read")
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

Environment environment_from(const Json& json) {
  Environment environment;
  for (const auto& [field, value] : json.items()) {
    std::vector<std::string>& values = environment[field];
    if (value.is_string()) {
      values = {value.get<std::string>()};
    } else {
      values = value.get<std::vector<std::string>>();
    }
  }
  return environment;
}

FrozenTrial trial_from(const Json& json) {
  FrozenTrial trial{
      json.at("trial"), json.at("seed"), json.at("n_cases"), json.at("dice"), json.at("cases")};
  if (trial.trial < 0 || trial.cases < 1 || !(trial.dice >= 0 && trial.dice <= 100)) {
    throw data_error("a trial is out of range").with("trial", json.dump());
  }
  return trial;
}

Baseline baseline_from(const Json& json) {
  Baseline baseline;
  const Json& protocol = json.at("protocol");
  baseline.protocol.protocol = protocol.at("key");
  baseline.protocol.data_kind = json.at("data_kind");
  baseline.protocol.profile = protocol.at("profile");
  baseline.protocol.settings = protocol.at("settings");
  baseline.protocol.manifest = protocol.at("manifest");
  baseline.experiments = json.at("experiments").get<std::vector<std::string>>();
  baseline.environment = environment_from(json.at("environment"));
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

// --- the protocol ------------------------------------------------------------------------------

/// Values by their path; a list is one value. Keys of settings have dots of their own.
void flatten_into(const Json& json, const std::string& path, std::map<std::string, Json>& fields) {
  if (!json.is_object()) {
    fields[path] = json;
    return;
  }
  for (const auto& [key, value] : json.items()) {
    flatten_into(value, path.empty() ? key : path + "." + key, fields);
  }
}

std::map<std::string, Json> fields_of_protocol(const ProtocolRow& row) {
  std::map<std::string, Json> fields;
  flatten_into({{"data_kind", row.data_kind},
                {"profile", row.profile},
                {"settings", row.settings},
                {"manifest", row.manifest}},
               {},
               fields);
  return fields;
}

// --- the gate ----------------------------------------------------------------------------------

Summary summary_of(const std::vector<FrozenTrial>& trials) {
  std::vector<double> values;
  values.reserve(trials.size());
  for (const FrozenTrial& each : trials) {
    values.push_back(each.dice);
  }
  return summarise(values);
}

std::vector<TrialChange> changes_of(const std::vector<FrozenTrial>& base,
                                    const std::vector<FrozenTrial>& now) {
  std::vector<TrialChange> changes;
  for (std::size_t i = 0; i < base.size(); ++i) {
    const FrozenTrial& a = base[i];
    const FrozenTrial& b = now[i];
    if (a == b) {
      continue;
    }
    changes.push_back({a.trial,
                       a.dice,
                       b.dice,
                       a.seed != b.seed     ? "seed"
                       : a.cases != b.cases ? "number of cases"
                       : a.dice != b.dice   ? "Dice"
                                            : "cases"});
  }
  return changes;
}

/// Those trials of `now` that `base` has; `judged` is told which are not there.
std::vector<FrozenTrial> matching_trials(const FrozenCell& base,
                                         const Baseline& now,
                                         GateCell& judged) {
  const auto cell = std::ranges::find(now.cells, base.name(), &FrozenCell::name);
  std::vector<FrozenTrial> found;
  std::map<std::string, std::string> missing;  // trials by reason
  for (const FrozenTrial& wanted : base.trials) {
    if (cell != now.cells.end()) {
      const auto trial = std::ranges::find(cell->trials, wanted.trial, &FrozenTrial::trial);
      if (trial != cell->trials.end()) {
        found.push_back(*trial);
        continue;
      }
    }
    const auto why = now.unfinished.find(
        trial_name(base.path.method, base.path.task, base.path.fraction, wanted.trial));
    ++judged.missing;
    std::string& trials = missing[why == now.unfinished.end() ? "not stored" : why->second];
    trials += (trials.empty() ? "" : ", ") + std::to_string(wanted.trial);
  }
  for (const auto& [reason, trials] : missing) {
    judged.reason +=
        fmt::format("{}missing trials {}: {}", judged.reason.empty() ? "" : "; ", trials, reason);
  }
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

void judge_bits(GateCell& cell) {
  cell.rule = GateRule::bit_exact;
  if (cell.changes.empty()) {
    cell.verdict = GateVerdict::passed;
    return;
  }
  cell.verdict = GateVerdict::failed;
  for (const TrialChange& each : cell.changes) {
    cell.reason += fmt::format("{}trial {}: ", cell.reason.empty() ? "" : "; ", each.trial);
    cell.reason +=
        each.what == "Dice"
            ? fmt::format("{} became {} ({:+.3g})", each.from, each.to, each.to - each.from)
        : each.what == "cases"
            ? std::string("the mean is the same, but single cases have other results")
            : "another " + each.what;
  }
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

}  // namespace

std::vector<std::string> environment_differences(const Environment& a, const Environment& b) {
  std::vector<std::string> fields;
  for (const char* field : kSameEnvironment) {
    const auto left = a.find(field);
    const auto right = b.find(field);
    const bool same = left != a.end() && right != b.end() && left->second.size() == 1 &&
                      left->second == right->second && left->second.front() != "unknown";
    if (!same) {
      fields.emplace_back(field);
    }
  }
  return fields;
}

bool is_bit_exact(const Environment& environment) {
  const auto found = environment.find("determinism");
  return found != environment.end() && found->second == std::vector<std::string>{"bit-exact"};
}

std::string trial_name(const std::string& method,
                       const std::string& task,
                       const std::string& fraction,
                       int trial) {
  return fmt::format("{}/{}/{} trial {}", method, task, fraction, trial);
}

ProtocolChoice newest_protocol_of(const std::vector<RunRow>& runs,
                                  const std::set<CellGroup>& groups) {
  struct Candidate {
    std::string protocol;
    std::set<CellGroup> planned;
    int open = 0, done = 0;
    std::string ended;
  };
  std::vector<Candidate> candidates;  // in the order in which they were planned
  for (const RunRow& run : runs) {
    const CellGroup group = group_of(run.cell);
    if (!groups.empty() && !groups.contains(group)) {
      continue;
    }
    auto found = std::ranges::find(candidates, run.cell.protocol, &Candidate::protocol);
    if (found == candidates.end()) {
      candidates.push_back({run.cell.protocol, {}, 0, 0, {}});
      found = candidates.end() - 1;
    }
    found->planned.insert(group);
    if (run.state == "done") {
      ++found->done;
      found->ended = std::max(found->ended, run.ended);
    } else {
      ++found->open;
    }
  }
  ProtocolChoice choice;
  std::string ended;
  for (const Candidate& each : candidates) {
    const bool complete =
        each.open == 0 && (groups.empty() || each.planned.size() == groups.size());
    if (each.done > 0 && (choice.protocol.empty() ||
                          std::pair(complete, each.ended) >= std::pair(choice.complete, ended))) {
      choice = {each.protocol, complete};
      ended = each.ended;
    }
  }
  return choice;
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
  std::set<std::string> seen;
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
    baseline.cells.back().trials.push_back({each.trial,
                                            row.seed,
                                            each.cases,
                                            each.dice,
                                            digest_of_cases(cases.at(each.evaluation), path)});
    for (const std::string& node : {row.pretrain_node, row.finetune_node, row.evaluate_node}) {
      collect_nodes(store, node, seen, baseline.environment);
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
  std::string text = head.dump(2);
  text.resize(text.size() - 2);  // the closing brace and its line
  text += ",\n  \"cells\": [";
  for (std::size_t i = 0; i < baseline.cells.size(); ++i) {
    const FrozenCell& cell = baseline.cells[i];
    text += fmt::format(
        "{}\n    {{\"cell\": {}, \"trials\": [", i == 0 ? "" : ",", Json(cell.name()).dump());
    for (std::size_t j = 0; j < cell.trials.size(); ++j) {
      const FrozenTrial& trial = cell.trials[j];
      const Json line{{"trial", trial.trial},
                      {"seed", trial.seed},
                      {"n_cases", trial.cases},
                      {"dice", trial.dice},
                      {"cases", trial.digest}};
      text += fmt::format("{}\n      {}", j == 0 ? "" : ",", line.dump());
    }
    text += "\n    ]}";
  }
  return text + "\n  ]\n}\n";
}

Baseline read_baseline(const std::filesystem::path& file) {
  const Json json = read_json(file);
  if (!json.is_object() || !json.contains("schema_version")) {
    throw bad_baseline(file, "it has no schema_version");
  }
  if (json.at("schema_version") != kBaselineSchema) {
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

std::vector<FieldChange> protocol_changes(const ProtocolRow& from, const ProtocolRow& to) {
  if (from.protocol == to.protocol) {
    return {};
  }
  const auto before = fields_of_protocol(from);
  const auto after = fields_of_protocol(to);
  std::vector<FieldChange> changes;
  for (const auto& [field, value] : before) {
    const auto found = after.find(field);
    if (found == after.end()) {
      changes.push_back({field, value.dump(), kAbsent});
    } else if (found->second != value) {
      changes.push_back({field, value.dump(), found->second.dump()});
    }
  }
  for (const auto& [field, value] : after) {
    if (!before.contains(field)) {
      changes.push_back({field, kAbsent, value.dump()});
    }
  }
  std::ranges::sort(changes, {}, &FieldChange::field);
  return changes;
}

int GateReport::count(GateVerdict each) const {
  return static_cast<int>(std::ranges::count(cells, each, &GateCell::verdict));
}

std::string GateReport::cause() const {
  if (verdict != GateVerdict::undecided) {
    return {};
  }
  if (protocol_changed) {
    return "protocol";
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
      return ExitCode::results_missing;
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
  report.environment_differences = environment_differences(base.environment, now.environment);
  report.protocol_changed = base.protocol.protocol != now.protocol.protocol;
  report.changes = protocol_changes(base.protocol, now.protocol);
  report.bit_exact = !options.statistical && report.environment_differences.empty() &&
                     is_bit_exact(base.environment) && is_bit_exact(now.environment);
  std::vector<std::string> identities;
  for (const FrozenCell& frozen : base.cells) {
    GateCell cell;
    cell.name = frozen.name();
    cell.path = frozen.path;
    cell.base = summary_of(frozen.trials);
    std::vector<FrozenTrial> trials;
    if (report.protocol_changed) {
      cell.reason = "the protocol changed";
    } else {
      trials = matching_trials(frozen, now, cell);
      cell.now = summary_of(trials);
      cell.loss = trials.empty() ? 0 : cell.base.mean - cell.now.mean;
    }
    if (cell.reason.empty()) {
      cell.changes = changes_of(frozen.trials, trials);
      if (report.bit_exact) {
        judge_bits(cell);
      } else if (cell.changes.empty()) {
        cell.rule = GateRule::identical;
        cell.verdict = GateVerdict::passed;
      } else if (trials.size() < kLeastGateTrials) {
        cell.reason = fmt::format(
            "{} trial{}: fewer than {} are only compared bit by bit, which needs the baseline's "
            "environment",
            trials.size(),
            trials.size() == 1 ? "" : "s",
            kLeastGateTrials);
      } else {
        test_loss(cell, options);
      }
    }
    identities.push_back(identity_of_runs(frozen, trials));
    report.cells.push_back(std::move(cell));
  }
  if (!report.bit_exact && !report.protocol_changed) {
    report.tests = adjust_losses(report.cells, identities);
    for (GateCell& cell : report.cells) {
      if (cell.rule == GateRule::statistical) {
        judge_test(cell, options);
      }
    }
  }
  report.verdict = report.count(GateVerdict::failed) > 0      ? GateVerdict::failed
                   : report.count(GateVerdict::undecided) > 0 ? GateVerdict::undecided
                                                              : GateVerdict::passed;
  return report;
}

}  // namespace sar
