#include "experiments/catalog.h"

#include "harness/config/core_keys.h"
#include "harness/core/error.h"

#include <algorithm>
#include <cstdlib>

namespace sar {
namespace fs = std::filesystem;
namespace {

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".toml") {
      names.push_back(entry.path().stem().string());
    }
  }
  std::ranges::sort(names);
  return names;
}

fs::path find_file(const fs::path& folder, const std::string& name, const std::string& kind) {
  if (name.find('/') != std::string::npos || name.ends_with(".toml")) {
    if (!fs::exists(name)) {
      throw usage_error("no such " + kind + " file").with("file", name);
    }
    return fs::absolute(name);
  }
  const fs::path path = folder / (name + ".toml");
  if (fs::exists(path)) {
    return path;
  }
  const auto names = names_in(folder);
  const std::string nearest = nearest_match(name, names);
  std::string known;
  for (const auto& each : names) {
    known += (known.empty() ? "" : ", ") + each;
  }
  throw usage_error("unknown " + kind + " '" + name + "'")
      .hint((nearest.empty() ? std::string() : "did you mean '" + nearest + "'? ") +
            "known: " + known + "; a file of your own is given by its path");
}

/// In a build folder they are a link into the source tree, which leads nowhere once either is
/// moved.
void refuse_missing_experiments(const fs::path& folder) {
  std::error_code reason;
  static_cast<void>(fs::directory_iterator(folder, reason));
  if (!reason) {
    return;
  }
  std::error_code ignored;
  const fs::path target = fs::read_symlink(folder, ignored);
  throw internal_error("installation is incomplete: the folder of experiments cannot be read")
      .with("folder", folder.string() + (target.empty() ? "" : " -> " + target.string()))
      .with("reason", reason.message())
      .hint(
          "build again, or point SARBENCH_SHARE to the folder share/sar-bench of an installation");
}

/// Only talk and program: what else a commit changes shows when the worker is started.
void refuse_other_description(const Json& description, const fs::path& file) {
  const Version own = own_version();
  const Json version = description.is_object() ? description.value("version", Json()) : Json();
  if (!version.is_object()) {
    throw internal_error("the installation does not say its version")
        .with("file", file.string())
        .with("this program", own.text())
        .hint("install or build program, worker and share/sar-bench together");
  }
  const auto other = read<Version>(version, file.string());
  if (other.talk != own.talk || other.program != own.program) {
    throw internal_error("the installation is of another version than this program")
        .with("file", file.string() + ", " + other.text())
        .with("this program", own.text())
        .hint("install or build program, worker and share/sar-bench together");
  }
}

/// Folder of the running executable.
fs::path executable_folder() {
  std::error_code code;
  const fs::path path = fs::read_symlink("/proc/self/exe", code);
  if (code) {
    throw internal_error("cannot find the running executable").with("reason", code.message());
  }
  return path.parent_path();
}

}  // namespace

Catalog Catalog::load() {
  const char* named = std::getenv("SARBENCH_SHARE");
  return load(named != nullptr ? fs::path(named)
                               : executable_folder().parent_path() / "share" / "sar-bench");
}

Catalog Catalog::load(const fs::path& share) {
  if (!fs::exists(share / "catalog.json")) {
    throw internal_error("installation is incomplete: no catalog.json")
        .with("folder", share.string())
        .hint("point SARBENCH_SHARE to the folder share/sar-bench of the installation");
  }
  refuse_missing_experiments(share / "experiments");
  Catalog catalog;
  catalog.share_ = fs::absolute(share);
  catalog.worker_ = executable_folder() / "sar-bench-worker";
  catalog.schema_ = core_schema();
  const fs::path file = share / "catalog.json";
  const Json json = read_json(file);
  // Another version may have other fields: it is looked at first.
  refuse_other_description(json, file);
  catalog.description_ = read<Description>(json, file.string());
  for (const MethodInfo& method : catalog.methods()) {
    for (const KeySpec& key : method.keys) {
      catalog.schema_.add(key);
    }
  }
  for (const DatasetInfo& dataset : catalog.datasets()) {
    for (const KeySpec& key : dataset.keys) {
      catalog.schema_.add(key);
    }
  }
  return catalog;
}

const MethodInfo& Catalog::method(const std::string& id) const {
  const auto found = std::ranges::find(methods(), id, &MethodInfo::id);
  if (found != methods().end()) {
    return *found;
  }
  std::vector<std::string> ids;
  for (const auto& each : methods()) {
    ids.push_back(each.id);
  }
  const std::string nearest = nearest_match(id, ids);
  throw usage_error("unknown method '" + id + "'")
      .hint(nearest.empty() ? "sar-bench list methods shows all"
                            : "did you mean '" + nearest + "'?");
}

Json Catalog::defaults() const {
  Json values = Json::object();
  for (const auto& key : schema_.keys()) {
    values[key.name] = key.default_value;
  }
  return values;
}

std::map<std::string, std::vector<std::string>> Catalog::key_words() const {
  std::map<std::string, std::vector<std::string>> words;
  for (const auto& dataset : datasets()) {
    words["set"].push_back(dataset.id);
  }
  for (const auto& each : methods()) {
    words["method"].push_back(each.id);
  }
  return words;
}

fs::path Catalog::experiment_file(const std::string& name) const {
  return find_file(share_ / "experiments", name, "experiment");
}

fs::path Catalog::profile_file(const std::string& name) const {
  return find_file(share_ / "experiments" / "profiles", name, "profile");
}

fs::path Catalog::paper_folder(const std::string& name) const {
  if (name.find('/') != std::string::npos || name == "." || name == "..") {
    return fs::absolute(name).lexically_normal();
  }
  const fs::path papers = share_ / "experiments" / "papers";
  if (fs::is_directory(papers / name)) {
    return papers / name;
  }
  if (fs::exists(fs::path(name) / "paper.toml")) {
    return fs::absolute(name);
  }
  std::vector<std::string> names;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(papers, ignored)) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  const std::string nearest = nearest_match(name, names);
  throw usage_error("unknown paper '" + name + "'")
      .hint((nearest.empty() ? std::string() : "did you mean '" + nearest + "'? ") +
            "a folder of your own is given by its path, e.g. ./" + name);
}

fs::path Catalog::report_folder() const {
  return share_ / "experiments" / "report";
}

std::vector<std::string> Catalog::experiment_names() const {
  return names_in(share_ / "experiments");
}

std::vector<std::string> Catalog::profile_names() const {
  return names_in(share_ / "experiments" / "profiles");
}

}  // namespace sar
