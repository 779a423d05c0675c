#include "results/database/store.h"

#include "harness/core/error.h"
#include "results/database/cell_statistics.h"
#include "results/database/query.h"
#include "results/database/schema.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/Transaction.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace sar {
namespace fs = std::filesystem;
namespace {

constexpr std::array<std::pair<NodeState, const char*>, 4> kNodeStates = {
    {{NodeState::pending, "pending"},
     {NodeState::running, "running"},
     {NodeState::done, "done"},
     {NodeState::failed, "failed"}}};

NodeState node_state(const std::string& text) {
  for (const auto& [state, name] : kNodeStates) {
    if (text == name) {
      return state;
    }
  }
  throw internal_error("unknown node state").with("state", text);
}

/// SQLite's exception as ours: what was tried, on which file, why it failed, what to do.
Error translated(const SQLite::Exception& error, const char* task, const fs::path& path) {
  Error result = io_error(std::string("cannot ") + task)
                     .with("database", path.string())
                     .with("reason", error.what());
  switch (error.getErrorCode()) {
    case SQLITE_FULL:
      return std::move(result).hint(
          "free some space and run the same command again; what was stored before is safe");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return std::move(result).hint("another program holds the file; run the command again");
    case SQLITE_READONLY:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
      return std::move(result).hint("check the permissions of the file and of its folder");
    case SQLITE_NOTADB:
      return std::move(result).hint("the file is no SQLite database; name another one with --db");
    case SQLITE_CORRUPT:
      return std::move(result).hint(
          "the file is damaged; `sar-bench db check` tells more, a backup may lie beside it");
    default:
      return result;
  }
}

/// A statement whose parameters are bound in order.
template <class... Values>
SQLite::Statement statement(SQLite::Database& db, const std::string& sql, const Values&... values) {
  SQLite::Statement result(db, sql);
  if constexpr (sizeof...(values) > 0) {
    SQLite::bind(result, values...);
  }
  return result;
}

/// Returns the number of rows that were changed.
template <class... Values>
int execute(SQLite::Database& db, const std::string& sql, const Values&... values) {
  return statement(db, sql, values...).exec();
}

void bind_optional(SQLite::Statement& target, int index, const std::optional<double>& value) {
  if (value) {
    target.bind(index, *value);
  } else {
    target.bind(index);
  }
}

std::optional<double> optional_double(const SQLite::Column& column) {
  return column.isNull() ? std::nullopt : std::optional<double>(column.getDouble());
}

/// Runs a prepared INSERT for the next row.
void step(SQLite::Statement& insert) {
  insert.exec();
  insert.reset();
}

struct TrialMean {
  std::string target, bucket;
  int cases = 0;
  double dice = 0;    ///< mean over cases
  double pooled = 0;  ///< from the voxel counts of all cases together
};

/// Trial Dice per target and bucket, `all`, and the average over targets.
std::vector<TrialMean> trial_means(const std::vector<StoredCaseDice>& cases) {
  struct Sum {
    int cases = 0;
    double dice = 0;
    std::int64_t both = 0, either = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const StoredCaseDice& row : cases) {
    for (const std::string& bucket : std::set<std::string>{row.bucket, "all"}) {
      Sum& sum = sums[{row.target, bucket}];
      ++sum.cases;
      sum.dice += row.dice;
      sum.both += row.voxels_both;
      sum.either += row.voxels_predicted + row.voxels_true;
    }
  }
  std::vector<TrialMean> result;
  TrialMean average{"average", "all"};
  int targets = 0;
  for (const auto& [key, sum] : sums) {
    TrialMean mean{key.first, key.second, sum.cases, sum.dice / sum.cases};
    // No voxel at all: every case is empty on both sides, and its Dice says what that counts.
    mean.pooled = sum.either == 0
                      ? mean.dice
                      : 200.0 * static_cast<double>(sum.both) / static_cast<double>(sum.either);
    if (mean.bucket == "all") {
      ++targets;
      average.cases = targets == 1 ? mean.cases : std::min(average.cases, mean.cases);
      average.dice += mean.dice;
      average.pooled += mean.pooled;
    }
    result.push_back(std::move(mean));
  }
  if (targets > 1) {
    average.dice /= targets;
    average.pooled /= targets;
    result.push_back(std::move(average));
  }
  return result;
}

/// Numbers by the texts that name their row; for comparing what is stored with what it should be.
using NamedNumbers = std::map<std::vector<std::string>, std::vector<std::optional<double>>>;

bool same_number(const std::optional<double>& a, const std::optional<double>& b) {
  constexpr double kTolerance = 1e-9;  // another machine's mathematical library may differ a little
  return a.has_value() == b.has_value() &&
         (!a || std::abs(*a - *b) <= kTolerance * std::max(1.0, std::abs(*a)));
}

ProtocolRow read_protocol(const SQLite::Statement& row) {
  return {row.getColumn(0).getString(),
          row.getColumn(1).getString(),
          row.getColumn(2).getString(),
          Json::parse(row.getColumn(3).getString()),
          Json::parse(row.getColumn(4).getString()),
          row.getColumn(5).getInt() != 0};
}

constexpr const char* kCellColumns =
    "cell_key, protocol, method, task, fraction, trial, seed, pretrain_node, finetune_node, "
    "evaluate_node";

CellRow read_cell(const SQLite::Statement& row) {
  return {row.getColumn(0).getString(),
          row.getColumn(1).getString(),
          row.getColumn(2).getString(),
          row.getColumn(3).getString(),
          row.getColumn(4).getString(),
          row.getColumn(5).getInt(),
          static_cast<std::uint64_t>(row.getColumn(6).getInt64()),
          row.getColumn(7).getString(),
          row.getColumn(8).getString(),
          row.getColumn(9).getString()};
}

constexpr const char* kNodeColumns =
    "key, kind, inputs, state, reason, started, ended, seconds, path, sha256, host, device, "
    "threads, commit_id, dirty, torch, itk, determinism, peak_rss_mb, peak_gpu_mb, samples_per_s, "
    "command, machine";

NodeRow read_node(const SQLite::Statement& row) {
  const auto text = [&](int column) { return row.getColumn(column).getString(); };
  const auto number = [&](int column) { return row.getColumn(column).getDouble(); };
  return {text(0),
          text(1),
          Json::parse(text(2)),
          node_state(text(3)),
          text(4),
          text(5),
          text(6),
          number(7),
          text(8),
          text(9),
          text(10),
          text(11),
          row.getColumn(12).getInt(),
          text(13),
          row.getColumn(14).getInt() != 0,
          text(15),
          text(16),
          text(17),
          number(18),
          number(19),
          number(20),
          text(21),
          text(22)};
}

/// Keys of the nodes that a node's inputs name.
std::vector<std::string> named_nodes(const Json& inputs) {
  std::vector<std::string> keys;
  for (const char* field : {"cubes", "prepared", "initial", "weights"}) {
    if (!inputs.contains(field)) {
      continue;
    }
    const Json& value = inputs.at(field);
    for (const Json& key : value.is_structured() ? value : Json::array({value})) {
      if (key.is_string()) {
        keys.push_back(key);
      }
    }
  }
  return keys;
}

}  // namespace

