#include "experiments/experiment.h"

#include "harness/core/error.h"
#include "harness/volume/split.h"

#include <algorithm>
#include <set>

namespace sar {
namespace {

Error in_file(Error error, const TomlFile& file, const std::string& key) {
  error.with("file", file.path.string());
  if (const auto line = file.line.find(key); line != file.line.end()) {
    error.with("line", std::to_string(line->second));
  }
  return error;
}

/// Reads the tables of one experiment file, naming file and key in every error.
class Reader {
 public:
  explicit Reader(const TomlFile& file) : file_(file) {}

  void allow_only(const Json& table,
                  const std::vector<std::string>& keys,
                  const std::string& where) const {
    for (const auto& [key, value] : table.items()) {
      if (std::ranges::find(keys, key) == keys.end()) {
        const std::string nearest = nearest_match(key, keys);
        throw in_file(usage_error("unknown key '" + key + "' in " + where)
                          .hint(nearest.empty() ? "" : "did you mean '" + nearest + "'?"),
                      file_,
                      key);
      }
    }
  }

  std::string text(const Json& table, const std::string& key) const {
    if (!table.contains(key) || !table.at(key).is_string()) {
      throw in_file(usage_error("'" + key + "' must be given as text"), file_, key);
    }
    return table.at(key);
  }

  std::string text(const Json& table, const std::string& key, const std::string& otherwise) const {
    return table.contains(key) ? text(table, key) : otherwise;
  }

  std::vector<std::string> texts(const Json& table, const std::string& key) const {
    std::vector<std::string> list;
    if (table.contains(key) && table.at(key).is_array()) {
      for (const Json& element : table.at(key)) {
        if (element.is_string()) {
          list.push_back(element);
        }
      }
      if (list.size() == table.at(key).size() && !list.empty()) {
        return list;
      }
    }
    throw in_file(
        usage_error("'" + key + "' must be a list of texts with at least one entry"), file_, key);
  }

  int positive(const Json& table, const std::string& key, int otherwise) const {
    if (!table.contains(key)) {
      return otherwise;
    }
    if (!table.at(key).is_number_integer() || table.at(key).get<int>() < 1) {
      throw in_file(usage_error("'" + key + "' must be a whole number of at least 1"), file_, key);
    }
    return table.at(key);
  }

  void one_of(const std::string& value,
              const std::vector<std::string>& allowed,
              const std::string& key) const {
    if (std::ranges::find(allowed, value) == allowed.end()) {
      std::string list;
      for (const auto& each : allowed) {
        list += (list.empty() ? "" : ", ") + each;
      }
      throw in_file(
          usage_error("'" + key + "' is '" + value + "' but must be one of " + list), file_, key);
    }
  }

 private:
  const TomlFile& file_;
};

TableColumn read_column(const Reader& reader, const Json& item) {
  reader.allow_only(
      item, {"group", "label", "task", "target", "bucket", "fraction"}, "[[columns]]");
  TableColumn column;
  column.group = reader.text(item, "group", "");
  column.label = reader.text(item, "label");
  column.task = reader.text(item, "task");
  column.target = reader.text(item, "target");
  column.bucket = reader.text(item, "bucket", "all");
  column.fraction = reader.text(item, "fraction", "1");
  reader.one_of(column.task, {"brats", "pancreas"}, "task");
  const bool brats = column.task == "brats";
  reader.one_of(
      column.target,
      brats ? std::vector<std::string>{"tumor"} : std::vector<std::string>{"organ", "tumor"},
      "target");
  reader.one_of(
      column.bucket,
      brats ? std::vector<std::string>{"S", "M", "L", "all"} : std::vector<std::string>{"all"},
      "bucket");
  parse_fraction(column.fraction);
  return column;
}

}  // namespace

Experiment read_experiment(const std::filesystem::path& path, const Catalog& catalog) {
  const TomlFile file = read_toml(path);
  const Reader reader(file);
  reader.allow_only(file.tree,
                    {"id", "title", "methods", "reference", "trials", "columns", "settings"},
                    "the experiment");
  Experiment experiment;
  experiment.file = path;
  experiment.table.id = reader.text(file.tree, "id");
  experiment.table.title = reader.text(file.tree, "title");
  experiment.table.trials = reader.positive(file.tree, "trials", 5);
  for (const auto& id : reader.texts(file.tree, "methods")) {
    try {
      experiment.table.rows.push_back({id, catalog.method(id).paper_name});
    } catch (Error& error) {
      throw in_file(std::move(error), file, "methods");
    }
  }
  experiment.table.reference = reader.text(file.tree, "reference", "sar");
  if (!file.tree.contains("columns") || !file.tree.at("columns").is_array()) {
    throw in_file(usage_error("an experiment needs [[columns]]"), file, "columns");
  }
  for (const Json& item : file.tree.at("columns")) {
    const TableColumn column = read_column(reader, item);
    if (std::ranges::find(experiment.fractions, column.fraction) == experiment.fractions.end()) {
      experiment.fractions.push_back(column.fraction);
    }
    experiment.table.columns.push_back(column);
  }
  if (file.tree.contains("settings")) {
    experiment.settings = file.tree.at("settings");
  }
  return experiment;
}

Profile read_profile(const std::filesystem::path& path) {
  Profile profile;
  profile.file = path;
  profile.name = path.stem().string();
  profile.toml = read_toml(path);
  const Reader reader(profile.toml);
  profile.description = reader.text(profile.toml.tree, "description", "");
  profile.trials = reader.positive(profile.toml.tree, "trials", 5);
  profile.toml.tree.erase("description");
  profile.toml.tree.erase("trials");
  return profile;
}

}  // namespace sar
