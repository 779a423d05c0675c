// Losses, heads, U-Net and optimiser steps against PyTorch in Python, values and gradients.
// tests/reference/nn/networks_and_gradients.py made the expected values and says what is stored of
// a tensor.

#include "harness/nn/torch/contrastive.h"
#include "harness/nn/torch/heads.h"
#include "harness/nn/torch/losses.h"
#include "harness/nn/torch/proxy_parts.h"
#include "harness/nn/torch/stage.h"
#include "tests/nn/support.h"

#include <algorithm>
#include <array>
#include <functional>

namespace sar::oracle_test {

const Json& stored(const char* name) {
  static const Json values =
      read_json(std::string(SARBENCH_REFERENCE_DIR) + "/nn/networks_and_gradients.json");
  return values.at(name);
}

const Json& stored_losses() {
  static const Json values =
      read_json(std::string(SARBENCH_REFERENCE_DIR) + "/nn/losses_and_plateau.json");
  return values;
}

/// The models and losses are compared in double precision, where the tolerance is narrow, and in
/// the single precision that training uses.
struct Precision {
  torch::ScalarType type;
  double tolerance;  ///< relative; see check_close
};

/// Double: ten stored digits, and sums in another order that BatchNorm conditions worse (measured:
/// 4e-10 at most). Single: sums of up to 10^4 products in another order (measured: 9e-7 at most; a
/// ReLU near zero may turn on another processor).
const std::array<Precision, 2> kPrecisions{{{torch::kFloat64, 2e-9}, {torch::kFloat32, 2e-4}}};
/// Where the program itself rounds its logits or codes to single precision on the way (measured:
/// 5e-7 at most), and where single precision goes through eight layers and more and sums over 10^5
/// voxels (measured: 8e-5 at most).
const std::array<Precision, 2> kRoundedPrecisions{
    {{torch::kFloat64, 1e-5}, {torch::kFloat32, 1e-3}}};

/// The script's `pattern`.
torch::Tensor pattern(at::IntArrayRef shape, std::int64_t seed, double scale, double offset) {
  constexpr std::int64_t kPrime = 2039;
  std::vector<double> values;
  for (std::int64_t at = 0; at < c10::multiply_integers(shape); ++at) {
    const std::int64_t i = (at + 271 * seed) % kPrime;
    const std::int64_t whole = (i * i % kPrime * i + 31 * seed * i + 17 * seed) % kPrime - 1019;
    values.push_back(static_cast<double>(whole) / 1024 * scale + offset);
  }
  return torch::tensor(values, torch::kFloat64).to(torch::kFloat32).reshape(shape);
}

constexpr std::int64_t kFirstInput = 1001;  // seed of the first input or target

torch::Tensor input_of(const Json& shape,
                       int number,
                       const Precision& precision,
                       double scale = 1,
                       double offset = 0) {
  return pattern(shape.get<std::vector<std::int64_t>>(), kFirstInput + number, scale, offset)
      .to(precision.type);
}

torch::Tensor floats(const Json& list, const Precision& precision) {
  return torch::tensor(list.get<std::vector<double>>(), torch::kFloat64).to(precision.type);
}

torch::Tensor integers(const Json& list) {
  return torch::tensor(list.get<std::vector<std::int64_t>>(), torch::kInt64);
}

/// A tensor's entries if all are stored, else its norm and its products with two patterns.
std::vector<double> summary(const torch::Tensor& tensor, std::size_t stored_numbers) {
  const torch::Tensor flat = tensor.detach().to(torch::kFloat64).flatten().contiguous();
  if (static_cast<std::size_t>(flat.numel()) == stored_numbers) {
    return {flat.data_ptr<double>(), flat.data_ptr<double>() + flat.numel()};
  }
  REQUIRE(stored_numbers == 3);
  std::vector<double> numbers{flat.norm().item<double>()};
  for (const std::int64_t seed : {2001, 2002}) {
    const torch::Tensor probe = pattern({flat.numel()}, seed, 1, 0);
    numbers.push_back(flat.dot(probe.to(torch::kFloat64)).item<double>());
  }
  return numbers;
}

/// Norm of the tensor of which these numbers are stored.
double norm_of(const Json& numbers, std::int64_t entries) {
  double squares = 0;
  for (const Json& number : numbers) {
    squares += number.get<double>() * number.get<double>();
  }
  return static_cast<std::int64_t>(numbers.size()) == entries ? std::sqrt(squares)
                                                              : numbers.at(0).get<double>();
}

/// Tolerance: relative to the tensor's norm, not to each number, because products with a pattern
/// cancel. `least` is a norm below which differences are not relative any more: a bias before
/// BatchNorm has no gradient but the rounding errors of the others.
void check_close(const torch::Tensor& tensor,
                 const Json& numbers,
                 double tolerance,
                 double least = 0) {
  const double margin = tolerance * std::max(norm_of(numbers, tensor.numel()), least);
  const std::vector<double> found = summary(tensor, numbers.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    INFO("number " << i);
    CHECK(found[i] == Approx(numbers.at(i).get<double>()).epsilon(0).margin(margin));
  }
}

void check_loss(const torch::Tensor& loss, const Json& number, const Precision& precision) {
  CHECK(loss.item<double>() == Approx(number.get<double>()).epsilon(precision.tolerance));
}

/// Parameters, which gradients belong to, and buffers of the parts of a model.
struct Parts {
  TensorMap parameters, buffers;

