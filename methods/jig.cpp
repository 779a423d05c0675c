// 3D jigsaw puzzles: Taleb et al., "3D self-supervised methods for medical imaging", NeurIPS 2020,
// after Noroozi and Favaro, ECCV 2016.

#include "harness/nn/torch/proxy_parts.h"

namespace sar::methods::jig {
namespace {

struct Options {
  GridOptions grid;
  Size3 input{};  ///< cubes are resized to this
  int permutations = 100;
  std::string selection;
  std::uint64_t seed = 0;
  [[nodiscard]] int pieces() const { return grid.cells * grid.cells * grid.cells; }
};

Options options_of(const Settings& settings) {
  Options options;
  options.grid.cells = settings.integer("jig.grid");
  options.grid.patch = cube_size(settings, "jig.patch_voxels");
  options.grid.jitter = settings.integer("jig.jitter_voxels");
  options.input = cube_size(settings, "jig.input_voxels");
  options.permutations = settings.integer("jig.permutations");
  options.selection = settings.text("jig.permutation_selection");
  options.seed = static_cast<std::uint64_t>(settings.integer("jig.permutation_seed"));
  check_grid(options.input, options.grid, "jig");
  return options;
}

/// Which of the fixed orders do the patches lie in?
class Task : public ProxyTask {
 public:
  Task(const Options& options, int base_channels)
      : options_(options),
        orders_(permutation_set(
            options.permutations, options.pieces(), options.selection, options.seed)),
        head_(register_module("head",
                              ProxyHead(options.pieces() * feature_channels(base_channels, 3),
                                        base_channels,
                                        options.permutations))) {
    // Part of every checkpoint and of the weights, which so say what the classes mean.
    torch::Tensor table = torch::empty({options.permutations, options.pieces()}, torch::kInt64);
    auto* to = table.data_ptr<std::int64_t>();
    for (const auto& order : orders_) {
      to = std::copy(order.begin(), order.end(), to);
    }
    register_buffer("permutations", table);
  }

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    std::vector<std::vector<Block>> puzzles;
    std::vector<std::int64_t> labels;
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      Rng rng = batch.stream(purpose::proxy, slot);
      const int label = rng.between(0, options_.permutations - 1);
      const auto patches = cut_grid(resized(batch.cube(slot), options_.input), options_.grid, rng);
      std::vector<Block> puzzle;
      for (const int piece : orders_[static_cast<std::size_t>(label)]) {
        puzzle.push_back(patches[static_cast<std::size_t>(piece)]);
      }
      puzzles.push_back(std::move(puzzle));
      labels.push_back(label);
    }
    return {stack_pieces(puzzles), torch::tensor(labels, torch::kInt64)};
  }

  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& /*context*/) override {
    const std::int64_t n = tensors[0].size(0);
    const torch::Tensor vectors = pooled_features(network, tensors[0].flatten(0, 1));
    return classification_losses(
        head_(vectors.reshape({n, -1})), tensors[1], "permutation_accuracy");
  }

  [[nodiscard]] TensorMap record() const override {
    return {{"permutations", named_buffers()["permutations"]}};
  }

  [[nodiscard]] double chance(std::string_view /*metric*/,
                              const CubeStore& /*cubes*/,
                              const std::vector<std::size_t>& /*indices*/,
                              std::size_t /*per_epoch*/) const override {
    return 1.0 / options_.permutations;
  }

 private:
  Options options_;
  std::vector<std::vector<int>> orders_;
  ProxyHead head_;
};

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  return std::make_unique<Task>(options_of(settings), network.options.base_channels);
}

std::vector<KeySpec> keys() {
  std::vector<Key> keys = optimizer_keys("jig");
  keys.push_back(Key("jig.grid", 3, "cells a side").between(2, 4).gap(28));
  keys.push_back(
      Key("jig.input_voxels", 54, "side to which cubes are resized").at_least(16).gap(28));
  keys.push_back(Key("jig.patch_voxels", 16, "side of a patch").at_least(8).gap(28));
  keys.push_back(
      Key("jig.jitter_voxels", 2, "range of a patch's place in its cell").at_least(0).gap(28));
  keys.push_back(Key("jig.permutations", 100, "orders to tell apart").between(2, 10000).gap(29));
  keys.push_back(Key("jig.permutation_selection",
                     "maxmin",
                     "orders far from each other (Hamming), or random ones as in the official code")
                     .one_of({"maxmin", "random"})
                     .gap(29));
  keys.push_back(Key("jig.permutation_seed", 0, "seed of the set of orders").at_least(0).gap(29));
  return specs_of(std::move(keys));
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "jig";
  method.paper_name = "3D-Jig";
  method.summary = "tells the order of shuffled patches";
  method.citation = "Taleb et al., NeurIPS 2020";
  method.order = 30;
  method.transfer = Transfer::encoder;
  method.sections = {"jig"};
  method.keys = keys();
  method.optimizer = [](const Settings& settings) { return chosen_optimizer(settings, "jig"); };
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::jig
