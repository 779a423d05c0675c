#include "results/tables/labelled_cases.h"

#include <catch2/catch.hpp>

namespace sar::labelled_cases_test {

TEST_CASE("labelled cases are counted by task and fraction, each case once") {
  const auto inputs = [](const Json& train, const Json& validation) {
    return Json{{"train", train}, {"validation", validation}};
  };
  CHECK(labelled_cases({{"brats", "1/10", inputs({"a", "b", "c"}, {"d"})},
                        {"brats", "1/10", inputs({"a", "b"}, {"c", "d", "e", "f", "g"})},
                        {"brats", "1/2", Json::object()},  // not planned yet
                        {"pancreas", "1", inputs({"a"}, {"a"})},
                        {"pancreas", "1/50", inputs({"a"}, Json::array())}}) ==
        std::map<std::pair<std::string, std::string>, double>{
            {{"brats", "1/10"}, 5.5}, {{"pancreas", "1"}, 1}, {{"pancreas", "1/50"}, 1}});
  CHECK(labelled_cases({}).empty());
}

}  // namespace sar::labelled_cases_test
