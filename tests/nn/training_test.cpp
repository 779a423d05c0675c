#include "harness/nn/torch/proxy_task.h"
#include "harness/nn/torch/restoration_task.h"
#include "tests/nn/support.h"

namespace sar::training_test {
using nn_test::Changes;
using nn_test::Cubes;
using nn_test::error_of;
using nn_test::part;
using nn_test::Recorder;
using nn_test::registry;
using nn_test::same_tensors;
using nn_test::small_settings;

/// Tells CT from MRI with the encoder alone: a task of another kind than restoration, in a few
/// lines.
class EncoderOnlyTask : public ProxyTask {
 public:
  explicit EncoderOnlyTask(const Network& network)
      : dropout_(register_module("dropout", torch::nn::Dropout(0.5))),
        output_(register_module(
            "output", torch::nn::Linear(feature_channels(network.options.base_channels, 3), 1))) {}

  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    std::vector<Block> blocks;
    for (std::size_t slot = 0; slot < batch.size(); ++slot) {
      blocks.push_back(batch.cube(slot));
      for (float& value : blocks.back().values) {
        value *= batch.stream(purpose::proxy, slot).uniform_float();
      }
    }
    return {tensor_of(blocks), batch.modalities()};
  }

  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& /*context*/) override {
    const torch::Tensor pooled = network.encoder(tensors[0])[3].mean({2, 3, 4});
    const torch::Tensor logits = output_(dropout_(pooled)).squeeze(1);
    Losses losses;
    losses.total = torch::binary_cross_entropy_with_logits(logits, tensors[1]);
    losses.monitored = losses.total;
    return losses;
  }

 private:
  torch::nn::Dropout dropout_;
  torch::nn::Linear output_;
};

Method encoder_only() {
  Method method;
  method.id = "encoder_only";
  method.transfer = Transfer::encoder;
  method.make_task = [](const Settings&, const Network& network) {
    return std::make_unique<EncoderOnlyTask>(network);
  };
  return method;
}

/// Passes everything on to a method's own task and notes what it was given.
struct Notes {
  TensorMap initial;                              ///< the network before the first step
  std::vector<std::vector<std::size_t>> batches;  ///< of training
};
class SpyTask : public ProxyTask {
 public:
  SpyTask(std::shared_ptr<ProxyTask> inner, Notes& notes)
      : inner_(register_module("inner", std::move(inner))), notes_(notes) {}
  [[nodiscard]] std::vector<torch::Tensor> prepare(const ProxyBatch& batch) const override {
    if (batch.epoch > 0) {
      notes_.batches.push_back(batch.indices);
    }
    return inner_->prepare(batch);
  }
  [[nodiscard]] Losses losses(Network& network,
                              const std::vector<torch::Tensor>& tensors,
                              const StepContext& context) override {
    return inner_->losses(network, tensors, context);
  }
  [[nodiscard]] std::vector<ParameterGroup> parameter_groups(double rate) const override {
    return inner_->parameter_groups(rate);
  }

 private:
  std::shared_ptr<ProxyTask> inner_;
  Notes& notes_;
};

Method spied(const Method& method, Notes& notes) {
  Method spy = method;
  spy.make_task = [make = method.make_task, &notes](const Settings& settings,
                                                    const Network& network) {
    notes.initial = cloned(named_tensors(network));
    return std::make_unique<SpyTask>(make(settings, network), notes);
  };
  return spy;
}

/// Stops a stage at the `stops`-th question, resumes it, and compares with a run that was never
/// stopped. `run(recorder, name)` runs the stage with files of that name and returns the path of
/// its weights.
template <class Run>
void check_resume(const Run& run, int stops) {
  INFO("stopped at question " << stops);
  Recorder whole;
  const TensorMap expected = read_tensors(run(whole, "whole" + std::to_string(stops)));

  const std::string name = "stopped" + std::to_string(stops);
  Recorder first;
  first.steps_until_stop = stops;
  REQUIRE(error_of([&] { run(first, name); }).code() == ExitCode::interrupted);
  Recorder second;
  CHECK(same_tensors(read_tensors(run(second, name)), expected));  // exact: same bits
  for (const std::string& warning : second.warnings) {
    CHECK_THAT(warning, !Catch::Contains("starts over"));
  }
  CHECK(second.losses == whole.losses);
  CHECK(second.metrics == whole.metrics);
  REQUIRE(first.losses.size() < whole.losses.size());
  for (std::size_t i = 0; i < first.losses.size(); ++i) {  // what was handed out early stays true
    CHECK(first.losses[i] == whole.losses[i]);
  }
}

