#pragma once

#include "results/database/rows.h"

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// Labelled cases that fine-tuning uses, for training and for validation, by task and fraction:
/// mean over the trials. A case on both sides counts once.
std::map<std::pair<std::string, std::string>, double> labelled_cases(
    const std::vector<TrialInputs>& trials);

}  // namespace sar
