#pragma once

#include "harness/core/json.h"
#include "results/database/rows.h"

#include <cstddef>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace sar {

/// One value that is not the same on both sides, as it is shown.
struct FieldDifference {
  std::string field;
  std::string from, to;
};

/// What made a set of results, by field: device, machine, threads, torch, itk, determinism, commit.
/// A field has several values where results of several makers were taken together, and none where
/// it is not known.
using Environment = std::map<std::string, std::vector<std::string>>;
/// None where the field is not known.
std::vector<std::string> values_of(const Environment& environment, const std::string& field);

/// One value of a protocol that is not the same on both sides; empty where a side does not have it.
struct ProtocolDifference {
  /// Keys from the outside in: {"data_kind"}, {"profile"}, {"pool_voxels"}, {"settings", "shared",
  /// "finetune.learning_rate"}, {"manifest", "datasets", "brats", "cases"}.
  std::vector<std::string> path;
  std::optional<Json> from, to;

  /// The keys from the given one on (at most as many as there are), joined by dots.
  [[nodiscard]] std::string name(std::size_t first = 0) const;
};
/// All of them, by path. Lists are one value each; numbers are the same if they are written the
/// same.
std::vector<ProtocolDifference> differences(const ProtocolRow& from, const ProtocolRow& to);

/// A field of the environment that does not have one and the same known value on both sides.
struct EnvironmentDifference {
  std::string field;
  std::vector<std::string> from, to;  ///< empty: not known
};
/// Those of `fields`, in their order. None: certainly the same environment.
std::vector<EnvironmentDifference> differences(const Environment& from,
                                               const Environment& to,
                                               std::span<const std::string> fields);

}  // namespace sar
