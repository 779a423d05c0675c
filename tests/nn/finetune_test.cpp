#include "harness/nn/torch/patches.h"
#include "tests/nn/support.h"

namespace sar::finetune_test {
using nn_test::error_of;
using nn_test::part;
using nn_test::Recorder;
using nn_test::same_tensors;
using nn_test::small_settings;

/// A patterned image with a bright ball of label 1 and, for three classes, a core of label 2 in it.
TaskCase make_case(const std::string& id, Size3 size, bool core) {
  auto image = std::make_shared<Volume>();
  auto label = std::make_shared<LabelMap>();
  image->geometry.size = size;
  label->geometry.size = size;
  const int kind = static_cast<int>(id.size() + static_cast<unsigned char>(id.back()));
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        const int distance = (x - size[0] / 2) * (x - size[0] / 2) +
                             (y - size[1] / 2) * (y - size[1] / 2) +
                             (z - size[2] / 2) * (z - size[2] / 2);
        const int value = distance > 36 ? 0 : (core && distance < 6 ? 2 : 1);
        label->voxels.push_back(static_cast<std::uint8_t>(value));
        image->voxels.push_back(nn_test::pattern(x, y, z, kind) + static_cast<float>(value));
      }
    }
  }
  return {id, image, label};
}

struct Setup {
  TemporaryFolder folder{"sar-nn-test"};
  int classes = 1;

  FinetuneJob job(const Settings& settings, const std::string& name) const {
    FinetuneJob made;
    made.settings = &settings;
    made.task = classes == 1 ? "brats" : "pancreas";
    made.classes = classes;
    made.seed = 3;
    made.train = {"a", "b", "c"};
    made.validation = {"v"};
    made.steps_per_epoch = 3;
    made.load = [core = classes > 1](const std::string& id) {
      return make_case(id, {24, 20, 18}, core);
    };
    made.checkpoint = folder.path() / (name + ".checkpoint");
    made.weights = folder.path() / (name + ".pt");
    return made;
  }
};

TEST_CASE("an interrupted and resumed fine-tuning equals an uninterrupted one bit for bit") {
  Setup setup;
  setup.classes = GENERATE(1, 3);
  const int stops = GENERATE(1, 3, 6);
  nn_test::Changes changes{{"finetune.augmentation", "flip"}};
  if (GENERATE(false, true)) {
    changes.insert(changes.end(),
                   {{"finetune.frozen_epochs", 1},
                    {"finetune.head_rate_factor", 10.0},
                    {"schedule.finetune_decay", "cosine"}});
  }
  const Settings settings = small_settings(changes);
  Recorder whole;
  const StageResult result = finetune(setup.job(settings, "whole"), whole.events());
  CHECK(result.steps == 6);
  Recorder first;
  first.steps_until_stop = stops;
  const FinetuneJob job = setup.job(settings, "stopped");
  REQUIRE(error_of([&] { finetune(job, first.events()); }).code() == ExitCode::interrupted);
  Recorder second;
  finetune(job, second.events());
  CHECK(second.warnings.empty());
  CHECK(same_tensors(read_tensors(job.weights), read_tensors(result.weights)));  // exact
  CHECK(second.losses == whole.losses);
}

TEST_CASE("fine-tuning starts from what the transfer names and learns") {
  Setup setup;
  const Settings settings =
      small_settings({{"finetune.max_epochs", 12}, {"finetune.learning_rate", 0.01}});
  Network source(unet_options(settings, 1), Rng(50));
  const auto weights = setup.folder.path() / "source.pt";
  write_tensors(weights, named_tensors(source));

  FinetuneJob job = setup.job(settings, "transfer");
  job.initial_weights = weights;
  job.transfer = Transfer::encoder_and_decoder;
  Recorder recorder;
  const StageResult result = finetune(job, recorder.events());
  // A ball twice as bright as its surroundings is learnt in 36 steps or not at all. Reached: a loss
  // of 0.27 from 0.68, with kernels for AMX and for AVX2; the bound, 0.48, is half-way back.
  CHECK(recorder.losses.front()[3] > 0.5);
  CHECK(recorder.losses.back()[3] < 0.7 * recorder.losses.front()[3]);
  CHECK(result.best_epoch > 1);

  FinetuneJob scratch = setup.job(settings, "scratch");
  Recorder other;
  finetune(scratch, other.events());
  CHECK(other.losses.front()[3] != recorder.losses.front()[3]);
}

