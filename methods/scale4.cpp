#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::scale4 {

void register_in(MethodRegistry& registry) {
  registry.add(single_scale_method("scale4", "1/4", "medium", 91));
}

}  // namespace sar::methods::scale4
