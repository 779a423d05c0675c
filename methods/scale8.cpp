#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::scale8 {

void register_in(MethodRegistry& registry) {
  registry.add(single_scale_method("scale8", "1/8", "small", 92));
}

}  // namespace sar::methods::scale8
