#include "experiments/plan.h"

#include "harness/core/error.h"
#include "harness/core/hash.h"
#include "harness/core/rng.h"
#include "harness/volume/split.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace sar {
namespace fs = std::filesystem;
namespace {

const std::vector<std::string> kSources{"luna", "lits", "brats", "heart"};

/// Data sets that a task reads, by the task's own name.
const ManifestDataset& dataset_of_task(const Manifest& manifest, const std::string& task) {
  return manifest.at(task);
}

struct TrialSplit {
  CaseIds train, test;
};

std::uint64_t index_of(const std::string& task) {
  return task == "brats" ? 0 : 1;
}

class Planner {
 public:
  Planner(const Catalog& catalog,
          const Configuration& configuration,
          const Manifest& manifest,
          const fs::path& work)
      : catalog_(catalog),
        configuration_(configuration),
        shared_(configuration.shared()),
        manifest_(manifest),
        work_(fs::absolute(work)) {}

  Plan plan(const std::string& profile, const std::vector<Selection>& selections) {
    check_values();
    for (const auto& [id, dataset] : manifest_.datasets) {
      plan_.provisional = plan_.provisional || dataset.digest == kNotWritten;
    }
    make_protocol(profile);
    for (const auto& selection : selections) {
      const int requested_before = plan_.requested_nodes;
      const std::size_t nodes_before = plan_.nodes.size();
      touched_.clear();
      part_cells_ = 0;
      add_selection(selection);
      plan_.parts.push_back({selection.experiment,
                             part_cells_,
                             plan_.requested_nodes - requested_before,
                             static_cast<int>(touched_.size()),
                             static_cast<int>(plan_.nodes.size() - nodes_before)});
    }
    order_by_kind();
    return std::move(plan_);
  }

 private:
  void add_selection(const Selection& selection) {
    if (selection.kind == ExperimentKind::data) {
      target(add_survey());
      return;
    }
    if (selection.kind == ExperimentKind::pretraining) {
      TrialSplit brats = split("brats", 0);
      for (auto& id : brats.test) {
        id = "brats/" + id;
      }
      for (const auto& method : selection.methods) {
        target(add_pretraining(catalog_.method(method), brats.train, {brats}));
      }
      return;
    }
    const int cap = shared_.integer("fractions.trials");
    for (const auto& fraction : selection.fractions) {
      const int trials =
          fraction == "1" || cap == 0 ? selection.trials : std::min(cap, selection.trials);
      for (int trial = 0; trial < trials; ++trial) {
        for (const auto& task : selection.tasks) {
          for (const auto& method : selection.methods) {
            add_cell(catalog_.method(method), task, fraction, trial);
          }
        }
      }
    }
  }

  void target(const std::string& key) {
    if (std::ranges::find(plan_.targets, key) == plan_.targets.end()) {
      plan_.targets.push_back(key);
    }
  }

  // --- what no single key can check -------------------------------------------------------------

  void check_values() const {
    const auto refuse = [&](const std::string& key, const std::string& why) {
      const auto& value = shared_.values().at(key);
      throw usage_error(key + " " + why)
          .with("value", value.value.dump())
          .with("set by", value.origin);
    };
    for (const char* key : {"cubes.shape_voxels", "finetune.patch_voxels"}) {
      for (const int side : shared_.integers(key)) {
        if (side % 8 != 0) {
          refuse(key, "must be multiples of 8: the network halves each side three times");
        }
      }
    }
    for (const char* key : {"preprocess.clip_ct_hu", "preprocess.clip_mri", "pancreas.clip_hu"}) {
      const auto range = shared_.numbers(key);
      if (!(range[0] < range[1])) {
        refuse(key, "must be ascending");
      }
    }
    const auto thresholds = shared_.numbers("buckets.thresholds_mm3");
    if (thresholds.size() != 2 || !(thresholds[0] < thresholds[1])) {
      refuse("buckets.thresholds_mm3", "must be two ascending volumes");
    }
    if (shared_.integer("cubes.small_per_case") + shared_.integer("cubes.medium_per_case") +
            shared_.integer("cubes.large_per_case") ==
        0) {
      refuse("cubes.small_per_case",
             "and the other two scales are 0: there is nothing to pre-train on");
    }
    const std::string device = shared_.text("compute.device");
    const bool numbered = device.starts_with("cuda:") && device.size() > 5 &&
                          device.find_first_not_of("0123456789", 5) == std::string::npos;
    if (device != "cpu" && device != "cuda" && !numbered) {
      refuse("compute.device", "must be cpu, cuda, or cuda:N");
    }
  }

