#include "results/claims/claim_kind.h"

#include "harness/core/error.h"

#include <algorithm>
#include <utility>

namespace sar {
namespace {

const std::string& name_of(const ClaimKind& kind) {
  return kind.form.kind;
}

}  // namespace

void ClaimKinds::add(ClaimKind kind) {
  const auto place = std::ranges::lower_bound(kinds_, kind.form.kind, {}, name_of);
  if (place != kinds_.end() && name_of(*place) == kind.form.kind) {
    throw internal_error("two kinds of claims have one name").with("kind", kind.form.kind);
  }
  kinds_.insert(place, std::move(kind));
}

const ClaimKind& ClaimKinds::at(const std::string& name) const {
  const auto found = std::ranges::find(kinds_, name, name_of);
  if (found == kinds_.end()) {
    throw internal_error("a kind of claim without a judge").with("kind", name);
  }
  return *found;
}

std::vector<ClaimForm> ClaimKinds::forms() const {
  std::vector<ClaimForm> list;
  for (const ClaimKind& kind : kinds_) {
    list.push_back(kind.form);
  }
  return list;
}

const ClaimKinds& known_claim_kinds() {
  static const ClaimKinds known = [] {
    ClaimKinds kinds;
    claim_kinds::register_all(kinds);
    return kinds;
  }();
  return known;
}

}  // namespace sar
