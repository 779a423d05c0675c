#pragma once

#include <torch/torch.h>

#include <string>

namespace sar {

/// Over the samples of a batch (gap 21 of the ledger: the paper prints sums).
enum class Reduction { mean, sum };

/// Per sample the mean squared error over voxels, or (`l2norm`) the un-squared L2 norm of the
/// difference that equation 1 prints; reduced over the batch. Tensors (n, ...), float32.
torch::Tensor restoration_loss(const torch::Tensor& restored,
                               const torch::Tensor& target,
                               bool l2norm,
                               Reduction reduction);

/// Equation 2: cross-entropy of logits (n, k) against labels (n). `weights` (k) may be undefined.
/// With weights the mean is the weighted one, divided by the sum of the samples' weights.
torch::Tensor scale_loss(const torch::Tensor& logits,
                         const torch::Tensor& labels,
                         const torch::Tensor& weights,
                         Reduction reduction);

/// Minus equation 3: binary cross-entropy of logits (n) against 1 = CT, 0 = MRI. `per_domain`: the
/// mean (or sum) over the CT samples plus that over the MRI samples; a domain that the batch lacks
/// counts 0.
torch::Tensor modality_loss(const torch::Tensor& logits,
                            const torch::Tensor& is_ct,
                            bool per_domain,
                            Reduction reduction);

/// What `finetune` minimises. Logits (n, c, z, y, x) in float32; labels (n, z, y, x), int64, 0 ..
/// max(c, 2) - 1. One channel means a sigmoid, several a softmax. Sums S run over the whole batch
/// unless said otherwise.
/// - genesis: 1 - (2 S_pg + s) / (S_p + S_g + s) of the only foreground class (Zhou et al., Models
/// Genesis)
/// - multi_foreground: the same per class, averaged over the classes but background
/// - taleb: minus the mean over all classes with background of (2 S_pg + e) / (S_p + S_g + e), e =
/// 1e-5 (Taleb
///   et al., NeurIPS 2020, official code)
/// - nnunet: minus the mean over samples and foreground classes of the same quotient with e = 1e-5,
/// plus
///   cross-entropy (Isensee et al., nnU-Net)
/// `smooth` is s; the last two keep the constants of their sources. Throws Error 2 for another
/// name.
torch::Tensor dice_loss(const std::string& name,
                        const torch::Tensor& logits,
                        const torch::Tensor& labels,
                        double smooth);

}  // namespace sar
