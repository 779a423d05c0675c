#include "harness/core/signals.h"

#include <time.h>
#include <unistd.h>

namespace sar {
namespace {

// The globals that a signal handler needs.
volatile std::sig_atomic_t received = 0;
volatile std::sig_atomic_t insisted = 0;
volatile std::sig_atomic_t first_second = 0;  ///< of the monotonic clock
volatile std::sig_atomic_t counting_down = 0;
volatile std::sig_atomic_t parent = 0;   ///< 0: may outlive it
volatile std::sig_atomic_t seconds = 0;  ///< left to a process without its parent

extern "C" void count_signal(int signal) {
  struct timespec now {};
  clock_gettime(CLOCK_MONOTONIC, &now);
  const auto second = static_cast<std::sig_atomic_t>(now.tv_sec);
  if (received == 0) {
    first_second = second;
  } else if ((signal == SIGINT || signal == SIGTERM) && second > first_second) {
    insisted = 1;
  }
  received = 1;
  if (parent != 0 && counting_down == 0 && ::getppid() != parent) {
    counting_down = 1;
    ::alarm(static_cast<unsigned>(seconds));  // SIGALRM ends the process
  }
}

struct sigaction handled_by(void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  sigemptyset(&action.sa_mask);
  return action;
}

}  // namespace

void catch_stop_signals() {
  const struct sigaction counting = handled_by(&count_signal);
  for (const int signal : kStopSignals) {
    struct sigaction before {};
    sigaction(signal, nullptr, &before);
    if (signal == SIGHUP && before.sa_handler == SIG_IGN) {
      continue;  // started under nohup: it goes on when the terminal closes
    }
    sigaction(signal, &counting, nullptr);
  }
  const struct sigaction ignored = handled_by(SIG_IGN);
  sigaction(SIGPIPE, &ignored, nullptr);
}

StopSignalScope::StopSignalScope() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    sigaction(kStopSignals.at(i), nullptr, &before_.at(i));
  }
  sigaction(SIGPIPE, nullptr, &before_.back());
  catch_stop_signals();
}

StopSignalScope::~StopSignalScope() {
  for (std::size_t i = 0; i < kStopSignals.size(); ++i) {
    sigaction(kStopSignals.at(i), &before_.at(i), nullptr);
  }
  sigaction(SIGPIPE, &before_.back(), nullptr);
}

bool stop_asked() {
  return received != 0;
}

bool stop_insisted() {
  return insisted != 0;
}

void end_after_parent(unsigned after) {
  parent = ::getppid();
  seconds = static_cast<std::sig_atomic_t>(after);
}

}  // namespace sar
