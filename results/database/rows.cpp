#include "results/database/rows.h"

#include "harness/core/error.h"

#include <array>
#include <utility>

namespace sar {
namespace {

constexpr std::array<std::pair<NodeState, const char*>, 4> kNodeStates = {
    {{NodeState::pending, "pending"},
     {NodeState::running, "running"},
     {NodeState::done, "done"},
     {NodeState::failed, "failed"}}};

}  // namespace

const Json& shared_settings(const ProtocolRow& protocol) {
  const Json& settings = protocol.settings;
  if (!settings.is_object() || !settings.contains("shared") || !settings.at("shared").is_object()) {
    throw data_error("the settings of a protocol are not as this program writes them")
        .with("protocol", protocol.protocol)
        .hint("sar-bench db check looks for other faults of the database");
  }
  return settings.at("shared");
}

std::string to_string(NodeState state) {
  for (const auto& [value, name] : kNodeStates) {
    if (state == value) {
      return name;
    }
  }
  throw internal_error("unknown node state");
}

NodeState node_state(const std::string& name) {
  for (const auto& [state, text] : kNodeStates) {
    if (name == text) {
      return state;
    }
  }
  throw internal_error("unknown node state").with("state", name);
}

std::vector<std::string> named_nodes(const Json& inputs) {
  std::vector<std::string> keys;
  for (const char* field : {"cubes", "prepared", "initial", "weights"}) {
    if (!inputs.contains(field)) {
      continue;
    }
    const Json& value = inputs.at(field);
    for (const Json& key : value.is_structured() ? value : Json::array({value})) {
      if (key.is_string()) {
        keys.push_back(key);
      }
    }
  }
  return keys;
}

}  // namespace sar
