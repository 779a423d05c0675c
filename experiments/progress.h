#pragma once

#include <chrono>
#include <map>
#include <string>

namespace sar {

/// Progress of a run on stderr: a bar with ETA that redraws itself on a terminal, a plain line now
/// and then otherwise. Work is measured in estimated seconds, so that the ETA is right although
/// nodes differ.
class Progress {
 public:
  enum class Style { none, lines, bar };
  /// The style for this process: bar on a terminal, else lines.
  static Style automatic();
  Progress(Style style, int total_nodes, bool color);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// State of the whole run.
  void update(int done_nodes, double fraction_done, const std::map<std::string, double>& running);
  /// A line that stays (a warning, a failure, a finished node).
  void message(const std::string& text);

 private:
  void clear();
  Style style_;
  int total_;
  bool color_;
  bool drawn_ = false;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point last_{};
  double start_fraction_ = -1;
};

/// "4 min 07 s"
std::string format_duration(double seconds);

}  // namespace sar
