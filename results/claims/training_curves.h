#pragma once

#include "results/claims/judge.h"
#include "results/tables/loss_curves.h"

#include <string>

namespace sar {

/// Judges whether `number` of a fine-tuning with all labels is lower for the claim's method than
/// for each of `versus`, on each of its tasks. `unit` follows differences ("" or " steps");
/// `digits`: decimals to show.
void judge_curves(Judge& judge,
                  double (*number)(const TrialConvergence&),
                  const std::string& unit,
                  int digits);

}  // namespace sar
