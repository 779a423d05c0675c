#pragma once

#include "harness/config/settings.h"

#include <string_view>

namespace sar {

/// Every configuration key except those that a method or a data set declares for itself.
Schema core_schema();

/// Whether `finetune.normalization` brings the volumes of a task ("brats", "pancreas") to [0, 1],
/// as for pre-training, instead of the paper's z-scores.
bool normalised_to_unit(const Settings& settings, std::string_view task);

}  // namespace sar
