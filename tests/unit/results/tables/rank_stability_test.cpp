#include "results/tables/rank_stability.h"

#include "harness/core/error.h"
#include "results/statistics/rank_agreement.h"
#include "tests/support/error_code.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace sar::rank_stability_test {
namespace {

using test::code_of;
using Values = std::vector<std::vector<double>>;  // [trial][case]

const TableColumn kColumn{"Task 1", "Tumor", "brats", "tumor", "all", "1"};

CaseRow row_of(const std::string& method, int trial, const std::string& id, double dice) {
  return {method, "brats", "1", trial, id, "tumor", "S", 1000, dice};
}

std::string case_name(int number) {
  return "c" + std::to_string(number);
}

/// Crossed: case i is the same in all trials. `cases`: numbers of the cases by trial, else 0, 1,
/// ...
void add(std::vector<CaseRow>& rows,
         const std::string& method,
         const Values& values,
         const std::vector<std::vector<int>>& cases = {}) {
  for (std::size_t trial = 0; trial < values.size(); ++trial) {
    for (std::size_t i = 0; i < values[trial].size(); ++i) {
      const int number = cases.empty() ? static_cast<int>(i) : cases[trial][i];
      rows.push_back(row_of(method, static_cast<int>(trial), case_name(number), values[trial][i]));
    }
  }
}

std::vector<TableRow> methods_of(const std::vector<std::string>& ids) {
  std::vector<TableRow> rows;
  for (const std::string& id : ids) {
    rows.push_back({id, "Method " + id});
  }
  return rows;
}

double sum_of(const std::vector<double>& values) {
  return std::accumulate(values.begin(), values.end(), 0.0);
}

/// Bit for bit.
void check_same(const RankStability& a, const RankStability& b) {
  CHECK(a.reason == b.reason);
  CHECK(a.agreement == b.agreement);
  CHECK(a.same_first == b.same_first);
  REQUIRE(a.methods.size() == b.methods.size());
  for (std::size_t i = 0; i < a.methods.size(); ++i) {
    CHECK(a.methods[i].mean == b.methods[i].mean);
    CHECK(a.methods[i].rank == b.methods[i].rank);
    CHECK(a.methods[i].share == b.methods[i].share);
    CHECK(a.methods[i].rank_low == b.methods[i].rank_low);
    CHECK(a.methods[i].rank_high == b.methods[i].rank_high);
  }
}

/// Three methods whose order chance may turn; trials and cases 0 .. 5.
std::vector<CaseRow> close_methods() {
  std::vector<CaseRow> rows;
  add(rows, "a", {{60, 71, 50, 80, 66, 42}, {63, 68, 55, 79, 60, 49}, {58, 74, 52, 83, 61, 40}});
  add(rows, "b", {{62, 70, 53, 78, 68, 41}, {61, 72, 51, 81, 64, 45}, {57, 69, 54, 85, 66, 44}});
  add(rows, "c", {{59, 70, 50, 82, 63, 46}, {60, 73, 48, 80, 65, 43}, {62, 67, 53, 81, 60, 40}});
  return rows;
}

}  // namespace

