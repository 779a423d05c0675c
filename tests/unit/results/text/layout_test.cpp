#include "results/text/layout.h"

#include <catch2/catch.hpp>

#include <string>

namespace {

TEST_CASE("a column is a character, not a byte") {
  CHECK(sar::display_width("") == 0);
  CHECK(sar::display_width("78.10±3.20†") == 11);
}

TEST_CASE("a text that is too wide ends in an ellipsis") {
  CHECK(sar::cut_to("größer", 6) == "größer");
  CHECK(sar::cut_to("größer", 5) == "größ…");
  CHECK(sar::cut_to("größer", 1) == "…");
}

TEST_CASE("lines are broken at blanks, below the text that follows the mark") {
  const std::string word(60, 'x');
  CHECK(sar::wrapped(word + " " + word, 2, "- ") == "  - " + word + "\n    " + word + "\n");
  CHECK(sar::wrapped("short") == "short\n");
  const std::string endless(200, 'x');
  CHECK(sar::wrapped("a " + endless) == "a\n" + endless + "\n");
}

TEST_CASE("replacements are made in one pass") {
  CHECK(sar::replace_all("a&lt;<", {{"&", "&amp;"}, {"<", "&lt;"}}) == "a&amp;lt;&lt;");
}

}  // namespace
