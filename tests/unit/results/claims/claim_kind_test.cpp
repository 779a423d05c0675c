#include "results/claims/claim_kind.h"

#include "harness/core/error.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace sar::claim_kind_test {

using test::code_of;

TEST_CASE("every file of kinds registers its kind, and they are listed by name") {
  std::vector<std::string> names;
  for (const ClaimForm& form : known_claim_kinds().forms()) {
    names.push_back(form.kind);
    CHECK(known_claim_kinds().at(form.kind).judge != nullptr);
  }
  CHECK(names == std::vector<std::string>{"annotation",
                                          "best",
                                          "converges",
                                          "count",
                                          "decreasing",
                                          "difference",
                                          "equals",
                                          "greater",
                                          "largest-gain",
                                          "lower-loss",
                                          "not-testable",
                                          "ratio",
                                          "significant",
                                          "split",
                                          "unseen",
                                          "volumes"});
}

TEST_CASE("a kind that is not known, or known already, is an error of the program") {
  ClaimKinds kinds;
  kinds.add({.form = {.kind = "odd"}});
  kinds.add({.form = {.kind = "even"}});
  CHECK(kinds.forms().at(0).kind == "even");
  CHECK(code_of([&] { kinds.add({.form = {.kind = "odd"}}); }) == ExitCode::internal);
  CHECK(code_of([&] { static_cast<void>(kinds.at("prime")); }) == ExitCode::internal);
}

}  // namespace sar::claim_kind_test
