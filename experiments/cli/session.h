#pragma once

#include "experiments/catalog.h"
#include "experiments/cli/options.h"
#include "experiments/configuration.h"
#include "experiments/experiment.h"
#include "experiments/manifest.h"
#include "experiments/plan.h"
#include "experiments/progress.h"
#include "experiments/worker_process.h"

#include <filesystem>
#include <optional>
#include <string>

namespace sar::cli {

/// Folder of a database's products: --work, or DB.work beside the database.
std::filesystem::path work_folder(const CommonOptions& common);

/// Folder of a database's locks and progress: DB.work, wherever its products lie.
std::filesystem::path state_folder(const CommonOptions& common);

/// Shows the progress of one job of the worker under a name.
OnProgress show_progress(Progress& progress, const std::string& label);

/// What the user says about values in files, environment and flags, over the built-in ones; for
/// commands that only present.
Configuration user_configuration(const Catalog& catalog, const CommonOptions& common);

/// Everything that planning needs, resolved from flags, files and environment.
class Session {
 public:
  Session(const CommonOptions& common, const PlanOptions& plan);

  [[nodiscard]] const Catalog& catalog() const { return catalog_; }
  [[nodiscard]] const Experiment* experiment() const {
    return experiment_ ? &*experiment_ : nullptr;
  }
  [[nodiscard]] const Profile& profile() const { return *profile_; }
  [[nodiscard]] const Configuration& configuration() const { return *configuration_; }
  [[nodiscard]] const std::filesystem::path& work() const { return work_; }

  /// Roots of the data: those given, or the phantom suite's, which is written first if it is not
  /// there (not when `dry`). Throws Error 66 for a root that does not exist.
  Manifest manifest(bool dry);
  Plan plan(const Manifest& manifest);
  /// What the flags leave of each part of the experiment. Throws Error 2 for a method, task or
  /// fraction that no part has.
  [[nodiscard]] std::vector<Selection> selections() const;
  /// Keys that were given by --set but that no planned node reads.
  [[nodiscard]] std::vector<std::string> unread_settings(const Plan& plan) const;
  /// Roots by data set id; those of the phantom suite if none was given.
  [[nodiscard]] std::map<std::string, std::string> roots() const;
  [[nodiscard]] bool phantom() const { return configuration_->data_roots().empty(); }
  /// Writes the phantom suite unless it is there.
  void write_phantoms(const std::filesystem::path& folder) const;
  [[nodiscard]] std::filesystem::path phantom_folder() const;

 private:
  /// Puts what `compute.precision` = auto comes to on this machine. Throws Error 2 if bfloat16 is
  /// asked for on the CPU and the worker says that this machine's processor is not for it.
  void settle_precision();
  void add_controls(std::vector<Selection>& selections) const;

  const CommonOptions& common_;
  const PlanOptions& options_;
  Catalog catalog_;
  std::optional<Experiment> experiment_;
  std::optional<Profile> profile_;
  std::optional<Configuration> configuration_;
  std::filesystem::path work_;
};

}  // namespace sar::cli
