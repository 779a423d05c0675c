#include "experiments/worker_process.h"

#include "harness/core/error.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace sar {
namespace {

struct Pipe {
  int read = -1;
  int write = -1;
};

Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    throw internal_error("cannot create a pipe").with("reason", std::strerror(errno));
  }
  return {ends[0], ends[1]};
}

}  // namespace

WorkerProcess::WorkerProcess(const std::filesystem::path& executable) {
  const Pipe input = make_pipe();
  const Pipe output = make_pipe();
  const Pipe failure = make_pipe();  // carries errno if exec fails, closes by itself if it succeeds
  const pid_t parent = ::getpid();
  pid_ = ::fork();
  if (pid_ < 0) {
    throw internal_error("cannot start a worker").with("reason", std::strerror(errno));
  }
  if (pid_ == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (::getppid() != parent) {
      ::_exit(75);
    }
    ::dup2(input.read, STDIN_FILENO);
    ::dup2(output.write, STDOUT_FILENO);
    // Threads and BLAS are pinned here, whatever the user's environment says: the thread count
    // changes bits.
    ::setenv("OMP_NUM_THREADS", "1", 1);
    ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
    ::setenv("OMP_WAIT_POLICY", "passive", 1);
    ::unsetenv("ATEN_CPU_CAPABILITY");  // another instruction set would change bits
    ::execl(executable.c_str(), executable.c_str(), "serve", nullptr);
    const int reason = errno;
    [[maybe_unused]] const ssize_t written = ::write(failure.write, &reason, sizeof reason);
    ::_exit(127);
  }
  ::close(input.read);
  ::close(output.write);
  ::close(failure.write);
  input_ = input.write;
  output_ = output.read;
  int reason = 0;
  const ssize_t count = ::read(failure.read, &reason, sizeof reason);
  ::close(failure.read);
  if (count == sizeof reason) {
    ended_ = true;
    wait();
    throw internal_error("cannot start the worker")
        .with("file", executable.string())
        .with("reason", std::strerror(reason));
  }
}

WorkerProcess::~WorkerProcess() {
  if (input_ >= 0) {
    ::close(input_);
  }
  if (pid_ > 0) {
    for (int tenth = 0; tenth < 50 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++tenth) {
      ::usleep(100'000);
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) {
      kill();
      ::waitpid(pid_, nullptr, 0);
    }
  }
  if (output_ >= 0) {
    ::close(output_);
  }
}

void WorkerProcess::send(const Json& job) {
  const std::string line = job.dump() + "\n";
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = ::write(input_, rest.data(), rest.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return;  // the worker is gone; its end of stream tells
    }
    rest.remove_prefix(static_cast<std::size_t>(count));
  }
}

std::vector<Json> WorkerProcess::receive() {
  std::array<char, 1 << 16> bytes;
  const ssize_t count = ::read(output_, bytes.data(), bytes.size());
  if (count < 0 && errno == EINTR) {
    return {};
  }
  if (count <= 0) {
    ended_ = true;
    return {};
  }
  buffer_.append(bytes.data(), static_cast<std::size_t>(count));
  std::vector<Json> events;
  std::size_t start = 0;
  for (std::size_t end = buffer_.find('\n'); end != std::string::npos;
       end = buffer_.find('\n', start)) {
    events.push_back(Json::parse(buffer_.begin() + static_cast<std::ptrdiff_t>(start),
                                 buffer_.begin() + static_cast<std::ptrdiff_t>(end)));
    start = end + 1;
  }
  buffer_.erase(0, start);
  return events;
}

void WorkerProcess::interrupt() {
  if (pid_ > 0) {
    ::kill(pid_, SIGTERM);
  }
}

void WorkerProcess::kill() {
  if (pid_ > 0) {
    ::kill(pid_, SIGKILL);
  }
}

std::string WorkerProcess::wait() {
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    std::string text = "signal " + std::to_string(number) + " (" + strsignal(number) + ")";
    return number == SIGKILL ? text + ", perhaps out of memory" : text;
  }
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

Json run_job(const std::filesystem::path& executable,
             const Json& job,
             const std::function<void(const Json&)>& on_event) {
  WorkerProcess worker(executable);
  worker.send(job);
  while (!worker.ended()) {
    for (const Json& event : worker.receive()) {
      const std::string kind = event.at("event");
      if (kind == "done") {
        return event.at("result");
      }
      if (kind == "failed") {
        throw Error(static_cast<ExitCode>(event.at("code").get<int>()),
                    event.at("reason").get<std::string>());
      }
      if (kind == "interrupted") {
        throw Error(ExitCode::interrupted, "interrupted");
      }
      if (on_event) {
        on_event(event);
      }
    }
  }
  throw internal_error("the worker ended without an answer").with("how", worker.wait());
}

}  // namespace sar