std::string to_string(NodeState state) {
  for (const auto& [value, name] : kNodeStates) {
    if (state == value) {
      return name;
    }
  }
  throw internal_error("unknown node state");
}

struct Store::State {
  fs::path path;
  std::shared_ptr<SQLite::Database> db;

  /// Runs `action` and turns SQLite's exceptions into ours.
  template <class Action>
  auto attempt(const char* task, Action action) {
    try {
      return action();
    } catch (const SQLite::Exception& error) {
      throw translated(error, task, path);
    } catch (const Json::exception& error) {
      throw io_error(std::string("cannot ") + task)
          .with("database", path.string())
          .with("reason", error.what());
    }
  }

  /// The same as one write transaction.
  template <class Action>
  void write(const char* task, Action action) {
    attempt(task, [&] {
      SQLite::Transaction transaction(*db, SQLite::TransactionBehavior::IMMEDIATE);
      action();
      transaction.commit();
    });
  }

  /// The row of `table` whose key column is `key` or alone begins with it.
  template <class Read>
  auto find(const std::string& columns,
            const std::string& table,
            const std::string& key_column,
            const std::string& key,
            Read read) {
    std::optional<decltype(read(std::declval<SQLite::Statement&>()))> found;
    if (key.empty()) {
      return found;
    }
    auto rows = statement(*db,
                          fmt::format("SELECT {} FROM {} WHERE substr({}, 1, length(?1)) = ?1 "
                                      "ORDER BY {} = ?1 DESC",
                                      columns,
                                      table,
                                      key_column,
                                      key_column),
                          key);
    while (rows.executeStep()) {
      if (found) {
        throw usage_error(fmt::format("several {}s begin with this key", table)).with("key", key);
      }
      found = read(rows);
      if (rows.getColumn(0).getString() == key) {
        break;
      }
    }
    return found;
  }

  std::optional<ProtocolRow> protocol(const std::string& key) {
    return find("protocol, data_kind, profile, settings, manifest, pool_voxels",
                "protocol",
                "protocol",
                key,
                read_protocol);
  }

  std::vector<TrialDice> trial_dice(const std::string& protocol) {
    auto rows = statement(*db,
                          "SELECT t.method, t.task, t.fraction, t.target, t.bucket, t.trial, "
                          "t.n_cases, t.dice, c.evaluate_node FROM v_trial_dice t "
                          "JOIN cell c USING (protocol, method, task, fraction, trial) "
                          "WHERE protocol = ? "
                          "ORDER BY t.method, t.task, t.fraction, t.target, t.bucket, t.trial",
                          protocol);
    std::vector<TrialDice> result;
    while (rows.executeStep()) {
      result.push_back({rows.getColumn(0).getString(),
                        rows.getColumn(1).getString(),
                        rows.getColumn(2).getString(),
                        rows.getColumn(3).getString(),
                        rows.getColumn(4).getString(),
                        rows.getColumn(5).getInt(),
                        rows.getColumn(6).getInt(),
                        rows.getColumn(7).getDouble(),
                        rows.getColumn(8).getString()});
    }
    return result;
  }

  std::vector<StoredCaseDice> case_dice(const std::string& node) {
    auto rows = statement(*db,
                          "SELECT case_id, target, bucket, volume_mm3, dice, voxels_both, "
                          "voxels_predicted, voxels_true FROM case_dice WHERE node = ? "
                          "ORDER BY target, case_id",
                          node);
    std::vector<StoredCaseDice> result;
    while (rows.executeStep()) {
      result.push_back({rows.getColumn(0).getString(),
                        rows.getColumn(1).getString(),
                        rows.getColumn(2).getString(),
                        rows.getColumn(3).getDouble(),
                        rows.getColumn(4).getDouble(),
                        rows.getColumn(5).getInt64(),
                        rows.getColumn(6).getInt64(),
                        rows.getColumn(7).getInt64()});
    }
    return result;
  }

