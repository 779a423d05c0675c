#include "experiments/worker/data_jobs.h"

#include "datasets/phantom.h"
#include "datasets/prepare.h"
#include "datasets/verify.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/io/image_io.h"
#include "harness/volume/cube_store.h"

#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <map>
#include <set>
#include <sstream>
#include <utility>

namespace sar::worker {
namespace fs = std::filesystem;
namespace {

DatasetRegistry registry() {
  DatasetRegistry all;
  datasets::register_all(all);
  return all;
}

std::function<void(int, int)> progress_to(const Channel& channel) {
  return [&channel](int done, int total) {
    if (channel.stop()) {
      throw Error(ExitCode::interrupted, "interrupted");
    }
    channel.send(events::Progress{done, total});
  };
}

/// Digests of files seen before, so that an unchanged file of a large data set is hashed once. What
/// was hashed is kept from time to time and at the end, also when the listing is interrupted. A
/// file of digests that cannot be used is dropped, which costs no more than hashing again.
class DigestCache {
 public:
  DigestCache(fs::path path, const std::function<void(const std::string&)>& warn)
      : path_(std::move(path)) {
    if (!fs::exists(path_)) {
      return;
    }
    try {
      known_ = read_json(path_);
      if (!known_.is_object()) {
        throw data_error("not a JSON object").with("file", path_.string());
      }
    } catch (const Error& error) {
      known_ = Json::object();
      warn(std::string("the digests of files are made again: ") + error.what());
    }
  }
  ~DigestCache() {
    try {
      save();
    } catch (const std::exception&) {  // hashed again next time
    }
  }
  DigestCache(const DigestCache&) = delete;
  DigestCache& operator=(const DigestCache&) = delete;
  DigestCache(DigestCache&&) = delete;
  DigestCache& operator=(DigestCache&&) = delete;

  DataFile describe(const fs::path& file) {
    DataFile described{file.string(), {}, {}};
    for (const auto& part : parts_of(file)) {
      struct stat status {};
      if (::stat(part.c_str(), &status) != 0) {
        throw not_found_error("file of a data set is gone").with("file", part.string());
      }
      if (!S_ISREG(status.st_mode)) {
        throw data_error("file of a data set is a folder, pipe or device")
            .with("file", part.string());
      }
      const std::int64_t modified =
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
      described.files.push_back({part.string(), status.st_size, modified});
    }
    const Json known = known_.value(file.string(), Json());
    if (known.is_object() && known.value("files", Json()) == write(described).at("files") &&
        known.value("sha256", Json()).is_string()) {
      described.sha256 = known.at("sha256");
      return described;
    }
    std::string digests;
    for (const FileState& part : described.files) {
      digests += sha256_of_file(part.path);
    }
    described.sha256 = described.files.size() == 1 ? digests : sha256(digests);
    known_[file.string()] = write(described);
    changed_ = true;
    constexpr std::chrono::seconds kBetweenSaves{20};  // a choice
    if (std::chrono::steady_clock::now() - saved_ > kBetweenSaves) {
      save();
    }
    return described;
  }

  void save() {
    if (std::exchange(changed_, false)) {
      write_file_atomically(path_, to_text(known_, -1));
    }
    saved_ = std::chrono::steady_clock::now();
  }

 private:
  static std::vector<fs::path> parts_of(const fs::path& file) {
    std::vector<fs::path> parts{fs::absolute(file)};
    if (extension_of(file) == ".mhd" && fs::is_regular_file(file)) {
      std::istringstream header(read_file(parts.front()));
      for (std::string line; std::getline(header, line);) {
        if (line.starts_with("ElementDataFile")) {
          std::string name = line.substr(line.find('=') + 1);
          name.erase(0, name.find_first_not_of(" \t"));
          name.erase(name.find_last_not_of(" \t\r") + 1);
          if (name != "LOCAL" && name != "LIST") {
            parts.push_back(parts.front().parent_path() / name);
          }
        }
      }
    }
    return parts;
  }

