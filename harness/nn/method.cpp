#include "harness/nn/method.h"

#include "harness/core/error.h"
#include "harness/nn/torch/proxy_task.h"

#include <algorithm>
#include <utility>

namespace sar {

std::string to_string(Transfer transfer) {
  switch (transfer) {
    case Transfer::none:
      return "none";
    case Transfer::encoder:
      return "encoder";
    case Transfer::encoder_and_decoder:
      return "encoder_and_decoder";
  }
  throw internal_error("a transfer without a name");
}

void MethodRegistry::add(Method method) {
  const auto same = [&](const Method& other) { return other.id == method.id; };
  if (std::any_of(methods_.begin(), methods_.end(), same)) {
    throw internal_error("two methods share one id").with("method", method.id);
  }
  const auto later = std::upper_bound(
      methods_.begin(), methods_.end(), method, [](const Method& a, const Method& b) {
        return std::pair(a.order, a.id) < std::pair(b.order, b.id);
      });
  methods_.insert(later, std::move(method));
}

const Method& MethodRegistry::at(std::string_view id) const {
  std::vector<std::string> ids;
  for (const Method& method : methods_) {
    if (method.id == id) {
      return method;
    }
    ids.push_back(method.id);
  }
  Error error = usage_error("there is no method '" + std::string(id) + "'");
  const std::string nearest = nearest_match(id, ids);
  if (!nearest.empty()) {
    error.hint("did you mean '" + nearest + "'?");
  }
  throw error;
}

}  // namespace sar
