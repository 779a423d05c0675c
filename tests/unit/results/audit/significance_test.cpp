#include "harness/core/error.h"
#include "results/statistics/statistics.h"
#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

namespace sar::audit_test {

Claim significance_claim() {
  Claim significant = claim("all", "significant");
  significant.table = "t";
  significant.method = "ours";
  significant.versus = {"a"};
  significant.alpha = 0.05;
  return significant;
}

TEST_CASE("a statement of significance falls only with the whole rounding box and both tests") {
  const auto of = [](const std::string& row, const std::string& ours) {
    return audit(compared_paper(row, ours), {significance_claim()});
  };
  CHECK(ids(of("70.00±1.00", "75.00±1.10")).empty());
  const Audit fallen = of("70.00±3.00", "71.00±3.10");
  REQUIRE(ids(fallen) == Ids{"significance:t/a/x/y/all"});
  CHECK(fallen.findings[0].severity == Severity::inconsistent);
  CHECK(fallen.findings[0].cells == Ids{"t/a/x/y/all", "t/ours/x/y/all"});
  CHECK(fallen.findings[0].doubts.empty());
  CHECK_THAT(fallen.findings[0].message,
             Catch::Contains("not reproducible from mean, SD and n = 5 with an unpaired test"));
  CHECK_THAT(fallen.findings[0].message, !Catch::Contains("wrong"));
  CHECK_THAT(check(fallen, "significance").summary,
             Catch::Contains("a test over cases would not show in these SDs"));
  CHECK_THAT(check(fallen, "significance").summary,
             Catch::Contains("\"p = 0.05\", read as p < 0.05"));
  // Whole numbers: 69.5 to 70.5 against 73.5 to 74.5, SDs 0.5 to 1.5 and 1.5 to 2.5.
  const Audit open = of("70±1", "74±2");
  REQUIRE(ids(open) == Ids{"significance:t/a/x/y/all"});
  CHECK(open.findings[0].severity == Severity::note);
  CHECK_THAT(open.findings[0].message, Catch::Contains("Rounding decides"));
  // By hand: se = √(9.01 / 5) = 1.342, t = 2.53; beyond 2.306 (df 8), within 2.776 (df 4.01).
  const Audit split = of("70.00±3.00", "73.40±0.10");
  REQUIRE(ids(split) == Ids{"significance:t/a/x/y/all"});
  CHECK(split.findings[0].severity == Severity::note);
  CHECK_THAT(split.findings[0].message, Catch::Contains("by Student's test alone"));
}

TEST_CASE("bounds of p hold for every set of numbers that round to the printed ones") {
  const Paper paper = compared_paper("70.1±3.2", "74.3±0.9");
  const Audit result = audit(paper, {});
  const Json test = check(result, "significance").values.at("statements")[0].at("comparisons")[0];
  const Summary a{70.1, 3.2, 5};
  const Summary b{74.3, 0.9, 5};
  // Tolerance: another order of the same double arithmetic.
  CHECK(test.at("student").at("p").get<double>() == Approx(student_test(a, b).p).epsilon(1e-12));
  CHECK(test.at("welch").at("p").get<double>() == Approx(welch_test(a, b).p).epsilon(1e-12));
  for (int i = 0; i < 81; ++i) {  // three values of each number
    const auto moved = [&](double value, int digit) { return value + 0.05 * (digit % 3 - 1); };
    const Summary c{moved(70.1, i), moved(3.2, i / 3), 5};
    const Summary d{moved(74.3, i / 9), moved(0.9, i / 27), 5};
    CHECK(student_test(c, d).p >= test.at("student").at("p_low").get<double>());
    CHECK(student_test(c, d).p <= test.at("student").at("p_high").get<double>());
    CHECK(welch_test(c, d).p >= test.at("welch").at("p_low").get<double>());
    CHECK(welch_test(c, d).p <= test.at("welch").at("p_high").get<double>());
  }
  // Means that may be equal.
  const Json equal = check(audit(compared_paper("70.0±0.1", "70.1±0.2"), {}), "significance")
                         .values.at("statements")[0]
                         .at("comparisons")[0];
  CHECK(equal.at("student").at("p_high") == 1);
}

TEST_CASE("an excepted comparison that is significant after all is a note, by whichever sentence") {
  Claim except = significance_claim();
  except.except = {parse_cell_path("t/a/x/y/all")};
  const Audit result = audit(compared_paper("70.00±1.00", "75.00±1.10"), {except});
  REQUIRE(ids(result) == Ids{"significance:t/a/x/y/all"});
  CHECK(result.findings[0].severity == Severity::note);
  CHECK(result.findings[0].values.at("stated") == "not significant");
  CHECK(ids(audit(compared_paper("70.00±3.00", "71.00±3.10"), {except})).empty());
  Claim again =
      significance_claim();  // "all are significant", said elsewhere without the exception
  again.id = "abstract";
  CHECK(ids(audit(compared_paper("70.00±3.00", "71.00±3.10"), {again, except})).empty());
}

TEST_CASE("cells that are not testable do not count for the statement") {
  const auto of = [](const std::string& row, int trials) {
    const Audit result = audit(compared_paper(row, "75.00±1.10", trials), {significance_claim()});
    CHECK(ids(result).empty());
    return check(result, "significance").status;
  };
  CHECK(of("70.00", 5) == "not applicable");
  CHECK(of("70.00±1.00", 0) == "not applicable");
  CHECK(audit(compared_paper("70.00±0.00", "75.00±0.00"), {significance_claim()})
            .count(Severity::inconsistent) == 0);
  CHECK(of("70.00±1.00", 5) == "checked");
}

TEST_CASE("the level of the user replaces that of the paper") {
  AuditOptions options;
  options.alpha = 0.5;
  options.alpha_given = true;
  CHECK(ids(audit(compared_paper("70.00±1.00", "71.00±1.10"), {significance_claim()}, options))
            .empty());
  options.alpha_given = false;  // the sentence names its own
  CHECK(audit(compared_paper("70.00±1.00", "71.00±1.10"), {significance_claim()}, options)
            .findings.size() == 1);
  options.alpha = 1;
  CHECK_THROWS_AS(audit(compared_paper("70.00±1.00", "71.00±1.10"), {}, options), Error);
}

// --- text-vs-table, counts ----------------------------------------------------------------------

}  // namespace sar::audit_test
