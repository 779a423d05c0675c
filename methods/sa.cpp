#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::sa {
namespace {

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const ScaleTask scale = scale_task(settings, network);
  return std::make_unique<RestorationTask>(
      restoration_options(settings, "pretrain.restoration_weight"), &scale, nullptr);
}

KeySpec key(std::string name, Json value, std::string meaning) {
  KeySpec spec;
  spec.name = std::move(name);
  spec.default_value = std::move(value);
  spec.meaning = std::move(meaning);
  return spec;
}

std::vector<KeySpec> keys() {
  KeySpec tap = key("sa.tap", 3, "encoder level whose output the scale-aware module reads");
  tap.minimum = 0;
  tap.maximum = 3;
  tap.gap = 16;
  KeySpec hidden =
      key("sa.hidden",
          0,
          "width between its two fully connected layers; 0: 32 times network.base_channels");
  hidden.minimum = 0;
  hidden.gap = 16;
  KeySpec dropout = key("sa.dropout", 0.0, "dropout before its last layer");
  dropout.minimum = 0;
  dropout.maximum = 0.99;
  KeySpec weights = key("sa.class_weights",
                        "none",
                        "weights of the scales in the cross-entropy; inverse: of cubes.*_per_case");
  weights.choices = {"none", "inverse"};
  KeySpec rate = key("sa.learning_rate", 1e-1, "initial learning rate of the scale-aware module");
  rate.minimum = 0;
  return {tap, hidden, dropout, weights, rate};
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
