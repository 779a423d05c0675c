#include "datasets/phantom.h"
#include "datasets/phantom_anatomy.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/json.h"
#include "harness/io/image_io.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace sar {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 5> kSets{"luna", "lits", "brats", "heart", "pancreas"};
constexpr const char* kManifest = "phantom.json";
/// The manifest of a suite that is being written: what a later call can keep.
constexpr const char* kJournal = "phantom.json.partial";

Json to_json(const PhantomOptions& options) {
  return {{"seed", options.seed},
          {"luna_cases", options.luna_cases},
          {"lits_cases", options.lits_cases},
          {"brats_cases", options.brats_cases},
          {"heart_cases", options.heart_cases},
          {"pancreas_cases", options.pancreas_cases},
          {"side_voxels", options.side_voxels}};
}

Json empty_manifest(const PhantomOptions& options) {
  return {{"schema_version", 1},
          {"phantom_version", kPhantomVersion},
          {"options", to_json(options)},
          {"files", Json::object()}};
}

bool same_suite(const Json& manifest, const PhantomOptions& options) {
  return manifest.at("phantom_version") == kPhantomVersion &&
         manifest.at("options") == to_json(options);
}

// --------------------------------------------------------------------------------------------
// Storage: real sets differ in the order and direction of their axes
// --------------------------------------------------------------------------------------------

/// Which canonical axis an axis letter runs along, and in which sense.
std::pair<std::size_t, bool> axis_of(char letter) {
  constexpr std::string_view kForward = "LPS";
  constexpr std::string_view kBackward = "RAI";
  const std::size_t forward = kForward.find(letter);
  return forward != std::string_view::npos ? std::pair{forward, false}
                                           : std::pair{kBackward.find(letter), true};
}

/// Flips and permutes axes so that the index axes run towards `axes`, e.g. "RAS"; voxels keep their
/// places in space. `image` is in canonical orientation ("LPS").
template <typename Image>
Image stored_as(const Image& image, std::string_view axes) {
  const Geometry& from = image.geometry;
  Image result;
  Geometry& to = result.geometry;
  to.origin_mm = from.origin_mm;
  std::array<std::ptrdiff_t, 3> stride{};
  std::ptrdiff_t first = 0;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const auto [source, flipped] = axis_of(axes[axis]);
    const std::ptrdiff_t step = source == 0   ? 1
                                : source == 1 ? from.size[0]
                                              : std::ptrdiff_t{from.size[0]} * from.size[1];
    to.size[axis] = from.size[source];
    to.spacing_mm[axis] = from.spacing_mm[source];
    const int last = from.size[source] - 1;
    for (std::size_t row = 0; row < 3; ++row) {
      const double along = from.direction[3 * row + source];
      to.direction[3 * row + axis] = flipped ? -along : along;
      to.origin_mm[row] += flipped ? along * last * from.spacing_mm[source] : 0;
    }
    stride[axis] = flipped ? -step : step;
    first += flipped ? last * step : 0;
  }
  result.voxels.reserve(image.voxels.size());
  for (int k = 0; k < to.size[2]; ++k) {
    for (int j = 0; j < to.size[1]; ++j) {
      for (int i = 0; i < to.size[0]; ++i) {
        const std::ptrdiff_t place = first + i * stride[0] + j * stride[1] + k * stride[2];
        result.voxels.push_back(image.voxels[static_cast<std::size_t>(place)]);
      }
    }
  }
  return result;
}

// --------------------------------------------------------------------------------------------
// Layout
// --------------------------------------------------------------------------------------------

/// One case of the suite and how it is stored.
struct PlannedCase {
  std::string dataset;
  int index = 0;
  bool labelled = true;  ///< false for LUNA and the test scans of the MSD sets
  std::string axes;      ///< orientation in which the case is stored
  std::string id;
};

/// Of three MSD heart scans one has no label, as 10 of the real 30.
bool is_heart_test(int index) {
  return index % 3 == 1;
}
int count_pancreas_tests(int cases) {
  return std::max(1, cases / 5);
}

