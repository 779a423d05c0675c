#pragma once

#include "harness/core/json.h"
#include "results/report/contents.h"

namespace sar {

/// The figures at the head of the page, with links to where they come from: trials done,
/// significant comparisons, claims supported, audit findings. A list for the template.
Json facts_of(const ReportContents& contents);

}  // namespace sar
