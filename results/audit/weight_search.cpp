#include "results/audit/weight_search.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace sar::audit_checks {
namespace {

// Choices, stated in the report.
constexpr int kMostCasesIfUnknown = 200;  // look so far where the paper does not say
constexpr int kOtherCases = 3;        // other numbers of cases: up to so many times the stated one
constexpr double kChance = 0.05;      // splits that chance alone may let fit so many rows
constexpr double kMostCorners = 2e6;  // corners of all sets of weights, each tried on every row

long floor_divide(long a, long b) {
  return a / b - ((a % b != 0 && (a < 0) != (b < 0)) ? 1 : 0);
}

/// Whole numbers x in [from, to] with slope x <= limit.
void restrict_to(long slope, long limit, long& from, long& to) {
  if (slope > 0) {
    to = std::min(to, floor_divide(limit, slope));
  } else if (slope < 0) {
    from = std::max(from, -floor_divide(limit, -slope));
  } else if (limit < 0) {
    to = from - 1;
  }
}

/// Calls `visit(prefix, rest, count)` for every choice of all parts but the last two: `count[x]` is
/// the number of rows that fit with x cases in the last but one and rest - x in the last.
template <class Visit>
class Enumeration {
 public:
  Enumeration(const std::vector<Bounds>& rows, Visit visit)
      : rows_(rows), visit_(std::move(visit)), fitting_(rows.size(), 0) {}

  void run(std::size_t parts, long cases) {
    split_.assign(parts, 0);
    descend(0, cases, std::vector<long>(rows_.size(), 0), std::vector<long>(rows_.size(), 0));
  }
  /// Splits that each row fits, over all runs.
  [[nodiscard]] const std::vector<double>& fitting() const { return fitting_; }

 private:
  void descend(std::size_t part,
               long rest,
               const std::vector<long>& low,
               const std::vector<long>& high) {
    const auto left = static_cast<long>(split_.size() - part);
    if (left > 2) {
      std::vector<long> next_low = low;
      std::vector<long> next_high = high;
      for (long cases = 1; cases <= rest - (left - 1); ++cases) {
        split_[part] = cases;
        for (std::size_t row = 0; row < rows_.size(); ++row) {
          next_low[row] += rows_[row].low[part];
          next_high[row] += rows_[row].high[part];
        }
        descend(part + 1, rest - cases, next_low, next_high);
      }
      return;
    }
    steps_.assign(static_cast<std::size_t>(rest) + 1, 0);
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      long from = 1;
      long to = rest - 1;
      const long low_last = rows_[row].low[part + 1];
      const long high_last = rows_[row].high[part + 1];
      restrict_to(rows_[row].low[part] - low_last, -low[row] - rest * low_last, from, to);
      restrict_to(high_last - rows_[row].high[part], high[row] + rest * high_last, from, to);
      if (from <= to) {
        ++steps_[static_cast<std::size_t>(from)];
        --steps_[static_cast<std::size_t>(to) + 1];
        fitting_[row] += static_cast<double>(to - from + 1);
      }
    }
    int count = 0;
    for (long x = 1; x < rest; ++x) {
      count += steps_[static_cast<std::size_t>(x)];
      visit_(split_, part, x, rest - x, static_cast<std::size_t>(count));
    }
  }

  const std::vector<Bounds>& rows_;
  Visit visit_;
  Split split_;
  std::vector<int> steps_;
  std::vector<double> fitting_;
};

/// Splits of so many cases: (cases - 1) over (parts - 1).
double number_of_splits(long cases, std::size_t parts) {
  double number = 1;
  for (std::size_t i = 1; i < parts; ++i) {
    number *= static_cast<double>(cases - static_cast<long>(i)) / static_cast<double>(i);
  }
  return std::max(0.0, number);
}

