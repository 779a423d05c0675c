#pragma once

#include "results/figures/style.h"

#include <string>
#include <vector>

/// A figure's drawing surface in pixels, which becomes commands of gnuplot.
namespace sar::figures {

/// Height in pixels of the band above a figure that holds its title. The page has the title in its
/// own text, so an inline figure begins below the band.
constexpr int kTitleBand = 44;
constexpr int kWidth = 960;  ///< of every figure, pixels

/// A text of a user as one line of valid XML characters, at most `most` code points long (longer
/// ones end in an ellipsis). Line feeds become blanks; control characters, marks that turn the
/// writing direction and bytes that are not UTF-8 go. "&#x" is parted, since gnuplot's SVG terminal
/// would let it pass as a character reference.
std::string plain(const std::string& text, std::size_t most = 90);
/// The same in gnuplot's single quotes, where nothing is expanded: no backtick, escape or macro.
std::string quoted(const std::string& text, std::size_t most = 90);
/// Width in pixels that a text takes about.
double text_width(const std::string& text, double size);

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

}  // namespace sar::figures
