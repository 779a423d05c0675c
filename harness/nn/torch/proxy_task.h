#pragma once

#include "harness/core/rng.h"
#include "harness/nn/torch/unet.h"
#include "harness/volume/cube_store.h"

#include <torch/torch.h>

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace sar {

/// The samples of one batch before anything has been read: a proxy task takes from it what it
/// needs.
struct ProxyBatch {
  const CubeStore& cubes;
  const Rng& rng;  ///< of the job
  int epoch = 0;   ///< from 1; 0 is validation, which so sees the same draws every time
  std::vector<std::size_t> indices;  ///< into `cubes`

  [[nodiscard]] std::size_t size() const { return indices.size(); }
  /// Voxels in [0, 1] of one sample.
  [[nodiscard]] Block cube(std::size_t slot) const { return cubes.cube(indices[slot]); }
  /// The random stream of one sample for one purpose (purpose::transform, purpose::proxy).
  [[nodiscard]] Rng stream(std::string_view purpose, std::size_t slot) const {
    return rng.at(purpose, {static_cast<std::uint64_t>(epoch), indices[slot]});
  }
  [[nodiscard]] torch::Tensor scales() const;      ///< class 0..2 (small, medium, large), int64 (n)
  [[nodiscard]] torch::Tensor modalities() const;  ///< 1 = CT, 0 = MRI, float32 (n)
};

/// Where training stands, and what a task may ask of the trainer besides the joint step.
struct StepContext {
  bool training = false;
  double progress = 0;  ///< share of the planned steps that is done, in [0, 1)
  /// One optimiser step on a loss of the task's own heads alone, at once. Training only.
  std::function<void(const torch::Tensor& loss)> update_heads;
};

/// What a batch gave. All tensors are scalars on the network's device.
struct Losses {
  torch::Tensor total;      ///< what the optimiser descends
  torch::Tensor monitored;  ///< what the loss curve shows and the schedule watches
  std::vector<std::pair<std::string, torch::Tensor>> metrics;  ///< means over the batch
};

/// Parameters that share a learning rate.
struct ParameterGroup {
  std::vector<torch::Tensor> parameters;
  double learning_rate = 0;
};

/// What a method trains the network on. It owns its heads (as submodules, so that they are trained,
/// moved and kept in checkpoints) and not the network, and it may use the encoder alone. The
/// trainer opens a random stream of its own while a method makes its task: the heads' initial
/// weights depend on the seed only, and dropout on the seed, epoch and step only.
class ProxyTask : public torch::nn::Module {
 public:
  /// Reads and transforms a batch: CPU tensors for `losses`. Its time counts as waiting for data.
  /// Every draw must come from `batch.stream`.
  [[nodiscard]] virtual std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const = 0;

  /// Forward pass and losses; the tensors of `prepare` have been moved to the network's device.
  /// Modules are in training mode if and only if `context.training`.
  [[nodiscard]] virtual Losses losses(Network& network,
                                      const std::vector<torch::Tensor>& tensors,
                                      const StepContext& context) = 0;

  /// Its parameters with their initial learning rates; by default all at the network's.
  [[nodiscard]] virtual std::vector<ParameterGroup> parameter_groups(double network_rate) const {
    return {{parameters(), network_rate}};
  }

  /// Value of a metric that guessing reaches on the given cubes, of which each epoch takes
  /// `per_epoch` in batches; -1 if it has no meaning.
  [[nodiscard]] virtual double chance(std::string_view /*metric*/,
                                      const CubeStore& /*cubes*/,
                                      const std::vector<std::size_t>& /*indices*/,
                                      std::size_t /*per_epoch*/) const {
    return -1;
  }

  /// Tensors that say what the task's classes mean; kept with the network's weights as
  /// "proxy.<name>".
  [[nodiscard]] virtual TensorMap record() const { return {}; }

  /// A sentence for the user if an epoch's training metrics show trouble; empty otherwise.
  [[nodiscard]] virtual std::string warning(
      const std::map<std::string, double>& /*metrics*/) const {
    return {};
  }
};

}  // namespace sar