  std::vector<std::string> texts(const std::string& sql) {
    auto rows = statement(*db, sql);
    std::vector<std::string> result;
    while (rows.executeStep()) {
      result.push_back(rows.getColumn(0).getString());
    }
    return result;
  }

  /// Rows whose first `names` columns are texts and the others numbers.
  NamedNumbers numbers(const std::string& sql, int names) {
    auto rows = statement(*db, sql);
    NamedNumbers result;
    while (rows.executeStep()) {
      std::vector<std::string> name;
      std::vector<std::optional<double>> values;
      for (int column = 0; column < rows.getColumnCount(); ++column) {
        if (column < names) {
          name.push_back(rows.getColumn(column).getString());
        } else {
          values.push_back(optional_double(rows.getColumn(column)));
        }
      }
      result.emplace(std::move(name), std::move(values));
    }
    return result;
  }

  ProtocolStatistics statistics(const std::string& protocol) {
    std::vector<TableSpec> families;
    auto specs =
        statement(*db, "SELECT spec FROM family WHERE protocol = ? ORDER BY family", protocol);
    while (specs.executeStep()) {
      families.push_back(table_spec_from(Json::parse(specs.getColumn(0).getString())));
    }
    return protocol_statistics(trial_dice(protocol), families);
  }

  /// Replaces the stored statistics of a protocol by recomputed ones; within a transaction.
  void renew(const std::string& key) {
    if (!exists("SELECT 1 FROM protocol WHERE protocol = ?", key)) {
      throw internal_error("statistics of an unknown protocol").with("protocol", key);
    }
    const ProtocolStatistics now = statistics(key);
    execute(*db, "DELETE FROM cell_statistic WHERE protocol = ?", key);
    execute(*db, "DELETE FROM ttest WHERE protocol = ?", key);
    SQLite::Statement cell(*db, "INSERT INTO cell_statistic VALUES (?,?,?,?,?,?,?,?,?)");
    for (const CellStatistic& c : now.cells) {
      SQLite::bind(
          cell, key, c.method, c.task, c.fraction, c.target, c.bucket, c.summary.n, c.summary.mean);
      bind_optional(cell, 9, c.summary.sd);
      step(cell);
    }
    // A table may show one cell in two columns; its test is stored once.
    SQLite::Statement test(*db,
                           "INSERT OR REPLACE INTO ttest VALUES (?,?,?,?,?,?,?,?,?,?,?,?,?,?,?,?)");
    for (const StoredTest& t : now.tests) {
      SQLite::bind(
          test, key, t.family, t.task, t.target, t.bucket, t.fraction, t.method, t.versus, t.test);
      for (std::size_t i = 0; i < t.numbers.size(); ++i) {
        bind_optional(test, static_cast<int>(10 + i), t.numbers[i]);
      }
      step(test);
    }
  }

  void renew_protocols_of(const std::string& evaluate_node) {
    auto rows =
        statement(*db, "SELECT DISTINCT protocol FROM cell WHERE evaluate_node = ?", evaluate_node);
    std::vector<std::string> protocols;
    while (rows.executeStep()) {
      protocols.push_back(rows.getColumn(0).getString());
    }
    for (const std::string& protocol : protocols) {
      renew(protocol);
    }
  }

  bool exists(const std::string& sql, const std::string& key) {
    return statement(*db, sql, key).executeStep();
  }

  void put_node(const NodeRow& row) {
    execute(*db,
            "INSERT INTO node VALUES (?,?,?,?,NULLIF(?,''),NULLIF(?,''),NULLIF(?,''),?,"
            "NULLIF(?,''),NULLIF(?,''),NULLIF(?,''),NULLIF(?,''),?,NULLIF(?,''),?,NULLIF(?,''),"
            "NULLIF(?,''),NULLIF(?,''),?,?,?,NULLIF(?,''),NULLIF(?,'')) "
            "ON CONFLICT (key) DO UPDATE SET kind = excluded.kind, inputs = excluded.inputs, "
            "state = excluded.state, reason = excluded.reason, started = excluded.started, "
            "ended = excluded.ended, seconds = excluded.seconds, path = excluded.path, "
            "sha256 = excluded.sha256, host = excluded.host, device = excluded.device, "
            "threads = excluded.threads, commit_id = excluded.commit_id, dirty = excluded.dirty, "
            "torch = excluded.torch, itk = excluded.itk, determinism = excluded.determinism, "
            "peak_rss_mb = excluded.peak_rss_mb, peak_gpu_mb = excluded.peak_gpu_mb, "
            "samples_per_s = excluded.samples_per_s, command = excluded.command, "
            "machine = excluded.machine",
            row.key,
            row.kind,
            row.inputs.dump(),
            to_string(row.state),
            row.reason,
            row.started,
            row.ended,
            row.seconds,
            row.path,
            row.sha256,
            row.host,
            row.device,
            row.threads,
            row.commit,
            static_cast<int>(row.dirty),
            row.torch,
            row.itk,
            row.determinism,
            row.peak_rss_mb,
            row.peak_gpu_mb,
            row.samples_per_s,
            row.command,
            row.machine);
    if (row.state == NodeState::failed && !row.started.empty()) {
      add_failure(row);
    }
  }

