#include "tests/learning/phantom_cubes.h"

#include "datasets/phantom.h"
#include "datasets/prepare.h"
#include "harness/config/core_keys.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "harness/core/rng.h"
#include "harness/volume/cube_generator.h"
#include "harness/volume/cube_store.h"
#include "harness/volume/pieces.h"

#include <array>
#include <memory>
#include <string>
#include <utility>

namespace sar::learning_test {
namespace fs = std::filesystem;
namespace {

constexpr std::array<const char*, 4> kDatasets{"luna", "lits", "brats", "heart"};

struct CubeSetPlan {
  std::string name;
  Size3 shape{};
  std::array<int, 3> per_volume{};  // small, medium, large
  Size3 resized_through{};          // the cut shape, where it differs
};

const std::array<CubeSetPlan, 3>& plans() {
  static const std::array<CubeSetPlan, 3> all{
      {{"large", {32, 32, 16}, {0, 0, 24}, {32, 32, 16}},
       {"scales", {16, 16, 16}, {12, 12, 12}, {16, 16, 16}},
       // The least box has 8 voxels a side, so that nothing is enlarged before the second resize.
       {"sharp", {16, 16, 16}, {12, 12, 12}, {8, 8, 8}}}};
  return all;
}

Settings settings_of_suite(const DatasetRegistry& adapters) {
  Schema schema = core_schema();
  for (const DatasetAdapter& adapter : adapters.all()) {
    for (const KeySpec& key : adapter.keys) {
      schema.add(key);
    }
  }
  Settings settings(schema);
  // Many small patients: what is held out must not be learned by heart.
  const std::vector<std::pair<std::string, Json>> changes{{"phantom.luna_cases", 45},
                                                          {"phantom.lits_cases", 15},
                                                          {"phantom.brats_cases", 15},
                                                          {"phantom.heart_cases", 30},
                                                          {"phantom.pancreas_cases", 2}};
  for (const auto& [name, value] : changes) {
    settings.set(schema, name, value, "test");
  }
  return settings;
}

fs::path file_of(const fs::path& folder, const std::string& dataset, const CubeSetPlan& plan) {
  return folder / (dataset + "-" + plan.name + ".bin");
}

/// All cubes of one volume for one file.
void cut(const Volume& volume,
         const CubeSetPlan& plan,
         CubeOptions options,
         const CubeInfo& about,
         const Rng& rng,
         CubeStoreWriter& writer) {
  options.shape = plan.resized_through;
  for (const Scale scale : kScales) {
    const auto scale_index = static_cast<std::size_t>(scale);
    for (int i = 0; i < plan.per_volume.at(scale_index); ++i) {
      Cube cube = draw_cube(volume,
                            scale,
                            options,
                            rng.at(purpose::cube, {scale_index, static_cast<std::uint64_t>(i)}));
      if (plan.resized_through != plan.shape) {
        cube.block = resized(cube.block, plan.shape);
      }
      CubeInfo info = about;
      info.scale = scale;
      info.box = cube.box;
      writer.add(cube, info);
    }
  }
}

void make_cubes(const fs::path& folder) {
  DatasetRegistry adapters;
  datasets::register_all(adapters);
  const Settings settings = settings_of_suite(adapters);
  write_phantom_suite(folder / "suite", phantom_options(settings));
  const PreparedCache cache(folder / "prepared");
  for (const char* dataset : kDatasets) {
    const DatasetAdapter& adapter = adapters.at(dataset);
    std::vector<std::unique_ptr<CubeStoreWriter>> writers;
    for (const CubeSetPlan& plan : plans()) {
      writers.push_back(
          std::make_unique<CubeStoreWriter>(file_of(folder, dataset, plan), plan.shape));
    }
    std::uint64_t volumes = 0;
    for (const CaseRecord& record : adapter.list(folder / "suite" / dataset)) {
      for (const auto& [channel, file] : record.images) {
        // The cache is this process's own and goes away: a file's name serves as its digest.
        const auto volume = prepared_source(
            record, channel, adapter.modality, sha256(file.string()), settings, cache);
        CubeInfo about;
        about.dataset = dataset;
        about.case_id = record.id + "/" + channel;
        about.patient = record.patient;
        about.is_ct = adapter.modality == Modality::ct;
        const Rng rng = Rng(1).at(purpose::cube, {volumes++});
        for (std::size_t i = 0; i < writers.size(); ++i) {
          cut(*volume, plans().at(i), cube_options(settings), about, rng, *writers[i]);
        }
      }
    }
    for (const auto& writer : writers) {
      writer->finish();
    }
  }
  fs::remove_all(folder / "suite");
  fs::remove_all(folder / "prepared");
}

}  // namespace

std::vector<fs::path> phantom_cubes(CubeSet set) {
  const fs::path home = SARBENCH_LEARNING_DIR;
  fs::create_directories(home);
  // Named after the program itself: changed code never meets cubes that other code has cut.
  const fs::path folder = home / sha256_of_file("/proc/self/exe").substr(0, 20);
  const FileLock lock(home / "lock");
  if (!fs::exists(folder)) {
    for (const auto& entry : fs::directory_iterator(home)) {
      if (entry.is_directory()) {
        fs::remove_all(entry.path());
      }
    }
    make_cubes(home / "unfinished");
    fs::rename(home / "unfinished", folder);
  }
  std::vector<fs::path> files;
  for (const char* dataset : kDatasets) {
    files.push_back(file_of(folder, dataset, plans().at(static_cast<std::size_t>(set))));
  }
  return files;
}

}  // namespace sar::learning_test
