#pragma once

#include "datasets/dataset.h"

#include <functional>
#include <string>
#include <vector>

namespace sar {

/// One finding of `data verify`.
struct Finding {
  enum class Severity { note, error };
  Severity severity = Severity::error;
  /// layout | duplicate-id | unreadable | geometry | label-values | not-finite | duplicate-image |
  /// empty-label | count
  std::string check;
  std::string dataset;
  std::string case_id;  ///< empty for the whole set
  std::string file;
  std::string message;
};

/// Reads every image and label of a data set and reports all findings at once: faults of the
/// layout, unreadable files, geometry of the case's first channel against its label and the other
/// channels, label values that the set does not know (with counts), NaN and infinities, ids that
/// occur twice, identical voxels under two names. Notes: a file that leaves its orientation in
/// doubt, a label without foreground, a number of cases (as chosen by the default configuration)
/// that is not the paper's. Never throws for a fault of the data. `progress` gets cases done and
/// total.
std::vector<Finding> verify_dataset(const DatasetAdapter& adapter,
                                    const std::filesystem::path& root,
                                    const std::function<void(int, int)>& progress = {});

}  // namespace sar
