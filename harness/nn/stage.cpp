#include "harness/nn/torch/stage.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/nn/torch/flop_counter.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <optional>
#include <sstream>
#include <utility>

#if __has_include(<c10/core/CachingDeviceAllocator.h>)
#include <c10/core/CachingDeviceAllocator.h>
#endif

namespace sar {
namespace stage_detail {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Between checkpoints inside an epoch, in seconds: long epochs lose little to a crash.
constexpr double kLongestUnsaved = 600;
constexpr std::string_view kMagic = "sar-bench checkpoint 1\n";

/// Sums over the batches of one pass over the data.
struct Totals {
  double loss = 0;  ///< of the monitored loss, weighted by samples
  std::int64_t samples = 0;
  std::map<std::string, double> metrics;

  void add(double value, std::int64_t count) {
    loss += value * static_cast<double>(count);
    samples += count;
  }
  [[nodiscard]] double mean(double sum) const { return sum / static_cast<double>(samples); }
};

void to_json(Json& json, const Totals& totals) {
  json = {{"loss", totals.loss}, {"samples", totals.samples}, {"metrics", totals.metrics}};
}

void from_json(const Json& json, Totals& totals) {
  json.at("loss").get_to(totals.loss);
  json.at("samples").get_to(totals.samples);
  json.at("metrics").get_to(totals.metrics);
}

/// All of a stage's state but tensors and rows.
struct State {
  int epoch = 1;                ///< the one that is running
  std::int64_t epoch_step = 0;  ///< steps done in it
  std::int64_t steps = 0;       ///< steps done in all
  double seconds = 0;
  double step_seconds = 0;
  double data_seconds = 0;
  std::int64_t samples = 0;
  std::optional<double> flops = 0;  ///< of all training steps; empty: some were not counted
  double last_loss = 0;
  double best_loss = 0;
  int best_epoch = 0;  ///< 0: none yet
  PlateauSchedule::State schedule;
  Totals totals;  ///< of the running epoch
  bool finished = false;
};

Json to_json_text(const State& state) {
  return {{"epoch", state.epoch},
          {"epoch_step", state.epoch_step},
          {"steps", state.steps},
          {"seconds", state.seconds},
          {"step_seconds", state.step_seconds},
          {"data_seconds", state.data_seconds},
          {"samples", state.samples},
          {"flops", state.flops ? Json(*state.flops) : Json()},
          {"last_loss", state.last_loss},
          {"best_loss", state.best_loss},
          {"best_epoch", state.best_epoch},
          {"schedule_best", state.schedule.best},
          {"schedule_has_best", state.schedule.has_best},
          {"schedule_bad_epochs", state.schedule.bad_epochs},
          {"totals", state.totals},
          {"finished", state.finished}};
}

State state_from_json(const Json& json) {
  State state;
  json.at("epoch").get_to(state.epoch);
  json.at("epoch_step").get_to(state.epoch_step);
  json.at("steps").get_to(state.steps);
  json.at("seconds").get_to(state.seconds);
  json.at("step_seconds").get_to(state.step_seconds);
  json.at("data_seconds").get_to(state.data_seconds);
  json.at("samples").get_to(state.samples);
  // A checkpoint of a version that did not count has none.
  const Json flops = json.value("flops", Json());
  state.flops = flops.is_number() ? std::optional<double>(flops) : std::nullopt;
  json.at("last_loss").get_to(state.last_loss);
  json.at("best_loss").get_to(state.best_loss);
  json.at("best_epoch").get_to(state.best_epoch);
  json.at("schedule_best").get_to(state.schedule.best);
  json.at("schedule_has_best").get_to(state.schedule.has_best);
  json.at("schedule_bad_epochs").get_to(state.schedule.bad_epochs);
  json.at("totals").get_to(state.totals);
  json.at("finished").get_to(state.finished);
  return state;
}

torch::Tensor bytes_tensor(const std::string& text) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(text.size())}, torch::kUInt8);
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(tensor.data_ptr<std::uint8_t>()));
  return tensor;
}

