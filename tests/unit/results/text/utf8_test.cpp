#include "results/text/utf8.h"

#include <catch2/catch.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace {

TEST_CASE("characters are taken off one by one, bytes that are not UTF-8 alone") {
  std::string_view text = "aé\xFF😀\xE2\x82";
  const auto next = [&] { return sar::take_character(text); };
  CHECK(next().point == U'a');
  CHECK(next().bytes == "é");
  const sar::Character broken = next();
  CHECK_FALSE(broken.point.has_value());
  CHECK(broken.bytes == "\xFF");
  CHECK(next().point == U'😀');
  CHECK(next().bytes == "\xE2");
  CHECK(next().bytes == "\x82");
  CHECK(text.empty());
}

TEST_CASE("a place within a character is where it begins") {
  const std::string text = "a€z";
  CHECK(sar::character_at(text, 0) == 0);
  CHECK(sar::character_at(text, 1) == 1);
  CHECK(sar::character_at(text, 3) == 1);
  CHECK(sar::character_at(text, 4) == 4);
  CHECK(sar::character_at(text, 9) == 5);
}

TEST_CASE("printable is what shows in a line, not what turns it, ends it or is no character") {
  for (const char32_t point : U"aé中😀 ~\u00A0\u2010\uFEFE") {
    CHECK((point == 0 || sar::is_printable(point)));
  }
  for (const char32_t point : {U'\0',
                               U'\n',
                               U'\u001F',
                               U'\u007F',
                               U'\u0085',
                               U'\u200F',
                               U'\u2028',
                               U'\u202E',
                               U'\u2066',
                               U'\uFEFF',
                               U'\uFFFE',
                               U'\U0001FFFF'}) {
    INFO(static_cast<std::uint32_t>(point));
    CHECK_FALSE(sar::is_printable(point));
  }
}

TEST_CASE("a byte order mark goes, and nothing else") {
  CHECK(sar::without_byte_order_mark("\xEF\xBB\xBF"
                                     "1, 2") == "1, 2");
  CHECK(sar::without_byte_order_mark("\xEF\xBB") == "\xEF\xBB");
  CHECK(sar::without_byte_order_mark("1\xEF\xBB\xBF") == "1\xEF\xBB\xBF");
  CHECK(sar::without_byte_order_mark("").empty());
}

TEST_CASE("what XML cannot carry is replaced byte by byte") {
  const std::string replacement = "\xEF\xBF\xBD";
  CHECK(sar::xml_safe("é€😀\t\r\n") == "é€😀\t\r\n");
  CHECK(sar::xml_safe("a\x01z") == "a" + replacement + "z");
  CHECK(sar::xml_safe("\xE2\x82") == replacement + replacement);
  CHECK(sar::xml_safe("\xEF\xBF\xBE") == replacement + replacement + replacement);
}

}  // namespace
