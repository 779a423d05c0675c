#pragma once

#include "harness/config/settings.h"
#include "harness/nn/method.h"
#include "harness/volume/cube_store.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sar {

/// Raised by hand whenever a change of code moves numbers; part of every content key.
inline constexpr int kNumericsVersion = 1;

/// One point of a loss curve.
struct LossRow {
  std::int64_t step = 0;  ///< optimiser steps so far
  int epoch = 0;          ///< from 1
  std::string split;      ///< train (one row a step) | val (one row an epoch)
  double loss =
      0;  ///< pre-training: beta L_res + alpha L_scale (the monitored loss), or the proxy loss
  double learning_rate = 0;  ///< of the network's parameter group
  double seconds = 0;        ///< training time since the start of the stage, over all resumes
};

/// A proxy metric of one epoch, e.g. scale accuracy or the adversary's cross-entropy.
struct MetricRow {
  int epoch = 0;
  std::string split;  ///< train | val
  std::string
      name;  ///< "restoration_mse", "scale_accuracy", "modality_accuracy", "modality_cross_entropy"
  double value = 0;
  double chance = -1;  ///< value of guessing, or -1 if it has no meaning for this metric
};

/// What the caller sees while a stage runs. `stop` is asked at every step; when it answers true the
/// stage writes a checkpoint and throws Error 75. `rows` is called once an epoch with that epoch's
/// rows, after the checkpoint that holds them is on disk; a resumed stage first repeats the rows of
/// its checkpoint.
struct StageEvents {
  std::function<void(const std::vector<LossRow>&, const std::vector<MetricRow>&)> rows;
  std::function<void(std::int64_t done, std::int64_t total)> progress;
  std::function<bool()> stop;
  std::function<void(const std::string&)> warn;
};

/// Where and how a stage computes.
struct Compute {
  std::string device = "cpu";      ///< cpu | cuda | cuda:1
  std::string precision = "fp32";  ///< fp32 | tf32 | bf16 (autocast)
  int threads = 1;
};
/// Why the processor of this machine is refused for bfloat16; empty if it is not. LibTorch has fast
/// bfloat16 convolutions on a CPU through oneDNN alone, which has them for some processors only:
/// for those with AVX-512 BW, DQ and VL under LibTorch 1.13, and newer versions are asked.
/// Elsewhere LibTorch would fall back on loops that are slower than float32 and sum in bfloat16.
/// One small convolution is tried as well, since the environment can keep oneDNN from what the
/// processor has (DNNL_MAX_CPU_ISA, ONEDNN_MAX_CPU_ISA). The answer is found once for each process.
const std::string& bfloat16_obstacle();

/// Whether the device computes in bfloat16 by instructions of its own (AMX-BF16 or AVX512-BF16; a
/// GPU of compute capability 8), so that it is faster than float32 and not merely possible. Throws
/// Error 2 if the device is not there.
bool has_fast_bfloat16(const std::string& device);

/// Sets threads, precision flags and determinism for this process. Throws Error 2 if the device is
/// not there, or for bfloat16 on a CPU that is refused for it.
void configure_compute(const Compute& compute);

/// What LibTorch says about itself and this machine.
struct ComputeEnvironment {
  std::string torch;                 ///< version: "1.13.1"
  std::vector<std::string> devices;  ///< "cpu", "cuda:0", ...
  int threads = 1;                   ///< of this process
  bool deterministic = false;        ///< on the device asked for; CUDA is for some kernels only
  bool onednn = false;
  std::string build;  ///< how LibTorch was built; several lines
};
ComputeEnvironment compute_environment(const Compute& compute);

/// Multiply-accumulates of one forward pass over a patch: V (908.875 b^2 + 29 b) for V voxels, b
/// base channels, one class and transposed convolutions. A training sample costs about three times
/// as many.
std::int64_t network_macs(const Settings& settings, const Size3& patch, int classes);

struct StageResult {
  std::filesystem::path weights;  ///< file with the best epoch's weights
  std::int64_t steps = 0;
  std::int64_t samples = 0;  ///< cubes or patches that the steps were made with
  /// Of the steps' convolutions and matrix products, forward and backward; empty if a version that
  /// did not count has made some of them.
  std::optional<double> flops;
  int epochs = 0;
  int best_epoch = 0;
  double seconds = 0;  ///< training time over all resumes
  double samples_per_second = 0;
  double data_wait_fraction = 0;  ///< share of the time spent waiting for training pairs
  double peak_gpu_mb = 0;
};

/// Makes the proxy task of a method once, on the narrowest network. Throws Error 2 for keys that
/// contradict each other. `resolved`: every key with its value.
void check_pretraining(const Method& method, Json resolved);

/// Pre-trains a method's network on cubes. Order, transforms, initial weights: keyed by `seed`,
/// equal for all methods. Writes `checkpoint` (all that a resume needs: weights, buffers,
/// optimiser, schedule, best weights, rows so far, epoch) every epoch and `weights` at the end,
/// atomically; a present checkpoint of the same job is resumed bit for bit. A non-finite loss
/// throws Error 70 whose message starts with "diverged".
struct PretrainJob {
  const Method* method = nullptr;
  const Settings* settings = nullptr;
  std::uint64_t seed = 0;
  const CubeStore* cubes = nullptr;
  std::vector<std::size_t> train;  ///< indices into `cubes`
  std::vector<std::size_t> validation;
  std::filesystem::path checkpoint;
  std::filesystem::path weights;
  Compute compute;
};
StageResult pretrain(const PretrainJob& job, const StageEvents& events);

/// A case on the training grid.
struct TaskCase {
  std::string id;
  std::shared_ptr<const Volume> image;
  std::shared_ptr<const LabelMap> label;
};
using LoadCase = std::function<TaskCase(const std::string& id)>;

/// Fine-tunes all layers with Adam and a Dice loss. `initial_weights` is a file written by
/// `pretrain`, or empty for Scratch. Encoder, decoder and head start from the same seeded values
/// for every method before transfer. `steps_per_epoch` is decided by the caller (equal for all
/// methods and fractions).
struct FinetuneJob {
  const Settings* settings = nullptr;
  std::string task;  ///< brats | pancreas
  int classes = 1;   ///< output channels: 1 = sigmoid, 3 = softmax
  Transfer transfer = Transfer::none;
  std::filesystem::path initial_weights;
  std::uint64_t seed = 0;
  std::vector<std::string> train;
  std::vector<std::string>
      validation;  ///< may be empty: then a constant learning rate and the last weights
  int steps_per_epoch = 1;
  LoadCase load;
  std::filesystem::path checkpoint;
  std::filesystem::path weights;
  Compute compute;
};
StageResult finetune(const FinetuneJob& job, const StageEvents& events);

/// A trained network for inference.
class Predictor {
 public:
  Predictor(const Settings& settings,
            int classes,
            const std::filesystem::path& weights,
            const Compute& compute);
  ~Predictor();
  Predictor(Predictor&&) noexcept;
  Predictor& operator=(Predictor&&) noexcept;
  /// Sliding-window probabilities on the image's grid, one block per output channel
  /// (`evaluate.step`, `evaluate.gaussian`, `evaluate.mode`); one channel: probability of
  /// foreground; three: softmax.
  [[nodiscard]] std::vector<Block> probabilities(const Volume& image) const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace sar
