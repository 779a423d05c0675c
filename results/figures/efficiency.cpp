#include "results/figures/efficiency.h"

#include "results/figures/small_multiples.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

namespace sar {
using namespace figures;
namespace {

/// The share that "1/5" or "0.2" names; empty unless it is within (0, 1].
std::optional<double> share_of(const std::string& fraction) {
  const auto parse = [](std::string_view text) -> std::optional<double> {
    double value = 0;
    const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (fault != std::errc() || end != text.data() + text.size()) {
      return std::nullopt;
    }
    return value;
  };
  const std::size_t slash = fraction.find('/');
  const auto above = parse(std::string_view(fraction).substr(0, slash));
  const auto below = slash == std::string::npos
                         ? std::optional<double>(1)
                         : parse(std::string_view(fraction).substr(slash + 1));
  if (!above || !below || !(*below > 0) || !(*above > 0) || *above / *below > 1) {
    return std::nullopt;
  }
  return *above / *below;
}

/// Fractions of a group, fewest labels first, with the labelled cases where all curves agree.
struct Tic {
  std::string fraction;
  std::set<std::string> cases;
};
std::map<double, Tic> tics_of(const LabelEfficiency& group) {
  std::map<double, Tic> tics;
  for (const EfficiencyCurve& curve : group.curves) {
    for (const EfficiencyPoint& point : curve.points) {
      if (const auto share = share_of(point.fraction)) {
        Tic& tic = tics[*share];
        tic.fraction = point.fraction;
        if (point.labelled_cases) {
          tic.cases.insert(fmt::format("{:.3g}", *point.labelled_cases));
        }
      }
    }
  }
  return tics;
}

}  // namespace

Figure efficiency_figure(const std::string& id,
                         const std::string& title,
                         const std::vector<LabelEfficiency>& groups,
                         const ProtocolRow& protocol) {
  constexpr double kDodge = 7;
  const SmallMultiples panels{.panels = groups.size(),
                              .columns = panels_in_a_line(groups.size()),
                              .head = 40,
                              .panel = 270,
                              .below = 58,
                              .margin = 12,
                              .inset = 46,
                              .gap = 52};
  std::vector<Canvas::LegendEntry> legend;
  std::set<std::string> known;
  for (const LabelEfficiency& group : groups) {
    for (const EfficiencyCurve& curve : group.curves) {
      if (known.insert(curve.method).second) {
        const MethodStyle style = method_style(curve.method);
        legend.push_back({plain(curve.label, 30),
                          style.light,
                          line_style(style.light, stands_out(curve.method) ? 2.6 : 1.6, style.dash),
                          point_style(style, 1.2)});
      }
    }
  }
  Figure figure;
  figure.id = id;
  figure.title = title_of(title, protocol);
  figure.width = kWidth;
  const double bottom = kTitleBand + panels.height();
  figure.height = static_cast<int>(bottom + 30 + Canvas::legend_height(legend) + 8);
  Canvas canvas(figure.height, figure.title);
  canvas.text(kWidth / 2.0,
              bottom + 6,
              "Share of the training labels (logarithmic); mean Dice in percent ± SD",
              {.size = 13, .align = "center", .colour = kMuted});
  canvas.legend(bottom + 34, legend);
  canvas.command("set logscale x");

  bool cases_shown = false;
  int least_n = 0;
  int most_n = 0;
  for (std::size_t g = 0; g < groups.size(); ++g) {
    const LabelEfficiency& group = groups[g];
    const Box box = panels.box(g);
    canvas.text(box.left,
                box.top - 16,
                plain(group.title, panels.columns == 3 ? 34 : 60),
                {.size = kHeadingSize});
    const auto tics = tics_of(group);
    const double low = tics.empty() ? 0.1 : tics.begin()->first;
    const double high = tics.empty() ? 1 : std::max(tics.rbegin()->first, low * 1.01);
    const double pad = std::exp(std::log(high / low) * 0.09);
    const double per_pixel = std::log(high * pad / (low / pad)) / (box.right - box.left);
    std::string tic_list;
    double last_label = -1e9;
    for (const auto& [share, tic] : tics) {
      tic_list += fmt::format("{}'' {}", tic_list.empty() ? "" : ", ", number(share));
      const double x = box.left + std::log(share / (low / pad)) / per_pixel;
      if (x - last_label < 26) {
        continue;  // too near to the one before
      }
      last_label = x;
      canvas.text(x,
                  box.bottom + 16,
                  plain(tic.fraction, 8),
                  {.size = 12, .align = "center", .colour = kMuted});
      if (tic.cases.size() == 1) {
        cases_shown = true;
        canvas.text(x,
                    box.bottom + 32,
                    "(" + *tic.cases.begin() + ")",
                    {.size = 11, .align = "center", .colour = kMuted});
      }
    }
    double least = 100;
    double most = 0;
    std::vector<std::string> ranges;
    std::vector<std::string> curves;
    for (std::size_t c = 0; c < group.curves.size(); ++c) {
      const EfficiencyCurve& curve = group.curves[c];
      const MethodStyle style = method_style(curve.method);
      // Moved aside a little, so that the SD of one does not hide that of another.
      const double place =
          static_cast<double>(c) - static_cast<double>(group.curves.size() - 1) / 2;
      const double aside = std::exp(
          place * std::min(kDodge, 40.0 / static_cast<double>(group.curves.size())) * per_pixel);
      std::vector<std::vector<double>> points;
      std::vector<std::vector<double>> spreads;
      for (const EfficiencyPoint& point : curve.points) {
        const auto share = share_of(point.fraction);
        if (!share) {
          continue;
        }
        const double sd = point.dice.sd.value_or(0);
        points.push_back({*share * aside, point.dice.mean});
        if (point.dice.sd) {
          spreads.push_back({*share * aside, point.dice.mean - sd, 2 * sd});
        }
        least = std::min(least, point.dice.mean - sd);
        most = std::max(most, point.dice.mean + sd);
        if (point.dice.n > 0) {
          least_n = least_n == 0 ? point.dice.n : std::min(least_n, point.dice.n);
          most_n = std::max(most_n, point.dice.n);
        }
      }
      if (points.empty()) {
        continue;
      }
      if (!spreads.empty()) {
        ranges.push_back(canvas.data(spreads) +
                         " using 1:2:(0):3 with vectors heads nofilled size screen 0.004,90 " +
                         line_style(style.light, 1.2));
      }
      const std::string name = canvas.data(points);
      curves.push_back(name + " using 1:2 with lines " +
                       line_style(style.light, stands_out(curve.method) ? 2.6 : 1.6, style.dash));
      curves.push_back(name + " using 1:2 with points " + point_style(style, 1.2));
    }
    if (least > most) {
      least = 0;
      most = 100;
    }
    const double margin = std::max(0.06 * (most - least), 0.5);
    const double step = round_step(most - least + 2 * margin, 6);
    canvas.command(
        fmt::format("set xrange [{}:{}]\nset xtics ({})\nset yrange [{}:{}]\nset ytics {}",
                    number(low / pad),
                    number(high * pad),
                    tic_list,
                    number(std::max(-1.0, least - margin)),
                    number(std::min(101.0, most + margin)),
                    number(step)));
    ranges.insert(ranges.end(), curves.begin(), curves.end());
    canvas.panel(box, ranges);
  }
  if (groups.empty()) {
    canvas.command("set xrange [0.01:1]\nset yrange [0:1]\nunset border\nunset tics");
    canvas.panel({40, kTitleBand + panels.head, kWidth - 12, bottom}, {});
  }
  figure.commands = canvas.finished();

  figure.description = fmt::format("Mean Dice over the share of training labels, in {} for {}.",
                                   counted(groups.size(), "group"),
                                   counted(known.size(), "method"));
  for (const LabelEfficiency& group : groups) {
    for (const AnnotationSaved& saved : group.saved) {
      const auto all = std::ranges::find_if(group.saved, [&](const AnnotationSaved& other) {
        return other.method == saved.method && other.fraction == "1";
      });
      // With all labels where that is known, else with the most.
      const bool in_words =
          all != group.saved.end()
              ? &*all == &saved
              : std::ranges::none_of(group.saved, [&](const auto& other) {
                  return other.method == saved.method && share_of(other.fraction).value_or(0) >
                                                             share_of(saved.fraction).value_or(0);
                });
      if (!in_words) {
        continue;
      }
      const auto curve = std::ranges::find(group.curves, saved.method, &EfficiencyCurve::method);
      const std::string baseline = curve == group.curves.end() ? saved.method : curve->label;
      if (saved.by) {
        figure.description +=
            fmt::format(" {}: with {} {} reaches {:.1f}, the mean of {} with {} ({:.1f}).",
                        group.title,
                        labels_text(*saved.by),
                        group.reference_label,
                        saved.reference_mean,
                        baseline,
                        labels_text(saved.fraction),
                        saved.mean);
      } else {
        figure.description += fmt::format(" {}: {} does not reach the mean of {} with {} ({:.1f}).",
                                          group.title,
                                          group.reference_label,
                                          baseline,
                                          labels_text(saved.fraction),
                                          saved.mean);
      }
    }
  }
  figure.notes.push_back(
      fmt::format("Mean over trials, bars one SD ({}); methods stand slightly aside of each other.",
                  most_n == 0         ? "n is not stated"
                  : least_n == most_n ? fmt::format("n = {} trials", most_n)
                                      : fmt::format("n = {} to {} trials", least_n, most_n)));
  if (cases_shown) {
    figure.notes.emplace_back(
        "In brackets: labelled cases for training and validation, mean over trials.");
  }
  figure.notes.emplace_back("The axes of Dice do not begin at zero and differ between panels.");
  add_protocol_notes(figure.notes, protocol);
  figure.data = efficiency_sheet(id, figure.title, groups);
  figure.data.origin = {protocol.data_kind, protocol.protocol};
  return figure;
}

}  // namespace sar
