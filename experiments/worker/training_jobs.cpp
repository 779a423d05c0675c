#include "experiments/worker/training_jobs.h"

#include "datasets/prepare.h"
#include "experiments/worker/data_jobs.h"
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
    Json loss_rows = Json::array();
    for (const auto& row : losses) {
      loss_rows.push_back(
          {row.step, row.epoch, row.split, row.loss, row.learning_rate, row.seconds});
    }
    Json metric_rows = Json::array();
    for (const auto& row : metrics) {
      metric_rows.push_back(
          {row.epoch, row.split, row.name, row.value, row.chance < 0 ? Json() : Json(row.chance)});
    }
    channel.send({{"event", "rows"}, {"losses", loss_rows}, {"metrics", metric_rows}});
  };
  events.progress = [&channel](std::int64_t done, std::int64_t total) {
    channel.send({{"event", "progress"}, {"done", done}, {"total", total}});
  };
  events.stop = channel.stop;
  events.warn = [&channel](const std::string& text) {
    channel.send({{"event", "warning"}, {"text", text}});
  };
  return events;
}

Json result_of(const StageResult& stage, const Compute& compute) {
  return {{"sha256", sha256_of_file(stage.weights)},
          {"seconds", stage.seconds},
          {"steps", stage.steps},
          {"epochs", stage.epochs},
          {"best_epoch", stage.best_epoch},
          {"samples_per_s", stage.samples_per_second},
          {"data_wait_fraction", stage.data_wait_fraction},
          {"peak_rss_mb", peak_rss_mb()},
          {"peak_gpu_mb", stage.peak_gpu_mb},
          {"determinism", determinism_of(compute)}};
}

fs::path checkpoint_beside(const fs::path& product) {
  return fs::path(product).replace_extension(".checkpoint");
}

/// Loads prepared cases, keeping the most recent ones in memory up to a limit.
class CaseLoader {
 public:
  CaseLoader(const Json& job, const Settings& settings)
      : task_(job.at("task")),
        settings_(settings),
        cache_(fs::path(job.at("work").get<std::string>()) / "prepared") {
    for (const Json& record : job.at("cases")) {
      records_[record.at("id")] = record;
    }
    channel_ = task_ == "brats" ? settings.text("brats.modality") : "ct";
  }