std::vector<PlannedCase> plan_cases(const PhantomOptions& options) {
  std::vector<PlannedCase> plan;
  const auto add = [&](const char* dataset, int index, bool labelled, const char* axes) {
    plan.push_back({dataset, index, labelled, axes, phantom_case_id(dataset, index, options)});
  };
  for (int i = 0; i < options.luna_cases; ++i) {
    add("luna", i, false, i % 4 == 3 ? "RAS" : "LPS");
  }
  for (int i = 0; i < options.lits_cases; ++i) {
    constexpr std::array<const char*, 3> kAxes{"RAS", "LPS", "LAS"};
    add("lits", i, true, kAxes[static_cast<std::size_t>(i % 3)]);
  }
  for (int i = 0; i < options.brats_cases; ++i) {
    add("brats", i, true, "LPS");
  }
  for (int i = 0; i < options.heart_cases; ++i) {
    add("heart", i, !is_heart_test(i), i % 2 == 1 ? "ARS" : "RAS");
  }
  const int scans = options.pancreas_cases + count_pancreas_tests(options.pancreas_cases);
  for (int i = 0; i < scans; ++i) {
    add("pancreas", i, i < options.pancreas_cases, i % 5 == 4 ? "LAS" : "RAS");
  }
  return plan;
}

/// Path of one image of a case ("label" for its labels) below the suite's folder.
fs::path path_of(const PlannedCase& planned, const std::string& channel) {
  const bool label = channel == "label";
  if (planned.dataset == "luna") {
    return fs::path("luna") / fmt::format("subset{}", planned.index % 10) / (planned.id + ".mhd");
  }
  if (planned.dataset == "lits") {
    return fs::path("lits") /
           fmt::format("{}-{}.nii", label ? "segmentation" : "volume", planned.index);
  }
  if (planned.dataset == "brats") {
    return fs::path("brats") / (phantom::is_high_grade(planned.index) ? "HGG" : "LGG") /
           planned.id / fmt::format("{}_{}.nii.gz", planned.id, label ? "seg" : channel);
  }
  const char* task = planned.dataset == "heart" ? "Task02_Heart" : "Task07_Pancreas";
  const char* folder = label ? "labelsTr" : (planned.labelled ? "imagesTr" : "imagesTs");
  return fs::path(planned.dataset) / task / folder / (planned.id + ".nii.gz");
}

/// LUNA keeps voxels beside the header, compressed in every other case.
bool is_compressed(const PlannedCase& planned) {
  return planned.index % 2 == 0;
}

WriteOptions write_options(const PlannedCase& planned) {
  WriteOptions options;
  if (planned.dataset == "heart") {
    options.type = VoxelType::float32;
  }
  if (planned.dataset == "lits" && planned.index % 2 == 1) {
    options.intercept = -1024;  // as scanners store CT
  }
  options.compress = planned.dataset == "luna" && is_compressed(planned);
  return options;
}

/// All files of a case, below the suite's folder.
std::vector<fs::path> files_of(const PlannedCase& planned) {
  std::vector<fs::path> files;
  if (planned.dataset == "brats") {
    for (const char* channel : {"flair", "t1", "t1ce", "t2"}) {
      files.push_back(path_of(planned, channel));
    }
  } else {
    files.push_back(path_of(planned, "image"));
  }
  if (planned.dataset == "luna") {
    fs::path voxels = files.front();
    files.push_back(voxels.replace_extension(is_compressed(planned) ? ".zraw" : ".raw"));
  }
  if (planned.labelled) {
    files.push_back(path_of(planned, "label"));
  }
  return files;
}

void write_case(const fs::path& root, const PlannedCase& planned, const PhantomOptions& options) {
  const PhantomCase phantom = make_phantom_case(planned.dataset, planned.index, options);
  for (const auto& [channel, volume] : phantom.images) {
    const fs::path path = root / path_of(planned, channel);
    write_volume(path, stored_as(volume, planned.axes), write_options(planned));
  }
  if (planned.labelled) {
    write_label_map(root / path_of(planned, "label"), stored_as(phantom.label, planned.axes));
  }
}

