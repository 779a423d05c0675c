#include "harness/core/hash.h"
#include "harness/nn/torch/losses.h"
#include "harness/nn/torch/patches.h"
#include "harness/nn/torch/stage.h"
#include "harness/volume/resample.h"
#include "harness/volume/transforms.h"

#include <algorithm>
#include <map>
#include <memory>
#include <utility>

namespace sar {

float background_of(const Volume& image) {
  const Size3& n = image.geometry.size;
  const auto at = [&](int x, int y, int z) {
    const auto row =
        static_cast<std::size_t>(z) * static_cast<std::size_t>(n[1]) + static_cast<std::size_t>(y);
    return image.voxels[row * static_cast<std::size_t>(n[0]) + static_cast<std::size_t>(x)];
  };
  float least = at(0, 0, 0);
  for (const int x : {0, n[0] - 1}) {
    for (const int y : {0, n[1] - 1}) {
      for (const int z : {0, n[2] - 1}) {
        least = std::min(least, at(x, y, z));
      }
    }
  }
  return least;
}

ForegroundIndex foreground_index(const TaskCase& task_case, int classes) {
  const LabelMap& labels = *task_case.label;
  if (labels.geometry.size != task_case.image->geometry.size) {
    throw data_error("image and label differ in size")
        .with("case", task_case.id)
        .with("image", to_string(task_case.image->geometry.size))
        .with("label", to_string(labels.geometry.size));
  }
  const auto kinds = static_cast<std::size_t>(std::max(classes, 2));
  std::vector<std::vector<std::uint32_t>> lists(kinds);
  for (std::size_t i = 0; i < labels.voxels.size(); ++i) {
    const std::size_t label = classes == 1 ? std::size_t{labels.voxels[i] != 0} : labels.voxels[i];
    if (label >= kinds) {
      throw data_error("a label that the task does not have")
          .with("case", task_case.id)
          .with("label", std::to_string(label));
    }
    if (label > 0) {
      lists[label].push_back(static_cast<std::uint32_t>(i));
    }
  }
  ForegroundIndex index;
  for (auto& list : lists) {
    if (!list.empty()) {
      index.voxels.push_back(std::move(list));
    }
  }
  return index;
}

Box draw_patch(const Size3& image,
               const ForegroundIndex& foreground,
               const Size3& patch,
               double foreground_ratio,
               Rng& rng) {
  Box box{{}, patch};
  const bool centred = rng.chance(foreground_ratio) && !foreground.voxels.empty();
  std::uint32_t voxel = 0;
  if (centred) {
    const auto classes = static_cast<std::uint32_t>(foreground.voxels.size());
    const auto& list = foreground.voxels[rng.below(classes)];
    voxel = list[rng.below(static_cast<std::uint32_t>(list.size()))];
  }
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto length = static_cast<std::uint32_t>(image[axis]);
    const int room = image[axis] - patch[axis];
    const auto position = static_cast<int>(voxel % length);
    voxel /= length;
    if (room < 0) {
      box.origin[axis] = centred_start(image[axis], patch[axis]);
    } else if (centred) {
      box.origin[axis] = std::clamp(position - patch[axis] / 2, 0, room);
    } else {
      box.origin[axis] = rng.between(0, room);
    }
  }
  return box;
}

std::vector<std::int64_t> crop_labels(const LabelMap& labels, const Box& box, int classes) {
  const Size3& n = labels.geometry.size;
  std::vector<std::int64_t> values;
  values.reserve(count_voxels(box.size));
  for (int z = box.origin[2]; z < box.origin[2] + box.size[2]; ++z) {
    for (int y = box.origin[1]; y < box.origin[1] + box.size[1]; ++y) {
      const bool row_inside = z >= 0 && z < n[2] && y >= 0 && y < n[1];
      const auto row = (static_cast<std::size_t>(std::max(z, 0)) * static_cast<std::size_t>(n[1]) +
                        static_cast<std::size_t>(std::max(y, 0))) *
                       static_cast<std::size_t>(n[0]);
      for (int x = box.origin[0]; x < box.origin[0] + box.size[0]; ++x) {
        const bool inside = row_inside && x >= 0 && x < n[0];
        const std::int64_t label = inside ? labels.voxels[row + static_cast<std::size_t>(x)] : 0;
        values.push_back(classes == 1 ? std::int64_t{label != 0} : label);
      }
    }
  }
  return values;
}