  void add_failure(const NodeRow& row) {
    execute(*db,
            "INSERT INTO failure (node, attempt, reason, ended, seconds, host, device, commit_id, "
            "dirty) SELECT ?1, COALESCE(MAX(attempt), 0) + 1, NULLIF(?2,''), NULLIF(?3,''), ?4, "
            "NULLIF(?5,''), NULLIF(?6,''), NULLIF(?7,''), ?8 FROM failure WHERE node = ?1",
            row.key,
            row.reason,
            row.ended,
            row.seconds,
            row.host,
            row.device,
            row.commit,
            static_cast<int>(row.dirty));
  }

  std::optional<NodeRow> node(const std::string& key) {
    auto row = statement(*db, fmt::format("SELECT {} FROM node WHERE key = ?", kNodeColumns), key);
    return row.executeStep() ? std::optional(read_node(row)) : std::nullopt;
  }

  std::vector<std::string> faults();
};

Store::Store(const fs::path& path, Mode mode, const StoreOptions& options)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  OpenOptions open;
  open.write = mode == Mode::read_write;
  open.busy_timeout = options.busy_timeout;
  open.page_limit = options.page_limit;
  state_->attempt("open the database",
                  [&] { state_->db = open_database(path, open, schema_history()); });
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

const Json& shared_settings(const ProtocolRow& protocol) {
  const Json& settings = protocol.settings;
  if (!settings.is_object() || !settings.contains("shared") || !settings.at("shared").is_object()) {
    throw data_error("the settings of a protocol are not as this program writes them")
        .with("protocol", protocol.protocol)
        .hint("sar-bench db check looks for other faults of the database");
  }
  return settings.at("shared");
}

void Store::put_protocol(const ProtocolRow& row) {
  state_->write("store a protocol", [&] {
    execute(*state_->db,
            "INSERT INTO protocol VALUES (?,?,?,?,?,?) ON CONFLICT (protocol) DO NOTHING",
            row.protocol,
            row.data_kind,
            row.profile,
            row.settings.dump(),
            row.manifest.dump(),
            static_cast<int>(row.pool_voxels));
  });
}

std::optional<ProtocolRow> Store::protocol(const std::string& key) const {
  return state_->attempt("read a protocol", [&] { return state_->protocol(key); });
}

std::optional<ProtocolRow> Store::newest_protocol(const TableSpec& spec) const {
  std::set<std::string> methods;
  for (const TableRow& row : spec.rows) {
    methods.insert(row.method);
  }
  std::set<std::pair<std::string, std::string>> columns;  // task, fraction
  for (const TableColumn& column : spec.columns) {
    columns.emplace(column.task, column.fraction);
  }
  struct Candidate {
    bool complete = false;
    std::string ended;
    std::int64_t row = 0;
    std::string protocol;
    std::size_t planned = 0, done = 0;
    std::set<std::tuple<std::string, std::string, std::string>> groups;  // method, task, fraction
  };
  return state_->attempt("look for the newest protocol", [&]() -> std::optional<ProtocolRow> {
    auto rows = statement(*state_->db,
                          "SELECT k.rowid, c.protocol, c.method, c.task, c.fraction, "
                          "COALESCE(e.state, ''), COALESCE(e.ended, '') FROM cell c "
                          "JOIN protocol k ON k.protocol = c.protocol "
                          "LEFT JOIN node e ON e.key = c.evaluate_node");
    std::map<std::int64_t, Candidate> candidates;
    while (rows.executeStep()) {
      const std::string method = rows.getColumn(2).getString();
      const std::string task = rows.getColumn(3).getString();
      const std::string fraction = rows.getColumn(4).getString();
      if (!methods.contains(method) || !columns.contains({task, fraction})) {
        continue;
      }
      Candidate& candidate = candidates[rows.getColumn(0).getInt64()];
      candidate.row = rows.getColumn(0).getInt64();
      candidate.protocol = rows.getColumn(1).getString();
      candidate.groups.emplace(method, task, fraction);
      ++candidate.planned;
      if (rows.getColumn(5).getString() == "done") {
        ++candidate.done;
        candidate.ended = std::max(candidate.ended, rows.getColumn(6).getString());
      }
    }
    std::erase_if(candidates, [](const auto& entry) { return entry.second.done == 0; });
    const Candidate* newest = nullptr;
    for (auto& [id, candidate] : candidates) {
      candidate.complete = candidate.done == candidate.planned &&
                           candidate.groups.size() == methods.size() * columns.size();
      const auto rank = [](const Candidate& c) { return std::tie(c.complete, c.ended, c.row); };
      if (newest == nullptr || rank(*newest) < rank(candidate)) {
        newest = &candidate;
      }
    }
    return newest == nullptr ? std::nullopt : state_->protocol(newest->protocol);
  });
}