/// P(at least `least` of independent events of these probabilities).
double at_least(const std::vector<double>& probabilities, std::size_t least) {
  std::vector<double> exactly(probabilities.size() + 1, 0.0);
  exactly[0] = 1;
  for (const double p : probabilities) {
    for (std::size_t k = exactly.size() - 1; k > 0; --k) {
      exactly[k] = exactly[k] * (1 - p) + exactly[k - 1] * p;
    }
    exactly[0] *= 1 - p;
  }
  return std::accumulate(exactly.begin() + static_cast<std::ptrdiff_t>(least), exactly.end(), 0.0);
}

std::string printed(const BucketRow& row) {
  std::string text;
  for (const Place& place : places_of(row)) {
    text += place.text() + " ";
  }
  return text;
}

/// The rows of all tables that have every column of the group.
std::vector<BucketRow> rows_of(const Paper& paper, const BucketGroup& group) {
  // No Dice, and too large or too fine to count with; `range` reports the large ones.
  const auto absurd = [](const PrintedNumber& number) {
    return std::abs(number.value) > 1000 || decimals(number) > 9;
  };
  std::vector<BucketRow> rows;
  for (const PrintedTable& table : paper.tables) {
    for (std::size_t row = 0; row < table.cells.size(); ++row) {
      const auto place_of = [&](const std::string& bucket) {
        return find_place(paper,
                          {table.spec.id,
                           table.spec.rows[row].method,
                           group.task,
                           group.target,
                           bucket,
                           group.fraction});
      };
      BucketRow found;
      for (const std::string& part : group.parts) {
        found.parts.push_back(place_of(part));
      }
      found.whole = place_of(group.whole);
      const std::vector<Place> places = places_of(found);
      if (std::ranges::any_of(places, [&](const Place& place) {
            return place.table == nullptr || absurd(place.cell().mean);
          })) {
        continue;
      }
      for (const Place& place : places) {
        found.cells.push_back(place.path().text());
      }
      const auto same = std::ranges::find_if(rows, [&](const BucketRow& other) {
        return other.whole.method().method == found.whole.method().method &&
               printed(other) == printed(found);
      });
      if (same == rows.end()) {
        rows.push_back(std::move(found));
      } else {
        same->cells.insert(same->cells.end(), found.cells.begin(), found.cells.end());
      }
    }
  }
  return rows;
}

bool proportional(const Split& a, const Split& b) {
  for (std::size_t i = 0; i + 1 < a.size(); ++i) {
    if (a[i] * b[i + 1] != a[i + 1] * b[i]) {
      return false;
    }
  }
  return true;
}

/// A split and how well it does: more rows, then closer over the rows that fit.
struct Candidate {
  std::size_t rows = 0;
  double squares = std::numeric_limits<double>::infinity();
  Split split;

  [[nodiscard]] bool better_than(const Candidate& other) const {
    return rows != other.rows ? rows > other.rows : squares < other.squares * (1 - 1e-9);
  }
};

double squares_of(const std::vector<Bounds>& rows, const Split& split) {
  double squares = 0;
  for (const Bounds& row : rows) {
    if (row.fits(split)) {
      squares += row.misfit(split) * row.misfit(split);
    }
  }
  return squares;
}

