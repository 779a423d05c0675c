// What an installation consists of, and what is said when a part of it is missing or of another
// version.

#include "harness/core/error.h"
#include "tests/support/planning.h"

#include <catch2/catch.hpp>

namespace {

namespace fs = std::filesystem;
using sar::Json;

struct Installation {
  sar::TemporaryFolder folder;
  fs::path share = folder.path() / "share";

  Installation() { sar::test::make_catalog(share); }

  /// Changes the description that the worker left.
  template <class Change>
  void change(const Change& change) const {
    Json description = sar::read_json(share / "catalog.json");
    change(description);
    sar::write_file_atomically(share / "catalog.json", description.dump());
  }

  /// What loading says; it must be exit 70.
  std::string refusal() const {
    try {
      sar::Catalog::load(share);
    } catch (const sar::Error& error) {
      CHECK(error.code() == sar::ExitCode::internal);
      return error.what();
    }
    return "none";
  }
};

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE_METHOD(Installation, "an installation of another version is refused, naming both") {
  CHECK(refusal() == "none");
  for (const auto& [field, value] :
       {std::pair<std::string, Json>{"talk", sar::kTalkVersion + 1}, {"program", "99.1.0"}}) {
    change([&](Json& description) {
      description["version"] = sar::write(sar::own_version());
      description["version"][field] = value;
      description["new field"] = 1;  // of the other version, which has others
    });
    const std::string text = refusal();
    INFO(text);
    CHECK(contains(text, value.is_string() ? value.get<std::string>() : "talk " + value.dump()));
    CHECK(contains(text, sar::own_version().text()));
  }
  change([](Json& description) { description.erase("version"); });
  CHECK(contains(refusal(), "does not say its version"));
}

TEST_CASE_METHOD(Installation, "a commit that changes no talk leaves stored tables to be shown") {
  change([](Json& description) { description["version"]["commit"] = "another"; });
  CHECK(refusal() == "none");
}

TEST_CASE_METHOD(Installation,
                 "a field of the description that is at fault is named with the file") {
  change([](Json& description) { description["methods"][1].erase("cubes"); });
  CHECK(refusal() == (share / "catalog.json").string() + ": field 'methods[1].cubes' is missing");
}

TEST_CASE_METHOD(Installation,
                 "a link to experiments that leads nowhere is named with its target") {
  fs::remove(share / "experiments");
  fs::create_directory_symlink("/nowhere/experiments", share / "experiments");
  const std::string text = refusal();
  INFO(text);
  CHECK(contains(text, (share / "experiments").string() + " -> /nowhere/experiments"));
  CHECK(contains(text, "SARBENCH_SHARE"));
  fs::remove(share / "experiments");
  CHECK(contains(refusal(), (share / "experiments").string()));
}

}  // namespace
