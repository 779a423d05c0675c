#include "results/database/schema.h"

#include "harness/core/error.h"
#include "results/database/store.h"
#include "tests/support/fixtures.h"
#include "tests/unit/results/database/sqlite_file.h"

#include <catch2/catch.hpp>

#include <map>
#include <regex>
#include <sstream>

namespace {

namespace fs = std::filesystem;
using sar::SchemaStep;
using sar::Store;
using sar::test::SqliteFile;

std::vector<SchemaStep> with_next_step(const std::string& sql) {
  const auto history = sar::schema_history();
  std::vector<SchemaStep> result(history.begin(), history.end());
  result.push_back({result.back().version + 1, sql});
  return result;
}

/// Names of `tables` or `views` and their columns, as README.md documents them: a heading
/// "### `name`" and below it a table whose first column holds the names in back-quotes.
std::map<std::string, std::vector<std::string>> documented() {
  std::map<std::string, std::vector<std::string>> result;
  std::istringstream lines(sar::read_file(std::string(SARBENCH_SOURCE_DIR) + "/results/README.md"));
  const std::regex heading("^### `(\\w+)`.*");
  const std::regex column("^\\| `(\\w+)` \\|.*");
  std::string line;
  std::string name;
  std::smatch match;
  while (std::getline(lines, line)) {
    if (std::regex_match(line, match, heading)) {
      name = match[1];
      result[name];
    } else if (std::regex_match(line, match, column)) {
      result[name].push_back(match[1]);
    }
  }
  return result;
}

}  // namespace

TEST_CASE("the README documents every table and view, column by column, in order") {
  const sar::TemporaryFolder folder;
  const Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  std::map<std::string, std::vector<std::string>> actual;
  const sar::Json names = store.query(
      "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite%'");
  for (const sar::Json& row : names["rows"]) {
    const std::string name = row[0];
    const sar::Json info = store.query("PRAGMA table_info(" + name + ")");
    for (const sar::Json& column : info["rows"]) {
      actual[name].push_back(column[1]);
    }
  }
  CHECK(actual == documented());
}

TEST_CASE("the views have the columns of the product contract in its order") {
  const sar::TemporaryFolder folder;
  const Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  const std::map<std::string, std::string> contract = {
      {"v_case_dice",
       "protocol, method, task, fraction, trial, case_id, target, bucket, volume_mm3, dice"},
      {"v_trial_dice", "protocol, method, task, fraction, trial, target, bucket, n_cases, dice"},
      {"v_cell", "protocol, method, task, fraction, target, bucket, n_trials, mean, sd"},
      {"v_loss",
       "protocol, method, task, fraction, trial, stage, step, epoch, split, loss, lr, seconds, "
       "node"},
      {"v_run",
       "cell_key, protocol, method, task, fraction, trial, state, reason, started, ended, host, "
       "device, threads, commit, dirty, torch, itk, seed, data_kind, peak_rss_mb, peak_gpu_mb, "
       "samples_per_s"},
      {"v_ttest",
       "protocol, task, target, bucket, fraction, method, versus, family, test, t, df, p, "
       "p_adjusted, hedges_g, ci_low, ci_high"},
      {"v_node", "key, kind, inputs, state, seconds, path, sha256"},
      {"v_proxy_metric", "protocol, method, epoch, split, name, value, chance, node, kept"}};
  for (const auto& [view, columns] : contract) {
    std::string joined;
    const sar::Json result = store.query("SELECT * FROM " + view);
    for (const sar::Json& name : result["columns"]) {
      joined += (joined.empty() ? "" : ", ") + name.get<std::string>();
    }
    CHECK(joined == columns);
  }
}

TEST_CASE("a database of any name is a file") {
  const sar::TemporaryFolder folder;
  const fs::path before = fs::current_path();
  fs::current_path(folder.path());
  for (const char* name : {":memory:", "file:x.sqlite?mode=memory"}) {
    Store(name, Store::Mode::read_write).put_protocol(sar::test::protocol_row("p"));
    CHECK(fs::is_regular_file(folder.path() / name));
    CHECK(Store(name, Store::Mode::read).protocol("p").has_value());
  }
  fs::current_path(before);
}

TEST_CASE("every table is strict and carries the version") {
  const sar::TemporaryFolder folder;
  const Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  CHECK(store.query("SELECT COUNT(*) FROM pragma_table_list WHERE type = 'table' AND strict = 0 "
                    "AND name NOT LIKE 'sqlite%'")["rows"][0][0] == 0);
  CHECK(store.query("PRAGMA user_version")["rows"][0][0] == sar::schema_history().back().version);
}

