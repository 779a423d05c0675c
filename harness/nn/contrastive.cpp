#include "harness/nn/torch/contrastive.h"

#include "harness/core/error.h"

#include <cmath>
#include <string>

namespace sar {

ContrastiveGrid contrastive_grid(int grid) {
  if (grid < 4 || grid % 2 != 0) {
    throw usage_error("the grid of contrastive predictive coding must be even and at least 4")
        .with("cpc.grid", std::to_string(grid));
  }
  ContrastiveGrid result;
  result.grid = grid;
  const auto mirrored = [grid](int i) { return i < 0 ? -i : (i >= grid ? 2 * (grid - 1) - i : i); };
  const auto index = [&](int x, int y, int z) {
    return static_cast<std::int64_t>((mirrored(z) * grid + mirrored(y)) * grid + x);
  };
  const int half = grid / 2;
  for (int z = 0; z < grid; ++z) {
    for (int y = 0; y < grid; ++y) {
      std::vector<std::int64_t> context;
      for (int x = 0; x < half; ++x) {
        const int radius = half - 1 - x;
        for (int dy = -radius; dy <= radius; ++dy) {
          for (int dz = -radius; dz <= radius; ++dz) {
            context.push_back(index(x, y + dy, z + dz));
          }
        }
      }
      std::vector<std::int64_t> targets;
      for (int x = half; x < grid; ++x) {
        targets.push_back(index(x, y, z));
      }
      result.contexts.push_back(std::move(context));
      result.targets.push_back(std::move(targets));
    }
  }
  return result;
}

ContrastiveLoss info_nce(const torch::Tensor& predictions, const torch::Tensor& targets) {
  const std::int64_t columns = predictions.size(0);
  const std::int64_t steps = predictions.size(1);
  const double scale = 1 / std::sqrt(static_cast<double>(predictions.size(2)));
  // (steps, columns, candidates)
  const torch::Tensor logits =
      torch::matmul(predictions.transpose(0, 1), targets.permute({1, 2, 0})) * scale;
  const torch::Tensor own =
      torch::arange(columns, torch::dtype(torch::kInt64).device(logits.device())).repeat({steps});
  const torch::Tensor rows = logits.flatten(0, 1);
  return {torch::cross_entropy_loss(rows, own),
          (rows.detach().argmax(1) == own).to(torch::kFloat32).mean()};
}

ContrastiveLoss paired_cross_entropy(const torch::Tensor& predictions,
                                     const torch::Tensor& targets,
                                     const torch::Tensor& negatives) {
  const torch::Tensor own = (predictions * targets).mean({1, 2});
  const torch::Tensor other = (predictions * targets.index_select(0, negatives)).mean({1, 2});
  const torch::Tensor scores = torch::cat({own, other});
  const torch::Tensor labels = torch::cat({torch::ones_like(own), torch::zeros_like(other)});
  return {torch::binary_cross_entropy_with_logits(scores, labels),
          ((scores.detach() > 0) == (labels > 0)).to(torch::kFloat32).mean()};
}

}  // namespace sar
