#include "results/paper/faults.h"

#include "harness/core/error.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sar {

void Faults::add(const std::filesystem::path& file,
                 const std::string& where,
                 const std::string& what) {
  list_.push_back(file.filename().string() + ": " + (where.empty() ? "" : where + ": ") + what);
}

void Faults::report(const std::string& whose, const std::filesystem::path& folder) const {
  if (!list_.empty()) {
    throw data_error(whose + " have " + counted(list_.size(), "fault"))
        .with("folder", folder.string())
        .hint(fmt::format("\n  {}", fmt::join(list_, "\n  ")));
  }
}

std::optional<TomlFile> read_toml(const std::filesystem::path& file, Faults& faults) {
  try {
    return read_toml(file);
  } catch (const Error& error) {
    if (error.code() != ExitCode::usage) {
      throw;
    }
    faults.add(file, "", error.what());
    return {};
  }
}

std::string suggestion(const std::string& word, const std::vector<std::string>& candidates) {
  const std::string nearest = nearest_match(word, candidates);
  return nearest.empty() ? "" : "; did you mean '" + nearest + "'?";
}

std::string Entry::text(const std::string& field) const {
  if (has(field) && at(field).is_string()) {
    return at(field);
  }
  fault("'" + field + "' must be given as text");
  return {};
}

std::string Entry::text(const std::string& field, const std::string& otherwise) const {
  return has(field) ? text(field) : otherwise;
}

std::string Entry::filled_text(const std::string& field) const {
  const Json& value = has(field) ? at(field) : Json();
  if (value.is_string() && value != "") {
    return value;
  }
  fault("'" + field + "' must be given as text");
  return {};
}

const Json& Entry::tables(const std::string& field) const {
  static const Json none = Json::array();
  if (has(field) && at(field).is_array() && !at(field).empty()) {
    return at(field);
  }
  fault("needs [[" + field + "]]");
  return none;
}

void Entry::allow_only(const std::vector<std::string>& fields) const {
  if (!table_.is_object()) {
    fault("must be a table of fields");
    return;
  }
  for (const auto& [field, value] : table_.items()) {
    if (std::ranges::find(fields, field) == fields.end()) {
      fault("unknown field '" + field + "'" + suggestion(field, fields));
    }
  }
}

}  // namespace sar
