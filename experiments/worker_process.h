#pragma once

#include "experiments/jobs.h"

#include <sys/types.h>

#include <array>
#include <chrono>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace sar {

/// A running `sar-bench-worker serve` (experiments/jobs.h). It runs in a process group of its own,
/// so a terminal's Ctrl-C reaches only the front, and it stops by itself when the front dies.
///
/// The worker first says of which version it is. Until it has, jobs wait here, and what it writes
/// to its standard error is kept for the message if it ends; afterwards that is passed on.
class WorkerProcess {
 public:
  /// Throws Error 70 if the executable cannot be started.
  explicit WorkerProcess(std::filesystem::path executable);
  ~WorkerProcess();  ///< closes its input, waits; kills it after five seconds
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void send(const jobs::Job& job);
  /// The descriptors to poll for reading: its events, its standard error.
  [[nodiscard]] std::array<int, 2> descriptors() const {
    return {output_.descriptor, errors_.descriptor};
  }
  /// Reads what has arrived, without waiting; complete lines are returned as events. `ended()` is
  /// true after the end of the stream. Throws Error 70 for a line that is not an event, for a
  /// worker of another version than this program, and for one that exits before it says its version
  /// (with what it lacks or what it wrote last).
  std::vector<events::Event> receive();
  [[nodiscard]] bool ended() const { return ended_; }
  /// It has said its version, which is that of this program.
  [[nodiscard]] bool greeted() const { return greeted_; }
  /// Asks the worker to write a checkpoint and stop. To be called again and again: one that takes
  /// longer than a minute, or must go at once, is killed.
  void stop(bool at_once);
  void kill();
  /// Waits for the process and says (also when asked again) how it ended, e.g. "exit code 1",
  /// "signal 9 (Killed), perhaps out of memory".
  std::string wait();
  /// After `wait()`: somebody else killed it; most often the system, for lack of memory.
  [[nodiscard]] bool was_killed() const { return killed_ && !killed_here_; }

 private:
  using Clock = std::chrono::steady_clock;

  /// What arrives through a pipe.
  struct Stream {
    int descriptor = -1;  ///< -1: ended
    std::string text;     ///< what nobody has taken yet
    /// Waits up to `milliseconds`, takes what is there; false if nothing came.
    bool read(int milliseconds);
    void close();
  };
  void write(const std::string& line);
  void greet(const events::Event& first);
  void pass_errors_on();
  void refuse_silent();

  std::filesystem::path executable_;
  pid_t pid_ = -1;
  int input_ = -1;
  Stream output_, errors_;
  bool greeted_ = false;
  bool ended_ = false;
  bool killed_ = false;       ///< by SIGKILL
  bool killed_here_ = false;  ///< by this object
  std::optional<Clock::time_point> asked_to_stop_;
  std::string how_;      ///< it ended
  std::string waiting_;  ///< jobs, until the worker has said its version
};

using OnProgress = std::function<void(const events::Progress&)>;

/// Runs one job in a worker of its own and returns the result as the worker sent it. Throws the
/// Error that the worker reported.
Json run_job_untyped(const std::filesystem::path& executable,
                     const jobs::Job& job,
                     const OnProgress& on_progress);

/// The same with the result of the job's own type.
template <class Kind>
typename Kind::Result run_job(const std::filesystem::path& executable,
                              const Kind& job,
                              const OnProgress& on_progress = {}) {
  return jobs::result_of<Kind>(run_job_untyped(executable, job, on_progress));
}

}  // namespace sar