/// The index file of an MSD set, with the fields of the real one.
Json msd_index(const std::string& dataset, const std::vector<PlannedCase>& plan) {
  const bool heart = dataset == "heart";
  Json index = {{"name", heart ? "LeftAtrium" : "PANCREAS"},
                {"description", "Phantom in the layout of the Medical Segmentation Decathlon"},
                {"reference", "computed phantom, no patient data"},
                {"tensorImageSize", "3D"},
                {"modality", {{"0", heart ? "MRI" : "CT"}}},
                {"labels",
                 heart ? Json{{"0", "background"}, {"1", "left atrium"}}
                       : Json{{"0", "background"}, {"1", "pancreas"}, {"2", "cancer"}}},
                {"training", Json::array()},
                {"test", Json::array()}};
  for (const PlannedCase& planned : plan) {
    if (planned.dataset != dataset) {
      continue;
    }
    const std::string file = planned.id + ".nii.gz";
    if (planned.labelled) {
      index["training"].push_back(
          {{"image", "./imagesTr/" + file}, {"label", "./labelsTr/" + file}});
    } else {
      index["test"].push_back("./imagesTs/" + file);
    }
  }
  index["numTraining"] = index["training"].size();
  index["numTest"] = index["test"].size();
  return index;
}

// --------------------------------------------------------------------------------------------
// Manifest and resume
// --------------------------------------------------------------------------------------------

/// True if the manifest lists the file and the file is as listed.
bool is_kept(const fs::path& root, const Json& files, const fs::path& path) {
  const auto entry = files.find(path.generic_string());
  std::error_code ignored;
  return entry != files.end() && fs::is_regular_file(root / path, ignored) &&
         entry->at("sha256") == sha256_of_file(root / path);
}

Json describe(const fs::path& path) {
  return {{"sha256", sha256_of_file(path)}, {"bytes", fs::file_size(path)}};
}

/// A manifest as it was written, whatever its options; nothing if it is damaged.
std::optional<Json> read_manifest(const fs::path& path) {
  try {
    Json manifest = read_json(path);
    if (manifest.at("phantom_version").is_number() && manifest.at("options").is_object() &&
        manifest.at("files").is_object() &&
        std::ranges::all_of(manifest.at("files"), [](const Json& file) {
          return file.is_object() && file.at("sha256").is_string();
        })) {
      return manifest;
    }
  } catch (const Error& error) {
    if (error.code() != ExitCode::data_invalid) {
      throw;
    }
  } catch (const Json::exception&) {
  }
  return std::nullopt;
}

/// Of a suite whose list is lost: throws Error 65 if a file is not one of the suite that is wanted.
void refuse_other_files(const fs::path& root, const PhantomOptions& options) {
  std::set<fs::path> wanted;
  for (const PlannedCase& planned : plan_cases(options)) {
    for (const fs::path& path : files_of(planned)) {
      wanted.insert((root / path).lexically_normal());
    }
  }
  for (const char* set : kSets) {
    if (!fs::exists(root / set)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root / set)) {
      const std::string name = entry.path().filename().string();
      if (entry.is_regular_file() && name != "dataset.json" && !name.starts_with('.') &&
          !wanted.contains(entry.path().lexically_normal())) {
        throw data_error(
            "the folder's list of files is damaged, and it holds a file of another suite")
            .with("file", entry.path().string())
            .hint("choose another folder, or remove this one to have the suite written anew");
      }
    }
  }
}

