// What was stored and is damaged is made again and said; what the user names as an output keeps
// what must not be lost; how a run is stopped.

#include "harness/core/files.h"
#include "tests/support/tiny_run.h"

#include <catch2/catch.hpp>
#include <sys/stat.h>

#include <fstream>

namespace {

namespace fs = std::filesystem;
using Catch::Contains;
using sar::Json;
using sar::test::Outcome;
using sar::test::Program;
using sar::test::query;
using sar::test::sar_bench;

/// One Scratch trial of each task: seconds.
std::vector<std::string> scratch_run(std::vector<std::string> more = {}) {
  std::vector<std::string> arguments{
      "run", "table2", "--profile", sar::test::kTiny, "-m", "scratch", "-q", "-j", "2"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

std::vector<fs::path> files_ending(const fs::path& folder, const std::string& ending) {
  std::vector<fs::path> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file() && entry.path().string().ends_with(ending)) {
      files.push_back(entry.path());
    }
  }
  return files;
}

void flip_four_bytes(const fs::path& file) {
  std::string content = sar::read_file(file);
  for (std::size_t i = 0; i < 4; ++i) {
    char& byte = content.at(content.size() / 2 + i);
    byte = static_cast<char>(byte ^ 0x55);
  }
  std::ofstream(file, std::ios::binary) << content;
}

std::string dice(const fs::path& folder) {
  return query(folder,
               "select method, task, case_id, target, dice from v_case_dice where protocol = "
               "(select protocol from protocol order by rowid desc limit 1) order by 1,2,3,4")
      .dump();
}

TEST_CASE("damaged or exchanged weights are made again, and the numbers are those of whole ones",
          "[trains][reliability]") {
  const std::vector<std::string> other_threshold{"--set", "evaluate.threshold=0.6"};
  const sar::TemporaryFolder whole;
  REQUIRE(sar_bench(whole.path(), scratch_run()).code == 0);
  REQUIRE(sar_bench(whole.path(), scratch_run(other_threshold)).code == 0);

  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), scratch_run()).code == 0);
  const auto weights = files_ending(folder.path(), ".weights");
  REQUIRE(weights.size() == 2);
  SECTION("bytes are flipped") {
    for (const fs::path& file : weights) {
      flip_four_bytes(file);
    }
  }
  SECTION("one is another's") {
    fs::copy_file(weights[0], weights[1], fs::copy_options::overwrite_existing);
    flip_four_bytes(weights[0]);
  }
  const Outcome again = sar_bench(folder.path(), scratch_run(other_threshold));
  INFO(again.err);
  CHECK(again.code == 0);
  CHECK_THAT(again.err, Contains("is made again") && Contains(weights[0].filename().string()));
  CHECK(dice(folder.path()) == dice(whole.path()));
}

TEST_CASE("damaged prepared volumes and lists of files are made again", "[reliability]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), scratch_run()).code == 0);
  const std::string before = dice(folder.path());
  const auto damage_all = [&](const std::string& ending) {
    const auto files = files_ending(folder.path(), ending);
    REQUIRE_FALSE(files.empty());
    for (const fs::path& file : files) {
      flip_four_bytes(file);
    }
  };
  const auto forced = [&] {
    const Outcome outcome = sar_bench(folder.path(), scratch_run({"--force"}));
    INFO(outcome.err);
    CHECK(outcome.code == 0);
    CHECK(dice(folder.path()) == before);
    return outcome.err;
  };
  damage_all(".label.mha");
  CHECK_THAT(forced(), Contains("a prepared volume is made again"));
  const fs::path work = folder.path() / "sar-bench.sqlite.work";
  for (const char* damage : {"", "{", "[1]"}) {
    sar::write_file_atomically(work / "digests.json", damage);
    CHECK_THAT(forced(), Contains("the digests of files are made again"));
  }
  const auto manifests = files_ending(work, "phantom.json");
  REQUIRE(manifests.size() == 1);
  sar::write_file_atomically(manifests.front(), "{");
  CHECK_THAT(forced(), Contains("the phantom suite is written anew"));
}

TEST_CASE("any stop signal lets a run write its checkpoints and end with 75", "[reliability]") {
  for (const int signal : {SIGINT, SIGHUP, SIGUSR1, SIGUSR2, SIGXCPU}) {
    const sar::TemporaryFolder folder;
    std::vector<std::string> arguments = sar::test::tiny_run();
    arguments.insert(arguments.begin(), SARBENCH_PROGRAM);
    Program program(arguments, folder.path());
    const bool under_way =
        program.wait_until([&] { return sar::test::finished_nodes(folder.path()) >= 3; });
    program.signal(signal);
    const Outcome stopped = program.finish();
    INFO(signal << ": " << stopped.err);
    REQUIRE(under_way);
    CHECK(stopped.code == 75);
    CHECK(query(folder.path(), "select count(*) from v_node where state = 'running'").dump() ==
          "[[0]]");
  }
}

