#include "harness/nn/torch/heads.h"

#include "harness/nn/torch/losses.h"
#include "harness/nn/torch/restoration_task.h"
#include "tests/nn/support.h"

namespace sar::heads_test {

struct Setup {
  Network network;
  ModalityModule module;
  torch::Tensor input = torch::rand({4, 1, 16, 16, 16});
  torch::Tensor is_ct = torch::tensor({1.0F, 0.0F, 0.0F, 1.0F});

  Setup() : network(UNetOptions{.base_channels = 4}, Rng(1)), module(options()) {}
  static ModalityOptions options() { return {.base_channels = 4, .hidden = 32}; }
  torch::Tensor loss(const Features& features) {
    return modality_loss(module(features), is_ct, false, Reduction::mean);
  }
};

Features reversed(const Features& features, double strength) {
  Features changed;
  for (std::size_t level = 0; level < features.size(); ++level) {
    changed[level] = reverse_gradient(features[level], strength);
  }
  return changed;
}

TEST_CASE("the modules have the published numbers of parameters") {  // exact
  CHECK(count_parameters(*ScaleAwareModule(ScaleAwareOptions{})) == 528387);
  CHECK(count_parameters(*ModalityModule(ModalityOptions{})) == 3626817);
  CHECK(count_parameters(*ScaleAwareModule(ScaleAwareOptions{.in_channels = 128, .hidden = 256})) ==
        33795);
  CHECK(count_parameters(*ModalityModule(ModalityOptions{.base_channels = 8, .hidden = 64})) ==
        227025);
}

TEST_CASE("the modules give one row of logits per sample") {
  Network network(UNetOptions{.base_channels = 4}, Rng(1));
  const Features features = network.encoder(torch::rand({3, 1, 16, 16, 16}));
  ScaleAwareModule scale(ScaleAwareOptions{.in_channels = 64, .hidden = 8});
  CHECK(scale(features[3]).sizes() == at::IntArrayRef{3, 3});
  const bool all_taps = GENERATE(true, false);
  const bool batch_norm = GENERATE(true, false);
  ModalityModule modality(ModalityOptions{
      .base_channels = 4, .hidden = 32, .all_taps = all_taps, .batch_norm = batch_norm});
  CHECK(modality(features).sizes() == at::IntArrayRef{3});
}

TEST_CASE("the gradient reversal turns the plain gradient round on every tap, and not in M") {
  // Exact: negation is exact in floating point, and both passes sum in the same order.
  Setup setup;
  const Features features = setup.network.encoder(setup.input);
  const std::vector<torch::Tensor> taps(features.begin(), features.end());
  const auto plain = torch::autograd::grad({setup.loss(features)}, taps, {}, true);
  const auto turned = torch::autograd::grad({setup.loss(reversed(features, 1))}, taps, {}, true);
  const auto half = torch::autograd::grad({setup.loss(reversed(features, 0.5))}, taps, {}, true);
  for (std::size_t level = 0; level < taps.size(); ++level) {
    CHECK(plain[level].abs().max().item<float>() > 0);
    CHECK(turned[level].equal(-plain[level]));
    CHECK(half[level].equal(-0.5 * plain[level]));
  }
  const auto own = setup.module->parameters();
  const auto own_plain = torch::autograd::grad({setup.loss(features)}, own, {}, true);
  const auto own_turned = torch::autograd::grad({setup.loss(reversed(features, 1))}, own, {}, true);
  for (std::size_t i = 0; i < own.size(); ++i) {
    CHECK(own_turned[i].equal(own_plain[i]));
  }
}

TEST_CASE("the encoder's gradient through the reversal is minus that of the plain cross-entropy") {
  Setup setup;
  const auto parameters = setup.network.encoder->parameters();
  const auto gradients = [&](bool turn) {
    const Features features = setup.network.encoder(setup.input);
    const torch::Tensor loss = setup.loss(turn ? reversed(features, 1) : features);
    return torch::autograd::grad({loss}, parameters);
  };
  const auto plain = gradients(false);
  const auto turned = gradients(true);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    CHECK(turned[i].equal(-plain[i]));  // exact, as above
  }
}

