#pragma once

#include "results/tables/forest.h"
#include "results/tables/label_efficiency.h"
#include "results/tables/loss_curves.h"
#include "results/tables/rank_stability.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// A figure and the numbers that it draws.
struct Figure {
  std::string id;  ///< file name without extension: "forest-table2"
  std::string title;
  std::string description;         ///< for who cannot see it: what it shows and its main finding
  std::vector<std::string> notes;  ///< sentences below it: what is drawn, n, tests, data kind
  std::string commands;            ///< for gnuplot, without the terminal
  int width = 960, height = 480;   ///< pixels
  Sheet data;                      ///< the numbers, for CSV, JSON and a table in the page
};

/// How a method looks in every figure; distinguishable with the common colour vision deficiencies,
/// on light and on dark paper, and by the mark alone.
struct MethodStyle {
  std::string light, dark;  ///< colours, "#rrggbb"
  int point = 7;            ///< gnuplot's point type
  std::string dash;         ///< gnuplot's dash type: "1", "'-'", ...
};
/// The same for an id at all times; an unknown id gets a style too.
MethodStyle method_style(const std::string& method);

/// The custom property of a method's colour: "--method-sar"; letters, digits, `-` and `_` alone.
std::string method_property(const std::string& method);

/// CSS custom properties for the page and its figures: `--ink`, `--muted`, `--grid`, `--paper`,
/// `--panel` (behind cards and tables), `--link`, `--accent`, `--ok`, `--warn`, `--bad`, and a
/// `method_property` per method, on :root, for dark under `[data-theme=dark]` and, unless
/// `[data-theme=light]`, in `prefers-color-scheme: dark`. All but `--grid` and `--panel` are
/// legible as text on `--paper` and `--panel` (contrast of 4.5:1 at least, methods 3:1).
std::string figure_css(const std::vector<std::string>& methods);

/// One panel per column with intervals: SAR against each method; the published one hollow.
Figure forest_figure(const std::string& id,
                     const std::string& title,
                     const std::vector<ForestPanel>& measured,
                     const std::vector<ForestPanel>& published,
                     const Table& table);
/// Dice against tumour volume (logarithmic), one small panel per method, edges of the size buckets
/// as lines; a point is a case, its mean over trials.
Figure size_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<CaseRow>& cases,
                   const std::vector<TableRow>& rows,
                   const std::string& task,
                   const std::string& target,
                   const ProtocolRow& protocol);
/// Mean and SD over label fraction (logarithmic), a panel per group.
Figure efficiency_figure(const std::string& id,
                         const std::string& title,
                         const std::vector<LabelEfficiency>& groups,
                         const ProtocolRow& protocol);
/// Share of the samples per rank and method, a panel per column.
Figure rank_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<RankStability>& columns,
                   const ProtocolRow& protocol);
/// Script for gnuplot that draws the figure to standard output: one small panel per task and method
/// with that method's training loss (mean and range over trials) and validation loss over those of
/// all others in grey. Curves of more than 400 steps are thinned, those in grey of more than 100.
/// `terminal`: "svg" or "png". `smoothing`: trailing mean over so many steps.
std::string gnuplot_script(const LossCurves& curves, const std::string& terminal, int smoothing);

/// The loss curves that `gnuplot_script` draws, with convergence as its numbers: curves of more
/// than 400 steps thinned so that least and most of each stretch stay.
Figure curves_figure(const LossCurves& curves, int smoothing);

/// A drawn figure.
struct Drawing {
  std::string svg, png;  ///< files of their own, on white
  /// For the page: colours by custom properties, the page's fonts, ids that begin with the
  /// figure's, role="img" with title and description, no drawn title (the page has it). Scales to
  /// its container; legible from about 640 pixels on.
  std::string inline_svg;
};
/// Draws all, several gnuplots side by side. Throws Error 74 as `plotted`.
std::vector<Drawing> draw(const std::vector<Figure>& figures);

}  // namespace sar
