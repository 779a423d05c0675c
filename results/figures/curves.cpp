#include "results/figures/curves.h"

#include "results/figures/plot.h"
#include "results/figures/small_multiples.h"
#include "results/text/layout.h"
#include "results/text/words.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sar {
using namespace figures;
namespace {

constexpr double kTask = 42, kFoot = 66;
constexpr std::size_t kOwnPoints = 400, kOtherPoints = 100;

/// Trailing mean over so many steps.
std::vector<CurvePoint> smoothed(const std::vector<CurvePoint>& points, int window) {
  std::vector<CurvePoint> result;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t first =
        i + 1 < static_cast<std::size_t>(window) ? 0 : i + 1 - static_cast<std::size_t>(window);
    CurvePoint point = points[i];
    point.mean = point.least = point.most = 0;
    const auto count = static_cast<double>(i + 1 - first);
    for (std::size_t j = first; j <= i; ++j) {
      point.mean += points[j].mean / count;
      point.least += points[j].least / count;
      point.most += points[j].most / count;
    }
    result.push_back(point);
  }
  return result;
}

/// At most about `most` points: of each stretch of steps the points of least and greatest mean, as
/// they follow each other, with the range of the whole stretch. So spikes stay.
std::vector<CurvePoint> thinned(const std::vector<CurvePoint>& points, std::size_t most) {
  if (points.size() <= most) {
    return points;
  }
  std::vector<CurvePoint> result;
  const std::size_t bins = most / 2;
  for (std::size_t b = 0; b < bins; ++b) {
    const auto from = points.begin() + static_cast<std::ptrdiff_t>(b * points.size() / bins);
    const auto to = points.begin() + static_cast<std::ptrdiff_t>((b + 1) * points.size() / bins);
    auto [low, high] = std::minmax_element(
        from, to, [](const auto& one, const auto& other) { return one.mean < other.mean; });
    const double least = std::ranges::min_element(from, to, {}, &CurvePoint::least)->least;
    const double greatest = std::ranges::max_element(from, to, {}, &CurvePoint::most)->most;
    if (high < low) {
      std::swap(low, high);
    }
    for (const auto& each : {low, high}) {
      CurvePoint& point = result.emplace_back(*each);
      point.least = least;
      point.most = greatest;
      if (low == high) {
        break;
      }
    }
  }
  return result;
}

std::vector<std::vector<double>> numbers(const std::vector<CurvePoint>& points) {
  std::vector<std::vector<double>> rows;
  for (const CurvePoint& point : points) {
    rows.push_back({static_cast<double>(point.step), point.mean, point.least, point.most});
  }
  return rows;
}

std::string task_name(const std::string& task) {
  return task == "brats" ? "BraTS2018" : task == "pancreas" ? "MSD (Pancreas)" : task;
}

/// The panels of one task.
SmallMultiples panels_of(const LossCurves& curves) {
  return {.panels = curves.spec.rows.size(),
          .columns = 3,
          .head = 26,
          .panel = 132,
          .below = 26,
          .margin = 14,
          .inset = 52,
          .gap = 56};
}

int height_of(const LossCurves& curves) {
  return static_cast<int>(
      kTitleBand +
      static_cast<double>(curves.spec.tasks.size()) * (kTask + panels_of(curves).height()) + kFoot);
}