std::optional<ProtocolRow> Store::newest_pretraining(
    const std::vector<std::string>& methods) const {
  struct Candidate {
    std::set<std::string> methods;
    std::string ended;
  };
  std::map<std::string, Candidate> candidates;
  state_->attempt("look for the newest pre-training", [&] {
    auto rows = statement(*state_->db,
                          "SELECT p.protocol, p.method, COALESCE(n.ended, '') FROM pretraining p "
                          "JOIN node n ON n.key = p.node AND n.state = 'done'");
    while (rows.executeStep()) {
      const std::string method = rows.getColumn(1).getString();
      if (std::ranges::find(methods, method) != methods.end()) {
        Candidate& candidate = candidates[rows.getColumn(0).getString()];
        candidate.methods.insert(method);
        candidate.ended = std::max(candidate.ended, rows.getColumn(2).getString());
      }
    }
  });
  const auto rank = [](const auto& entry) {
    return std::pair(entry.second.methods.size(), entry.second.ended);
  };
  const auto newest = std::ranges::max_element(candidates, {}, rank);
  return newest == candidates.end() ? std::nullopt : protocol(newest->first);
}

std::optional<ProtocolRow> Store::newest_survey() const {
  std::string key;
  state_->attempt("look for the newest count of the data", [&] {
    auto row =
        statement(*state_->db,
                  "SELECT json_extract(inputs, '$.protocol') FROM node WHERE kind = 'survey' "
                  "AND state = 'done' ORDER BY ended DESC, rowid DESC LIMIT 1");
    if (row.executeStep()) {
      key = row.getColumn(0).getString();
    }
  });
  return key.empty() ? std::nullopt : protocol(key);
}

std::optional<NodeRow> Store::survey(const std::string& protocol) const {
  std::string key;
  state_->attempt("look for the count of the data", [&] {
    auto row = statement(*state_->db,
                         "SELECT key FROM node WHERE kind = 'survey' AND state = 'done' "
                         "AND json_extract(inputs, '$.protocol') = ? ORDER BY ended DESC LIMIT 1",
                         protocol);
    if (row.executeStep()) {
      key = row.getColumn(0).getString();
    }
  });
  return key.empty() ? std::nullopt : node(key);
}

int Store::planned_trials(const std::string& protocol, const TableSpec& spec) const {
  return state_->attempt("count planned trials", [&] {
    auto rows = statement(
        *state_->db, "SELECT method, trial, task, fraction FROM cell WHERE protocol = ?", protocol);
    int trials = 0;
    while (rows.executeStep()) {
      const std::string method = rows.getColumn(0).getString();
      const std::string task = rows.getColumn(2).getString();
      const std::string fraction = rows.getColumn(3).getString();
      if (std::ranges::any_of(spec.rows,
                              [&](const TableRow& row) { return row.method == method; }) &&
          std::ranges::any_of(spec.columns, [&](const TableColumn& column) {
            return column.task == task && column.fraction == fraction;
          })) {
        trials = std::max(trials, rows.getColumn(1).getInt() + 1);
      }
    }
    return trials;
  });
}

void Store::register_node(const NodeRow& row) {
  state_->write("register a node", [&] {
    if (!state_->exists("SELECT 1 FROM node WHERE key = ?", row.key)) {
      state_->put_node(row);
    }
  });
}

void Store::put_node(const NodeRow& row) {
  state_->write("store a node", [&] {
    state_->put_node(row);
    if (state_->exists("SELECT 1 FROM trial_dice WHERE node = ?", row.key)) {
      state_->renew_protocols_of(row.key);
    }
  });
}

void Store::add_failure(const NodeRow& row) {
  state_->write("store a failure", [&] { state_->add_failure(row); });
}

std::vector<StoredCurveRow> Store::finetuning_curves(const std::string& protocol,
                                                     const std::string& fraction) const {
  return state_->attempt("read loss curves", [&] {
    // Cells first: the losses of one are stored in their order, so that no long list is sorted.
    auto cells = statement(*state_->db,
                           "SELECT c.method, c.task, c.trial, c.finetune_node FROM cell c "
                           "JOIN node n ON n.key = c.finetune_node AND n.state = 'done' "
                           "WHERE c.protocol = ? AND c.fraction = ? "
                           "ORDER BY c.task, c.method, c.trial",
                           protocol,
                           fraction);
    SQLite::Statement losses(*state_->db,
                             "SELECT step, epoch, split, loss, lr, seconds FROM loss "
                             "WHERE node = ? ORDER BY split, step");
    std::vector<StoredCurveRow> list;
    while (cells.executeStep()) {
      losses.bind(1, cells.getColumn(3).getString());
      while (losses.executeStep()) {
        StoredCurveRow& row = list.emplace_back();
        row.method = cells.getColumn(0).getString();
        row.task = cells.getColumn(1).getString();
        row.trial = cells.getColumn(2).getInt();
        row.loss = {losses.getColumn(0).getInt64(),
                    losses.getColumn(1).getInt(),
                    losses.getColumn(2).getString(),
                    losses.getColumn(3).isNull() ? std::numeric_limits<double>::quiet_NaN()
                                                 : losses.getColumn(3).getDouble(),
                    losses.getColumn(4).getDouble(),
                    losses.getColumn(5).getDouble()};
      }
      losses.reset();
    }
    return list;
  });
}

std::optional<NodeRow> Store::node(const std::string& key) const {
  return state_->attempt("read a node", [&] { return state_->node(key); });
}

