#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"

#include <fmt/format.h>

#include <iostream>
#include <memory>

namespace sar::cli {
namespace {

struct DataCommand {
  CommonOptions common;
  PlanOptions plan;
};

/// Roots that the user gave, or those of the phantom suite, which is written first.
std::map<std::string, std::string> ready_roots(Session& session) {
  if (session.phantom()) {
    session.write_phantoms(session.phantom_folder());
  }
  return session.roots();
}

ExitCode write_phantoms(const DataCommand& command) {
  if (command.common.output.empty()) {
    throw usage_error("data phantom needs -o DIR");
  }
  const Session session(command.common, command.plan);
  session.write_phantoms(command.common.output);
  std::cout << "phantom suite: " << std::filesystem::absolute(command.common.output).string()
            << '\n';
  return ExitCode::ok;
}

ExitCode list_data(const DataCommand& command) {
  Session session(command.common, command.plan);
  const auto result = run_job(session.catalog().worker(), jobs::List{ready_roots(session)});
  if (command.common.chosen_format() == "json") {
    Json json = write(result);
    json["schema_version"] = 1;
    emit(command.common, to_text(json));
    return ExitCode::ok;
  }
  std::string text = result.data_kind == "phantom" ? "phantom data\n" : "";
  for (const auto& [id, set] : result.datasets) {
    text += fmt::format("{:<9} {:<16} {:4} cases (paper: {})  {}\n",
                        id,
                        set.paper_name,
                        set.cases.size(),
                        set.paper_cases,
                        set.root);
    if (command.common.verbose) {
      for (const auto& each : set.cases) {
        text += fmt::format("  {:<40} {}{}\n", each.id, each.group, each.label ? "  labelled" : "");
      }
    }
  }
  emit(command.common, text);
  return ExitCode::ok;
}

ExitCode verify(const DataCommand& command) {
  Session session(command.common, command.plan);
  Progress progress(command.common.progress_style(), 1, command.common.color_on(2));
  const auto result = run_job(session.catalog().worker(),
                              jobs::Verify{ready_roots(session)},
                              show_progress(progress, "verifying"));
  const auto errors =
      std::ranges::count(result.findings, "error", &jobs::Verify::Finding::severity);
  if (command.common.chosen_format() == "json") {
    Json json = write(result);
    json["schema_version"] = 1;
    emit(command.common, to_text(json));
  } else {
    std::string text;
    for (const auto& finding : result.findings) {
      text += fmt::format("{:<5} {:<12} {}{}{}: {}\n",
                          finding.severity,
                          finding.check,
                          finding.dataset,
                          finding.case_id.empty() ? "" : "/" + finding.case_id,
                          finding.file.empty() ? "" : " (" + finding.file + ")",
                          finding.message);
    }
    text += fmt::format(
        "{} errors, {} notes\n", errors, result.findings.size() - static_cast<std::size_t>(errors));
    emit(command.common, text);
  }
  return errors > 0 ? ExitCode::data_invalid : ExitCode::ok;
}

ExitCode manifest(const DataCommand& command) {
  Session session(command.common, command.plan);
  const Manifest data = session.manifest(false);
  Json json = data.identity();
  json["schema_version"] = 1;
  for (const auto& [id, dataset] : data.datasets) {
    json["datasets"][id]["root"] = dataset.root;
    json["datasets"][id]["modality"] = dataset.modality;
    Json& list = json["datasets"][id]["files"] = Json::array();
    for (const auto& each : dataset.cases) {
      list.push_back(write(each));
    }
  }
  emit(command.common, to_text(json));
  return ExitCode::ok;
}

/// Prepares every volume that a run would read, so that training starts at once.
ExitCode prepare(DataCommand command) {
  command.plan.experiment = "table2";
  Session session(command.common, command.plan);
  const Plan plan = session.plan(session.manifest(false));
  Progress progress(command.common.progress_style(), 1, command.common.color_on(2));
  int count = 0;
  for (const auto& node : plan.nodes) {
    if (node.kind == "cubes" || node.kind == "prepare") {
      if (std::filesystem::exists(node.product)) {
        continue;
      }
      std::filesystem::create_directories(node.product.parent_path());
      std::visit(
          [&](const auto& job) {
            run_job(session.catalog().worker(), job, show_progress(progress, node.label));
          },
          node.job);
      ++count;
    }
  }
  std::cerr << count << " sets prepared below " << session.work().string() << '\n';
  return ExitCode::ok;
}

}  // namespace

void add_data(CLI::App& app, Chosen& chosen) {
  auto* data = app.add_subcommand("data", "write phantoms; list, verify and prepare data sets");
  data->require_subcommand(1);
  const auto add = [&](const std::string& name,
                       const std::string& help,
                       ExitCode (*function)(const DataCommand&)) {
    auto command = std::make_shared<DataCommand>();
    auto* sub = data->add_subcommand(name, help);
    single(sub, "--profile", command->plan.profile, "profile whose sizes are used")
        ->capture_default_str();
    sub->add_option(
           "--data", command->plan.data, "root of a data set, e.g. luna=DIR; may be repeated")
        ->type_name("SET=DIR");
    single(sub, "--seed", command->plan.seed, "seed of splits and trials");
    add_database(sub, command->common);
    add_common(sub, command->common);
    on_chosen(sub, chosen, command, [function](const DataCommand& each, const Chosen&) {
      return function(each);
    });
  };
  add("phantom",
      "write the phantom suite to -o DIR, in the layouts of the five data sets",
      &write_phantoms);
  add("list", "cases of each data set (-v: every case)", &list_data);
  add("verify", "read everything and report all findings at once", &verify);
  add("manifest", "files, sizes and SHA-256 of all cases, as JSON", &manifest);
  add("prepare",
      "resample and normalise every volume and cut the cubes that a run needs",
      [](const DataCommand& command) { return prepare(command); });
}

}  // namespace sar::cli
