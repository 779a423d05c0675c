#include "harness/nn/torch/losses.h"

#include "harness/core/error.h"
#include "harness/nn/torch/unet.h"

namespace sar {
namespace losses_detail {

constexpr double kEpsilon = 1e-5;  // smoothing of the taleb and nnunet forms

torch::Tensor reduced(const torch::Tensor& per_sample, Reduction reduction) {
  return reduction == Reduction::mean ? per_sample.mean() : per_sample.sum();
}

/// Probabilities and one-hot truth of the same classes, both (n, k, voxels).
struct Classes {
  torch::Tensor probability;
  torch::Tensor truth;
};

/// The foreground classes only, or all with background first.
Classes classes_of(const torch::Tensor& logits, const torch::Tensor& labels, bool background) {
  torch::Tensor probability = probabilities_of(logits);
  torch::Tensor truth;
  if (logits.size(1) == 1) {
    truth = (labels > 0).to(torch::kFloat32).unsqueeze(1);
    if (background) {
      probability = torch::cat({1 - probability, probability}, 1);
      truth = torch::cat({1 - truth, truth}, 1);
    }
  } else {
    truth = torch::one_hot(labels, logits.size(1)).movedim(-1, 1).to(torch::kFloat32);
    if (!background) {
      probability = probability.slice(1, 1);
      truth = truth.slice(1, 1);
    }
  }
  return {probability.flatten(2), truth.flatten(2)};
}

/// (2 S_pg + s) / (S_p + S_g + s), summed over the given dimensions.
torch::Tensor dice_quotient(const Classes& classes, at::IntArrayRef dimensions, double smooth) {
  const torch::Tensor both = (classes.probability * classes.truth).sum(dimensions);
  const torch::Tensor sizes = classes.probability.sum(dimensions) + classes.truth.sum(dimensions);
  return (2 * both + smooth) / (sizes + smooth);
}

torch::Tensor cross_entropy(const torch::Tensor& logits, const torch::Tensor& labels) {
  if (logits.size(1) == 1) {
    return torch::binary_cross_entropy_with_logits(logits.squeeze(1),
                                                   (labels > 0).to(torch::kFloat32));
  }
  return torch::cross_entropy_loss(logits, labels);
}

}  // namespace losses_detail

torch::Tensor restoration_loss(const torch::Tensor& restored,
                               const torch::Tensor& target,
                               bool l2norm,
                               Reduction reduction) {
  const torch::Tensor difference = (restored - target).flatten(1);
  return losses_detail::reduced(l2norm ? difference.norm(2, 1) : difference.square().mean(1),
                                reduction);
}

torch::Tensor scale_loss(const torch::Tensor& logits,
                         const torch::Tensor& labels,
                         const torch::Tensor& weights,
                         Reduction reduction) {
  return torch::cross_entropy_loss(
      logits,
      labels,
      weights,
      reduction == Reduction::mean ? at::Reduction::Mean : at::Reduction::Sum);
}

torch::Tensor modality_loss(const torch::Tensor& logits,
                            const torch::Tensor& is_ct,
                            bool per_domain,
                            Reduction reduction) {
  const torch::Tensor per_sample =
      torch::binary_cross_entropy_with_logits(logits, is_ct, {}, {}, at::Reduction::None);
  if (!per_domain || reduction == Reduction::sum) {  // the two sums are the sum
    return losses_detail::reduced(per_sample, reduction);
  }
  const torch::Tensor is_mri = 1 - is_ct;
  return (per_sample * is_ct).sum() / is_ct.sum().clamp_min(1) +
         (per_sample * is_mri).sum() / is_mri.sum().clamp_min(1);
}

torch::Tensor dice_loss(const std::string& name,
                        const torch::Tensor& logits,
                        const torch::Tensor& labels,
                        double smooth) {
  using losses_detail::classes_of;
  using losses_detail::dice_quotient;
  using losses_detail::kEpsilon;
  if (name == "genesis" || name == "multi_foreground") {
    return 1 - dice_quotient(classes_of(logits, labels, false), {0, 2}, smooth).mean();
  }
  if (name == "taleb") {
    return -dice_quotient(classes_of(logits, labels, true), {0, 2}, kEpsilon).mean();
  }
  if (name == "nnunet") {
    return losses_detail::cross_entropy(logits, labels) -
           dice_quotient(classes_of(logits, labels, false), {2}, kEpsilon).mean();
  }
  throw usage_error("there is no Dice loss '" + name + "'");
}

}  // namespace sar
