// Restoration, and the game between encoder and modality discriminator.

#include "harness/nn/torch/proxy_task.h"
#include "harness/nn/torch/stage.h"
#include "tests/learning/trained.h"

#include <fmt/format.h>

#include <cmath>
#include <limits>

namespace sar::learning_test {

/// The same sides with cubes of one scale alone.
Sides of_scale(Scale scale, const CubeStore& cubes, Sides sides) {
  const auto other = [&](std::size_t index) { return cubes.info(index).scale != scale; };
  std::erase_if(sides.train, other);
  std::erase_if(sides.held_out, other);
  return sides;
}

/// Errors of restorations that learn nothing, on the very pairs that validation sees.
struct Baselines {
  double constant = 0;  ///< one value for all cubes: their common mean
  double mean = 0;      ///< each cube's own mean everywhere: the best constant of every cube
  double copy = 0;      ///< the transformed cube as it is
};

Baselines baselines(const std::string& method,
                    const CubeStore& cubes,
                    const std::vector<std::size_t>& held_out,
                    const Settings& settings) {
  Network network(unet_options(settings, 1), Rng(1));
  const auto task = nn_test::registry().at(method).make_task(settings, network);
  const Rng rng(7);  // the seed of `trained`
  const auto pairs = task->prepare({cubes, rng, 0, held_out});
  const torch::Tensor& target = pairs[1];
  return {target.var(/*unbiased=*/false).item<double>(),
          (target - target.mean({1, 2, 3, 4}, /*keepdim=*/true)).pow(2).mean().item<double>(),
          torch::mse_loss(pairs[0], target).item<double>()};
}

/// Exact comparison of errors on the same held-out pairs, no estimate. The shares keep clear of
/// the baselines; what is reached stands at each case.
struct RestorationGoal {
  double of_constant = 0.9;
  double of_mean = 0.9;
  double of_copy = 0.5;
};

void check_restoration(const std::string& method,
                       int epochs,
                       const RestorationGoal& goal,
                       const nn_test::Changes& more) {
  const CubeStore cubes(phantom_cubes(CubeSet::every_scale));
  // Small cubes are nearly constant, and their own mean restores them well.
  Sides sides = of_scale(Scale::large, cubes, sides_of(cubes));
  sides.held_out = half_ct(cubes, sides.held_out, 160);
  nn_test::Changes changes{{"network.base_channels", 4},
                           {"network.batch_norm_evaluation", "batch"},
                           {"optimizer.learning_rate", 0.1},
                           {"pretrain.batch_size", 8},
                           {"pretrain.epoch_cubes", 800},
                           {"pretrain.max_epochs", epochs}};
  changes.insert(changes.end(), more.begin(), more.end());
  const Baselines blind =
      baselines(method, cubes, sides.held_out, nn_test::small_settings(changes));
  const Trained result = trained(method, cubes, sides, changes);
  const double error = result.metrics.at("restoration_mse");
  report(
      fmt::format("{}: restoration error {:.4f} after {} steps, of one constant {:.4f}, of each "
                  "cube's mean {:.4f}, of copying {:.4f}, {:.0f} s",
                  method,
                  error,
                  result.steps,
                  blind.constant,
                  blind.mean,
                  blind.copy,
                  result.seconds));
  CHECK(error < goal.of_constant * blind.constant);
  CHECK(error < goal.of_mean * blind.mean);
  CHECK(error < goal.of_copy * blind.copy);
}

// Reached: 0.027 after 400 steps, where each cube's own mean has 0.040 and copying 0.085. The
// intensity map is off: half of the maps invert the cube, and to see which takes longer.
TEST_CASE("Genesis restores better than each cube's mean", "[learning]") {
  check_restoration("genesis", 4, {}, {{"transform.nonlinear_rate", 0.0}});
}

TEST_CASE("the other restoration methods restore better than each cube's mean",
          "[learning][long]") {
  // Reached: 0.027 to 0.028 after 600 steps.
  // The single-scale methods differ from +MIAL by their cubes alone, so one of them will do.
  for (const char* method : {"mial", "sa", "sar", "scale2"}) {
    check_restoration(method, 6, {}, {{"transform.nonlinear_rate", 0.0}});
  }
}

// Reached: 0.0435 after 1200 steps, where one constant for all cubes has 0.0507 and copying 0.160.
// Each cube's own mean (0.0403) is no measure here: nothing in an inverted or mapped cube tells it.
TEST_CASE("Genesis restores all transforms better than a constant", "[learning][long]") {
  check_restoration("genesis", 12, {0.95, std::numeric_limits<double>::infinity(), 0.4}, {});
}

/// The game of +MIAL, played by hand so that the encoder can rest: the task's own losses and the
/// trainer's optimiser, each player stepping or not.
class Game {
 public:
  Game(const CubeStore& cubes, Sides sides, const Settings& settings, std::uint64_t seed)
      : cubes_(cubes),
        sides_(std::move(sides)),
        network_(unet_options(settings, 1), Rng(seed)),
        rng_(seed) {
    const TorchSeedScope scope(Rng(seed).at(purpose::initialisation));
    task_ = nn_test::registry().at("mial").make_task(settings, network_);
  }