TEST_CASE("equation 3 by hand: M ascends log M(CT) + log(1 - M(MRI)), the encoder descends it") {
  // M(CT) = 0.8 and M(MRI) = 0.4, so L_adv = ln 0.8 + ln 0.6.
  const torch::Tensor taps =
      torch::tensor({std::log(4.0), std::log(2.0 / 3.0)}, torch::kFloat64).requires_grad_();
  const torch::Tensor is_ct = torch::tensor({1.0, 0.0}, torch::kFloat64);
  const double adversarial = std::log(0.8) + std::log(0.6);
  // Tolerance: rounding of double precision.
  const torch::Tensor mean = modality_loss(taps, is_ct, false, Reduction::mean);
  CHECK(mean.item<double>() == Approx(-adversarial / 2).epsilon(1e-12));
  CHECK(modality_loss(taps, is_ct, true, Reduction::mean).item<double>() ==
        Approx(-adversarial).epsilon(1e-12));
  CHECK(modality_loss(taps, is_ct, false, Reduction::sum).item<double>() ==
        Approx(-adversarial).epsilon(1e-12));

  const auto of_m = torch::autograd::grad({mean}, {taps}, {}, true)[0];
  CHECK(of_m[0].item<double>() ==
        Approx((0.8 - 1) / 2).epsilon(1e-12));  // descent raises P(CT) of CT
  CHECK(of_m[1].item<double>() == Approx((0.4 - 0) / 2).epsilon(1e-12));  // and lowers that of MRI
  const torch::Tensor through =
      modality_loss(reverse_gradient(taps, 1), is_ct, false, Reduction::mean);
  const auto of_encoder = torch::autograd::grad({through}, {taps})[0];
  CHECK(of_encoder[0].item<double>() == Approx(0.1).epsilon(1e-12));
  CHECK(of_encoder[1].item<double>() == Approx(-0.2).epsilon(1e-12));
}

/// A restoration task with M but without SA, and one batch for it.
struct TaskSetup {
  nn_test::Cubes cubes;
  Settings settings;
  Network network;
  std::unique_ptr<ProxyTask> task;
  std::vector<torch::Tensor> tensors;

  explicit TaskSetup(const nn_test::Changes& changes)
      : settings(nn_test::small_settings(changes)), network(unet_options(settings, 1), Rng(1)) {
    task = nn_test::registry().at("mial").make_task(settings, network);
    const Rng rng(3);
    tensors = task->prepare({*cubes.store, rng, 1, {0, 1, 2, 3}});
  }

  ModalityModuleImpl& discriminator() {
    return *task->named_children()["mial"]->as<ModalityModuleImpl>();
  }
  torch::Tensor plain_cross_entropy(bool detached = false) {
    Features features = network.encoder(tensors[0]);
    if (detached) {
      for (auto& feature : features) {
        feature = feature.detach();
      }
    }
    return modality_loss(discriminator().forward(features), tensors[3], false, Reduction::mean);
  }
};

using Gradients = std::vector<torch::Tensor>;

/// `base` plus `factor` times `more`.
Gradients plus(const Gradients& base, double factor, const Gradients& more) {
  Gradients sums;
  for (std::size_t i = 0; i < base.size(); ++i) {
    sums.push_back(base[i] + factor * more[i]);
  }
  return sums;
}

/// Tolerance: float32 sums in another order, relative to the largest entry of all. (Biases before
/// BatchNorm have no gradient but rounding errors, so each tensor's own size is no measure.)
bool close(const Gradients& a, const Gradients& b) {
  double largest = 0;
  double difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    largest = std::max(largest, b[i].abs().max().item<double>());
    difference = std::max(difference, (a[i] - b[i]).abs().max().item<double>());
  }
  return largest > 0 && difference <= 1e-4 * largest;
}

