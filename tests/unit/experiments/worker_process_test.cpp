// Starting a worker: made-up ones stand in for it, scripts that read jobs and print events.

#include "experiments/worker_process.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>

namespace {

namespace fs = std::filesystem;
namespace jobs = sar::jobs;
namespace events = sar::events;

struct Workers {
  sar::TemporaryFolder folder;

  fs::path script(const std::string& text) const {
    fs::path path = folder.path() / "worker";
    std::ofstream(path) << "#!/bin/sh\n" << text;
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }

  /// A script that greets as `version`, then goes on.
  fs::path greeting(const sar::Version& version, const std::string& text) const {
    return script("read line\necho '" + events::to_line(events::Hello{version}) + "'\n" + text);
  }

  /// What the front says when it asks this worker to list data.
  static std::pair<sar::ExitCode, std::string> said(const fs::path& worker) {
    try {
      sar::run_job(worker, jobs::List{{{"luna", "/data"}}});
    } catch (const sar::Error& error) {
      return {error.code(), error.what()};
    }
    return {sar::ExitCode::ok, "nothing"};
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE_METHOD(Workers, "a worker greets, gets its job, shows progress and answers", "[worker]") {
  const fs::path worker = greeting(sar::own_version(),
                                   "read job\necho \"$job\" > " + (folder.path() / "job").string() +
                                       "\necho '{\"event\":\"progress\",\"done\":1,\"total\":4}'\n"
                                       "echo '{\"event\":\"done\",\"result\":{\"data_kind\":"
                                       "\"real\",\"datasets\":{}}}'\n");
  std::vector<double> progress;
  const auto result =
      sar::run_job(worker, jobs::List{{{"luna", "/data"}}}, [&](const events::Progress& event) {
        progress.push_back(event.fraction());
      });
  CHECK(result.data_kind == "real");
  CHECK(progress == std::vector<double>{0.25});
  CHECK(sar::read_file(folder.path() / "job") ==
        "{\"kind\":\"list\",\"roots\":{\"luna\":\"/data\"}}\n");
}

TEST_CASE_METHOD(Workers,
                 "a worker of another version gets no job, and both are named",
                 "[worker]") {
  const auto refused = [&](const sar::Version& version, const std::string& named) {
    const fs::path got = folder.path() / "got";
    const auto [code, text] = said(greeting(version, "read job && touch " + got.string() + "\n"));
    INFO(text);
    CHECK(code == sar::ExitCode::internal);
    CHECK(contains(text, named));
    CHECK(contains(text, sar::own_version().text()));
    CHECK_FALSE(fs::exists(got));
  };
  sar::Version other = sar::own_version();
  other.talk += 1;
  refused(other, "talk " + std::to_string(other.talk));
  other = sar::own_version();
  other.program = "99.1.0";
  refused(other, "99.1.0");
  other = sar::own_version();
  other.commit = "0123456789abcdef";
  refused(other, "0123456789ab");
}

TEST_CASE_METHOD(Workers, "a worker from before versions were said is refused", "[worker]") {
  const auto [code, text] = said(script(
      "read line\n"
      "echo '{\"event\":\"failed\",\"code\":70,\"reason\":\"unknown kind of job\"}'\nread more\n"));
  INFO(text);
  CHECK(code == sar::ExitCode::internal);
  CHECK(contains(text, "does not say its version"));
  CHECK(contains(text, sar::own_version().text()));
}

TEST_CASE_METHOD(Workers,
                 "a worker that lacks a shared library gives one line with its name",
                 "[worker]") {
  const auto [code, text] = said(
      script("echo \"$0: error while loading shared libraries: libtorch_cpu.so: cannot open shared "
             "object file: No such file or directory\" >&2\nexit 127\n"));
  CHECK(code == sar::ExitCode::internal);
  CHECK(
      text.starts_with("the worker lacks the shared library libtorch_cpu.so (reason: cannot open "
                       "shared object file: No such file or directory, worker: "));
  CHECK(std::ranges::count(text, '\n') == 1);  // before the hint
}

TEST_CASE_METHOD(Workers, "a worker that ends at once gives how and its last words", "[worker]") {
  const auto [code, text] = said(script("echo first >&2\necho 'no more memory' >&2\nexit 3\n"));
  CHECK(code == sar::ExitCode::internal);
  CHECK(contains(text, "exit code 3"));
  CHECK(contains(text, "no more memory"));
  CHECK_FALSE(contains(text, "first"));
}

TEST_CASE_METHOD(Workers,
                 "a worker that is killed before it greets is not a fault of the installation",
                 "[worker]") {
  sar::WorkerProcess worker(script("kill -9 $$\n"));
  while (!worker.ended()) {
    CHECK(worker.receive().empty());
  }
  CHECK(worker.wait() == "signal 9 (Killed), perhaps out of memory");
  CHECK(worker.wait() == "signal 9 (Killed), perhaps out of memory");
}

TEST_CASE_METHOD(Workers, "a line that is not an event is named", "[worker]") {
  const auto [code, text] =
      said(greeting(sar::own_version(), "echo '{\"event\":\"dnoe\"}'\nread x\nread y\n"));
  CHECK(code == sar::ExitCode::internal);
  CHECK(text == "unknown event 'dnoe'");
}

TEST_CASE_METHOD(Workers, "the error that a worker reports is the error of the job", "[worker]") {
  const auto [code, text] = said(greeting(
      sar::own_version(),
      "read job\necho '{\"event\":\"failed\",\"code\":66,\"reason\":\"no such root\"}'\n"));
  CHECK(code == sar::ExitCode::data_not_found);
  CHECK(text == "no such root");
}

}  // namespace
