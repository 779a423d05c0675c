#include "results/paper/predicates.h"

#include <catch2/catch.hpp>

#include <string>
#include <utility>
#include <vector>

namespace sar::predicates_test {

using Numbers = std::vector<long>;

bool repeats(const std::string& said, const std::string& printed) {
  const PrintedNumber value = parse_printed(printed);
  return sar::repeats(parse_printed(said), value.value, value.half_unit);
}

TEST_CASE("a number of the text repeats every digit, or agrees within both roundings") {
  CHECK(repeats("78.10", "78.10"));
  CHECK_FALSE(repeats("78.11", "78.10"));
  CHECK(repeats("78.1", "78.14"));
  CHECK(repeats("78.2", "78.15"));  // 78.15 may be rounded up or down
  CHECK_FALSE(repeats("78.1", "78.16"));
  CHECK_FALSE(repeats("0.1234567891", "0.1234567890"));  // however many digits
  CHECK(within_rounding(12.7, 78.10 - 65.41, 0.05));
  CHECK_FALSE(within_rounding(12.7, 78.10 - 65.30, 0.05));
}

TEST_CASE("the mean of two printed numbers is quoted in their digits") {
  const double half_unit = 0.005 / 2 + 0.005 / 2;
  CHECK(is_quotation(parse_printed("59.24"), half_unit));
  CHECK_FALSE(is_quotation(parse_printed("59.2"), half_unit));
  CHECK(sar::repeats(parse_printed("49.30"), (73.41 + 25.19) / 2, half_unit));
}

Paper paper_of_data() {
  Paper paper;
  paper.datasets = {{"one", "One", "623", "CT", "lung", "", {"4", "2", "2"}},
                    {"two", "Two", "190x4", "MRI", "brain", "", {"30", "15", "15"}},
                    {"three", "Three", "111 x 2", "CT", "liver", "", {"8", "4"}}};
  return paper;
}

DataCount count(const std::string& what,
                const std::map<std::string, std::string>& where = {},
                const std::map<std::string, std::string>& regard = {}) {
  Claim claim;
  claim.what = what;
  claim.where = where;
  claim.regard = regard;
  return count_of(printed_counts(paper_of_data()), claim);
}

TEST_CASE("cases are the number before a factor, volumes the product") {
  CHECK(count("cases").numbers == Numbers{623, 190, 111});
  CHECK(count("cases").number == 924);
  CHECK(count("volumes").numbers == Numbers{623, 760, 222});
  CHECK(count("volumes", {{"modality", "CT"}}).number == 845);
  CHECK(count("volumes", {{"modality", "CT"}}).sets == std::vector<std::size_t>{0, 2});
}

TEST_CASE("cubes are summed, values counted once, as what they are regarded") {
  CHECK(count("cubes").numbers == Numbers{8, 60, 12});
  CHECK(count("modalities").values == std::vector<std::string>{"CT", "MRI"});
  CHECK(count("organs", {}, {{"lung", "chest"}, {"liver", "chest"}}).values ==
        std::vector<std::string>{"chest", "brain"});
  CHECK(count("datasets").number == 3);
  CHECK(count("datasets", {{"organ", "liver"}}).number == 1);
}

TEST_CASE("data sets with different numbers of scales agree with no number") {
  CHECK(count("scales", {{"organ", "lung"}}).agrees_with(parse_printed("3")));
  CHECK_FALSE(count("scales").agrees_with(parse_printed("3")));
  CHECK_FALSE(count("scales").agrees_with(parse_printed("2")));
  CHECK_FALSE(count("scales").agrees_with(parse_printed("0")));
  CHECK(count("cases").agrees_with(parse_printed("924")));
  CHECK_FALSE(count("cases").agrees_with(parse_printed("924.5")));
}

TEST_CASE("a ratio holds in any order and in whole multiples alone") {
  CHECK(in_ratio({30, 15, 15}, {1, 1, 2}));
  CHECK(in_ratio({2, 4, 6}, {3, 1, 2}));
  CHECK_FALSE(in_ratio({30, 15, 14}, {1, 1, 2}));
  CHECK_FALSE(in_ratio({30, 15}, {1, 1, 2}));
  CHECK_FALSE(in_ratio({0, 0}, {1, 1}));
  CHECK_FALSE(in_ratio({}, {1, 1}));
  CHECK(proportions({30, 15, 15}) == Numbers{2, 1, 1});
  CHECK(proportions({0, 0}) == Numbers{0, 0});
}

TEST_CASE("a split leaves its first part, give or take less than one case") {
  CHECK(first_part(285, {2, 1}) == Approx(190).epsilon(1e-15));
  CHECK(is_part(first_part(286, {2, 1}), 190));
  CHECK_FALSE(is_part(first_part(285, {2, 1}), 191));
}

}  // namespace sar::predicates_test
