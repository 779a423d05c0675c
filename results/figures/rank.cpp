#include "results/figures/rank.h"

#include "results/figures/small_multiples.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

namespace sar {

Figure rank_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<RankStability>& columns,
                   const ProtocolRow& protocol) {
  using namespace figures;
  constexpr double kRow = 26;
  std::vector<TableRow> rows;  // of all panels, in order of first appearance
  for (const RankStability& column : columns) {
    for (const RankedMethod& method : column.methods) {
      if (std::ranges::find(rows, method.method, &TableRow::method) == rows.end()) {
        rows.push_back({method.method, method.label});
      }
    }
  }
  const std::size_t count = std::max<std::size_t>(rows.size(), 1);
  const double names = names_width(rows);
  const SmallMultiples panels{.panels = columns.size(),
                              .columns = panels_in_a_line(columns.size()),
                              .head = 46,
                              .panel = kRow * static_cast<double>(count),
                              .below = 34,
                              .from = names,
                              .margin = 10,
                              .inset = 6,
                              .gap = 16};
  Figure figure;
  figure.id = id;
  figure.title = title_of(title, protocol);
  figure.width = kWidth;
  const double bottom = kTitleBand + panels.height();
  figure.height = static_cast<int>(bottom + 74);
  Canvas canvas(figure.height, figure.title);
  canvas.text(kWidth / 2.0,
              bottom + 14,
              "Rank (1: highest mean Dice)",
              {.size = 13, .align = "center", .colour = kMuted});
  const double level = columns.empty() ? 0.95 : columns.front().level;
  const MethodStyle dot{kMuted, "", 7, ""};
  canvas.legend(bottom + 46,
                {{"area: share of the samples", kMuted, "", point_style(dot, 1.7)},
                 {fmt::format("{:g} % interval of the rank", 100 * level),
                  kMuted,
                  line_style(kMuted, 1.4),
                  ""},
                 {"rank as measured", kInk, "", point_style({kInk, "", 13, ""}, 0.9)}});
  canvas.command(
      fmt::format("unset ytics\nset border 1\nset xrange [0.4:{0}.6]\nset yrange [{0}:0]\n"
                  "set xtics 1,1,{0} font ',11'",
                  count));
  for (std::size_t c = 0; c < columns.size(); ++c) {
    const RankStability& column = columns[c];
    const Box box = panels.box(c);
    canvas.text(
        box.left, box.top - 30, plain(column.column.group, 34), {.size = 12, .colour = kMuted});
    canvas.text(box.left, box.top - 13, plain(column.column.label, 30), {.size = kHeadingSize});
    if (c % panels.columns == 0) {
      for (std::size_t r = 0; r < rows.size(); ++r) {
        canvas.text(names - 6,
                    box.top + (static_cast<double>(r) + 0.5) * kRow,
                    plain(rows[r].label, 18),
                    {.size = 13, .align = "right"});
      }
    }
    if (column.methods.empty()) {
      canvas.text((box.left + box.right) / 2,
                  (box.top + box.bottom) / 2,
                  plain(column.reason.empty() ? "nothing to rank" : column.reason, 44),
                  {.size = 12, .align = "center", .colour = kMuted});
    }
    // A share of 1 fills the height of a row; gnuplot's size 1 is a mark of about 10 pixels.
    const double cell = (box.right - box.left) / (static_cast<double>(count) + 0.2);
    const double full = std::min(kRow, cell) / 10.5 * 0.96;
    std::vector<std::string> elements;
    std::vector<std::vector<double>> measured;
    for (const RankedMethod& method : column.methods) {
      const auto row = std::ranges::find(rows, method.method, &TableRow::method) - rows.begin();
      const double y = static_cast<double>(row) + 0.5;
      const MethodStyle style = method_style(method.method);
      std::vector<std::vector<double>> dots;
      for (std::size_t rank = 0; rank < method.share.size(); ++rank) {
        if (method.share[rank] >= 0.001) {
          dots.push_back({static_cast<double>(rank + 1),
                          y,
                          std::max(0.12, full * std::sqrt(method.share[rank]))});
        }
      }
      elements.push_back(canvas.data({{method.rank_low, y}, {method.rank_high, y}}) +
                         " using 1:2 with lines " + line_style(style.light, 1.4));
      if (!dots.empty()) {
        elements.push_back(fmt::format(
            "{} using 1:2:3 with points pointtype 7 pointsize variable linecolor rgb '{}'",
            canvas.data(dots),
            style.light));
      }
      measured.push_back({method.rank, y});
    }
    if (!measured.empty()) {
      const std::string name = canvas.data(measured);
      elements.push_back(name + " using 1:2 with points " +
                         point_style({kPaper, "", 13, ""}, 1.05));
      elements.push_back(name + " using 1:2 with points " + point_style({kInk, "", 13, ""}, 0.7));
    }
    canvas.panel(box, elements);
  }
  if (columns.empty()) {
    canvas.command("unset border\nunset tics");
    canvas.panel({40, kTitleBand + panels.head, kWidth - 12, bottom}, {});
  }
  figure.commands = canvas.finished();

  figure.description = fmt::format("Ranks of {} in {} when trials and test cases are redrawn.",
                                   counted(rows.size(), "method"),
                                   counted(columns.size(), "column"));
  std::set<int> samples;
  for (const RankStability& column : columns) {
    if (column.methods.empty()) {
      continue;
    }
    const auto first = std::ranges::min_element(column.methods, {}, &RankedMethod::rank);
    figure.description +=
        fmt::format(" {}: {} is first as measured, and in {:.0f} % of the samples.",
                    column.column.label,
                    first->label,
                    100 * column.same_first);
    samples.insert(column.samples);
    figure.notes.push_back(fmt::format(
        "{}: agreement of a sample's order with the measured one {:.2f} (mean Kendall tau-b); same "
        "first method in {:.0f} % ({}).",
        column.column.label,
        column.agreement,
        100 * column.same_first,
        fmt::format("{}, {}{}",
                    counted(static_cast<std::size_t>(column.trials), "trial"),
                    counted(static_cast<std::size_t>(column.cases), "case"),
                    column.nested ? ", each trial with its own" : "")));
  }
  if (!samples.empty()) {
    figure.notes.insert(
        figure.notes.begin(),
        fmt::format("The area of a dot is the share of {} bootstrap samples of trials and cases in "
                    "which the method takes that rank; the line is the {:g} % percentile interval "
                    "of its rank. The measured rank is that of the mean.",
                    *samples.rbegin(),
                    100 * level));
  }
  add_protocol_notes(figure.notes, protocol);
  figure.data = rank_sheet(id, figure.title, columns);
  figure.data.origin = {protocol.data_kind, protocol.protocol};
  return figure;
}

}  // namespace sar