TEST_CASE("a stage counts the operations of its training steps, also over a stop") {
  const Setup setup;
  const int frozen = GENERATE(0, 2);
  const Settings settings = small_settings({{"finetune.frozen_epochs", frozen}});
  const FinetuneJob job = setup.job(settings, "counted");
  Recorder first;
  first.steps_until_stop = 4;
  REQUIRE(error_of([&] { finetune(job, first.events()); }).code() == ExitCode::interrupted);
  const StageResult result = finetune(job, Recorder{}.events());
  CHECK(result.samples == 12);  // two epochs of three steps with two patches
  const double voxels = 16 * 16 * 16;
  const double base = 4;
  const double forward = static_cast<double>(network_macs(settings, {16, 16, 16}, 1));
  const double head = 2 * base * voxels;
  const double first_layer = 27 * base * voxels;
  // Backward, each kernel works twice, for the gradients of its input and of its weights; the image
  // needs none. With all below the head frozen, the head's weights alone need one.
  const double each = frozen == 0 ? 3 * forward - first_layer : forward + head;
  CHECK(result.flops == 2 * 12 * each);  // exact: whole numbers
}

TEST_CASE("without validation cases the rate stays constant and the last weights are kept",
          "[key:finetune.max_epochs]") {
  Setup setup;
  const Settings settings = small_settings({{"finetune.max_epochs", 3}});
  FinetuneJob job = setup.job(settings, "constant");
  job.validation.clear();
  Recorder recorder;
  const StageResult result = finetune(job, recorder.events());
  CHECK(result.epochs == 3);
  CHECK(result.best_epoch == 3);
  CHECK(recorder.losses.size() == 9);
  for (const auto& row : recorder.losses) {
    CHECK(row[4] == 1e-3);
  }
}

TEST_CASE(
    "along a cosine the rate falls from its first value to zero, with a stop in between too") {
  Setup setup;
  const Settings settings =
      small_settings({{"schedule.finetune_decay", "cosine"}, {"finetune.learning_rate", 0.008}});
  FinetuneJob job = setup.job(settings, "cosine");
  if (GENERATE(false, true)) {
    job.validation.clear();
  }
  Recorder first;
  first.steps_until_stop = 4;
  REQUIRE(error_of([&] { finetune(job, first.events()); }).code() == ExitCode::interrupted);
  Recorder recorder;
  finetune(job, recorder.events());
  std::vector<double> rates;
  for (const auto& row : recorder.losses) {
    if (row[2] == 0) {
      rates.push_back(row[4]);
    }
  }
  // Two epochs of three steps: 0.004 (1 + cos(pi k / 6)).
  const std::vector<double> expected{
      0.008, 0.007464101615137755, 0.006, 0.004, 0.002, 0.0005358983848622454};
  REQUIRE(rates.size() == expected.size());
  for (std::size_t i = 0; i < rates.size(); ++i) {
    CHECK(rates[i] == Approx(expected[i]).epsilon(1e-12));  // double rounding
  }
}

/// How far each part of a network moved from where it started: the largest step of any weight.
std::map<std::string, double> moved(const Settings& settings, const FinetuneJob& job) {
  const Network start(unet_options(settings, job.classes), Rng(job.seed));
  const TensorMap end = read_tensors(job.weights);
  std::map<std::string, double> largest;
  for (const auto& item : start.named_parameters()) {
    const std::string of = item.key().substr(0, item.key().find('.'));
    const double step = (end.at(item.key()) - item.value()).abs().max().item<double>();
    largest[of] = std::max(largest[of], step);
  }
  return largest;
}

