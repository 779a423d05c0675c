#include "results/paper/assumptions.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/text/layout.h"

#include <catch2/catch.hpp>

#include <sstream>
#include <string>

namespace {

using sar::Assumption;
using sar::Json;

const sar::KeyWords kWords{{"set", {"luna", "brats"}}, {"method", {"rpl", "jig"}}};
const Json kDefaults{{"seed", 0},
                     {"cubes.scale_jitter", 0.0},
                     {"luna.list", ""},
                     {"pretrain.list", "not of a data set"},
                     {"transform.flip_rate", 0.4},
                     {"transform.paint_rate", 0.9}};

std::vector<Assumption> read(const std::string& text) {
  const sar::TemporaryFolder folder("assumptions-test");
  sar::write_file_atomically(folder.path() / "assumptions.toml", text);
  return sar::read_assumptions(folder.path(), kWords);
}

const std::string kGood = R"(
[[assumptions]]
numbers = [1, 2]
question = "which seed"
choice = "0"
because = "one number repeats the whole table, which is all that is asked of it, and a sentence as long as this one must be broken"
keys = ["seed", "<set>.list"]

[[assumptions]]
numbers = [3]
question = "rates"
choice = "theirs"
because = "the paper refers to them"
keys = ["transform.*"]
)";

TEST_CASE("assumptions are read with their keys in full") {
  const auto all = read(kGood);
  REQUIRE(all.size() == 2);
  CHECK(all[0].numbers == std::vector<int>{1, 2});
  CHECK(all[0].question == "which seed");
  CHECK(all[0].keys == std::vector<std::string>{"seed", "<set>.list"});
  // Only data sets stand for <set>, and only those that have the key.
  CHECK(sar::keys_of(all[0], kDefaults) == std::vector<std::string>{"seed", "luna.list"});
  CHECK(sar::keys_of(all[1], kDefaults) ==
        std::vector<std::string>{"transform.flip_rate", "transform.paint_rate"});
}

TEST_CASE("a paper without the file has no assumptions") {
  const sar::TemporaryFolder folder("assumptions-test");
  CHECK(sar::read_assumptions(folder.path(), kWords).empty());
}

TEST_CASE("every fault of the assumptions is reported with its place") {
  const auto message = [](const std::string& text) -> std::string {
    try {
      read(text);
    } catch (const sar::Error& error) {
      CHECK(error.code() == sar::ExitCode::data_invalid);
      return error.what();
    }
    return "no error";
  };
  const std::string faults = message(R"(
[[assumptions]]
numbers = [1, 1]
question = "a"
choise = "b"
because = ""
keys = ["<mehtod>.list"]

[[assumptions]]
numbers = ["2"]
question = "a"
choice = "b"
because = "c"
keys = []
)");
  for (const char* part : {"assumption 1: number 1 is given twice",
                           "assumption 1: unknown field 'choise'; did you mean 'choice'?",
                           "assumption 1: 'choice' must be given as text",
                           "assumption 1: 'because' must be given as text",
                           "<mehtod> stands for nothing",
                           "assumption 2: 'numbers' must be a list of numbers",
                           "assumption 2: 'keys' must be a list of keys",
                           "7 faults"}) {
    CHECK_THAT(faults, Catch::Contains(part));
  }
  CHECK_THAT(message("x = 1\n"), Catch::Contains("unknown field 'x'"));
  CHECK_THAT(message("assumptions = 1\n"), Catch::Contains("needs [[assumptions]]"));
  CHECK_THAT(message("assumptions = [1]\n"), Catch::Contains("assumption 1: must be a table"));
  CHECK_THAT(message("[[assumptions\n"), Catch::Contains("assumptions.toml"));
}

TEST_CASE("values that are not the default say so, and equal ones do not") {
  const auto all = read(kGood);
  const Json protocol{{"shared", {{"seed", 3}, {"luna.list", ""}, {"transform.flip_rate", 0.4}}}};
  const sar::Sheet sheet = sar::assumption_sheet(all, protocol, kDefaults);
  REQUIRE(sheet.rows.size() == 2);
  CHECK(
      sheet.rows[0] ==
      std::vector<std::string>{
          "1, 2", all[0].question, "0", all[0].because, "seed = 3 (default 0); luna.list = \"\""});
  // A protocol from before the key was there does not tell its value.
  CHECK(sheet.rows[1].back() == "transform.flip_rate = 0.4; transform.paint_rate: not stored");
  CHECK_THAT(sheet.notes.front(), Catch::Contains("1 of 4 keys deviate"));
  const Json& keys = sheet.json.at("assumptions").at(0).at("keys");
  CHECK(keys.at(0) == Json{{"key", "seed"}, {"default", 0}, {"value", 3}, {"deviates", true}});
  CHECK(keys.at(1).at("deviates") == false);
}

TEST_CASE("a whole number equals the same number with a point") {
  const auto all = read(kGood);
  const Json protocol{{"shared", {{"seed", 0.0}}}};
  CHECK(sar::assumption_sheet(all, protocol, kDefaults).rows[0].back().find("default") ==
        std::string::npos);
}

TEST_CASE("without a protocol the built-in values are shown") {
  const sar::Sheet sheet = sar::assumption_sheet(read(kGood), nullptr, kDefaults);
  CHECK(sheet.rows[0].back() == "seed = 0; luna.list = \"\"");
  CHECK(sheet.notes == std::vector<std::string>{"Values are the built-in ones."});
}

TEST_CASE("assumptions print in every format, as text within the terminal's columns") {
  const auto all = read(kGood);
  for (const std::string format : {"text", "md", "latex", "html", "csv"}) {
    INFO(format);
    const std::string text = sar::written(sar::document_of(all, nullptr, kDefaults), format);
    CHECK_THAT(text, Catch::Contains("which seed"));
    CHECK_THAT(text, Catch::Contains("the paper refers to them"));
  }
  CHECK(Json::parse(sar::written(sar::document_of(all, nullptr, kDefaults), "json"))
            .at("assumptions")
            .size() == 2);
  CHECK_THROWS_AS(sar::written(sar::document_of(all, nullptr, kDefaults), "pdf"), sar::Error);
  std::istringstream lines(sar::written(sar::document_of(all, nullptr, kDefaults), "text"));
  for (std::string line; std::getline(lines, line);) {
    CHECK(sar::display_width(line) <= sar::kTextWidth);
  }
}

}  // namespace
