#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

TEST_CASE("a number in the text is that of its cell, in as many digits as it has") {
  const auto of = [](const std::string& number) {
    Claim equals = claim("dice", "equals");
    equals.cells = {parse_cell_path("t/a/x/y/all")};
    equals.number = parse_printed(number);
    return audit(compared_paper("84.92±1.00", "90.00±1.10"), {equals});
  };
  CHECK(ids(of("84.92")).empty());
  CHECK(ids(of("84.9")).empty());
  CHECK(ids(of("85")).empty());
  const Audit last_digit = of("84.93");  // as many digits: it is not a rounding of the same number
  REQUIRE(ids(last_digit) == Ids{"text-vs-table:dice"});
  CHECK(last_digit.findings[0].severity == Severity::inconsistent);
  CHECK(of("84.94").findings.at(0).severity == Severity::inconsistent);
  CHECK(of("84.8").findings.at(0).severity == Severity::inconsistent);
  CHECK(of("84.8").findings[0].cells == Ids{"t/a/x/y/all", "text/dice"});
}

TEST_CASE("a difference in the text holds within the rounding of all three numbers") {
  const auto of = [](const std::string& number) {
    Claim gain = claim("gain", "difference");
    gain.cells = {parse_cell_path("t/ours/x/y/all"), parse_cell_path("t/a/x/y/all")};
    gain.number = parse_printed(number);
    return ids(audit(compared_paper("65.41±1.00", "78.10±2.00"), {gain}));
  };
  CHECK(of("12.69").empty());
  CHECK(of("12.70").empty());  // 0.01 of 0.015
  CHECK(of("12.71") == Ids{"text-vs-table:gain"});
  CHECK(of("12.67") == Ids{"text-vs-table:gain"});
  CHECK(of("13").empty());
}

}  // namespace sar::audit_test
