#pragma once

#include "experiments/catalog.h"
#include "harness/core/json.h"
#include "results/table.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sar {

/// An experiment file: which methods, columns, fractions and trials make a table.
struct Experiment {
  std::filesystem::path file;
  TableSpec table;                     ///< rows carry the paper's names
  std::vector<std::string> fractions;  ///< in the order of the columns
  Json settings = Json::object();      ///< its own configuration, nested
};

/// Reads and checks `experiments/*.toml`. Throws Error 2 naming file and key for anything unknown,
/// missing or of the wrong type.
Experiment read_experiment(const std::filesystem::path& file, const Catalog& catalog);

/// A profile file: configuration plus the number of trials.
struct Profile {
  std::filesystem::path file;
  std::string name, description;
  int trials = 5;
  TomlFile toml;
};
Profile read_profile(const std::filesystem::path& file);

}  // namespace sar
