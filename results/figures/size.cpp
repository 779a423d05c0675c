#include "results/figures/size.h"

#include "results/figures/small_multiples.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar {
using namespace figures;
namespace {

constexpr std::size_t kMostPoints = 20'000;
constexpr double kMostVolume = 1e12;  ///< mm³, above any body's: what is larger is a fault

/// One case of one method over its trials.
struct Point {
  std::string case_id, bucket;
  double volume_mm3 = 0;
  double mean = 0, least = 0, most = 0;  ///< Dice, percent
  int n = 0;
};
struct Group {
  TableRow row;
  std::vector<Point> points;  ///< by volume, then case
};

std::vector<Group> grouped(const std::vector<CaseRow>& cases,
                           const std::vector<TableRow>& rows,
                           const std::string& task,
                           const std::string& target) {
  std::vector<Group> groups;
  for (const TableRow& row : rows) {
    std::map<std::string, Point> points;
    std::map<std::string, std::map<std::string, int>> buckets;
    for (const CaseRow& each : cases) {
      if (each.method != row.method || each.task != task || each.target != target) {
        continue;
      }
      Point& point = points[each.case_id];
      point.case_id = each.case_id;
      point.least = point.n == 0 ? each.dice : std::min(point.least, each.dice);
      point.most = point.n == 0 ? each.dice : std::max(point.most, each.dice);
      ++point.n;
      point.mean += (each.dice - point.mean) / point.n;
      point.volume_mm3 += (each.volume_mm3 - point.volume_mm3) / point.n;
      ++buckets[each.case_id][each.bucket];
    }
    Group& group = groups.emplace_back(Group{row, {}});
    for (auto& [case_id, point] : points) {
      const auto& counts = buckets[case_id];
      point.bucket = std::ranges::max_element(counts, {}, [](const auto& entry) {
                       return entry.second;
                     })->first;
      group.points.push_back(point);
    }
    std::ranges::stable_sort(group.points, {}, &Point::volume_mm3);
  }
  return groups;
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const std::size_t middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

/// Medians of volume and Dice in up to eight groups of equal size, five cases each at least.
std::vector<std::vector<double>> trend(const std::vector<Point>& points, double unit) {
  const std::size_t bins = std::min<std::size_t>(8, points.size() / 5);
  std::vector<std::vector<double>> line;
  for (std::size_t b = 0; bins >= 2 && b < bins; ++b) {
    std::vector<double> volumes;
    std::vector<double> dice;
    for (std::size_t i = b * points.size() / bins; i < (b + 1) * points.size() / bins; ++i) {
      volumes.push_back(points[i].volume_mm3 / unit);
      dice.push_back(points[i].mean);
    }
    line.push_back({median(volumes), median(dice)});
  }
  return line;
}

/// Where a bucket ends and the next begins; two different values if they overlap.
struct Edge {
  double low = 0, high = 0;
};
struct Buckets {
  std::vector<std::string> names;  ///< those present, small to large
  std::vector<Edge> edges;         ///< between them
};
Buckets buckets_of(const std::vector<CaseRow>& cases,
                   const std::string& task,
                   const std::string& target) {
  std::map<std::string, std::pair<double, double>> ranges;
  for (const CaseRow& each : cases) {
    if (each.task == task && each.target == target && each.volume_mm3 > 0 &&
        each.volume_mm3 < kMostVolume) {
      const auto [range, fresh] = ranges.try_emplace(each.bucket, each.volume_mm3, each.volume_mm3);
      range->second.first = std::min(range->second.first, each.volume_mm3);
      range->second.second = std::max(range->second.second, each.volume_mm3);
    }
  }
  Buckets buckets;
  for (const std::string name : {"S", "M", "L"}) {
    if (ranges.contains(name)) {
      if (!buckets.names.empty()) {
        const double below = ranges[buckets.names.back()].second;
        const double above = ranges[name].first;
        const double middle = (below + above) / 2;
        buckets.edges.push_back(below < above ? Edge{middle, middle} : Edge{above, below});
      }
      buckets.names.push_back(name);
    }
  }
  return buckets;
}

}  // namespace

Figure size_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<CaseRow>& cases,
                   const std::vector<TableRow>& rows,
                   const std::string& task,
                   const std::string& target,
                   const ProtocolRow& protocol) {
  const std::vector<Group> all = grouped(cases, rows, task, target);
  std::vector<Group> groups;
  std::size_t total = 0;
  std::size_t without = 0;  // no volume or an impossible one has no place on the axis
  double least = 1e300;
  double most = 0;
  int least_n = 0;
  int most_n = 0;
  std::map<std::string, int> distinct;
  for (const Group& group : all) {
    Group& kept = groups.emplace_back(Group{group.row, {}});
    for (const Point& point : group.points) {
      if (!(point.volume_mm3 > 0 && point.volume_mm3 < kMostVolume)) {
        ++without;
        continue;
      }
      kept.points.push_back(point);
      least = std::min(least, point.volume_mm3);
      most = std::max(most, point.volume_mm3);
      least_n = least_n == 0 ? point.n : std::min(least_n, point.n);
      most_n = std::max(most_n, point.n);
      ++distinct[point.case_id];
      ++total;
    }
  }
  if (total == 0) {
    least = 1;
    most = 10;
  }
  // 1 ml is 1000 cubic millimetres.
  const bool millilitres = most >= 2000;
  const double unit = millilitres ? 1000 : 1;
  const std::string unit_name = millilitres ? "ml" : "mm³";
  const double low = least / unit / 1.25;
  const double high = most / unit * 1.25;
  const Buckets buckets = buckets_of(cases, task, target);

  const SmallMultiples panels{
      .panels = rows.size(),
      .columns = rows.size() > 9 ? 4 : std::clamp<std::size_t>(rows.size(), 1, 3),
      .head = 30,
      .panel = 196,
      .below = 30,
      .margin = 20,
      .inset = 52,
      .gap = 46};
  const double bottom = kTitleBand + panels.height() - panels.below;
  Figure figure;
  figure.id = id;
  figure.title = title_of(title, protocol);
  figure.width = kWidth;
  figure.height = static_cast<int>(bottom + 98);
  Canvas canvas(figure.height, figure.title);
  std::string tics;
  for (const double tic : log_tics(low, high)) {
    tics += fmt::format("{}'{}' {}", tics.empty() ? "" : ", ", number(tic), number(tic));
  }
  canvas.command(fmt::format(
      "set logscale x\nset xrange [{}:{}]\nset yrange [-3:112]\nset xtics ({})\nset ytics 0,25,100",
      number(low),
      number(high),
      tics));

  const bool thinned = total > kMostPoints;
  const std::size_t stride = thinned ? (total + kMostPoints - 1) / kMostPoints : 1;
  const auto reference = std::ranges::find(groups, true, [](const Group& group) {
    return stands_out(group.row.method) && !group.points.empty();
  });
  std::string reference_line;
  if (reference != groups.end()) {
    const auto line = trend(reference->points, unit);
    reference_line = line.empty() ? "" : canvas.data(line);
  }
  canvas.text(kWidth / 2.0,
              bottom + 45,
              fmt::format("Volume of the target in {} (logarithmic); Dice in percent", unit_name),
              {.size = 13, .align = "center", .colour = kMuted});
  std::vector<Canvas::LegendEntry> legend{
      {"a case, mean of its trials", kMuted, "", point_style({kMuted, "", 7, ""}, 0.7)},
      {"least to most", kMuted, line_style(kMuted, 1), ""}};
  const bool trends = std::ranges::any_of(
      groups, [&](const Group& group) { return !trend(group.points, unit).empty(); });
  if (trends) {
    legend.push_back({"median of cases of like size", kInk, line_style(kInk, 2.2), ""});
  }
  if (!reference_line.empty() && groups.size() > 1) {
    legend.push_back({"the same of " + plain(reference->row.label, 16),
                      kInk,
                      line_style(method_style(reference->row.method).light, 1.6, "(5,3)"),
                      ""});
  }
  canvas.legend(bottom + 74, legend);

  for (std::size_t g = 0; g < groups.size(); ++g) {
    const Group& group = groups[g];
    const MethodStyle style = method_style(group.row.method);
    const Box box = panels.box(g);
    canvas.text(box.left,
                box.top - 14,
                plain(group.row.label, 20) + (group.points.empty() ? " (no run)" : ""),
                {.size = kHeadingSize});
    // Edges of the buckets; their letters stand between them.
    std::vector<std::string> elements;
    double from = low;
    for (std::size_t b = 0; b < buckets.names.size(); ++b) {
      const double to = b < buckets.edges.size() ? buckets.edges[b].low / unit : high;
      const double place =
          std::log(std::sqrt(std::max(from, low) * std::max(to, low)) / low) / std::log(high / low);
      if (buckets.names.size() > 1) {
        canvas.text(box.left + place * (box.right - box.left),
                    box.top + 6,
                    buckets.names[b],
                    {.size = 12, .align = "center", .colour = kMuted});
      }
      if (b < buckets.edges.size()) {
        const Edge& edge = buckets.edges[b];
        if (edge.high > edge.low) {
          canvas.command(fmt::format(
              "set object rectangle from first {},graph 0 to first {},graph 1 behind fillcolor rgb "
              "'{}' fillstyle solid noborder",
              number(edge.low / unit),
              number(edge.high / unit),
              kGrid));
        } else {
          elements.push_back(canvas.data({{edge.low / unit, -3}, {edge.low / unit, 112}}) +
                             " using 1:2 with lines " + line_style(kMuted, 1, "(3,3)"));
        }
        from = edge.high / unit;
      }
    }
    std::vector<std::vector<double>> points;
    for (std::size_t i = 0; i < group.points.size(); i += stride) {
      const Point& point = group.points[i];
      points.push_back(
          {point.volume_mm3 / unit, point.mean, point.least, point.most - point.least});
    }
    if (!points.empty()) {
      const std::string name = canvas.data(points);
      const std::string see_through = "#80" + style.light.substr(1);
      if (most_n > 1) {
        elements.push_back(name + " using 1:3:(0):4 with vectors nohead " +
                           line_style("#A0" + style.light.substr(1), 1));
      }
      elements.push_back(
          fmt::format("{} using 1:2 with points pointtype 7 pointsize {} linecolor rgb '{}'",
                      name,
                      points.size() > 400   ? "0.4"
                      : points.size() > 100 ? "0.55"
                                            : "0.7",
                      see_through));
      const bool own = reference != groups.end() && group.row.method == reference->row.method;
      if (!reference_line.empty() && !own) {
        elements.push_back(reference_line + " using 1:2 with lines " +
                           line_style(method_style(reference->row.method).light, 1.6, "(5,3)"));
      }
      const auto line = trend(group.points, unit);
      if (!line.empty()) {
        elements.push_back(canvas.data(line) + " using 1:2 with lines " + line_style(kInk, 2.2));
      }
    }
    canvas.panel(box, elements);
  }
  if (groups.empty()) {
    canvas.panel({52, kTitleBand + panels.head, kWidth - 20, bottom}, {});
  }
  figure.commands = canvas.finished();

  // The numbers, and for the description the medians of the smallest and largest third.
  Sheet& sheet = figure.data;
  sheet.id = id;
  sheet.title = figure.title;
  sheet.header = {"Case", "Method", "Bucket", "Volume mm³", "Mean Dice", "n", "Least", "Most"};
  sheet.text_columns = 3;
  sheet.origin = {protocol.data_kind, protocol.protocol};
  sheet.json = {{"schema_version", 1},
                {"figure", id},
                {"task", task},
                {"target", target},
                {"points", Json::array()}};
  for (const Group& group : all) {
    for (const Point& point : group.points) {
      sheet.rows.push_back({point.case_id,
                            group.row.label,
                            point.bucket,
                            fmt::format("{:.1f}", point.volume_mm3),
                            fmt::format("{:.2f}", point.mean),
                            std::to_string(point.n),
                            fmt::format("{:.2f}", point.least),
                            fmt::format("{:.2f}", point.most)});
      sheet.json["points"].push_back({{"case_id", point.case_id},
                                      {"method", group.row.method},
                                      {"bucket", point.bucket},
                                      {"volume_mm3", point.volume_mm3},
                                      {"mean", point.mean},
                                      {"n", point.n},
                                      {"min", point.least},
                                      {"max", point.most}});
    }
  }
  figure.description =
      fmt::format("Dice against the volume of the {} in {}, a panel for each of {}.",
                  plain(target, 30),
                  counted(distinct.size(), "case"),
                  counted(rows.size(), "method"));
  if (reference != groups.end() && reference->points.size() >= 6) {
    const std::size_t third = reference->points.size() / 3;
    std::vector<double> small;
    std::vector<double> large;
    for (std::size_t i = 0; i < third; ++i) {
      small.push_back(reference->points[i].mean);
      large.push_back(reference->points[reference->points.size() - 1 - i].mean);
    }
    figure.description += fmt::format(
        " The median Dice of {} is {:.1f} in the smallest third and {:.1f} in the largest.",
        plain(reference->row.label, 20),
        median(small),
        median(large));
  }
  figure.notes.push_back(fmt::format(
      "A point: one test case, its mean Dice over the trials in which it is tested ({}); the thin "
      "line its range. {}.",
      least_n == most_n ? fmt::format("n = {}", most_n)
                        : fmt::format("n = {} to {}", least_n, most_n),
      counted(distinct.size(), "case")));
  if (trends) {
    figure.notes.emplace_back(
        "The line joins medians of up to eight groups of equally many cases, at least five each.");
  }
  if (buckets.names.size() > 1) {
    const bool overlap =
        std::ranges::any_of(buckets.edges, [](const Edge& edge) { return edge.high > edge.low; });
    figure.notes.push_back(
        "S, M, L: size buckets; an edge lies midway between the largest case of one and the "
        "smallest of the next." +
        std::string(overlap ? " Shaded: cases of this size are in one bucket in some trials and in "
                              "the other in others."
                            : ""));
  }
  if (without > 0) {
    figure.notes.push_back(
        fmt::format("Not drawn: {} without a possible volume.", counted(without, "point")));
  }
  if (thinned) {
    figure.notes.push_back(fmt::format(
        "Of {} points one in {}, by volume, is drawn; the medians are of all.", total, stride));
  }
  add_protocol_notes(figure.notes, protocol);
  sheet.notes = figure.notes;
  return figure;
}

}  // namespace sar
