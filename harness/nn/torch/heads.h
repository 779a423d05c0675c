#pragma once

#include "harness/nn/torch/unet.h"

#include <torch/torch.h>

#include <array>

namespace sar {

/// Identity whose gradient is multiplied by -strength (Ganin and Lempitsky, "Unsupervised domain
/// adaptation by backpropagation", ICML 2015). With strength 1 a step on BCE(M(reverse(E(x))))
/// follows exactly the gradients of the paper's equation 3: M descends the cross-entropy, E ascends
/// it.
torch::Tensor reverse_gradient(const torch::Tensor& input, double strength);

/// Shape of the scale-aware module.
struct ScaleAwareOptions {
  int in_channels = 512;  ///< channels of the tapped feature map
  int hidden = 1024;      ///< width between the two fully connected layers
  double dropout = 0;
  int scales = 3;
};

/// Scale-aware module of section 2.2: global average pooling and two fully connected layers with a
/// ReLU between them. 528,387 parameters with the defaults.
class ScaleAwareModuleImpl : public torch::nn::Module {
 public:
  explicit ScaleAwareModuleImpl(const ScaleAwareOptions& options);
  /// Feature map (n, c, z, y, x) to logits (n, scales).
  torch::Tensor forward(const torch::Tensor& features);

 private:
  torch::nn::Linear hidden_;
  torch::nn::Dropout dropout_;
  torch::nn::Linear output_;
};
TORCH_MODULE(ScaleAwareModule);

/// Shape of the modality-invariant adversarial module.
struct ModalityOptions {
  int base_channels = 32;  ///< of the U-Net that feeds it
  int hidden = 256;        ///< width between the two fully connected layers
  bool all_taps = true;    ///< F0..F3, or F3 alone (the common discriminator)
  bool batch_norm = true;
};

/// Modality-invariant adversarial module M of section 2.3: three 3x3x3 convolutions of widths 2b,
/// 4b, 8b with BatchNorm and LeakyReLU 0.2, global average pooling, two fully connected layers.
/// With all taps the convolutions have stride 2 and walk down the encoder's pyramid, each reading
/// [previous, F_l], and F3 joins after pooling; 3,626,817 parameters with the defaults. With F3
/// alone they have stride 1.
class ModalityModuleImpl : public torch::nn::Module {
 public:
  explicit ModalityModuleImpl(const ModalityOptions& options);
  /// Encoder features to one logit per sample (n); its sigmoid is P(CT).
  torch::Tensor forward(const Features& features);

 private:
  [[nodiscard]] torch::Tensor stage(std::size_t index, const torch::Tensor& input);

  bool all_taps_;
  std::array<torch::nn::Conv3d, 3> convolutions_{{nullptr, nullptr, nullptr}};
  std::array<torch::nn::BatchNorm3d, 3> norms_{
      {nullptr, nullptr, nullptr}};  ///< empty without norm
  torch::nn::Linear hidden_{nullptr};
  torch::nn::Linear output_{nullptr};
};
TORCH_MODULE(ModalityModule);

}  // namespace sar
