#include "harness/nn/torch/runtime.h"

#include "harness/core/files.h"

#include <ATen/autocast_mode.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/detail/CUDAHooksInterface.h>
#include <fmt/format.h>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include <cstdlib>
#include <cstring>
#include <utility>

// The autocast functions took their present form, with the device as argument, in LibTorch 2.4.
#define SAR_TORCH_AT_LEAST(major, minor) \
  (TORCH_VERSION_MAJOR > (major) ||      \
   (TORCH_VERSION_MAJOR == (major) && TORCH_VERSION_MINOR >= (minor)))

namespace sar {
namespace runtime_detail {

/// LibTorch counts devices in types that differ between versions.
int count_cuda_devices() {
  return torch::cuda::is_available() ? static_cast<int>(torch::cuda::device_count()) : 0;
}

void set_autocast(torch::Device device, bool enabled) {
#if SAR_TORCH_AT_LEAST(2, 4)
  at::autocast::set_autocast_dtype(device.type(), torch::kBFloat16);
  at::autocast::set_autocast_enabled(device.type(), enabled);
#else
  if (device.is_cuda()) {
    at::autocast::set_autocast_gpu_dtype(torch::kBFloat16);
    at::autocast::set_enabled(enabled);
  } else {
    at::autocast::set_autocast_cpu_dtype(torch::kBFloat16);
    at::autocast::set_cpu_enabled(enabled);
  }
#endif
}

/// Whether LibTorch hands bfloat16 to oneDNN on this processor. Versions that can tell are asked;
/// for the others this is the condition in their own source (mkldnn_bf16_device_check).
bool hands_bfloat16_to_onednn() {
  const auto asked =
      c10::Dispatcher::singleton().findSchema({"mkldnn::_is_mkldnn_bf16_supported", ""});
  if (asked) {
    torch::jit::Stack stack;
    asked->callBoxed(stack);
    return stack.back().toBool();
  }
#if defined(__x86_64__)
  return at::hasMKLDNN() && __builtin_cpu_supports("avx512bw") != 0 &&
         __builtin_cpu_supports("avx512dq") != 0 && __builtin_cpu_supports("avx512vl") != 0;
#else
  return false;
#endif
}

/// Takes a small convolution forward and backward as a training step does; returns what the library
/// says against it, or nothing.
std::string failure_of_bfloat16_convolution() {
  try {
    const torch::AutoGradMode with_gradients(true);
    const torch::Tensor input = torch::ones({2, 8, 8, 8, 8});
    const torch::Tensor weight = torch::ones({8, 8, 3, 3, 3}).requires_grad_();
    torch::Tensor output;
    {
      const AutocastScope autocast(true, torch::kCPU);
      output = torch::conv3d(input, weight, {}, 1, 1);
    }
    output.to(torch::kFloat32).sum().backward();
    return {};
  } catch (const std::exception& error) {
    const std::string text = error.what();
    return text.substr(0, text.find('\n'));
  }
}

/// Intel 64 and IA-32 Architectures Software Developer's Manual, volume 2A, CPUID: leaf 7, subleaf
/// 0, EDX bit 22 is AMX-BF16; subleaf 1, EAX bit 5 is AVX512_BF16.
bool has_bfloat16_instructions() {
#if defined(__x86_64__)
  constexpr unsigned kFeatures = 7;
  unsigned a = 0;
  unsigned b = 0;
  unsigned c = 0;
  unsigned d = 0;
  if (__get_cpuid_count(kFeatures, 0, &a, &b, &c, &d) == 0) {
    return false;
  }
  const unsigned subleaves = a;
  const bool amx = (d >> 22U & 1U) != 0;
  return amx || (subleaves >= 1 && __get_cpuid_count(kFeatures, 1, &a, &b, &c, &d) != 0 &&
                 (a >> 5U & 1U) != 0);
#else
  return false;
#endif
}

std::string find_bfloat16_obstacle() {
  if (!hands_bfloat16_to_onednn()) {
    return fmt::format("LibTorch {} needs {}",
                       TORCH_VERSION,
                       SAR_TORCH_AT_LEAST(2, 4)
                           ? "a processor that its oneDNN has bfloat16 kernels for (on x86 AVX-512 "
                             "with BW, DQ and VL, or AVX2-VNNI-2)"
                           : "a processor with AVX-512 BW, DQ and VL");
  }
  const std::string failure = failure_of_bfloat16_convolution();
  if (failure.empty()) {
    return {};
  }
  for (const char* limit : {"ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"}) {
    if (const char* value = std::getenv(limit); value != nullptr) {
      return fmt::format("oneDNN needs AVX-512 BW, DQ and VL, and {}={} may keep it from them ({})",
                         limit,
                         value,
                         failure);
    }
  }
  return "oneDNN has no bfloat16 kernel for this processor (" + failure + ")";
}

bool is_damaged_or_foreign(const TensorMap& values,
                           const std::string& name,
                           const torch::Tensor& wanted) {
  const auto found = values.find(name);
  return found == values.end() || found->second.sizes() != wanted.sizes();
}

}  // namespace runtime_detail

torch::Device device_of(const Compute& compute) {
  const std::string& name = compute.device;
  const bool known = name == "cpu" || name == "cuda" || name.rfind("cuda:", 0) == 0;
  if (!known) {
    throw usage_error("there is no device '" + name + "'")
        .with("key", "compute.device")
        .hint("use cpu, cuda or cuda:N");
  }
  if (name == "cpu") {
    return torch::kCPU;
  }
  torch::Device device(torch::kCUDA, 0);
  if (name != "cuda") {
    try {
      device = torch::Device(name);
    } catch (const c10::Error&) {
      throw usage_error("there is no device '" + name + "'")
          .with("key", "compute.device")
          .hint("use cpu, cuda or cuda:N");
    }
  }
  const int count = runtime_detail::count_cuda_devices();
  if (device.index() >= count) {
    throw usage_error("device '" + name + "' is not there")
        .with("CUDA devices", std::to_string(count))
        .hint("use --device cpu, or a LibTorch with CUDA on a machine with a GPU");
  }
  return device;
}

const std::string& bfloat16_obstacle() {
  static const std::string kObstacle =
      with_torch_errors("trying bfloat16", [] { return runtime_detail::find_bfloat16_obstacle(); });
  return kObstacle;
}

bool has_fast_bfloat16(const std::string& device) {
  return with_torch_errors("asking for bfloat16", [&] {
    const torch::Device on = device_of({device, "bf16", 1});
    if (on.is_cuda()) {
      const c10::DeviceGuard guard(on);
      return at::detail::getCUDAHooks().supportsBFloat16ConvolutionWithCuDNNv8();
    }
    return runtime_detail::has_bfloat16_instructions() && bfloat16_obstacle().empty();
  });
}

void configure_compute(const Compute& compute) {
  with_torch_errors("configuring LibTorch", [&] {
    const torch::Device device = device_of(compute);
    at::set_num_threads(compute.threads);
    auto& context = at::globalContext();
    const bool tf32 = compute.precision == "tf32";
    context.setAllowTF32CuBLAS(tf32);
    context.setAllowTF32CuDNN(tf32);
    context.setBenchmarkCuDNN(false);
    context.setDeterministicCuDNN(true);
    if (device.is_cuda()) {
      // cuBLAS is deterministic only with a fixed workspace; it reads this when it starts.
      setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", 0);
    }
    // On CUDA some operators have no deterministic kernel (max_pool3d's backward is declared so,
    // although windows that do not overlap leave it no choice): they warn there, and throw on the
    // CPU.
    context.setDeterministicAlgorithms(true, device.is_cuda());
    if (compute.precision == "bf16" && device.is_cpu() && !bfloat16_obstacle().empty()) {
      throw usage_error("this machine cannot compute in bfloat16")
          .with("key", "compute.precision")
          .with("reason", bfloat16_obstacle())
          .hint("use --precision fp32");
    }
  });
}

ComputeEnvironment compute_environment(const Compute& compute) {
  return with_torch_errors("asking LibTorch about this machine", [&] {
    ComputeEnvironment environment{TORCH_VERSION,
                                   {"cpu"},
                                   at::get_num_threads(),
                                   !compute.device.starts_with("cuda"),
                                   at::hasMKLDNN(),
                                   at::show_config()};
    for (int i = 0; i < runtime_detail::count_cuda_devices(); ++i) {
      environment.devices.push_back("cuda:" + std::to_string(i));
    }
    return environment;
  });
}

TorchSeedScope::TorchSeedScope(Rng rng, torch::Device device) : device_(device) {
  const std::uint64_t seed = rng.seed();
  at::Generator cpu = at::globalContext().defaultGenerator(torch::kCPU);
  cpu_state_ = cpu.get_state();
  cpu.set_current_seed(seed);
  if (!device_.is_cpu()) {
    at::Generator other = at::globalContext().defaultGenerator(device_);
    device_state_ = other.get_state();
    other.set_current_seed(seed);
  }
}

TorchSeedScope::~TorchSeedScope() {
  at::Generator cpu = at::globalContext().defaultGenerator(torch::kCPU);
  cpu.set_state(cpu_state_);
  if (!device_.is_cpu()) {
    at::Generator other = at::globalContext().defaultGenerator(device_);
    other.set_state(device_state_);
  }
}

AutocastScope::AutocastScope(bool bf16, torch::Device device) : active_(bf16), device_(device) {
  if (active_) {
    runtime_detail::set_autocast(device_, true);
    at::autocast::increment_nesting();
  }
}

AutocastScope::~AutocastScope() {
  if (active_) {
    if (at::autocast::decrement_nesting() == 0) {
      at::autocast::clear_cache();  // it holds bfloat16 copies of weights that the next step
                                    // changes
    }
    runtime_detail::set_autocast(device_, false);
  }
}

torch::Tensor tensor_of(std::span<const Block> blocks) {
  if (blocks.empty()) {
    throw internal_error("a batch without samples");
  }
  const Size3 size = blocks.front().size;
  torch::Tensor tensor =
      torch::empty({static_cast<std::int64_t>(blocks.size()), 1, size[2], size[1], size[0]});
  float* to = tensor.data_ptr<float>();
  for (const Block& block : blocks) {
    if (block.size != size || block.values.size() != count_voxels(size)) {
      throw internal_error("blocks of different sizes in one batch")
          .with("sizes", to_string(size) + ", " + to_string(block.size));
    }
    std::memcpy(to, block.values.data(), block.values.size() * sizeof(float));
    to += block.values.size();
  }
  return tensor;
}

TensorMap named_tensors(const torch::nn::Module& module) {
  TensorMap tensors;
  for (const auto& item : module.named_parameters()) {
    tensors.emplace(item.key(), item.value().detach());
  }
  for (const auto& item : module.named_buffers()) {
    tensors.emplace(item.key(), item.value());
  }
  return tensors;
}

TensorMap cloned(const TensorMap& tensors) {
  TensorMap copies;
  for (const auto& [name, tensor] : tensors) {
    copies.emplace(name, tensor.detach().to(torch::kCPU, /*non_blocking=*/false, /*copy=*/true));
  }
  return copies;
}

void copy_tensors(const TensorMap& values,
                  torch::nn::Module& module,
                  std::span<const std::string_view> prefixes) {
  const torch::NoGradGuard no_grad;
  for (auto& [name, tensor] : named_tensors(module)) {
    for (const std::string_view prefix : prefixes) {
      if (name.compare(0, prefix.size(), prefix) != 0) {
        continue;
      }
      if (runtime_detail::is_damaged_or_foreign(values, name, tensor)) {
        throw data_error("the weights do not fit the network")
            .with("tensor", name)
            .with("network.base_channels, network.upsampling",
                  "the values of both stages must be equal");
      }
      tensor.copy_(values.at(name));
      break;
    }
  }
}

// GCC 12 sees a null pointer in the hash map behind c10::Dict that cannot be there.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wnull-dereference"
std::string tensors_to_bytes(const TensorMap& tensors) {
  c10::Dict<std::string, at::Tensor> dictionary;
  for (const auto& [name, tensor] : tensors) {
    dictionary.insert(name, tensor.detach().cpu().contiguous());
  }
  const std::vector<char> bytes = torch::pickle_save(dictionary);
  return {bytes.data(), bytes.size()};
}

TensorMap tensors_from_bytes(std::string_view bytes) {
  try {
    const auto value = torch::pickle_load({bytes.begin(), bytes.end()});
    TensorMap tensors;
    for (const auto& entry : value.toGenericDict()) {
      tensors.emplace(entry.key().toStringRef(), entry.value().toTensor());
    }
    return tensors;
  } catch (const std::exception&) {  // c10::Error, or what its zip and pickle readers let through
    throw data_error("not a file of tensors, or a damaged one");
  }
}

#pragma GCC diagnostic pop

void write_tensors(const std::filesystem::path& path, const TensorMap& tensors) {
  write_file_atomically(path, std::string_view(tensors_to_bytes(tensors)));
}

TensorMap read_tensors(const std::filesystem::path& path) {
  const std::string bytes = read_file(path);
  try {
    return tensors_from_bytes(bytes);
  } catch (Error& error) {
    throw error.with("file", path.string());
  }
}

}  // namespace sar
