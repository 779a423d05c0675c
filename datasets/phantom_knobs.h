#pragma once

#include "datasets/phantom_canvas.h"

#include <array>
#include <cmath>

namespace sar::phantom {

/// Everything that decides how hard the phantom tasks are, in one place. Raise kPhantomVersion with
/// any change. CT values are HU, MR values are relative (grey matter is about 0.5) until a scanner
/// scale is drawn; pairs are the ends of a range from which each case draws.
struct Range {
  float low;
  float high;

  [[nodiscard]] double draw(Rng& rng) const {
    return rng.uniform(static_cast<double>(low), static_cast<double>(high));
  }
  /// The value below which a share `quantile` of a log-uniform distribution lies.
  [[nodiscard]] double log_quantile(double quantile) const {
    const double ratio = static_cast<double>(high) / static_cast<double>(low);
    return static_cast<double>(low) * std::pow(ratio, quantile);
  }
};

struct BrainKnobs {
  /// Whole-tumour volume as a share of the canvas, log-uniform: 160 to 21500 mm3 at side 56.
  Range tumor_share{1.5e-3F, 0.2F};
  Range tumor_stretch{0.75F, 1.3F};  ///< half-axes of the tumour's ellipsoid relative to a ball
  float tumor_roughness = 0.34F;     ///< deformation of the border relative to the radius
  Range core_share{0.2F, 0.55F};     ///< tumour core within the whole tumour (high grade)
  Range core_share_low_grade{0.45F, 0.8F};
  Range necrosis_share{0.25F, 0.75F};  ///< necrosis within the core (high grade)
  Range oedema_contrast{1.3F, 1.65F};  ///< scales the step from white matter to oedema
  float oedema_border_mm = 2.2F;       ///< width of the fuzzy border, at side 56; at most ...
  float border_share = 0.5F;           ///< ... this share of the tumour's radius
  float core_border_mm = 1.2F;

  /// Bright structures in FLAIR that are not tumour.
  int hyperintensities_most = 4;  ///< white-matter lesions: 1 to this many
  Range hyperintensity_radius_mm{0.8F, 1.7F};
  float cap_thickness_mm = 1.4F;  ///< bright caps around the ventricles
  float rim_share = 0.25F;        ///< share of cases with a bright band at the surface

  float texture_mm = 7.0F;        ///< wavelength of tissue texture, at side 56
  float bias_strength = 0.16F;    ///< SD of the logarithm of the bias field
  float contrast_spread = 0.05F;  ///< SD of each tissue's mean between cases, relative
  float noise = 0.04F;            ///< SD of each of the two Rician components
  Range scanner_maximum{300.0F, 3000.0F};

  /// Mean of a tissue in flair, t1, t1ce, t2, and its texture.
  struct Tissue {
    std::array<float, 4> mean;
    float texture;
  };
  Tissue csf{{0.14F, 0.20F, 0.20F, 1.05F}, 0.01F};
  Tissue grey{{0.56F, 0.50F, 0.52F, 0.62F}, 0.03F};
  Tissue white{{0.46F, 0.72F, 0.75F, 0.44F}, 0.025F};
  Tissue deep_grey{{0.54F, 0.58F, 0.60F, 0.52F}, 0.02F};
  Tissue vessel{{0.20F, 0.30F, 1.10F, 0.15F}, 0.02F};
  Tissue hyperintensity{{0.72F, 0.52F, 0.54F, 0.80F}, 0.05F};
  Tissue rim{{0.80F, 0.80F, 0.85F, 0.60F}, 0.08F};
  Tissue oedema{{0.88F, 0.46F, 0.47F, 0.86F}, 0.07F};
  Tissue enhancing{{0.95F, 0.48F, 1.05F, 0.70F}, 0.08F};
  Tissue necrosis{{0.66F, 0.30F, 0.32F, 0.92F}, 0.07F};
  Tissue low_grade_core{{0.98F, 0.38F, 0.40F, 0.95F}, 0.06F};
};

struct AbdomenKnobs {
  Range pancreas_share{0.04F, 0.065F};  ///< organ with tumour, as a share of the cropped canvas
  float pancreas_lobulation = 0.035F;   ///< deformation of the border in body half-widths
  float fat_plane = 0.03F;              ///< mean gap to liver and stomach, same unit
  /// Pancreas tumour as a share of the canvas, log-uniform: 41 to 4300 mm3 at side 56.
  Range pancreas_tumor_share{3.5e-4F, 0.036F};
  /// All liver lesions of a case, as a share of the canvas, log-uniform: 37 to 11000 mm3 at
  /// side 56.
  Range liver_lesion_share{1.4e-4F, 0.042F};
  int liver_lesions_most = 4;
  float tumor_roughness = 0.3F;
  float tumor_border_mm = 2.0F;  ///< at side 56

