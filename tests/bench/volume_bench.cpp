// Speed of preparing volumes and training pairs on one core. Each benchmark checks its answer on
// the very data that it then times.
//
//   ninja sar_bench_volume && bin/sar_bench_volume
//
// Memory is kept by the allocator, as in the worker process; otherwise page faults dominate.

#include "harness/core/rng.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/resample.h"
#include "harness/volume/transforms.h"

#include <benchmark/benchmark.h>
#include <malloc.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace {

using sar::Block;
using sar::Box;
using sar::Rng;
using sar::Size3;
using sar::Volume;

constexpr Size3 kPaperCube{64, 64, 32};

double ramp(double x, double y, double z) {
  return x + 2 * y + 3 * z - 1000;
}

/// All interpolations, and the symmetric Gaussian before them, reproduce a ramp away from the
/// border.
Volume ramp_volume(const Size3& size) {
  Volume volume;
  volume.geometry.size = size;
  volume.voxels.reserve(sar::count_voxels(size));
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        volume.voxels.push_back(static_cast<float>(ramp(x, y, z)));
      }
    }
  }
  return volume;
}

/// Compares the middle half of a resampled ramp. 0.01 is 5e-6 of the largest value.
bool is_ramp(const std::vector<float>& values, const Size3& size, const Box& box) {
  const auto at = [&](std::size_t axis, int i) {
    return box.origin[axis] + (i + 0.5) * box.size[axis] / size[axis] - 0.5;
  };
  for (int z = size[2] / 4; z < 3 * size[2] / 4; ++z) {
    for (int y = size[1] / 4; y < 3 * size[1] / 4; ++y) {
      for (int x = size[0] / 4; x < 3 * size[0] / 4; ++x) {
        const auto i = static_cast<std::size_t>((z * size[1] + y) * size[0] + x);
        if (std::abs(static_cast<double>(values[i]) - ramp(at(0, x), at(1, y), at(2, z))) > 0.01) {
          return false;
        }
      }
    }
  }
  return true;
}

/// A CT of 512x512x130 voxels of 0.7x0.7x2.5 mm to 1 mm.
void resample_ct(benchmark::State& state, bool cubic) {
  Volume volume = ramp_volume({512, 512, 130});
  volume.geometry.spacing_mm = {0.7, 0.7, 2.5};
  const Size3 size = sar::resampled_size(volume.geometry, {1, 1, 1});
  const auto resample = cubic ? sar::resample_cubic : sar::resample_linear;
  if (!is_ramp(resample(volume, size).voxels, size, {{0, 0, 0}, volume.geometry.size})) {
    state.SkipWithError("wrong values");
    return;
  }
  for (auto _ : state) {
    benchmark::DoNotOptimize(resample(volume, size).voxels.data());
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(sar::count_voxels(size)));
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(volume.voxels.size() * sizeof(float)));
}
BENCHMARK_CAPTURE(resample_ct, cubic, true)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(resample_ct, linear, false)->Unit(benchmark::kMillisecond);

/// A cube of each scale from a brain scan of 240x240x155 voxels; boxes wander so that caches do not
/// hold them all.
void crop_and_resize(benchmark::State& state, const sar::ResizeOptions& options) {
  const Volume volume = ramp_volume({240, 240, 155});
  const auto scale = sar::kScales[static_cast<std::size_t>(state.range(0))];
  Box box;
  box.size = sar::box_size(volume.geometry.size, scale, {});
  box.origin = {7, 5, 3};
  if (!is_ramp(sar::crop_and_resize(volume, box, kPaperCube, options).values, kPaperCube, box)) {
    state.SkipWithError("wrong values");
    return;
  }
  Rng rng(1);
  for (auto _ : state) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      box.origin[axis] = rng.between(0, volume.geometry.size[axis] - box.size[axis]);
    }
    benchmark::DoNotOptimize(sar::crop_and_resize(volume, box, kPaperCube, options).values.data());
  }
  state.SetLabel(std::string(sar::name_of(scale)) + " " + sar::to_string(box.size));
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(sar::count_voxels(box.size) * sizeof(float)));
}
BENCHMARK_CAPTURE(crop_and_resize, linear, {false, false})
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(crop_and_resize, linear_antialias, {false, true})
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(crop_and_resize, cubic, {true, false})
    ->DenseRange(0, 2)
    ->Unit(benchmark::kMicrosecond);

/// Every voxel holds its own index / 2^24, exact in single precision.
Block index_block(const Size3& size) {
  Block block{size, std::vector<float>(sar::count_voxels(size))};
  for (std::size_t i = 0; i < block.values.size(); ++i) {
    block.values[i] = static_cast<float>(i) * 0x1.0p-24F;
  }
  return block;
}

bool same_voxels(const Block& before, const Block& after) {
  std::vector<float> sorted = after.values;
  std::sort(sorted.begin(), sorted.end());
  return before.values == sorted;
}

