#include "harness/nn/torch/patches.h"
#include "harness/nn/torch/unet.h"
#include "harness/volume/evaluation.h"
#include "harness/volume/resample.h"

#include <algorithm>
#include <utility>

namespace sar {
namespace predictor_detail {

/// Calls `visit(image_index, box_index)` for the first voxel of every row (along x) that lies both
/// in the box and in the image; `count` voxels of the row do.
template <class Visit>
void visit_rows(const Size3& image, const Box& box, Visit&& visit) {
  const auto clipped = [&](std::size_t axis) {
    const int begin = std::max(box.origin[axis], 0);
    const int end = std::min(box.origin[axis] + box.size[axis], image[axis]);
    return std::pair(begin, end);
  };
  const auto [x0, x1] = clipped(0);
  const auto [y0, y1] = clipped(1);
  const auto [z0, z1] = clipped(2);
  const auto offset = [](const Size3& size, int x, int y, int z) {
    const auto row = static_cast<std::size_t>(z) * static_cast<std::size_t>(size[1]) +
                     static_cast<std::size_t>(y);
    return row * static_cast<std::size_t>(size[0]) + static_cast<std::size_t>(x);
  };
  for (int z = z0; z < z1; ++z) {
    for (int y = y0; y < y1; ++y) {
      visit(offset(image, x0, y, z),
            offset(box.size, x0 - box.origin[0], y - box.origin[1], z - box.origin[2]),
            static_cast<std::size_t>(x1 - x0));
    }
  }
}

}  // namespace predictor_detail

struct Predictor::State {
  State(const UNetOptions& options, const Compute& how)
      : network(options, Rng(0)), compute(how), device(device_of(how)) {}

  /// Probabilities (n, channels, voxels) on the CPU.
  torch::Tensor forward(std::span<const Block> blocks) {
    const AutocastScope autocast(compute.precision == "bf16", device);
    return probabilities_of(network.forward(tensor_of(blocks).to(device))).cpu().contiguous();
  }

  std::vector<Block> whole(const Volume& image);
  std::vector<Block> windows(const Volume& image);

  Network network;
  Compute compute;
  torch::Device device;
  Size3 patch{};
  double step = 0.5;
  bool gaussian = true;
  bool whole_volume = false;
  std::size_t batch_size = 1;
};

std::vector<Block> Predictor::State::whole(const Volume& image) {
  const Size3& size = image.geometry.size;
  Box box;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    box.size[axis] = (size[axis] + kSideMultiple - 1) / kSideMultiple * kSideMultiple;
    box.origin[axis] = centred_start(size[axis], box.size[axis]);
  }
  const Block padded = crop(image, box, background_of(image));
  const torch::Tensor output = forward({&padded, 1});
  std::vector<Block> channels(static_cast<std::size_t>(output.size(1)));
  for (std::size_t channel = 0; channel < channels.size(); ++channel) {
    const float* from = output.data_ptr<float>() + channel * count_voxels(box.size);
    channels[channel] = {size, std::vector<float>(count_voxels(size))};
    predictor_detail::visit_rows(
        size, box, [&](std::size_t to, std::size_t in_box, std::size_t count) {
          std::copy_n(from + in_box,
                      count,
                      channels[channel].values.begin() + static_cast<std::ptrdiff_t>(to));
        });
  }
  return channels;
}

std::vector<Block> Predictor::State::windows(const Volume& image) {
  const Size3& size = image.geometry.size;
  std::array<std::vector<int>, 3> starts;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    starts[axis] = size[axis] >= patch[axis] ? window_starts(size[axis], patch[axis], step)
                                             : std::vector{centred_start(size[axis], patch[axis])};
  }
  std::vector<Box> boxes;
  for (const int z : starts[2]) {
    for (const int y : starts[1]) {
      for (const int x : starts[0]) {
        boxes.push_back({{x, y, z}, patch});
      }
    }
  }
  const Block weights = window_weights(patch, gaussian);
  const float background = background_of(image);
  const std::size_t voxels = count_voxels(size);
  std::vector<Block> channels(static_cast<std::size_t>(network.options.classes),
                              Block{size, std::vector<float>(voxels, 0.0F)});
  std::vector<float> total(voxels, 0.0F);

  std::vector<Block> blocks;
  for (std::size_t first = 0; first < boxes.size(); first += batch_size) {
    const std::size_t count = std::min(batch_size, boxes.size() - first);
    blocks.clear();
    for (std::size_t i = 0; i < count; ++i) {
      blocks.push_back(crop(image, boxes[first + i], background));
    }
    const torch::Tensor output = forward(blocks);
    const float* from = output.data_ptr<float>();
    for (std::size_t i = 0; i < count; ++i) {
      const Box& box = boxes[first + i];
      const auto each_row = [&](auto&& add) {
        predictor_detail::visit_rows(
            size, box, [&](std::size_t to, std::size_t in_box, std::size_t length) {
              for (std::size_t x = 0; x < length; ++x) {
                add(to + x, in_box + x);
              }
            });
      };
      each_row([&](std::size_t to, std::size_t in_box) { total[to] += weights.values[in_box]; });
      for (Block& channel : channels) {
        each_row([&](std::size_t to, std::size_t in_box) {
          channel.values[to] += weights.values[in_box] * from[in_box];
        });
        from += count_voxels(patch);
      }
    }
  }
  for (Block& channel : channels) {
    for (std::size_t i = 0; i < voxels; ++i) {
      channel.values[i] /= total[i];
    }
  }
  return channels;
}

Predictor::Predictor(const Settings& settings,
                     int classes,
                     const std::filesystem::path& weights,
                     const Compute& compute) {
  with_torch_errors("loading the network", [&] {
    configure_compute(compute);
    state_ = std::make_unique<State>(unet_options(settings, classes), compute);
    const TensorMap tensors = read_tensors(weights);
    try {
      static constexpr std::string_view kAll[] = {""};
      copy_tensors(tensors, state_->network, kAll);
    } catch (Error& error) {
      throw error.with("file", weights.string());
    }
    state_->network.to(state_->device);
    state_->network.eval();
    state_->patch = settings.integers3("finetune.patch_voxels");
    check_sides(state_->patch, "finetune.patch_voxels");
    state_->step = settings.number("evaluate.step");
    state_->gaussian = settings.flag("evaluate.gaussian");
    state_->whole_volume = settings.text("evaluate.mode") == "whole";
    state_->batch_size = static_cast<std::size_t>(settings.integer("evaluate.batch_size"));
  });
}

Predictor::~Predictor() = default;
Predictor::Predictor(Predictor&&) noexcept = default;
Predictor& Predictor::operator=(Predictor&&) noexcept = default;

std::vector<Block> Predictor::probabilities(const Volume& image) const {
  return with_torch_errors("prediction", [&] {
    const torch::NoGradGuard no_grad;
    return state_->whole_volume ? state_->whole(image) : state_->windows(image);
  });
}

}  // namespace sar
