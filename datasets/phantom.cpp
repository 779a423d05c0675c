#include "datasets/phantom.h"

#include "datasets/phantom_anatomy.h"
#include "datasets/phantom_knobs.h"
#include "harness/core/error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numbers>

namespace sar {
namespace {

using phantom::Canvas;
using phantom::Field;
using phantom::Frame;
using phantom::Part;
using phantom::stream;

enum class Set : std::uint64_t { luna, lits, brats, heart, pancreas };

Set set_of(const std::string& dataset) {
  constexpr std::array<const char*, 5> kNames{"luna", "lits", "brats", "heart", "pancreas"};
  for (std::size_t set = 0; set < kNames.size(); ++set) {
    if (dataset == kNames[set]) {
      return static_cast<Set>(set);
    }
  }
  throw internal_error("no phantom of this data set").with("dataset", dataset);
}

Rng case_stream(const PhantomOptions& options, Set set, int index) {
  return Rng(options.seed)
      .at(purpose::phantom, {static_cast<std::uint64_t>(set), static_cast<std::uint64_t>(index)});
}

/// Spreads tumour volumes evenly over their range for any number of cases: steps of the golden
/// ratio from an offset that belongs to the suite (Weyl's sequence).
double size_quantile(const PhantomOptions& options, Set set, int index) {
  Rng offset = Rng(options.seed).at(purpose::phantom, {static_cast<std::uint64_t>(set)});
  const double place = offset.uniform() + index * (std::numbers::phi - 1);
  return place - std::floor(place);
}

int in_proportion(const PhantomOptions& options, double voxels_at_56) {
  return static_cast<int>(std::lround(options.side_voxels * voxels_at_56 / 56));
}

/// The grid of a case; spacings are kept as floats, because that is what NIfTI stores.
Geometry make_geometry(const Size3& size,
                       const std::array<double, 3>& spacing_mm,
                       const std::array<double, 3>& origin_mm) {
  Geometry geometry;
  geometry.size = size;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    geometry.spacing_mm[axis] = static_cast<double>(static_cast<float>(spacing_mm[axis]));
    geometry.origin_mm[axis] = static_cast<double>(static_cast<float>(origin_mm[axis]));
  }
  return geometry;
}

/// CT: square slices `extent` wide at side 56 and slices of one of several thicknesses.
Geometry ct_geometry(const PhantomOptions& options,
                     Rng& draw,
                     int side_at_56,
                     std::array<double, 2> spacing_range,
                     double height_mm,
                     std::initializer_list<double> slice_choices) {
  const int side = in_proportion(options, side_at_56);
  const double spacing = draw.uniform(spacing_range[0], spacing_range[1]);
  const auto choice = draw.below(static_cast<std::uint32_t>(slice_choices.size()));
  const double slice = *(slice_choices.begin() + choice);
  const int slices = std::max(8, static_cast<int>(in_proportion(options, height_mm) / slice));
  const double half = 0.5 * (side - 1) * spacing;
  return make_geometry({side, side, slices},
                       {spacing, spacing, slice},
                       {std::round(draw.uniform(-8, 8) - half),
                        std::round(draw.uniform(-8, 8) - half),
                        std::round(draw.uniform(-400, 100))});
}

/// A body of which `half_widths` fit into half of the canvas; the canvas centre is at `centre` of
/// the body. Both vary a little.
Frame place_body(const Canvas& canvas, float half_widths, phantom::Point centre, const Rng& rng) {
  Rng draw = stream(rng, Part::placement);
  Frame frame;
  frame.unit_mm =
      0.5F * canvas.extent_mm(0) / half_widths * static_cast<float>(draw.uniform(0.95, 1.03));
  const phantom::Point shift = phantom::gaussian_point(draw, 0.02F);
  frame.centre_mm = -frame.unit_mm * (centre + shift);
  return frame;
}

Volume to_volume(const Geometry& geometry, Field field) {
  return {geometry, std::move(field)};
}

/// Whole HU within what 12-bit scanners store.
Volume to_ct(const Geometry& geometry, Field hu) {
  for (float& value : hu) {
    value = std::clamp(std::round(value), -1024.0F, 3071.0F);
  }
  return to_volume(geometry, std::move(hu));
}

LabelMap to_labels(const Geometry& geometry, const Field& organ, const Field& tumor) {
  LabelMap labels{geometry, std::vector<std::uint8_t>(organ.size())};
  for (std::size_t i = 0; i < organ.size(); ++i) {
    labels.voxels[i] = tumor[i] < 0 ? 2 : (organ[i] < 0 ? 1 : 0);
  }
  return labels;
}

PhantomCase luna_case(const PhantomOptions& options, int index) {
  const Rng rng = case_stream(options, Set::luna, index);
  Rng draw = stream(rng, Part::placement, 1);
  PhantomCase result;
  const Geometry geometry = ct_geometry(options, draw, 56, {1.12, 1.25}, 62, {1.25, 1.8, 2.0, 2.5});
  const Canvas canvas(geometry.size, geometry.spacing_mm);
  const Frame frame = place_body(canvas, 1.06F, {0, 0.08F, 0}, rng);
  Field hu = phantom::make_chest_ct(canvas, frame, rng);
  Volume volume = to_ct(geometry, std::move(hu));
  if (index % 3 == 2) {  // some scanners pad what lies outside the reconstructed circle
    const float radius = 0.5F * canvas.extent_mm(0);
    for (std::size_t i = 0; i < volume.voxels.size(); ++i) {
      const phantom::Point p = canvas.position(i);
      if (p.x * p.x + p.y * p.y > radius * radius) {
        volume.voxels[i] = -3024;
      }
    }
  }
  result.label.geometry = geometry;
  result.images.emplace("ct", std::move(volume));
  return result;
}

PhantomCase lits_case(const PhantomOptions& options, int index) {
  const Rng rng = case_stream(options, Set::lits, index);
  Rng draw = stream(rng, Part::placement, 1);
  PhantomCase result;
  const Geometry geometry = ct_geometry(options, draw, 56, {1.12, 1.25}, 62, {1.5, 2.0, 2.5, 3.0});
  const Canvas canvas(geometry.size, geometry.spacing_mm);
  phantom::AbdomenPlan plan;
  plan.frame = place_body(canvas, 1.06F, {0, 0.08F, 0.1F}, rng);
  plan.liver_lesion_quantile = size_quantile(options, Set::lits, index);
  phantom::Abdomen abdomen = phantom::make_abdomen(canvas, plan, rng);
  result.label = to_labels(geometry, abdomen.liver, abdomen.liver_lesions);
  result.images.emplace("ct", to_ct(geometry, std::move(abdomen.hu)));
  return result;
}

PhantomCase pancreas_case(const PhantomOptions& options, int index) {
  const Rng rng = case_stream(options, Set::pancreas, index);
  Rng draw = stream(rng, Part::placement, 1);
  PhantomCase result;
  const Geometry geometry = ct_geometry(options, draw, 48, {1.06, 1.16}, 42, {1.5, 2.0, 2.5});
  const Canvas canvas(geometry.size, geometry.spacing_mm);
  phantom::AbdomenPlan plan;
  plan.frame = place_body(canvas, 0.72F, {0.08F, 0.0F, 0.0F}, rng);
  plan.pancreas_tumor_quantile = size_quantile(options, Set::pancreas, index);
  phantom::Abdomen abdomen = phantom::make_abdomen(canvas, plan, rng);
  result.label = to_labels(geometry, abdomen.pancreas, abdomen.pancreas_tumor);
  result.images.emplace("ct", to_ct(geometry, std::move(abdomen.hu)));
  return result;
}

PhantomCase brats_case(const PhantomOptions& options, int index) {
  const Rng rng = case_stream(options, Set::brats, index);
  PhantomCase result;
  const Size3 size{
      in_proportion(options, 48), in_proportion(options, 56), in_proportion(options, 40)};
  const Geometry geometry = make_geometry(size, {1, 1, 1}, {0, 1.0 - size[1], 0});
  const Canvas canvas(geometry.size, geometry.spacing_mm);
  phantom::Brain brain = phantom::make_brain(
      canvas, phantom::is_high_grade(index), size_quantile(options, Set::brats, index), rng);
  constexpr std::array<const char*, 4> kChannels{"flair", "t1", "t1ce", "t2"};
  for (std::size_t channel = 0; channel < kChannels.size(); ++channel) {
    for (float& value : brain.channels[channel]) {
      value = std::round(value);
    }
    result.images.emplace(kChannels[channel],
                          to_volume(geometry, std::move(brain.channels[channel])));
  }
  result.label = {geometry, std::move(brain.labels)};
  return result;
}

PhantomCase heart_case(const PhantomOptions& options, int index) {
  const Rng rng = case_stream(options, Set::heart, index);
  Rng draw = stream(rng, Part::placement, 1);
  PhantomCase result;
  const int side = in_proportion(options, 50);
  Geometry geometry = make_geometry({side, side, in_proportion(options, 38)},
                                    {1.25, 1.25, 1.37},
                                    {std::round(draw.uniform(-60, -20)),
                                     std::round(draw.uniform(-60, -20)),
                                     std::round(draw.uniform(-80, 20))});
  if (index % 2 == 1) {  // the scanner's table of axes is a few degrees off the patient's
    const double angle = draw.uniform(0.035, 0.09);
    geometry.direction = {
        std::cos(angle), -std::sin(angle), 0, std::sin(angle), std::cos(angle), 0, 0, 0, 1};
  }
  const Canvas canvas(geometry.size, geometry.spacing_mm);
  const Frame frame = place_body(canvas, 0.80F, {0.06F, -0.10F, -0.18F}, rng);
  phantom::HeartMr heart = phantom::make_heart_mr(canvas, frame, rng);
  result.label = to_labels(geometry, heart.left_atrium, canvas.empty());
  result.images.emplace("mri", to_volume(geometry, std::move(heart.image)));
  return result;
}

}  // namespace