  void play(int steps, double network_rate, double discriminator_rate) {
    std::vector<ParameterGroup> groups{{task_->parameters(), discriminator_rate}};
    if (network_rate > 0) {
      groups.push_back({network_.parameters(), network_rate});
    }
    const auto optimizer = make_optimizer("sgd", groups, 0.9, 0);
    for (auto& parameter : network_.parameters()) {
      parameter.requires_grad_(network_rate > 0);
    }
    for (int step = 0; step < steps; ++step) {
      ++steps_;
      std::vector<std::size_t> indices;
      const auto order = rng_.at(purpose::order, {steps_})
                             .permutation(static_cast<std::uint32_t>(sides_.train.size()));
      for (std::size_t i = 0; i < kBatch; ++i) {
        indices.push_back(sides_.train[order[i]]);
      }
      StepContext context;
      context.training = true;
      for (auto& parameter : network_.parameters()) {
        parameter.mutable_grad() = torch::Tensor();
      }
      optimizer->zero_grad();
      const auto tensors = task_->prepare({cubes_, rng_, static_cast<int>(steps_), indices});
      task_->losses(network_, tensors, context).total.backward();
      optimizer->step();
    }
  }

  /// Takes over weights and buffers of both players, and where the game stands.
  void continue_from(const Game& other) {
    const torch::NoGradGuard no_grad;
    const auto copy = [](const torch::nn::Module& from, const torch::nn::Module& to) {
      const TensorMap target = named_tensors(to);
      for (const auto& [name, tensor] : named_tensors(from)) {
        torch::Tensor(target.at(name)).copy_(tensor);
      }
    };
    copy(other.network_, network_);
    copy(*other.task_, *task_);
    steps_ = other.steps_;
  }

  /// Means over the cubes held out, in batches as in training and with their statistics: the
  /// running ones lag behind an encoder that moves fast, which alone would confuse M.
  std::map<std::string, double> held_out() {
    const torch::NoGradGuard no_grad;
    std::map<std::string, double> means;
    const std::size_t batches = sides_.held_out.size() / kBatch;
    for (std::size_t batch = 0; batch < batches; ++batch) {
      std::vector<std::size_t> indices;
      for (std::size_t i = 0; i < kBatch; ++i) {
        indices.push_back(sides_.held_out[batch + i * batches]);  // CT and MRI in equal parts
      }
      const auto tensors = task_->prepare({cubes_, rng_, 0, indices});
      for (const auto& [name, value] : task_->losses(network_, tensors, {}).metrics) {
        means[name] += value.item<double>() / static_cast<double>(batches);
      }
    }
    return means;
  }

 private:
  static constexpr std::size_t kBatch = 16;

