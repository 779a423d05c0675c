#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <span>
#include <string>

namespace SQLite {
class Database;
}

namespace sar {

/// One step of the schema's history: SQL that brings a file from the version before to `version`.
struct SchemaStep {
  int version = 0;
  std::string sql;
};

/// All steps, oldest first; the last one is today's version. Steps are never edited once released:
/// a change of a table is a new step. Views are not part of it: they hold no data and are made anew
/// by every migration.
std::span<const SchemaStep> schema_history();

struct OpenOptions {
  bool write = false;
  std::chrono::milliseconds busy_timeout{60'000};  ///< how long to wait for other writers
  int page_limit = 0;  ///< most pages of 4 KiB that the file may have; 0: no limit
};

/// Opens a database and brings it to the last version of `history`, in one transaction, after a
/// backup `FILE.backup-v<N>`. For reading, a file that cannot be written is migrated in memory
/// alone. A file that does not exist is made (`write`) or is Error 66. Throws
/// Error 74 if the file is another program's database or of a newer version; SQLite::Exception for
/// all that SQLite itself reports.
std::shared_ptr<SQLite::Database> open_database(const std::filesystem::path& path,
                                                const OpenOptions& options,
                                                std::span<const SchemaStep> history);

}  // namespace sar