PhantomOptions phantom_options(const Settings& settings) {
  PhantomOptions options;
  options.seed = static_cast<std::uint64_t>(settings.integer("phantom.seed"));
  options.luna_cases = settings.integer("phantom.luna_cases");
  options.lits_cases = settings.integer("phantom.lits_cases");
  options.brats_cases = settings.integer("phantom.brats_cases");
  options.heart_cases = settings.integer("phantom.heart_cases");
  options.pancreas_cases = settings.integer("phantom.pancreas_cases");
  options.side_voxels = settings.integer("phantom.side_voxels");
  return options;
}

std::string phantom_case_id(const std::string& dataset, int index, const PhantomOptions& options) {
  switch (set_of(dataset)) {
    case Set::luna: {
      // The form of a series UID of The Cancer Imaging Archive.
      std::string id = "1.3.6.1.4.1.14519.5.2.1.6279.6001.";
      Rng draw = stream(case_stream(options, Set::luna, index), Part::name);
      for (int digit = 0; digit < 30; ++digit) {
        id += static_cast<char>('0' + draw.between(digit == 0 ? 1 : 0, 9));
      }
      return id;
    }
    case Set::lits:
      return fmt::format("volume-{}", index);
    case Set::brats:
      return fmt::format("Brats18_PHA_{:03}_1", index + 1);
    case Set::heart:
      return fmt::format("la_{:03}", index + 1);
    case Set::pancreas:
      return fmt::format("pancreas_{:03}", index + 1);
  }
  throw internal_error("unknown phantom set");
}

PhantomCase make_phantom_case(const std::string& dataset,
                              int index,
                              const PhantomOptions& options) {
  if (index < 0) {
    throw internal_error("a phantom case has no negative index").with("dataset", dataset);
  }
  constexpr std::array<PhantomCase (*)(const PhantomOptions&, int), 5> kMakers{
      &luna_case, &lits_case, &brats_case, &heart_case, &pancreas_case};
  PhantomCase result = kMakers[static_cast<std::size_t>(set_of(dataset))](options, index);
  result.id = phantom_case_id(dataset, index, options);
  return result;
}

}  // namespace sar
