#pragma once

#include "harness/nn/schedule.h"
#include "harness/nn/torch/proxy_task.h"
#include "harness/nn/training.h"

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sar {

/// CPU tensors of one batch.
struct Batch {
  std::vector<torch::Tensor> tensors;
  std::int64_t samples = 0;
};

/// What differs between pre-training and fine-tuning. Every batch is a function of its arguments
/// alone.
class StageWork {
 public:
  virtual ~StageWork() = default;
  [[nodiscard]] virtual Batch training_batch(int epoch, std::int64_t step) = 0;
  [[nodiscard]] virtual Batch validation_batch(std::int64_t index) = 0;
  [[nodiscard]] virtual Losses losses(const std::vector<torch::Tensor>& tensors,
                                      const StepContext& context) = 0;
  [[nodiscard]] virtual double chance(std::string_view /*metric*/, bool /*training*/) const {
    return -1;
  }
  [[nodiscard]] virtual std::string warning(
      const std::map<std::string, double>& /*metrics*/) const {
    return {};
  }
};

/// The numbers and names of a stage.
struct StagePlan {
  std::string name;  ///< "pre-training" or "fine-tuning", for messages
  Json job;  ///< all that decides the stage's numbers; a checkpoint with another job is ignored
  std::uint64_t seed = 0;
  int max_epochs = 1;
  int patience = 1;  ///< epochs without a lower validation loss before stopping
  std::int64_t steps_per_epoch = 1;
  /// 0: the last weights are kept, and only a cosine moves the learning rates.
  std::int64_t validation_batches = 0;
  PlateauSchedule::Options schedule;
  bool keep_last = false;  ///< the last weights are kept although there is a validation
  bool cosine = false;     ///< learning rates fall along a cosine instead, step by step
  double clip_norm = 0;
  double checkpoint_seconds = 60;
  Compute compute;
  std::filesystem::path checkpoint;
  std::filesystem::path weights;
};

/// Trains `network` (and `heads`, if any, which must be trained by the same optimiser) until the
/// epochs are used up or the validation loss stays up, with checkpoints, resume and loss rows as
/// harness/nn/training.h promises. The first parameter group of `optimizer` is the network's.
StageResult run_stage(const StagePlan& plan,
                      StageWork& work,
                      Network& network,
                      torch::nn::Module* heads,
                      torch::optim::Optimizer& optimizer,
                      const StageEvents& events);

/// SGD or Adam of `optimizer.*` for pre-training; the network's group comes first.
std::unique_ptr<torch::optim::Optimizer> make_optimizer(const std::string& name,
                                                        const std::vector<ParameterGroup>& groups,
                                                        double momentum,
                                                        double weight_decay);

}  // namespace sar
