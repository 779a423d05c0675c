#include "results/database/schema.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/database/row_reader.h"

#include <SQLiteCpp/Backup.h>
#include <SQLiteCpp/Transaction.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/vfs.h>

#include <algorithm>
#include <array>
#include <thread>
#include <vector>

namespace sar {
namespace fs = std::filesystem;
namespace {

/// "SARB": marks our files, so that no other program's database is ever changed.
constexpr int kApplicationId = 0x53415242;

constexpr const char* kTables = R"sql(
CREATE TABLE protocol (
  protocol    TEXT PRIMARY KEY,
  data_kind   TEXT NOT NULL CHECK (data_kind IN ('phantom', 'real')),
  profile     TEXT NOT NULL,
  settings    TEXT NOT NULL,
  manifest    TEXT NOT NULL,
  pool_voxels INTEGER NOT NULL CHECK (pool_voxels IN (0, 1))
) STRICT;

CREATE TABLE node (
  key           TEXT PRIMARY KEY,
  kind          TEXT NOT NULL,
  inputs        TEXT NOT NULL,
  state         TEXT NOT NULL CHECK (state IN ('pending', 'running', 'done', 'failed')),
  reason        TEXT,
  started       TEXT,
  ended         TEXT,
  seconds       REAL NOT NULL,
  path          TEXT,
  sha256        TEXT,
  host          TEXT,
  device        TEXT,
  threads       INTEGER NOT NULL,
  commit_id     TEXT,
  dirty         INTEGER NOT NULL CHECK (dirty IN (0, 1)),
  torch         TEXT,
  itk           TEXT,
  determinism   TEXT,
  peak_rss_mb   REAL NOT NULL,
  peak_gpu_mb   REAL NOT NULL,
  samples_per_s REAL NOT NULL,
  command       TEXT
) STRICT;

CREATE TABLE pretraining (
  protocol TEXT NOT NULL REFERENCES protocol,
  method   TEXT NOT NULL,
  node     TEXT NOT NULL,
  PRIMARY KEY (protocol, method, node)
) STRICT, WITHOUT ROWID;

CREATE TABLE cell (
  cell_key      TEXT PRIMARY KEY,
  protocol      TEXT NOT NULL REFERENCES protocol,
  method        TEXT NOT NULL,
  task          TEXT NOT NULL,
  fraction      TEXT NOT NULL,
  trial         INTEGER NOT NULL CHECK (trial >= 0),
  seed          INTEGER NOT NULL,
  pretrain_node TEXT,
  finetune_node TEXT NOT NULL,
  evaluate_node TEXT NOT NULL,
  UNIQUE (protocol, method, task, fraction, trial)
) STRICT;
CREATE INDEX cell_by_finetune_node ON cell (finetune_node);
CREATE INDEX cell_by_evaluate_node ON cell (evaluate_node);

CREATE TABLE loss (
  node    TEXT NOT NULL REFERENCES node,
  split   TEXT NOT NULL,
  step    INTEGER NOT NULL,
  epoch   INTEGER NOT NULL,
  loss    REAL,
  lr      REAL NOT NULL,
  seconds REAL NOT NULL,
  PRIMARY KEY (node, split, step)
) STRICT, WITHOUT ROWID;

CREATE TABLE metric (
  node   TEXT NOT NULL REFERENCES node,
  split  TEXT NOT NULL,
  name   TEXT NOT NULL,
  epoch  INTEGER NOT NULL,
  value  REAL,
  chance REAL,
  PRIMARY KEY (node, split, name, epoch)
) STRICT, WITHOUT ROWID;

CREATE TABLE case_dice (
  node             TEXT NOT NULL REFERENCES node,
  target           TEXT NOT NULL,
  case_id          TEXT NOT NULL,
  bucket           TEXT NOT NULL,
  volume_mm3       REAL NOT NULL,
  dice             REAL NOT NULL CHECK (dice BETWEEN 0 AND 100),
  voxels_both      INTEGER NOT NULL,
  voxels_predicted INTEGER NOT NULL,
  voxels_true      INTEGER NOT NULL,
  PRIMARY KEY (node, target, case_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE trial_dice (
  node        TEXT NOT NULL REFERENCES node,
  target      TEXT NOT NULL,
  bucket      TEXT NOT NULL,
  n_cases     INTEGER NOT NULL,
  dice        REAL NOT NULL,
  pooled_dice REAL NOT NULL,
  PRIMARY KEY (node, target, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE cell_statistic (
  protocol TEXT NOT NULL REFERENCES protocol,
  method   TEXT NOT NULL,
  task     TEXT NOT NULL,
  fraction TEXT NOT NULL,
  target   TEXT NOT NULL,
  bucket   TEXT NOT NULL,
  n_trials INTEGER NOT NULL,
  mean     REAL NOT NULL,
  sd       REAL,
  PRIMARY KEY (protocol, method, task, fraction, target, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE family (
  protocol TEXT NOT NULL REFERENCES protocol,
  family   TEXT NOT NULL,
  spec     TEXT NOT NULL,
  PRIMARY KEY (protocol, family)
) STRICT, WITHOUT ROWID;

CREATE TABLE ttest (
  protocol   TEXT NOT NULL,
  family     TEXT NOT NULL,
  task       TEXT NOT NULL,
  target     TEXT NOT NULL,
  bucket     TEXT NOT NULL,
  fraction   TEXT NOT NULL,
  method     TEXT NOT NULL,
  versus     TEXT NOT NULL,
  test       TEXT NOT NULL,
  t          REAL,
  df         REAL,
  p          REAL,
  p_adjusted REAL,
  hedges_g   REAL,
  ci_low     REAL,
  ci_high    REAL,
  PRIMARY KEY (protocol, family, task, target, bucket, fraction, method, test),
  FOREIGN KEY (protocol, family) REFERENCES family
) STRICT, WITHOUT ROWID;
)sql";

// A node that never began did not fail by itself: it was not run, because one that it needs failed.
constexpr const char* kFailures = R"sql(
CREATE TABLE failure (
  node      TEXT NOT NULL REFERENCES node,
  attempt   INTEGER NOT NULL CHECK (attempt >= 1),
  reason    TEXT,
  ended     TEXT,
  seconds   REAL NOT NULL,
  host      TEXT,
  device    TEXT,
  commit_id TEXT,
  dirty     INTEGER NOT NULL CHECK (dirty IN (0, 1)),
  PRIMARY KEY (node, attempt)
) STRICT, WITHOUT ROWID;
INSERT INTO failure
SELECT key, 1, reason, ended, seconds, host, device, commit_id, dirty
FROM node WHERE state = 'failed' AND started IS NOT NULL;
)sql";

constexpr const char* kViews = R"sql(
CREATE VIEW v_case_dice AS
SELECT c.protocol, c.method, c.task, c.fraction, c.trial,
       d.case_id, d.target, d.bucket, d.volume_mm3, d.dice
FROM cell c
JOIN node n ON n.key = c.evaluate_node AND n.state = 'done'
JOIN case_dice d ON d.node = c.evaluate_node;

CREATE VIEW v_trial_dice AS
SELECT c.protocol, c.method, c.task, c.fraction, c.trial, t.target, t.bucket, t.n_cases,
       CASE p.pool_voxels WHEN 1 THEN t.pooled_dice ELSE t.dice END AS dice
FROM cell c
JOIN protocol p ON p.protocol = c.protocol
JOIN node n ON n.key = c.evaluate_node AND n.state = 'done'
JOIN trial_dice t ON t.node = c.evaluate_node;

CREATE VIEW v_cell AS
SELECT protocol, method, task, fraction, target, bucket, n_trials, mean, sd FROM cell_statistic;

CREATE VIEW v_loss AS
SELECT c.protocol, c.method, c.task, c.fraction, c.trial, 'finetune' AS stage,
       l.step, l.epoch, l.split, l.loss, l.lr, l.seconds, l.node
FROM cell c JOIN loss l ON l.node = c.finetune_node
UNION ALL
SELECT p.protocol, p.method, NULL, NULL, NULL, 'pretrain',
       l.step, l.epoch, l.split, l.loss, l.lr, l.seconds, l.node
FROM pretraining p JOIN loss l ON l.node = p.node;

-- The weights that are kept are those of the epoch with the least validation loss, or of the last
-- one where nothing was held out.
CREATE VIEW v_proxy_metric AS
SELECT p.protocol, p.method, m.epoch, m.split, m.name, m.value, m.chance, m.node,
       m.epoch = COALESCE((SELECT l.epoch FROM loss l
                           WHERE l.node = m.node AND l.split = 'val' AND l.loss IS NOT NULL
                           ORDER BY l.loss, l.epoch LIMIT 1),
                          (SELECT MAX(last.epoch) FROM metric last WHERE last.node = m.node)) AS kept
FROM pretraining p JOIN metric m ON m.node = p.node;

-- One row of v_run tells of up to three nodes; `r` is the one that stands for the machine: the
-- fine-tuning once it has begun, before that the pre-training.
CREATE VIEW v_run AS
SELECT c.cell_key, c.protocol, c.method, c.task, c.fraction, c.trial,
       CASE WHEN 'failed' IN (p.state, f.state, e.state) THEN 'failed'
            WHEN e.state = 'done' THEN 'done'
            WHEN 'running' IN (p.state, f.state, e.state) THEN 'running'
            ELSE 'pending' END AS state,
       CASE 'failed' WHEN p.state THEN p.reason WHEN f.state THEN f.reason
                     WHEN e.state THEN e.reason END AS reason,
       COALESCE(f.started, e.started) AS started,
       COALESCE(e.ended, CASE f.state WHEN 'failed' THEN f.ended END,
                CASE p.state WHEN 'failed' THEN p.ended END) AS ended,
       r.host, r.device, r.threads, r.commit_id AS "commit", r.dirty, r.torch, r.itk,
       c.seed, k.data_kind,
       MAX(COALESCE(r.peak_rss_mb, 0), COALESCE(e.peak_rss_mb, 0)) AS peak_rss_mb,
       MAX(COALESCE(r.peak_gpu_mb, 0), COALESCE(e.peak_gpu_mb, 0)) AS peak_gpu_mb,
       r.samples_per_s
FROM cell c
JOIN protocol k ON k.protocol = c.protocol
LEFT JOIN node p ON p.key = c.pretrain_node
LEFT JOIN node f ON f.key = c.finetune_node
LEFT JOIN node e ON e.key = c.evaluate_node
LEFT JOIN node r ON r.key = CASE WHEN f.state <> 'pending' THEN f.key ELSE p.key END;

-- What the trainings behind the finished trials were given, mean over the trials; NULL where one of
-- them does not say. What a training starts from (a pre-training; of the oracle control, a training)
-- is in the first four. Steps of rows before schema 5 come from their losses.
CREATE VIEW v_budget AS
SELECT protocol, method, task, fraction, COUNT(*) AS trials,
       CASE WHEN COUNT(cubes) = COUNT(*) THEN AVG(cubes) END AS cubes,
       CASE WHEN COUNT(steps_before) = COUNT(*) THEN AVG(steps_before) END AS pretrain_steps,
       CASE WHEN COUNT(flops_before) = COUNT(*) THEN AVG(flops_before) END AS pretrain_flops,
       CASE WHEN COUNT(seconds_before) = COUNT(*) THEN AVG(seconds_before) / 3600 END
         AS pretrain_hours,
       CASE WHEN COUNT(steps) = COUNT(*) THEN AVG(steps) END AS finetune_steps,
       CASE WHEN COUNT(flops) = COUNT(*) THEN AVG(flops) END AS finetune_flops,
       AVG(seconds) / 3600 AS finetune_hours
FROM (SELECT c.protocol, c.method, c.task, c.fraction, p.cubes,
             COALESCE(p.steps, (SELECT MAX(l.step) FROM loss l
                                WHERE l.node = p.key AND l.split = 'train')) AS steps_before,
             p.flops AS flops_before, p.seconds AS seconds_before,
             COALESCE(f.steps, (SELECT MAX(l.step) FROM loss l
                                WHERE l.node = f.key AND l.split = 'train')) AS steps,
             f.flops, f.seconds
      FROM cell c
      JOIN node e ON e.key = c.evaluate_node AND e.state = 'done'
      JOIN node f ON f.key = c.finetune_node
      LEFT JOIN node p ON p.key = c.pretrain_node)
GROUP BY protocol, method, task, fraction;

CREATE VIEW v_ttest AS
SELECT protocol, task, target, bucket, fraction, method, versus, family, test, t, df, p, p_adjusted,
       hedges_g, ci_low, ci_high
FROM ttest;

CREATE VIEW v_node AS SELECT key, kind, inputs, state, seconds, path, sha256 FROM node;

-- Work that several protocols may share (cubes, preparation) has neither protocol nor cell.
CREATE VIEW v_failure AS
SELECT u.protocol, u.method, u.task, u.fraction, u.trial, n.kind, f.node, f.attempt, f.reason,
       f.ended, f.seconds, f.host, f.device, f.commit_id AS "commit", f.dirty,
       n.state = 'done' AND COALESCE(n.ended, '') >= COALESCE(f.ended, '') AS done_since
FROM failure f
JOIN node n ON n.key = f.node
LEFT JOIN (SELECT finetune_node AS node, protocol, method, task, fraction, trial FROM cell
           UNION ALL
           SELECT evaluate_node, protocol, method, task, fraction, trial FROM cell
           UNION ALL
           SELECT node, protocol, method, NULL, NULL, NULL FROM pretraining) u ON u.node = f.node;
)sql";

/// WAL needs memory shared between all readers and writers, which network and FUSE file systems do
/// not give; there SQLite's rollback journal is used. Numbers: <linux/magic.h> and statfs(2).
bool is_local(const fs::path& folder) {
  constexpr std::array<unsigned, 15> kShared = {0x6969,       // NFS
                                                0x517B,       // SMB
                                                0xFE534D42,   // SMB 2
                                                0xFF534D42,   // CIFS
                                                0x73757245,   // Coda
                                                0x5346414F,   // AFS
                                                0x6B414653,   // kAFS
                                                0x0BD00BD0,   // Lustre
                                                0x47504653,   // GPFS
                                                0x19830326,   // BeeGFS
                                                0x00C36400,   // Ceph
                                                0x65735546,   // FUSE
                                                0x01021997,   // 9P
                                                0x20030528,   // PVFS2, OrangeFS
                                                0x786F4256};  // VirtualBox
  struct statfs status {};
  return ::statfs(folder.c_str(), &status) == 0 &&
         std::find(kShared.begin(), kShared.end(), static_cast<unsigned>(status.f_type)) ==
             kShared.end();
}

/// Changing the journal mode needs the file for itself, and SQLite does not wait for that.
void set_journal_mode(SQLite::Database& db, const fs::path& folder) {
  const std::string wanted = is_local(folder) ? "wal" : "delete";
  constexpr int kAttempts = 100;
  for (int attempt = 1;; ++attempt) {
    try {
      if (db.execAndGet("PRAGMA journal_mode").getString() != wanted) {
        db.execAndGet("PRAGMA journal_mode = " + wanted);  // stays as it is where WAL cannot work
      }
      return;
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_BUSY || attempt == kAttempts) {
        throw;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
  }
}

/// What a file says of itself.
struct FileHeader {
  int application = 0, version = 0, objects = 0;
};
constexpr auto kFileHeader = columns<FileHeader>(
    column("(SELECT application_id FROM pragma_application_id)", &FileHeader::application),
    column("(SELECT user_version FROM pragma_user_version)", &FileHeader::version),
    column("(SELECT COUNT(*) FROM sqlite_schema)", &FileHeader::objects));

int read_version(SQLite::Database& db, const fs::path& path) {
  // One statement, so that all three are of the same moment: another process may be making the
  // file.
  const FileHeader header = select_first(db, kFileHeader, "").value();
  const bool fresh = header.application == 0 && header.version == 0 && header.objects == 0;
  if (header.application != kApplicationId && !fresh) {
    throw io_error("this is another program's database, not one of sar-bench")
        .with("file", path.string());
  }
  return header.version;
}

Error absent(const fs::path& path) {
  return not_found_error("there is no database yet")
      .with("file", path.string())
      .hint(
          "`sar-bench run table2 --profile smoke` makes one in about a minute; another file is "
          "named with --db");
}

void require_known(int version, int newest, const fs::path& path) {
  if (version > newest) {
    throw io_error("the database was written by a newer sar-bench")
        .with("file", path.string())
        .with("schema", fmt::format("{}, known up to {}", version, newest))
        .hint("use that newer version, or another file with --db");
  }
}

void write_backup(const fs::path& path, int version) {
  const fs::path backup = path.string() + fmt::format(".backup-v{}", version);
  write_file_atomically(backup, [&](const fs::path& temporary) {
    SQLite::Database source(path.string(), SQLite::OPEN_READONLY);
    SQLite::Database target(temporary.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    SQLite::Backup(target, source).executeStep();
    target.exec("PRAGMA journal_mode = delete");  // so that the backup is one file
  });
}

void drop_views(SQLite::Database& db) {
  for (const std::string& name :
       select_texts(db, "SELECT name FROM sqlite_schema WHERE type = 'view'")) {
    db.exec("DROP VIEW \"" + name + "\"");
  }
}

void migrate(SQLite::Database& db,
             const fs::path& path,
             std::span<const SchemaStep> history,
             bool backup) {
  const int newest = history.back().version;
  if (read_version(db, path) == newest) {
    return;
  }
  // Another process may do the same: the version is read again under the write lock.
  SQLite::Transaction transaction(db, SQLite::TransactionBehavior::IMMEDIATE);
  const int version = read_version(db, path);
  require_known(version, newest, path);
  if (version == newest) {
    return;
  }
  if (version > 0 && backup) {
    write_backup(path, version);
  }
  drop_views(db);
  for (const SchemaStep& step : history) {
    if (step.version > version) {
      db.exec(step.sql);
    }
  }
  db.exec(kViews);
  db.exec(fmt::format("PRAGMA application_id = {}", kApplicationId));
  db.exec(fmt::format("PRAGMA user_version = {}", newest));
  transaction.commit();
}

/// A WAL database can only be read where its folder can be written, unless it is declared to be
/// immutable; that is safe when nobody can write it and no log is left to be merged.
std::string immutable_uri(const fs::path& path) {
  std::string uri = "file:";
  for (const char character : fs::absolute(path).string()) {
    if (character == '%' || character == '?' || character == '#') {
      uri += fmt::format("%{:02X}", static_cast<unsigned>(character));
    } else {
      uri += character;
    }
  }
  return uri + "?immutable=1";
}

std::shared_ptr<SQLite::Database> open_for_reading(const fs::path& path, int timeout_ms) {
  auto db = std::make_shared<SQLite::Database>(path.string(), SQLite::OPEN_READONLY, timeout_ms);
  try {
    read_version(*db, path);
  } catch (const SQLite::Exception& error) {
    const bool no_folder_access =
        error.getErrorCode() == SQLITE_CANTOPEN || error.getErrorCode() == SQLITE_READONLY;
    if (!no_folder_access || fs::exists(path.string() + "-wal")) {
      throw;
    }
    db = std::make_shared<SQLite::Database>(
        immutable_uri(path), SQLite::OPEN_READONLY | SQLite::OPEN_URI, timeout_ms);
  }
  return db;
}

/// An older database that cannot be written, as it would be after migration: in memory.
std::shared_ptr<SQLite::Database> migrated_copy(const fs::path& path,
                                                int timeout_ms,
                                                std::span<const SchemaStep> history) {
  const auto source = open_for_reading(path, timeout_ms);
  auto copy =
      std::make_shared<SQLite::Database>(":memory:", SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
  SQLite::Backup(*copy, *source).executeStep();
  migrate(*copy, path, history, false);
  return copy;
}

}  // namespace

std::span<const SchemaStep> schema_history() {
  // 2: nothing but the views, which every migration makes anew: v_loss and v_proxy_metric name
  // their node. 3: what a baseline needs to tell whether two runs must agree bit by bit. 4: failed
  // attempts stay when the node is run again. 5: what a training was given.
  static const std::array<SchemaStep, 5> kHistory = {
      {{1, kTables},
       {2, ""},
       {3, "ALTER TABLE node ADD COLUMN machine TEXT;"},
       {4, kFailures},
       {5,
        "ALTER TABLE node ADD COLUMN cubes INTEGER;"
        "ALTER TABLE node ADD COLUMN steps INTEGER;"
        "ALTER TABLE node ADD COLUMN samples INTEGER;"
        "ALTER TABLE node ADD COLUMN flops REAL;"}}};
  return kHistory;
}

std::shared_ptr<SQLite::Database> open_database(const fs::path& named,
                                                const OpenOptions& options,
                                                std::span<const SchemaStep> history) {
  if (named.empty()) {
    throw usage_error("the results database has no name");
  }
  // SQLite takes ":memory:", "" and "file:...?mode=memory" for databases that are gone afterwards;
  // a path from the root is always a file.
  const fs::path path = fs::absolute(named);
  const auto timeout_ms = static_cast<int>(options.busy_timeout.count());
  if (!options.write) {
    std::error_code unreadable;
    if (!fs::exists(path, unreadable)) {
      throw absent(path);
    }
    auto db = open_for_reading(path, timeout_ms);
    const int version = read_version(*db, path);
    require_known(version, history.back().version, path);
    if (version == history.back().version) {
      return db;
    }
    if (version == 0) {  // an empty file
      throw absent(path);
    }
    db.reset();  // older: migrated below, then opened again
    OpenOptions writing = options;
    writing.write = true;
    try {
      open_database(path, writing, history);
    } catch (const SQLite::Exception& error) {
      if (error.getErrorCode() != SQLITE_READONLY && error.getErrorCode() != SQLITE_CANTOPEN) {
        throw;
      }
      return migrated_copy(path, timeout_ms, history);
    } catch (const Error&) {  // no place for the backup
      return migrated_copy(path, timeout_ms, history);
    }
    return open_for_reading(path, timeout_ms);
  }
  const fs::path folder = fs::absolute(path).parent_path();
  std::error_code failure;
  fs::create_directories(folder, failure);
  if (failure) {
    throw io_error("cannot create the folder of the database")
        .with("folder", folder.string())
        .with("reason", failure.message());
  }
  auto db = std::make_shared<SQLite::Database>(
      path.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE, timeout_ms);
  require_known(read_version(*db, path), history.back().version, path);
  set_journal_mode(*db, folder);
  if (options.page_limit > 0) {
    db->exec(fmt::format("PRAGMA max_page_count = {}", options.page_limit));
  }
  migrate(*db, path, history, true);
  db->exec("PRAGMA foreign_keys = ON");
  return db;
}

}  // namespace sar
