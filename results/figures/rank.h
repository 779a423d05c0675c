#pragma once

#include "results/figures/figure.h"
#include "results/tables/rank_stability.h"

#include <string>
#include <vector>

namespace sar {

/// Share of the samples per rank and method, a panel per column.
Figure rank_figure(const std::string& id,
                   const std::string& title,
                   const std::vector<RankStability>& columns,
                   const ProtocolRow& protocol);

}  // namespace sar
