#pragma once

#include "experiments/jobs.h"

#include <functional>

namespace sar::worker {

/// How a job talks to the front while it runs.
struct Channel {
  std::function<void(const events::Event&)> send;
  std::function<bool()> stop;  ///< true once the job should write a checkpoint and end
};

}  // namespace sar::worker
