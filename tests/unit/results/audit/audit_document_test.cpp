// The example of docs/audit-your-paper.md, taken out of the page and audited.

#include "results/audit/audit.h"
#include "tests/support/document.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <sstream>

namespace sar::audit_document_test {

const std::filesystem::path kDocument =
    std::filesystem::path(SARBENCH_SOURCE_DIR) / "docs/audit-your-paper.md";

TEST_CASE("the example of the page on auditing a paper has the findings that the page names") {
  const TemporaryFolder folder;
  REQUIRE(test::write_files_of(kDocument, folder.path()) == 3);
  const Paper paper = read_paper(folder.path() / "mypaper");
  const Audit result = audit(paper, read_claim_files(paper, {}));
  std::vector<std::string> found;
  for (const Finding& finding : result.findings) {
    found.push_back(to_string(finding.severity) + "  " + finding.id);
  }
  const std::vector<std::string> blocks = test::blocks_of(kDocument, "text");
  REQUIRE(blocks.size() == 1);
  std::vector<std::string> named;
  std::istringstream lines(blocks[0]);
  for (std::string line; std::getline(lines, line);) {
    named.push_back(line);
  }
  CHECK(found == named);
}

TEST_CASE("the page on auditing a paper has a line for every check") {
  const std::string page = read_file(kDocument);
  for (const CheckReport& check : audit(Paper{}, {}).checks) {
    INFO(check.check);
    CHECK_THAT(page, Catch::Contains("| `" + check.check + "` | "));
  }
}

}  // namespace sar::audit_document_test
