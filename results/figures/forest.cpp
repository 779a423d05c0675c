#include "results/figures/forest.h"

#include "results/figures/small_multiples.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sar {
using namespace figures;
namespace {

struct Pair {
  const ForestPanel* measured = nullptr;
  const ForestPanel* published = nullptr;
};

/// The panels of both sources side by side, by the columns' names.
std::vector<Pair> paired(const std::vector<ForestPanel>& measured,
                         const std::vector<ForestPanel>& published) {
  std::vector<Pair> pairs;
  for (const ForestPanel& panel : measured) {
    pairs.push_back({&panel, nullptr});
  }
  for (const ForestPanel& panel : published) {
    const auto same = std::ranges::find_if(pairs, [&](const Pair& pair) {
      return pair.measured && pair.measured->name == panel.name;
    });
    if (same != pairs.end()) {
      same->published = &panel;
    } else {
      pairs.push_back({nullptr, &panel});
    }
  }
  return pairs;
}

/// Rows of all panels in order of first appearance.
std::vector<TableRow> rows_of(const std::vector<Pair>& pairs) {
  std::vector<TableRow> rows;
  for (const Pair& pair : pairs) {
    for (const ForestPanel* panel : {pair.measured, pair.published}) {
      for (std::size_t i = 0; panel && i < panel->rows.size(); ++i) {
        const ForestRow& row = panel->rows[i];
        if (std::ranges::find(rows, row.method, &TableRow::method) == rows.end()) {
          rows.push_back({row.method, row.label});
        }
      }
    }
  }
  return rows;
}

/// Difference and its interval, in Dice points.
struct Interval {
  double difference = 0, low = 0, high = 0;
  bool tested = false;
};
std::optional<Interval> interval_of(const ForestRow& row) {
  if (!row.test) {
    return std::nullopt;
  }
  const double difference = row.reference.mean - row.row.mean;
  if (!row.test->testable) {
    return Interval{difference, difference, difference, false};
  }
  return Interval{difference, row.test->ci_low, row.test->ci_high, true};
}

/// The common range of the panels. A few wide intervals (of two or three trials) shall not squeeze
/// the others: beyond the 85 % of ends that lie nearest to zero, intervals are cut.
std::pair<double, double> range_of(const std::vector<Pair>& pairs) {
  std::vector<double> lows;
  std::vector<double> highs;
  double least = 0;
  double most = 0;
  for (const Pair& pair : pairs) {
    for (const ForestPanel* panel : {pair.measured, pair.published}) {
      for (std::size_t i = 0; panel && i < panel->rows.size(); ++i) {
        if (const auto interval = interval_of(panel->rows[i])) {
          lows.push_back(interval->low);
          highs.push_back(interval->high);
          least = std::min(least, interval->difference);
          most = std::max(most, interval->difference);
        }
      }
    }
  }
  if (!lows.empty()) {
    std::ranges::sort(lows, std::greater<>());
    std::ranges::sort(highs);
    const auto rank = static_cast<std::size_t>(0.85 * static_cast<double>(lows.size() - 1));
    least = std::min(least, lows[rank]);
    most = std::max(most, highs[rank]);
  }
  if (most - least < 1e-9) {
    return {-1, 1};
  }
  const double margin = 0.06 * (most - least);
  return {least - margin, most + margin};
}

}  // namespace

