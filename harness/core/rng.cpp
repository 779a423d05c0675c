#include "harness/core/rng.h"

#include "harness/core/error.h"

#include <Random123/philox.h>

#include <cmath>
#include <numbers>

namespace sar {
namespace {

using Philox = r123::Philox4x32;  // 10 rounds

std::array<std::uint32_t, 4> philox(const std::array<std::uint32_t, 4>& counter,
                                    const std::array<std::uint32_t, 2>& key) {
  const Philox::ctr_type c = {{counter[0], counter[1], counter[2], counter[3]}};
  const Philox::key_type k = {{key[0], key[1]}};
  const Philox::ctr_type result = Philox()(c, k);
  return {result[0], result[1], result[2], result[3]};
}

std::uint64_t fnv1a(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325ULL;
  for (const char character : text) {
    hash = (hash ^ static_cast<unsigned char>(character)) * 0x100000001b3ULL;
  }
  return hash;
}

std::uint32_t low(std::uint64_t value) {
  return static_cast<std::uint32_t>(value);
}
std::uint32_t high(std::uint64_t value) {
  return static_cast<std::uint32_t>(value >> 32U);
}

}  // namespace

Rng::Rng(std::uint64_t seed) : key_{low(seed), high(seed)} {}

// A derived stream has a new 64-bit key: Philox of (purpose, index) under the parent's key, once
// per index. The stream's own counter then starts at zero in words 0 and 1. Derivation marks word
// 3, so that it never meets a counter that is used for drawing.
Rng Rng::at(std::string_view purpose, std::initializer_list<std::uint64_t> indices) const {
  const auto derive =
      [](const std::array<std::uint32_t, 2>& key, std::uint64_t value, std::uint32_t position) {
        const auto words = philox({low(value), high(value), position, 0x5341522DU}, key);
        return std::array<std::uint32_t, 2>{words[0], words[1]};
      };
  Rng stream(0);
  stream.key_ = derive(key_, fnv1a(purpose), 0);
  std::uint32_t position = 1;
  for (const std::uint64_t index : indices) {
    stream.key_ = derive(stream.key_, index, position++);
  }
  return stream;
}

void Rng::refill() {
  buffer_ = philox(counter_, key_);
  position_ = 0;
  if (++counter_[0] == 0) {
    ++counter_[1];
  }
}

std::uint32_t Rng::below(std::uint32_t n) {
  if (n == 0) {
    throw internal_error("Rng::below needs at least one value");
  }
  std::uint64_t product = static_cast<std::uint64_t>(next()) * n;
  if (low(product) < n) {
    const std::uint32_t threshold = (0U - n) % n;
    while (low(product) < threshold) {
      product = static_cast<std::uint64_t>(next()) * n;
    }
  }
  return high(product);
}

int Rng::between(int low_end, int high_end) {
  if (high_end < low_end) {
    throw internal_error("Rng::between needs low <= high");
  }
  const auto count = static_cast<std::uint32_t>(static_cast<std::int64_t>(high_end) - low_end + 1);
  return static_cast<int>(low_end + static_cast<std::int64_t>(below(count)));
}

double Rng::normal() {
  const double radius = std::sqrt(-2.0 * std::log1p(-uniform()));
  return radius * std::cos(2.0 * std::numbers::pi * uniform());
}

std::vector<std::uint32_t> Rng::permutation(std::uint32_t n) {
  std::vector<std::uint32_t> order(n);
  for (std::uint32_t i = 0; i < n; ++i) {
    order[i] = i;
  }
  for (std::uint32_t i = n; i > 1; --i) {
    std::swap(order[i - 1], order[below(i)]);
  }
  return order;
}

}  // namespace sar
