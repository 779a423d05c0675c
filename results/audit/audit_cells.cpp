// Checks of single cells and columns: duplicate-cell, range, cross-table, bold-best.

#include "results/audit/audit_checks.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>

namespace sar::audit_detail {
namespace {

std::vector<std::string> paths(const std::vector<Place>& places) {
  std::vector<std::string> list;
  for (const Place& place : places) {
    list.push_back(place.path().text());
  }
  return list;
}

std::string methods(const std::vector<Place>& places, const char* separator) {
  std::vector<std::string> list;
  for (const Place& place : places) {
    list.push_back(place.path().method);
  }
  return fmt::format("{}", fmt::join(list, separator));
}

std::string labels(const std::vector<Place>& places) {
  std::string list;
  for (std::size_t i = 0; i < places.size(); ++i) {
    list += (i == 0 ? "" : i + 1 == places.size() ? " and " : ", ") + places[i].method().label;
  }
  return list;
}

/// The cells of one column of a table.
std::vector<Place> column_of(const PrintedTable& table, std::size_t column) {
  std::vector<Place> places;
  for (std::size_t row = 0; row < table.cells.size(); ++row) {
    places.push_back({&table, row, column});
  }
  return places;
}

/// Cells with equal texts, in the order of their first rows.
std::vector<std::vector<Place>> equal_ones(
    const std::vector<Place>& places, const std::function<std::string(const Place&)>& text_of) {
  std::vector<std::pair<std::string, std::vector<Place>>> groups;
  for (const Place& place : places) {
    const std::string text = text_of(place);
    if (text.empty()) {
      continue;
    }
    auto found = std::ranges::find(groups, text, [](const auto& group) { return group.first; });
    if (found == groups.end()) {
      found = groups.insert(groups.end(), {text, {}});
    }
    found->second.push_back(place);
  }
  std::vector<std::vector<Place>> result;
  for (auto& [text, group] : groups) {
    if (group.size() > 1) {
      result.push_back(std::move(group));
    }
  }
  return result;
}

// A choice, told in the report: from so many pairs on that chance alone would make, over as many
// columns as the paper has, a pair says nothing. The usual level of a test.
constexpr double kChancePairs = 0.05;

/// P(two equally distributed numbers are printed alike) if they spread as those of a column do:
/// the unit of the coarsest over the range of n numbers, enlarged by (n + 1) / (n - 1), which is
/// unbiased for a uniform distribution and its range. A choice: about right for any smooth
/// distribution.
double chance_of_equal(const std::vector<const PrintedNumber*>& numbers) {
  double least = numbers.front()->value;
  double most = least;
  double unit = 0;
  for (const PrintedNumber* number : numbers) {
    least = std::min(least, number->value);
    most = std::max(most, number->value);
    unit = std::max(unit, 2 * number->half_unit);
  }
  const auto n = static_cast<double>(numbers.size());
  const double range = (most - least) * (n + 1) / (n - 1);
  return range > unit ? unit / range : 1.0;
}

/// Pairs of rows of a column that chance is expected to print alike in mean and SD.
double chance_pairs(const std::vector<Place>& places) {
  std::vector<const PrintedNumber*> means;
  std::vector<const PrintedNumber*> spreads;
  for (const Place& place : places) {
    if (place.cell().sd) {
      means.push_back(&place.cell().mean);
      spreads.push_back(&*place.cell().sd);
    }
  }
  const auto n = static_cast<double>(means.size());
  return n < 2 ? 0 : n * (n - 1) / 2 * chance_of_equal(means) * chance_of_equal(spreads);
}

/// Every case at the end of the scale, "0±0" or "100±0": what different methods may well share.
bool is_saturated(const PrintedCell& cell) {
  return cell.sd && cell.sd->value == 0 && (cell.mean.value == 0 || cell.mean.value == 100);
}

bool same_as_printed(const PrintedNumber& a, const PrintedNumber& b) {
  if (decimals(a) == decimals(b)) {
    return a.value == b.value;
  }
  return std::abs(a.value - b.value) <= a.half_unit + b.half_unit + kSumRounding;
}

}  // namespace

Outcome check_duplicates(const Subject& subject) {
  Outcome outcome;
  std::size_t columns = 0;
  std::size_t pairs = 0;
  std::size_t means = 0;
  std::size_t spreads = 0;
  const auto add = [&](Severity severity,
                       const std::string& what,
                       const std::vector<Place>& group,
                       const std::string& message) {
    const Place& first = group.front();
    Finding finding;
    finding.check = "duplicate-cell";
    finding.id = "duplicate-cell:" + first.path().column() + ":" + what + methods(group, "+");
    finding.severity = severity;
    finding.cells = paths(group);
    finding.message = fmt::format(
        "{} in {} of {}: {}.", labels(group), first.column_name(), first.table->spec.id, message);
    finding.values = {{"printed", Json::array()}};
    for (const Place& place : group) {
      finding.values["printed"].push_back(place.text());
    }
    if (severity == Severity::inconsistent) {
      finding.doubts = finding.cells;
    }
    outcome.findings.push_back(std::move(finding));
  };
  const auto pair_of = [](const Place& place) {
    return place.cell().sd ? place.text() : std::string();
  };
  double all_columns = 0;
  for (const PrintedTable& table : subject.paper.tables) {
    all_columns += static_cast<double>(table.spec.columns.size());
  }
  for (const PrintedTable& table : subject.paper.tables) {
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      ++columns;
      const std::vector<Place> places = column_of(table, column);
      const double chance = chance_pairs(places);
      for (const auto& group : equal_ones(places, pair_of)) {
        ++pairs;
        const bool saturated = is_saturated(group.front().cell());
        const bool rare = chance * all_columns < kChancePairs;
        add(rare && !saturated ? Severity::inconsistent : Severity::note,
            "",
            group,
            fmt::format(
                "the same mean and the same SD, {}, digit by digit{}",
                group.front().text(),
                saturated ? std::string(": the end of the scale, which several methods may reach")
                : rare    ? std::string(": a slip in copying, or a rare chance")
                       : fmt::format(": with so few digits for the spread of this column, chance "
                                     "makes about {:.2g} such pairs",
                                     chance)));
      }
      // Alone: not all of them are one identical pair.
      const auto alone = [&](const std::vector<Place>& group) {
        return std::ranges::any_of(group, [&](const Place& place) {
          return !place.cell().sd || pair_of(place) != pair_of(group.front());
        });
      };
      for (const auto& group :
           equal_ones(places, [](const Place& place) { return place.cell().mean.text; })) {
        if (alone(group)) {
          ++means;
          add(Severity::note,
              "mean:",
              group,
              fmt::format(
                  "the same mean, {}, {}",
                  group.front().cell().mean.text,
                  group.front().cell().sd ? "with different SDs" : "where no SD is printed"));
        }
      }
      for (const auto& group : equal_ones(places, [](const Place& place) {
             return place.cell().sd ? place.cell().sd->text : std::string();
           })) {
        if (alone(group)) {
          ++spreads;
          add(Severity::note,
              "sd:",
              group,
              fmt::format("the same SD, {}, of different means", group.front().cell().sd->text));
        }
      }
    }
  }
  outcome.report =
      report("duplicate-cell",
             columns > 0,
             fmt::format(
                 "Compared the rows of {} as printed texts, which needs no rounding intervals: {}, "
                 "{} alone, {} alone. An identical pair is more than a note where chance would "
                 "make fewer than {:g} of them in as many columns like its own, judged by its "
                 "digits and its "
                 "spread, and it is not 0±0 or 100±0.",
                 counted(columns, "column"),
                 counted(pairs, "identical pair") + " of mean and SD",
                 counted(means, "equal mean"),
                 counted(spreads, "equal SD"),
                 kChancePairs),
             {{"columns", columns},
              {"identical_pairs", pairs},
              {"equal_means", means},
              {"equal_sds", spreads}});
  return outcome;
}

