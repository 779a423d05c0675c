#pragma once

#include "results/figures/figure.h"
#include "results/tables/forest.h"

#include <string>
#include <vector>

namespace sar {

/// One panel per column with intervals: the reference of `table` against each method; the published
/// one hollow.
Figure forest_figure(const std::string& id,
                     const std::string& title,
                     const std::vector<ForestPanel>& measured,
                     const std::vector<ForestPanel>& published,
                     const Table& table);

}  // namespace sar
