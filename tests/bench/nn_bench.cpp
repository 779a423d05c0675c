// Speed of training and prediction on one CPU thread, against the float32 FMA peak measured in the
// same run. fraction_of_peak counts the FLOPs of all 27 taps of every convolution (1 MAC = 2 FLOP,
// backward = twice forward) over the process's own CPU time; bf16 can exceed 1. Run alone for wall
// times that mean something.

#include "harness/config/core_keys.h"
#include "harness/core/files.h"
#include "harness/nn/torch/stage.h"
#include "harness/volume/cube_store.h"

#include <benchmark/benchmark.h>
#include <immintrin.h>
#include <malloc.h>
#include <torch/torch.h>

#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

namespace sar::nn_bench {

double cpu_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

constexpr int kChains =
    12;  // independent sums: at least latency times ports, and they fit 16 registers
constexpr std::int64_t kRounds = 20'000'000;

__attribute__((target("avx512f"))) float chains_avx512() {
  __m512 sums[kChains];
  for (int i = 0; i < kChains; ++i) {
    sums[i] = _mm512_set1_ps(static_cast<float>(i));
  }
  const __m512 scale = _mm512_set1_ps(0.999F);
  for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12  // keeps the sums in registers
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm512_fmadd_ps(sums[i], scale, scale);
    }
  }
  for (int i = 1; i < kChains; ++i) {
    sums[0] = _mm512_add_ps(sums[0], sums[i]);
  }
  return _mm512_cvtss_f32(sums[0]);
}

__attribute__((target("avx2,fma"))) float chains_avx2() {
  __m256 sums[kChains];
  for (int i = 0; i < kChains; ++i) {
    sums[i] = _mm256_set1_ps(static_cast<float>(i));
  }
  const __m256 scale = _mm256_set1_ps(0.999F);
  for (std::int64_t round = 0; round < kRounds; ++round) {
#pragma GCC unroll 12
    for (int i = 0; i < kChains; ++i) {
      sums[i] = _mm256_fmadd_ps(sums[i], scale, scale);
    }
  }
  for (int i = 1; i < kChains; ++i) {
    sums[0] = _mm256_add_ps(sums[0], sums[i]);
  }
  return _mm256_cvtss_f32(sums[0]);
}

/// Float32 FLOP/s of one core: the best of five runs of independent fused multiply-adds.
double fma_peak() {
  static const double peak = [] {
    const bool wide = __builtin_cpu_supports("avx512f") > 0;
    const double flops = 2.0 * kChains * static_cast<double>(kRounds) * (wide ? 16 : 8);
    double best = 0;
    for (int run = 0; run < 5; ++run) {
      const double start = cpu_seconds();
      benchmark::DoNotOptimize(wide ? chains_avx512() : chains_avx2());
      best = std::max(best, flops / (cpu_seconds() - start));
    }
    return best;
  }();
  return peak;
}

/// Counters from the process's CPU time over the timed loop that began at `start`.
void count_flops(benchmark::State& state, double start, double flops, double samples) {
  const double iterations = static_cast<double>(state.iterations()) / (cpu_seconds() - start);
  state.counters["fraction_of_peak"] = flops * iterations / fma_peak();
  state.counters["GFLOP/s"] = 1e-9 * flops * iterations;
  state.counters["samples/s"] = samples * iterations;
}

Settings settings_of(int base, const Size3& patch) {
  MethodRegistry registry;
  methods::register_all(registry);
  Schema schema = core_schema();
  for (const Method& method : registry.all()) {
    for (const KeySpec& key : method.keys) {
      schema.add(key);
    }
  }
  Settings settings(schema);
  settings.set(schema, "network.base_channels", base, "benchmark");
  settings.set(schema, "finetune.patch_voxels", Json(patch), "benchmark");
  return settings;
}

/// Forward, losses, backward and SGD of one batch of training pairs that are already made.
void training_step(benchmark::State& state,
                   const char* method_id,
                   int base,
                   const char* precision,
                   Size3 patch,
                   int batch) {
  Compute compute;
  compute.precision = precision;
  configure_compute(compute);
  const Settings settings = settings_of(base, patch);
  MethodRegistry registry;
  methods::register_all(registry);
  Network network(unet_options(settings, 1), Rng(1));
  const auto task = registry.at(method_id).make_task(settings, network);
  std::vector<ParameterGroup> groups{{network.parameters(), 1.0}};
  for (auto& group : task->parameter_groups(1.0)) {
    if (!group.parameters.empty()) {
      groups.push_back(std::move(group));
    }
  }
  const auto optimizer = make_optimizer("sgd", groups, 0.9, 0);
  const std::vector<torch::Tensor> tensors{torch::rand({batch, 1, patch[2], patch[1], patch[0]}),
                                           torch::rand({batch, 1, patch[2], patch[1], patch[0]}),
                                           torch::arange(batch) % 3,
                                           (torch::arange(batch) % 2).to(torch::kFloat32)};
  StepContext context;
  context.training = true;
  const auto step = [&] {
    const Losses losses = [&] {
      const AutocastScope autocast(compute.precision == "bf16", torch::kCPU);
      return task->losses(network, tensors, context);
    }();
    losses.total.backward();
    optimizer->step();
    for (auto& group : groups) {
      for (auto& parameter : group.parameters) {
        parameter.mutable_grad() = torch::Tensor();
      }
    }
    return losses.monitored.item<double>();
  };
  if (!std::isfinite(step())) {  // also warms up
    state.SkipWithError("the loss is not finite");
    return;
  }
  const double start = cpu_seconds();
  for (auto _ : state) {
    benchmark::DoNotOptimize(step());
  }
  const double macs = static_cast<double>(forward_macs(network.options, patch));
  count_flops(state, start, 3 * 2 * macs * batch, batch);
}

