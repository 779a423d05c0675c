#include "experiments/plan/nodes.h"

#include "experiments/plan/protocol.h"
#include "harness/config/core_keys.h"
#include "harness/core/error.h"
#include "harness/core/hash.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

namespace sar {
namespace {

/// Optimiser steps of an epoch: for the training cases at hand, or always for those of a full run.
int steps_per_epoch(const Settings& settings, std::size_t cases, std::size_t cases_of_full_run) {
  const bool fixed = settings.text("finetune.steps_per_epoch") == "fixed";
  const double patches = static_cast<double>(fixed ? cases_of_full_run : cases) *
                         settings.integer("finetune.patches_per_case");
  return std::max(1,
                  static_cast<int>(std::ceil(patches / settings.integer("finetune.batch_size"))));
}

}  // namespace

Nodes::Nodes(const Catalog& catalog,
             const Configuration& configuration,
             const Manifest& manifest,
             const Splits& splits,
             std::filesystem::path work,
             Plan& plan)
    : catalog_(catalog),
      configuration_(configuration),
      shared_(configuration.shared()),
      manifest_(manifest),
      splits_(splits),
      work_(std::move(work)),
      plan_(plan) {}

int Nodes::take_touched() {
  return static_cast<int>(std::exchange(touched_, {}).size());
}

const PlannedNode& Nodes::at(const std::string& key) const {
  return plan_.nodes[index_.at(key)];
}

std::string Nodes::add(PlannedNode node, const std::string& extension) {
  ++plan_.requested_nodes;
  node.kind = jobs::kind_of(node.job);
  node.inputs["kind"] = node.kind;
  node.key = content_key(node.inputs);
  touched_.insert(node.key);
  if (index_.contains(node.key)) {
    return node.key;
  }
  node.product = work_ / node.kind / (node.key + extension);
  jobs::NodeFields& fields = jobs::fields_of(node.job);
  fields.product = node.product.string();
  fields.work = work_.string();
  index_.emplace(node.key, plan_.nodes.size());
  plan_.nodes.push_back(std::move(node));
  return plan_.nodes.back().key;
}

/// Adds the data set and digests of the cases, by which the key is made, to the inputs; returns the
/// cases for the worker. `channel` empty: all channels and no label.
std::vector<ManifestCase> Nodes::add_cases(Json& inputs,
                                           const std::string& dataset,
                                           const CaseIds& ids,
                                           const std::string& channel) const {
  const std::set<std::string> wanted(ids.begin(), ids.end());
  inputs["dataset"] = dataset;
  inputs["cases"] = Json::array();
  std::vector<ManifestCase> cases;
  for (const auto& each : manifest_.at(dataset).cases) {
    if (!wanted.contains(each.id)) {
      continue;
    }
    Json digests{{"id", each.id}};
    for (const auto& [name, file] : each.images) {
      if (channel.empty() || name == channel) {
        digests["images"][name] = file.sha256;
      }
    }
    if (!channel.empty()) {
      digests["label"] = each.label.value().sha256;
    }
    inputs["cases"].push_back(digests);
    cases.push_back(each);
  }
  return cases;
}

std::vector<ManifestCase> Nodes::cases_of(const std::string& task,
                                          const CaseIds& first,
                                          const CaseIds& second) const {
  std::vector<ManifestCase> list;
  for (const auto& each : manifest_.at(task).cases) {
    if (std::ranges::find(first, each.id) != first.end() ||
        std::ranges::find(second, each.id) != second.end()) {
      list.push_back(each);
    }
  }
  return list;
}

/// Settings that stand for the cubes that a method reads, where they are not the multi-scale
/// ones: of one scale, or native ones in place of all.
Json Nodes::cube_changes(const std::string& which) const {
  if (which == "multiscale") {
    return Json::object();
  }
  int total = 0;
  Json counts = Json::object();
  for (const char* scale : {"small", "medium", "large"}) {
    const std::string key = std::string("cubes.") + scale + "_per_case";
    total += shared_.integer(key);
    counts[key] = scale == which ? shared_.integer(key) : 0;
  }
  if (which != "native" && shared_.text("ablation.count") == "match_total") {
    counts["cubes." + which + "_per_case"] = total;
  }
  return which == "native" ? Json{{"native_per_case", total}} : counts;
}

std::string Nodes::cubes(const std::string& source, const CaseIds& ids, const std::string& which) {
  const ManifestDataset& dataset = manifest_.at(source);
  PlannedNode node;
  jobs::Cubes job;
  node.label = (which == "multiscale" ? "cubes of " : which + " cubes of ") + source;
  job.cases = add_cases(node.inputs, source, ids, {});
  const bool ct = dataset.modality == "CT";
  node.inputs["settings"] =
      shared_.subset({"preprocess.spacing_mm",
                      "preprocess.normalization",
                      ct ? "preprocess.clip_ct_hu" : "preprocess.clip_mri",
                      ct ? "preprocess.crop_nonzero_ct" : "preprocess.crop_nonzero_mri",
                      "cubes",
                      source + ".cube_multiplier"});
  node.inputs["seed"] = shared_.integer("seed");
  node.inputs["numerics_version"] = catalog_.numerics_version();
  job.settings = shared_.resolved();
  job.dataset = source;
  job.seed = splits_.seed();
  job.modality = dataset.modality;
  job.multiplier = shared_.integer(source + ".cube_multiplier");
  const Json changes = cube_changes(which);
  if (changes.contains("native_per_case")) {
    node.inputs["native_per_case"] = changes.at("native_per_case");
    job.native_per_case = changes.at("native_per_case").get<int>();
  } else {
    node.inputs["settings"].update(changes);
    job.settings.update(changes);
  }
  node.job = std::move(job);
  return add(std::move(node), ".cubes");
}

std::string Nodes::survey(const CaseIds& brats_train) {
  PlannedNode node;
  jobs::Survey job;
  node.label = "count cases and cubes";
  node.inputs["protocol"] = plan_.protocol.protocol;
  node.inputs["cubes"] = Json::object();
  job.settings = shared_.resolved();
  for (const auto& [source, ids] : splits_.pretraining(brats_train)) {
    const std::string key = cubes(source, ids, "multiscale");
    node.needs.push_back(key);
    node.inputs["cubes"][source] = key;
    job.datasets[source] = {
        std::get<jobs::Cubes>(at(key).job).cases, manifest_.at(source).modality, key};
  }
  node.job = std::move(job);
  return add(std::move(node), ".json");
}

std::string Nodes::pretraining(const MethodInfo& method, const TrialSplit& brats) {
  const std::map<std::string, CaseIds> sources = splits_.pretraining(brats.train);
  CaseIds seen;
  for (const auto& [source, ids] : sources) {
    for (const auto& id : ids) {
      seen.push_back(source + "/" + id);
    }
  }
  CaseIds tested;
  for (const auto& id : brats.test) {
    tested.push_back("brats/" + id);
  }
  refuse_leak(seen, tested);
  const Settings& settings = configuration_.of(method.id);
  PlannedNode node;
  jobs::Pretrain job;
  node.label = "pre-train " + method.paper_name;
  const std::string which =
      method.cubes.find('.') == std::string::npos ? method.cubes : settings.text(method.cubes);
  for (const auto& [source, ids] : sources) {
    node.needs.push_back(cubes(source, ids, which));
  }
  std::vector<std::string> sections{"seed",
                                    "network",
                                    "transform",
                                    "pretrain",
                                    "optimizer",
                                    "schedule.pretrain_decay",
                                    "schedule.pretrain_factor",
                                    "schedule.pretrain_patience",
                                    "schedule.threshold",
                                    "schedule.threshold_mode",
                                    "schedule.minimum_learning_rate",
                                    "schedule.monitor"};
  sections.insert(sections.end(), method.sections.begin(), method.sections.end());
  node.inputs["method"] = method.id;
  node.inputs["cubes"] = node.needs;
  job.validation = splits_.pretraining_validation(sources);
  node.inputs["validation"] = job.validation;
  node.inputs["settings"] = settings.subset(sections);
  for (const auto& each : catalog_.methods()) {
    node.inputs["settings"].erase(each.cubes);  // which cubes: they are inputs themselves
  }
  node.inputs["numerics"] = numerics(catalog_, shared_, settings);
  job.method = method.id;
  job.settings = settings.resolved();
  job.cubes = node.needs;
  job.seed = splits_.seed();
  node.job = std::move(job);
  const std::string key = add(std::move(node), ".weights");
  auto& list = plan_.pretraining[method.id];
  if (std::ranges::find(list, key) == list.end()) {
    list.push_back(key);
  }
  return key;
}

std::string Nodes::prepared(const std::string& task) {
  PlannedNode node;
  jobs::Prepare job;
  node.label = "prepare " + task;
  const std::string channel = task == "brats" ? shared_.text("brats.modality") : "ct";
  job.cases = add_cases(node.inputs, task, splits_.labelled(task), channel);
  const bool brats = task == "brats";
  std::vector<std::string> keys{"finetune.spacing_mm", "finetune.normalization"};
  const auto read = [&](std::initializer_list<const char*> more) {
    keys.insert(keys.end(), more.begin(), more.end());
  };
  if (brats) {
    read({"brats.modality", "brats.labels"});
  }
  if (normalised_to_unit(shared_, task)) {
    read({"preprocess.normalization", brats ? "preprocess.clip_mri" : "preprocess.clip_ct_hu"});
  } else if (brats) {
    read({"brats.zero_background"});
  } else {
    read({"pancreas.clip_hu", "pancreas.mean_hu", "pancreas.standard_deviation_hu"});
  }
  node.inputs["task"] = task;
  node.inputs["settings"] = shared_.subset(keys);
  node.inputs["numerics_version"] = catalog_.numerics_version();
  job.task = task;
  job.settings = shared_.resolved();
  node.job = std::move(job);
  return add(std::move(node), ".json");
}

std::string Nodes::finetuning(const PlannedCell& cell,
                              const std::string& prepared,
                              const CaseIds& train) {
  const MethodInfo& method = catalog_.method(cell.row.method);
  const Settings& settings = configuration_.of(method.id);
  Training training;
  training.label =
      "fine-tune " + method.paper_name + " on " + cell.row.task +
      (cell.row.fraction == "1" ? "" : " with " + cell.row.fraction + " of the labels") +
      ", trial " + std::to_string(cell.row.trial);
  training.method = method.id;
  training.transfer = method.transfer;
  training.task = cell.row.task;
  training.prepared = prepared;
  training.initial = cell.row.pretrain_node;
  training.seed = cell.row.seed;
  training.cases = splits_.finetuning(cell.row.task,
                                      train,
                                      cell.row.fraction,
                                      cell.row.trial,
                                      settings.number("finetune.validation_fraction"));
  return add_training(std::move(training), settings);
}

std::string Nodes::supervised(const MethodInfo& method,
                              const std::string& task,
                              int trial,
                              const std::string& prepared) {
  const int first = splits_.first_with_split_of(task, trial);
  Settings settings = configuration_.of(method.id);
  const int budget = settings.integer("control.oracle_budget");
  for (const char* key : {"finetune.max_epochs", "finetune.patience"}) {
    settings.derive(key, settings.integer(key) * budget);
  }
  settings.derive("finetune.frozen_epochs", 0);  // it starts from random weights: all must learn
  Training training;
  training.label = "train " + method.paper_name + " on " + task +
                   (task == "brats" ? "" : ", fold " + std::to_string(trial));
  training.method = method.id;
  training.transfer = "none";
  training.task = task;
  training.prepared = prepared;
  training.seed = splits_.seed_of(first, method.id);
  training.cases = splits_.finetuning(task,
                                      splits_.trial(task, first).train,
                                      "1",
                                      first,
                                      settings.number("finetune.validation_fraction"));
  return add_training(std::move(training), settings);
}

/// A training on labelled cases; its settings are those of the method that asks for it.
std::string Nodes::add_training(Training training, const Settings& settings) {
  const std::string& task = training.task;
  jobs::Finetune job;
  job.method = training.method;
  job.task = task;
  job.initial = training.initial;
  job.train = training.cases.lists.train;
  job.validation = training.cases.lists.validation;
  job.seed = training.seed;
  job.steps_per_epoch =
      steps_per_epoch(settings, job.train.size(), training.cases.training_of_full_run);
  job.settings = settings.resolved();
  job.cases = cases_of(task, job.train, job.validation);

  PlannedNode node;
  node.label = training.label;
  node.needs = {training.prepared};
  node.inputs["task"] = task;
  node.inputs["prepared"] = training.prepared;
  node.inputs["initial"] = training.initial;
  node.inputs["transfer"] = training.transfer;
  node.inputs["train"] = job.train;
  node.inputs["validation"] = job.validation;
  node.inputs["seed"] = job.seed;
  node.inputs["steps_per_epoch"] = job.steps_per_epoch;
  node.inputs["settings"] = settings.subset({"network",
                                             "finetune",
                                             "schedule.finetune_decay",
                                             "schedule.finetune_factor",
                                             "schedule.finetune_patience",
                                             "schedule.threshold",
                                             "schedule.threshold_mode",
                                             "schedule.minimum_learning_rate",
                                             task + ".loss"});
  node.inputs["numerics"] = numerics(catalog_, shared_, settings);
  if (!training.initial.empty()) {
    node.needs.push_back(training.initial);
  }
  node.job = std::move(job);
  return add(std::move(node), ".weights");
}

std::string Nodes::evaluation(const PlannedCell& cell,
                              const std::string& prepared,
                              const TrialSplit& parts) {
  const std::string& task = cell.row.task;
  const MethodInfo& method = catalog_.method(cell.row.method);
  const Settings& settings = configuration_.of(method.id);
  jobs::Evaluate job;
  job.task = task;
  job.prepared = prepared;
  job.weights = cell.row.finetune_node;
  job.test = parts.test;
  if (task == "brats" && settings.text("buckets.source") == "train" &&
      settings.text("buckets.rule") != "thresholds") {
    job.bucket_cases = parts.train;
  }
  job.settings = settings.resolved();
  job.cases = cases_of(task, parts.test, {});

  PlannedNode node;
  node.label =
      "evaluate " + method.paper_name + " on " + task + ", trial " + std::to_string(cell.row.trial);
  node.needs = {job.prepared, job.weights};
  node.inputs["task"] = task;
  node.inputs["weights"] = job.weights;
  node.inputs["prepared"] = job.prepared;
  node.inputs["test"] = job.test;
  Json& read = node.inputs["settings"] =
      settings.subset({"evaluate", "buckets", "finetune.patch_voxels", "network"});
  read.erase("evaluate.pool");  // both sums are stored in any case
  const std::vector<std::string> of_other_tasks =
      task == "brats"
          ? std::vector<std::string>{"evaluate.organ_includes_tumor", "evaluate.average_background"}
          : std::vector<std::string>{"buckets.rule", "buckets.source", "buckets.thresholds_mm3"};
  for (const auto& key : of_other_tasks) {
    read.erase(key);
  }
  if (job.bucket_cases) {
    node.inputs["bucket_cases"] = *job.bucket_cases;
  }
  node.inputs["numerics"] = numerics(catalog_, shared_, settings);
  node.job = std::move(job);
  return add(std::move(node), ".json");
}

void Nodes::refuse_seen_images(const std::string& pretraining,
                               const std::string& task,
                               const CaseIds& test) {
  auto& seen = seen_images_[pretraining];
  if (seen.empty()) {
    for (const auto& need : at(pretraining).needs) {
      const Json& cubes = at(need).inputs;
      for (const Json& each : cubes.at("cases")) {
        for (const auto& [channel, digest] : each.at("images").items()) {
          seen.emplace(
              digest,
              cubes.at("dataset").get<std::string>() + "/" + each.at("id").get<std::string>());
        }
      }
    }
  }
  for (const auto& each : manifest_.at(task).cases) {
    if (plan_.provisional || std::ranges::find(test, each.id) == test.end()) {
      continue;
    }
    for (const auto& [channel, file] : each.images) {
      if (const auto found = seen.find(file.sha256); found != seen.end()) {
        throw data_error("a test case was seen in pre-training: the same image under another name")
            .with("test case", task + "/" + each.id)
            .with("pre-training case", found->second);
      }
    }
  }
}

}  // namespace sar