std::string commands_of(const LossCurves& curves, int smoothing) {
  const std::size_t methods = curves.spec.rows.size();
  const SmallMultiples panels = panels_of(curves);
  const int height = height_of(curves);
  Canvas canvas(height, title_of(curves.spec.title, curves.protocol));
  const std::string training = smoothing > 1
                                   ? fmt::format("training, mean of trials and {} steps", smoothing)
                                   : "training, mean of trials";
  const std::string best = label_of(curves.spec.rows, curves.spec.reference);
  const std::string reference_style =
      line_style(method_style(curves.spec.reference).light, 1.4, "(6,3)");
  const std::string other_style = line_style("#A0" + kMuted.substr(1), 0.8);
  canvas.legend(height - 34,
                {{training, kInk, line_style(kMuted, 2.2), ""},
                 {"range of trials", kInk, line_style("#B0" + kMuted.substr(1), 9), ""},
                 {"validation", kInk, line_style(kInk, 1.2), point_style({kInk, "", 7, ""}, 0.5)},
                 {plain(best, 20) + ", training", kInk, reference_style, ""},
                 {"other methods", kInk, other_style, ""}});
  canvas.command("unset grid");
  std::vector<std::string> whole;
  std::vector<std::string> coarse;
  std::vector<std::string> validation;
  for (const MethodCurve& curve : curves.curves) {
    const auto points = smoothed(curve.training, smoothing);
    whole.push_back(canvas.data(numbers(thinned(points, kOwnPoints))));
    coarse.push_back(points.size() <= kOtherPoints
                         ? whole.back()
                         : canvas.data(numbers(thinned(points, kOtherPoints))));
    validation.push_back(canvas.data(numbers(thinned(curve.validation, kOtherPoints))));
  }
  for (std::size_t t = 0; t < curves.spec.tasks.size(); ++t) {
    double least = 1e300;
    double most = -1e300;
    double last = 2;
    for (std::size_t m = 0; m < methods; ++m) {
      const MethodCurve& curve = curves.curves[t * methods + m];
      for (const auto* points : {&curve.training, &curve.validation}) {
        for (const CurvePoint& point : *points) {
          least = std::min(least, point.least);
          most = std::max(most, point.most);
          last = std::max(last, static_cast<double>(point.step));
        }
      }
    }
    if (most <= least) {
      least = 0;
      most = 1;
    }
    const double margin = 0.03 * (most - least);
    canvas.command(fmt::format("set xrange [0:{}]\nset yrange [{}:{}]\nset xtics {}\nset ytics {}",
                               number(last),
                               number(least - margin),
                               number(most + margin),
                               number(round_step(last, 5)),
                               number(round_step(most - least, 5))));
    const double start = kTitleBand + static_cast<double>(t) * (kTask + panels.height());
    canvas.text(52,
                start + 24,
                task_name(curves.spec.tasks[t]) + ": loss by optimiser step",
                {.size = 13, .colour = kMuted});
    for (std::size_t m = 0; m < methods; ++m) {
      const std::size_t own = t * methods + m;
      const MethodCurve& curve = curves.curves[own];
      const MethodStyle style = method_style(curve.method);
      const Box box = panels.box(m, start + kTask);
      canvas.text(
          box.left,
          box.top - 12,
          curve.training.empty() ? plain(curve.label, 20) + " (no run)" : plain(curve.label, 28),
          {.size = kHeadingSize});
      std::vector<std::string> elements;
      if (!curve.training.empty()) {
        std::string over;
        for (std::size_t other = 0; other < methods; ++other) {
          const std::size_t index = t * methods + other;
          if (index == own || curves.curves[index].training.empty()) {
            continue;
          }
          const bool is_reference = curves.curves[index].method == curves.spec.reference;
          const std::string element = coarse[index] + " using 1:2 with lines " +
                                      (is_reference ? reference_style : other_style);
          if (is_reference) {
            over = element;
          } else {
            elements.push_back(element);
          }
        }
        elements.push_back(fmt::format(
            "{} using 1:3:4 with filledcurves fillcolor rgb '{}' fillstyle transparent solid 0.28 "
            "noborder",
            whole[own],
            style.light));
        if (!over.empty()) {
          elements.push_back(over);
        }
        elements.push_back(whole[own] + " using 1:2 with lines " + line_style(style.light, 2));
        if (!curve.validation.empty()) {
          elements.push_back(validation[own] + " using 1:2 with lines " + line_style(kInk, 1.2));
          if (curve.validation.size() <= 30) {
            elements.push_back(validation[own] + " using 1:2 with points " +
                               point_style({kInk, "", 7, ""}, 0.45));
          }
        }
      }
      canvas.panel(box, elements);
    }
  }
  return canvas.finished();
}

}  // namespace

std::string gnuplot_script(const LossCurves& curves, const std::string& terminal, int smoothing) {
  const int height = height_of(curves);
  return "set terminal " + sar::terminal(terminal, kWidth, height) + "\n" +
         commands_of(curves, smoothing);
}

Figure curves_figure(const LossCurves& curves, int smoothing) {
  Figure figure;
  figure.id = curves.spec.id;
  figure.title = title_of(curves.spec.title, curves.protocol);
  figure.width = kWidth;
  figure.height = height_of(curves);
  figure.commands = commands_of(curves, smoothing);
  figure.data = convergence_sheet(curves);
  figure.description = fmt::format("Loss by optimiser step of {} on {}, a panel each.",
                                   counted(curves.spec.rows.size(), "method"),
                                   counted(curves.spec.tasks.size(), "task"));
  bool thinned = false;
  int most_n = 0;
  int least_n = 0;
  for (const auto& task : curves.spec.tasks) {
    const MethodCurve* fastest = nullptr;
    int settled = 0;
    for (const MethodCurve& curve : curves.curves) {
      if (curve.task != task) {
        continue;
      }
      thinned = thinned || curve.training.size() > kOwnPoints;
      if (curve.steps.n > 0) {
        ++settled;
        least_n = least_n == 0 ? curve.steps.n : std::min(least_n, curve.steps.n);
        most_n = std::max(most_n, curve.steps.n);
        fastest = !fastest || curve.steps.mean < fastest->steps.mean ? &curve : fastest;
      }
    }
    if (settled > 1) {  // alone a method is not the first
      figure.description += fmt::format(
          " On {} the least mean number of steps until the loss settles is {:.0f}, of {}.",
          task_name(task),
          fastest->steps.mean,
          fastest->label);
    }
  }
  figure.notes.push_back(fmt::format(
      "Training loss of each method, mean and range over its trials ({}){}; its validation loss as "
      "a thin line.",
      least_n == most_n ? fmt::format("n = {}", most_n)
                        : fmt::format("n = {} to {}", least_n, most_n),
      smoothing > 1 ? fmt::format(", trailing mean over {} steps", smoothing) : ""));
  if (thinned) {
    figure.notes.emplace_back(
        "Curves of more than 400 steps are thinned; least and most of each stretch are kept.");
  }
  figure.notes.insert(figure.notes.end(), figure.data.notes.begin(), figure.data.notes.end());
  if (curves.protocol.data_kind == "phantom") {
    figure.notes.emplace_back(kPhantomNote);
  }
  return figure;
}

}  // namespace sar
