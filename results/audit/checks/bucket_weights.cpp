// bucket-weights: a test set's mean is that of its tumour sizes, weighted by the same cases in
// every row.

#include "results/audit/check.h"
#include "results/audit/printed_cells.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace sar::audit_checks::bucket_weights {
namespace {

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
                                  impossible ? " (not a Dice in percent)" : ""));
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
             : "Weights that are not numbers of cases were not tried: there are too many.";
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

Outcome run(const Subject& subject) {
  // Findings that may point at the cell that slipped.
  const std::vector<Finding>& duplicates = subject.findings_of("duplicate-cell");
  Outcome outcome;
  std::vector<std::string> said;
  Json values = Json::array();
  bool checked = false;
  bool left_out = false;
  for (const BucketWeights& weights : subject.weights) {
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
          "Either many cells are off, or the number of cases is, or {} is not a mean over the same "
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
  if (subject.weights.empty()) {
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

}  // namespace

void register_in(Checks& checks) {
  checks.add({"bucket-weights", 40, run});
}

}  // namespace sar::audit_checks::bucket_weights