std::string text_of(const torch::Tensor& tensor) {
  const auto* data = reinterpret_cast<const char*>(tensor.data_ptr<std::uint8_t>());
  return {data, static_cast<std::size_t>(tensor.numel())};
}

/// Loss rows as numbers: checkpoints of long runs hold hundreds of thousands.
torch::Tensor rows_tensor(const std::vector<LossRow>& rows) {
  torch::Tensor tensor = torch::empty({static_cast<std::int64_t>(rows.size()), 6}, torch::kFloat64);
  double* to = tensor.data_ptr<double>();
  for (const LossRow& row : rows) {
    *to++ = static_cast<double>(row.step);
    *to++ = row.epoch;
    *to++ = row.split == "val" ? 1 : 0;
    *to++ = row.loss;
    *to++ = row.learning_rate;
    *to++ = row.seconds;
  }
  return tensor;
}

std::vector<LossRow> rows_from(const torch::Tensor& tensor) {
  std::vector<LossRow> rows(static_cast<std::size_t>(tensor.size(0)));
  const double* from = tensor.data_ptr<double>();
  for (LossRow& row : rows) {
    row.step = static_cast<std::int64_t>(from[0]);
    row.epoch = static_cast<int>(from[1]);
    row.split = from[2] > 0 ? "val" : "train";
    row.loss = from[3];
    row.learning_rate = from[4];
    row.seconds = from[5];
    from += 6;
  }
  return rows;
}

Json to_json_text(const std::vector<MetricRow>& rows) {
  Json list = Json::array();
  for (const MetricRow& row : rows) {
    list.push_back({row.epoch, row.split, row.name, row.value, row.chance});
  }
  return list;
}

std::vector<MetricRow> metrics_from(const Json& list) {
  std::vector<MetricRow> rows;
  for (const Json& entry : list) {
    rows.push_back({entry.at(0), entry.at(1), entry.at(2), entry.at(3), entry.at(4)});
  }
  return rows;
}

double peak_gpu_mb([[maybe_unused]] torch::Device device) {
#if __has_include(<c10/core/CachingDeviceAllocator.h>) && \
    (TORCH_VERSION_MAJOR > 2 || (TORCH_VERSION_MAJOR == 2 && TORCH_VERSION_MINOR >= 9))
  if (device.is_cuda()) {
    const auto stats = at::getDeviceAllocator(device.type())->getDeviceStats(device.index());
    return static_cast<double>(stats.allocated_bytes[0].peak) / (1024.0 * 1024.0);
  }
#endif
  return 0;
}

class Training {
 public:
  Training(const StagePlan& plan,
           StageWork& work,
           Network& network,
           torch::nn::Module* heads,
           torch::optim::Optimizer& optimizer,
           const StageEvents& events)
      : plan_(plan),
        work_(work),
        network_(network),
        heads_(heads),
        optimizer_(optimizer),
        events_(events),
        device_(device_of(plan.compute)),
        rng_(plan.seed),
        fingerprint_(content_key(plan.job)),
        schedule_(plan.schedule) {
    for (const auto& group : optimizer.param_groups()) {
      initial_rates_.push_back(group.options().get_lr());
    }
  }

  StageResult run() {
    resume();
    while (!state_.finished) {
      while (state_.epoch_step < plan_.steps_per_epoch) {
        step();
      }
      finish_epoch();
    }
    check_finite_weights();
    write_tensors(plan_.weights, best_.empty() ? cloned(named_tensors(network_)) : best_);
    return result();
  }

 private:
  struct Values {
    double total = 0;
    double monitored = 0;
    std::vector<double> metrics;
  };

