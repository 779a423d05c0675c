#include "datasets/phantom_anatomy.h"
#include "datasets/phantom_knobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <tuple>
#include <utility>
#include <vector>

namespace sar::phantom {
namespace {

constexpr const BrainKnobs& kBrain = kKnobs.brain;

/// Healthy anatomy as distance fields, all inside the brain.
struct Anatomy {
  Field brain;
  Field grey;  ///< cortex and cerebellar folia
  Field deep_grey;
  Field csf;  ///< ventricles, sulci, the gap between the hemispheres
  Field ventricles;
  Field vessels;
  float mm = 1;  ///< length that is 1 mm at side 56
};

/// Distance to the nearest sulcus: zero crossings of smooth noise are folded sheets; dividing by
/// the mean slope of the noise turns its value into millimetres.
Field sulcus_distance(const Canvas& canvas, float wavelength_mm, const Rng& rng) {
  Field distance = canvas.noise(wavelength_mm, rng);
  for (float& value : distance) {
    value = 0.22F * wavelength_mm * std::abs(value);
  }
  return distance;
}

Anatomy draw_anatomy(const Canvas& canvas, const Rng& rng) {
  Rng draw = stream(rng, Part::organs);
  const auto vary = [&](float spread) {
    return 1 + spread * static_cast<float>(std::clamp(draw.normal(), -2.0, 2.0));
  };
  Anatomy a;
  a.mm = canvas.extent_mm(1) / 56;
  const float mm = a.mm;
  const Point half{canvas.extent_mm(0) / 2, canvas.extent_mm(1) / 2, canvas.extent_mm(2) / 2};
  const Point centre{0.4F * mm * static_cast<float>(draw.normal()),
                     0.4F * mm * static_cast<float>(draw.normal()),
                     0};
  const Field sulci = sulcus_distance(canvas, 11 * mm, stream(rng, Part::organs, 1));

  a.brain = canvas.empty();
  canvas.add_ellipsoid(
      a.brain,
      centre + Point{0, 0, 0.02F * half.z},
      {0.87F * half.x * vary(0.03F), 0.89F * half.y * vary(0.03F), 0.88F * half.z * vary(0.03F)});
  add(a.brain, 0.7F * mm, canvas.noise(16 * mm, stream(rng, Part::organs, 2)));

  // The cerebellum hangs below the back of the hemispheres; its border is a gap of fluid.
  Field cerebellum = canvas.empty();
  canvas.add_ellipsoid(cerebellum,
                       centre + Point{0, 0.50F * half.y, -0.72F * half.z},
                       {0.55F * half.x, 0.34F * half.y, 0.36F * half.z});

  a.ventricles = canvas.empty();
  const float size = vary(0.22F);
  for (const float side : {-1.0F, 1.0F}) {
    const std::vector<Point> horn{centre + mm * Point{2.6F * side, -9.5F, 3.0F},
                                  centre + mm * Point{2.2F * side, -3.0F, 4.6F},
                                  centre + mm * Point{3.6F * side, 5.0F, 4.2F},
                                  centre + mm * Point{6.0F * side, 10.5F, 1.0F},
                                  centre + mm * Point{7.8F * side, 4.0F, -4.0F}};
    const std::vector<float> radii{
        1.7F * mm * size, 1.9F * mm * size, 2.0F * mm * size, 2.3F * mm * size, 1.0F * mm * size};
    canvas.add_curve(a.ventricles, horn, radii);
  }
  canvas.add_tube(a.ventricles,
                  centre + mm * Point{0, -3, 0},
                  centre + mm * Point{0, 4, -1},
                  0.8F * mm * size,
                  0.8F * mm * size);
  add(a.ventricles, 0.25F * mm, canvas.noise(6 * mm, stream(rng, Part::organs, 3)));

  a.deep_grey = canvas.empty();
  for (const float side : {-1.0F, 1.0F}) {
    canvas.add_ellipsoid(
        a.deep_grey, centre + mm * Point{3.6F * side, 2.5F, -0.5F}, mm * Point{2.4F, 3.6F, 2.4F});
    canvas.add_ellipsoid(a.deep_grey,
                         centre + mm * Point{8.2F * side, -2.0F, -1.0F},
                         mm * Point{1.9F, 4.6F, 3.0F},
                         0.2F * side);
  }

  const Field folia = sulcus_distance(canvas, 5 * mm, stream(rng, Part::organs, 4));
  a.grey = canvas.empty();
  a.csf = a.ventricles;
  for (std::size_t i = 0; i < a.brain.size(); ++i) {
    const Point p = canvas.position(i) - centre;
    const float depth = -a.brain[i];
    // Sulci reach about 5 mm deep; below, the sheets fade out.
    const float sheet = sulci[i] + std::max(0.0F, depth - 5 * mm);
    const float gap = std::abs(p.x) + (p.z > 3 * mm || std::abs(p.y) > 11 * mm ? 0 : Canvas::kFar);
    const float to_fluid = std::min({depth, sheet, gap});
    float cortex = to_fluid - 2.6F * mm;
    float fluid = std::min({sheet - 0.35F * mm, gap - 0.45F * mm, depth - 0.5F * mm});
    if (cerebellum[i] < 1.2F * mm) {
      cortex = folia[i] - 0.75F * mm;
      fluid = std::min(depth - 0.5F * mm, std::abs(cerebellum[i] - 0.6F * mm) - 0.5F * mm);
    }
    a.grey[i] = cortex;
    a.csf[i] = std::min(a.csf[i], fluid);
  }

  a.vessels = canvas.empty();
  Rng vessel_draw = stream(rng, Part::vessels);
  for (int vessel = 0; vessel < 14; ++vessel) {
    const auto angle = static_cast<float>(vessel_draw.uniform(0, 6.283));
    const auto height = static_cast<float>(vessel_draw.uniform(-0.6, 0.8));
    const float ring = std::sqrt(1 - height * height);
    const Point start = centre + Point{0.84F * half.x * ring * std::cos(angle),
                                       0.86F * half.y * ring * std::sin(angle),
                                       0.85F * half.z * height};
    const Point end = 0.72F * start + mm * Point{static_cast<float>(vessel_draw.normal()),
                                                 static_cast<float>(vessel_draw.normal()),
                                                 0};
    canvas.add_tube(a.vessels, start, end, 0.55F * mm, 0.35F * mm);
  }
  return a;
}

/// Bright lesions that are not tumour: caps of the ventricles and spots in the white matter.
Field draw_hyperintensities(const Canvas& canvas, const Anatomy& a, const Rng& rng) {
  Rng draw = stream(rng, Part::lesions);
  Field field = a.ventricles;
  const Field patches = canvas.noise(9 * a.mm, stream(rng, Part::lesions, 1));
  for (std::size_t i = 0; i < field.size(); ++i) {
    field[i] -= kBrain.cap_thickness_mm * a.mm * (0.2F + patches[i]);
  }
  std::vector<std::size_t> white;
  for (std::size_t i = 0; i < field.size(); ++i) {
    if (a.brain[i] < -4 * a.mm && a.grey[i] > 0.5F * a.mm && a.csf[i] > a.mm) {
      white.push_back(i);
    }
  }
  const int spots = draw.between(1, kBrain.hyperintensities_most);
  for (int spot = 0; spot < spots && !white.empty(); ++spot) {
    const std::size_t centre = white[draw.below(static_cast<std::uint32_t>(white.size()))];
    const auto radius = a.mm * static_cast<float>(kBrain.hyperintensity_radius_mm.draw(draw));
    const auto stretch = static_cast<float>(draw.uniform(1.0, 1.6));
    canvas.add_ellipsoid(field,
                         canvas.position(centre),
                         {radius, stretch * radius, radius},
                         static_cast<float>(draw.uniform(0, 3.14159)));
  }
  return field;
}

/// A patch of the outermost layer: what skull stripping left behind, and flow artefacts.
Field draw_rim(const Canvas& canvas, const Anatomy& a, const Rng& rng) {
  Rng draw = stream(rng, Part::lesions, 2);
  if (!draw.chance(kBrain.rim_share)) {
    return canvas.empty();
  }
  Field field = canvas.noise(22 * a.mm, stream(rng, Part::lesions, 3));
  for (std::size_t i = 0; i < field.size(); ++i) {
    const float thickness = 1.8F * a.mm * (field[i] - 0.5F);
    field[i] = -a.brain[i] - thickness;  // depth below the surface against the local thickness
  }
  return field;
}

struct Tumor {
  float radius_mm = 0;  ///< of a ball of the same volume
  Field whole;
  Field core;
  Field necrosis;
};

Tumor draw_tumor(
    const Canvas& canvas, const Anatomy& a, bool high_grade, double quantile, const Rng& rng) {
  Rng draw = stream(rng, Part::tumor);
  const double share = kBrain.tumor_share.log_quantile(quantile);
  const auto count = std::max<std::size_t>(
      8, static_cast<std::size_t>(share * static_cast<double>(canvas.count()) + 0.5));
  const float radius = ball_radius_mm(canvas, count);

  // Tumours keep off the midline and the surface as far as their size allows.
  std::vector<std::size_t> places;
  const float clearance = std::min(0.6F * radius, 6 * a.mm);
  for (std::size_t i = 0; i < a.brain.size(); ++i) {
    const Point p = canvas.position(i);
    if (a.brain[i] < -2.5F * a.mm - clearance && std::abs(p.x) > 4 * a.mm && a.csf[i] > 0 &&
        p.z > -0.28F * canvas.extent_mm(2)) {
      places.push_back(i);
    }
  }
  Point centre{};
  if (!places.empty()) {
    centre = canvas.position(places[draw.below(static_cast<std::uint32_t>(places.size()))]);
  }
  Field allowed = canvas.empty();
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (a.brain[i] < 0 && a.ventricles[i] > 0) {
      allowed[i] = 0;
    }
  }
  const auto stretch = [&] { return static_cast<float>(kBrain.tumor_stretch.draw(draw)); };
  Tumor tumor;
  tumor.radius_mm = radius;
  const Point axes{stretch(), stretch(), stretch()};
  tumor.whole = make_blob(
      canvas, centre, count, axes, kBrain.tumor_roughness, allowed, stream(rng, Part::tumor, 1));
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    // Oedema follows the white matter: the cortex and the fluid give way.
    if (tumor.whole[i] < Canvas::kFar / 2) {
      tumor.whole[i] += 0.18F * radius * coverage(a.grey[i], 2 * a.mm) +
                        0.30F * radius * coverage(a.csf[i], 2 * a.mm);
    }
  }
  set_voxel_count(tumor.whole, count);

