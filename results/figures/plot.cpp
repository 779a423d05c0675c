#include "results/figures/plot.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/machine.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <future>
#include <string_view>

namespace sar {
namespace {

/// The environment of this process with other values for some names.
std::vector<std::string> environment_with(const std::map<std::string, std::string>& values) {
  std::vector<std::string> result;
  for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string text = *entry;
    if (!values.contains(text.substr(0, text.find('=')))) {
      result.push_back(text);
    }
  }
  for (const auto& [name, value] : values) {
    result.push_back(name + "=" + value);
  }
  return result;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

/// Runs gnuplot with `script` in the folder, standard output going into `picture` and standard
/// error into `messages`; returns its wait status. Throws Error 74 if it cannot be started.
int gnuplot(const std::filesystem::path& folder) {
  std::vector<std::string> arguments{"gnuplot", "-d", "script"};
  std::vector<std::string> environment = environment_with({{"LC_ALL", "C"}, {"GNUTERM", "dumb"}});
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  constexpr int kWrite = O_WRONLY | O_CREAT | O_TRUNC;
  posix_spawn_file_actions_addchdir_np(&actions, folder.c_str());
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "picture", kWrite, 0644);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "messages", kWrite, 0644);
  pid_t process = -1;
  const int fault = ::posix_spawnp(&process,
                                   "gnuplot",
                                   &actions,
                                   nullptr,
                                   pointers(arguments).data(),
                                   pointers(environment).data());
  posix_spawn_file_actions_destroy(&actions);
  if (fault == ENOENT) {
    throw io_error("drawing needs gnuplot, which is not installed")
        .hint("apt-get install gnuplot-nox; CSV and JSON need nothing");
  }
  if (fault != 0) {
    throw io_error("gnuplot could not draw the figure").with("message", std::strerror(fault));
  }
  int status = 0;
  while (::waitpid(process, &status, 0) < 0 && errno == EINTR) {
  }
  return status;
}

void run(const TemporaryFolder& folder, const std::string& script, const PlotFiles& files) {
  for (const auto& [name, content] : files) {
    write_file_atomically(folder.path() / name, content);
  }
  write_file_atomically(folder.path() / "script", script);
  const int status = gnuplot(folder.path());
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

}  // namespace

std::string terminal(const std::string& format, int width, int height) {
  // Cairo's fonts are in points, of which 72 are 96 pixels; its marks are smaller than those of
  // SVG.
  if (format == "svg") {
    return fmt::format(
        "svg noenhanced name 'figure' size {},{} font 'sans,13' background '#ffffff'",
        width,
        height);
  }
  return fmt::format(
      "pngcairo noenhanced size {},{} font 'sans,13' fontscale 1.5 linewidth 2 pointscale 3 "
      "background '#ffffff'",
      2 * width,
      2 * height);
}

std::string plotted(const std::string& script, const PlotFiles& files) {
  const TemporaryFolder folder("sar-bench-plot");
  run(folder, script, files);
  return picture(folder, "picture");
}

std::vector<std::vector<std::string>> plotted(const std::vector<PlotJob>& jobs) {
  std::vector<std::vector<std::string>> pictures(jobs.size());
  std::vector<std::exception_ptr> failures(jobs.size());
  std::atomic<std::size_t> next = 0;
  const auto work = [&] {
    for (std::size_t i = next++; i < jobs.size(); i = next++) {
      try {
        pictures[i] = draw_job(jobs[i]);
      } catch (Error& error) {
        failures[i] = std::make_exception_ptr(error.with("figure", jobs[i].name));
      } catch (...) {
        failures[i] = std::current_exception();
      }
    }
  };
  {
    // This thread is one of the workers; the others are joined when their futures go.
    const auto cores = static_cast<std::size_t>(usable_cores());
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
