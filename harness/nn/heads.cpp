#include "harness/nn/torch/heads.h"

#include <string>

namespace sar {
namespace heads_detail {

constexpr double kLeak = 0.2;  // slope of LeakyReLU for negative values

struct GradientReversal : torch::autograd::Function<GradientReversal> {
  static torch::Tensor forward(torch::autograd::AutogradContext* context,
                               const torch::Tensor& input,
                               double strength) {
    context->saved_data["strength"] = strength;
    return input.view_as(input);
  }
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               const torch::autograd::tensor_list& gradients) {
    return {gradients[0] * -context->saved_data["strength"].toDouble(), torch::Tensor()};
  }
};

torch::Tensor global_average(const torch::Tensor& features) {
  return features.mean({2, 3, 4});
}

}  // namespace heads_detail

torch::Tensor reverse_gradient(const torch::Tensor& input, double strength) {
  return heads_detail::GradientReversal::apply(input, strength);
}

ScaleAwareModuleImpl::ScaleAwareModuleImpl(const ScaleAwareOptions& options)
    : hidden_(register_module("hidden", torch::nn::Linear(options.in_channels, options.hidden))),
      dropout_(register_module("dropout", torch::nn::Dropout(options.dropout))),
      output_(register_module("output", torch::nn::Linear(options.hidden, options.scales))) {}

torch::Tensor ScaleAwareModuleImpl::forward(const torch::Tensor& features) {
  return output_(dropout_(torch::relu(hidden_(heads_detail::global_average(features)))));
}

ModalityModuleImpl::ModalityModuleImpl(const ModalityOptions& options)
    : all_taps_(options.all_taps) {
  const int b = options.base_channels;
  int previous = 0;
  for (int level = 0; level < 3; ++level) {
    const auto slot = static_cast<std::size_t>(level);
    const int tap =
        all_taps_ ? feature_channels(b, level) : (level == 0 ? feature_channels(b, 3) : 0);
    const int out = feature_channels(b, level);
    const std::string number = std::to_string(level + 1);
    convolutions_[slot] = register_module(
        "conv" + number,
        torch::nn::Conv3d(
            torch::nn::Conv3dOptions(previous + tap, out, 3).stride(all_taps_ ? 2 : 1).padding(1)));
    if (options.batch_norm) {
      norms_[slot] = register_module("norm" + number, torch::nn::BatchNorm3d(out));
    }
    previous = out;
  }
  const int pooled = previous + (all_taps_ ? feature_channels(b, 3) : 0);
  hidden_ = register_module("hidden", torch::nn::Linear(pooled, options.hidden));
  output_ = register_module("output", torch::nn::Linear(options.hidden, 1));
}

torch::Tensor ModalityModuleImpl::stage(std::size_t index, const torch::Tensor& input) {
  torch::Tensor output = convolutions_[index](input);
  if (norms_[index]) {
    output = norms_[index](output);
  }
  return torch::leaky_relu_(output, heads_detail::kLeak);
}

torch::Tensor ModalityModuleImpl::forward(const Features& features) {
  torch::Tensor output = stage(0, all_taps_ ? features[0] : features[3]);
  for (std::size_t level = 1; level < 3; ++level) {
    output = stage(level, all_taps_ ? torch::cat({output, features[level]}, 1) : output);
  }
  output = heads_detail::global_average(output);
  if (all_taps_) {
    output = torch::cat({output, heads_detail::global_average(features[3])}, 1);
  }
  output = torch::leaky_relu(hidden_(output), heads_detail::kLeak);
  return output_(output).squeeze(1);
}

}  // namespace sar
