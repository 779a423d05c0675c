// The classifying proxy tasks, each trained until it is well above chance on patients held out.

#include "tests/learning/trained.h"

#include <fmt/format.h>

#include <cmath>

namespace sar::learning_test {

/// Trains, and the same network untrained (learning rate 0) beside it.
struct Comparison {
  Trained learned;
  Trained untrained;
};

Comparison compare(const std::string& method,
                   const CubeStore& cubes,
                   const Sides& sides,
                   nn_test::Changes changes) {
  Comparison result;
  result.learned = trained(method, cubes, sides, changes);
  changes.insert(changes.end(),
                 {{method + ".learning_rate", 0.0},
                  {"optimizer.learning_rate", 0.0},
                  {"pretrain.max_epochs", 1},
                  {"pretrain.epoch_cubes", 64}});
  result.untrained = trained(method, cubes, sides, changes);
  return result;
}

void check_accuracy(const std::string& method,
                    const std::string& metric,
                    const Comparison& result,
                    double chance,
                    double bound) {
  const double accuracy = result.learned.metrics.at(metric);
  const double untrained = result.untrained.metrics.at(metric);
  report(
      fmt::format("{}: accuracy {:.3f} after {} steps, untrained {:.3f}, chance {:.4f}, bound "
                  "{:.4f}, {:.0f} s",
                  method,
                  accuracy,
                  result.learned.steps,
                  untrained,
                  chance,
                  bound,
                  result.learned.seconds));
  CHECK(result.learned.chance == Approx(chance).epsilon(1e-9));  // exact but for the division
  CHECK(untrained <= bound);
  CHECK(accuracy > bound);
}

/// Statistical. A held-out cube's label (place, order, turn) is drawn for it alone, evenly among
/// the classes, from a stream that neither cubes nor weights depend on. Whatever a network that has
/// learned nothing answers, each answer is right with chance 1 / classes and independently of the
/// others, so its hits are binomial, and it passes with a probability below 1e-6. The labels come
/// from a fixed seed, and the accuracies reached (in the comments) are far from the bounds, so
/// another processor's rounding does not matter.
void check_drawn_labels(const std::string& method,
                        const std::string& metric,
                        const CubeStore& cubes,
                        const Sides& sides,
                        int classes,
                        const nn_test::Changes& changes) {
  const double chance = 1.0 / classes;
  check_accuracy(method,
                 metric,
                 compare(method, cubes, sides, changes),
                 chance,
                 binomial_bound(static_cast<int>(sides.held_out.size()), chance));
}

void check_rpl(int epochs) {
  // Chest CT alone: where there are several organs the places take many times as long to tell.
  const CubeStore cubes(phantom_cubes(CubeSet::large));
  check_drawn_labels("rpl",
                     "patch_location_accuracy",
                     cubes,
                     sides_of(cubes, {"luna"}),
                     26,
                     {{"network.base_channels", 8},
                      {"rpl.input_voxels", 30},
                      {"rpl.patch_voxels", 8},
                      {"rpl.learning_rate", 1e-3},
                      {"pretrain.batch_size", 128},
                      {"pretrain.max_epochs", epochs}});
}

void check_jig(int permutations, int epochs) {
  const CubeStore cubes(phantom_cubes(CubeSet::large));
  Sides sides = sides_of(cubes, {"luna"});
  sides.held_out.resize(240);
  check_drawn_labels("jig",
                     "permutation_accuracy",
                     cubes,
                     sides,
                     permutations,
                     {{"network.base_channels", 8},
                      {"jig.input_voxels", 30},
                      {"jig.patch_voxels", 8},
                      {"jig.permutations", permutations},
                      {"jig.learning_rate", 1e-3},
                      {"pretrain.batch_size", 16},
                      {"pretrain.max_epochs", epochs}});
}

void check_rot(int epochs) {
  const CubeStore cubes(phantom_cubes(CubeSet::large));
  check_drawn_labels("rot",
                     "rotation_accuracy",
                     cubes,
                     sides_of(cubes, {"luna"}),
                     10,
                     {{"network.base_channels", 8},
                      {"rot.input_voxels", 16},
                      {"rot.learning_rate", 1e-3},
                      {"pretrain.batch_size", 16},
                      {"pretrain.max_epochs", epochs}});
}

/// Statistical. Within one batch and one step the own targets are a matching of n columns with n
/// candidates. Let the targets of columns be exchangeable, as they are for predictions that know
/// nothing of them: for any choice f of candidates and any k columns, all k are right with a chance
/// of at most (n - k)! / n!, so the hits H of a batch and step have E[C(H, k)] <= 1 / k!, and
/// E[(1 + u)^H] = sum u^k E[C(H, k)] <= exp(u): no heavier a tail than Poisson with mean 1. Over m
/// batches and steps P(H >= c m) <= exp(-m (c ln c - c + 1)); the bound is the c at which that is
/// 1e-6, and chance is one hit for each. It holds for guessing that knows nothing, not for a
/// network that knows only which cube a column comes from (1 / 16 in the same units).
double contrastive_bound(int batches_and_steps, double chance) {
  double low = 1;
  double high = 100;
  for (int i = 0; i < 60; ++i) {
    const double c = 0.5 * (low + high);
    (std::exp(-batches_and_steps * (c * std::log(c) - c + 1)) < 1e-6 ? high : low) = c;
  }
  return high * chance;
}

void check_cpc(int epochs) {
  constexpr int kBatch = 8;
  constexpr int kHeldOut = 320;
  const CubeStore cubes(phantom_cubes(CubeSet::large));
  Sides sides = sides_of(cubes);
  sides.held_out = half_ct(cubes, sides.held_out, kHeldOut);
  const double chance = 1.0 / (16 * kBatch);  // a column of 16 a cube among those of its batch
  check_accuracy("cpc",
                 "contrastive_accuracy",
                 compare("cpc",
                         cubes,
                         sides,
                         {{"network.base_channels", 8},
                          {"cpc.input_voxels", 32},
                          {"cpc.learning_rate", 1e-3},
                          {"pretrain.batch_size", kBatch},
                          {"pretrain.epoch_cubes", 640},
                          {"pretrain.max_epochs", epochs}}),
                 chance,
                 contrastive_bound(2 * kHeldOut / kBatch, chance));
}

TEST_CASE("3D-RPL learns where a patch lies", "[learning]") {
  check_rpl(60);  // 360 steps; reached: 0.20 to 0.26, bound 0.094, chance 0.038
}
TEST_CASE("3D-Jig learns the order of patches", "[learning]") {
  check_jig(24, 3);  // 135 steps; reached: 0.35 to 0.55, bound 0.117, chance 0.042
}
TEST_CASE("3D-Rot learns by which angle a cube was turned", "[learning]") {
  check_rot(7);  // 315 steps; reached: 0.61 to 0.67, bound 0.183, chance 0.1
}
TEST_CASE("3D-CPC learns to tell patches further along", "[learning]") {
  check_cpc(3);  // 240 steps; reached: 0.026 to 0.039, bound 0.013, chance 0.0078
}

TEST_CASE("3D-RPL learns where a patch lies in many steps", "[learning][long]") {
  check_rpl(120);
}
TEST_CASE("3D-Jig learns the paper's number of orders", "[learning][long]") {
  check_jig(100, 10);
}
TEST_CASE("3D-Rot learns by which angle a cube was turned in many steps", "[learning][long]") {
  check_rot(20);
}
TEST_CASE("3D-CPC learns to tell patches further along in many steps", "[learning][long]") {
  check_cpc(7);
}

}  // namespace sar::learning_test
