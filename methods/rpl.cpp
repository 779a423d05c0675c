// Relative 3D patch location: Taleb et al., "3D self-supervised methods for medical imaging",
// NeurIPS 2020, after Doersch et al., ICCV 2015.

#include "harness/nn/torch/proxy_parts.h"

namespace sar::methods::rpl {
namespace {

struct Options {
  GridOptions grid;
  Size3 input{};   ///< cubes are resized to this
  int anchor = 0;  ///< index of the patch that the other's place is relative to
  [[nodiscard]] int places() const { return grid.cells * grid.cells * grid.cells - 1; }
};

Options options_of(const Settings& settings) {
  Options options;
  options.grid.cells = settings.integer("rpl.grid");
  options.grid.jitter = settings.integer("rpl.jitter_voxels");
  if (options.grid.cells == 3) {
    options.input = cube_size(settings, "rpl.input_voxels");
    options.grid.patch = cube_size(settings, "rpl.patch_voxels");
    options.anchor = 13;  // the centre
  } else {
    // The official code's 2x2x2 variant, on the cube as it is.
    options.input = settings.integers3("cubes.shape_voxels");
    for (std::size_t axis = 0; axis < 3; ++axis) {
      options.grid.patch[axis] = options.input[axis] / 2 - options.grid.jitter;
      if (options.grid.patch[axis] < kSideMultiple) {
        throw usage_error(
            "with rpl.grid = 2 half a cube less the jitter must have at least 8 voxels")
            .with("cubes.shape_voxels", std::to_string(options.input[axis]))
            .with("rpl.jitter_voxels", std::to_string(options.grid.jitter))
            .hint("lower rpl.jitter_voxels, or enlarge cubes.shape_voxels");
      }
    }
    options.anchor = 4;  // (z, y, x) = (1, 0, 0), a corner
  }
  check_grid(options.input, options.grid, "rpl");
  return options;
}

/// Where does a patch lie, seen from the anchor?
class Task : public ProxyTask {
 public:
  Task(const Options& options, int base_channels)
      : options_(options),
        head_(register_module(
            "head",
            ProxyHead(2 * feature_channels(base_channels, 3), base_channels, options.places()))) {}

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    std::vector<std::vector<Block>> pairs;
    std::vector<std::int64_t> places;
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      Rng rng = batch.stream(purpose::proxy, slot);
      const int place = rng.between(0, options_.places() - 1);
      const int query = place < options_.anchor ? place : place + 1;
      auto patches = cut_grid(resized(batch.cube(slot), options_.input), options_.grid, rng);
      pairs.push_back({std::move(patches[static_cast<std::size_t>(options_.anchor)]),
                       std::move(patches[static_cast<std::size_t>(query)])});
      places.push_back(place);
    }
    return {stack_pieces(pairs), torch::tensor(places, torch::kInt64)};
  }

  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& /*context*/) override {
    const std::int64_t n = tensors[0].size(0);
    const torch::Tensor vectors = pooled_features(network, tensors[0].flatten(0, 1));
    return classification_losses(
        head_(vectors.reshape({n, -1})), tensors[1], "patch_location_accuracy");
  }

  [[nodiscard]] double chance(std::string_view /*metric*/,
                              const CubeStore& /*cubes*/,
                              const std::vector<std::size_t>& /*indices*/,
                              std::size_t /*per_epoch*/) const override {
    return 1.0 / options_.places();
  }

 private:
  Options options_;
  ProxyHead head_;
};

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  return std::make_unique<Task>(options_of(settings), network.options.base_channels);
}

std::vector<KeySpec> keys() {
  std::vector<Key> keys = optimizer_keys("rpl");
  keys.push_back(Key("rpl.grid", 3, "cells a side; 2: the official code's 7-way variant")
                     .between(2, 3)
                     .gap(28));
  keys.push_back(Key("rpl.input_voxels", 54, "side to which cubes are resized, for grid 3")
                     .at_least(24)
                     .gap(28));
  keys.push_back(
      Key("rpl.patch_voxels", 16, "side of a patch, for grid 3; grid 2: cell less jitter")
          .at_least(8)
          .gap(28));
  keys.push_back(
      Key("rpl.jitter_voxels", 2, "range of a patch's place in its cell").at_least(0).gap(28));
  return specs_of(std::move(keys));
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "rpl";
  method.paper_name = "3D-RPL";
  method.summary = "tells where a patch lies, seen from the centre patch";
  method.citation = "Taleb et al., NeurIPS 2020";
  method.order = 20;
  method.transfer = Transfer::encoder;
  method.sections = {"rpl"};
  method.keys = keys();
  method.optimizer = [](const Settings& settings) { return chosen_optimizer(settings, "rpl"); };
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::rpl
