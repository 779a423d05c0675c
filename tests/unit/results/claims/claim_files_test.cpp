// Files of claims, read with the kinds of results/claims/kinds/.

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/claims/claim_verdicts.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar::claim_files_test {

namespace fs = std::filesystem;

const fs::path kSar = fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021";

const Claim& find(const std::vector<Claim>& claims, const std::string& id) {
  const auto found = std::ranges::find(claims, id, &Claim::id);
  REQUIRE(found != claims.end());
  return *found;
}

TEST_CASE("every percentage of the SAR paper's text is a claim") {  // exact
  const std::vector<Claim> claims = read_claims(read_paper(kSar));
  // Taken by a script from the text of the abstract and sections 1 to 5, where a number is followed
  // by %; "50 %" is the annotation saving.
  std::vector<std::string> expected{
      "84.92", "75.68", "33.92", "83.46", "83.95", "12.69", "75.68", "33.92", "76.17", "87.88"};
  std::vector<std::string> found;
  for (const Claim& claim : claims) {
    if (claim.kind == "equals" || claim.kind == "difference") {
      found.push_back(claim.number->text);
    }
  }
  std::ranges::sort(expected);
  std::ranges::sort(found);
  CHECK(found == expected);
  CHECK(find(claims, "annotation-saving").saving == "1/2");
}

TEST_CASE("the SAR paper's claims are all read, section by section") {  // exact
  const std::vector<Claim> claims = read_claims(read_paper(kSar));
  std::map<std::string, int> sections;
  std::map<std::string, int> kinds;
  for (const Claim& claim : claims) {
    ++sections[claim.section];
    ++kinds[claim.kind];
  }
  // Counted by a script that splits the files at [[claims]], without a TOML parser.
  CHECK(sections == std::map<std::string, int>{{"abstract", 8},
                                               {"1", 5},
                                               {"2", 1},
                                               {"2.1", 1},
                                               {"2.2", 5},
                                               {"2.3", 1},
                                               {"2.4", 1},
                                               {"3.1", 7},
                                               {"3.2.1", 4},
                                               {"3.2.2", 3},
                                               {"4.0.1", 12},
                                               {"table2", 1},
                                               {"4.0.2", 19},
                                               {"table3", 1},
                                               {"4.0.3", 8},
                                               {"table4", 1},
                                               {"5", 5}});
  CHECK(kinds == std::map<std::string, int>{{"annotation", 1},
                                            {"best", 3},
                                            {"converges", 4},
                                            {"count", 10},
                                            {"decreasing", 2},
                                            {"difference", 1},
                                            {"equals", 9},
                                            {"greater", 21},
                                            {"largest-gain", 2},
                                            {"lower-loss", 1},
                                            {"not-testable", 21},
                                            {"ratio", 1},
                                            {"significant", 4},
                                            {"split", 1},
                                            {"unseen", 1},
                                            {"volumes", 1}});
}

TEST_CASE("a claim of significance names its families, its level and its exception") {
  const std::vector<Claim> claims = read_claims(read_paper(kSar));
  const Claim& claim = find(claims, "all-significant");
  CHECK(claim.columns.size() == 6);  // all of Table 2
  CHECK(claim.versus == std::vector<std::string>{"scratch", "genesis", "rpl", "jig", "rot", "cpc"});
  CHECK(claim.alpha == 0.05);
  REQUIRE(claim.except.size() == 1);
  CHECK(claim.except[0].text() == "table2/genesis/pancreas/tumor/all");
  REQUIRE(claim.families.size() == 2);
  CHECK(claim.families[0].versus.size() * claim.columns.size() == 36);
  CHECK(claim.families[1].versus.size() * claim.columns.size() == 48);  // "others"
  CHECK(std::ranges::count(claim.families[1].versus, "sar") == 0);
  CHECK(claim.file == "5-comparison.toml");
}

/// The SAR paper's tables with claims of one's own.
struct Folder {
  TemporaryFolder folder;

  Folder() {
    for (const auto& each : fs::directory_iterator(kSar)) {
      if (each.is_regular_file()) {
        fs::copy(each.path(), folder.path());
      }
    }
  }
  const Folder& add(const std::string& name, const std::string& text) const {
    write_file_atomically(folder.path() / "claims" / name, text);
    return *this;
  }
  [[nodiscard]] std::vector<Claim> read() const { return read_claims(read_paper(folder.path())); }
  [[nodiscard]] std::string fault() const {
    try {
      static_cast<void>(read());
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::data_invalid);
      return error.what();
    }
    return "accepted";
  }
};

/// A claim with what every claim needs, and these lines.
std::string claim(const std::string& id, const std::string& kind, const std::string& lines) {
  return "[[claims]]\nid = \"" + id +
         "\"\nsection = \"4\"\nstatement = \"A sentence.\"\nkind = \"" + kind + "\"\n" + lines +
         "\n";
}

TEST_CASE("a paper without claims has none, and adding one is adding one file") {
  const Folder folder;
  CHECK(folder.read().empty());
  folder.add("b.toml", claim("second", "not-testable", "reason = \"no number\""));
  folder.add(
      "a.toml",
      claim("first", "equals", "cells = [\"table3/sar/brats/tumor/all\"]\nnumber = \"84.92\""));
  folder.add("notes.txt", "not a claim");
  const std::vector<Claim> claims = folder.read();
  REQUIRE(claims.size() == 2);
  CHECK(claims[0].id == "first");
  CHECK(claims[0].number->half_unit == Approx(0.005).epsilon(1e-12));
  CHECK(claims[1].file == "b.toml");
}

