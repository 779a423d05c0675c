#pragma once

#include "harness/core/json.h"
#include "results/database/store.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace sar {

/// What the stored runs of one protocol say about a task beside its Dice.
struct TaskRuns {
  int cases = 0;                  ///< labelled cases, training and test
  int test_cases = 0;             ///< of one trial
  std::int64_t least_voxels = 0;  ///< of a test tumour
  std::int64_t most_voxels = 0;   ///< 0: no tumour is stored
  int compared = 0;               ///< test cases compared with pre-training cases
  std::vector<std::string> seen;  ///< test cases whose image was pre-trained on
};
/// Stored runs behind measured cells.
struct ClaimRuns {
  ProtocolRow protocol;
  std::vector<StoredCurveRow> curves;  ///< fine-tunings with all labels
  Json survey;                         ///< counts of the pre-training data; null if not counted
  std::map<std::string, TaskRuns> tasks;
};
/// Reads them; a survey whose file is gone or was changed counts as none. Throws Error 74 as the
/// store does.
ClaimRuns read_claim_runs(const Store& store, const ProtocolRow& protocol);

}  // namespace sar