namespace finetune_detail {

class FinetuneWork : public StageWork {
 public:
  FinetuneWork(const FinetuneJob& job, const Rng& rng, Network& network)
      : job_(job),
        rng_(rng),
        network_(network),
        patch_(job.settings->integers3("finetune.patch_voxels")),
        batch_size_(job.settings->integer("finetune.batch_size")),
        foreground_ratio_(job.settings->number("finetune.foreground_ratio")),
        flip_(job.settings->text("finetune.augmentation") == "flip"),
        loss_(job.settings->text(job.task + ".loss")),
        smooth_(job.settings->number("finetune.loss_smooth")),
        frozen_epochs_(job.settings->integer("finetune.frozen_epochs")),
        validation_patches_(static_cast<std::int64_t>(job.validation.size()) *
                            job.settings->integer("finetune.patches_per_case")) {}

  [[nodiscard]] std::int64_t validation_batches() const {
    return (validation_patches_ + batch_size_ - 1) / batch_size_;
  }

  Batch training_batch(int epoch, std::int64_t step) override {
    epoch_ = epoch;
    Patches patches;
    for (std::int64_t slot = 0; slot < batch_size_; ++slot) {
      const std::string& id = training_case(epoch, step * batch_size_ + slot);
      patches.add(sample(id, index(epoch), index(step), index(slot), flip_));
    }
    return patches.batch(patch_);
  }

  /// Validation sees the same patches every time: those of epoch 0, `finetune.patches_per_case` of
  /// each case, drawn by the rule of training and never flipped.
  Batch validation_batch(std::int64_t number) override {
    Patches patches;
    const std::int64_t begin = number * batch_size_;
    const std::int64_t end = std::min(begin + batch_size_, validation_patches_);
    const auto cases = static_cast<std::int64_t>(job_.validation.size());
    for (std::int64_t i = begin; i < end; ++i) {
      const std::string& id = job_.validation[static_cast<std::size_t>(i % cases)];
      patches.add(sample(id, 0, index(number), index(i - begin), false));
    }
    return patches.batch(patch_);
  }

  Losses losses(const std::vector<torch::Tensor>& tensors, const StepContext& context) override {
    const bool frozen = context.training && epoch_ <= frozen_epochs_;
    const torch::Tensor logits =
        frozen ? network_.forward_to_head(tensors[0]) : network_.forward(tensors[0]);
    Losses losses;
    losses.total = dice_loss(loss_, logits, tensors[1], smooth_);
    losses.monitored = losses.total;
    return losses;
  }

 private:
  struct Sample {
    Block image;
    std::vector<std::int64_t> labels;
  };

  struct Patches {
    std::vector<Block> images;
    std::vector<std::int64_t> labels;

    void add(Sample sample) {
      images.push_back(std::move(sample.image));
      labels.insert(labels.end(), sample.labels.begin(), sample.labels.end());
    }
    [[nodiscard]] Batch batch(const Size3& size) const {
      const auto n = static_cast<std::int64_t>(images.size());
      torch::Tensor truth = torch::empty({n, size[2], size[1], size[0]}, torch::kInt64);
      std::copy(labels.begin(), labels.end(), truth.data_ptr<std::int64_t>());
      return {{tensor_of(images), truth}, n};
    }
  };

  static std::uint64_t index(std::int64_t number) { return static_cast<std::uint64_t>(number); }

  /// Cases come round by round, each round a fresh shuffle, so that an epoch uses all of them
  /// equally often (but for one) whatever its number of steps.
  const std::string& training_case(int epoch, std::int64_t position) {
    const auto count = job_.train.size();
    const std::uint64_t round = index(position) / count;
    if (std::pair(epoch, round) != shuffled_) {
      order_ = rng_.at(purpose::order, {index(epoch), round})
                   .permutation(static_cast<std::uint32_t>(count));
      shuffled_ = {epoch, round};
    }
    return job_.train[order_[index(position) % count]];
  }

  Sample sample(const std::string& id,
                std::uint64_t epoch,
                std::uint64_t step,
                std::uint64_t slot,
                bool flipped) {
    const TaskCase task_case = job_.load(id);
    auto found = foreground_.find(id);
    if (found == foreground_.end()) {
      found = foreground_.emplace(id, foreground_index(task_case, job_.classes)).first;
    }
    Rng rng = rng_.at(purpose::patch, {epoch, step, slot});
    const Box box =
        draw_patch(task_case.image->geometry.size, found->second, patch_, foreground_ratio_, rng);
    Sample sample{crop(*task_case.image, box, background_of(*task_case.image)),
                  crop_labels(*task_case.label, box, job_.classes)};
    if (flipped) {
      Rng augment = rng_.at(purpose::augment, {epoch, step, slot});
      flip_randomly(sample, augment);
    }
    return sample;
  }

  /// Each axis with probability one half, image and labels alike.
  void flip_randomly(Sample& sample, Rng& rng) const {
    const bool x = rng.chance(0.5);
    const bool y = rng.chance(0.5);
    const bool z = rng.chance(0.5);
    flip(sample.image, x, y, z);
    Block labels{patch_, {sample.labels.begin(), sample.labels.end()}};
    flip(labels, x, y, z);
    std::transform(
        labels.values.begin(), labels.values.end(), sample.labels.begin(), [](float value) {
          return static_cast<std::int64_t>(value);
        });
  }

