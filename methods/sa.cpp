#include "harness/config/key.h"
#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::sa {
namespace {

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const ScaleTask scale = scale_task(settings, network);
  return std::make_unique<RestorationTask>(
      restoration_options(settings, "pretrain.restoration_weight"), &scale, nullptr);
}

std::vector<KeySpec> keys() {
  return specs_of({
      Key("sa.tap", 3, "encoder level whose output the scale-aware module reads")
          .between(0, 3)
          .gap(16),
      Key("sa.hidden",
          0,
          "width between its two fully connected layers; 0: 32 times network.base_channels")
          .at_least(0)
          .gap(16),
      Key("sa.dropout", 0.0, "dropout before its last layer").between(0, 0.99),
      Key("sa.class_weights",
          "none",
          "weights of the scales in the cross-entropy; inverse: of cubes.*_per_case")
          .one_of({"none", "inverse"}),
      Key("sa.learning_rate", 1e-1, "initial learning rate of the scale-aware module").at_least(0),
  });
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "sa";
  method.paper_name = "+SA";
  method.summary = "restores transformed cubes and tells their scale";
  method.citation = "SAR, section 2.2";
  method.order = 70;
  method.transfer = Transfer::encoder_and_decoder;
  method.sections = {"sa"};
  method.keys = keys();
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::sa
