#include "experiments/worker/training_jobs.h"

#include "datasets/prepare.h"
#include "experiments/worker/data_jobs.h"
#include "harness/config/core_keys.h"
#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/io/image_io.h"
#include "harness/io/png.h"
#include "harness/nn/training.h"
#include "harness/volume/evaluation.h"
#include "harness/volume/resample.h"
#include "harness/volume/slices.h"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <list>
#include <map>
#include <optional>
#include <set>

namespace sar::worker {
namespace fs = std::filesystem;
namespace {

/// Largest resident memory since `forget_peak`: a worker serves many jobs, and each has its own
/// peak.
double peak_rss_mb() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) {
      return std::stod(line.substr(6)) / 1024.0;  // given in kB
    }
  }
  return 0;
}

void forget_peak() {
  std::ofstream("/proc/self/clear_refs") << "5";
}

std::string determinism_of(const Compute& compute) {
  return compute.device.starts_with("cuda") ? "not promised by CUDA kernels" : "bit-exact";
}

Compute compute_of(const Settings& settings) {
  return {settings.text("compute.device"),
          settings.text("compute.precision"),
          settings.integer("compute.threads")};
}

StageEvents events_to(const Channel& channel) {
  StageEvents events;
  events.rows = [&channel](const std::vector<LossRow>& losses,
                           const std::vector<MetricRow>& metrics) {
    sar::events::Rows rows;
    for (const auto& row : losses) {
      rows.losses.push_back(
          {row.step, row.epoch, row.split, row.loss, row.learning_rate, row.seconds});
    }
    for (const auto& row : metrics) {
      rows.metrics.push_back({row.epoch,
                              row.split,
                              row.name,
                              row.value,
                              row.chance < 0 ? std::nullopt : std::optional<double>(row.chance)});
    }
    channel.send(rows);
  };
  events.progress = [&channel](std::int64_t done, std::int64_t total) {
    channel.send(sar::events::Progress{done, total});
  };
  events.stop = channel.stop;
  events.warn = warnings_to(channel);
  return events;
}

jobs::TrainingResult result_of(const StageResult& stage, const Compute& compute) {
  jobs::TrainingResult result;
  result.sha256 = sha256_of_file(stage.weights);
  result.seconds = stage.seconds;
  result.steps = stage.steps;
  result.samples = stage.samples;
  result.flops = stage.flops;
  result.epochs = stage.epochs;
  result.best_epoch = stage.best_epoch;
  result.samples_per_s = stage.samples_per_second;
  result.data_wait_fraction = stage.data_wait_fraction;
  result.peak_rss_mb = peak_rss_mb();
  result.peak_gpu_mb = stage.peak_gpu_mb;
  result.determinism = determinism_of(compute);
  return result;
}

fs::path checkpoint_beside(const fs::path& product) {
  return fs::path(product).replace_extension(".checkpoint");
}

/// Loads prepared cases, keeping the most recent ones in memory up to a limit.
class CaseLoader {
 public:
  template <class Job>
  CaseLoader(const Job& job, const Settings& settings, const Channel& channel)
      : task_(job.task),
        settings_(settings),
        cache_(fs::path(job.work) / "prepared", warnings_to(channel)) {
    for (const ManifestCase& each : job.cases) {
      cases_[each.id] = each;
    }
    channel_ = task_ == "brats" ? settings.text("brats.modality") : "ct";
  }

  /// Whether the image's file states its orientation; false as well if it cannot be read again.
  [[nodiscard]] bool states_orientation(const std::string& id) const {
    try {
      const DataFile& image = cases_.at(id).images.at(channel_);
      return read_image_header(image.path).orientation != "none";
    } catch (const std::exception&) {
      return false;
    }
  }

  std::shared_ptr<const PreparedTaskCase> load(const std::string& id) {
    const auto held = std::ranges::find(held_, id, &Held::id);
    if (held != held_.end()) {
      held_.splice(held_.begin(), held_, held);
      return held_.front().value;
    }
    const ManifestCase& each = cases_.at(id);
    auto value = prepared_task_case(record_of(each),
                                    task_,
                                    each.images.at(channel_).sha256,
                                    label_digest(each),
                                    settings_,
                                    cache_);
    bytes_ += bytes_of(*value);
    held_.push_front({id, value});
    while (bytes_ > kMemoryLimit && held_.size() > 1) {
      bytes_ -= bytes_of(*held_.back().value);
      held_.pop_back();
    }
    return value;
  }

 private:
  struct Held {
    std::string id;
    std::shared_ptr<const PreparedTaskCase> value;
  };
  static constexpr std::size_t kMemoryLimit = std::size_t{8} << 30U;  // bytes

  static std::size_t bytes_of(const PreparedTaskCase& value) {
    return value.image.voxels.size() * sizeof(float) + value.label.voxels.size() +
           value.native_label.voxels.size();
  }