  const FinetuneJob& job_;
  const Rng& rng_;
  Network& network_;
  Size3 patch_;
  std::int64_t batch_size_;
  double foreground_ratio_;
  bool flip_;
  std::string loss_;
  double smooth_;
  int frozen_epochs_;
  int epoch_ = 0;  ///< of the last training batch
  std::int64_t validation_patches_;
  std::pair<int, std::uint64_t> shuffled_{-1, 0};
  std::vector<std::uint32_t> order_;
  std::map<std::string, ForegroundIndex> foreground_;
};

Json identity(const FinetuneJob& job) {
  return {
      {"stage", "finetune"},
      {"numerics_version", kNumericsVersion},
      {"settings",
       job.settings->subset(
           {"network", "finetune", "schedule", job.task, "compute.precision", "compute.threads"})},
      {"task", job.task},
      {"classes", job.classes},
      {"transfer", to_string(job.transfer)},
      {"initial_weights", job.initial_weights.empty() ? "" : sha256_of_file(job.initial_weights)},
      {"seed", job.seed},
      {"train", job.train},
      {"validation", job.validation},
      {"steps_per_epoch", job.steps_per_epoch},
      {"precision", job.compute.precision},
      {"threads", job.compute.threads}};
}

void start_from(const FinetuneJob& job, Network& network, const StageEvents& events) {
  if (job.transfer == Transfer::none || job.initial_weights.empty()) {
    return;
  }
  const TensorMap weights = read_tensors(job.initial_weights);
  try {
    transfer_weights(weights, job.transfer, network);
    if (job.settings->flag("finetune.reset_head")) {
      return;
    }
    if (job.transfer == Transfer::encoder_and_decoder && job.classes == 1) {
      static constexpr std::string_view kHead[] = {"head."};
      copy_tensors(weights, network, kHead);
    } else if (events.warn) {
      events.warn(
          "finetune.reset_head=false has no effect: the pre-trained head does not fit this task");
    }
  } catch (Error& error) {
    throw error.with("file", job.initial_weights.string());
  }
}

/// One group, as the paper has it; with a head that learns at a rate of its own, two.
std::vector<ParameterGroup> parameter_groups(const Settings& settings, const Network& network) {
  const double rate = settings.number("finetune.learning_rate");
  const double factor = settings.number("finetune.head_rate_factor");
  if (factor == 1) {
    return {{network.parameters(), rate}};
  }
  std::vector<torch::Tensor> body = network.encoder->parameters();
  const std::vector<torch::Tensor> decoder = network.decoder->parameters();
  body.insert(body.end(), decoder.begin(), decoder.end());
  return {{body, rate}, {network.head->parameters(), rate * factor}};
}

StageResult run(const FinetuneJob& job, const StageEvents& events) {
  const Settings& settings = *job.settings;
  if (job.train.empty()) {
    throw data_error("fine-tuning needs at least one training case").with("task", job.task);
  }
  check_sides(settings.integers3("finetune.patch_voxels"), "finetune.patch_voxels");
  configure_compute(job.compute);
  const torch::Device device = device_of(job.compute);
  const Rng rng(job.seed);

  Network network(unet_options(settings, job.classes), rng);
  start_from(job, network, events);
  network.to(device);
  const auto optimizer = make_optimizer("adam", parameter_groups(settings, network), 0, 0);

  FinetuneWork work(job, rng, network);
  StagePlan plan;
  plan.name = "fine-tuning";
  plan.job = identity(job);
  plan.seed = job.seed;
  plan.max_epochs = settings.integer("finetune.max_epochs");
  plan.patience = settings.integer("finetune.patience");
  plan.steps_per_epoch = job.steps_per_epoch;
  plan.validation_batches = work.validation_batches();
  plan.schedule = schedule_options(settings, "finetune");
  plan.keep_last = settings.text("finetune.kept_epoch") == "last";
  plan.cosine = settings.text("schedule.finetune_decay") == "cosine";
  plan.checkpoint_seconds = settings.number("compute.checkpoint_seconds");
  plan.compute = job.compute;
  plan.checkpoint = job.checkpoint;
  plan.weights = job.weights;
  return run_stage(plan, work, network, nullptr, *optimizer, events);
}

}  // namespace finetune_detail

StageResult finetune(const FinetuneJob& job, const StageEvents& events) {
  return with_torch_errors("fine-tuning on " + job.task,
                           [&] { return finetune_detail::run(job, events); });
}

}  // namespace sar
