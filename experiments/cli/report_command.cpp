#include "experiments/catalog.h"
#include "experiments/cli/commands.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "experiments/experiment.h"
#include "experiments/run_status.h"
#include "experiments/version.h"
#include "harness/core/files.h"
#include "results/database/store.h"
#include "results/paper/paper.h"
#include "results/report/contents.h"
#include "results/report/report.h"
#include "results/text/words.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <set>

namespace sar::cli {
namespace report_command {
namespace fs = std::filesystem;

struct ReportCommand {
  CommonOptions common;
  ViewOptions view;
  std::string experiment = "all";
  std::vector<std::string> examples;  ///< methods whose cases are shown; "none"
};

/// Now, or the time that SOURCE_DATE_EPOCH names, so that a report can be made again bit by bit.
std::string time_of_report() {
  const char* epoch = std::getenv("SOURCE_DATE_EPOCH");
  if (epoch == nullptr || *epoch == '\0') {
    return utc_now();
  }
  constexpr long long kLast = 253'402'300'799;  // of the year 9999
  char* end = nullptr;
  const long long seconds = std::strtoll(epoch, &end, 10);
  if (*end != '\0' || seconds < 0 || seconds > kLast) {
    throw usage_error("SOURCE_DATE_EPOCH is not a number of seconds since 1970, to the year 9999")
        .with("value", epoch);
  }
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(static_cast<std::time_t>(seconds)));
}

/// Settings of the protocol that differ from the built-in ones.
Sheet changed_settings(const Catalog& catalog, const ProtocolRow& protocol) {
  Sheet sheet;
  sheet.id = "settings";
  sheet.title = "Settings of the protocol that differ from the built-in ones";
  sheet.header = {"Key", "Value", "Built-in", "Meaning"};
  sheet.text_columns = 4;
  const Json& shared = shared_settings(protocol);
  for (const KeySpec& key : catalog.schema().keys()) {
    if (shared.contains(key.name) && shared.at(key.name) != key.default_value) {
      sheet.rows.push_back(
          {key.name, shared.at(key.name).dump(), key.default_value.dump(), key.meaning});
    }
  }
  return sheet;
}

void add_part(ReportRequest& request, const Experiment& part) {
  switch (part.kind) {
    case ExperimentKind::dice:
      request.tables.push_back(part.table);
      break;
    case ExperimentKind::data:
      request.data.push_back({part.id, part.title, part.datasets});
      break;
    case ExperimentKind::curves:
      request.curves.push_back(part.curves);
      break;
    case ExperimentKind::pretraining:
      request.pretraining.push_back({part.id, part.title, part.rows});
      break;
    case ExperimentKind::collection:
      break;  // parts_of() gives its parts
  }
}

/// Throws Error 2 for a method that there is not.
void check_methods(const Catalog& catalog, const std::vector<std::string>& methods) {
  if (methods != std::vector<std::string>{"all"} && methods != std::vector<std::string>{"none"}) {
    for (const std::string& method : methods) {
      static_cast<void>(catalog.method(method));
    }
  }
}

ReportContents gather(const ReportCommand& command, const Chosen& chosen) {
  const CommonOptions& common = command.common;
  const Catalog catalog = Catalog::load();
  const Experiment experiment =
      read_experiment(catalog.experiment_file(command.experiment), catalog);
  const Store store = open_results(common);
  const Viewer viewer(catalog, common, command.view, &store);
  const Paper paper = read_paper(catalog.paper_folder(command.view.paper));
  const auto protocol = viewer.protocol(experiment);
  if (!protocol) {
    throw Error(ExitCode::results_missing, "no finished trial of " + experiment.id + " is stored")
        .with("database", common.database)
        .hint("sar-bench run " + command.experiment +
              " makes some; sar-bench status shows what is running");
  }
  check_methods(catalog, command.examples);
  ReportRequest request;
  request.id = experiment.id;
  request.title = experiment.title;
  request.whole = experiment.kind == ExperimentKind::collection;
  for (const Experiment* part : parts_of(experiment)) {
    add_part(request, *part);
  }
  request.controls = controls_of(catalog);
  request.protocol = *protocol;
  request.table_options = viewer.table_options(&*protocol);
  request.curve_tests = curve_tests(common);
  request.smoothing =
      user_configuration(catalog, common).shared().integer("output.loss_curve_smoothing_steps");
  request.claim_options = claim_options(catalog, common);
  request.settings = changed_settings(catalog, *protocol);
  request.key_words = catalog.key_words();
  request.defaults = catalog.defaults();
  request.example_methods = command.examples;
  request.database = common.database;
  request.program = chosen.program;
  const Version version = own_version();
  request.version =
      version.program + ", commit " + commit_text(version.commit.substr(0, 12), version.dirty);
  request.made = time_of_report();
  request.work = work_folder(common);
  return gather_report(request, store, paper);
}

constexpr const char* kMaker = "sar-bench report";  ///< marks a folder as ours

/// Writes all files and removes those that an earlier report left here and this one does not have.
/// The list of files names old and new ones meanwhile, so that a run that was interrupted leaves no
/// file that the next one takes for somebody else's.
void write_report(const fs::path& folder,
                  const std::string& page,
                  const std::map<std::string, std::string>& files) {
  const fs::path list = folder / "files.json";
  std::set<std::string> old;
  Json before;
  try {
    before = fs::exists(list) ? read_json(list) : Json();
  } catch (const Error&) {
    before = nullptr;  // somebody else's
  }
  if (before.is_object() && before.value("made_by", Json()) == kMaker) {
    for (const Json& name : before.value("files", Json::array())) {
      const fs::path relative = name.is_string() ? name.get<std::string>() : "";
      const std::string top = relative.begin() == relative.end() ? "" : relative.begin()->string();
      if ((top == "tables" || top == "figures") &&
          std::ranges::find(relative, fs::path("..")) == relative.end()) {
        old.insert(relative.string());
      }
    }
  } else {
    for (const char* name : {"report.html", "files.json", "tables", "figures"}) {
      if (fs::exists(folder / name)) {
        throw io_error("the folder holds files that no earlier report left there")
            .with("file", (folder / name).string())
            .hint("name another folder with -o, or move them away");
      }
    }
  }
  std::set<std::string> names{"report.html"};
  for (const auto& [name, content] : files) {
    names.insert(name);
  }
  const auto write_list = [&](const std::set<std::string>& listed) {
    write_file_atomically(list,
                          to_text({{"schema_version", 1}, {"made_by", kMaker}, {"files", listed}}));
  };
  old.insert(names.begin(), names.end());
  write_list(old);
  for (const auto& [name, content] : files) {
    write_file_atomically(folder / name, content);
  }
  write_file_atomically(folder / "report.html", page);
  for (const std::string& name : old) {
    std::error_code ignored;
    if (!names.contains(name)) {
      fs::remove(folder / name, ignored);
    }
  }
  write_list(names);
}

ExitCode run(const ReportCommand& command, const Chosen& chosen) {
  const CommonOptions& common = command.common;
  const fs::path folder =
      common.output.empty() ? fs::path(common.database + ".report") : fs::path(common.output);
  if (fs::exists(folder) && !fs::is_directory(folder)) {
    throw io_error("the report's folder is a file").with("path", folder.string());
  }
  const ReportContents contents = gather(command, chosen);
  const fs::path templates = Catalog::load().report_folder();
  const Report report = make_report(contents,
                                    {read_file(templates / "page.mustache"),
                                     read_file(templates / "page.css"),
                                     read_file(templates / "page.js")});
  for (const std::string& reason : report.not_drawn) {
    std::cerr << "warning: not every figure is drawn: " << reason << '\n';
  }
  write_report(folder, report.page, report.files);
  const bool slices = std::ranges::any_of(
      contents.examples, [](const ReportExamples& group) { return !group.cases.empty(); });
  if (!common.quiet && slices && !contents.is_phantom()) {
    std::cerr
        << "note: the report shows slices of test cases with their ids; --examples none leaves "
           "them out\n";
  }
  const std::string path = fs::absolute(folder / "report.html").lexically_normal().string();
  std::cout << (common.chosen_format() == "json" ? Json{{"schema_version", 1},
                                                        {"report", path},
                                                        {"files", report.files.size() + 1}}
                                                           .dump(2) +
                                                       "\n"
                                                 : path + "\n");
  return ExitCode::ok;
}

}  // namespace report_command

void add_report(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<report_command::ReportCommand>();
  auto* sub = app.add_subcommand(
      "report", "one self-contained HTML file, and every table and figure as files of their own");
  single(sub, "experiment", command->experiment, "what to report on: a name, or a file of your own")
      ->capture_default_str();
  single(sub, "--paper", command->view.paper, "whose numbers stand beside: a name, or a folder")
      ->capture_default_str();
  single(sub,
         "--protocol",
         command->view.protocol,
         "report on this protocol instead of the newest complete one");
  sub->add_option("--examples",
                  command->examples,
                  "methods whose example cases are shown (default: the reference and the first "
                  "row), or all, or none")
      ->delimiter(',');
  add_database(sub, command->common);
  add_common(sub, command->common, false);
  sub->get_option("--output")->description("folder of the report (default: DB.report)");
  on_chosen(sub, chosen, command, &report_command::run);
}

}  // namespace sar::cli
