#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::sar {
namespace {

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const ScaleTask scale = scale_task(settings, network);
  const AdversaryTask adversary = adversary_task(settings, network);
  return std::make_unique<RestorationTask>(
      restoration_options(settings, "pretrain.restoration_weight"), &scale, &adversary);
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "sar";
  method.paper_name = "SAR";
  method.summary = "restores transformed cubes, tells their scale, hides their modality";
  method.citation = "SAR, equation 4";
  method.order = 80;
  method.transfer = Transfer::encoder_and_decoder;
  method.sections = {"sa", "mial"};
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::sar