  fs::path path_;
  Json known_ = Json::object();
  bool changed_ = false;
  std::chrono::steady_clock::time_point saved_ = std::chrono::steady_clock::now();
};

std::vector<std::string> channels_of(const std::vector<CaseRecord>& cases) {
  std::set<std::string> names;
  for (const auto& record : cases) {
    for (const auto& [channel, file] : record.images) {
      names.insert(channel);
    }
  }
  return {names.begin(), names.end()};
}

/// Identity of a data set: ids and file digests, not where it lies.
std::string digest_of_set(const std::vector<ManifestCase>& cases) {
  Json names = Json::array();
  for (const ManifestCase& each : cases) {
    Json entry{{"id", each.id}, {"label", each.label ? Json(each.label->sha256) : Json()}};
    for (const auto& [channel, file] : each.images) {
      entry[channel] = file.sha256;
    }
    names.push_back(entry);
  }
  return sha256(names.dump());
}

}  // namespace

CaseRecord record_of(const ManifestCase& each) {
  CaseRecord record;
  record.id = each.id;
  record.patient = each.patient;
  record.group = each.group;
  for (const auto& [channel, file] : each.images) {
    record.images[channel] = file.path;
  }
  if (each.label) {
    record.label = each.label->path;
  }
  return record;
}

std::string label_digest(const ManifestCase& each) {
  if (!each.label) {
    throw data_error("the case has no label").with("case", each.id);
  }
  return each.label->sha256;
}

jobs::Phantom::Result write_phantoms(const jobs::Phantom& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.settings);
  write_phantom_suite(
      job.folder, phantom_options(settings), progress_to(channel), warnings_to(channel));
  return {job.folder};
}

namespace {

/// The manifest of a phantom suite that is not written yet: ids only, so that a dry run can plan.
sar::Manifest planned_phantom_manifest(const Settings& settings) {
  const PhantomOptions options = phantom_options(settings);
  const DataFile unwritten{"", kNotWritten, {}};
  sar::Manifest manifest{"phantom", {}};
  const DatasetRegistry known = registry();
  for (const auto& adapter : known.all()) {
    ManifestDataset dataset{"", to_string(adapter.modality), {}, kNotWritten, {}};
    dataset.channels = adapter.id == "brats" ? std::vector<std::string>{"flair", "t1", "t1ce", "t2"}
                       : adapter.modality == Modality::ct ? std::vector<std::string>{"ct"}
                                                          : std::vector<std::string>{"mri"};
    for (const auto& [id, labelled] : phantom_case_names(adapter.id, options)) {
      ManifestCase each{id, id, "", {}, {}, true};
      for (const auto& name : dataset.channels) {
        each.images[name] = unwritten;
      }
      if (labelled) {
        each.label = unwritten;
      }
      dataset.cases.push_back(std::move(each));
    }
    manifest.datasets.emplace(adapter.id, std::move(dataset));
  }
  return manifest;
}

}  // namespace

namespace {

/// "phantom" if the roots lie in a phantom suite, "real" if none does. Throws Error 65 for a
/// mixture.
std::string data_kind(const jobs::Roots& roots) {
  std::string phantom;
  std::string real;
  for (const auto& [id, root] : roots) {
    const fs::path folder = fs::weakly_canonical(root);
    const bool in_suite = fs::exists(folder / "phantom.json") ||
                          fs::exists(folder.parent_path() / "phantom.json") ||
                          fs::exists(folder.parent_path().parent_path() / "phantom.json");
    (in_suite ? phantom : real) = folder.string();
  }
  if (!phantom.empty() && !real.empty()) {
    throw data_error("phantom and real data must not be mixed")
        .with("phantom", phantom)
        .with("real", real);
  }
  return phantom.empty() ? "real" : "phantom";
}

}  // namespace

