// Keys of the ledger in docs/protocol.md that decide how networks are built, trained and applied:
// each case changes a key by its name and looks for what the key promises.

#include "harness/nn/schedule.h"
#include "harness/nn/torch/heads.h"
#include "harness/nn/torch/losses.h"
#include "harness/nn/torch/proxy_task.h"
#include "harness/volume/pieces.h"
#include "tests/nn/support.h"

#include <algorithm>
#include <functional>
#include <map>
#include <set>

namespace sar::gap_keys_test {
using nn_test::Changes;
using nn_test::Cubes;
using nn_test::Recorder;
using nn_test::registry;
using nn_test::small_settings;

Changes joined(Changes changes, const Changes& more) {
  changes.insert(changes.end(), more.begin(), more.end());
  return changes;
}

// ---- network

TEST_CASE("the base width scales every layer", "[key:network.base_channels]") {
  for (const int b : {2, 6}) {
    const Settings settings = small_settings({{"network.base_channels", b}});
    CHECK(count_parameters(Network(unet_options(settings, 1), Rng(0))) ==
          18618 * b * b + 276 * b + 1);  // exact
  }
}

TEST_CASE("nearest-neighbour upsampling has nothing to learn", "[key:network.upsampling]") {
  const auto parameters = [](const std::string& kind) {
    const Network network(unet_options(small_settings({{"network.upsampling", kind}}), 1), Rng(0));
    std::int64_t count = 0;
    for (const auto& item : network.decoder->named_parameters()) {
      count += item.key().find("up.") == std::string::npos ? 0 : item.value().numel();
    }
    return count;
  };
  CHECK(parameters("nearest") == 0);
  // Three 2x2x2 kernels from c to c channels with bias, c = 16b, 8b, 4b with b = 4.
  CHECK(parameters("transposed") == 8 * (64 * 64 + 32 * 32 + 16 * 16) + 64 + 32 + 16);
}

TEST_CASE("with batch statistics a prediction depends on its batch",
          "[key:network.batch_norm_evaluation]") {
  const std::string statistics = GENERATE("running", "batch");
  Network network(unet_options(small_settings({{"network.batch_norm_evaluation", statistics}}), 1),
                  Rng(0));
  network.eval();
  const torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  const torch::Tensor first = torch::rand({1, 1, 16, 16, 16});
  const torch::Tensor both = torch::cat({first, 3 * torch::rand({1, 1, 16, 16, 16})});
  // Tolerance: convolution kernels for one and for two samples sum in different orders.
  CHECK(torch::allclose(network.forward(first)[0], network.forward(both)[0], 1e-4, 1e-5) ==
        (statistics == "running"));
}

// ---- optimiser and schedule

/// Parameters of the network, without buffers, as one double vector.
torch::Tensor flat_parameters(const TensorMap& tensors) {
  std::vector<torch::Tensor> parts;
  const Network network(unet_options(small_settings(), 1), Rng(0));
  for (const auto& item : network.named_parameters()) {
    parts.push_back(tensors.at(item.key()).to(torch::kFloat64).flatten());
  }
  return torch::cat(parts);
}

/// Pre-trains for one step an epoch, without validation: the last weights are kept.
struct Steps {
  Cubes cubes;
  Recorder recorder;
  int runs = 0;

