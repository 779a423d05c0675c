#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>

namespace sar {

/// Reads a file, or the gzip or zlib stream in it, from front to back. Unlike the readers inside
/// ITK it never passes damage on as zeros: checksums are verified, and a short stream is an error.
class ByteStream {
 public:
  /// `offset`: bytes of the file before the data. Throws Error 66 if the file is not there, 74 if
  /// it cannot be opened.
  ByteStream(const std::filesystem::path& path, std::uint64_t offset, bool compressed);
  ~ByteStream();
  ByteStream(const ByteStream&) = delete;
  ByteStream& operator=(const ByteStream&) = delete;

  /// Fills `bytes`. Throws Error 65 if the data end before, or are damaged.
  void read(std::span<std::byte> bytes);
  void skip(std::uint64_t count);
  /// Throws Error 65 if there are data left, or the checksum at the end does not fit.
  void expect_end();

 private:
  struct State;
  std::size_t read_some(std::span<std::byte> bytes);
  std::unique_ptr<State> state_;
};

/// True if the file begins with the two bytes of a gzip stream. Throws as ByteStream.
bool starts_like_gzip(const std::filesystem::path& path);

}  // namespace sar
