#pragma once

#include "experiments/catalog.h"
#include "harness/config/toml.h"
#include "harness/core/json.h"
#include "results/tables/loss_curves.h"
#include "results/tables/table.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sar {

enum class ExperimentKind {
  dice,         ///< a table of Dice: methods x columns (Tables 2 to 4)
  data,         ///< counts of the pre-training data (Table 1)
  curves,       ///< loss curves of fine-tuning (Figure 3)
  pretraining,  ///< proxy metrics of pre-training, without fine-tuning
  collection,   ///< several experiments that share their work
};
std::string to_string(ExperimentKind kind);

/// An experiment file: what to run and how to show it.
struct Experiment {
  std::filesystem::path file;
  std::string id, title;
  ExperimentKind kind = ExperimentKind::dice;
  TableSpec table;                    ///< dice
  CurveSpec curves;                   ///< curves
  std::vector<std::string> datasets;  ///< data
  std::vector<TableRow> rows;         ///< pretraining: methods with the paper's names
  std::vector<Experiment> parts;      ///< collection, in the order given
  Json settings = Json::object();     ///< its own configuration, nested
};

/// Reads and checks `experiments/*.toml`; those that a collection names are read too. Throws Error
/// 2 naming file and key for anything unknown, missing or of the wrong type.
Experiment read_experiment(const std::filesystem::path& file, const Catalog& catalog);

/// The experiment itself, or the parts of a collection.
std::vector<const Experiment*> parts_of(const Experiment& experiment);

/// A profile file: configuration plus the number of trials.
struct Profile {
  std::filesystem::path file;
  std::string name, description;
  int trials = 5;
  TomlFile toml;
};
Profile read_profile(const std::filesystem::path& file);

}  // namespace sar
