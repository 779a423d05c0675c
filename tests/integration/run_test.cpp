#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/faulty_program.h"
#include "tests/support/tiny_run.h"

#include <catch2/catch.hpp>

#include <fstream>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::finished_nodes;
using sar::test::numbers;
using sar::test::Outcome;
using sar::test::Program;
using sar::test::query;
using sar::test::reference_numbers;
using sar::test::sar_bench;
using sar::test::tiny_run;

std::vector<std::string> with_program(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), SARBENCH_PROGRAM);
  return arguments;
}

Json last_status(const fs::path& folder) {
  return Json::parse(sar_bench(folder, {"status", "--json"}).out);
}

TEST_CASE("two workers give the same bits as one", "[trains][run]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), tiny_run({"-j", "2"})).code == 0);
  CHECK(numbers(folder.path()) == reference_numbers());
}

TEST_CASE("a run that is stopped by a signal resumes to the same bits", "[trains][run]") {
  const sar::TemporaryFolder folder;
  Program program(with_program(tiny_run({"-j", "2"})), folder.path());
  const bool under_way = program.wait_until([&] { return finished_nodes(folder.path()) >= 6; });
  program.signal(SIGTERM);
  const Outcome stopped = program.finish();
  REQUIRE(under_way);
  CHECK(stopped.code == 75);
  CHECK(last_status(folder.path()).at("state") == "interrupted");
  const Outcome resumed = sar_bench(folder.path(), tiny_run());
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(numbers(folder.path()) == reference_numbers());
}

TEST_CASE("a run that is killed resumes to the same bits", "[run]") {
  const sar::TemporaryFolder folder;
  Program program(with_program(tiny_run({"-j", "2"})), folder.path());
  const bool under_way = program.wait_until([&] { return finished_nodes(folder.path()) >= 7; });
  program.signal(SIGKILL);
  program.finish();
  REQUIRE(under_way);
  CHECK(last_status(folder.path()).at("state") == "stopped without finishing");
  const Outcome resumed = sar_bench(folder.path(), tiny_run());
  INFO(resumed.err);
  CHECK(resumed.code == 0);
  CHECK(numbers(folder.path()) == reference_numbers());
  const Json ended = last_status(folder.path());
  CHECK(ended.at("state") == "finished");
  CHECK(ended.at("fraction") == 1.0);
  CHECK(ended.at("cells") == Json{{"planned", 4}, {"done", 4}, {"failed", 0}});
  CHECK(ended.at("kinds").at("evaluate") == Json{{"planned", 4}, {"done", 4}, {"failed", 0}});
}

TEST_CASE("a finished run computes nothing again and a changed value computes only what reads it",
          "[run]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), tiny_run()).code == 0);
  const auto newest = [&] {
    return query(folder.path(), "select count(*), max(ended) from node").dump();
  };
  const std::string before = newest();
  CHECK(sar_bench(folder.path(), tiny_run()).code == 0);
  CHECK(newest() == before);
  CHECK(sar_bench(folder.path(), tiny_run({"--set", "evaluate.step=0.75"})).code == 0);
  const Json kinds =
      query(folder.path(), "select kind, count(*) from v_node group by kind order by kind");
  CHECK(kinds.dump() ==
        R"([["cubes",4],["evaluate",8],["finetune",4],["prepare",2],["pretrain",1]])");
  const Outcome check = sar_bench(folder.path(), {"db", "check"});
  CHECK(check.out == "0 faults\n");
}

TEST_CASE("work that is forced anew gives the same numbers", "[run]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), tiny_run()).code == 0);
  const std::string before = numbers(folder.path());
  const Json ended = query(folder.path(), "select max(ended) from node");
  const Outcome forced = sar_bench(folder.path(), tiny_run({"--force"}));
  INFO(forced.err);
  CHECK(forced.code == 0);
  CHECK(numbers(folder.path()) == before);
  CHECK(query(folder.path(), "select min(started) from node").dump() >= ended.dump());
}

TEST_CASE(
    "a failed trial is a row with its reason, others go on, and it is retried only when asked",
    "[trains][run]") {
  const sar::TemporaryFolder folder;
  // A learning rate of 1e30 makes the pre-training of SAR diverge; Scratch does not read it.
  const std::vector<std::string> diverging{"--set", "optimizer.learning_rate=1e30"};
  const Outcome outcome = sar_bench(folder.path(), tiny_run(diverging));
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("diverged") != std::string::npos);
  const Json states = query(folder.path(),
                            "select method, state, coalesce(reason like '%diverged%', 0) from "
                            "v_run order by method, task");
  CHECK(states.dump() ==
        R"([["sar","failed",1],["sar","failed",1],["scratch","done",0],["scratch","done",0]])");
  // A pipe gets the state once, without escape codes.
  const Outcome state = sar_bench(folder.path(), {"status"});
  CHECK(state.code == 0);
  CHECK(state.out.find("diverged") != std::string::npos);
  CHECK(state.out.find("2 of 4 done, 2 failed") != std::string::npos);
  CHECK(state.out.find('\x1b') == std::string::npos);
  const Json before = query(folder.path(), "select max(ended) from node where state = 'failed'");
  CHECK(sar_bench(folder.path(), tiny_run(diverging)).code == 3);
  CHECK(query(folder.path(), "select max(ended) from node where state = 'failed'") == before);
}