TEST_CASE("ranks, shares and agreement are those of another program's draws") {
  const Json reference =
      read_json(std::string(SARBENCH_REFERENCE_DIR) + "/results/rank_stability.json");
  const double there = reference.at("samples");
  RankStabilityOptions options;
  options.samples = reference.at("compared_samples");
  options.level = reference.at("level");
  for (const Json& model : reference.at("models")) {
    const bool nested = model.at("nested");
    std::vector<CaseRow> rows;
    std::vector<std::string> ids;
    for (std::size_t m = 0; m < model.at("values").size(); ++m) {
      ids.push_back("m" + std::to_string(m));
      add(rows,
          ids.back(),
          model.at("values")[m].get<Values>(),
          nested ? model.at("cases").get<std::vector<std::vector<int>>>()
                 : std::vector<std::vector<int>>{});
    }
    const RankStability result = rank_stability(rows, methods_of(ids), kColumn, options);
    INFO(model.at("mean").dump());
    REQUIRE(result.methods.size() == ids.size());
    CHECK(result.nested == nested);
    // A share is a mean of numbers within [0, 1], whose variance is at most p (1 - p). Two
    // independent simulations of n and N samples differ by less than six SDs, sqrt(p (1 - p) (1 / n
    // + 1 / N)); 1 / n is added to the variance for a p that rounds to 0 or 1. Over about 100
    // shares, six normal SDs fail in 2e-7.
    const double here = options.samples;
    const auto bound = [&](double variance) {
      return 6 * std::sqrt((variance + 1 / here) * (1 / here + 1 / there));
    };
    for (std::size_t m = 0; m < ids.size(); ++m) {
      const RankedMethod& method = result.methods[m];
      CHECK(method.mean == Approx(model.at("mean")[m].get<double>()).margin(1e-8));
      CHECK(method.rank == model.at("rank")[m].get<double>());
      for (std::size_t rank = 0; rank < ids.size(); ++rank) {
        const double p = model.at("share")[m][rank];
        CHECK(std::abs(method.share[rank] - p) < bound(p * (1 - p)));
      }
      const Json& interval = model.at("interval")[m];
      if (!interval[0].is_null()) {
        CHECK(method.rank_low == interval[0].get<double>());
      }
      if (!interval[1].is_null()) {
        CHECK(method.rank_high == interval[1].get<double>());
      }
      CHECK(sum_of(method.share) == Approx(1).epsilon(1e-12));
    }
    const double sd = model.at("agreement")[1];
    CHECK(std::abs(result.agreement - model.at("agreement")[0].get<double>()) < bound(sd * sd));
    const double first = model.at("same_first");
    CHECK(std::abs(result.same_first - first) < bound(first * (1 - first)));
  }
}

TEST_CASE("two cases worked by hand: the better mean is first in three of four draws") {
  // a: 10 and 50, b: 20 and 30. Both cases, or the second twice: a; the first twice: b.
  std::vector<CaseRow> crossed;
  add(crossed, "a", {{10, 50}});
  add(crossed, "b", {{20, 30}});
  std::vector<CaseRow> nested;  // the same as folds of one case each
  add(nested, "a", {{10}, {50}}, {{0}, {1}});
  add(nested, "b", {{20}, {30}}, {{0}, {1}});
  RankStabilityOptions options;
  options.samples = 4000;
  for (const auto& rows : {crossed, nested}) {
    const RankStability result = rank_stability(rows, methods_of({"b", "a"}), kColumn, options);
    REQUIRE(result.methods.size() == 2);
    CHECK(result.nested == (rows[1].trial == 1));
    CHECK(result.cases == 2);
    CHECK(result.trials == (result.nested ? 2 : 1));
    CHECK(result.methods[0].method == "b");
    CHECK(result.methods[0].rank == 2);
    CHECK(result.methods[1].rank == 1);
    CHECK(result.methods[1].label == "Method a");
    // Six binomial SDs.
    CHECK(std::abs(result.same_first - 0.75) < 6 * std::sqrt(0.75 * 0.25 / 4000));
    CHECK(result.methods[1].share[0] == result.same_first);
    CHECK(result.methods[0].share[0] == Approx(1 - result.same_first).epsilon(1e-12));
    // Of two methods, tau-b is 1 or -1.
    CHECK(result.agreement == Approx(2 * result.same_first - 1).epsilon(1e-12));
    CHECK(result.methods[1].rank_low == 1);
    CHECK(result.methods[1].rank_high == 2);
  }
}

TEST_CASE("a method that is better on every case is first in all samples") {
  std::vector<CaseRow> rows = close_methods();
  add(rows, "best", {{90, 91, 92, 93, 94, 95}, {86, 89, 88, 95, 91, 90}});
  const RankStability result =
      rank_stability(rows, methods_of({"a", "b", "c", "best"}), kColumn, {});
  REQUIRE(result.methods.size() == 4);
  CHECK(result.trials == 2);  // the least
  CHECK(result.same_first == 1);
  CHECK(result.methods[3].share == std::vector<double>{1, 0, 0, 0});
  CHECK(result.methods[3].rank_high == 1);
  CHECK(result.methods[0].rank_low >= 2);
}