  std::string task_, channel_;
  const Settings& settings_;
  PreparedCache cache_;
  std::map<std::string, ManifestCase> cases_;
  std::list<Held> held_;  // most recent first
  std::size_t bytes_ = 0;
};

int classes_of(const std::string& task) {
  return task == "brats" ? 1 : 3;
}

/// What is measured on one case: a name and the classes that make it up.
struct Target {
  std::string name;
  std::set<int> classes;
};

std::vector<Target> targets_of(const std::string& task, const Settings& settings) {
  if (task == "brats") {
    return {{"tumor", {1}}};
  }
  const bool together = settings.flag("evaluate.organ_includes_tumor");
  std::vector<Target> targets{{"organ", together ? std::set<int>{1, 2} : std::set<int>{1}},
                              {"tumor", {2}}};
  if (settings.flag("evaluate.average_background")) {
    targets.push_back({"background", {0}});
  }
  return targets;
}

/// Probabilities brought to another grid over the same space, linearly.
std::vector<Block> to_grid(std::vector<Block> probabilities,
                           const Geometry& from,
                           const Geometry& to) {
  if (from.size == to.size) {
    return probabilities;
  }
  for (Block& block : probabilities) {
    Volume volume{from, std::move(block.values)};
    Volume resampled = resample_linear(volume, to.size);
    block = {to.size, std::move(resampled.voxels)};
  }
  return probabilities;
}

/// Tumour volumes of the training cases, as counted when the task was prepared; none where the
/// test cases are ranked among themselves.
std::optional<std::vector<double>> training_volumes_mm3(const jobs::Evaluate& job) {
  if (!job.bucket_cases) {
    return std::nullopt;
  }
  const std::set<std::string> wanted(job.bucket_cases->begin(), job.bucket_cases->end());
  const Json summary = read_json(job.products.at(job.prepared));
  std::vector<double> volumes;
  for (const Json& each : summary.at("cases")) {
    if (!wanted.contains(each.at("id").get<std::string>())) {
      continue;
    }
    std::int64_t voxels = 0;
    for (const auto& [label, count] : each.at("native_voxels_by_label").items()) {
      voxels += count.get<std::int64_t>();
    }
    volumes.push_back(static_cast<double>(voxels) * each.at("voxel_volume_mm3").get<double>());
  }
  return volumes;
}

/// The value of voxels outside the body, where preparation sets one.
std::optional<float> background_of(const std::string& task, const Settings& settings) {
  const bool zero = task == "brats" && !normalised_to_unit(settings, task) &&
                    settings.flag("brats.zero_background");
  return zero ? std::optional(0.0F) : std::nullopt;
}

/// The field `examples` of an evaluation (README.md): cases[i] has slices[i].
Json examples_of(const std::vector<ScoredCase>& cases,
                 const std::vector<CaseSlices>& slices,
                 const CaseLoader& loader) {
  Json examples = Json::array();
  for (const ExampleCase& example : example_cases(cases)) {
    const ScoredCase& scored = cases[example.index];
    Json planes = Json::array();
    for (const Slice& slice : slices[example.index].slices) {
      planes.push_back({{"plane", slice.plane},
                        {"index", slice.index},
                        {"width", slice.width},
                        {"height", slice.height},
                        {"pixel_mm", slice.pixel_mm},
                        {"image_png", base64(png_of_grey(slice.grey, slice.width, slice.height))},
                        {"truth", slice.truth},
                        {"prediction", slice.prediction}});
    }
    examples.push_back(
        {{"case_id", scored.id},
         {"target", "tumor"},
         {"bucket", scored.bucket},
         {"places", example.places},
         {"dice", scored.dice},
         {"centre", slices[example.index].centre},
         {"orientation", loader.states_orientation(scored.id) ? "stated" : "assumed"},
         {"slices", planes}});
  }
  return examples;
}

}  // namespace

jobs::TrainingResult pretrain(const jobs::Pretrain& job,
                              const Channel& channel,
                              const MethodRegistry& methods) {
  forget_peak();
  const Settings settings = Settings::from_resolved(job.settings, core_schema());
  std::vector<fs::path> files;
  for (const std::string& key : job.cubes) {
    files.emplace_back(job.products.at(key));
  }
  const CubeStore cubes(files);
  std::map<std::string, std::set<std::string>> held_out;
  for (const auto& [dataset, patients] : job.validation) {
    held_out[dataset] = {patients.begin(), patients.end()};
  }
  PretrainJob stage;
  stage.method = &methods.at(job.method);
  stage.settings = &settings;
  stage.seed =
      job.seed + static_cast<std::uint64_t>(settings.integer("pretrain.initialisation_seed"));
  stage.cubes = &cubes;
  for (std::size_t i = 0; i < cubes.size(); ++i) {
    const CubeInfo& info = cubes.info(i);
    (held_out[info.dataset].contains(info.patient) ? stage.validation : stage.train).push_back(i);
  }
  stage.weights = job.product;
  stage.checkpoint = checkpoint_beside(stage.weights);
  stage.compute = compute_of(settings);
  const StageResult trained = sar::pretrain(stage, events_to(channel));
  fs::remove(stage.checkpoint);
  jobs::TrainingResult result = result_of(trained, stage.compute);
  result.cubes = static_cast<std::int64_t>(stage.train.size());
  return result;
}

