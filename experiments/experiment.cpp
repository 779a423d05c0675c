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

  double share(const Json& table, const std::string& key, double otherwise) const {
    if (!table.contains(key)) {
      return otherwise;
    }
    if (!table.at(key).is_number() || !(table.at(key).get<double>() > 0) ||
        !(table.at(key).get<double>() < 1)) {
      throw in_file(usage_error("'" + key + "' must be a number between 0 and 1"), file_, key);
    }
    return table.at(key);
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

const std::vector<std::string> kTasks{"brats", "pancreas"};
const std::vector<std::string> kSourceSets{"luna", "lits", "brats", "heart"};

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
  reader.one_of(column.task, kTasks, "task");
  const bool brats = column.task == "brats";
  reader.one_of(column.target,
                brats ? std::vector<std::string>{"tumor"}
                      : std::vector<std::string>{"organ", "tumor", "average"},
                "target");
  reader.one_of(
      column.bucket,
      brats ? std::vector<std::string>{"S", "M", "L", "all"} : std::vector<std::string>{"all"},
      "bucket");
  parse_fraction(column.fraction);
  return column;
}

/// Reads one experiment file of any kind.
class ExperimentReader {
 public:
  ExperimentReader(const TomlFile& file, const Catalog& catalog)
      : file_(file), reader_(file), catalog_(catalog) {}

  Experiment read() {
    experiment_.file = file_.path;
    experiment_.id = reader_.text(file_.tree, "id");
    check_id();
    experiment_.title = reader_.text(file_.tree, "title");
    const std::string kind = reader_.text(file_.tree, "kind", "dice");
    const std::map<std::string, std::pair<ExperimentKind, void (ExperimentReader::*)()>> kinds{
        {"dice", {ExperimentKind::dice, &ExperimentReader::read_dice}},
        {"data", {ExperimentKind::data, &ExperimentReader::read_data}},
        {"curves", {ExperimentKind::curves, &ExperimentReader::read_curves}},
        {"pretraining", {ExperimentKind::pretraining, &ExperimentReader::read_pretraining}},
        {"collection", {ExperimentKind::collection, &ExperimentReader::read_collection}}};
    reader_.one_of(kind, {"dice", "data", "curves", "pretraining", "collection"}, "kind");
    experiment_.kind = kinds.at(kind).first;
    (this->*kinds.at(kind).second)();
    if (file_.tree.contains("settings")) {
      if (!file_.tree.at("settings").is_object()) {
        throw in_file(usage_error("'settings' must be a table: [settings]"), file_, "settings");
      }
      experiment_.settings = file_.tree.at("settings");
    }
    return std::move(experiment_);
  }

