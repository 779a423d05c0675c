// What only a GPU can show. Without one each test says so and passes.

#include "tests/nn/support.h"

#include <iostream>

namespace sar::cuda_test {
using nn_test::Changes;
using nn_test::Cubes;
using nn_test::error_of;
using nn_test::Recorder;
using nn_test::registry;
using nn_test::same_tensors;
using nn_test::small_settings;

bool no_gpu() {
  if (torch::cuda::is_available()) {
    return false;
  }
  WARN("not tested: this machine has no CUDA device, or LibTorch was built without CUDA");
  return true;
}

Recorder pretrained(const Cubes& cubes,
                    const Method& method,
                    const Settings& settings,
                    const std::string& device,
                    const std::string& precision,
                    const std::string& name) {
  PretrainJob job = cubes.job(method, settings, name);
  job.compute.device = device;
  job.compute.precision = precision;
  Recorder recorder;
  pretrain(job, recorder.events());
  return recorder;
}

TEST_CASE("on a GPU the network computes what it computes on the CPU", "[cuda]") {
  if (no_gpu()) {
    return;
  }
  const Settings settings = small_settings({{"network.base_channels", 8}});
  configure_compute({"cuda", "fp32", 1});
  const auto run = [&](const torch::Device& device) {
    Network network(unet_options(settings, 1), Rng(4));
    network.to(device);
    const torch::Tensor input = tensor_of(std::vector<Block>{
        nn_test::patterned_block({32, 32, 16}, 1), nn_test::patterned_block({32, 32, 16}, 2)});
    const torch::Tensor output = network.forward(input.to(device));
    output.pow(2).mean().backward();
    std::vector<torch::Tensor> tensors{output.detach().cpu()};
    for (const auto& parameter : network.parameters()) {
      tensors.push_back(parameter.grad().cpu());
    }
    return tensors;
  };
  const auto cpu = run(torch::kCPU);
  const auto gpu = run(torch::Device(torch::kCUDA, 0));
  REQUIRE(cpu.size() == gpu.size());
  // Tolerance: float32 sums of up to 10^5 terms in another order, relative to the largest entry.
  for (std::size_t i = 0; i < cpu.size(); ++i) {
    const double scale = cpu[i].abs().max().item<double>();
    const double difference = (cpu[i] - gpu[i]).abs().max().item<double>();
    INFO("tensor " << i << ", largest entry " << scale);
    CHECK(difference <= 2e-3 * scale + 1e-7);
  }
}

TEST_CASE("every method's first training loss on a GPU equals the CPU's", "[cuda]") {
  if (no_gpu()) {
    return;
  }
  const Cubes cubes(14, {32, 32, 16});
  const Settings settings = small_settings({{"cubes.shape_voxels", {32, 32, 16}}});
  for (const Method& method : registry().all()) {
    if (!method.make_task) {
      continue;
    }
    INFO(method.id);
    const auto cpu = pretrained(cubes, method, settings, "cpu", "fp32", method.id + "-cpu");
    const auto gpu = pretrained(cubes, method, settings, "cuda", "fp32", method.id + "-gpu");
    REQUIRE(cpu.losses.size() == gpu.losses.size());
    CHECK(gpu.losses[0][3] == Approx(cpu.losses[0][3]).epsilon(1e-3));
    for (const std::string precision : {"tf32", "bf16"}) {
      INFO(precision);
      const auto fast =
          pretrained(cubes, method, settings, "cuda", precision, method.id + precision);
      CHECK(fast.losses[0][3] == Approx(cpu.losses[0][3]).epsilon(0.03));
    }
  }
}

TEST_CASE("an interrupted pre-training goes on on a GPU", "[cuda]") {
  if (no_gpu()) {
    return;
  }
  const Cubes cubes;
  const Settings settings = small_settings();
  const auto run = [&](Recorder& recorder, const std::string& name) {
    PretrainJob job = cubes.job(registry().at("sar"), settings, name);
    job.compute.device = "cuda";
    pretrain(job, recorder.events());
    return job.weights;
  };
  Recorder whole;
  const auto expected = read_tensors(run(whole, "whole"));
  Recorder first;
  first.steps_until_stop = 5;
  REQUIRE(error_of([&] { run(first, "stopped"); }).code() == ExitCode::interrupted);
  Recorder second;
  const auto resumed = read_tensors(run(second, "stopped"));
  REQUIRE(second.losses.size() == whole.losses.size());
  for (std::size_t i = 0; i < whole.losses.size(); ++i) {
    CHECK(second.losses[i][3] == Approx(whole.losses[i][3]).epsilon(1e-2));
  }
  Recorder again;
  const auto repeated = read_tensors(run(again, "again"));
  // CUDA promises no bits; what this GPU did is worth knowing, and is no failure.
  std::cout << "on this GPU a repeated run gave "
            << (same_tensors(expected, repeated) ? "" : "not ") << "the same bits, a resumed one "
            << (same_tensors(expected, resumed) ? "" : "not ") << "the same bits\n";
}

}  // namespace sar::cuda_test
