#pragma once

#include "results/database/store.h"
#include "results/document/sheet.h"
#include "results/paper/paper.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// Table 1: counts of the pre-training data at hand beside the printed ones, each difference named.
/// `survey` is the product of a `survey` node, or null; `paper` may be null. `datasets` orders and
/// selects the rows.
Sheet data_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<std::string>& datasets,
                 const Json& survey,
                 const ProtocolRow* protocol,
                 const Paper* paper);

}  // namespace sar
