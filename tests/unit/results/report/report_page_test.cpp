#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "results/report/page_template.h"
#include "results/report/report.h"
#include "results/text/layout.h"

#include <catch2/catch.hpp>

#include <filesystem>
#include <regex>
#include <set>
#include <string>

namespace sar {
namespace {

const std::string kHostile = "<script>document.title='owned'</script>\"><img src=x onerror=y>&amp;";

PageTemplate page_of_the_product() {
  const std::filesystem::path folder =
      std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments" / "report";
  return {read_file(folder / "page.mustache"),
          read_file(folder / "page.css"),
          read_file(folder / "page.js")};
}

/// A report in which every text from outside is hostile.
ReportContents hostile_contents() {
  ReportContents contents;
  contents.whole = true;
  contents.title = contents.paper = contents.citation = contents.database = kHostile;
  contents.program = contents.version = contents.made = kHostile;
  ProtocolRow protocol;
  protocol.protocol = protocol.profile = kHostile;
  protocol.data_kind = "phantom";
  protocol.manifest = {{"datasets", {{kHostile, {{"cases", 1}, {"digest", kHostile}}}}}};
  contents.protocol = protocol;
  contents.summary.hosts = contents.summary.commands = contents.summary.machines = {kHostile};
  FailedWork failure;
  failure.kind = failure.method = failure.task = failure.fraction = failure.reason = kHostile;
  failure.host = failure.ended = kHostile;
  contents.summary.failures = {failure};
  TableSpec spec;
  spec.id = spec.title = kHostile;
  spec.reference = "sar";
  spec.rows = {{"sar", kHostile}, {kHostile, kHostile}};
  TableColumn column;
  column.group = column.label = column.task = column.target = column.bucket = kHostile;
  spec.columns = {column};
  ReportTable table;
  table.measured = build_table(std::vector<TrialDice>{}, {}, protocol, spec, {});
  table.corrected = table.measured;
  table.published = table.measured;
  table.published->source = "published";
  table.published_corrected = table.published;
  contents.tables = {table};
  Sheet sheet;
  sheet.id = "sheet" + kHostile;
  sheet.title = kHostile;
  sheet.header = {kHostile};
  sheet.rows = {{kHostile}};
  sheet.notes = {kHostile};
  contents.data = {sheet};
  contents.saved = {kHostile};
  ReportFigure figure;
  figure.figure.id = figure.figure.title = kHostile;
  figure.figure.notes = {kHostile};
  figure.figure.data = sheet;
  figure.not_drawn = kHostile;
  contents.forests = {figure};
  ReportExamples examples;
  examples.task = examples.method = examples.label = examples.missing = kHostile;
  Example example;
  example.case_id = example.bucket = example.centre = kHostile;
  example.places = {kHostile};
  example.slices.push_back({kHostile, 1, 2, 2, {1, 1}, "png", {{0, 0, 1, 0, 1, 1, 0, 1}}, {}});
  examples.cases = {example};
  contents.examples = {examples};
  return contents;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

}  // namespace

TEST_CASE("Texts from outside never become markup of the page") {
  const std::string page = report_page(hostile_contents(), page_of_the_product());
  CHECK(count(page, "<script") == 1);  // the page's own
  CHECK(count(page, "onerror=y>") == 0);
  CHECK(count(page, "<img") == 0);
  CHECK(count(page, "&lt;script&gt;document.title=") > 20);  // shown instead
}

TEST_CASE("Ids of the page are unique and its links lead somewhere") {
  const std::string page = report_page(hostile_contents(), page_of_the_product());
  std::set<std::string> ids;
  const std::regex id_pattern(" id=\"([^\"]*)\"");
  for (std::sregex_iterator it(page.begin(), page.end(), id_pattern), end; it != end; ++it) {
    INFO((*it)[1]);
    CHECK(ids.insert((*it)[1]).second);
  }
  const std::regex link_pattern("href=\"#([^\"]*)\"");
  int links = 0;
  for (std::sregex_iterator it(page.begin(), page.end(), link_pattern), end; it != end; ++it) {
    INFO((*it)[1]);
    CHECK(ids.contains((*it)[1]));
    ++links;
  }
  CHECK(links > 5);
}

TEST_CASE("The page's policy allows its own script by digest, and nothing else") {
  const std::string page = report_page(hostile_contents(), page_of_the_product());
  const std::size_t begin = page.find("<script>") + std::string("<script>").size();
  const std::string script = page.substr(begin, page.find("</script>", begin) - begin);
  const std::string policy = replace_all(page.substr(0, page.find("<style>")), {{"&apos;", "'"}});
  CHECK(policy.find("content=\"default-src 'none'; img-src data:;") != std::string::npos);
  CHECK(policy.find("script-src 'sha256-" + base64(sha256_bytes(script)) + "'\"") !=
        std::string::npos);
}

TEST_CASE("The first figure of the page warns while any failure stands") {
  ReportContents contents = hostile_contents();
  contents.trials = {3, 3, 0};
  const auto fact = [&] {
    const std::string page = report_page(contents, page_of_the_product());
    const std::size_t begin = page.find("<li class=\"fact ");
    return page.substr(begin, page.find("</li>", begin) - begin);
  };
  CHECK_THAT(
      fact(),
      Catch::Contains("fact warn") && Catch::Contains("#failures") && Catch::Contains("1 failure"));
  contents.summary.failures.front().done_since = true;
  CHECK_THAT(fact(),
             Catch::Contains("fact warn") && Catch::Contains("#run") &&
                 Catch::Contains("2 of 2 cells of the tables are empty"));
  contents.tables.clear();
  CHECK_THAT(fact(), Catch::Contains("fact good") && Catch::Contains("3 of 3"));
  contents.trials.done = 2;
  CHECK_THAT(fact(), Catch::Contains("fact warn"));
  contents.trials.failed = 1;
  CHECK_THAT(fact(), Catch::Contains("fact bad") && Catch::Contains("1 failed"));
}

TEST_CASE("Names of files and ids are safe, and different texts stay different") {
  CHECK(safe_name("table2") == "table2");
  CHECK(safe_name("a/b") != safe_name("a-b"));
  CHECK(safe_name("../../etc/passwd").find('/') == std::string::npos);
  CHECK(safe_name("ä") != safe_name("ö"));
  CHECK_FALSE(safe_name("").empty());
  CHECK_FALSE(safe_name("..") == "..");
  ReportContents contents = hostile_contents();
  contents.examples.clear();  // its image is none
  for (const auto& [path, content] : report_files(contents)) {
    INFO(path);
    CHECK(std::regex_match(path, std::regex("(tables|figures)/[A-Za-z0-9_-][A-Za-z0-9_.-]*")));
  }
}

TEST_CASE("A template is filled with texts escaped, and a faulty one is named") {
  CHECK(filled_template("{{#rows}}[{{a}}]{{/rows}}{{^none}}-{{/none}}",
                        {{"rows", {{{"a", "<"}}, {{"a", 1.5}}}}, {"none", false}}) ==
        "[&lt;][1.5]-");
  CHECK_THROWS_AS(filled_template("{{#open}}", Json::object()), Error);
}

}  // namespace sar
