#pragma once

#include "harness/core/error.h"
#include "harness/core/rng.h"
#include "harness/nn/training.h"
#include "harness/volume/volume.h"

#include <torch/torch.h>

#include <cstdint>
#include <filesystem>
#include <map>
#include <new>
#include <span>
#include <string>
#include <string_view>

namespace sar {

/// The device that `compute.device` names. Throws Error 2 if the name is wrong or the device is not
/// there.
torch::Device device_of(const Compute& compute);

/// Runs a part of the program that calls LibTorch and turns what LibTorch throws into Error 70
/// "<doing> failed: <what LibTorch says>". Every public function of harness/nn goes through it.
template <class Body>
auto with_torch_errors(std::string_view doing, Body&& body) -> decltype(body()) {
  const auto fault = [doing](const std::string& what) {
    return internal_error(std::string(doing) + " failed: " + what);
  };
  try {
    return body();
  } catch (const c10::Error& error) {
    Error ours = fault(error.what_without_backtrace());
    if (std::string_view(error.what_without_backtrace()).find("memory") != std::string_view::npos) {
      ours.hint("use a smaller batch size, patch or network.base_channels");
    }
    throw ours;
  } catch (const std::bad_alloc&) {
    throw fault("out of memory").hint("use a smaller batch size, patch or network.base_channels");
  }
}

/// While it lives, LibTorch's default generators (of the CPU and of `device`) start from `rng`'s
/// next seed; afterwards they go on as if nothing had happened. LibTorch draws initial weights and
/// dropout masks from them, so this is what makes such draws depend on their purpose alone.
class TorchSeedScope {
 public:
  explicit TorchSeedScope(Rng rng, torch::Device device = torch::kCPU);
  ~TorchSeedScope();
  TorchSeedScope(const TorchSeedScope&) = delete;
  TorchSeedScope& operator=(const TorchSeedScope&) = delete;
  TorchSeedScope(TorchSeedScope&&) = delete;
  TorchSeedScope& operator=(TorchSeedScope&&) = delete;

 private:
  torch::Device device_;
  torch::Tensor cpu_state_;
  torch::Tensor device_state_;
};

/// While it lives, operators run in bfloat16 where LibTorch's autocast lists call for it; weights
/// stay float32. Does nothing unless `bf16`.
class AutocastScope {
 public:
  AutocastScope(bool bf16, torch::Device device);
  ~AutocastScope();
  AutocastScope(const AutocastScope&) = delete;
  AutocastScope& operator=(const AutocastScope&) = delete;
  AutocastScope(AutocastScope&&) = delete;
  AutocastScope& operator=(AutocastScope&&) = delete;

 private:
  bool active_;
  torch::Device device_;
};

/// Blocks of equal size as one float32 tensor (n, 1, z, y, x): the same bytes, one copy each.
torch::Tensor tensor_of(std::span<const Block> blocks);

/// Tensors by name, sorted. Names of a network start with "encoder.", "decoder." or "head.".
using TensorMap = std::map<std::string, torch::Tensor>;

/// Parameters and buffers of a module; the tensors share its memory.
TensorMap named_tensors(const torch::nn::Module& module);
/// Deep copies on the CPU.
TensorMap cloned(const TensorMap& tensors);
/// Copies values into the tensors of `module` whose name starts with one of `prefixes`. Throws
/// Error 65 if `values` lacks one of them or has it in another shape.
void copy_tensors(const TensorMap& values,
                  torch::nn::Module& module,
                  std::span<const std::string_view> prefixes);

/// Writes tensors as the dictionary that Python's torch.load reads; atomic. Throws Error 74.
void write_tensors(const std::filesystem::path& path, const TensorMap& tensors);
/// Reads such a file. Throws Error 66 if it is absent, 65 if it is damaged.
TensorMap read_tensors(const std::filesystem::path& path);

/// The same as bytes, for files that hold more than tensors.
std::string tensors_to_bytes(const TensorMap& tensors);
TensorMap tensors_from_bytes(std::string_view bytes);  ///< throws Error 65

}  // namespace sar