Outcome check_range(const Subject& subject) {
  Outcome outcome;
  std::size_t means = 0;
  std::size_t spreads = 0;
  double closest = 0;  // largest share of the possible SD
  std::string closest_cell;
  for (const Place& place : all_places(subject.paper)) {
    const PrintedNumber& mean = place.cell().mean;
    const std::string cell = place.path().text();
    const auto add = [&](const std::string& what, const std::string& message, Json values) {
      Finding finding;
      finding.check = "range";
      finding.id = "range:" + cell + ":" + what;
      finding.severity = Severity::error;
      finding.cells = {cell};
      finding.doubts = {cell};
      finding.message =
          fmt::format("{}, {}: {}", place.method().label, place.column_name(), message);
      finding.values = std::move(values);
      outcome.findings.push_back(std::move(finding));
    };
    ++means;
    const double low = mean.value - mean.half_unit;
    const double high = mean.value + mean.half_unit;
    if (low > 100 || high < 0) {
      add("mean",
          fmt::format("the mean {} is no Dice in percent, which lies between 0 and 100.",
                      mean.text),
          {{"mean", mean.value}});
    }
    if (!place.cell().sd) {
      continue;
    }
    ++spreads;
    const PrintedNumber& sd = *place.cell().sd;
    if (sd.value + sd.half_unit < 0) {
      add("sd", fmt::format("the SD {} is negative.", sd.text), {{"sd", sd.value}});
      continue;
    }
    const int n = place.table->spec.trials;
    if (n < 2 || low > 100 || high < 0) {
      continue;
    }
    // The largest variance of values in [0, 100] with mean m is m (100 - m) (R. Bhatia, C. Davis,
    // "A better bound on the variance", 2000); with n - 1 the SD is the largest that any divisor
    // in use gives. Over the interval of the mean it is largest where that is nearest to 50.
    const double m = std::clamp(50.0, std::max(low, 0.0), std::min(high, 100.0));
    const double largest = std::sqrt(m * (100 - m) * n / (n - 1.0));
    constexpr double kRounding = 1e-9;  // of the square root, far below half a printed digit
    if (sd.value - sd.half_unit > largest + kRounding) {
      add("sd",
          fmt::format("the SD {} is more than {} values between 0 and 100 with mean {} can have: "
                      "√({:g} × (100 − {:g}) × {} / {}) = {:.2f}.",
                      sd.text,
                      n,
                      mean.text,
                      m,
                      m,
                      n,
                      n - 1,
                      largest),
          {{"sd", sd.value}, {"largest", largest}, {"n", n}});
    }
    if (largest > 0 && sd.value / largest > closest) {
      closest = sd.value / largest;
      closest_cell = cell;
    }
  }
  std::string summary = fmt::format(
      "{} in [0, 100]; {} against 0 and the largest that n values in [0, 100] with that mean can "
      "have, √(mean × (100 − mean) × n / (n − 1))",
      counted(means, "mean"),
      counted(spreads, "SD"));
  summary += closest_cell.empty()
                 ? "."
                 : fmt::format(": at most {:.0f} % of it ({}).", 100 * closest, closest_cell);
  outcome.report = report("range",
                          means > 0,
                          std::move(summary),
                          {{"means", means}, {"sds", spreads}, {"largest_share", closest}});
  return outcome;
}

