// What the four tasks of Taleb et al. show the network, against the rule: the same draws, cut,
// turned and ordered here once more.

#include "harness/nn/torch/proxy_parts.h"
#include "harness/volume/pieces.h"
#include "tests/nn/support.h"

#include <algorithm>
#include <set>

namespace sar::proxy_inputs_test {
using nn_test::Cubes;
using nn_test::registry;
using nn_test::small_settings;

const nn_test::Changes kSmall{{"rpl.input_voxels", 30},
                              {"rpl.patch_voxels", 8},
                              {"jig.input_voxels", 30},
                              {"jig.patch_voxels", 8},
                              {"jig.permutations", 20},
                              {"rot.input_voxels", 16},
                              {"cpc.input_voxels", 32}};

struct Prepared {
  Cubes cubes{64};
  Settings settings;
  Network network;
  std::shared_ptr<ProxyTask> task;
  Rng rng{5};
  ProxyBatch batch;
  std::vector<torch::Tensor> tensors;

  Prepared(const std::string& method, nn_test::Changes changes, std::vector<std::size_t> indices)
      : settings(small_settings(std::move(changes))),
        network(unet_options(settings, 1), Rng(1)),
        task(registry().at(method).make_task(settings, network)),
        batch{*cubes.store, rng, 3, std::move(indices)},
        tensors(task->prepare(batch)) {}
};

std::vector<std::size_t> many(std::size_t count) {
  std::vector<std::size_t> indices;
  for (std::size_t i = 0; i < count; ++i) {
    indices.push_back(i);
  }
  return indices;
}

bool same(const torch::Tensor& piece, const Block& block) {
  const torch::Tensor values = piece.contiguous().flatten();
  return static_cast<std::size_t>(values.numel()) == block.values.size() &&
         std::equal(block.values.begin(), block.values.end(), values.data_ptr<float>());
}

GridOptions thirds() {
  GridOptions grid;
  grid.cells = 3;
  grid.patch = {8, 8, 8};
  grid.jitter = 2;
  return grid;
}

TEST_CASE(
    "3D-RPL shows the centre patch and the one that the label names, in this order") {  // exact
  const Prepared rpl("rpl", kSmall, many(60));
  std::set<std::int64_t> labels;
  for (std::size_t slot = 0; slot < rpl.batch.size(); ++slot) {
    const auto i = static_cast<std::int64_t>(slot);
    const auto label = rpl.tensors[1][i].item<std::int64_t>();
    labels.insert(label);
    REQUIRE(label >= 0);
    REQUIRE(label < 26);
    Rng stream = rpl.batch.stream(purpose::proxy, slot);
    static_cast<void>(stream.between(0, 25));  // the label's draw
    const auto patches = cut_grid(resized(rpl.batch.cube(slot), {30, 30, 30}), thirds(), stream);
    const auto query = static_cast<std::size_t>(label < 13 ? label : label + 1);
    CHECK(same(rpl.tensors[0][i][0], patches[13]));
    CHECK(same(rpl.tensors[0][i][1], patches[query]));
  }
  CHECK(labels.size() > 15);  // 60 draws of 26 places: 23.5 expected
}

TEST_CASE("3D-Jig shows all patches in the order that the label names") {  // exact
  const Prepared jig("jig", kSmall, many(12));
  const auto orders = permutation_set(20, 27, "maxmin", 0);
  for (std::size_t slot = 0; slot < jig.batch.size(); ++slot) {
    const auto i = static_cast<std::int64_t>(slot);
    const auto label = jig.tensors[1][i].item<std::int64_t>();
    Rng stream = jig.batch.stream(purpose::proxy, slot);
    static_cast<void>(stream.between(0, 19));
    const auto patches = cut_grid(resized(jig.batch.cube(slot), {30, 30, 30}), thirds(), stream);
    for (std::int64_t place = 0; place < 27; ++place) {
      const int piece = orders[static_cast<std::size_t>(label)][static_cast<std::size_t>(place)];
      CHECK(same(jig.tensors[0][i][place], patches[static_cast<std::size_t>(piece)]));
    }
  }
  const torch::Tensor record = jig.task->record().at("permutations");
  for (std::int64_t order = 0; order < 20; ++order) {
    for (std::int64_t place = 0; place < 27; ++place) {
      CHECK(record[order][place].item<std::int64_t>() ==
            orders[static_cast<std::size_t>(order)][static_cast<std::size_t>(place)]);
    }
  }
}

TEST_CASE("3D-Rot shows the cube turned as the label names") {  // exact
  const Prepared rot("rot", kSmall, many(30));
  std::set<std::int64_t> labels;
  for (std::size_t slot = 0; slot < rot.batch.size(); ++slot) {
    const auto i = static_cast<std::int64_t>(slot);
    const auto label = rot.tensors[1][i].item<std::int64_t>();
    labels.insert(label);
    CHECK(same(rot.tensors[0][i],
               rotated(resized(rot.batch.cube(slot), {16, 16, 16}), static_cast<int>(label))));
  }
  CHECK(labels.size() > 5);  // 30 draws of 10: 9.6 expected
}

TEST_CASE(
    "3D-CPC crops the volume to 0.95, each patch to 7/8, and mirrors half of them") {  // exact
  const Prepared cpc("cpc", kSmall, many(4));
  int mirrored = 0;
  for (std::size_t slot = 0; slot < cpc.batch.size(); ++slot) {
    Rng stream = cpc.batch.stream(purpose::proxy, slot);
    const Block volume =
        cropped_and_padded(resized(cpc.batch.cube(slot), {32, 32, 32}), {30, 30, 30}, stream);
    GridOptions grid;
    grid.cells = 4;
    grid.patch = {8, 8, 8};
    grid.jitter = 0;
    auto patches = cut_grid(volume, grid, stream);
    REQUIRE(patches.size() == 64);
    for (std::size_t piece = 0; piece < patches.size(); ++piece) {
      if (stream.chance(0.5)) {
        patches[piece] = mirrored_x(patches[piece]);
        ++mirrored;
      }
      CHECK(same(cpc.tensors[0][static_cast<std::int64_t>(slot)][static_cast<std::int64_t>(piece)],
                 cropped_and_padded(patches[piece], {7, 7, 7}, stream)));
    }
  }
  // 256 fair draws: outside 88..168 with a probability below 1e-6 (five standard deviations of 8).
  CHECK(mirrored > 88);
  CHECK(mirrored < 168);
}

TEST_CASE("3D-CPC's negatives are other columns of the batch, all of them possible") {
  const Prepared cpc("cpc", kSmall, many(4));
  const torch::Tensor negatives = cpc.tensors[1];
  REQUIRE(negatives.size(0) == 4 * 16);
  std::set<std::int64_t> seen;
  for (std::int64_t column = 0; column < negatives.size(0); ++column) {
    const auto other = negatives[column].item<std::int64_t>();
    CHECK(other != column);
    CHECK(other >= 0);
    CHECK(other < 64);
    seen.insert(other);
  }
  CHECK(seen.size() > 30);  // 64 draws of 63: 40.6 different ones expected
}

TEST_CASE("guessing at CPC counts the batches that an epoch has") {  // exact
  const Prepared cpc("cpc", kSmall, many(4));  // batches of 4 cubes, 16 columns each
  const auto guess = [&](std::size_t per_epoch) {
    return cpc.task->chance("contrastive_accuracy", *cpc.cubes.store, many(10), per_epoch);
  };
  CHECK(guess(4) == Approx(1.0 / 64).epsilon(1e-12));
  CHECK(guess(8) == Approx(1.0 / 64).epsilon(1e-12));
  // Four among 64 candidates, two among 32.
  CHECK(guess(6) == Approx((4.0 / 64 + 2.0 / 32) / 6).epsilon(1e-12));
  CHECK(guess(2) == Approx(1.0 / 32).epsilon(1e-12));
}

}  // namespace sar::proxy_inputs_test
