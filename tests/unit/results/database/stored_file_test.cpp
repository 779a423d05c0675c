#include "results/database/stored_file.h"

#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "tests/support/error_code.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

namespace sar::stored_file_test {

TEST_CASE("a count of the data that is gone or was changed is not shown") {
  const TemporaryFolder folder;
  const std::filesystem::path file = folder.path() / "survey.json";
  NodeRow node = test::node_row("n", "survey", NodeState::done);
  node.path = file.string();
  const std::string text = Json{{"datasets", Json::array()}}.dump();
  node.sha256 = sha256(text);
  const auto code = [&] { return test::code_of([&] { read_survey(node, file); }); };
  CHECK(code() == ExitCode::results_missing);
  write_file_atomically(file, text);
  CHECK(read_survey(node, file).at("datasets").empty());
  write_file_atomically(file, text + " ");
  CHECK(code() == ExitCode::data_invalid);
  write_file_atomically(file, "{");
  node.sha256 = sha256("{");
  CHECK(code() == ExitCode::data_invalid);
}

}  // namespace sar::stored_file_test