  void add(const torch::nn::Module& module, const std::string& prefix = {}) {
    for (const auto& item : module.named_parameters()) {
      parameters.emplace(prefix + item.key(), item.value());
    }
    for (const auto& item : module.named_buffers()) {
      if (item.value().is_floating_point()) {  // others count batches or hold indices
        buffers.emplace(prefix + item.key(), item.value());
      }
    }
  }

  /// Sets every parameter and buffer to the script's values, and its type.
  void fill(const Json& tensors, const Precision& precision) {
    CHECK(parameters.size() + buffers.size() == tensors.size());
    for (const Json& entry : tensors) {
      const auto name = entry.at("name").get<std::string>();
      INFO(name);
      const bool known = parameters.count(name) + buffers.count(name) == 1;
      REQUIRE(known);
      torch::Tensor tensor = parameters.count(name) == 1 ? parameters.at(name) : buffers.at(name);
      const auto shape = entry.at("shape").get<std::vector<std::int64_t>>();
      REQUIRE(tensor.sizes() == at::IntArrayRef(shape));
      tensor.set_data(pattern(shape, entry.at("seed"), entry.at("scale"), entry.at("offset"))
                          .to(precision.type));
    }
  }
};

/// Output, loss, all gradients and the moved buffers of one pass. The gradients with respect to
/// inputs are `sign` times PyTorch's.
void check_pass(const Json& mode,
                const torch::Tensor& output,
                const torch::Tensor& loss,
                const std::vector<torch::Tensor>& inputs,
                const Parts& parts,
                const Precision& precision,
                double sign = 1) {
  check_close(output, mode.at("output"), precision.tolerance);
  check_loss(loss, mode.at("loss"), precision);
  for (const auto& [name, parameter] : parts.parameters) {
    parameter.mutable_grad() = torch::Tensor();
  }
  loss.backward();
  double largest = 0;
  for (const auto& [name, parameter] : parts.parameters) {
    INFO("gradient of " << name);
    REQUIRE(parameter.grad().defined());
    largest = std::max(largest, norm_of(mode.at("gradients").at(name), parameter.numel()));
  }
  const double least = 0.1 * largest;
  for (const auto& [name, parameter] : parts.parameters) {
    INFO("gradient of " << name);
    check_close(parameter.grad(), mode.at("gradients").at(name), precision.tolerance, least);
  }
  REQUIRE(mode.at("input_gradients").size() == inputs.size());
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    INFO("gradient of input " << i);
    REQUIRE(inputs[i].grad().defined());
    check_close(sign * inputs[i].grad(), mode.at("input_gradients").at(i), precision.tolerance);
  }
  if (mode.contains("buffers")) {
    REQUIRE(mode.at("buffers").size() == parts.buffers.size());
    for (const auto& [name, buffer] : parts.buffers) {
      INFO(name);
      check_close(buffer, mode.at("buffers").at(name), precision.tolerance);
    }
  }
}

bool is_training(const Json& mode) {
  return mode.at("statistics") == "train";
}

