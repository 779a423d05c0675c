#include "datasets/phantom_anatomy.h"

#include "datasets/phantom_knobs.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace sar::phantom {
void OrganPainter::add(Field& field, Point centre, Point radii, float turn) {
  const Point shift = gaussian_point(draw, 0.02F);
  const auto scale = [&] { return 1 + 0.07F * static_cast<float>(draw.normal()); };
  const float x = radii.x * scale();
  const float y = radii.y * scale();
  const float z = radii.z * scale();
  canvas.add_ellipsoid(field,
                       frame.at(centre.x + shift.x, centre.y + shift.y, centre.z + shift.z),
                       {frame.unit_mm * x, frame.unit_mm * y, frame.unit_mm * z},
                       turn);
}

void OrganPainter::deform(Field& field, float amount, float wavelength, std::uint64_t index) const {
  phantom::add(field,
               amount * frame.unit_mm,
               canvas.noise(wavelength * frame.unit_mm, draw.at(purpose::phantom, {index})));
}

void OrganPainter::paint(Field& image, const Field& field, const Material& material) const {
  phantom::paint(image, field, canvas.border_mm(), material, texture);
}

Trunk paint_trunk(Field& image,
                  const Canvas& canvas,
                  const Frame& frame,
                  const Palette& palette,
                  const Field& texture,
                  const Rng& rng) {
  Rng draw = stream(rng, Part::trunk);
  const float unit = frame.unit_mm;
  const float width = canvas.border_mm();
  image.assign(canvas.count(), palette.air.mean);

  Field shell(canvas.count());
  Field core(canvas.count());
  for (std::size_t i = 0; i < shell.size(); ++i) {
    const Point p = canvas.position(i) - frame.centre_mm;
    const float depth = p.y - unit * 0.79F + 0.10F / unit * p.x * p.x;
    const float half_width = std::abs(p.x) - unit * 0.85F;
    shell[i] = std::max(std::abs(depth) - unit * 0.045F, half_width);
    core[i] = std::max(std::abs(depth) - unit * 0.02F, half_width);
  }
  paint(image, shell, width, palette.table_shell, texture);
  paint(image, core, width, palette.table_core, texture);

  Trunk trunk{canvas.empty(), {}};
  const float depth = 0.70F * static_cast<float>(draw.uniform(0.95, 1.05));
  canvas.add_ellipsoid(trunk.body, frame.centre_mm, {unit, depth * unit, 60 * unit});
  add(trunk.body, 0.02F * unit, canvas.noise(1.2F * unit, stream(rng, Part::trunk, 1)));
  paint(image, trunk.body, width, palette.fat, texture);

  const float fat_mm = unit * static_cast<float>(draw.uniform(0.04, 0.10));
  const Field thickness = canvas.noise(0.8F * unit, stream(rng, Part::trunk, 2));
  Field wall = trunk.body;
  for (std::size_t i = 0; i < wall.size(); ++i) {
    wall[i] += fat_mm * std::max(0.3F, 1 + 0.3F * thickness[i]);
  }
  paint(image, wall, width, palette.muscle, texture);
  trunk.cavity = wall;
  const float muscle_mm = 0.075F * unit;
  for (float& distance : trunk.cavity) {
    distance += muscle_mm;
  }
  paint(image, trunk.cavity, width, palette.fat, texture);
  return trunk;
}

