#include "results/paper/claims.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace sar::claims_test {

namespace fs = std::filesystem;

/// The SAR paper's tables with one claim of one's own.
std::vector<Claim> read(const std::string& lines, const std::vector<ClaimForm>& forms) {
  const TemporaryFolder folder;
  for (const auto& each :
       fs::directory_iterator(fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021")) {
    if (each.is_regular_file()) {
      fs::copy(each.path(), folder.path());
    }
  }
  write_file_atomically(
      folder.path() / "claims" / "one.toml",
      "[[claims]]\nid = \"one\"\nsection = \"4\"\nstatement = \"A sentence.\"\n" + lines);
  return read_claim_files(read_paper(folder.path()), forms);
}

std::string fault(const std::string& lines, const std::vector<ClaimForm>& forms) {
  try {
    static_cast<void>(read(lines, forms));
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::data_invalid);
    return error.what();
  }
  return "accepted";
}

TEST_CASE("a kind brings its fields and its own checks of them") {
  ClaimForm form{.kind = "wider", .needed = {"table", "method", "least"}};
  form.faults = [](const Claim& claim, const Json&) {
    return claim.own.value("least", 0) > 0 ? std::vector<std::string>{}
                                           : std::vector<std::string>{"'least' must be positive"};
  };
  const std::string lines = "kind = \"wider\"\ntable = \"table2\"\nmethod = \"sar\"\n";
  const Claim claim = read(lines + "least = 3\n", {form}).at(0);
  CHECK(claim.own == Json{{"least", 3}});
  CHECK(claim.columns.size() == 6);  // all of Table 2
  CHECK_THAT(fault(lines + "least = 0\n", {form}),
             Catch::Contains("one.toml: claim 1 (one): 'least' must be positive"));
  CHECK_THAT(fault(lines, {form}), Catch::Contains("a claim of kind wider needs 'least'"));
  CHECK_THAT(fault(lines + "least = 3\nleats = 3\n", {form}),
             Catch::Contains("has no field 'leats'; did you mean 'least'?"));
}

TEST_CASE("columns of other tables are for the kinds that say so") {
  const std::string lines =
      "kind = \"fewer\"\ntable = \"table4\"\nmethod = \"sar\"\n"
      "columns = [\"brats/tumor/all\"]\n";  // all labels: Table 2
  ClaimForm form{.kind = "fewer", .needed = {"table", "method", "columns"}};
  CHECK_THAT(fault(lines, {form}), Catch::Contains("table4 has no column 'brats/tumor/all'"));
  form.columns_of_any_table = true;
  CHECK(read(lines, {form}).at(0).columns == std::vector<std::string>{"brats/tumor/all"});
}

TEST_CASE("without forms every kind is read, but what its fields name must be there") {
  const std::string lines = "kind = \"whatever\"\ntable = \"table2\"\nmood = \"fair\"\n";
  const Claim claim = read(lines, {}).at(0);
  CHECK(claim.kind == "whatever");
  CHECK(claim.own == Json{{"mood", "fair"}});
  CHECK_THAT(fault(lines + "method = \"genesiss\"\n", {}),
             Catch::Contains("table2 has no row 'genesiss'; did you mean 'genesis'?"));
}

}  // namespace sar::claims_test
