#include "harness/core/signals.h"

#include <csignal>
#include <initializer_list>

namespace sar {
namespace {

volatile std::sig_atomic_t received = 0;  // the one global that a signal handler needs

extern "C" void count_signal(int) {
  received = received + 1;
}

}  // namespace

void catch_stop_signals() {
  struct sigaction action {};
  action.sa_handler = &count_signal;
  sigemptyset(&action.sa_mask);
  for (const int signal : {SIGINT, SIGTERM, SIGUSR1}) {
    sigaction(signal, &action, nullptr);
  }
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  sigaction(SIGPIPE, &ignore, nullptr);
}

int stop_signals() {
  return static_cast<int>(received);
}

}  // namespace sar
