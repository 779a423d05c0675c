#pragma once

#include "harness/core/json.h"

#include <sys/types.h>

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

namespace sar {

/// A running `sar-bench-worker serve`: takes one job a line on its standard input, answers with
/// events, one JSON document a line. It runs in a process group of its own, so a terminal's Ctrl-C
/// reaches only the front, and it stops by itself when the front dies.
class WorkerProcess {
 public:
  /// Throws Error 70 if the executable cannot be started.
  explicit WorkerProcess(const std::filesystem::path& executable);
  ~WorkerProcess();  ///< closes its input, waits; kills it after five seconds
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  void send(const Json& job);
  /// The descriptor to poll for reading.
  [[nodiscard]] int descriptor() const { return output_; }
  /// Reads what has arrived; complete lines are returned as events. `ended()` is true after the end
  /// of the stream.
  std::vector<Json> receive();
  [[nodiscard]] bool ended() const { return ended_; }
  /// Asks the worker to write a checkpoint and stop.
  void interrupt();
  void kill();
  /// Waits for the process and says how it ended, e.g. "exit code 1", "signal 9 (Killed), perhaps
  /// out of memory".
  std::string wait();
  [[nodiscard]] pid_t pid() const { return pid_; }

 private:
  pid_t pid_ = -1;
  int input_ = -1;
  int output_ = -1;
  bool ended_ = false;
  std::string buffer_;
};

/// Runs one job in a worker of its own and returns the result of its "done" event. Events other
/// than that go to `on_event`. Throws the Error that the worker reported.
Json run_job(const std::filesystem::path& executable,
             const Json& job,
             const std::function<void(const Json&)>& on_event = {});

}  // namespace sar
