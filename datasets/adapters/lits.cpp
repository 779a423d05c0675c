#include "datasets/listing.h"

#include <map>
#include <string>

/// LiTS2017: 131 labelled abdominal CTs. The paper's 111 are probably those not shared with
/// 3D-IRCADb; which they are is not said, so all are used unless `lits.list` names them.
namespace sar::datasets::lits {
namespace {

constexpr const char* kLayout =
    "volume-<n>.nii[.gz] with segmentation-<n>.nii[.gz], in any sub folders";

Listing find_cases(const std::filesystem::path& root) {
  const std::string image_prefix = "volume-";
  const std::string label_prefix = "segmentation-";
  Listing listing;
  std::map<std::string, std::filesystem::path> labels;  // by number
  for (const auto& file : image_files(root)) {
    const std::string stem = stem_of(file);
    if (stem.starts_with(image_prefix)) {
      listing.cases.push_back({stem, stem, {{"ct", file}}, {}, "training"});
    } else if (stem.starts_with(label_prefix)) {
      const std::string number = stem.substr(label_prefix.size());
      if (!labels.emplace(number, file).second) {
        listing.problems.push_back(
            {"duplicate-id", image_prefix + number, file, "segmentation occurs more than once"});
      }
    }
  }
  std::map<std::string, std::filesystem::path> unused = labels;
  for (CaseRecord& record : listing.cases) {
    const std::string number = record.id.substr(image_prefix.size());
    unused.erase(number);
    if (const auto label = labels.find(number); label != labels.end()) {
      record.label = label->second;
    } else {
      listing.problems.push_back(
          {"layout", record.id, record.images.at("ct"), "volume without its segmentation"});
    }
  }
  for (const auto& [number, file] : unused) {
    listing.problems.push_back(
        {"layout", image_prefix + number, file, "segmentation without its volume"});
  }
  return finish(std::move(listing), root, kLayout);
}

std::vector<CaseRecord> pretraining(const std::vector<CaseRecord>& cases,
                                    const Settings& settings) {
  return choose(cases, settings, "lits");
}

}  // namespace

void register_in(DatasetRegistry& registry) {
  DatasetAdapter adapter;
  adapter.id = "lits";
  adapter.paper_name = "LiTS2017";
  adapter.modality = Modality::ct;
  adapter.organ = "Liver";
  adapter.layout = kLayout;
  adapter.paper_cases = 111;
  adapter.labels = {{0, "background"}, {1, "liver"}, {2, "tumor"}};
  adapter.find_cases = &find_cases;
  adapter.pretraining = &pretraining;
  adapter.keys = {list_key("lits", 10)};
  registry.add(std::move(adapter));
}

}  // namespace sar::datasets::lits