  void step() {
    stop_if_asked();
    const auto start = Clock::now();
    Batch batch = work_.training_batch(state_.epoch, state_.epoch_step);
    to_device(batch);
    const double waited = seconds_since(start);

    set_training(true);
    if (plan_.cosine) {
      follow_cosine();
    }
    const FlopCounter flops;
    const Losses losses = [&] {
      // Dropout draws from LibTorch's generator; keyed by epoch and step, a resumed run draws the
      // same.
      const TorchSeedScope dropout(
          rng_.at(purpose::dropout, {index(state_.epoch), index(state_.epoch_step)}), device_);
      const AutocastScope autocast(plan_.compute.precision == "bf16", device_);
      return work_.losses(batch.tensors, context(true));
    }();
    descend(losses.total);
    const Values values = read(losses);  // waits for the device
    if (state_.flops) {
      *state_.flops += flops.count();
    }
    ++state_.steps;
    if (!std::isfinite(values.total) || !std::isfinite(values.monitored)) {
      throw diverged("the training loss");
    }
    state_.last_loss = values.monitored;
    accumulate(state_.totals, losses, values, batch.samples);
    state_.samples += batch.samples;
    state_.data_seconds += waited;
    state_.step_seconds += seconds_since(start);
    rows_.push_back(
        {state_.steps, state_.epoch, "train", values.monitored, learning_rate(), seconds()});
    ++state_.epoch_step;
    if (events_.progress) {
      events_.progress(state_.steps, plan_.max_epochs * plan_.steps_per_epoch);
    }
    if (seconds_since(last_save_) > std::max(plan_.checkpoint_seconds, kLongestUnsaved)) {
      save();
    }
  }

  void finish_epoch() {
    std::optional<Totals> validation;
    if (plan_.validation_batches > 0) {
      validation =
          validate();  // may be interrupted: nothing of this epoch's end is recorded before
    }
    push_metrics(state_.totals, true);
    bool stop_early = false;
    if (validation) {
      const double loss = validation->mean(validation->loss);
      if (!std::isfinite(loss)) {
        throw diverged("the validation loss");
      }
      rows_.push_back({state_.steps, state_.epoch, "val", loss, learning_rate(), seconds()});
      push_metrics(*validation, false);
      if (plan_.keep_last || state_.best_epoch == 0 || loss < state_.best_loss) {
        state_.best_loss = loss;
        state_.best_epoch = state_.epoch;
        best_ = cloned(named_tensors(network_));
      }
      if (!plan_.cosine) {
        scale_learning_rates(schedule_.observe(loss, learning_rate()));
      }
      stop_early = state_.epoch - state_.best_epoch >= plan_.patience;
    } else {
      state_.best_epoch = state_.epoch;
    }
    warn_once();
    state_.finished = stop_early || state_.epoch >= plan_.max_epochs;
    if (!state_.finished) {
      ++state_.epoch;
      state_.epoch_step = 0;
      state_.totals = {};
    }
    ++complete_epochs_;
    if (state_.finished || seconds_since(last_save_) >= plan_.checkpoint_seconds) {
      save();
    }
  }

  Totals validate() {
    set_training(false);
    const torch::NoGradGuard no_grad;
    Totals totals;
    for (std::int64_t i = 0; i < plan_.validation_batches; ++i) {
      stop_if_asked();
      Batch batch = work_.validation_batch(i);
      to_device(batch);
      const AutocastScope autocast(plan_.compute.precision == "bf16", device_);
      const Losses losses = work_.losses(batch.tensors, context(false));
      accumulate(totals, losses, read(losses), batch.samples);
    }
    return totals;
  }

  StepContext context(bool training) {
    StepContext context;
    context.training = training;
    context.progress = static_cast<double>(state_.steps) /
                       static_cast<double>(plan_.max_epochs * plan_.steps_per_epoch);
    if (training) {
      context.update_heads = [this](const torch::Tensor& loss) {
        // Backward passes run outside autocast, which chooses types in forward passes only.
        const c10::impl::ExcludeDispatchKeyGuard no_autocast(c10::autocast_dispatch_keyset);
        descend(loss);
      };
    }
    return context;
  }

  void descend(const torch::Tensor& loss) {
    drop_gradients();
    loss.backward();
    if (plan_.clip_norm > 0) {
      std::vector<torch::Tensor> parameters;
      for (const auto& group : optimizer_.param_groups()) {
        parameters.insert(parameters.end(), group.params().begin(), group.params().end());
      }
      torch::nn::utils::clip_grad_norm_(parameters, plan_.clip_norm);
    }
    optimizer_.step();
    drop_gradients();
  }

