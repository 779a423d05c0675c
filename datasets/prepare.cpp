#include "datasets/prepare.h"

#include "harness/config/core_keys.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/io/image_io.h"
#include "harness/volume/intensity.h"
#include "harness/volume/resample.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <utility>
#include <vector>

namespace sar {
namespace fs = std::filesystem;
namespace {

/// Raised by hand whenever the code below moves a voxel.
constexpr int kPrepareVersion = 1;

/// The keys that bring a volume of this modality to [0, 1].
std::vector<std::string> unit_keys(Modality modality) {
  return {modality == Modality::ct ? "preprocess.clip_ct_hu" : "preprocess.clip_mri",
          "preprocess.normalization"};
}

void normalise_to_unit(std::vector<float>& values, Modality modality, const Settings& settings) {
  const std::vector<double> range = settings.numbers(unit_keys(modality).front());
  if (range.size() != 2 || !(range[0] < range[1])) {
    throw usage_error("clip range must be two ascending numbers")
        .with("key", unit_keys(modality).front());
  }
  const auto low = static_cast<float>(range[0]);
  const auto high = static_cast<float>(range[1]);
  clip(values, low, high);
  if (settings.text("preprocess.normalization") == "range") {
    normalise_range(values, low, high);
  } else {
    normalise_volume(values);
  }
}

Volume read_finite(const fs::path& path) {
  Volume volume = read_volume(path);
  const auto bad = std::count_if(
      volume.voxels.begin(), volume.voxels.end(), [](float v) { return !std::isfinite(v); });
  if (bad > 0) {
    throw data_error("image holds NaN or infinities")
        .with("voxels", std::to_string(bad))
        .with("file", path.string());
  }
  return volume;
}

const fs::path& channel_of(const CaseRecord& record, const std::string& channel) {
  const auto image = record.images.find(channel);
  if (image == record.images.end()) {
    throw data_error("case has no such channel").with("channel", channel);
  }
  return image->second;
}

/// Calls `make`, one process at a time, unless the file that it writes last is there.
void ensure(const PreparedCache& cache,
            const std::string& key,
            const fs::path& last_file,
            const std::function<void()>& make) {
  if (fs::exists(last_file)) {
    return;
  }
  fs::create_directories(cache.folder() / "locks");
  const FileLock lock(cache.folder() / "locks" / key.substr(0, 2));
  if (!fs::exists(last_file)) {
    make();
  }
}

template <typename Function>
auto for_case(const CaseRecord& record, const Function& function) {
  try {
    return function();
  } catch (const Error& error) {
    throw Error(error).with("case", record.id);
  } catch (const fs::filesystem_error& error) {
    throw io_error("cannot prepare the case").with("reason", error.what()).with("case", record.id);
  }
}

/// Values of the label file to classes of the task.
void map_classes(LabelMap& labels, const std::string& task, const Settings& settings) {
  if (task == "pancreas") {
    const auto most = std::max_element(labels.voxels.begin(), labels.voxels.end());
    if (most != labels.voxels.end() && *most > 2) {
      throw data_error("label value is not one of 0, 1 (pancreas), 2 (tumor)")
          .with("value", std::to_string(*most));
    }
    return;
  }
  std::array<std::uint8_t, 256> classes{};
  for (const int value : settings.integers("brats.labels")) {
    classes.at(static_cast<std::size_t>(value)) = 1;
  }
  for (std::uint8_t& value : labels.voxels) {
    value = classes[value];
  }
}

}  // namespace

PreparedCache::PreparedCache(fs::path folder) : folder_(std::move(folder)) {}

std::shared_ptr<const Volume> prepared_source(const CaseRecord& record,
                                              const std::string& channel,
                                              Modality modality,
                                              const std::string& digest,
                                              const Settings& settings,
                                              const PreparedCache& cache) {
  return for_case(record, [&] {
    const std::string crop_key =
        modality == Modality::ct ? "preprocess.crop_nonzero_ct" : "preprocess.crop_nonzero_mri";
    std::vector<std::string> keys = unit_keys(modality);
    keys.insert(keys.end(), {"preprocess.spacing_mm", crop_key});
    const std::string key = content_key({{"operation", "source"},
                                         {"version", kPrepareVersion},
                                         {"source", digest},
                                         {"settings", settings.subset(keys)}});
    const fs::path file = cache.folder() / (key + ".mha");
    ensure(cache, key, file, [&] {
      Volume volume = read_finite(channel_of(record, channel));
      if (settings.flag(crop_key)) {
        volume = crop_volume(volume, nonzero_box(volume));
      }
      const Size3 size =
          resampled_size(volume.geometry, settings.numbers3("preprocess.spacing_mm"));
      volume = resample_cubic(volume, size);
      normalise_to_unit(volume.voxels, modality, settings);
      write_volume(file, volume, {.type = VoxelType::float32});
    });
    return std::make_shared<const Volume>(read_volume(file));
  });
}

std::shared_ptr<const PreparedTaskCase> prepared_task_case(const CaseRecord& record,
                                                           const std::string& task,
                                                           const std::string& image_digest,
                                                           const std::string& label_digest,
                                                           const Settings& settings,
                                                           const PreparedCache& cache) {
  return for_case(record, [&] {
    const bool brats = task == "brats";
    if (!brats && task != "pancreas") {
      throw internal_error("no such task").with("task", task);
    }
    if (record.label.empty()) {
      throw data_error("case of a task has no label");
    }
    const Modality modality = brats ? Modality::mri : Modality::ct;
    const bool unit = normalised_to_unit(settings, task);
    std::vector<std::string> keys{"finetune.spacing_mm", "finetune.normalization"};
    if (unit) {
      const std::vector<std::string> more = unit_keys(modality);
      keys.insert(keys.end(), more.begin(), more.end());
    } else if (brats) {
      keys.emplace_back("brats.zero_background");
    } else {
      keys.insert(keys.end(),
                  {"pancreas.clip_hu", "pancreas.mean_hu", "pancreas.standard_deviation_hu"});
    }
    if (brats) {
      keys.emplace_back("brats.labels");
    }
    const std::string key = content_key({{"operation", task},
                                         {"version", kPrepareVersion},
                                         {"image", image_digest},
                                         {"label", label_digest},
                                         {"settings", settings.subset(keys)}});
    const fs::path image_file = cache.folder() / (key + ".mha");
    const fs::path label_file = cache.folder() / (key + ".label.mha");
    const fs::path native_file = cache.folder() / (key + ".native.mha");
    ensure(cache, key, image_file, [&] {
      const fs::path& source =
          channel_of(record, brats ? settings.text("brats.modality") : std::string("ct"));
      Volume image = read_finite(source);
      LabelMap label = read_label_map(record.label);
      const std::string difference = geometry_difference(image.geometry, label.geometry);
      if (!difference.empty()) {
        throw data_error("image and label lie on different grids")
            .with("difference", difference)
            .with("image", source.string())
            .with("label", record.label.string());
      }
      try {
        map_classes(label, task, settings);
      } catch (const Error& error) {
        throw Error(error).with("file", record.label.string());
      }
      if (brats && !unit) {
        normalise_nonzero(image.voxels, settings.flag("brats.zero_background"));
      }
      const Size3 size = resampled_size(image.geometry, settings.numbers3("finetune.spacing_mm"));
      image = resample_cubic(image, size);
      if (unit) {
        normalise_to_unit(image.voxels, modality, settings);
      } else if (!brats) {
        const std::vector<double> range = settings.numbers("pancreas.clip_hu");
        clip(image.voxels, static_cast<float>(range.at(0)), static_cast<float>(range.at(1)));
        const double mean = settings.number("pancreas.mean_hu");
        const double deviation = settings.number("pancreas.standard_deviation_hu");
        for (float& value : image.voxels) {
          value = static_cast<float>((static_cast<double>(value) - mean) / deviation);
        }
      }
      write_label_map(native_file, label);
      write_label_map(label_file, resample_nearest(label, size));
      write_volume(
          image_file, image, {.type = VoxelType::float32});  // last: its presence means done
    });
    return std::make_shared<const PreparedTaskCase>(PreparedTaskCase{
        read_volume(image_file), read_label_map(label_file), read_label_map(native_file)});
  });
}

}  // namespace sar
