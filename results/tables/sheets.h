#pragma once

#include "results/database/store.h"
#include "results/paper/paper.h"
#include "results/tables/table.h"

#include <filesystem>
#include <string>
#include <vector>

namespace sar {

/// The product of a `survey` node, from its file. Throws Error 4 if it is gone, Error 65 if it is
/// not the one whose SHA-256 the node has.
Json read_survey(const NodeRow& node, const std::filesystem::path& file);

/// Table 1: counts of the pre-training data at hand beside the printed ones, each difference named.
/// `survey` is the product of a `survey` node, or null; `paper` may be null. `datasets` orders and
/// selects the rows.
Sheet data_sheet(const std::string& id,
                 const std::string& title,
                 const std::vector<std::string>& datasets,
                 const Json& survey,
                 const ProtocolRow* protocol,
                 const Paper* paper);

/// Proxy metrics of each method against guessing, at the epoch whose weights are kept; means where
/// a method was pre-trained several times. Failed pre-trainings are rows with their reason.
Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<TableRow>& methods,
                  const Store& store,
                  const ProtocolRow& protocol);

}  // namespace sar
