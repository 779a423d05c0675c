// 3D contrastive predictive coding: Taleb et al., "3D self-supervised methods for medical imaging",
// NeurIPS 2020, after van den Oord et al., 2018.

#include "harness/nn/torch/contrastive.h"
#include "harness/nn/torch/proxy_parts.h"

#include <algorithm>
#include <cmath>

namespace sar::methods::cpc {
namespace {

constexpr double kVolumeCrop = 0.95;  // of the side; official code
constexpr double kPatchCrop = 7.0 / 8;

struct Options {
  Size3 input{};  ///< cubes are resized to this
  GridOptions grid;
  bool info_nce = true;
  int code = 1024, context = 256;  ///< widths
  int batch_size = 16;             ///< cubes per step
};

Options options_of(const Settings& settings, int base_channels) {
  Options options;
  options.input = cube_size(settings, "cpc.input_voxels");
  options.grid.cells = settings.integer("cpc.grid");
  options.grid.jitter = 0;
  const int side = options.input[0] / options.grid.cells;
  options.grid.patch = {side, side, side};
  options.info_nce = settings.text("cpc.loss") == "infonce";
  options.code = 32 * base_channels;
  options.context = 8 * base_channels;
  options.batch_size = settings.integer("pretrain.batch_size");
  static_cast<void>(contrastive_grid(options.grid.cells));  // an odd grid is said first
  if (side < kSideMultiple) {
    throw usage_error("a patch must have at least 8 voxels a side")
        .with("cpc.input_voxels", std::to_string(options.input[0]))
        .with("cpc.grid", std::to_string(options.grid.cells))
        .with("patch (voxels)", std::to_string(side));
  }
  return options;
}

int share_of(int side, double share) {
  return static_cast<int>(std::floor(side * share));
}

/// Which are the patches further along, told from those before them?
class Task : public ProxyTask {
 public:
  Task(const Options& options, int base_channels)
      : options_(options),
        plan_(contrastive_grid(options.grid.cells)),
        encode_(register_module(
            "code", torch::nn::Linear(feature_channels(base_channels, 3), options.code))),
        summarise_(register_module(
            "context",
            torch::nn::GRU(
                torch::nn::GRUOptions(options.code, options.context).batch_first(true)))) {
    std::vector<torch::Tensor> contexts;
    std::vector<torch::Tensor> targets;
    for (std::size_t column = 0; column < plan_.contexts.size(); ++column) {
      contexts.push_back(torch::tensor(plan_.contexts[column], torch::kInt64));
      targets.push_back(torch::tensor(plan_.targets[column], torch::kInt64));
    }
    contexts_ = register_buffer("context_patches", torch::stack(contexts));
    targets_ = register_buffer("target_patches", torch::stack(targets));
    for (int step = 0; step < plan_.steps(); ++step) {
      predict_.push_back(register_module("predict" + std::to_string(step + 1),
                                         torch::nn::Linear(options.context, options.code)));
    }
  }

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    std::vector<std::vector<Block>> samples;
    std::vector<std::int64_t> negatives;
    const int side = share_of(options_.input[0], kVolumeCrop);
    const int patch = share_of(options_.grid.patch[0], kPatchCrop);
    const auto columns = static_cast<std::int64_t>(batch.size()) * plan_.columns();
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      Rng rng = batch.stream(purpose::proxy, slot);
      const Block volume =
          cropped_and_padded(resized(batch.cube(slot), options_.input), {side, side, side}, rng);
      std::vector<Block> patches = cut_grid(volume, options_.grid, rng);
      for (Block& each : patches) {
        if (rng.chance(0.5)) {
          each = mirrored_x(each);
        }
        each = cropped_and_padded(each, {patch, patch, patch}, rng);
      }
      samples.push_back(std::move(patches));
      for (int column = 0; column < plan_.columns(); ++column) {
        const std::int64_t own = static_cast<std::int64_t>(slot) * plan_.columns() + column;
        const std::int64_t other = rng.between(0, static_cast<int>(columns) - 2);
        negatives.push_back(other < own ? other : other + 1);
      }
    }
    return {stack_pieces(samples), torch::tensor(negatives, torch::kInt64)};
  }

  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& /*context*/) override {
    const std::int64_t n = tensors[0].size(0);
    // Each patch is encoded once; columns share the codes.
    const torch::Tensor codes =
        encode_(pooled_features(network, tensors[0].flatten(0, 1))).reshape({n, -1, options_.code});
    const auto gathered = [&](const torch::Tensor& indices) {  // (n * columns, patches, code)
      return codes.index_select(1, indices.flatten())
          .reshape({n * plan_.columns(), indices.size(1), options_.code});
    };
    const torch::Tensor states = std::get<0>(summarise_(gathered(contexts_)));
    const torch::Tensor context = states.select(1, states.size(1) - 1);
    std::vector<torch::Tensor> steps;
    for (auto& predict : predict_) {
      steps.push_back(predict(context));
    }
    const torch::Tensor predictions = torch::stack(steps, 1).to(torch::kFloat32);
    const torch::Tensor targets = gathered(targets_).to(torch::kFloat32);
    const ContrastiveLoss result = options_.info_nce
                                       ? info_nce(predictions, targets)
                                       : paired_cross_entropy(predictions, targets, tensors[1]);
    Losses losses;
    losses.total = result.loss;
    losses.monitored = result.loss;
    losses.metrics.emplace_back("contrastive_accuracy", result.accuracy);
    return losses;
  }

  [[nodiscard]] double chance(std::string_view /*metric*/,
                              const CubeStore& /*cubes*/,
                              const std::vector<std::size_t>& /*indices*/,
                              std::size_t per_epoch) const override {
    if (!options_.info_nce) {
      return 0.5;
    }
    // Candidates of a column are all columns of its batch, and the last batch may be smaller: the
    // mean of 1 / candidates over the samples is the number of batches over the number of columns.
    const auto batch = static_cast<std::size_t>(options_.batch_size);
    const std::size_t batches = (per_epoch + batch - 1) / batch;
    return per_epoch == 0
               ? -1
               : static_cast<double>(batches) /
                     static_cast<double>(per_epoch * static_cast<std::size_t>(plan_.columns()));
  }

 private:
  Options options_;
  ContrastiveGrid plan_;
  torch::nn::Linear encode_;
  torch::nn::GRU summarise_;
  std::vector<torch::nn::Linear> predict_;  ///< one per step
  torch::Tensor contexts_, targets_;        ///< (columns, patches), buffers
};

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const int base = network.options.base_channels;
  return std::make_unique<Task>(options_of(settings, base), base);
}

std::vector<KeySpec> keys() {
  std::vector<Key> keys = optimizer_keys("cpc");
  keys.push_back(
      Key("cpc.input_voxels", 64, "side to which cubes are resized").at_least(32).gap(28));
  keys.push_back(Key("cpc.grid", 4, "patches a side; even, at least 4").between(4, 16).gap(28));
  keys.push_back(Key("cpc.loss",
                     "infonce",
                     "softmax over the batch's targets, or the official code's binary form")
                     .one_of({"infonce", "bce_repo"})
                     .gap(30));
  return specs_of(std::move(keys));
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "cpc";
  method.paper_name = "3D-CPC";
  method.summary = "tells patches further along from those of other places";
  method.citation = "Taleb et al., NeurIPS 2020";
  method.order = 50;
  method.transfer = Transfer::encoder;
  method.sections = {"cpc"};
  method.keys = keys();
  method.optimizer = [](const Settings& settings) { return chosen_optimizer(settings, "cpc"); };
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::cpc
