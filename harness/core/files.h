#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <span>
#include <string>
#include <string_view>

namespace sar {

/// Opens /dev/null in place of standard input, output or error where they are closed, so that no
/// file or pipe lands on their numbers and gets what is meant for them. First of all in `main`.
void open_standard_descriptors();

/// The whole file. Throws Error 66 if it is not there, 74 if it cannot be read.
std::string read_file(const std::filesystem::path& path);

/// Writes a file so that no reader ever sees a part of it: a temporary file in the same folder,
/// fsync, rename, fsync of the folder. Creates missing folders. Throws Error 74.
void write_file_atomically(const std::filesystem::path& path, std::string_view content);

/// The same for a library that writes by path: `write` gets the temporary path, which ends in the
/// extension of `path` (".nii.gz" counts as one). Nothing is left behind if `write` throws.
void write_file_atomically(const std::filesystem::path& path,
                           const std::function<void(const std::filesystem::path&)>& write);

/// "1.5 MiB in /data": what is left on the disk that holds `path`, for messages about files that
/// could not be written.
std::string free_space(const std::filesystem::path& path);

/// ".nii.gz" for "a/b.nii.gz", ".mhd" for "a/b.mhd"; lower case.
std::string extension_of(const std::filesystem::path& path);

/// A folder that is removed with everything in it when the object goes out of scope.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(std::string_view name = "sar-bench");
  ~TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  TemporaryFolder(TemporaryFolder&&) = delete;
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
};

/// An exclusive lock on a file (flock), held until destruction; waits for other processes.
class FileLock {
 public:
  explicit FileLock(const std::filesystem::path& path);
  /// Without waiting: `locked()` says whether the lock was taken.
  static FileLock attempt(const std::filesystem::path& path);
  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;
  FileLock(FileLock&& other) noexcept;
  FileLock& operator=(FileLock&&) = delete;

  [[nodiscard]] bool locked() const noexcept { return descriptor_ >= 0; }

 private:
  FileLock(const std::filesystem::path& path, bool wait);
  int descriptor_ = -1;
};

/// A file mapped read-only into memory; its pages are shared between processes.
class MappedFile {
 public:
  explicit MappedFile(const std::filesystem::path& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&&) = delete;

  [[nodiscard]] std::span<const std::byte> bytes() const noexcept { return {data_, size_}; }

 private:
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace sar
