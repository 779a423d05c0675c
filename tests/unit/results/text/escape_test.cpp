#include "results/text/escape.h"

#include <catch2/catch.hpp>

namespace {

TEST_CASE("LaTeX text is what the plain text says") {
  CHECK(sar::escape_latex("50 % of a_b & {c}") == "50 \\% of a\\_b \\& \\{c\\}");
  CHECK(sar::escape_latex("--db") == "-{}-db");
  CHECK(sar::escape_latex("1–2 é α") == "1--2 é $\\alpha$");
  CHECK(sar::escape_latex("漢") == "U+6F22");
  CHECK(sar::escape_latex("a\xff\tb") == "a? b");
}

TEST_CASE("no character of a text is markup in Markdown, HTML, XML or CSV") {
  CHECK(sar::escape_markdown("a|*b*_`[c]\\ <i> & d\n") ==
        "a\\|\\*b\\*\\_\\`\\[c\\]\\\\ &lt;i> &amp; d ");
  CHECK(sar::escape_markdown("a & b", false) == "a & b");
  CHECK(sar::escape_html("<a b=\"c\"> & 'd'") == "&lt;a b=&quot;c&quot;&gt; &amp; 'd'");
  CHECK(sar::escape_xml("<\"a\">\n& \x01") == "&lt;&quot;a&quot;&gt;&#10;&amp; \xEF\xBF\xBD");
  CHECK(sar::escape_csv("plain text") == "plain text");
  CHECK(sar::escape_csv("a \"b\", c") == "\"a \"\"b\"\", c\"");
}

}  // namespace
