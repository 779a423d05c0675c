#pragma once

#include "harness/core/files.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <string>
#include <thread>
#include <vector>

namespace sar::test {

/// What a program printed and how it ended.
struct Outcome {
  int code = -1;  ///< exit code, or 128 + signal
  std::string out, err;
};

/// A program that runs beside the test, with its output in files.
class Program {
 public:
  Program(const std::vector<std::string>& arguments, const std::filesystem::path& folder)
      : folder_(folder) {
    out_ = folder / "stdout.txt";
    err_ = folder / "stderr.txt";
    pid_ = ::fork();
    if (pid_ == 0) {
      for (const int number : {SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
        ::signal(number, SIG_DFL);  // whatever the tests were started under
      }
      ::dup2(::open("/dev/null", O_RDONLY), 0);
      ::dup2(::open(out_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 1);
      ::dup2(::open(err_.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0644), 2);
      if (::chdir(folder.c_str()) != 0) {
        ::_exit(126);
      }
      std::vector<char*> pointers;
      for (const auto& argument : arguments) {
        pointers.push_back(const_cast<char*>(argument.c_str()));
      }
      pointers.push_back(nullptr);
      ::execv(pointers[0], pointers.data());
      ::_exit(127);
    }
  }

  void signal(int number) const { ::kill(pid_, number); }
  [[nodiscard]] pid_t process() const { return pid_; }

  /// Waits until `condition` holds; false if the program ended or two minutes passed before.
  bool wait_until(const std::function<bool()>& condition) const {
    for (int i = 0; i < 2400; ++i) {
      if (condition()) {
        return true;
      }
      if (ended()) {
        return condition();
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    return false;
  }

  Outcome finish() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    Outcome outcome;
    outcome.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
    outcome.out = read_file(out_);
    outcome.err = read_file(err_);
    return outcome;
  }

  /// `finish` then returns at once.
  [[nodiscard]] bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }

 private:
  std::filesystem::path folder_, out_, err_;
  pid_t pid_ = -1;
};

/// The process and all that it started.
inline std::vector<pid_t> family_of(pid_t process) {
  std::vector<pid_t> family{process};
  for (std::size_t i = 0; i < family.size(); ++i) {
    const std::string name = std::to_string(family[i]);
    std::ifstream children("/proc/" + name + "/task/" + name + "/children");
    for (pid_t child = 0; children >> child;) {
      family.push_back(child);
    }
  }
  return family;
}

/// `sar-bench` with the given arguments, run in `folder`.
inline Outcome sar_bench(const std::filesystem::path& folder, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SARBENCH_PROGRAM);
  return Program(arguments, folder).finish();
}

}  // namespace sar::test