jobs::Manifest::Result make_manifest(const jobs::Manifest& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.settings);
  if (job.planned) {
    return {planned_phantom_manifest(settings)};
  }
  const DatasetRegistry all = registry();
  const fs::path work = job.work;
  const FileLock lock(work / "locks" / "digests.lock");
  DigestCache digests(work / "digests.json", warnings_to(channel));
  sar::Manifest manifest{data_kind(job.roots), {}};
  for (const auto& [id, root] : job.roots) {
    const DatasetAdapter& adapter = all.at(id);
    const auto records = adapter.list(root);
    std::set<std::string> pretraining;
    for (const auto& record : adapter.pretraining(records, settings)) {
      pretraining.insert(record.id);
    }
    ManifestDataset dataset{
        fs::absolute(root).string(), to_string(adapter.modality), channels_of(records), {}, {}};
    int done = 0;
    for (const auto& record : records) {
      ManifestCase each{record.id, record.patient, record.group, {}, {}, false};
      for (const auto& [channel_name, file] : record.images) {
        each.images[channel_name] = digests.describe(file);
      }
      if (!record.label.empty()) {
        each.label = digests.describe(record.label);
      }
      each.selected = pretraining.contains(record.id);
      dataset.cases.push_back(std::move(each));
      progress_to(channel)(++done, static_cast<int>(records.size()));
    }
    dataset.digest = digest_of_set(dataset.cases);
    manifest.datasets.emplace(id, std::move(dataset));
  }
  digests.save();
  if (job.product) {
    write_file_atomically(*job.product, write(manifest).dump(1) + "\n");
  }
  return {std::move(manifest)};  // the file may be another command's by now
}

jobs::List::Result list_cases(const jobs::List& job) {
  const DatasetRegistry all = registry();
  jobs::List::Result result;
  for (const auto& [id, root] : job.roots) {
    const DatasetAdapter& adapter = all.at(id);
    jobs::List::Dataset& set = result.datasets[id];
    set = {root, adapter.paper_name, adapter.paper_cases, {}};
    for (const auto& record : adapter.list(root)) {
      jobs::List::Case each{record.id, record.patient, record.group, {}, {}};
      for (const auto& [channel, file] : record.images) {
        each.images[channel] = {file.string()};
      }
      if (!record.label.empty()) {
        each.label = {record.label.string()};
      }
      set.cases.push_back(std::move(each));
    }
  }
  result.data_kind = data_kind(job.roots);
  return result;
}

jobs::Verify::Result verify(const jobs::Verify& job, const Channel& channel) {
  const DatasetRegistry all = registry();
  jobs::Verify::Result result;
  for (const auto& [id, root] : job.roots) {
    const DatasetAdapter& adapter = all.at(id);
    for (const Finding& finding : verify_dataset(adapter, root, progress_to(channel))) {
      result.findings.push_back({finding.severity == Finding::Severity::error ? "error" : "note",
                                 finding.check,
                                 finding.dataset,
                                 finding.case_id,
                                 finding.file,
                                 finding.message});
    }
    std::optional<std::int64_t>& count = result.cases[id];
    try {
      count = static_cast<std::int64_t>(adapter.list(root).size());
    } catch (const Error&) {
      count.reset();  // the findings say why
    }
  }
  result.data_kind = data_kind(job.roots);
  return result;
}

jobs::ProductResult cut_cubes(const jobs::Cubes& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.settings);
  const CubeOptions options = cube_options(settings);
  std::map<Scale, int> counts;
  if (job.native_per_case) {
    counts[Scale::native] = *job.native_per_case * job.multiplier;
  } else {
    const auto per_scale = cubes_per_case(options, job.multiplier);
    for (const Scale scale : kScales) {
      counts[scale] = per_scale.at(static_cast<std::size_t>(scale));
    }
  }
  const Modality modality = job.modality == "CT" ? Modality::ct : Modality::mri;
  const PreparedCache cache(fs::path(job.work) / "prepared", warnings_to(channel));
  CubeStoreWriter writer(job.product, options.shape);
  const Rng rng(job.seed);

  int total = 0;
  for (const ManifestCase& each : job.cases) {
    total += static_cast<int>(each.images.size());
  }
  int done = 0;
  for (const ManifestCase& each : job.cases) {
    const CaseRecord record = record_of(each);
    for (const auto& [name, file] :
         each.images) {  // every MR channel is a case of its own (paper, Table 1)
      const auto volume = prepared_source(record, name, modality, file.sha256, settings, cache);
      const std::string case_id = record.images.size() == 1 ? record.id : record.id + "/" + name;
      writer.add_volume(case_id, volume->geometry.size);
      if (!gives_cubes(*volume, options)) {
        progress_to(channel)(++done, total);
        continue;
      }
      // The key of the case's stream is its name, so that cubes do not depend on which other cases
      // there are.
      const std::uint64_t case_number =
          std::stoull(sha256(job.dataset + "/" + case_id).substr(0, 15), nullptr, 16);
      for (const auto& [scale, count] : counts) {
        const auto scale_index = static_cast<std::size_t>(scale);
        for (int i = 0; i < count; ++i) {
          const Cube cube = draw_cube(
              *volume,
              scale,
              options,
              rng.at(purpose::cube, {case_number, scale_index, static_cast<std::uint64_t>(i)}));
          writer.add(
              cube,
              {job.dataset, case_id, record.patient, modality == Modality::ct, scale, cube.box});
        }
      }
      progress_to(channel)(++done, total);
    }
  }
  writer.finish();
  return {sha256_of_file(cube_index_path(job.product))};
}

