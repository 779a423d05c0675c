#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("bold is the largest mean of a column, all of several equal ones, or one of them") {
  const auto of = [](const std::vector<std::optional<bool>>& bold) {
    Paper paper = paper_of({printed_table(
        "t", {"x/y/all"}, {{"a", {"70.0±1.0"}}, {"b", {"71.0±2.0"}}, {"c", {"71.0±3.0"}}})});
    for (std::size_t row = 0; row < bold.size(); ++row) {
      paper.tables[0].cells[row][0].bold = bold[row];
    }
    std::vector<std::string> found = ids(audit(paper, {}));
    std::erase(found, "duplicate-cell:x/y/all:mean:b+c");
    return found;
  };
  CHECK(of({false, true, true}).empty());
  CHECK(of({false, true, false}).empty());
  CHECK(of({true, false, false}) == Ids{"bold-best:t/x/y/all"});
  CHECK(of({true, true, true}) == Ids{"bold-best:t/x/y/all"});
  CHECK(of({false, false, false}).empty());  // a table without any mark
  CHECK(of({true, std::nullopt, std::nullopt}).empty());
  Paper paper = paper_of({printed_table(
      "t", {"x/y/all", "x/z/all"}, {{"a", {"70.0", "50.0"}}, {"b", {"71.0", "49.0"}}})});
  for (auto& row : paper.tables[0].cells) {
    row[0].bold = false;
    row[1].bold = row[1].mean.value == 50;
  }
  const Audit result = audit(paper, {});
  REQUIRE(ids(result) == Ids{"bold-best:t/x/y/all"});
  CHECK(result.findings[0].cells == Ids{"t/b/x/y/all"});
}

TEST_CASE("a bold mean that rounding cannot tell from the largest is not a fault") {
  const auto of = [](const std::string& bold, const std::string& other) {
    Paper paper = paper_of({printed_table("t", {"x/y/all"}, {{"a", {bold}}, {"b", {other}}})});
    paper.tables[0].cells[0][0].bold = true;
    paper.tables[0].cells[1][0].bold = false;
    return ids(audit(paper, {}));
  };
  CHECK(of("71.0", "71.04").empty());
  CHECK(of("71.0", "71.06") == Ids{"bold-best:t/x/y/all"});
  CHECK(of("71.00", "71.01") == Ids{"bold-best:t/x/y/all"});
}

// --- bucket-weights, sd-bound -------------------------------------------------------------------

}  // namespace sar::audit_test