/// What an earlier call left in `root`, or an empty manifest. Throws Error 65 if that is something
/// else than this suite.
Json earlier_manifest(const fs::path& root,
                      const PhantomOptions& options,
                      const std::function<void(const std::string&)>& warn) {
  bool damaged = false;
  for (const char* name : {kManifest, kJournal}) {
    if (!fs::exists(root / name)) {
      continue;
    }
    std::optional<Json> manifest = read_manifest(root / name);
    if (!manifest) {
      damaged = true;
      if (warn) {
        warn("the phantom suite is written anew, its list of files is damaged: " +
             (root / name).string());
      }
      continue;
    }
    if (!same_suite(*manifest, options)) {
      throw data_error("the folder holds a phantom suite with other options")
          .with("folder", root.string())
          .with("stored", manifest->at("options").dump())
          .with("wanted", to_json(options).dump())
          .hint("choose another folder, or remove this one to have the suite written anew");
    }
    return *std::move(manifest);
  }
  if (damaged) {
    refuse_other_files(root, options);
    return empty_manifest(options);
  }
  for (const char* set : kSets) {
    if (fs::exists(root / set)) {
      throw data_error("the folder holds data that are not a phantom suite")
          .with("folder", (root / set).string())
          .hint("choose an empty folder for the phantom suite");
    }
  }
  return empty_manifest(options);
}

/// Removes temporary files of an interrupted writer, so that no reader takes them for cases.
void remove_partial_files(const fs::path& root) {
  std::vector<fs::path> partial;
  for (const char* set : kSets) {
    if (!fs::exists(root / set)) {
      continue;
    }
    for (const auto& entry : fs::recursive_directory_iterator(root / set)) {
      const std::string name = entry.path().filename().string();
      if (name.starts_with('.') && name.find(".partial-") != std::string::npos) {
        partial.push_back(entry.path());
      }
    }
  }
  for (const fs::path& path : partial) {
    fs::remove(path);
  }
}

void write_suite(const fs::path& root,
                 const PhantomOptions& options,
                 const std::function<void(int, int)>& progress,
                 const std::function<void(const std::string&)>& warn) {
  const FileLock lock(root / ".phantom.lock");
  Json manifest = earlier_manifest(root, options, warn);
  remove_partial_files(root);
  Json& files = manifest["files"];
  const auto save_journal = [&] {
    write_file_atomically(root / kJournal, manifest.dump(1) + "\n");
    fs::remove(root / kManifest);  // not a complete suite until all is checked
  };
  const std::vector<PlannedCase> plan = plan_cases(options);
  bool journal = false;
  int done = 0;
  for (const PlannedCase& planned : plan) {
    const std::vector<fs::path> paths = files_of(planned);
    if (!std::all_of(paths.begin(), paths.end(), [&](const fs::path& path) {
          return is_kept(root, files, path);
        })) {
      if (!std::exchange(journal, true)) {
        save_journal();
      }
      write_case(root, planned, options);
      for (const fs::path& path : paths) {
        files[path.generic_string()] = describe(root / path);
      }
      save_journal();
    }
    if (progress) {
      progress(++done, static_cast<int>(plan.size()));
    }
  }
  for (const auto& [dataset, task] :
       {std::pair{"heart", "Task02_Heart"}, std::pair{"pancreas", "Task07_Pancreas"}}) {
    const fs::path path = fs::path(dataset) / task / "dataset.json";
    if (!is_kept(root, files, path)) {
      write_file_atomically(root / path, msd_index(dataset, plan).dump(1) + "\n");
      files[path.generic_string()] = describe(root / path);
    }
  }
  write_file_atomically(root / kManifest, manifest.dump(1) + "\n");
  fs::remove(root / kJournal);
}

}  // namespace

void write_phantom_suite(const fs::path& folder,
                         const PhantomOptions& options,
                         const std::function<void(int, int)>& progress,
                         const std::function<void(const std::string&)>& warn) {
  try {
    write_suite(folder, options, progress, warn);
  } catch (const fs::filesystem_error& error) {
    throw io_error("cannot write the phantom suite")
        .with("folder", folder.string())
        .with("reason", error.what());
  }
}

std::vector<PhantomCaseName> phantom_case_names(const std::string& dataset,
                                                const PhantomOptions& options) {
  std::vector<PhantomCaseName> names;
  for (const auto& planned : plan_cases(options)) {
    if (planned.dataset == dataset) {
      names.push_back({planned.id, planned.labelled});
    }
  }
  return names;
}

}  // namespace sar
