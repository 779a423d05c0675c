#include "results/database/query.h"

#include "harness/core/error.h"

#include <SQLiteCpp/Database.h>
#include <fmt/format.h>
#include <sqlite3.h>

#include <memory>
#include <set>
#include <string_view>

namespace sar {
namespace {

/// Refuses what SQLite counts as reading although it changes the connection. Statements that write
/// the file are recognised by sqlite3_stmt_readonly; reading a built-in virtual table asks for a
/// write permission here, so this list must not be the only guard.
int authorise(void*, int action, const char* first, const char* second, const char*, const char*) {
  switch (action) {
    case SQLITE_ATTACH:
    case SQLITE_DETACH:
    case SQLITE_TRANSACTION:
    case SQLITE_SAVEPOINT:
      return SQLITE_DENY;
    case SQLITE_PRAGMA: {
      static const std::set<std::string, std::less<>> kAsking = {"table_info",
                                                                 "table_xinfo",
                                                                 "table_list",
                                                                 "index_list",
                                                                 "index_info",
                                                                 "foreign_key_list"};
      static const std::set<std::string, std::less<>> kAskingAlone = {
          "user_version", "application_id", "page_count", "page_size"};
      const std::string_view name(first);
      const bool allowed =
          kAsking.contains(name) || (second == nullptr && kAskingAlone.contains(name));
      return allowed ? SQLITE_OK : SQLITE_DENY;
    }
    default:
      return SQLITE_OK;
  }
}

Json json_value(sqlite3_stmt* row, int column) {
  switch (sqlite3_column_type(row, column)) {
    case SQLITE_INTEGER:
      return sqlite3_column_int64(row, column);
    case SQLITE_FLOAT:
      return sqlite3_column_double(row, column);
    case SQLITE_NULL:
      return nullptr;
    default:
      break;
  }
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(row, column));
  const std::string content(bytes == nullptr ? "" : bytes,
                            static_cast<std::size_t>(sqlite3_column_bytes(row, column)));
  if (sqlite3_column_type(row, column) == SQLITE_TEXT) {
    return content;
  }
  std::string digits;
  for (const char byte : content) {
    digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return digits;
}

/// A compiled statement; empty if the text holds only blanks and comments.
struct Prepared {
  std::shared_ptr<sqlite3_stmt> statement;
  int code = SQLITE_OK;
  std::string reason;
  const char* rest = nullptr;  ///< the text behind it
};

Prepared prepare(sqlite3* handle, const char* sql) {
  Prepared result;
  sqlite3_stmt* statement = nullptr;
  sqlite3_set_authorizer(handle, authorise, nullptr);
  result.code = sqlite3_prepare_v2(handle, sql, -1, &statement, &result.rest);
  result.reason = sqlite3_errmsg(handle);
  sqlite3_set_authorizer(handle, nullptr, nullptr);
  result.statement.reset(statement, sqlite3_finalize);
  return result;
}

}  // namespace

Json run_query(SQLite::Database& db, const std::string& sql) {
  sqlite3* handle = db.getHandle();
  const Prepared first = prepare(handle, sql.c_str());
  if (first.code == SQLITE_AUTH ||
      (first.statement && sqlite3_stmt_readonly(first.statement.get()) == 0)) {
    throw usage_error("only statements that read are allowed").with("sql", sql);
  }
  if (first.code == SQLITE_ERROR) {
    throw usage_error("not a valid statement").with("reason", first.reason).with("sql", sql);
  }
  db.check(first.code);
  const Prepared second = prepare(handle, first.rest);
  if (!first.statement || second.statement || second.code != SQLITE_OK) {
    throw usage_error("exactly one statement is needed").with("sql", sql);
  }
  sqlite3_stmt* prepared = first.statement.get();
  Json columns = Json::array();
  for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
    columns.push_back(sqlite3_column_name(prepared, i));
  }
  Json rows = Json::array();
  int state = SQLITE_ROW;
  while ((state = sqlite3_step(prepared)) == SQLITE_ROW) {
    Json row = Json::array();
    for (int i = 0; i < sqlite3_column_count(prepared); ++i) {
      row.push_back(json_value(prepared, i));
    }
    rows.push_back(std::move(row));
  }
  if (state != SQLITE_DONE) {
    db.check(state);
  }
  return {{"columns", std::move(columns)}, {"rows", std::move(rows)}};
}

}  // namespace sar
