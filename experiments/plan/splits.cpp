#include "experiments/plan/splits.h"

#include "harness/config/toml.h"
#include "harness/core/error.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <set>

namespace sar {
namespace {

const std::vector<std::string> kSources{"luna", "lits", "brats", "heart"};

std::uint64_t index_of(const std::string& task) {
  return task == "brats" ? 0 : 1;
}

TrialSplit split_from_file(const std::string& path, const CaseIds& ids) {
  const TomlFile file = read_toml(path);
  TrialSplit result;
  for (const auto& [name, list] :
       {std::pair{"train", &result.train}, std::pair{"test", &result.test}}) {
    if (!file.tree.contains(name) || !file.tree.at(name).is_array()) {
      throw usage_error("a split file needs the lists 'train' and 'test'").with("file", path);
    }
    for (const Json& id : file.tree.at(name)) {
      if (!id.is_string() || std::ranges::find(ids, id.get<std::string>()) == ids.end()) {
        throw usage_error("the split file names a case that is not in the data")
            .with("file", path)
            .with("case", id.dump());
      }
      list->push_back(id);
    }
  }
  std::set<std::string> seen;
  for (const auto* list : {&result.train, &result.test}) {
    for (const auto& id : *list) {
      if (!seen.insert(id).second) {
        throw data_error("the split file names a case twice: no case may be in training and test")
            .with("file", path)
            .with("case", id);
      }
    }
  }
  return result;
}

}  // namespace

Splits::Splits(const Settings& shared, const Manifest& manifest)
    : shared_(shared), manifest_(manifest) {}

std::uint64_t Splits::seed() const {
  return static_cast<std::uint64_t>(shared_.integer("seed"));
}

Rng Splits::rng(std::string_view purpose, const std::string& task, int trial) const {
  return Rng(seed()).at(purpose, {index_of(task), static_cast<std::uint64_t>(trial)});
}

CaseIds Splits::labelled(const std::string& task) const {
  CaseIds ids;
  for (const auto& each : manifest_.at(task).cases) {
    if (each.label && each.selected) {
      ids.push_back(each.id);
    }
  }
  return ids;
}

TrialSplit Splits::trial(const std::string& task, int trial) const {
  const CaseIds ids = labelled(task);
  if (task == "brats") {
    if (const std::string file = shared_.text("brats.split_file"); !file.empty()) {
      return split_from_file(file, ids);
    }
    const bool resample = shared_.text("brats.split_mode") == "resample";
    const auto parts = split_train_test(
        ids, shared_.number("brats.test_ratio"), rng(purpose::split, task, resample ? trial : 0));
    return {parts.train, parts.test};
  }
  const int folds = shared_.integer("pancreas.folds");
  if (trial >= folds) {
    throw usage_error(
        "trial " + std::to_string(trial) +
        " of pancreas needs more folds than pancreas.folds = " + std::to_string(folds));
  }
  const auto parts = split_folds(ids, folds, rng(purpose::split, task, 0));
  TrialSplit result;
  result.test = parts.at(static_cast<std::size_t>(trial));
  std::ranges::copy_if(ids, std::back_inserter(result.train), [&](const std::string& id) {
    return std::ranges::find(result.test, id) == result.test.end();
  });
  return result;
}

FinetuningCases Splits::finetuning(const std::string& task,
                                   const CaseIds& train,
                                   const std::string& fraction,
                                   int trial,
                                   double validation_fraction) const {
  // One permutation for all fractions, so that subsets are nested, or one for each.
  const double share = parse_fraction(fraction);
  Rng permutation = rng(purpose::fraction, task, trial);
  if (!shared_.flag("fractions.nested")) {
    permutation =
        permutation.at(purpose::fraction, {static_cast<std::uint64_t>(std::lround(1 / share))});
  }
  const Rng validation = rng(purpose::validation, task, trial);
  return {
      carve_validation(take_fraction(train, share, permutation), validation_fraction, validation),
      carve_validation(train, validation_fraction, validation).train.size()};
}

std::map<std::string, CaseIds> Splits::pretraining(const CaseIds& brats_train) const {
  std::map<std::string, CaseIds> sources;
  for (const auto& source : kSources) {
    CaseIds ids;
    for (const auto& each : manifest_.at(source).cases) {
      if (each.selected &&
          (source != "brats" || std::ranges::find(brats_train, each.id) != brats_train.end())) {
        ids.push_back(each.id);
      }
    }
    if (ids.empty()) {
      throw data_error("no case for pre-training")
          .with("data set", source)
          .with("root", manifest_.at(source).root);
    }
    sources.emplace(source, std::move(ids));
  }
  return sources;
}

std::map<std::string, CaseIds> Splits::pretraining_validation(
    const std::map<std::string, CaseIds>& sources) const {
  std::map<std::string, CaseIds> validation;
  std::uint64_t index = 0;
  for (const auto& [source, ids] : sources) {
    std::set<std::string> patients;
    for (const auto& each : manifest_.at(source).cases) {
      if (std::ranges::find(ids, each.id) != ids.end()) {
        patients.insert(each.patient);
      }
    }
    const auto parts = carve_validation({patients.begin(), patients.end()},
                                        shared_.number("pretrain.validation_fraction"),
                                        Rng(seed()).at(purpose::validation, {index++}));
    validation[source] = parts.validation;
  }
  return validation;
}

std::uint64_t Splits::seed_of(int trial, std::string_view purpose) const {
  return Rng(seed()).at(purpose, {static_cast<std::uint64_t>(trial)}).next();
}

int Splits::first_with_split_of(const std::string& task, int trial) const {
  const bool shared = task == "brats" && (shared_.text("brats.split_mode") == "fixed" ||
                                          !shared_.text("brats.split_file").empty());
  return shared ? 0 : trial;
}

}  // namespace sar