TEST_CASE("identical methods share their ranks") {
  std::vector<CaseRow> rows;
  for (const char* method : {"a", "b", "c"}) {
    // Trials that do not differ: whichever are drawn, the methods tie. 1/3 is not exact.
    add(rows, method, {{10, 20.1, 1.0 / 3}, {10, 20.1, 1.0 / 3}, {10, 20.1, 1.0 / 3}});
  }
  add(rows, "low", {{1, 2, 0}});
  const RankStability result =
      rank_stability(rows, methods_of({"a", "low", "b", "c"}), kColumn, {});
  REQUIRE(result.methods.size() == 4);
  for (const std::size_t i : {0U, 2U, 3U}) {
    CHECK(result.methods[i].rank == 2);
    CHECK(result.methods[i].rank_low == 2);
    CHECK(result.methods[i].rank_high == 2);
    for (std::size_t rank = 0; rank < 3; ++rank) {
      CHECK(result.methods[i].share[rank] == Approx(1.0 / 3).epsilon(1e-12));
    }
  }
  CHECK(result.methods[1].rank == 4);
  CHECK(result.same_first == Approx(1).epsilon(1e-12));  // any of three best is best
  CHECK(result.agreement == Approx(1).epsilon(1e-12));

  const RankStability equal = rank_stability(rows, methods_of({"a", "b"}), kColumn, {});
  CHECK(equal.agreement == 0);  // no order to agree with
  CHECK(equal.methods[0].rank == 1.5);
}

TEST_CASE("the order of rows and methods does not matter, the seed does") {
  const std::vector<CaseRow> rows = close_methods();
  const auto methods = methods_of({"a", "b", "c"});
  const RankStability first = rank_stability(rows, methods, kColumn, {});
  check_same(first, rank_stability(rows, methods, kColumn, {}));
  std::vector<CaseRow> shuffled = rows;
  std::ranges::sort(shuffled, [](const CaseRow& x, const CaseRow& y) { return x.dice < y.dice; });
  check_same(first, rank_stability(shuffled, methods, kColumn, {}));
  RankStability turned = rank_stability(rows, methods_of({"c", "b", "a"}), kColumn, {});
  std::ranges::reverse(turned.methods);
  check_same(first, turned);
  RankStabilityOptions other;
  other.seed = 1;
  CHECK(first.agreement != rank_stability(rows, methods, kColumn, other).agreement);
}

TEST_CASE("another method does not change what is drawn for the others") {
  std::vector<CaseRow> crossed = close_methods();
  std::vector<CaseRow> nested;
  add(nested, "a", {{60, 71}, {50, 80, 66}, {42}}, {{0, 1}, {2, 3, 4}, {5}});
  add(nested, "b", {{62, 70}, {53, 78, 68}, {41}}, {{0, 1}, {2, 3, 4}, {5}});
  add(nested, "c", {{59, 70}, {50, 82, 63}, {46}}, {{0, 1}, {2, 3, 4}, {5}});
  add(crossed, "worst", {{1, 2, 3, 4, 5, 6}, {3, 2, 1, 4, 5, 6}});
  add(nested, "worst", {{1, 2}, {3, 4, 5}, {6}}, {{0, 1}, {2, 3, 4}, {5}});
  for (const auto& rows : {crossed, nested}) {
    const RankStability three = rank_stability(rows, methods_of({"a", "b", "c"}), kColumn, {});
    const RankStability four =
        rank_stability(rows, methods_of({"worst", "a", "b", "c"}), kColumn, {});
    REQUIRE(three.methods.size() == 3);
    REQUIRE(four.methods.size() == 4);
    for (std::size_t i = 0; i < 3; ++i) {
      std::vector<double> share = three.methods[i].share;
      share.push_back(0);
      CHECK(four.methods[i + 1].share == share);
    }
    CHECK(three.methods[0].share[0] > 0);
    CHECK(three.methods[0].share[0] < 1);
  }
}

