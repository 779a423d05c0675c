// Program, worker and share/sar-bench as they lie together, with a part that does not fit.

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "tests/support/process.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <fstream>

namespace {

namespace fs = std::filesystem;
using sar::test::Outcome;
using sar::test::Program;

/// A copy of the program with the share folder of the build and a worker that a test gives it.
struct Installation {
  sar::TemporaryFolder folder;
  fs::path bin = folder.path() / "bin";
  fs::path share = folder.path() / "share" / "sar-bench";

  Installation() {
    const fs::path program = SARBENCH_PROGRAM;
    const fs::path built = program.parent_path().parent_path() / "share" / "sar-bench";
    fs::create_directories(bin);
    fs::create_directories(share);
    fs::copy_file(program, bin / "sar-bench");
    fs::copy_file(built / "catalog.json", share / "catalog.json");
    fs::create_directory_symlink(fs::canonical(built / "experiments"), share / "experiments");
  }

  void worker(const std::string& script) const {
    std::ofstream(bin / "sar-bench-worker") << "#!/bin/sh\n" << script;
    fs::permissions(bin / "sar-bench-worker", fs::perms::owner_all);
  }

  Outcome run(const std::vector<std::string>& arguments) const {
    std::vector<std::string> all{(bin / "sar-bench").string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return Program(all, folder.path()).finish();
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("a worker that lacks a shared library is one line with its name and exit 70",
          "[installation]") {
  const Installation installation;
  installation.worker(
      "echo \"$0: error while loading shared libraries: libITKCommon-5.3.so.1: cannot open shared "
      "object file: No such file or directory\" >&2\nexit 127\n");
  const Outcome outcome = installation.run({"run", "table2", "--profile", "smoke", "-q"});
  INFO(outcome.err);
  CHECK(outcome.code == 70);
  CHECK(outcome.out.empty());
  CHECK(
      outcome.err.starts_with("sar-bench: the worker lacks the shared library "
                              "libITKCommon-5.3.so.1 ("));
  CHECK(std::ranges::count(outcome.err, '\n') == 2);  // the second line says what to do
}

TEST_CASE("a worker of another version is refused before it gets a job", "[installation]") {
  const Installation installation;
  installation.worker(
      "read line\necho '{\"event\":\"hello\",\"version\":{\"talk\":0,\"program\":\"0.0.9\","
      "\"commit\":\"fedcba9876543210\",\"dirty\":false}}'\nread job && touch got\n");
  const Outcome outcome = installation.run({"doctor"});
  INFO(outcome.err);
  CHECK(outcome.code == 70);
  CHECK(contains(outcome.err, "0.0.9, commit fedcba987654, talk 0"));
  CHECK(contains(outcome.err, "this program: "));
  CHECK_FALSE(fs::exists(installation.folder.path() / "got"));
}

TEST_CASE("a moved installation works, or says in one line what it lacks", "[installation]") {
  const Installation installation;
  const Outcome whole = installation.run({"list", "experiments"});
  INFO(whole.err);
  CHECK(whole.code == 0);
  CHECK(contains(whole.out, "table2"));
  fs::remove(installation.share / "experiments");
  fs::create_directory_symlink("/nowhere/experiments", installation.share / "experiments");
  for (const std::string what : {"list", "audit"}) {
    const Outcome broken =
        installation.run(what == "list" ? std::vector<std::string>{"list", "experiments"}
                                        : std::vector<std::string>{what});
    INFO(broken.err);
    CHECK(broken.code == 70);
    CHECK(contains(broken.err, "/nowhere/experiments"));
    CHECK(contains(broken.err, "SARBENCH_SHARE"));
    CHECK_FALSE(contains(broken.err, "internal error"));
  }
}

}  // namespace
