#pragma once

#include "datasets/phantom_canvas.h"

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

/// The bodies of the phantom suite. Every function depends on its arguments alone.
namespace sar::phantom {

/// Sub-streams of a case, so that a change of one structure leaves the others as they are.
enum class Part : std::uint64_t {
  placement,
  trunk,
  spine,
  texture,
  grain,
  organs,
  bowel,
  vessels,
  tumor,
  lesions,
  lungs,
  nodules,
  heart,
  bias,
  contrast,
  pancreas,
  name,
};
inline Rng stream(const Rng& rng, Part part, std::uint64_t index = 0) {
  return rng.at(purpose::phantom, {static_cast<std::uint64_t>(part), index});
}

/// Every fourth brain has a low-grade tumour, as 75 of BraTS 2018's 285.
constexpr bool is_high_grade(int index) {
  return index % 4 != 3;
}

/// A skull-stripped head: flair, t1, t1ce, t2 in scanner units, zero outside the brain; labels 0, 1
/// (necrotic or non-enhancing core), 2 (oedema), 4 (enhancing).
struct Brain {
  std::array<Field, 4> channels;
  std::vector<std::uint8_t> labels;
};
/// `tumor_quantile` in [0, 1) places the tumour's volume in its log-uniform range.
Brain make_brain(const Canvas& canvas, bool high_grade, double tumor_quantile, const Rng& rng);

/// Upper abdomen in HU with distance fields of what is labelled.
struct Abdomen {
  Field hu;
  Field liver;
  Field liver_lesions;
  Field pancreas;  ///< organ with its tumour
  Field pancreas_tumor;
};
/// Which of the labelled structures get a size of their own: a data set's target.
struct AbdomenPlan {
  Frame frame;
  double liver_lesion_quantile = -1;  ///< negative: no lesions
  double pancreas_tumor_quantile =
      -1;  ///< negative: no tumour, and the organ keeps its natural size
};
Abdomen make_abdomen(const Canvas& canvas, const AbdomenPlan& plan, const Rng& rng);

/// Chest CT in HU with lungs, airways, vessels, ribs and nodules.
Field make_chest_ct(const Canvas& canvas, const Frame& frame, const Rng& rng);

/// Chest MR around the heart in scanner units, with the left atrium's distance field.
struct HeartMr {
  Field image;
  Field left_atrium;
};
HeartMr make_heart_mr(const Canvas& canvas, const Frame& frame, const Rng& rng);

/// Draws a case's own version of an organ.
struct OrganPainter {
  const Canvas& canvas;
  const Frame& frame;
  const Field& texture;
  Rng draw;

  /// Joins an ellipsoid whose centre and half-axes, in half-widths of the body, vary a little.
  void add(Field& field, Point centre, Point radii, float turn = 0);
  /// Roughens a border; `amount` and `wavelength` in half-widths.
  void deform(Field& field, float amount, float wavelength, std::uint64_t index) const;
  void paint(Field& image, const Field& field, const Material& material) const;
};

/// Body wall and spine, common to chest and abdomen, painted over air.
struct Trunk {
  Field body;    ///< skin
  Field cavity;  ///< inside of the muscle wall
};
struct Palette;
Trunk paint_trunk(Field& image,
                  const Canvas& canvas,
                  const Frame& frame,
                  const Palette& palette,
                  const Field& texture,
                  const Rng& rng);
void paint_spine(Field& image,
                 const Canvas& canvas,
                 const Frame& frame,
                 const Palette& palette,
                 const Field& texture,
                 const Rng& rng);

/// An irregular blob of `count` voxels around `centre` where `allowed` is not Canvas::kFar;
/// returned as a distance field. `roughness` is the deformation relative to the radius.
Field make_blob(const Canvas& canvas,
                Point centre,
                std::size_t count,
                Point stretch,
                float roughness,
                const Field& allowed,
                const Rng& rng);
/// Radius of a ball of `count` voxels.
float ball_radius_mm(const Canvas& canvas, std::size_t count);

/// Multiplies a smooth bias field in (`bias_strength`: SD of its logarithm) and makes the noise
/// Rician: the magnitude of a signal with normal noise of standard deviation `noise` in both
/// components.
void add_mr_noise(Field& image,
                  const Canvas& canvas,
                  float bias_wavelength_mm,
                  float bias_strength,
                  float noise,
                  const Rng& bias,
                  const Rng& grain);
/// From relative intensities to a scanner's units.
void scale_to_maximum(Field& image, float maximum);

}  // namespace sar::phantom
