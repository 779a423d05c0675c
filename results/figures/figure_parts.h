#pragma once

#include "results/figures/figure.h"

#include <string>
#include <utility>
#include <vector>

// What the figures share: colours, texts that are safe in gnuplot and SVG, a canvas in pixels.

namespace sar::figure_parts {

/// Colours of light paper; `figure_css` has their dark twins under the same names.
inline const std::string kInk = "#1b2330", kMuted = "#586474", kGrid = "#dde2e8",
                         kPaper = "#ffffff";
/// Height in pixels of the band above a figure that holds its title. The page has the title in its
/// own text, so an inline figure begins below the band.
constexpr int kTitleBand = 44;
constexpr int kWidth = 960;  ///< of every figure, pixels

/// Custom properties of the colours that figures use: {"#1b2330", "var(--ink)"}.
std::vector<std::pair<std::string, std::string>> colour_variables();

/// A text of a user as one line of valid XML characters, at most `most` code points long (longer
/// ones end in an ellipsis). Line feeds become blanks; control characters, marks that turn the
/// writing direction and bytes that are no UTF-8 go. "&#x" is parted, since gnuplot's SVG terminal
/// would let it pass as a character reference.
std::string plain(const std::string& text, std::size_t most = 90);
/// The same in gnuplot's single quotes, where nothing is expanded: no backtick, escape or macro.
std::string quoted(const std::string& text, std::size_t most = 90);
/// Text of XML.
std::string escape_xml(const std::string& text);
/// Letters, digits, `-` and `_`; other bytes as `-xHH`. For ids and custom properties.
std::string identifier(const std::string& text);
/// Width in pixels that a text takes about.
double text_width(const std::string& text, double size);
/// A number for gnuplot: six significant digits, no locale.
std::string number(double value);

/// Texts of these sizes are bold.
constexpr double kTitleSize = 18, kHeadingSize = 14;
struct TextStyle {
  double size = 13;
  std::string align = "left";
  std::string colour = kInk;
};
/// Edges in pixels from the top left corner.
struct Box {
  double left = 0, top = 0, right = 0, bottom = 0;
};

/// Collects the commands of one figure. Marks and texts outside the panels are drawn with the next
/// panel.
class Canvas {
 public:
  Canvas(int height, const std::string& title);

  void text(double x, double y, const std::string& text, const TextStyle& style = {});
  /// `style`: gnuplot's words for a point or a line.
  void mark(double x, double y, const std::string& style);
  void line(double x1, double y1, double x2, double y2, const std::string& style);
  void command(const std::string& text) { commands_ += text + "\n"; }
  /// A data block; returns its name, to be plotted.
  std::string data(const std::vector<std::vector<double>>& rows);
  /// Draws the elements over one another in a panel; without any, the panel stays empty.
  void panel(const Box& box, const std::vector<std::string>& elements);

  struct LegendEntry {
    std::string label, colour;
    std::string line, point;  ///< styles; either may be empty
  };
  /// One or more centred lines of entries, the first at height y; returns the height of the last.
  double legend(double y, const std::vector<LegendEntry>& entries);
  static double legend_height(const std::vector<LegendEntry>& entries);

  [[nodiscard]] std::string finished();

 private:
  [[nodiscard]] std::string at(double x, double y) const;
  int height_;
  int blocks_ = 0, labels_ = 0, arrows_ = 0;
  std::string commands_;
};

/// "linecolor rgb '#c8321a' linewidth 2 dashtype 1"
std::string line_style(const std::string& colour, double width, const std::string& dash = "1");
/// "pointtype 7 pointsize 1 linecolor rgb '#c8321a' linewidth 1.5"
std::string point_style(const MethodStyle& style, double size);
/// The reference and lines that bear the method's name are drawn wider.
bool stands_out(const std::string& method);

/// Positions of tics on a logarithmic axis: 1, 10, ... or 1, 2, 5, 10, ... where these are few.
std::vector<double> log_tics(double least, double most);

/// A round step (1, 2, 5 times a power of ten) that divides a range into at most so many parts.
double round_step(double range, int parts);

/// Plot elements of marks at the rows of a data block: the method's own, or hollow.
std::vector<std::string> mark_elements(const std::string& data,
                                       const MethodStyle& style,
                                       double size,
                                       bool hollow);

/// Title with its mark for phantom data.
std::string title_of(const std::string& title, const ProtocolRow& protocol);
/// Sentences on the protocol, as below the tables.
void add_protocol_notes(std::vector<std::string>& notes, const ProtocolRow& protocol);
/// Protocol and kind of data in the document of a figure's numbers.
void add_origin(Sheet& sheet, const ProtocolRow& protocol);

/// gnuplot's terminal for "svg" or "png" (twice as many pixels); texts are drawn as they are.
std::string terminal(const std::string& format, int width, int height);

/// gnuplot's SVG as a file (white paper, its own title) or for the page.
std::string finished_svg(const std::string& svg, const Figure& figure, bool page);

}  // namespace sar::figure_parts
