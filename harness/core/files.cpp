#include "harness/core/files.h"

#include "harness/core/error.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cctype>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sar {
namespace fs = std::filesystem;
namespace {

Error system_error(const char* what, const fs::path& path, int error_number) {
  const std::string reason = std::strerror(error_number);
  Error error = error_number == ENOENT ? not_found_error(what) : io_error(what);
  return std::move(error).with("file", path.string()).with("reason", reason);
}

/// A descriptor that closes itself.
class Descriptor {
 public:
  Descriptor(const fs::path& path, int flags, mode_t mode = 0)
      : value_(::open(path.c_str(), flags | O_CLOEXEC, mode)) {}
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  [[nodiscard]] int get() const noexcept { return value_; }

 private:
  int value_;
};

void sync(const fs::path& path, int flags) {
  const Descriptor descriptor(path, flags);
  if (descriptor.get() < 0 || ::fsync(descriptor.get()) != 0) {
    throw system_error("cannot flush to disk", path, errno);
  }
}

void create_folder_of(const fs::path& path) {
  std::error_code code;
  if (path.has_parent_path()) {
    fs::create_directories(path.parent_path(), code);
    if (code) {
      throw io_error("cannot create folder")
          .with("folder", path.parent_path().string())
          .with("reason", code.message());
    }
  }
}

fs::path temporary_name(const fs::path& path) {
  static std::atomic<unsigned> counter{0};
  const std::string extension = extension_of(path);
  std::string stem = path.filename().string();
  stem.resize(stem.size() - extension.size());
  return path.parent_path() / ("." + stem + ".partial-" + std::to_string(::getpid()) + "-" +
                               std::to_string(counter++) + extension);
}

}  // namespace

void open_standard_descriptors() {
  for (int descriptor = STDIN_FILENO; descriptor <= STDERR_FILENO; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) {
      // The lowest number that is free, which is this one. Without /dev/null all stays as it was.
      [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
    }
  }
}

std::string read_file(const fs::path& path) {
  const Descriptor descriptor(path, O_RDONLY);
  if (descriptor.get() < 0) {
    throw system_error("cannot open file", path, errno);
  }
  std::string content;
  std::array<char, 1 << 16> buffer;
  while (true) {
    const ssize_t count = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (count < 0) {
      throw system_error("cannot read file", path, errno);
    }
    if (count == 0) {
      return content;
    }
    content.append(buffer.data(), static_cast<std::size_t>(count));
  }
}

void write_file_atomically(const fs::path& path, std::string_view content) {
  write_file_atomically(path, [&](const fs::path& temporary) {
    const Descriptor descriptor(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0644);
    if (descriptor.get() < 0) {
      throw system_error("cannot write file", path, errno);
    }
    std::string_view rest = content;
    while (!rest.empty()) {
      const ssize_t count = ::write(descriptor.get(), rest.data(), rest.size());
      if (count < 0) {
        if (errno == EINTR) {
          continue;
        }
        throw system_error("cannot write file", path, errno);
      }
      rest.remove_prefix(static_cast<std::size_t>(count));
    }
  });
}

void write_file_atomically(const fs::path& path,
                           const std::function<void(const fs::path&)>& write) {
  create_folder_of(path);
  const fs::path temporary = temporary_name(path);
  try {
    write(temporary);
    sync(temporary, O_RDONLY);
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
      throw system_error("cannot rename to", path, errno);
    }
  } catch (...) {
    std::error_code ignored;
    fs::remove(temporary, ignored);
    throw;
  }
  sync(path.has_parent_path() ? path.parent_path() : fs::path("."), O_RDONLY | O_DIRECTORY);
}

std::string free_space(const fs::path& path) {
  const fs::path folder = path.has_parent_path() ? path.parent_path() : fs::path(".");
  std::error_code unknown;
  const fs::space_info space = fs::space(folder, unknown);
  if (unknown) {
    return "unknown";
  }
  constexpr double kMebibyte = 1024.0 * 1024.0;
  return fmt::format(
      "{:.1f} MiB in {}", static_cast<double>(space.available) / kMebibyte, folder.string());
}

std::string extension_of(const fs::path& path) {
  std::string extension = path.extension().string();
  for (char& character : extension) {
    character = static_cast<char>(std::tolower(static_cast<unsigned char>(character)));
  }
  if (extension == ".gz") {
    return extension_of(path.stem()) + extension;
  }
  return extension;
}

TemporaryFolder::TemporaryFolder(std::string_view name) {
  std::error_code missing;
  const fs::path folder = fs::temp_directory_path(missing);
  if (missing) {
    const char* chosen = std::getenv("TMPDIR");
    throw io_error("there is no folder for temporary files")
        .with("TMPDIR", chosen == nullptr ? "/tmp" : chosen)
        .with("reason", missing.message())
        .hint("make that folder, or set TMPDIR to another");
  }
  std::string pattern = (folder / (std::string(name) + "-XXXXXX")).string();
  if (::mkdtemp(pattern.data()) == nullptr) {
    throw system_error("cannot create temporary folder", pattern, errno);
  }
  path_ = pattern;
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code ignored;
  fs::remove_all(path_, ignored);
}

FileLock::FileLock(const fs::path& path) : FileLock(path, true) {}

FileLock FileLock::attempt(const fs::path& path) {
  return {path, false};
}

FileLock::FileLock(const fs::path& path, bool wait) {
  create_folder_of(path);
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (descriptor_ < 0) {
    throw system_error("cannot open lock file", path, errno);
  }
  while (::flock(descriptor_, wait ? LOCK_EX : LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) {
      continue;
    }
    const int error_number = errno;
    ::close(descriptor_);
    descriptor_ = -1;
    if (error_number == EWOULDBLOCK) {
      return;
    }
    Error error = system_error("cannot lock", path, error_number);
    if (error_number == ENOSYS || error_number == ENOLCK || error_number == EOPNOTSUPP) {
      error.hint(
          "this file system has no locks (mounted without flock?): put --db and --work on another");
    }
    throw std::move(error);
  }
}

FileLock::FileLock(FileLock&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}

FileLock::~FileLock() {
  if (descriptor_ >= 0) {
    ::close(descriptor_);
  }
}

MappedFile::MappedFile(const fs::path& path) {
  const Descriptor descriptor(path, O_RDONLY);
  struct stat status {};
  if (descriptor.get() < 0 || ::fstat(descriptor.get(), &status) != 0) {
    throw system_error("cannot open file", path, errno);
  }
  size_ = static_cast<std::size_t>(status.st_size);
  if (size_ == 0) {
    return;
  }
  void* address = ::mmap(nullptr, size_, PROT_READ, MAP_SHARED, descriptor.get(), 0);
  if (address == MAP_FAILED) {
    size_ = 0;
    throw system_error("cannot map file", path, errno);
  }
  data_ = static_cast<const std::byte*>(address);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), size_(std::exchange(other.size_, 0)) {}

MappedFile::~MappedFile() {
  if (data_ != nullptr) {
    ::munmap(const_cast<std::byte*>(data_), size_);
  }
}

}  // namespace sar
