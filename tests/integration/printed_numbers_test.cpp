#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/document.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace {

namespace fs = std::filesystem;
using sar::test::Outcome;
using sar::test::sar_bench;

const fs::path kSource = SARBENCH_SOURCE_DIR;
const fs::path kDocument = kSource / "docs/audit-your-paper.md";

TEST_CASE("every command of the page on auditing a paper works as written", "[paper]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar::test::write_files_of(kDocument, folder.path()) == 3);
  const auto commands = sar::test::commands_of(kDocument);
  REQUIRE(commands.size() >= 4);
  for (const auto& command : commands) {
    REQUIRE(command.at(0) == "sar-bench");
    const Outcome outcome = sar_bench(folder.path(), {command.begin() + 1, command.end()});
    INFO(fmt::format("{}", fmt::join(command, " ")) << "\n" << outcome.out << outcome.err);
    const bool gate = std::ranges::find(command, "--strict") != command.end();
    CHECK(outcome.code == (gate ? 1 : 0));
    CHECK(outcome.err.empty());
  }
  const sar::Json found = sar::read_json(folder.path() / "findings.json");
  CHECK(found.at("paper") == "mypaper");
  CHECK(found.at("findings").size() == 3);
}

TEST_CASE("papers that cannot be audited end in 2, 65 or 66, with the place", "[paper]") {
  const sar::TemporaryFolder folder;
  const Outcome unknown = sar_bench(folder.path(), {"audit", "sar2012"});
  CHECK(unknown.code == 2);
  CHECK_THAT(unknown.err, Catch::Contains("did you mean 'sar2021'?"));
  CHECK(sar_bench(folder.path(), {"audit", "./nowhere"}).code == 66);
  sar::test::write_files_of(kDocument, folder.path());
  const fs::path table = folder.path() / "mypaper/main.toml";
  const std::string text = sar::read_file(table);
  sar::write_file_atomically(table, text + "rows = [\n");
  const Outcome malformed = sar_bench(folder.path(), {"audit", "./mypaper"});
  CHECK(malformed.code == 65);
  CHECK_THAT(
      malformed.err,
      Catch::Contains("main.toml") && Catch::Contains("line: ") && Catch::Contains("column: "));
  const auto replaced = [&](const std::string& from, const std::string& to) {
    std::string changed = text;
    sar::write_file_atomically(table, changed.replace(changed.find(from), from.size(), to));
    return sar_bench(folder.path(), {"audit", "./mypaper"});
  };
  const Outcome number = replaced("52.1±0.4", "52,1±0.4");
  CHECK(number.code == 65);
  CHECK_THAT(number.err, Catch::Contains("row 1: cell 1: '52,1' is not a plain number"));
  CHECK_THAT(replaced("72.1±0.3", "72.1").err, Catch::Contains("row 1: cell 2: '72.1' has no SD"));
}

TEST_CASE("the invented paper is audited by its name, and is not a clean paper", "[paper]") {
  const sar::TemporaryFolder folder;
  const Outcome outcome = sar_bench(folder.path(), {"audit", "invented2024", "--json"});
  CHECK(outcome.code == 0);
  CHECK(sar::Json::parse(outcome.out).at("findings").size() > 10);
  CHECK(sar_bench(folder.path(), {"audit", "invented2024", "--strict", "-q"}).code == 1);
}

TEST_CASE("a t-test from printed numbers or values needs no data and no database", "[ttest]") {
  const sar::TemporaryFolder folder;
  const auto ttest = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "ttest");
    return sar_bench(folder.path(), arguments);
  };
  const std::string a = "84.92,1.62,5";
  const std::string b = "83.03,3.14,5";
  const Outcome plain = ttest({a, b, "--json"});
  CHECK(plain.code == 0);
  CHECK(plain.err.empty());
  // SciPy 1.17.1: ttest_ind_from_stats(84.92, 1.62, 5, 83.03, 3.14, 5)
  const sar::Json result = sar::Json::parse(plain.out);
  CHECK(result.at("p").get<double>() == Approx(0.2659000113676845).epsilon(1e-10));
  CHECK(result.at("schema_version") == 1);
  CHECK(ttest({a, b, "--test", "paired"}).code == 2);
  CHECK(ttest({a, b, "--test", "permutation"}).code == 2);
  CHECK(ttest({a, b, "--test", "corrected-cv", "--test-train-ratio", "0.25"}).code == 2);
  CHECK(ttest({a, b, "--test", "paired", "--correlation", "0.8"}).code == 0);
  CHECK(ttest({"84.92,nan,5", b}).code == 2);
  CHECK(ttest({a, "no-such-file"}).code == 66);
  CHECK(ttest({"-0.4,0.3,5", "-0.1,0.3,5"}).code == 0);
  CHECK(ttest({a, b, "--values", "--summary"}).code == 2);
  CHECK(ttest({a, b, "--margin", "nan"}).code == 2);
  const Outcome doubtful = ttest({"75.2,76.1,77", "74.1,73.2,75"});
  CHECK(doubtful.code == 0);
  CHECK_THAT(doubtful.err, Catch::Contains("read as mean, SD, n"));
  CHECK(ttest({"75.2,76.1,77", "74.1,73.2,75", "-q"}).err.empty());
  const Outcome single = ttest({"84.92", b, "--json"});
  CHECK(single.code == 4);
  CHECK(sar::Json::parse(single.out).at("testable") == false);
  sar::write_file_atomically(folder.path() / "a.txt", "84.1\nseven\n");
  const Outcome file = ttest({"a.txt", b});
  CHECK(file.code == 65);
  CHECK_THAT(file.err, Catch::Contains("line 2, column 1: 'seven' is not a number"));
  // The level of a configuration file counts, a flag more.
  sar::write_file_atomically(folder.path() / "sar-bench.toml", "[statistics]\nalpha = 0.3\n");
  CHECK(sar::Json::parse(ttest({a, b, "--json"}).out).at("significant") == true);
  CHECK(sar::Json::parse(ttest({a, b, "--json", "--alpha", "0.05"}).out).at("significant") ==
        false);
}

TEST_CASE("power plans a paper's comparisons without any run", "[power]") {
  const sar::TemporaryFolder folder;
  const auto power = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "power");
    return sar_bench(folder.path(), arguments);
  };
  const Outcome published = power({"--json"});
  CHECK(published.code == 0);
  const sar::Json result = sar::Json::parse(published.out);
  CHECK(result.at("comparisons").size() == 48);
  CHECK(result.at("hours").is_null());
  CHECK(power({"--source", "measured"}).code == 4);
  const Outcome absent = power({"--table", "table9"});
  CHECK(absent.code == 2);
  CHECK_THAT(absent.err, Catch::Contains("it has: table2 table3 table4"));
  CHECK(power({"--effect", "1.89"}).code == 2);
  CHECK(power({"--effect", "1.89", "--sd", "0"}).code == 2);
  // SciPy 1.17.1: 17 per group reach 80 % at a difference of one SD.
  const Outcome single = power({"--effect", "1", "--sd", "1", "--json"});
  CHECK(sar::Json::parse(single.out).at("trials_needed") == 17);
}

}  // namespace
