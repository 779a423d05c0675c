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

Manifest parse_manifest(const Json& json) {
  Manifest manifest;
  manifest.data_kind = json.at("data_kind");
  for (const auto& [id, item] : json.at("datasets").items()) {
    ManifestDataset dataset;
    dataset.id = id;
    dataset.root = item.at("root");
    dataset.modality = item.at("modality");
    dataset.digest = item.at("digest");
    dataset.channels = item.at("channels").get<std::vector<std::string>>();
    for (const Json& each : item.at("cases")) {
      dataset.cases.push_back({each.at("id"),
                               each.at("patient"),
                               each.at("group"),
                               !each.at("label").is_null(),
                               each.at("pretraining"),
                               each});
    }
    manifest.datasets.emplace(id, std::move(dataset));
  }
  return manifest;
}

}  // namespace sar