TEST_CASE("failed trials and missing cases: what all methods have is drawn from") {
  const auto methods = methods_of({"a", "b", "absent"});
  SECTION("crossed trials may be missing; cases must be common") {
    std::vector<CaseRow> rows;
    add(rows, "a", {{60, 70, 99}, {62, 72, 99}});
    rows.push_back(row_of("b", 1, case_name(0), 50));
    rows.push_back(row_of("b", 1, case_name(1), 60));
    const RankStability result = rank_stability(rows, methods, kColumn, {});
    REQUIRE(result.methods.size() == 2);  // without the absent one
    CHECK_FALSE(result.nested);
    CHECK(result.trials == 1);
    CHECK(result.cases == 2);
    CHECK(result.methods[0].mean == 66);  // without the third case
    CHECK(result.same_first == 1);
  }
  SECTION("folds must be common") {
    std::vector<CaseRow> rows;
    add(rows, "a", {{60, 70}, {99}, {62, 72}}, {{0, 1}, {2}, {3, 4}});
    rows.push_back(row_of("b", 2, case_name(3), 50));
    rows.push_back(row_of("b", 2, case_name(4), 60));
    rows.push_back(row_of("b", 0, case_name(0), 50));
    rows.push_back(row_of("b", 0, case_name(1), 60));
    const RankStability result = rank_stability(rows, methods, kColumn, {});
    REQUIRE(result.methods.size() == 2);
    CHECK(result.nested);
    CHECK(result.trials == 2);
    CHECK(result.cases == 4);
    CHECK(result.methods[0].mean == 66);
  }
}

TEST_CASE("where nothing can be drawn the reason is given") {
  const auto methods = methods_of({"a", "b"});
  const auto reason = [&](const std::vector<CaseRow>& rows, const TableColumn& column = kColumn) {
    const RankStability result = rank_stability(rows, methods, column, {});
    CHECK(result.methods.empty());
    return result.reason;
  };
  CHECK(reason({}) == "no method has a trial");
  std::vector<CaseRow> rows;
  add(rows, "a", {{60, 70}, {61, 71}});
  CHECK(reason(rows) == "only one method has trials");
  std::vector<CaseRow> disjoint = rows;
  add(disjoint, "b", {{60}}, {{7}});
  CHECK(reason(disjoint) == "no test case that all methods have");
  std::vector<CaseRow> folds;
  add(folds, "a", {{60}, {70}}, {{0}, {1}});
  folds.push_back(row_of("b", 2, case_name(2), 50));
  CHECK(reason(folds) == "no fold with test cases that all methods have");
  std::vector<CaseRow> single;
  add(single, "a", {{60}});
  add(single, "b", {{61}});
  CHECK(reason(single) == "one trial and one test case: nothing to draw");
  TableColumn average = kColumn;
  average.target = "average";
  add(rows, "b", {{60, 70}});
  CHECK(reason(rows, average) == "the task has one target only, which has no average");
  TableColumn elsewhere = kColumn;
  elsewhere.fraction = "1/2";
  CHECK(reason(rows, elsewhere) == "no method has a trial");
}

TEST_CASE("buckets, tasks and fractions of other columns are left out") {
  std::vector<CaseRow> rows;
  add(rows, "a", {{60, 70}});
  add(rows, "b", {{50, 60}});
  rows.push_back({"a", "brats", "1", 0, "large", "tumor", "L", 9000, 10});
  rows.push_back({"b", "brats", "1", 0, "large", "tumor", "L", 9000, 80});
  rows.push_back({"a", "brats", "1/2", 0, "c0", "tumor", "S", 9000, 0});
  rows.push_back({"a", "pancreas", "1", 0, "c0", "tumor", "S", 9000, 0});
  rows.push_back({"a", "brats", "1", 0, "c0", "organ", "S", 9000, 0});
  TableColumn column = kColumn;
  const RankStability all = rank_stability(rows, methods_of({"a", "b"}), column, {});
  CHECK(all.cases == 3);
  CHECK(all.methods[0].mean == Approx(140.0 / 3));
  column.bucket = "S";
  const RankStability small = rank_stability(rows, methods_of({"a", "b"}), column, {});
  CHECK(small.cases == 2);
  CHECK(small.methods[0].mean == 65);
  CHECK(small.same_first == 1);
}

TEST_CASE("the average is over the targets of the cases that have all of them") {
  std::vector<CaseRow> rows;
  const auto put = [&](const char* method, int trial, const char* id, double organ, double tumor) {
    rows.push_back({method, "brats", "1", trial, id, "organ", "all", 1, organ});
    rows.push_back({method, "brats", "1", trial, id, "tumor", "all", 1, tumor});
  };
  for (const char* method : {"a", "b"}) {
    const double shift = *method == 'a' ? 0 : 3;
    put(method, 0, "p1", 80, 20 + shift);
    put(method, 0, "p2", 70, 40 + shift);
    put(method, 1, "p3", 60, 10 + shift);
    rows.push_back({method, "brats", "1", 1, "p4", "organ", "all", 1, 99});
  }
  TableColumn column = kColumn;
  column.target = "average";
  const RankStability result = rank_stability(rows, methods_of({"a", "b"}), column, {});
  REQUIRE(result.methods.size() == 2);
  CHECK(result.nested);
  CHECK(result.cases == 3);
  CHECK(result.methods[0].mean == 43.75);  // ((50 + 55) / 2 + 35) / 2
  CHECK(result.methods[1].mean == 45.25);
  CHECK(result.same_first == 1);  // folds and cases are drawn for both
}

