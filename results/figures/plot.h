#pragma once

#include <map>
#include <string>
#include <vector>

namespace sar {

/// Files that a script reads, by name; "script", "picture" and "messages" are taken.
using PlotFiles = std::map<std::string, std::string>;

/// gnuplot's terminal for "svg" or "png" (twice as many pixels); texts are drawn as they are.
std::string terminal(const std::string& format, int width, int height);

/// Runs a script in gnuplot, in a folder of its own with `files`, and returns the picture that it
/// writes to standard output. gnuplot reads no start-up file. Throws Error 74 if gnuplot is not
/// installed or the script fails, with what gnuplot said.
std::string plotted(const std::string& script, const PlotFiles& files = {});

/// Commands without a terminal, to be drawn with each of some terminals.
struct PlotJob {
  std::string name;                    ///< for messages
  std::string commands;                ///< begin with `reset`
  std::vector<std::string> terminals;  ///< "svg size 960,480"
  PlotFiles files = {};
};
/// The pictures [job][terminal]: one gnuplot a job, as many side by side as there are cores. Waits
/// for all, then throws the first failed job's Error 74, which names the figure.
std::vector<std::vector<std::string>> plotted(const std::vector<PlotJob>& jobs);

}  // namespace sar