constexpr Size3 kSmall{32, 32, 16};
constexpr Size3 kFull{64, 64, 32};
#define SAR_TRAINING_STEP(name, ...) \
  BENCHMARK_CAPTURE(training_step, name, __VA_ARGS__)->Unit(benchmark::kMillisecond)
SAR_TRAINING_STEP(genesis_base8_32x32x16_fp32, "genesis", 8, "fp32", kSmall, 8);
SAR_TRAINING_STEP(genesis_base8_32x32x16_bf16, "genesis", 8, "bf16", kSmall, 8);
SAR_TRAINING_STEP(genesis_base8_64x64x32_fp32, "genesis", 8, "fp32", kFull, 4);
SAR_TRAINING_STEP(genesis_base8_64x64x32_bf16, "genesis", 8, "bf16", kFull, 4);
SAR_TRAINING_STEP(genesis_base16_32x32x16_fp32, "genesis", 16, "fp32", kSmall, 8);
SAR_TRAINING_STEP(genesis_base16_32x32x16_bf16, "genesis", 16, "bf16", kSmall, 8);
SAR_TRAINING_STEP(genesis_base32_32x32x16_fp32, "genesis", 32, "fp32", kSmall, 4);
SAR_TRAINING_STEP(genesis_base32_32x32x16_bf16, "genesis", 32, "bf16", kSmall, 4);
SAR_TRAINING_STEP(sar_base8_32x32x16_fp32, "sar", 8, "fp32", kSmall, 8);
#undef SAR_TRAINING_STEP

/// Prediction of a volume of 2x2x2 patches.
void prediction(
    benchmark::State& state, int base, const char* precision, Size3 patch, const char* mode) {
  Settings settings = settings_of(base, patch);
  settings.set(core_schema(), "evaluate.mode", mode, "benchmark");
  const TemporaryFolder folder;
  const auto path = folder.path() / "weights.pt";
  const Network network(unet_options(settings, 1), Rng(1));
  write_tensors(path, named_tensors(network));
  Compute compute;
  compute.precision = precision;
  const Predictor predictor(settings, 1, path, compute);
  Volume image;
  image.geometry.size = {2 * patch[0], 2 * patch[1], 2 * patch[2]};
  image.voxels.resize(count_voxels(image.geometry.size));
  Rng rng(1);
  for (float& voxel : image.voxels) {
    voxel = rng.uniform_float();
  }
  const std::vector<Block> probabilities = predictor.probabilities(image);
  for (const float value : probabilities.at(0).values) {
    if (!(value >= 0 && value <= 1)) {
      state.SkipWithError("a probability outside [0, 1]");
      return;
    }
  }
  const double start = cpu_seconds();
  for (auto _ : state) {
    benchmark::DoNotOptimize(predictor.probabilities(image));
  }
  const double patches =
      std::string(mode) == "whole" ? 8 : 27;  // half-overlapping: 3 starts per axis
  const double macs = static_cast<double>(forward_macs(network.options, patch));
  count_flops(state, start, 2 * macs * patches, patches);
}

#define SAR_PREDICTION(name, ...) \
  BENCHMARK_CAPTURE(prediction, name, __VA_ARGS__)->Unit(benchmark::kMillisecond)
SAR_PREDICTION(windows_base8_32x32x16_fp32, 8, "fp32", kSmall, "windows");
SAR_PREDICTION(windows_base8_32x32x16_bf16, 8, "bf16", kSmall, "windows");
SAR_PREDICTION(whole_base8_32x32x16_fp32, 8, "fp32", kSmall, "whole");
#undef SAR_PREDICTION

}  // namespace sar::nn_bench

int main(int argc, char** argv) {
  // As in the worker: memory stays with the process, because fresh pages cost more than a
  // convolution.
  mallopt(M_MMAP_THRESHOLD, 2'000'000'000);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 1;
  }
  std::fprintf(
      stderr, "float32 FMA peak of one core: %.1f GFLOP/s\n", sar::nn_bench::fma_peak() * 1e-9);
  benchmark::RunSpecifiedBenchmarks();
  return 0;
}
