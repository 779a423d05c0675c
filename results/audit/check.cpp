#include "results/audit/check.h"

#include "harness/core/error.h"

#include <algorithm>
#include <utility>

namespace sar::audit_checks {

const std::vector<Finding>& Subject::findings_of(const std::string& check) const {
  const auto found = std::ranges::find(
      earlier, check, [](const Outcome& outcome) { return outcome.report.check; });
  if (found == earlier.end()) {
    throw internal_error("a check asks for findings of one that did not run before it")
        .with("check", check);
  }
  return found->findings;
}

void Checks::add(Check check) {
  for (const Check& other : checks_) {
    if (other.id == check.id || other.order == check.order) {
      throw internal_error("two checks of an audit have one id or one place")
          .with("checks", other.id + ", " + check.id);
    }
  }
  const auto place = std::ranges::upper_bound(checks_, check.order, {}, &Check::order);
  checks_.insert(place, std::move(check));
}

const Checks& known_checks() {
  static const Checks known = [] {
    Checks checks;
    register_all(checks);
    return checks;
  }();
  return known;
}

CheckReport report(const std::string& check, bool applicable, std::string summary, Json values) {
  return {
      check, applicable ? "checked" : "not applicable", std::move(summary), std::move(values), {}};
}

}  // namespace sar::audit_checks