std::vector<NodeRow> Store::nodes(const std::string& protocol) const {
  return state_->attempt("read the nodes of a protocol", [&] {
    auto rows = statement(*state_->db,
                          fmt::format("SELECT {} FROM node WHERE key IN ("
                                      "SELECT pretrain_node FROM cell WHERE protocol = ?1 UNION "
                                      "SELECT finetune_node FROM cell WHERE protocol = ?1 UNION "
                                      "SELECT evaluate_node FROM cell WHERE protocol = ?1 UNION "
                                      "SELECT node FROM pretraining WHERE protocol = ?1) "
                                      "OR (kind = 'survey' "
                                      "AND json_extract(inputs, '$.protocol') = ?1)",
                                      kNodeColumns),
                          protocol);
    std::map<std::string, NodeRow> found;
    std::vector<std::string> named;
    const auto keep = [&](NodeRow row) {
      const std::vector<std::string> keys = named_nodes(row.inputs);
      named.insert(named.end(), keys.begin(), keys.end());
      found.try_emplace(row.key, std::move(row));
    };
    while (rows.executeStep()) {
      keep(read_node(rows));
    }
    while (!named.empty()) {
      const std::string key = named.back();
      named.pop_back();
      if (!found.contains(key)) {
        if (std::optional<NodeRow> row = state_->node(key)) {
          keep(std::move(*row));
        }
      }
    }
    std::vector<NodeRow> list;
    for (auto& [key, row] : found) {
      list.push_back(std::move(row));
    }
    return list;
  });
}

std::vector<FailureRow> Store::failures() const {
  return state_->attempt("read failures", [&] {
    auto rows = statement(*state_->db,
                          "SELECT DISTINCT node, kind, attempt, reason, ended, host, device, "
                          "\"commit\", dirty, seconds, done_since FROM v_failure "
                          "ORDER BY ended DESC, node, attempt DESC");
    std::vector<FailureRow> list;
    while (rows.executeStep()) {
      list.push_back({rows.getColumn(0).getString(),
                      rows.getColumn(1).getString(),
                      rows.getColumn(2).getInt(),
                      rows.getColumn(3).getString(),
                      rows.getColumn(4).getString(),
                      rows.getColumn(5).getString(),
                      rows.getColumn(6).getString(),
                      rows.getColumn(7).getString(),
                      rows.getColumn(8).getInt() != 0,
                      rows.getColumn(9).getDouble(),
                      rows.getColumn(10).getInt() != 0});
    }
    return list;
  });
}

void Store::put_pretraining(const std::string& protocol,
                            const std::string& method,
                            const std::string& node) {
  state_->write("link a pre-training", [&] {
    execute(*state_->db,
            "INSERT INTO pretraining VALUES (?,?,?) ON CONFLICT DO NOTHING",
            protocol,
            method,
            node);
  });
}

void Store::put_cell(const CellRow& row) {
  state_->write("store a cell", [&] {
    const bool known = state_->exists("SELECT 1 FROM cell WHERE cell_key = ?", row.cell_key);
    const int changed =
        execute(*state_->db,
                "INSERT INTO cell VALUES (?,?,?,?,?,?,?,NULLIF(?,''),?,?) "
                "ON CONFLICT (cell_key) DO UPDATE SET protocol = excluded.protocol, "
                "method = excluded.method, task = excluded.task, fraction = excluded.fraction, "
                "trial = excluded.trial, seed = excluded.seed, "
                "pretrain_node = excluded.pretrain_node, finetune_node = excluded.finetune_node, "
                "evaluate_node = excluded.evaluate_node "
                "WHERE (protocol, method, task, fraction, trial, seed, pretrain_node, "
                "finetune_node, evaluate_node) IS NOT (excluded.protocol, excluded.method, "
                "excluded.task, excluded.fraction, excluded.trial, excluded.seed, "
                "excluded.pretrain_node, excluded.finetune_node, excluded.evaluate_node)",
                row.cell_key,
                row.protocol,
                row.method,
                row.task,
                row.fraction,
                row.trial,
                static_cast<std::int64_t>(row.seed),
                row.pretrain_node,
                row.finetune_node,
                row.evaluate_node);
    // A node that another cell has already paid for brings its results along. Planning a stored
    // cell again changes nothing and costs nothing.
    if (changed > 0 &&
        (known || state_->exists("SELECT 1 FROM trial_dice WHERE node = ?", row.evaluate_node))) {
      state_->renew(row.protocol);
    }
  });
}

std::optional<CellRow> Store::cell(const std::string& cell_key) const {
  return state_->attempt("read a cell", [&] {
    return state_->find(kCellColumns, "cell", "cell_key", cell_key, read_cell);
  });
}

void Store::put_rows(const std::string& node,
                     const std::vector<StoredLoss>& losses,
                     const std::vector<StoredMetric>& metrics) {
  state_->write("store losses", [&] {
    SQLite::Statement loss(
        *state_->db,
        "INSERT OR REPLACE INTO loss (node, split, step, epoch, loss, lr, seconds) "
        "VALUES (?,?,?,?,?,?,?)");
    for (const StoredLoss& row : losses) {  // SQLite keeps NaN as NULL
      SQLite::bind(
          loss, node, row.split, row.step, row.epoch, row.loss, row.learning_rate, row.seconds);
      step(loss);
    }
    SQLite::Statement metric(
        *state_->db,
        "INSERT OR REPLACE INTO metric (node, split, name, epoch, value, chance) "
        "VALUES (?,?,?,?,?,?)");
    for (const StoredMetric& row : metrics) {
      SQLite::bind(metric, node, row.split, row.name, row.epoch, row.value);
      bind_optional(metric, 6, row.chance);
      step(metric);
    }
  });
}

