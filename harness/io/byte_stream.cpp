#include "harness/io/byte_stream.h"

#include "harness/core/error.h"

#include <zlib.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

namespace sar {
struct ByteStream::State {
  struct Close {
    void operator()(std::FILE* opened) const { std::fclose(opened); }
  };
  std::unique_ptr<std::FILE, Close> file;
  bool compressed = false;
  bool ended = false;       ///< of the compressed stream
  std::uint64_t total = 0;  ///< bytes handed out
  z_stream inflater{};
  std::vector<Bytef> input;

  ~State() {
    if (compressed) {
      inflateEnd(&inflater);
    }
  }

  /// Raw bytes of the file; 0 at its end.
  std::size_t fetch(void* to, std::size_t count) {
    const std::size_t got = std::fread(to, 1, count, file.get());
    if (got < count && std::ferror(file.get()) != 0) {
      throw io_error("cannot read file").with("reason", std::strerror(errno));
    }
    return got;
  }

  /// Makes sure that the inflater has input; false at the end of the file.
  bool refill() {
    if (inflater.avail_in == 0) {
      inflater.next_in = input.data();
      inflater.avail_in = static_cast<uInt>(fetch(input.data(), input.size()));
    }
    return inflater.avail_in > 0;
  }
};

ByteStream::ByteStream(const std::filesystem::path& path, std::uint64_t offset, bool compressed)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.file.reset(std::fopen(path.c_str(), "rb"));
  if (!state.file) {
    const int number = errno;
    Error error =
        number == ENOENT ? not_found_error("file is not there") : io_error("cannot open file");
    throw std::move(error).with("reason", std::strerror(number));
  }
  if (offset > 0 && ::fseeko(state.file.get(), static_cast<off_t>(offset), SEEK_SET) != 0) {
    throw io_error("cannot seek in file").with("reason", std::strerror(errno));
  }
  if (compressed) {
    constexpr int kGzipOrZlib = MAX_WBITS + 32;  // told apart by their first bytes
    if (inflateInit2(&state.inflater, kGzipOrZlib) != Z_OK) {
      throw internal_error("cannot start zlib");
    }
    state.compressed = true;
    state.input.resize(std::size_t{1} << 18U);
  }
}

ByteStream::~ByteStream() = default;

std::size_t ByteStream::read_some(std::span<std::byte> bytes) {
  State& state = *state_;
  if (!state.compressed) {
    return state.fetch(bytes.data(), bytes.size());
  }
  z_stream& inflater = state.inflater;
  std::size_t done = 0;
  while (done < bytes.size()) {
    if (!state.refill()) {
      if (!state.ended) {
        throw data_error("file is truncated: its compressed data stop early")
            .with("after bytes", std::to_string(state.total + done));
      }
      break;
    }
    if (state.ended) {
      constexpr Bytef kGzipFirstByte = 0x1f;  // another member follows; anything else is padding
      if (*inflater.next_in != kGzipFirstByte) {
        break;
      }
      inflateReset(&inflater);
      state.ended = false;
    }
    const std::size_t room =
        std::min<std::size_t>(bytes.size() - done, std::numeric_limits<uInt>::max());
    inflater.next_out = reinterpret_cast<Bytef*>(bytes.data() + done);
    inflater.avail_out = static_cast<uInt>(room);
    const int result = inflate(&inflater, Z_NO_FLUSH);
    done += room - inflater.avail_out;
    state.ended = result == Z_STREAM_END;
    if (result != Z_OK && result != Z_STREAM_END && result != Z_BUF_ERROR) {
      throw data_error("compressed data are damaged")
          .with("reason", inflater.msg != nullptr ? inflater.msg : "unknown")
          .with("after bytes", std::to_string(state.total + done));
    }
  }
  return done;
}

void ByteStream::read(std::span<std::byte> bytes) {
  const std::size_t got = read_some(bytes);
  state_->total += got;
  if (got < bytes.size()) {
    throw data_error("file is too short for what its header promises")
        .with("bytes there", std::to_string(state_->total));
  }
}

void ByteStream::skip(std::uint64_t count) {
  std::array<std::byte, 4096> sink;
  while (count > 0) {
    const auto step = static_cast<std::size_t>(std::min<std::uint64_t>(count, sink.size()));
    read(std::span(sink).first(step));
    count -= step;
  }
}

void ByteStream::expect_end() {
  std::array<std::byte, 1> more;
  if (read_some(more) > 0) {
    throw data_error("file holds more data than its header promises")
        .with("bytes promised", std::to_string(state_->total));
  }
}

bool starts_like_gzip(const std::filesystem::path& path) {
  std::array<std::byte, 2> bytes;
  ByteStream(path, 0, false).read(bytes);
  return bytes == std::array{std::byte{0x1f}, std::byte{0x8b}};
}

}  // namespace sar
