#pragma once

#include "results/figures/figure.h"
#include "results/tables/label_efficiency.h"

#include <string>
#include <vector>

namespace sar {

/// Mean and SD over label fraction (logarithmic), a panel per group.
Figure efficiency_figure(const std::string& id,
                         const std::string& title,
                         const std::vector<LabelEfficiency>& groups,
                         const ProtocolRow& protocol);

}  // namespace sar