TEST_CASE("the head learns at its own rate") {
  Setup setup;
  const Settings settings = small_settings({{"finetune.head_rate_factor", 50.0},
                                            {"finetune.learning_rate", 1e-4},
                                            {"finetune.max_epochs", 1}});
  FinetuneJob job = setup.job(settings, "head");
  job.steps_per_epoch = 1;
  job.validation.clear();
  Recorder recorder;
  finetune(job, recorder.events());
  // The first step of Adam moves each weight by its rate (a gradient below 1e-8 aside).
  const auto steps = moved(settings, job);
  CHECK(steps.at("encoder") == Approx(1e-4).epsilon(1e-3));
  CHECK(steps.at("decoder") == Approx(1e-4).epsilon(1e-3));
  CHECK(steps.at("head") == Approx(5e-3).epsilon(1e-3));
  CHECK(recorder.losses.front()[4] == 1e-4);  // the rate of the layers below is the one told
}

TEST_CASE("in frozen epochs the head alone learns, and after them everything") {
  Setup setup;
  const int epochs = GENERATE(1, 2);
  const Settings settings =
      small_settings({{"finetune.frozen_epochs", 1}, {"finetune.max_epochs", epochs}});
  FinetuneJob job = setup.job(settings, "frozen");
  job.validation.clear();
  finetune(job, Recorder{}.events());
  const auto steps = moved(settings, job);
  CHECK((steps.at("encoder") > 0) == (epochs > 1));
  CHECK((steps.at("decoder") > 0) == (epochs > 1));
  CHECK(steps.at("head") > 0);
}

TEST_CASE("the last epoch is kept on request, whatever the validation loss did") {
  Setup setup;
  const auto trained = [&](const std::string& kept, bool validated) {
    const Settings settings = small_settings({{"finetune.max_epochs", 6},
                                              {"finetune.patience", 1},
                                              {"finetune.learning_rate", 0.01},
                                              {"finetune.kept_epoch", kept},
                                              {"schedule.finetune_decay", "cosine"}});
    FinetuneJob job = setup.job(settings, kept + (validated ? "-validated" : ""));
    job.load = [load = job.load](const std::string& id) {
      TaskCase task_case = load(id);
      if (id == "v") {  // its label is inverted: what training teaches raises its loss
        auto label = std::make_shared<LabelMap>(*task_case.label);
        for (auto& value : label->voxels) {
          value = value == 0 ? 1 : 0;
        }
        task_case.label = label;
      }
      return task_case;
    };
    if (!validated) {
      job.validation.clear();
    }
    return finetune(job, Recorder{}.events());
  };
  const StageResult last = trained("last", true);
  CHECK(last.epochs == 6);
  CHECK(last.best_epoch == 6);
  REQUIRE(trained("best", true).best_epoch < 6);
  CHECK(same_tensors(read_tensors(last.weights), read_tensors(trained("best", false).weights)));
}

TEST_CASE("an image and a label of different sizes, and a label out of range, name their case") {
  Setup setup;
  setup.classes = 3;
  const Settings settings = small_settings();
  FinetuneJob job = setup.job(settings, "bad");
  job.load = [](const std::string& id) {
    TaskCase task_case = make_case(id, {24, 20, 18}, true);
    auto label = std::make_shared<LabelMap>(*task_case.label);
    label->voxels[5] = 3;
    task_case.label = label;
    return task_case;
  };
  Error error = error_of([&] { finetune(job, {}); });
  CHECK(error.code() == ExitCode::data_invalid);
  CHECK_THAT(error.what(), Catch::Contains("case: "));
  job.load = [](const std::string& id) {
    TaskCase task_case = make_case(id, {24, 20, 18}, true);
    task_case.label = make_case(id, {24, 20, 17}, true).label;
    return task_case;
  };
  error = error_of([&] { finetune(job, {}); });
  CHECK(error.code() == ExitCode::data_invalid);
  CHECK_THAT(error.what(), Catch::Contains("24x20x17"));
}

TEST_CASE("a patch that is no multiple of 8 is a usage error") {
  Setup setup;
  const Settings settings = small_settings({{"finetune.patch_voxels", {16, 16, 12}}});
  const Error error = error_of([&] { finetune(setup.job(settings, "sides"), {}); });
  CHECK(error.code() == ExitCode::usage);
  CHECK_THAT(error.what(), Catch::Contains("finetune.patch_voxels"));
}