  Material pancreas{102, 14};
  Material pancreas_tumor{46, 12};
  Material liver{108, 7};
  Material liver_lesion{62, 12};
  Material spleen{120, 6};
  Material kidney_cortex{172, 10};
  Material kidney_medulla{125, 8};
  Material vessel{165, 5};
  Material gallbladder{10, 3};
  Material stomach_wall{72, 8};
  Material stomach_content{18, 10};
  Material bowel_wall{82, 8};
  /// Filling of bowel loops: collapsed (wall all through), fluid, oral contrast, gas.
  std::array<Material, 4> bowel_content{{{86, 14}, {22, 8}, {195, 20}, {-650, 60}}};
  std::array<float, 4> bowel_share{{0.45F, 0.25F, 0.15F, 0.15F}};
  int bowel_loops = 9;
  float phase_shift = 10;  ///< contrast phase: SD over cases of a common shift of all organs
  float organ_shift = 6;   ///< SD over cases of each organ's own shift
  float noise = 13;        ///< SD of the grain after the reconstruction kernel
};

struct ThoraxKnobs {
  Material lung{-855, 28};
  Material lung_vessel{35, 5};
  Material airway{-990, 3};
  Material airway_wall{10, 5};
  Material heart{45, 5};
  Material vessel{55, 5};
  Material nodule{25, 15};
  int nodules_most = 4;
  Range nodule_radius_mm{1.5F, 5.0F};  ///< at side 56
  float noise = 16;
  /// MR of the heart, relative to blood at about 1.
  Material mr_blood{0.92F, 0.03F};
  Material mr_myocardium{0.50F, 0.03F};
  Material mr_vessel{0.86F, 0.04F};
  Material mr_lung{0.10F, 0.02F};
  Material mr_liver{0.46F, 0.03F};
  float mr_noise = 0.04F;
  float mr_bias_strength = 0.22F;
  Range mr_scanner_maximum{300.0F, 2500.0F};
};

/// What body wall, spine and air look like.
struct Palette {
  Material air;
  Material fat;
  Material muscle;
  Material cortical;
  Material marrow;
  Material disc;
  Material canal;
  Material table_shell;
  Material table_core;
};

struct PhantomKnobs {
  BrainKnobs brain;
  AbdomenKnobs abdomen;
  ThoraxKnobs thorax;
  Palette ct{{-1000, 0},
             {-102, 9},
             {56, 9},
             {720, 130},
             {230, 55},
             {85, 10},
             {28, 5},
             {-120, 10},
             {-880, 8}};
  Palette mr{{0.01F, 0},
             {0.80F, 0.05F},
             {0.36F, 0.03F},
             {0.08F, 0.01F},
             {0.45F, 0.05F},
             {0.30F, 0.03F},
             {0.65F, 0.04F},
             {0.01F, 0},
             {0.01F, 0}};
};
inline constexpr PhantomKnobs kKnobs{};

}  // namespace sar::phantom