  /// Gradients are removed, not zeroed: parameters that a loss does not reach are left alone by the
  /// optimiser.
  void drop_gradients() {
    for (auto& group : optimizer_.param_groups()) {
      for (auto& parameter : group.params()) {
        parameter.mutable_grad() = torch::Tensor();
      }
    }
  }

  /// One transfer from the device for all numbers of a batch.
  static Values read(const Losses& losses) {
    std::vector<torch::Tensor> scalars{losses.total.detach(), losses.monitored.detach()};
    for (const auto& metric : losses.metrics) {
      scalars.push_back(metric.second.detach());
    }
    const torch::Tensor stacked = torch::stack(scalars).cpu().to(torch::kFloat64);
    const double* from = stacked.data_ptr<double>();
    return {from[0], from[1], {from + 2, from + stacked.numel()}};
  }

  static void accumulate(Totals& totals,
                         const Losses& losses,
                         const Values& values,
                         std::int64_t samples) {
    totals.add(values.monitored, samples);
    for (std::size_t i = 0; i < values.metrics.size(); ++i) {
      totals.metrics[losses.metrics[i].first] += values.metrics[i] * static_cast<double>(samples);
    }
  }

  void push_metrics(const Totals& totals, bool training) {
    for (const auto& [name, sum] : totals.metrics) {
      metrics_.push_back({state_.epoch,
                          training ? "train" : "val",
                          name,
                          totals.mean(sum),
                          work_.chance(name, training)});
    }
  }

  void warn_once() {
    if (warned_ || !events_.warn) {
      return;
    }
    std::map<std::string, double> means;
    for (const auto& [name, sum] : state_.totals.metrics) {
      means[name] = state_.totals.mean(sum);
    }
    const std::string text = work_.warning(means);
    if (!text.empty()) {
      warned_ = true;
      events_.warn(plan_.name + ", epoch " + std::to_string(state_.epoch) + ": " + text);
    }
  }

  void scale_learning_rates(double factor) {
    for (auto& group : optimizer_.param_groups()) {
      group.options().set_lr(group.options().get_lr() * factor);
    }
  }

  /// Rates of the step to come: from the initial ones at the first step to 0 after the last.
  void follow_cosine() {
    const double done = static_cast<double>(state_.steps) /
                        static_cast<double>(plan_.max_epochs * plan_.steps_per_epoch);
    const double share = (1 + std::cos(std::acos(-1.0) * done)) / 2;
    auto& groups = optimizer_.param_groups();
    for (std::size_t i = 0; i < groups.size(); ++i) {
      groups[i].options().set_lr(initial_rates_[i] * share);
    }
  }

  [[nodiscard]] double learning_rate() const {
    return optimizer_.param_groups().front().options().get_lr();
  }

  void set_training(bool training) {
    network_.train(training);
    if (heads_ != nullptr) {
      heads_->train(training);
    }
  }

  void to_device(Batch& batch) const {
    for (torch::Tensor& tensor : batch.tensors) {
      tensor = tensor.to(device_);
    }
  }

  static std::uint64_t index(std::int64_t number) { return static_cast<std::uint64_t>(number); }

  [[nodiscard]] double seconds() const { return state_.seconds + seconds_since(start_); }

  [[nodiscard]] Error diverged(const std::string& what) const {
    return internal_error("diverged: " + what + " is not finite")
        .with("stage", plan_.name)
        .with("step", std::to_string(state_.steps))
        .with("last finite loss", state_.steps > 1 ? std::to_string(state_.last_loss) : "none")
        .hint("lower the learning rate or set optimizer.clip_norm");
  }

  void check_finite_weights() const {
    for (const auto& item : network_.named_parameters()) {
      if (!torch::isfinite(item.value()).all().item<bool>()) {
        throw diverged("the weight '" + item.key() + "'");
      }
    }
  }

  void stop_if_asked() {
    if (events_.stop && events_.stop()) {
      save();
      throw Error(ExitCode::interrupted, plan_.name + " was interrupted; its state is saved")
          .with("step", std::to_string(state_.steps))
          .with("checkpoint", plan_.checkpoint.string())
          .hint("run again to resume");
    }
  }

