#include "results/document/document.h"

#include "harness/core/error.h"
#include "results/document/output_format.h"
#include "results/document/sheet.h"

#include <catch2/catch.hpp>

#include <string>
#include <vector>

namespace {

using namespace sar;

Grid small_grid() {
  Grid grid;
  grid.header = {"Row", "Value", "Verdict"};
  grid.rows = {{{"a_b", "", false}, {"78.10±3.20", "†", true}, {"kept", "", false}},
               {{"c", "", false}, {"7", "", false}, {"lost <x> & y", "", false}}};
  grid.text_at_end = true;
  return grid;
}

Document holding(Content content) {
  Document document;
  document.parts.push_back({{std::move(content)}});
  return document;
}

TEST_CASE("every content is written in every laid-out format") {
  const TitledTable table{"t", "Title needle", small_grid(), {{{"A note."}}}};
  for (const Content& content : std::vector<Content>{Heading{"needle"},
                                                     Paragraph{"needle"},
                                                     Line{"label", "needle"},
                                                     Descriptions{{{"name", "needle"}}},
                                                     Details{"needle", small_grid()},
                                                     small_grid(),
                                                     table}) {
    for (const char* format : {"text", "md", "latex", "html"}) {
      INFO(format << ", content " << content.index());
      const std::string text = written(holding(content), format);
      CHECK_THAT(text, Catch::Contains("needle") || Catch::Contains("kept"));
      CHECK(text.back() == '\n');
    }
  }
}

TEST_CASE("a blank line parts what a format shows, and nothing of what it does not") {
  Document document;
  document.parts = {{{Paragraph{"one"}, Paragraph{"two"}}},
                    {{Paragraph{"three"}}, {"md"}},
                    {{Paragraph{"four"}}, {"text"}}};
  CHECK(written(document, "text") == "one\ntwo\n\nfour\n");
  CHECK(written(document, "md") == "one\ntwo\n\nthree\n");
}

TEST_CASE("a document has the common formats, or those that it names") {
  CHECK(common_formats() == std::vector<std::string>{"text", "md", "latex", "csv", "json", "html"});
  const auto refused = [](const Document& document, const std::string& format) {
    try {
      written(document, format);
    } catch (const Error& error) {
      CHECK(error.code() == ExitCode::usage);
      return std::string(error.what());
    }
    return std::string();
  };
  const Document every = holding(Paragraph{"x"});
  CHECK_THAT(refused(every, "pdf"),
             Catch::Contains("unknown format: pdf") &&
                 Catch::Contains("use text, md, latex, csv, json or html"));
  CHECK_THAT(refused(every, "junit"), Catch::Contains("unknown format: junit"));
  Document some = every;
  some.name = "a gate's report";
  some.formats = {"text", "json", "junit"};
  CHECK_THAT(refused(some, "html"),
             Catch::Contains("unknown format of a gate's report") && Catch::Contains("html") &&
                 Catch::Contains("text, json and junit are known"));
  CHECK(refused(some, "junit").empty());
}

TEST_CASE("colours are shown where they are asked for, and take no room") {
  Document document = holding(Line{"good", "what", 6, Tone::good});
  CHECK(written(document, "text") == "good  what\n");
  CHECK(written(document, "text", {true}) == "\x1b[32mgood  \x1b[0mwhat\n");
  document = holding(small_grid());
  CHECK_THAT(written(document, "text"), Catch::Contains("78.10±3.20*†"));
  CHECK_THAT(written(document, "text", {true}), Catch::Contains("\x1b[1m78.10±3.20\x1b[0m†"));
}

TEST_CASE("a last column of text is on the left") {
  CHECK(written(holding(small_grid()), "text") ==
        "Row       Value    Verdict\n"
        "a_b  78.10±3.20*†  kept\n"
        "c             7    lost <x> & y\n");
  Document comment = holding(small_grid());
  comment.is_comment = true;
  CHECK(written(comment, "md") ==
        "| Row | Value | Verdict |\n"
        "| :-- | --: | :-- |\n"
        "| a\\_b | **78.10±3.20**† | kept |\n"
        "| c | 7 | lost &lt;x> & y |\n");
}

TEST_CASE("a note says how the best cells are set apart, as each format does it") {
  TitledTable table{"t", "Title", small_grid(), {{{"Means."}, {"best of its column.", true}}}};
  table.as_in_paper = true;
  table.emphasis = "phantom data";
  const Document document = holding(table);
  CHECK_THAT(written(document, "text"),
             Catch::StartsWith("Title [phantom data]\n") &&
                 Catch::Contains("\nMeans. *: best of its column.\n"));
  CHECK_THAT(written(document, "text", {true}), Catch::Contains("bold: best of its column."));
  CHECK_THAT(written(document, "md"),
             Catch::Contains("**78.10 ± 3.20**") && Catch::Contains("\nbold: best of its column."));
  CHECK_THAT(written(document, "latex"), Catch::Contains("Bold: best of its column."));
  CHECK_THAT(written(document, "html"), Catch::Contains("Bold: best of its column."));
}

TEST_CASE("each line of a sheet's CSV says what its numbers are made of") {
  Sheet sheet;
  sheet.header = {"source", "value"};
  sheet.rows = {{"measured", "1"}, {"published, page 3", ""}};
  CHECK(written(document_of(sheet), "csv") == "source,value\nmeasured,1\n\"published, page 3\",\n");
  sheet.source_column = 0;
  sheet.json = {{"rows", 2}};
  sheet.origin = {"phantom", "p1"};
  CHECK(written(document_of(sheet), "csv") ==
        "source,value,data_kind,protocol\nmeasured,1,phantom,p1\n\"published, page 3\",,,\n");
  CHECK(written(document_of(sheet), "json") ==
        to_text({{"rows", 2}, {"data_kind", "phantom"}, {"protocol", "p1"}}));
}

TEST_CASE("marks, emphasis and the class of a section are text, whatever they hold") {
  TitledTable table{"t", "Title", small_grid(), {}};
  table.grid.rows[0][1].marks = "† <1_2>";
  table.emphasis = "<a_b>";
  Document document = holding(table);
  document.section = "\"x";
  CHECK_THAT(written(document, "html"),
             Catch::Contains("† &lt;1_2&gt;") && Catch::Contains("<em>&lt;a_b&gt;</em>") &&
                 Catch::StartsWith("<section class=\"&quot;x\">"));
  CHECK_THAT(written(document, "md"),
             Catch::Contains("† &lt;1\\_2>") && Catch::Contains("(*&lt;a\\_b>*)"));
  CHECK_THAT(written(document, "latex"), Catch::Contains("\\emph{$<$a\\_b$>$}"));
}

TEST_CASE("two formats of one name or place are refused") {
  OutputFormats formats;
  formats.add({"b", 2, true, {}});
  formats.add({"a", 1, true, {}});
  CHECK(formats.all().front().name == "a");
  CHECK_THROWS_AS(formats.add({"a", 3, true, {}}), Error);
  CHECK_THROWS_AS(formats.add({"c", 2, true, {}}), Error);
}

TEST_CASE("JSON is indented as the document says") {
  Document document;
  document.json = {{"a", 1}};
  CHECK(written(document, "json") == "{\n  \"a\": 1\n}\n");
  document.json_indent = 1;
  CHECK(written(document, "json") == "{\n \"a\": 1\n}\n");
}

TEST_CASE("JUnit counts failures and what was skipped, and escapes every text") {
  Document document;
  document.formats = {"junit"};
  document.tests.name = "suite";
  document.tests.properties = {{"rule", "a -> \"b\""}};
  using Outcome = TestSuite::Case::Outcome;
  document.tests.cases = {{"g", "passes"},
                          {"g", "fails", Outcome::failed, "1\n2", "<was> & is"},
                          {"g", "waits", Outcome::skipped, "too few"}};
  CHECK(written(document, "junit") ==
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
        "<testsuites name=\"suite\" tests=\"3\" failures=\"1\" errors=\"0\" time=\"0\">\n"
        "  <testsuite name=\"suite\" tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\" "
        "time=\"0\">\n"
        "    <properties>\n"
        "      <property name=\"rule\" value=\"a -&gt; &quot;b&quot;\"/>\n"
        "    </properties>\n"
        "    <testcase classname=\"g\" name=\"passes\" time=\"0\"/>\n"
        "    <testcase classname=\"g\" name=\"fails\" time=\"0\">\n"
        "      <failure type=\"regression\" message=\"1&#10;2\">&lt;was&gt; &amp; is</failure>\n"
        "    </testcase>\n"
        "    <testcase classname=\"g\" name=\"waits\" time=\"0\">\n"
        "      <skipped message=\"too few\"/>\n"
        "    </testcase>\n"
        "    <system-out></system-out>\n"
        "  </testsuite>\n"
        "</testsuites>\n");
}

}  // namespace