TEST_CASE("impossible input of rank stability is refused") {
  const auto methods = methods_of({"a", "b"});
  std::vector<CaseRow> rows;
  add(rows, "a", {{60, 70}});
  add(rows, "b", {{50, 60}});
  const auto code = [&](const std::vector<CaseRow>& cases, const RankStabilityOptions& options) {
    return code_of([&] { rank_stability(cases, methods, kColumn, options); });
  };
  CHECK(code(rows, {}) == ExitCode::ok);
  CHECK(code(rows, {0, 0.95, 0}) == ExitCode::usage);
  CHECK(code(rows, {10, 1, 0}) == ExitCode::usage);
  CHECK(code(rows, {10, std::nan(""), 0}) == ExitCode::usage);
  std::vector<CaseRow> twice = rows;
  twice.push_back(rows.front());
  CHECK(code(twice, {}) == ExitCode::usage);
  std::vector<CaseRow> odd = rows;
  odd.back().dice = std::numeric_limits<double>::quiet_NaN();
  CHECK(code(odd, {}) == ExitCode::data_invalid);
}

TEST_CASE("the sheet of ranks names what was drawn, and keeps unrounded numbers") {
  TableColumn other = kColumn;
  other.label = "Other";
  other.bucket = "L";
  const auto methods = methods_of({"a", "b", "c"});
  const std::vector<CaseRow> rows = close_methods();
  const std::vector<RankStability> columns = {rank_stability(rows, methods, kColumn, {}),
                                              rank_stability(rows, methods, other, {})};
  const Sheet sheet = rank_sheet("ranks-table2", "Ranks", columns);
  REQUIRE(sheet.rows.size() == 3);
  CHECK(sheet.header.size() == 9);
  CHECK(sheet.rows[0][0] == "Tumor");
  CHECK(sheet.rows[0][1] == "Method a");
  const std::string text = written(document_of(sheet), "text");
  CHECK_THAT(text, Catch::Contains("1000 samples (seed 0)"));
  CHECK_THAT(text, Catch::Contains("n = 3 trials, 6 test cases"));
  CHECK_THAT(text, Catch::Contains("95 %"));
  CHECK_THAT(text, Catch::Contains("Other: not ranked (no method has a trial)."));
  const Json& json = sheet.json.at("columns");
  CHECK(json[0].at("drawn") == "crossed");
  CHECK(json[0].at("agreement").get<double>() == columns[0].agreement);
  CHECK(json[0].at("methods")[1].at("share").get<std::vector<double>>() ==
        columns[0].methods[1].share);
  CHECK(json[1].at("agreement").is_null());
  CHECK(json[1].at("not_ranked") == "no method has a trial");
}

TEST_CASE("tau-b alone is that of the test, and of two values as well") {
  const std::vector<double> a = {3, 1, 2, 2, 5};
  const std::vector<double> b = {4, 1, 1, 3, 2};
  CHECK(kendall_tau_b(a, b).value() == rank_agreement(a, b).tau_b);
  const std::vector<double> up = {1, 2};
  const std::vector<double> down = {2, 1};
  CHECK(kendall_tau_b(up, down).value() == -1);
  const std::vector<double> flat = {2, 2};
  CHECK_FALSE(kendall_tau_b(up, flat).has_value());
  CHECK_FALSE(kendall_tau_b({}, {}).has_value());
  CHECK(code_of([&] { kendall_tau_b(a, up); }) == ExitCode::usage);
  const std::vector<double> odd = {1, std::nan("")};
  CHECK(code_of([&] { kendall_tau_b(up, odd); }) == ExitCode::data_invalid);
}

}  // namespace sar::rank_stability_test
