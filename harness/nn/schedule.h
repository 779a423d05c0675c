#pragma once

#include "harness/config/settings.h"

namespace sar {

/// Multiplies learning rates by a factor when a validation loss has stopped improving: the rule of
/// PyTorch's ReduceLROnPlateau (LibTorch 1.13 has none). One schedule serves all parameter groups,
/// so their ratios stay.
class PlateauSchedule {
 public:
  struct Options {
    double factor = 0.5;
    int patience = 10;        ///< epochs without improvement that are tolerated
    double threshold = 1e-4;  ///< least improvement that counts
    bool relative = true;     ///< threshold relative to the best loss, or absolute
    double minimum_learning_rate = 1e-6;
  };
  /// All that changes; kept in checkpoints.
  struct State {
    double best = 0;
    bool has_best = false;
    int bad_epochs = 0;
  };

  explicit PlateauSchedule(const Options& options) : options_(options) {}

  /// Takes the loss of an epoch and answers the factor for all rates: 1, `factor`, or less of a cut
  /// where `learning_rate` would fall below the minimum. Cuts by less than 1e-8 are left out, as in
  /// PyTorch.
  double observe(double loss, double learning_rate);

  [[nodiscard]] const State& state() const { return state_; }
  void restore(const State& state) { state_ = state; }

 private:
  Options options_;
  State state_;
};

/// Reads `schedule.<stage>_factor`, `schedule.<stage>_patience` and the shared keys; `stage` is
/// "pretrain" or "finetune".
PlateauSchedule::Options schedule_options(const Settings& settings, const std::string& stage);

}  // namespace sar
