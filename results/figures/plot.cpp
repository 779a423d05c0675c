#include "results/figures/plot.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <sys/wait.h>

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <exception>
#include <future>
#include <string_view>
#include <thread>

namespace sar {
namespace gnuplot {

/// Runs `script` in the folder, standard output going into `picture`.
void run(const TemporaryFolder& folder, const std::string& script, const PlotFiles& files) {
  for (const auto& [name, content] : files) {
    write_file_atomically(folder.path() / name, content);
  }
  write_file_atomically(folder.path() / "script", script);
  // The shell only redirects; the folder's name is made by mkdtemp below TMPDIR and quoted.
  std::string place = "'";
  for (const char c : folder.path().string()) {
    place += c == '\'' ? std::string("'\\''") : std::string(1, c);
  }
  place += "'";
  const std::string command =
      "cd " + place + " && LC_ALL=C GNUTERM=dumb gnuplot -d script >picture 2>messages </dev/null";
  const int status = std::system(command.c_str());  // NOLINT(cert-env33-c)
  if (WIFEXITED(status) && WEXITSTATUS(status) == 127) {
    throw io_error("drawing needs gnuplot, which is not installed")
        .hint("apt-get install gnuplot-nox; CSV and JSON need nothing");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    throw io_error("gnuplot could not draw the figure")
        .with("message", read_file(folder.path() / "messages"));
  }
}

std::string picture(const TemporaryFolder& folder, const std::string& name) {
  std::string content;
  if (std::filesystem::exists(folder.path() / name)) {
    content = read_file(folder.path() / name);
  }
  // A full disk cuts a picture off, and gnuplot does not say so.
  const std::string_view end = content.starts_with("\x89PNG") ? "IEND" : "</svg>";
  const std::size_t tail = content.size() < 16 ? 0 : content.size() - 16;
  if (content.find(end, tail) == std::string::npos) {
    throw io_error("gnuplot could not draw the figure: what it wrote is empty or cut off")
        .with("message", read_file(folder.path() / "messages"))
        .hint("is the disk of the temporary folder full?");
  }
  return content;
}

std::vector<std::string> draw_job(const PlotJob& job) {
  const TemporaryFolder folder("sar-bench-plot");
  write_file_atomically(folder.path() / "commands", job.commands);
  std::string script;
  for (std::size_t i = 0; i < job.terminals.size(); ++i) {
    script += "set terminal " + job.terminals[i] + "\nset output 'picture" + std::to_string(i) +
              "'\nload 'commands'\nset output\n";
  }
  run(folder, script, job.files);
  std::vector<std::string> pictures;
  for (std::size_t i = 0; i < job.terminals.size(); ++i) {
    pictures.push_back(picture(folder, "picture" + std::to_string(i)));
  }
  return pictures;
}

}  // namespace gnuplot

std::string plotted(const std::string& script, const PlotFiles& files) {
  const TemporaryFolder folder("sar-bench-plot");
  gnuplot::run(folder, script, files);
  return gnuplot::picture(folder, "picture");
}

std::vector<std::vector<std::string>> plotted(const std::vector<PlotJob>& jobs) {
  std::vector<std::vector<std::string>> pictures(jobs.size());
  std::vector<std::exception_ptr> failures(jobs.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      try {
        pictures[i] = gnuplot::draw_job(jobs[i]);
      } catch (Error& error) {
        failures[i] = std::make_exception_ptr(error.with("figure", jobs[i].name));
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    // This thread is one of the workers; the others are joined when their futures go.
    const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::future<void>> others;
    for (std::size_t i = 1; i < std::min(cores, jobs.size()); ++i) {
      others.push_back(std::async(std::launch::async, work));
    }
    work();
  }
  for (const std::exception_ptr& failure : failures) {
    if (failure) {
      std::rethrow_exception(failure);
    }
  }
  return pictures;
}

}  // namespace sar
