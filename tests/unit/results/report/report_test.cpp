#include "results/report/report.h"

#include "harness/core/base64.h"
#include "harness/core/error.h"
#include "harness/core/files.h"
#include "harness/core/hash.h"
#include "results/report/page_template.h"
#include "results/report/page_texts.h"
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
  spec.rows = {{"sar", kHostile}, {kHostile, kHostile}, {"rpl", kHostile}};
  for (const char* fraction : {"1", "1/2"}) {
    TableColumn column;
    column.group = column.label = column.task = column.bucket = kHostile;
    column.target = "tumor";
    column.fraction = fraction;
    spec.columns.push_back(column);
    for (const TableRow& row : spec.rows) {
      for (int trial = 0; trial < 2; ++trial) {
        const double dice = 50 + 10 * trial + static_cast<double>(row.method.size());
        contents.trial_dice.push_back({row.method,
                                       kHostile,
                                       fraction,
                                       "tumor",
                                       kHostile,
                                       trial,
                                       1,
                                       dice,
                                       row.method + fraction + std::to_string(trial)});
        contents.cases.push_back(
            {row.method, kHostile, fraction, trial, kHostile, "tumor", kHostile, 100, dice});
      }
    }
  }
  ReportTable table;
  table.measured = build_table(contents.trial_dice, {}, protocol, spec, {});
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

std::string page_of(const ReportContents& contents) {
  return make_report(contents, page_of_the_product()).page;
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
  const std::string page = page_of(hostile_contents());
  CHECK(count(page, "<script") == 1);  // the page's own
  CHECK(count(page, "<svg ") >= 4);    // forest, size and labels, an example
  CHECK(count(page, "onerror=y>") == 0);
  CHECK(count(page, "<img") == 0);
  CHECK(count(page, "&lt;script&gt;document.title=") > 20);  // shown instead
}

TEST_CASE("Ids of the page are unique and its links lead somewhere") {
  const std::string page = page_of(hostile_contents());
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
  const std::string page = page_of(hostile_contents());
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
  contents.cases.clear();  // their figures are not needed
  const auto fact = [&] {
    const std::string page = page_of(contents);
    const std::size_t begin = page.find("<li class=\"fact ");
    return page.substr(begin, page.find("</li>", begin) - begin);
  };
  CHECK_THAT(
      fact(),
      Catch::Contains("fact warn") && Catch::Contains("#failures") && Catch::Contains("1 failure"));
  contents.summary.failures.front().done_since = true;
  contents.tables.front().measured = contents.tables.front().corrected = build_table(
      std::vector<TrialDice>{}, {}, contents.protocol, contents.tables.front().measured.spec, {});
  CHECK_THAT(fact(),
             Catch::Contains("fact warn") && Catch::Contains("#run") &&
                 Catch::Contains("6 of 6 cells of the tables are empty"));
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
  for (const auto& [path, content] : make_report(hostile_contents(), page_of_the_product()).files) {
    INFO(path);
    CHECK(std::regex_match(path, std::regex("(tables|figures)/[A-Za-z0-9_-][A-Za-z0-9_.-]*")));
  }
}

TEST_CASE("A report of one part leaves out sections without content; one of the whole says so") {
  ReportContents contents;
  contents.protocol.data_kind = "real";
  std::string page = page_of(contents);
  for (const char* id :
       {"tables", "forest", "size", "ranks", "examples", "claims", "pretraining"}) {
    INFO(id);
    CHECK(page.find("<section id=\"" + std::string(id) + "\"") == std::string::npos);
  }
  CHECK(page.find("<section id=\"failures\"") < page.find("<section id=\"run\""));
  contents.whole = true;
  page = page_of(contents);
  CHECK(count(page, "Nothing is stored that it could show.") == 5);
  CHECK(count(page, "There is no evaluation to take examples from") == 1);
  CHECK(page.find("<section id=\"forest\"") < page.find("<section id=\"curves\""));
  CHECK(page.find("<section id=\"claims\"") == std::string::npos);
}

TEST_CASE("A template is filled with texts escaped, and a faulty one is named") {
  CHECK(filled_template("{{#rows}}[{{a}}]{{/rows}}{{^none}}-{{/none}}",
                        {{"rows", {{{"a", "<"}}, {{"a", 1.5}}}}, {"none", false}}) ==
        "[&lt;][1.5]-");
  CHECK_THROWS_AS(filled_template("{{#open}}", Json::object()), Error);
}

}  // namespace sar
