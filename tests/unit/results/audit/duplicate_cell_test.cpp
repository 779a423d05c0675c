#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("an identical pair of mean and SD is inconsistent, one of them alone a note") {
  const Audit result = audit(paper_of({printed_table("t",
                                                     {"x/y/all"},
                                                     {{"a", {"50.10±1.20"}},
                                                      {"b", {"50.10±1.20"}},
                                                      {"c", {"50.10±1.30"}},
                                                      {"d", {"70.11±3.3"}},
                                                      {"e", {"51.00±1.30"}}})}),
                             {});
  CHECK(ids(result) == Ids{"duplicate-cell:x/y/all:a+b",
                           "duplicate-cell:x/y/all:mean:a+b+c",
                           "duplicate-cell:x/y/all:sd:c+e"});
  const Finding& pair = result.findings[0];
  CHECK(pair.severity == Severity::inconsistent);
  CHECK(pair.cells == Ids{"t/a/x/y/all", "t/b/x/y/all"});
  CHECK(pair.doubts == pair.cells);
  CHECK(result.findings[1].severity == Severity::note);
  CHECK(result.findings[1].doubts.empty());
  CHECK(result.doubted == std::set<std::string>{"t/a/x/y/all", "t/b/x/y/all"});
}

TEST_CASE("an identical pair is a note where chance or the end of the scale explains it") {
  const auto of = [](const Rows& rows) {
    const Audit result = audit(paper_of({printed_table("t", {"x/y/all"}, rows)}), {});
    return find(result, "duplicate-cell:x/y/all:a+b").severity;
  };
  const std::string pair = "50.10±1.20";
  CHECK(of({{"a", {pair}}, {"b", {pair}}, {"c", {"60.00±2.00"}}, {"d", {"70.00±3.00"}}}) ==
        Severity::inconsistent);
  // By hand: the means spread over 20 × 5 / 3, the SDs over 2 × 5 / 3, six pairs of rows, units of
  // one: 6 × 0.03 × 0.3 = 0.054.
  CHECK(of({{"a", {"50±1"}}, {"b", {"50±1"}}, {"c", {"60±2"}}, {"d", {"70±3"}}}) == Severity::note);
  CHECK(of({{"a", {"50±1"}}, {"b", {"50±1"}}, {"c", {"60±2"}}, {"d", {"72±3"}}}) ==
        Severity::inconsistent);  // 6 × 3 / 110 × 0.3 = 0.049
  for (const char* end : {"0.00±0.00", "100.00±0.00"}) {
    CHECK(of({{"a", {end}}, {"b", {end}}, {"c", {"60.00±2.00"}}, {"d", {"70.00±3.00"}}}) ==
          Severity::note);
  }
}

TEST_CASE("equal cells of different columns, and means without SD, are not an identical pair") {
  CHECK(ids(audit(paper_of({printed_table(
                      "t",
                      {"x/y/all", "x/z/all"},
                      {{"a", {"50.10±1.20", "60.00±2.00"}}, {"b", {"60.00±2.00", "50.10±1.20"}}})}),
                  {}))
            .empty());
  const Audit without =
      audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"50.10"}}, {"b", {"50.10"}}})}), {});
  CHECK(ids(without) == Ids{"duplicate-cell:x/y/all:mean:a+b"});
  CHECK(without.findings[0].severity == Severity::note);
}

TEST_CASE("findings in the same words about two tables keep ids of their own") {
  const Rows rows{{"a", {"50.10"}}, {"b", {"50.10"}}};
  const Audit result = audit(
      paper_of({printed_table("t", {"x/y/all"}, rows), printed_table("u", {"x/y/all"}, rows)}), {});
  CHECK(ids(result) == Ids{"duplicate-cell:x/y/all:mean:a+b", "duplicate-cell:x/y/all:mean:a+b:2"});
}

}  // namespace sar::audit_test
