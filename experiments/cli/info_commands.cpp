#include "experiments/cli/commands.h"
#include "experiments/cli/execution.h"
#include "experiments/cli/session.h"
#include "experiments/cli/views.h"
#include "experiments/runner.h"
#include "experiments/worker_process.h"
#include "harness/core/machine.h"
#include "results/claims/claim_verdicts.h"
#include "results/database/protocol_choice.h"
#include "results/database/store.h"
#include "results/paper/assumptions.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <iostream>
#include <memory>

namespace sar::cli {
namespace {

struct InfoCommand {
  CommonOptions common;
  PlanOptions plan;
  std::string what;
  std::string paper = "sar2021";
  std::string protocol, profile;  ///< of `list assumptions`
  bool database_given = false;
};

Json runs_of(const CommonOptions& common) {
  const Store store = open_results(common);
  Json list = Json::array();
  for (const auto& run : store.runs()) {
    list.push_back({{"cell_key", run.cell.cell_key},
                    {"protocol", run.cell.protocol},
                    {"method", run.cell.method},
                    {"task", run.cell.task},
                    {"fraction", run.cell.fraction},
                    {"trial", run.cell.trial},
                    {"state", run.state},
                    {"reason", run.reason},
                    {"data_kind", run.data_kind}});
  }
  return list;
}

Json items_of(const InfoCommand& command) {
  if (command.what == "runs") {
    return runs_of(command.common);
  }
  const Catalog catalog = Catalog::load();
  Json list = Json::array();
  if (command.what == "methods") {
    for (const auto& method : catalog.methods()) {
      list.push_back({{"id", method.id},
                      {"paper_name", method.paper_name},
                      {"summary", method.summary},
                      {"transfer", method.transfer}});
    }
  } else if (command.what == "datasets") {
    for (const auto& dataset : catalog.datasets()) {
      list.push_back(
          {{"id", dataset.id}, {"paper_name", dataset.paper_name}, {"summary", dataset.layout}});
    }
  } else if (command.what == "tasks") {
    list.push_back(
        {{"id", "brats"},
         {"summary",
          "whole brain tumour on one MR channel, buckets S, M, L by tumour size; targets: tumor"}});
    list.push_back(
        {{"id", "pancreas"},
         {"summary", "pancreas and its tumour on CT, cross-validation; targets: organ, tumor"}});
  } else if (command.what == "claims") {
    for (const Claim& claim : read_claims(read_paper(catalog.paper_folder(command.paper)))) {
      list.push_back({{"id", claim.id},
                      {"section", claim.section},
                      {"kind", claim.kind},
                      {"summary", claim.statement}});
    }
  } else if (command.what == "experiments") {
    for (const auto& name : catalog.experiment_names()) {
      list.push_back({{"id", name},
                      {"summary", read_experiment(catalog.experiment_file(name), catalog).title}});
    }
  } else {
    for (const auto& name : catalog.profile_names()) {
      list.push_back(
          {{"id", name}, {"summary", read_profile(catalog.profile_file(name)).description}});
    }
  }
  return list;
}

/// Where the values beside the assumptions are from: a profile as it would run, a stored protocol
/// (the newest, if only a database is named), or null for the built-in ones.
Json settings_of(const InfoCommand& command) {
  if (!command.profile.empty()) {
    PlanOptions plan;
    plan.profile = command.profile;
    const Session session(command.common, plan);
    return {{"shared", session.configuration().shared().resolved()}};
  }
  if (command.protocol.empty() && !command.database_given) {
    return nullptr;
  }
  const Store store = open_results(command.common);
  if (!command.protocol.empty()) {
    return named_protocol(store, command.protocol).settings;
  }
  if (const auto newest = newest_stored_protocol(store)) {
    return newest->settings;
  }
  throw Error(ExitCode::results_missing, "the database has no protocol yet")
      .with("file", command.common.database);
}

ExitCode list_assumptions(const InfoCommand& command) {
  const Catalog catalog = Catalog::load();
  const std::filesystem::path folder = catalog.paper_folder(command.paper);
  const std::vector<Assumption> assumptions = read_assumptions(folder, catalog.key_words());
  if (assumptions.empty()) {
    throw not_found_error("the paper has no list of assumptions")
        .with("file", (folder / "assumptions.toml").string());
  }
  emit(command.common,
       written(document_of(assumptions, settings_of(command), catalog.defaults()),
               command.common.chosen_format()));
  return ExitCode::ok;
}

ExitCode list(const InfoCommand& command) {
  if (command.what == "assumptions") {
    return list_assumptions(command);
  }
  if (!command.profile.empty() || !command.protocol.empty()) {
    throw usage_error("--profile and --protocol belong to the list of assumptions")
        .with("list", command.what);
  }
  const Json items = items_of(command);
  if (command.common.chosen_format() == "json") {
    emit(command.common, to_text({{"schema_version", 1}, {command.what, items}}));
    return ExitCode::ok;
  }
  std::string text;
  for (const Json& item : items) {
    if (command.what == "runs") {
      text += fmt::format("{}  {}  {:<8} {:<9} {:<5} trial {}  {:<8} {}\n",
                          item.at("protocol").get<std::string>(),
                          item.at("cell_key").get<std::string>(),
                          item.at("method").get<std::string>(),
                          item.at("task").get<std::string>(),
                          item.at("fraction").get<std::string>(),
                          item.at("trial").get<int>(),
                          item.at("state").get<std::string>(),
                          item.at("reason").get<std::string>());
    } else if (command.what == "claims") {
      text += fmt::format("{:<34} {:<9} {:<13} {}\n",
                          item.at("id").get<std::string>(),
                          item.at("section").get<std::string>(),
                          item.at("kind").get<std::string>(),
                          item.at("summary").get<std::string>());
    } else {
      text += fmt::format(
          "{:<10} {}{}\n",
          item.at("id").get<std::string>(),
          item.contains("paper_name") ? item.at("paper_name").get<std::string>() + ": " : "",
          item.at("summary").get<std::string>());
    }
  }
  emit(command.common, text);
  return ExitCode::ok;
}

ExitCode show_config(const InfoCommand& command) {
  const Session session(command.common, command.plan);
  const Settings& settings =
      command.what.empty() ? session.configuration().shared()
                           : session.configuration().of(session.catalog().method(command.what).id);
  if (command.common.chosen_format() == "json") {
    Json keys = Json::object();
    for (const auto& key : session.catalog().schema().keys()) {
      const auto& value = settings.values().at(key.name);
      keys[key.name] = {{"value", value.value},
                        {"origin", value.origin},
                        {"meaning", key.meaning},
                        {"gap", key.gap == 0 ? Json() : Json(key.gap)},
                        {"choices", key.choices}};
    }
    emit(command.common, to_text({{"schema_version", 1}, {"keys", keys}}));
    return ExitCode::ok;
  }
  std::string text;
  for (const auto& [name, value] : settings.values()) {
    const KeySpec* key = session.catalog().schema().find(name);
    text += fmt::format(
        "{:<38} = {:<22} # {} [{}]\n", name, value.value.dump(), key->meaning, value.origin);
  }
  emit(command.common, text);
  return ExitCode::ok;
}

/// A commented file with every key at its default, to be edited.
ExitCode init_config(const InfoCommand& command) {
  const Catalog catalog = Catalog::load();
  std::string text = "# sar-bench.toml: remove the # of a line to change its value.\n\n[data]\n";
  for (const auto& dataset : catalog.datasets()) {
    text += fmt::format(
        "# {} = \"/path/to/{}\"  # {}\n", dataset.id, dataset.paper_name, dataset.layout);
  }
  std::map<std::string, std::string> sections;
  std::string top;
  for (const auto& key : catalog.schema().keys()) {
    const auto dot = key.name.find('.');
    const std::string line = fmt::format("# {} = {}  # {}\n",
                                         key.name.substr(dot == std::string::npos ? 0 : dot + 1),
                                         key.default_value.dump(),
                                         key.meaning);
    (dot == std::string::npos ? top : sections[key.name.substr(0, dot)]) += line;
  }
  text.insert(text.find("[data]"), top + "\n");
  for (const auto& [section, lines] : sections) {
    text += "\n[" + section + "]\n" + lines;
  }
  CommonOptions common = command.common;
  if (common.output.empty()) {
    common.output = "sar-bench.toml";
  }
  if (std::filesystem::exists(common.output)) {
    throw usage_error("the file is there already")
        .with("file", common.output)
        .hint("give another name with -o");
  }
  emit(common, text);
  std::cerr << "written: " << common.output << '\n';
  return ExitCode::ok;
}

ExitCode check_database(const InfoCommand& command) {
  const Store store = open_results(command.common);
  const auto faults = store.check();
  if (command.common.chosen_format() == "json") {
    emit(command.common, to_text({{"schema_version", 1}, {"faults", faults}}));
    return faults.empty() ? ExitCode::ok : ExitCode::input_output;
  }
  for (const auto& fault : faults) {
    std::cout << fault << '\n';
  }
  std::cout << faults.size() << " faults\n";
  return faults.empty() ? ExitCode::ok : ExitCode::input_output;
}

ExitCode query_database(const InfoCommand& command) {
  const Store store = open_results(command.common);
  Json result = store.query(command.what);
  result["schema_version"] = 1;
  if (command.common.chosen_format() == "json") {
    emit(command.common, to_text(result));
    return ExitCode::ok;
  }
  std::string text;
  const auto line = [&](const Json& values) {
    std::string cells;
    for (const Json& value : values) {
      cells += (cells.empty() ? "" : "\t") + (value.is_string() ? value.get<std::string>()
                                              : value.is_null() ? std::string()
                                                                : value.dump());
    }
    text += cells + "\n";
  };
  line(result.at("columns"));
  for (const Json& row : result.at("rows")) {
    line(row);
  }
  emit(command.common, text);
  return ExitCode::ok;
}

ExitCode doctor(const InfoCommand& command) {
  const Session session(command.common, command.plan);
  const Settings& settings = session.configuration().shared();
  const auto environment = run_job(session.catalog().worker(),
                                   jobs::Environment{settings.text("compute.device"),
                                                     settings.text("compute.precision"),
                                                     settings.integer("compute.threads")});
  const Version source = own_version();
  std::error_code code;
  std::filesystem::path folder = session.work();
  while (!std::filesystem::exists(folder)) {
    folder = folder.parent_path();
  }
  const auto space = std::filesystem::space(folder, code);
  Json report{{"schema_version", 1},
              {"commit", source.commit},
              {"dirty", source.dirty},
              {"cores", usable_cores()},
              {"free_disk_gb", static_cast<double>(space.available) / 1e9},
              {"versions", session.catalog().versions()},
              {"environment", write(environment)}};
  report["phantom_case_through_the_whole_path_s"] =
      check_whole_path(settings.text("compute.device"));
  if (command.common.chosen_format() == "json") {
    emit(command.common, to_text(report));
  } else {
    std::string text;
    for (const auto& [name, value] : flatten(report)) {
      const std::string shown = value.is_string() ? value.get<std::string>() : value.dump();
      if (shown.find('\n') == std::string::npos) {  // how LibTorch was built is in --json alone
        text += fmt::format("{:<38} {}\n", name, shown);
      }
    }
    emit(command.common, text);
  }
  return ExitCode::ok;
}

}  // namespace

void add_list(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<InfoCommand>();
  auto* sub = app.add_subcommand(
      "list",
      "methods, data sets, tasks, experiments, profiles, a paper's claims and the assumptions "
      "where it is silent, or stored runs");
  const std::vector<std::string> lists{
      "methods", "datasets", "tasks", "experiments", "profiles", "claims", "assumptions", "runs"};
  sub->add_option("what", command->what, fmt::format("{}", fmt::join(lists, "|")))
      ->required()
      ->check(CLI::IsMember(lists));
  single(sub,
         "--paper",
         command->paper,
         "whose claims or assumptions: name in experiments/papers, or a folder")
      ->type_name("NAME|DIR");
  auto* profile =
      single(sub, "--profile", command->profile, "assumptions: with the values of this profile");
  single(sub,
         "--protocol",
         command->protocol,
         "assumptions: with the values of this stored protocol (default with --db: the newest)")
      ->excludes(profile);
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(sub, chosen, command, [sub](InfoCommand each, const Chosen&) {
    each.database_given = sub->count("--db") > 0;
    return list(each);
  });
}

void add_config(CLI::App& app, Chosen& chosen) {
  auto* config =
      app.add_subcommand("config", "show the resolved configuration, or write a file to edit");
  config->require_subcommand(1);
  auto show = std::make_shared<InfoCommand>();
  auto* sub = config->add_subcommand("show", "every key with value, meaning and origin");
  single(sub, "method", show->what, "as this method resolves it");
  single(sub, "--profile", show->plan.profile, "profile")->capture_default_str();
  add_common(sub, show->common);
  on_chosen(
      sub, chosen, show, [](const InfoCommand& each, const Chosen&) { return show_config(each); });
  auto init = std::make_shared<InfoCommand>();
  auto* write = config->add_subcommand("init", "write a commented sar-bench.toml");
  add_common(write, init->common);
  on_chosen(write, chosen, init, [](const InfoCommand& each, const Chosen&) {
    return init_config(each);
  });
}

void add_db(CLI::App& app, Chosen& chosen) {
  auto* db = app.add_subcommand("db", "check or query the results database");
  db->require_subcommand(1);
  auto check = std::make_shared<InfoCommand>();
  auto* sub =
      db->add_subcommand("check", "integrity, and stored statistics against recomputed ones");
  add_database(sub, check->common);
  add_common(sub, check->common);
  on_chosen(sub, chosen, check, [](const InfoCommand& each, const Chosen&) {
    return check_database(each);
  });
  auto sql = std::make_shared<InfoCommand>();
  auto* query = db->add_subcommand("sql", "run one read-only SQL statement");
  single(query, "statement", sql->what, "e.g. \"select * from v_cell\"")->required();
  add_database(query, sql->common);
  add_common(query, sql->common);
  on_chosen(query, chosen, sql, [](const InfoCommand& each, const Chosen&) {
    return query_database(each);
  });
}

void add_doctor(CLI::App& app, Chosen& chosen) {
  auto command = std::make_shared<InfoCommand>();
  auto* sub = app.add_subcommand(
      "doctor",
      "versions, devices, threads and disk, then one phantom case through the whole path");
  single(sub, "--profile", command->plan.profile, "profile")->capture_default_str();
  single(sub, "--device", command->plan.device, "cpu, cuda, or cuda:N");
  add_database(sub, command->common);
  add_common(sub, command->common);
  on_chosen(
      sub, chosen, command, [](const InfoCommand& each, const Chosen&) { return doctor(each); });
}

void add_completion(CLI::App& app, Chosen& chosen) {
  auto* sub =
      app.add_subcommand("completion", "shell completion: eval \"$(sar-bench completion bash)\"");
  auto shell = std::make_shared<std::string>();
  sub->add_option("shell", *shell, "bash")->required()->check(CLI::IsMember({"bash"}));
  sub->callback([&app, &chosen] {
    chosen.run = [&app] {
      std::string commands;
      std::string cases;
      for (const auto* each : app.get_subcommands({})) {
        commands += " " + each->get_name();
        std::string words;
        for (const auto* nested : each->get_subcommands({})) {
          words += " " + nested->get_name();
        }
        for (const auto* option : each->get_options()) {
          for (const auto& name : option->get_lnames()) {
            words += " --" + name;
          }
        }
        cases += "    " + each->get_name() + ") words=\"" + words + "\" ;;\n";
      }
      std::cout
          << "_sar_bench() {\n  local words=\"" << commands
          << "\"\n  if [ \"$COMP_CWORD\" -gt 1 ]; then\n    case \"${COMP_WORDS[1]}\" in\n"
          << cases
          << "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- "
             "\"${COMP_WORDS[COMP_CWORD]}\"))\n}\ncomplete -o default -F _sar_bench sar-bench\n";
      return ExitCode::ok;
    };
  });
}

}  // namespace sar::cli