TEST_CASE("an interrupted and resumed pre-training equals an uninterrupted one bit for bit") {
  const Cubes cubes;
  const auto check = [&](const Method& method, const Changes& changes, int stops) {
    const Settings settings = small_settings(changes);
    const auto run = [&](Recorder& recorder, const std::string& name) {
      return pretrain(cubes.job(method, settings, method.id + name), recorder.events()).weights;
    };
    check_resume(run, stops);
  };
  // An epoch asks four times: before each of its three steps and before the one validation batch.
  SECTION("SAR with dropout: before the first step, inside an epoch, in validation, in epoch 2") {
    const int stops = GENERATE(0, 2, 3, 5);
    check(registry().at("sar"), {{"sa.dropout", 0.3}}, stops);
  }
  SECTION("rates along a cosine") {
    check(registry().at("sar"), {{"schedule.pretrain_decay", "cosine"}}, 2);
  }
  SECTION("alternating updates with Adam") {
    check(registry().at("mial"),
          {{"mial.mode", "alternating"},
           {"optimizer.name", "adam"},
           {"optimizer.learning_rate", 1e-3}},
          4);
  }
  SECTION("a task that uses the encoder alone") {
    check(encoder_only(), {{"optimizer.name", "adam"}, {"optimizer.learning_rate", 1e-3}}, 6);
  }
  SECTION("checkpoints that are rarer than epochs") {
    check(registry().at("genesis"), {{"compute.checkpoint_seconds", 3600}}, 5);
  }
}

TEST_CASE("a finished stage is not trained again, and its rows are told again") {
  const Cubes cubes;
  const Settings settings = small_settings();
  const PretrainJob job = cubes.job(registry().at("genesis"), settings, "finished");
  Recorder first;
  const StageResult result = pretrain(job, first.events());
  std::filesystem::remove(job.weights);
  Recorder second;
  second.steps_until_stop = 0;  // the first question would stop it
  const StageResult again = pretrain(job, second.events());
  CHECK(second.losses == first.losses);
  CHECK(second.row_calls == 2);  // once an epoch
  CHECK(again.steps == result.steps);
  CHECK(std::filesystem::exists(job.weights));
}

TEST_CASE("a stage reports its steps, epochs and rows", "[key:pretrain.max_epochs]") {
  const Cubes cubes;
  const Settings settings = small_settings({{"pretrain.max_epochs", 3}});
  Recorder recorder;
  StageEvents events = recorder.events();
  std::vector<std::pair<std::int64_t, std::int64_t>> progress;
  events.progress = [&](std::int64_t done, std::int64_t total) {
    progress.emplace_back(done, total);
  };
  const StageResult result = pretrain(cubes.job(registry().at("sar"), settings, "report"), events);
  CHECK(result.steps == 9);  // ten cubes in batches of four: 4 + 4 + 2
  CHECK(result.epochs == 3);
  CHECK(result.samples == 30);
  CHECK(result.flops > 0);
  CHECK(result.seconds > 0);
  CHECK(result.samples_per_second > 0);
  CHECK(result.data_wait_fraction > 0);
  CHECK(result.data_wait_fraction < 1);
  CHECK(recorder.losses.size() == 3 * (3 + 1));
  CHECK(progress.back() == std::pair<std::int64_t, std::int64_t>(9, 9));
  for (const Json& row : recorder.metrics) {
    const std::string name = row.at(2);
    if (name == "modality_accuracy") {
      CHECK(row.at(4).get<double>() == Approx(0.5));  // five CT among ten, two among four
    } else if (name == "scale_accuracy" && row.at(1) == "train") {
      CHECK(row.at(4).get<double>() == Approx(0.4));  // four small among ten
    } else if (name == "restoration_mse") {
      CHECK(row.at(4).get<double>() > 0.01);  // the variance within cubes of a waving field
    }
  }
}

TEST_CASE("a last batch of one cube is dropped", "[key:pretrain.batch_size]") {
  const Cubes cubes;
  const Settings settings = small_settings({{"pretrain.batch_size", 3}});
  Recorder recorder;
  PretrainJob job = cubes.job(registry().at("genesis"), settings, "dropped");
  CHECK(pretrain(job, recorder.events()).steps == 2 * 3);  // 3 + 3 + 3, one left
  job.train = {0};
  job.checkpoint += "2";
  CHECK(error_of([&] { pretrain(job, recorder.events()); }).code() == ExitCode::data_invalid);
}

TEST_CASE("an epoch can be capped to fewer cubes, other ones each time") {
  const Cubes cubes;
  const Settings settings = small_settings({{"pretrain.epoch_cubes", 4}});
  Notes notes;
  const Method method = spied(registry().at("genesis"), notes);
  CHECK(pretrain(cubes.job(method, settings, "capped"), {}).steps == 2);
  REQUIRE(notes.batches.size() == 2);
  CHECK(notes.batches[0].size() == 4);
  CHECK(notes.batches[0] != notes.batches[1]);
}

