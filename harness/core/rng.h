#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace sar {

/// One name per source of chance. Any of them can be varied alone; a draw depends on what it is
/// for, never on the order of calls, on the thread, or on where a run was resumed.
namespace purpose {
inline constexpr std::string_view split = "split";            ///< train/test splits and folds
inline constexpr std::string_view validation = "validation";  ///< validation cases
inline constexpr std::string_view fraction = "fraction";  ///< order of cases for label fractions
inline constexpr std::string_view initialisation = "initialisation";  ///< network weights
inline constexpr std::string_view order = "order";          ///< order of samples in an epoch
inline constexpr std::string_view cube = "cube";            ///< place of a cube in its volume
inline constexpr std::string_view transform = "transform";  ///< Models Genesis transforms
inline constexpr std::string_view patch = "patch";          ///< place of a fine-tuning patch
inline constexpr std::string_view augment = "augment";      ///< fine-tuning augmentation
inline constexpr std::string_view proxy = "proxy";          ///< labels drawn by a proxy task
inline constexpr std::string_view dropout = "dropout";  ///< LibTorch's own generator in an epoch
inline constexpr std::string_view phantom = "phantom";  ///< phantom volumes
}  // namespace purpose

/// Counter-based random stream: Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy
/// as 1, 2, 3", SC 2011, from the Random123 library. A stream is a value: copying it replays it.
/// None of the distributions of <random> is used, because their results differ between standard
/// libraries.
class Rng {
 public:
  using result_type = std::uint32_t;

  explicit Rng(std::uint64_t seed);

  /// The stream for one purpose and one item, e.g. `Rng(seed).at(purpose::transform, {epoch,
  /// cube})`. Streams of different purposes or indices are independent; calling `at` on a derived
  /// stream derives further. At most 2^34 numbers may be drawn from one stream.
  [[nodiscard]] Rng at(std::string_view purpose,
                       std::initializer_list<std::uint64_t> indices = {}) const;

  std::uint32_t next() {
    if (position_ == 4) {
      refill();
    }
    return buffer_[position_++];
  }
  std::uint64_t next64() {
    const std::uint64_t high = next();
    return (high << 32U) | next();
  }

  /// Uniform in [0, 1) with 53 random bits.
  double uniform() { return static_cast<double>(next64() >> 11U) * 0x1.0p-53; }
  /// Uniform in [0, 1) with 24 random bits; for voxels, where one draw per value matters.
  float uniform_float() { return static_cast<float>(next() >> 8U) * 0x1.0p-24F; }
  /// Uniform in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Uniform in {0 .. n-1} without bias (Lemire's multiply and reject). n must be at least 1.
  std::uint32_t below(std::uint32_t n);
  /// Uniform in {low .. high}, both ends included.
  int between(int low, int high);
  /// True with the given probability.
  bool chance(double probability) { return uniform() < probability; }
  /// Standard normal (Box–Muller, one value per two uniforms so that draws stay countable).
  double normal();
  /// A uniform permutation of 0..n-1 (Fisher–Yates).
  std::vector<std::uint32_t> permutation(std::uint32_t n);
  /// A 64-bit seed for generators that are not ours.
  std::uint64_t seed() { return next64(); }

 private:
  void refill();

  std::array<std::uint32_t, 2> key_{};
  std::array<std::uint32_t, 4> counter_{};
  std::array<std::uint32_t, 4> buffer_{};
  std::uint32_t position_ = 4;
};

}  // namespace sar