  torch::Tensor initial() const {
    const Network network(unet_options(small_settings(), 1), Rng(7));
    return flat_parameters(named_tensors(network));
  }
  torch::Tensor after(int steps, const Changes& changes, const std::string& method = "genesis") {
    const Settings settings = small_settings(
        joined({{"pretrain.epoch_cubes", 4}, {"pretrain.max_epochs", steps}}, changes));
    PretrainJob job = cubes.job(registry().at(method), settings, "steps" + std::to_string(runs++));
    job.validation.clear();
    recorder = {};
    pretrain(job, recorder.events());
    return flat_parameters(read_tensors(job.weights));
  }
};

TEST_CASE("weight decay pulls each weight towards zero in proportion to its size",
          "[key:optimizer.weight_decay]") {
  Steps steps;
  const torch::Tensor plain = steps.after(1, {});
  const torch::Tensor decayed = steps.after(1, {{"optimizer.weight_decay", 0.5}});
  // Tolerance: float32 weights below 1; the rate is 0.1.
  CHECK(torch::allclose(decayed - plain, -0.1 * 0.5 * steps.initial(), 1e-3, 1e-6));
}

TEST_CASE("momentum repeats a share of the step before", "[key:optimizer.momentum]") {
  Steps steps;
  const torch::Tensor step = steps.after(1, {}) - steps.initial();
  const torch::Tensor without = steps.after(2, {{"optimizer.momentum", 0.0}});
  REQUIRE(step.abs().max().item<double>() > 1e-3);
  for (const double momentum : {0.5, 0.9}) {
    const torch::Tensor with = steps.after(2, {{"optimizer.momentum", momentum}});
    // Tolerance: float32 weights of size one.
    CHECK(torch::allclose(with - without, momentum * step, 1e-3, 1e-6));
  }
}

/// Learning rate, from 1, after each of the given validation losses.
std::vector<double> rates(const std::string& stage,
                          const Changes& changes,
                          const std::vector<double>& losses) {
  PlateauSchedule schedule(schedule_options(small_settings(changes), stage));
  std::vector<double> list;
  double rate = 1;
  for (const double loss : losses) {
    rate *= schedule.observe(loss, rate);
    list.push_back(rate);
  }
  return list;
}

TEST_CASE("factor and patience of the plateau are the stage's own",
          "[key:schedule.pretrain_factor][key:schedule.pretrain_patience]"
          "[key:schedule.finetune_factor][key:schedule.finetune_patience]") {  // exact
  const std::vector<double> constant(13, 1.0);
  for (const auto& [stage, other, patience] :
       {std::tuple("pretrain", "finetune", 10), std::tuple("finetune", "pretrain", 6)}) {
    INFO(stage);
    const std::string own = std::string("schedule.") + stage;
    const std::string others = std::string("schedule.") + other;
    const auto first_cut = [&](const Changes& changes) {
      const auto list = rates(stage, changes, constant);
      const auto cut = std::find_if(list.begin(), list.end(), [](double rate) { return rate < 1; });
      return std::pair(cut - list.begin(), cut == list.end() ? 1 : *cut);
    };
    using Cut = std::pair<std::ptrdiff_t, double>;
    // The first loss is the best; so many more are tolerated.
    CHECK(first_cut({}) == Cut(patience + 1, 0.5));
    CHECK(first_cut({{own + "_factor", 0.125}}) == Cut(patience + 1, 0.125));
    CHECK(first_cut({{own + "_patience", 2}}) == Cut(3, 0.5));
    CHECK(first_cut({{others + "_factor", 0.125}, {others + "_patience", 2}}) ==
          Cut(patience + 1, 0.5));
  }
}

TEST_CASE("the threshold says which improvement counts, and the minimum where cuts end",
          "[key:schedule.threshold][key:schedule.threshold_mode]"
          "[key:schedule.minimum_learning_rate]") {  // exact
  const std::string stage = GENERATE("pretrain", "finetune");
  const auto last = [&](const Changes& changes, const std::vector<double>& losses) {
    return rates(stage, joined({{"schedule." + stage + "_patience", 0}}, changes), losses).back();
  };
  CHECK(last({}, {1.0, 0.95}) == 1);
  CHECK(last({{"schedule.threshold", 0.1}}, {1.0, 0.95}) == 0.5);
  // A tenth of 0.5 is reached by 0.42, a tenth in absolute terms is not.
  CHECK(last({{"schedule.threshold", 0.1}}, {0.5, 0.42}) == 1);
  CHECK(last({{"schedule.threshold", 0.1}, {"schedule.threshold_mode", "absolute"}}, {0.5, 0.42}) ==
        0.5);
  CHECK(last({}, {1, 1, 1}) == 0.25);
  CHECK(last({{"schedule.minimum_learning_rate", 0.375}}, {1, 1, 1}) == 0.375);
}

/// Learning rate of each epoch, from the rows of a stage.
std::vector<double> epoch_rates(const Recorder& recorder) {
  std::vector<double> list;
  for (const auto& row : recorder.losses) {
    if (row[2] == 0 && row[1] > static_cast<double>(list.size())) {
      list.push_back(row[4]);
    }
  }
  return list;
}

TEST_CASE("pre-training cuts its rate on a plateau and stops after its patience",
          "[key:pretrain.patience][key:pretrain.max_epochs][key:schedule.pretrain_factor]"
          "[key:schedule.pretrain_patience]") {
  // A loss of weight zero never improves.
  const Cubes cubes;
  const auto run = [&](const Changes& changes, const std::string& name) {
    const Settings settings = small_settings(joined({{"genesis.restoration_weight", 0.0},
                                                     {"schedule.pretrain_patience", 1},
                                                     {"schedule.pretrain_factor", 0.25},
                                                     {"pretrain.max_epochs", 7}},
                                                    changes));
    Recorder recorder;
    pretrain(cubes.job(registry().at("genesis"), settings, name), recorder.events());
    return epoch_rates(recorder);
  };
  // Epoch 1 is the best; the second bad epoch in a row cuts, and counting starts anew.
  const std::vector<double> all{0.1, 0.1, 0.1, 0.025, 0.025, 0.00625, 0.00625};
  const auto check = [&](const std::vector<double>& found, std::size_t epochs) {
    REQUIRE(found.size() == epochs);
    for (std::size_t i = 0; i < epochs; ++i) {
      CHECK(found[i] == Approx(all[i]).epsilon(1e-12));  // double rounding
    }
  };
  check(run({}, "all"), 7);  // patience 20
  check(run({{"pretrain.patience", 3}}, "patience"), 4);
  check(run({{"pretrain.max_epochs", 2}}, "cap"), 2);
}

// ---- restoration, scale and modality

/// A method's task with one batch prepared; heads are drawn from a fixed seed.
struct Prepared {
  Settings settings;
  Network network;
  std::shared_ptr<ProxyTask> task;
  std::vector<torch::Tensor> tensors;