/// Median of each axis over a list of sizes, in the order z, y, x that Table 1 prints.
Json median_shape(std::vector<Size3> sizes) {
  Json shape = Json::array();
  for (const std::size_t axis : {2U, 1U, 0U}) {
    std::ranges::sort(sizes, {}, [axis](const Size3& size) { return size[axis]; });
    const std::size_t n = sizes.size();
    if (n == 0) {
      return nullptr;
    }
    shape.push_back(0.5 * (sizes[(n - 1) / 2][axis] + sizes[n / 2][axis]));
  }
  return shape;
}

jobs::ProductResult survey(const jobs::Survey& job, const Channel& channel) {
  const DatasetRegistry adapters = registry();
  Json sets = Json::array();
  int done = 0;
  for (const auto& [id, set] : job.datasets) {
    const Json index = read_json(job.products.at(set.cubes) + ".json");
    std::vector<Size3> scanned;
    for (const ManifestCase& each : set.cases) {
      for (const auto& [channel_name, file] : each.images) {
        scanned.push_back(read_image_header(file.path).geometry.size);
      }
    }
    std::vector<Size3> prepared;
    for (const Json& volume : index.value("volumes", Json::array())) {  // older files have none
      prepared.push_back(volume.at("size").get<Size3>());
    }
    Json cubes{{"small", 0}, {"medium", 0}, {"large", 0}};
    for (const Json& cube : index.at("cubes")) {
      Json& count = cubes.at(cube.at("scale").get<std::string>());
      count = count.get<int>() + 1;
    }
    const DatasetAdapter& adapter = adapters.at(id);
    sets.push_back({{"dataset", id},
                    {"paper_name", adapter.paper_name},
                    {"modality", set.modality},
                    {"organ", adapter.organ},
                    {"patients", set.cases.size()},
                    {"volumes", scanned.size()},
                    {"median_shape_voxels", median_shape(scanned)},
                    {"median_prepared_shape_voxels", median_shape(prepared)},
                    {"cubes", cubes}});
    progress_to(channel)(++done, static_cast<int>(job.datasets.size()));
  }
  const std::string text = Json{{"datasets", sets}}.dump(1) + "\n";
  write_file_atomically(job.product, text);
  return {sha256(text)};
}

jobs::ProductResult prepare(const jobs::Prepare& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.settings);
  const PreparedCache cache(fs::path(job.work) / "prepared", warnings_to(channel));
  const std::string image_channel = job.task == "brats" ? settings.text("brats.modality") : "ct";
  Json cases = Json::array();
  int done = 0;
  for (const ManifestCase& each : job.cases) {
    const auto prepared = prepared_task_case(record_of(each),
                                             job.task,
                                             each.images.at(image_channel).sha256,
                                             label_digest(each),
                                             settings,
                                             cache);
    std::map<std::string, std::int64_t> voxels;
    for (const std::uint8_t label : prepared->native_label.voxels) {
      if (label != 0) {
        ++voxels[std::to_string(label)];
      }
    }
    cases.push_back({{"id", each.id},
                     {"size", prepared->image.geometry.size},
                     {"voxel_volume_mm3", prepared->native_label.geometry.voxel_volume_mm3()},
                     {"native_voxels_by_label", voxels}});
    progress_to(channel)(++done, static_cast<int>(job.cases.size()));
  }
  const std::string text = Json{{"task", job.task}, {"cases", cases}}.dump(1) + "\n";
  write_file_atomically(job.product, text);
  return {sha256(text)};
}

}  // namespace sar::worker
