#include "datasets/phantom_anatomy.h"
#include "datasets/phantom_knobs.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>
#include <numbers>
#include <vector>

namespace sar::phantom {
namespace {

/// Loops of bowel that wander through the lower and front cavity; they touch the pancreas and look
/// like it when collapsed.
void paint_bowel(Field& hu, const OrganPainter& painter, const Field& cavity, const Rng& rng) {
  const AbdomenKnobs& knobs = kKnobs.abdomen;
  for (int loop = 0; loop < knobs.bowel_loops; ++loop) {
    Rng draw = stream(rng, Part::bowel, static_cast<std::uint64_t>(loop));
    const auto content = [&] {
      float share = static_cast<float>(draw.uniform());
      std::size_t kind = 0;
      while (kind + 1 < knobs.bowel_share.size() && share >= knobs.bowel_share[kind]) {
        share -= knobs.bowel_share[kind++];
      }
      return kind;
    }();
    const float radius = static_cast<float>(draw.uniform(0.06, 0.10)) * (content == 0 ? 0.85F : 1);
    std::vector<Point> path;
    std::vector<float> radii;
    auto x = static_cast<float>(draw.uniform(-0.7, 0.7));
    auto y = static_cast<float>(draw.uniform(-0.45, 0.1));
    auto z = static_cast<float>(draw.uniform(-0.75, 0.1));
    auto heading = static_cast<float>(draw.uniform(0, 2 * std::numbers::pi));
    for (int step = 0; step < 7; ++step) {
      path.push_back(painter.frame.at(x, y, z));
      radii.push_back(radius * painter.frame.unit_mm * static_cast<float>(draw.uniform(0.8, 1.25)));
      heading += 0.8F * static_cast<float>(draw.normal());
      x = std::clamp(x + 0.15F * std::cos(heading), -0.78F, 0.78F);
      y = std::clamp(y + 0.10F * std::sin(heading), -0.5F, 0.15F);
      z = std::clamp(z + 0.08F * static_cast<float>(draw.normal()), -0.9F, 0.15F);
    }
    Field outside = painter.canvas.empty();
    painter.canvas.add_curve(outside, path, radii);
    intersect(outside, cavity);
    const Field inside = grown(outside, -0.028F * painter.frame.unit_mm);
    painter.paint(hu, outside, knobs.bowel_wall);
    painter.paint(hu, content == 0 ? outside : inside, knobs.bowel_content[content]);
  }
}

struct AbdominalVessels {
  Field aorta;
  Field veins;
};

AbdominalVessels draw_vessels(const Canvas& canvas, const Frame& frame, const Rng& rng) {
  Rng draw = stream(rng, Part::vessels);
  const float unit = frame.unit_mm;
  const auto place = [&](float x, float y, float z) {
    return frame.at(x, y, z) + gaussian_point(draw, 0.012F * unit);
  };
  const auto curve = [&](Field& field, const std::vector<Point>& points, float from, float to) {
    std::vector<float> radii;
    for (std::size_t i = 0; i < points.size(); ++i) {
      const float share = static_cast<float>(i) / static_cast<float>(points.size() - 1);
      radii.push_back(unit * (from + share * (to - from)));
    }
    canvas.add_curve(field, points, radii);
  };
  AbdominalVessels vessels{canvas.empty(), canvas.empty()};
  curve(vessels.aorta,
        {place(0.08F, 0.21F, 1.2F),
         place(0.07F, 0.20F, 0.3F),
         place(0.05F, 0.19F, -0.4F),
         place(0.03F, 0.19F, -1.2F)},
        0.075F,
        0.06F);
  curve(vessels.aorta,  // superior mesenteric artery
        {place(0.06F, 0.16F, 0.10F),
         place(0.05F, 0.06F, -0.05F),
         place(0.03F, 0.0F, -0.5F),
         place(0.02F, -0.02F, -1.0F)},
        0.03F,
        0.025F);
  curve(vessels.aorta,  // renal arteries
        {place(0.40F, 0.30F, -0.12F),
         place(0.2F, 0.25F, -0.08F),
         place(0.06F, 0.2F, -0.06F),
         place(-0.2F, 0.25F, -0.1F),
         place(-0.38F, 0.30F, -0.14F)},
        0.022F,
        0.022F);
  curve(vessels.veins,  // inferior vena cava
        {place(-0.15F, 0.19F, 1.2F),
         place(-0.14F, 0.18F, 0.3F),
         place(-0.12F, 0.20F, -0.4F),
         place(-0.1F, 0.2F, -1.2F)},
        0.085F,
        0.07F);
  curve(vessels.veins,  // superior mesenteric vein into the portal vein
        {place(-0.05F, -0.02F, -1.0F),
         place(-0.05F, -0.02F, -0.4F),
         place(-0.06F, -0.03F, 0.0F),
         place(-0.14F, -0.03F, 0.16F),
         place(-0.28F, -0.06F, 0.28F)},
        0.038F,
        0.05F);
  curve(vessels.veins,  // splenic vein behind the pancreas
        {place(-0.07F, -0.01F, 0.04F),
         place(0.12F, 0.04F, 0.10F),
         place(0.3F, 0.09F, 0.16F),
         place(0.52F, 0.16F, 0.22F)},
        0.035F,
        0.03F);
  return vessels;
}

struct Organs {
  Field stomach;
  Field liver;
  Field spleen;
  Field kidneys;
  Field gallbladder;
};

Organs draw_organs(OrganPainter& painter, const Field& cavity) {
  const Field blank = painter.canvas.empty();
  Organs organs{blank, blank, blank, blank, blank};
  painter.add(organs.stomach, {0.36F, -0.22F, 0.36F}, {0.30F, 0.20F, 0.28F}, 0.5F);
  painter.add(organs.stomach, {0.10F, -0.34F, 0.18F}, {0.26F, 0.12F, 0.12F}, 0.2F);
  painter.deform(organs.stomach, 0.03F, 0.4F, 1);
  painter.add(organs.liver, {-0.45F, -0.06F, 0.30F}, {0.44F, 0.48F, 0.50F});
  painter.add(organs.liver, {-0.08F, -0.34F, 0.42F}, {0.40F, 0.20F, 0.24F}, -0.2F);
  painter.deform(organs.liver, 0.03F, 0.5F, 2);
  painter.add(organs.spleen, {0.66F, 0.20F, 0.32F}, {0.17F, 0.28F, 0.28F}, -0.4F);
  painter.deform(organs.spleen, 0.025F, 0.35F, 3);
  painter.add(organs.kidneys, {-0.43F, 0.32F, -0.18F}, {0.14F, 0.16F, 0.28F});
  painter.add(organs.kidneys, {0.43F, 0.32F, -0.10F}, {0.14F, 0.16F, 0.28F});
  painter.add(organs.gallbladder, {-0.32F, -0.28F, 0.02F}, {0.09F, 0.10F, 0.13F});
  for (Field* organ : {&organs.stomach, &organs.liver, &organs.spleen, &organs.kidneys}) {
    intersect(*organ, cavity);
  }
  cut(organs.liver, grown(organs.kidneys, 0.03F * painter.frame.unit_mm));
  cut(organs.liver, organs.gallbladder);
  return organs;
}

/// Voxels of a structure whose share of the canvas is log-uniform.
std::size_t log_uniform_count(const Canvas& canvas, const Range& share, double quantile) {
  const double count = share.log_quantile(quantile) * static_cast<double>(canvas.count());
  return std::max<std::size_t>(4, static_cast<std::size_t>(count + 0.5));
}

struct Pancreas {
  Field organ;
  Field tumor;
};

/// A lobulated band from head (patient's right, low) to tail (left, high) with a tumour somewhere
/// along it; `allowed` is Canvas::kFar where other organs are.
Pancreas draw_pancreas(const Canvas& canvas,
                       const AbdomenPlan& plan,
                       const Field& allowed,
                       const Rng& rng) {
  const AbdomenKnobs& knobs = kKnobs.abdomen;
  const float unit = plan.frame.unit_mm;
  constexpr std::array<Point, 6> kLine{{{-0.26F, 0.0F, -0.24F},
                                        {-0.23F, -0.03F, -0.08F},
                                        {-0.07F, -0.12F, 0.0F},
                                        {0.12F, -0.07F, 0.05F},
                                        {0.32F, 0.03F, 0.13F},
                                        {0.50F, 0.13F, 0.20F}}};
  constexpr std::array<float, 6> kRadius{0.085F, 0.115F, 0.075F, 0.09F, 0.09F, 0.06F};
  Rng draw = stream(rng, Part::pancreas);
  std::vector<Point> line;
  std::vector<float> radii;
  for (std::size_t i = 0; i < kLine.size(); ++i) {
    const Point& p = kLine[i];
    line.push_back(plan.frame.at(p.x, p.y, p.z) + gaussian_point(draw, 0.035F * unit));
    radii.push_back(kRadius[i] * unit * (1 + 0.12F * static_cast<float>(draw.normal())));
  }
  Pancreas pancreas{canvas.empty(), canvas.empty()};
  canvas.add_curve(pancreas.organ, line, radii);
  add(pancreas.organ,
      knobs.pancreas_lobulation * unit,
      canvas.noise(0.22F * unit, stream(rng, Part::pancreas, 1)));
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (allowed[i] >= Canvas::kFar) {
      pancreas.organ[i] = Canvas::kFar;
    }
  }
  if (plan.pancreas_tumor_quantile < 0) {
    return pancreas;
  }
  const double share = knobs.pancreas_share.draw(draw);
  set_voxel_count(pancreas.organ,
                  static_cast<std::size_t>(share * static_cast<double>(canvas.count())));
  Rng tumor_draw = stream(rng, Part::tumor);
  const double place = tumor_draw.uniform(0, static_cast<double>(line.size() - 1));
  const auto segment = static_cast<std::size_t>(place);
  const auto along = static_cast<float>(place - static_cast<double>(segment));
  // The organ's deepest voxel nearby, so that a small tumour does not drown in a vessel's border.
  const Point near = (1 - along) * line[segment] + along * line[segment + 1];
  std::size_t centre = canvas.voxel_at(near);
  for (std::size_t i = 0; i < pancreas.organ.size(); ++i) {
    if (length(canvas.position(i) - near) < 0.12F * unit &&
        pancreas.organ[i] < pancreas.organ[centre]) {
      centre = i;
    }
  }
  pancreas.tumor =
      make_blob(canvas,
                canvas.position(centre),
                log_uniform_count(canvas, knobs.pancreas_tumor_share, plan.pancreas_tumor_quantile),
                {1.1F, 1, 0.9F},
                knobs.tumor_roughness,
                allowed,
                stream(rng, Part::tumor, 1));
  return pancreas;
}

/// Dark lesions in the liver whose volumes add up to a drawn total.
Field draw_liver_lesions(const Canvas& canvas,
                         const Field& liver,
                         double quantile,
                         const Rng& rng) {
  const AbdomenKnobs& knobs = kKnobs.abdomen;
  Rng draw = stream(rng, Part::lesions);
  std::size_t left = log_uniform_count(canvas, knobs.liver_lesion_share, quantile);
  Field lesions = canvas.empty();
  Field allowed = liver;
  std::vector<std::size_t> deep;
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (allowed[i] >= 0) {
      allowed[i] = Canvas::kFar;
    } else if (allowed[i] < -2 * canvas.border_mm()) {
      deep.push_back(i);
    }
  }
  const int most = draw.between(1, knobs.liver_lesions_most);
  for (int lesion = 0; lesion < most && left > 0 && !deep.empty(); ++lesion) {
    const auto share = lesion + 1 == most ? left : std::max<std::size_t>(4, left / 2);
    const std::size_t centre = deep[draw.below(static_cast<std::uint32_t>(deep.size()))];
    join(lesions,
         make_blob(canvas,
                   canvas.position(centre),
                   std::min(share, left),
                   {1, 1, 1},
                   knobs.tumor_roughness,
                   allowed,
                   stream(rng, Part::lesions, static_cast<std::uint64_t>(lesion) + 1)));
    left -= std::min(share, left);
  }
  return lesions;
}

}  // namespace

