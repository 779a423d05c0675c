#include "experiments/products.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/volume/cube_store.h"

#include <catch2/catch.hpp>

#include <filesystem>

namespace {

namespace fs = std::filesystem;

void flip_a_byte(const fs::path& file) {
  std::string content = sar::read_file(file);
  content[content.size() / 2] = static_cast<char>(content[content.size() / 2] ^ 1);
  sar::write_file_atomically(file, content);
}

TEST_CASE("a product is used only with the digest that is stored of it", "[products]") {
  const sar::TemporaryFolder folder;
  const fs::path weights = folder.path() / "a.weights";
  CHECK(sar::product_fault("finetune", weights, "") == "it is not there");
  sar::write_file_atomically(weights, "0123456789");
  const std::string digest = sar::sha256_of_file(weights);
  CHECK(sar::product_fault("finetune", weights, digest).empty());
  flip_a_byte(weights);
  CHECK_FALSE(sar::product_fault("finetune", weights, digest).empty());
  fs::remove(weights);
  fs::create_directory(weights);
  CHECK_FALSE(sar::product_fault("finetune", weights, digest).empty());
}

TEST_CASE("cubes are judged with their index", "[products]") {
  const sar::TemporaryFolder folder;
  const fs::path cubes = folder.path() / "a.cubes";
  const auto write = [&] {
    sar::CubeStoreWriter writer(cubes, {2, 2, 2});
    writer.add({{{2, 2, 2}, std::vector<float>(8, 0.5F)}, {}},
               {"luna", "case", "patient", true, sar::Scale::small, {{0, 0, 0}, {2, 2, 2}}});
    writer.finish();
  };
  write();
  const fs::path index = sar::cube_index_path(cubes);
  const std::string digest = sar::sha256_of_file(index);
  CHECK(sar::product_fault("cubes", cubes, digest).empty());
  flip_a_byte(cubes);
  CHECK_FALSE(sar::product_fault("cubes", cubes, digest).empty());
  write();
  std::string text = sar::read_file(index);
  text.replace(text.find("small"), 5, "large");
  sar::write_file_atomically(index, text);
  CHECK_FALSE(sar::product_fault("cubes", cubes, digest).empty());
  fs::remove(index);
  CHECK_FALSE(sar::product_fault("cubes", cubes, digest).empty());

  // Of an older version the database holds the digest of the voxels.
  write();
  CHECK(sar::product_fault("cubes", cubes, sar::sha256_of_file(cubes)).empty());
}

}  // namespace
