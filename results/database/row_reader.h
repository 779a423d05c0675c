#pragma once

// Typed rows of SQL statements, for the sources of this room: a row lists its columns once, and the
// list makes the SELECT and reads its rows, and makes the INSERT and binds them.

#include "harness/core/json.h"
#include "results/database/rows.h"

#include <SQLiteCpp/Database.h>
#include <SQLiteCpp/Statement.h>
#include <SQLiteCpp/VariadicBind.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

namespace sar {

/// A column, or an SQL expression, and the member that holds its value.
template <class Row, class Value>
struct Column {
  const char* sql;
  Value Row::*member;
  bool null_if_empty = false;  ///< an empty text is stored as NULL
};

/// Columns of a member that is a row itself. `table`: alias that its columns are named with, "c.".
template <class Row, class Member, class MemberColumns>
struct InnerColumns {
  const char* table;
  Member Row::*member;
  MemberColumns columns;
};

/// All columns of a row, in the order of the statement.
template <class Row, class... Entries>
struct RowColumns {
  std::tuple<Entries...> entries;
};

template <class Row, class Value>
constexpr Column<Row, Value> column(const char* sql, Value Row::*member) {
  return {sql, member};
}
/// A text that is NULL in the database where it is empty here.
template <class Row>
constexpr Column<Row, std::string> optional_text(const char* sql, std::string Row::*member) {
  return {sql, member, true};
}
template <class Row, class Member, class... Entries>
constexpr InnerColumns<Row, Member, RowColumns<Member, Entries...>> inner(
    const char* table, Member Row::*member, const RowColumns<Member, Entries...>& columns) {
  return {table, member, columns};
}
template <class Row, class... Entries>
constexpr RowColumns<Row, Entries...> columns(const Entries&... entries) {
  return {{entries...}};
}

// --- names --------------------------------------------------------------------------------------

template <class Row, class... Entries>
void append_names(const RowColumns<Row, Entries...>& columns,
                  const std::string& table,
                  std::vector<std::string>& names);

template <class Row, class Value>
void append_names(const Column<Row, Value>& column,
                  const std::string& table,
                  std::vector<std::string>& names) {
  names.push_back(table + column.sql);
}

template <class Row, class Member, class MemberColumns>
void append_names(const InnerColumns<Row, Member, MemberColumns>& inner,
                  const std::string& table,
                  std::vector<std::string>& names) {
  append_names(inner.columns, table + inner.table, names);
}

template <class Row, class... Entries>
void append_names(const RowColumns<Row, Entries...>& columns,
                  const std::string& table,
                  std::vector<std::string>& names) {
  std::apply([&](const auto&... each) { (append_names(each, table, names), ...); },
             columns.entries);
}

template <class Columns>
std::vector<std::string> names_of(const Columns& columns) {
  std::vector<std::string> names;
  append_names(columns, {}, names);
  return names;
}

// --- reading ------------------------------------------------------------------------------------

// A NULL text is empty, a NULL number that must be one is NaN: SQLite keeps NaN as NULL.
inline void read_value(const SQLite::Column& from, std::string& to) {
  to = from.getString();
}
inline void read_value(const SQLite::Column& from, int& to) {
  to = from.getInt();
}
inline void read_value(const SQLite::Column& from, std::int64_t& to) {
  to = from.getInt64();
}
inline void read_value(const SQLite::Column& from, std::uint64_t& to) {
  to = static_cast<std::uint64_t>(from.getInt64());
}
inline void read_value(const SQLite::Column& from, bool& to) {
  to = from.getInt() != 0;
}
inline void read_value(const SQLite::Column& from, double& to) {
  to = from.isNull() ? std::numeric_limits<double>::quiet_NaN() : from.getDouble();
}
inline void read_value(const SQLite::Column& from, std::optional<double>& to) {
  to = from.isNull() ? std::nullopt : std::optional(from.getDouble());
}
inline void read_value(const SQLite::Column& from, Json& to) {
  to = Json::parse(from.getString());
}
inline void read_value(const SQLite::Column& from, NodeState& to) {
  to = node_state(from.getString());
}

template <class Row, class... Entries>
void read_entry(const SQLite::Statement& statement,
                int& index,
                const RowColumns<Row, Entries...>& columns,
                Row& row);

template <class Row, class Value>
void read_entry(const SQLite::Statement& statement,
                int& index,
                const Column<Row, Value>& column,
                Row& row) {
  read_value(statement.getColumn(index++), row.*column.member);
}

template <class Row, class Member, class MemberColumns>
void read_entry(const SQLite::Statement& statement,
                int& index,
                const InnerColumns<Row, Member, MemberColumns>& inner,
                Row& row) {
  read_entry(statement, index, inner.columns, row.*inner.member);
}

template <class Row, class... Entries>
void read_entry(const SQLite::Statement& statement,
                int& index,
                const RowColumns<Row, Entries...>& columns,
                Row& row) {
  std::apply([&](const auto&... each) { (read_entry(statement, index, each, row), ...); },
             columns.entries);
}

/// The row that a statement of `select_sql` stands at.
template <class Row, class... Entries>
Row read_row(const SQLite::Statement& statement, const RowColumns<Row, Entries...>& columns) {
  Row row{};
  int index = 0;
  read_entry(statement, index, columns, row);
  return row;
}

/// "SELECT <columns> <rest>"; `rest`: "FROM node WHERE key = ?".
template <class Columns>
std::string select_sql(const Columns& columns, const std::string& rest) {
  return fmt::format("SELECT {} {}", fmt::join(names_of(columns), ", "), rest);
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

/// All rows of "SELECT <columns> <rest>".
template <class Row, class... Entries, class... Values>
std::vector<Row> select_all(SQLite::Database& db,
                            const RowColumns<Row, Entries...>& columns,
                            const std::string& rest,
                            const Values&... values) {
  auto rows = statement(db, select_sql(columns, rest), values...);
  std::vector<Row> list;
  while (rows.executeStep()) {
    list.push_back(read_row(rows, columns));
  }
  return list;
}

/// The first row of "SELECT <columns> <rest>".
template <class Row, class... Entries, class... Values>
std::optional<Row> select_first(SQLite::Database& db,
                                const RowColumns<Row, Entries...>& columns,
                                const std::string& rest,
                                const Values&... values) {
  auto rows = statement(db, select_sql(columns, rest), values...);
  return rows.executeStep() ? std::optional(read_row(rows, columns)) : std::nullopt;
}

/// The first column of every row, as text.
template <class... Values>
std::vector<std::string> select_texts(SQLite::Database& db,
                                      const std::string& sql,
                                      const Values&... values) {
  auto rows = statement(db, sql, values...);
  std::vector<std::string> list;
  while (rows.executeStep()) {
    list.push_back(rows.getColumn(0).getString());
  }
  return list;
}

// --- writing ------------------------------------------------------------------------------------

inline void bind_value(SQLite::Statement& to, int index, const std::string& value) {
  to.bind(index, value);
}
inline void bind_value(SQLite::Statement& to, int index, int value) {
  to.bind(index, value);
}
inline void bind_value(SQLite::Statement& to, int index, std::int64_t value) {
  to.bind(index, value);
}
inline void bind_value(SQLite::Statement& to, int index, std::uint64_t value) {
  to.bind(index, static_cast<std::int64_t>(value));
}
inline void bind_value(SQLite::Statement& to, int index, bool value) {
  to.bind(index, static_cast<int>(value));
}
inline void bind_value(SQLite::Statement& to, int index, double value) {
  to.bind(index, value);  // SQLite keeps NaN as NULL
}
inline void bind_value(SQLite::Statement& to, int index, const std::optional<double>& value) {
  if (value) {
    to.bind(index, *value);
  } else {
    to.bind(index);
  }
}
inline void bind_value(SQLite::Statement& to, int index, const Json& value) {
  to.bind(index, value.dump());
}
inline void bind_value(SQLite::Statement& to, int index, NodeState value) {
  to.bind(index, to_string(value));
}

template <class Row, class... Entries>
void bind_entry(SQLite::Statement& to,
                int& index,
                const RowColumns<Row, Entries...>& columns,
                const Row& row);

template <class Row, class Value>
void bind_entry(SQLite::Statement& to,
                int& index,
                const Column<Row, Value>& column,
                const Row& row) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (column.null_if_empty && (row.*column.member).empty()) {
      to.bind(index++);
      return;
    }
  }
  bind_value(to, index++, row.*column.member);
}

