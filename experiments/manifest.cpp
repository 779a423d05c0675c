#include "experiments/manifest.h"

#include "harness/core/error.h"

namespace sar {

const ManifestDataset& Manifest::at(const std::string& id) const {
  const auto found = datasets.find(id);
  if (found == datasets.end()) {
    throw not_found_error("data set '" + id + "' is needed but no root was given for it")
        .hint("give --data " + id + "=DIR (real and phantom data are never mixed)");
  }
  return found->second;
}

Json Manifest::identity() const {
  Json json{{"data_kind", data_kind}, {"datasets", Json::object()}};
  for (const auto& [id, dataset] : datasets) {
    Json left_out = Json::array();  // by the set's list or subsets
    for (const auto& each : dataset.cases) {
      if (!each.selected) {
        left_out.push_back(each.id);
      }
    }
    json["datasets"][id] = {
        {"digest", dataset.digest}, {"cases", dataset.cases.size()}, {"left_out", left_out}};
  }
  return json;
}

}  // namespace sar
