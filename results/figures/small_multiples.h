#pragma once

#include "results/figures/canvas.h"
#include "results/tables/table.h"

#include <cstddef>
#include <vector>

namespace sar::figures {

/// Panels of one size in lines as wide as the figure, and what their axes need.
struct SmallMultiples {
  std::size_t panels = 0;
  std::size_t columns = 1;                ///< panels in a line, 1 at least
  double head = 0, panel = 0, below = 0;  ///< heights in pixels: title, panel, tics
  double from = 0, margin = 0;            ///< pixels left and right of the lines
  double inset = 0;  ///< pixels from the edge of a panel's share of the line to the panel
  double gap = 0;    ///< pixels of its share that a panel leaves free, left and right together

  [[nodiscard]] std::size_t lines() const;  ///< 1 at least
  [[nodiscard]] double height() const;      ///< of all lines
  /// The panel of this number; the first line begins at height `top`.
  [[nodiscard]] Box box(std::size_t number, double top = kTitleBand) const;
};

/// So many panels look best in lines of this many, three at most.
std::size_t panels_in_a_line(std::size_t panels);

/// Width in pixels of a column of these rows' names at the left of the panels.
double names_width(const std::vector<TableRow>& rows);

/// Positions of tics on a logarithmic axis: 1, 10, ... or 1, 2, 5, 10, ... where these are few.
std::vector<double> log_tics(double least, double most);

/// A round step (1, 2, 5 times a power of ten) that divides a range into at most so many parts.
double round_step(double range, int parts);

}  // namespace sar::figures
