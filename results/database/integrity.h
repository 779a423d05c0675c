#pragma once

#include <string>
#include <vector>

namespace SQLite {
class Database;
}

namespace sar {

/// What `Store::check` finds, one line per fault; within a transaction, as others may write
/// meanwhile.
std::vector<std::string> find_faults(SQLite::Database& db);

}  // namespace sar
