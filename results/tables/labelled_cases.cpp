#include "results/tables/labelled_cases.h"

#include "results/statistics/statistics.h"

#include <set>

namespace sar {

std::map<std::pair<std::string, std::string>, double> labelled_cases(
    const std::vector<TrialInputs>& trials) {
  std::map<std::pair<std::string, std::string>, std::vector<double>> counts;
  for (const TrialInputs& trial : trials) {
    std::set<std::string> cases;
    for (const char* list : {"train", "validation"}) {
      for (const Json& id : trial.inputs.value(list, Json::array())) {
        cases.insert(id.get<std::string>());
      }
    }
    if (!cases.empty()) {
      counts[{trial.task, trial.fraction}].push_back(static_cast<double>(cases.size()));
    }
  }
  std::map<std::pair<std::string, std::string>, double> means;
  for (const auto& [key, values] : counts) {
    means[key] = summarise(values).mean;
  }
  return means;
}

}  // namespace sar
