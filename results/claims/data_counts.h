#pragma once

#include "results/claims/judge.h"
#include "results/paper/predicates.h"

#include <string>
#include <vector>

namespace sar {

// What claims about data are judged by.

/// The table of data sets, printed, or for measured claims counted in the pre-training data; none,
/// the claim being not testable, where neither says anything.
std::vector<DataSetCounts> data_counts(Judge& judge);

/// False, the claim being not testable, unless there are stored runs of real data.
bool about_real_data(Judge& judge);

/// What finished runs of a task say about its data; null if there are none.
const TaskRuns* task_runs(const Judge& judge, const std::string& task);

}  // namespace sar
