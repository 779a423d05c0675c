#include "tests/unit/results/audit/small_paper.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <map>

namespace sar::audit_test {

Paper data_paper() {
  Paper paper = paper_of({});
  paper.data_table = "t1";
  paper.datasets = {{"p", "P", "10", "CT", "Lung", "", {"40", "20", "20"}},
                    {"q", "Q", "30", "CT", "Liver", "", {"120", "60", "60"}},
                    {"r", "R", "5x4", "MRI", "Brain", "", {"80", "40", "40"}}};
  return paper;
}

TEST_CASE("counts in the text are those of the table of data sets") {
  const auto count = [](const std::string& what,
                        const std::string& number,
                        const std::map<std::string, std::string>& where = {}) {
    Claim said = claim("n", "count");
    said.what = what;
    said.number = parse_printed(number);
    said.where = where;
    return ids(audit(data_paper(), {said})).size();
  };
  CHECK(count("volumes", "40", {{"modality", "CT"}}) == 0);
  CHECK(count("volumes", "41", {{"modality", "CT"}}) == 1);
  CHECK(count("volumes", "60") == 0);
  CHECK(count("cases", "45") == 0);
  CHECK(count("cases", "60") == 1);
  CHECK(count("cubes", "480") == 0);
  CHECK(count("cubes", "240", {{"dataset", "q"}}) == 0);
  CHECK(count("datasets", "3") == 0);
  CHECK(count("modalities", "2") == 0);
  CHECK(count("organs", "3") == 0);
  CHECK(count("organs", "4") == 1);
  CHECK(count("scales", "3") == 0);
  Claim scales = claim("n", "count");
  scales.what = "scales";
  scales.number = parse_printed("3");
  Paper uneven = data_paper();
  uneven.datasets[1].cubes.pop_back();
  CHECK(std::ranges::count(ids(audit(uneven, {scales})), "counts:n") == 1);
  Claim regions = claim("n", "count");
  regions.what = "organs";
  regions.regard = {{"Lung", "body"}, {"Liver", "body"}};
  regions.number = parse_printed("2");
  CHECK(ids(audit(data_paper(), {regions})).empty());
}

TEST_CASE("cubes are in the stated ratio in some order, and a split leaves the cases of its set") {
  Claim ratio = claim("ratio", "ratio");
  ratio.ratio = {1, 1, 2};
  CHECK(ids(audit(data_paper(), {ratio})).empty());
  ratio.ratio = {1, 2, 3};
  CHECK(ids(audit(data_paper(), {ratio})) ==
        Ids{"counts:ratio:p", "counts:ratio:q", "counts:ratio:r"});
  Claim split = claim("split", "split");
  split.ratio = {2, 1};
  split.where = {{"dataset", "q"}};
  split.number = parse_printed("46");  // 30.7, so 30 or 31
  CHECK(ids(audit(data_paper(), {split})).empty());
  split.number = parse_printed("48");
  CHECK(ids(audit(data_paper(), {split})) == Ids{"counts:split"});
}

TEST_CASE("a falsified count of cubes is off in its quotient, its proportions, or both") {
  CHECK(ids(audit(data_paper(), {})).empty());
  Paper paper = data_paper();
  paper.datasets[1].cubes[0] = "121";
  CHECK(ids(audit(paper, {})) == Ids{"counts:t1/q:not-whole", "counts:t1/q:proportions"});
  CHECK(audit(paper, {}).findings[0].cells == Ids{"t1/q/cubes", "t1/q/cases"});
  paper = data_paper();
  paper.datasets[1].cases = "31";
  CHECK(ids(audit(paper, {})) == Ids{"counts:t1/q:not-whole"});
  paper = data_paper();
  paper.datasets[1].cubes = {"240", "120", "120"};  // twice as many, yet whole
  const Audit twice = audit(paper, {});
  REQUIRE(ids(twice) == Ids{"counts:t1:per-volume"});
  CHECK(twice.findings[0].severity == Severity::note);
  // Where half of the sets have no whole quotient, none of them is off.
  paper = data_paper();
  paper.datasets[0].cases = "11";
  paper.datasets[1].cases = "31";
  CHECK(ids(audit(paper, {})).empty());
}

// --- monotone, derived-average ------------------------------------------------------------------

}  // namespace sar::audit_test
