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
#include <cmath>
#include <map>
#include <set>
#include <sstream>

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
    channel.send({{"event", "progress"}, {"done", done}, {"total", total}});
  };
}

/// Digests of files seen before, so that an unchanged file of a large data set is hashed once.
class DigestCache {
 public:
  explicit DigestCache(fs::path path) : path_(std::move(path)) {
    if (fs::exists(path_)) {
      known_ = read_json(path_);
    }
  }

  /// {"path", "sha256", "files": [{"path", "size", "modified_ns"}]}; a MetaImage header brings its
  /// data file along.
  Json describe(const fs::path& file) {
    Json files = Json::array();
    for (const auto& part : parts_of(file)) {
      struct stat status {};
      if (::stat(part.c_str(), &status) != 0) {
        throw not_found_error("file of a data set is gone").with("file", part.string());
      }
      const std::int64_t modified =
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
      files.push_back(
          {{"path", part.string()}, {"size", status.st_size}, {"modified_ns", modified}});
    }
    const auto found = known_.find(file.string());
    if (found != known_.end() && found->at("files") == files) {
      return *found;
    }
    std::string digests;
    for (const Json& part : files) {
      digests += sha256_of_file(part.at("path").get<std::string>());
    }
    const Json entry{{"path", file.string()},
                     {"files", files},
                     {"sha256", files.size() == 1 ? digests : sha256(digests)}};
    known_[file.string()] = entry;
    return entry;
  }

  void save() const { write_file_atomically(path_, known_.dump()); }

