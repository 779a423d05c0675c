#include "datasets/phantom_anatomy.h"
#include "datasets/phantom_knobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <vector>

namespace sar::phantom {
namespace {

/// Both lungs, with the heart, the mediastinum and the domes of the diaphragm left out.
Field draw_lungs(const Canvas& canvas,
                 const Frame& frame,
                 const Field& cavity,
                 const Field& heart,
                 const Rng& rng) {
  const float unit = frame.unit_mm;
  Rng draw = stream(rng, Part::lungs);
  Field lungs = canvas.empty();
  canvas.add_ellipsoid(
      lungs, frame.at(-0.46F, 0.02F, 0), {0.37F * unit, 0.52F * unit, 1.15F * unit}, 0.1F);
  canvas.add_ellipsoid(
      lungs, frame.at(0.47F, 0.02F, 0), {0.36F * unit, 0.52F * unit, 1.15F * unit}, -0.1F);
  add(lungs, 0.02F * unit, canvas.noise(0.5F * unit, stream(rng, Part::lungs, 1)));
  Field domes = canvas.empty();
  const float height = static_cast<float>(draw.uniform(-0.08, 0.08));
  canvas.add_ellipsoid(
      domes, frame.at(-0.46F, -0.05F, -1.20F + height), {0.55F * unit, 0.62F * unit, 0.62F * unit});
  canvas.add_ellipsoid(
      domes, frame.at(0.46F, -0.05F, -1.30F + height), {0.52F * unit, 0.62F * unit, 0.62F * unit});
  cut(lungs, domes);
  cut(lungs, grown(heart, 0.02F * unit));
  intersect(lungs, grown(cavity, -0.015F * unit));
  return lungs;
}

/// A tree of tubes from `root`: each branch splits in two, shorter and thinner, within `levels`.
void grow_tree(Field& field,
               const Canvas& canvas,
               Point root,
               Point step,
               float radius,
               int levels,
               Rng& draw) {
  const Point end = root + step;
  canvas.add_tube(field, root, end, radius, 0.8F * radius);
  if (levels == 0) {
    return;
  }
  for (int branch = 0; branch < 2; ++branch) {
    const float size = length(step);
    Point next = 0.85F * step + gaussian_point(draw, 0.45F * size);
    next = (0.85F * size / std::max(1e-3F, length(next))) * next;
    grow_tree(field, canvas, end, next, 0.74F * radius, levels - 1, draw);
  }
}

void paint_ribs(Field& image,
                const Canvas& canvas,
                const Frame& frame,
                const Palette& palette,
                const Field& texture,
                const Rng& rng) {
  Rng draw = stream(rng, Part::trunk, 3);
  const float unit = frame.unit_mm;
  Field ribs = canvas.empty();
  const auto offset = static_cast<float>(draw.uniform(0, 0.3));
  for (int level = -5; level <= 6; ++level) {
    const float z = 0.30F * static_cast<float>(level) + offset;
    for (const float side : {-1.0F, 1.0F}) {
      std::vector<Point> path;
      for (int piece = 0; piece <= 8; ++piece) {
        // From beside the spine (back) round to the cartilage (front); ribs slope down forwards.
        const float angle =
            (0.40F - 0.095F * static_cast<float>(piece)) * std::numbers::pi_v<float>;
        const float x = 0.83F * std::cos(angle);
        const float y = 0.56F * std::sin(angle);
        path.push_back(frame.at(side * x, y, z + 0.35F * (y - 0.5F)));
      }
      const std::vector<float> radii(path.size(), 0.033F * unit);
      canvas.add_curve(ribs, path, radii);
    }
  }
  canvas.add_tube(
      ribs, frame.at(0, -0.585F, -0.3F), frame.at(0, -0.585F, 1.2F), 0.045F * unit, 0.05F * unit);
  paint(image,
        ribs,
        canvas.border_mm(),
        {0.7F * palette.cortical.mean, palette.cortical.texture},
        texture);
}

/// Heart and great vessels as one body each; the chambers are for MR.
struct Heart {
  Field outline;
  Field left_atrium;
  Field left_ventricle;
  Field right_side;
  Field aorta;
};

Heart draw_heart(const Canvas& canvas, const Frame& frame, const Rng& rng) {
  const float unit = frame.unit_mm;
  const Field blank = canvas.empty();
  Heart heart{blank, blank, blank, blank, blank};
  OrganPainter painter{canvas, frame, blank, stream(rng, Part::heart)};
  painter.add(heart.outline, {0.12F, -0.20F, -0.32F}, {0.36F, 0.28F, 0.38F}, -0.3F);
  painter.deform(heart.outline, 0.02F, 0.4F, 1);
  painter.add(heart.left_ventricle, {0.26F, -0.20F, -0.42F}, {0.15F, 0.13F, 0.22F}, -0.4F);
  painter.add(heart.right_side, {0.0F, -0.34F, -0.40F}, {0.22F, 0.10F, 0.24F}, -0.3F);
  painter.add(heart.right_side, {-0.15F, -0.16F, -0.26F}, {0.11F, 0.13F, 0.20F});
  painter.add(heart.left_atrium, {0.05F, 0.02F, -0.14F}, {0.21F, 0.12F, 0.16F}, 0.1F);
  painter.deform(heart.left_atrium, 0.02F, 0.25F, 2);
  Rng draw = stream(rng, Part::heart, 1);
  for (const float side : {-1.0F, 1.0F}) {
    for (const float z : {-0.20F, -0.05F}) {
      const Point start =
          frame.at(0.05F + 0.14F * side, 0.05F, z) + gaussian_point(draw, 0.01F * unit);
      const Point end = frame.at(0.05F + 0.33F * side, 0.11F, z + (z + 0.125F)) +
                        gaussian_point(draw, 0.02F * unit);
      canvas.add_tube(heart.left_atrium, start, end, 0.05F * unit, 0.04F * unit);
    }
  }
  join(heart.outline, grown(heart.left_atrium, 0.02F * unit));
  const std::vector<Point> arch{frame.at(0.07F, -0.13F, -0.18F),
                                frame.at(0.0F, -0.17F, 0.08F),
                                frame.at(0.02F, -0.10F, 0.32F),
                                frame.at(0.10F, 0.08F, 0.34F),
                                frame.at(0.14F, 0.22F, 0.15F),
                                frame.at(0.13F, 0.25F, -0.4F),
                                frame.at(0.10F, 0.25F, -1.2F)};
  const std::vector<float> radii{0.085F * unit,
                                 0.085F * unit,
                                 0.08F * unit,
                                 0.07F * unit,
                                 0.065F * unit,
                                 0.065F * unit,
                                 0.06F * unit};
  canvas.add_curve(heart.aorta, arch, radii);
  return heart;
}

void paint_airways(Field& hu, const Canvas& canvas, const Frame& frame, const Field& texture) {
  const float unit = frame.unit_mm;
  const float width = canvas.border_mm();
  Field airways = canvas.empty();
  canvas.add_tube(
      airways, frame.at(0, 0.06F, 1.2F), frame.at(0, 0.10F, 0.22F), 0.07F * unit, 0.065F * unit);
  for (const float side : {-1.0F, 1.0F}) {
    canvas.add_tube(airways,
                    frame.at(0, 0.10F, 0.22F),
                    frame.at(0.24F * side, 0.12F, 0.02F),
                    0.052F * unit,
                    0.04F * unit);
    canvas.add_tube(airways,
                    frame.at(0.24F * side, 0.12F, 0.02F),
                    frame.at(0.40F * side, 0.16F, -0.25F),
                    0.036F * unit,
                    0.02F * unit);
    canvas.add_tube(airways,
                    frame.at(0.24F * side, 0.12F, 0.02F),
                    frame.at(0.42F * side, 0.02F, 0.30F),
                    0.034F * unit,
                    0.02F * unit);
  }
  paint(hu, grown(airways, 0.02F * unit), width, kKnobs.thorax.airway_wall, texture);
  paint(hu, airways, width, kKnobs.thorax.airway, texture);
}

void paint_lung_vessels(Field& image,
                        const Canvas& canvas,
                        const Frame& frame,
                        const Field& lungs,
                        const Material& material,
                        const Field& texture,
                        const Rng& rng) {
  const float unit = frame.unit_mm;
  Field tree = canvas.empty();
  Rng draw = stream(rng, Part::vessels);
  for (const float side : {-1.0F, 1.0F}) {
    for (const Point& step : {Point{0.13F * side, 0.05F, 0.20F},
                              Point{0.16F * side, 0.02F, 0.02F},
                              Point{0.12F * side, 0.10F, -0.18F},
                              Point{0.13F * side, -0.14F, 0.02F}}) {
      grow_tree(
          tree, canvas, frame.at(0.20F * side, 0.04F, 0.02F), unit * step, 0.045F * unit, 5, draw);
    }
  }
  intersect(tree, grown(lungs, 0.10F * unit));
  paint(image, tree, canvas.border_mm(), material, texture);
}

void paint_nodules(Field& hu,
                   const Canvas& canvas,
                   const Frame& frame,
                   const Field& lungs,
                   const Field& texture,
                   const Rng& rng) {
  const ThoraxKnobs& knobs = kKnobs.thorax;
  Rng draw = stream(rng, Part::nodules);
  const int count = draw.between(1, knobs.nodules_most);
  for (int nodule = 0; nodule < count; ++nodule) {
    const float radius = frame.unit_mm / 31 * static_cast<float>(knobs.nodule_radius_mm.draw(draw));
    Point centre{};
    for (int attempt = 0; attempt < 200; ++attempt) {
      centre = frame.at(static_cast<float>(draw.uniform(-0.8, 0.8)),
                        static_cast<float>(draw.uniform(-0.45, 0.5)),
                        static_cast<float>(draw.uniform(-0.9, 0.9)));
      if (lungs[canvas.voxel_at(centre)] < -0.5F * radius) {
        break;
      }
    }
    const float volume = 4.19F * radius * radius * radius / canvas.voxel_volume_mm3();
    const Field blob =
        make_blob(canvas,
                  centre,
                  std::max<std::size_t>(4, static_cast<std::size_t>(volume)),
                  {1, 1, 1},
                  0.2F,
                  lungs,
                  stream(rng, Part::nodules, static_cast<std::uint64_t>(nodule) + 1));
    paint(hu, blob, canvas.border_mm(), knobs.nodule, texture);
  }
}

}  // namespace

Field make_chest_ct(const Canvas& canvas, const Frame& frame, const Rng& rng) {
  const ThoraxKnobs& knobs = kKnobs.thorax;
  const float width = canvas.border_mm();
  const Field texture = canvas.fractal_noise(0.30F * frame.unit_mm, stream(rng, Part::texture));
  Field hu;
  const Trunk trunk = paint_trunk(hu, canvas, frame, kKnobs.ct, texture, rng);
  const Heart heart = draw_heart(canvas, frame, rng);
  const Field lungs = draw_lungs(canvas, frame, trunk.cavity, heart.outline, rng);

  // Below the diaphragm everything is soft tissue; the mediastinum stays fat with vessels in it.
  Field belly(canvas.count());
  for (std::size_t i = 0; i < belly.size(); ++i) {
    const Point p = canvas.position(i) - frame.centre_mm;
    belly[i] = std::max(trunk.cavity[i], p.z + 0.62F * frame.unit_mm);
  }
  paint(hu, belly, width, kKnobs.abdomen.liver, texture);
  paint(hu, lungs, width, knobs.lung, texture);
  paint(hu, heart.outline, width, knobs.heart, texture);
  paint(hu, heart.aorta, width, knobs.vessel, texture);
  paint_lung_vessels(hu, canvas, frame, lungs, knobs.lung_vessel, texture, rng);
  paint_airways(hu, canvas, frame, texture);
  paint_nodules(hu, canvas, frame, lungs, texture, rng);
  paint_spine(hu, canvas, frame, kKnobs.ct, texture, rng);
  paint_ribs(hu, canvas, frame, kKnobs.ct, texture, rng);
  add(hu, knobs.noise, canvas.grain(stream(rng, Part::grain)));
  return hu;
}

HeartMr make_heart_mr(const Canvas& canvas, const Frame& frame, const Rng& rng) {
  const ThoraxKnobs& knobs = kKnobs.thorax;
  const float unit = frame.unit_mm;
  const float width = canvas.border_mm();
  const Field texture = canvas.fractal_noise(0.30F * unit, stream(rng, Part::texture));
  HeartMr result;
  const Trunk trunk = paint_trunk(result.image, canvas, frame, kKnobs.mr, texture, rng);
  Heart heart = draw_heart(canvas, frame, rng);
  const Field lungs = draw_lungs(canvas, frame, trunk.cavity, heart.outline, rng);
  Field belly(canvas.count());
  for (std::size_t i = 0; i < belly.size(); ++i) {
    const Point p = canvas.position(i) - frame.centre_mm;
    belly[i] = std::max(trunk.cavity[i], p.z + 0.62F * unit);
  }
  paint(result.image, belly, width, knobs.mr_liver, texture);
  paint(result.image, lungs, width, knobs.mr_lung, texture);
  paint_lung_vessels(result.image, canvas, frame, lungs, knobs.mr_vessel, texture, rng);
  paint(result.image, heart.outline, width, knobs.mr_myocardium, texture);
  cut(heart.left_ventricle, grown(heart.left_atrium, 0.02F * unit));
  cut(heart.right_side, grown(heart.left_atrium, 0.02F * unit));
  cut(heart.aorta, grown(heart.left_atrium, 0.015F * unit));
  paint(result.image, heart.left_ventricle, width, knobs.mr_blood, texture);
  paint(result.image, heart.right_side, width, knobs.mr_blood, texture);
  paint(result.image, heart.aorta, width, knobs.mr_vessel, texture);
  paint(result.image, heart.left_atrium, width, knobs.mr_blood, texture);
  paint_spine(result.image, canvas, frame, kKnobs.mr, texture, rng);
  Rng draw = stream(rng, Part::contrast);
  const auto maximum = static_cast<float>(knobs.mr_scanner_maximum.log_quantile(draw.uniform()));
  add_mr_noise(result.image,
               canvas,
               1.5F * unit,
               knobs.mr_bias_strength,
               knobs.mr_noise,
               stream(rng, Part::bias),
               stream(rng, Part::grain));
  scale_to_maximum(result.image, maximum);
  result.left_atrium = std::move(heart.left_atrium);
  return result;
}

}  // namespace sar::phantom
