#include "experiments/manifest.h"

#include "harness/core/error.h"

#include <sys/stat.h>

#include <algorithm>

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
    json["datasets"][id] = {{"digest", dataset.digest}, {"cases", dataset.cases.size()}};
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

bool is_current(const Json& manifest) {
  const auto unchanged = [](const Json& image) {
    return std::ranges::all_of(image.at("files"), [](const Json& file) {
      struct stat status {};
      if (::stat(file.at("path").get<std::string>().c_str(), &status) != 0) {
        return false;
      }
      const std::int64_t modified =
          std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
      return status.st_size == file.at("size").get<std::int64_t>() &&
             modified == file.at("modified_ns").get<std::int64_t>();
    });
  };
  for (const auto& [id, dataset] : manifest.at("datasets").items()) {
    for (const Json& each : dataset.at("cases")) {
      for (const auto& [channel, file] : each.at("images").items()) {
        if (!unchanged(file)) {
          return false;
        }
      }
      if (!each.at("label").is_null() && !unchanged(each.at("label"))) {
        return false;
      }
    }
  }
  return true;
}

}  // namespace sar
