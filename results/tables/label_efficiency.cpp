#include "results/tables/label_efficiency.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sar {
namespace {

/// The values behind a cell, if it has any.
std::optional<Summary> summary_of(const Table& table, const TableCell& cell) {
  if (!cell.mean) {
    return std::nullopt;
  }
  return Summary{*cell.mean, sample_sd(table, cell), cell.n};
}

/// Position of the column, or the number of columns.
std::size_t find_column(const Table& table,
                        const LabelEfficiency& group,
                        const std::string& fraction) {
  const auto found = std::ranges::find_if(table.spec.columns, [&](const TableColumn& column) {
    return column.task == group.task && column.target == group.target &&
           column.bucket == group.bucket && column.fraction == fraction;
  });
  return static_cast<std::size_t>(found - table.spec.columns.begin());
}

std::optional<Summary> find_value(const Table& table,
                                  const LabelEfficiency& group,
                                  const std::string& method,
                                  const std::string& fraction) {
  const auto row = std::ranges::find(table.spec.rows, method, &TableRow::method);
  const std::size_t column = find_column(table, group, fraction);
  if (row == table.spec.rows.end() || column == table.spec.columns.size()) {
    return std::nullopt;
  }
  return summary_of(table,
                    table.cells[static_cast<std::size_t>(row - table.spec.rows.begin())][column]);
}

const EfficiencyCurve* find_curve(const LabelEfficiency& group, const std::string& method) {
  const auto found = std::ranges::find(group.curves, method, &EfficiencyCurve::method);
  return found == group.curves.end() ? nullptr : &*found;
}

/// The point that `sentence` names; an empty one if there is none.
EfficiencyPoint point_of(const LabelEfficiency& group,
                         const std::string& method,
                         const std::string& fraction) {
  if (const EfficiencyCurve* curve = find_curve(group, method)) {
    const auto found = std::ranges::find(curve->points, fraction, &EfficiencyPoint::fraction);
    if (found != curve->points.end()) {
      return *found;
    }
  }
  return {};
}

/// Do two columns of the table show the very same runs?
bool same_runs(const Table& table, const LabelEfficiency& group, const AnnotationSaved& saved) {
  const std::size_t a = find_column(table, group, saved.fraction);
  const std::size_t b = find_column(table, group, *saved.by);
  return std::ranges::any_of(table.same_runs, [&](const std::vector<std::size_t>& columns) {
    return std::ranges::count(columns, a) > 0 && std::ranges::count(columns, b) > 0;
  });
}

AnnotationSaved compared(const Table& table,
                         const LabelEfficiency& group,
                         const std::string& method,
                         const EfficiencyPoint& baseline) {
  AnnotationSaved saved;
  saved.method = method;
  saved.fraction = baseline.fraction;
  saved.mean = baseline.dice.mean;
  const EfficiencyCurve* reference = find_curve(group, group.reference);
  if (reference == nullptr) {
    return saved;
  }
  const auto reached = std::ranges::find_if(reference->points, [&](const EfficiencyPoint& point) {
    return point.dice.mean >= saved.mean;
  });
  if (reached == reference->points.end()) {
    return saved;
  }
  saved.by = reached->fraction;
  saved.reference_mean = reached->dice.mean;
  if (*saved.by == saved.fraction) {
    return saved;
  }
  const bool known = reached->labelled_cases && baseline.labelled_cases;
  const double needed = known ? *reached->labelled_cases : fraction_value(reached->fraction);
  const double used = known ? *baseline.labelled_cases : fraction_value(baseline.fraction);
  saved.same_cases = (known && needed == used) || same_runs(table, group, saved);
  saved.saved = saved.same_cases || used <= 0 ? 0 : 1 - needed / used;
  return saved;
}

/// "59.32 ± 4.10, n = 5".
std::string dice_text(const Summary& dice) {
  return fmt::format("{:.2f}{}, {}",
                     dice.mean,
                     dice.sd ? fmt::format(" ± {:.2f}", *dice.sd) : "",
                     dice.n == 0 ? std::string("n not stated") : fmt::format("n = {}", dice.n));
}

/// "80 %", without sign.
std::string percent_text(double share) {
  return fmt::format("{:.0f} %", 100 * std::abs(share));
}

/// A mean that was reached by chance shows where more labels fall below it again.
std::string below_again(const AnnotationSaved& saved, const LabelEfficiency& group) {
  std::vector<std::string> fractions;
  bool beyond = false;
  for (const EfficiencyPoint& point : find_curve(group, group.reference)->points) {
    if (beyond && point.dice.mean < saved.mean) {
      fractions.push_back(labels_text(point.fraction));
    }
    beyond = beyond || point.fraction == *saved.by;
  }
  return fractions.empty() ? ""
                           : fmt::format(" With more, {}, it is below that again.",
                                         fmt::join(fractions, " and "));
}

}  // namespace

