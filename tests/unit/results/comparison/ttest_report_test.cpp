#include "results/comparison/ttest_report.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/comparison/ttest_document.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <tuple>

namespace sar::ttest_report_test {

/// The exit code and message of what a call throws.
struct Refusal {
  ExitCode code = ExitCode::ok;
  std::string message = "accepted";
};
Refusal refusal(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TTestReport report_of(const std::string& a,
                      const std::string& b,
                      const TTestOptions& options = {}) {
  return ttest_report(read_sample(a), read_sample(b), options);
}

TTestOptions test(const std::string& name) {
  TTestOptions options;
  options.test = name;
  return options;
}

const std::string kA = "84.1,83.2,85.0,86.2,84.7";
const std::string kB = "83.0,82.9,83.1,85.5,82.2";
/// Tolerance of comparisons with SciPy: double rounding of either side.
Approx near(double value) {
  return Approx(value).epsilon(1e-10);
}

TEST_CASE("three numbers are mean, SD and n where they can be, else values") {  // exact
  const Sample printed = read_sample("84.92,1.62,5");
  CHECK(printed.only_summary);
  CHECK(printed.summary.mean == 84.92);
  CHECK(printed.summary.sd == 1.62);
  CHECK(printed.summary.n == 5);
  CHECK_FALSE(printed.could_be_values);
  CHECK(read_sample(" 84.92, 1.62, 5 ").only_summary);
  CHECK(read_sample("-0.4,0.3,5").only_summary);
  for (const char* list : {"84.92,1.62,5.0",  // n is not written as a whole number
                           "84.92,-1.62,5",   // no SD is negative
                           "84.92,1.62",      // two numbers
                           "84.92,1.62,5,6",  // four
                           "84.92,1.62,-5"}) {
    INFO(list);
    const Sample values = read_sample(list);
    CHECK_FALSE(values.only_summary);
    CHECK(values.summary.n == static_cast<int>(values.values.size()));
  }
  CHECK(read_sample("84.92,1.62,5", Reading::values).values == std::vector<double>{84.92, 1.62, 5});
  CHECK(read_sample("75,76,77", Reading::summary).summary.n == 77);
}

TEST_CASE("a doubtful reading is said, and refused where the other sample is of the other kind") {
  const Sample like_values = read_sample("75.2,76.1,77");  // SD 76.1, n 77? Or three trials?
  REQUIRE(like_values.only_summary);
  CHECK(like_values.could_be_values);
  CHECK_THAT(reading_notice(like_values, read_sample("84.92,1.62,5")),
             Catch::Contains("75.2,76.1,77") && Catch::Contains("--values"));
  CHECK(reading_notice(read_sample("84.92,1.62,5"), read_sample("83.03,3.14,5")).empty());
  CHECK(reading_notice(read_sample("84.92,1.62,5"), read_sample(kB)).empty());
  CHECK(reading_notice(read_sample("75,76,77", Reading::summary), read_sample(kB)).empty());
  const Refusal refused =
      refusal([&] { static_cast<void>(reading_notice(like_values, read_sample(kB))); });
  CHECK(refused.code == ExitCode::usage);
  CHECK_THAT(refused.message, Catch::Contains("--values"));
}

TEST_CASE("a mistyped mean, SD and n is not taken for values without a word") {
  const auto notice = [](const std::string& a, const std::string& b, Reading reading) {
    return reading_notice(read_sample(a, reading), read_sample(b, reading));
  };
  for (const char* mistyped : {"84.9,-0.13,5", "84.9,0.13,5.0", "84.9,0.13,1e9", "84.9,0.13,-5"}) {
    INFO(mistyped);
    for (const bool first : {true, false}) {
      const Refusal refused = refusal([&] {
        notice(first ? mistyped : "82,0.5,5", first ? "82,0.5,5" : mistyped, Reading::automatic);
      });
      CHECK(refused.code == ExitCode::usage);
      CHECK_THAT(
          refused.message,
          Catch::Contains(mistyped) && Catch::Contains("--values") && Catch::Contains("--summary"));
    }
    CHECK(notice(mistyped, "82,0.5,5", Reading::values).empty());
    CHECK(notice(mistyped, kB, Reading::automatic).find("82") == std::string::npos);
  }
  // Mistyped on both sides: read as values, with a word.
  CHECK_THAT(notice("84.9,0.13,5.0", "82,0.5,5.0", Reading::automatic),
             Catch::Contains("84.9,0.13,5.0 and 82,0.5,5.0: read as three values"));
  CHECK(notice("84.9,85.3,86.5", "82.1,83.5,81.4", Reading::automatic).empty());
}

TEST_CASE("a byte order mark is not a value, and decimal commas are named") {
  const TemporaryFolder folder;
  const auto file = (folder.path() / "trials.txt").string();
  const auto doubt = [&](const std::string& text) {
    write_file_atomically(file, text);
    return reading_notice(read_sample(file), read_sample(kB));
  };
  CHECK(doubt("\xEF\xBB\xBF"
              "84.1\n83.2\n")
            .empty());
  CHECK(read_sample(file).values == std::vector<double>{84.1, 83.2});
  CHECK_THAT(doubt("# Dice\n84,1\r\n\n 83,25 # second\n"),
             Catch::Contains(file) && Catch::Contains("decimal point"));
  for (const char* text : {"", "84.1,83.2\n85.0,84.7\n", "84,1\n83\n", "84, 83\n", "84,1,2\n"}) {
    INFO(text);
    CHECK(doubt(text).empty());
  }
}

TEST_CASE("a list with anything but finite numbers is refused with each fault") {
  for (const auto& [list, fault] : std::vector<std::pair<std::string, std::string>>{
           {"84.9,nan,5", "number 2: 'nan' is not finite"},
           {"inf,1,5", "number 1: 'inf' is not finite"},
           {"1e999,1,5", "number 1: '1e999' is not finite"},
           {"nan", "'nan' is not finite"},
           {"84.9,x,5", "number 2: 'x' is not a number"},
           {"84.9,1.2mm,5", "'1.2mm' is not a number"},
           {"84.9,,5", "number 2: a number is missing"},
           {",84.9", "number 1: a number is missing"},
           {"84.9,1.6,", "number 3: a number is missing"},
           {"", "finite numbers"}}) {
    INFO(list);
    const Refusal refused = refusal([&] { read_sample(list); });
    CHECK(refused.code == ExitCode::usage);
    CHECK_THAT(refused.message, Catch::Contains(fault));
  }
  CHECK(refusal([] { read_sample("no-such-file.txt"); }).code == ExitCode::data_not_found);
  for (const char* list : {"84.9,1.6", "84.9,1.6,5,6", "84.9,1.6,5.5"}) {
    CHECK(refusal([&] { read_sample(list, Reading::summary); }).code == ExitCode::usage);
  }
}

TEST_CASE("a file holds values, and each fault is reported with line and column") {
  const TemporaryFolder folder;
  const auto file = folder.path() / "trials.txt";
  write_file_atomically(file,
                        "# Dice of SAR, BraTS2018\n84.1 83.2,85.0\t# three\r\n\n86.2\n84.7,\n");
  CHECK(read_sample(file.string()).values == std::vector<double>{84.1, 83.2, 85.0, 86.2, 84.7});
  write_file_atomically(file, "84.92 1.62 5\n");
  for (const Reading reading : {Reading::automatic, Reading::summary}) {
    CHECK_FALSE(read_sample(file.string(), reading).only_summary);
  }
  write_file_atomically(file, "");
  CHECK(read_sample(file.string()).summary.n == 0);
  write_file_atomically(file, "84.1\n 83.2 seven\n85.0,,nan # eight\n");
  const Refusal refused = refusal([&] { read_sample(file.string()); });
  CHECK(refused.code == ExitCode::data_invalid);
  CHECK_THAT(refused.message,
             Catch::Contains("3 of") &&
                 Catch::Contains("line 2, column 7: 'seven' is not a number") &&
                 Catch::Contains("line 3, column 6: a number is missing") &&
                 Catch::Contains("line 3, column 7: 'nan' is not finite"));
}

// Reference values of these cases: SciPy 1.17.1.
TEST_CASE("Student's test is the default and Welch's stands beside it") {
  const TTestReport report = report_of("84.92,1.62,5", "83.03,3.14,5");
  // ttest_ind_from_stats(84.92, 1.62, 5, 83.03, 3.14, 5), and with equal_var=False
  CHECK(report.chosen.test == "student");
  CHECK(report.chosen.t == near(1.1961067089569357));
  CHECK(report.chosen.p == near(0.2659000113676845));
  CHECK(report.welch.p == near(0.2768561903147002));
  const Json json = document_of(report).json;
  CHECK(json.at("test") == "student");
  CHECK(json.at("testable") == true);
  CHECK(json.at("significant") == false);
  CHECK(json.at("df") == 8);
  CHECK(json.at("p") == report.student.p);
  CHECK(json.at("difference").get<double>() == near(1.89));
  CHECK(json.at("ci").size() == 2);
  CHECK(json.at("hedges_g").is_number());
  CHECK(json.at("hedges_g_ci").size() == 2);
  CHECK(json.at("welch").at("p") == report.welch.p);
  CHECK(json.at("n") == Json{5, 5});
  CHECK(json.at("a").at("read_as") == "mean,sd,n");
  const std::string text = written(document_of(report), "text");
  CHECK_THAT(
      text,
      Catch::Contains("Student's two-sample t-test of A - B") &&
          Catch::Contains("read as mean, SD, n") && Catch::Contains("welch") &&
          Catch::Contains("pooled SD = sqrt((4 x 1.62^2 + 4 x 3.14^2) / 8) = 2.498") &&
          Catch::Contains("t = 1.89 / (2.498 x sqrt(1/5 + 1/5)) = 1.196, df = 5 + 5 - 2 = 8") &&
          Catch::Contains("Not significant: p = 0.266"));
  // The non-central t puts 80 % at 5.0578582 (scipy.stats.nct, solved by brentq to 1e-12).
  REQUIRE(report.detectable);
  CHECK(*report.detectable == Approx(5.057858208340413).epsilon(1e-8));
}

TEST_CASE("values are tested as their means and SDs are, and kinds may be mixed") {
  // ttest_ind(a, b), and with equal_var=False
  const TTestReport report = report_of(kA, kB, test("welch"));
  CHECK(report.chosen.t == near(1.7322558203893312));
  CHECK(report.chosen.p == near(0.12204703316600968));
  CHECK(report.chosen.ci_low == near(-0.43524335716813556));
  CHECK(report.student.p == near(0.12146509556570612));
  CHECK_THAT(written(document_of(report), "text"), Catch::Contains("(Satterthwaite)"));
  const TTestReport mixed = report_of("84.92,1.62,5", kB);
  CHECK(mixed.chosen.testable);
  CHECK(mixed.b.summary.n == 5);
}

TEST_CASE("a paired test takes lists, or mean, SD and n with a correlation") {
  // ttest_rel(a, b)
  const TTestReport lists = report_of(kA, kB, test("paired"));
  CHECK(lists.chosen.t == near(3.25));
  CHECK(lists.chosen.p == near(0.03137573422015411));
  CHECK_THAT(written(document_of(lists), "text"),
             Catch::Contains("SD of the 5 differences = 0.8944") &&
                 Catch::Contains("Significant: p = 0.031"));
  TTestOptions options = test("paired");
  options.correlation = 0.8;
  // t = 1.89 / (sqrt(1.62**2 + 3.14**2 - 2*.8*1.62*3.14) / sqrt(5)), 2 * stats.t.sf(t, 4)
  const TTestReport printed = report_of("84.92,1.62,5", "83.03,3.14,5", options);
  CHECK(printed.chosen.t == near(2.0274302352037674));
  CHECK(printed.chosen.p == near(0.11254139470202745));
  CHECK_THAT(written(document_of(printed), "text"), Catch::Contains("was given, not measured"));
}

TEST_CASE("the corrected test needs folds and the ratio of their sizes") {
  TTestOptions options = test("corrected-cv");
  options.test_train_ratio = 0.25;
  // d = a - b; t = d.mean() / (d.std(ddof=1) * sqrt(1/5 + .25)), 2 * stats.t.sf(t, 4)
  const TTestReport report = report_of(kA, kB, options);
  CHECK(report.chosen.t == near(2.166666666666663));
  CHECK(report.chosen.p == near(0.09616828695979956));
  CHECK_THAT(written(document_of(report), "text"),
             Catch::Contains("sqrt(1/5 + 0.25)") && Catch::Contains("folds or redrawn splits"));
}

TEST_CASE("a permutation test counts arrangements and knows its floor") {
  // permutation_test((a, b), difference of means, permutation_type='independent'): 30 of 252
  const TTestReport report = report_of(kA, kB, test("permutation"));
  CHECK(report.chosen.p == near(30.0 / 252));
  const Json json = document_of(report).json;
  CHECK(json.at("t").is_null());
  CHECK(json.at("ci").is_null());
  CHECK(json.at("permutation").at("exact") == true);
  CHECK(json.at("permutation").at("floor").get<double>() == near(2.0 / 252));
  CHECK(json.at("student").at("p") == report.student.p);
  CHECK_THAT(written(document_of(report), "text"), Catch::Contains("30 of 252 arrangements"));
  // permutation_type='samples': 2 of 32, which is the floor of five pairs and above 0.05
  TTestOptions pairs = test("permutation");
  pairs.paired_permutation = true;
  const TTestReport untestable = report_of(kA, kB, pairs);
  CHECK_FALSE(untestable.chosen.testable);
  CHECK(document_of(untestable).json.at("p").is_null());
  CHECK(document_of(untestable).json.at("significant").is_null());
  const std::string text = written(document_of(untestable), "text");
  CHECK_THAT(text,
             Catch::Contains("Not testable: the least p that 5 pairs can give is 0.0625") &&
                 !Catch::Contains("Not significant"));
  pairs.alpha = 0.1;
  CHECK(report_of(kA, kB, pairs).chosen.p == near(2.0 / 32));
}

TEST_CASE("a permutation test too large to enumerate draws, says so, and repeats") {
  std::string a;
  std::string b;
  for (int i = 0; i < 20; ++i) {
    a += (i > 0 ? "," : "") + std::to_string(80 + i % 7) + ".5";
    b += (i > 0 ? "," : "") + std::to_string(79 + i % 5) + ".5";
  }
  const TTestReport first = report_of(a, b, test("permutation"));
  REQUIRE(first.permutation);
  CHECK_FALSE(first.permutation->exact);
  CHECK(report_of(a, b, test("permutation")).chosen.p == first.chosen.p);
  // Monte Carlo of 100,000 about a p near Student's: five standard errors of the drawing, and 0.005
  // for the difference between the two tests at n = 20.
  CHECK(std::abs(first.chosen.p - first.student.p) <
        5 * std::sqrt(first.student.p / 100'000) + 0.005);
  CHECK_THAT(written(document_of(first), "text"),
             Catch::Contains("Monte Carlo: 100000 arrangements were drawn (seed 0)"));
}

TEST_CASE("what mean, SD and n cannot answer is refused with the reason") {
  TTestOptions with_ratio = test("corrected-cv");
  with_ratio.test_train_ratio = 0.25;
  TTestOptions correlated_lists = test("paired");
  correlated_lists.correlation = 0.5;
  TTestOptions margin = test("paired");
  margin.margin = 2;
  TTestOptions ratio = test("student");
  ratio.test_train_ratio = 0.25;
  const std::string a = "84.92,1.62,5";
  const std::string b = "83.03,3.14,5";
  for (const auto& [left, right, options, reason] :
       std::vector<std::tuple<std::string, std::string, TTestOptions, std::string>>{
           {a, b, test("paired"), "--correlation R"},
           {a, b, test("permutation"), "needs the values"},
           {a, kB, test("permutation"), "needs the values"},
           {a, b, with_ratio, "needs the values"},
           {kA, kB, test("corrected-cv"), "--test-train-ratio 0.25"},
           {kA, "83.0,82.9,83.1,85.5", test("paired"), "5 and 4"},
           {kA, "83.0,82.9,83.1,85.5", with_ratio, "5 and 4"},
           {kA, kB, correlated_lists, "have their own"},
           {kA, kB, margin, "--margin goes with"},
           {kA, kB, ratio, "--test-train-ratio goes with"},
           {kA, kB, test("wilcoxon"), "unknown test"}}) {
    INFO(left << " | " << right << " | " << options.test);
    const Refusal refused = refusal([&] { report_of(left, right, options); });
    CHECK(refused.code == ExitCode::usage);
    CHECK_THAT(refused.message, Catch::Contains(reason));
  }
}

TEST_CASE("not testable is an answer with its reason, in every format, and exit 4") {
  for (const auto& [a, b, reason, difference] :
       std::vector<std::tuple<std::string, std::string, std::string, Json>>{
           {"84.92,0,1", "83.03,3.14,5", "n = 1", 84.92 - 83.03},
           {"84.92,1.62,0", "83.03,3.14,5", "n = 0", Json()},
           {"84.92", "83.03", "n = 1", 84.92 - 83.03},
           {"84.92,0,5", "83.03,0,5", "standard error is zero", 84.92 - 83.03}}) {
    INFO(a << " | " << b);
    const TTestReport report = report_of(a, b);
    CHECK_FALSE(report.chosen.testable);
    CHECK(report.exit_code() == ExitCode::results_missing);
    const Json json = document_of(report).json;
    CHECK(json.at("testable") == false);
    CHECK(json.at("reason") == reason);
    CHECK(json.at("difference") == difference);
    CHECK(json.at("welch").at("difference") == difference);
    for (const char* key : {"t", "df", "p", "ci", "hedges_g", "significant"}) {
      CHECK(json.at(key).is_null());
    }
    for (const char* format : {"text", "md", "latex", "html"}) {
      CHECK_THAT(written(document_of(report), format),
                 Catch::Contains("Not testable: " + reason) && !Catch::Contains("nan"));
      CHECK((written(document_of(report), format).find("1.89") != std::string::npos) ==
            !difference.is_null());
    }
    CHECK_THAT(written(document_of(report), "csv"), Catch::Contains(reason));
  }
  CHECK(report_of("84.92,0,5", "83.03,3.14,5").exit_code() == ExitCode::ok);  // one constant group
  TTestOptions pairs = test("permutation");
  pairs.paired_permutation = true;  // five pairs cannot be below 0.05
  CHECK(report_of(kA, kB, pairs).exit_code() == ExitCode::results_missing);
  CHECK(report_of(kA, kB, test("permutation")).exit_code() == ExitCode::ok);
}

TEST_CASE("equivalence within a margin is added to a two-sample test") {
  TTestOptions options;
  options.margin = 5;
  const TTestReport report = report_of("84.92,1.62,5", "83.03,3.14,5", options);
  // se = pooled SD * sqrt(.4); stats.t.sf((1.89 + 5) / se, 8), stats.t.cdf((1.89 - 5) / se, 8)
  const Json json = document_of(report).json.at("equivalence");
  CHECK(json.at("p_above").get<double>() == near(0.0012056588491373577));
  CHECK(json.at("p_below").get<double>() == near(0.04228961160225101));
  CHECK_THAT(written(document_of(report), "text"),
             Catch::Contains("Equivalence within ±5 is shown: p = 0.042"));
}

TEST_CASE("a spread whose square vanishes is still shown") {
  const TTestReport report = report_of("5,0,5", "4,1e-300,5");
  REQUIRE(report.detectable);
  CHECK(*report.detectable > 1e-300);
  CHECK_THAT(written(document_of(report), "text"),
             Catch::Contains("= 7.071e-301"));  // 1e-300 / sqrt(2)
}

TEST_CASE("CSV has a line per test with unrounded numbers") {  // exact
  const TTestReport report = report_of("84.92,1.62,5", "83.03,3.14,5");
  const std::string text = written(document_of(report), "csv");
  CHECK(std::ranges::count(text, '\n') == 3);
  CHECK_THAT(text, Catch::Contains(fmt::format("{}", report.welch.p)));
}

}  // namespace sar::ttest_report_test
