#pragma once

#include <string>
#include <vector>

namespace sar {

/// Runs a script in gnuplot and returns the picture that it writes to standard output. gnuplot
/// reads no start-up file. Throws Error 74 if gnuplot is not installed or the script fails, with
/// what gnuplot said.
std::string plotted(const std::string& script);

/// Commands without a terminal, to be drawn with each of some terminals.
struct PlotJob {
  std::string name;                    ///< for messages
  std::string commands;                ///< begin with `reset`
  std::vector<std::string> terminals;  ///< "svg size 960,480"
};
/// The pictures [job][terminal]: one gnuplot a job, as many side by side as there are cores. Waits
/// for all, then throws the first failed job's Error 74, which names the figure.
std::vector<std::vector<std::string>> plotted(const std::vector<PlotJob>& jobs);

}  // namespace sar