/// Training mode without dropout, whose masks no other program draws.
void set_mode(torch::nn::Module& module, const Json& mode) {
  module.train(is_training(mode));
  for (const auto& part : module.modules(/*include_self=*/false)) {
    if (part->as<torch::nn::DropoutImpl>() != nullptr) {
      part->eval();
    }
  }
}

TEST_CASE("the Dice losses have PyTorch's gradients", "[oracle]") {
  for (const Precision& precision : kPrecisions) {
    const Json& cases = stored_losses().at("dice");
    REQUIRE(stored("dice_gradients").size() == cases.size());
    for (std::size_t i = 0; i < cases.size(); ++i) {
      const auto shape = cases[i].at("shape").get<std::vector<std::int64_t>>();
      const torch::Tensor labels = integers(cases[i].at("labels")).reshape(shape);
      REQUIRE(stored("dice_gradients").at(i).size() == cases[i].at("losses").size());
      for (const auto& [name, gradient] : stored("dice_gradients").at(i).items()) {
        INFO(name << ", classes " << cases[i].at("classes") << ", " << precision.type);
        const torch::Tensor logits =
            floats(cases[i].at("logits"), precision)
                .reshape({shape[0], cases[i].at("classes"), shape[1], shape[2], shape[3]})
                .requires_grad_();
        const torch::Tensor loss =
            dice_loss(name, logits, labels, stored_losses().at("dice_smooth"));
        // LibTorch 1.13 keeps a factor of the binary cross-entropy in the labels' single precision.
        CHECK(loss.item<double>() == Approx(cases[i].at("losses").at(name).get<double>())
                                         .epsilon(std::max(precision.tolerance, 1e-6)));
        loss.backward();
        check_close(logits.grad(), gradient, precision.tolerance);
      }
    }
  }
}

TEST_CASE("restoration, scale and modality losses have PyTorch's gradients", "[oracle]") {
  const Json& small = stored_losses().at("small");
  std::size_t checked = 0;
  for (const Precision& precision : kPrecisions) {
    const auto check = [&](const char* name,
                           torch::Tensor leaf,
                           const std::function<torch::Tensor(const torch::Tensor&)>& loss_of) {
      INFO(name << ", " << precision.type);
      leaf.requires_grad_();
      const torch::Tensor loss = loss_of(leaf);
      const Json& expected = stored("small_losses").at(name);
      check_loss(loss, expected.at("loss"), precision);
      check_close(
          torch::autograd::grad({loss}, {leaf})[0], expected.at("gradient"), precision.tolerance);
      ++checked;
    };

    const torch::Tensor target = floats(small.at("target"), precision).reshape({2, 1, 2, 2, 2});
    const auto restoration =
        [&](const char* name, bool l2norm, Reduction reduction, const torch::Tensor& truth) {
          check(name,
                floats(small.at("restored"), precision).reshape({2, 1, 2, 2, 2}),
                [&](const torch::Tensor& restored) {
                  return restoration_loss(restored, truth, l2norm, reduction);
                });
        };
    restoration("mse_mean", false, Reduction::mean, target);
    restoration("mse_sum", false, Reduction::sum, target);
    restoration("l2norm_mean", true, Reduction::mean, target);
    restoration("l2norm_sum", true, Reduction::sum, target);
    torch::Tensor perfect = target.clone();
    perfect[0] = floats(small.at("restored"), precision).reshape({2, 1, 2, 2, 2})[0];
    restoration("l2norm_perfect", true, Reduction::mean, perfect);  // 0, not NaN, where they agree

    const torch::Tensor weights = floats(small.at("scale_weights"), precision);
    const auto scale = [&](const char* name, const torch::Tensor& by, Reduction reduction) {
      check(name,
            floats(small.at("scale_logits"), precision).reshape({4, 3}),
            [&](const torch::Tensor& logits) {
              return scale_loss(logits, integers(small.at("scale_labels")), by, reduction);
            });
    };
    scale("scale_mean", {}, Reduction::mean);
    scale("scale_sum", {}, Reduction::sum);
    scale("scale_weighted_mean", weights, Reduction::mean);
    scale("scale_weighted_sum", weights, Reduction::sum);

    const torch::Tensor is_ct = floats(small.at("is_ct"), precision);
    const auto modality = [&](const char* name,
                              const torch::Tensor& truth,
                              bool per_domain,
                              Reduction reduction) {
      check(name, floats(small.at("modality_logits"), precision), [&](const torch::Tensor& logits) {
        return modality_loss(logits, truth, per_domain, reduction);
      });
    };
    modality("modality_batch_mean", is_ct, false, Reduction::mean);
    modality("modality_sum", is_ct, false, Reduction::sum);
    modality("modality_sum", is_ct, true, Reduction::sum);
    modality("modality_per_domain", is_ct, true, Reduction::mean);
    modality("modality_ct_alone", torch::ones_like(is_ct), true, Reduction::mean);
  }
  // All that is stored, modality_sum in two ways.
  CHECK(checked == kPrecisions.size() * (stored("small_losses").size() + 1));
}

