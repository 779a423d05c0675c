#pragma once

#include "experiments/catalog.h"
#include "experiments/experiment.h"
#include "harness/config/settings.h"

#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Everything a user can say about values, before it is resolved.
struct ConfigurationSources {
  std::optional<Profile> profile;
  const Experiment* experiment = nullptr;
  std::vector<std::filesystem::path> files;  ///< weakest first: user's, ./sar-bench.toml, --config
  std::map<std::string, std::string> environment;  ///< SARBENCH_* variables
  /// --set key=value and the flags that stand for a key, in order: (key, value, "--set" or
  /// "--seed").
  struct Flag {
    std::string key;
    std::string value;
    std::string origin;
  };
  std::vector<Flag> flags;
  std::map<std::string, std::string> data_flags;  ///< --data luna=DIR
};

/// The configuration of every method and the data roots.
class Configuration {
 public:
  /// Precedence: built-in < method < profile < experiment < files < environment < flags. Throws
  /// Error 2 for unknown keys and wrong values, naming the nearest and the origin.
  Configuration(const Catalog& catalog, const ConfigurationSources& sources);

  /// Values that hold for no method in particular.
  [[nodiscard]] const Settings& shared() const { return shared_; }
  [[nodiscard]] const Settings& of(const std::string& method) const;
  /// Puts what "auto" comes to where the work runs, for all methods.
  void settle_precision(const std::string& precision);
  [[nodiscard]] const std::map<std::string, Settings>& methods() const { return methods_; }
  [[nodiscard]] const std::map<std::string, std::string>& data_roots() const { return data_roots_; }
  /// "finetune.max_epochs = 3 (--set) replaces 12 (profile quick)": one line for each value of the
  /// user's that replaces a profile's.
  [[nodiscard]] const std::vector<std::string>& replaced() const { return replaced_; }

 private:
  Settings shared_;
  std::map<std::string, Settings> methods_;
  std::map<std::string, std::string> data_roots_;
  std::vector<std::string> replaced_;
};

/// The files that are read when they exist: $XDG_CONFIG_HOME/sar-bench/config.toml (or ~/.config),
/// ./sar-bench.toml. `note` is told of one that cannot be looked at.
std::vector<std::filesystem::path> default_configuration_files(
    const std::function<void(const std::string&)>& note);
/// All SARBENCH_* variables of this process.
std::map<std::string, std::string> sarbench_environment();

}  // namespace sar