/// Tries every split of the stated number of cases, or of a range of numbers.
void search(BucketWeights& weights, const std::vector<Bounds>& bounds) {
  const std::size_t parts = weights.group->parts.size();
  const bool known = weights.group->cases > 0;
  weights.from = known ? weights.group->cases : static_cast<long>(parts);
  const long last = known ? weights.group->cases : kMostCasesIfUnknown;
  std::vector<Candidate> best;
  Candidate first;
  Candidate second;
  Enumeration enumeration(
      bounds, [&](const Split& prefix, std::size_t part, long x, long rest, std::size_t count) {
        if (count == 0 || count < std::min(first.rows, second.rows)) {
          return;
        }
        Candidate candidate{count, 0, prefix};
        candidate.split[part] = x;
        candidate.split[part + 1] = rest;
        candidate.squares = squares_of(bounds, candidate.split);
        if (count > weights.most) {
          weights.most = count;
          best.clear();
        }
        if (count == weights.most && count >= 3) {
          best.push_back(candidate);
        }
        if (candidate.better_than(first)) {
          if (first.rows > 0 && !proportional(first.split, candidate.split)) {
            second = std::move(first);
          }
          first = std::move(candidate);
        } else if (candidate.better_than(second) && !proportional(first.split, candidate.split)) {
          second = std::move(candidate);
        }
      });
  double splits = 0;
  for (long cases = weights.from; cases <= last; ++cases) {
    const double number = number_of_splits(cases, parts);
    if (splits + number > kMostSplits) {
      break;
    }
    splits += number;
    enumeration.run(parts, cases);
    weights.to = cases;
  }
  std::ranges::stable_sort(best,
                           [](const Candidate& a, const Candidate& b) { return a.better_than(b); });
  for (Candidate& each : best) {
    weights.best.push_back(std::move(each.split));
  }
  weights.runner_up = second.split;
  weights.runner_up_rows = second.rows;
  std::vector<double> chance;
  for (std::size_t row = 0; row < bounds.size(); ++row) {
    weights.rows[row].fits_any = enumeration.fitting()[row] > 0;
    weights.rows[row].fits_best = std::ranges::any_of(
        weights.best, [&](const Split& split) { return bounds[row].fits(split); });
    chance.push_back(splits > 0 ? enumeration.fitting()[row] / splits : 0.0);
  }
  weights.by_chance = splits * at_least(chance, weights.most);
  weights.majority = weights.most >= 3 && 2 * weights.most >= bounds.size();
  weights.shared = weights.majority && weights.by_chance <= kChance;
}

// --- weights of any kind ------------------------------------------------------------------------

/// The only direction orthogonal to all `planes` (one fewer than their dimension), scaled so that
/// its sum is 1; empty if there are several, or if one of its weights is negative.
std::vector<double> corner_of(const std::vector<const std::vector<double>*>& planes) {
  const std::size_t n = planes.size() + 1;
  std::vector<std::vector<double>> rows;
  for (const auto* plane : planes) {
    rows.push_back(*plane);
  }
  constexpr double kSmall = 1e-12;  // the planes are scaled to 1
  std::vector<std::size_t> pivots;
  std::size_t free_column = n;
  for (std::size_t column = 0; column < n; ++column) {
    const std::size_t done = pivots.size();
    std::size_t largest = done;
    for (std::size_t row = done; row < rows.size(); ++row) {
      if (std::abs(rows[row][column]) > std::abs(rows[largest][column])) {
        largest = row;
      }
    }
    if (done == rows.size() || std::abs(rows[largest][column]) < kSmall) {
      if (free_column < n) {
        return {};
      }
      free_column = column;
      continue;
    }
    std::swap(rows[done], rows[largest]);
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const double factor = row == done ? 0 : rows[row][column] / rows[done][column];
      for (std::size_t i = 0; i < n && factor != 0; ++i) {
        rows[row][i] -= factor * rows[done][i];
      }
    }
    pivots.push_back(column);
  }
  std::vector<double> weights(n, 0.0);
  weights[free_column] = 1;
  for (std::size_t row = 0; row < pivots.size(); ++row) {
    weights[pivots[row]] = -rows[row][free_column] / rows[row][pivots[row]];
  }
  const double sum = std::accumulate(weights.begin(), weights.end(), 0.0);
  if (std::abs(sum) < kSmall) {
    return {};
  }
  for (double& weight : weights) {
    weight /= sum;
    if (weight < -kSmall) {
      return {};
    }
    weight = std::max(0.0, weight);
  }
  return weights;
}

