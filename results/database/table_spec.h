#pragma once

#include "harness/core/json.h"

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// One column of a results table: which cells it shows and how it is headed.
struct TableColumn {
  std::string group;  ///< upper heading, e.g. "Task 1. BraTS2018"
  std::string label;  ///< "TumorS"
  std::string task, target, bucket = "all", fraction = "1";
};

struct TableRow {
  std::string method;
  std::string label;  ///< paper name
};

/// A table of Dice values, read from experiments/*.toml; also the family of tests of its rows
/// against the reference row, which the database keeps.
struct TableSpec {
  std::string id;  ///< "table2"; also the name of its family of tests
  std::string title;
  std::string reference = "sar";  ///< method that every other row is tested against
  std::vector<TableRow> rows;
  std::vector<TableColumn> columns;
  int trials = 5;  ///< trials that a complete cell has under the profile of the run
};

/// True if a trial of this method, task and fraction is part of a cell of the table.
bool shows(const TableSpec& spec,
           const std::string& method,
           const std::string& task,
           const std::string& fraction);

/// Position of the column with the same task, target, bucket and fraction, whatever its headings.
std::optional<std::size_t> find_column(const TableSpec& spec, const TableColumn& column);

/// As the database keeps it, and back.
Json to_json(const TableSpec& spec);
TableSpec table_spec_from(const Json& json);

}  // namespace sar