Figure forest_figure(const std::string& id,
                     const std::string& title,
                     const std::vector<ForestPanel>& measured,
                     const std::vector<ForestPanel>& published,
                     const Table& table) {
  const std::vector<Pair> pairs = paired(measured, published);
  const std::vector<TableRow> rows = rows_of(pairs);
  const std::string best = plain(label_of(table.spec.rows, table.spec.reference), 16);
  const bool both = !measured.empty() && !published.empty();
  const double row_height = both ? 34 : 26;
  const double names = names_width(rows);
  const SmallMultiples panels{
      .panels = pairs.size(),
      .columns = panels_in_a_line(pairs.size()),
      .head = 44,
      .panel = row_height * static_cast<double>(std::max<std::size_t>(rows.size(), 1)),
      .below = 60,
      .from = names,
      .margin = 16,
      .inset = 8,
      .gap = 30};
  Figure figure;
  figure.id = id;
  figure.title = measured.empty() ? title : title_of(title, table.protocol);
  figure.width = kWidth;
  figure.height = static_cast<int>(kTitleBand + panels.height() + 40);
  Canvas canvas(figure.height, figure.title);

  const auto [least, most] = range_of(pairs);
  const double step = round_step(most - least, 5);
  canvas.command(fmt::format("set xrange [{}:{}]\nset xtics {}\nunset ytics\nset border 1",
                             number(least),
                             number(most),
                             number(step)));
  canvas.command(fmt::format("set yrange [{}:0]", std::max<std::size_t>(rows.size(), 1)));
  std::vector<Canvas::LegendEntry> legend;
  const std::string level = fmt::format("{:g} % interval", 100 * (1 - table.alpha));
  const std::string sample = line_style(kInk, 2);
  if (!measured.empty()) {
    legend.push_back({title_of("measured", table.protocol) + ", with " + level,
                      kInk,
                      sample,
                      point_style({kInk, "", 7, ""}, 1.1)});
  }
  if (!published.empty()) {
    legend.push_back({"published, with " + level,
                      kInk,
                      line_style(kInk, 1.2),
                      point_style({kInk, "", 6, ""}, 1.1)});
  }
  canvas.legend(figure.height - 22, legend);

  // The tables' sign means without correction, unless one was asked for.
  const std::string mark = table.correction == "none" ? "†" : "‡";
  bool cut = false;
  bool significant = false;
  bool untested = false;
  int least_n = 0;
  int most_n = 0;
  int better = 0;
  int clearly = 0;
  int clearly_worse = 0;
  int compared = 0;
  for (std::size_t p = 0; p < pairs.size(); ++p) {
    const Box box = panels.box(p);
    const ForestPanel& head = pairs[p].measured ? *pairs[p].measured : *pairs[p].published;
    canvas.text(
        box.left, box.top - 30, plain(head.column.group, 34), {.size = 12, .colour = kMuted});
    canvas.text(box.left, box.top - 12, plain(head.column.label, 30), {.size = kHeadingSize});
    canvas.text(box.left, box.bottom + 42, "← " + best + " worse", {.size = 12, .colour = kMuted});
    canvas.text(box.right,
                box.bottom + 42,
                best + " better →",
                {.size = 12, .align = "right", .colour = method_style(table.spec.reference).light});
    std::vector<std::string> elements{
        canvas.data({{0, 0}, {0, static_cast<double>(std::max<std::size_t>(rows.size(), 1))}}) +
        " using 1:2 with lines " + line_style(kMuted, 1.2)};
    for (std::size_t r = 0; r < rows.size(); ++r) {
      const double middle = box.top + (static_cast<double>(r) + 0.5) * row_height;
      const MethodStyle style = method_style(rows[r].method);
      if (p % panels.columns == 0) {
        canvas.text(names - 8, middle, plain(rows[r].label, 18), {.size = 13, .align = "right"});
      }
      for (const ForestPanel* panel : {pairs[p].published, pairs[p].measured}) {
        if (!panel) {
          continue;
        }
        const bool hollow = panel == pairs[p].published;
        const auto row = std::ranges::find(panel->rows, rows[r].method, &ForestRow::method);
        const auto interval = row == panel->rows.end() ? std::nullopt : interval_of(*row);
        if (!interval) {
          if (!hollow || !both) {
            canvas.text((box.left + box.right) / 2,
                        middle,
                        "–",
                        {.size = 12, .align = "center", .colour = kMuted});
          }
          continue;
        }
        const double y = static_cast<double>(r) + (both ? (hollow ? 0.7 : 0.3) : 0.5);
        if (interval->tested) {
          const double low = std::max(interval->low, least);
          const double high = std::min(interval->high, most);
          if (high > low) {
            const std::string name = canvas.data({{low, y, high - low, 0}});
            const bool cut_low = interval->low < least;
            const bool cut_high = interval->high > most;
            cut = cut || cut_low || cut_high;
            const std::string heads = cut_low && cut_high ? "heads"
                                      : cut_low           ? "backhead"
                                      : cut_high          ? "head"
                                                          : "nohead";
            elements.push_back(name + " using 1:2:3:4 with vectors " + heads +
                               " filled size screen 0.008,20 " +
                               line_style(style.light, hollow ? 1.2 : 2.2));
          }
        }
        const std::string name = canvas.data({{interval->difference, y}});
        for (std::string& element : mark_elements(name, style, hollow ? 1.05 : 1.15, hollow)) {
          elements.push_back(std::move(element));
        }
        const bool dagger = row->p_adjusted && *row->p_adjusted < table.alpha;
        significant = significant || dagger;
        untested = untested || !interval->tested;
        if (dagger) {
          canvas.text(box.right + 4,
                      box.top + y * row_height,
                      mark,
                      {.size = 13, .colour = hollow ? kMuted : kInk});
        }
        if (!hollow || measured.empty()) {
          ++compared;
          better += interval->difference > 0 ? 1 : 0;
          clearly += dagger && interval->difference > 0 ? 1 : 0;
          clearly_worse += dagger && interval->difference < 0 ? 1 : 0;
          const int n = std::min(row->row.n, row->reference.n);
          least_n = least_n == 0 ? n : std::min(least_n, n);
          most_n = std::max(most_n, n);
        }
      }
    }
    canvas.panel(box, elements);
  }
  if (pairs.empty()) {
    canvas.command("unset border\nunset xtics");
    canvas.text(kWidth / 2.0, kTitleBand + 40, "nothing to compare", {.align = "center"});
    canvas.panel({0, kTitleBand, kWidth, figure.height - 10.0}, {});
  }
  figure.commands = canvas.finished();
  figure.description = fmt::format(
      "Forest plot: {0} against {1} in {2}. {0} has the higher mean in {3} of {4}; differences "
      "significant at {7:g}: {5} for it, {6} against it.",
      best,
      counted(rows.size(), "method"),
      counted(pairs.size(), "column"),
      better,
      counted(static_cast<std::size_t>(compared), "comparison"),
      clearly,
      clearly_worse,
      table.alpha);
  const bool student = table.test != "welch";
  figure.notes.push_back(fmt::format(
      "Difference of mean Dice in points, {} minus the method, with its {:g} % confidence interval "
      "({} t-test, not corrected for many tests); {}.",
      best,
      100 * (1 - table.alpha),
      student ? "Student's pooled" : "Welch's",
      least_n == most_n
          ? fmt::format("n = {} each", counted(static_cast<std::size_t>(most_n), "trial"))
          : fmt::format("n = {} to {} trials each", least_n, most_n)));
  if (both) {
    figure.notes.emplace_back(
        "Filled: measured. Hollow: from the means, SDs and n that the paper prints.");
  }
  if (significant) {
    figure.notes.push_back(fmt::format(
        "{}: significant at {:g}, correction: {}.", mark, table.alpha, table.correction));
  }
  if (untested) {
    figure.notes.emplace_back("A mark without an interval could not be tested.");
  }
  if (cut) {
    figure.notes.emplace_back(
        "An arrow: the interval goes on beyond the panel; its ends are in the "
        "numbers.");
  }
  if (!measured.empty()) {
    add_protocol_notes(figure.notes, table.protocol);
  }
  figure.data = forest_sheet(id, figure.title, measured, published, table);
  figure.data.origin = {table.protocol.data_kind, table.protocol.protocol};
  return figure;
}

}  // namespace sar
