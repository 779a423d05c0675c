#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("a cell that two tables print must be the same, as far as its digits go") {
  const auto differing = [](const std::string& text) {
    return ids(audit(paper_of({printed_table("t", {"x/y/all"}, {{"a", {"50.10±1.20"}}}),
                               printed_table("u", {"x/y/all"}, {{"a", {text}}})}),
                     {}));
  };
  CHECK(differing("50.10±1.20").empty());
  CHECK(differing("50.10").empty());
  CHECK(differing("50.1±1.2").empty());
  CHECK(differing("50.11±1.20") == Ids{"cross-table:a/x/y/all:t+u"});
  CHECK(differing("50.10±1.21") == Ids{"cross-table:a/x/y/all:t+u"});
  CHECK(differing("50.2") == Ids{"cross-table:a/x/y/all:t+u"});  // from 50.15 on
}

}  // namespace sar::audit_test
