#include "harness/nn/torch/unet.h"

#include <string>

namespace sar {
namespace unet_detail {

// Parts of the network and the proxy heads draw their initial weights from streams of their own.
constexpr std::uint64_t kEncoderStream = 0;
constexpr std::uint64_t kDecoderStream = 1;
constexpr std::uint64_t kHeadStream = 2;

std::string level_name(int level) {
  return "level" + std::to_string(level);
}

torch::nn::Conv3d conv3(int in, int out) {
  return torch::nn::Conv3d(torch::nn::Conv3dOptions(in, out, 3).padding(1));
}

}  // namespace unet_detail

UNetOptions unet_options(const Settings& settings, int classes) {
  UNetOptions options;
  options.base_channels = settings.integer("network.base_channels");
  options.classes = classes;
  options.nearest = settings.text("network.upsampling") == "nearest";
  options.batch_statistics = settings.text("network.batch_norm_evaluation") == "batch";
  return options;
}

void check_sides(const Size3& size, std::string_view key) {
  for (const int side : size) {
    if (side < kSideMultiple || side % kSideMultiple != 0) {
      throw usage_error("every side must be a multiple of 8")
          .with("key", key)
          .with("value", to_string(size));
    }
  }
}

ConvUnitImpl::ConvUnitImpl(int in, int out, bool batch_statistics)
    : batch_statistics_(batch_statistics),
      conv_(register_module("conv", unet_detail::conv3(in, out))),
      norm_(register_module("norm", torch::nn::BatchNorm3d(out))) {}

torch::Tensor ConvUnitImpl::forward(const torch::Tensor& input) {
  torch::Tensor output = conv_(input);
  if (batch_statistics_ && !is_training()) {
    // The official Models Genesis network does this; its running buffers are never read.
    output = torch::batch_norm(output,
                               norm_->weight,
                               norm_->bias,
                               /*running_mean=*/{},
                               /*running_var=*/{},
                               /*training=*/true,
                               /*momentum=*/0,
                               norm_->options.eps(),
                               /*cudnn_enabled=*/true);
  } else {
    output = norm_(output);
  }
  return torch::relu_(output);
}

EncoderImpl::EncoderImpl(const UNetOptions& options)
    : units_{{{nullptr, nullptr}, {nullptr, nullptr}, {nullptr, nullptr}, {nullptr, nullptr}}} {
  int in = 1;
  for (int level = 0; level < 4; ++level) {
    const int out = feature_channels(options.base_channels, level);
    auto& units = units_[static_cast<std::size_t>(level)];
    const std::string name = unet_detail::level_name(level);
    units[0] = register_module(name + "a", ConvUnit(in, out / 2, options.batch_statistics));
    units[1] = register_module(name + "b", ConvUnit(out / 2, out, options.batch_statistics));
    in = out;
  }
}

Features EncoderImpl::forward(torch::Tensor input) {
  Features features;
  for (std::size_t level = 0; level < 4; ++level) {
    if (level > 0) {
      input = torch::max_pool3d(input, 2, 2);
    }
    input = units_[level][1](units_[level][0](input));
    features[level] = input;
  }
  return features;
}

DecoderImpl::DecoderImpl(const UNetOptions& options)
    : up_{{nullptr, nullptr, nullptr}},
      units_{{{nullptr, nullptr}, {nullptr, nullptr}, {nullptr, nullptr}}} {
  for (int level = 2; level >= 0; --level) {
    const int below = feature_channels(options.base_channels, level + 1);
    const int out = feature_channels(options.base_channels, level);
    const auto slot = static_cast<std::size_t>(level);
    const std::string name = unet_detail::level_name(level);
    if (!options.nearest) {
      up_[slot] = register_module(
          name + "up",
          torch::nn::ConvTranspose3d(torch::nn::ConvTranspose3dOptions(below, below, 2).stride(2)));
    }
    units_[slot][0] =
        register_module(name + "a", ConvUnit(below + out, out, options.batch_statistics));
    units_[slot][1] = register_module(name + "b", ConvUnit(out, out, options.batch_statistics));
  }
}

torch::Tensor DecoderImpl::forward(const Features& features) {
  torch::Tensor output = features[3];
  for (std::size_t level = 3; level-- > 0;) {
    const torch::Tensor& skip = features[level];
    output =
        up_[level] ? up_[level](output) : torch::upsample_nearest3d(output, skip.sizes().slice(2));
    output = units_[level][1](units_[level][0](torch::cat({output, skip}, 1)));
  }
  return output;
}

Network::Network(const UNetOptions& shape, const Rng& rng) : options(shape) {
  {
    const TorchSeedScope seed(rng.at(purpose::initialisation, {unet_detail::kEncoderStream}));
    encoder = register_module("encoder", Encoder(options));
  }
  {
    const TorchSeedScope seed(rng.at(purpose::initialisation, {unet_detail::kDecoderStream}));
    decoder = register_module("decoder", Decoder(options));
  }
  {
    const TorchSeedScope seed(rng.at(purpose::initialisation, {unet_detail::kHeadStream}));
    head = register_module(
        "head", torch::nn::Conv3d(feature_channels(options.base_channels, 0), options.classes, 1));
  }
}

torch::Tensor Network::decode(const Features& features) {
  return head(decoder(features)).to(torch::kFloat32);
}

torch::Tensor Network::forward_to_head(const torch::Tensor& input) {
  torch::Tensor features;
  {
    const torch::NoGradGuard no_grad;
    features = decoder(encoder(input));
  }
  return head(features).to(torch::kFloat32);
}

torch::Tensor Network::forward(const torch::Tensor& input) {
  return decode(encoder(input));
}

torch::Tensor probabilities_of(const torch::Tensor& logits) {
  return logits.size(1) == 1 ? torch::sigmoid(logits) : torch::softmax(logits, 1);
}

void transfer_weights(const TensorMap& weights, Transfer transfer, Network& network) {
  static constexpr std::array<std::string_view, 2> kParts{"encoder.", "decoder."};
  if (transfer != Transfer::none) {
    copy_tensors(weights, network, std::span(kParts).first(transfer == Transfer::encoder ? 1 : 2));
  }
}

std::int64_t forward_macs(const UNetOptions& options, const Size3& patch) {
  const auto voxels = static_cast<std::int64_t>(count_voxels(patch));
  const std::int64_t b = options.base_channels;
  // Counted in eighths, so that 908.875 b^2 (all layers but the first and the last) is a whole
  // number.
  constexpr std::int64_t kEighths = 7271;
  constexpr std::int64_t kUpsamplingEighths = 224;  // of them in transposed convolutions
  const std::int64_t square = options.nearest ? kEighths - kUpsamplingEighths : kEighths;
  const std::int64_t linear = 27 + 2 * options.classes;  // first convolution; head
  return voxels * square * b * b / 8 + voxels * linear * b;
}

std::int64_t network_macs(const Settings& settings, const Size3& patch, int classes) {
  return forward_macs(unet_options(settings, classes), patch);
}

std::int64_t count_parameters(const torch::nn::Module& module) {
  std::int64_t count = 0;
  for (const auto& parameter : module.parameters()) {
    count += parameter.numel();
  }
  return count;
}

}  // namespace sar
