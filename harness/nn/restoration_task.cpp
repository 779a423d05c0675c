#include "harness/nn/torch/restoration_task.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <utility>

namespace sar {
namespace restoration_detail {

torch::Tensor accuracy(const torch::Tensor& correct) {
  return correct.to(torch::kFloat32).mean().detach();
}

/// Share of each class among the cubes; classes are scales or, for `modality`, {MRI, CT}.
std::vector<double> shares(const CubeStore& cubes,
                           const std::vector<std::size_t>& indices,
                           bool modality) {
  std::vector<double> share(modality ? 2 : kScales.size(), 0.0);
  for (const std::size_t index : indices) {
    const CubeInfo& info = cubes.info(index);
    const auto label = modality ? std::size_t{info.is_ct} : static_cast<std::size_t>(info.scale);
    share[label] += 1.0 / static_cast<double>(indices.size());
  }
  return share;
}

double entropy(const std::vector<double>& shares) {
  double sum = 0;
  for (const double share : shares) {
    sum -= share > 0 ? share * std::log(share) : 0;
  }
  return sum;
}

/// Rarer scales weigh more: total / (classes present * count), from the counts that the cubes are
/// cut with.
std::vector<double> inverse_weights(const Settings& settings) {
  const std::array<double, 3> counts{settings.number("cubes.small_per_case"),
                                     settings.number("cubes.medium_per_case"),
                                     settings.number("cubes.large_per_case")};
  const double total = counts[0] + counts[1] + counts[2];
  const auto present = static_cast<double>(
      std::count_if(counts.begin(), counts.end(), [](double count) { return count > 0; }));
  std::vector<double> weights;
  for (const double count : counts) {
    weights.push_back(count > 0 ? total / (present * count) : 0);
  }
  return weights;
}

AdversaryMode mode_of(const std::string& name) {
  if (name == "grl") {
    return AdversaryMode::reversal;
  }
  return name == "alternating" ? AdversaryMode::alternating : AdversaryMode::confusion;
}

/// Squared error of the best answer that looks at one transformed voxel alone: the mean original
/// value of all voxels that look alike, in 64 classes of the transformed value. Its classes are
/// those of the very pairs that it is judged on, so no other voxelwise answer does better, and a
/// network that does better has used the voxel's surroundings. (A cube's own mean is no fair
/// yardstick: it knows what the random intensity map has destroyed.) Over at most 512 cubes spread
/// evenly over the list: reading all of a large one would cost more than it tells.
double voxelwise_error(const CubeStore& cubes,
                       const std::vector<std::size_t>& indices,
                       const TransformOptions& transforms) {
  constexpr std::size_t kMost = 512;
  constexpr std::size_t kClasses = 64;
  struct Sums {
    double count = 0, value = 0, square = 0;
  };
  std::array<Sums, kClasses> classes;
  const Rng rng(0);
  const std::size_t count = std::min(kMost, indices.size());
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t index = indices[i * indices.size() / count];
    const RestorationPair pair =
        make_restoration_pair(cubes.cube(index), transforms, rng.at(purpose::transform, {index}));
    for (std::size_t voxel = 0; voxel < pair.input.values.size(); ++voxel) {
      const double seen = std::clamp(static_cast<double>(pair.input.values[voxel]), 0.0, 1.0);
      const double original = static_cast<double>(pair.target.values[voxel]);
      Sums& sums = classes.at(std::min(static_cast<std::size_t>(seen * kClasses), kClasses - 1));
      sums.count += 1;
      sums.value += original;
      sums.square += original * original;
    }
  }
  double error = 0;
  double voxels = 0;
  for (const Sums& sums : classes) {
    error += sums.count > 0 ? sums.square - sums.value * sums.value / sums.count : 0;
    voxels += sums.count;
  }
  return error / voxels;
}

}  // namespace restoration_detail

