// sar-bench: the front. Plans, starts workers, keeps the database, prints tables. Links neither
// LibTorch nor ITK.

#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/runner.h"
#include "harness/core/files.h"
#include "results/text/words.h"

#include <iostream>

namespace {

std::string join_arguments(int argc, char** argv) {
  std::string line = "sar-bench";
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    line += ' ';
    line += argument.find_first_of(" \t'\"$&|;<>(){}*?\\") == std::string::npos
                ? argument
                : "'" + argument + "'";
  }
  return line;
}

std::string long_version() {
  const sar::Version own = sar::own_version();
  std::string text =
      "sar-bench " + own.program + "\ncommit " + sar::commit_text(own.commit, own.dirty);
  const sar::Catalog catalog = sar::Catalog::load();
  for (const auto& [library, version] : catalog.versions()) {
    text += "\n" + library + " " + version;
  }
  return text + "\nnumerics version " + std::to_string(catalog.numerics_version());
}

}  // namespace

int main(int argc, char** argv) {
  sar::open_standard_descriptors();
  CLI::App app{
      "sar-bench runs the methods of the SAR paper under one protocol and regenerates its tables.\n"
      "Start with: sar-bench run table2 --profile smoke",
      "sar-bench"};
  app.require_subcommand(0, 1);
  app.get_formatter()->column_width(34);
  sar::cli::Chosen chosen;
  chosen.command_line = join_arguments(argc, argv);
  chosen.program = std::string(argv[0]).find('/') == std::string::npos ? "sar-bench" : argv[0];
  bool version = false;
  bool verbose = false;
  app.add_flag("--version", version, "version; with -v also commit and libraries");
  app.add_flag("-v,--verbose", verbose, "say more");
  for (auto* add : {&sar::cli::add_run,      &sar::cli::add_plan,    &sar::cli::add_status,
                    &sar::cli::add_show,     &sar::cli::add_curves,  &sar::cli::add_report,
                    &sar::cli::add_audit,    &sar::cli::add_verify,  &sar::cli::add_compare,
                    &sar::cli::add_claims,   &sar::cli::add_explain, &sar::cli::add_data,
                    &sar::cli::add_ttest,    &sar::cli::add_power,   &sar::cli::add_list,
                    &sar::cli::add_config,   &sar::cli::add_db,      &sar::cli::add_doctor,
                    &sar::cli::add_baseline, &sar::cli::add_worker,  &sar::cli::add_completion}) {
    (*add)(app, chosen);
  }
  try {
    app.parse(argc, argv);
    if (version) {
      std::cout << (verbose ? long_version() : "sar-bench " + sar::own_version().program) << '\n';
      return 0;
    }
    if (!chosen.run) {
      std::cout << app.help();
      return argc > 1 ? static_cast<int>(sar::ExitCode::usage) : 0;
    }
    return static_cast<int>(chosen.run());
  } catch (const CLI::ParseError& error) {
    if (error.get_exit_code() == 0) {  // --help
      return app.exit(error);
    }
    std::string message = error.what();
    // An unknown subcommand arrives as an unexpected argument: name the nearest command.
    if (argc > 1 && argv[1][0] != '-') {
      std::vector<std::string> names;
      for (const auto* sub : app.get_subcommands({})) {
        names.push_back(sub->get_name());
      }
      if (std::find(names.begin(), names.end(), argv[1]) == names.end()) {
        const std::string nearest = sar::nearest_match(argv[1], names);
        message = "unknown command '" + std::string(argv[1]) + "'" +
                  (nearest.empty() ? "" : "\n  did you mean '" + nearest + "'?");
      }
    }
    std::cerr << "sar-bench: " << message
              << "\n  sar-bench --help lists commands, sar-bench COMMAND --help their flags\n";
    return static_cast<int>(sar::ExitCode::usage);
  } catch (const std::exception& exception) {
    const sar::Error error = sar::error_from(exception, chosen.command_line);
    std::cerr << "sar-bench: " << error.what() << '\n';
    return static_cast<int>(error.code());
  }
}
