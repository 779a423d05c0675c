#pragma once

#include "results/database/store.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// Proxy metrics of each method against guessing, at the epoch whose weights are kept; means where
/// a method was pre-trained several times. Failed pre-trainings are rows with their reason.
Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<TableRow>& methods,
                  const Store& store,
                  const ProtocolRow& protocol);

}  // namespace sar