  Prepared(const std::string& method,
           const Changes& changes,
           const Cubes& cubes,
           std::vector<std::size_t> indices = {0, 1, 2, 3},
           int epoch = 1)
      : settings(small_settings(changes)), network(unet_options(settings, 1), Rng(1)) {
    torch::manual_seed(4);
    task = registry().at(method).make_task(settings, network);
    const Rng rng(2);
    tensors = task->prepare({*cubes.store, rng, epoch, std::move(indices)});
  }
  Losses losses() { return task->losses(network, tensors, {}); }
  [[nodiscard]] torch::Tensor parameter(const std::string& name) const {
    return task->named_parameters()[name];
  }
};

TEST_CASE("restoration is a squared error or the norm that equation 1 prints, mean or sum",
          "[key:pretrain.restoration_loss][key:pretrain.loss_reduction]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  const auto found = [&](const std::string& loss, const std::string& reduction) {
    Prepared prepared("genesis",
                      {{"pretrain.restoration_loss", loss}, {"pretrain.loss_reduction", reduction}},
                      cubes);
    return prepared.losses().total.item<double>();
  };
  Prepared same("genesis", {}, cubes);
  const torch::Tensor difference =
      (torch::sigmoid(same.network.forward(same.tensors[0])) - same.tensors[1]).flatten(1);
  const torch::Tensor squares = difference.square().mean(1);
  const torch::Tensor norms = difference.square().sum(1).sqrt();
  // Tolerance: float32 sums of 4,096 terms; the weight is 10.
  CHECK(found("mse", "mean") == Approx(10 * squares.mean().item<double>()).epsilon(1e-5));
  CHECK(found("mse", "sum") == Approx(10 * squares.sum().item<double>()).epsilon(1e-5));
  CHECK(found("l2norm", "mean") == Approx(10 * norms.mean().item<double>()).epsilon(1e-5));
  CHECK(found("l2norm", "sum") == Approx(10 * norms.sum().item<double>()).epsilon(1e-5));
}

TEST_CASE("the sum over the batch holds for equations 2 and 3 as well",
          "[key:pretrain.loss_reduction]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  for (const auto& [method, metric] :
       {std::pair("sa", "scale_cross_entropy"), std::pair("mial", "modality_cross_entropy")}) {
    for (const double factor : {1.0, 4.0}) {  // four samples
      Prepared prepared(method,
                        {{"pretrain.restoration_weight", 0.0},
                         {"pretrain.loss_reduction", factor > 1 ? "sum" : "mean"}},
                        cubes);
      const Losses losses = prepared.losses();
      const auto mean = std::find_if(losses.metrics.begin(),
                                     losses.metrics.end(),
                                     [&](const auto& each) { return each.first == metric; });
      REQUIRE(mean != losses.metrics.end());
      CHECK(losses.total.item<double>() ==
            Approx(factor * mean->second.item<double>()).epsilon(1e-5));  // float32
    }
  }
}

TEST_CASE("the scale-aware module reads the level of sa.tap with the width of sa.hidden",
          "[key:sa.tap][key:sa.hidden]") {
  const Cubes cubes;
  const auto hidden = [&](const Changes& changes) {
    return Prepared("sa", changes, cubes).parameter("sa.hidden.weight").sizes().vec();
  };
  using Sizes = std::vector<std::int64_t>;
  CHECK(hidden({}) == Sizes{32 * 4, 16 * 4});
  CHECK(hidden({{"sa.hidden", 7}}) == Sizes{7, 16 * 4});
  CHECK(hidden({{"sa.tap", 1}}) == Sizes{32 * 4, 4 * 4});
  // Levels above the tap see nothing of the scale loss.
  for (const int tap : {1, 3}) {
    Prepared prepared("sa", {{"sa.tap", tap}, {"pretrain.restoration_weight", 0.0}}, cubes);
    prepared.losses().total.backward();
    for (int level = 0; level < 4; ++level) {
      INFO("tap " << tap << ", level " << level);
      const torch::Tensor gradient =
          prepared.network.encoder
              ->named_parameters()["level" + std::to_string(level) + "b.conv.weight"]
              .grad();
      REQUIRE(gradient.defined());  // the restoration reaches all, with weight zero
      CHECK((gradient.abs().max().item<double>() > 0) == (level <= tap));
    }
  }
}

TEST_CASE("the discriminator reads all levels or the bottleneck alone", "[key:mial.taps]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  for (const std::string taps : {"all", "bottleneck"}) {
    Prepared prepared("mial", {{"mial.taps", taps}}, cubes);
    prepared.task->eval();
    auto& discriminator = *prepared.task->named_children()["mial"]->as<ModalityModuleImpl>();
    Features features = prepared.network.encoder(prepared.tensors[0]);
    const torch::Tensor before = discriminator.forward(features);
    for (std::size_t level = 0; level < 4; ++level) {
      Features changed = features;
      changed[level] = changed[level] + 1;
      INFO(taps << ", level " << level);
      CHECK(discriminator.forward(changed).equal(before) == (taps == "bottleneck" && level < 3));
    }
  }
}

TEST_CASE("without BatchNorm the discriminator judges each sample alone",
          "[key:mial.norm][key:mial.hidden]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  for (const std::string norm : {"bn", "none"}) {
    Prepared prepared("mial", {{"mial.norm", norm}}, cubes);
    auto& discriminator = *prepared.task->named_children()["mial"]->as<ModalityModuleImpl>();
    Features features = prepared.network.encoder(prepared.tensors[0]);
    const torch::Tensor before = discriminator.forward(features)[0];
    for (auto& feature : features) {
      feature.slice(0, 1) *= 5;  // the other samples
    }
    // Tolerance: the same operations on the same sample, but perhaps in another order.
    CHECK(torch::allclose(discriminator.forward(features)[0], before, 1e-4, 1e-5) ==
          (norm == "none"));
  }
  CHECK(Prepared("mial", {}, cubes).parameter("mial.hidden.weight").size(0) == 8 * 4);
  CHECK(Prepared("mial", {{"mial.hidden", 5}}, cubes).parameter("mial.hidden.weight").size(0) == 5);
}