void paint_spine(Field& image,
                 const Canvas& canvas,
                 const Frame& frame,
                 const Palette& palette,
                 const Field& texture,
                 const Rng& rng) {
  Rng draw = stream(rng, Part::spine);
  const float unit = frame.unit_mm;
  const float width = canvas.border_mm();
  constexpr float kTall = 60;

  Field muscles = canvas.empty();
  for (const float side : {-1.0F, 1.0F}) {
    canvas.add_ellipsoid(
        muscles, frame.at(0.20F * side, 0.50F, 0), {0.16F * unit, 0.13F * unit, kTall * unit});
  }
  paint(image, muscles, width, palette.muscle, texture);

  Field body = canvas.empty();
  Field ring = canvas.empty();
  Field canal = canvas.empty();
  canvas.add_ellipsoid(body, frame.at(0, 0.37F, 0), {0.16F * unit, 0.125F * unit, kTall * unit});
  canvas.add_ellipsoid(ring, frame.at(0, 0.54F, 0), {0.105F * unit, 0.095F * unit, kTall * unit});
  canvas.add_ellipsoid(canal, frame.at(0, 0.535F, 0), {0.06F * unit, 0.055F * unit, kTall * unit});
  const float period = 0.34F * unit;
  const auto phase = static_cast<float>(draw.uniform(0, period));
  Field discs(canvas.count());
  for (std::size_t i = 0; i < discs.size(); ++i) {
    const float height = canvas.position(i).z - frame.centre_mm.z + phase + 100 * period;
    const float from_disc = std::abs(std::remainder(height, period));
    discs[i] = std::max(body[i], from_disc - 0.045F * unit);
  }
  for (int level = -6; level <= 6; ++level) {
    const float z = (static_cast<float>(level) + 0.5F) * period - phase;
    const Point height{0, 0, z};
    canvas.add_tube(ring,
                    frame.at(0, 0.60F, 0) + height,
                    frame.at(0, 0.66F, -0.05F) + height,
                    0.035F * unit,
                    0.03F * unit);
    for (const float side : {-1.0F, 1.0F}) {
      canvas.add_tube(ring,
                      frame.at(0.08F * side, 0.52F, 0) + height,
                      frame.at(0.25F * side, 0.56F, 0) + height,
                      0.035F * unit,
                      0.025F * unit);
    }
  }
  Field inside = body;
  for (float& distance : inside) {
    distance += 0.035F * unit;
  }
  paint(image, ring, width, {0.6F * palette.cortical.mean, palette.cortical.texture}, texture);
  paint(image, body, width, palette.cortical, texture);
  paint(image, inside, width, palette.marrow, texture);
  paint(image, discs, width, palette.disc, texture);
  paint(image, canal, width, palette.canal, texture);
}

float ball_radius_mm(const Canvas& canvas, std::size_t count) {
  const float volume = static_cast<float>(count) * canvas.voxel_volume_mm3();
  return std::cbrt(volume * 0.75F / std::numbers::pi_v<float>);
}

Field make_blob(const Canvas& canvas,
                Point centre,
                std::size_t count,
                Point stretch,
                float roughness,
                const Field& allowed,
                const Rng& rng) {
  const float radius = ball_radius_mm(canvas, count);
  Rng draw = rng.at(purpose::phantom, {0});
  Field blob = canvas.empty();
  canvas.add_ellipsoid(
      blob, centre, radius * stretch, static_cast<float>(draw.uniform(0, std::numbers::pi)));
  add(blob, roughness * radius, canvas.noise(2.2F * radius, rng.at(purpose::phantom, {1})));
  add(blob, 0.4F * roughness * radius, canvas.noise(radius, rng.at(purpose::phantom, {2})));
  for (std::size_t i = 0; i < blob.size(); ++i) {
    if (allowed[i] >= Canvas::kFar) {
      blob[i] = Canvas::kFar;
    }
  }
  set_voxel_count(blob, count);
  return blob;
}

void add_mr_noise(Field& image,
                  const Canvas& canvas,
                  float bias_wavelength_mm,
                  float bias_strength,
                  float noise,
                  const Rng& bias,
                  const Rng& grain) {
  const Field field = canvas.noise(bias_wavelength_mm, bias);
  const Field real = canvas.white_noise(grain.at(purpose::phantom, {0}));
  const Field imaginary = canvas.white_noise(grain.at(purpose::phantom, {1}));
  for (std::size_t i = 0; i < image.size(); ++i) {
    const float signal = std::max(0.0F, image[i]) * std::exp(bias_strength * field[i]);
    const float with_noise = signal + noise * real[i];
    const float quadrature = noise * imaginary[i];
    image[i] = std::sqrt(with_noise * with_noise + quadrature * quadrature);
  }
}

void scale_to_maximum(Field& image, float maximum) {
  const float largest = *std::max_element(image.begin(), image.end());
  for (float& value : image) {
    value *= maximum / largest;
  }
}

}  // namespace sar::phantom
