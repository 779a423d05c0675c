#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

namespace {

using sar::Json;
using sar::test::Outcome;
using sar::test::sar_bench;

TEST_CASE("without a run, a printed number is explained by its test against the reference",
          "[desk]") {
  const sar::TemporaryFolder folder;
  const std::string cell = "table2/genesis/brats/tumor/all";
  const Outcome outcome = sar_bench(folder.path(), {"explain", cell, "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  const Json json = Json::parse(outcome.out);
  CHECK(json.at("trials").empty());
  CHECK(json.at("protocol").is_null());
  const Json& published = json.at("published");
  CHECK(published.at("mean") == 83.03);
  // SciPy: ttest_ind_from_stats(83.03, 3.14, 5, 84.92, 1.62, 5)
  const Json& student = published.at("versus").at("student");
  CHECK(student.at("t").get<double>() == Approx(-1.1961067089569357).epsilon(1e-9));
  CHECK(student.at("p").get<double>() == Approx(0.26590001136768426).epsilon(1e-9));
  const Outcome text = sar_bench(folder.path(), {"explain", cell});
  CHECK(text.code == 0);
  CHECK_THAT(text.out, Catch::Contains("(4·3.14² + 4·1.62²) / 8"));
}

TEST_CASE("verify and compare say what is missing by their exit codes", "[desk]") {
  const sar::TemporaryFolder folder;
  const auto code = [&](const std::vector<std::string>& arguments) {
    return sar_bench(folder.path(), arguments).code;
  };
  CHECK(code({"verify"}) == 4);
  CHECK(code({"verify", "--margin", "0"}) == 2);
  CHECK(code({"verify", "--paper", "nobody"}) == 2);
  CHECK(code({"compare", "base.sqlite", "new.sqlite"}) == 66);
  CHECK(code({"compare", "base.sqlite"}) == 2);
  CHECK(code({"compare", "base.sqlite", "new.sqlite", "--test", "sign"}) == 2);
  sar::write_file_atomically(folder.path() / "junk.sqlite", "no database");
  CHECK(code({"compare", "junk.sqlite", "junk.sqlite"}) == 74);
  // Table 2 prints no such row, and no run of it is stored.
  CHECK(code({"explain", "table2/genesis/brats/tumor/nowhere"}) == 2);
  CHECK(code({"explain", "table2/scale2/brats/tumor/all"}) == 4);
}

}  // namespace
