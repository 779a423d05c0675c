#include "harness/nn/torch/flop_counter.h"

#include <ATen/record_function.h>
#include <torch/torch.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>

namespace sar {
namespace flop_detail {

std::atomic<std::int64_t> counted_macs{0};

/// Autocast calls an operation again in the other type: only the outermost counts.
thread_local int depth = 0;

bool is_counted(std::string_view name) {
  return name == "aten::convolution" || name == "aten::convolution_backward" ||
         name == "aten::addmm" || name == "aten::mm" || name == "aten::bmm";
}

/// What is known of an operation when it begins. LibTorch shows inputs only then.
struct Begun : at::ObserverContext {
  std::int64_t macs = 0;
  std::int64_t macs_per_output = 0;  ///< the size of the output shows at the end
};

std::int64_t per_voxel(const at::Tensor& kernel) {
  return kernel.numel() / kernel.size(0);
}

/// A convolution costs as much for each voxel that it makes, a transposed one for each that it
/// reads.
std::unique_ptr<Begun> begun(std::string_view name, c10::ArrayRef<const c10::IValue> inputs) {
  auto known = std::make_unique<Begun>();
  const auto tensor = [&](std::size_t i) { return inputs[i].toTensor(); };
  if (name == "aten::convolution") {
    // input, weight, bias, stride, padding, dilation, transposed, ...
    const bool transposed = inputs[6].toBool();
    (transposed ? known->macs : known->macs_per_output) = per_voxel(tensor(1));
    known->macs *= tensor(0).numel();
  } else if (name == "aten::convolution_backward") {
    // gradient of the output, input, weight, bias_sizes, stride, padding, dilation, transposed,
    // output_padding, groups, which gradients are wanted: of input, weight, bias
    const bool transposed = inputs[7].toBool();
    const c10::List<bool> wanted = inputs[10].toBoolList();
    const int passes = int{wanted.get(0)} + int{wanted.get(1)};
    known->macs = passes * per_voxel(tensor(2)) * tensor(transposed ? 1 : 0).numel();
  } else {
    const std::size_t left = name == "aten::addmm" ? 1 : 0;  // behind the bias
    known->macs = tensor(left).numel() * tensor(left + 1).size(-1);
  }
  return known;
}

std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction& function) {
  const std::string_view name = function.name();
  if (!is_counted(name) || depth++ > 0) {
    return nullptr;
  }
  return begun(name, function.inputs());
}

void end(const at::RecordFunction& function, at::ObserverContext* context) {
  if (!is_counted(function.name())) {
    return;
  }
  --depth;
  if (const auto* known = static_cast<const Begun*>(context); known != nullptr) {
    counted_macs += known->macs;
    if (known->macs_per_output > 0 && !function.outputs().empty()) {
      counted_macs += known->macs_per_output * function.outputs()[0].toTensor().numel();
    }
  }
}

}  // namespace flop_detail

// For all threads: on a GPU backward passes run in threads of their own.
FlopCounter::FlopCounter()
    : handle_(
          at::addGlobalCallback(at::RecordFunctionCallback(&flop_detail::begin, &flop_detail::end)
                                    .needsInputs(true)
                                    .needsOutputs(true)
                                    .scopes({at::RecordScope::FUNCTION}))) {
  flop_detail::counted_macs = 0;
}

FlopCounter::~FlopCounter() {
  at::removeCallback(handle_);
}

double FlopCounter::count() const {
  return 2.0 * static_cast<double>(flop_detail::counted_macs.load());
}

}  // namespace sar
