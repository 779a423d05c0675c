#pragma once

#include "harness/core/json.h"

#include <functional>
#include <string>

namespace sar::worker {

/// How a job talks to the front while it runs.
struct Channel {
  std::function<void(const Json&)> send;  ///< one event
  std::function<bool()> stop;             ///< true once the job should write a checkpoint and end
};

/// Runs one job and returns its result; the fields of each kind are documented in
/// experiments/worker/README.md. Throws Error.
Json run(const Json& job, const Channel& channel);

/// Registries, keys and versions, for the front's catalog.json.
Json describe();

}  // namespace sar::worker
