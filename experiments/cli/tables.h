#pragma once

#include "experiments/cli/options.h"
#include "results/table.h"

namespace sar::cli {

/// Opens the database for reading. Throws Error 4 if there is none yet.
Store open_results(const CommonOptions& common);

/// A table of stored trials under one protocol, with the trials that were planned under it.
Table stored_table(const Store& store,
                   const ProtocolRow& protocol,
                   TableSpec spec,
                   const CommonOptions& common);

}  // namespace sar::cli