void Store::finish_node(const NodeRow& row, const std::vector<StoredCaseDice>& dice) {
  for (const StoredCaseDice& one : dice) {
    if (!(one.dice >= 0 && one.dice <= 100) || !std::isfinite(one.volume_mm3)) {
      throw data_error("a Dice coefficient must lie between 0 and 100 and a volume be finite")
          .with("case", one.case_id)
          .with("target", one.target)
          .with("dice", fmt::format("{}", one.dice))
          .with("volume_mm3", fmt::format("{}", one.volume_mm3));
    }
  }
  state_->write("store results", [&] {
    NodeRow done = row;
    done.state = NodeState::done;
    state_->put_node(done);
    execute(*state_->db, "DELETE FROM case_dice WHERE node = ?", row.key);
    execute(*state_->db, "DELETE FROM trial_dice WHERE node = ?", row.key);
    SQLite::Statement insert(
        *state_->db,
        "INSERT INTO case_dice (node, target, case_id, bucket, volume_mm3, dice, voxels_both, "
        "voxels_predicted, voxels_true) VALUES (?,?,?,?,?,?,?,?,?)");
    for (const StoredCaseDice& one : dice) {
      SQLite::bind(insert,
                   row.key,
                   one.target,
                   one.case_id,
                   one.bucket,
                   one.volume_mm3,
                   one.dice,
                   one.voxels_both,
                   one.voxels_predicted,
                   one.voxels_true);
      step(insert);
    }
    SQLite::Statement mean(*state_->db, "INSERT INTO trial_dice VALUES (?,?,?,?,?,?)");
    for (const TrialMean& one : trial_means(dice)) {
      SQLite::bind(mean, row.key, one.target, one.bucket, one.cases, one.dice, one.pooled);
      step(mean);
    }
    state_->renew_protocols_of(row.key);
  });
}

void Store::renew_statistics(const std::string& protocol, const std::vector<TableSpec>& tables) {
  state_->write("renew statistics", [&] {
    for (const TableSpec& spec : tables) {
      execute(*state_->db,
              "INSERT INTO family VALUES (?,?,?) "
              "ON CONFLICT (protocol, family) DO UPDATE SET spec = excluded.spec",
              protocol,
              spec.id,
              to_json(spec).dump());
    }
    state_->renew(protocol);
  });
}

std::vector<TrialDice> Store::trial_dice(const std::string& protocol) const {
  return state_->attempt("read trial results", [&] { return state_->trial_dice(protocol); });
}

std::vector<StoredCaseDice> Store::case_dice(const std::string& evaluate_node) const {
  return state_->attempt("read case results", [&] { return state_->case_dice(evaluate_node); });
}

std::vector<RunRow> Store::runs(const std::string& protocol) const {
  return state_->attempt("read runs", [&] {
    auto rows = statement(
        *state_->db,
        "SELECT c.cell_key, c.protocol, c.method, c.task, c.fraction, c.trial, c.seed, "
        "c.pretrain_node, c.finetune_node, c.evaluate_node, r.state, r.reason, r.started, r.ended, "
        "r.host, r.device, r.data_kind, r.\"commit\", r.torch, r.itk, r.dirty, r.threads, "
        "r.peak_rss_mb, r.peak_gpu_mb, r.samples_per_s "
        "FROM cell c JOIN v_run r ON r.cell_key = c.cell_key "
        "WHERE ?1 = '' OR c.protocol = ?1 ORDER BY c.rowid",
        protocol);
    std::vector<RunRow> result;
    while (rows.executeStep()) {
      const auto text = [&](int column) { return rows.getColumn(column).getString(); };
      RunRow run{read_cell(rows),
                 text(10),
                 text(11),
                 text(12),
                 text(13),
                 text(14),
                 text(15),
                 text(16),
                 text(17),
                 text(18),
                 text(19)};
      run.dirty = rows.getColumn(20).getInt() != 0;
      run.threads = rows.isColumnNull(21) ? 1 : rows.getColumn(21).getInt();
      run.peak_rss_mb = rows.getColumn(22).getDouble();
      run.peak_gpu_mb = rows.getColumn(23).getDouble();
      run.samples_per_s = rows.getColumn(24).getDouble();
      result.push_back(std::move(run));
    }
    return result;
  });
}

std::vector<CaseRow> Store::cases(const std::string& protocol, const std::string& fraction) const {
  return state_->attempt("read case results", [&] {
    auto rows = statement(*state_->db,
                          "SELECT method, task, trial, case_id, target, bucket, volume_mm3, dice "
                          "FROM v_case_dice WHERE protocol = ? AND fraction = ? "
                          "ORDER BY task, target, method, trial, case_id",
                          protocol,
                          fraction);
    std::vector<CaseRow> list;
    while (rows.executeStep()) {
      list.push_back({rows.getColumn(0).getString(),
                      rows.getColumn(1).getString(),
                      fraction,
                      rows.getColumn(2).getInt(),
                      rows.getColumn(3).getString(),
                      rows.getColumn(4).getString(),
                      rows.getColumn(5).getString(),
                      rows.getColumn(6).getDouble(),
                      rows.getColumn(7).getDouble()});
    }
    return list;
  });
}

