#pragma once

#include "results/comparison/verify.h"
#include "results/document/document.h"

namespace sar {

/// A summary, the cells of each table, and direction and rank agreement. CSV: one line per cell;
/// JSON: product contract, section 6.
Document document_of(const Verification& verification);

}  // namespace sar