  // --- identity -------------------------------------------------------------------------------

  /// What every numeric result depends on besides its own inputs.
  Json numerics(const Settings& settings) const {
    return {{"numerics_version", catalog_.numerics_version()},
            {"precision", settings.text("compute.precision")},
            {"device", device_class()},
            {"threads", settings.integer("compute.threads")}};
  }

  std::uint64_t seed() const { return static_cast<std::uint64_t>(shared_.integer("seed")); }

  std::string device_class() const {
    return shared_.text("compute.device").starts_with("cuda") ? "cuda" : "cpu";
  }

  void make_protocol(const std::string& profile) {
    const auto identity = [](Json values) {
      values.erase("compute.device");              // its class is hashed instead
      values.erase("compute.checkpoint_seconds");  // moves no numbers
      values.erase("output.loss_curve_smoothing_steps");
      values.erase("output.example_slices");  // pictures beside the numbers
      values.erase("fractions.trials");       // which trials are asked for, not what they give
      return values;
    };
    Json hashed = numerics(shared_);
    hashed["data"] = manifest_.identity();
    hashed["shared"] = identity(shared_.resolved());
    for (const auto& dataset : catalog_.datasets()) {
      hashed["shared"].erase(dataset.id +
                             ".list");  // what it leaves out is part of the data's identity
    }
    if (const std::string file = shared_.text("brats.split_file"); !file.empty()) {
      hashed["shared"].erase("brats.split_file");  // its lists count, not where it lies
      const TrialSplit parts = split("brats", 0);
      hashed["split"] = {{"train", parts.train}, {"test", parts.test}};
    }
    Json stored{{"shared", shared_.resolved()}, {"methods", Json::object()}};
    for (const auto& [id, settings] : configuration_.methods()) {
      Json own = Json::object();
      const Json resolved = settings.resolved();
      for (const auto& [key, value] : resolved.items()) {
        if (value != stored["shared"].at(key)) {
          own[key] = value;
        }
      }
      hashed["methods"][id] = own;
      stored["methods"][id] = own;
    }
    stored["numerics"] = numerics(shared_);
    plan_.protocol = {content_key(hashed),
                      manifest_.data_kind,
                      profile,
                      stored,
                      manifest_.identity(),
                      shared_.flag("evaluate.pool")};
  }

  // --- splits ---------------------------------------------------------------------------------

  Rng split_rng(const std::string& purpose, const std::string& task, int trial) const {
    return Rng(seed()).at(purpose, {index_of(task), static_cast<std::uint64_t>(trial)});
  }

  /// Cases of a task: labelled, and in the set's list if one is given.
  /// One permutation for all fractions, so that subsets are nested, or one for each.
  Rng fraction_rng(const std::string& task, const std::string& fraction, int trial) const {
    const Rng rng = split_rng(std::string(purpose::fraction), task, trial);
    const auto parts = static_cast<std::uint64_t>(std::lround(1 / parse_fraction(fraction)));
    return shared_.flag("fractions.nested") ? rng : rng.at(purpose::fraction, {parts});
  }

  static CaseIds labelled_ids(const ManifestDataset& dataset) {
    CaseIds ids;
    for (const auto& each : dataset.cases) {
      if (each.label && each.selected) {
        ids.push_back(each.id);
      }
    }
    return ids;
  }

  TrialSplit split(const std::string& task, int trial) {
    const CaseIds ids = labelled_ids(dataset_of_task(manifest_, task));
    if (task == "brats") {
      if (const std::string file = shared_.text("brats.split_file"); !file.empty()) {
        return split_from_file(file, ids);
      }
      const bool resample = shared_.text("brats.split_mode") == "resample";
      const auto parts =
          split_train_test(ids,
                           shared_.number("brats.test_ratio"),
                           split_rng(std::string(purpose::split), task, resample ? trial : 0));
      return {parts.train, parts.test};
    }
    const int folds = shared_.integer("pancreas.folds");
    if (trial >= folds) {
      throw usage_error(
          "trial " + std::to_string(trial) +
          " of pancreas needs more folds than pancreas.folds = " + std::to_string(folds));
    }
    const auto parts = split_folds(ids, folds, split_rng(std::string(purpose::split), task, 0));
    TrialSplit result;
    result.test = parts.at(static_cast<std::size_t>(trial));
    std::ranges::copy_if(ids, std::back_inserter(result.train), [&](const std::string& id) {
      return std::ranges::find(result.test, id) == result.test.end();
    });
    return result;
  }