std::vector<LabelEfficiency> label_efficiency(
    const Table& table,
    const Table* whole,
    const std::map<std::pair<std::string, std::string>, double>& labelled) {
  std::vector<LabelEfficiency> groups;
  std::vector<std::set<std::string>> fractions;
  for (const TableColumn& column : table.spec.columns) {
    auto group = std::ranges::find_if(groups, [&](const LabelEfficiency& each) {
      return each.task == column.task && each.target == column.target &&
             each.bucket == column.bucket;
    });
    if (group == groups.end()) {
      LabelEfficiency next;
      next.title = column.group;
      next.task = column.task;
      next.target = column.target;
      next.bucket = column.bucket;
      next.reference = next.reference_label = table.spec.reference;
      groups.push_back(std::move(next));
      fractions.emplace_back();
      group = groups.end() - 1;
    }
    fractions[static_cast<std::size_t>(group - groups.begin())].insert(column.fraction);
  }
  std::vector<LabelEfficiency> result;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (fractions[i].size() < 2) {
      continue;
    }
    LabelEfficiency& group = groups[i];
    std::vector<std::string> ordered(fractions[i].begin(), fractions[i].end());
    if (whole != nullptr && !fractions[i].contains("1")) {
      ordered.emplace_back("1");
    }
    std::ranges::stable_sort(ordered, {}, fraction_value);
    for (const TableRow& row : table.spec.rows) {
      EfficiencyCurve& curve = group.curves.emplace_back();
      curve.method = row.method;
      curve.label = row.label;
      for (const std::string& fraction : ordered) {
        const bool own = fractions[i].contains(fraction);
        const auto value = find_value(own ? table : *whole, group, row.method, fraction);
        if (!value) {
          continue;
        }
        EfficiencyPoint& point = curve.points.emplace_back();
        point.fraction = fraction;
        point.dice = *value;
        if (const auto cases = labelled.find({group.task, fraction}); cases != labelled.end()) {
          point.labelled_cases = cases->second;
        }
      }
      if (row.method == group.reference) {
        group.reference_label = row.label;
      }
    }
    for (const EfficiencyCurve& curve : group.curves) {
      if (curve.method == group.reference) {
        continue;
      }
      for (auto point = curve.points.rbegin(); point != curve.points.rend(); ++point) {
        group.saved.push_back(compared(table, group, curve.method, *point));
      }
    }
    result.push_back(std::move(group));
  }
  return result;
}

std::string labels_text(const std::string& fraction) {
  return fraction == "1" ? "all labels" : fraction + " of the labels";
}

std::string sentence(const AnnotationSaved& saved, const LabelEfficiency& group) {
  const std::string& reference = group.reference_label;
  const EfficiencyCurve* baseline = find_curve(group, saved.method);
  const EfficiencyPoint used = point_of(group, saved.method, saved.fraction);
  const std::string reached = fmt::format("what {} reaches with {} ({})",
                                          baseline != nullptr ? baseline->label : saved.method,
                                          labels_text(saved.fraction),
                                          dice_text(used.dice));
  if (!saved.by) {
    const EfficiencyCurve* curve = find_curve(group, group.reference);
    if (curve == nullptr || curve->points.empty()) {
      return fmt::format("{} has no result that could be held against {}.", reference, reached);
    }
    const auto best = std::ranges::max_element(
        curve->points, {}, [](const EfficiencyPoint& point) { return point.dice.mean; });
    return fmt::format(
        "{} does not reach {} with any fraction at hand: its best mean is that with {} ({}).",
        reference,
        reached,
        labels_text(best->fraction),
        dice_text(best->dice));
  }
  const EfficiencyPoint needed = point_of(group, group.reference, *saved.by);
  const std::string with = fmt::format("With {} {} ({}) reaches {}",
                                       labels_text(*saved.by),
                                       reference,
                                       dice_text(needed.dice),
                                       reached);
  if (*saved.by == saved.fraction) {
    return with + ", and with no smaller fraction at hand: nothing saved.";
  }
  if (saved.same_cases) {
    return with + ", but both fractions come to the same labelled cases: nothing saved.";
  }
  const bool known = needed.labelled_cases && used.labelled_cases;
  return fmt::format(
             "{}{}: {} {} {}{}.",
             with,
             saved.saved < 0 ? ", and with no smaller fraction at hand" : "",
             percent_text(saved.saved),
             saved.saved < 0 ? "more" : "fewer",
             known ? "labelled cases" : "labels",
             known ? fmt::format(
                         " ({:g} instead of {:g})", *needed.labelled_cases, *used.labelled_cases)
                   : "") +
         (saved.saved > 0 ? below_again(saved, group) : "");
}

