#pragma once

namespace sar {

/// Counts the floating-point operations of all convolutions and matrix products that LibTorch runs
/// in this process while the counter lives, backward passes included: two for each
/// multiply-accumulate, all taps of a kernel, padding too. Not counted: normalisation, activation
/// and the optimiser, below one in a hundred of a step; and a recurrent layer that cuDNN runs as
/// one operation (the GRU of CPC on a GPU). One counter at a time.
class FlopCounter {
 public:
  FlopCounter();
  ~FlopCounter();
  FlopCounter(const FlopCounter&) = delete;
  FlopCounter& operator=(const FlopCounter&) = delete;
  FlopCounter(FlopCounter&&) = delete;
  FlopCounter& operator=(FlopCounter&&) = delete;

  /// Operations since it was made.
  [[nodiscard]] double count() const;

 private:
  unsigned long handle_;
};

}  // namespace sar
