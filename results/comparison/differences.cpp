#include "results/comparison/differences.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <set>
#include <utility>

namespace sar {
namespace {

using Leaves = std::map<std::vector<std::string>, Json>;

void add_leaves(Leaves& leaves, std::vector<std::string>& path, const Json& tree) {
  if (!tree.is_object()) {
    leaves[path] = tree;
    return;
  }
  for (const auto& [key, value] : tree.items()) {
    path.push_back(key);
    add_leaves(leaves, path, value);
    path.pop_back();
  }
}

Leaves leaves_of(const ProtocolRow& row) {
  Leaves leaves;
  std::vector<std::string> path;
  add_leaves(leaves,
             path,
             {{"data_kind", row.data_kind},
              {"profile", row.profile},
              {"pool_voxels", row.pool_voxels},
              {"settings", row.settings},
              {"manifest", row.manifest}});
  return leaves;
}

std::optional<Json> find(const Leaves& leaves, const std::vector<std::string>& path) {
  const auto found = leaves.find(path);
  return found == leaves.end() ? std::nullopt : std::optional(found->second);
}

std::string text(const Json& value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::vector<std::string> values_of(const Environment& environment, const std::string& field) {
  const auto found = environment.find(field);
  return found == environment.end() ? std::vector<std::string>{} : found->second;
}

std::string ProtocolDifference::name(std::size_t first) const {
  return fmt::format("{}", fmt::join(std::span(path).subspan(first), "."));
}

std::vector<ProtocolDifference> differences(const ProtocolRow& from, const ProtocolRow& to) {
  const Leaves before = leaves_of(from);
  const Leaves after = leaves_of(to);
  std::set<std::vector<std::string>> paths;
  for (const Leaves* side : {&before, &after}) {
    for (const auto& [path, value] : *side) {
      paths.insert(path);
    }
  }
  std::vector<ProtocolDifference> list;
  for (const std::vector<std::string>& path : paths) {
    ProtocolDifference each{path, find(before, path), find(after, path)};
    if (!each.from || !each.to || text(*each.from) != text(*each.to)) {
      list.push_back(std::move(each));
    }
  }
  return list;
}

std::vector<EnvironmentDifference> differences(const Environment& from,
                                               const Environment& to,
                                               std::span<const std::string> fields) {
  std::vector<EnvironmentDifference> list;
  for (const std::string& field : fields) {
    EnvironmentDifference each{field, values_of(from, field), values_of(to, field)};
    if (each.from.size() != 1 || each.from != each.to || each.from.front() == "unknown") {
      list.push_back(std::move(each));
    }
  }
  return list;
}

}  // namespace sar
