#include "experiments/cli/commands.h"
#include "experiments/cli/output.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "results/figures/curves.h"
#include "results/figures/plot.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

namespace sar::cli {
namespace fs = std::filesystem;
namespace {

struct CurvesCommand {
  CommonOptions common;
  ViewOptions view;
  std::string figure = "fig3";
  std::string format;  ///< empty: all of them, as files
  bool trials = false;
  int smoothing = 0;  ///< 0: as configured
};

const std::set<std::string> kFormats{"csv", "json", "svg", "png"};

std::string content(const LossCurves& curves,
                    const std::string& format,
                    bool trials,
                    int smoothing) {
  return format == "svg" || format == "png" ? plotted(gnuplot_script(curves, format, smoothing))
                                            : written(document_of(curves, trials), format);
}

/// The figure in every format, beside each other in a folder.
void write_all(const LossCurves& curves, const fs::path& folder, int smoothing, bool force) {
  const auto write = [&](const std::string& name, const std::string& text) {
    write_output(folder / name, text, force);
    std::cerr << "written: " << (folder / name).string() << '\n';
  };
  const std::string& id = curves.spec.id;
  write(id + ".csv", content(curves, "csv", false, smoothing));
  write(id + "-trials.csv", content(curves, "csv", true, smoothing));
  write(id + ".json", content(curves, "json", false, smoothing));
  write(id + ".svg", content(curves, "svg", false, smoothing));
  write(id + ".png", content(curves, "png", false, smoothing));
}

/// The flag, else what the user says, else what the experiment or its run says.
int smoothing_of(const CurvesCommand& command,
                 const Catalog& catalog,
                 const Experiment& experiment,
                 const ProtocolRow& protocol) {
  const std::string key = "output.loss_curve_smoothing_steps";
  if (command.smoothing > 0) {
    return command.smoothing;
  }
  const Configuration user = user_configuration(catalog, command.common);
  const Settings::Value& said = user.shared().values().at(key);
  if (said.origin != "built-in") {
    return said.value;
  }
  const auto own = flatten(experiment.settings);
  const auto found = own.find(key);
  return found != own.end() ? found->second.get<int>()
                            : shared_settings(protocol).value(key, said.value.get<int>());
}

ExitCode curves(const CurvesCommand& command) {
  const Catalog catalog = Catalog::load();
  const Experiment experiment = read_experiment(catalog.experiment_file(command.figure), catalog);
  if (experiment.kind != ExperimentKind::curves) {
    throw usage_error("this experiment has no loss curves")
        .with("experiment", experiment.id)
        .with("kind", to_string(experiment.kind))
        .hint("fig3 has; a file of your own needs kind = \"curves\"");
  }
  const Store store = open_results(command.common);
  const auto protocol = Viewer(catalog, command.common, command.view, &store).protocol(experiment);
  LossCurves found;
  if (protocol) {
    found = build_curves(store, *protocol, experiment.curves, curve_tests(command.common));
  }
  if (found.rows.empty()) {
    throw Error(ExitCode::results_missing, "no finished fine-tuning of this figure is stored")
        .with("experiment", experiment.id)
        .hint("sar-bench run " + command.figure + " makes them");
  }
  const int smoothing = smoothing_of(command, catalog, experiment, *protocol);
  const fs::path output = command.common.output;
  const std::string extension = output.has_extension() && !fs::is_directory(output)
                                    ? output.extension().string().substr(1)
                                    : std::string();
  const std::string format = command.common.json            ? "json"
                             : !command.format.empty()      ? command.format
                             : kFormats.contains(extension) ? extension
                                                            : std::string();
  if (!format.empty()) {
    if (fs::is_directory(output)) {
      throw usage_error("one format goes to a file, and this is a folder")
          .with("output", output.string())
          .hint("name a file, or leave --format out for all of them");
    }
    emit(command.common, content(found, format, command.trials, smoothing));
    return ExitCode::ok;
  }
  if (!extension.empty()) {
    throw usage_error("unknown kind of file for loss curves")
        .with("file", output.string())
        .hint("end it in .csv, .json, .svg or .png, or name a folder for all of them");
  }
  fs::create_directories(output.empty() ? fs::path(".") : output);
  write_all(found, output, smoothing, command.common.force);
  CommonOptions text = command.common;
  text.output.clear();
  emit(text, written(document_of(convergence_sheet(found)), "text"));
  return ExitCode::ok;
}

}  // namespace

void add_curves(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<CurvesCommand>();
  auto* sub = app.add_subcommand(
      "curves",
      "loss curves of fine-tuning: files in CSV, JSON, SVG and PNG, and how soon they settle");
  single(sub, "figure", command->figure, "fig3, or an experiment file of your own")
      ->capture_default_str();
  sub->add_flag(
      "--each-trial", command->trials, "CSV with the rows of every trial, not their mean");
  single(sub,
         "--smoothing",
         command->smoothing,
         "steps over which the plotted training loss is averaged (default: "
         "output.loss_curve_smoothing_steps)")
      ->check(CLI::Range(1, 1'000'000));
  single(sub,
         "--protocol",
         command->view.protocol,
         "show this protocol instead of the newest complete one");
  single(sub, "--format", command->format, "this format alone, to standard output or -o")
      ->check(CLI::IsMember(kFormats));
  add_database(sub, command->common);
  add_common(sub, command->common, /*formats=*/false);
  sub->get_option("--output")
      ->description(
          "a file (.csv, .json, .svg, .png), or a folder for all of them (default: this one)");
  on_chosen(
      sub, chosen, command, [](const CurvesCommand& each, const Chosen&) { return curves(each); });
}

}  // namespace sar::cli
