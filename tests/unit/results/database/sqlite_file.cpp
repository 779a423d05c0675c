#include "tests/unit/results/database/sqlite_file.h"

#include <sqlite3.h>

#include <stdexcept>

namespace sar::test {

struct SqliteFile::Handle {
  sqlite3* db = nullptr;
};

SqliteFile::SqliteFile(const std::filesystem::path& path) : handle_(std::make_unique<Handle>()) {
  if (sqlite3_open(path.c_str(), &handle_->db) != SQLITE_OK) {
    throw std::runtime_error("cannot open " + path.string());
  }
}

SqliteFile::~SqliteFile() {
  sqlite3_close(handle_->db);
}

void SqliteFile::run(const std::string& sql) {
  if (sqlite3_exec(handle_->db, sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(handle_->db));
  }
}

std::string SqliteFile::value(const std::string& sql) {
  std::string result;
  const auto keep = [](void* target, int, char** values, char**) {
    *static_cast<std::string*>(target) = values[0] == nullptr ? "" : values[0];
    return 0;
  };
  if (sqlite3_exec(handle_->db, sql.c_str(), keep, &result, nullptr) != SQLITE_OK) {
    throw std::runtime_error(sqlite3_errmsg(handle_->db));
  }
  return result;
}

}  // namespace sar::test
