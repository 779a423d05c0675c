#pragma once

#include "results/database/rows.h"

#include <string>
#include <vector>

namespace sar {

/// What one trial reached on a target, over the cases of a bucket.
struct TrialMean {
  std::string target, bucket;
  int cases = 0;
  double dice = 0;    ///< percent, mean over cases
  double pooled = 0;  ///< percent, from the voxel counts of all cases together
};

/// Per target and bucket, and per target over all buckets ("all"), ascending; with several targets
/// then "average", the mean over them, whose cases are the fewest of a target.
std::vector<TrialMean> trial_means(const std::vector<StoredCaseDice>& cases);

}  // namespace sar