TEST_CASE("work whose worker is killed is tried once more, and the failure is stored",
          "[trains][reliability]") {
  const sar::TemporaryFolder folder;
  std::vector<std::string> arguments = sar::test::tiny_run({"-j", "1"});
  arguments.insert(arguments.begin(), SARBENCH_PROGRAM);
  Program program(arguments, folder.path());
  const bool under_way =
      program.wait_until([&] { return sar::test::finished_nodes(folder.path()) >= 4; });
  const std::vector<pid_t> family = sar::test::family_of(program.process());
  REQUIRE(under_way);
  REQUIRE(family.size() == 2);  // the front and its worker
  ::kill(family.back(), SIGKILL);
  CHECK(program.finish().code == 0);
  const Json failures = query(folder.path(), "select reason, done_since from v_failure");
  REQUIRE(failures.size() == 1);
  CHECK_THAT(failures.at(0).at(0).get<std::string>(), Contains("killed") && Contains("alone"));
  CHECK(failures.at(0).at(1) == 1);
  CHECK(sar::test::numbers(folder.path()) == sar::test::reference_numbers());
}

TEST_CASE("what standard output holds already stays when it is named as the output",
          "[reliability]") {
  const sar::TemporaryFolder folder;
  const std::string line = std::string("echo before > log; '") + SARBENCH_PROGRAM +
                           "' audit -o /dev/stdout >> log; echo after >> log";
  Program({"/bin/sh", "-c", line}, folder.path()).finish();
  const std::string log = sar::read_file(folder.path() / "log");
  CHECK_THAT(log,
             Catch::StartsWith("before\n") && Contains("findings") && Catch::EndsWith("after\n"));
}

TEST_CASE("an output never replaces a database, nor another kind of file without --force",
          "[reliability]") {
  const sar::TemporaryFolder folder;
  REQUIRE(sar_bench(folder.path(), scratch_run()).code == 0);
  const std::string database = sar::read_file(folder.path() / "sar-bench.sqlite");
  const auto audit_to = [&](const std::string& name, std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"audit", "-o", name};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return sar_bench(folder.path(), arguments);
  };
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"audit", "-o", "sar-bench.sqlite", "--force"},
        {"audit", "--log-file", "sar-bench.sqlite"},
        {"baseline", "save", "table2", "-m", "scratch", "-o", "sar-bench.sqlite"}}) {
    const Outcome outcome = sar_bench(folder.path(), arguments);
    INFO(outcome.err);
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Contains("database") && Contains("sar-bench.sqlite"));
  }
  CHECK(sar::read_file(folder.path() / "sar-bench.sqlite") == database);

  const fs::path picture = folder.path() / "scan.png";
  sar::write_file_atomically(picture, std::string("\x89PNG\0\1", 6));
  CHECK(audit_to("scan.png").code == 2);
  CHECK(sar::read_file(picture).size() == 6);
  const int found = audit_to("scan.png", {"--force"}).code;
  CHECK_THAT(sar::read_file(picture), Contains("findings"));
  CHECK(audit_to("scan.png").code == found);  // text over text

  // A link stays, its target is replaced.
  fs::create_symlink("target.txt", folder.path() / "link.txt");
  CHECK(audit_to("link.txt").code == found);
  CHECK(fs::is_symlink(folder.path() / "link.txt"));
  CHECK_FALSE(sar::read_file(folder.path() / "target.txt").empty());

  // A device gets the text and stays a device.
  CHECK(audit_to("/dev/null").code == found);
  CHECK(fs::is_character_file("/dev/null"));
  CHECK(audit_to("/dev/full").code == 74);
}

TEST_CASE("closed standard streams and unreadable folders of the user are no fault",
          "[reliability]") {
  const sar::TemporaryFolder folder;
  std::string line = std::string("exec '") + SARBENCH_PROGRAM + "'";
  for (const std::string& argument : scratch_run()) {
    line += " '" + argument + "'";
  }
  const Outcome closed = Program({"/bin/sh", "-c", line + " <&- >&- 2>&-"}, folder.path()).finish();
  CHECK(closed.code == 0);
  CHECK(query(folder.path(), "select count(*) from v_run where state = 'done'").dump() == "[[2]]");

  const Outcome no_folder =
      Program({"/bin/sh",
               "-c",
               std::string("TMPDIR=/no/such/folder exec '") + SARBENCH_PROGRAM + "' doctor"},
              folder.path())
          .finish();
  INFO(no_folder.err << no_folder.out);
  CHECK_THAT(no_folder.err + no_folder.out, Contains("/no/such/folder"));
  CHECK(no_folder.code != 70);

  const Outcome long_name =
      sar_bench(folder.path(), {"show", "table2", "--db", std::string(4000, 'x')});
  INFO(long_name.err);
  CHECK(long_name.code != 70);
  CHECK_THAT(long_name.err, Contains("sar-bench: "));
}

}  // namespace