TEST_CASE("the adversarial loss is one mean, or one of each modality", "[key:mial.reduction]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  for (const std::string reduction : {"batch_mean", "per_domain"}) {
    // Cubes 0, 2 and 4 are CT, 1 is MRI.
    Prepared prepared("mial",
                      {{"mial.reduction", reduction}, {"pretrain.restoration_weight", 0.0}},
                      cubes,
                      {0, 1, 2, 4});
    const double total = prepared.losses().total.item<double>();
    auto& discriminator = *prepared.task->named_children()["mial"]->as<ModalityModuleImpl>();
    const torch::Tensor logits =
        discriminator.forward(prepared.network.encoder(prepared.tensors[0]));
    const torch::Tensor of_ct = torch::softplus(-logits);  // -log M
    const torch::Tensor of_mri = torch::softplus(logits);  // -log(1 - M)
    const double ct = (of_ct[0] + of_ct[2] + of_ct[3]).item<double>();
    const double mri = of_mri[1].item<double>();
    const double expected = reduction == "batch_mean" ? (ct + mri) / 4 : ct / 3 + mri;
    CHECK(total == Approx(expected).epsilon(1e-5));  // float32
  }
}

TEST_CASE("a single-scale row keeps the adversary unless told otherwise",
          "[key:ablation.keep_mial]") {
  const Cubes cubes;
  for (const char* method : {"scale2", "scale4", "scale8"}) {
    for (const bool keep : {true, false}) {
      Prepared prepared(method, {{"ablation.keep_mial", keep}}, cubes);
      CHECK(prepared.task->named_children().contains("mial") == keep);
      bool judged = false;
      for (const auto& metric : prepared.losses().metrics) {
        judged = judged || metric.first == "modality_accuracy";
      }
      CHECK(judged == keep);
    }
  }
}

// ---- proxy tasks of the other rows

/// The smallest inputs that the four tasks take.
Changes small_proxies() {
  return {{"rpl.input_voxels", 24},
          {"rpl.patch_voxels", 8},
          {"rpl.jitter_voxels", 0},
          {"jig.grid", 2},
          {"jig.input_voxels", 16},
          {"jig.patch_voxels", 8},
          {"jig.jitter_voxels", 0},
          {"jig.permutations", 10},
          {"rot.input_voxels", 16},
          {"cpc.input_voxels", 32}};
}

TEST_CASE("each row of Taleb et al. has an optimiser and a rate of its own",
          "[key:rpl.optimizer][key:jig.optimizer][key:rot.optimizer][key:cpc.optimizer]"
          "[key:rpl.learning_rate][key:jig.learning_rate][key:rot.learning_rate]"
          "[key:cpc.learning_rate]") {
  Steps steps;
  for (const std::string method : {"rpl", "jig", "rot", "cpc"}) {
    for (const std::string optimizer : {"adam", "sgd"}) {
      for (const double rate : {1e-4, 1e-2}) {
        INFO(method << ", " << optimizer << ", " << rate);
        const Changes changes =
            joined(small_proxies(),
                   {{method + ".optimizer", optimizer}, {method + ".learning_rate", rate}});
        const torch::Tensor moved = (steps.after(1, changes, method) - steps.initial()).abs();
        CHECK(steps.recorder.losses.at(0).at(4) == rate);
        const torch::Tensor weights = moved.masked_select(moved > 0);
        REQUIRE(weights.numel() > 1000);
        // Adam's first step is the rate itself wherever the gradient is far above its 1e-8; SGD's
        // spreads as gradients do.
        const double least = weights.quantile(0.1).item<double>();
        const double most = weights.quantile(0.9).item<double>();
        if (optimizer == "adam") {
          CHECK(least == Approx(rate).epsilon(0.01));
          CHECK(most == Approx(rate).epsilon(0.01));
        } else {
          CHECK(most > 2 * least);
        }
      }
    }
  }
}

torch::Tensor tensor_of_block(const Block& block) {
  return tensor_of({&block, 1})[0];
}

TEST_CASE("cubes are resized to the side that the row's key names",
          "[key:rpl.input_voxels][key:jig.input_voxels][key:rot.input_voxels]"
          "[key:cpc.input_voxels]") {
  const Cubes cubes(4, {24, 24, 24});
  const auto wide = [&](int side) { return resized(cubes.store->cube(0), {side, side, side}); };
  const auto prepared = [&](const std::string& method, const std::string& key, int side) {
    return Prepared(method, joined(small_proxies(), {{key, side}}), cubes, {0}).tensors;
  };
  const auto cut = [](const Block& block, int at) {
    return torch::tensor(block.values)
        .reshape({block.size[2], block.size[1], block.size[0]})
        .slice(0, at, at + 8)
        .slice(1, at, at + 8)
        .slice(2, at, at + 8);
  };
  // All exact: patches are copies. The anchor of 3D-RPL lies in the middle of the middle cell.
  CHECK(prepared("rpl", "rpl.input_voxels", 24)[0][0][0][0].equal(cut(wide(24), 8)));
  CHECK(prepared("rpl", "rpl.input_voxels", 48)[0][0][0][0].equal(cut(wide(48), 16 + 4)));
  // The first cell of the puzzle lies at the place that its order says.
  for (const int side : {16, 32}) {
    Prepared puzzle("jig", joined(small_proxies(), {{"jig.input_voxels", side}}), cubes, {0});
    const torch::Tensor order =
        puzzle.task->named_buffers()["permutations"][puzzle.tensors[1][0].item<std::int64_t>()];
    const auto place = (order == 0).nonzero()[0][0].item<std::int64_t>();
    CHECK(puzzle.tensors[0][0][place][0].equal(cut(wide(side), (side / 2 - 8) / 2)));
  }
  for (const int side : {16, 40}) {
    const auto tensors = prepared("rot", "rot.input_voxels", side);
    const auto turn = static_cast<int>(tensors[1][0].item<std::int64_t>());
    CHECK(tensors[0][0].equal(tensor_of_block(rotated(wide(side), turn))));
  }
  for (const int side : {32, 64}) {
    CHECK(prepared("cpc", "cpc.input_voxels", side)[0].sizes() ==
          at::IntArrayRef{1, 64, 1, side / 4, side / 4, side / 4});
  }
}

