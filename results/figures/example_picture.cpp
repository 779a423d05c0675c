#include "results/figures/example_picture.h"

#include "harness/core/base64.h"
#include "results/figures/canvas.h"
#include "results/figures/plot.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <pugixml.hpp>
#include <sstream>
#include <utility>
#include <vector>

namespace sar {
namespace {

constexpr std::size_t kLongestId = 200;  ///< code points of an id in the text for who cannot see

// Sky blue and orange of Okabe and Ito's palette ("Color Universal Design", 2008), told apart with
// the common colour vision deficiencies; as greys they are alike, so that one line is dashed.
constexpr const char* kTruth = "#56b4e9";
constexpr const char* kPrediction = "#e69f00";
constexpr const char* kDashes = "6 4";
constexpr const char* kInk = "#222222";

// Pixels of the picture.
constexpr double kLeft = 26, kGap = 34, kRight = 12, kTop = 70, kBottom = 52;
constexpr double kMostWidth = 900, kMostHeight = 400, kLeastWidth = 780;

struct Panel {
  const ExampleSlice* slice = nullptr;
  double x = 0, y = 0, width = 0, height = 0;
  std::string title, left, top;  ///< the sides of the patient where they are
};

struct Line {
  double x0 = 0, y0 = 0, x1 = 0, y1 = 0;
  std::string colour;
  bool dashed = false;
};
struct Label {
  double x = 0, y = 0;  ///< of the baseline
  std::string anchor;   ///< start | middle | end
  std::string text;
  bool heading = false;
};

/// Everything in the picture but images and outlines.
struct Layout {
  double width = 0, height = 0;
  std::vector<Panel> panels;
  std::vector<Line> lines;
  std::vector<Label> labels;
};

/// "best", "median and worst", or that there is no other.
std::string places_of(const Example& example) {
  return example.places.size() == 3 ? "the only case"
                                    : fmt::format("{}", fmt::join(example.places, " and "));
}

std::string heading(const Example& example, std::size_t longest_id) {
  return fmt::format("{}: {} of {}, Dice {:.1f} %",
                     cut_to(example.case_id, longest_id),
                     places_of(example),
                     example.bucket == "all" ? "all test cases" : "size bucket " + example.bucket,
                     example.dice);
}

std::string remark(const Example& example) {
  std::string text = example.origin.empty() ? "" : example.origin + ". ";
  text += example.centre == "truth" ? "Slices through the true tumour."
          : example.centre == "prediction"
              ? "No true tumour: slices through the predicted one."
              : "No tumour, true or predicted: slices through the middle.";
  if (example.centre == "truth" &&
      std::ranges::all_of(example.slices,
                          [](const ExampleSlice& slice) { return slice.prediction.empty(); })) {
    text += " They show no predicted one.";
  }
  if (!example.oriented) {
    text += " The file does not state its sides: they are assumed.";
  }
  return text;
}

Layout layout_of(const Example& example) {
  double across = 0;  // millimetres
  double tallest = 0;
  for (const ExampleSlice& slice : example.slices) {
    across += slice.width * slice.pixel_mm[0];
    tallest = std::max(tallest, slice.height * slice.pixel_mm[1]);
  }
  const double scale =
      std::min((kMostWidth - kLeft - kRight - 2 * kGap) / across, kMostHeight / tallest);
  Layout layout;
  layout.width = std::max(kLeastWidth, std::ceil(kLeft + kRight + 2 * kGap + across * scale));
  layout.height = std::ceil(kTop + tallest * scale + kBottom);
  const double bottom = kTop + tallest * scale;

  double x = kLeft;
  for (const ExampleSlice& slice : example.slices) {
    Panel panel{&slice,
                x,
                0,
                slice.width * slice.pixel_mm[0] * scale,
                slice.height * slice.pixel_mm[1] * scale,
                fmt::format("{}, slice {}", slice.plane, slice.index),
                slice.plane == "sagittal" ? "A" : "R",
                slice.plane == "axial" ? "A" : "S"};
    panel.y = bottom - panel.height;  // on one ground line
    const double middle = x + panel.width / 2;
    layout.labels.push_back({middle, panel.y - 20, "middle", panel.title});
    layout.labels.push_back({middle, panel.y - 5, "middle", panel.top});
    layout.labels.push_back({x - 6, panel.y + panel.height / 2 + 4, "end", panel.left});
    x += panel.width + kGap;
    layout.panels.push_back(std::move(panel));
  }
  layout.labels.push_back({kLeft, 22, "start", heading(example, 40), true});

  const double legend = bottom + 20;
  const auto entry = [&](double start, const char* colour, bool dashed, const char* name) {
    layout.lines.push_back({start, legend - 4, start + 30, legend - 4, colour, dashed});
    layout.labels.push_back({start + 36, legend, "start", name});
  };
  entry(kLeft, kTruth, false, "ground truth");
  entry(kLeft + 140, kPrediction, true, "prediction");
  // The longest round length that takes no more than a fifth of the width.
  double length = 1;
  for (const double each : {2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0}) {
    length = each * scale <= layout.width / 5 ? each : length;
  }
  const double end = layout.width - kRight;
  layout.lines.push_back({end - length * scale, legend - 4, end, legend - 4, kInk, false});
  layout.labels.push_back({end - length * scale - 6, legend, "end", fmt::format("{} mm", length)});
  layout.labels.push_back({kLeft, bottom + 42, "start", remark(example)});
  return layout;
}

using Attributes = std::vector<std::pair<const char*, std::string>>;

/// An element that ends its line.
pugi::xml_node element(pugi::xml_node parent, const char* name, const Attributes& attributes) {
  pugi::xml_node node = parent.append_child(name);
  for (const auto& [attribute, value] : attributes) {
    node.append_attribute(attribute).set_value(value.c_str());
  }
  parent.append_child(pugi::node_pcdata).set_value("\n");
  return node;
}

void add_text(pugi::xml_node node, const std::string& text) {
  node.append_child(pugi::node_pcdata).set_value(text.c_str());
}

void add_path(pugi::xml_node parent,
              const std::string& path,
              const std::string& colour,
              bool dashed) {
  Attributes attributes{{"d", path}, {"stroke", colour}, {"stroke-width", "2"}};
  if (dashed) {
    attributes.emplace_back("stroke-dasharray", kDashes);
  }
  element(parent, "path", attributes);
}

/// A panel's image with the outlines on it.
void add_panel(pugi::xml_node parent, const Panel& panel) {
  const ExampleSlice& slice = *panel.slice;
  const pugi::xml_node group = element(
      parent,
      "g",
      {{"transform", fmt::format("translate({:.3f} {:.3f})", panel.x, panel.y)}, {"fill", "none"}});
  add_text(group, "\n");
  element(group,
          "image",
          {{"width", fmt::format("{:.3f}", panel.width)},
           {"height", fmt::format("{:.3f}", panel.height)},
           {"preserveAspectRatio", "none"},
           {"style", "image-rendering:pixelated"},
           {"href", "data:image/png;base64," + base64(slice.png)}});
  const auto draw = [&](const Contours& contours, const char* colour, bool dashed) {
    if (!contours.empty()) {
      add_path(group,
               outline_path(contours, panel.width / slice.width, panel.height / slice.height),
               colour,
               dashed);
    }
  };
  draw(slice.truth, kTruth, false);
  draw(slice.prediction, kPrediction, true);
}

}  // namespace

std::string outline_path(const Contours& contours, double across, double down) {
  std::string path;
  for (const auto& contour : contours) {
    for (std::size_t i = 0; i + 1 < contour.size(); i += 2) {
      path += fmt::format(
          "{}{:g} {:g}", i == 0 ? "M" : "L", contour[i] * across, contour[i + 1] * down);
    }
    path += "Z";
  }
  return path;
}

std::string example_svg(const Example& example) {
  const Layout layout = layout_of(example);
  const std::string width = fmt::format("{}", layout.width);
  const std::string height = fmt::format("{}", layout.height);
  pugi::xml_document document;
  const pugi::xml_node svg = element(document.root(),
                                     "svg",
                                     {{"xmlns", "http://www.w3.org/2000/svg"},
                                      {"width", width},
                                      {"height", height},
                                      {"viewBox", "0 0 " + width + " " + height},
                                      {"role", "img"},
                                      {"font-family", "sans-serif"},
                                      {"font-size", "12"},
                                      {"fill", kInk}});
  add_text(svg, "\n");
  add_text(element(svg, "title", {}), heading(example, kLongestId) + ". " + remark(example));
  element(svg, "rect", {{"width", width}, {"height", height}, {"fill", "#ffffff"}});
  for (const Panel& panel : layout.panels) {
    add_panel(svg, panel);
  }
  for (const Line& line : layout.lines) {
    add_path(svg,
             fmt::format("M{:.1f} {:.1f}L{:.1f} {:.1f}", line.x0, line.y0, line.x1, line.y1),
             line.colour,
             line.dashed);
  }
  for (const Label& label : layout.labels) {
    Attributes attributes{{"x", fmt::format("{:.1f}", label.x)},
                          {"y", fmt::format("{:.1f}", label.y)},
                          {"text-anchor", label.anchor}};
    if (label.heading) {
      attributes.insert(attributes.end(), {{"font-size", "14"}, {"font-weight", "bold"}});
    }
    add_text(element(svg, "text", attributes), label.text);
  }
  std::ostringstream text;
  document.save(text, "", pugi::format_raw | pugi::format_no_declaration, pugi::encoding_utf8);
  return text.str();
}

std::string example_png(const Example& example) {
  const Layout layout = layout_of(example);
  const double height = layout.height;  // gnuplot's y grows upwards
  std::string script = fmt::format(
      "set encoding utf8\nset terminal pngcairo noenhanced background 'white' size {},{} "
      "font 'sans,9' fontscale 2 linewidth 2\n"
      "set lmargin at screen 0\nset rmargin at screen 1\nset tmargin at screen 1\n"
      "set bmargin at screen 0\nunset border\nunset tics\nunset key\n"
      "set xrange [0:{}]\nset yrange [0:{}]\n",
      2 * layout.width,
      2 * height,
      layout.width,
      height);
  const auto pen = [](const std::string& colour, bool dashed) {
    return fmt::format(
        "linecolor rgb '{}' linewidth 1.6 dashtype {}", colour, dashed ? "(10,7)" : "solid");
  };
  for (const Line& line : layout.lines) {
    script += fmt::format("set arrow from {:.3f},{:.3f} to {:.3f},{:.3f} nohead {}\n",
                          line.x0,
                          height - line.y0,
                          line.x1,
                          height - line.y1,
                          pen(line.colour, line.dashed));
  }
  for (const Label& label : layout.labels) {
    script += fmt::format("set label {} at {:.3f},{:.3f} {} font 'sans{}' textcolor rgb '{}'\n",
                          figures::quoted(label.text, std::string::npos),
                          label.x,
                          height - label.y + 4,
                          label.anchor == "start" ? "left"
                          : label.anchor == "end" ? "right"
                                                  : "center",
                          label.heading ? ":Bold,10.5" : ",9",
                          kInk);
  }
  std::map<std::string, std::string> files;
  std::string plots;
  const auto add = [&](const std::string& part) {
    plots += (plots.empty() ? "plot " : ", \\\n  ") + part;
  };
  for (std::size_t i = 0; i < layout.panels.size(); ++i) {
    const Panel& panel = layout.panels[i];
    const ExampleSlice& slice = *panel.slice;
    const double across = panel.width / slice.width;
    const double down = panel.height / slice.height;
    const std::string file = fmt::format("slice{}.png", i);  // a name of ours: gnuplot runs "<..."
    files[file] = slice.png;
    add(
        fmt::format("'{}' binary filetype=png origin=({:.6f},{:.6f}) dx={:.8f} dy={:.8f} with "
                    "rgbimage",
                    file,
                    panel.x + across / 2,
                    height - panel.y - panel.height + down / 2,
                    across,
                    down));
    const auto draw = [&](const Contours& contours, const char* name, const std::string& style) {
      if (contours.empty()) {
        return;
      }
      const std::string block = fmt::format("${}{}", name, i);
      script += block + " << EOD\n";
      for (const auto& contour : contours) {
        for (std::size_t k = 0; k <= contour.size(); k += 2) {
          const std::size_t at = k % contour.size();
          script += fmt::format("{:.4f} {:.4f}\n",
                                panel.x + contour[at] * across,
                                height - panel.y - contour[at + 1] * down);
        }
        script += "\n";
      }
      script += "EOD\n";
      add(fmt::format("{} using 1:2 with lines {}", block, style));
    };
    draw(slice.truth, "truth", pen(kTruth, false));
    draw(slice.prediction, "prediction", pen(kPrediction, true));
  }
  return plotted(script + plots + "\n", files);
}

}  // namespace sar
