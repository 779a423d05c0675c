#include "results/plot.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <sys/wait.h>

#include <cstdio>

namespace sar {

std::string plotted(const std::string& script, const std::map<std::string, std::string>& files) {
  const TemporaryFolder folder("sar-bench-plot");
  const std::string place = folder.path().string();
  for (const auto& [name, content] : files) {
    write_file_atomically(folder.path() / name, content);
  }
  write_file_atomically(folder.path() / "script", script);
  // The shell only redirects; the folder's name is made by mkdtemp below TMPDIR and quoted.
  std::string quoted = "'";
  for (const char c : place) {
    quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  quoted += "'";
  const std::string command =
      "cd " + quoted + " && GNUTERM=dumb gnuplot script >picture 2>messages </dev/null";
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c)
  const bool ran = WIFEXITED(status) && WEXITSTATUS(status) == 0;
  if (!ran && WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    throw io_error("drawing needs gnuplot, which is not installed")
        .hint("apt-get install gnuplot-nox; CSV and JSON need nothing");
  }
  std::string picture = ran ? read_file(folder.path() / "picture") : std::string();
  if (picture.empty()) {
    throw io_error("gnuplot could not draw the figure")
        .with("message", read_file(folder.path() / "messages"));
  }
  return picture;
}

}  // namespace sar
