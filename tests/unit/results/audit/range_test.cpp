#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("means lie between 0 and 100, SDs between 0 and the largest possible") {
  const auto of = [](const std::string& text, int trials = 5) {
    return ids(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {text}}}, trials)}), {}));
  };
  CHECK(of("100.00").empty());
  CHECK(of("0").empty());
  CHECK(of("100.4±0").size() == 1);
  CHECK(of("100").empty());
  CHECK(of("100.01") == Ids{"range:t/a/x/y/all:mean"});  // at least 100.005
  CHECK(of("-0.5±1.0") == Ids{"range:t/a/x/y/all:mean"});
  CHECK(of("50.0±-0.1") == Ids{"range:t/a/x/y/all:sd"});
  // By hand: mean 90, n = 5: √(90 × 10 × 5 / 4) = √1125 = 33.541; the mean may be 89.995 (33.548).
  CHECK(of("90.00±33.55").empty());
  CHECK(of("90.00±33.56") == Ids{"range:t/a/x/y/all:sd"});
  CHECK(of("90.00±33.56", 0).empty());  // n unknown
  CHECK(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"101.0"}}})}), {})
            .findings[0]
            .severity == Severity::error);
}

}  // namespace sar::audit_test
