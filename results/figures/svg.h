#pragma once

#include "results/figures/figure.h"

#include <string>

namespace sar::figures {

/// gnuplot's SVG as a file (white paper, its own title) or for the page, as `Drawing` has them.
/// Throws Error 74 if it is not SVG.
std::string finished_svg(const std::string& svg, const Figure& figure, bool page);

}  // namespace sar::figures
