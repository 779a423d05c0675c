#include "experiments/cli/output.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <string_view>

namespace sar::cli {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kDatabase = "database";

/// What a file holds, as far as it must not be lost by a slip of the hand: what this program writes
/// as text in one format may replace what it wrote in another.
std::string_view kind_of(std::string_view content) {
  if (content.starts_with("SQLite format 3")) {
    return kDatabase;
  }
  const bool binary = content.find('\0') != std::string_view::npos ||
                      content.starts_with("\x89PNG") || content.starts_with("%PDF") ||
                      content.starts_with("\x1f\x8b");
  return binary ? "binary data" : "text";
}

/// As much of a file as tells its kind.
std::string beginning_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) {
    throw io_error("what the output would replace cannot be read").with("file", path.string());
  }
  std::string begin(4096, '\0');
  file.read(begin.data(), static_cast<std::streamsize>(begin.size()));
  begin.resize(static_cast<std::size_t>(file.gcount()));
  return begin;
}

/// Where a link leads in the end, also where nothing is yet.
fs::path target_of(fs::path path) {
  constexpr int kMostLinks = 40;  // as Linux has it
  std::error_code failure;
  for (int link = 0; fs::is_symlink(fs::symlink_status(path, failure)); ++link) {
    if (link == kMostLinks) {
      throw io_error("too many links").with("file", path.string());
    }
    path = path.parent_path() / fs::read_symlink(path);
  }
  return path;
}

/// Standard output or error if `path` is the same file: renaming another over it would lose what it
/// holds and what is still to come. Else -1.
int standard_stream(const fs::path& path) {
  struct stat named {};
  if (::stat(path.c_str(), &named) != 0) {
    return -1;
  }
  for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
    struct stat open {};
    if (::fstat(descriptor, &open) == 0 && open.st_dev == named.st_dev &&
        open.st_ino == named.st_ino) {
      return descriptor;
    }
  }
  return -1;
}

void write_into(const fs::path& path, const std::string& text) {
  struct Close {
    void operator()(std::FILE* file) const { static_cast<void>(std::fclose(file)); }
  };
  const std::unique_ptr<std::FILE, Close> file(std::fopen(path.c_str(), "ae"));
  if (!file || std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() ||
      std::fflush(file.get()) != 0) {
    throw io_error("cannot write the output")
        .with("file", path.string())
        .with("reason", std::strerror(errno));
  }
}

}  // namespace

void refuse_as_output(const fs::path& path, const std::string& text, bool force) {
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (fs::is_directory(status)) {
    throw usage_error("the output goes to a file, and this is a folder")
        .with("folder", path.string());
  }
  if (!fs::is_regular_file(status) || fs::file_size(path, failure) == 0 ||
      standard_stream(path) >= 0) {
    return;
  }
  const std::string_view there = kind_of(beginning_of(path));
  if (there == kDatabase) {
    throw usage_error("the output would replace a database")
        .with("file", path.string())
        .hint("name another file with -o");
  }
  const std::string_view given = kind_of(text);
  if (there != given && !force) {
    throw usage_error("the output would replace a file of another kind")
        .with("file", path.string())
        .with("it holds", there)
        .with("it would hold", given)
        .hint("name another file with -o, or say --force");
  }
}

void write_output(const fs::path& path, const std::string& text, bool force) {
  refuse_as_output(path, text, force);
  if (const int stream = standard_stream(path); stream >= 0) {
    write_into("/dev/fd/" + std::to_string(stream), text);
    return;
  }
  std::error_code failure;
  const fs::file_status status = fs::status(path, failure);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    write_into(path, text);
    return;
  }
  write_file_atomically(target_of(path), text);
}

}  // namespace sar::cli