  /// Whether the image's file states its orientation; false as well if it cannot be read again.
  [[nodiscard]] bool states_orientation(const std::string& id) const {
    try {
      const CaseRecord record = record_from(records_.at(id));
      return read_image_header(record.images.at(channel_)).orientation != "none";
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
    const Json& record = records_.at(id);
    auto value = prepared_task_case(record_from(record),
                                    task_,
                                    digest_of(record, channel_),
                                    digest_of(record, ""),
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
  std::map<std::string, Json> records_;
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
std::optional<std::vector<double>> training_volumes_mm3(const Json& job) {
  if (!job.contains("bucket_cases")) {
    return std::nullopt;
  }
  const auto wanted = job.at("bucket_cases").get<std::set<std::string>>();
  const Json summary =
      read_json(job.at("products").at(job.at("prepared").get<std::string>()).get<std::string>());
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
  const bool zero = task == "brats" && settings.text("finetune.normalization") != "unit" &&
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

Json pretrain(const Json& job, const Channel& channel, const MethodRegistry& methods) {
  forget_peak();
  const Settings settings = Settings::from_resolved(job.at("settings"));
  std::vector<fs::path> files;
  for (const Json& key : job.at("cubes")) {
    files.emplace_back(job.at("products").at(key.get<std::string>()).get<std::string>());
  }
  const CubeStore cubes(files);
  std::map<std::string, std::set<std::string>> held_out;
  for (const auto& [dataset, patients] : job.at("validation").items()) {
    held_out[dataset] = patients.get<std::set<std::string>>();
  }
  PretrainJob stage;
  stage.method = &methods.at(job.at("method").get<std::string>());
  stage.settings = &settings;
  stage.seed = job.at("seed").get<std::uint64_t>() +
               static_cast<std::uint64_t>(settings.integer("pretrain.initialisation_seed"));
  stage.cubes = &cubes;
  for (std::size_t i = 0; i < cubes.size(); ++i) {
    const CubeInfo& info = cubes.info(i);
    (held_out[info.dataset].contains(info.patient) ? stage.validation : stage.train).push_back(i);
  }
  stage.weights = job.at("product").get<std::string>();
  stage.checkpoint = checkpoint_beside(stage.weights);
  stage.compute = compute_of(settings);
  const StageResult result = sar::pretrain(stage, events_to(channel));
  fs::remove(stage.checkpoint);
  return result_of(result, stage.compute);
}

Json finetune(const Json& job, const Channel& channel, const MethodRegistry& methods) {
  forget_peak();
  const Settings settings = Settings::from_resolved(job.at("settings"));
  CaseLoader loader(job, settings);
  FinetuneJob stage;
  stage.settings = &settings;
  stage.task = job.at("task");
  stage.classes = classes_of(stage.task);
  stage.transfer = methods.at(job.at("method").get<std::string>()).transfer;
  if (const std::string initial = job.at("initial"); !initial.empty()) {
    stage.initial_weights = job.at("products").at(initial).get<std::string>();
  }
  stage.seed = job.at("seed");
  stage.train = job.at("train").get<std::vector<std::string>>();
  stage.validation = job.at("validation").get<std::vector<std::string>>();
  stage.steps_per_epoch = job.at("steps_per_epoch");
  stage.load = [&](const std::string& id) {
    const auto value = loader.load(id);
    return TaskCase{id, {value, &value->image}, {value, &value->label}};
  };
  stage.weights = job.at("product").get<std::string>();
  stage.checkpoint = checkpoint_beside(stage.weights);
  stage.compute = compute_of(settings);
  const StageResult result = sar::finetune(stage, events_to(channel));
  fs::remove(stage.checkpoint);
  return result_of(result, stage.compute);
}

Json evaluate(const Json& job, const Channel& channel) {
  forget_peak();
  const auto start = std::chrono::steady_clock::now();
  const Settings settings = Settings::from_resolved(job.at("settings"));
  const std::string task = job.at("task");
  const Compute compute = compute_of(settings);
  configure_compute(compute);
  const Predictor predictor(
      settings,
      classes_of(task),
      job.at("products").at(job.at("weights").get<std::string>()).get<std::string>(),
      compute);
  CaseLoader loader(job, settings);
  const auto targets = targets_of(task, settings);
  const bool native = settings.text("evaluate.grid") == "native";
  const ScoreOptions options = score_options(settings);

  const bool keep_slices = settings.flag("output.example_slices");
  std::vector<ScoredCase> scored_cases;
  std::vector<CaseSlices> slices;

  Json rows = Json::array();
  std::vector<SizedCase> tumours;
  const auto test = job.at("test").get<std::vector<std::string>>();
  std::int64_t done = 0;
  for (const auto& id : test) {
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
      rows.push_back({{"case_id", id},
                      {"target", target.name},
                      {"bucket", "all"},
                      {"volume_mm3", volume},
                      {"dice", scored.dice_percent},
                      {"voxels_both", scored.overlap.both},
                      {"voxels_predicted", scored.overlap.prediction},
                      {"voxels_true", scored.overlap.truth}});
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
    channel.send({{"event", "progress"}, {"done", ++done}, {"total", test.size()}});
  }
  const auto buckets = size_buckets(tumours,
                                    settings.text("buckets.rule"),
                                    settings.numbers("buckets.thresholds_mm3"),
                                    training_volumes_mm3(job));
  for (Json& row : rows) {
    const auto bucket = buckets.find(row.at("case_id").get<std::string>());
    if (bucket != buckets.end()) {
      row["bucket"] = bucket->second;
    }
  }
  for (ScoredCase& each : scored_cases) {
    const auto bucket = buckets.find(each.id);
    if (bucket != buckets.end()) {
      each.bucket = bucket->second;
    }
  }
  std::string text = Json{{"task", task}, {"dice", rows}}.dump(1);
  const Json examples = keep_slices ? examples_of(scored_cases, slices, loader) : Json();
  text.insert(text.size() - 2, ",\n \"examples\": " + examples.dump());  // outlines on one line
  text += "\n";
  write_file_atomically(job.at("product").get<std::string>(), text);
  const double seconds =
      std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return {{"dice", rows},
          {"sha256", sha256(text)},
          {"seconds", seconds},
          {"samples_per_s", static_cast<double>(test.size()) / seconds},
          {"peak_rss_mb", peak_rss_mb()},
          {"determinism", determinism_of(compute)}};
}

}  // namespace sar::worker