TEST_CASE("patches lie inside the image, and foreground patches hold their voxel") {
  const TaskCase task_case = make_case("a", {24, 20, 18}, true);
  const ForegroundIndex index = foreground_index(task_case, 3);
  REQUIRE(index.voxels.size() == 2);
  int with_core = 0;
  for (std::uint64_t i = 0; i < 200; ++i) {
    Rng rng = Rng(1).at(purpose::patch, {0, 0, i});
    const Box box = draw_patch({24, 20, 18}, index, {8, 8, 8}, 1.0, rng);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      CHECK(box.origin[axis] >= 0);
      CHECK(box.origin[axis] + 8 <= task_case.image->geometry.size[axis]);
    }
    const auto labels = crop_labels(*task_case.label, box, 3);
    CHECK(std::count_if(labels.begin(), labels.end(), [](auto label) { return label > 0; }) > 0);
    with_core += std::count(labels.begin(), labels.end(), 2) > 0 ? 1 : 0;
  }
  // Statistical: classes are drawn evenly, so at least half of the patches (100 expected, SD 7)
  // hold the core, although it has far fewer voxels than the ball; 65 is five SD below.
  CHECK(with_core > 65);
}

TEST_CASE("uniform patches reach both ends of every axis") {
  std::array<std::pair<int, int>, 3> range{{{99, -1}, {99, -1}, {99, -1}}};
  for (std::uint64_t i = 0; i < 300;
       ++i) {  // a given end is missed with probability (16/17)^300 < 2e-8
    Rng rng = Rng(2).at(purpose::patch, {0, 0, i});
    const Box box = draw_patch({24, 20, 18}, {}, {8, 8, 8}, 0.5, rng);
    for (std::size_t axis = 0; axis < 3; ++axis) {
      range[axis].first = std::min(range[axis].first, box.origin[axis]);
      range[axis].second = std::max(range[axis].second, box.origin[axis]);
    }
  }
  CHECK(range == std::array<std::pair<int, int>, 3>{{{0, 16}, {0, 12}, {0, 10}}});
}

TEST_CASE("an image smaller than the patch lies in its middle, with background around it") {
  const TaskCase task_case = make_case("a", {10, 24, 7}, false);
  Rng rng(0);
  const Box box = draw_patch({10, 24, 7}, foreground_index(task_case, 1), {16, 16, 16}, 1.0, rng);
  CHECK(box.origin[0] == -3);
  CHECK(box.origin[2] == -4);
  const auto labels = crop_labels(*task_case.label, box, 1);
  REQUIRE(labels.size() == 16 * 16 * 16);
  CHECK(std::all_of(
      labels.begin(), labels.begin() + 16 * 16 * 4, [](auto label) { return label == 0; }));
  CHECK(std::count(labels.begin(), labels.end(), 1) > 0);

  Volume image;
  image.geometry.size = {2, 2, 2};
  image.voxels = {5, 4, 3, -2, 7, 8, 9, 6};
  CHECK(background_of(image) == -2.0F);
}

TEST_CASE("one channel takes every label above zero as foreground") {
  const TaskCase task_case = make_case("a", {24, 20, 18}, true);
  CHECK(foreground_index(task_case, 1).voxels.size() == 1);
  const auto labels = crop_labels(*task_case.label, {{0, 0, 0}, {24, 20, 18}}, 1);
  CHECK(*std::max_element(labels.begin(), labels.end()) == 1);
}

/// Weights with which the network answers the head's bias at every voxel: all convolutions are
/// zero.
std::filesystem::path constant_weights(const Settings& settings,
                                       int classes,
                                       const std::vector<float>& bias,
                                       const std::filesystem::path& folder) {
  Network network(unet_options(settings, classes), Rng(0));
  const torch::NoGradGuard no_grad;
  for (auto& parameter : network.parameters()) {
    parameter.zero_();
  }
  network.head->bias.copy_(torch::tensor(bias));
  const auto path = folder / "constant.pt";
  write_tensors(path, named_tensors(network));
  return path;
}