TEST_CASE("a worker that does not speak the protocol costs its node, and others go on", "[run]") {
  const sar::TemporaryFolder folder;
  const sar::test::FaultyProgram program(folder.path(), "no_event");
  const Outcome outcome = program.run(tiny_run({"-j", "2"}));
  INFO(outcome.err);
  CHECK(outcome.code == 3);
  CHECK(outcome.err.find("an event is not a JSON document") != std::string::npos);
  CHECK(query(program.folder(), "select kind, state, count(*) from v_node group by 1, 2").dump() ==
        R"([["cubes","done",4],["evaluate","done",2],["evaluate","failed",2],)"
        R"(["finetune","done",2],["finetune","failed",2],["prepare","done",2],)"
        R"(["pretrain","failed",1]])");
}

TEST_CASE("a forced repeat that fails leaves the results that are stored", "[run]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), tiny_run()).code == 0);
  const std::string before = numbers(folder.path());
  const auto table = [&] {
    const std::string out = sar_bench(folder.path(), {"show", "table2"}).out;
    return out.substr(0, out.find("What each row was given"));  // hours are those of the last time
  };
  const std::string shown = table();
  // Where the weights of SAR's pre-training lie a folder takes their place: they cannot be written.
  const fs::path weights =
      query(folder.path(), "select path from node where kind = 'pretrain'").at(0).at(0);
  fs::remove(weights);
  fs::create_directories(weights / "taken");
  const Outcome forced = sar_bench(folder.path(), tiny_run({"--force"}));
  INFO(forced.err);
  CHECK(forced.code == 3);
  CHECK(numbers(folder.path()) == before);
  CHECK(table() == shown);
  const Json failures = query(folder.path(), "select kind, done_since from v_failure");
  CHECK(failures.dump() == R"([["pretrain",0]])");
  CHECK(query(folder.path(), "select distinct state from v_run").dump() == R"([["done"]])");
}

TEST_CASE("the smoke profile makes a whole Table 2 that says what it is", "[smoke]") {
  const sar::TemporaryFolder folder;
  const Outcome outcome = sar_bench(folder.path(), {"run", "table2", "--profile", "smoke"});
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK(outcome.out.find("phantom data") != std::string::npos);
  const Outcome shown = sar_bench(folder.path(), {"show", "table2"});
  CHECK(shown.code == 0);
  CHECK(shown.out == outcome.out);
  for (const char* format : {"md", "latex", "csv", "html"}) {
    const Outcome rendered = sar_bench(folder.path(), {"show", "table2", "--format", format});
    CHECK(rendered.code == 0);
    CHECK(rendered.out.find("SAR") != std::string::npos);
    CHECK(rendered.out.find("phantom") != std::string::npos);
  }
  const Json table = Json::parse(sar_bench(folder.path(), {"show", "table2", "--json"}).out);
  CHECK(table.at("data_kind") == "phantom");
  for (const auto& row : table.at("rows")) {
    for (const auto& cell : row.at("cells")) {
      CHECK(cell.at("n") == 2);
      const double mean = cell.at("mean");
      CHECK(mean >= 0);
      CHECK(mean <= 100);
      // the printed mean is the mean of the stored trials
      const Json stored = query(folder.path(),
                                "select avg(dice) from v_trial_dice where method='" +
                                    row.at("method").get<std::string>() + "' and task='" +
                                    cell.at("task").get<std::string>() + "' and target='" +
                                    cell.at("target").get<std::string>() + "' and bucket='" +
                                    cell.at("bucket").get<std::string>() + "'");
      CHECK(stored.at(0).at(0).get<double>() == Approx(mean).epsilon(1e-12));
    }
  }
  const Outcome explained =
      sar_bench(folder.path(), {"explain", "table2/sar/brats/tumor/all", "--json"});
  REQUIRE(explained.code == 0);
  const Json trials = Json::parse(explained.out).at("trials");
  REQUIRE(trials.size() == 2);
  CHECK(fs::exists(trials.at(0).at("finetune").at("path").get<std::string>()));
  CHECK(trials.at(0).at("command").get<std::string>().find("run table2") != std::string::npos);
}

}  // namespace