/// How many rows weights of any kind fit, whole numbers of cases or not. Each row allows the
/// weights between two planes, so that sets of weights that fit the same rows are polytopes, and
/// the most rows are fitted in a corner, where as many planes meet as there are parts less one.
void search_any(BucketWeights& weights, const std::vector<Bounds>& bounds) {
  const std::size_t parts = weights.group->parts.size();
  std::vector<std::vector<double>> planes;
  for (std::size_t part = 0; part < parts; ++part) {
    planes.emplace_back(parts, 0.0)[part] = 1;
  }
  std::vector<double> scales;
  for (const Bounds& row : bounds) {
    double scale = 1;
    for (std::size_t part = 0; part < parts; ++part) {
      scale = std::max({scale,
                        std::abs(static_cast<double>(row.low[part])),
                        std::abs(static_cast<double>(row.high[part]))});
    }
    for (const auto* side : {&row.low, &row.high}) {
      planes.emplace_back();
      for (const long each : *side) {
        planes.back().push_back(static_cast<double>(each) / scale);
      }
    }
    scales.push_back(scale);
  }
  double corners = 1;
  for (std::size_t i = 0; i + 1 < parts; ++i) {
    corners *= static_cast<double>(planes.size() - i) / static_cast<double>(i + 1);
  }
  if (corners > kMostCorners) {
    return;
  }
  const auto count = [&](const std::vector<double>& corner) {
    std::size_t fitting = 0;
    for (std::size_t row = 0; row < bounds.size(); ++row) {
      double below = 0;
      double above = 0;
      for (std::size_t part = 0; part < parts; ++part) {
        below += corner[part] * static_cast<double>(bounds[row].low[part]);
        above += corner[part] * static_cast<double>(bounds[row].high[part]);
      }
      constexpr double kRounding = 1e-11;  // a corner lies on its planes but for rounding
      fitting += below <= kRounding * scales[row] && above >= -kRounding * scales[row] ? 1U : 0U;
    }
    return fitting;
  };
  std::vector<const std::vector<double>*> chosen;
  const auto choose = [&](auto&& self, std::size_t from) -> void {
    if (chosen.size() + 1 == parts) {
      std::vector<double> corner = corner_of(chosen);
      if (corner.empty()) {
        return;
      }
      const std::size_t fitting = count(corner);
      if (fitting > weights.any_rows) {
        weights.any_rows = fitting;
        weights.corners.clear();
      }
      if (fitting == weights.any_rows) {
        weights.corners.push_back(std::move(corner));
      }
      return;
    }
    for (std::size_t plane = from; plane < planes.size(); ++plane) {
      chosen.push_back(&planes[plane]);
      self(self, plane + 1);
      chosen.pop_back();
    }
  };
  choose(choose, 0);
}

/// Which other numbers of test cases would do as well.
void search_others(BucketWeights& weights, const std::vector<Bounds>& bounds) {
  const auto parts = static_cast<long>(weights.group->parts.size());
  std::size_t most = 0;
  Enumeration enumeration(bounds, [&](const Split&, std::size_t, long, long, std::size_t count) {
    most = std::max(most, count);
  });
  double splits = 0;
  for (long cases = parts; cases <= kOtherCases * weights.group->cases; ++cases) {
    splits += number_of_splits(cases, weights.group->parts.size());
    if (splits > kMostSplits) {
      break;
    }
    most = 0;
    enumeration.run(weights.group->parts.size(), cases);
    weights.others_to = cases;
    if (cases != weights.group->cases && most >= std::max<std::size_t>(1, weights.most)) {
      weights.others.emplace_back(cases, most);
    }
  }
}

/// Weights that fit more rows than any split of the stated (or tried) numbers of cases: then that
/// number, not a cell, is what the rows speak against. Named are the plain average if it does best,
/// then the nearest other number of cases, then weights of any kind.
void compare_with_others(BucketWeights& weights, const std::vector<Bounds>& bounds) {
  const std::size_t parts = weights.group->parts.size();
  const std::size_t equal = rows_fitting(bounds, Split(parts, 1));
  std::size_t most = std::max(equal, weights.any_rows);
  for (const auto& [cases, fitting] : weights.others) {
    most = std::max(most, fitting);
  }
  if (most <= weights.most) {
    return;
  }
  weights.better_rows = most;
  weights.majority = false;
  weights.shared = false;
  if (equal == most) {
    weights.better = "equal weights, the plain average of the parts";
    return;
  }
  long nearest = 0;
  const auto distance = [&](long cases) { return std::abs(cases - weights.group->cases); };
  for (const auto& [cases, fitting] : weights.others) {
    if (fitting == most && (nearest == 0 || distance(cases) < distance(nearest))) {
      nearest = cases;
    }
  }
  weights.better = nearest > 0 ? fmt::format("a split of {} cases", nearest)
                               : fmt::format("weights such as ({:.4f})",
                                             fmt::join(weights.corners.front(), ", "));
}

}  // namespace

