#include "results/audit/check.h"

#include "harness/core/error.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace sar::audit_checks::check_test {

using test::code_of;

Outcome nothing(const Subject&) {
  return {};
}

TEST_CASE("every file of checks registers its check, and they run in the order of the report") {
  std::vector<std::string> ids;
  for (const Check& check : known_checks().all()) {
    ids.push_back(check.id);
  }
  CHECK(ids == std::vector<std::string>{"range",
                                        "duplicate-cell",
                                        "cross-table",
                                        "bucket-weights",
                                        "sd-bound",
                                        "derived-average",
                                        "monotone",
                                        "bold-best",
                                        "text-vs-table",
                                        "counts",
                                        "significance"});
}

TEST_CASE("two checks have no id and no place in common") {
  Checks checks;
  checks.add({"second", 20, nothing});
  checks.add({"first", 10, nothing});
  CHECK(checks.all().front().id == "first");
  CHECK(code_of([&] { checks.add({"first", 30, nothing}); }) == ExitCode::internal);
  CHECK(code_of([&] { checks.add({"third", 20, nothing}); }) == ExitCode::internal);
}

TEST_CASE("a check is given what an earlier one found, and told if that did not run") {
  const Paper paper;
  const std::vector<Claim> claims;
  const AuditOptions options;
  const std::vector<BucketWeights> weights;
  std::vector<Outcome> outcomes(1);
  outcomes[0].report.check = "first";
  outcomes[0].findings.resize(2);
  const Subject subject{paper, claims, options, weights, outcomes};
  CHECK(subject.findings_of("first").size() == 2);
  CHECK(code_of([&] { static_cast<void>(subject.findings_of("later")); }) == ExitCode::internal);
}

}  // namespace sar::audit_checks::check_test
