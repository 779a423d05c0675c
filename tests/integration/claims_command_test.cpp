#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::sar_bench;

TEST_CASE("claims are judged without data or runs, and --strict is a gate") {
  const sar::TemporaryFolder folder;
  const auto plain = sar_bench(folder.path(), {"claims", "--json"});
  CHECK(plain.code == 0);
  const Json report = Json::parse(plain.out);
  CHECK(report.at("source") == "published");
  CHECK(report.at("claims").size() > 70);
  const auto strict = sar_bench(folder.path(), {"claims", "--strict"});
  CHECK(strict.code == 1);
  CHECK_THAT(strict.err, Catch::Contains("small-tumour-gain-largest"));
  const auto listed = sar_bench(folder.path(), {"list", "claims", "--json"});
  CHECK(listed.code == 0);
  CHECK(Json::parse(listed.out).at("claims").size() == report.at("claims").size());
}

TEST_CASE("claims without runs, papers or sense end with the contract's exit codes") {
  const sar::TemporaryFolder folder;
  CHECK(sar_bench(folder.path(), {"claims", "--source", "measured"}).code == 4);
  CHECK(sar_bench(folder.path(), {"claims", "--paper", "sar2022"}).code == 2);
  CHECK(sar_bench(folder.path(), {"claims", "--source", "guessed"}).code == 2);
  CHECK(sar_bench(folder.path(), {"claims", "--protocol", "abc"}).code == 2);
  const fs::path paper = folder.path() / "paper";
  fs::copy(fs::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021",
           paper,
           fs::copy_options::recursive);
  sar::write_file_atomically(paper / "claims" / "0.toml", "[[claims]\n");
  const auto broken = sar_bench(folder.path(), {"claims", "--paper", paper.string()});
  CHECK(broken.code == 65);
  CHECK_THAT(broken.err, Catch::Contains("0.toml: not valid TOML"));
  CHECK_THAT(broken.err, Catch::Contains("line: 1"));
  sar::write_file_atomically(paper / "claims" / "0.toml",
                             "[[claims]]\nid = \"mine\"\nsection = \"1\"\nstatement = \"Mine.\"\n"
                             "kind = \"equals\"\ncells = [\"table2/sar/brats/tumor/S\"]\n"
                             "number = \"78.10\"\n");
  const auto added = sar_bench(folder.path(), {"claims", "--paper", paper.string(), "--json"});
  CHECK(added.code == 0);
  CHECK(Json::parse(added.out).at("claims")[0].at("verdict") == "supported");
  fs::remove_all(paper / "claims");
  CHECK(sar_bench(folder.path(), {"claims", "--paper", paper.string()}).code == 66);
}

}  // namespace
