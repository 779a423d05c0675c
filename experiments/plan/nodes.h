#pragma once

#include "experiments/catalog.h"
#include "experiments/configuration.h"
#include "experiments/manifest.h"
#include "experiments/plan.h"
#include "experiments/plan/splits.h"

#include <cstddef>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <vector>

namespace sar {

/// Makes the nodes of a plan. Each function adds a node with all that it needs unless they are
/// there already, under the key that their inputs hash to, and returns that key.
class Nodes {
 public:
  /// All must outlive the object. Products lie below `work`; nodes are added to `plan`, whose
  /// protocol must be set.
  Nodes(const Catalog& catalog,
        const Configuration& configuration,
        const Manifest& manifest,
        const Splits& splits,
        std::filesystem::path work,
        Plan& plan);

  /// Counts cases and cubes of the pre-training data (Table 1). The protocol is an input, so that
  /// the counts are found under it.
  std::string survey(const CaseIds& brats_train);
  /// Pre-trains on the sources, of BraTS on its training cases. Throws Error 65 if a test case of
  /// BraTS is among them.
  std::string pretraining(const MethodInfo& method, const TrialSplit& brats);
  /// Prepares the volumes of a task.
  std::string prepared(const std::string& task);
  /// Fine-tunes the cell's method on cases of `train`, from the cell's pre-training if it has one.
  std::string finetuning(const PlannedCell& cell,
                         const std::string& prepared,
                         const CaseIds& train);
  /// Trains a network on a task's training cases, with all labels, for a control to start from; one
  /// for all trials that share a split.
  std::string supervised(const MethodInfo& method,
                         const std::string& task,
                         int trial,
                         const std::string& prepared);
  /// Tests the cell's fine-tuning.
  std::string evaluation(const PlannedCell& cell,
                         const std::string& prepared,
                         const TrialSplit& parts);

  /// The leak guard by content: no image of a test case may have gone into a pre-training (by key),
  /// under whatever name. Throws Error 65 naming both cases.
  void refuse_seen_images(const std::string& pretraining,
                          const std::string& task,
                          const CaseIds& test);

  /// Different nodes asked for since the last call.
  int take_touched();

 private:
  /// A training on labelled cases.
  struct Training {
    std::string label, method, transfer, task;
    std::string prepared, initial;  ///< keys of nodes; `initial` empty: random weights
    std::uint64_t seed = 0;
    FinetuningCases cases;
  };
  std::string add_training(Training training, const Settings& settings);
  std::string add(PlannedNode node, const std::string& extension);
  std::string cubes(const std::string& source, const CaseIds& ids, const std::string& which);
  [[nodiscard]] Json cube_changes(const std::string& which) const;
  std::vector<ManifestCase> add_cases(Json& inputs,
                                      const std::string& dataset,
                                      const CaseIds& ids,
                                      const std::string& channel) const;
  [[nodiscard]] std::vector<ManifestCase> cases_of(const std::string& task,
                                                   const CaseIds& first,
                                                   const CaseIds& second) const;
  [[nodiscard]] const PlannedNode& at(const std::string& key) const;

  const Catalog& catalog_;
  const Configuration& configuration_;
  const Settings& shared_;
  const Manifest& manifest_;
  const Splits& splits_;
  std::filesystem::path work_;
  Plan& plan_;
  std::map<std::string, std::size_t> index_;  ///< key to position in the plan
  std::set<std::string> touched_;
  std::map<std::string, std::map<std::string, std::string>>
      seen_images_;  ///< by pre-training: digest to case
};

}  // namespace sar
