#include "results/database/trial_means.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

namespace sar {

std::vector<TrialMean> trial_means(const std::vector<StoredCaseDice>& cases) {
  struct Sum {
    int cases = 0;
    double dice = 0;
    std::int64_t both = 0, either = 0;
  };
  std::map<std::pair<std::string, std::string>, Sum> sums;
  for (const StoredCaseDice& row : cases) {
    for (const std::string& bucket : std::set<std::string>{row.bucket, "all"}) {
      Sum& sum = sums[{row.target, bucket}];
      ++sum.cases;
      sum.dice += row.dice;
      sum.both += row.voxels_both;
      sum.either += row.voxels_predicted + row.voxels_true;
    }
  }
  std::vector<TrialMean> result;
  TrialMean average{"average", "all"};
  int targets = 0;
  for (const auto& [key, sum] : sums) {
    TrialMean mean{key.first, key.second, sum.cases, sum.dice / sum.cases};
    // No voxel at all: every case is empty on both sides, and its Dice says what that counts.
    mean.pooled = sum.either == 0
                      ? mean.dice
                      : 200.0 * static_cast<double>(sum.both) / static_cast<double>(sum.either);
    if (mean.bucket == "all") {
      ++targets;
      average.cases = targets == 1 ? mean.cases : std::min(average.cases, mean.cases);
      average.dice += mean.dice;
      average.pooled += mean.pooled;
    }
    result.push_back(std::move(mean));
  }
  if (targets > 1) {
    average.dice /= targets;
    average.pooled /= targets;
    result.push_back(std::move(average));
  }
  return result;
}

}  // namespace sar