torch::Tensor ProxyBatch::scales() const {
  torch::Tensor labels = torch::empty({static_cast<std::int64_t>(size())}, torch::kInt64);
  for (std::size_t slot = 0; slot < size(); ++slot) {
    const Scale scale = cubes.info(indices[slot]).scale;
    if (scale == Scale::native) {
      throw usage_error("native cubes have no scale for the scale-aware module to tell");
    }
    labels.data_ptr<std::int64_t>()[slot] = static_cast<std::int64_t>(scale);
  }
  return labels;
}

torch::Tensor ProxyBatch::modalities() const {
  torch::Tensor labels = torch::empty({static_cast<std::int64_t>(size())}, torch::kFloat32);
  for (std::size_t slot = 0; slot < size(); ++slot) {
    labels.data_ptr<float>()[slot] = cubes.info(indices[slot]).is_ct ? 1.0F : 0.0F;
  }
  return labels;
}

RestorationOptions restoration_options(const Settings& settings, const std::string& weight_key) {
  RestorationOptions options;
  options.transforms = transform_options(settings);
  options.weight = settings.number(weight_key);
  options.l2norm = settings.text("pretrain.restoration_loss") == "l2norm";
  options.reduction =
      settings.text("pretrain.loss_reduction") == "sum" ? Reduction::sum : Reduction::mean;
  options.monitor = settings.text("schedule.monitor");
  return options;
}

ScaleTask scale_task(const Settings& settings, const Network& network) {
  const int base = network.options.base_channels;
  ScaleTask task;
  task.tap = settings.integer("sa.tap");
  task.module.in_channels = feature_channels(base, task.tap);
  task.module.hidden = settings.integer("sa.hidden");
  if (task.module.hidden == 0) {
    task.module.hidden = 32 * base;
  }
  task.module.dropout = settings.number("sa.dropout");
  task.weight = settings.number("pretrain.scale_weight");
  task.learning_rate = settings.number("sa.learning_rate");
  if (settings.text("sa.class_weights") == "inverse") {
    task.class_weights = restoration_detail::inverse_weights(settings);
  }
  return task;
}

AdversaryTask adversary_task(const Settings& settings, const Network& network) {
  const int base = network.options.base_channels;
  AdversaryTask task;
  task.module.base_channels = base;
  task.module.hidden = settings.integer("mial.hidden");
  if (task.module.hidden == 0) {
    task.module.hidden = 8 * base;
  }
  task.module.all_taps = settings.text("mial.taps") == "all";
  task.module.batch_norm = settings.text("mial.norm") == "bn";
  task.mode = restoration_detail::mode_of(settings.text("mial.mode"));
  task.strength = settings.number("mial.lambda");
  task.ramp = settings.flag("mial.lambda_ramp");
  task.discriminator_steps = settings.integer("mial.discriminator_steps");
  task.per_domain = settings.text("mial.reduction") == "per_domain";
  task.learning_rate = settings.number("mial.learning_rate");
  return task;
}

Key cube_source_key(const std::string& method) {
  return Key(method + ".cube_source",
             "multiscale",
             "cubes of its pre-training: those of SAR, or native ones of the network's input size")
      .one_of({"multiscale", "native"})
      .gap(11);
}

Method single_scale_method(const std::string& id,
                           const std::string& paper_name,
                           const std::string& scale,
                           int order) {
  Method method;
  method.id = id;
  method.paper_name = paper_name;
  method.summary = "as +MIAL, on " + scale + " cubes alone";
  method.citation = "SAR, Table 3";
  method.order = order;
  method.transfer = Transfer::encoder_and_decoder;
  method.cubes = scale;
  method.sections = {"mial", "ablation.keep_mial"};
  method.make_task = [](const Settings& settings, const Network& network) {
    const AdversaryTask adversary = adversary_task(settings, network);
    return std::make_unique<RestorationTask>(
        restoration_options(settings, "pretrain.restoration_weight"),
        nullptr,
        settings.flag("ablation.keep_mial") ? &adversary : nullptr);
  };
  return method;
}