Abdomen make_abdomen(const Canvas& canvas, const AbdomenPlan& plan, const Rng& rng) {
  const AbdomenKnobs& knobs = kKnobs.abdomen;
  const float unit = plan.frame.unit_mm;
  const Field texture = canvas.fractal_noise(0.30F * unit, stream(rng, Part::texture));
  OrganPainter painter{canvas, plan.frame, texture, stream(rng, Part::organs)};
  Rng contrast = stream(rng, Part::contrast);
  const float phase = knobs.phase_shift * static_cast<float>(contrast.normal());
  const auto enhanced = [&](Material material) {
    material.mean += phase + knobs.organ_shift * static_cast<float>(contrast.normal());
    return material;
  };
  Abdomen result;
  Field& hu = result.hu;
  const Trunk trunk = paint_trunk(hu, canvas, plan.frame, kKnobs.ct, texture, rng);
  Organs organs = draw_organs(painter, trunk.cavity);
  const AbdominalVessels vessels = draw_vessels(canvas, plan.frame, rng);
  cut(organs.liver, grown(vessels.veins, 0.01F * unit));

  // Nothing of the pancreas is counted inside a neighbour that it cannot displace.
  Field fixed = vessels.aorta;
  for (const Field* organ : std::initializer_list<const Field*>{
           &vessels.veins, &organs.kidneys, &organs.spleen, &organs.gallbladder}) {
    join(fixed, *organ);
  }
  canvas.add_ellipsoid(fixed, plan.frame.at(0, 0.37F, 0), {0.18F * unit, 0.14F * unit, 60 * unit});
  Field allowed = canvas.empty();
  for (std::size_t i = 0; i < allowed.size(); ++i) {
    if (fixed[i] > 0 && trunk.cavity[i] < -0.05F * unit) {
      allowed[i] = 0;
    }
  }
  Pancreas pancreas = draw_pancreas(canvas, plan, allowed, rng);
  Field neighbourhood = pancreas.organ;  // a fat plane of uneven thickness, missing in places
  join(neighbourhood, pancreas.tumor);
  add(neighbourhood, 0.03F * unit, texture);
  neighbourhood = grown(neighbourhood, knobs.fat_plane * unit);
  cut(organs.liver, neighbourhood);
  cut(organs.stomach, neighbourhood);

  paint_bowel(hu, painter, trunk.cavity, rng);
  painter.paint(hu, organs.stomach, knobs.stomach_wall);
  painter.paint(hu, grown(organs.stomach, -0.035F * unit), knobs.stomach_content);
  painter.paint(hu, organs.spleen, enhanced(knobs.spleen));
  painter.paint(hu, organs.kidneys, enhanced(knobs.kidney_cortex));
  painter.paint(hu, grown(organs.kidneys, -0.055F * unit), enhanced(knobs.kidney_medulla));
  painter.paint(hu, organs.liver, enhanced(knobs.liver));
  painter.paint(hu, organs.gallbladder, knobs.gallbladder);
  painter.paint(hu, pancreas.organ, enhanced(knobs.pancreas));
  const float fuzzy = knobs.tumor_border_mm * canvas.extent_mm(0) / 53;
  paint(hu, pancreas.tumor, fuzzy, enhanced(knobs.pancreas_tumor), texture);
  result.liver_lesions = canvas.empty();
  if (plan.liver_lesion_quantile >= 0) {
    result.liver_lesions =
        draw_liver_lesions(canvas, organs.liver, plan.liver_lesion_quantile, rng);
    paint(hu, result.liver_lesions, fuzzy, enhanced(knobs.liver_lesion), texture);
  }
  painter.paint(hu, vessels.veins, enhanced(knobs.vessel));
  painter.paint(hu, vessels.aorta, enhanced(knobs.vessel));
  paint_spine(hu, canvas, plan.frame, kKnobs.ct, texture, rng);
  add(hu, knobs.noise, canvas.grain(stream(rng, Part::grain)));

  result.liver = std::move(organs.liver);
  result.pancreas = std::move(pancreas.organ);
  join(result.pancreas, pancreas.tumor);
  result.pancreas_tumor = std::move(pancreas.tumor);
  return result;
}

}  // namespace sar::phantom
