#include "harness/core/base64.h"

#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <utility>
#include <vector>

namespace {

TEST_CASE("base64 gives the test vectors of RFC 4648 and reads them back") {
  const std::vector<std::pair<std::string, std::string>> vectors{{"", ""},
                                                                 {"f", "Zg=="},
                                                                 {"fo", "Zm8="},
                                                                 {"foo", "Zm9v"},
                                                                 {"foob", "Zm9vYg=="},
                                                                 {"fooba", "Zm9vYmE="},
                                                                 {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    CHECK(sar::base64(bytes) == text);
    CHECK(sar::from_base64(text) == bytes);
  }
  std::string all;
  for (int i = 0; i < 256; ++i) {
    all += static_cast<char>(i);
  }
  CHECK(sar::from_base64(sar::base64(all)) == all);
}

TEST_CASE("text that is not exactly base64 is refused") {
  for (const char* text : {"Zg",
                           "Zg=",
                           "Zg===",
                           "=",
                           "====",
                           "Zh==",  // bits beyond the last byte
                           " Zg==",
                           "Zg==\n",
                           "Zm9v Zm9v",
                           "Zm9v\nZm9v",
                           "Zg==Zg==",
                           "Zm9-",
                           "Zm9\xC3"}) {
    INFO(text);
    CHECK_THROWS_AS(sar::from_base64(text), sar::Error);
  }
}

}  // namespace