  const auto part_of = [&](const Field& outer, std::size_t of, Range range, std::uint64_t index) {
    Field inside = outer;
    for (float& distance : inside) {
      distance = distance < 0 ? 0 : Canvas::kFar;
    }
    const auto part = static_cast<std::size_t>(range.draw(draw) * static_cast<double>(of));
    const Point shift = 0.2F * radius *
                        Point{static_cast<float>(draw.normal()),
                              static_cast<float>(draw.normal()),
                              static_cast<float>(draw.normal())};
    return std::pair{make_blob(canvas,
                               centre + shift,
                               std::max<std::size_t>(1, part),
                               axes,
                               kBrain.tumor_roughness,
                               inside,
                               stream(rng, Part::tumor, index)),
                     part};
  };
  std::size_t core_count = 0;
  std::tie(tumor.core, core_count) =
      part_of(tumor.whole, count, high_grade ? kBrain.core_share : kBrain.core_share_low_grade, 2);
  tumor.necrosis = canvas.empty();
  if (high_grade) {
    tumor.necrosis = part_of(tumor.core, core_count, kBrain.necrosis_share, 3).first;
  }
  return tumor;
}

std::vector<std::uint8_t> label_voxels(const Tumor& tumor, bool high_grade) {
  std::vector<std::uint8_t> labels(tumor.whole.size());
  for (std::size_t i = 0; i < labels.size(); ++i) {
    if (tumor.whole[i] < 0) {
      const bool core = tumor.core[i] < 0;
      const bool dead = !high_grade || tumor.necrosis[i] < 0;
      labels[i] = core ? (dead ? 1 : 4) : 2;
    }
  }
  return labels;
}

}  // namespace

