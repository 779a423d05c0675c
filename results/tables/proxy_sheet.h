#pragma once

#include "results/database/store.h"
#include "results/document/sheet.h"
#include "results/tables/table.h"

#include <string>
#include <vector>

namespace sar {

/// What is stored of these methods under a protocol, one entry each.
std::vector<ProxyResult> proxy_results(const std::vector<TableRow>& methods,
                                       const Store& store,
                                       const ProtocolRow& protocol);

/// The line below a table: what each row's proxy task came to on patients held out, beside what
/// guessing would give, and where it was no better. Empty if no row was pre-trained.
std::string sentence(const std::vector<ProxyResult>& results);

/// {"metric", "epochs", "n", "train": {"value", "chance"}, "val": {"value", "chance"}}
Json json_of(const ProxyMetric& metric);

/// Proxy metrics of each method against guessing. Failed pre-trainings are rows with their reason.
Sheet proxy_sheet(const std::string& id,
                  const std::string& title,
                  const std::vector<ProxyResult>& results,
                  const ProtocolRow& protocol);

}  // namespace sar
