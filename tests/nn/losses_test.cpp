#include "harness/nn/torch/losses.h"

#include "harness/nn/schedule.h"
#include "tests/nn/support.h"

namespace sar::losses_test {

const Json& reference() {
  static const Json values =
      read_json(std::string(SARBENCH_REFERENCE_DIR) + "/nn/losses_and_plateau.json");
  return values;
}

torch::Tensor floats(const Json& list, at::IntArrayRef shape) {
  return torch::tensor(list.get<std::vector<double>>(), torch::kFloat64)
      .to(torch::kFloat32)
      .reshape(shape);
}

torch::Tensor integers(const Json& list) {
  return torch::tensor(list.get<std::vector<std::int64_t>>(), torch::kInt64);
}

// Tolerance of all comparisons with PyTorch: its values and ours are float32 sums of a few terms.
constexpr double kTolerance = 1e-5;

TEST_CASE("the Dice losses equal the values computed with PyTorch and NumPy") {
  for (const Json& entry : reference().at("dice")) {
    const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
    const torch::Tensor logits =
        floats(entry.at("logits"), {shape[0], entry.at("classes"), shape[1], shape[2], shape[3]});
    const torch::Tensor labels = integers(entry.at("labels")).reshape(shape);
    for (const auto& [name, value] : entry.at("losses").items()) {
      INFO(name << ", classes " << entry.at("classes"));
      CHECK(dice_loss(name, logits, labels, reference().at("dice_smooth")).item<double>() ==
            Approx(value.get<double>()).epsilon(kTolerance));
    }
  }
}

TEST_CASE("the Dice losses by hand: two voxels, probabilities 0.5 and 0.75, truth 0 and 1") {
  const torch::Tensor logits = torch::tensor({0.0F, std::log(3.0F)}).reshape({1, 1, 1, 1, 2});
  const torch::Tensor labels = torch::tensor({0, 1}, torch::kInt64).reshape({1, 1, 1, 2});
  // S_pg = 0.75, S_p = 1.25, S_g = 1.
  CHECK(dice_loss("genesis", logits, labels, 1).item<double>() ==
        Approx(1 - 2.5 / 3.25).epsilon(kTolerance));
  CHECK(dice_loss("multi_foreground", logits, labels, 0).item<double>() ==
        Approx(1 - 1.5 / 2.25).epsilon(kTolerance));
  // Background: S_pg = 0.5, S_p = 0.75, S_g = 1.
  CHECK(dice_loss("taleb", logits, labels, 1).item<double>() ==
        Approx(-(1.0 / 1.75 + 1.5 / 2.25) / 2).epsilon(1e-4));  // its 1e-5 left out
  const double entropy = -(std::log(0.5) + std::log(0.75)) / 2;
  CHECK(dice_loss("nnunet", logits, labels, 1).item<double>() ==
        Approx(entropy - 1.5 / 2.25).epsilon(1e-4));
  CHECK(nn_test::error_of([&] { dice_loss("jaccard", logits, labels, 1); }).code() ==
        ExitCode::usage);
}

TEST_CASE("the Dice loss of an empty patch that is predicted empty is zero, not NaN") {
  const torch::Tensor logits = torch::full({1, 1, 2, 2, 2}, -100.0F);
  const torch::Tensor labels = torch::zeros({1, 2, 2, 2}, torch::kInt64);
  CHECK(dice_loss("genesis", logits, labels, 1).item<double>() == Approx(0).margin(1e-6));
}

TEST_CASE("restoration, scale and modality losses equal PyTorch's") {
  const Json& small = reference().at("small");
  const auto check = [&](const torch::Tensor& value, const char* name) {
    INFO(name);
    CHECK(value.item<double>() == Approx(small.at(name).get<double>()).epsilon(kTolerance));
  };
  const torch::Tensor restored = floats(small.at("restored"), {2, 1, 2, 2, 2});
  const torch::Tensor target = floats(small.at("target"), {2, 1, 2, 2, 2});
  check(restoration_loss(restored, target, false, Reduction::mean), "mse_mean");
  check(restoration_loss(restored, target, false, Reduction::sum), "mse_sum");
  check(restoration_loss(restored, target, true, Reduction::mean), "l2norm_mean");
  check(restoration_loss(restored, target, true, Reduction::sum), "l2norm_sum");

  const torch::Tensor logits = floats(small.at("scale_logits"), {4, 3});
  const torch::Tensor labels = integers(small.at("scale_labels"));
  const torch::Tensor weights = floats(small.at("scale_weights"), {3});
  check(scale_loss(logits, labels, {}, Reduction::mean), "scale_mean");
  check(scale_loss(logits, labels, {}, Reduction::sum), "scale_sum");
  check(scale_loss(logits, labels, weights, Reduction::mean), "scale_weighted_mean");

  const torch::Tensor adversary = floats(small.at("modality_logits"), {4});
  const torch::Tensor is_ct = floats(small.at("is_ct"), {4});
  check(modality_loss(adversary, is_ct, false, Reduction::mean), "modality_batch_mean");
  check(modality_loss(adversary, is_ct, false, Reduction::sum), "modality_sum");
  check(modality_loss(adversary, is_ct, true, Reduction::mean), "modality_per_domain");
}

TEST_CASE("a batch of one modality has a finite loss per domain") {
  const torch::Tensor loss =
      modality_loss(torch::tensor({0.0F, 0.0F}), torch::ones({2}), true, Reduction::mean);
  CHECK(loss.item<double>() == Approx(std::log(2.0)).epsilon(1e-6));  // float32 rounding
}

TEST_CASE("the plateau schedule follows PyTorch's on scripted losses") {
  for (const Json& entry : reference().at("plateau")) {
    PlateauSchedule::Options options;
    options.factor = entry.at("factor");
    options.patience = entry.at("patience");
    options.threshold = entry.at("threshold");
    options.relative = entry.at("relative");
    options.minimum_learning_rate = entry.at("minimum");
    PlateauSchedule schedule(options);
    double rate = 1;
    for (std::size_t i = 0; i < entry.at("losses").size(); ++i) {
      rate *= schedule.observe(entry.at("losses").at(i), rate);
      CHECK(rate ==
            Approx(entry.at("rates").at(i).get<double>()).epsilon(1e-12));  // double rounding
    }
  }
}

TEST_CASE("a relative threshold asks for improvement of a negative loss too") {
  PlateauSchedule::Options options;
  options.patience = 0;
  options.threshold = 0.1;
  PlateauSchedule schedule(options);
  CHECK(schedule.observe(-0.5, 1) == 1);
  CHECK(schedule.observe(-0.54, 1) == 0.5);  // less than a tenth better
  CHECK(schedule.observe(-0.56, 0.5) == 1);
}

TEST_CASE("a restored schedule goes on where it stopped") {  // exact
  PlateauSchedule::Options options;
  options.patience = 1;
  PlateauSchedule first(options);
  first.observe(1.0, 1);
  first.observe(1.0, 1);
  PlateauSchedule second(options);
  second.restore(first.state());
  CHECK(second.observe(1.0, 1) == 0.5);
}

}  // namespace sar::losses_test