 private:
  /// The id names files and a family of tests, so it is a plain word, and that of no built-in
  /// experiment.
  void check_id() const {
    const std::string& id = experiment_.id;
    const bool plain = !id.empty() && std::ranges::all_of(id, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
             c == '-' || c == '_';
    });
    if (!plain) {
      throw in_file(usage_error("'id' must be made of letters, digits, - and _"), file_, "id");
    }
    const auto names = catalog_.experiment_names();
    std::error_code ignored;
    if (std::ranges::find(names, id) != names.end() &&
        !std::filesystem::equivalent(file_.path, catalog_.experiment_file(id), ignored)) {
      throw in_file(
          usage_error("'" + id + "' is a built-in experiment; give yours another id"), file_, "id");
    }
  }

  void allow_only(std::vector<std::string> keys) const {
    keys.insert(keys.end(), {"id", "title", "kind", "settings"});
    reader_.allow_only(
        file_.tree, keys, "an experiment of kind '" + to_string(experiment_.kind) + "'");
  }

  /// A list in which nothing is named twice.
  std::vector<std::string> distinct(const std::string& key) const {
    std::vector<std::string> list = reader_.texts(file_.tree, key);
    for (auto each = list.begin(); each != list.end(); ++each) {
      if (std::find(list.begin(), each, *each) != each) {
        throw in_file(usage_error("'" + *each + "' is named twice in '" + key + "'"), file_, key);
      }
    }
    return list;
  }

  /// The method that all others are tested against: one of the rows, SAR if nothing is said.
  std::string reference(const std::vector<TableRow>& rows) const {
    const std::string id = reader_.text(file_.tree, "reference", "sar");
    std::vector<std::string> ids;
    for (const auto& row : rows) {
      ids.push_back(row.method);
    }
    if (std::ranges::find(ids, id) == ids.end()) {
      const std::string nearest = nearest_match(id, ids);
      throw in_file(usage_error("the reference must be one of the methods; '" + id + "' is not")
                        .hint(nearest.empty() ? "name one with reference = \"" + ids.back() + "\""
                                              : "did you mean '" + nearest + "'?"),
                    file_,
                    "reference");
    }
    return id;
  }

  std::vector<TableRow> methods() const {
    std::vector<TableRow> rows;
    for (const auto& id : distinct("methods")) {
      try {
        rows.push_back({id, catalog_.method(id).paper_name});
      } catch (Error& error) {
        throw in_file(std::move(error), file_, "methods");
      }
    }
    return rows;
  }

  void read_dice() {
    allow_only({"methods", "reference", "trials", "columns"});
    TableSpec& table = experiment_.table;
    table.id = experiment_.id;
    table.title = experiment_.title;
    table.trials = reader_.positive(file_.tree, "trials", 5);
    table.rows = methods();
    table.reference = reference(table.rows);
    const Json columns = file_.tree.value("columns", Json());
    if (!columns.is_array() || columns.empty() ||
        !std::ranges::all_of(columns, [](const Json& each) { return each.is_object(); })) {
      throw in_file(usage_error("a table of Dice needs [[columns]]"), file_, "columns");
    }
    for (const Json& item : file_.tree.at("columns")) {
      table.columns.push_back(read_column(reader_, item));
    }
  }

  void read_data() {
    allow_only({"datasets"});
    experiment_.datasets = distinct("datasets");
    for (const auto& id : experiment_.datasets) {
      reader_.one_of(id, kSourceSets, "datasets");
    }
  }

  void read_curves() {
    allow_only({"methods", "reference", "tasks", "fraction", "trials", "tolerance"});
    CurveSpec& curves = experiment_.curves;
    curves.id = experiment_.id;
    curves.title = experiment_.title;
    curves.rows = methods();
    curves.reference = reference(curves.rows);
    curves.tasks = distinct("tasks");
    for (const auto& task : curves.tasks) {
      reader_.one_of(task, kTasks, "tasks");
    }
    curves.fraction = reader_.text(file_.tree, "fraction", "1");
    parse_fraction(curves.fraction);
    curves.trials = reader_.positive(file_.tree, "trials", 5);
    curves.tolerance = reader_.share(file_.tree, "tolerance", curves.tolerance);
  }

  void read_pretraining() {
    allow_only({"methods"});
    experiment_.rows = methods();
    for (const auto& row : experiment_.rows) {
      if (!catalog_.method(row.method).pretrains) {
        throw in_file(
            usage_error("'" + row.method + "' has no pre-training to show"), file_, "methods");
      }
    }
  }

  void read_collection() {
    allow_only({"experiments"});
    for (const auto& name : distinct("experiments")) {
      const auto refuse = [&](const std::string& why) {
        throw in_file(usage_error("'" + name + "' cannot be part of a collection: " + why),
                      file_,
                      "experiments");
      };
      // A file of the user's lies beside the collection that names it.
      std::string wanted = name;
      if (name.ends_with(".toml") && std::filesystem::path(name).is_relative()) {
        wanted = (std::filesystem::absolute(file_.path).parent_path() / name).string();
      }
      const std::filesystem::path path = catalog_.experiment_file(wanted);
      const Json tree = read_toml(path).tree;  // before it is followed: it may name this very file
      if (tree.contains("kind") && tree.at("kind") == "collection") {
        refuse("it is one itself");
      }
      Experiment part = read_experiment(path, catalog_);
      if (!part.settings.empty()) {
        refuse("it has [settings] of its own, and a collection runs under one protocol");
      }
      experiment_.parts.push_back(std::move(part));
    }
  }

  const TomlFile& file_;
  Reader reader_;
  const Catalog& catalog_;
  Experiment experiment_;
};

}  // namespace

std::string to_string(ExperimentKind kind) {
  switch (kind) {
    case ExperimentKind::dice:
      return "dice";
    case ExperimentKind::data:
      return "data";
    case ExperimentKind::curves:
      return "curves";
    case ExperimentKind::pretraining:
      return "pretraining";
    case ExperimentKind::collection:
      return "collection";
  }
  throw internal_error("an experiment without a kind");
}

Experiment read_experiment(const std::filesystem::path& path, const Catalog& catalog) {
  const TomlFile file = read_toml(path);
  return ExperimentReader(file, catalog).read();
}

std::vector<const Experiment*> parts_of(const Experiment& experiment) {
  if (experiment.kind != ExperimentKind::collection) {
    return {&experiment};
  }
  std::vector<const Experiment*> parts;
  for (const Experiment& part : experiment.parts) {
    parts.push_back(&part);
  }
  return parts;
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
