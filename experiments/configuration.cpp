#include "experiments/configuration.h"

#include "harness/config/toml.h"
#include "harness/core/error.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

extern char** environ;

namespace sar {
namespace fs = std::filesystem;
namespace {

constexpr std::string_view kPrefix = "SARBENCH_";
constexpr std::string_view kDataPrefix = "SARBENCH_DATA_";

std::string environment_name(const std::string& key) {
  std::string name(kPrefix);
  for (const char character : key) {
    name += character == '.'
                ? '_'
                : static_cast<char>(std::toupper(static_cast<unsigned char>(character)));
  }
  return name;
}

/// One value and where it comes from; `layer` orders the sources.
struct Assignment {
  std::string key;
  Json value;
  std::string origin;
  bool of_user = false;
};

void add_tree(std::vector<Assignment>& list,
              const Json& tree,
              const TomlFile& file,
              const std::string& name,
              bool of_user) {
  for (const auto& [key, value] : flatten(tree)) {
    const auto line = file.line.find(key);
    const std::string where = line == file.line.end() ? "" : ":" + std::to_string(line->second);
    list.push_back({key, value, name + where, of_user});
  }
}

/// A value given as text, on the command line or in the environment, in the type of its key.
Json from_text(const Schema& schema,
               const std::string& key,
               const std::string& text,
               const std::string& origin) {
  const bool is_text = schema.at(key, origin).default_value.is_string();
  return is_text ? Json(text) : parse_value(text);
}

std::string known_dataset(const Catalog& catalog,
                          const std::string& id,
                          const std::string& origin) {
  std::vector<std::string> ids;
  for (const auto& dataset : catalog.datasets()) {
    ids.push_back(dataset.id);
  }
  if (std::ranges::find(ids, id) == ids.end()) {
    const std::string nearest = nearest_match(id, ids);
    throw usage_error("unknown data set '" + id + "'")
        .with("set by", origin)
        .hint(nearest.empty() ? "known: luna, lits, brats, heart, pancreas"
                              : "did you mean '" + nearest + "'?");
  }
  return id;
}

}  // namespace

Configuration::Configuration(const Catalog& catalog, const ConfigurationSources& sources)
    : shared_(catalog.schema()) {
  const Schema& schema = catalog.schema();
  std::vector<Assignment> assignments;
  if (sources.profile) {
    add_tree(assignments,
             sources.profile->toml.tree,
             sources.profile->toml,
             "profile " + sources.profile->name,
             false);
  }
  if (sources.experiment != nullptr) {
    for (const auto& [key, value] : flatten(sources.experiment->settings)) {
      assignments.push_back({key, value, "experiment " + sources.experiment->id, false});
    }
  }
  for (const auto& path : sources.files) {
    TomlFile file = read_toml(path);
    if (file.tree.contains("data")) {
      for (const auto& [id, root] : file.tree.at("data").items()) {
        const std::string origin = path.string();
        if (!root.is_string()) {
          throw usage_error("a data root must be text")
              .with("file", origin)
              .with("key", "data." + id);
        }
        data_roots_[known_dataset(catalog, id, origin)] = root;
      }
      file.tree.erase("data");
    }
    add_tree(assignments, file.tree, file, path.string(), true);
  }
  std::map<std::string, std::string> by_variable;
  for (const auto& key : schema.keys()) {
    by_variable[environment_name(key.name)] = key.name;
  }
  for (const auto& [name, text] : sources.environment) {
    if (name == "SARBENCH_SHARE" || name == "SARBENCH_TORCH") {
      continue;
    }
    if (name.starts_with(kDataPrefix)) {
      std::string id = name.substr(kDataPrefix.size());
      std::ranges::transform(
          id, id.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
      data_roots_[known_dataset(catalog, id, name)] = text;
      continue;
    }
    const auto key = by_variable.find(name);
    if (key == by_variable.end()) {
      std::vector<std::string> names;
      for (const auto& [variable, unused] : by_variable) {
        names.push_back(variable);
      }
      const std::string nearest = nearest_match(name, names);
      throw usage_error("unknown environment variable " + name)
          .hint(nearest.empty() ? "sar-bench config show lists every key"
                                : "did you mean " + nearest + "?");
    }
    const std::string origin = "environment " + name;
    assignments.push_back(
        {key->second, from_text(schema, key->second, text, origin), origin, true});
  }
  for (const auto& flag : sources.flags) {
    assignments.push_back(
        {flag.key, from_text(schema, flag.key, flag.value, flag.origin), flag.origin, true});
  }
  for (const auto& [id, root] : sources.data_flags) {
    data_roots_[known_dataset(catalog, id, "--data")] = root;
  }

  const auto apply = [&](Settings& settings) {
    for (const auto& each : assignments) {
      settings.set(schema, each.key, each.value, each.origin);
    }
  };
  std::map<std::string, Assignment> of_profile;
  for (const auto& each : assignments) {
    if (each.origin.starts_with("profile ")) {
      of_profile[each.key] = each;
    }
  }
  apply(shared_);
  for (const auto& [key, profile_value] : of_profile) {
    const auto& now = shared_.values().at(key);
    if (!now.origin.starts_with("profile ")) {
      replaced_.push_back(key + " = " + now.value.dump() + " (" + now.origin + ") replaces " +
                          profile_value.value.dump() + " (" + profile_value.origin + ")");
    }
  }
  for (const auto& method : catalog.methods()) {
    Settings settings(schema);
    for (const auto& [key, value] : method.defaults.items()) {
      settings.set(schema, key, value, "method " + method.id);
    }
    apply(settings);
    methods_.emplace(method.id, std::move(settings));
  }
}

void Configuration::settle_precision(const std::string& precision) {
  shared_.derive("compute.precision", precision, "auto");
  for (auto& [id, settings] : methods_) {
    settings.derive("compute.precision", precision, "auto");
  }
}

const Settings& Configuration::of(const std::string& method) const {
  return methods_.at(method);
}

std::vector<fs::path> default_configuration_files(
    const std::function<void(const std::string&)>& note) {
  std::vector<fs::path> files;
  const char* xdg = std::getenv("XDG_CONFIG_HOME");
  const char* home = std::getenv("HOME");
  if (xdg != nullptr && *xdg != '\0') {
    files.push_back(fs::path(xdg) / "sar-bench" / "config.toml");
  } else if (home != nullptr) {
    files.push_back(fs::path(home) / ".config" / "sar-bench" / "config.toml");
  }
  files.emplace_back("sar-bench.toml");
  std::erase_if(files, [&](const fs::path& path) {
    std::error_code failure;
    const bool there = fs::exists(path, failure);
    if (failure) {  // a home folder that this user may not look into
      note(path.string() + " is not read: " + failure.message());
    }
    return !there;
  });
  return files;
}

std::map<std::string, std::string> sarbench_environment() {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    if (text.starts_with(kPrefix)) {
      const auto equals = text.find('=');
      variables.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
  }
  return variables;
}

}  // namespace sar
