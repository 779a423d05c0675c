#include "experiments/products.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/volume/cube_store.h"

#include <system_error>

namespace sar {
namespace fs = std::filesystem;

std::string product_fault(const std::string& kind,
                          const fs::path& product,
                          const std::string& sha256) {
  std::error_code unreadable;
  if (!fs::is_regular_file(product, unreadable)) {
    return "it is not there";
  }
  constexpr const char* kOther = "its SHA-256 is not the stored one";
  try {
    if (kind != "cubes") {
      return sha256_of_file(product) == sha256 ? "" : kOther;
    }
    const std::string voxels = sha256_of_file(product);
    if (voxels == sha256) {
      return "";
    }
    return sha256_of_file(cube_index_path(product)) == sha256 &&
                   voxels == stored_voxel_digest(product)
               ? ""
               : kOther;
  } catch (const Error& error) {
    return error.what();
  }
}

}  // namespace sar
