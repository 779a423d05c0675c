#include "datasets/listing.h"
#include "harness/core/error.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <vector>

/// LUNA2016: 888 chest CTs in ten subsets, as MetaImage. The 623 of the paper's Table 1 are subsets
/// 0 to 6, those that Models Genesis trains and validates on.
namespace sar::datasets::luna {
namespace {

constexpr const char* kLayout =
    "subset0 … subset9, each with <series uid>.mhd and its .raw or .zraw";

Listing find_cases(const std::filesystem::path& root) {
  Listing listing;
  for (int subset = 0; subset <= 9; ++subset) {
    const std::string group = "subset" + std::to_string(subset);
    if (!std::filesystem::exists(root / group)) {
      continue;
    }
    for (const auto& file : image_files(root / group)) {
      const std::string id = stem_of(file);
      listing.cases.push_back({id, id, {{"ct", file}}, {}, group});
    }
  }
  return finish(std::move(listing), root, kLayout);
}

std::vector<CaseRecord> pretraining(const std::vector<CaseRecord>& cases,
                                    const Settings& settings) {
  const std::vector<int> subsets = settings.integers("luna.subsets");
  std::vector<CaseRecord> chosen;
  std::copy_if(
      cases.begin(), cases.end(), std::back_inserter(chosen), [&](const CaseRecord& record) {
        return std::any_of(subsets.begin(), subsets.end(), [&](int subset) {
          return record.group == "subset" + std::to_string(subset);
        });
      });
  if (chosen.empty()) {
    throw not_found_error("none of the subsets in luna.subsets is there");
  }
  return choose(chosen, settings, "luna");
}

}  // namespace

void register_in(DatasetRegistry& registry) {
  KeySpec subsets;
  subsets.name = "luna.subsets";
  subsets.default_value = {0, 1, 2, 3, 4, 5, 6};
  subsets.meaning = "subsets of LUNA2016 that pre-training reads";
  subsets.minimum = 0;
  subsets.maximum = 9;
  subsets.gap = 10;

  DatasetAdapter adapter;
  adapter.id = "luna";
  adapter.paper_name = "LUNA2016";
  adapter.modality = Modality::ct;
  adapter.organ = "Lung";
  adapter.layout = kLayout;
  adapter.paper_cases = 623;
  adapter.find_cases = &find_cases;
  adapter.pretraining = &pretraining;
  adapter.keys = {subsets, list_key("luna", 10)};
  registry.add(std::move(adapter));
}

}  // namespace sar::datasets::luna
