#include "experiments/cli/options.h"

#include "experiments/catalog.h"
#include "experiments/cli/output.h"
#include "harness/core/error.h"
#include "results/document/document.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <streambuf>

namespace sar::cli {

bool CommonOptions::color_on(int descriptor) const {
  if (color != "auto") {
    return color == "always";
  }
  const char* no_color = std::getenv("NO_COLOR");
  return (no_color == nullptr || *no_color == '\0') && ::isatty(descriptor) == 1;
}

Progress::Style CommonOptions::progress_style() const {
  if (no_progress || quiet) {
    return Progress::Style::none;
  }
  return std::getenv("CI") != nullptr ? Progress::Style::lines : Progress::automatic();
}

void add_common(CLI::App* app, CommonOptions& options, bool formats) {
  app->add_option("-c,--config", options.config_files, "configuration file (TOML); may be repeated")
      ->type_name("FILE");
  app->add_option("--set", options.settings, "set one configuration key; may be repeated")
      ->type_name("KEY=VALUE");
  if (formats) {
    single(app, "--format", options.format, "output format")
        ->check(CLI::IsMember(common_formats()))
        ->capture_default_str();
  }
  app->add_flag("--json", options.json, "short for --format json");
  single(
      app, "-o,--output", options.output, "write the result to a file instead of standard output")
      ->type_name("FILE");
  single(app, "--alpha", options.alpha, "significance level of the marks")
      ->check([](const std::string& text) {  // CLI::Range lets nan pass
        double alpha = 0;
        const bool fits = CLI::detail::lexical_cast(text, alpha) && alpha >= 1e-6 && alpha <= 0.5;
        return fits ? std::string() : "must be a number from 0.000001 to 0.5, got " + text;
      })
      ->each([&options](const std::string&) { options.alpha_given = true; });
  single(app, "--test", options.test, "test that sets the marks: student or welch")
      ->check(CLI::IsMember({"student", "welch"}));
  single(
      app, "--correction", options.correction, "correction over the table's family: none, holm, bh")
      ->check(CLI::IsMember({"none", "holm", "bh"}));
  single(app, "--color", options.color, "auto, always, never")
      ->check(CLI::IsMember({"auto", "always", "never"}));
  if (app->get_option_no_throw("--force") == nullptr) {
    app->add_flag(
        "--force", options.force, "let -o replace a file of another kind (an image, say)");
  }
  app->add_flag("--no-progress", options.no_progress, "no progress on standard error");
  app->add_flag("-q,--quiet", options.quiet, "errors only");
  app->add_flag("-v,--verbose", options.verbose, "say more");
  single(app, "--log-file", options.log_file, "append what is said on standard error to a file too")
      ->type_name("FILE");
}

void add_database(CLI::App* app, CommonOptions& options) {
  single(app, "--db", options.database, "results database")
      ->type_name("FILE")
      ->capture_default_str();
  single(app, "--work", options.work, "folder for cubes, weights and phantoms (default: DB.work)")
      ->type_name("DIR");
}

void add_planning(CLI::App* app, PlanOptions& options, bool needs_experiment) {
  auto* experiment =
      single(app, "experiment", options.experiment, "experiment name or file (.toml)");
  if (needs_experiment) {
    experiment->required();
  }
  single(app, "--profile", options.profile, "smoke, quick, standard, paper, or a file (.toml)")
      ->capture_default_str();
  app->add_option("--data", options.data, "root of a data set, e.g. luna=DIR; may be repeated")
      ->type_name("SET=DIR");
  app->add_option("-m,--method", options.methods, "only these methods")->delimiter(',');
  app->add_option("-t,--task", options.tasks, "only these tasks")->delimiter(',');
  app->add_option("--fraction", options.fractions, "only these label fractions, e.g. 1/10")
      ->delimiter(',');
  single(app, "--trials", options.trials, "trials per cell (default: the profile's)")
      ->check(CLI::Range(1, 1000));
  single(app, "--seed", options.seed, "seed of splits and trials");
  single(app, "--device", options.device, "cpu, cuda, or cuda:N");
  single(app, "--precision", options.precision, "fp32, tf32, bf16, or auto")
      ->check(CLI::IsMember({"fp32", "tf32", "bf16", "auto"}));
}

/// A stream buffer that hands every character to two others.
struct ErrorLog::Tee : std::streambuf {
  std::ofstream file;
  std::streambuf* terminal = nullptr;

  int_type overflow(int_type character) override {
    if (traits_type::eq_int_type(character, traits_type::eof())) {
      return traits_type::not_eof(character);
    }
    const char byte = traits_type::to_char_type(character);
    file.put(byte);
    if (byte == '\n') {
      file.flush();
    }
    return terminal->sputc(byte);
  }
  int sync() override {
    file.flush();
    return terminal->pubsync();
  }
};

ErrorLog::ErrorLog(const std::string& path) {
  if (path.empty()) {
    return;
  }
  refuse_as_output(path, "a line of text", false);
  tee_ = std::make_unique<Tee>();
  tee_->file.open(path, std::ios::app);
  if (!tee_->file) {
    throw io_error("cannot write the log file").with("file", path);
  }
  tee_->terminal = std::cerr.rdbuf(tee_.get());
}

ErrorLog::~ErrorLog() {
  if (tee_) {
    std::cerr.rdbuf(tee_->terminal);
  }
}

void check_settings(const CommonOptions& options) {
  if (options.settings.empty()) {
    return;
  }
  const Catalog catalog = Catalog::load();
  for (const auto& text : options.settings) {
    static_cast<void>(catalog.schema().at(text.substr(0, text.find('=')), "--set"));
  }
}

void check_output(const CommonOptions& options) {
  if (options.output.empty()) {
    return;
  }
  const std::filesystem::path output = std::filesystem::weakly_canonical(options.output);
  if (output == std::filesystem::weakly_canonical(options.database)) {
    throw usage_error("the output would replace the results database")
        .with("file", options.output)
        .hint("name another file with -o");
  }
  refuse_as_output(options.output, "text", options.force);
}

void emit(const CommonOptions& options, const std::string& text) {
  if (!options.output.empty()) {
    write_output(options.output, text, options.force);
    return;
  }
  if (std::fwrite(text.data(), 1, text.size(), stdout) != text.size() || std::fflush(stdout) != 0) {
    throw io_error("cannot write to standard output");
  }
}

}  // namespace sar::cli
