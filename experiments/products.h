#pragma once

#include <filesystem>
#include <string>

namespace sar {

/// Why what a node left for others (cubes, weights, what was prepared) cannot be used, e.g. "its
/// SHA-256 is not the stored one"; empty if it can. The file is read once.
///
/// The stored digest is that of the product's bytes. Cubes are two files: their index holds the
/// digest of the voxels, and the database that of the index. Cubes of a version that did not do so
/// are judged by their voxels alone.
std::string product_fault(const std::string& kind,
                          const std::filesystem::path& product,
                          const std::string& sha256);

}  // namespace sar
