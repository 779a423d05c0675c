#include "results/comparison/compare.h"

#include "harness/core/error.h"
#include "results/comparison/compare_document.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <sstream>

namespace sar::compare_test {

/// A store of brats trials, by method, with the value of `all`; buckets lie about it.
class Stored {
 public:
  explicit Stored(const ProtocolRow& protocol = test::protocol_row("p")) : protocol_(protocol) {
    store_.put_protocol(protocol);
  }

  Stored& put(const std::string& method,
              const std::vector<double>& values,
              const std::vector<std::uint64_t>& seeds = {}) {
    for (std::size_t trial = 0; trial < values.size(); ++trial) {
      CellRow cell = test::cell_row(protocol_.protocol, method, "brats", static_cast<int>(trial));
      if (!seeds.empty()) {
        cell.seed = seeds[trial];
      }
      test::put_done_cell(store_, cell, test::brats_cases(values[trial]));
    }
    return *this;
  }

  Store& store() { return store_; }
  [[nodiscard]] StoredResults results(const std::string& name) const {
    return stored_results(store_, name);
  }

 private:
  TemporaryFolder folder_;
  ProtocolRow protocol_;
  Store store_{folder_.path() / "results.sqlite", Store::Mode::read_write};
};

const ComparedCell& cell_of(const DatabaseComparison& comparison, const std::string& name) {
  for (const ComparedCell& cell : comparison.cells) {
    if (cell.name() == name) {
      return cell;
    }
  }
  throw std::runtime_error("no cell " + name);
}

/// Scratch is the same on both sides, SAR is not, Genesis is new.
DatabaseComparison small_comparison(const CompareOptions& options = {},
                                    const std::vector<std::uint64_t>& new_seeds = {}) {
  Stored base;
  base.put("scratch", {60, 61, 62}).put("sar", {70, 71, 72}).put("rpl", {50});
  Stored next;
  next.put("scratch", {60, 61, 62}).put("sar", {72, 73, 75}, new_seeds).put("genesis", {65, 66});
  return compare(base.results("base.sqlite"), next.results("new.sqlite"), options);
}

// Expected numbers: SciPy's ttest_ind and ttest_rel of (72, 73, 75) and (70, 71, 72).

TEST_CASE("two databases are compared cell by cell: identical, tested, only in one") {
  const DatabaseComparison result = small_comparison();
  CHECK(result.cells.size() == 4 * 4);
  CHECK(result.common() == 8);
  CHECK(result.identical() == 4);
  CHECK(result.tested() == 4);
  const ComparedCell& sar = cell_of(result, "sar/brats/tumor/all");
  CHECK(sar.base->mean == Approx(71).epsilon(1e-12));
  CHECK(sar.next->mean == Approx(220.0 / 3).epsilon(1e-12));
  CHECK(*sar.difference == Approx(7.0 / 3).epsilon(1e-12));
  CHECK(sar.test->test == "student");
  CHECK(sar.test->t == Approx(2.213594362117861).epsilon(1e-9));
  CHECK(sar.test->df == 4);
  CHECK(sar.test->p == Approx(0.09126024444398621).epsilon(1e-9));
  CHECK(*sar.p_adjusted == sar.test->p);
  CHECK(sar.test->ci_low < 0);
  CHECK(sar.test->ci_high > 4);
  const ComparedCell& scratch = cell_of(result, "scratch/brats/tumor/L");
  CHECK(scratch.identical);
  CHECK(!scratch.test);
  CHECK(scratch.reason.empty());
  CHECK(*scratch.difference == 0);
  CHECK(!cell_of(result, "genesis/brats/tumor/S").base);
  CHECK(!cell_of(result, "rpl/brats/tumor/S").next);
  CHECK(!cell_of(result, "rpl/brats/tumor/S").identical);
}

TEST_CASE("Welch's test has its own degrees of freedom") {
  CompareOptions options;
  options.test = "welch";
  const DatabaseComparison result = small_comparison(options);
  const TTest& test = *cell_of(result, "sar/brats/tumor/all").test;
  CHECK(test.df == Approx(3.4482758620689657).epsilon(1e-9));
  CHECK(test.p == Approx(0.10206829667318375).epsilon(1e-9));
}

TEST_CASE("paired trials are those of equal number and seed") {
  CompareOptions options;
  options.test = "paired";
  const DatabaseComparison all = small_comparison(options);
  const ComparedCell& three = cell_of(all, "sar/brats/tumor/all");
  CHECK(three.pairs == 3);
  CHECK(three.test->t == Approx(7).epsilon(1e-9));
  CHECK(three.test->df == 2);
  CHECK(three.test->p == Approx(0.01980394118039314).epsilon(1e-9));

  // The first trial has another seed: differences 2 and 3.
  const DatabaseComparison some = small_comparison(options, {7, 1001, 1002});
  const ComparedCell& two = cell_of(some, "sar/brats/tumor/all");
  CHECK(two.pairs == 2);
  CHECK(two.test->difference == Approx(2.5).epsilon(1e-12));
  CHECK(two.test->t == Approx(5).epsilon(1e-9));
  CHECK(*two.difference == Approx(7.0 / 3).epsilon(1e-12));  // of all trials

  const DatabaseComparison none = small_comparison(options, {7, 8, 1002});
  const ComparedCell& one = cell_of(none, "sar/brats/tumor/all");
  CHECK(one.pairs == 1);
  CHECK(!one.test);
  CHECK_THAT(one.reason, Catch::Contains("fewer than two trials"));
  CHECK(none.tested() == 0);
}

TEST_CASE("one trial a side differs without a test, and says why") {
  Stored base;
  base.put("sar", {70});
  Stored next;
  next.put("sar", {71});
  const DatabaseComparison result = compare(base.results("base"), next.results("new"));
  const ComparedCell& cell = cell_of(result, "sar/brats/tumor/all");
  CHECK(!cell.identical);
  CHECK(!cell.test);
  CHECK(!cell.reason.empty());
  CHECK(*cell.difference == Approx(1).epsilon(1e-12));
}

TEST_CASE("p is corrected over the tested cells, those of the same runs once") {
  StoredResults base{"base", test::protocol_row("p"), {}, {}};
  StoredResults next = base;
  const auto add = [&](const std::string& fraction,
                       const std::string& runs,
                       const std::vector<double>& left,
                       const std::vector<double>& right) {
    for (std::size_t trial = 0; trial < left.size(); ++trial) {
      const std::string node = runs + std::to_string(trial);
      const int number = static_cast<int>(trial);
      base.trials.push_back(
          {"sar", "brats", fraction, "tumor", "all", number, 6, left[trial], node});
      next.trials.push_back(
          {"sar", "brats", fraction, "tumor", "all", number, 6, right[trial], "new" + node});
    }
  };
  add("1", "full", {70, 71, 72}, {72, 73, 75});
  add("1/10", "tenth", {60, 61, 62}, {60, 61, 62});  // identical: not in the family
  add("1/20", "few", {50, 52, 54}, {51, 56, 59});
  add("1/50", "few", {50, 52, 54}, {51, 56, 59});
  CompareOptions options;
  options.correction = "holm";
  const DatabaseComparison result = compare(base, next, options);
  CHECK(result.tested() == 3);
  CHECK(result.family == 2);
  const double p = 0.09126024444398621;
  CHECK(*cell_of(result, "sar/brats/tumor/all").p_adjusted == Approx(2 * p).epsilon(1e-9));
  const ComparedCell& few = cell_of(result, "sar/brats/tumor/all/1/20");
  CHECK(few.test->p > p);
  CHECK(*few.p_adjusted == Approx(std::max(few.test->p, 2 * p)).epsilon(1e-9));
  CHECK(*cell_of(result, "sar/brats/tumor/all/1/50").p_adjusted == *few.p_adjusted);
  CHECK(result.cells.front().fraction == "1");
  CHECK(result.cells.back().fraction == "1/50");

  // The same evaluations on one side alone are two comparisons.
  for (TrialDice& trial : next.trials) {
    trial.evaluation += trial.fraction;
  }
  CHECK(compare(base, next, options).family == 3);
}

TEST_CASE("what differs between two protocols is named field by field") {
  ProtocolRow base = test::protocol_row("p", "phantom");
  base.settings = {
      {"shared", {{"network.base", 8}, {"finetune.rate", 0.1}, {"cubes.filter", "none"}}},
      {"methods", {{"sar", {{"sar.weight", 1}}}, {"genesis", {{"finetune.rate", 0.2}}}}},
      {"numerics", {{"device", "cpu"}, {"numerics_version", 1}}}};
  base.manifest = {{"datasets", {{"brats", {{"cases", 12}, {"digest", "abc"}}}}}};
  CHECK(protocol_differences(base, base).empty());

  ProtocolRow next = base;
  next.data_kind = "real";
  next.profile = "paper";
  next.settings["shared"]["network.base"] = 32;
  next.settings["shared"]["cubes.filter"] = "min_std";
  next.settings["shared"]["new.key"] = {1, 2};
  next.settings["methods"]["sar"]["sar.weight"] = 2;
  next.settings["methods"]["genesis"] = Json::object();  // as all others now
  next.settings["numerics"]["numerics_version"] = 2;
  next.manifest["datasets"]["brats"]["digest"] = "def";
  std::map<std::string, std::pair<std::string, std::string>> found;
  for (const FieldDifference& each : protocol_differences(base, next)) {
    found[each.field] = {each.from, each.to};
  }
  using Pair = std::pair<std::string, std::string>;
  CHECK(found == std::map<std::string, Pair>{{"data kind", {"phantom", "real"}},
                                             {"profile", {"quick", "paper"}},
                                             {"network.base", {"8", "32"}},
                                             {"cubes.filter", {"none", "min_std"}},
                                             {"new.key", {"–", "[1,2]"}},
                                             {"sar: sar.weight", {"1", "2"}},
                                             {"genesis: finetune.rate", {"0.2", "0.1"}},
                                             {"numerics.numerics_version", {"1", "2"}},
                                             {"data.brats.digest", {"abc", "def"}}});

  StoredResults old_results;
  old_results.environment = {{"commit", {"abc"}},
                             {"device", {"cpu"}},
                             {"machine", {"one processor"}},
                             {"determinism", {"bit-exact"}}};
  RunRow run;
  run.state = "done";
  run.host = "here";
  old_results.runs = {run, run};
  StoredResults new_results = old_results;
  CHECK(environment_differences(old_results, new_results).empty());
  new_results.environment = {{"commit", {"abc", "abc (with changes)"}},
                             {"device", {"cpu", "cuda"}},
                             {"machine", {"another processor"}},
                             {"determinism", {"many threads"}}};
  run.host = "there";
  new_results.runs.push_back(run);
  run.state = "pending";
  run.host = "nowhere";
  new_results.runs.push_back(run);
  found.clear();
  for (const FieldDifference& each : environment_differences(old_results, new_results)) {
    found[each.field] = {each.from, each.to};
  }
  CHECK(found == std::map<std::string, Pair>{{"commit", {"abc", "abc, abc (with changes)"}},
                                             {"device", {"cpu", "cpu, cuda"}},
                                             {"machine", {"one processor", "another processor"}},
                                             {"determinism", {"bit-exact", "many threads"}},
                                             {"host", {"here", "here, there"}}});
}

TEST_CASE("the same Dice of other seeds or other cases is not identical") {
  Stored stored;
  stored.put("sar", {70, 71, 72});
  const StoredResults base = stored.results("base");
  CHECK(compare(base, base).identical() == 4);
  const auto differs_in = [&](const StoredResults& next) {
    const DatabaseComparison result = compare(base, next);
    const ComparedCell& cell = cell_of(result, "sar/brats/tumor/all");
    CHECK(!cell.identical);
    CHECK(*cell.difference == 0);
    CHECK_THAT(written(document_of(result), "text"),
               Catch::Contains("The same Dice, but not the same") &&
                   !Catch::Contains("4 identical bit for bit"));
    const Json json = Json::parse(written(document_of(result), "json"));
    for (const Json& each : json.at("cells")) {
      if (each.at("cell") == "sar/brats/tumor/all") {
        CHECK(each.at("identical") == false);
        CHECK(each.at("differs_in") == cell.differs_in);
      }
    }
    return cell.differs_in;
  };
  StoredResults seeds = base;
  seeds.runs[1].cell.seed += 1;
  CHECK(differs_in(seeds) == "seed");
  StoredResults counts = base;
  for (TrialDice& trial : counts.trials) {
    trial.cases += 1;
  }
  CHECK(differs_in(counts) == "number of cases");

  // Two cases of one bucket exchange their Dice: every mean stays.
  Stored exchanged;
  for (int trial = 0; trial < 3; ++trial) {
    std::vector<StoredCaseDice> cases = test::brats_cases(70 + trial);
    const auto other = std::ranges::find_if(cases.begin() + 1, cases.end(), [&](const auto& each) {
      return each.bucket == cases.front().bucket && each.target == cases.front().target;
    });
    REQUIRE(other != cases.end());
    cases.front().dice += 1;
    other->dice -= 1;
    test::put_done_cell(exchanged.store(), test::cell_row("p", "sar", "brats", trial), cases);
  }
  CHECK(differs_in(exchanged.results("new")) == "cases");
}

TEST_CASE("the machine of stored results is compared, and long values show what differs") {
  Stored stored;
  stored.put("sar", {70, 71});
  const StoredResults base = stored.results("base");
  REQUIRE(base.environment.contains("machine"));
  StoredResults next = base;
  CHECK_THAT(written(document_of(compare(base, next)), "text"),
             Catch::Contains("neither protocol nor environment"));
  StoredResults long_base = base;
  long_base.environment["machine"] = {"a processor with a very long name, model 17"};
  next.environment["machine"] = {"a processor with a very long name, model 23"};
  const std::string text = written(document_of(compare(long_base, next)), "text");
  CHECK_THAT(text,
             Catch::Contains("machine") && Catch::Contains("l 17") && Catch::Contains("l 23"));
}

TEST_CASE("a file name that is not UTF-8 does not break the JSON") {
  Stored stored;
  stored.put("sar", {70, 71});
  const std::string bad = "bad\xFF.sqlite";
  const Json json = Json::parse(
      written(document_of(compare(stored.results(bad), stored.results("new"))), "json"));
  CHECK(json.at("base").at("name") == "bad\xEF\xBF\xBD.sqlite");
}

TEST_CASE("the newest complete protocol is compared unless another is named") {
  Stored stored(test::protocol_row("complete"));
  stored.put("sar", {70, 71});
  Store& store = stored.store();
  store.put_protocol(test::protocol_row("partly"));
  test::put_done_cell(store,
                      test::cell_row("partly", "sar", "brats", 0),
                      test::brats_cases(60),
                      "2024-06-01T11:00:00Z");
  const CellRow waiting = test::cell_row("partly", "sar", "brats", 1);
  store.put_node(test::node_row(waiting.evaluate_node, "evaluate", NodeState::pending));
  store.put_cell(waiting);
  CHECK(stored_results(store, "file").protocol.protocol == "complete");
  CHECK(stored_results(store, "file", "part").protocol.protocol == "partly");
  CHECK(stored_results(store, "file", "part").trials.size() == 4);

  store.put_protocol(test::protocol_row("later"));
  test::put_done_cell(store,
                      test::cell_row("later", "sar", "brats", 0),
                      test::brats_cases(60),
                      "2024-05-02T11:00:00Z");
  CHECK(stored_results(store, "file").protocol.protocol == "later");
}

TEST_CASE("nothing stored, no such protocol and nothing in common are missing results") {
  const auto code = [](const auto& function) {
    try {
      function();
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::ok;
  };
  Stored empty;
  CHECK(code([&] { static_cast<void>(stored_results(empty.store(), "file")); }) ==
        ExitCode::results_missing);
  Stored base;
  base.put("sar", {70, 71});
  CHECK(code([&] { static_cast<void>(stored_results(base.store(), "file", "zzz")); }) ==
        ExitCode::results_missing);
  Stored next;
  next.put("genesis", {70, 71});
  CHECK(code([&] { compare(base.results("base"), next.results("new")); }) ==
        ExitCode::results_missing);
  CompareOptions options;
  options.test = "median";
  CHECK(code([&] { compare(base.results("base"), base.results("new"), options); }) ==
        ExitCode::usage);
  options.test = "student";
  options.correction = "bonferroni";
  CHECK(code([&] { compare(base.results("base"), base.results("new"), options); }) ==
        ExitCode::usage);
}

TEST_CASE("a comparison is readable in every format") {
  CompareOptions options;
  options.correction = "holm";
  const DatabaseComparison result = small_comparison(options);
  const std::string text = written(document_of(result), "text");
  CHECK_THAT(text, Catch::Contains("[phantom data]"));
  CHECK_THAT(text, Catch::Contains("8 cells in both: 4 identical bit for bit, 4 tested"));
  CHECK_THAT(text, Catch::Contains("Only in base: rpl/brats/tumor/L,"));
  CHECK_THAT(text, Catch::Contains("Only in new: genesis/brats/tumor/L,"));
  CHECK_THAT(text, !Catch::Contains("scratch/"));
  CHECK_THAT(text, Catch::Contains("+2.33±2.93"));
  for (const char* format : {"md", "latex", "html"}) {
    CHECK_THAT(written(document_of(result), format), Catch::Contains("sar/brats/tumor/all"));
  }
  const std::string csv = written(document_of(result), "csv");
  CHECK(std::ranges::count(csv, '\n') == 17);
  CHECK_THROWS_AS(written(document_of(result), "pdf"), Error);
  const Json json = Json::parse(written(document_of(result), "json"));
  CHECK(json.at("schema_version") == 1);
  CHECK(json.at("summary") ==
        Json{{"common", 8}, {"identical", 4}, {"tested", 4}, {"family", 4}, {"only_one", 8}});
  CHECK(json.at("protocol_differences").empty());
  for (const Json& cell : json.at("cells")) {
    if (cell.at("cell") == "sar/brats/tumor/all") {
      CHECK(cell.at("new").at("n") == 3);
      CHECK(cell.at("p_adjusted").get<double>() ==
            Approx(std::min(1.0, 4 * 0.09126024444398621)).epsilon(1e-9));
    }
  }
}

}  // namespace sar::compare_test
