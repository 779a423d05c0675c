#pragma once

#include "experiments/cli/options.h"
#include "results/table.h"

namespace sar::cli {

TableOptions table_options(const CommonOptions& common);

}  // namespace sar::cli