TEST_CASE("a clipped gradient moves the weights by no more than rate times norm") {
  const Cubes cubes;
  const Settings settings = small_settings({{"pretrain.epoch_cubes", 4},
                                            {"pretrain.max_epochs", 1},
                                            {"optimizer.clip_norm", 0.01},
                                            {"optimizer.learning_rate", 0.5}});
  Notes notes;
  const Method method = spied(registry().at("genesis"), notes);
  const PretrainJob job = cubes.job(method, settings, "clipped");
  pretrain(job, {});
  const TensorMap trained = read_tensors(job.weights);
  double squares = 0;
  for (const auto& item : Network(unet_options(settings, 1), Rng(job.seed)).named_parameters()) {
    const torch::Tensor moved = trained.at(item.key()) - notes.initial.at(item.key());
    squares += moved.to(torch::kFloat64).square().sum().item<double>();
  }
  // Tolerance: the gradient is far larger than the norm, so the step is rate * norm but for the
  // rounding of weights of size one in float32.
  CHECK(std::sqrt(squares) == Approx(0.5 * 0.01).epsilon(0.01));
}

TEST_CASE("the same seed gives the same bits and another seed does not") {
  const Cubes cubes;
  const Settings settings = small_settings();
  const Method& method = registry().at("sar");
  const auto weights = [&](const std::string& name, std::uint64_t seed) {
    torch::rand({5});  // whatever LibTorch's own generator did before
    const PretrainJob job = cubes.job(method, settings, name, seed);
    pretrain(job, {});
    return read_tensors(job.weights);
  };
  const TensorMap first = weights("first", 7);
  CHECK(same_tensors(first, weights("second", 7)));  // exact
  CHECK_FALSE(same_tensors(first, weights("third", 8)));
}

TEST_CASE("all methods start from the same weights and see the same cubes in the same order") {
  const Cubes cubes;
  const Settings settings = small_settings();
  Notes expected;
  for (const Method& method : registry().all()) {
    if (!method.make_task) {
      continue;
    }
    INFO(method.id);
    Notes notes;
    const Method spy = spied(method, notes);
    pretrain(cubes.job(spy, settings, "spy" + method.id), {});
    if (expected.batches.empty()) {
      expected = notes;
    }
    CHECK(same_tensors(notes.initial, expected.initial));
    CHECK(notes.batches == expected.batches);
  }
  REQUIRE(expected.batches.size() == 6);
  CHECK(expected.batches[0] != expected.batches[3]);  // epochs differ in order
}

TEST_CASE("an encoder-only task leaves the decoder as it was") {
  const Cubes cubes;
  const Settings settings = small_settings();
  Notes notes;
  const Method method = spied(encoder_only(), notes);
  const PretrainJob job = cubes.job(method, settings, "encoder_only_weights");
  pretrain(job, {});
  const TensorMap trained = read_tensors(job.weights);
  CHECK(same_tensors(part(trained, "decoder."), part(notes.initial, "decoder.")));
  CHECK_FALSE(same_tensors(part(trained, "encoder."), part(notes.initial, "encoder.")));
}

TEST_CASE("an exploding loss ends the stage with its step and the last finite loss") {
  const Cubes cubes;
  const Settings settings = small_settings({{"optimizer.learning_rate", 1e30}});
  const PretrainJob job = cubes.job(registry().at("genesis"), settings, "diverged");
  const Error error = error_of([&] { pretrain(job, {}); });
  CHECK(error.code() == ExitCode::internal);
  CHECK_THAT(error.what(), Catch::StartsWith("diverged"));
  CHECK_THAT(error.what(), Catch::Contains("step: ") && Catch::Contains("last finite loss: "));
  CHECK_FALSE(std::filesystem::exists(job.weights));
}

