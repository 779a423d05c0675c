#include "results/report/section.h"

namespace sar::sections::assumptions {
namespace {

SectionContent content(const ReportContents& contents) {
  SectionContent section;
  section.title = "Where the paper is silent: the assumption ledger";
  if (contents.assumptions) {
    section.sheet(*contents.assumptions);
    section.table_files(*contents.assumptions);
  }
  return section;
}

}  // namespace

void register_in(SectionRegistry& registry) {
  registry.add({120, "assumptions", "Ledger", {}, content});
}

}  // namespace sar::sections::assumptions
