#pragma once

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <string>
#include <vector>

namespace sar::test {

inline const std::string kTiny = std::string(SARBENCH_SOURCE_DIR) + "/tests/integration/tiny.toml";

/// Rows of a statement, from the program's own database.
inline Json query(const std::filesystem::path& folder, const std::string& sql) {
  const Outcome outcome = sar_bench(folder, {"db", "sql", sql, "--json"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  return Json::parse(outcome.out).at("rows");
}

/// Every number that a run stores; seconds and dates are left out.
inline std::string numbers(const std::filesystem::path& folder) {
  return query(folder,
               "select method, task, fraction, trial, case_id, target, bucket, volume_mm3, dice "
               "from v_case_dice order by 1,2,3,4,5,6")
             .dump() +
         query(folder,
               "select method, task, trial, stage, step, epoch, split, loss, lr from v_loss order "
               "by 1,2,3,4,5,6,7")
             .dump() +
         query(folder,
               "select method, epoch, split, name, value from v_proxy_metric order by 1,2,3,4")
             .dump();
}

inline std::vector<std::string> tiny_run(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{
      "run", "table2", "--profile", kTiny, "-m", "scratch,sar", "-q"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

/// Numbers of an uninterrupted run, made once for all tests of this process.
inline const std::string& reference_numbers() {
  static const std::string numbers_of_reference = [] {
    const TemporaryFolder folder;
    const Outcome outcome = sar_bench(folder.path(), tiny_run({"-j", "1"}));
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    return numbers(folder.path());
  }();
  return numbers_of_reference;
}

inline std::int64_t finished_nodes(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "sar-bench.sqlite")) {
    return 0;
  }
  const Outcome outcome = sar_bench(
      folder, {"db", "sql", "select count(*) from v_node where state = 'done'", "--json"});
  return outcome.code == 0 ? Json::parse(outcome.out).at("rows").at(0).at(0).get<std::int64_t>()
                           : 0;
}

}  // namespace sar::test
