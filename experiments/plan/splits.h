#pragma once

#include "experiments/manifest.h"
#include "harness/config/settings.h"
#include "harness/core/rng.h"
#include "harness/volume/split.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace sar {

/// Cases of one trial of a task.
struct TrialSplit {
  CaseIds train, test;
};

/// Cases that one fine-tuning reads.
struct FinetuningCases {
  TrainValidation lists;                 ///< at the label fraction
  std::size_t training_of_full_run = 0;  ///< training cases with all labels
};

/// Who is pre-trained on, who trains, who validates and who tests: drawn from the seed, the same
/// for all methods.
class Splits {
 public:
  /// Both must outlive the object.
  Splits(const Settings& shared, const Manifest& manifest);

  /// Training and test cases. BraTS: one split, one per trial, or the split file's; pancreas: trial
  /// k is tested on fold k. Throws Error 2 for a trial without a fold or a split file with unknown
  /// cases, 65 for a file that names a case twice.
  [[nodiscard]] TrialSplit trial(const std::string& task, int trial) const;
  /// What fine-tuning gets of the training cases `train` at a label fraction ("1/2"), of which
  /// `validation_fraction` validate.
  [[nodiscard]] FinetuningCases finetuning(const std::string& task,
                                           const CaseIds& train,
                                           const std::string& fraction,
                                           int trial,
                                           double validation_fraction) const;
  /// Cases by source data set: all that are selected, of BraTS those of `brats_train` only. Throws
  /// Error 65 for a set without any.
  [[nodiscard]] std::map<std::string, CaseIds> pretraining(const CaseIds& brats_train) const;
  /// Patients of these cases that are held out for the plateau schedule; none where there is one
  /// patient only.
  [[nodiscard]] std::map<std::string, CaseIds> pretraining_validation(
      const std::map<std::string, CaseIds>& sources) const;
  /// Cases of a task: labelled, and in the set's list if one is given.
  [[nodiscard]] CaseIds labelled(const std::string& task) const;
  [[nodiscard]] std::uint64_t seed() const;
  /// Seed of a trial, derived from that; equal for all methods with the same purpose
  /// (`MethodInfo::trial_seeds`).
  [[nodiscard]] std::uint64_t seed_of(int trial, std::string_view purpose = "trial") const;
  /// The trial whose training cases stand for this one's: the first, where all trials share one
  /// split.
  [[nodiscard]] int first_with_split_of(const std::string& task, int trial) const;

 private:
  [[nodiscard]] Rng rng(std::string_view purpose, const std::string& task, int trial) const;

  const Settings& shared_;
  const Manifest& manifest_;
};

}  // namespace sar
