#include "results/database/store.h"

#include "harness/core/error.h"
#include "results/database/integrity.h"
#include "results/database/query.h"
#include "results/database/row_reader.h"
#include "results/database/schema.h"
#include "results/database/stored_statistics.h"
#include "results/statistics/statistics.h"

#include <SQLiteCpp/Transaction.h>
#include <sqlite3.h>

#include <cmath>
#include <map>
#include <set>
#include <utility>

namespace sar {
namespace fs = std::filesystem;
namespace {

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
      return std::move(result).hint(
          "the file is not a SQLite database; name another one with --db");
    case SQLITE_CORRUPT:
      return std::move(result).hint(
          "the file is damaged; `sar-bench db check` says more; a backup may lie beside it");
    default:
      return result;
  }
}

// --- the columns of each row --------------------------------------------------------------------

constexpr auto kProtocol = columns<ProtocolRow>(column("protocol", &ProtocolRow::protocol),
                                                column("data_kind", &ProtocolRow::data_kind),
                                                column("profile", &ProtocolRow::profile),
                                                column("settings", &ProtocolRow::settings),
                                                column("manifest", &ProtocolRow::manifest),
                                                column("pool_voxels", &ProtocolRow::pool_voxels));

constexpr auto kNode = columns<NodeRow>(column("key", &NodeRow::key),
                                        column("kind", &NodeRow::kind),
                                        column("inputs", &NodeRow::inputs),
                                        column("state", &NodeRow::state),
                                        optional_text("reason", &NodeRow::reason),
                                        optional_text("started", &NodeRow::started),
                                        optional_text("ended", &NodeRow::ended),
                                        column("seconds", &NodeRow::seconds),
                                        optional_text("path", &NodeRow::path),
                                        optional_text("sha256", &NodeRow::sha256),
                                        optional_text("host", &NodeRow::host),
                                        optional_text("device", &NodeRow::device),
                                        column("threads", &NodeRow::threads),
                                        optional_text("commit_id", &NodeRow::commit),
                                        column("dirty", &NodeRow::dirty),
                                        optional_text("torch", &NodeRow::torch),
                                        optional_text("itk", &NodeRow::itk),
                                        optional_text("determinism", &NodeRow::determinism),
                                        column("peak_rss_mb", &NodeRow::peak_rss_mb),
                                        column("peak_gpu_mb", &NodeRow::peak_gpu_mb),
                                        column("samples_per_s", &NodeRow::samples_per_s),
                                        optional_text("command", &NodeRow::command),
                                        optional_text("machine", &NodeRow::machine),
                                        column("cubes", &NodeRow::cubes),
                                        column("steps", &NodeRow::steps),
                                        column("samples", &NodeRow::samples),
                                        column("flops", &NodeRow::flops));

/// The table that `kFailure` is read from through its view.
constexpr auto kKeptFailure = columns<FailureRow>(column("node", &FailureRow::node),
                                                  column("attempt", &FailureRow::attempt),
                                                  optional_text("reason", &FailureRow::reason),
                                                  optional_text("ended", &FailureRow::ended),
                                                  column("seconds", &FailureRow::seconds),
                                                  optional_text("host", &FailureRow::host),
                                                  optional_text("device", &FailureRow::device),
                                                  optional_text("commit_id", &FailureRow::commit),
                                                  column("dirty", &FailureRow::dirty));

constexpr auto kFailure = columns<FailureRow>(column("node", &FailureRow::node),
                                              column("kind", &FailureRow::kind),
                                              column("attempt", &FailureRow::attempt),
                                              column("reason", &FailureRow::reason),
                                              column("ended", &FailureRow::ended),
                                              column("host", &FailureRow::host),
                                              column("device", &FailureRow::device),
                                              column("\"commit\"", &FailureRow::commit),
                                              column("dirty", &FailureRow::dirty),
                                              column("seconds", &FailureRow::seconds),
                                              column("done_since", &FailureRow::done_since));

