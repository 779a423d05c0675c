// A run that is killed at any moment loses nothing: front and workers get SIGKILL at random
// moments, the same command is given again, and what stands at the end is what an uninterrupted run
// gives.
//
//   SARBENCH_DRILL_KILLS    kills in all (20)
//   SARBENCH_DRILL_PROFILE  profile of the runs (the tests' smallest)
//   SARBENCH_DRILL_SEED     of the moments (0)

#include "harness/core/hash.h"
#include "harness/core/rng.h"
#include "tests/support/tiny_run.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <map>
#include <thread>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Outcome;
using sar::test::Program;

std::string chosen(const char* variable, const std::string& otherwise) {
  const char* value = std::getenv(variable);
  return value == nullptr ? otherwise : value;
}

std::vector<std::string> command() {
  return {SARBENCH_PROGRAM,
          "run",
          "table2",
          "--profile",
          chosen("SARBENCH_DRILL_PROFILE", sar::test::kTiny),
          "-m",
          "scratch,sar",
          "-q",
          "-j",
          "2"};
}

/// Numbers in the database, and the digest of every product by name.
std::string state_of(const fs::path& folder) {
  std::map<std::string, std::string> products;
  for (const auto& entry : fs::recursive_directory_iterator(folder / "sar-bench.sqlite.work")) {
    const std::string ending = entry.path().extension().string();
    if (entry.is_regular_file() && (ending == ".weights" || ending == ".cubes")) {
      products[entry.path().filename().string()] = sar::sha256_of_file(entry.path());
    }
  }
  return sar::test::numbers(folder) + Json(products).dump();
}

/// What was running: "finetune", or "between" where no node was.
std::string running_kind(const fs::path& folder) {
  if (!fs::exists(folder / "sar-bench.sqlite")) {
    return "listing";
  }
  const Outcome outcome = sar::test::sar_bench(
      folder, {"db", "sql", "select kind from v_node where state = 'running' limit 1", "--json"});
  const Json rows = outcome.code == 0 ? Json::parse(outcome.out).at("rows") : Json::array();
  return rows.empty() ? "between" : rows.at(0).at(0).get<std::string>();
}

TEST_CASE("what is killed at random moments ends as what was never killed") {
  using Clock = std::chrono::steady_clock;
  const int wanted = std::stoi(chosen("SARBENCH_DRILL_KILLS", "20"));
  sar::Rng rng(std::stoull(chosen("SARBENCH_DRILL_SEED", "0")));

  const sar::TemporaryFolder whole;
  const auto start = Clock::now();
  REQUIRE(Program(command(), whole.path()).finish().code == 0);
  const double seconds = std::chrono::duration<double>(Clock::now() - start).count();
  const std::string expected = state_of(whole.path());

  std::map<std::string, int> kills;  // by what was running
  int killed = 0;
  int runs = 0;
  while (killed < wanted) {
    const sar::TemporaryFolder folder;
    ++runs;
    // Three kills a run at most, so that late moments are met as often as early ones.
    for (int kill = 0; kill < 3 && killed < wanted; ++kill) {
      Program program(command(), folder.path());
      std::this_thread::sleep_for(std::chrono::duration<double>(rng.uniform() * seconds));
      if (program.ended()) {
        program.finish();
        break;
      }
      program.signal(SIGSTOP);  // so that it starts no worker meanwhile
      const std::vector<pid_t> family = sar::test::family_of(program.process());
      std::for_each(family.rbegin(), family.rend(), [](pid_t each) { ::kill(each, SIGKILL); });
      program.finish();
      ++killed;
      ++kills[running_kind(folder.path())];
    }
    const Outcome resumed = Program(command(), folder.path()).finish();
    INFO("run " << runs << ", after " << killed << " kills: " << resumed.err);
    REQUIRE(resumed.code == 0);
    REQUIRE(state_of(folder.path()) == expected);
  }
  std::cout << killed << " kills in " << runs << " runs of " << seconds << " s, while running:";
  for (const auto& [kind, count] : kills) {
    std::cout << ' ' << kind << ' ' << count;
  }
  std::cout << "; nothing lost\n";
}

}  // namespace
