#include "results/paper/claims.h"

#include "harness/config/toml.h"
#include "harness/core/error.h"
#include "results/paper/faults.h"

#include <algorithm>
#include <set>

namespace sar {
namespace fs = std::filesystem;
namespace {

using Texts = std::vector<std::string>;

bool holds(const Texts& list, const std::string& word) {
  return std::ranges::find(list, word) != list.end();
}

std::string joined(const Texts& words) {
  std::string text;
  for (const auto& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

bool is_share(const std::string& text) {
  const auto bar = text.find('/');
  if (bar == std::string::npos || bar == 0 || bar > 6 || text.size() - bar - 1 > 6 ||
      text.size() == bar + 1 || text.find_first_not_of("0123456789/") != std::string::npos ||
      text.find('/', bar + 1) != std::string::npos) {
    return false;
  }
  const long above = std::stol(text.substr(0, bar));
  return above > 0 && above < std::stol(text.substr(bar + 1));
}

/// Methods, columns and tasks that the paper's tables have.
class Known {
 public:
  explicit Known(const Paper& paper) : paper_(paper) {
    for (const PrintedTable& table : paper.tables) {
      tables.push_back(table.spec.id);
      for (const TableRow& row : table.spec.rows) {
        methods.push_back(row.method);
      }
      for (const TableColumn& column : table.spec.columns) {
        tasks.push_back(column.task);
        columns.push_back(text(column));
      }
    }
    // The mean of a task's targets follows from their columns.
    for (const PrintedTable& table : paper.tables) {
      for (const std::string& column : averages(table)) {
        columns.push_back(column);
      }
    }
  }

  Texts tables, methods, tasks, columns;

  [[nodiscard]] Texts methods_of(const std::string& table) const {
    Texts names;
    if (const PrintedTable* found = paper_.find(table)) {
      for (const TableRow& row : found->spec.rows) {
        names.push_back(row.method);
      }
    }
    return names;
  }
  [[nodiscard]] Texts columns_of(const std::string& table) const {
    Texts names;
    if (const PrintedTable* found = paper_.find(table)) {
      for (const TableColumn& column : found->spec.columns) {
        names.push_back(text(column));
      }
    }
    return names;
  }

 private:
  static std::string text(const TableColumn& column) {
    return CellPath{"", "", column.task, column.target, column.bucket, column.fraction}.column();
  }
  static Texts averages(const PrintedTable& table) {
    std::map<std::string, std::set<std::string>> targets;
    for (const TableColumn& column : table.spec.columns) {
      if (column.bucket == "all") {
        targets[CellPath{"", "", column.task, "average", "all", column.fraction}.column()].insert(
            column.target);
      }
    }
    Texts names;
    for (const auto& [name, list] : targets) {
      if (list.size() > 1 && !list.contains("average")) {
        names.push_back(name);
      }
    }
    return names;
  }

  const Paper& paper_;
};

/// What all files of a paper are read with.
struct Reading {
  const Known& known;
  const std::vector<ClaimForm>& forms;
  Faults& faults;
};

/// Reads one [[claims]] entry; what is wrong with it becomes a fault.
class Reader {
 public:
  Reader(const Json& table, const fs::path& file, const std::string& where, const Reading& reading)
      : table_(table),
        entry_(table, file, where, reading.faults),
        known_(reading.known),
        forms_(reading.forms) {}

  Claim read() {
    Claim claim;
    if (!table_.is_object()) {
      fault("must be a table");
      return claim;
    }
    claim.id = text("id");
    if (!claim.id.empty()) {
      entry_.add_name(claim.id);
      if (claim.id.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789-") !=
          std::string::npos) {
        fault("'id' is made of small letters, digits and '-'");
      }
    }
    claim.section = text("section");
    claim.statement = text("statement");
    claim.kind = text("kind");
    if (claim.kind.empty()) {
      return claim;
    }
    const auto form = std::ranges::find(forms_, claim.kind, &ClaimForm::kind);
    const bool any_kind = forms_.empty();
    if (!any_kind && form == forms_.end()) {
      const Texts names = kind_names();
      fault("unknown kind '" + claim.kind + "'" + suggestion(claim.kind, names) +
            " (kinds: " + joined(names) + ")");
      return claim;
    }
    if (!any_kind) {
      check_fields(*form);
    }
    if (has("reason")) {
      claim.reason = text("reason");
    }
    read_methods(claim);
    read_columns(claim, any_kind || form->columns_of_any_table);
    read_numbers(claim);
    read_counts(claim);
    read_own(claim);
    if (!any_kind && form->faults) {
      for (const auto& each : form->faults(claim, table_)) {
        fault(each);
      }
    }
    return claim;
  }

 private:
  void fault(const std::string& what) const { entry_.fault(what); }
  [[nodiscard]] bool has(const std::string& key) const { return entry_.has(key); }
  [[nodiscard]] std::string text(const std::string& key) const { return entry_.filled_text(key); }

  [[nodiscard]] Texts kind_names() const {
    Texts names;
    for (const ClaimForm& form : forms_) {
      names.push_back(form.kind);
    }
    std::ranges::sort(names);
    return names;
  }

  void check_fields(const ClaimForm& form) const {
    Texts known{"id", "section", "statement", "kind", "reason"};
    known.insert(known.end(), form.needed.begin(), form.needed.end());
    known.insert(known.end(), form.optional.begin(), form.optional.end());
    for (const auto& [key, value] : table_.items()) {
      if (!holds(known, key)) {
        fault("a claim of kind " + form.kind + " has no field '" + key + "'" +
              suggestion(key, known));
      }
    }
    for (const auto& key : form.needed) {
      if (!has(key)) {
        fault("a claim of kind " + form.kind + " needs '" + key + "'");
      }
    }
  }

  static Texts texts(const Entry& entry, const std::string& key) {
    return entry.list<std::string>(
        key, [](const Json& each) { return each.is_string(); }, "texts", 1);
  }
  [[nodiscard]] Texts texts(const std::string& key) const {
    return has(key) ? texts(entry_, key) : Texts{};
  }

  /// True if the list has the word; else a fault that names the nearest.
  bool check(const std::string& word,
             const Texts& list,
             const std::string& what,
             const std::string& owner) const {
    if (holds(list, word)) {
      return true;
    }
    fault(owner + " has no " + what + " '" + word + "'" + suggestion(word, list));
    return false;
  }

  /// The methods that a claim, or a family of it, names as `versus`.
  Texts opponents(const Entry& entry, const Claim& claim, const Texts& methods) const {
    if (entry.at("versus") == "others") {
      if (claim.table.empty()) {
        fault("'versus = \"others\"' needs 'table'");
        return {};
      }
      Texts others;
      std::ranges::copy_if(methods, std::back_inserter(others), [&](const std::string& method) {
        return method != claim.method;
      });
      return others;
    }
    Texts list = texts(entry, "versus");
    const std::string owner = claim.table.empty() ? "the paper" : claim.table;
    for (const auto& method : list) {
      if (check(method, methods, "row", owner) && method == claim.method) {
        fault("'versus' must not name the method itself");
      }
    }
    return list;
  }

  void read_methods(Claim& claim) const {
    if (has("table")) {
      claim.table = text("table");
      if (!claim.table.empty() && !check(claim.table, known_.tables, "table", "the paper")) {
        claim.table.clear();
        return;
      }
    }
    const Texts methods = claim.table.empty() ? known_.methods : known_.methods_of(claim.table);
    const std::string owner = claim.table.empty() ? "the paper" : claim.table;
    if (has("method")) {
      claim.method = text("method");
      if (!claim.method.empty()) {
        check(claim.method, methods, "row", owner);
      }
    }
    if (has("versus")) {
      claim.versus = opponents(entry_, claim, methods);
    }
    if (!has("families")) {
      return;
    }
    const Json& families = entry_.at("families");
    if (!families.is_array()) {
      fault("'families' must be tables [[claims.families]]");
      return;
    }
    for (const Json& family : families) {
      if (!family.is_object() || !family.contains("name") || !family.at("name").is_string() ||
          !family.contains("versus") || family.size() != 2) {
        fault("each of [[claims.families]] needs 'name' and 'versus', and nothing else");
        continue;
      }
      claim.families.push_back({family.at("name"), opponents({family, entry_}, claim, methods)});
    }
  }

  std::optional<CellPath> cell(const std::string& path) const {
    try {
      CellPath parsed = parse_cell_path(path);
      if (check(parsed.table, known_.tables, "table", "the paper") &&
          check(parsed.method, known_.methods_of(parsed.table), "row", parsed.table) &&
          check(parsed.column(), known_.columns_of(parsed.table), "column", parsed.table)) {
        return parsed;
      }
    } catch (const Error&) {
      fault("'" + path + "' is not a cell: TABLE/METHOD/TASK/TARGET/BUCKET[/FRACTION]");
    }
    return {};
  }

  void read_columns(Claim& claim, bool any_table) const {
    for (const auto& task : texts("tasks")) {
      if (check(task, known_.tasks, "task", "the paper")) {
        claim.tasks.push_back(task);
      }
    }
    if (has("columns")) {
      const std::string owner = any_table ? "the paper" : claim.table;
      const Texts columns = any_table ? known_.columns : known_.columns_of(claim.table);
      for (const auto& column : texts("columns")) {
        if (!claim.table.empty() && check(column, columns, "column", owner)) {
          claim.columns.push_back(column);
        }
      }
    } else if (!claim.table.empty()) {
      claim.columns = known_.columns_of(claim.table);
    }
    for (const auto& path : texts("cells")) {
      if (auto found = cell(path)) {
        claim.cells.push_back(*found);
      }
    }
    for (const auto& path : texts("except")) {
      const auto found = cell(path);
      if (!found) {
        continue;
      }
      bool compared = found->table == claim.table && holds(claim.columns, found->column()) &&
                      holds(claim.versus, found->method);
      for (const auto& family : claim.families) {
        compared = compared || holds(family.versus, found->method);
      }
      if (!compared) {
        fault("'except' names '" + path + "', which this claim does not compare");
        continue;
      }
      claim.except.push_back(*found);
    }
  }

  std::optional<PrintedNumber> number(const std::string& key) const {
    if (!has(key)) {
      return {};
    }
    try {
      return parse_printed(entry_.at(key).is_string() ? entry_.at(key).get<std::string>() : "");
    } catch (const Error&) {
      fault("'" + key + "' must be a number given as text, so that its digits stay as printed");
      return {};
    }
  }

  void read_numbers(Claim& claim) const {
    claim.number = number("number");
    claim.other_number = number("other_number");
    if (has("alpha")) {
      const Json& alpha = entry_.at("alpha");
      if (alpha.is_number() && alpha.get<double>() > 0 && alpha.get<double>() < 1) {
        claim.alpha = alpha.get<double>();
      } else {
        fault("'alpha' must be a number between 0 and 1");
      }
    }
    if (has("saving")) {
      claim.saving = text("saving");
      if (!claim.saving.empty() && !is_share(claim.saving)) {
        fault("'saving' must be a share of the labels such as \"1/2\"");
      }
    }
    if (has("ratio")) {
      const Json& ratio = entry_.at("ratio");
      const bool fits =
          ratio.is_array() && ratio.size() >= 2 && std::ranges::all_of(ratio, [](const Json& each) {
            return each.is_number_integer() && each.get<long>() >= 1 &&
                   each.get<long>() < 1'000'000;
          });
      if (fits) {
        claim.ratio = ratio.get<std::vector<long>>();
      } else {
        fault("'ratio' must be a list of at least two whole numbers, e.g. [1, 1, 2]");
      }
    }
  }

  std::map<std::string, std::string> pairs(const std::string& key) const {
    if (!has(key)) {
      return {};
    }
    const Json& value = entry_.at(key);
    if (!value.is_object() ||
        !std::ranges::all_of(value, [](const Json& each) { return each.is_string(); })) {
      fault("'" + key + "' must be a table of texts, e.g. { modality = \"CT\" }");
      return {};
    }
    return value.get<std::map<std::string, std::string>>();
  }

  void read_counts(Claim& claim) const {
    claim.where = pairs("where");
    claim.regard = pairs("regard");
    for (const auto& [key, value] : claim.where) {
      check(key, {"dataset", "modality", "organ"}, "field", "'where'");
    }
    if (has("what")) {
      claim.what = text("what");
    }
  }

  void read_own(Claim& claim) const {
    static const Texts kCommon{"id",     "section", "statement",    "kind",     "reason",  "table",
                               "method", "versus",  "tasks",        "families", "columns", "cells",
                               "except", "number",  "other_number", "alpha",    "saving",  "ratio",
                               "where",  "regard",  "what"};
    claim.own = Json::object();
    for (const auto& [key, value] : table_.items()) {
      if (!holds(kCommon, key)) {
        claim.own[key] = value;
      }
    }
  }

  const Json& table_;
  Entry entry_;
  const Known& known_;
  const std::vector<ClaimForm>& forms_;
};

void read_file_of_claims(const fs::path& file, const Reading& reading, std::vector<Claim>& claims) {
  TomlFile toml;
  try {
    toml = read_toml(file);
  } catch (const Error& error) {
    reading.faults.add(file, "", error.what());
    return;
  }
  const Entry head(toml.tree, file, "", reading.faults);
  for (const auto& [key, value] : toml.tree.items()) {
    if (key != "claims") {
      head.fault("unknown field '" + key + "': a file of claims holds [[claims]] alone");
    }
  }
  int place = 0;
  for (const Json& table : head.tables("claims")) {
    claims.push_back(Reader(table, file, "claim " + std::to_string(++place), reading).read());
    claims.back().file = file.filename().string();
  }
}

}  // namespace

std::vector<Claim> read_claim_files(const Paper& paper, const std::vector<ClaimForm>& forms) {
  const fs::path folder = paper.folder / "claims";
  std::vector<Claim> claims;
  if (!fs::is_directory(folder)) {
    return claims;
  }
  std::vector<fs::path> files;
  for (const auto& each : fs::directory_iterator(folder)) {
    // Shadow files of macOS and locks of editors begin with a dot.
    if (each.path().extension() == ".toml" && !each.path().filename().string().starts_with('.')) {
      files.push_back(each.path());
    }
  }
  std::ranges::sort(files);
  const Known known(paper);
  Faults faults;
  for (const fs::path& file : files) {
    read_file_of_claims(file, {known, forms, faults}, claims);
  }
  std::map<std::string, std::string> first;
  for (const Claim& claim : claims) {
    const auto [found, fresh] = first.emplace(claim.id, claim.file);
    if (!fresh && !claim.id.empty()) {
      faults.add(
          claim.file, "", "the id '" + claim.id + "' is given twice, first in " + found->second);
    }
  }
  faults.report("the paper's claims", folder);
  return claims;
}

}  // namespace sar
