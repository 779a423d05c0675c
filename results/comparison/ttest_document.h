#pragma once

#include "results/comparison/ttest_report.h"
#include "results/document/document.h"

namespace sar {

/// A line per test, then the arithmetic and what it shows. CSV: a line per test; JSON:
/// {"test", "testable", "reason", "t", "df", "p", "difference", "ci", "hedges_g", ...}; what is not
/// known is null. The difference is known wherever both means are, tested or not.
Document document_of(const TTestReport& report);

}  // namespace sar
