#pragma once

#include "experiments/progress.h"

#include <CLI/CLI.hpp>

#include <map>
#include <memory>
#include <string>
#include <vector>

namespace sar::cli {

/// Flags that every command takes (product contract, section 3).
struct CommonOptions {
  std::vector<std::string> config_files;
  std::vector<std::string> settings;  ///< --set key=value
  std::string format = "text";
  bool json = false;
  std::string output;
  bool force = false;  ///< let -o replace a file of another kind (an image, say)
  std::string log_file;
  double alpha = 0.05;
  bool alpha_given = false;
  std::string test, correction;
  std::string color = "auto";
  bool no_progress = false;
  bool quiet = false;
  bool verbose = false;
  bool isolated =
      false;  ///< leave out configuration files and the environment (doctor's own check)
  std::string database = "sar-bench.sqlite";
  std::string work;

  [[nodiscard]] std::string chosen_format() const { return json ? "json" : format; }
  [[nodiscard]] bool color_on(int descriptor) const;
  [[nodiscard]] Progress::Style progress_style() const;
};

/// Flags of commands that plan work.
struct PlanOptions {
  std::string experiment;
  std::string profile = "quick";
  std::vector<std::string> data;  ///< luna=DIR
  std::vector<std::string> methods, tasks, fractions;
  int trials = 0;
  std::string seed, device, precision, launcher = "local";
};

/// Adds a flag that takes one value; given twice, the last wins.
template <class T>
CLI::Option* single(CLI::App* app, const std::string& name, T& value, const std::string& help) {
  return app->add_option(name, value, help)->take_last();
}

/// `formats`: with --format for tables; a command with other formats has its own.
void add_common(CLI::App* app, CommonOptions& options, bool formats = true);
void add_database(CLI::App* app, CommonOptions& options);
void add_planning(CLI::App* app, PlanOptions& options, bool needs_experiment = true);

/// Copies what is said on standard error (but for a progress bar) to a file, until destruction.
class ErrorLog {
 public:
  /// Appends to `path`; does nothing if it is empty. Throws Error 74 if it cannot be opened.
  explicit ErrorLog(const std::string& path);
  ~ErrorLog();
  ErrorLog(const ErrorLog&) = delete;
  ErrorLog& operator=(const ErrorLog&) = delete;

 private:
  struct Tee;
  std::unique_ptr<Tee> tee_;
};

/// Every key given by --set must exist, also where a command does not read it. Throws Error 2.
void check_settings(const CommonOptions& options);

/// Throws what `emit` would throw for --output, before any work is done.
void check_output(const CommonOptions& options);

/// Prints to stdout, or writes to --output (output.h).
void emit(const CommonOptions& options, const std::string& text);

}  // namespace sar::cli