Bounds::Bounds(const BucketRow& row, const Grid& grid) {
  const PrintedNumber& whole = row.whole.cell().mean;
  for (const Place& place : row.parts) {
    const PrintedNumber& part = place.cell().mean;
    const long middle = grid.value(part) - grid.value(whole);
    const long slack = grid.half(part) + grid.half(whole);
    low.push_back(middle - slack);
    high.push_back(middle + slack);
  }
}

bool Bounds::fits(const Split& split) const {
  long below = 0;
  long above = 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    below += split[i] * low[i];
    above += split[i] * high[i];
  }
  return below <= 0 && above >= 0;
}

double Bounds::misfit(const Split& split) const {
  double sum = 0;
  double cases = 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    sum += static_cast<double>(split[i]) * static_cast<double>(low[i] + high[i]) / 2;
    cases += static_cast<double>(split[i]);
  }
  return sum / cases;
}

std::vector<Place> places_of(const BucketRow& row) {
  std::vector<Place> places = row.parts;
  places.push_back(row.whole);
  return places;
}

Grid grid_of(const std::vector<BucketRow>& rows) {
  std::vector<const PrintedNumber*> numbers;
  for (const BucketRow& row : rows) {
    for (const Place& place : places_of(row)) {
      numbers.push_back(&place.cell().mean);
    }
  }
  return Grid(numbers);
}

std::vector<Bounds> bounds_of(const std::vector<BucketRow>& rows, const Grid& grid) {
  std::vector<Bounds> bounds;
  for (const BucketRow& row : rows) {
    bounds.emplace_back(row, grid);
  }
  return bounds;
}

std::size_t rows_fitting(const std::vector<Bounds>& rows, const Split& split) {
  return static_cast<std::size_t>(
      std::ranges::count_if(rows, [&](const Bounds& row) { return row.fits(split); }));
}

std::string show(const Split& split) {
  return fmt::format("({})", fmt::join(split, ", "));
}

std::string group_name(const BucketGroup& group) {
  return group.task + "/" + group.target + (group.fraction == "1" ? "" : "/" + group.fraction);
}

long sum_of(const Split& split) {
  return std::accumulate(split.begin(), split.end(), 0L);
}

std::string weighted_sum(const Split& split, const std::vector<std::string>& numbers) {
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < split.size(); ++i) {
    terms.push_back(fmt::format("{} × {}", split[i], numbers[i]));
  }
  return fmt::format("({}) / {}", fmt::join(terms, " + "), sum_of(split));
}

std::string row_id(const BucketWeights& weights, const BucketRow& row) {
  const std::string& method = row.whole.method().method;
  const auto same = std::ranges::count_if(
      weights.rows, [&](const BucketRow& other) { return other.whole.method().method == method; });
  return group_name(*weights.group) + ":" + method +
         (same > 1 ? ":" + row.whole.table->spec.id : "");
}

std::vector<BucketWeights> bucket_weights_of(const Paper& paper) {
  std::vector<BucketWeights> groups;
  for (const BucketGroup& group : paper.bucket_groups) {
    BucketWeights& weights = groups.emplace_back();
    weights.group = &group;
    if (group.parts.size() < 2) {
      continue;
    }
    weights.rows = rows_of(paper, group);
    if (weights.rows.empty()) {
      continue;
    }
    const std::vector<Bounds> bounds = bounds_of(weights.rows, grid_of(weights.rows));
    search(weights, bounds);
    if (weights.to < weights.from) {
      continue;
    }
    if (group.cases > 0) {
      search_others(weights, bounds);
    }
    search_any(weights, bounds);
    compare_with_others(weights, bounds);
  }
  return groups;
}

}  // namespace sar::audit_checks