TEST_CASE("grids and patches have the sizes that their keys name",
          "[key:rpl.grid][key:rpl.patch_voxels][key:jig.grid][key:jig.patch_voxels]"
          "[key:cpc.grid]") {
  const Cubes cubes(4, {24, 24, 24});
  struct Row {
    std::string method;
    Changes changes;
    std::vector<std::int64_t> sizes;
    double classes;
  };
  const std::vector<Row> rows{
      {"rpl", {}, {2, 2, 1, 16, 16, 16}, 26},
      {"rpl", {{"rpl.patch_voxels", 8}}, {2, 2, 1, 8, 8, 8}, 26},
      // The official variant takes the cube as it is, in halves less the jitter.
      {"rpl", {{"rpl.grid", 2}, {"cubes.shape_voxels", {24, 24, 24}}}, {2, 2, 1, 10, 10, 10}, 7},
      {"jig", {}, {2, 27, 1, 16, 16, 16}, 100},
      {"jig", {{"jig.grid", 2}}, {2, 8, 1, 16, 16, 16}, 100},
      {"jig", {{"jig.patch_voxels", 8}}, {2, 27, 1, 8, 8, 8}, 100},
      {"cpc", {}, {2, 64, 1, 16, 16, 16}, 2 * 16},
      {"cpc", {{"cpc.grid", 6}}, {2, 216, 1, 10, 10, 10}, 2 * 36},
  };
  for (const Row& row : rows) {
    INFO(row.method << " " << Json(row.changes).dump());
    const Prepared prepared(row.method, row.changes, cubes, {0, 1});
    CHECK(prepared.tensors[0].sizes().vec() == row.sizes);
    // Tolerance: one division.
    CHECK(prepared.task->chance("accuracy", *cubes.store, {0, 1}, 2) ==
          Approx(1 / row.classes).epsilon(1e-12));
  }
}

TEST_CASE("jitter moves patches in their cells, none keeps them in the middle",
          "[key:rpl.jitter_voxels][key:jig.jitter_voxels]") {
  const Cubes cubes(4, {24, 24, 24});
  for (const std::string method : {"rpl", "jig"}) {
    for (const int jitter : {0, 3}) {
      // Cells have 12 voxels and more, patches 8.
      const Changes changes = joined(small_proxies(),
                                     {{"rpl.input_voxels", 48},
                                      {"jig.input_voxels", 24},
                                      {method + ".jitter_voxels", jitter}});
      std::set<double> sums;
      for (int epoch = 1; epoch <= 8; ++epoch) {
        const Prepared prepared(method, changes, cubes, {0}, epoch);
        // The anchor, or all pieces whatever their order: sums of 24-bit numbers in double, and
        // sorted, so exact.
        torch::Tensor patches = prepared.tensors[0][0].to(torch::kFloat64).flatten(1);
        patches = method == "rpl" ? patches.slice(0, 0, 1) : patches;
        const torch::Tensor sorted = std::get<0>(patches.sum(1).sort());
        sums.insert(sorted.sum().item<double>());
      }
      INFO(method << ", jitter " << jitter);
      CHECK((sums.size() == 1) == (jitter == 0));
    }
  }
}

/// The table of orders that a jigsaw task tells apart.
std::vector<std::vector<int>> orders_with(const Changes& changes, const Cubes& cubes) {
  const Prepared prepared("jig", joined(small_proxies(), changes), cubes);
  const torch::Tensor table = prepared.task->named_buffers()["permutations"];
  std::vector<std::vector<int>> orders;
  for (std::int64_t row = 0; row < table.size(0); ++row) {
    std::vector<int> order;
    for (std::int64_t piece = 0; piece < table.size(1); ++piece) {
      order.push_back(static_cast<int>(table[row][piece].item<std::int64_t>()));
    }
    orders.push_back(std::move(order));
  }
  return orders;
}

int least_distance(const std::vector<std::vector<int>>& orders) {
  int least = 99;
  for (std::size_t i = 0; i < orders.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      least = std::min(least, hamming_distance(orders[i], orders[j]));
    }
  }
  return least;
}

TEST_CASE("the orders of a puzzle are as many, as far apart and as random as their keys say",
          "[key:jig.permutations][key:jig.permutation_selection][key:jig.permutation_seed]") {
  const Cubes cubes;
  CHECK(orders_with({}, cubes).size() == 10);
  const auto many = orders_with({{"jig.permutations", 30}}, cubes);
  CHECK(many.size() == 30);
  const auto random =
      orders_with({{"jig.permutations", 30}, {"jig.permutation_selection", "random"}}, cubes);
  CHECK(random.size() == 30);
  // Among 435 pairs of random orders of 8 pieces some share three places or more; the greedy choice
  // among 20,000 does far better.
  CHECK(least_distance(random) <= 5);
  CHECK(least_distance(many) > least_distance(random));
  CHECK(orders_with({{"jig.permutation_seed", 1}}, cubes) != orders_with({}, cubes));
  CHECK(orders_with({{"jig.permutation_seed", 0}}, cubes) == orders_with({}, cubes));
}

