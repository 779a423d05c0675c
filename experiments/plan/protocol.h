#pragma once

#include "experiments/catalog.h"
#include "experiments/configuration.h"
#include "experiments/manifest.h"
#include "experiments/plan/splits.h"
#include "harness/core/json.h"
#include "results/database/store.h"

#include <string>

namespace sar {

/// Refuses values that no single key can check. Throws Error 2 naming the key, its value and where
/// it was set.
void check_values(const Settings& shared);

/// What every numeric result depends on besides its own inputs: precision and threads as `settings`
/// of a method say, the kind of device as all share it.
Json numerics(const Catalog& catalog, const Settings& shared, const Settings& settings);

/// The set-up under which results may be compared: its key hashes the data, every configured value
/// that moves a number, and the split if a file gives it.
ProtocolRow make_protocol(const Catalog& catalog,
                          const Configuration& configuration,
                          const Manifest& manifest,
                          const Splits& splits,
                          const std::string& profile);

}  // namespace sar
