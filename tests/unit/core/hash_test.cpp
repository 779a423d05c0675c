#include "harness/core/hash.h"

#include "harness/core/files.h"

#include <catch2/catch.hpp>

namespace {

TEST_CASE("SHA-256 gives the published digests") {
  // Exact: FIPS 180-4 examples (empty message, "abc").
  CHECK(sar::sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sar::sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST_CASE("the digest of a file is that of its bytes") {
  const sar::TemporaryFolder folder;
  sar::write_file_atomically(folder.path() / "abc", "abc");
  sar::write_file_atomically(folder.path() / "empty", "");
  CHECK(sar::sha256_of_file(folder.path() / "abc") == sar::sha256("abc"));
  CHECK(sar::sha256_of_file(folder.path() / "empty") == sar::sha256(""));
}

TEST_CASE("a content key depends on values and not on the order they were set in") {
  sar::Json a;
  a["seed"] = 1;
  a["method"] = "sar";
  sar::Json b;
  b["method"] = "sar";
  b["seed"] = 1;
  CHECK(sar::content_key(a) == sar::content_key(b));
  CHECK(sar::content_key(a).size() == 20);
  b["seed"] = 2;
  CHECK(sar::content_key(a) != sar::content_key(b));
}

}  // namespace
