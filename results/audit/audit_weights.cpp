// Checks of the columns that show one test set by tumour size: bucket-weights, sd-bound.

#include "results/audit/audit_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <optional>

namespace sar::audit_detail {
namespace {

// Choices, told in the report.
constexpr int kMostCasesIfUnknown = 200;  // look so far where the paper does not say
constexpr int kOtherCases = 3;        // other numbers of cases: up to so many times the stated one
constexpr double kMostSplits = 5e6;   // try at most so many for each of both questions
constexpr double kChance = 0.05;      // splits that chance alone may let fit so many rows
constexpr double kMostCorners = 2e6;  // corners of all sets of weights, each tried on every row

/// Bounds of one row: a split w fits if sum of w[i] low[i] <= 0 <= sum of w[i] high[i], which is
/// |sum of w[i] m[i] - N m_all| <= N half_all + sum of w[i] half[i], exactly.
struct Bounds {
  std::vector<long> low, high;

  Bounds(const BucketRow& row, const Grid& grid) {
    const PrintedNumber& whole = row.whole.cell().mean;
    for (const Place& place : row.parts) {
      const PrintedNumber& part = place.cell().mean;
      const long middle = grid.value(part) - grid.value(whole);
      const long slack = grid.half(part) + grid.half(whole);
      low.push_back(middle - slack);
      high.push_back(middle + slack);
    }
  }
  [[nodiscard]] bool fits(const Split& split) const {
    long below = 0;
    long above = 0;
    for (std::size_t i = 0; i < split.size(); ++i) {
      below += split[i] * low[i];
      above += split[i] * high[i];
    }
    return below <= 0 && above >= 0;
  }
  /// Distance of the weighted mean from the whole, in units.
  [[nodiscard]] double misfit(const Split& split) const {
    double sum = 0;
    double cases = 0;
    for (std::size_t i = 0; i < split.size(); ++i) {
      sum += static_cast<double>(split[i]) * static_cast<double>(low[i] + high[i]) / 2;
      cases += static_cast<double>(split[i]);
    }
    return sum / cases;
  }
};

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

std::vector<Place> places_of(const BucketRow& row) {
  std::vector<Place> places = row.parts;
  places.push_back(row.whole);
  return places;
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

// --- what is said about it ----------------------------------------------------------------------

std::string show(const Split& split) {
  return fmt::format("({})", fmt::join(split, ", "));
}

std::string group_name(const BucketGroup& group) {
  return group.task + "/" + group.target + (group.fraction == "1" ? "" : "/" + group.fraction);
}

long sum_of(const Split& split) {
  return std::accumulate(split.begin(), split.end(), 0L);
}

/// "(23 × 74.36 + 49 × 85.67 + 23 × 85.62) / 95"
std::string weighted_sum(const Split& split, const std::vector<std::string>& numbers) {
  std::vector<std::string> terms;
  for (std::size_t i = 0; i < split.size(); ++i) {
    terms.push_back(fmt::format("{} × {}", split[i], numbers[i]));
  }
  return fmt::format("({}) / {}", fmt::join(terms, " + "), sum_of(split));
}

/// Digits to print of what is computed from a row: one more than it prints.
int digits_of(const BucketRow& row) {
  int digits = 0;
  for (const Place& place : places_of(row)) {
    digits = std::max(digits, decimals(place.cell().mean));
  }
  return digits + 1;
}

/// The closed interval that the unrounded value of one cell (a part, or after them the whole) needs
/// for the split to fit, all others being within their rounding intervals.
std::pair<double, double> needed(const BucketRow& row, const Split& split, std::size_t cell) {
  const auto cases = static_cast<double>(sum_of(split));
  double low = 0;
  double high = 0;
  for (std::size_t i = 0; i < split.size(); ++i) {
    if (i != cell) {
      const PrintedNumber& mean = row.parts[i].cell().mean;
      low += static_cast<double>(split[i]) * (mean.value - mean.half_unit);
      high += static_cast<double>(split[i]) * (mean.value + mean.half_unit);
    }
  }
  if (cell == split.size()) {
    return {low / cases, high / cases};
  }
  const PrintedNumber& whole = row.whole.cell().mean;
  const auto weight = static_cast<double>(split[cell]);
  return {(cases * (whole.value - whole.half_unit) - high) / weight,
          (cases * (whole.value + whole.half_unit) - low) / weight};
}

/// "brats/tumor:genesis"; with the table where several print the method differently.
std::string row_id(const BucketWeights& weights, const BucketRow& row) {
  const std::string& method = row.whole.method().method;
  const auto same = std::ranges::count_if(
      weights.rows, [&](const BucketRow& other) { return other.whole.method().method == method; });
  return group_name(*weights.group) + ":" + method +
         (same > 1 ? ":" + row.whole.table->spec.id : "");
}

/// The whole lies outside its parts, within all rounding: no weights make it their mean.
bool is_outside(const Bounds& bounds) {
  return std::ranges::all_of(bounds.low, [](long each) { return each > 0; }) ||
         std::ranges::all_of(bounds.high, [](long each) { return each < 0; });
}

/// Weights that do better than those of the stated number of cases: what to make of it.
Finding other_weights_finding(const BucketWeights& weights) {
  const std::string name = group_name(*weights.group);
  const std::size_t rows = weights.rows.size();
  Finding finding;
  finding.check = "bucket-weights";
  finding.id = "bucket-weights:" + name + ":other-weights";
  for (const BucketRow& row : weights.rows) {
    finding.cells.insert(finding.cells.end(), row.cells.begin(), row.cells.end());
  }
  const std::string tried = weights.from == weights.to
                                ? fmt::format("the {} cases", weights.group->cases)
                                : fmt::format("{} to {} cases", weights.from, weights.to);
  finding.message = fmt::format(
      "{}: no split of {} fits more than {} of {} rows, but {} fit{} {}. Either {} is a mean with "
      "other weights than the paper's files say, or rows are off by so little that other weights "
      "hide it. No row is judged: compare the number of cases and how {} is averaged.",
      name,
      tried,
      weights.most,
      rows,
      weights.better,
      weights.better.starts_with("a split") ? "s" : "",
      weights.better_rows,
      weights.group->whole,
      weights.group->whole);
  if (weights.better_rows < rows) {
    finding.message += fmt::format(" These would leave {} that {} not fit.",
                                   counted(rows - weights.better_rows, "row"),
                                   rows - weights.better_rows == 1 ? "does" : "do");
  }
  finding.values = {{"rows", rows},
                    {"rows_fitting", weights.most},
                    {"other_weights", weights.better},
                    {"rows_fitting_others", weights.better_rows}};
  return finding;
}

/// A row that does not fit: its arithmetic under the closest of the best splits.
Finding misfit_finding(const BucketWeights& weights,
                       const BucketRow& row,
                       const Bounds& bounds,
                       const Grid& grid,
                       const std::vector<Finding>& duplicates) {
  const std::vector<Place> places = places_of(row);
  const int digits = digits_of(row);
  Finding finding;
  finding.check = "bucket-weights";
  finding.id = "bucket-weights:" + row_id(weights, row);
  finding.cells = row.cells;
  finding.severity = weights.shared || !row.fits_any ? Severity::inconsistent : Severity::note;
  const std::string whole = row.whole.column_name();
  const bool outside = is_outside(bounds);
  std::string text = row.whole.method().label + ": ";
  finding.values = {{"printed", Json::object()}, {"fits_some_split", row.fits_any}};
  for (const Place& place : places) {
    finding.values["printed"][place.head().bucket] = place.cell().mean.value;
  }
  if (outside) {
    text += fmt::format("no weights at all make {} {} of its parts {}: it lies outside them. ",
                        whole,
                        row.whole.cell().mean.text,
                        fmt::join(
                            [&] {
                              std::vector<std::string> parts;
                              for (const Place& place : row.parts) {
                                parts.push_back(place.cell().mean.text);
                              }
                              return parts;
                            }(),
                            ", "));
  } else if (!row.fits_any) {
    text +=
        fmt::format("no split of {} cases makes {} {} of its parts. ",
                    weights.from == weights.to ? std::to_string(weights.to)
                                               : fmt::format("{} to {}", weights.from, weights.to),
                    whole,
                    row.whole.cell().mean.text);
  }
  finding.doubts = row.cells;
  if (weights.majority) {
    const Split& split = weights.best.front();
    const auto cases = static_cast<double>(sum_of(split));
    std::vector<std::string> parts;
    double value = 0;
    double slack = row.whole.cell().mean.half_unit;
    for (std::size_t i = 0; i < split.size(); ++i) {
      const PrintedNumber& mean = row.parts[i].cell().mean;
      parts.push_back(mean.text);
      value += static_cast<double>(split[i]) * mean.value / cases;
      slack += static_cast<double>(split[i]) * mean.half_unit / cases;
    }
    const double misfit = grid.real(bounds.misfit(split));
    text += fmt::format(
        "{} = {:.{}f}, but {} is {}: {:.{}f} apart, of which rounding explains at most {:.{}f}. {} "
        "of {} rows share these weights{}.",
        weighted_sum(split, parts),
        value,
        digits,
        whole,
        row.whole.cell().mean.text,
        std::abs(misfit),
        digits,
        slack,
        digits,
        weights.most,
        weights.rows.size(),
        weights.best.size() > 1 ? fmt::format(" or those of {}, none of which fits this one",
                                              counted(weights.best.size() - 1, "other split"))
                                : "");
    std::vector<std::string> needs;
    Json intervals = Json::object();
    for (std::size_t i = 0; i < places.size(); ++i) {
      const auto [low, high] = needed(row, split, i);
      const bool impossible = high < 0 || low > 100;
      needs.push_back(fmt::format("{} {:.{}f} to {:.{}f}{}",
                                  places[i].column_name(),
                                  low,
                                  digits,
                                  high,
                                  digits,
                                  impossible ? " (no Dice in percent)" : ""));
      intervals[places[i].head().bucket] = {
          {"low", low}, {"high", high}, {"possible", !impossible}};
    }
    text += fmt::format(" One of them alone would have to be: {}.", fmt::join(needs, "; "));
    finding.values.update(Json{{"split", split},
                               {"weighted_mean", value},
                               {"misfit", misfit},
                               {"rounding", slack},
                               {"rows", weights.rows.size()},
                               {"rows_fitting", weights.most},
                               {"tied_splits", weights.best.size()},
                               {"needed", intervals}});
    if (finding.severity == Severity::note) {
      text +=
          fmt::format(" But chance alone would let {:.2g} splits fit so many rows: a weak sign.",
                      weights.by_chance);
    }
  }
  Json suspects = Json::array();
  for (const Place& place : places) {
    const std::string cell = place.path().text();
    for (const Finding& duplicate : duplicates) {
      if (duplicate.severity == Severity::note || !std::ranges::count(duplicate.cells, cell)) {
        continue;
      }
      text +=
          fmt::format(" {} points at {} as the likely slip.", duplicate.id, place.column_name());
      suspects.push_back(cell);
    }
  }
  if (!suspects.empty()) {
    finding.doubts = suspects.get<std::vector<std::string>>();
  }
  if (finding.severity == Severity::note) {
    finding.doubts.clear();
  }
  finding.values["suspects"] = std::move(suspects);
  finding.message = std::move(text);
  return finding;
}

/// Equal parts, as near as the number of cases allows: most rows that one of them fits.
std::pair<std::size_t, Split> equal_parts(const std::vector<Bounds>& bounds,
                                          long cases,
                                          std::size_t parts) {
  const auto k = static_cast<long>(parts);
  Split split(parts, cases / k);
  for (long i = 0; i < cases % k; ++i) {
    ++split[parts - 1 - static_cast<std::size_t>(i)];
  }
  std::pair<std::size_t, Split> best{rows_fitting(bounds, split), split};
  while (std::ranges::next_permutation(split).found) {
    if (const std::size_t rows = rows_fitting(bounds, split); rows > best.first) {
      best = {rows, split};
    }
  }
  return best;
}

Json json_of(const BucketWeights& weights) {
  Json rows = Json::array();
  for (const BucketRow& row : weights.rows) {
    rows.push_back({{"cells", row.cells}, {"fits", row.fits_best}, {"fits_some", row.fits_any}});
  }
  constexpr std::size_t kMostListed = 100;
  Json ties = Json::array();
  for (std::size_t i = 0; i < std::min(kMostListed, weights.best.size()); ++i) {
    ties.push_back(weights.best[i]);
  }
  Json others = Json::array();
  for (const auto& [cases, fitting] : weights.others) {
    others.push_back({{"cases", cases}, {"rows", fitting}});
  }
  return {{"group", group_name(*weights.group)},
          {"cases", weights.group->cases > 0 ? Json(weights.group->cases) : Json()},
          {"cases_tried", {weights.from, weights.to}},
          {"rows", std::move(rows)},
          {"best", weights.best.empty() ? Json() : Json(weights.best.front())},
          {"best_rows", weights.most},
          {"tied", std::move(ties)},
          {"tied_splits", weights.best.size()},
          {"runner_up", weights.runner_up.empty() ? Json() : Json(weights.runner_up)},
          {"runner_up_rows", weights.runner_up_rows},
          {"expected_by_chance", weights.by_chance},
          {"shared", weights.shared},
          {"any_weights_rows", weights.any_rows > 0 ? Json(weights.any_rows) : Json()},
          {"better_weights", weights.better.empty() ? Json() : Json(weights.better)},
          {"other_cases_tried_to", weights.others_to},
          {"other_cases", std::move(others)}};
}

/// How many rows the best of all weights fit.
std::string describe_any(const BucketWeights& weights) {
  if (weights.better_rows > 0) {
    return fmt::format("Other weights do better: {} fit{} {}.",
                       weights.better,
                       weights.better.starts_with("a split") ? "s" : "",
                       counted(weights.better_rows, "row"));
  }
  return weights.any_rows > 0
             ? "No weights of any kind, whole numbers of cases or not, fit more rows."
             : "Weights that are no numbers of cases were not tried: there are too many.";
}

std::string describe(const BucketWeights& weights, const std::vector<Bounds>& bounds) {
  const BucketGroup& group = *weights.group;
  const std::size_t rows = weights.rows.size();
  const bool known = group.cases > 0;
  std::string text = fmt::format(
      "{}: {} as the mean of {}, weighted by their cases, the same in every row; {}, {}{}. ",
      group_name(group),
      group.whole,
      fmt::join(group.parts, ", "),
      counted(rows, "row"),
      known ? fmt::format("{} test cases", group.cases)
            : fmt::format("{} to {} test cases tried, as the paper gives no number",
                          weights.from,
                          weights.to),
      group.cases_source.empty() ? "" : ": " + group.cases_source);
  if (weights.best.empty()) {
    return text + fmt::format("No split fits more than {}. ", counted(weights.most, "row")) +
           describe_any(weights);
  }
  text +=
      fmt::format("Best split {}: {} of {} rows", show(weights.best.front()), weights.most, rows);
  if (weights.best.size() > 1) {
    text +=
        fmt::format(" (so do {} more, such as {})", weights.best.size() - 1, show(weights.best[1]));
  }
  if (!weights.runner_up.empty()) {
    text += fmt::format("; runner-up {}: {}", show(weights.runner_up), weights.runner_up_rows);
  }
  const Split& best = weights.best.front();
  const auto [equal_rows, equal] = equal_parts(bounds, sum_of(best), best.size());
  text += fmt::format("; equal parts, such as {}: {}", show(equal), equal_rows);
  text += fmt::format(". By chance {:.1g} splits would fit so many. ", weights.by_chance);
  if (best.size() == 3 && best.front() == best.back() && best.front() == sum_of(best) / 4) {
    text += fmt::format(
        "The outer parts are quarters: {} is {} / 4 rounded down. ", best.front(), sum_of(best));
  }
  if (known) {
    constexpr std::size_t kMostListed = 8;
    std::vector<std::string> others;
    bool more_rows = false;
    for (const auto& [cases, fitting] : weights.others) {
      more_rows = more_rows || fitting > weights.most;
      if (others.size() < kMostListed) {
        others.push_back(fitting > weights.most ? fmt::format("{} ({} rows)", cases, fitting)
                                                : std::to_string(cases));
      }
    }
    if (others.empty()) {
      text +=
          fmt::format("No other number of cases up to {} fits as many rows.", weights.others_to);
    } else {
      text += fmt::format("Of other numbers of cases up to {}, {} fit{} as many rows{}: {}{}.",
                          weights.others_to,
                          weights.others.size(),
                          weights.others.size() == 1 ? "s" : "",
                          more_rows ? " or more" : "",
                          fmt::join(others, ", "),
                          weights.others.size() > others.size() ? ", …" : "");
    }
    text += " ";
  }
  return text + describe_any(weights);
}

/// One row's SD of the whole against its parts' under one split, within rounding.
struct SdBounds {
  double sum = 0;            ///< weighted sum of the printed SDs
  double largest = 0;        ///< the largest that the whole's SD may be
  double least = 0;          ///< the least that it may be
  double low = 0, high = 0;  ///< interval of the printed SD of the whole
};

SdBounds sd_bounds(const BucketRow& row, const Split& split) {
  SdBounds bounds;
  const auto cases = static_cast<double>(sum_of(split));
  std::vector<double> low;
  std::vector<double> high;
  for (std::size_t i = 0; i < split.size(); ++i) {
    const PrintedNumber& sd = *row.parts[i].cell().sd;
    const double weight = static_cast<double>(split[i]) / cases;
    bounds.sum += weight * sd.value;
    low.push_back(weight * std::max(0.0, sd.value - sd.half_unit));
    high.push_back(weight * (sd.value + sd.half_unit));
  }
  bounds.largest = std::accumulate(high.begin(), high.end(), 0.0);
  for (std::size_t i = 0; i < split.size(); ++i) {
    bounds.least = std::max(bounds.least, low[i] + high[i] - bounds.largest);
  }
  const PrintedNumber& whole = *row.whole.cell().sd;
  bounds.low = std::max(0.0, whole.value - whole.half_unit);
  bounds.high = whole.value + whole.half_unit;
  return bounds;
}

/// Is the SD of the whole out of the bounds for all weights that fit the most rows, whole numbers
/// of cases or not? Each bound is linear in the weights, so that its extremes are at their corners.
bool above_at_all(const BucketRow& row, const std::vector<std::vector<double>>& corners) {
  const PrintedNumber& whole = *row.whole.cell().sd;
  return std::ranges::all_of(corners, [&](const std::vector<double>& weights) {
    double largest = 0;
    for (std::size_t i = 0; i < weights.size(); ++i) {
      const PrintedNumber& sd = *row.parts[i].cell().sd;
      largest += weights[i] * (sd.value + sd.half_unit);
    }
    return whole.value - whole.half_unit > largest + kSumRounding;
  });
}
bool below_at_all(const BucketRow& row, const std::vector<std::vector<double>>& corners) {
  const PrintedNumber& whole = *row.whole.cell().sd;
  for (std::size_t outweighs = 0; outweighs < row.parts.size(); ++outweighs) {
    const bool below = std::ranges::all_of(corners, [&](const std::vector<double>& weights) {
      double least = 0;
      for (std::size_t i = 0; i < weights.size(); ++i) {
        const PrintedNumber& sd = *row.parts[i].cell().sd;
        least += i == outweighs ? weights[i] * std::max(0.0, sd.value - sd.half_unit)
                                : -weights[i] * (sd.value + sd.half_unit);
      }
      return whole.value + whole.half_unit < least - kSumRounding;
    });
    if (below) {
      return true;
    }
  }
  return false;
}

bool above(const SdBounds& bounds) {
  return bounds.low > bounds.largest + kSumRounding;
}
bool below(const SdBounds& bounds) {
  return bounds.high < bounds.least - kSumRounding;
}

}  // namespace

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

Outcome check_bucket_weights(const Subject&,
                             const std::vector<BucketWeights>& groups,
                             const std::vector<Finding>& duplicates) {
  Outcome outcome;
  std::vector<std::string> said;
  Json values = Json::array();
  bool checked = false;
  bool left_out = false;
  for (const BucketWeights& weights : groups) {
    const std::string name = group_name(*weights.group);
    if (weights.rows.empty()) {
      said.push_back(name + ": no table has all of its columns.");
      continue;
    }
    if (weights.to < weights.from) {
      Finding finding;
      finding.check = "bucket-weights";
      finding.id = "bucket-weights:" + name + ":not-checked";
      for (const BucketRow& row : weights.rows) {
        finding.cells.insert(finding.cells.end(), row.cells.begin(), row.cells.end());
      }
      finding.message = fmt::format(
          "{}: not checked: {} cases in {} parts have more than the {:g} splits that "
          "are tried.",
          name,
          weights.group->cases,
          weights.group->parts.size(),
          kMostSplits);
      finding.values = {{"cases", weights.group->cases}, {"rows", weights.rows.size()}};
      said.push_back(finding.message);
      outcome.findings.push_back(std::move(finding));
      left_out = true;
      continue;
    }
    checked = true;
    const Grid grid = grid_of(weights.rows);
    const std::vector<Bounds> bounds = bounds_of(weights.rows, grid);
    said.push_back(describe(weights, bounds));
    values.push_back(json_of(weights));
    // Each row that no best split fits, and each that not even a split of its own fits.
    const bool others_do_better = weights.better_rows > 0;
    for (std::size_t row = 0; row < weights.rows.size(); ++row) {
      if (others_do_better
              ? is_outside(bounds[row])
              : !weights.rows[row].fits_any || (weights.majority && !weights.rows[row].fits_best)) {
        outcome.findings.push_back(
            misfit_finding(weights, weights.rows[row], bounds[row], grid, duplicates));
      }
    }
    constexpr std::size_t kEnoughRows = 4;  // fewer could not show that weights are shared
    const std::size_t most = std::max(weights.most, weights.better_rows);
    const bool none_shared =
        weights.better_rows == 0 ? !weights.majority : 2 * most < weights.rows.size();
    if (others_do_better && !none_shared) {
      outcome.findings.push_back(other_weights_finding(weights));
    }
    if (none_shared && weights.rows.size() >= kEnoughRows) {
      Finding finding;
      finding.check = "bucket-weights";
      finding.id = "bucket-weights:" + name + ":no-shared-split";
      finding.severity = Severity::inconsistent;
      for (const BucketRow& row : weights.rows) {
        finding.cells.insert(finding.cells.end(), row.cells.begin(), row.cells.end());
      }
      finding.message = fmt::format(
          "{}: no split of the test cases makes {} the mean of {} in more than {} of {} rows{}. "
          "Either many cells are off, or the number of cases is, or {} is no mean over the same "
          "cases.",
          name,
          weights.group->whole,
          fmt::join(weights.group->parts, ", "),
          weights.most,
          weights.rows.size(),
          others_do_better
              ? fmt::format(", and {} fit no more than {}", weights.better, weights.better_rows)
              : "",
          weights.group->whole);
      finding.values = {{"rows", weights.rows.size()}, {"rows_fitting", weights.most}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  if (groups.empty()) {
    said.emplace_back("The paper's files name no columns that split one test set ([[buckets]]).");
  }
  outcome.report = report("bucket-weights",
                          checked,
                          fmt::format("{}", fmt::join(said, " ")),
                          {{"groups", std::move(values)}});
  if (left_out) {
    outcome.report.status = "not checked";
  }
  return outcome;
}

Outcome check_sd_bound(const Subject&, const std::vector<BucketWeights>& groups) {
  Outcome outcome;
  std::size_t tested = 0;
  Json rows = Json::array();
  std::vector<std::string> said;
  for (const BucketWeights& weights : groups) {
    // Without recovered weights: any weights, so the SD of the whole is at most the largest.
    std::size_t here = 0;
    for (const BucketRow& row : weights.rows) {
      const std::vector<Place> places = places_of(row);
      if (std::ranges::any_of(places, [](const Place& place) { return !place.cell().sd; })) {
        continue;
      }
      ++here;
      std::vector<std::string> numbers;
      SdBounds any{0, 0, 0, 0, 0};
      for (const Place& part : row.parts) {
        numbers.push_back(part.cell().sd->text);
        any.largest = std::max(any.largest, part.cell().sd->value + part.cell().sd->half_unit);
      }
      const PrintedNumber& whole = *row.whole.cell().sd;
      any.low = std::max(0.0, whole.value - whole.half_unit);
      const bool known = weights.shared;
      const SdBounds bounds = known ? sd_bounds(row, weights.best.front()) : any;
      const bool too_large = known ? above_at_all(row, weights.corners) &&
                                         std::ranges::all_of(weights.best,
                                                             [&](const Split& each) {
                                                               return above(sd_bounds(row, each));
                                                             })
                                   : above(any);
      const bool too_small = known && below_at_all(row, weights.corners) &&
                             std::ranges::all_of(weights.best, [&](const Split& each) {
                               return below(sd_bounds(row, each));
                             });
      rows.push_back({{"cell", row.whole.path().text()},
                      {"sd", whole.value},
                      {"weighted_sum", known ? Json(bounds.sum) : Json()},
                      {"at_most", bounds.largest},
                      {"at_least", bounds.least}});
      if (!too_large && !too_small) {
        continue;
      }
      const int digits = decimals(whole) + 1;
      Finding finding;
      finding.check = "sd-bound";
      finding.id = "sd-bound:" + row_id(weights, row);
      finding.severity = Severity::inconsistent;
      finding.cells = row.cells;
      finding.doubts = row.cells;
      if (too_large && known) {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but an SD of a weighted mean is at most the weighted sum of "
            "the SDs: {} = {:.{}f}, with rounding at most {:.{}f} against at least {:.{}f}.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            weighted_sum(weights.best.front(), numbers),
            bounds.sum,
            digits,
            bounds.largest,
            digits,
            bounds.low,
            digits);
      } else if (too_large) {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but an SD of a weighted mean is at most the largest of the "
            "SDs "
            "{}, whatever the weights.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            fmt::join(numbers, ", "));
      } else {
        finding.message = fmt::format(
            "{}: the SD of {} is {}, but with the weights {} one part's SD outweighs those of the "
            "others ({}): at least {:.{}f} is left, against at most {:.{}f}.",
            row.whole.method().label,
            row.whole.column_name(),
            whole.text,
            show(weights.best.front()),
            fmt::join(numbers, ", "),
            bounds.least,
            digits,
            bounds.high,
            digits);
      }
      finding.message +=
          known
              ? " Assumed: the recovered weights, the same in every trial, and SDs over the same "
                "trials with the same divisor (Minkowski's inequality)."
              : " Assumed: the same weights in every trial, and SDs over the same trials with the "
                "same divisor (Minkowski's inequality).";
      finding.values = {{"sd", whole.value},
                        {"at_most", bounds.largest},
                        {"at_least", bounds.least},
                        {"split", known ? Json(weights.best.front()) : Json()}};
      outcome.findings.push_back(std::move(finding));
    }
    tested += here;
    if (here > 0) {
      said.push_back(
          weights.shared
              ? fmt::format("{}: {} against the weights {}{}",
                            group_name(*weights.group),
                            counted(here, "row"),
                            show(weights.best.front()),
                            weights.best.size() > 1
                                ? fmt::format(" and {} that do as well", weights.best.size() - 1)
                                : "")
              : fmt::format("{}: {} against any weights, as none could be recovered",
                            group_name(*weights.group),
                            counted(here, "row")));
    }
  }
  outcome.report = report(
      "sd-bound",
      tested > 0,
      tested > 0
          ? fmt::format("SD of the whole against its parts': at most their weighted sum, at least "
                        "what the largest term leaves of the others (Minkowski's inequality). {}; "
                        "{} outside. Assumed: in every trial the same weights, SDs over the same "
                        "trials with the same divisor.",
                        fmt::join(said, "; "),
                        counted(outcome.findings.size(), "row"))
          : "No row prints the SDs of a whole and all its parts.",
      {{"rows", std::move(rows)}});
  return outcome;
}

}  // namespace sar::audit_detail
