#include "harness/nn/torch/stage.h"

#include <algorithm>
#include <memory>
#include <utility>

namespace sar {
namespace pretrain_detail {

constexpr std::uint64_t kProxyHeadStream = 3;  // 0..2 are the parts of the network

/// Cuts a list of training samples into batches; a last batch of one is dropped, because BatchNorm
/// and the two-domain losses need at least two.
std::int64_t count_batches(std::size_t samples, std::size_t batch_size) {
  const std::size_t rest = samples % batch_size;
  return static_cast<std::int64_t>(samples / batch_size + (rest >= 2 ? 1 : 0));
}

class PretrainWork : public StageWork {
 public:
  PretrainWork(const PretrainJob& job, const Rng& rng, Network& network, ProxyTask& task)
      : job_(job),
        rng_(rng),
        network_(network),
        task_(task),
        batch_size_(static_cast<std::size_t>(job.settings->integer("pretrain.batch_size"))) {
    const auto cap = static_cast<std::size_t>(job.settings->integer("pretrain.epoch_cubes"));
    epoch_cubes_ = cap == 0 ? job.train.size() : std::min(cap, job.train.size());
  }

  [[nodiscard]] std::int64_t steps() const { return count_batches(epoch_cubes_, batch_size_); }
  [[nodiscard]] std::int64_t validation_batches() const {
    const std::size_t count = job_.validation.size();
    return static_cast<std::int64_t>((count + batch_size_ - 1) / batch_size_);
  }

  Batch training_batch(int epoch, std::int64_t step) override {
    if (epoch != shuffled_epoch_) {
      order_ = rng_.at(purpose::order, {static_cast<std::uint64_t>(epoch)})
                   .permutation(static_cast<std::uint32_t>(job_.train.size()));
      shuffled_epoch_ = epoch;
    }
    const std::size_t begin = static_cast<std::size_t>(step) * batch_size_;
    const std::size_t end = std::min(begin + batch_size_, epoch_cubes_);
    std::vector<std::size_t> indices;
    for (std::size_t i = begin; i < end; ++i) {
      indices.push_back(job_.train[order_[i]]);
    }
    return prepared(epoch, std::move(indices));
  }

  Batch validation_batch(std::int64_t index) override {
    const std::size_t begin = static_cast<std::size_t>(index) * batch_size_;
    const std::size_t end = std::min(begin + batch_size_, job_.validation.size());
    return prepared(0,
                    {job_.validation.begin() + static_cast<std::ptrdiff_t>(begin),
                     job_.validation.begin() + static_cast<std::ptrdiff_t>(end)});
  }

  Losses losses(const std::vector<torch::Tensor>& tensors, const StepContext& context) override {
    return task_.losses(network_, tensors, context);
  }

  [[nodiscard]] double chance(std::string_view metric, bool training) const override {
    const std::size_t dropped = epoch_cubes_ % batch_size_ == 1 ? 1 : 0;
    return training ? task_.chance(metric, *job_.cubes, job_.train, epoch_cubes_ - dropped)
                    : task_.chance(metric, *job_.cubes, job_.validation, job_.validation.size());
  }

  [[nodiscard]] std::string warning(const std::map<std::string, double>& metrics) const override {
    return task_.warning(metrics);
  }

 private:
  Batch prepared(int epoch, std::vector<std::size_t> indices) const {
    const ProxyBatch batch{*job_.cubes, rng_, epoch, std::move(indices)};
    return {task_.prepare(batch), static_cast<std::int64_t>(batch.size())};
  }

