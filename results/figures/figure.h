#pragma once

#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// A figure and the numbers that it draws.
struct Figure {
  std::string id;  ///< file name without extension: "forest-table2"
  std::string title;
  std::string description;         ///< for who cannot see it: what it shows and its main finding
  std::vector<std::string> notes;  ///< sentences below it: what is drawn, n, tests, data kind
  std::string commands;            ///< for gnuplot, without the terminal
  int width = 960, height = 480;   ///< pixels
  Sheet data;                      ///< the numbers, for CSV, JSON and a table in the page
};

/// A drawn figure.
struct Drawing {
  std::string svg, png;  ///< files of their own, on white
  /// For the page: colours by custom properties, the page's fonts, ids that begin with the
  /// figure's, role="img" with title and description, no drawn title (the page has it). Scales to
  /// its container; legible from about 640 pixels on.
  std::string inline_svg;
};
/// Draws all, several gnuplots side by side. Throws Error 74 as `plotted`.
std::vector<Drawing> draw(const std::vector<Figure>& figures);

namespace figures {

/// Title with its mark for phantom data.
std::string title_of(const std::string& title, const ProtocolRow& protocol);
/// Sentences on the protocol, as below the tables.
void add_protocol_notes(std::vector<std::string>& notes, const ProtocolRow& protocol);

}  // namespace figures
}  // namespace sar
