#include "harness/nn/torch/proxy_task.h"
#include "tests/nn/support.h"

namespace sar::methods_test {
using nn_test::Cubes;
using nn_test::part;
using nn_test::Recorder;
using nn_test::registry;
using nn_test::same_tensors;
using nn_test::small_settings;

Settings settings_for(const Method& method) {
  nn_test::Changes changes;
  for (const auto& [name, value] : method.defaults.items()) {
    changes.emplace_back(name, value);
  }
  return small_settings(changes);
}

TEST_CASE("every method that pre-trains keeps the contract") {
  const Cubes cubes;
  for (const Method& method : registry().all()) {
    if (!method.make_task) {
      continue;
    }
    INFO(method.id);
    const Settings settings = settings_for(method);
    Network network(unet_options(settings, 1), Rng(1));
    const std::shared_ptr<ProxyTask> task = method.make_task(settings, network);
    const Rng rng(2);
    const ProxyBatch batch{*cubes.store, rng, 1, {0, 1, 2, 3}};

    // The same samples give the same tensors, another epoch others; batches come first in every
    // shape.
    const auto tensors = task->prepare(batch);
    const auto again = task->prepare(batch);
    const auto later = task->prepare({*cubes.store, rng, 2, {0, 1, 2, 3}});
    REQUIRE_FALSE(tensors.empty());
    bool changed = false;
    for (std::size_t i = 0; i < tensors.size(); ++i) {
      CHECK(tensors[i].equal(again[i]));
      changed = changed || !tensors[i].equal(later[i]);
    }
    CHECK(changed);

    // Finite scalars, and a gradient that reaches every weight of the encoder.
    StepContext context;
    context.training = true;
    context.update_heads = [](const torch::Tensor&) {};
    const Losses losses = task->losses(network, tensors, context);
    CHECK(losses.total.dim() == 0);
    CHECK(std::isfinite(losses.total.item<double>()));
    CHECK(std::isfinite(losses.monitored.item<double>()));
    for (const auto& [name, value] : losses.metrics) {
      INFO(name);
      CHECK(value.dim() == 0);
      CHECK(std::isfinite(value.item<double>()));
    }
    losses.total.backward();
    for (const auto& item : network.encoder->named_parameters()) {
      INFO(item.key());
      REQUIRE(item.value().grad().defined());
      CHECK(torch::isfinite(item.value().grad()).all().item<bool>());
    }

    // Training moves the parameters that will be transferred, and is deterministic.
    const auto train = [&](const std::string& name) {
      const PretrainJob job = cubes.job(method, settings, method.id + name);
      Recorder recorder;
      const StageResult result = pretrain(job, recorder.events());
      CHECK(result.steps > 0);
      for (const auto& row : recorder.losses) {
        CHECK(std::isfinite(row[3]));
      }
      return read_tensors(job.weights);
    };
    const TensorMap trained = train("a");
    CHECK(same_tensors(trained, train("b")));
    Network initial(unet_options(settings, 1), Rng(7));
    bool moved = false;  // parameters: the buffers of BatchNorm move without learning too
    for (const auto& item : initial.encoder->named_parameters()) {
      moved = moved || !trained.at("encoder." + item.key()).equal(item.value());
    }
    CHECK(moved);
    const auto own = std::count_if(trained.begin(), trained.end(), [](const auto& entry) {
      return entry.first.rfind("proxy.", 0) != 0;
    });
    // The network without the heads; of the task what its classes mean.
    CHECK(static_cast<std::size_t>(own) == named_tensors(initial).size());
    CHECK((method.id == "jig") == trained.contains("proxy.permutations"));
  }
}

TEST_CASE("the paper's rows are registered in its order, with its transfer rule") {
  CHECK(registry().at("scratch").transfer == Transfer::none);
  for (const char* id : {"genesis", "mial", "sa", "sar"}) {
    CHECK(registry().at(id).transfer == Transfer::encoder_and_decoder);
  }
  for (std::size_t i = 1; i < registry().all().size(); ++i) {
    CHECK(registry().all()[i - 1].order < registry().all()[i].order);
  }
  CHECK(registry().all().front().id == "scratch");
}

TEST_CASE("an unknown method is a usage error that names the nearest, a doubled one a fault") {
  const Error unknown = nn_test::error_of([] { (void)registry().at("gensis"); });
  CHECK(unknown.code() == ExitCode::usage);
  CHECK_THAT(unknown.what(), Catch::Contains("genesis"));
  MethodRegistry twice;
  twice.add(registry().at("scratch"));
  CHECK(nn_test::error_of([&] { twice.add(registry().at("scratch")); }).code() ==
        ExitCode::internal);
}

TEST_CASE("genesis reads its own beta, the other rows the shared one",
          "[key:genesis.restoration_weight]") {
  const Cubes cubes;
  const auto first_loss = [&](const char* id, const nn_test::Changes& changes) {
    const Settings settings = small_settings(changes);
    Network network(unet_options(settings, 1), Rng(1));
    const auto task = registry().at(id).make_task(settings, network);
    const Rng rng(2);
    const auto tensors = task->prepare({*cubes.store, rng, 1, {0, 1, 2, 3}});
    return task->losses(network, tensors, {}).monitored.item<double>();
  };
  // Tolerance: one float32 product.
  const double base = first_loss("genesis", {});
  CHECK(first_loss("genesis", {{"genesis.restoration_weight", 1.0}}) ==
        Approx(base / 10).epsilon(1e-6));
  CHECK(first_loss("genesis", {{"pretrain.restoration_weight", 1.0}}) ==
        Approx(base).epsilon(1e-6));
  CHECK(first_loss("mial", {{"pretrain.restoration_weight", 1.0}}) ==
        Approx(base / 10).epsilon(1e-6));
}

TEST_CASE("the monitored loss leaves the adversary out unless asked for",
          "[key:schedule.monitor]") {
  const Cubes cubes;
  const auto monitored = [&](const char* id, const std::string& monitor) {
    const Settings settings = small_settings({{"schedule.monitor", monitor}});
    Network network(unet_options(settings, 1), Rng(1));
    torch::manual_seed(4);
    const auto task = registry().at(id).make_task(settings, network);
    const Rng rng(2);
    const auto tensors = task->prepare({*cubes.store, rng, 1, {0, 1, 2, 3}});
    const Losses losses = task->losses(network, tensors, {});
    std::map<std::string, double> values{{"monitored", losses.monitored.item<double>()}};
    for (const auto& [name, value] : losses.metrics) {
      values[name] = value.item<double>();
    }
    return values;
  };
  auto values = monitored("sar", "restoration");
  const double restoration = 10 * values.at("restoration_mse");
  // Tolerance: float32 rounding of sums of three terms.
  CHECK(values.at("monitored") == Approx(restoration).epsilon(1e-5));
  values = monitored("sar", "restoration_and_scale");
  CHECK(values.at("monitored") ==
        Approx(restoration + values.at("scale_cross_entropy")).epsilon(1e-5));
  values = monitored("sar", "total");
  CHECK(values.at("monitored") ==
        Approx(restoration + values.at("scale_cross_entropy") - values.at("modality_cross_entropy"))
            .epsilon(1e-5));
}

TEST_CASE("inverse class weights make the configured mix of scales even") {
  const Cubes cubes;
  const Settings settings = small_settings({{"sa.class_weights", "inverse"}});
  Network network(unet_options(settings, 1), Rng(1));
  const auto task = registry().at("sa").make_task(settings, network);
  const torch::Tensor weights = task->named_buffers()["scale_weights"];
  // 32 : 16 : 16 per case. Tolerance: float32.
  CHECK(weights[0].item<double>() == Approx(64.0 / (3 * 32)).epsilon(1e-6));
  CHECK(weights[2].item<double>() == Approx(64.0 / (3 * 16)).epsilon(1e-6));
}

TEST_CASE("the restoration error stands beside that of the best answer from one voxel alone") {
  const Cubes cubes;
  const std::vector<std::size_t> indices{0, 3, 5};
  const auto chance = [&](const nn_test::Changes& changes) {
    const Settings settings = small_settings(changes);
    Network network(unet_options(settings, 1), Rng(1));
    const auto task = registry().at("genesis").make_task(settings, network);
    return task->chance("restoration_mse", *cubes.store, indices, indices.size());
  };
  std::vector<double> values;
  for (const std::size_t index : indices) {
    const std::vector<float> cube = cubes.store->cube(index).values;
    values.insert(values.end(), cube.begin(), cube.end());
  }
  const double variance =
      torch::tensor(values, torch::kFloat64).var(/*unbiased=*/false).item<double>();
  const double untouched = chance({{"transform.nonlinear_rate", 0.0},
                                   {"transform.local_shuffle_rate", 0.0},
                                   {"transform.paint_rate", 0.0}});
  const double painted = chance({{"transform.nonlinear_rate", 0.0},
                                 {"transform.local_shuffle_rate", 0.0},
                                 {"transform.paint_rate", 1.0},
                                 {"transform.inpaint_rate", 0.0}});
  // A voxel that is as it was tells its value within a class of 1/64.
  CHECK(untouched < 1.0 / 64 / 64 / 4);
  // Out-painting leaves about a third of the voxels, and what is seen says which only roughly.
  CHECK(painted > 0.3 * variance);
  CHECK(painted < variance);
  CHECK(chance({}) > painted * 0.5);
  CHECK(chance({}) < variance);
}

}  // namespace sar::methods_test
