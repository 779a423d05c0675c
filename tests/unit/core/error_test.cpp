#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <string>

namespace {

TEST_CASE(
    "an error prints its message, the context from inside out, and the hint on its own line") {
  sar::Error error = sar::data_error("cannot read volume").with("file", "a.nii").hint("check it");
  error.with("case", "c1");
  CHECK(std::string(error.what()) == "cannot read volume (file: a.nii, case: c1)\n  check it");
  CHECK(error.message() == "cannot read volume");
}

TEST_CASE("kinds of errors have the exit codes that other programs rely on") {
  CHECK(static_cast<int>(sar::usage_error("").code()) == 2);
  CHECK(static_cast<int>(sar::data_error("").code()) == 65);
  CHECK(static_cast<int>(sar::not_found_error("").code()) == 66);
  CHECK(static_cast<int>(sar::internal_error("").code()) == 70);
  CHECK(static_cast<int>(sar::io_error("").code()) == 74);
}

TEST_CASE("a misspelt word finds its nearest match and a strange one finds none") {
  CHECK(sar::nearest_match("genisis", {"scratch", "genesis", "sar"}) == "genesis");
  CHECK(sar::nearest_match("optimiser.momentum", {"optimizer.momentum", "seed"}) ==
        "optimizer.momentum");
  CHECK(sar::nearest_match("pretrain.momentum", {"optimizer.momentum", "seed"}) ==
        "optimizer.momentum");
  CHECK(sar::nearest_match("xyzzyplugh", {"scratch", "sar"}).empty());
}

}  // namespace