  const PretrainJob& job_;
  const Rng& rng_;
  Network& network_;
  ProxyTask& task_;
  std::size_t batch_size_;
  std::size_t epoch_cubes_ = 0;
  int shuffled_epoch_ = 0;
  std::vector<std::uint32_t> order_;
};

Json identity(const PretrainJob& job) {
  std::vector<std::string> sections{"network",
                                    "cubes",
                                    "preprocess",
                                    "transform",
                                    "pretrain",
                                    "optimizer",
                                    "schedule",
                                    "compute.precision",
                                    "compute.threads"};
  sections.insert(sections.end(), job.method->sections.begin(), job.method->sections.end());
  return {{"stage", "pretrain"},
          {"numerics_version", kNumericsVersion},
          {"method", job.method->id},
          {"settings", job.settings->subset(sections)},
          {"seed", job.seed},
          {"cubes", job.cubes->size()},
          {"shape", job.cubes->shape()},
          {"train", job.train},
          {"validation", job.validation},
          {"precision", job.compute.precision},
          {"threads", job.compute.threads}};
}

StageResult run(const PretrainJob& job, const StageEvents& events) {
  const Settings& settings = *job.settings;
  if (!job.method->make_task) {
    throw internal_error("this method has no pre-training").with("method", job.method->id);
  }
  check_sides(job.cubes->shape(), "cubes.shape_voxels");
  configure_compute(job.compute);
  const torch::Device device = device_of(job.compute);
  const Rng rng(job.seed);

  Network network(unet_options(settings, /*classes=*/1), rng);
  std::shared_ptr<ProxyTask> task;
  {
    const TorchSeedScope seed(rng.at(purpose::initialisation, {kProxyHeadStream}));
    task = job.method->make_task(settings, network);
  }
  network.to(device);
  task->to(device);
  const OptimizerChoice choice = job.method->optimizer
                                     ? job.method->optimizer(settings)
                                     : OptimizerChoice{settings.text("optimizer.name"),
                                                       settings.number("optimizer.learning_rate")};
  std::vector<ParameterGroup> groups{{network.parameters(), choice.learning_rate}};
  for (ParameterGroup& group : task->parameter_groups(choice.learning_rate)) {
    if (!group.parameters.empty()) {
      groups.push_back(std::move(group));
    }
  }
  const auto optimizer = make_optimizer(choice.name,
                                        groups,
                                        settings.number("optimizer.momentum"),
                                        settings.number("optimizer.weight_decay"));

  PretrainWork work(job, rng, network, *task);
  StagePlan plan;
  plan.name = "pre-training";
  plan.job = identity(job);
  plan.seed = job.seed;
  plan.max_epochs = settings.integer("pretrain.max_epochs");
  plan.patience = settings.integer("pretrain.patience");
  plan.steps_per_epoch = work.steps();
  plan.validation_batches = work.validation_batches();
  plan.schedule = schedule_options(settings, "pretrain");
  plan.cosine = settings.text("schedule.pretrain_decay") == "cosine";
  plan.clip_norm = settings.number("optimizer.clip_norm");
  plan.checkpoint_seconds = settings.number("compute.checkpoint_seconds");
  plan.compute = job.compute;
  plan.checkpoint = job.checkpoint;
  plan.weights = job.weights;
  if (plan.steps_per_epoch == 0) {
    throw data_error("pre-training needs at least two cubes")
        .with("training cubes", std::to_string(job.train.size()));
  }
  const StageResult result = run_stage(plan, work, network, task.get(), *optimizer, events);
  if (const TensorMap record = task->record(); !record.empty()) {
    TensorMap kept = read_tensors(job.weights);
    for (const auto& [name, tensor] : record) {
      kept["proxy." + name] = tensor.cpu();
    }
    write_tensors(job.weights, kept);
  }
  return result;
}

}  // namespace pretrain_detail

void check_pretraining(const Method& method, Json resolved) {
  if (!method.make_task) {
    return;
  }
  with_torch_errors("checking " + method.id, [&] {
    resolved["network.base_channels"] = 1;
    const Settings settings = Settings::from_resolved(resolved);
    const Network network(unet_options(settings, /*classes=*/1), Rng(0));
    static_cast<void>(method.make_task(settings, network));
  });
}

StageResult pretrain(const PretrainJob& job, const StageEvents& events) {
  return with_torch_errors("pre-training " + job.method->id,
                           [&] { return pretrain_detail::run(job, events); });
}

}  // namespace sar
