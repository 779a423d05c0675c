#pragma once

#include "results/figures/examples.h"

#include <string>

namespace sar {

/// The `d` of an SVG path of closed lines, a pixel being `across` wide and `down` high; empty if
/// there are none.
std::string outline_path(const Contours& contours, double across = 1, double down = 1);

/// A picture of its own: the three planes side by side at one scale in millimetres, truth solid,
/// prediction dashed. Without ids, so that several stand in one page.
std::string example_svg(const Example& example);
/// The same picture as a PNG at twice the size. Throws Error 74 as `plotted`.
std::string example_png(const Example& example);

}  // namespace sar
