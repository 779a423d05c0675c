#include "datasets/listing.h"

/// Task02 of the Medical Segmentation Decathlon: 20 training and 10 test MRIs of the left atrium.
/// Pre-training needs no labels and reads all 30.
namespace sar::datasets::heart {
namespace {

constexpr const char* kLayout =
    "Task02_Heart (or its content): dataset.json, imagesTr, labelsTr, imagesTs";

Listing find_cases(const std::filesystem::path& root) {
  return scan_decathlon(root, "Task02_Heart", "mri", kLayout);
}

std::vector<CaseRecord> pretraining(const std::vector<CaseRecord>& cases,
                                    const Settings& settings) {
  return choose(cases, settings, "heart");
}

}  // namespace

void register_in(DatasetRegistry& registry) {
  DatasetAdapter adapter;
  adapter.id = "heart";
  adapter.paper_name = "MSD heart";
  adapter.modality = Modality::mri;
  adapter.organ = "Heart";
  adapter.layout = kLayout;
  adapter.paper_cases = 30;
  adapter.labels = {{0, "background"}, {1, "left atrium"}};
  adapter.find_cases = &find_cases;
  adapter.pretraining = &pretraining;
  adapter.keys = {list_key("heart", 0)};
  registry.add(std::move(adapter));
}

}  // namespace sar::datasets::heart