  // Checkpoints ---------------------------------------------------------------------------------

  [[nodiscard]] std::vector<std::pair<std::string, torch::nn::Module*>> modules() const {
    std::vector<std::pair<std::string, torch::nn::Module*>> list{{"network.", &network_}};
    if (heads_ != nullptr) {
      list.emplace_back("heads.", heads_);
    }
    return list;
  }

  /// Writes all that a resume needs, then hands out the rows that are now safe.
  void save() {
    state_.schedule = schedule_.state();
    State state = state_;
    state.seconds = seconds();

    TensorMap tensors;
    for (const auto& [prefix, module] : modules()) {
      for (const auto& [name, tensor] : named_tensors(*module)) {
        tensors.emplace(prefix + name, tensor);
      }
    }
    for (const auto& [name, tensor] : best_) {
      tensors.emplace("best." + name, tensor);
    }
    std::ostringstream optimizer;
    torch::save(optimizer_, optimizer);
    tensors.emplace("optimizer", bytes_tensor(optimizer.str()));
    std::vector<double> rates;
    for (const auto& group : optimizer_.param_groups()) {
      rates.push_back(group.options().get_lr());
    }
    tensors.emplace("rows", rows_tensor(rows_));
    const Json header{{"fingerprint", fingerprint_},
                      {"state", to_json_text(state)},
                      {"learning_rates", rates},
                      {"metrics", to_json_text(metrics_)}};
    tensors.emplace("header", bytes_tensor(header.dump()));

    const std::string body = tensors_to_bytes(tensors);
    std::string file(kMagic);
    file += sha256(body) + "\n";
    file += body;
    write_file_atomically(plan_.checkpoint, std::string_view(file));
    last_save_ = Clock::now();
    emit_rows();
  }

  void emit_rows() {
    while (emitted_epochs_ < complete_epochs_) {
      ++emitted_epochs_;
      if (!events_.rows) {
        continue;
      }
      std::vector<LossRow> losses;
      std::copy_if(rows_.begin(), rows_.end(), std::back_inserter(losses), [&](const LossRow& row) {
        return row.epoch == emitted_epochs_;
      });
      std::vector<MetricRow> metrics;
      std::copy_if(
          metrics_.begin(), metrics_.end(), std::back_inserter(metrics), [&](const MetricRow& row) {
            return row.epoch == emitted_epochs_;
          });
      events_.rows(losses, metrics);
    }
  }

  void resume() {
    std::error_code ignored;
    if (!std::filesystem::exists(plan_.checkpoint, ignored)) {
      return;
    }
    try {
      restore(load());
    } catch (const Error& error) {
      if (error.code() != ExitCode::data_invalid) {
        throw;
      }
      if (events_.warn) {
        events_.warn(plan_.name + " starts over: " + error.what());
      }
      return;
    }
    emit_rows();
  }

  /// The tensors of the checkpoint. Throws Error 65 if it is damaged or belongs to another job.
  [[nodiscard]] TensorMap load() const {
    constexpr std::size_t kHash = 64;
    const std::string file = read_file(plan_.checkpoint);
    const auto fault = [&](const std::string& what) {
      return data_error("the checkpoint " + what).with("file", plan_.checkpoint.string());
    };
    const std::size_t begin = kMagic.size() + kHash + 1;
    if (file.size() < begin || file.compare(0, kMagic.size(), kMagic) != 0) {
      throw fault("is damaged");
    }
    const std::string_view body = std::string_view(file).substr(begin);
    if (file.compare(kMagic.size(), kHash, sha256(body)) != 0) {
      throw fault("is damaged");
    }
    TensorMap tensors = tensors_from_bytes(body);
    const Json header = Json::parse(text_of(tensors.at("header")));
    if (header.at("fingerprint") != fingerprint_) {
      throw fault("belongs to another job");
    }
    return tensors;
  }