constexpr auto kCell = columns<CellRow>(column("cell_key", &CellRow::cell_key),
                                        column("protocol", &CellRow::protocol),
                                        column("method", &CellRow::method),
                                        column("task", &CellRow::task),
                                        column("fraction", &CellRow::fraction),
                                        column("trial", &CellRow::trial),
                                        column("seed", &CellRow::seed),
                                        optional_text("pretrain_node", &CellRow::pretrain_node),
                                        column("finetune_node", &CellRow::finetune_node),
                                        column("evaluate_node", &CellRow::evaluate_node));

constexpr auto kRun = columns<RunRow>(inner("c.", &RunRow::cell, kCell),
                                      column("r.state", &RunRow::state),
                                      column("r.reason", &RunRow::reason),
                                      column("r.started", &RunRow::started),
                                      column("r.ended", &RunRow::ended),
                                      column("r.host", &RunRow::host),
                                      column("r.device", &RunRow::device),
                                      column("r.data_kind", &RunRow::data_kind),
                                      column("r.\"commit\"", &RunRow::commit),
                                      column("r.dirty", &RunRow::dirty));

constexpr auto kCellState = columns<CellState>(column("r.protocol", &CellState::protocol),
                                               column("k.rowid", &CellState::protocol_row),
                                               column("r.method", &CellState::method),
                                               column("r.task", &CellState::task),
                                               column("r.fraction", &CellState::fraction),
                                               column("r.state", &CellState::state),
                                               column("e.state IS 'done'", &CellState::evaluated),
                                               column("r.started", &CellState::started),
                                               column("r.ended", &CellState::ended));

constexpr auto kPretrainingState =
    columns<PretrainingState>(column("p.protocol", &PretrainingState::protocol),
                              column("p.method", &PretrainingState::method),
                              column("n.ended", &PretrainingState::ended));

constexpr auto kSurveyState =
    columns<SurveyState>(column("json_extract(inputs, '$.protocol')", &SurveyState::protocol),
                         column("ended", &SurveyState::ended));

constexpr auto kLoss = columns<StoredLoss>(column("step", &StoredLoss::step),
                                           column("epoch", &StoredLoss::epoch),
                                           column("split", &StoredLoss::split),
                                           column("loss", &StoredLoss::loss),
                                           column("lr", &StoredLoss::learning_rate),
                                           column("seconds", &StoredLoss::seconds));

constexpr auto kMetric = columns<StoredMetric>(column("epoch", &StoredMetric::epoch),
                                               column("split", &StoredMetric::split),
                                               column("name", &StoredMetric::name),
                                               column("value", &StoredMetric::value),
                                               column("chance", &StoredMetric::chance));

constexpr auto kKeptMetric = columns<KeptMetric>(column("v.node", &KeptMetric::node),
                                                 column("v.name", &KeptMetric::name),
                                                 column("v.split", &KeptMetric::split),
                                                 column("v.epoch", &KeptMetric::epoch),
                                                 column("v.value", &KeptMetric::value),
                                                 column("v.chance", &KeptMetric::chance));

constexpr auto kTrialCost =
    columns<TrialCost>(column("c.method", &TrialCost::method),
                       column("c.task", &TrialCost::task),
                       column("c.fraction", &TrialCost::fraction),
                       column("COUNT(*)", &TrialCost::trials),
                       column("AVG(f.seconds + e.seconds)", &TrialCost::seconds));

constexpr auto kBudget = columns<Budget>(column("method", &Budget::method),
                                         column("task", &Budget::task),
                                         column("fraction", &Budget::fraction),
                                         column("trials", &Budget::trials),
                                         column("cubes", &Budget::cubes),
                                         column("pretrain_steps", &Budget::pretraining_steps),
                                         column("pretrain_flops", &Budget::pretraining_flops),
                                         column("pretrain_hours", &Budget::pretraining_hours),
                                         column("finetune_steps", &Budget::finetuning_steps),
                                         column("finetune_flops", &Budget::finetuning_flops),
                                         column("finetune_hours", &Budget::finetuning_hours));

