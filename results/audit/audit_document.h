#pragma once

#include "results/audit/audit.h"
#include "results/document/document.h"

namespace sar {

/// CSV: a line per finding; JSON: product contract, section 6, with "checks" and "doubted".
Document document_of(const Audit& audit);

}  // namespace sar
