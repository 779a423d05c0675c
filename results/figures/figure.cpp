#include "results/figures/figure.h"

#include "results/figures/plot.h"
#include "results/figures/svg.h"
#include "results/text/words.h"

namespace sar {

std::vector<Drawing> draw(const std::vector<Figure>& figures) {
  std::vector<PlotJob> jobs;
  for (const Figure& figure : figures) {
    jobs.push_back({figure.id,
                    figure.commands,
                    {terminal("svg", figure.width, figure.height),
                     terminal("png", figure.width, figure.height)}});
  }
  const auto pictures = plotted(jobs);
  std::vector<Drawing> drawings;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    drawings.push_back({figures::finished_svg(pictures[i][0], figures[i], false),
                        pictures[i][1],
                        figures::finished_svg(pictures[i][0], figures[i], true)});
  }
  return drawings;
}

namespace figures {

std::string title_of(const std::string& title, const ProtocolRow& protocol) {
  return title + phantom_mark(protocol.data_kind);
}

void add_protocol_notes(std::vector<std::string>& notes, const ProtocolRow& protocol) {
  notes.push_back(protocol_note(protocol.protocol, protocol.profile));
  if (protocol.data_kind == "phantom") {
    notes.emplace_back(kPhantomNote);
  }
}

}  // namespace figures
}  // namespace sar