/// All but the fraction, which is the one asked for.
constexpr auto kCase = columns<CaseRow>(column("method", &CaseRow::method),
                                        column("task", &CaseRow::task),
                                        column("trial", &CaseRow::trial),
                                        column("case_id", &CaseRow::case_id),
                                        column("target", &CaseRow::target),
                                        column("bucket", &CaseRow::bucket),
                                        column("volume_mm3", &CaseRow::volume_mm3),
                                        column("dice", &CaseRow::dice));

constexpr auto kTrialInputs =
    columns<TrialInputs>(column("c.task", &TrialInputs::task),
                         column("c.fraction", &TrialInputs::fraction),
                         column("n.inputs", &TrialInputs::inputs),
                         column("MIN(c.rowid)", &TrialInputs::first_cell));

// --- steps of a transaction ---------------------------------------------------------------------

/// The protocol whose key is `key` or alone begins with it.
std::optional<ProtocolRow> find_protocol(SQLite::Database& db, const std::string& key) {
  std::optional<ProtocolRow> found;
  if (key.empty()) {
    return found;
  }
  for (ProtocolRow& row : select_all(db,
                                     kProtocol,
                                     "FROM protocol WHERE substr(protocol, 1, length(?1)) = ?1 "
                                     "ORDER BY protocol = ?1 DESC",
                                     key)) {
    if (found) {
      throw usage_error("several protocols begin with this key").with("key", key);
    }
    found = std::move(row);
    if (found->protocol == key) {
      break;
    }
  }
  return found;
}

bool exists(SQLite::Database& db, const std::string& sql, const std::string& key) {
  return statement(db, sql, key).executeStep();
}

std::optional<NodeRow> read_node(SQLite::Database& db, const std::string& key) {
  return select_first(db, kNode, "FROM node WHERE key = ?", key);
}

void keep_failure(SQLite::Database& db, const NodeRow& node) {
  FailureRow failure;
  failure.node = node.key;
  failure.reason = node.reason;
  failure.ended = node.ended;
  failure.host = node.host;
  failure.device = node.device;
  failure.commit = node.commit;
  failure.dirty = node.dirty;
  failure.seconds = node.seconds;
  auto attempts =
      statement(db, "SELECT COALESCE(MAX(attempt), 0) FROM failure WHERE node = ?", node.key);
  attempts.executeStep();
  failure.attempt = attempts.getColumn(0).getInt() + 1;
  Insert(db, "INSERT INTO failure", kKeptFailure).put(failure);
}

void write_node(SQLite::Database& db, const NodeRow& row) {
  Insert(db, "INSERT INTO node", kNode, or_update(kNode)).put(row);
  if (row.state == NodeState::failed && !row.started.empty()) {
    keep_failure(db, row);
  }
}

}  // namespace

struct Store::State {
  fs::path path;
  std::shared_ptr<SQLite::Database> db;

