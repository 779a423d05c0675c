#include "harness/nn/schedule.h"

#include <algorithm>

namespace sar {

double PlateauSchedule::observe(double loss, double learning_rate) {
  // A relative threshold asks for more below zero too, where PyTorch's rule would ask for less.
  const double share = state_.best >= 0 ? 1 - options_.threshold : 1 + options_.threshold;
  const double wanted = options_.relative ? state_.best * share : state_.best - options_.threshold;
  if (!state_.has_best || loss < wanted) {
    state_ = {loss, true, 0};
    return 1;
  }
  if (++state_.bad_epochs <= options_.patience) {
    return 1;
  }
  state_.bad_epochs = 0;
  const double lower = std::max(learning_rate * options_.factor, options_.minimum_learning_rate);
  constexpr double kLeastCut = 1e-8;
  return learning_rate - lower > kLeastCut ? lower / learning_rate : 1;
}

PlateauSchedule::Options schedule_options(const Settings& settings, const std::string& stage) {
  PlateauSchedule::Options options;
  options.factor = settings.number("schedule." + stage + "_factor");
  options.patience = settings.integer("schedule." + stage + "_patience");
  options.threshold = settings.number("schedule.threshold");
  options.relative = settings.text("schedule.threshold_mode") == "relative";
  options.minimum_learning_rate = settings.number("schedule.minimum_learning_rate");
  return options;
}

}  // namespace sar
