#pragma once

#include <map>
#include <string>

namespace sar {

/// Runs a script in gnuplot and returns the picture that it writes to standard output. `files`: by
/// name, what lies in the folder that gnuplot runs in ("script", "picture" and "messages" are
/// taken). Throws Error 74 if gnuplot is not installed or the script fails, with what gnuplot said.
std::string plotted(const std::string& script,
                    const std::map<std::string, std::string>& files = {});

}  // namespace sar