TEST_CASE("the rotation head reads the feature map on its grid", "[key:rot.pool_grid]") {
  const Cubes cubes;
  for (const int grid : {1, 2}) {
    Prepared prepared("rot", joined(small_proxies(), {{"rot.pool_grid", grid}}), cubes);
    CHECK(prepared.parameter("head.layers.0.weight").size(1) == grid * grid * grid * 64);
  }
}

TEST_CASE("an undecided CPC loses the logarithm of its candidates", "[key:cpc.loss]") {
  const Cubes cubes;
  const torch::NoGradGuard no_grad;
  for (const std::string loss : {"infonce", "bce_repo"}) {
    Prepared prepared("cpc", joined(small_proxies(), {{"cpc.loss", loss}}), cubes);
    for (auto& parameter : prepared.task->parameters()) {
      parameter.zero_();
    }
    const double candidates = loss == "infonce" ? 4 * 16 : 2;  // columns of four cubes; yes or no
    // Tolerance: float32.
    CHECK(prepared.losses().total.item<double>() == Approx(std::log(candidates)).epsilon(1e-5));
    CHECK(prepared.task->chance("contrastive_accuracy", *cubes.store, {0, 1, 2, 3}, 4) ==
          Approx(1 / candidates).epsilon(1e-12));
  }
}

// ---- fine-tuning

/// Fine-tunes a network that answers the same at every voxel, at a learning rate of zero: the loss
/// follows from how many foreground voxels the patches hold. Image of 40 voxels a side with label 1
/// in its first corner and, for three classes, label 2 beside it.
struct ConstantStage {
  TemporaryFolder folder{"sar-nn-test"};
  int classes = 1;
  int runs = 0;
  std::map<std::string, int> loads;  ///< by case
  Recorder recorder;

  /// A network without weights. What it answers is the bias of its head.
  [[nodiscard]] std::filesystem::path weights(const Settings& settings) const {
    Network network(unet_options(settings, 1), Rng(0));
    const torch::NoGradGuard no_grad;
    for (auto& parameter : network.parameters()) {
      parameter.zero_();
    }
    network.head->bias.fill_(0.7);
    const auto path = folder.path() / "constant.pt";
    write_tensors(path, named_tensors(network));
    return path;
  }

  /// Losses of the training steps.
  std::vector<double> run(const Changes& changes) {
    const Settings settings = small_settings(joined({{"finetune.learning_rate", 0.0}}, changes));
    FinetuneJob job;
    job.settings = &settings;
    job.task = classes == 1 ? "brats" : "pancreas";
    job.classes = classes;
    job.transfer = Transfer::encoder_and_decoder;
    job.initial_weights = weights(settings);
    job.seed = 3;
    job.train = {"a", "b", "c"};
    job.validation = {"v"};
    job.steps_per_epoch = 3;
    loads.clear();
    job.load = [this](const std::string& id) {
      ++loads[id];
      auto image = std::make_shared<Volume>();
      auto label = std::make_shared<LabelMap>();
      image->geometry.size = label->geometry.size = {40, 40, 40};
      image->voxels.assign(64000, 0);
      label->voxels.assign(64000, 0);
      label->voxels[0] = 1;
      label->voxels[1] = classes == 1 ? 0 : 2;
      return TaskCase{id, image, label};
    };
    job.checkpoint = folder.path() / ("constant" + std::to_string(runs) + ".checkpoint");
    job.weights = folder.path() / ("constant" + std::to_string(runs++) + ".pt");
    recorder = {};
    finetune(job, recorder.events());
    std::vector<double> losses;
    for (const auto& row : recorder.losses) {
      if (row[2] == 0) {
        losses.push_back(row[3]);
      }
    }
    return losses;
  }

  /// Probabilities of the classes, background first, if the head is fresh or the transferred one.
  [[nodiscard]] std::vector<double> probabilities(bool fresh) const {
    Network network(unet_options(small_settings(), classes), Rng(3));
    const torch::Tensor bias = fresh ? network.head->bias.detach().to(torch::kFloat64)
                                     : torch::full({1}, 0.7, torch::kF64);
    if (classes == 1) {
      const double p = torch::sigmoid(bias)[0].item<double>();
      return {1 - p, p};
    }
    const torch::Tensor p = torch::softmax(bias, 0);
    return {p[0].item<double>(), p[1].item<double>(), p[2].item<double>()};
  }
};