TEST_CASE("the joint loss gives the encoder beta L_res minus the cross-entropy, and M its own",
          "[key:mial.lambda]") {
  TaskSetup setup(nn_test::Changes{{"mial.lambda", 0.5}});
  StepContext context;
  context.training = true;
  const auto encoder = setup.network.encoder->parameters();
  const auto own = setup.discriminator().parameters();
  const auto losses = setup.task->losses(setup.network, setup.tensors, context);
  const auto joint = torch::autograd::grad({losses.total}, encoder, {}, true);
  const auto joint_own = torch::autograd::grad({losses.total}, own, {}, true);
  const auto restoration = torch::autograd::grad({losses.monitored}, encoder, {}, true);
  const torch::Tensor plain = setup.plain_cross_entropy();
  const auto adversarial = torch::autograd::grad({plain}, encoder, {}, true);
  const auto adversarial_own = torch::autograd::grad({plain}, own);
  CHECK(close(joint, plus(restoration, -0.5, adversarial)));
  CHECK_FALSE(close(joint, restoration));
  CHECK(close(joint_own, adversarial_own));  // neither beta nor lambda reaches M
}

TEST_CASE("in mode alternating M is updated on its own, and the joint loss leaves it alone",
          "[key:mial.mode][key:mial.discriminator_steps]") {
  TaskSetup setup(nn_test::Changes{{"mial.mode", "alternating"}, {"mial.discriminator_steps", 3}});
  int updates = 0;
  StepContext context;
  context.training = true;
  context.update_heads = [&](const torch::Tensor& loss) {
    ++updates;
    loss.backward();
    for (const auto& parameter : setup.network.parameters()) {
      CHECK_FALSE(parameter.grad().defined());
    }
    for (const auto& parameter : setup.discriminator().parameters()) {
      CHECK(parameter.grad().defined());
      parameter.mutable_grad() = torch::Tensor();
    }
  };
  const auto losses = setup.task->losses(setup.network, setup.tensors, context);
  CHECK(updates == 3);
  const auto encoder = setup.network.encoder->parameters();
  const auto restoration = torch::autograd::grad({losses.monitored}, encoder, {}, true);
  const auto adversarial = torch::autograd::grad({setup.plain_cross_entropy()}, encoder);
  losses.total.backward();
  for (const auto& parameter : setup.discriminator().parameters()) {
    CHECK_FALSE(parameter.grad().defined());
    CHECK(parameter.requires_grad());
  }
  Gradients joint;
  for (const auto& parameter : encoder) {
    joint.push_back(parameter.grad());
  }
  CHECK(close(joint, plus(restoration, -1, adversarial)));
}

TEST_CASE("in mode confusion the encoder pulls M towards one half while M learns the truth",
          "[key:mial.mode]") {
  TaskSetup setup(nn_test::Changes{{"mial.mode", "confusion"}});
  StepContext context;
  context.training = true;
  const auto losses = setup.task->losses(setup.network, setup.tensors, context);
  const auto own = setup.discriminator().parameters();
  const auto encoder = setup.network.encoder->parameters();
  const auto joint_own = torch::autograd::grad({losses.total}, own, {}, true);
  const auto joint = torch::autograd::grad({losses.total}, encoder, {}, true);
  const auto restoration = torch::autograd::grad({losses.monitored}, encoder);
  const auto plain_own = torch::autograd::grad({setup.plain_cross_entropy(true)}, own);
  CHECK(close(joint_own, plain_own));
  setup.tensors[3] = torch::full_like(setup.tensors[3], 0.5);
  const auto undecided = torch::autograd::grad({setup.plain_cross_entropy()}, encoder);
  CHECK(close(joint, plus(restoration, 1, undecided)));
  CHECK_FALSE(close(joint, restoration));
}

TEST_CASE("the ramp of lambda starts at zero and ends near one", "[key:mial.lambda_ramp]") {
  TaskSetup setup(nn_test::Changes{{"mial.lambda_ramp", true}});
  const auto encoder = setup.network.encoder->parameters();
  const auto adversarial = torch::autograd::grad({setup.plain_cross_entropy()}, encoder);
  for (const double progress : {0.0, 0.25, 1.0}) {
    StepContext context;
    context.training = true;
    context.progress = progress;
    const auto losses = setup.task->losses(setup.network, setup.tensors, context);
    const auto joint = torch::autograd::grad({losses.total}, encoder, {}, true);
    const auto restoration = torch::autograd::grad({losses.monitored}, encoder);
    const double strength = 2 / (1 + std::exp(-10 * progress)) - 1;
    CHECK(close(joint, plus(restoration, -strength, adversarial)));
  }
}

}  // namespace sar::heads_test
