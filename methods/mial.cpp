#include "harness/config/key.h"
#include "harness/nn/torch/restoration_task.h"

namespace sar::methods::mial {
namespace {

std::unique_ptr<ProxyTask> make_task(const Settings& settings, const Network& network) {
  const AdversaryTask adversary = adversary_task(settings, network);
  return std::make_unique<RestorationTask>(
      restoration_options(settings, "pretrain.restoration_weight"), nullptr, &adversary);
}

std::vector<KeySpec> keys() {
  return specs_of({
      cube_source_key("mial"),
      Key("mial.taps",
          "all",
          "the discriminator reads every encoder level, or the bottleneck alone")
          .one_of({"all", "bottleneck"})
          .gap(17),
      Key("mial.hidden",
          0,
          "width between its two fully connected layers; 0: 8 times network.base_channels")
          .at_least(0)
          .gap(17),
      Key("mial.norm", "bn", "BatchNorm in the discriminator, or none")
          .one_of({"bn", "none"})
          .gap(17),
      Key("mial.mode",
          "grl",
          "gradient reversal; discriminator and encoder in turn; or an encoder that aims at 0.5")
          .one_of({"grl", "alternating", "confusion"})
          .gap(18),
      Key("mial.discriminator_steps", 1, "discriminator updates per step in mode alternating")
          .at_least(1)
          .gap(18),
      Key("mial.lambda", 1.0, "weight of the adversarial gradient in the encoder")
          .at_least(0)
          .gap(19),
      Key("mial.lambda_ramp",
          false,
          "lambda grows from 0 as 2 / (1 + exp(-10 p)) - 1 over the planned steps")
          .gap(19),
      Key("mial.reduction",
          "batch_mean",
          "mean over the batch, or the sum of one mean per modality")
          .one_of({"batch_mean", "per_domain"})
          .gap(21),
      Key("mial.learning_rate", 1e-3, "initial learning rate of the discriminator").at_least(0),
  });
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
  method.cubes = "mial.cube_source";
  method.keys = keys();
  method.make_task = make_task;
  registry.add(std::move(method));
}

}  // namespace sar::methods::mial
