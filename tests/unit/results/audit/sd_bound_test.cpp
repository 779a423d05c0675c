#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("an SD of the whole keeps within Minkowski's bounds, rounding included") {
  const auto of = [](const std::vector<std::string>& sds) {
    Rows rows = weighted_rows();
    for (std::size_t i = 0; i < 4; ++i) {
      rows[0].second[i] += "±" + sds[i];
    }
    return audit(bucket_paper(rows), {});
  };
  // By hand: 0.2 × 1 + 0.5 × 2 + 0.3 × 3 = 2.10, with rounding 2.105.
  CHECK(ids(of({"1.00", "2.00", "3.00", "2.11"})).empty());  // from 2.105
  const Audit above = of({"1.00", "2.00", "3.00", "2.12"});
  REQUIRE(ids(above) == Ids{"sd-bound:brain/tumor:a"});
  CHECK_THAT(above.findings[0].message,
             Catch::Contains("(2 × 1.00 + 5 × 2.00 + 3 × 3.00) / 10 = 2.100"));
  CHECK_THAT(above.findings[0].message, Catch::Contains("Assumed"));
  // By hand: 0.5 × 3.995 - 0.2 × 0.105 - 0.3 × 0.105 = 1.945.
  CHECK(ids(of({"0.10", "4.00", "0.10", "1.94"})).empty());  // up to 1.945
  CHECK(ids(of({"0.10", "4.00", "0.10", "1.93"})) == Ids{"sd-bound:brain/tumor:a"});
}

TEST_CASE("without recovered weights the SD of the whole is at most the largest") {
  const auto of = [](const std::string& sd) {
    return ids(audit(bucket_paper({{"a", {"60.00±1.00", "70.00±2.00", "80.00±3.00", "71.00±" + sd}},
                                   {"ours", {"70.10", "83.30", "85.60", "81.35"}}}),
                     {}));
  };
  CHECK(of("3.01").empty());
  CHECK(of("3.02") == Ids{"sd-bound:brain/tumor:a"});
}

// --- significance -------------------------------------------------------------------------------

}  // namespace sar::audit_test
