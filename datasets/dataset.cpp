#include "datasets/dataset.h"

#include "harness/core/error.h"

#include <algorithm>

namespace sar {

std::string to_string(Modality modality) {
  return modality == Modality::ct ? "CT" : "MRI";
}

Listing DatasetAdapter::scan(const std::filesystem::path& root) const {
  try {
    return find_cases(root);
  } catch (const std::filesystem::filesystem_error& error) {
    throw io_error("folder of the data set cannot be read")
        .with("folder", (error.path1().empty() ? root : error.path1()).string())
        .with("reason", error.code().message());
  }
}

std::vector<CaseRecord> DatasetAdapter::list(const std::filesystem::path& root) const {
  Listing listing = scan(root);
  if (!listing.problems.empty()) {
    std::string text = paper_name + " is not as it should be (" +
                       std::to_string(listing.problems.size()) + " problems):";
    for (const ListingProblem& problem : listing.problems) {
      text += "\n  " + problem.case_id + ": " + problem.message;
      if (!problem.file.empty()) {
        text += ": " + problem.file.string();
      }
    }
    throw data_error(text).with("folder", root.string()).hint("expected: " + layout);
  }
  return std::move(listing.cases);
}

void DatasetRegistry::add(DatasetAdapter adapter) {
  for (const DatasetAdapter& other : adapters_) {
    if (other.id == adapter.id) {
      throw internal_error("two data sets have the same id").with("id", adapter.id);
    }
  }
  adapters_.push_back(std::move(adapter));
}

const DatasetAdapter& DatasetRegistry::at(std::string_view id) const {
  std::vector<std::string> ids;
  for (const DatasetAdapter& adapter : adapters_) {
    if (adapter.id == id) {
      return adapter;
    }
    ids.push_back(adapter.id);
  }
  std::string known;
  for (const std::string& name : ids) {
    known += (known.empty() ? "" : ", ") + name;
  }
  const std::string nearest = nearest_match(id, ids);
  throw usage_error("unknown data set")
      .with("id", id)
      .hint(nearest.empty() ? "known: " + known : "did you mean " + nearest + "?");
}

}  // namespace sar
