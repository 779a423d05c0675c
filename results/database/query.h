#pragma once

#include "harness/core/json.h"

#include <string>

namespace SQLite {
class Database;
}

namespace sar {

/// Runs one reading statement: {"columns": [names], "rows": [[values]]}; a blob is hexadecimal
/// text. Throws Error 2 for a statement that writes or is not valid SQL, or for several;
/// SQLite::Exception for all else.
Json run_query(SQLite::Database& db, const std::string& sql);

}  // namespace sar
