#pragma once

#include "experiments/jobs.h"
#include "results/database/store.h"

#include <vector>

namespace sar {

// What workers send, as the store keeps it.

std::vector<StoredLoss> stored(const std::vector<events::Loss>& rows);
std::vector<StoredMetric> stored(const std::vector<events::Metric>& rows);

/// Writes what the result of a node says about it into its row; returns the Dice of its cases, if
/// it has any. What the result does not say stays. Throws Error 70 if it is not the result of
/// `job`.
std::vector<StoredCaseDice> take_result(const jobs::NodeJob& job, const Json& result, NodeRow& row);

}  // namespace sar
