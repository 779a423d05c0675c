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

/// A column, or an SQL expression, and the member of a row that holds its value.
template <class Get>
struct Column {
  const char* table;  ///< alias that the column is named with, "c."; may be empty
  const char* sql;
  Get get;                     ///< the member of a row
  bool null_if_empty = false;  ///< an empty text is stored as NULL
};

/// All columns of a row, in the order of the statement.
template <class Row, class... Columns>
struct RowColumns {
  std::tuple<Columns...> list;
};

template <class Row, class Value>
constexpr auto column(const char* sql, Value Row::*member, bool null_if_empty = false) {
  const auto get = [member](auto& row) -> auto& {
    return row.*member;
  };
  return std::tuple(Column<decltype(get)>{"", sql, get, null_if_empty});
}
/// A text that is NULL in the database where it is empty here.
template <class Row>
constexpr auto optional_text(const char* sql, std::string Row::*member) {
  return column(sql, member, true);
}
/// The columns of a member that is a row itself.
template <class Row, class Inner, class... Columns>
constexpr auto inner(const char* table,
                     Inner Row::*member,
                     const RowColumns<Inner, Columns...>& columns) {
  const auto outer = [table, member](const auto& each) {
    const auto get = [ member, of = each.get ](auto& row) -> auto& {
      return of(row.*member);
    };
    return Column<decltype(get)>{table, each.sql, get, each.null_if_empty};
  };
  return std::apply([&](const auto&... each) { return std::tuple(outer(each)...); }, columns.list);
}

template <class Row, class... Columns>
constexpr RowColumns<Row, Columns...> row_columns(std::tuple<Columns...> list) {
  return {std::move(list)};
}
/// The columns of `Row`: any number of the three above.
template <class Row, class... Parts>
constexpr auto columns(const Parts&... parts) {
  return row_columns<Row>(std::tuple_cat(parts...));
}

template <class Row, class... Columns>
std::vector<std::string> names_of(const RowColumns<Row, Columns...>& columns) {
  return std::apply(
      [](const auto&... each) {
        return std::vector<std::string>{std::string(each.table) + each.sql...};
      },
      columns.list);
}

// --- reading ------------------------------------------------------------------------------------

/// A NULL text is empty, and a NULL number that must be one is NaN, as SQLite keeps NaN as NULL.
template <class Value>
void read_value(const SQLite::Column& from, Value& to) {
  if constexpr (std::is_same_v<Value, std::string>) {
    to = from.getString();
  } else if constexpr (std::is_same_v<Value, Json>) {
    to = Json::parse(from.getString());
  } else if constexpr (std::is_same_v<Value, NodeState>) {
    to = node_state(from.getString());
  } else if constexpr (std::is_same_v<Value, double>) {
    to = from.isNull() ? std::numeric_limits<double>::quiet_NaN() : from.getDouble();
  } else if constexpr (std::is_same_v<Value, std::optional<double>>) {
    to = from.isNull() ? std::nullopt : std::optional(from.getDouble());
  } else if constexpr (std::is_same_v<Value, std::optional<std::int64_t>>) {
    to = from.isNull() ? std::nullopt : std::optional(from.getInt64());
  } else if constexpr (std::is_same_v<Value, bool>) {
    to = from.getInt() != 0;
  } else {
    static_assert(std::is_integral_v<Value>);
    to = static_cast<Value>(from.getInt64());
  }
}

/// Reads the row that a statement of `select_sql` stands at.
template <class Row, class... Columns>
void read_row(const SQLite::Statement& statement,
              const RowColumns<Row, Columns...>& columns,
              Row& row) {
  int index = 0;
  std::apply(
      [&](const auto&... each) { (read_value(statement.getColumn(index++), each.get(row)), ...); },
      columns.list);
}
template <class Row, class... Columns>
Row read_row(const SQLite::Statement& statement, const RowColumns<Row, Columns...>& columns) {
  Row row;
  read_row(statement, columns, row);
  return row;
}

/// "SELECT <columns> <rest>"; `rest`: "FROM node WHERE key = ?".
template <class Row, class... Columns>
std::string select_sql(const RowColumns<Row, Columns...>& columns, const std::string& rest) {
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
template <class Row, class... Columns, class... Values>
std::vector<Row> select_all(SQLite::Database& db,
                            const RowColumns<Row, Columns...>& columns,
                            const std::string& rest,
                            const Values&... values) {
  auto rows = statement(db, select_sql(columns, rest), values...);
  std::vector<Row> list;
  while (rows.executeStep()) {
    read_row(rows, columns, list.emplace_back());
  }
  return list;
}

/// The first row of "SELECT <columns> <rest>".
template <class Row, class... Columns, class... Values>
std::optional<Row> select_first(SQLite::Database& db,
                                const RowColumns<Row, Columns...>& columns,
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

template <class Value>
void bind_value(SQLite::Statement& to, int index, const Value& value, bool null_if_empty) {
  if constexpr (std::is_same_v<Value, std::string>) {
    if (null_if_empty && value.empty()) {
      to.bind(index);
    } else {
      to.bind(index, value);
    }
  } else if constexpr (std::is_same_v<Value, Json>) {
    to.bind(index, value.dump());
  } else if constexpr (std::is_same_v<Value, NodeState>) {
    to.bind(index, to_string(value));
  } else if constexpr (std::is_same_v<Value, double>) {
    to.bind(index, value);
  } else if constexpr (std::is_same_v<Value, std::optional<double>> ||
                       std::is_same_v<Value, std::optional<std::int64_t>>) {
    if (value) {
      to.bind(index, *value);
    } else {
      to.bind(index);
    }
  } else {
    static_assert(std::is_integral_v<Value>);
    to.bind(index, static_cast<std::int64_t>(value));
  }
}

/// "ON CONFLICT ..." that replaces the row of the same first column if anything differs.
template <class Row, class... Columns>
std::string or_update(const RowColumns<Row, Columns...>& columns) {
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
template <class Row, class... Columns>
class Insert {
 public:
  /// `into`: "INSERT INTO node"; `rest` is what follows the values.
  Insert(SQLite::Database& db,
         const std::string& into,
         const RowColumns<Row, Columns...>& columns,
         const std::string& rest = {})
      : columns_(columns), insert_(db, insert_sql(into, names_of(columns), rest)) {}
  /// `owner`: a column before those of the row, and its value for all rows.
  Insert(SQLite::Database& db,
         const std::string& into,
         const std::pair<std::string, std::string>& owner,
         const RowColumns<Row, Columns...>& columns)
      : columns_(columns), first_(2), insert_(db, insert_sql(into, with(owner, columns), {})) {
    insert_.bind(1, owner.second);  // stays bound when the statement is reset
  }

  /// Returns the number of rows that were changed.
  int put(const Row& row) {
    int index = first_;
    std::apply(
        [&](const auto&... each) {
          (bind_value(insert_, index++, each.get(row), each.null_if_empty), ...);
        },
        columns_.list);
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
  static std::vector<std::string> with(const std::pair<std::string, std::string>& owner,
                                       const RowColumns<Row, Columns...>& columns) {
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

  RowColumns<Row, Columns...> columns_;
  int first_ = 1;
  SQLite::Statement insert_;
};

}  // namespace sar