/// Every value comes from a place at most one window (6 x 6 x 3 voxels) away, and most have moved.
bool is_shuffled(const Block& before, const Block& after) {
  std::size_t moved = 0;
  for (std::size_t i = 0; i < after.values.size(); ++i) {
    const int to = static_cast<int>(i);
    const int from = static_cast<int>(after.values[i] * 0x1.0p24F);
    if (std::abs(from % 64 - to % 64) > 5 || std::abs(from / 64 % 64 - to / 64 % 64) > 5 ||
        std::abs(from / 4096 - to / 4096) > 2) {
      return false;
    }
    moved += after.values[i] != before.values[i] ? 1U : 0U;
  }
  return moved > after.values.size() / 2;
}

/// Noise or one of the values that were there, and some of each.
bool is_painted(const Block& before, const Block& after) {
  std::size_t same = 0;
  bool in_range = true;
  for (std::size_t i = 0; i < after.values.size(); ++i) {
    same += after.values[i] == before.values[i] ? 1U : 0U;
    in_range &= after.values[i] >= 0 && after.values[i] < 1;
  }
  return in_range && same > 0 && same < after.values.size();
}

/// Order of voxels is kept or reversed.
bool is_monotone(const Block&, const Block& after) {
  return std::is_sorted(after.values.begin(), after.values.end()) ||
         std::is_sorted(after.values.rbegin(), after.values.rend());
}

void transform(benchmark::State& state,
               const std::function<void(Block&, Rng&)>& apply,
               bool (*check)(const Block&, const Block&)) {
  const Block before = index_block(kPaperCube);
  Block after = before;
  Rng rng = Rng(3).at(sar::purpose::transform, {1});
  apply(after, rng);
  if (!check(before, after)) {
    state.SkipWithError("wrong values");
    return;
  }
  for (auto _ : state) {
    apply(after, rng);
    benchmark::DoNotOptimize(after.values.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(after.values.size() * sizeof(float)));
}
BENCHMARK_CAPTURE(
    transform, flip_xyz, [](Block& b, Rng&) { sar::flip(b, true, true, true); }, same_voxels)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(
    transform,
    shuffle_10000,
    [](Block& b, Rng& r) { sar::local_shuffle(b, 10000, r); },
    is_shuffled)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(
    transform, nonlinear, [](Block& b, Rng& r) { sar::nonlinear(b, 1000, r); }, is_monotone)
    ->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(transform, inpaint, sar::inpaint, is_painted)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(transform, outpaint, sar::outpaint, is_painted)->Unit(benchmark::kMicrosecond);

/// The transforms of one sample at the default rates, and with all of them on.
void restoration_pair(benchmark::State& state, bool all) {
  const Block cube = index_block(kPaperCube);
  sar::TransformOptions options;
  if (all) {
    options.flip_rate = options.local_shuffle_rate = options.nonlinear_rate = options.paint_rate =
        1;
  }
  const Rng rng(5);
  const sar::RestorationPair a = make_restoration_pair(cube, options, rng);
  const sar::RestorationPair b = make_restoration_pair(cube, options, rng);
  if (a.input.values != b.input.values || !same_voxels(cube, a.target)) {
    state.SkipWithError("wrong values");
    return;
  }
  std::uint64_t sample = 0;
  for (auto _ : state) {
    const sar::RestorationPair pair =
        make_restoration_pair(cube, options, rng.at(sar::purpose::transform, {sample++}));
    benchmark::DoNotOptimize(pair.input.values.data());
  }
  state.SetItemsProcessed(state.iterations());
  state.SetBytesProcessed(state.iterations() *
                          static_cast<std::int64_t>(2 * cube.values.size() * sizeof(float)));
}
BENCHMARK_CAPTURE(restoration_pair, default_rates, false)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(restoration_pair, all_steps, true)->Unit(benchmark::kMicrosecond);

/// Crop, resize and transforms of one sample; scales occur as often as in the paper (2:1:1).
void training_pair(benchmark::State& state) {
  Volume volume = ramp_volume({240, 240, 155});
  for (float& voxel : volume.voxels) {
    voxel = (voxel + 1000) / 2000;
  }
  const sar::CubeOptions cubes;
  const sar::TransformOptions options;
  const Rng rng(7);
  const auto draw = [&](std::uint64_t sample) {
    constexpr std::array<sar::Scale, 4> mix{
        sar::Scale::small, sar::Scale::medium, sar::Scale::small, sar::Scale::large};
    const sar::Cube cube =
        sar::draw_cube(volume, mix[sample % 4], cubes, rng.at(sar::purpose::cube, {sample}));
    return make_restoration_pair(cube.block, options, rng.at(sar::purpose::transform, {sample}));
  };
  if (draw(0).input.values != draw(0).input.values ||
      draw(0).target.values.size() != sar::count_voxels(kPaperCube)) {
    state.SkipWithError("wrong values");
    return;
  }
  std::uint64_t sample = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(draw(sample++).input.values.data());
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(training_pair)->Unit(benchmark::kMicrosecond);

}  // namespace

int main(int argc, char** argv) {
  mallopt(M_MMAP_THRESHOLD, 2'000'000'000);
  mallopt(M_TRIM_THRESHOLD, -1);
  mallopt(M_TOP_PAD, 64 << 20);
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) {
    return 2;
  }
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
