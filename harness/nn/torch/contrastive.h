#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

namespace sar {

/// Which patches of a grid contrastive predictive coding reads and predicts, per column along x.
/// A column (y, z) has as context an upside-down pyramid in the lower half of x: the square of
/// radius grid / 2 - 1 around it in layer 0 (indices mirrored at the border), one smaller in each
/// next layer, the column itself in layer grid / 2 - 1. The layers from grid / 2 on are its targets
/// (Taleb et al., NeurIPS 2020, official code). Context and targets never overlap.
struct ContrastiveGrid {
  int grid = 4;                                     ///< patches a side, even, at least 4
  std::vector<std::vector<std::int64_t>> contexts;  ///< per column; indices into the patches
  std::vector<std::vector<std::int64_t>> targets;   ///< per column; one per step

  [[nodiscard]] int columns() const { return grid * grid; }
  [[nodiscard]] int steps() const { return grid / 2; }
};
/// Patches are numbered with x fastest, as cut_grid() gives them. Throws Error 2 naming cpc.grid
/// for an odd or too small grid: mirroring would put a target into the context.
ContrastiveGrid contrastive_grid(int grid);

/// Loss and accuracy of a batch of predictions, both scalars.
struct ContrastiveLoss {
  torch::Tensor loss, accuracy;
};

/// InfoNCE (van den Oord et al., "Representation learning with contrastive predictive coding",
/// 2018): for each step a softmax over the targets of all columns of the batch, the own one
/// included, with logits dot / sqrt(code); cross-entropy, mean over columns and steps. Predictions
/// and targets: (columns, steps, code). Guessing: 1 / columns.
ContrastiveLoss info_nce(const torch::Tensor& predictions, const torch::Tensor& targets);

/// The official code's form: the score of two sequences is the mean over steps and code of their
/// product; binary cross-entropy of its sigmoid, for each column once with its own targets (1) and
/// once with those of column `negatives` (0). `negatives`: int64 (columns). Guessing: 1/2.
ContrastiveLoss paired_cross_entropy(const torch::Tensor& predictions,
                                     const torch::Tensor& targets,
                                     const torch::Tensor& negatives);

}  // namespace sar
