#pragma once

#include "harness/core/json.h"

#include <filesystem>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// One case as the worker found it: the front plans with this list and never opens an image.
struct ManifestCase {
  std::string id, patient, group;
  bool labelled = false;
  bool selected = false;  ///< in the set's list (`<id>.list`, `luna.subsets`), or no list was given
  Json record;            ///< paths and SHA-256 of its files, handed back to the worker
};

struct ManifestDataset {
  std::string id, root, modality;
  std::string digest;  ///< hash of names, sizes and SHA-256 of all files
  std::vector<ManifestCase> cases;
  std::vector<std::string> channels;  ///< "ct", or the four MR channels
};

/// The data at hand.
struct Manifest {
  std::string data_kind;  ///< phantom | real
  std::map<std::string, ManifestDataset> datasets;

  /// Throws Error 66 naming how to give the root.
  [[nodiscard]] const ManifestDataset& at(const std::string& id) const;
  /// What the protocol hashes: data kind and digest of each data set.
  [[nodiscard]] Json identity() const;
};

Manifest parse_manifest(const Json& json);

}  // namespace sar
