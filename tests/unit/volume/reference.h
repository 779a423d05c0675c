#pragma once

#include "harness/core/json.h"

#include <filesystem>
#include <string>

/// Values that tests/reference/volume/make_references.py computed with NumPy and SciPy.
inline sar::Json reference(const std::string& name) {
  return sar::read_json(std::filesystem::path(SARBENCH_REFERENCE_DIR) / "volume" /
                        (name + ".json"));
}
