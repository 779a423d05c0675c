#include "results/figures/canvas.h"

#include "results/text/layout.h"
#include "results/text/utf8.h"
#include "results/text/words.h"

#include <fmt/format.h>

namespace sar::figures {

std::string plain(const std::string& text, std::size_t most) {
  std::string line;
  for (std::string_view rest = text; !rest.empty();) {
    const auto [bytes, point] = take_character(rest);
    if (point == U'\n' || point == U'\t' || point == U'\r' || point == U'\u2028') {
      line += ' ';
    } else if (point && is_printable(*point)) {
      line += bytes;
    }
  }
  return replace_all(cut_to(line, most), {{"&#x", "& #x"}});
}

std::string quoted(const std::string& text, std::size_t most) {
  // gnuplot 5.4 misreads a doubled quote at the beginning of a text: a typographic one stands in.
  return "'" + replace_all(plain(text, most), {{"'", "’"}}) + "'";
}

double text_width(const std::string& text, double size) {
  return 0.58 * size * static_cast<double>(display_width(text));
}

Canvas::Canvas(int height, const std::string& title) : height_(height) {
  commands_ = fmt::format(
      "reset\nset encoding utf8\nunset key\nset border 3 {0}\n"
      "set tics nomirror out scale 0.4 textcolor rgb '{1}' font ',12'\n"
      "set grid xtics ytics {2}\nset format '%g'\nset multiplot\n",
      line_style(kMuted, 1),
      kMuted,
      line_style(kGrid, 1));
  // A long title is shortened and set smaller; its mark for phantom data stays.
  const bool marked = title.ends_with(kPhantomMark);
  const std::string words =
      plain(marked ? title.substr(0, title.size() - kPhantomMark.size()) : title, 80);
  const std::string whole = words + (marked ? std::string(kPhantomMark) : "");
  const double size = text_width(whole, kTitleSize) < kWidth - 40 ? kTitleSize : kHeadingSize;
  text(kWidth / 2.0, 24, whole, {.size = size, .align = "center"});
}

std::string Canvas::at(double x, double y) const {
  return fmt::format("screen {:.5f},{:.5f}", x / kWidth, 1 - y / height_);
}

void Canvas::text(double x, double y, const std::string& text, const TextStyle& style) {
  commands_ += fmt::format("set label {} {} at {} {} font 'sans{},{}' textcolor rgb '{}'\n",
                           ++labels_,
                           quoted(text, 110),
                           at(x, y),
                           style.align,
                           style.size == kTitleSize || style.size == kHeadingSize ? ":Bold" : "",
                           number(style.size),
                           style.colour);
}

void Canvas::mark(double x, double y, const std::string& style) {
  commands_ += fmt::format("set label {} '' at {} point {} front\n", ++labels_, at(x, y), style);
}

void Canvas::line(double x1, double y1, double x2, double y2, const std::string& style) {
  commands_ += fmt::format(
      "set arrow {} from {} to {} nohead {}\n", ++arrows_, at(x1, y1), at(x2, y2), style);
}

std::string Canvas::data(const std::vector<std::vector<double>>& rows) {
  const std::string name = fmt::format("$d{}", ++blocks_);
  commands_ += name + " << END\n";
  for (const auto& row : rows) {
    for (std::size_t i = 0; i < row.size(); ++i) {
      commands_ += (i > 0 ? " " : "") + number(row[i]);
    }
    commands_ += "\n";
  }
  commands_ += "END\n";
  return name;
}

void Canvas::panel(const Box& box, const std::vector<std::string>& elements) {
  commands_ += fmt::format(
      "set lmargin at screen {:.5f}\nset rmargin at screen {:.5f}\nset tmargin at screen {:.5f}\n"
      "set bmargin at screen {:.5f}\n",
      box.left / kWidth,
      box.right / kWidth,
      1 - box.top / height_,
      1 - box.bottom / height_);
  std::string plots;
  for (const std::string& element : elements) {
    plots += (plots.empty() ? "" : ", \\\n  ") + element;
  }
  commands_ +=
      "plot " + (plots.empty() ? "NaN" : plots) + "\nunset label\nunset arrow\nunset object\n";
  labels_ = 0;
  arrows_ = 0;
}

namespace {
constexpr double kLegendSize = 13, kLegendLine = 22, kLegendKey = 44, kLegendGap = 22;

std::vector<std::vector<Canvas::LegendEntry>> legend_lines(
    const std::vector<Canvas::LegendEntry>& entries) {
  std::vector<std::vector<Canvas::LegendEntry>> lines(1);
  double width = 0;
  for (const auto& entry : entries) {
    const double own = kLegendKey + text_width(plain(entry.label, 60), kLegendSize) + kLegendGap;
    if (width + own > kWidth - 40 && !lines.back().empty()) {
      lines.emplace_back();
      width = 0;
    }
    width += own;
    lines.back().push_back(entry);
  }
  return lines;
}
}  // namespace

double Canvas::legend_height(const std::vector<LegendEntry>& entries) {
  return kLegendLine * static_cast<double>(legend_lines(entries).size());
}

double Canvas::legend(double y, const std::vector<LegendEntry>& entries) {
  for (const auto& line : legend_lines(entries)) {
    double width = -kLegendGap;
    for (const LegendEntry& entry : line) {
      width += kLegendKey + text_width(plain(entry.label, 60), kLegendSize) + kLegendGap;
    }
    double x = (kWidth - width) / 2;
    for (const LegendEntry& entry : line) {
      if (!entry.line.empty()) {
        this->line(x, y, x + kLegendKey - 8, y, entry.line);
      }
      if (!entry.point.empty()) {
        mark(x + (kLegendKey - 8) / 2, y, entry.point);
      }
      text(x + kLegendKey, y, plain(entry.label, 60), {.size = kLegendSize});
      x += kLegendKey + text_width(plain(entry.label, 60), kLegendSize) + kLegendGap;
    }
    y += kLegendLine;
  }
  return y;
}

std::string Canvas::finished() {
  return commands_ + "unset multiplot\n";
}

}  // namespace sar::figures