  const CubeStore& cubes_;
  Sides sides_;
  Network network_;
  std::shared_ptr<ProxyTask> task_;
  Rng rng_;
  std::uint64_t steps_ = 0;
};

/// Shown: M learns the modality from an encoder that rests; then, with the reversal on, it comes to
/// know little more than that half of the cubes are CT; and in a game that differs from the second
/// by lambda = 0 alone it goes on knowing, so it is the reversal and not the moving encoder that
/// confuses it.
///
/// Rates: M learns at 3e-2 while nobody moves. In the game its rate is the paper's 1e-3 and the
/// encoder's 3e-2, thirty times as much (with the paper's thousand the encoder runs away from M
/// without any reversal). An encoder that is so much faster overshoots: it fools M (accuracies
/// below 0.1 within 50 steps), M answers the other way round, and after some 150 steps the swings
/// die down around the equilibrium (cross-entropy ln 2, accuracy 1/2). So the measure is the mean
/// over the last three of five looks, and it is one-sided: section 4.4 of the method notes expects
/// an M that is fooled as well as one that is confused.
void check_game(std::uint64_t seed) {
  const CubeStore cubes(phantom_cubes(CubeSet::every_scale));
  Sides sides = of_scale(Scale::large, cubes, sides_of(cubes));
  sides.train = half_ct(cubes, sides.train, 960);
  sides.held_out = half_ct(cubes, sides.held_out, 320);
  std::set<std::string> patients;
  for (const std::size_t index : sides.held_out) {
    patients.insert(cubes.info(index).patient);
  }
  const auto settings_for = [](double lambda) {
    return nn_test::small_settings({{"network.base_channels", 4},
                                    {"mial.lambda", lambda},
                                    {"transform.paint_rate", 0.0},
                                    {"transform.nonlinear_rate", 0.0}});
  };
  struct Knowledge {
    double accuracy = 0, cross_entropy = 0;
  };
  const auto look = [](Game& game, const std::string& when) {
    const auto means = game.held_out();
    const Knowledge known{means.at("modality_accuracy"), means.at("modality_cross_entropy")};
    report(fmt::format(
        "mial, {}: modality accuracy {:.3f}, cross-entropy {:.3f}, restoration error {:.4f}",
        when,
        known.accuracy,
        known.cross_entropy,
        means.at("restoration_mse")));
    return known;
  };
  const auto play_on = [&](Game& game, const std::string& name, int rounds, int late_rounds) {
    Knowledge late;
    for (int round = 1; round <= rounds; ++round) {
      game.play(50, 3e-2, 1e-3);
      const Knowledge known = look(game, fmt::format("{}, step {}", name, 50 * round));
      if (round > rounds - late_rounds) {
        late.accuracy += known.accuracy / late_rounds;
        late.cross_entropy += known.cross_entropy / late_rounds;
      }
    }
    return late;
  };

  const Settings with_reversal = settings_for(1);
  const Settings without = settings_for(0);
  Game game(cubes, sides, with_reversal, seed);
  const Knowledge untrained = look(game, "untrained");
  game.play(200, 0, 3e-2);
  const Knowledge learned = look(game, "encoder frozen");
  Game control(cubes, sides, without, seed);
  control.continue_from(game);
  CHECK(look(control, "control").cross_entropy == learned.cross_entropy);  // exact: a copy
  const Knowledge confused = play_on(game, "reversal", 5, 3);
  const Knowledge knowing = play_on(control, "no reversal", 3, 1);
  report(fmt::format("mial, late means: reversal {:.3f}, {:.3f}; no reversal {:.3f}, {:.3f}",
                     confused.accuracy,
                     confused.cross_entropy,
                     knowing.accuracy,
                     knowing.cross_entropy));

  // Statistical. Cubes of one patient are not independent, so the patients count: each gives an
  // accuracy in [0, 1] whose mean is the majority's share, 1/2, for an M that knows nothing. 35
  // patients exceed 0.846 with a probability below 1e-4. Reached: 0.95 to 0.97, cross-entropy 0.11
  // to 0.15 (seeds 7, 8, 9).
  const double bound = bounded_mean_bound(static_cast<int>(patients.size()), 0.5, 1e-4);
  CHECK(untrained.accuracy <= bound);
  CHECK(learned.accuracy > bound);
  CHECK(learned.cross_entropy < 0.5 * std::log(2.0));
  // An M that knows the shares and nothing else has ln 2 = 0.69. Reached: 0.71 on two processors
  // with seed 7, 0.75 with seed 8; without the reversal 0.20 and 0.14. The accuracy is no measure:
  // it swings with the game, between 0.26 and 0.76 at the last three looks.
  CHECK(confused.cross_entropy > 0.8 * std::log(2.0));
  CHECK(knowing.cross_entropy < 0.65 * std::log(2.0));
  CHECK(confused.cross_entropy - knowing.cross_entropy > 0.25);
}

TEST_CASE("+MIAL's discriminator learns the modality and is then confused", "[learning]") {
  check_game(7);
}

}  // namespace sar::learning_test