Outcome check_cross_table(const Subject& subject) {
  Outcome outcome;
  std::map<std::string, std::vector<Place>> same;  // method and column to its cells
  std::vector<std::string> order;
  for (const Place& place : all_places(subject.paper)) {
    const CellPath path = place.path();
    const std::string key = path.method + "/" + path.column();
    if (!same.contains(key)) {
      order.push_back(key);
    }
    same[key].push_back(place);
  }
  std::size_t compared = 0;
  for (const std::string& key : order) {
    const std::vector<Place>& places = same.at(key);
    for (std::size_t i = 1; i < places.size(); ++i) {
      ++compared;
      const PrintedCell& a = places[0].cell();
      const PrintedCell& b = places[i].cell();
      if (same_as_printed(a.mean, b.mean) && (!a.sd || !b.sd || same_as_printed(*a.sd, *b.sd))) {
        continue;
      }
      Finding finding;
      finding.check = "cross-table";
      finding.id = fmt::format(
          "cross-table:{}:{}+{}", key, places[0].table->spec.id, places[i].table->spec.id);
      finding.severity = Severity::inconsistent;
      finding.cells = paths({places[0], places[i]});
      finding.doubts = finding.cells;
      finding.message = fmt::format("{}, {}: {} in {}, but {} in {}.",
                                    places[0].method().label,
                                    places[0].column_name(),
                                    places[0].text(),
                                    places[0].table->spec.id,
                                    places[i].text(),
                                    places[i].table->spec.id);
      finding.values = {{"printed", {places[0].text(), places[i].text()}}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  outcome.report = report(
      "cross-table",
      compared > 0,
      compared > 0 ? fmt::format("{} printed in more than one table: {} differ. Compared as "
                                 "printed texts, which needs no rounding intervals; where "
                                 "the tables print different numbers of decimals, by their "
                                 "rounding intervals.",
                                 counted(compared, "cell"),
                                 outcome.findings.empty() ? std::string("none")
                                                          : std::to_string(outcome.findings.size()))
                   : "No cell is printed in more than one table.",
      {{"compared", compared}, {"different", outcome.findings.size()}});
  return outcome;
}

Outcome check_bold(const Subject& subject) {
  Outcome outcome;
  std::size_t checked = 0;
  std::vector<std::string> unknown;
  for (const PrintedTable& table : subject.paper.tables) {
    const bool marks = std::ranges::any_of(table.cells, [](const auto& row) {
      return std::ranges::any_of(row,
                                 [](const PrintedCell& cell) { return cell.bold.value_or(false); });
    });
    if (!marks) {
      unknown.push_back(table.spec.id);
      continue;
    }
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      const std::vector<Place> places = column_of(table, column);
      if (std::ranges::any_of(places, [](const Place& place) { return !place.cell().bold; })) {
        continue;
      }
      ++checked;
      // Of equal ones that with the most decimals: it says the most.
      const PrintedNumber* largest = &places.front().cell().mean;
      for (const Place& place : places) {
        const PrintedNumber& mean = place.cell().mean;
        if (mean.value > largest->value ||
            (mean.value == largest->value && decimals(mean) > decimals(*largest))) {
          largest = &mean;
        }
      }
      std::vector<Place> best;
      std::vector<Place> bold;
      std::vector<Place> wrong;  // bold, but not the largest
      for (const Place& place : places) {
        const bool is_best = same_as_printed(place.cell().mean, *largest);
        if (is_best) {
          best.push_back(place);
        }
        if (*place.cell().bold) {
          bold.push_back(place);
          if (!is_best) {
            wrong.push_back(place);
          }
        }
      }
      // Equal largest means may share the mark or leave it to one of them.
      if (!bold.empty() && wrong.empty()) {
        continue;
      }
      std::vector<Place> named = wrong;
      for (const Place& place : best) {
        if (!*place.cell().bold) {
          named.push_back(place);
        }
      }
      Finding finding;
      finding.check = "bold-best";
      finding.id = fmt::format("bold-best:{}/{}", table.spec.id, places[0].path().column());
      finding.severity = Severity::inconsistent;
      finding.cells = paths(named);
      finding.message =
          fmt::format("{} of {}: {}, but the largest mean is {} of {}.",
                      places[0].column_name(),
                      table.spec.id,
                      bold.empty() ? std::string("no cell is bold") : "bold is " + labels(bold),
                      largest->text,
                      labels(best));
      finding.values = {{"bold", paths(bold)}, {"largest", paths(best)}};
      outcome.findings.push_back(std::move(finding));
    }
  }
  std::string summary = fmt::format(
      "Bold marks against the largest printed mean in {}, as printed texts, which needs no "
      "rounding intervals; where decimals differ, by these.",
      counted(checked, "column"));
  if (checked == 0) {
    summary = "No column with known bold marks.";
  }
  if (!unknown.empty() && checked > 0) {
    summary += fmt::format(" No bold mark is known in {}.", fmt::join(unknown, ", "));
  }
  outcome.report =
      report("bold-best", checked > 0, summary, {{"columns", checked}, {"unknown", unknown}});
  return outcome;
}

}  // namespace sar::audit_detail
