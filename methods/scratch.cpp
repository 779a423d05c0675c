#include "harness/nn/method.h"

namespace sar::methods::scratch {

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "scratch";
  method.paper_name = "Scratch";
  method.summary = "no pre-training: every layer starts from random weights";
  method.citation = "SAR, section 4.0.1";
  method.order = 0;
  method.transfer = Transfer::none;
  registry.add(std::move(method));
}

}  // namespace sar::methods::scratch
