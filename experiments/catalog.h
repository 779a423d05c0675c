#pragma once

#include "experiments/description.h"
#include "harness/config/settings.h"
#include "harness/core/json.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// What the installed sar-bench consists of: methods, data sets, configuration keys, experiment
/// files.
class Catalog {
 public:
  /// From `SARBENCH_SHARE`, or `../share/sar-bench` beside the executable's folder. Throws Error 70
  /// if there is none, if it lacks the experiments, or if it is of another version.
  static Catalog load();
  /// From a folder; the worker is looked for beside the running executable.
  static Catalog load(const std::filesystem::path& share);

  [[nodiscard]] const MethodInfo& method(
      const std::string& id) const;  ///< throws Error 2 naming the nearest
  [[nodiscard]] const std::vector<MethodInfo>& methods() const { return description_.methods; }
  [[nodiscard]] const std::vector<DatasetInfo>& datasets() const { return description_.datasets; }
  [[nodiscard]] const Schema& schema() const { return schema_; }
  /// Every key with its built-in value.
  [[nodiscard]] Json defaults() const;
  /// What `<set>` and `<method>` in the name of a key stand for: all data sets, all methods.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> key_words() const;
  [[nodiscard]] int numerics_version() const { return description_.numerics_version; }
  /// Versions of LibTorch and ITK that the worker was built with.
  [[nodiscard]] const std::map<std::string, std::string>& versions() const {
    return description_.versions;
  }
  [[nodiscard]] const std::filesystem::path& worker() const { return worker_; }

  /// Path of an experiment or profile: a file as given if it has a path or ends in .toml, else
  /// `<share>/experiments/<name>.toml` or `.../profiles/<name>.toml`. Throws Error 2 naming the
  /// nearest.
  [[nodiscard]] std::filesystem::path experiment_file(const std::string& name) const;
  [[nodiscard]] std::filesystem::path profile_file(const std::string& name) const;
  /// Folder of a paper's printed tables: as given if it has a path or is "." or "..", else
  /// `<share>/experiments/papers/<name>`, else a folder of that name here with a paper.toml. Throws
  /// Error 2 naming the nearest.
  [[nodiscard]] std::filesystem::path paper_folder(const std::string& name) const;
  /// Folder of the report's page: template, style and script.
  [[nodiscard]] std::filesystem::path report_folder() const;
  [[nodiscard]] std::vector<std::string> experiment_names() const;
  [[nodiscard]] std::vector<std::string> profile_names() const;

 private:
  std::filesystem::path share_;
  std::filesystem::path worker_;
  Description description_;
  Schema schema_;
};

}  // namespace sar
