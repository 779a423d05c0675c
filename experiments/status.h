#pragma once

#include "harness/core/json.h"

#include <chrono>
#include <cstddef>
#include <string>

namespace sar {

/// A run that has not written its state for so long is not taken for running: it writes about once
/// a second.
constexpr std::chrono::seconds kSilence{60};

/// Judges what a run last wrote about itself (status.json in its state folder). A "running" state
/// becomes "stopped without finishing" if `process_is_gone` (known on the run's own host alone),
/// "not heard of" if the run was last seen longer than `kSilence` before `now`, from any host.
/// Adds "silent_s", the seconds since it was last seen (0 if clocks disagree).
Json judged_status(Json state, std::chrono::system_clock::time_point now, bool process_is_gone);

/// How a state is laid out.
struct StatusLook {
  std::size_t width = 100;  ///< columns; longer lines are cut where `height` is limited
  std::size_t height = 0;   ///< lines at most, at least 4; 0: all, and no line is cut
  bool color = false;       ///< by terminal escape codes
};

/// The state as lines, each ended by a line feed: state and data, a bar with percentage and time
/// left, cells, nodes by kind, what runs on each worker, failures with reasons, where the run is
/// and when it was last seen. `state` as `judged_status` returns it, perhaps with "failed", a list
/// of failed cells with method, task, fraction, trial and reason. If lines are short, failures give
/// way first, then workers, then kinds.
std::string status_text(const Json& state, const StatusLook& look);

}  // namespace sar