std::map<std::pair<std::string, std::string>, double> Store::labelled_cases(
    const std::string& protocol) const {
  return state_->attempt("count labelled cases", [&] {
    // All methods of a trial fine-tune on the same cases: one of them stands for all.
    auto rows = statement(*state_->db,
                          "SELECT c.task, c.fraction, n.inputs, MIN(c.rowid) FROM cell c "
                          "JOIN node n ON n.key = c.finetune_node "
                          "WHERE c.protocol = ? GROUP BY c.task, c.fraction, c.trial",
                          protocol);
    std::map<std::pair<std::string, std::string>, std::vector<double>> counts;
    while (rows.executeStep()) {
      const Json inputs = Json::parse(rows.getColumn(2).getString());
      std::set<std::string> ids;
      for (const char* list : {"train", "validation"}) {
        for (const Json& id : inputs.value(list, Json::array())) {
          ids.insert(id.get<std::string>());
        }
      }
      if (!ids.empty()) {
        counts[{rows.getColumn(0).getString(), rows.getColumn(1).getString()}].push_back(
            static_cast<double>(ids.size()));
      }
    }
    std::map<std::pair<std::string, std::string>, double> means;
    for (const auto& [cell, values] : counts) {
      means[cell] = summarise(values).mean;
    }
    return means;
  });
}

std::vector<std::string> Store::check() const {
  return state_->attempt("check the database", [&] {
    const SQLite::Transaction snapshot(*state_->db);  // others may write meanwhile
    return state_->faults();
  });
}

Json Store::query(const std::string& sql) const {
  return state_->attempt("run a query", [&] { return run_query(*state_->db, sql); });
}

std::vector<std::string> Store::State::faults() {
  std::vector<std::string> faults;
  for (const std::string& line : texts("PRAGMA integrity_check")) {
    if (line != "ok") {
      faults.push_back("integrity: " + line);
    }
  }
  auto orphans = statement(*db, "PRAGMA foreign_key_check");
  while (orphans.executeStep()) {
    faults.push_back(fmt::format("a row of {} refers to a missing row of {}",
                                 orphans.getColumn(0).getString(),
                                 orphans.getColumn(2).getString()));
  }
  for (const std::string& key :
       texts("SELECT key FROM node WHERE kind = 'evaluate' AND state = 'done' AND key NOT IN "
             "(SELECT node FROM case_dice)")) {
    faults.push_back(fmt::format("evaluation {} is done but has no case", key));
  }
  for (const std::string& key :
       texts("SELECT c.cell_key FROM cell c JOIN node e ON e.key = c.evaluate_node "
             "AND e.state = 'done' WHERE c.finetune_node NOT IN (SELECT key FROM node)")) {
    faults.push_back(fmt::format("cell {} is evaluated but its fine-tuning is missing", key));
  }
  for (const std::string& key :
       texts("SELECT key FROM node WHERE state = 'failed' AND started IS NOT NULL AND key NOT IN "
             "(SELECT node FROM failure) ORDER BY key")) {
    faults.push_back(fmt::format("node {} has failed but its failure is not kept", key));
  }

  for (const std::string& path_of_product :
       texts("SELECT path FROM node WHERE state = 'done' AND path IS NOT NULL ORDER BY path")) {
    std::error_code unreadable;
    if (!fs::exists(path_of_product, unreadable)) {
      faults.push_back("a product is missing: " + path_of_product);
    }
  }

  const auto compare = [&](const NamedNumbers& stored, const NamedNumbers& now, const char* what) {
    std::set<std::vector<std::string>> names;
    for (const auto* side : {&stored, &now}) {
      for (const auto& [name, numbers] : *side) {
        names.insert(name);
      }
    }
    for (const std::vector<std::string>& name : names) {
      const auto left = stored.find(name);
      const auto right = now.find(name);
      if (left == stored.end() || right == now.end() ||
          !std::equal(left->second.begin(),
                      left->second.end(),
                      right->second.begin(),
                      right->second.end(),
                      same_number)) {
        faults.push_back(fmt::format(
            "stored {} are not those of the stored cases: {}", what, fmt::join(name, " ")));
      }
    }
  };
  NamedNumbers trials;
  for (const std::string& node : texts("SELECT DISTINCT node FROM case_dice")) {
    for (const TrialMean& mean : trial_means(case_dice(node))) {
      trials[{node, mean.target, mean.bucket}] = {mean.cases, mean.dice, mean.pooled};
    }
  }
  compare(numbers("SELECT node, target, bucket, n_cases, dice, pooled_dice FROM trial_dice", 3),
          trials,
          "trial means");
  NamedNumbers cells;
  NamedNumbers tests;
  for (const std::string& key : texts("SELECT protocol FROM protocol")) {
    const ProtocolStatistics now = statistics(key);
    for (const CellStatistic& c : now.cells) {
      cells[{key, c.method, c.task, c.fraction, c.target, c.bucket}] = {
          c.summary.n, c.summary.mean, c.summary.sd};
    }
    for (const StoredTest& t : now.tests) {
      tests[{key, t.family, t.task, t.target, t.bucket, t.fraction, t.method, t.versus, t.test}] = {
          t.numbers.begin(), t.numbers.end()};
    }
  }
  compare(numbers("SELECT protocol, method, task, fraction, target, bucket, n_trials, mean, sd "
                  "FROM cell_statistic",
                  6),
          cells,
          "cell statistics");
  compare(numbers("SELECT protocol, family, task, target, bucket, fraction, method, versus, test, "
                  "t, df, p, p_adjusted, hedges_g, ci_low, ci_high FROM ttest",
                  9),
          tests,
          "t-tests");
  return faults;
}

}  // namespace sar