TEST_CASE("a constant network predicts its constant everywhere, whatever the windows") {
  const TemporaryFolder folder;
  const std::string mode = GENERATE("windows", "whole");
  const Settings settings = small_settings({{"evaluate.mode", mode}, {"evaluate.batch_size", 3}});
  const Size3 size = GENERATE(Size3{24, 20, 18}, Size3{9, 33, 16});
  const TaskCase task_case = make_case("a", size, false);
  // Tolerance: weighted sums of equal float32 numbers, divided by the sum of their weights.
  {
    const Predictor one(settings, 1, constant_weights(settings, 1, {0.4F}, folder.path()), {});
    const auto blocks = one.probabilities(*task_case.image);
    REQUIRE(blocks.size() == 1);
    CHECK(blocks[0].size == size);
    const double expected = 1 / (1 + std::exp(-0.4));
    for (const float value : blocks[0].values) {
      REQUIRE(value == Approx(expected).epsilon(1e-5));
    }
  }
  const Predictor three(
      settings, 3, constant_weights(settings, 3, {0.0F, std::log(2.0F), 0.0F}, folder.path()), {});
  const auto blocks = three.probabilities(*task_case.image);
  REQUIRE(blocks.size() == 3);
  for (std::size_t i = 0; i < blocks[0].values.size(); ++i) {
    REQUIRE(blocks[0].values[i] == Approx(0.25).epsilon(1e-5));
    REQUIRE(blocks[1].values[i] == Approx(0.5).epsilon(1e-5));
  }
}

TEST_CASE("a window that covers the image gives what the whole image in one pass gives") {
  const TemporaryFolder folder;
  const Size3 size = GENERATE(Size3{16, 16, 16}, Size3{10, 13, 16});
  const Settings settings = small_settings();
  Network network(unet_options(settings, 3), Rng(4));
  network.train();
  network.forward(torch::rand({2, 1, 16, 16, 16}));  // BatchNorm buffers away from their start
  const auto path = folder.path() / "weights.pt";
  write_tensors(path, named_tensors(network));
  const TaskCase task_case = make_case("a", size, false);
  const auto windows = Predictor(settings, 3, path, {}).probabilities(*task_case.image);
  const Settings whole = small_settings({{"evaluate.mode", "whole"}});
  const auto once = Predictor(whole, 3, path, {}).probabilities(*task_case.image);
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < windows[channel].values.size(); ++i) {
      // Tolerance: w * p / w in float32.
      REQUIRE(windows[channel].values[i] == Approx(once[channel].values[i]).epsilon(1e-5));
    }
  }
}

TEST_CASE("overlapping windows are averaged with their weights", "[key:evaluate.gaussian]") {
  // Two windows of 16 along x, at 0 and 8, on 24 voxels; flat weights: the overlap is the plain
  // mean.
  const TemporaryFolder folder;
  const Settings settings = small_settings({{"evaluate.gaussian", false}});
  Network network(unet_options(settings, 1), Rng(4));
  const auto path = folder.path() / "weights.pt";
  write_tensors(path, named_tensors(network));
  const TaskCase task_case = make_case("a", {24, 16, 16}, false);
  const auto blocks = Predictor(settings, 1, path, {}).probabilities(*task_case.image);
  network.eval();
  const torch::NoGradGuard no_grad;
  const torch::Tensor image = torch::tensor(task_case.image->voxels).reshape({1, 1, 16, 16, 24});
  const auto window = [&](int start) {
    return torch::sigmoid(network.forward(image.slice(4, start, start + 16).contiguous()))[0][0];
  };
  torch::Tensor expected = torch::zeros({16, 16, 24});
  expected.slice(2, 0, 16) += window(0);
  expected.slice(2, 8, 24) += window(8);
  expected.slice(2, 8, 16) /= 2;
  const torch::Tensor got = torch::tensor(blocks[0].values).reshape({16, 16, 24});
  CHECK(torch::allclose(got, expected, 1e-4, 1e-5));  // tolerance: batches of two and of one differ
}

TEST_CASE("weights that are absent or of another width are refused with their file") {
  const TemporaryFolder folder;
  const Settings settings = small_settings();
  Error error = error_of([&] { Predictor(settings, 1, folder.path() / "none.pt", {}); });
  CHECK(error.code() == ExitCode::data_not_found);
  write_tensors(folder.path() / "narrow.pt",
                named_tensors(Network(UNetOptions{.base_channels = 2}, Rng(0))));
  error = error_of([&] { Predictor(settings, 1, folder.path() / "narrow.pt", {}); });
  CHECK(error.code() == ExitCode::data_invalid);
  CHECK_THAT(error.what(), Catch::Contains("narrow.pt"));
}

}  // namespace sar::finetune_test
