#include "datasets/prepare.h"

#include "generated_preparing_code.h"
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

constexpr const char* kRecord = ".json";
constexpr const char* kAbsent = "absent";

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

PreparedCache::PreparedCache(fs::path folder, std::function<void(const std::string&)> warn)
    : folder_(std::move(folder)), warn_(std::move(warn)) {}

fs::path PreparedCache::file(const std::string& key, const std::string& ending) const {
  return folder_ / (key + ending);
}

std::string PreparedCache::fault(const std::string& key,
                                 const std::vector<std::string>& endings) const {
  const fs::path record = file(key, kRecord);
  if (!fs::exists(record)) {
    return kAbsent;
  }
  try {
    const Json digests = read_json(record);
    for (const std::string& ending : endings) {
      if (digests.at(ending) != sha256_of_file(file(key, ending))) {
        return "the SHA-256 of " + file(key, ending).string() + " is not the recorded one";
      }
    }
  } catch (const Error& error) {
    return error.what();
  } catch (const Json::exception&) {
    return "it is not such a record: " + record.string();
  }
  return {};
}

void PreparedCache::ensure(const std::string& key,
                           const std::vector<std::string>& endings,
                           const std::function<void()>& make) const {
  if (sound_.contains(key)) {
    return;
  }
  if (!fault(key, endings).empty()) {
    fs::create_directories(folder_ / "locks");
    const FileLock lock(folder_ / "locks" / key.substr(0, 2));
    const std::string found = fault(key, endings);  // another process may have made it meanwhile
    if (!found.empty()) {
      if (found != kAbsent && warn_) {
        warn_("a prepared volume is made again: " + found);
      }
      fs::remove(file(key, kRecord));
      make();
      Json digests = Json::object();
      for (const std::string& ending : endings) {
        digests[ending] = sha256_of_file(file(key, ending));
      }
      write_file_atomically(file(key, kRecord), to_text(digests));
    }
  }
  sound_.insert(key);
}

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
                                         {"code", kPreparingCode},
                                         {"source", digest},
                                         {"settings", settings.subset(keys)}});
    const fs::path file = cache.folder() / (key + ".mha");
    cache.ensure(key, {".mha"}, [&] {
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
                                         {"code", kPreparingCode},
                                         {"image", image_digest},
                                         {"label", label_digest},
                                         {"settings", settings.subset(keys)}});
    const fs::path image_file = cache.folder() / (key + ".mha");
    const fs::path label_file = cache.folder() / (key + ".label.mha");
    const fs::path native_file = cache.folder() / (key + ".native.mha");
    cache.ensure(key, {".mha", ".label.mha", ".native.mha"}, [&] {
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
      write_volume(image_file, image, {.type = VoxelType::float32});
    });
    return std::make_shared<const PreparedTaskCase>(PreparedTaskCase{
        read_volume(image_file), read_label_map(label_file), read_label_map(native_file)});
  });
}

}  // namespace sar