RestorationTask::RestorationTask(RestorationOptions options,
                                 const ScaleTask* scale,
                                 const AdversaryTask* adversary)
    : options_(std::move(options)) {
  if (scale != nullptr) {
    scale_ = *scale;
    scale_module_ = register_module("sa", ScaleAwareModule(scale_.module));
    if (!scale_.class_weights.empty()) {
      class_weights_ =
          register_buffer("scale_weights", torch::tensor(scale_.class_weights, torch::kFloat32));
    }
  }
  if (adversary != nullptr) {
    adversary_ = *adversary;
    modality_module_ = register_module("mial", ModalityModule(adversary_.module));
  }
}

std::vector<torch::Tensor> RestorationTask::prepare(const ProxyBatch& batch) const {
  std::vector<Block> inputs;
  std::vector<Block> targets;
  for (std::size_t slot = 0; slot < batch.size(); ++slot) {
    RestorationPair pair = make_restoration_pair(
        batch.cube(slot), options_.transforms, batch.stream(purpose::transform, slot));
    inputs.push_back(std::move(pair.input));
    targets.push_back(std::move(pair.target));
  }
  return {tensor_of(inputs),
          tensor_of(targets),
          scale_module_ ? batch.scales() : torch::empty({0}, torch::kInt64),
          batch.modalities()};
}

Losses RestorationTask::losses(Network& network,
                               const std::vector<torch::Tensor>& tensors,
                               const StepContext& context) {
  const torch::Tensor& target = tensors[1];
  const torch::Tensor& scales = tensors[2];
  const torch::Tensor& is_ct = tensors[3];
  Losses losses;

  const Features features = network.encoder(tensors[0]);
  Adversary adversary;
  if (modality_module_) {
    adversary = play(features, is_ct, context);
  }
  const torch::Tensor restored = torch::sigmoid(network.decode(features));
  const torch::Tensor restoration =
      options_.weight * restoration_loss(restored, target, options_.l2norm, options_.reduction);
  losses.total = restoration;
  losses.metrics.emplace_back("restoration_mse", torch::mse_loss(restored.detach(), target));

  if (scale_module_) {
    const auto tap = static_cast<std::size_t>(scale_.tap);
    const torch::Tensor logits = scale_module_(features[tap]).to(torch::kFloat32);
    const torch::Tensor loss = scale_loss(logits, scales, class_weights_, options_.reduction);
    losses.total = losses.total + scale_.weight * loss;
    losses.metrics.emplace_back("scale_accuracy",
                                restoration_detail::accuracy(logits.argmax(1) == scales));
    losses.metrics.emplace_back("scale_cross_entropy",
                                torch::cross_entropy_loss(logits.detach(), scales));
  }
  losses.monitored = options_.monitor == "restoration" ? restoration : losses.total;
  if (modality_module_) {
    if (options_.monitor ==
        "total") {  // equation 4 as printed, where L_adv is minus the cross-entropy
      losses.monitored =
          losses.monitored - adversary_.strength * cross_entropy(adversary.logits, is_ct);
    }
    losses.total = losses.total + adversary.term;
    const torch::Tensor logits = adversary.logits.detach();
    losses.metrics.emplace_back("modality_accuracy",
                                restoration_detail::accuracy((logits > 0) == (is_ct > 0)));
    losses.metrics.emplace_back("modality_cross_entropy",
                                torch::binary_cross_entropy_with_logits(logits, is_ct));
  }
  return losses;
}