TEST_CASE("the contrastive losses have PyTorch's values, accuracies and gradients", "[oracle]") {
  const Json& all = stored("contrastive");
  const torch::Tensor negatives = integers(all.at("negatives"));
  for (const Precision& precision : kPrecisions) {
    for (const char* name : {"info_nce", "paired"}) {
      INFO(name << ", " << precision.type);
      const torch::Tensor targets = input_of(all.at("shape"), 0, precision, 2).requires_grad_();
      const torch::Tensor predictions =
          (targets.detach() + input_of(all.at("shape"), 1, precision, 2)).requires_grad_();
      const ContrastiveLoss result = std::string_view(name) == "info_nce"
                                         ? info_nce(predictions, targets)
                                         : paired_cross_entropy(predictions, targets, negatives);
      const Json& expected = all.at(name);
      check_loss(result.loss, expected.at("loss"), precision);
      // A share of 14, in float32; the script makes sure that no score is near a tie.
      CHECK(result.accuracy.item<double>() ==
            Approx(expected.at("accuracy").get<double>()).epsilon(1e-6));
      result.loss.backward();
      check_close(predictions.grad(), expected.at("prediction_gradient"), precision.tolerance);
      check_close(targets.grad(), expected.at("target_gradient"), precision.tolerance);
    }
  }
}

TEST_CASE("the contrastive grid equals one cut out of a mirrored array", "[oracle]") {  // exact
  const Json& expected = stored("contrastive_grid");
  const ContrastiveGrid grid = contrastive_grid(expected.at("side"));
  CHECK(Json(grid.contexts) == expected.at("contexts"));
  CHECK(Json(grid.targets) == expected.at("targets"));
}

TEST_CASE("the scale-aware module equals PyTorch's layers, its dropout off", "[oracle]") {
  const Json& model = stored("scale").at(0);
  const Json& options = model.at("options");
  for (const Precision& precision : kPrecisions) {
    for (const double dropout : {0.0, 0.5}) {
      INFO("dropout " << dropout << ", " << precision.type);
      ScaleAwareModule module(ScaleAwareOptions{.in_channels = options.at("shape").at(1).get<int>(),
                                                .hidden = options.at("hidden").get<int>(),
                                                .dropout = dropout,
                                                .scales = options.at("scales").get<int>()});
      module->train(dropout == 0);
      Parts parts;
      parts.add(*module);
      parts.fill(model.at("tensors"), precision);
      const torch::Tensor features =
          input_of(options.at("shape"), 0, precision, 2).requires_grad_();
      const torch::Tensor logits = module(features);
      const torch::Tensor loss =
          scale_loss(logits, integers(options.at("labels")), {}, Reduction::mean);
      check_pass(model.at("modes").at(0), logits, loss, {features}, parts, precision);
    }
  }
}

