#include "harness/volume/cube_store.h"

#include "harness/core/error.h"
#include "harness/core/rng.h"

#include <catch2/catch.hpp>

#include <cmath>
#include <string>

namespace {

namespace fs = std::filesystem;
using sar::Size3;

sar::Cube random_cube(const Size3& size, std::uint64_t seed) {
  sar::Cube cube;
  cube.block = {size, std::vector<float>(sar::count_voxels(size))};
  sar::Rng rng(seed);
  for (float& value : cube.block.values) {
    value = rng.uniform_float();
  }
  cube.block.values.front() = 0.0F;
  cube.block.values.back() = 1.0F;
  return cube;
}

sar::CubeInfo info(const std::string& id) {
  return {"brats", id + "/flair", id, false, sar::Scale::medium, {{1, 2, 3}, {4, 5, 6}}};
}

void write(const fs::path& path, const Size3& shape, int cubes) {
  sar::CubeStoreWriter writer(path, shape);
  for (int i = 0; i < cubes; ++i) {
    writer.add(random_cube(shape, static_cast<std::uint64_t>(i)), info("case" + std::to_string(i)));
  }
  writer.finish();
}

std::string message_of(const std::vector<fs::path>& paths, sar::ExitCode code) {
  try {
    const sar::CubeStore store(paths);
  } catch (const sar::Error& error) {
    CHECK(error.code() == code);
    return error.what();
  }
  return "";
}

TEST_CASE("cubes are read back within half a step of 1/65535, 0 and 1 exactly") {
  const sar::TemporaryFolder folder;
  const Size3 shape{6, 5, 4};
  write(folder.path() / "sub" / "a.cubes", shape, 3);
  write(folder.path() / "b.cubes", shape, 2);
  const sar::CubeStore store({folder.path() / "sub" / "a.cubes", folder.path() / "b.cubes"});
  REQUIRE(store.size() == 5);
  CHECK(store.shape() == shape);
  for (std::size_t i = 0; i < 5; ++i) {
    const sar::Cube expected = random_cube(shape, i < 3 ? i : i - 3);
    const sar::Block block = store.cube(i);
    REQUIRE(block.size == shape);
    for (std::size_t v = 0; v < block.values.size(); ++v) {
      // Tolerance: half a quantisation step, and single-precision rounding.
      REQUIRE(block.values[v] ==
              Approx(expected.block.values[v]).epsilon(0).margin(0.5 / 65535 + 1e-7));
    }
    CHECK(block.values.front() == 0.0F);
    CHECK(block.values.back() == 1.0F);
  }
  const sar::CubeInfo& last = store.info(4);
  CHECK(last.dataset == "brats");
  CHECK(last.case_id == "case1/flair");
  CHECK(last.patient == "case1");
  CHECK_FALSE(last.is_ct);
  CHECK(last.scale == sar::Scale::medium);
  CHECK(last.box == sar::Box{{1, 2, 3}, {4, 5, 6}});
}

TEST_CASE("a store without cubes is empty") {
  const sar::TemporaryFolder folder;
  write(folder.path() / "none.cubes", {8, 8, 8}, 0);
  CHECK(sar::CubeStore({folder.path() / "none.cubes"}).size() == 0);
  CHECK(sar::CubeStore({}).size() == 0);
}

TEST_CASE("an unfinished writer leaves nothing behind and the old file alone") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "a.cubes";
  write(path, {2, 2, 2}, 1);
  {
    sar::CubeStoreWriter writer(path, {4, 4, 4});
    writer.add(random_cube({4, 4, 4}, 0), info("x"));
  }
  CHECK(sar::CubeStore({path}).shape() == Size3{2, 2, 2});
  CHECK(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()) == 2);
}

TEST_CASE("cubes of another shape or outside [0, 1] are refused") {
  const sar::TemporaryFolder folder;
  sar::CubeStoreWriter writer(folder.path() / "a.cubes", {4, 4, 4});
  CHECK_THROWS_AS(writer.add(random_cube({4, 4, 2}, 0), info("x")), sar::Error);
  for (const float bad : {-0.1F, 1.1F, std::nanf("")}) {
    sar::Cube cube = random_cube({4, 4, 4}, 0);
    cube.block.values[9] = bad;
    CHECK_THROWS_AS(writer.add(cube, info("x")), sar::Error);
  }
}

TEST_CASE("damaged stores are refused with the name of the file") {
  const sar::TemporaryFolder folder;
  const fs::path a = folder.path() / "a.cubes";
  const fs::path b = folder.path() / "b.cubes";
  write(a, {4, 4, 4}, 2);
  write(b, {4, 4, 2}, 2);
  CHECK_THAT(message_of({a, b}, sar::ExitCode::data_invalid), Catch::Contains("different shapes"));
  CHECK_THAT(message_of({folder.path() / "c"}, sar::ExitCode::data_not_found),
             Catch::Contains("c.json"));

  fs::resize_file(a, fs::file_size(a) - 2);
  CHECK_THAT(message_of({a}, sar::ExitCode::data_invalid),
             Catch::Contains("does not fit its index") && Catch::Contains("a.cubes"));

  const fs::path index = b.string() + ".json";
  sar::Json document = sar::read_json(index);
  document["cubes"][0]["scale"] = "huge";
  sar::write_file_atomically(index, document.dump());
  CHECK_THAT(message_of({b}, sar::ExitCode::data_invalid), Catch::Contains("huge"));
  document["cubes"][0].erase("scale");
  sar::write_file_atomically(index, document.dump());
  CHECK_THAT(message_of({b}, sar::ExitCode::data_invalid), Catch::Contains("b.cubes.json"));
}

}  // namespace
