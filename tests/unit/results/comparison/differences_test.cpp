#include "results/comparison/differences.h"

#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <array>

namespace sar::differences_test {

TEST_CASE("protocols differ in typed values, which a side may lack") {
  ProtocolRow from = test::protocol_row("p");
  from.settings = {{"shared", {{"a.rate", 0.5}, {"old", "x"}, {"list", {1, 2}}}}};
  ProtocolRow to = from;
  CHECK(differences(from, to).empty());
  to.pool_voxels = true;
  to.settings["shared"] = {{"a.rate", 0.25}, {"list", {1, 3}}, {"new", nullptr}};
  to.manifest["datasets"]["brats"]["cases"] = 3;
  std::vector<std::string> names;
  for (const ProtocolDifference& each : differences(from, to)) {
    names.push_back(each.name());
    if (each.name() == "settings.shared.a.rate") {
      CHECK(each.from == Json(0.5));
      CHECK(each.to == Json(0.25));
    }
    if (each.name() == "settings.shared.old") {
      CHECK(each.from == Json("x"));
      CHECK_FALSE(each.to);
    }
    if (each.name() == "settings.shared.new") {
      CHECK_FALSE(each.from);
      CHECK(each.to == Json());  // a value, if only null
    }
  }
  CHECK(names == std::vector<std::string>{"manifest.datasets.brats.cases",
                                          "pool_voxels",
                                          "settings.shared.a.rate",
                                          "settings.shared.list",
                                          "settings.shared.new",
                                          "settings.shared.old"});
}

TEST_CASE("environments are the same only if one known value is on both sides") {
  const std::array<std::string, 2> fields = {"torch", "machine"};
  const Environment known{{"torch", {"1"}}, {"machine", {"m"}}};
  CHECK(differences(known, known, fields).empty());
  for (const std::vector<std::string>& values :
       {std::vector<std::string>{}, {"unknown"}, {"m", "n"}}) {
    const Environment other{{"torch", {"1"}}, {"machine", values}};
    const auto found = differences(other, other, fields);
    REQUIRE(found.size() == 1);
    CHECK(found[0].field == "machine");
    CHECK(found[0].to == values);
  }
  CHECK(differences(known, {}, fields).size() == 2);
  CHECK(differences(known, {}, fields)[0].field == "torch");  // in the order of the fields
}

}  // namespace sar::differences_test
