#include "results/figures/plot.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>

namespace sar {
namespace {

/// PATH is another one while this lives.
class OtherPath {
 public:
  explicit OtherPath(const std::string& path) : before_(std::getenv("PATH")) {
    ::setenv("PATH", path.c_str(), 1);
  }
  ~OtherPath() { ::setenv("PATH", before_.c_str(), 1); }
  OtherPath(const OtherPath&) = delete;
  OtherPath& operator=(const OtherPath&) = delete;

 private:
  std::string before_;
};

TEST_CASE("a script that gnuplot refuses is an error with gnuplot's words") {
  try {
    plotted("plot nonsense(");
    FAIL("accepted");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::input_output);
    CHECK_THAT(error.what(), Catch::Contains("line"));
  }
}

TEST_CASE("without gnuplot an error says what to install") {
  const TemporaryFolder empty;
  const OtherPath path(empty.path().string());
  try {
    plotted("set terminal svg\nplot x\n");
    FAIL("drawn");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::input_output);
    CHECK_THAT(error.what(), Catch::Contains("not installed") && Catch::Contains("apt-get"));
  }
}

TEST_CASE("no shell reads the name of the folder that gnuplot works in") {
  const TemporaryFolder outer;
  const std::string name = "a'b\"c $(touch ran) `touch ran`; touch ran";
  const std::filesystem::path odd = outer.path() / name;
  std::filesystem::create_directories(odd);
  const char* before = std::getenv("TMPDIR");
  const std::string old = before == nullptr ? "" : before;
  ::setenv("TMPDIR", odd.c_str(), 1);
  const std::string svg = plotted("set terminal svg\nplot x\n");
  before == nullptr ? ::unsetenv("TMPDIR") : ::setenv("TMPDIR", old.c_str(), 1);
  CHECK_THAT(svg, Catch::Contains("</svg>"));
  CHECK_FALSE(std::filesystem::exists("ran"));
  CHECK(std::filesystem::is_empty(odd));
}

TEST_CASE("a picture that was cut off is an error with gnuplot's words") {
  CHECK_THROWS_WITH(plotted("set print '-'\nprint 'no picture'\n"),
                    Catch::Contains("empty or cut off"));
}

}  // namespace
}  // namespace sar
