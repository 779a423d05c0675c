#pragma once

#include "experiments/worker/channel.h"
#include "harness/nn/method.h"

namespace sar::worker {

// Jobs that train or run networks, through the LibTorch-free interface of harness/nn/training.h.
jobs::TrainingResult pretrain(const jobs::Pretrain& job,
                              const Channel& channel,
                              const MethodRegistry& methods);
jobs::TrainingResult finetune(const jobs::Finetune& job,
                              const Channel& channel,
                              const MethodRegistry& methods);
jobs::Evaluate::Result evaluate(const jobs::Evaluate& job, const Channel& channel);

}  // namespace sar::worker
