#pragma once

#include "results/database/rows.h"
#include "results/figures/figure.h"

#include <string>
#include <vector>

namespace sar {

/// Dice against tumour volume (logarithmic), one small panel per method, edges of the size buckets
/// as lines; a point is a case, its mean over trials.
Figure size_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<CaseRow>& cases,
                   const std::vector<TableRow>& rows,
                   const std::string& task,
                   const std::string& target,
                   const ProtocolRow& protocol);

}  // namespace sar
