#include "experiments/worker_process.h"

#include "harness/core/error.h"
#include "harness/core/signals.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <sstream>
#include <utility>

namespace sar {
namespace {

/// A choice: how long a worker that was asked to stop may take over its checkpoint.
constexpr std::chrono::seconds kTimeToStop{60};

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

WorkerProcess::WorkerProcess(std::filesystem::path executable)
    : executable_(std::move(executable)) {
  const Pipe input = make_pipe();
  const Pipe output = make_pipe();
  const Pipe errors = make_pipe();
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
    ::dup2(errors.write, STDERR_FILENO);
    // Threads and BLAS are pinned here, whatever the user's environment says: the thread count
    // changes bits.
    ::setenv("OMP_NUM_THREADS", "1", 1);
    ::setenv("OPENBLAS_NUM_THREADS", "1", 1);
    ::setenv("OMP_WAIT_POLICY", "passive", 1);
    ::unsetenv("ATEN_CPU_CAPABILITY");  // another instruction set would change bits
    ::execl(executable_.c_str(), executable_.c_str(), "serve", nullptr);
    const int reason = errno;
    [[maybe_unused]] const ssize_t written = ::write(failure.write, &reason, sizeof reason);
    ::_exit(127);
  }
  ::close(input.read);
  ::close(output.write);
  ::close(errors.write);
  ::close(failure.write);
  input_ = input.write;
  output_.descriptor = output.read;
  errors_.descriptor = errors.read;
  int reason = 0;
  const ssize_t count = ::read(failure.read, &reason, sizeof reason);
  ::close(failure.read);
  if (count == sizeof reason) {
    ended_ = true;
    wait();
    throw internal_error("cannot start the worker")
        .with("file", executable_.string())
        .with("reason", std::strerror(reason));
  }
  write(jobs::to_line(jobs::Hello{}) + "\n");
}

WorkerProcess::~WorkerProcess() {
  if (input_ >= 0) {
    ::close(input_);
  }
  if (pid_ > 0) {
    for (int tenth = 0; tenth < 50 && ::waitpid(pid_, nullptr, WNOHANG) == 0; ++tenth) {
      errors_.read(100);  // a full pipe would keep it from ending
    }
    if (::waitpid(pid_, nullptr, WNOHANG) == 0) {
      kill();
      ::waitpid(pid_, nullptr, 0);
    }
  }
  if (greeted_) {
    pass_errors_on();
  }
  output_.close();
  errors_.close();
}

bool WorkerProcess::Stream::read(int milliseconds) {
  pollfd waiting{descriptor, POLLIN, 0};  // a negative descriptor is passed over
  if (::poll(&waiting, 1, milliseconds) <= 0) {
    return false;
  }
  std::array<char, 1 << 16> bytes;
  const ssize_t count = ::read(descriptor, bytes.data(), bytes.size());
  if (count < 0 && errno == EINTR) {
    return false;
  }
  if (count <= 0) {
    close();
    return false;
  }
  text.append(bytes.data(), static_cast<std::size_t>(count));
  return true;
}

void WorkerProcess::Stream::close() {
  if (descriptor >= 0) {
    ::close(descriptor);
    descriptor = -1;
  }
}

void WorkerProcess::write(const std::string& line) {
  const auto before = ::signal(SIGPIPE, SIG_IGN);
  std::string_view rest = line;
  while (!rest.empty()) {
    const ssize_t count = ::write(input_, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) {
      break;  // the worker is gone; its end of stream tells
    }
    rest.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  ::signal(SIGPIPE, before);
}

void WorkerProcess::send(const jobs::Job& job) {
  const std::string line = jobs::to_line(job) + "\n";
  if (greeted_) {
    write(line);
  } else {
    waiting_ += line;
  }
}

void WorkerProcess::pass_errors_on() {
  std::string_view rest = errors_.text;
  while (!rest.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, rest.data(), rest.size());
    if (count < 0 && errno != EINTR) {
      break;
    }
    rest.remove_prefix(count < 0 ? 0 : static_cast<std::size_t>(count));
  }
  errors_.text.clear();
}

std::vector<events::Event> WorkerProcess::receive() {
  output_.read(0);
  errors_.read(0);
  ended_ = output_.descriptor < 0;
  std::vector<events::Event> received;
  std::string& text = output_.text;
  std::size_t start = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', start)) {
    events::Event event = events::event_from(text.substr(start, end - start));
    start = end + 1;
    if (greeted_) {
      received.push_back(std::move(event));
    } else {
      greet(event);
    }
  }
  text.erase(0, start);
  if (greeted_) {
    pass_errors_on();
  } else if (ended_) {
    refuse_silent();
  }
  return received;
}

