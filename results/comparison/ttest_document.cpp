#include "results/comparison/ttest_document.h"

#include "results/document/sheet.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>

namespace sar {
namespace {

/// "84.92": as many digits as an input is likely to have.
std::string number(double value) {
  return fmt::format("{:.8g}", value);
}
/// A number that was computed.
std::string rounded(double value) {
  return fmt::format("{:.4g}", value);
}

std::string level(double alpha) {
  return fmt::format("{:g} %", 100 * (1 - alpha));
}

std::string test_name(const TTestReport& report) {
  const std::string& test = report.options.test;
  return test == "student"        ? "Student's two-sample t-test"
         : test == "welch"        ? "Welch's two-sample t-test"
         : test == "paired"       ? "Paired t-test"
         : test == "corrected-cv" ? "Corrected resampled t-test (Nadeau and Bengio)"
                                  : (report.options.paired_permutation ? "Permutation test of pairs"
                                                                       : "Permutation test");
}

/// The arithmetic of the chosen test, a step a line.
std::vector<std::string> arithmetic(const TTestReport& report) {
  const TTest& test = report.chosen;
  const Summary& a = report.a.summary;
  const Summary& b = report.b.summary;
  std::vector<std::string> steps;
  const auto add = [&]<class... Values>(fmt::format_string<Values...> text, Values&&... values) {
    steps.push_back(fmt::format(text, std::forward<Values>(values)...));
  };
  if (!test.testable) {
    return steps;
  }
  const std::string difference = rounded(test.difference);
  add("difference = {} - {} = {}", number(a.mean), number(b.mean), difference);
  if (test.test == "student") {
    const std::string pooled = rounded(sd_of_both(a, b));
    add("pooled SD = sqrt(({} x {}^2 + {} x {}^2) / {}) = {}",
        a.n - 1,
        number(*a.sd),
        b.n - 1,
        number(*b.sd),
        a.n + b.n - 2,
        pooled);
    add("t = {} / ({} x sqrt(1/{} + 1/{})) = {}, df = {} + {} - 2 = {}",
        difference,
        pooled,
        a.n,
        b.n,
        rounded(test.t),
        a.n,
        b.n,
        a.n + b.n - 2);
  } else if (test.test == "welch") {
    const double error = test.difference / test.t;
    const std::string text =
        rounded(test.t != 0 ? error : std::hypot(*a.sd / std::sqrt(a.n), *b.sd / std::sqrt(b.n)));
    add("standard error = sqrt({}^2/{} + {}^2/{}) = {}",
        number(*a.sd),
        a.n,
        number(*b.sd),
        b.n,
        text);
    add("t = {} / {} = {}, df = {} (Satterthwaite)",
        difference,
        text,
        rounded(test.t),
        rounded(test.df));
  } else if (test.test == "permutation") {
    const PermutationTest& found = *report.permutation;
    if (found.exact) {
      add("p = {:.0f} of {:.0f} arrangements with a difference at least as far from 0 = {}",
          std::round(found.p * found.arrangements),
          found.arrangements,
          format_p(found.p));
    } else {
      add("p = (hits + 1) / (samples + 1) = ({:.0f} + 1) / ({:.0f} + 1) = {}",
          std::round(found.p * (found.arrangements + 1)) - 1,
          found.arrangements,
          format_p(found.p));
    }
  } else {
    std::optional<double> sd;
    if (report.options.correlation) {
      const double r = *report.options.correlation;
      sd = std::sqrt(*a.sd * *a.sd + *b.sd * *b.sd - 2 * r * *a.sd * *b.sd);
      add("SD of the differences = sqrt({0}^2 + {1}^2 - 2 x {2} x {0} x {1}) = {3}",
          number(*a.sd),
          number(*b.sd),
          number(r),
          rounded(*sd));
    } else {
      std::vector<double> differences(report.a.values.size());
      std::ranges::transform(report.a.values, report.b.values, differences.begin(), std::minus<>());
      sd = summarise(differences).sd;
      add("SD of the {} differences = {}", differences.size(), rounded(*sd));
    }
    if (test.test == "paired") {
      add("t = {} / ({} / sqrt({})) = {}, df = {} - 1 = {}",
          difference,
          rounded(*sd),
          a.n,
          rounded(test.t),
          a.n,
          a.n - 1);
    } else {
      add("t = {} / ({} x sqrt(1/{} + {})) = {}, df = {} - 1 = {}",
          difference,
          rounded(*sd),
          a.n,
          number(*report.options.test_train_ratio),
          rounded(test.t),
          a.n,
          a.n - 1);
    }
  }
  return steps;
}

std::string sample_text(const char* name, const Sample& sample) {
  std::string text = fmt::format("{}: ", name);
  if (sample.summary.n == 0) {
    text += "no values";
  } else {
    text += sample.only_summary ? number(sample.summary.mean) : rounded(sample.summary.mean);
    if (sample.summary.sd) {
      text +=
          " ± " + (sample.only_summary ? number(*sample.summary.sd) : rounded(*sample.summary.sd));
    }
    text += fmt::format(", n = {}", sample.summary.n);
  }
  return text + (sample.only_summary ? " (read as mean, SD, n)." : " (read as values).");
}

std::vector<std::string> conclusions(const TTestReport& report) {
  const TTestOptions& options = report.options;
  const TTest& test = report.chosen;
  std::vector<std::string> sentences;
  const auto add = [&]<class... Values>(fmt::format_string<Values...> text, Values&&... values) {
    sentences.push_back(fmt::format(text, std::forward<Values>(values)...));
  };
  if (!test.testable) {
    add("Not testable: {}.", test.reason);
  } else if (test.p < options.alpha) {
    add("Significant: p = {} is below alpha = {:g}.", format_p(test.p), options.alpha);
  } else {
    add("Not significant: p = {} is not below alpha = {:g}. That shows no difference; it does not "
        "show that there is none.",
        format_p(test.p),
        options.alpha);
  }
  if (report.permutation && report.permutation->testable) {
    add("{}; no values of this number could give a p below {}.",
        report.permutation->exact
            ? fmt::format("All {:.0f} arrangements were counted", report.permutation->arrangements)
            : fmt::format("Monte Carlo: {:.0f} arrangements were drawn (seed {})",
                          report.permutation->arrangements,
                          options.seed),
        rounded(report.permutation->floor));
  }
  if (test.test == "corrected-cv") {
    add("The corrected test is for folds or redrawn splits, whose training sets overlap; several "
        "seeds on one split are another case.");
  }
  if (test.test == "paired" && options.correlation) {
    add("The correlation of {:g} was given, not measured.", *options.correlation);
  }
  if (report.equivalence) {
    const Equivalence& both = *report.equivalence;
    if (both.testable) {
      add("Equivalence within ±{:g} is {}: p = {} (two one-sided tests, df = {}), {} interval "
          "[{}, {}].",
          both.margin,
          both.p < options.alpha ? "shown" : "not shown",
          format_p(both.p),
          rounded(both.df),
          level(2 * options.alpha),
          rounded(both.ci_low),
          rounded(both.ci_high));
    } else {
      add("Equivalence is not testable: {}.", both.reason);
    }
  }
  if (report.detectable) {
    add("Student's test of {} against {} values with this spread finds a true difference of {} in "
        "{:g} % of cases.",
        report.a.summary.n,
        report.b.summary.n,
        rounded(*report.detectable),
        100 * options.power);
  }
  return sentences;
}

/// The tests that are shown: the chosen one, then those beside it.
std::vector<const TTest*> shown_tests(const TTestReport& report) {
  std::vector<const TTest*> tests{&report.chosen};
  for (const TTest* each : {&report.student, &report.welch}) {
    if (each->test != report.chosen.test) {
      tests.push_back(each);
    }
  }
  return tests;
}

bool has_t(const TTest& test) {
  return test.testable && test.test != "permutation";
}

/// Of the means, where both are known; a test that cannot be had does not take it away.
std::optional<double> difference_of(const TTestReport& report, const TTest& test) {
  if (test.testable) {
    return test.difference;
  }
  const double difference = report.a.summary.mean - report.b.summary.mean;
  return report.a.summary.n > 0 && report.b.summary.n > 0 && std::isfinite(difference)
             ? std::optional(difference)
             : std::nullopt;
}

Json test_json(const TTestReport& report, const TTest& test) {
  const bool t = has_t(test);
  const auto number_if = [](bool known, double value) { return known ? Json(value) : Json(); };
  const std::optional<double> difference = difference_of(report, test);
  return {
      {"test", test.test},
      {"testable", test.testable},
      {"reason", json_or_null(test.reason)},
      {"t", number_if(t, test.t)},
      {"df", number_if(t, test.df)},
      {"p", number_if(test.testable, test.p)},
      {"difference", json_or_null(difference)},
      {"ci", t ? Json{test.ci_low, test.ci_high} : Json()},
      {"hedges_g", number_if(t && test.has_effect, test.hedges_g)},
      {"hedges_g_ci", t && test.has_effect ? Json{test.g_low, test.g_high} : Json()},
  };
}

Json sample_json(const Sample& sample) {
  return {{"read_as", sample.only_summary ? "mean,sd,n" : "values"},
          {"mean", sample.summary.n > 0 ? Json(sample.summary.mean) : Json()},
          {"sd", json_or_null(sample.summary.sd)},
          {"n", sample.summary.n}};
}

Values values_of(const TTestReport& report) {
  Values values;
  values.header = {"test",
                   "n_a",
                   "n_b",
                   "difference",
                   "t",
                   "df",
                   "p",
                   "ci_low",
                   "ci_high",
                   "hedges_g",
                   "g_low",
                   "g_high",
                   "not_testable"};
  for (const TTest* test : shown_tests(report)) {
    const auto text = [](bool known, double value) {
      return known ? fmt::format("{}", value) : std::string();
    };
    const bool t = has_t(*test);
    const bool effect = t && test->has_effect;
    const std::optional<double> difference = difference_of(report, *test);
    values.rows.push_back({test->test,
                           std::to_string(report.a.summary.n),
                           std::to_string(report.b.summary.n),
                           text(difference.has_value(), difference.value_or(0)),
                           text(t, test->t),
                           text(t, test->df),
                           text(test->testable, test->p),
                           text(t, test->ci_low),
                           text(t, test->ci_high),
                           text(effect, test->hedges_g),
                           text(effect, test->g_low),
                           text(effect, test->g_high),
                           test->reason});
  }
  return values;
}

Json json_of(const TTestReport& report) {
  Json json = test_json(report, report.chosen);
  json["schema_version"] = 1;
  json["alpha"] = report.options.alpha;
  json["significant"] =
      report.chosen.testable ? Json(report.chosen.p < report.options.alpha) : Json();
  json["a"] = sample_json(report.a);
  json["b"] = sample_json(report.b);
  json["n"] = {report.a.summary.n, report.b.summary.n};
  json["student"] = test_json(report, report.student);
  json["welch"] = test_json(report, report.welch);
  json["power"] = report.options.power;
  json["detectable_difference"] = json_or_null(report.detectable);
  if (report.options.correlation) {
    json["correlation"] = *report.options.correlation;
  }
  if (report.options.test_train_ratio) {
    json["test_train_ratio"] = *report.options.test_train_ratio;
  }
  if (report.permutation) {
    const PermutationTest& found = *report.permutation;
    json["permutation"] = {{"paired", report.options.paired_permutation},
                           {"exact", found.exact},
                           {"arrangements", found.arrangements},
                           {"floor", found.floor},
                           {"seed", report.options.seed}};
  }
  if (report.equivalence) {
    const Equivalence& both = *report.equivalence;
    const auto number_if = [&](double value) { return both.testable ? Json(value) : Json(); };
    json["equivalence"] = {{"testable", both.testable},
                           {"reason", both.testable ? Json() : Json(both.reason)},
                           {"margin", both.margin},
                           {"df", number_if(both.df)},
                           {"p", number_if(both.p)},
                           {"p_above", number_if(both.p_above)},
                           {"p_below", number_if(both.p_below)},
                           {"ci", both.testable ? Json{both.ci_low, both.ci_high} : Json()}};
  }
  return json;
}

Sheet sheet_of(const TTestReport& report) {
  Sheet sheet;
  sheet.id = "ttest";
  sheet.title = test_name(report) + " of A - B";
  const std::string interval = level(report.options.alpha) + " CI";
  sheet.header = {
      "Test", "n", "Difference", "t", "df", "p", interval, "Hedges' g [" + interval + "]"};
  for (const TTest* test : shown_tests(report)) {
    const bool t = has_t(*test);
    const std::optional<double> difference = difference_of(report, *test);
    const auto text = [](bool known, const std::string& value) {
      return known ? value : std::string("–");
    };
    sheet.rows.push_back(
        {test->test,
         fmt::format("{}, {}", report.a.summary.n, report.b.summary.n),
         text(difference.has_value(), rounded(difference.value_or(0))),
         text(t, fmt::format("{:.3f}", test->t)),
         text(t, rounded(test->df)),
         text(test->testable, format_p(test->p)),
         text(t, fmt::format("[{}, {}]", rounded(test->ci_low), rounded(test->ci_high))),
         text(t && test->has_effect,
              fmt::format("{:.2f} [{:.2f}, {:.2f}]", test->hedges_g, test->g_low, test->g_high))});
  }
  sheet.notes = {sample_text("A", report.a), sample_text("B", report.b)};
  for (const auto& lines : {arithmetic(report), conclusions(report)}) {
    sheet.notes.insert(sheet.notes.end(), lines.begin(), lines.end());
  }
  return sheet;
}

}  // namespace

Document document_of(const TTestReport& report) {
  Document document;
  document.parts.push_back({{titled_table(sheet_of(report))}});
  document.values = values_of(report);
  document.json = json_of(report);
  return document;
}

}  // namespace sar
