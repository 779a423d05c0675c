#include "datasets/listing.h"

#include <algorithm>
#include <iterator>

/// Task07 of the Medical Segmentation Decathlon: portal-venous CTs with pancreas and tumour. The
/// paper counts 282 scans, the set's own index 281; what is there is used.
namespace sar::datasets::pancreas {
namespace {

constexpr const char* kLayout =
    "Task07_Pancreas (or its content): dataset.json, imagesTr, labelsTr, imagesTs";

Listing find_cases(const std::filesystem::path& root) {
  return scan_decathlon(root, "Task07_Pancreas", "ct", kLayout);
}

/// No pre-training reads this set: these are the cases of the task.
std::vector<CaseRecord> labelled(const std::vector<CaseRecord>& cases, const Settings& settings) {
  std::vector<CaseRecord> chosen;
  std::copy_if(
      cases.begin(), cases.end(), std::back_inserter(chosen), [](const CaseRecord& record) {
        return !record.label.empty();
      });
  return choose(chosen, settings, "pancreas");
}

}  // namespace

void register_in(DatasetRegistry& registry) {
  DatasetAdapter adapter;
  adapter.id = "pancreas";
  adapter.paper_name = "MSD pancreas";
  adapter.modality = Modality::ct;
  adapter.organ = "Pancreas";
  adapter.layout = kLayout;
  adapter.paper_cases = 282;
  adapter.labels = {{0, "background"}, {1, "pancreas"}, {2, "tumor"}};
  adapter.find_cases = &find_cases;
  adapter.pretraining = &labelled;
  adapter.keys = {list_key("pancreas", 55)};
  registry.add(std::move(adapter));
}

}  // namespace sar::datasets::pancreas