void WorkerProcess::greet(const events::Event& first) {
  const auto* hello = std::get_if<events::Hello>(&first);
  if (hello == nullptr) {
    throw internal_error("the worker does not say its version")
        .with("worker", executable_.string())
        .with("this program", own_version().text())
        .hint("it is of another version: install or build both together");
  }
  refuse_other_version(hello->version, executable_);
  greeted_ = true;
  write(std::exchange(waiting_, {}));
}

void WorkerProcess::refuse_silent() {
  const std::string how = wait();
  if (how.starts_with("signal")) {
    return;  // it was stopped, or there was no memory: no fault of the installation
  }
  while (errors_.read(500)) {
  }
  std::string last;  // line that says something
  std::istringstream lines(errors_.text);
  for (std::string line; std::getline(lines, line);) {
    last = line.find_first_not_of(" \t\r") == std::string::npos ? last : line;
  }
  // The loader's words: "PROGRAM: error while loading shared libraries: NAME: what is the matter".
  const std::string_view loader = "error while loading shared libraries: ";
  if (const auto found = last.find(loader); found != std::string::npos) {
    const std::string rest = last.substr(found + loader.size());
    const auto colon = rest.find(": ");
    throw internal_error("the worker lacks the shared library " + rest.substr(0, colon))
        .with("reason", colon == std::string::npos ? "" : rest.substr(colon + 2))
        .with("worker", executable_.string())
        .hint("ldd WORKER lists all that it lacks; LD_LIBRARY_PATH names folders to look into");
  }
  throw internal_error("the worker ended before it took a job")
      .with("how", how)
      .with("last line", last)
      .with("worker", executable_.string());
}

void WorkerProcess::stop(bool at_once) {
  if (pid_ < 0) {
    return;
  }
  if (!asked_to_stop_) {
    asked_to_stop_ = Clock::now();
    ::kill(pid_, SIGTERM);
  }
  if (at_once || Clock::now() - *asked_to_stop_ > kTimeToStop) {
    kill();
  }
}

void WorkerProcess::kill() {
  if (pid_ > 0) {
    killed_here_ = true;
    ::kill(pid_, SIGKILL);
  }
}

std::string WorkerProcess::wait() {
  if (pid_ < 0) {
    return how_;
  }
  int status = 0;
  while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
  if (WIFSIGNALED(status)) {
    const int number = WTERMSIG(status);
    killed_ = number == SIGKILL;
    how_ = "signal " + std::to_string(number) + " (" + strsignal(number) + ")" +
           (number == SIGKILL ? ", perhaps out of memory" : "");
  } else {
    how_ = "exit code " + std::to_string(WEXITSTATUS(status));
  }
  return how_;
}

Json run_job_untyped(const std::filesystem::path& executable,
                     const jobs::Job& job,
                     const OnProgress& on_progress) {
  const StopSignalScope scope;
  WorkerProcess worker(executable);
  worker.send(job);
  while (!worker.ended()) {
    if (stop_asked()) {
      worker.stop(stop_insisted());
    }
    std::array<pollfd, 2> descriptors{};
    std::ranges::transform(worker.descriptors(), descriptors.begin(), [](int descriptor) {
      return pollfd{descriptor, POLLIN, 0};
    });
    ::poll(descriptors.data(), descriptors.size(), 500);
    std::vector<events::Event> received;
    try {
      received = worker.receive();
    } catch (const Error&) {
      if (stop_asked()) {  // a worker that was stopped before it greeted
        throw Error(ExitCode::interrupted, "interrupted");
      }
      throw;
    }
    for (const events::Event& event : received) {
      if (const auto* done = std::get_if<events::Done>(&event)) {
        return done->result;
      }
      if (const auto* failed = std::get_if<events::Failed>(&event)) {
        throw Error(static_cast<ExitCode>(failed->code), failed->reason);
      }
      if (std::holds_alternative<events::Interrupted>(event)) {
        throw Error(ExitCode::interrupted, "interrupted");
      }
      if (const auto* progress = std::get_if<events::Progress>(&event); progress && on_progress) {
        on_progress(*progress);
      }
      if (const auto* warning = std::get_if<events::Warning>(&event)) {
        std::cerr << "warning: " << warning->text << '\n';
      }
    }
  }
  if (stop_asked()) {
    throw Error(ExitCode::interrupted, "interrupted");
  }
  throw internal_error("the worker ended without an answer").with("how", worker.wait());
}

}  // namespace sar
