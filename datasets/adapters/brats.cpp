#include "datasets/listing.h"

#include <string>

/// BraTS2018 training data: 285 patients with four MR channels on one 1 mm grid. Which of them
/// pre-training may read is decided by the split of the target task.
namespace sar::datasets::brats {
namespace {

namespace fs = std::filesystem;

constexpr const char* kLayout =
    "HGG and LGG, each with <case>/<case>_{flair,t1,t1ce,t2,seg}.nii.gz (or .nii)";

/// The compressed or the plain file; empty if there is neither.
fs::path find_image(const fs::path& folder, const std::string& stem) {
  for (const char* extension : {".nii.gz", ".nii"}) {
    if (fs::exists(folder / (stem + extension))) {
      return folder / (stem + extension);
    }
  }
  return {};
}

Listing find_cases(const fs::path& root) {
  Listing listing;
  for (const std::string group : {"HGG", "LGG"}) {
    if (!fs::exists(root / group)) {
      continue;
    }
    for (const auto& entry : fs::directory_iterator(root / group)) {
      const std::string id = entry.path().filename().string();
      if (id.starts_with('.')) {
        continue;
      }
      if (!entry.is_directory()) {
        if (entry.is_symlink()) {
          listing.problems.push_back({"layout", id, entry.path(), "a link to no folder"});
        }
        continue;
      }
      CaseRecord record{id, id, {}, find_image(entry.path(), id + "_seg"), group};
      if (record.label.empty()) {
        listing.problems.push_back({"layout", id, entry.path(), "no segmentation (seg)"});
      }
      for (const std::string channel : {"flair", "t1", "t1ce", "t2"}) {
        const fs::path file = find_image(entry.path(), id + "_" + channel);
        if (file.empty()) {
          listing.problems.push_back({"layout", id, entry.path(), "no channel " + channel});
        } else {
          record.images[channel] = file;
        }
      }
      listing.cases.push_back(std::move(record));
    }
  }
  return finish(std::move(listing), root, kLayout);
}

std::vector<CaseRecord> pretraining(const std::vector<CaseRecord>& cases,
                                    const Settings& settings) {
  return choose(cases, settings, "brats");
}

}  // namespace

void register_in(DatasetRegistry& registry) {
  DatasetAdapter adapter;
  adapter.id = "brats";
  adapter.paper_name = "BraTS2018";
  adapter.modality = Modality::mri;
  adapter.organ = "Brain";
  adapter.layout = kLayout;
  adapter.paper_cases = 285;
  adapter.labels = {{0, "background"}, {1, "necrotic core"}, {2, "edema"}, {4, "enhancing tumor"}};
  adapter.find_cases = &find_cases;
  adapter.pretraining = &pretraining;
  adapter.keys = {list_key("brats", 0)};
  registry.add(std::move(adapter));
}

}  // namespace sar::datasets::brats