/// Dice losses of constant probabilities p over `voxels` voxels in `patches` patches, each of which
/// holds one voxel of every foreground class.
double expected_loss(const std::string& name,
                     const std::vector<double>& p,
                     double voxels,
                     double patches,
                     double smooth = 1) {
  const std::size_t classes = p.size();
  const double foreground = static_cast<double>(classes) - 1;
  const auto quotient = [&](std::size_t k, double s, double all, double positive) {
    return (2 * p[k] * positive + s) / (p[k] * all + positive + s);
  };
  double over_foreground = 0;
  double samples = 0;
  double entropy = -std::log(p[0]) * (voxels - patches * foreground);
  for (std::size_t k = 1; k < classes; ++k) {
    over_foreground += quotient(k, smooth, voxels, patches) / foreground;
    samples += quotient(k, 1e-5, voxels / patches, 1) / foreground;
    entropy -= std::log(p[k]) * patches;
  }
  if (name == "taleb") {
    double sum = quotient(0, 1e-5, voxels, voxels - patches * foreground);
    for (std::size_t k = 1; k < classes; ++k) {
      sum += quotient(k, 1e-5, voxels, patches);
    }
    return -sum / static_cast<double>(classes);
  }
  return name == "nnunet" ? entropy / voxels - samples : 1 - over_foreground;
}

const Changes& foreground_only() {
  static const Changes changes{{"finetune.foreground_ratio", 1.0}};
  return changes;
}

void check_all(const std::vector<double>& losses, double expected) {
  REQUIRE_FALSE(losses.empty());
  for (const double loss : losses) {
    // Tolerance: float32 sums of 8,192 and more terms.
    CHECK(loss == Approx(expected).epsilon(1e-4));
  }
}

TEST_CASE("the Dice loss of each task is the one that its key names",
          "[key:brats.loss][key:pancreas.loss]") {
  ConstantStage stage;
  stage.classes = GENERATE(1, 3);
  const std::string key = stage.classes == 1 ? "brats.loss" : "pancreas.loss";
  const std::string usual = stage.classes == 1 ? "genesis" : "multi_foreground";
  const auto p = stage.probabilities(true);
  const double voxels = 2 * 16 * 16 * 16;
  check_all(stage.run(foreground_only()), expected_loss(usual, p, voxels, 2));
  for (const char* name : {"multi_foreground", "taleb", "nnunet"}) {
    INFO(key << " " << name);
    check_all(stage.run(joined(foreground_only(), {{key, name}})),
              expected_loss(name, p, voxels, 2));
  }
}

TEST_CASE("the smoothing term and the patch enter the loss",
          "[key:finetune.loss_smooth][key:finetune.patch_voxels]") {
  ConstantStage stage;
  const auto p = stage.probabilities(true);
  check_all(stage.run(joined(foreground_only(), {{"finetune.loss_smooth", 5000.0}})),
            expected_loss("genesis", p, 2 * 16 * 16 * 16, 2, 5000));
  check_all(stage.run(joined(foreground_only(), {{"finetune.patch_voxels", {24, 16, 8}}})),
            expected_loss("genesis", p, 2 * 24 * 16 * 8, 2));
}

TEST_CASE("the head starts fresh or as pre-trained", "[key:finetune.reset_head]") {
  ConstantStage stage;
  const double voxels = 2 * 16 * 16 * 16;
  const double fresh = expected_loss("genesis", stage.probabilities(true), voxels, 2, 5000);
  const double kept = expected_loss("genesis", stage.probabilities(false), voxels, 2, 5000);
  REQUIRE(std::abs(fresh - kept) > 0.01);
  const Changes smooth = joined(foreground_only(), {{"finetune.loss_smooth", 5000.0}});
  check_all(stage.run(smooth), fresh);
  check_all(stage.run(joined(smooth, {{"finetune.reset_head", false}})), kept);
}

TEST_CASE("the share of foreground patches is the key's", "[key:finetune.foreground_ratio]") {
  ConstantStage stage;
  const auto p = stage.probabilities(true);
  const double voxels = 2 * 16 * 16 * 16;
  const double empty = 1 - 1 / (p[1] * voxels + 1);
  const double centred = expected_loss("genesis", p, voxels, 2);
  REQUIRE(std::abs(empty - centred) > 1e-4);
  const auto is = [](double loss, double expected) {
    return loss == Approx(expected).epsilon(1e-5);  // float32
  };
  for (const double loss : stage.run({{"finetune.foreground_ratio", 1.0}})) {
    CHECK(is(loss, centred));
  }
  // A uniform patch holds the corner with a chance of 1 / 25^3.
  for (const double loss : stage.run({{"finetune.foreground_ratio", 0.0}})) {
    CHECK(is(loss, empty));
  }
}

TEST_CASE("a step takes as many patches as the batch, validation so many of each case",
          "[key:finetune.batch_size][key:finetune.patches_per_case]") {
  ConstantStage stage;
  const auto training_loads = [&] {
    return stage.loads["a"] + stage.loads["b"] + stage.loads["c"];
  };
  stage.run({});
  CHECK(training_loads() == 2 * 3 * 2);  // epochs, steps, patches
  CHECK(stage.loads["v"] == 2 * 2);
  stage.run({{"finetune.batch_size", 5}});
  CHECK(training_loads() == 2 * 3 * 5);
  stage.run({{"finetune.patches_per_case", 7}});
  CHECK(training_loads() == 2 * 3 * 2);
  CHECK(stage.loads["v"] == 2 * 7);
}

