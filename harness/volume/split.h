#pragma once

#include "harness/core/rng.h"

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace sar {

using CaseIds = std::vector<std::string>;

// Every function sorts the ids first and drops repeated ones, draws from a stream of its own
// (`rng.at(purpose::…)`), and returns sorted lists, so results depend on the set of ids and the
// seed only.

/// Splits patients into test (round half up of n * test_ratio, at least 1) and training. Ids are
/// sorted first, so the order of files on disk does not matter. Cases of one patient stay together.
struct TrainTest {
  CaseIds train;
  CaseIds test;
};
TrainTest split_train_test(CaseIds ids, double test_ratio, const Rng& rng);

/// `folds` seeded test folds whose sizes differ by at most one; fold k is the test part of trial k.
std::vector<CaseIds> split_folds(CaseIds ids, int folds, const Rng& rng);

/// The first max(1, floor(n * fraction + 0.5)) cases of one seeded permutation of the sorted ids:
/// subsets of smaller fractions are nested in those of larger ones.
CaseIds take_fraction(CaseIds ids, double fraction, const Rng& rng);
/// "1", "1/2", ... to a number in (0, 1]. Throws Error 2.
double parse_fraction(const std::string& text);

/// Takes round-half-up(n * fraction), at least one, of the given cases for validation and leaves at
/// least one for training. A single case is trained on without validation (the paper is silent),
/// and nothing is taken for a fraction of 0.
struct TrainValidation {
  CaseIds train;
  CaseIds validation;
};
TrainValidation carve_validation(CaseIds ids, double fraction, const Rng& rng);

/// Refuses to go on if a test case was seen in pre-training. Ids carry their data set ("brats/…").
/// Throws Error 65 listing the cases.
void refuse_leak(const CaseIds& pretraining, const CaseIds& test);

}  // namespace sar
