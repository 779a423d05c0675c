#pragma once

#include "tests/learning/phantom_cubes.h"
#include "tests/nn/support.h"

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sar::learning_test {

/// Indices into a cube store; no patient is on both sides.
struct Sides {
  std::vector<std::size_t> train;
  std::vector<std::size_t> held_out;
};

/// Cubes of some data sets (all: {}); every third patient of each is held out.
Sides sides_of(const CubeStore& cubes, const std::set<std::string>& datasets = {});

/// As many CT cubes as MRI cubes, `count` in all, spread evenly over the list.
std::vector<std::size_t> half_ct(const CubeStore& cubes,
                                 const std::vector<std::size_t>& from,
                                 std::size_t count);

/// What a pre-training reached on the cubes held out.
struct Trained {
  std::map<std::string, double> metrics;  ///< of the last epoch
  double chance = -1;                     ///< as the method states it for its accuracy
  std::int64_t steps = 0;
  double seconds = 0;  ///< of processor time
};

/// Pre-trains as a run does. `changes` come on top of the small settings of the network's tests.
Trained trained(const std::string& method,
                const CubeStore& cubes,
                const Sides& sides,
                const nn_test::Changes& changes);

/// Prints a line for the log and the documentation.
void report(const std::string& line);

/// Share of hits among n independent guesses, each right with chance p, that is exceeded with a
/// probability of less than `beyond`.
double binomial_bound(int n, double p, double beyond = 1e-6);

/// Mean of n independent values in [0, 1] with the given mean that is exceeded with a probability
/// of less than `beyond` (Hoeffding 1963, theorem 1: exp(-n KL(q, mean))).
double bounded_mean_bound(int n, double mean, double beyond);

}  // namespace sar::learning_test