TEST_CASE("fine-tuning ends after its epochs or its patience, and cuts its own rate",
          "[key:finetune.max_epochs][key:finetune.patience][key:schedule.finetune_patience]"
          "[key:schedule.finetune_factor]") {
  // Nothing moves at a rate of zero: no epoch is better than the first.
  ConstantStage stage;
  const auto epochs = [&](const Changes& changes) {
    return stage.run(joined({{"finetune.max_epochs", 6}}, changes)).size() / 3;
  };
  CHECK(epochs({}) == 6);
  CHECK(epochs({{"finetune.patience", 2}}) == 3);
  CHECK(epochs({{"finetune.max_epochs", 4}}) == 4);
  // No Dice loss in [0, 1] improves by 2.
  stage.run({{"finetune.learning_rate", 1e-3},
             {"finetune.max_epochs", 5},
             {"schedule.threshold", 2.0},
             {"schedule.threshold_mode", "absolute"},
             {"schedule.finetune_patience", 1},
             {"schedule.finetune_factor", 0.25}});
  const auto found = epoch_rates(stage.recorder);
  const std::vector<double> expected{1e-3, 1e-3, 1e-3, 2.5e-4, 2.5e-4};
  REQUIRE(found.size() == expected.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    CHECK(found[i] == Approx(expected[i]).epsilon(1e-12));  // double rounding
  }
}

TEST_CASE("flipped patches differ where unflipped ones are all the same",
          "[key:finetune.augmentation]") {
  // One case in a patch that covers it, at a learning rate of zero: without flips every step sees
  // the same patch.
  const TemporaryFolder folder("sar-nn-test");
  for (const std::string augmentation : {"none", "flip"}) {
    const Settings settings = small_settings({{"finetune.augmentation", augmentation},
                                              {"finetune.learning_rate", 0.0},
                                              {"finetune.batch_size", 1}});
    FinetuneJob job;
    job.settings = &settings;
    job.task = "brats";
    job.seed = 3;
    job.train = {"a"};
    job.steps_per_epoch = 8;
    job.load = [](const std::string& id) {
      auto image = std::make_shared<Volume>();
      auto label = std::make_shared<LabelMap>();
      const Block block = nn_test::patterned_block({16, 16, 16}, 1);
      image->geometry.size = label->geometry.size = block.size;
      image->voxels = block.values;
      for (const float value : block.values) {
        label->voxels.push_back(value > 0.6F ? 1 : 0);
      }
      return TaskCase{id, image, label};
    };
    job.checkpoint = folder.path() / (augmentation + ".checkpoint");
    job.weights = folder.path() / (augmentation + ".pt");
    Recorder recorder;
    finetune(job, recorder.events());
    std::set<double> losses;
    for (const auto& row : recorder.losses) {
      losses.insert(row[3]);
    }
    INFO(augmentation);
    CHECK(recorder.losses.size() == 16);
    // Eight orientations; 16 draws meet fewer than three with a chance below 1e-8.
    CHECK((augmentation == "none" ? losses.size() == 1 : losses.size() >= 3));
  }
}

// ---- evaluation

/// A network with random weights and its probabilities on windows of an image of 32x16x16 voxels.
struct Windows {
  TemporaryFolder folder{"sar-nn-test"};
  Network network{unet_options(small_settings(), 1), Rng(4)};
  Volume image;

  Windows() {
    image.geometry.size = {32, 16, 16};
    image.voxels = nn_test::patterned_block(image.geometry.size, 2).values;
    write_tensors(folder.path() / "weights.pt", named_tensors(network));
    network.eval();
  }
  [[nodiscard]] torch::Tensor predicted(const Changes& changes) const {
    const Predictor predictor(small_settings(changes), 1, folder.path() / "weights.pt", Compute{});
    return torch::tensor(predictor.probabilities(image)[0].values).reshape({16, 16, 32});
  }
  torch::Tensor direct(int begin, int end) {
    const torch::NoGradGuard no_grad;
    const torch::Tensor voxels = torch::tensor(image.voxels).reshape({1, 1, 16, 16, 32});
    return torch::sigmoid(network.forward(voxels.slice(4, begin, end).contiguous()))[0][0];
  }
};

// Tolerance of both: kernels for batches of other sizes sum in other orders.
bool alike(const torch::Tensor& a, const torch::Tensor& b) {
  return torch::allclose(a, b, 1e-4, 1e-5);
}

TEST_CASE("windows lie as far apart as the step says", "[key:evaluate.step]") {
  Windows windows;
  const torch::Tensor side_by_side = torch::cat({windows.direct(0, 16), windows.direct(16, 32)}, 2);
  CHECK(alike(windows.predicted({{"evaluate.step", 1.0}}), side_by_side));
  const torch::Tensor halves = windows.predicted({{"evaluate.gaussian", false}});
  CHECK_FALSE(alike(halves, side_by_side));
  const torch::Tensor expected =
      (windows.direct(0, 16).slice(2, 8, 16) + windows.direct(8, 24).slice(2, 0, 8)) / 2;
  CHECK(alike(halves.slice(2, 8, 16), expected));
}

TEST_CASE("overlapping windows weigh more in their middle", "[key:evaluate.gaussian]") {
  Windows windows;
  const torch::Tensor weighted = windows.predicted({});
  CHECK_FALSE(alike(weighted, windows.predicted({{"evaluate.gaussian", false}})));
  // At the middle of the second window its weight is 1, that of the others e^-8 (4 sigma off).
  CHECK(
      torch::allclose(weighted.slice(2, 16, 17), windows.direct(8, 24).slice(2, 8, 9), 1e-2, 1e-3));
}

TEST_CASE("the whole volume goes through the network at once if asked for", "[key:evaluate.mode]") {
  Windows windows;
  CHECK(alike(windows.predicted({{"evaluate.mode", "whole"}}), windows.direct(0, 32)));
  CHECK_FALSE(alike(windows.predicted({}), windows.direct(0, 32)));
}

}  // namespace sar::gap_keys_test