TEST_CASE("a damaged checkpoint or one of another job is ignored with a warning") {
  const Cubes cubes;
  const Settings settings = small_settings();
  const PretrainJob job = cubes.job(registry().at("genesis"), settings, "damage");
  Recorder fresh;
  pretrain(job, fresh.events());
  const TensorMap expected = read_tensors(job.weights);
  const std::string checkpoint = read_file(job.checkpoint);

  const auto check_restart = [&](const PretrainJob& again, const std::string& reason) {
    Recorder recorder;
    pretrain(again, recorder.events());
    REQUIRE(recorder.warnings.size() == 1);
    CHECK_THAT(recorder.warnings[0], Catch::Contains(reason));
    return recorder;
  };
  SECTION("cut short") {
    write_file_atomically(job.checkpoint,
                          std::string_view(checkpoint).substr(0, checkpoint.size() / 2));
    CHECK(check_restart(job, "damaged").losses == fresh.losses);
    CHECK(same_tensors(read_tensors(job.weights), expected));
  }
  SECTION("one flipped bit") {
    std::string flipped = checkpoint;
    flipped[flipped.size() * 2 / 3] = static_cast<char>(flipped[flipped.size() * 2 / 3] ^ 1);
    write_file_atomically(job.checkpoint, std::string_view(flipped));
    CHECK(check_restart(job, "damaged").losses == fresh.losses);
    CHECK(same_tensors(read_tensors(job.weights), expected));
  }
  SECTION("empty") {
    write_file_atomically(job.checkpoint, std::string_view());
    check_restart(job, "damaged");
  }
  SECTION("another seed") {
    PretrainJob other = job;
    other.seed = 99;
    check_restart(other, "another job");
  }
}

TEST_CASE("training stops early, keeps the best epoch, and cuts the rate on a plateau") {
  // Rates too small to move a weight and batch statistics at evaluation: the validation loss never
  // changes.
  const Cubes cubes;
  const Settings settings = small_settings({{"optimizer.learning_rate", 1e-30},
                                            {"schedule.minimum_learning_rate", 0.0},
                                            {"schedule.pretrain_patience", 1},
                                            {"network.batch_norm_evaluation", "batch"},
                                            {"pretrain.max_epochs", 9},
                                            {"pretrain.patience", 3}});
  Recorder recorder;
  const StageResult result =
      pretrain(cubes.job(registry().at("genesis"), settings, "plateau"), recorder.events());
  CHECK(result.best_epoch == 1);
  CHECK(result.epochs == 4);
}

TEST_CASE("the adversary's groups have learning rates of their own that a plateau cuts together") {
  const Settings settings = small_settings();
  Network network(unet_options(settings, 1), Rng(0));
  const auto task = registry().at("sar").make_task(settings, network);
  const auto groups = task->parameter_groups(1);
  REQUIRE(groups.size() == 2);
  CHECK(groups[0].learning_rate == 0.1);
  CHECK(groups[1].learning_rate == 0.001);
  CHECK(groups[0].parameters.size() == 4);
  CHECK(groups[1].parameters.size() == 3 * 4 + 4);
}

TEST_CASE("a fooled discriminator is reported") {
  const Settings settings = small_settings();
  Network network(unet_options(settings, 1), Rng(0));
  const auto task = registry().at("mial").make_task(settings, network);
  CHECK(task->warning({{"modality_accuracy", 0.5}, {"modality_cross_entropy", 0.7}}).empty());
  CHECK_FALSE(task->warning({{"modality_accuracy", 0.2}, {"modality_cross_entropy", 0.7}}).empty());
  CHECK_FALSE(task->warning({{"modality_accuracy", 0.5}, {"modality_cross_entropy", 1.6}}).empty());
}

TEST_CASE("bfloat16 on the CPU is refused wherever LibTorch fails in it, and the reason is said") {
  const auto fails = [] {
    Network network(unet_options(small_settings(), 1), Rng(1));
    try {
      const AutocastScope autocast(true, torch::kCPU);
      network.forward(torch::ones({2, 1, 16, 16, 16})).sum().backward();
      return false;
    } catch (const std::exception&) {
      return true;
    }
  }();
  const std::string& obstacle = bfloat16_obstacle();
  INFO("obstacle: " << obstacle << ", fails: " << fails);
  CHECK((!fails || !obstacle.empty()));
  const Error error = error_of([] { configure_compute({"cpu", "bf16", 1}); });
  CHECK(error.code() == (obstacle.empty() ? ExitCode::ok : ExitCode::usage));
  if (!obstacle.empty()) {
    CHECK_THAT(error.what(), Catch::Contains(obstacle) && Catch::Contains("--precision fp32"));
  }
  configure_compute({});
}

TEST_CASE("bfloat16 autocast trains close to float32") {
  if (!bfloat16_obstacle().empty()) {
    WARN("not tested: " << bfloat16_obstacle());
    return;
  }
  const Cubes cubes;
  const Settings settings = small_settings();
  const auto first_loss = [&](const std::string& precision) {
    PretrainJob job = cubes.job(registry().at("sar"), settings, precision);
    job.compute.precision = precision;
    Recorder recorder;
    pretrain(job, recorder.events());
    return recorder.losses.at(0).at(3);
  };
  // Tolerance: bfloat16 keeps 8 bits, errors of single operators average out over the voxels.
  CHECK(first_loss("bf16") == Approx(first_loss("fp32")).epsilon(0.02));
}

}  // namespace sar::training_test
