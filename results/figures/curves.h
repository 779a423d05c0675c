#pragma once

#include "results/figures/figure.h"
#include "results/tables/loss_curves.h"

#include <string>

namespace sar {

/// One small panel per task and method with that method's training loss (mean and range over
/// trials) and validation loss over those of all others in grey; convergence as its numbers. Curves
/// of more than 400 steps are thinned so that least and most of each stretch stay, those in grey of
/// more than 100. `smoothing`: trailing mean of the training loss over so many steps.
Figure curves_figure(const LossCurves& curves, int smoothing);

/// Script for gnuplot that draws the same to standard output. `terminal`: "svg" or "png".
std::string gnuplot_script(const LossCurves& curves, const std::string& terminal, int smoothing);

}  // namespace sar
