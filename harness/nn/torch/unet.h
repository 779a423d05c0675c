#pragma once

#include "harness/config/settings.h"
#include "harness/core/rng.h"
#include "harness/nn/method.h"
#include "harness/nn/torch/runtime.h"

#include <torch/torch.h>

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

namespace sar {

/// Shape of the 3D U-Net: Cicek et al., MICCAI 2016, with the widths of the Models Genesis network
/// (Zhou et al., MICCAI 2019). P(b) = 18618 b^2 + 276 b + 1 parameters with b base channels, one
/// class and transposed convolutions; 2b + 1 more for each further class.
struct UNetOptions {
  int base_channels = 32;
  int classes = 1;       ///< output channels
  bool nearest = false;  ///< nearest-neighbour upsampling instead of transposed convolutions
  bool batch_statistics =
      false;  ///< BatchNorm normalises with the batch's statistics at evaluation too
};
UNetOptions unet_options(const Settings& settings, int classes);

/// The three halvings of the encoder need sides that are multiples of this.
inline constexpr int kSideMultiple = 8;
/// Throws Error 2 naming `key` unless every side is a positive multiple of 8.
void check_sides(const Size3& size, std::string_view key);

/// Encoder outputs F0..F3 before pooling: (n, 2b 2^l, z / 2^l, y / 2^l, x / 2^l).
using Features = std::array<torch::Tensor, 4>;
/// Channels of F_l.
constexpr int feature_channels(int base_channels, int level) {
  return (2 * base_channels) << level;
}

/// Convolution 3x3x3 (padding 1, bias), BatchNorm, ReLU.
class ConvUnitImpl : public torch::nn::Module {
 public:
  ConvUnitImpl(int in, int out, bool batch_statistics);
  torch::Tensor forward(const torch::Tensor& input);

 private:
  bool batch_statistics_;
  torch::nn::Conv3d conv_;
  torch::nn::BatchNorm3d norm_;
};
TORCH_MODULE(ConvUnit);

/// Four levels of two units, widths b 2^l and 2b 2^l, max-pooling 2x2x2 between them. Any side >= 8
/// works.
class EncoderImpl : public torch::nn::Module {
 public:
  explicit EncoderImpl(const UNetOptions& options);
  Features forward(torch::Tensor input);

 private:
  std::array<std::array<ConvUnit, 2>, 4> units_;
};
TORCH_MODULE(Encoder);

/// Levels 2, 1, 0: double the sides, concatenate [upsampled, F_l], two units of width 2b 2^l.
class DecoderImpl : public torch::nn::Module {
 public:
  explicit DecoderImpl(const UNetOptions& options);
  torch::Tensor forward(const Features& features);

 private:
  std::array<torch::nn::ConvTranspose3d, 3> up_;  ///< empty for nearest-neighbour upsampling
  std::array<std::array<ConvUnit, 2>, 3> units_;
};
TORCH_MODULE(Decoder);

/// Encoder, decoder and 1x1x1 head. The three parts draw their initial weights (LibTorch's default:
/// Kaiming uniform, a = sqrt 5) from streams of their own, so they start alike whatever else a
/// method adds.
struct Network : torch::nn::Module {
  Network(const UNetOptions& options, const Rng& rng);

  /// (n, 1, z, y, x) to logits (n, classes, z, y, x) in float32.
  torch::Tensor forward(const torch::Tensor& input);
  /// The same answer; gradients reach the head alone. BatchNorm still uses, and learns, the
  /// statistics of the input.
  torch::Tensor forward_to_head(const torch::Tensor& input);
  /// The rest of the way from the encoder's features.
  torch::Tensor decode(const Features& features);

  UNetOptions options;
  Encoder encoder{nullptr};
  Decoder decoder{nullptr};
  torch::nn::Conv3d head{nullptr};
};

/// Logits to probabilities in float32: sigmoid for one channel, softmax over several.
torch::Tensor probabilities_of(const torch::Tensor& logits);

/// Copies parameters and BatchNorm buffers by name: "encoder.*", and "decoder.*" where the transfer
/// says so. The head stays as it is. Throws Error 65 if a tensor is missing or has another shape.
void transfer_weights(const TensorMap& weights, Transfer transfer, Network& network);

/// Multiply-accumulates of one forward pass over a patch: V (908.875 b^2 + 29 b) for V voxels and
/// one class.
std::int64_t forward_macs(const UNetOptions& options, const Size3& patch);

std::int64_t count_parameters(const torch::nn::Module& module);

}  // namespace sar
