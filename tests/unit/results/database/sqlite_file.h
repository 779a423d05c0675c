#pragma once

#include <filesystem>
#include <memory>
#include <string>

namespace sar::test {

/// A plain connection past the Store, for putting a file into states that the Store never makes.
class SqliteFile {
 public:
  explicit SqliteFile(const std::filesystem::path& path);
  ~SqliteFile();
  SqliteFile(const SqliteFile&) = delete;
  SqliteFile& operator=(const SqliteFile&) = delete;

  /// Runs statements; throws std::runtime_error with SQLite's message.
  void run(const std::string& sql);
  /// First column of the first row as text.
  std::string value(const std::string& sql);

 private:
  struct Handle;
  std::unique_ptr<Handle> handle_;
};

}  // namespace sar::test
