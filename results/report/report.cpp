#include "results/report/report.h"

#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "results/figures/style.h"
#include "results/report/facts.h"
#include "results/report/page_template.h"
#include "results/report/page_texts.h"
#include "results/report/section.h"
#include "results/text/words.h"

#include <fmt/format.h>

#include <set>
#include <utility>

namespace sar {
namespace {

struct MadeSection {
  Section section;
  SectionContent content;
};

/// Those that the report has. A report of one part has the sections of that part; one of the whole
/// says what is missing.
std::vector<MadeSection> make_sections(const ReportContents& contents) {
  SectionRegistry registry;
  sections::register_all(registry);
  std::vector<MadeSection> made;
  for (const Section& section : registry.sections()) {
    SectionContent content = section.content(contents);
    const bool gap = content.empty() && contents.whole && section.gap;
    if (gap && !section.gap->empty()) {
      content.message(*section.gap);
    }
    if (gap || !content.empty()) {
      made.push_back({section, std::move(content)});
    }
  }
  return made;
}

/// So that one that cannot be drawn does not take the others away. Returns the reasons.
std::vector<std::string> draw_singly(const std::vector<SectionFigure*>& figures) {
  std::vector<std::string> reasons;
  std::set<std::string> known;
  for (SectionFigure* each : figures) {
    try {
      each->drawing = draw({each->figure}).front();
    } catch (const Error& error) {
      each->not_drawn = "Not drawn: " + error.message() + ". The numbers are below.";
      if (known.insert(error.message()).second) {
        reasons.emplace_back(error.what());
      }
    }
  }
  return reasons;
}

/// Draws the figures of all sections, side by side if all can be drawn. Returns why some were not.
std::vector<std::string> draw_all(std::vector<MadeSection>& sections) {
  std::vector<Figure> figures;
  std::vector<SectionFigure*> places;
  for (MadeSection& made : sections) {
    for (SectionFigure& each : made.content.figures()) {
      figures.push_back(each.figure);
      places.push_back(&each);
    }
  }
  try {
    std::vector<Drawing> drawings = draw(figures);
    for (std::size_t i = 0; i < places.size(); ++i) {
      places[i]->drawing = std::move(drawings[i]);
    }
    return {};
  } catch (const Error&) {
    return draw_singly(places);
  }
}

std::string lead_of(const ReportContents& contents) {
  std::string lead;
  if (!contents.citation.empty()) {
    lead = "Measured beside " + contents.citation + ". ";
  } else if (contents.claims || contents.audit) {
    lead = "Claims and audit are of " + contents.paper + ". ";
  }
  return lead + protocol_note(contents.protocol.protocol, contents.protocol.profile);
}

Json view_of(const ReportContents& contents,
             const std::vector<MadeSection>& made,
             const PageTemplate& page) {
  std::set<std::string> methods;
  for (const ReportTable& table : contents.tables) {
    for (const TableRow& row : table.measured.spec.rows) {
      methods.insert(row.method);
    }
  }
  Json sections = Json::array();
  for (const auto& [section, content] : made) {
    sections.push_back({{"section_id", section.id},
                        {"short_title", section.short_title},
                        {"section_title", content.title},
                        {"paragraphs", texts(content.paragraphs)},
                        {"blocks", content.blocks()}});
  }
  const std::string title = contents.title + contents.phantom_mark();
  return {
      {"page_title", "sar-bench report: " + title},
      {"heading_of_page", title},
      {"content_security_policy",
       "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-" +
           base64(sha256_bytes("\n" + page.script + "\n")) + "'"},
      {"css", figure_css({methods.begin(), methods.end()}) + page.style},
      {"script", page.script},
      {"lead", lead_of(contents)},
      {"phantom",
       contents.is_phantom()
           ? Json(
                 "Every measured number on this page was made with phantom images. It says nothing "
                 "about real scans and cannot be compared with the paper's.")
           : Json(false)},
      {"facts", facts_of(contents)},
      {"sections", std::move(sections)},
      {"footer",
       fmt::format("Made {} by sar-bench {} from {}.",
                   contents.made,
                   contents.version,
                   contents.database)}};
}

}  // namespace

Report make_report(const ReportContents& contents, const PageTemplate& page) {
  std::vector<MadeSection> made = make_sections(contents);
  Report report;
  report.not_drawn = draw_all(made);
  report.page = filled_template(page.page, view_of(contents, made, page));
  for (const MadeSection& each : made) {
    report.files.merge(each.content.files());
  }
  return report;
}

}  // namespace sar
