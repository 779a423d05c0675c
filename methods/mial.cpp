#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::mial {
namespace {

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const AdversaryTask adversary = adversary_task(settings, network);
  return std::make_unique<RestorationTask>(
      restoration_options(settings, "pretrain.restoration_weight"), nullptr, &adversary);
}

KeySpec key(std::string name, Json value, std::string meaning, int gap) {
  KeySpec spec;
  spec.name = std::move(name);
  spec.default_value = std::move(value);
  spec.meaning = std::move(meaning);
  spec.gap = gap;
  return spec;
}

std::vector<KeySpec> keys() {
  KeySpec taps = key("mial.taps",
                     "all",
                     "the discriminator reads every encoder level, or the bottleneck alone",
                     17);
  taps.choices = {"all", "bottleneck"};
  KeySpec hidden =
      key("mial.hidden",
          0,
          "width between its two fully connected layers; 0: 8 times network.base_channels",
          17);
  hidden.minimum = 0;
  KeySpec norm = key("mial.norm", "bn", "BatchNorm in the discriminator, or none", 17);
  norm.choices = {"bn", "none"};
  KeySpec mode =
      key("mial.mode",
          "grl",
          "gradient reversal; discriminator and encoder in turn; or an encoder that aims at 0.5",
          18);
  mode.choices = {"grl", "alternating", "confusion"};
  KeySpec steps =
      key("mial.discriminator_steps", 1, "discriminator updates per step in mode alternating", 18);
  steps.minimum = 1;
  KeySpec lambda = key("mial.lambda", 1.0, "weight of the adversarial gradient in the encoder", 19);
  lambda.minimum = 0;
  KeySpec ramp = key("mial.lambda_ramp",
                     false,
                     "lambda grows from 0 as 2 / (1 + exp(-10 p)) - 1 over the planned steps",
                     19);
  KeySpec reduction = key("mial.reduction",
                          "batch_mean",
                          "mean over the batch, or the sum of one mean per modality",
                          21);
  reduction.choices = {"batch_mean", "per_domain"};
  KeySpec rate = key("mial.learning_rate", 1e-3, "initial learning rate of the discriminator", 0);
  rate.minimum = 0;
  return {taps, hidden, norm, mode, steps, lambda, ramp, reduction, rate};
}

}  // namespace

void register_in(MethodRegistry& registry) {
  Method method;
  method.id = "mial";
  method.paper_name = "+MIAL";
  method.summary = "restores transformed cubes with features that hide CT from MRI";
  method.citation = "SAR, section 2.3";
  method.order = 60;
  method.transfer = Transfer::encoder_and_decoder;
  method.sections = {"mial"};
  method.keys = keys();
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::mial
