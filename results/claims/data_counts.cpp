#include "results/claims/data_counts.h"

namespace sar {
namespace {

std::vector<DataSetCounts> counts_of(const Json& survey) {
  std::vector<DataSetCounts> sets;
  if (!survey.is_object() || !survey.contains("datasets")) {
    return sets;
  }
  for (const Json& counted : survey.at("datasets")) {
    DataSetCounts& set = sets.emplace_back();
    set.dataset = counted.at("dataset");
    set.label = set.dataset;
    set.modality = counted.at("modality");
    set.organ = counted.at("organ");
    set.volumes = counted.at("volumes");
    const long patients = counted.at("patients");
    set.cases = patients == 0 ? set.volumes : patients;
    for (const Json& count : counted.at("cubes")) {  // a list, or by scale
      set.cubes.push_back(count);
    }
  }
  return sets;
}

}  // namespace

std::vector<DataSetCounts> data_counts(Judge& judge) {
  if (!judge.measured()) {
    if (judge.context().paper.datasets.empty()) {
      judge.not_testable("the paper has no table of data sets");
    }
    return printed_counts(judge.context().paper);
  }
  if (!about_real_data(judge)) {
    return {};
  }
  auto sets = counts_of(judge.context().runs->survey);
  if (sets.empty()) {
    judge.not_testable(
        "the pre-training data are not counted yet, or the count is gone or was changed: "
        "sar-bench run table1");
  }
  return sets;
}

bool about_real_data(Judge& judge) {
  if (judge.context().runs == nullptr) {
    judge.not_testable("no stored run is at hand");
    return false;
  }
  if (judge.context().source.data_kind != "real") {
    judge.not_testable(
        "phantom data: counts of an invented suite say nothing about the real data sets");
    return false;
  }
  return true;
}

const TaskRuns* task_runs(const Judge& judge, const std::string& task) {
  const ClaimRuns* runs = judge.context().runs;
  if (runs == nullptr) {
    return nullptr;
  }
  const auto found = runs->tasks.find(task);
  return found == runs->tasks.end() ? nullptr : &found->second;
}

}  // namespace sar
