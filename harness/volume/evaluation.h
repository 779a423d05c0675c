#pragma once

#include "harness/config/settings.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <vector>

namespace sar {

/// Start indices of sliding windows along one axis of `length` voxels: a step of at most
/// `step` * `window`, evenly spread, the last window flush with the border; {0} if one window
/// covers the axis. Isensee et al., nnU-Net (inference/sliding_window_prediction.py). `step` in (0,
/// 1].
std::vector<int> window_starts(int length, int window, double step);

/// Weights of one window: a Gaussian of sigma window/8 that peaks with 1 at voxel window/2 of each
/// axis, or 1 everywhere. No voxel is more than 4 sigma away on any axis, so no weight is below
/// e^-24 and nnU-Net's replacement of zero weights is not needed.
Block window_weights(const Size3& window, bool gaussian);

/// Dice coefficient 2|P & G| / (|P| + |G|) in percent. One mask empty: 0; both empty: `both_empty`.
double dice_percent(std::span<const std::uint8_t> prediction,
                    std::span<const std::uint8_t> truth,
                    double both_empty = 100.0);

/// Counts behind a Dice coefficient, so that voxels can also be pooled over cases.
struct Overlap {
  std::int64_t both = 0;
  std::int64_t prediction = 0;
  std::int64_t truth = 0;
};
Overlap count_overlap(std::span<const std::uint8_t> prediction,
                      std::span<const std::uint8_t> truth);
double dice_percent(const Overlap& overlap, double both_empty = 100.0);

/// Keeps the largest 26-connected component of a mask; of equal ones that with the first voxel.
void keep_largest_component(std::span<std::uint8_t> mask, const Size3& size);

/// How probabilities become a Dice coefficient; read from the keys `evaluate.*`.
struct ScoreOptions {
  double threshold = 0.5;           ///< of one channel
  bool keep_largest = false;        ///< only the largest component of the prediction counts
  double empty_dice_percent = 100;  ///< if prediction and truth are both empty
};
ScoreOptions score_options(const Settings& settings);

/// Class of each voxel: above the threshold for one channel, argmax (first of equals) for several.
std::vector<std::uint8_t> classify(const std::vector<Block>& probabilities, double threshold);

/// The voxels of the named classes, taken together: 1, elsewhere 0.
std::vector<std::uint8_t> mask_of(std::span<const std::uint8_t> labels,
                                  const std::set<int>& classes);
/// The voxels of a prediction that are scored as the named classes, taken together: a mask, of
/// which `keep_largest` keeps one component (unless the background is among the classes: it is what
/// is left over).
std::vector<std::uint8_t> scored_mask(std::span<const std::uint8_t> prediction,
                                      const Size3& size,
                                      const std::set<int>& classes,
                                      const ScoreOptions& options);

struct Score {
  Overlap overlap;
  double dice_percent = 0;
};
/// Scores the voxels of the named classes, taken together. `prediction` lies on the grid of
/// `truth`.
Score score(std::span<const std::uint8_t> prediction,
            const LabelMap& truth,
            const std::set<int>& classes,
            const ScoreOptions& options);

/// A test case and its ground-truth tumour size.
struct SizedCase {
  std::string id;
  double volume_mm3 = 0;
};

/// Tumour-size buckets, one of "S", "M", "L" per case, or an empty map if there are fewer than
/// three cases (then only "all" is reported). `rule`: "quartile" (default: smallest and largest
/// max(1, floor(n/4)) cases, the rest is M), "tertile", or "thresholds" (below the first: S, from
/// the second on: L). Cases are ordered by volume, ties by id.
///
/// With `reference_mm3`, quartiles and tertiles are those of these volumes (of the training cases):
/// S up to the largest volume of their S, L from the smallest of their L on, so that counts may
/// differ from trial to trial. Empty as well if there are fewer than three of them.
std::map<std::string, std::string> size_buckets(
    std::vector<SizedCase> cases,
    const std::string& rule,
    const std::vector<double>& thresholds_mm3 = {},
    std::optional<std::vector<double>> reference_mm3 = std::nullopt);

}  // namespace sar
