#include "results/claims/claim_runs.h"

#include "harness/core/error.h"
#include "results/database/stored_file.h"

#include <algorithm>
#include <map>
#include <set>
#include <tuple>
#include <utility>

namespace sar {
namespace {

/// Contents of the images of a node's cases, by case.
std::map<std::string, std::set<std::string>> images_of(const std::optional<NodeRow>& node) {
  std::map<std::string, std::set<std::string>> images;
  if (!node || !node->inputs.contains("cases")) {
    return images;
  }
  for (const Json& each : node->inputs.at("cases")) {
    std::set<std::string>& digests = images[each.at("id").get<std::string>()];
    if (each.contains("images")) {
      for (const auto& [channel, digest] : each.at("images").items()) {
        digests.insert(digest.get<std::string>());
      }
    }
  }
  return images;
}

/// Gathers what the nodes of a protocol's finished cells say.
class RunReader {
 public:
  explicit RunReader(const Store& store) : store_(store) {}

  void add(const CellRow& cell, TaskRuns& task) {
    const auto evaluation = store_.node(cell.evaluate_node);
    if (!evaluation || !evaluation->inputs.contains("test")) {
      return;
    }
    const auto test = evaluation->inputs.at("test").get<std::vector<std::string>>();
    task.test_cases = std::max(task.test_cases, static_cast<int>(test.size()));
    const std::string prepared = evaluation->inputs.value("prepared", std::string());
    const auto& cases = images(prepared);
    task.cases = std::max(task.cases, static_cast<int>(cases.size()));
    if (cell.fraction == "1" && measured_.insert(cell.evaluate_node).second) {
      for (const StoredCaseDice& each : store_.case_dice(cell.evaluate_node)) {
        if (each.target == "tumor" && each.voxels_true > 0) {
          task.least_voxels = task.most_voxels == 0 ? each.voxels_true
                                                    : std::min(task.least_voxels, each.voxels_true);
          task.most_voxels = std::max(task.most_voxels, each.voxels_true);
        }
      }
    }
    if (cell.pretrain_node.empty()) {
      return;
    }
    const std::set<std::string>& seen = pretrained_on(cell.pretrain_node);
    for (const auto& id : test) {
      const auto found = cases.find(id);
      if (seen.empty() || found == cases.end() || found->second.empty() ||
          !compared_.insert({cell.pretrain_node, cell.task, id}).second) {
        continue;
      }
      if (of_task_.insert({cell.task, id}).second) {
        ++task.compared;
      }
      if (std::ranges::any_of(found->second,
                              [&](const std::string& digest) { return seen.contains(digest); }) &&
          std::ranges::find(task.seen, id) == task.seen.end()) {
        task.seen.push_back(id);
      }
    }
  }

 private:
  const std::map<std::string, std::set<std::string>>& images(const std::string& node) {
    const auto [found, fresh] = images_.try_emplace(node);
    if (fresh) {
      found->second = images_of(store_.node(node));
    }
    return found->second;
  }

  const std::set<std::string>& pretrained_on(const std::string& node) {
    const auto [found, fresh] = pretrained_.try_emplace(node);
    if (fresh) {
      const auto row = store_.node(node);
      if (row && row->inputs.contains("cubes")) {
        for (const Json& cubes : row->inputs.at("cubes")) {
          for (const auto& [id, digests] : images(cubes.get<std::string>())) {
            found->second.insert(digests.begin(), digests.end());
          }
        }
      }
    }
    return found->second;
  }

  const Store& store_;
  std::map<std::string, std::map<std::string, std::set<std::string>>> images_;
  std::map<std::string, std::set<std::string>> pretrained_;
  std::set<std::string> measured_;
  std::set<std::tuple<std::string, std::string, std::string>> compared_;
  std::set<std::pair<std::string, std::string>> of_task_;
};

}  // namespace

ClaimRuns read_claim_runs(const Store& store, const ProtocolRow& protocol) {
  ClaimRuns runs;
  runs.protocol = protocol;
  runs.curves = store.finetuning_curves(protocol.protocol, "1");
  if (const auto node = store.survey(protocol.protocol)) {
    try {
      runs.survey = read_survey(*node, node->path);
    } catch (const Error&) {
      runs.survey = nullptr;  // the verdicts say that there is no count
    }
  }
  RunReader reader(store);
  for (const RunRow& run : store.runs(protocol.protocol)) {
    if (run.state == "done") {
      reader.add(run.cell, runs.tasks[run.cell.task]);
    }
  }
  return runs;
}

}  // namespace sar
