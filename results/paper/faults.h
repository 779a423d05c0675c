#pragma once

#include "harness/config/toml.h"
#include "harness/core/json.h"

#include <algorithm>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace sar {

/// Faults in the files of a paper, collected so that all are reported at once.
class Faults {
 public:
  /// `where`: place in the file, e.g. "row 3"; empty: none.
  void add(const std::filesystem::path& file, const std::string& where, const std::string& what);
  [[nodiscard]] bool empty() const { return list_.empty(); }
  /// Throws Error 65 with one line per fault, if there is any; `whose`: "the paper's claims".
  void report(const std::string& whose, const std::filesystem::path& folder) const;

 private:
  std::vector<std::string> list_;
};

/// The file, or a fault if it is not valid TOML. Throws as `read_toml` for all else.
std::optional<TomlFile> read_toml(const std::filesystem::path& file, Faults& faults);

/// "; did you mean 'method'?" with the nearest of the candidates; empty if none is near.
std::string suggestion(const std::string& word, const std::vector<std::string>& candidates);

/// A table of a TOML file; what is missing or of another type becomes a fault.
class Entry {
 public:
  Entry(const Json& table, std::filesystem::path file, std::string where, Faults& faults)
      : table_(table), file_(std::move(file)), where_(std::move(where)), faults_(faults) {}

  /// A table within another one, at the same place.
  Entry(const Json& table, const Entry& outer)
      : Entry(table, outer.file_, outer.where_, outer.faults_) {}

  void fault(const std::string& what) const { faults_.add(file_, where_, what); }
  /// Says more of where it stands: "claim 2" becomes "claim 2 (dice-brats)".
  void add_name(const std::string& name) { where_ += " (" + name + ")"; }

  [[nodiscard]] bool has(const std::string& field) const { return table_.contains(field); }
  /// The field must be there.
  [[nodiscard]] const Json& at(const std::string& field) const { return table_.at(field); }
  /// Must be given, and may be empty.
  [[nodiscard]] std::string text(const std::string& field) const;
  [[nodiscard]] std::string text(const std::string& field, const std::string& otherwise) const;
  /// Must be given and not be empty.
  [[nodiscard]] std::string filled_text(const std::string& field) const;
  /// Must be a list of at least so many items, which all fit; `what` they are: "keys".
  template <class Item>
  [[nodiscard]] std::vector<Item> list(const std::string& field,
                                       bool (*fits)(const Json&),
                                       const std::string& what,
                                       std::size_t least) const {
    if (has(field) && at(field).is_array() && at(field).size() >= least &&
        std::ranges::all_of(at(field), fits)) {
      return at(field).get<std::vector<Item>>();
    }
    fault("'" + field + "' must be a list of " + what);
    return {};
  }
  /// Must be a list of tables, [[field]], with at least one.
  [[nodiscard]] const Json& tables(const std::string& field) const;
  /// Must be a table. Other fields are slips, and would be lost without a word.
  void allow_only(const std::vector<std::string>& fields) const;

 private:
  const Json& table_;
  std::filesystem::path file_;
  std::string where_;
  Faults& faults_;
};

}  // namespace sar