Sheet efficiency_sheet(const std::string& id,
                       const std::string& title,
                       const std::vector<LabelEfficiency>& groups) {
  const std::string reference = groups.empty() ? "Reference" : groups.front().reference_label;
  Sheet sheet;
  sheet.id = id;
  sheet.title = title;
  sheet.text_columns = 2;
  sheet.header = {"Group",
                  "Method",
                  "Labels",
                  "Cases",
                  "n",
                  "Mean",
                  "SD",
                  reference + " needs",
                  "Fewer labels"};
  Json documents = Json::array();
  bool unknown_n = false;
  bool unknown_cases = false;
  bool same_cases = false;
  for (const LabelEfficiency& group : groups) {
    Json curves = Json::array();
    for (const EfficiencyCurve& curve : group.curves) {
      Json points = Json::array();
      for (const EfficiencyPoint& point : curve.points) {
        unknown_n = unknown_n || point.dice.n == 0;
        unknown_cases = unknown_cases || !point.labelled_cases;
        std::string needs = "–";
        std::string fewer = "–";
        const auto saved = std::ranges::find_if(group.saved, [&](const AnnotationSaved& each) {
          return each.method == curve.method && each.fraction == point.fraction;
        });
        if (saved != group.saved.end()) {
          same_cases = same_cases || saved->same_cases;
          needs =
              saved->by ? *saved->by + (saved->same_cases ? " (same cases)" : "") : "not reached";
          fewer = saved->by ? (saved->saved < 0 ? "-" : "") + percent_text(saved->saved) : "–";
        }
        sheet.rows.push_back(
            {group.title,
             curve.label,
             point.fraction,
             point.labelled_cases ? fmt::format("{:g}", *point.labelled_cases) : "–",
             point.dice.n == 0 ? "–" : fmt::format("{}", point.dice.n),
             fmt::format("{:.2f}", point.dice.mean),
             point.dice.sd ? fmt::format("{:.2f}", *point.dice.sd) : "–",
             needs,
             fewer});
        points.push_back(
            {{"fraction", point.fraction},
             {"labelled_cases", point.labelled_cases ? Json(*point.labelled_cases) : Json()},
             {"n", point.dice.n == 0 ? Json() : Json(point.dice.n)},
             {"mean", point.dice.mean},
             {"sd", point.dice.sd ? Json(*point.dice.sd) : Json()}});
      }
      curves.push_back(
          {{"method", curve.method}, {"label", curve.label}, {"points", std::move(points)}});
    }
    Json saved = Json::array();
    for (const AnnotationSaved& each : group.saved) {
      saved.push_back({{"method", each.method},
                       {"fraction", each.fraction},
                       {"mean", each.mean},
                       {"by", each.by ? Json(*each.by) : Json()},
                       {"reference_mean", each.by ? Json(each.reference_mean) : Json()},
                       {"saved", each.by ? Json(each.saved) : Json()},
                       {"same_cases", each.same_cases},
                       {"sentence", sentence(each, group)}});
    }
    documents.push_back({{"title", group.title},
                         {"task", group.task},
                         {"target", group.target},
                         {"bucket", group.bucket},
                         {"reference", group.reference},
                         {"curves", std::move(curves)},
                         {"saved", std::move(saved)}});
  }
  sheet.notes.emplace_back("Dice in percent, mean and SD over n trials.");
  if (unknown_n) {
    sheet.notes.emplace_back("n –: over how many trials is not stated.");
  }
  sheet.notes.push_back(
      fmt::format("Cases: labelled training and validation cases{}.",
                  unknown_cases ? "; –: not known, so labels are counted by the fraction" : ""));
  sheet.notes.push_back(fmt::format(
      "{0} needs: least fraction with which the mean of {0} is at least this one. Only the "
      "fractions "
      "shown are compared, nothing is interpolated or tested: a mean may be reached by chance, so "
      "see n and SD. Fewer labels: share of these labels that {0} does without; negative where it "
      "needs more.",
      reference));
  if (same_cases) {
    sheet.notes.emplace_back(
        "Same cases: both fractions come to the same labelled cases, so nothing is saved.");
  }
  sheet.json = {
      {"schema_version", 1}, {"id", id}, {"title", title}, {"groups", std::move(documents)}};
  return sheet;
}

}  // namespace sar
