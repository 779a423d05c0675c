#include "results/figures/small_multiples.h"

#include <algorithm>
#include <cmath>

namespace sar::figures {

std::size_t SmallMultiples::lines() const {
  return std::max<std::size_t>(1, (panels + columns - 1) / columns);
}

double SmallMultiples::height() const {
  return static_cast<double>(lines()) * (head + panel + below);
}

Box SmallMultiples::box(std::size_t number, double top) const {
  const double share = (kWidth - from - margin) / static_cast<double>(columns);
  const double left = from + share * static_cast<double>(number % columns) + inset;
  const std::size_t line = number / columns;
  const double upper = top + static_cast<double>(line) * (head + panel + below) + head;
  return {left, upper, left + share - gap, upper + panel};
}

std::size_t panels_in_a_line(std::size_t panels) {
  return panels == 4 ? 2 : std::clamp<std::size_t>(panels, 1, 3);
}

double names_width(const std::vector<TableRow>& rows) {
  double width = 40;
  for (const TableRow& row : rows) {
    width = std::max(width, std::min(150.0, text_width(plain(row.label, 18), 13) + 22));
  }
  return width;
}

std::vector<double> log_tics(double least, double most) {
  const bool wide = std::log10(most / least) > 2.2;
  std::vector<double> tics;
  for (int power = static_cast<int>(std::floor(std::log10(least))); std::pow(10, power) <= most;
       ++power) {
    for (const int factor : {1, 2, 5}) {
      const double tic = factor * std::pow(10, power);
      if (tic >= least * 0.999 && tic <= most * 1.001 && (factor == 1 || !wide)) {
        tics.push_back(tic);
      }
    }
  }
  return tics;
}

double round_step(double range, int parts) {
  const double least = range / parts;
  const double power = std::pow(10, std::floor(std::log10(least)));
  for (const int factor : {1, 2, 5}) {
    if (factor * power >= least * 0.9999) {
      return factor * power;
    }
  }
  return 10 * power;
}

}  // namespace sar::figures
