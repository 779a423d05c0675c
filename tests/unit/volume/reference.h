#pragma once

#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/volume/volume.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

/// Values that the scripts of tests/reference/volume computed with NumPy, SciPy and scikit-image.
inline sar::Json reference(const std::string& name) {
  return sar::read_json(std::filesystem::path(SARBENCH_REFERENCE_DIR) / "volume" /
                        (name + ".json"));
}

/// Voxels that all differ, look disordered and are multiples of 2^-24, hence exact in single
/// precision; pattern() of random_streams.py.
inline sar::Block pattern(const sar::Size3& size) {
  sar::Block block{size, std::vector<float>(sar::count_voxels(size))};
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = static_cast<float>((i * 10368889 + 4321) % (1U << 24U)) * 0x1.0p-24F;
  }
  return block;
}

/// Exact: every byte through the digest. The samples only show where a fault begins.
inline void check_exact(const sar::Block& block, const sar::Json& expected) {
  REQUIRE(block.values.size() == sar::count_voxels(block.size));
  const auto stride = expected.at("stride").get<std::size_t>();
  std::size_t i = 0;
  for (const std::uint32_t sample : expected.at("samples")) {
    INFO("voxel " << i);
    REQUIRE(block.values.at(i) * 0x1.0p24F == static_cast<float>(sample));
    i += stride;
  }
  REQUIRE(i >= block.values.size());
  const std::string_view bytes(reinterpret_cast<const char*>(block.values.data()),
                               block.values.size() * sizeof(float));
  CHECK(sar::sha256(bytes) == expected.at("sha256").get<std::string>());
}