jobs::TrainingResult finetune(const jobs::Finetune& job,
                              const Channel& channel,
                              const MethodRegistry& methods) {
  forget_peak();
  const Settings settings = Settings::from_resolved(job.settings, core_schema());
  CaseLoader loader(job, settings, channel);
  FinetuneJob stage;
  stage.settings = &settings;
  stage.task = job.task;
  stage.classes = classes_of(stage.task);
  stage.transfer = methods.at(job.method).transfer;
  if (!job.initial.empty()) {
    stage.initial_weights = job.products.at(job.initial);
  }
  stage.seed = job.seed;
  stage.train = job.train;
  stage.validation = job.validation;
  stage.steps_per_epoch = job.steps_per_epoch;
  stage.load = [&](const std::string& id) {
    const auto value = loader.load(id);
    return TaskCase{id, {value, &value->image}, {value, &value->label}};
  };
  stage.weights = job.product;
  stage.checkpoint = checkpoint_beside(stage.weights);
  stage.compute = compute_of(settings);
  const StageResult result = sar::finetune(stage, events_to(channel));
  fs::remove(stage.checkpoint);
  return result_of(result, stage.compute);
}

jobs::Evaluate::Result evaluate(const jobs::Evaluate& job, const Channel& channel) {
  forget_peak();
  const auto start = std::chrono::steady_clock::now();
  const Settings settings = Settings::from_resolved(job.settings);
  const std::string& task = job.task;
  const Compute compute = compute_of(settings);
  configure_compute(compute);
  const Predictor predictor(settings, classes_of(task), job.products.at(job.weights), compute);
  CaseLoader loader(job, settings, channel);
  const auto targets = targets_of(task, settings);
  const bool native = settings.text("evaluate.grid") == "native";
  const ScoreOptions options = score_options(settings);

  const bool keep_slices = settings.flag("output.example_slices");
  std::vector<ScoredCase> scored_cases;
  std::vector<CaseSlices> slices;

  jobs::Evaluate::Result result;
  std::vector<SizedCase> tumours;
  std::int64_t done = 0;
  for (const auto& id : job.test) {
    if (channel.stop()) {
      throw Error(ExitCode::interrupted, "interrupted");
    }
    const auto prepared = loader.load(id);
    const LabelMap& truth = native ? prepared->native_label : prepared->label;
    const auto probabilities =
        to_grid(predictor.probabilities(prepared->image), prepared->image.geometry, truth.geometry);
    const auto predicted = classify(probabilities, options.threshold);
    for (const Target& target : targets) {
      const Score scored = score(predicted, truth, target.classes, options);
      const double volume =
          static_cast<double>(scored.overlap.truth) * truth.geometry.voxel_volume_mm3();
      result.dice.push_back({id,
                             target.name,
                             "all",
                             volume,
                             scored.dice_percent,
                             scored.overlap.both,
                             scored.overlap.prediction,
                             scored.overlap.truth});
      if (task == "brats") {
        tumours.push_back({id, volume});
      }
      if (keep_slices && target.name == "tumor") {
        scored_cases.push_back({id, "all", scored.dice_percent});
        slices.push_back(
            cut_slices(prepared->image,
                       truth.geometry,
                       mask_of(truth.voxels, target.classes),
                       scored_mask(predicted, truth.geometry.size, target.classes, options),
                       background_of(task, settings)));
      }
    }
    channel.send(sar::events::Progress{++done, static_cast<std::int64_t>(job.test.size())});
  }
  const auto buckets = size_buckets(tumours,
                                    settings.text("buckets.rule"),
                                    settings.numbers("buckets.thresholds_mm3"),
                                    training_volumes_mm3(job));
  for (jobs::CaseDice& row : result.dice) {
    const auto bucket = buckets.find(row.case_id);
    if (bucket != buckets.end()) {
      row.bucket = bucket->second;
    }
  }
  for (ScoredCase& each : scored_cases) {
    const auto bucket = buckets.find(each.id);
    if (bucket != buckets.end()) {
      each.bucket = bucket->second;
    }
  }
  std::string text = Json{{"task", task}, {"dice", write(result).at("dice")}}.dump(1);
  const Json examples = keep_slices ? examples_of(scored_cases, slices, loader) : Json();
  text.insert(text.size() - 2, ",\n \"examples\": " + examples.dump());  // outlines on one line
  text += "\n";
  write_file_atomically(job.product, text);
  result.sha256 = sha256(text);
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  result.samples_per_s = static_cast<double>(job.test.size()) / result.seconds;
  result.peak_rss_mb = peak_rss_mb();
  result.determinism = determinism_of(compute);
  return result;
}

}  // namespace sar::worker
