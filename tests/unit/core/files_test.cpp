#include "harness/core/files.h"

#include "harness/core/error.h"
#include "harness/core/json.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <thread>

namespace {

using sar::test::code_of;

namespace fs = std::filesystem;

std::ptrdiff_t entries(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

TEST_CASE("a written file is read back byte for byte, in folders that did not exist") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "a" / "b" / "file.txt";
  std::string content(100000, 'x');
  content[5] = '\0';
  content += "\n\xff";
  sar::write_file_atomically(path, content);
  CHECK(sar::read_file(path) == content);
  sar::write_file_atomically(path, "");
  CHECK(sar::read_file(path).empty());
  CHECK(entries(path.parent_path()) == 1);
}

TEST_CASE("a failed write leaves the old file and nothing else") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "volume.nii.gz";
  sar::write_file_atomically(path, "old");
  fs::path used;
  CHECK_THROWS_AS(sar::write_file_atomically(path,
                                             [&](const fs::path& temporary) {
                                               used = temporary;
                                               std::ofstream(temporary) << "half";
                                               throw std::runtime_error("disk full");
                                             }),
                  std::runtime_error);
  CHECK(sar::extension_of(used) == ".nii.gz");
  CHECK(used.parent_path() == path.parent_path());
  CHECK(sar::read_file(path) == "old");
  CHECK(entries(folder.path()) == 1);
}

TEST_CASE("a reader never sees a part of a file that is being replaced") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  sar::write_file_atomically(path, std::string(50000, 'a'));
  std::thread writer([&] {
    for (int i = 0; i < 30; ++i) {
      sar::write_file_atomically(path, std::string(50000, i % 2 == 0 ? 'b' : 'a'));
    }
  });
  bool whole = true;
  for (int i = 0; i < 300; ++i) {
    const std::string content = sar::read_file(path);
    whole &= content.size() == 50000 &&
             std::all_of(content.begin(), content.end(), [&](char c) { return c == content[0]; });
  }
  writer.join();
  CHECK(whole);
}

TEST_CASE("missing and unreadable files have exit codes of their own") {
  const sar::TemporaryFolder folder;
  const fs::path missing = folder.path() / "missing";
  CHECK(code_of([&] { sar::read_file(missing); }) == sar::ExitCode::data_not_found);
  CHECK(code_of([&] { sar::MappedFile file(missing); }) == sar::ExitCode::data_not_found);
  CHECK(code_of([&] { sar::read_file(folder.path()); }) == sar::ExitCode::input_output);
  sar::write_file_atomically(folder.path() / "file", "x");
  CHECK(code_of([&] { sar::write_file_atomically(folder.path() / "file" / "below", "x"); }) ==
        sar::ExitCode::input_output);
}

TEST_CASE("extensions are lower case and .nii.gz counts as one") {
  CHECK(sar::extension_of("a/b.c.NII.GZ") == ".nii.gz");
  CHECK(sar::extension_of("a/b.mhd") == ".mhd");
  CHECK(sar::extension_of("a.b/c").empty());
}

TEST_CASE("a mapped file shows the bytes of the file") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "file";
  sar::write_file_atomically(path, "abc");
  sar::MappedFile file(path);
  const sar::MappedFile moved(std::move(file));
  REQUIRE(moved.bytes().size() == 3);
  CHECK(static_cast<char>(moved.bytes()[2]) == 'c');
  sar::write_file_atomically(path, "");
  CHECK(sar::MappedFile(path).bytes().empty());
}

TEST_CASE("a lock excludes others until it is released") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "locks" / "lock";
  {
    const sar::FileLock lock(path);
    CHECK(lock.locked());
    CHECK_FALSE(sar::FileLock::attempt(path).locked());
  }
  CHECK(sar::FileLock::attempt(path).locked());
}

TEST_CASE("a lock dies with its process") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "lock";
  const pid_t child = fork();
  if (child == 0) {
    const sar::FileLock lock(path);
    _exit(lock.locked() ? 0 : 1);  // without running the destructor
  }
  int status = -1;
  REQUIRE(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(sar::FileLock::attempt(path).locked());
}

TEST_CASE("a temporary folder is removed with what is in it") {
  fs::path path;
  {
    const sar::TemporaryFolder folder("some-name");
    path = folder.path();
    sar::write_file_atomically(path / "x" / "y", "z");
    CHECK(fs::exists(path));
  }
  CHECK_FALSE(fs::exists(path));
}

TEST_CASE("a document with bytes that are not UTF-8 is written all the same") {
  CHECK(sar::to_text(sar::Json{{"file", "caf\xe9"}}) == "{\n  \"file\": \"caf\xef\xbf\xbd\"\n}\n");
  CHECK(sar::to_text(sar::Json{{"a", 1}}, -1) == "{\"a\":1}\n");
}

TEST_CASE("broken JSON names the file") {
  const sar::TemporaryFolder folder;
  const fs::path path = folder.path() / "broken.json";
  sar::write_file_atomically(path, "{\"a\": [1, }");
  try {
    sar::read_json(path);
    FAIL("no error");
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::data_invalid);
    CHECK(std::string(error.what()).find("broken.json") != std::string::npos);
  }
}

}  // namespace