  static TrialSplit split_from_file(const std::string& path, const CaseIds& ids) {
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

  // --- nodes ----------------------------------------------------------------------------------

  /// Adds the node unless its key is there already; returns the key.
  std::string add(PlannedNode node, const std::string& extension) {
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
    for (const auto& need : node.needs) {
      fields.products[need] = plan_.nodes[index_.at(need)].product.string();
    }
    index_.emplace(node.key, plan_.nodes.size());
    plan_.nodes.push_back(std::move(node));
    return plan_.nodes.back().key;
  }

  /// Adds the data set and digests of the cases, by which the key is made, to the inputs; returns
  /// the cases for the worker. `channel` empty: all channels and no label.
  std::vector<ManifestCase> add_cases(Json& inputs,
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

  /// Settings that stand for the cubes that a method reads, where they are not the multi-scale
  /// ones: of one scale, or native ones in place of all.
  Json cube_changes(const std::string& cubes) const {
    if (cubes == "multiscale") {
      return Json::object();
    }
    int total = 0;
    Json counts = Json::object();
    for (const char* scale : {"small", "medium", "large"}) {
      const std::string key = std::string("cubes.") + scale + "_per_case";
      total += shared_.integer(key);
      counts[key] = scale == cubes ? shared_.integer(key) : 0;
    }
    if (cubes != "native" && shared_.text("ablation.count") == "match_total") {
      counts["cubes." + cubes + "_per_case"] = total;
    }
    return cubes == "native" ? Json{{"native_per_case", total}} : counts;
  }

  std::string add_cubes(const std::string& source, const CaseIds& ids, const std::string& cubes) {
    const ManifestDataset& dataset = manifest_.at(source);
    PlannedNode node;
    jobs::Cubes job;
    node.label = (cubes == "multiscale" ? "cubes of " : cubes + " cubes of ") + source;
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
    job.seed = seed();
    job.modality = dataset.modality;
    job.multiplier = shared_.integer(source + ".cube_multiplier");
    const Json changes = cube_changes(cubes);
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

  /// Patients per source that are held out for the plateau schedule; none where there is one
  /// patient only.
  std::map<std::string, CaseIds> pretraining_validation(
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

  /// Cases of the source data sets: all that are selected, of BraTS the training cases only.
  std::map<std::string, CaseIds> pretraining_cases(const CaseIds& brats_train) const {
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

  /// Counts cases and cubes of the pre-training data (Table 1). The protocol is an input, so that
  /// the counts are found under it.
  std::string add_survey() {
    PlannedNode node;
    jobs::Survey job;
    node.label = "count cases and cubes";
    node.inputs["protocol"] = plan_.protocol.protocol;
    node.inputs["cubes"] = Json::object();
    job.settings = shared_.resolved();
    for (const auto& [source, ids] : pretraining_cases(split("brats", 0).train)) {
      const std::string cubes = add_cubes(source, ids, "multiscale");
      node.needs.push_back(cubes);
      node.inputs["cubes"][source] = cubes;
      job.datasets[source] = {std::get<jobs::Cubes>(plan_.nodes[index_.at(cubes)].job).cases,
                              manifest_.at(source).modality,
                              cubes};
    }
    node.job = std::move(job);
    return add(std::move(node), ".json");
  }

  std::string add_pretraining(const MethodInfo& method,
                              const CaseIds& brats_train,
                              const std::vector<TrialSplit>& tests) {
    const std::map<std::string, CaseIds> sources = pretraining_cases(brats_train);
    CaseIds seen;
    for (const auto& [source, ids] : sources) {
      for (const auto& id : ids) {
        seen.push_back(source + "/" + id);
      }
    }
    for (const auto& each : tests) {
      refuse_leak(seen, each.test);
    }
    const Settings& settings = configuration_.of(method.id);
    PlannedNode node;
    jobs::Pretrain job;
    node.label = "pre-train " + method.paper_name;
    const std::string cubes =
        method.cubes.find('.') == std::string::npos ? method.cubes : settings.text(method.cubes);
    for (const auto& [source, ids] : sources) {
      node.needs.push_back(add_cubes(source, ids, cubes));
    }
    std::vector<std::string> sections{"seed",
                                      "network",
                                      "transform",
                                      "pretrain",
                                      "optimizer",
                                      "schedule.pretrain_factor",
                                      "schedule.pretrain_patience",
                                      "schedule.threshold",
                                      "schedule.threshold_mode",
                                      "schedule.minimum_learning_rate",
                                      "schedule.monitor"};
    sections.insert(sections.end(), method.sections.begin(), method.sections.end());
    node.inputs["method"] = method.id;
    node.inputs["cubes"] = node.needs;
    job.validation = pretraining_validation(sources);
    node.inputs["validation"] = job.validation;
    node.inputs["settings"] = settings.subset(sections);
    for (const auto& each : catalog_.methods()) {
      node.inputs["settings"].erase(each.cubes);  // which cubes: they are inputs themselves
    }
    node.inputs["numerics"] = numerics(settings);
    job.method = method.id;
    job.settings = settings.resolved();
    job.cubes = node.needs;
    job.seed = seed();
    node.job = std::move(job);
    const std::string key = add(std::move(node), ".weights");
    auto& list = plan_.pretraining[method.id];
    if (std::ranges::find(list, key) == list.end()) {
      list.push_back(key);
    }
    return key;
  }

  /// The leak guard by content: no image of a test case may have gone into pre-training, under
  /// whatever name.
  void refuse_seen_images(const std::string& pretraining,
                          const std::string& task,
                          const CaseIds& test) {
    auto& seen = seen_images_[pretraining];
    if (seen.empty()) {
      for (const auto& need : plan_.nodes[index_.at(pretraining)].needs) {
        const Json& cubes = plan_.nodes[index_.at(need)].inputs;
        for (const Json& each : cubes.at("cases")) {
          for (const auto& [channel, digest] : each.at("images").items()) {
            seen.emplace(
                digest,
                cubes.at("dataset").get<std::string>() + "/" + each.at("id").get<std::string>());
          }
        }
      }
    }
    for (const auto& each : dataset_of_task(manifest_, task).cases) {
      if (plan_.provisional || std::ranges::find(test, each.id) == test.end()) {
        continue;
      }
      for (const auto& [channel, file] : each.images) {
        if (const auto found = seen.find(file.sha256); found != seen.end()) {
          throw data_error(
              "a test case was seen in pre-training: the same image under another name")
              .with("test case", task + "/" + each.id)
              .with("pre-training case", found->second);
        }
      }
    }
  }

  std::string channel_of(const std::string& task) const {
    return task == "brats" ? shared_.text("brats.modality") : "ct";
  }

  std::string add_prepared(const std::string& task) {
    const ManifestDataset& dataset = dataset_of_task(manifest_, task);
    PlannedNode node;
    jobs::Prepare job;
    node.label = "prepare " + task;
    job.cases = add_cases(node.inputs, task, labelled_ids(dataset), channel_of(task));
    const bool brats = task == "brats";
    std::vector<std::string> keys{"finetune.spacing_mm", "finetune.normalization"};
    const auto read = [&](std::initializer_list<const char*> more) {
      keys.insert(keys.end(), more.begin(), more.end());
    };
    if (brats) {
      read({"brats.modality", "brats.labels"});
    }
    if (shared_.text("finetune.normalization") == "unit") {
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

  int steps_per_epoch(const Settings& settings,
                      std::size_t cases,
                      std::size_t cases_of_full_run) const {
    const bool fixed = settings.text("finetune.steps_per_epoch") == "fixed";
    const double patches = static_cast<double>(fixed ? cases_of_full_run : cases) *
                           settings.integer("finetune.patches_per_case");
    return std::max(1,
                    static_cast<int>(std::ceil(patches / settings.integer("finetune.batch_size"))));
  }

  void add_cell(const MethodInfo& method,
                const std::string& task,
                const std::string& fraction,
                int trial) {
    const Settings& settings = configuration_.of(method.id);
    const TrialSplit parts = split(task, trial);
    if (parts.train.empty() || parts.test.empty()) {
      throw data_error("too few cases for a training and a test set")
          .with("task", task)
          .with("cases", std::to_string(parts.train.size() + parts.test.size()));
    }
    PlannedCell cell;
    cell.label = method.paper_name + ", " + task + ", fraction " + fraction + ", trial " +
                 std::to_string(trial);
    cell.row.protocol = plan_.protocol.protocol;
    cell.row.method = method.id;
    cell.row.task = task;
    cell.row.fraction = fraction;
    cell.row.trial = trial;
    cell.row.seed = trial_seed(seed(), trial);
    cell.row.cell_key = content_key({{"protocol", cell.row.protocol},
                                     {"method", method.id},
                                     {"task", task},
                                     {"fraction", fraction},
                                     {"trial", trial}});

    if (method.pretrains) {
      // Pre-training must not see a test case of any task, under any trial that shares it.
      TrialSplit brats = task == "brats" ? parts : split("brats", trial);
      for (auto& id : brats.test) {
        id = "brats/" + id;
      }
      cell.row.pretrain_node = add_pretraining(method, brats.train, {brats});
    }

    if (!cell.row.pretrain_node.empty()) {
      refuse_seen_images(cell.row.pretrain_node, task, parts.test);
    }
    const std::string prepared = add_prepared(task);
    const CaseIds fraction_cases =
        take_fraction(parts.train, parse_fraction(fraction), fraction_rng(task, fraction, trial));
    const Rng validation_rng = split_rng(std::string(purpose::validation), task, trial);
    const double validation_fraction = settings.number("finetune.validation_fraction");
    const TrainValidation lists =
        carve_validation(fraction_cases, validation_fraction, validation_rng);
    const TrainValidation full = carve_validation(parts.train, validation_fraction, validation_rng);

    PlannedNode finetune;
    finetune.label = "fine-tune " + method.paper_name + " on " + task +
                     (fraction == "1" ? "" : " with " + fraction + " of the labels") + ", trial " +
                     std::to_string(trial);
    finetune.needs = {prepared};
    if (!cell.row.pretrain_node.empty()) {
      finetune.needs.push_back(cell.row.pretrain_node);
    }
    finetune.inputs["task"] = task;
    finetune.inputs["prepared"] = prepared;
    finetune.inputs["initial"] = cell.row.pretrain_node;
    finetune.inputs["transfer"] = method.transfer;
    finetune.inputs["train"] = lists.train;
    finetune.inputs["validation"] = lists.validation;
    finetune.inputs["seed"] = cell.row.seed;
    finetune.inputs["steps_per_epoch"] =
        steps_per_epoch(settings, lists.train.size(), full.train.size());
    finetune.inputs["settings"] = settings.subset({"network",
                                                   "finetune",
                                                   "schedule.finetune_factor",
                                                   "schedule.finetune_patience",
                                                   "schedule.threshold",
                                                   "schedule.threshold_mode",
                                                   "schedule.minimum_learning_rate",
                                                   task + ".loss"});
    finetune.inputs["numerics"] = numerics(settings);
    jobs::Finetune training;
    training.method = method.id;
    training.task = task;
    training.initial = cell.row.pretrain_node;
    training.train = lists.train;
    training.validation = lists.validation;
    training.seed = cell.row.seed;
    training.steps_per_epoch = finetune.inputs["steps_per_epoch"].get<int>();
    training.settings = settings.resolved();
    training.cases = cases_of(task, lists.train, lists.validation);
    finetune.job = std::move(training);
    cell.row.finetune_node = add(std::move(finetune), ".weights");

    PlannedNode evaluate;
    jobs::Evaluate test;
    evaluate.label =
        "evaluate " + method.paper_name + " on " + task + ", trial " + std::to_string(trial);
    evaluate.needs = {prepared, cell.row.finetune_node};
    evaluate.inputs["task"] = task;
    evaluate.inputs["weights"] = cell.row.finetune_node;
    evaluate.inputs["prepared"] = prepared;
    evaluate.inputs["test"] = parts.test;
    evaluate.inputs["settings"] =
        settings.subset({"evaluate", "buckets", "finetune.patch_voxels", "network"});
    evaluate.inputs["settings"].erase("evaluate.pool");  // both sums are stored in any case
    if (task != "brats") {
      evaluate.inputs["settings"].erase("buckets.rule");
      evaluate.inputs["settings"].erase("buckets.source");
      evaluate.inputs["settings"].erase("buckets.thresholds_mm3");
    }
    if (task == "brats") {
      evaluate.inputs["settings"].erase("evaluate.organ_includes_tumor");
      evaluate.inputs["settings"].erase("evaluate.average_background");
    }
    if (task == "brats" && settings.text("buckets.source") == "train" &&
        settings.text("buckets.rule") != "thresholds") {
      evaluate.inputs["bucket_cases"] = parts.train;
      test.bucket_cases = parts.train;
    }
    evaluate.inputs["numerics"] = numerics(settings);
    test.task = task;
    test.prepared = prepared;
    test.weights = cell.row.finetune_node;
    test.test = parts.test;
    test.settings = settings.resolved();
    test.cases = cases_of(task, parts.test, {});
    evaluate.job = std::move(test);
    cell.row.evaluate_node = add(std::move(evaluate), ".json");
    ++part_cells_;
    if (cell_keys_.insert(cell.row.cell_key).second) {
      plan_.cells.push_back(std::move(cell));
    }
  }

  std::vector<ManifestCase> cases_of(const std::string& task,
                                     const CaseIds& first,
                                     const CaseIds& second) const {
    std::vector<ManifestCase> list;
    for (const auto& each : dataset_of_task(manifest_, task).cases) {
      if (std::ranges::find(first, each.id) != first.end() ||
          std::ranges::find(second, each.id) != second.end()) {
        list.push_back(each);
      }
    }
    return list;
  }

  /// Keeps the order in which nodes were added (which respects needs) but brings shared work to the
  /// front, so that workers are not starved: cubes and preparation, pre-training, then fine-tuning
  /// and evaluation by trial.
  void order_by_kind() {
    const auto rank = [](const PlannedNode& node) {
      return node.kind == "prepare" || node.kind == "cubes"     ? 0
             : node.kind == "pretrain" || node.kind == "survey" ? 1
                                                                : 2;
    };
    std::ranges::stable_sort(plan_.nodes, {}, rank);
  }

  const Catalog& catalog_;
  const Configuration& configuration_;
  const Settings& shared_;
  const Manifest& manifest_;
  fs::path work_;
  Plan plan_;
  std::map<std::string, std::size_t> index_;  ///< key to position while adding
  std::set<std::string> touched_;             ///< nodes that the current selection asks for
  std::set<std::string> cell_keys_;           ///< cells that are planned already
  int part_cells_ = 0;                        ///< cells of the current selection
  std::map<std::string, std::map<std::string, std::string>>
      seen_images_;  ///< digests by pre-training
};

}  // namespace

const PlannedNode& Plan::node(const std::string& key) const {
  const auto found = std::ranges::find(nodes, key, &PlannedNode::key);
  if (found == nodes.end()) {
    throw internal_error("no such node in the plan").with("key", key);
  }
  return *found;
}

std::vector<Selection> selections_of(const Experiment& experiment, int trials) {
  std::vector<Selection> selections;
  const auto add = [](std::vector<std::string>& list, const std::string& value) {
    if (std::ranges::find(list, value) == list.end()) {
      list.push_back(value);
    }
  };
  for (const Experiment* part : parts_of(experiment)) {
    Selection selection;
    selection.experiment = part->id;
    selection.kind = part->kind;
    for (const auto* rows : {&part->table.rows, &part->curves.rows, &part->rows}) {
      for (const auto& row : *rows) {
        add(selection.methods, row.method);
      }
    }
    if (part->kind == ExperimentKind::dice) {
      selection.trials = std::min(part->table.trials, trials);
      for (const auto& column : part->table.columns) {
        add(selection.tasks, column.task);
        add(selection.fractions, column.fraction);
      }
    } else if (part->kind == ExperimentKind::curves) {
      selection.trials = std::min(part->curves.trials, trials);
      selection.tasks = part->curves.tasks;
      selection.fractions = {part->curves.fraction};
    }
    selections.push_back(std::move(selection));
  }
  return selections;
}

std::uint64_t trial_seed(std::uint64_t seed, int trial) {
  return Rng(seed).at("trial", {static_cast<std::uint64_t>(trial)}).next();
}

Plan make_plan(const Catalog& catalog,
               const Configuration& configuration,
               const Manifest& manifest,
               const std::string& profile,
               const std::vector<Selection>& selections,
               const fs::path& work_folder) {
  return Planner(catalog, configuration, manifest, work_folder).plan(profile, selections);
}

}  // namespace sar
