#pragma once

#include "harness/config/settings.h"
#include "harness/core/json.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// A method as the front knows it: the front links no LibTorch, so the worker describes its
/// registry at build time and the front reads that description.
struct MethodInfo {
  std::string id, paper_name, summary, transfer;
  std::string cubes;  ///< which cubes its pre-training reads, or the key that says so
  bool pretrains = false;
  std::vector<std::string>
      sections;   ///< configuration that its pre-training reads besides the shared one
  Json defaults;  ///< its values for shared keys
};

struct DatasetInfo {
  std::string id, paper_name, modality, organ, layout;
  int paper_cases = 0;
};

/// What the installed sar-bench consists of: methods, data sets, configuration keys, experiment
/// files.
class Catalog {
 public:
  /// From `SARBENCH_SHARE`, or `../share/sar-bench` beside the executable's folder. Throws Error 70
  /// with both places if there is none.
  static Catalog load();
  /// From a folder; the worker is looked for beside the running executable.
  static Catalog load(const std::filesystem::path& share);

  [[nodiscard]] const MethodInfo& method(
      const std::string& id) const;  ///< throws Error 2 naming the nearest
  [[nodiscard]] const std::vector<MethodInfo>& methods() const { return methods_; }
  [[nodiscard]] const std::vector<DatasetInfo>& datasets() const { return datasets_; }
  [[nodiscard]] const Schema& schema() const { return schema_; }
  /// Every key with its built-in value.
  [[nodiscard]] Json defaults() const;
  /// What `<set>` and `<method>` in the name of a key stand for: all data sets, all methods.
  [[nodiscard]] std::map<std::string, std::vector<std::string>> key_words() const;
  [[nodiscard]] int numerics_version() const { return numerics_version_; }
  /// Versions of LibTorch and ITK that the worker was built with.
  [[nodiscard]] const Json& versions() const { return versions_; }
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
  std::vector<MethodInfo> methods_;
  std::vector<DatasetInfo> datasets_;
  Schema schema_;
  int numerics_version_ = 0;
  Json versions_;
};

/// Folder of the running executable.
std::filesystem::path executable_folder();

}  // namespace sar
