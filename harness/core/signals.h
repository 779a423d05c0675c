#pragma once

namespace sar {

/// Lets SIGINT, SIGTERM and SIGUSR1 set a flag instead of ending the process; system calls are
/// interrupted, not restarted. SIGPIPE is ignored, so that a closed pipe is an error of `write`.
void catch_stop_signals();

/// How many of these signals have arrived.
int stop_signals();

}  // namespace sar