TEST_CASE(
    "all faults of a paper's claims are reported at once, with file, place and the nearest word") {
  const std::string message =
      Folder()
          .add("a.toml",
               claim("one", "greatr", "") +
                   claim("two",
                         "greater",
                         "table = \"table2\"\nmethod = \"sar\"\n"
                         "versus = [\"genesiss\"]\ncolums = [\"x\"]") +
                   claim("three",
                         "equals",
                         "cells = [\"table2/sar/brats/tumor/XL\"]\n"
                         "number = \"84,92\""))
          .add("b.toml",
               claim("two",
                     "difference",
                     "cells = [\"table2/sar/brats/tumor/S\"]\n"
                     "number = \"1\"") +
                   claim("four",
                         "count",
                         "what = \"volume\"\nnumber = \"7\"\n"
                         "where = { modalty = \"CT\" }") +
                   claim("five",
                         "significant",
                         "table = \"table2\"\nmethod = \"sar\"\nversus = \"others\"\n"
                         "columns = [\"brats/tumor/S\"]\nalpha = 5\n"
                         "except = [\"table2/jig/brats/tumor/M\"]") +
                   claim("six",
                         "annotation",
                         "table = \"table4\"\nmethod = \"sar\"\n"
                         "versus = [\"scratch\"]\nsaving = \"50 %\"\n"
                         "columns = [\"pancreas/average/all\"]"))
          .fault();
  INFO(message);
  for (const char* expected :
       {"a.toml: claim 1 (one): unknown kind 'greatr'; did you mean 'greater'?",
        "a.toml: claim 2 (two): a claim of kind greater has no field 'colums'; did you mean "
        "'columns'?",
        "a.toml: claim 2 (two): table2 has no row 'genesiss'; did you mean 'genesis'?",
        "a.toml: claim 3 (three): table2 has no column 'brats/tumor/XL'; did you mean "
        "'brats/tumor/L'?",
        "a.toml: claim 3 (three): 'number' must be a number given as text",
        "b.toml: claim 1 (two): a claim of kind difference needs two cells",
        "b.toml: the id 'two' is given twice, first in a.toml",
        "b.toml: claim 2 (four): 'what' is one of",
        "did you mean 'volumes'?",
        "b.toml: claim 2 (four): 'where' has no field 'modalty'; did you mean 'modality'?",
        "b.toml: claim 3 (five): 'alpha' must be a number between 0 and 1",
        "b.toml: claim 3 (five): 'except' names 'table2/jig/brats/tumor/M', which this claim does "
        "not compare",
        "b.toml: claim 4 (six): 'saving' must be a share of the labels such as \"1/2\"",
        "12 faults"}) {
    CHECK_THAT(message, Catch::Contains(expected));
  }
}

TEST_CASE("a file of claims that is not TOML is a fault with its line and column") {
  const std::string message = Folder()
                                  .add("a.toml", "[[claims]]\nid = \"one\nsection = \"4\"\n")
                                  .add("b.toml", "claim = 1\n")
                                  .fault();
  INFO(message);
  CHECK_THAT(message, Catch::Contains("a.toml: not valid TOML"));
  CHECK_THAT(message, Catch::Contains("line: 2"));
  CHECK_THAT(message, Catch::Contains("column: "));
  CHECK_THAT(message, Catch::Contains("b.toml: unknown field 'claim'"));
  CHECK_THAT(message, Catch::Contains("b.toml: needs [[claims]]"));
}

TEST_CASE("what a claim of a kind needs must be there") {
  const std::string message = Folder()
                                  .add("a.toml",
                                       "[[claims]]\nid = \"Bad id\"\nkind = \"not-testable\"\n" +
                                           claim("b",
                                                 "decreasing",
                                                 "table = \"table4\"\nmethod = \"sar\"\n"
                                                 "columns = [\"brats/tumor/all/1/2\"]") +
                                           claim("c",
                                                 "split",
                                                 "number = \"285\"\nratio = [1, 1, 2]\n"
                                                 "where = { dataset = \"brats\" }") +
                                           claim("d",
                                                 "converges",
                                                 "method = \"sar\"\nversus = \"others\"\n"
                                                 "tasks = [\"brain\"]") +
                                           claim("e", "count", "number = \"1\"") +
                                           claim("f",
                                                 "significant",
                                                 "table = \"table9\"\nmethod = \"sar\"\n"
                                                 "versus = [\"scratch\"]") +
                                           claim("g",
                                                 "greater",
                                                 "table = \"table4\"\nmethod = \"sar\"\n"
                                                 "versus = [\"sar\"]"))
                                  .fault();
  INFO(message);
  for (const char* expected : {"'id' is made of small letters, digits and '-'",
                               "claim 1 (Bad id): 'section' must be given as text",
                               "claim 1 (Bad id): a claim of kind not-testable needs 'reason'",
                               "claim 2 (b): a claim of kind decreasing needs at least two columns",
                               "claim 3 (c): 'ratio' of a split has two parts",
                               "claim 4 (d): 'versus = \"others\"' needs 'table'",
                               "claim 4 (d): the paper has no task 'brain'",
                               "claim 5 (e): a count is either of 'what'",
                               "claim 6 (f): the paper has no table 'table9'",
                               "claim 7 (g): 'versus' must not name the method itself"}) {
    CHECK_THAT(message, Catch::Contains(expected));
  }
}

}  // namespace sar::claim_files_test