/// M with PyTorch's parameters, on the four taps behind a gradient reversal of strength `lambda`
/// (none if it is 0).
void check_modality(const Json& model, double lambda, const Precision& precision) {
  const Json& options = model.at("options");
  const bool all_taps = options.at("all_taps");
  for (const Json& mode : model.at("modes")) {
    INFO("all taps " << all_taps << ", norm " << options.at("batch_norm") << ", "
                     << mode.at("statistics") << ", lambda " << lambda << ", " << precision.type);
    ModalityModule module(ModalityOptions{.base_channels = options.at("base_channels").get<int>(),
                                          .hidden = options.at("hidden").get<int>(),
                                          .all_taps = all_taps,
                                          .batch_norm = options.at("batch_norm").get<bool>()});
    Parts parts;
    parts.add(*module);
    parts.fill(model.at("tensors"), precision);
    set_mode(*module, mode);
    Features taps;
    Features read;
    for (std::size_t level = 0; level < taps.size(); ++level) {
      taps[level] = input_of(options.at("shapes").at(level), static_cast<int>(level), precision)
                        .requires_grad_();
      read[level] = lambda == 0 ? taps[level] : reverse_gradient(taps[level], lambda);
    }
    const torch::Tensor logits = module(read);
    const torch::Tensor loss =
        modality_loss(logits, floats(options.at("is_ct"), precision), false, Reduction::mean);
    std::vector<torch::Tensor> inputs(taps.begin(), taps.end());
    if (!all_taps) {
      inputs.erase(inputs.begin(), inputs.begin() + 3);
    }
    check_pass(mode, logits, loss, inputs, parts, precision, lambda == 0 ? 1 : -1 / lambda);
    for (const torch::Tensor& tap : taps) {
      CHECK(tap.grad().defined() == (all_taps || tap.is_same(taps[3])));
    }
  }
}

TEST_CASE("the modality module equals PyTorch's layers", "[oracle]") {
  CHECK(stored("modality").size() == 4);  // taps and norm
  for (const Json& model : stored("modality")) {
    for (const Precision& precision : kPrecisions) {
      check_modality(model, 0, precision);
    }
  }
}

TEST_CASE("the reversal gives every tap minus lambda times PyTorch's gradient, M the plain one",
          "[oracle]") {
  for (const Json& model : stored("modality")) {
    for (const double lambda : {1.0, 0.3}) {
      for (const Precision& precision : kPrecisions) {
        check_modality(model, lambda, precision);
      }
    }
  }
}

TEST_CASE("the classification head equals PyTorch's layers", "[oracle]") {
  const Json& model = stored("proxy_head").at(0);
  const Json& options = model.at("options");
  const torch::Tensor labels = integers(options.at("labels"));
  for (const Precision& precision : kRoundedPrecisions) {
    for (const Json& mode : model.at("modes")) {
      INFO(mode.at("statistics") << ", " << precision.type);
      ProxyHead head(options.at("shape").at(1).get<int>(),
                     options.at("base_channels").get<int>(),
                     options.at("classes").get<int>());
      Parts parts;
      parts.add(*head);
      parts.fill(model.at("tensors"), precision);
      set_mode(*head, mode);
      const torch::Tensor vectors = input_of(options.at("shape"), 0, precision).requires_grad_();
      const torch::Tensor logits = head(vectors);
      CHECK(logits.scalar_type() == torch::kFloat32);
      const Losses losses = classification_losses(logits, labels, "accuracy");
      REQUIRE(losses.metrics.size() == 1);
      // Exact but for float32: a share of six.
      CHECK(losses.metrics[0].second.item<double>() ==
            Approx(mode.at("accuracy").get<double>()).epsilon(1e-6));
      check_pass(mode, logits, losses.total, {vectors}, parts, precision);
    }
  }
}

TEST_CASE("3D-CPC from patches to loss equals PyTorch's encoder, GRU and linear maps", "[oracle]") {
  for (const Json& model : stored("cpc")) {
    const Json& options = model.at("options");
    const Settings settings =
        nn_test::small_settings({{"network.base_channels", options.at("base_channels")},
                                 {"cpc.loss", options.at("loss")},
                                 {"cpc.input_voxels", 32}});
    for (const Precision& precision : kRoundedPrecisions) {
      for (const Json& mode : model.at("modes")) {
        INFO(options.at("loss") << ", " << mode.at("statistics") << ", " << precision.type);
        Network network(unet_options(settings, 1), Rng(1));
        const auto task = nn_test::registry().at("cpc").make_task(settings, network);
        Parts parts;
        parts.add(*network.encoder, "encoder.");
        parts.add(*task);
        parts.fill(model.at("tensors"), precision);
        set_mode(network, mode);
        set_mode(*task, mode);
        Json means = options.at("shape");
        for (std::size_t axis = 2; axis < means.size(); ++axis) {
          means[axis] = 1;
        }
        const torch::Tensor patches = (input_of(options.at("shape"), 0, precision, 0.25) +
                                       input_of(means, 1, precision, 0.5, 0.5))
                                          .requires_grad_();
        StepContext context;
        context.training = is_training(mode);
        const Losses losses =
            task->losses(network, {patches, integers(options.at("negatives"))}, context);
        REQUIRE(losses.metrics.size() == 1);
        // Exact but for float32: a share of 64; the script makes sure that no score is near a tie.
        CHECK(losses.metrics[0].second.item<double>() ==
              Approx(mode.at("accuracy").get<double>()).epsilon(1e-6));
        CHECK(losses.monitored.equal(losses.total));
        check_pass(mode, losses.total, losses.total, {patches}, parts, precision);
      }
    }
  }
}

