#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("an average is the mean of its targets, beyond rounding") {
  const auto of = [](const std::string& average) {
    return audit(
        paper_of({printed_table(
            "t", {"x/y/all", "x/z/all", "x/average/all"}, {{"a", {"60.00", "40.00", average}}})}),
        {});
  };
  CHECK(ids(of("50.00")).empty());
  CHECK(ids(of("50.01")).empty());
  CHECK(ids(of("50.02")) == Ids{"derived-average:t/a/x/average/all"});
  CHECK(check(of("50.00"), "derived-average").status == "checked");
  const Audit alone =
      audit(paper_of({printed_table("t", {"x/average/all"}, {{"a", {"50.00"}}})}), {});
  CHECK(check(alone, "derived-average").status == "not applicable");
  CHECK_THAT(check(alone, "derived-average").summary, Catch::Contains("cannot be checked"));
}

TEST_CASE("an average is not held against targets that another table adds") {
  const auto of = [](const std::vector<std::string>& columns,
                     const std::vector<std::string>& cells,
                     const std::string& average) {
    std::vector<std::string> own = columns;
    own.emplace_back("x/average/all");
    std::vector<std::string> own_cells = cells;
    own_cells.push_back(average);
    return audit(
        paper_of({printed_table("t", own, {{"a", own_cells}}),
                  printed_table("u", {"x/w/all", "x/v/all"}, {{"a", {"10.00", "20.00"}}})}),
        {});
  };
  CHECK(ids(of({"x/y/all", "x/z/all"}, {"60.00", "40.00"}, "50.00")).empty());
  CHECK(of({"x/y/all", "x/z/all"}, {"60.00", "40.00"}, "51.00").count(Severity::inconsistent) == 1);
  // Printed elsewhere alone, the targets may be others than those averaged.
  const Audit elsewhere = of({}, {}, "50.00");
  CHECK(find(elsewhere, "derived-average:t/a/x/average/all").severity == Severity::note);
}

// --- the SAR paper ------------------------------------------------------------------------------

}  // namespace sar::audit_test
