#include "harness/nn/torch/proxy_parts.h"

namespace sar {

torch::Tensor pooled_features(Network& network, const torch::Tensor& input) {
  return network.encoder(input)[3].mean({2, 3, 4});
}

ProxyHeadImpl::ProxyHeadImpl(int in_features, int base_channels, int classes)
    : layers_(register_module(
          "layers",
          torch::nn::Sequential(torch::nn::Linear(in_features, 64 * base_channels),
                                torch::nn::ReLU(),
                                torch::nn::BatchNorm1d(64 * base_channels),
                                torch::nn::Dropout(0.5),
                                torch::nn::Linear(64 * base_channels, 32 * base_channels),
                                torch::nn::ReLU(),
                                torch::nn::BatchNorm1d(32 * base_channels),
                                torch::nn::Dropout(0.5),
                                torch::nn::Linear(32 * base_channels, classes)))) {}

torch::Tensor ProxyHeadImpl::forward(const torch::Tensor& vectors) {
  return layers_->forward(vectors).to(torch::kFloat32);
}

Losses classification_losses(const torch::Tensor& logits,
                             const torch::Tensor& labels,
                             const std::string& accuracy_name) {
  Losses losses;
  losses.total = torch::cross_entropy_loss(logits, labels);
  losses.monitored = losses.total;
  losses.metrics.emplace_back(accuracy_name,
                              (logits.detach().argmax(1) == labels).to(torch::kFloat32).mean());
  return losses;
}

std::vector<Key> optimizer_keys(const std::string& method) {
  return {Key(method + ".optimizer", "adam", "optimiser of its pre-training")
              .one_of({"adam", "sgd"})
              .gap(27),
          Key(method + ".learning_rate", 1e-4, "initial learning rate of its pre-training")
              .at_least(0)
              .gap(27)};
}

OptimizerChoice chosen_optimizer(const Settings& settings, const std::string& method) {
  return {settings.text(method + ".optimizer"), settings.number(method + ".learning_rate")};
}

Size3 cube_size(const Settings& settings, const std::string& key) {
  const int side = settings.integer(key);
  return {side, side, side};
}

void check_grid(const Size3& input, const GridOptions& grid, const std::string& section) {
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int cell = input[axis] / grid.cells;
    if (grid.patch[axis] < kSideMultiple || grid.patch[axis] + grid.jitter > cell) {
      throw usage_error(
          "a patch must have at least 8 voxels a side and fit its cell with the jitter")
          .with("input (voxels)", to_string(input))
          .with(section + ".grid", std::to_string(grid.cells))
          .with("cell (voxels)", std::to_string(cell))
          .with("patch (voxels)", to_string(grid.patch))
          .with(section + ".jitter_voxels", std::to_string(grid.jitter))
          .hint("change " + section + ".input_voxels, " + section + ".patch_voxels, " + section +
                ".grid or " + section + ".jitter_voxels");
    }
  }
}

torch::Tensor stack_pieces(const std::vector<std::vector<Block>>& pieces) {
  std::vector<torch::Tensor> samples;
  for (const auto& blocks : pieces) {
    samples.push_back(tensor_of(blocks));
  }
  return torch::stack(samples);
}

}  // namespace sar