TEST_CASE("versions of the schema count up from 1") {
  int expected = 1;
  for (const SchemaStep& step : sar::schema_history()) {
    CHECK(step.version == expected++);
  }
}

TEST_CASE("an older file is migrated with its rows, after a backup") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  const int old = sar::schema_history().back().version;
  for (const bool write : {true, false}) {  // a reading command migrates as well
    fs::remove(file);
    {
      Store store(file, Store::Mode::read_write);
      store.put_protocol(sar::test::protocol_row("proto1"));
    }
    sar::OpenOptions options;
    options.write = write;
    sar::open_database(file, options, with_next_step("ALTER TABLE protocol ADD COLUMN note TEXT"));
    SqliteFile migrated(file);
    CHECK(migrated.value("PRAGMA user_version") == std::to_string(old + 1));
    CHECK(migrated.value("SELECT protocol || COALESCE(note, '-') FROM protocol") == "proto1-");
    CHECK(migrated.value("SELECT COUNT(*) FROM v_cell") == "0");
    const fs::path backup = file.string() + ".backup-v" + std::to_string(old);
    REQUIRE(fs::exists(backup));
    const Store before(backup, Store::Mode::read);  // the backup is a whole database of old
    CHECK(before.protocol("proto1"));
    CHECK_THROWS_AS(Store(file, Store::Mode::read_write), sar::Error);  // newer than this program
    fs::remove(backup);
  }
}

TEST_CASE("a file of version 3 keeps the failures that it knows") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  sar::OpenOptions options;
  options.write = true;
  sar::open_database(file, options, sar::schema_history().first(3));
  {
    SqliteFile old(file);
    REQUIRE(old.value("PRAGMA user_version") == "3");
    const auto insert = [&](const std::string& values) {
      old.run(
          "INSERT INTO node (key, kind, inputs, state, reason, started, ended, seconds, host, "
          "device, threads, commit_id, dirty, peak_rss_mb, peak_gpu_mb, samples_per_s) VALUES (" +
          values + ", 0, 0, 0)");
    };
    insert(
        "'a', 'pretrain', '{}', 'failed', 'out of memory', '2024-05-01T10:00:00Z', "
        "'2024-05-01T11:00:00Z', 12.5, 'node1', 'cpu', 1, 'abc123', 1");
    insert(
        "'b', 'finetune', '{}', 'failed', 'not run, because ''a'' failed: out of memory', NULL, "
        "NULL, 0, NULL, NULL, 1, NULL, 0");
    insert(
        "'c', 'pretrain', '{}', 'done', NULL, '2024-05-01T10:00:00Z', '2024-05-01T11:00:00Z', 1, "
        "'node1', 'cpu', 1, 'abc123', 0");
  }
  const Store store(file, Store::Mode::read);
  const auto failures = store.failures();
  REQUIRE(failures.size() == 1);
  CHECK(failures[0].node == "a");
  CHECK(failures[0].kind == "pretrain");
  CHECK(failures[0].attempt == 1);
  CHECK(failures[0].reason == "out of memory");
  CHECK(failures[0].ended == "2024-05-01T11:00:00Z");
  CHECK(failures[0].seconds == 12.5);
  CHECK(failures[0].host == "node1");
  CHECK(failures[0].device == "cpu");
  CHECK(failures[0].commit == "abc123");
  CHECK(failures[0].dirty);
  CHECK_FALSE(failures[0].done_since);
  CHECK(store.node("b")->state == sar::NodeState::failed);
  CHECK(store.check().empty());
  CHECK(SqliteFile(file.string() + ".backup-v3").value("PRAGMA user_version") == "3");
  CHECK(SqliteFile(file.string() + ".backup-v3").value("SELECT COUNT(*) FROM node") == "3");
}

TEST_CASE("a migration that fails leaves the file as it was") {
  const sar::TemporaryFolder folder;
  const fs::path file = folder.path() / "runs.sqlite";
  {
    Store store(file, Store::Mode::read_write);
    store.put_protocol(sar::test::protocol_row("proto1"));
  }
  sar::OpenOptions options;
  options.write = true;
  CHECK_THROWS(sar::open_database(
      file,
      options,
      with_next_step("DELETE FROM protocol; ALTER TABLE nowhere ADD COLUMN a TEXT")));
  const Store store(file, Store::Mode::read);
  CHECK(store.protocol("proto1"));
  CHECK(store.check().empty());
}
