#include "harness/config/settings.h"

#include "harness/config/core_keys.h"
#include "harness/config/toml.h"
#include "harness/core/error.h"
#include "harness/core/files.h"

#include <catch2/catch.hpp>

namespace {

using sar::Json;

std::string message_of(const std::function<void()>& action) {
  try {
    action();
  } catch (const sar::Error& error) {
    CHECK(error.code() == sar::ExitCode::usage);
    return error.what();
  }
  return "nothing was thrown";
}

TEST_CASE("every key has a meaning and a default that passes its own check") {
  const sar::Schema schema = sar::core_schema();
  for (const auto& key : schema.keys()) {
    INFO(key.name);
    CHECK_FALSE(key.meaning.empty());
    CHECK(schema.checked(key, key.default_value, "test") == key.default_value);
  }
}

TEST_CASE("an unknown key is refused and the nearest one is named") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  const auto message =
      message_of([&] { settings.set(schema, "finetune.lerning_rate", 0.1, "--set"); });
  CHECK(message.find("finetune.learning_rate") != std::string::npos);
  CHECK(message.find("--set") != std::string::npos);
}

TEST_CASE("a value of the wrong kind, range, choice or length is refused with the origin") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  CHECK(message_of([&] {
          settings.set(schema, "finetune.batch_size", "many", "file.toml:3");
        }).find("file.toml:3") != std::string::npos);
  CHECK(message_of([&] {
          settings.set(schema, "finetune.batch_size", 0, "x");
        }).find("at least 1") != std::string::npos);
  CHECK(message_of([&] {
          settings.set(schema, "finetune.batch_size", 2.5, "x");
        }).find("whole number") != std::string::npos);
  CHECK(message_of([&] {
          settings.set(schema, "buckets.rule", "quartiles", "x");
        }).find("'quartile'") != std::string::npos);
  CHECK(message_of([&] {
          settings.set(schema, "cubes.shape_voxels", {32, 32}, "x");
        }).find("3 values") != std::string::npos);
  CHECK(message_of([&] {
          settings.set(schema, "finetune.learning_rate", std::nan(""), "x");
        }).find("finite") != std::string::npos);
  CHECK(settings.integer("finetune.batch_size") == 16);  // nothing of it was taken over
}

TEST_CASE("a whole number is accepted where a number is wanted and hashes like it") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  settings.set(schema, "optimizer.learning_rate", 1, "x");
  CHECK(settings.resolved().at("optimizer.learning_rate").dump() == "1.0");
}

TEST_CASE("a subset holds exactly the keys of the named sections") {
  const sar::Settings settings{sar::core_schema()};
  const Json subset = settings.subset({"evaluate", "finetune.batch_size"});
  CHECK(subset.contains("evaluate.step"));
  CHECK(subset.contains("finetune.batch_size"));
  CHECK_FALSE(subset.contains("finetune.learning_rate"));
  CHECK_FALSE(subset.contains("network.base_channels"));
}

TEST_CASE("what content keys hash leaves out keys that were added later and have their default") {
  const sar::Schema schema = sar::core_schema();
  sar::Settings settings(schema);
  CHECK_FALSE(settings.subset({"finetune"}).contains("finetune.frozen_epochs"));
  CHECK_FALSE(settings.hashed().contains("finetune.frozen_epochs"));
  CHECK(settings.hashed().contains("finetune.max_epochs"));
  CHECK(settings.resolved().contains("finetune.frozen_epochs"));
  settings.set(schema, "finetune.frozen_epochs", 2, "x");
  CHECK(settings.subset({"finetune"}).at("finetune.frozen_epochs") == 2);
  CHECK(settings.hashed().at("finetune.frozen_epochs") == 2);
}

TEST_CASE("a value that another decides is put in place, and no key is made by it") {
  sar::Settings settings{sar::core_schema()};
  settings.derive("finetune.max_epochs", 400);
  CHECK(settings.integer("finetune.max_epochs") == 400);
  CHECK_THROWS_AS(settings.derive("finetune.no_such_key", 1), sar::Error);
}

TEST_CASE("resolved settings survive the way to another process") {
  const sar::Settings settings{sar::core_schema()};
  const auto copy = sar::Settings::from_resolved(Json::parse(settings.resolved().dump()));
  CHECK(copy.resolved() == settings.resolved());
  CHECK(copy.integers3("cubes.shape_voxels") == std::array<int, 3>{64, 64, 32});
}

TEST_CASE("a TOML file is read with the line of each key") {
  const sar::TemporaryFolder folder;
  const auto path = folder.path() / "file.toml";
  sar::write_file_atomically(path,
                             "seed = 3\n[finetune]\nbatch_size = 4\npatch_voxels = [8, 8, 8]\n");
  const auto file = sar::read_toml(path);
  const auto flat = sar::flatten(file.tree);
  CHECK(flat.at("seed") == 3);
  CHECK(flat.at("finetune.patch_voxels") == Json({8, 8, 8}));
  CHECK(file.line.at("finetune.batch_size") == 3);
}

TEST_CASE("broken TOML is a usage error with file, line and column") {
  const sar::TemporaryFolder folder;
  const auto path = folder.path() / "broken.toml";
  sar::write_file_atomically(path, "seed = 3\nbatch = = 4\n");
  const auto message = message_of([&] { sar::read_toml(path); });
  CHECK(message.find("broken.toml") != std::string::npos);
  CHECK(message.find("line: 2") != std::string::npos);
  CHECK(message.find("column: ") != std::string::npos);
}

TEST_CASE("dates and times in TOML are text, and keys nested without end are refused") {
  const sar::TemporaryFolder folder;
  const auto path = folder.path() / "odd.toml";
  sar::write_file_atomically(path, "a = 07:32:00\nb = 2020-01-02\nc = 2020-01-02T07:32:00Z\n");
  const auto tree = sar::read_toml(path).tree;
  CHECK(tree.at("a") == "07:32:00");
  CHECK(tree.at("b") == "2020-01-02");
  CHECK(tree.at("c") == "2020-01-02T07:32:00Z");
  std::string deep = "x = 1\na";
  for (int part = 0; part < 20000; ++part) {
    deep += ".a";
  }
  sar::write_file_atomically(path, deep + " = 1\n");
  CHECK_THAT(message_of([&] { sar::read_toml(path); }),
             Catch::Contains("odd.toml") && Catch::Contains("line: 2"));
}

TEST_CASE("text from the command line becomes a value of its TOML type, else text") {
  CHECK(sar::parse_value("3") == 3);
  CHECK(sar::parse_value("1e-3") == 1e-3);
  CHECK(sar::parse_value("true") == true);
  CHECK(sar::parse_value("[1, 2]") == Json({1, 2}));
  CHECK(sar::parse_value("quartile") == "quartile");
}

}  // namespace