  /// Runs `action` and turns SQLite's exceptions into ours.
  template <class Action>
  auto attempt(const char* task, Action action) {
    try {
      return action(*db);
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
    attempt(task, [&](SQLite::Database& database) {
      SQLite::Transaction transaction(database, SQLite::TransactionBehavior::IMMEDIATE);
      action(database);
      transaction.commit();
    });
  }
};

Store::Store(const fs::path& path, Mode mode, const StoreOptions& options)
    : state_(std::make_unique<State>()) {
  state_->path = path;
  OpenOptions open;
  open.write = mode == Mode::read_write;
  open.busy_timeout = options.busy_timeout;
  open.page_limit = options.page_limit;
  try {
    state_->db = open_database(path, open, schema_history());
  } catch (const SQLite::Exception& error) {
    throw translated(error, "open the database", path);
  }
}

Store::~Store() = default;
Store::Store(Store&&) noexcept = default;
Store& Store::operator=(Store&&) noexcept = default;

// --- protocols ----------------------------------------------------------------------------------

void Store::put_protocol(const ProtocolRow& row) {
  state_->write("store a protocol", [&](SQLite::Database& db) {
    Insert(db, "INSERT INTO protocol", kProtocol, "ON CONFLICT (protocol) DO NOTHING").put(row);
  });
}

std::optional<ProtocolRow> Store::protocol(const std::string& key) const {
  return state_->attempt("read a protocol",
                         [&](SQLite::Database& db) { return find_protocol(db, key); });
}

std::vector<std::string> Store::protocols() const {
  return state_->attempt("read the protocols", [](SQLite::Database& db) {
    return select_texts(db, "SELECT protocol FROM protocol ORDER BY rowid");
  });
}

std::vector<CellState> Store::cell_states() const {
  return state_->attempt("read the states of the cells", [](SQLite::Database& db) {
    return select_all(db,
                      kCellState,
                      "FROM cell c JOIN v_run r ON r.cell_key = c.cell_key "
                      "JOIN protocol k ON k.protocol = c.protocol "
                      "LEFT JOIN node e ON e.key = c.evaluate_node ORDER BY c.rowid");
  });
}

std::vector<PretrainingState> Store::pretrainings() const {
  return state_->attempt("read the pre-trainings", [](SQLite::Database& db) {
    return select_all(db,
                      kPretrainingState,
                      "FROM pretraining p JOIN node n ON n.key = p.node AND n.state = 'done'");
  });
}

std::vector<SurveyState> Store::surveys() const {
  return state_->attempt("read the counts of the data", [](SQLite::Database& db) {
    return select_all(
        db, kSurveyState, "FROM node WHERE kind = 'survey' AND state = 'done' ORDER BY rowid");
  });
}

std::optional<NodeRow> Store::survey(const std::string& protocol) const {
  return state_->attempt("look for the count of the data", [&](SQLite::Database& db) {
    return select_first(db,
                        kNode,
                        "FROM node WHERE kind = 'survey' AND state = 'done' AND "
                        "json_extract(inputs, '$.protocol') = ? ORDER BY ended DESC LIMIT 1",
                        protocol);
  });
}

int Store::planned_trials(const std::string& protocol, const TableSpec& spec) const {
  return state_->attempt("count planned trials", [&](SQLite::Database& db) {
    int trials = 0;
    for (const CellRow& cell : select_all(db, kCell, "FROM cell WHERE protocol = ?", protocol)) {
      if (shows(spec, cell.method, cell.task, cell.fraction)) {
        trials = std::max(trials, cell.trial + 1);
      }
    }
    return trials;
  });
}

// --- nodes and cells ----------------------------------------------------------------------------

void Store::register_node(const NodeRow& row) {
  state_->write("register a node", [&](SQLite::Database& db) {
    if (!exists(db, "SELECT 1 FROM node WHERE key = ?", row.key)) {
      write_node(db, row);
    }
  });
}

void Store::put_node(const NodeRow& row) {
  state_->write("store a node", [&](SQLite::Database& db) {
    write_node(db, row);
    if (exists(db, "SELECT 1 FROM trial_dice WHERE node = ?", row.key)) {
      renew_statistics_of_node(db, row.key);
    }
  });
}

void Store::add_failure(const NodeRow& row) {
  state_->write("store a failure", [&](SQLite::Database& db) { keep_failure(db, row); });
}

std::optional<NodeRow> Store::node(const std::string& key) const {
  return state_->attempt("read a node", [&](SQLite::Database& db) { return read_node(db, key); });
}

std::vector<NodeRow> Store::nodes(const std::string& protocol) const {
  return state_->attempt("read the nodes of a protocol", [&](SQLite::Database& db) {
    std::map<std::string, NodeRow> found;
    std::vector<std::string> named;
    const auto keep = [&](NodeRow row) {
      const std::vector<std::string> keys = named_nodes(row.inputs);
      named.insert(named.end(), keys.begin(), keys.end());
      found.try_emplace(row.key, std::move(row));
    };
    for (NodeRow& row : select_all(db,
                                   kNode,
                                   "FROM node WHERE key IN ("
                                   "SELECT pretrain_node FROM cell WHERE protocol = ?1 UNION "
                                   "SELECT finetune_node FROM cell WHERE protocol = ?1 UNION "
                                   "SELECT evaluate_node FROM cell WHERE protocol = ?1 UNION "
                                   "SELECT node FROM pretraining WHERE protocol = ?1) "
                                   "OR (kind = 'survey' "
                                   "AND json_extract(inputs, '$.protocol') = ?1)",
                                   protocol)) {
      keep(std::move(row));
    }
    while (!named.empty()) {
      const std::string key = named.back();
      named.pop_back();
      if (!found.contains(key)) {
        if (std::optional<NodeRow> row = read_node(db, key)) {
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
  return state_->attempt("read failures", [](SQLite::Database& db) {
    // The view has a row for every cell that needs the node.
    return select_all(
        db,
        kFailure,
        "FROM v_failure GROUP BY node, attempt ORDER BY ended DESC, node, attempt DESC");
  });
}

void Store::put_pretraining(const std::string& protocol,
                            const std::string& method,
                            const std::string& node) {
  state_->write("link a pre-training", [&](SQLite::Database& db) {
    statement(
        db, "INSERT INTO pretraining VALUES (?,?,?) ON CONFLICT DO NOTHING", protocol, method, node)
        .exec();
  });
}

std::vector<KeptMetric> Store::kept_metrics(const std::string& protocol,
                                            const std::string& method) const {
  return state_->attempt("read metrics of pre-training", [&](SQLite::Database& db) {
    return select_all(db,
                      kKeptMetric,
                      "FROM v_proxy_metric v JOIN node n ON n.key = v.node AND n.state = 'done' "
                      "WHERE v.protocol = ? AND v.method = ? AND v.kept "
                      "ORDER BY v.name, v.node, v.split",
                      protocol,
                      method);
  });
}

std::vector<NodeRow> Store::failed_pretrainings(const std::string& protocol,
                                                const std::string& method) const {
  return state_->attempt("read failed pre-trainings", [&](SQLite::Database& db) {
    return select_all(db,
                      kNode,
                      "FROM pretraining JOIN node ON key = node "
                      "WHERE protocol = ? AND method = ? AND state = 'failed'",
                      protocol,
                      method);
  });
}

void Store::put_cell(const CellRow& row) {
  state_->write("store a cell", [&](SQLite::Database& db) {
    const bool known = exists(db, "SELECT 1 FROM cell WHERE cell_key = ?", row.cell_key);
    const int changed = Insert(db, "INSERT INTO cell", kCell, or_update(kCell)).put(row);
    // A node that another cell has already paid for brings its results along. Planning a stored
    // cell again changes nothing and costs nothing.
    if (changed > 0 &&
        (known || exists(db, "SELECT 1 FROM trial_dice WHERE node = ?", row.evaluate_node))) {
      sar::renew_statistics(db, row.protocol);
    }
  });
}

std::vector<RunRow> Store::runs(const std::string& protocol) const {
  return state_->attempt("read runs", [&](SQLite::Database& db) {
    return select_all(db,
                      kRun,
                      "FROM cell c JOIN v_run r ON r.cell_key = c.cell_key "
                      "WHERE ?1 = '' OR c.protocol = ?1 ORDER BY c.rowid",
                      protocol);
  });
}

std::vector<Budget> Store::budgets(const std::string& protocol) const {
  return state_->attempt("read what the trainings were given", [&](SQLite::Database& db) {
    return select_all(db, kBudget, "FROM v_budget WHERE protocol = ?", protocol);
  });
}

std::vector<TrialCost> Store::trial_costs(const std::string& protocol) const {
  return state_->attempt("read the costs of trials", [&](SQLite::Database& db) {
    return select_all(db,
                      kTrialCost,
                      "FROM cell c JOIN node f ON f.key = c.finetune_node AND f.state = 'done' "
                      "JOIN node e ON e.key = c.evaluate_node AND e.state = 'done' "
                      "WHERE c.protocol = ? GROUP BY c.method, c.task, c.fraction",
                      protocol);
  });
}

// --- results ------------------------------------------------------------------------------------

void Store::put_rows(const std::string& node,
                     const std::vector<StoredLoss>& losses,
                     const std::vector<StoredMetric>& metrics) {
  state_->write("store losses", [&](SQLite::Database& db) {
    Insert(db, "INSERT OR REPLACE INTO loss", {"node", node}, kLoss).put(losses);
    Insert(db, "INSERT OR REPLACE INTO metric", {"node", node}, kMetric).put(metrics);
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
  state_->write("store results", [&](SQLite::Database& db) {
    NodeRow done = row;
    done.state = NodeState::done;
    write_node(db, done);
    replace_cases(db, row.key, dice);
    renew_statistics_of_node(db, row.key);
  });
}

void Store::renew_statistics(const std::string& protocol, const std::vector<TableSpec>& tables) {
  state_->write("renew statistics", [&](SQLite::Database& db) {
    for (const TableSpec& spec : tables) {
      statement(db,
                "INSERT INTO family VALUES (?,?,?) "
                "ON CONFLICT (protocol, family) DO UPDATE SET spec = excluded.spec",
                protocol,
                spec.id,
                to_json(spec).dump())
          .exec();
    }
    sar::renew_statistics(db, protocol);
  });
}

std::vector<TrialDice> Store::trial_dice(const std::string& protocol) const {
  return state_->attempt("read trial results",
                         [&](SQLite::Database& db) { return read_trial_dice(db, protocol); });
}

std::vector<StoredCaseDice> Store::case_dice(const std::string& evaluate_node) const {
  return state_->attempt("read case results",
                         [&](SQLite::Database& db) { return read_case_dice(db, evaluate_node); });
}

std::vector<CaseRow> Store::cases(const std::string& protocol, const std::string& fraction) const {
  return state_->attempt("read case results", [&](SQLite::Database& db) {
    std::vector<CaseRow> list = select_all(db,
                                           kCase,
                                           "FROM v_case_dice WHERE protocol = ? AND fraction = ? "
                                           "ORDER BY task, target, method, trial, case_id",
                                           protocol,
                                           fraction);
    for (CaseRow& row : list) {
      row.fraction = fraction;
    }
    return list;
  });
}

std::vector<StoredCurveRow> Store::finetuning_curves(const std::string& protocol,
                                                     const std::string& fraction) const {
  return state_->attempt("read loss curves", [&](SQLite::Database& db) {
    // Cells first: the losses of one are stored in their order, so that no long list is sorted.
    const std::vector<CellRow> cells =
        select_all(db,
                   kCell,
                   "FROM cell JOIN node ON key = finetune_node AND state = 'done' "
                   "WHERE protocol = ? AND fraction = ? ORDER BY task, method, trial",
                   protocol,
                   fraction);
    SQLite::Statement losses(db,
                             select_sql(kLoss, "FROM loss WHERE node = ? ORDER BY split, step"));
    std::vector<StoredCurveRow> list;
    for (const CellRow& cell : cells) {
      losses.bind(1, cell.finetune_node);
      while (losses.executeStep()) {
        list.push_back({cell.method, cell.task, cell.trial, read_row(losses, kLoss)});
      }
      losses.reset();
    }
    return list;
  });
}

std::vector<TrialInputs> Store::trial_inputs(const std::string& protocol) const {
  return state_->attempt("read the inputs of trials", [&](SQLite::Database& db) {
    return select_all(db,
                      kTrialInputs,
                      "FROM cell c JOIN node n ON n.key = c.finetune_node "
                      "WHERE c.protocol = ? GROUP BY c.task, c.fraction, c.trial",
                      protocol);
  });
}

std::vector<std::string> Store::check() const {
  return state_->attempt("check the database", [](SQLite::Database& db) {
    const SQLite::Transaction snapshot(db);  // others may write meanwhile
    return find_faults(db);
  });
}

Json Store::query(const std::string& sql) const {
  return state_->attempt("run a query", [&](SQLite::Database& db) { return run_query(db, sql); });
}

}  // namespace sar
