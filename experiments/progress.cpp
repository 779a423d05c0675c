#include "experiments/progress.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <iostream>

namespace sar {
namespace {

std::size_t terminal_width() {
  winsize size{};
  return ::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 20 ? size.ws_col : 80U;
}

/// Lines go through std::cerr, which a log file may listen to; a bar is drawn on the terminal
/// alone.
void write_line(const std::string& text) {
  std::cerr << text << std::flush;
}

void draw(const std::string& text) {
  std::fputs(text.c_str(), stderr);
  std::fflush(stderr);
}

}  // namespace

std::string format_duration(double seconds) {
  const auto whole = static_cast<long>(seconds + 0.5);
  if (whole < 60) {
    return fmt::format("{} s", whole);
  }
  if (whole < 3600) {
    return fmt::format("{} min {:02} s", whole / 60, whole % 60);
  }
  return fmt::format("{} h {:02} min", whole / 3600, whole % 3600 / 60);
}

Progress::Style Progress::automatic() {
  return ::isatty(STDERR_FILENO) == 1 ? Style::bar : Style::lines;
}

Progress::Progress(Style style, int total_nodes, bool color)
    : style_(style), total_(total_nodes), color_(color) {}

Progress::~Progress() {
  clear();
}

void Progress::clear() {
  if (drawn_) {
    draw("\r\x1b[K");
    drawn_ = false;
  }
}

void Progress::message(const std::string& text) {
  clear();
  write_line(text + "\n");
}

void Progress::update(int done_nodes,
                      double fraction_done,
                      const std::map<std::string, double>& running) {
  if (style_ == Style::none) {
    return;
  }
  const auto now = std::chrono::steady_clock::now();
  const bool first = start_fraction_ < 0;
  if (first) {
    start_fraction_ = fraction_done;
  }
  const double pause = style_ == Style::bar ? 0.1 : 15;
  if (!first && std::chrono::duration<double>(now - last_).count() < pause) {
    return;
  }
  last_ = now;
  const double elapsed = std::chrono::duration<double>(now - start_).count();
  const double gained = fraction_done - start_fraction_;
  std::string eta = "ETA ...";
  if (gained > 0.005 && elapsed > 3) {
    eta = "ETA " + format_duration(elapsed * (1 - fraction_done) / gained);
  }
  std::string what;
  for (const auto& [label, fraction] : running) {
    what += fmt::format("{}{} {:.0f} %", what.empty() ? "" : " | ", label, 100 * fraction);
  }
  if (style_ == Style::lines) {
    write_line(fmt::format("{:3.0f} %  {}/{} steps of work  {}  {}  {}\n",
                           100 * fraction_done,
                           done_nodes,
                           total_,
                           format_duration(elapsed),
                           eta,
                           what));
    return;
  }
  constexpr int kWidth = 24;
  const int filled = std::clamp(static_cast<int>(fraction_done * kWidth), 0, kWidth);
  std::string bar;
  for (int i = 0; i < kWidth; ++i) {
    bar += i < filled ? "█" : "░";
  }
  std::string rest =
      fmt::format(" {:3.0f} %  {}/{}  {}  {}", 100 * fraction_done, done_nodes, total_, eta, what);
  const std::size_t room = terminal_width() - kWidth - 3;
  if (rest.size() > room) {
    rest.resize(room);
  }
  draw("\r\x1b[K" + (color_ ? "\x1b[36m" + bar + "\x1b[0m" : bar) + rest);
  drawn_ = true;
}

}  // namespace sar
