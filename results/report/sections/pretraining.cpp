#include "results/report/section.h"

namespace sar::sections::pretraining {
namespace {

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "How well were the proxy tasks learned?";
  for (const Sheet& sheet : contents.pretraining) {
    section.sheet(sheet);
    section.table_files(sheet);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({80, "pretraining", "Proxy tasks", {}, content});
}

}  // namespace sar::sections::pretraining