template <class Row, class Member, class MemberColumns>
void bind_entry(SQLite::Statement& to,
                int& index,
                const InnerColumns<Row, Member, MemberColumns>& inner,
                const Row& row) {
  bind_entry(to, index, inner.columns, row.*inner.member);
}

template <class Row, class... Entries>
void bind_entry(SQLite::Statement& to,
                int& index,
                const RowColumns<Row, Entries...>& columns,
                const Row& row) {
  std::apply([&](const auto&... each) { (bind_entry(to, index, each, row), ...); },
             columns.entries);
}

/// "ON CONFLICT ..." that replaces the row of the same first column if anything differs.
template <class Columns>
std::string or_update(const Columns& columns) {
  const std::vector<std::string> names = names_of(columns);
  std::vector<std::string> set;
  for (std::size_t i = 1; i < names.size(); ++i) {
    set.push_back(fmt::format("{0} = excluded.{0}", names[i]));
  }
  return fmt::format("ON CONFLICT ({}) DO UPDATE SET {} WHERE ({}) IS NOT (excluded.{})",
                     names.front(),
                     fmt::join(set, ", "),
                     fmt::join(names, ", "),
                     fmt::join(names, ", excluded."));
}

/// Writes rows of one list of columns with one prepared statement.
template <class Row, class... Entries>
class Insert {
 public:
  /// `into`: "INSERT INTO node"; `rest` is what follows the values. `owner`: a column before those
  /// of the row, and its value for all rows.
  Insert(SQLite::Database& db,
         const std::string& into,
         const RowColumns<Row, Entries...>& columns,
         const std::string& rest = {})
      : columns_(columns), insert_(db, insert_sql(into, names_of(columns), rest)) {}
  Insert(SQLite::Database& db,
         const std::string& into,
         const std::pair<std::string, std::string>& owner,
         const RowColumns<Row, Entries...>& columns)
      : columns_(columns),
        first_(2),
        insert_(db, insert_sql(into, with_owner(owner, columns), {})) {
    insert_.bind(1, owner.second);  // stays bound when the statement is reset
  }

  /// Returns the number of rows that were changed.
  int put(const Row& row) {
    int index = first_;
    bind_entry(insert_, index, columns_, row);
    const int changed = insert_.exec();
    insert_.reset();
    return changed;
  }
  void put(const std::vector<Row>& rows) {
    for (const Row& row : rows) {
      put(row);
    }
  }

 private:
  static std::vector<std::string> with_owner(const std::pair<std::string, std::string>& owner,
                                             const RowColumns<Row, Entries...>& columns) {
    std::vector<std::string> names = names_of(columns);
    names.insert(names.begin(), owner.first);
    return names;
  }
  static std::string insert_sql(const std::string& into,
                                const std::vector<std::string>& names,
                                const std::string& rest) {
    const std::vector<std::string> places(names.size(), "?");
    return fmt::format(
        "{} ({}) VALUES ({}) {}", into, fmt::join(names, ", "), fmt::join(places, ","), rest);
  }

  RowColumns<Row, Entries...> columns_;
  int first_ = 1;
  SQLite::Statement insert_;
};

}  // namespace sar
