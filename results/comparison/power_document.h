#pragma once

#include "results/comparison/power_report.h"
#include "results/document/document.h"

namespace sar {

/// A line per comparison; notes say what may be read from them and what is to be added in all. CSV:
/// the same texts; JSON: unrounded.
Document document_of(const PowerReport& report);

/// One plan alone. `options`: those that it was made with.
Document document_of(const PowerPlan& plan, const PowerOptions& options);

}  // namespace sar
