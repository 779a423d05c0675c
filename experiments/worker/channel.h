#pragma once

#include "experiments/jobs.h"

#include <functional>
#include <string>

namespace sar::worker {

/// How a job talks to the front while it runs.
struct Channel {
  std::function<void(const events::Event&)> send;
  std::function<bool()> stop;  ///< true once the job should write a checkpoint and end
};

/// Passes warnings on to the front.
inline std::function<void(const std::string&)> warnings_to(const Channel& channel) {
  return [&channel](const std::string& text) { channel.send(events::Warning{text}); };
}

}  // namespace sar::worker
