#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::scale2 {

void register_in(MethodRegistry& registry) {
  registry.add(single_scale_method("scale2", "1/2", "large", 90));
}

}  // namespace sar::methods::scale2
