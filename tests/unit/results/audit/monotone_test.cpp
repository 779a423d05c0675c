#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("a mean that rises with fewer labels is a note, beyond rounding") {
  const auto of = [](const std::string& half) {
    return audit(
        paper_of({printed_table("t", {"x/y/all"}, {{"a", {"60.00"}}}),
                  printed_table("u", {"x/y/all/1/5", "x/y/all/1/2"}, {{"a", {"50.00", half}}})}),
        {});
  };
  CHECK(ids(of("55.00")).empty());
  CHECK(ids(of("60.01")).empty());
  CHECK(ids(of("49.99")).empty());
  const Audit above_full = of("60.02");
  REQUIRE(ids(above_full) == Ids{"monotone:a/x/y/all:1/2"});
  CHECK(above_full.findings[0].severity == Severity::note);
  CHECK(above_full.findings[0].cells == Ids{"u/a/x/y/all/1/2", "t/a/x/y/all"});
  CHECK(ids(of("49.98")) == Ids{"monotone:a/x/y/all:1/5"});
}

TEST_CASE("the average over targets with all labels is derived where it is not printed") {
  const auto of = [](const std::string& half) {
    return ids(
        audit(paper_of({printed_table("t", {"x/y/all", "x/z/all"}, {{"a", {"60.00", "40.00"}}}),
                        printed_table("u", {"x/average/all/1/2"}, {{"a", {half}}})}),
              {}));
  };
  CHECK(of("50.01").empty());
  CHECK(of("50.02") == Ids{"monotone:a/x/average/all:1/2"});
}

}  // namespace sar::audit_test
