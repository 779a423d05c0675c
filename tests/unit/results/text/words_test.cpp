#include "results/text/words.h"

#include <catch2/catch.hpp>

namespace {

TEST_CASE("reports name phantom data, protocols, revisions and corrections in the same words") {
  CHECK(sar::phantom_mark("phantom") == " [phantom data]");
  CHECK(sar::phantom_mark("real").empty());
  CHECK(sar::protocol_note("0123456789abcdef", "quick") == "Protocol 0123456789ab, profile quick.");
  CHECK(sar::not_testable_because("n = 1") == "not testable: n = 1");
  CHECK(sar::commit_text("48f16e7", false) == "48f16e7");
  CHECK(sar::commit_text("48f16e7", true) == "48f16e7 (with changes)");
  CHECK(sar::correction_name("bh") == "Benjamini–Hochberg");
  CHECK(sar::correction_name("none") == "none");
  CHECK(sar::correction_method("holm") == "Holm's method");
}

}  // namespace
