#pragma once

#include "experiments/worker/jobs.h"
#include "harness/core/json.h"
#include "harness/nn/method.h"

namespace sar::worker {

// Jobs that train or run networks, through the LibTorch-free interface of harness/nn/training.h.
Json pretrain(const Json& job, const Channel& channel, const MethodRegistry& methods);
Json finetune(const Json& job, const Channel& channel, const MethodRegistry& methods);
Json evaluate(const Json& job, const Channel& channel);

}  // namespace sar::worker
