#include "experiments/cli/session.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <map>

namespace sar::cli {
namespace fs = std::filesystem;
namespace {

std::pair<std::string, std::string> split_assignment(const std::string& text,
                                                     const std::string& flag) {
  const auto equals = text.find('=');
  if (equals == std::string::npos || equals == 0) {
    throw usage_error(flag + " needs NAME=VALUE").with("got", text);
  }
  return {text.substr(0, equals), text.substr(equals + 1)};
}

ConfigurationSources sources_of(const CommonOptions& common, const PlanOptions& plan) {
  ConfigurationSources sources;
  if (!common.isolated) {
    sources.files = default_configuration_files(
        [](const std::string& text) { std::cerr << "note: " << text << '\n'; });
    sources.environment = sarbench_environment();
  }
  sources.files.insert(sources.files.end(), common.config_files.begin(), common.config_files.end());
  for (const auto& text : common.settings) {
    const auto [key, value] = split_assignment(text, "--set");
    sources.flags.push_back({key, value, "--set"});
  }
  for (const auto& [flag, key, value] :
       {std::tuple{"--seed", "seed", plan.seed},
        std::tuple{"--device", "compute.device", plan.device},
        std::tuple{"--precision", "compute.precision", plan.precision}}) {
    if (!value.empty()) {
      sources.flags.push_back({key, value, flag});
    }
  }
  for (const auto& text : plan.data) {
    const auto [id, root] = split_assignment(text, "--data");
    sources.data_flags[id] = root;
  }
  return sources;
}

void check_known(const std::vector<std::string>& given,
                 const std::vector<std::string>& known,
                 const std::string& what) {
  for (const auto& each : given) {
    if (std::ranges::find(known, each) == known.end()) {
      const std::string nearest = nearest_match(each, known);
      std::string list;
      for (const auto& name : known) {
        list += (list.empty() ? "" : ", ") + name;
      }
      throw usage_error("no " + what + " '" + each + "' in this experiment")
          .hint((nearest.empty() ? std::string() : "did you mean '" + nearest + "'? ") +
                "it has: " + list);
    }
  }
}

}  // namespace

fs::path work_folder(const CommonOptions& common) {
  return fs::absolute(common.work.empty() ? common.database + ".work" : common.work);
}

fs::path state_folder(const CommonOptions& common) {
  return fs::absolute(common.database + ".work");
}

OnProgress show_progress(Progress& progress, const std::string& label) {
  return [&progress, label](const events::Progress& event) {
    progress.update(0, event.fraction(), {{label, event.fraction()}});
  };
}

Configuration user_configuration(const Catalog& catalog, const CommonOptions& common) {
  return {catalog, sources_of(common, {})};
}

Session::Session(const CommonOptions& common, const PlanOptions& plan)
    : common_(common), options_(plan), catalog_(Catalog::load()), work_(work_folder(common)) {
  ConfigurationSources sources = sources_of(common, plan);
  if (!plan.experiment.empty()) {
    experiment_ = read_experiment(catalog_.experiment_file(plan.experiment), catalog_);
    sources.experiment = &*experiment_;
  }
  profile_ = read_profile(catalog_.profile_file(plan.profile));
  sources.profile = profile_;
  configuration_.emplace(catalog_, sources);
  if (experiment_) {
    static_cast<void>(selections());  // a mistyped method is refused before any data are read
  }
  settle_precision();
  if (!common.quiet) {
    for (const auto& line : configuration_->replaced()) {
      std::cerr << "note: " << line << '\n';
    }
  }
}

void Session::settle_precision() {
  const Settings& settings = configuration_->shared();
  const std::string device = settings.text("compute.device");
  const std::string precision = settings.text("compute.precision");
  const bool automatic = precision == "auto";
  const bool on_gpu = device.starts_with("cuda");
  if (!automatic && (precision != "bf16" || on_gpu || !experiment_)) {
    return;
  }
  const jobs::Environment job{device, "fp32", settings.integer("compute.threads")};
  jobs::Environment::Result environment;
  try {
    environment = run_job(catalog_.worker(), job);
  } catch (Error& error) {
    error.with("key", "compute.precision")
        .hint(
            "auto is settled where the work runs; to plan for another machine say --precision "
            "fp32 or bf16");
    throw;
  }
  if (automatic) {
    const std::string settled = environment.fast_bfloat16 ? "bf16" : "fp32";
    configuration_->settle_precision(settled);
    if (!common_.quiet) {
      const std::string where = on_gpu ? "the GPU" : "this processor";
      std::cerr << fmt::format("note: compute.precision = {} (auto: {})\n",
                               settled,
                               environment.fast_bfloat16 ? where + " has instructions for bfloat16"
                               : on_gpu || environment.bfloat16
                                   ? where + " has no instructions for bfloat16"
                                   : "no bfloat16 here: " + environment.bfloat16_obstacle);
    }
    return;
  }
  if (!environment.bfloat16) {
    throw usage_error("this machine's processor cannot compute in bfloat16")
        .with("key", "compute.precision")
        .with("set by", settings.values().at("compute.precision").origin)
        .with("reason", environment.bfloat16_obstacle)
        .hint("use --precision fp32 here, or bf16 with --device cuda on a machine with a GPU");
  }
}

fs::path Session::phantom_folder() const {
  const Json options = configuration_->shared().subset({"phantom"});
  return work_ / ("phantom-" + content_key(options).substr(0, 8));
}

std::map<std::string, std::string> Session::roots() const {
  if (!phantom()) {
    for (const auto& [id, root] : configuration_->data_roots()) {
      if (!fs::is_directory(root)) {
        throw not_found_error("data root is not there").with("data set", id).with("folder", root);
      }
    }
    return configuration_->data_roots();
  }
  std::map<std::string, std::string> roots;
  for (const auto& dataset : catalog_.datasets()) {
    roots[dataset.id] = (phantom_folder() / dataset.id).string();
  }
  return roots;
}

void Session::write_phantoms(const fs::path& folder) const {
  Progress progress(common_.progress_style(), 1, common_.color_on(2));
  run_job(catalog_.worker(),
          jobs::Phantom{fs::absolute(folder).string(), configuration_->shared().resolved()},
          show_progress(progress, "writing the phantom suite"));
}

Manifest Session::manifest(bool dry) {
  const auto data_roots = roots();
  jobs::Manifest job;
  job.roots = data_roots;
  job.settings = configuration_->shared().resolved();
  job.work = work_.string();
  for (const auto& selection : experiment_ ? selections() : std::vector<Selection>{}) {
    for (const auto& method : selection.methods) {
      job.methods[method] = configuration_->of(method).resolved();
    }
  }
  if (!dry) {
    job.product = (work_ / "manifest.json").string();  // a copy for people
  }
  const bool written = fs::exists(phantom_folder() / "phantom.json");
  if (phantom() && dry && !written) {
    job.planned = true;
    return run_job(catalog_.worker(), job).manifest;
  }
  if (phantom() && !dry) {
    write_phantoms(phantom_folder());
  }
  Progress progress(common_.progress_style(), 1, common_.color_on(2));
  return run_job(catalog_.worker(), job, show_progress(progress, "reading the data sets")).manifest;
}

std::vector<Selection> Session::selections() const {
  std::vector<Selection> selections = selections_of(*experiment_, profile_->trials);
  const auto restrict_to = [&](std::vector<std::string> Selection::*list,
                               const std::vector<std::string>& given,
                               const std::string& what) {
    if (given.empty()) {
      return;
    }
    std::vector<std::string> known;
    for (const auto& selection : selections) {
      known.insert(known.end(), (selection.*list).begin(), (selection.*list).end());
    }
    std::ranges::sort(known);
    known.erase(std::unique(known.begin(), known.end()), known.end());
    check_known(given, known, what);
    // A part that has none of what was asked for has nothing to do.
    std::erase_if(selections, [&](Selection& selection) {
      const bool concerned = !(selection.*list).empty();
      std::erase_if(selection.*list, [&](const std::string& each) {
        return std::ranges::find(given, each) == given.end();
      });
      return concerned && (selection.*list).empty();
    });
  };
  restrict_to(&Selection::methods, options_.methods, "method");
  restrict_to(&Selection::tasks, options_.tasks, "task");
  restrict_to(&Selection::fractions, options_.fractions, "fraction");
  if (selections.empty()) {
    throw usage_error("no part of this experiment has all of what was asked for")
        .with("experiment", experiment_->id);
  }
  if (options_.trials > 0) {
    for (auto& selection : selections) {
      selection.trials = options_.trials;
    }
  }
  if (configuration_->shared().flag("control.with_tables") && options_.methods.empty()) {
    add_controls(selections);
  }
  return selections;
}

/// The controls of each task that a table shows, with the most labels that it shows and in as many
/// trials.
void Session::add_controls(std::vector<Selection>& selections) const {
  const Experiment experiment = read_experiment(catalog_.experiment_file("controls"), catalog_);
  if (experiment_->id == experiment.id) {
    return;
  }
  const Selection controls = selections_of(experiment, profile_->trials).front();
  std::map<std::pair<std::string, int>, std::vector<std::string>> tasks;  // by fraction, trials
  for (const std::string& task : controls.tasks) {
    std::pair<std::string, int> most{"", 0};
    for (const Selection& each : selections) {
      if (each.kind != ExperimentKind::dice ||
          std::ranges::find(each.tasks, task) == each.tasks.end()) {
        continue;
      }
      for (const std::string& fraction : each.fractions) {
        const double more = fraction_value(fraction) - fraction_value(most.first);
        if (more > 0) {
          most = {fraction, each.trials};
        } else if (more == 0) {
          most.second = std::max(most.second, each.trials);
        }
      }
    }
    if (most.second > 0) {
      tasks[most].push_back(task);
    }
  }
  for (const auto& [most, of_tasks] : tasks) {
    Selection selection = controls;
    selection.fractions = {most.first};
    selection.tasks = of_tasks;
    selection.trials = most.second;
    selections.push_back(std::move(selection));
  }
}

Plan Session::plan(const Manifest& manifest) {
  return make_plan(catalog_, *configuration_, manifest, profile_->name, selections(), work_);
}

std::vector<std::string> Session::unread_settings(const Plan& plan) const {
  std::vector<std::string> unread;
  for (const auto& text : common_.settings) {
    const std::string key = text.substr(0, text.find('='));
    const bool presentation = key.starts_with("statistics.") || key.starts_with("output.") ||
                              key.starts_with("compute.") || key == "seed" ||
                              key == "control.with_tables" || key == "evaluate.pool";
    const bool of_phantoms = key.starts_with("phantom.") && phantom();
    const bool of_splits = key == "brats.test_ratio" || key == "brats.split_mode" ||
                           key == "brats.split_file" || key == "pancreas.folds" ||
                           key.starts_with("fractions.") || key.ends_with(".list") ||
                           key == "luna.subsets";
    // What says which cubes are cut is hashed with the cubes.
    const bool of_cubes = std::ranges::any_of(plan.pretraining, [&](const auto& entry) {
      const std::string& cubes = catalog_.method(entry.first).cubes;
      const bool own_scale = cubes != "multiscale" && cubes.find('.') == std::string::npos;
      return cubes == key || (own_scale && key == "ablation.count");
    });
    const bool of_controls = key.starts_with("control.") &&
                             std::ranges::any_of(plan.cells, [&](const PlannedCell& cell) {
                               return catalog_.method(cell.row.method).control;
                             });
    // Content keys leave out a key that was added later where it has its default.
    const KeySpec& spec = catalog_.schema().at(key, "--set");
    const bool is_default =
        spec.added_later && configuration_->shared().values().at(key).value == spec.default_value;
    const bool read =
        is_default || std::ranges::any_of(plan.nodes, [&](const PlannedNode& node) {
          return node.inputs.contains("settings") && node.inputs.at("settings").contains(key);
        });
    if (!read && !presentation && !of_phantoms && !of_splits && !of_cubes && !of_controls) {
      unread.push_back(key);
    }
  }
  return unread;
}

}  // namespace sar::cli
