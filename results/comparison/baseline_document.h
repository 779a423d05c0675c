#pragma once

#include "results/comparison/baseline.h"
#include "results/document/document.h"

namespace sar {

/// For "text", "md" (a comment on a pull request), "json" and "junit" (a test case per cell,
/// undecided ones skipped).
Document document_of(const GateReport& report);

}  // namespace sar
