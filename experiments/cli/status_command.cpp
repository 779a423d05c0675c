#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"
#include "experiments/status.h"
#include "harness/core/files.h"
#include "harness/core/signals.h"
#include "results/database/store.h"

#include <fmt/format.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace sar::cli {
namespace {

struct StatusCommand {
  CommonOptions common;
  bool once = false;
};

bool on_this_host(const Json& state) {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 &&
         state.value("host", "") == std::string(name.data());
}

Json failed_cells(const CommonOptions& common, const std::string& protocol) {
  Json failed = Json::array();
  if (std::filesystem::exists(common.database)) {
    const Store store(common.database, Store::Mode::read);
    for (const auto& run : store.runs(protocol)) {
      if (run.state == "failed") {
        failed.push_back({{"cell_key", run.cell.cell_key},
                          {"method", run.cell.method},
                          {"task", run.cell.task},
                          {"fraction", run.cell.fraction},
                          {"trial", run.cell.trial},
                          {"reason", run.reason}});
      }
    }
  }
  return failed;
}

/// What the newest run of the database last said of itself, and what is stored as failed.
Json current_status(const CommonOptions& common) {
  const std::filesystem::path file = state_folder(common) / "status.json";
  if (!std::filesystem::exists(file)) {
    throw Error(ExitCode::results_missing, "no run has been started for this database")
        .with("database", common.database);
  }
  Json state = read_json(file);
  const auto pid = state.value("pid", pid_t{0});
  const bool gone = on_this_host(state) && pid > 0 && ::kill(pid, 0) != 0 && errno == ESRCH;
  state = judged_status(std::move(state), std::chrono::system_clock::now(), gone);
  state["failed"] = failed_cells(common, state.value("protocol", ""));
  state["schema_version"] = 1;
  return state;
}

/// A view that renews itself makes sense where somebody sits and the terminal can move its cursor.
bool can_watch(const StatusCommand& command) {
  const char* terminal = std::getenv("TERM");
  return !command.once && command.common.chosen_format() == "text" &&
         command.common.output.empty() && !command.common.no_progress &&
         std::getenv("CI") == nullptr && ::isatty(STDOUT_FILENO) == 1 && terminal != nullptr &&
         std::string(terminal) != "dumb";
}

winsize terminal_size() {
  winsize size{};
  if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 20 || size.ws_row < 5) {
    size.ws_col = 80;
    size.ws_row = 24;
  }
  return size;
}

/// Draws the state over the last one until the run ends or the user stops looking.
ExitCode watch(const CommonOptions& common) {
  catch_stop_signals();
  std::ptrdiff_t drawn = 0;  // lines of the last picture
  winsize last = terminal_size();
  while (true) {
    const Json state = current_status(common);
    const winsize size = terminal_size();
    // One line and one column stay free, so that nothing scrolls or wraps.
    StatusLook look;
    look.width = size.ws_col - 1U;
    look.height = std::max(4U, size.ws_row - 1U);
    look.color = common.color_on(STDOUT_FILENO);
    // The cursor is hidden only while a picture is written, which is one piece of output: however
    // this process ends, the terminal is as it was.
    std::string picture = "\x1b[?25l";
    if (size.ws_col != last.ws_col || size.ws_row != last.ws_row) {
      picture += "\x1b[H\x1b[J";  // the terminal has laid its lines out anew
    } else if (drawn > 0) {
      picture += fmt::format("\x1b[{}A\r", drawn);
    }
    const std::string text = status_text(state, look);
    for (const char byte : text) {
      picture += byte == '\n' ? "\x1b[K\n" : std::string(1, byte);
    }
    picture += "\x1b[J\x1b[?25h";
    drawn = std::count(text.begin(), text.end(), '\n');
    last = size;
    emit(common, picture);
    if (state.value("state", "") != "running" || stop_asked()) {
      return ExitCode::ok;
    }
    ::poll(nullptr, 0, 1000);  // a signal ends it early
    if (stop_asked()) {
      emit(common, "\n");
      return ExitCode::ok;
    }
  }
}

ExitCode status(const StatusCommand& command) {
  const CommonOptions& common = command.common;
  if (can_watch(command)) {
    return watch(common);
  }
  const Json state = current_status(common);
  if (common.chosen_format() == "json") {
    emit(common, to_text(state));
  } else {
    StatusLook look;
    look.color = common.output.empty() && common.color_on(STDOUT_FILENO);
    emit(common, status_text(state, look));
  }
  return ExitCode::ok;
}

}  // namespace

void add_status(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<StatusCommand>();
  auto* sub =
      app.add_subcommand("status",
                         "what is running, done and failed, from another terminal too; on a "
                         "terminal it follows the run until it ends (Ctrl-C stops looking)");
  sub->add_flag("--once", command->once, "print the state once");
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const StatusCommand& each, const Chosen&) { return status(each); });
}

}  // namespace sar::cli
