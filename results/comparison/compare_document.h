#pragma once

#include "results/comparison/compare.h"
#include "results/document/document.h"

namespace sar {

/// What differs between the protocols, then the cells that differ. CSV: one line per cell.
Document document_of(const DatabaseComparison& comparison);

}  // namespace sar