TEST_CASE("the whole U-Net has PyTorch's output, restoration loss and gradients", "[oracle]") {
  CHECK(stored("unet").size() == 2);  // both kinds of upsampling
  for (const Json& model : stored("unet")) {
    const Json& options = model.at("options");
    UNetOptions shape;
    shape.base_channels = options.at("base_channels");
    shape.nearest = options.at("nearest");
    const auto check = [&](Json mode, bool training, const Precision& precision) {
      INFO("nearest " << shape.nearest << ", batch statistics " << shape.batch_statistics
                      << ", training " << training << ", " << precision.type);
      Network network(shape, Rng(1));
      Parts parts;
      parts.add(network);
      parts.fill(model.at("tensors"), precision);
      network.train(training);
      if (!training) {
        mode.erase("buffers");
      }
      const TensorMap before = cloned(parts.buffers);
      const torch::Tensor input = input_of(options.at("shape"), 0, precision).requires_grad_();
      const torch::Tensor target = input_of(options.at("shape"), 1, precision, 0.5, 0.5);
      const torch::Tensor logits = network.forward(input);
      const torch::Tensor loss =
          restoration_loss(probabilities_of(logits), target, false, Reduction::mean);
      check_pass(mode, logits, loss, {input}, parts, precision);
      CHECK(nn_test::same_tensors(before, parts.buffers) == !training);  // exact
    };
    for (const Precision& precision : kRoundedPrecisions) {
      for (const bool batch_statistics : {false, true}) {
        shape.batch_statistics = batch_statistics;
        const Json& modes = model.at("modes");
        REQUIRE(modes.at(0).at("statistics") == "train");
        REQUIRE(modes.at(1).at("statistics") == "running");
        check(modes.at(0), true, precision);
        // With the batch's statistics an evaluation gives what a training step gives.
        check(modes.at(batch_statistics ? 0 : 1), false, precision);
      }
    }
  }
}

TEST_CASE("three steps of the optimisers with a rate per group are PyTorch's", "[oracle]") {
  for (const Json& entry : stored("optimisers")) {
    const auto name = entry.at("name").get<std::string>();
    INFO(name << ", weight decay " << entry.at("weight_decay"));
    const Precision precision{torch::kFloat64, 0};
    std::vector<ParameterGroup> groups;
    std::vector<torch::Tensor> matrices;
    std::vector<torch::Tensor> centres;
    for (std::size_t g = 0; g < entry.at("sizes").size(); ++g) {
      const Json& size = entry.at("sizes").at(g);
      const int number = static_cast<int>(g);
      groups.push_back({{input_of(Json::array({size}), number, precision).requires_grad_()},
                        entry.at("rates").at(g).get<double>()});
      matrices.push_back(input_of(Json::array({size, size}), number + 10, precision));
      centres.push_back(input_of(Json::array({size}), number + 20, precision));
    }
    const auto optimizer =
        make_optimizer(name, groups, entry.at("momentum"), entry.at("weight_decay"));
    for (std::size_t step = 0; step < entry.at("steps").size(); ++step) {
      optimizer->zero_grad();
      torch::Tensor loss = torch::zeros({}, torch::kFloat64);
      for (std::size_t g = 0; g < groups.size(); ++g) {
        const torch::Tensor distance = groups[g].parameters[0] - centres[g];
        loss = loss + matrices[g].mv(distance).square().sum() / 2;
      }
      loss.backward();
      optimizer->step();
      for (std::size_t g = 0; g < groups.size(); ++g) {
        INFO("step " << step << ", group " << g);
        // Tolerance: double rounding. The smallest step, 1e-3 times a gradient of 0.1, is 1e8 times
        // as large.
        check_close(groups[g].parameters[0], entry.at("steps").at(step).at(g), 1e-12);
      }
    }
  }
}

}  // namespace sar::oracle_test
