#pragma once

#include <string>

namespace sar {

/// Runs a script in gnuplot and returns the picture that it writes to standard output. Throws Error
/// 74 if gnuplot is not installed or the script fails, with what gnuplot said.
std::string plotted(const std::string& script);

}  // namespace sar