RestorationTask::Adversary RestorationTask::play(const Features& features,
                                                 const torch::Tensor& is_ct,
                                                 const StepContext& context) {
  const auto on_taps = [&](auto&& change) {
    Features changed;
    for (std::size_t level = 0; level < features.size(); ++level) {
      changed[level] = change(features[level]);
    }
    return changed;
  };
  double strength = adversary_.strength;
  if (adversary_.ramp) {
    strength *= 2 / (1 + std::exp(-10 * context.progress)) - 1;
  }
  Adversary result;
  if (!context.training || adversary_.mode == AdversaryMode::reversal) {
    result.logits = discriminate(
        on_taps([&](const torch::Tensor& tap) { return reverse_gradient(tap, strength); }));
    result.term = cross_entropy(result.logits, is_ct);
    return result;
  }
  const Features detached = on_taps([](const torch::Tensor& tap) { return tap.detach(); });
  if (adversary_.mode == AdversaryMode::confusion) {
    result.logits = discriminate(detached);
    const torch::Tensor undecided = modality_loss(
        frozen(features), torch::full_like(is_ct, 0.5), /*per_domain=*/false, options_.reduction);
    result.term = cross_entropy(result.logits, is_ct) + strength * undecided;
    return result;
  }
  for (int step = 0; step < adversary_.discriminator_steps; ++step) {
    context.update_heads(cross_entropy(discriminate(detached), is_ct));
  }
  result.logits = frozen(features);
  result.term = -strength * cross_entropy(result.logits, is_ct);
  return result;
}

torch::Tensor RestorationTask::discriminate(const Features& features) {
  return modality_module_(features).to(torch::kFloat32);
}

torch::Tensor RestorationTask::cross_entropy(const torch::Tensor& logits,
                                             const torch::Tensor& is_ct) const {
  return modality_loss(logits, is_ct, adversary_.per_domain, options_.reduction);
}

torch::Tensor RestorationTask::frozen(const Features& features) {
  for (auto& parameter : modality_module_->parameters()) {
    parameter.requires_grad_(false);
  }
  const torch::Tensor logits = discriminate(features);
  for (auto& parameter : modality_module_->parameters()) {
    parameter.requires_grad_(true);
  }
  return logits;
}

std::vector<ParameterGroup> RestorationTask::parameter_groups(double /*network_rate*/) const {
  std::vector<ParameterGroup> groups;
  if (scale_module_) {
    groups.push_back({scale_module_->parameters(), scale_.learning_rate});
  }
  if (modality_module_) {
    groups.push_back({modality_module_->parameters(), adversary_.learning_rate});
  }
  return groups;
}

double RestorationTask::chance(std::string_view metric,
                               const CubeStore& cubes,
                               const std::vector<std::size_t>& indices,
                               std::size_t /*per_epoch*/) const {
  if (indices.empty()) {
    return -1;
  }
  if (metric == "restoration_mse") {
    return restoration_detail::voxelwise_error(cubes, indices, options_.transforms);
  }
  const bool modality = metric.substr(0, 8) == "modality";
  const std::vector<double> shares = restoration_detail::shares(cubes, indices, modality);
  const bool accuracy = metric.find("accuracy") != std::string_view::npos;
  return accuracy ? *std::max_element(shares.begin(), shares.end())
                  : restoration_detail::entropy(shares);
}

std::string RestorationTask::warning(const std::map<std::string, double>& metrics) const {
  if (!modality_module_) {
    return {};
  }
  // Far below chance the encoder fools M instead of confusing it; the bounds are those of toy runs.
  constexpr double kLeastAccuracy = 0.3;
  constexpr double kMostCrossEntropy = 1.5;
  const double accuracy = metrics.at("modality_accuracy");
  const double cross_entropy = metrics.at("modality_cross_entropy");
  if (accuracy >= kLeastAccuracy && cross_entropy <= kMostCrossEntropy) {
    return {};
  }
  return "the encoder fools the modality discriminator instead of confusing it (accuracy " +
         std::to_string(accuracy) + ", cross-entropy " + std::to_string(cross_entropy) +
         "); try mial.mode=confusion, mial.lambda_ramp=true or a smaller mial.lambda";
}

}  // namespace sar
