#pragma once

#include <string>
#include <utility>
#include <vector>

namespace sar {

/// How a method looks in every figure; distinguishable with the common colour vision deficiencies,
/// on light and on dark paper, and by the mark alone.
struct MethodStyle {
  std::string light, dark;  ///< colours, "#rrggbb"
  int point = 7;            ///< gnuplot's point type
  std::string dash;         ///< gnuplot's dash type: "1", "'-'", ...
};
/// The same for an id at all times; an unknown id gets a style too.
MethodStyle method_style(const std::string& method);

/// The custom property of a method's colour: "--method-sar"; letters, digits, `-` and `_` alone.
std::string method_property(const std::string& method);

/// CSS custom properties for the page and its figures: `--ink`, `--muted`, `--grid`, `--paper`,
/// `--panel` (behind cards and tables), `--link`, `--accent`, `--ok`, `--warn`, `--bad`, and a
/// `method_property` per method, on :root, for dark under `[data-theme=dark]` and, unless
/// `[data-theme=light]`, in `prefers-color-scheme: dark`. All but `--grid` and `--panel` are
/// legible as text on `--paper` and `--panel` (contrast of 4.5:1 at least, methods 3:1).
std::string figure_css(const std::vector<std::string>& methods);

namespace figures {

/// Colours of light paper; `figure_css` has their dark twins under the same names.
inline const std::string kInk = "#1b2330", kMuted = "#586474", kGrid = "#dde2e8",
                         kPaper = "#ffffff";

/// Custom properties of the colours that figures use: {"#1b2330", "var(--ink)"}.
std::vector<std::pair<std::string, std::string>> colour_variables();

/// Letters, digits, `-` and `_`; other bytes as `-xHH`. For ids and custom properties.
std::string identifier(const std::string& text);

/// "linecolor rgb '#c8321a' linewidth 2 dashtype 1"
std::string line_style(const std::string& colour, double width, const std::string& dash = "1");
/// "pointtype 7 pointsize 1 linecolor rgb '#c8321a' linewidth 1.5"
std::string point_style(const MethodStyle& style, double size);
/// Plot elements of marks at the rows of a data block: the method's own, or hollow.
std::vector<std::string> mark_elements(const std::string& data,
                                       const MethodStyle& style,
                                       double size,
                                       bool hollow);
/// The reference and lines that bear the method's name are drawn wider.
bool stands_out(const std::string& method);

/// A number for gnuplot: six significant digits, no locale.
std::string number(double value);

}  // namespace figures
}  // namespace sar
