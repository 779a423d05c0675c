#pragma once

#include "harness/config/settings.h"
#include "harness/core/rng.h"
#include "harness/volume/volume.h"

#include <string>

namespace sar {

/// Rates and sizes of the Models Genesis transforms (Zhou et al., MICCAI 2019; the official code's
/// rates). Read from the keys `transform.*`.
struct TransformOptions {
  double flip_rate = 0.4;
  std::string flip_axes =
      "xyz";  ///< "xyz", or "repo": a third of the flips hit no axis and z is never flipped
  double local_shuffle_rate = 0.5;
  int local_shuffle_windows = 0;  ///< 0 = automatic: 10,000 at 64x64x32
  double nonlinear_rate = 0.9;
  int bezier_points = 1000;
  double paint_rate = 0.9;
  double inpaint_rate = 0.2;
};
TransformOptions transform_options(const Settings& settings);

/// Number of shuffle windows that covers a cube of `size` as 10,000 windows cover 64x64x32:
/// round(1.8692 * V / prod((1 + floor(d/10)) / 2)).
int automatic_shuffle_windows(const Size3& size);

// Each transform works on one cube with values in [0, 1] and draws from the stream that it is
// given, in the order that its comment states: the numbers depend on it.
void flip(Block& cube, bool x, bool y, bool z);
/// Per window one word for its three sides, one for its origin, then the permutation.
void local_shuffle(Block& cube, int windows, Rng& rng);
/// Monotone cubic Bezier intensity map; increasing or (p = 1/2) contrast-inverting. Draws u1 to u4,
/// then the inversion; between entries of the table the map is linear.
void nonlinear(Block& cube, int points, Rng& rng);
/// Per box its gate, sides x y z, origin x y z, then its noise with x fastest.
void inpaint(Block& cube, Rng& rng);
/// The noise of the whole cube first; then per window its gate (but for the first), sides x y z,
/// origin x y z.
void outpaint(Block& cube, Rng& rng);

/// Table of a Bezier intensity map: y at `points` equally spaced x in [0, 1].
std::vector<float> bezier_table(
    double u1, double u2, double u3, double u4, bool inverted, int points);

/// A training pair: `target` is the (possibly flipped) cube, `input` the corrupted one.
struct RestorationPair {
  Block input;
  Block target;
};

/// Flip (input and target), local shuffle, non-linear map, painting (input only), in this order.
/// `rng` must be the stream of this very sample, e.g. rng.at(purpose::transform, {epoch, cube});
/// each step draws from a stream of its own, so changing one rate leaves the others' draws alone.
/// Throws Error 70 if a value lies outside [0, 1] (allowing 1e-4).
RestorationPair make_restoration_pair(const Block& cube,
                                      const TransformOptions& options,
                                      const Rng& rng);

}  // namespace sar