  void restore(const TensorMap& tensors) {
    const Json header = Json::parse(text_of(tensors.at("header")));
    for (const auto& [prefix, module] : modules()) {
      TensorMap own;
      for (const auto& [name, tensor] : tensors) {
        if (name.compare(0, prefix.size(), prefix) == 0) {
          own.emplace(name.substr(prefix.size()), tensor);
        }
      }
      static constexpr std::string_view kAll[] = {""};
      copy_tensors(own, *module, kAll);
    }
    constexpr std::string_view kBest = "best.";
    for (const auto& [name, tensor] : tensors) {
      if (name.compare(0, kBest.size(), kBest) == 0) {
        best_.emplace(name.substr(kBest.size()), tensor);
      }
    }
    std::istringstream optimizer(text_of(tensors.at("optimizer")));
    torch::load(optimizer_, optimizer, device_);  // whichever device it was written under
    const std::vector<double> rates = header.at("learning_rates");
    for (std::size_t i = 0; i < rates.size(); ++i) {
      optimizer_.param_groups()[i].options().set_lr(rates[i]);
    }
    rows_ = rows_from(tensors.at("rows"));
    metrics_ = metrics_from(header.at("metrics"));
    state_ = state_from_json(header.at("state"));
    schedule_.restore(state_.schedule);
    complete_epochs_ = state_.finished ? state_.epoch : state_.epoch - 1;
  }

  [[nodiscard]] StageResult result() const {
    StageResult result;
    result.weights = plan_.weights;
    result.steps = state_.steps;
    result.samples = state_.samples;
    result.flops = state_.flops;
    result.epochs = state_.epoch;
    result.best_epoch = state_.best_epoch;
    result.seconds = seconds();
    if (state_.step_seconds > 0) {
      result.samples_per_second = static_cast<double>(state_.samples) / state_.step_seconds;
      result.data_wait_fraction = state_.data_seconds / state_.step_seconds;
    }
    result.peak_gpu_mb = peak_gpu_mb(device_);
    return result;
  }

  const StagePlan& plan_;
  StageWork& work_;
  Network& network_;
  torch::nn::Module* heads_;
  torch::optim::Optimizer& optimizer_;
  const StageEvents& events_;
  torch::Device device_;
  Rng rng_;
  std::string fingerprint_;
  PlateauSchedule schedule_;
  std::vector<double> initial_rates_;  ///< of the parameter groups

  State state_;
  TensorMap best_;  ///< of the network at the best epoch; empty without validation
  std::vector<LossRow> rows_;
  std::vector<MetricRow> metrics_;
  int complete_epochs_ = 0;  ///< whose rows are complete
  int emitted_epochs_ = 0;   ///< whose rows the caller has
  bool warned_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_save_ = Clock::now();
};

}  // namespace stage_detail

StageResult run_stage(const StagePlan& plan,
                      StageWork& work,
                      Network& network,
                      torch::nn::Module* heads,
                      torch::optim::Optimizer& optimizer,
                      const StageEvents& events) {
  return stage_detail::Training(plan, work, network, heads, optimizer, events).run();
}

std::unique_ptr<torch::optim::Optimizer> make_optimizer(const std::string& name,
                                                        const std::vector<ParameterGroup>& groups,
                                                        double momentum,
                                                        double weight_decay) {
  std::vector<torch::optim::OptimizerParamGroup> list;
  for (const ParameterGroup& group : groups) {
    const double rate = group.learning_rate;
    std::unique_ptr<torch::optim::OptimizerOptions> options;
    if (name == "sgd") {
      auto sgd = std::make_unique<torch::optim::SGDOptions>(rate);
      sgd->momentum(momentum).weight_decay(weight_decay);
      options = std::move(sgd);
    } else {
      auto adam = std::make_unique<torch::optim::AdamOptions>(rate);
      adam->weight_decay(weight_decay);
      options = std::move(adam);
    }
    list.emplace_back(group.parameters, std::move(options));
  }
  if (name == "sgd") {
    return std::make_unique<torch::optim::SGD>(
        std::move(list), torch::optim::SGDOptions(groups.front().learning_rate));
  }
  return std::make_unique<torch::optim::Adam>(
      std::move(list), torch::optim::AdamOptions(groups.front().learning_rate));
}

}  // namespace sar
