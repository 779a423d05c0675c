#pragma once

#include <array>
#include <csignal>

namespace sar {

/// What asks a run to write its checkpoints and end: SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2
/// (time limits of batch systems, as they are configured) and SIGXCPU.
inline constexpr std::array kStopSignals{SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU};

/// Lets these signals set a flag instead of ending the process; system calls are interrupted, not
/// restarted. A SIGHUP that is ignored already (nohup) stays so. SIGPIPE is ignored, so that a
/// closed pipe is an error of `write`.
void catch_stop_signals();

/// The same until it goes out of scope; then the signals do what they did before.
class StopSignalScope {
 public:
  StopSignalScope();
  ~StopSignalScope();
  StopSignalScope(const StopSignalScope&) = delete;
  StopSignalScope& operator=(const StopSignalScope&) = delete;
  StopSignalScope(StopSignalScope&&) = delete;
  StopSignalScope& operator=(StopSignalScope&&) = delete;

 private:
  std::array<struct sigaction, kStopSignals.size() + 1> before_{};
};

/// Whether one of these signals has arrived.
bool stop_asked();
/// Whether somebody asked again, by SIGINT or SIGTERM in a later second than the first signal. A
/// terminal that closes sends SIGHUP twice, and SIGXCPU comes every second: these do not insist.
bool stop_insisted();

/// For a process that must not outlive the one that started it: once that is gone, the first stop
/// signal also starts a clock, and after so many seconds the process ends whatever it is doing.
void end_after_parent(unsigned seconds);

}  // namespace sar