Brain make_brain(const Canvas& canvas, bool high_grade, double tumor_quantile, const Rng& rng) {
  const Anatomy a = draw_anatomy(canvas, rng);
  const Field spots = draw_hyperintensities(canvas, a, rng);
  const Field rim = draw_rim(canvas, a, rng);
  const Tumor tumor = draw_tumor(canvas, a, high_grade, tumor_quantile, rng);
  const Field texture = canvas.fractal_noise(kBrain.texture_mm * a.mm, stream(rng, Part::texture));

  Rng contrast = stream(rng, Part::contrast);
  const auto oedema_step = static_cast<float>(kBrain.oedema_contrast.draw(contrast));
  const float sharp = canvas.border_mm();
  Brain brain;
  for (std::size_t channel = 0; channel < 4; ++channel) {
    const auto material = [&](const BrainKnobs::Tissue& tissue) {
      const float spread = 1 + kBrain.contrast_spread * static_cast<float>(contrast.normal());
      return Material{tissue.mean[channel] * spread, tissue.texture};
    };
    Material oedema = material(kBrain.oedema);
    const float white_mean = kBrain.white.mean[channel];
    oedema.mean = white_mean + oedema_step * (oedema.mean - white_mean);
    Field image(canvas.count());
    paint(image, a.brain, 0.5F * sharp, material(kBrain.white), texture);
    paint(image, a.grey, 1.4F * sharp, material(kBrain.grey), texture);
    paint(image, a.deep_grey, 1.4F * sharp, material(kBrain.deep_grey), texture);
    paint(image, spots, 1.3F * sharp, material(kBrain.hyperintensity), texture);
    paint(image, a.csf, sharp, material(kBrain.csf), texture);
    paint(image, a.vessels, sharp, material(kBrain.vessel), texture);
    paint(image, rim, sharp, material(kBrain.rim), texture);
    const float widest = kBrain.border_share * tumor.radius_mm;
    paint(image, tumor.whole, std::min(kBrain.oedema_border_mm * a.mm, widest), oedema, texture);
    const float border = std::min(kBrain.core_border_mm * a.mm, widest);
    if (high_grade) {
      paint(image, tumor.core, border, material(kBrain.enhancing), texture);
      paint(image, tumor.necrosis, border, material(kBrain.necrosis), texture);
    } else {
      paint(image, tumor.core, border, material(kBrain.low_grade_core), texture);
    }
    Rng scale = stream(rng, Part::contrast, channel + 1);
    const auto maximum = static_cast<float>(kBrain.scanner_maximum.log_quantile(scale.uniform()));
    add_mr_noise(image,
                 canvas,
                 1.2F * canvas.extent_mm(1),
                 kBrain.bias_strength,
                 kBrain.noise,
                 stream(rng, Part::bias, channel),
                 stream(rng, Part::grain, channel));
    for (std::size_t i = 0; i < image.size(); ++i) {
      image[i] = a.brain[i] < 0 ? image[i] : 0.0F;
    }
    scale_to_maximum(image, maximum);
    for (std::size_t i = 0; i < image.size(); ++i) {
      image[i] = a.brain[i] < 0 ? std::max(1.0F, image[i]) : 0.0F;  // zero means background
    }
    brain.channels[channel] = std::move(image);
  }
  brain.labels = label_voxels(tumor, high_grade);
  return brain;
}

}  // namespace sar::phantom
