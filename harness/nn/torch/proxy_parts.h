#pragma once

#include "harness/config/key.h"
#include "harness/nn/torch/proxy_task.h"
#include "harness/volume/pieces.h"

#include <torch/torch.h>

#include <string>
#include <vector>

namespace sar {

/// Feature vector of each input: global average of F3, (n, 16b).
torch::Tensor pooled_features(Network& network, const torch::Tensor& input);

/// The "big" head of Taleb et al. (3D self-supervised methods for medical imaging, NeurIPS 2020,
/// official code): fully connected layers of 64b, 32b and `classes` units, the first two followed
/// by ReLU, BatchNorm and dropout 0.5. Its 2048 and 1024 units belong to b = 32 and shrink with the
/// network (a choice).
class ProxyHeadImpl : public torch::nn::Module {
 public:
  ProxyHeadImpl(int in_features, int base_channels, int classes);
  /// (n, in_features) to logits (n, classes), float32.
  torch::Tensor forward(const torch::Tensor& vectors);

 private:
  torch::nn::Sequential layers_;
};
TORCH_MODULE(ProxyHead);

/// Cross-entropy of a classification (monitored and optimised), with its accuracy.
Losses classification_losses(const torch::Tensor& logits,
                             const torch::Tensor& labels,
                             const std::string& accuracy_name);

/// The keys `<method>.optimizer` and `<method>.learning_rate`, for Method::keys. Adam at 1e-4 is
/// that of Taleb et al.; SGD at 1 belongs to the restoration loss (gap 27).
std::vector<Key> optimizer_keys(const std::string& method);
/// What these keys say, for Method::optimizer.
OptimizerChoice chosen_optimizer(const Settings& settings, const std::string& method);

/// A cubic size of the key's voxels.
Size3 cube_size(const Settings& settings, const std::string& key);

/// Throws Error 2 unless the patch with its jitter fits a cell of the grid and the encoder's three
/// halvings fit the patch. `section` is that of the keys, e.g. "rpl".
void check_grid(const Size3& input, const GridOptions& grid, const std::string& section);

/// Patches of all samples, stacked to (n, pieces, 1, z, y, x).
torch::Tensor stack_pieces(const std::vector<std::vector<Block>>& pieces);

}  // namespace sar