 private:
  static std::vector<fs::path> parts_of(const fs::path& file) {
    std::vector<fs::path> parts{fs::absolute(file)};
    if (extension_of(file) == ".mhd") {
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
std::string digest_of_set(const Json& cases) {
  Json names = Json::array();
  for (const Json& record : cases) {
    Json entry{{"id", record.at("id")},
               {"label", record.at("label").is_null() ? Json() : record.at("label").at("sha256")}};
    for (const auto& [channel, file] : record.at("images").items()) {
      entry[channel] = file.at("sha256");
    }
    names.push_back(entry);
  }
  return sha256(names.dump());
}

}  // namespace

Json to_json(const CaseRecord& record) {
  Json json{{"id", record.id},
            {"patient", record.patient},
            {"group", record.group},
            {"images", Json::object()}};
  for (const auto& [channel, file] : record.images) {
    json["images"][channel] = {{"path", file.string()}};
  }
  json["label"] = record.label.empty() ? Json() : Json{{"path", record.label.string()}};
  return json;
}

CaseRecord record_from(const Json& json) {
  CaseRecord record;
  record.id = json.at("id");
  record.patient = json.at("patient");
  record.group = json.at("group");
  for (const auto& [channel, file] : json.at("images").items()) {
    record.images[channel] = file.at("path").get<std::string>();
  }
  if (!json.at("label").is_null()) {
    record.label = json.at("label").at("path").get<std::string>();
  }
  return record;
}

std::string digest_of(const Json& record, const std::string& channel) {
  return channel.empty() ? record.at("label").at("sha256")
                         : record.at("images").at(channel).at("sha256");
}

Json write_phantoms(const Json& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.at("settings"));
  write_phantom_suite(
      job.at("folder").get<std::string>(), phantom_options(settings), progress_to(channel));
  return {{"folder", job.at("folder")}};
}

namespace {

/// The manifest of a phantom suite that is not written yet: ids only, so that a dry run can plan.
Json planned_phantom_manifest(const Settings& settings) {
  const PhantomOptions options = phantom_options(settings);
  const Json unwritten{{"path", ""}, {"files", Json::array()}, {"sha256", "not written yet"}};
  Json manifest{{"data_kind", "phantom"}, {"datasets", Json::object()}};
  const DatasetRegistry known = registry();
  for (const auto& adapter : known.all()) {
    Json cases = Json::array();
    const std::vector<std::string> channels =
        adapter.id == "brats"              ? std::vector<std::string>{"flair", "t1", "t1ce", "t2"}
        : adapter.modality == Modality::ct ? std::vector<std::string>{"ct"}
                                           : std::vector<std::string>{"mri"};
    for (const auto& [id, labelled] : phantom_case_names(adapter.id, options)) {
      Json images = Json::object();
      for (const auto& name : channels) {
        images[name] = unwritten;
      }
      cases.push_back({{"id", id},
                       {"patient", id},
                       {"group", ""},
                       {"images", images},
                       {"label", labelled ? unwritten : Json()},
                       {"pretraining", true}});
    }
    manifest["datasets"][adapter.id] = {{"root", ""},
                                        {"modality", to_string(adapter.modality)},
                                        {"channels", channels},
                                        {"digest", "not written yet"},
                                        {"cases", cases}};
  }
  return manifest;
}

}  // namespace

namespace {

/// "phantom" if the roots lie in a phantom suite, "real" if none does. Throws Error 65 for a
/// mixture.
std::string data_kind(const Json& roots) {
  std::string phantom;
  std::string real;
  for (const auto& [id, root] : roots.items()) {
    const fs::path folder = fs::weakly_canonical(root.get<std::string>());
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

Json make_manifest(const Json& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.at("settings"));
  if (job.value("planned", false)) {
    return {{"manifest", planned_phantom_manifest(settings)}};
  }
  const DatasetRegistry all = registry();
  const fs::path work = job.at("work").get<std::string>();
  const FileLock lock(work / "locks" / "digests.lock");
  DigestCache digests(work / "digests.json");
  Json manifest{{"data_kind", data_kind(job.at("roots"))}, {"datasets", Json::object()}};
  for (const auto& [id, root] : job.at("roots").items()) {
    const DatasetAdapter& adapter = all.at(id);
    const auto cases = adapter.list(root.get<std::string>());
    std::set<std::string> pretraining;
    for (const auto& record : adapter.pretraining(cases, settings)) {
      pretraining.insert(record.id);
    }
    Json list = Json::array();
    int done = 0;
    for (const auto& record : cases) {
      Json entry = to_json(record);
      for (auto& [channel_name, file] : entry["images"].items()) {
        file = digests.describe(file.at("path").get<std::string>());
      }
      if (!entry["label"].is_null()) {
        entry["label"] = digests.describe(record.label);
      }
      entry["pretraining"] = pretraining.contains(record.id);
      list.push_back(std::move(entry));
      channel.send({{"event", "progress"}, {"done", ++done}, {"total", cases.size()}});
    }
    manifest["datasets"][id] = {{"root", fs::absolute(root.get<std::string>()).string()},
                                {"modality", to_string(adapter.modality)},
                                {"channels", channels_of(cases)},
                                {"digest", digest_of_set(list)},
                                {"cases", list}};
  }
  digests.save();
  if (job.contains("product")) {
    write_file_atomically(job.at("product").get<std::string>(), manifest.dump(1) + "\n");
  }
  return {{"manifest", manifest}};  // the file may be another command's by now
}

Json list_cases(const Json& job, const Channel&) {
  const DatasetRegistry all = registry();
  Json sets = Json::object();
  for (const auto& [id, root] : job.at("roots").items()) {
    const DatasetAdapter& adapter = all.at(id);
    Json list = Json::array();
    for (const auto& record : adapter.list(root.get<std::string>())) {
      list.push_back(to_json(record));
    }
    sets[id] = {{"root", root},
                {"paper_name", adapter.paper_name},
                {"paper_cases", adapter.paper_cases},
                {"cases", list}};
  }
  return {{"data_kind", data_kind(job.at("roots"))}, {"datasets", sets}};
}

Json verify(const Json& job, const Channel& channel) {
  const DatasetRegistry all = registry();
  Json findings = Json::array();
  Json counts = Json::object();
  for (const auto& [id, root] : job.at("roots").items()) {
    const DatasetAdapter& adapter = all.at(id);
    for (const Finding& finding :
         verify_dataset(adapter, root.get<std::string>(), progress_to(channel))) {
      findings.push_back(
          {{"severity", finding.severity == Finding::Severity::error ? "error" : "note"},
           {"check", finding.check},
           {"dataset", finding.dataset},
           {"case", finding.case_id},
           {"file", finding.file},
           {"message", finding.message}});
    }
    try {
      counts[id] = adapter.list(root.get<std::string>()).size();
    } catch (const Error&) {
      counts[id] = nullptr;  // the findings say why
    }
  }
  return {{"data_kind", data_kind(job.at("roots"))}, {"findings", findings}, {"cases", counts}};
}

Json cut_cubes(const Json& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.at("settings"));
  const CubeOptions options = cube_options(settings);
  const int multiplier = job.at("multiplier");
  std::map<Scale, int> counts;
  if (job.contains("native_per_case")) {
    counts[Scale::native] = job.at("native_per_case").get<int>() * multiplier;
  } else {
    const auto per_scale = cubes_per_case(options, multiplier);
    for (const Scale scale : kScales) {
      counts[scale] = per_scale.at(static_cast<std::size_t>(scale));
    }
  }
  const Modality modality = job.at("modality") == "CT" ? Modality::ct : Modality::mri;
  const PreparedCache cache(fs::path(job.at("work").get<std::string>()) / "prepared");
  const std::string dataset = job.at("dataset");
  CubeStoreWriter writer(job.at("product").get<std::string>(), options.shape);
  const Rng rng(job.at("seed").get<std::uint64_t>());

  int total = 0;
  for (const Json& record : job.at("cases")) {
    total += static_cast<int>(record.at("images").size());
  }
  int done = 0;
  for (const Json& json : job.at("cases")) {
    const CaseRecord record = record_from(json);
    for (const auto& [name, file] :
         record.images) {  // every MR channel is a case of its own (paper, Table 1)
      const auto volume =
          prepared_source(record, name, modality, digest_of(json, name), settings, cache);
      const std::string case_id = record.images.size() == 1 ? record.id : record.id + "/" + name;
      writer.add_volume(case_id, volume->geometry.size);
      if (!gives_cubes(*volume, options)) {
        progress_to(channel)(++done, total);
        continue;
      }
      // The key of the case's stream is its name, so that cubes do not depend on which other cases
      // there are.
      const std::uint64_t case_number =
          std::stoull(sha256(dataset + "/" + case_id).substr(0, 15), nullptr, 16);
      for (const auto& [scale, count] : counts) {
        const auto scale_index = static_cast<std::size_t>(scale);
        for (int i = 0; i < count; ++i) {
          const Cube cube = draw_cube(
              *volume,
              scale,
              options,
              rng.at(purpose::cube, {case_number, scale_index, static_cast<std::uint64_t>(i)}));
          writer.add(cube,
                     {dataset, case_id, record.patient, modality == Modality::ct, scale, cube.box});
        }
      }
      progress_to(channel)(++done, total);
    }
  }
  writer.finish();
  return {{"sha256", sha256_of_file(job.at("product").get<std::string>())}};
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

Json survey(const Json& job, const Channel& channel) {
  const DatasetRegistry adapters = registry();
  Json sets = Json::array();
  int done = 0;
  for (const auto& [id, set] : job.at("datasets").items()) {
    const Json& cubes_file = job.at("products").at(set.at("cubes").get<std::string>());
    const Json index = read_json(cubes_file.get<std::string>() + ".json");
    std::vector<Size3> scanned;
    for (const Json& record : set.at("cases")) {
      for (const auto& [channel_name, file] : record.at("images").items()) {
        scanned.push_back(read_image_header(file.at("path").get<std::string>()).geometry.size);
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
                    {"modality", set.at("modality")},
                    {"organ", adapter.organ},
                    {"patients", set.at("cases").size()},
                    {"volumes", scanned.size()},
                    {"median_shape_voxels", median_shape(scanned)},
                    {"median_prepared_shape_voxels", median_shape(prepared)},
                    {"cubes", cubes}});
    progress_to(channel)(++done, static_cast<int>(job.at("datasets").size()));
  }
  const std::string text = Json{{"datasets", sets}}.dump(1) + "\n";
  write_file_atomically(job.at("product").get<std::string>(), text);
  return {{"sha256", sha256(text)}};
}

Json prepare(const Json& job, const Channel& channel) {
  const Settings settings = Settings::from_resolved(job.at("settings"));
  const std::string task = job.at("task");
  const PreparedCache cache(fs::path(job.at("work").get<std::string>()) / "prepared");
  const std::string image_channel = task == "brats" ? settings.text("brats.modality") : "ct";
  Json cases = Json::array();
  int done = 0;
  for (const Json& json : job.at("cases")) {
    const auto prepared = prepared_task_case(record_from(json),
                                             task,
                                             digest_of(json, image_channel),
                                             digest_of(json, ""),
                                             settings,
                                             cache);
    std::map<std::string, std::int64_t> voxels;
    for (const std::uint8_t label : prepared->native_label.voxels) {
      if (label != 0) {
        ++voxels[std::to_string(label)];
      }
    }
    cases.push_back({{"id", json.at("id")},
                     {"size", prepared->image.geometry.size},
                     {"voxel_volume_mm3", prepared->native_label.geometry.voxel_volume_mm3()},
                     {"native_voxels_by_label", voxels}});
    progress_to(channel)(++done, static_cast<int>(job.at("cases").size()));
  }
  const std::string text = Json{{"task", task}, {"cases", cases}}.dump(1) + "\n";
  write_file_atomically(job.at("product").get<std::string>(), text);
  return {{"sha256", sha256(text)}};
}

}  // namespace sar::worker
