#include "results/comparison/ttest_report.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/statistics/power.h"
#include "results/text/utf8.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <regex>
#include <sstream>

namespace sar {
namespace {

/// A piece of text between separators, and where it stands.
struct Word {
  std::string text;
  int line = 1, column = 1;
};

/// Words between white space and commas. Two commas without a word between them leave an empty one.
std::vector<Word> split(const std::string& text, bool comments) {
  std::vector<Word> words;
  Word word;
  int line = 1;
  int column = 1;
  bool comma = false;  // since the last word
  const auto finish = [&] {
    if (!word.text.empty()) {
      words.push_back(word);
      word.text.clear();
      comma = false;
    }
  };
  bool in_comment = false;
  for (const char c : text) {
    in_comment = (in_comment || (comments && c == '#')) && c != '\n';
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    if (in_comment || blank || c == ',') {
      finish();
      if (c == ',' && !in_comment) {
        if (comma || words.empty()) {
          words.push_back({"", line, column});
        }
        comma = true;
      }
    } else {
      if (word.text.empty()) {
        word.line = line;
        word.column = column;
      }
      word.text += c;
    }
    ++column;
    if (c == '\n') {
      ++line;
      column = 1;
    }
  }
  finish();
  if (comma && !comments) {  // a list that ends in a comma; files may
    words.push_back({"", line, column});
  }
  return words;
}

/// Why a word is not a number for a test, or an empty text.
std::string read_number(const std::string& text, double& value) {
  if (text.empty()) {
    return "a number is missing";
  }
  const std::size_t sign = text.starts_with("+") && !text.starts_with("+-") ? 1 : 0;
  const auto parsed = std::from_chars(text.data() + sign, text.data() + text.size(), value);
  if (parsed.ec == std::errc::invalid_argument || parsed.ptr != text.data() + text.size()) {
    return "'" + text + "' is not a number";
  }
  if (parsed.ec == std::errc::result_out_of_range || !std::isfinite(value)) {
    return "'" + text + "' is not finite";
  }
  return "";
}

/// "nan", "inf", "1e999": a number, but none to compute with.
bool is_infinite(const std::string& text) {
  double value = 0;
  return read_number(text, value).ends_with("is not finite");
}

bool is_count(const std::string& text) {
  return !text.empty() && text.size() <= 9 &&
         text.find_first_not_of("0123456789") == std::string::npos;
}

bool of_like_size(const std::vector<double>& values) {
  const auto [least, largest] = std::ranges::minmax(values);
  return (least > 0 && largest <= 3 * least) || (largest < 0 && least >= 3 * largest);
}

/// "84.92, -1.62, 5" and "84.92, 1.62, 5.0": the third could be a number of trials, and the three
/// are not of one size as values would be.
bool ends_like_a_summary(const std::vector<double>& three) {
  return three[2] >= 1 && three[2] == std::floor(three[2]) && !of_like_size(three);
}

/// "84,92" alone on every line that holds anything: a number whose decimal point is a comma.
bool has_decimal_commas(const std::string& text) {
  static const std::regex kNumber("[ \\t]*[+-]?[0-9]+,[0-9]+[ \\t\\r]*");
  static const std::regex kNothing("[ \\t\\r]*");
  bool any = false;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    line = line.substr(0, line.find('#'));
    if (line.size() > 100 ||
        (!std::regex_match(line, kNothing) && !std::regex_match(line, kNumber))) {
      return false;
    }
    any = any || line.find(',') != std::string::npos;
  }
  return any;
}

/// Without the byte order mark that some programs write first.
std::string read_text(const std::filesystem::path& file) {
  return without_byte_order_mark(read_file(file));
}

std::vector<double> values_in(const std::string& text, const std::filesystem::path& file) {
  std::vector<double> values;
  std::string faults;
  int count = 0;
  for (const Word& word : split(text, true)) {
    double value = 0;
    const std::string fault = read_number(word.text, value);
    if (fault.empty()) {
      values.push_back(value);
    } else if (++count <= 20) {
      faults += fmt::format("\n  line {}, column {}: {}", word.line, word.column, fault);
    }
  }
  if (count > 0) {
    throw data_error(fmt::format("{} of the file's values cannot be used", count))
        .with("file", file.string())
        .hint(faults.substr(1) + (count > 20 ? "\n  ..." : "") +
              "\n  values are separated by white space or commas; # begins a comment");
  }
  return values;
}

void require_pairs(const Sample& a, const Sample& b, const std::string& what) {
  if (a.values.size() != b.values.size()) {
    throw usage_error(what + " needs lists of equal length: value i of A belongs to value i of B")
        .with("lengths", fmt::format("{} and {}", a.values.size(), b.values.size()));
  }
}

void require_values(const Sample& a, const Sample& b, const std::string& what) {
  for (const Sample* sample : {&a, &b}) {
    if (sample->only_summary) {
      throw usage_error(what + " cannot be had from mean, SD and n: it needs the values")
          .with("got", sample->given)
          .hint("give a file or a comma list of values; --values reads three numbers as values");
    }
  }
}

void check_options(const Sample& a, const Sample& b, const TTestOptions& options) {
  const std::string& test = options.test;
  const auto only_for = [&](bool given, const char* flag, bool fits, const char* tests) {
    if (given && !fits) {
      throw usage_error(fmt::format("{} goes with --test {}", flag, tests)).with("test", test);
    }
  };
  only_for(options.correlation.has_value(), "--correlation", test == "paired", "paired");
  only_for(options.test_train_ratio.has_value(),
           "--test-train-ratio",
           test == "corrected-cv",
           "corrected-cv");
  only_for(options.paired_permutation, "--paired", test == "permutation", "permutation");
  only_for(options.margin.has_value(),
           "--margin",
           test == "student" || test == "welch",
           "student or welch");
  if (test == "permutation") {
    require_values(a, b, "a permutation test");
    if (options.paired_permutation) {
      require_pairs(a, b, "a permutation test of pairs");
    }
  } else if (test == "corrected-cv") {
    require_values(a, b, "the corrected test");
    require_pairs(a, b, "the corrected test");
    if (!options.test_train_ratio) {
      throw usage_error(
          "the corrected test needs the size of a test set over that of its training "
          "set")
          .hint("--test-train-ratio 0.25 for five folds, 0.5 for splits of 2:1");
    }
  } else if (test == "paired") {
    if (!a.only_summary && !b.only_summary) {
      require_pairs(a, b, "a paired test");
      if (options.correlation) {
        throw usage_error("--correlation is for mean, SD and n; lists of values have their own");
      }
    } else if (!options.correlation) {
      throw usage_error(
          "mean, SD and n do not say how the values of A and B go together: no paired test")
          .hint(
              "give the values, or a correlation of the pairs that you can defend: "
              "--correlation R");
    }
  } else if (test != "student" && test != "welch") {
    throw usage_error("unknown test: " + test)
        .hint("use student, welch, paired, permutation or corrected-cv");
  }
}

TTest permutation_as_test(TTestReport& report) {
  PermutationOptions options;
  options.paired = report.options.paired_permutation;
  options.seed = report.options.seed;
  const PermutationTest found = permutation_test(report.a.values, report.b.values, options);
  TTest test;
  test.test = "permutation";
  test.testable = found.testable;
  test.reason = found.reason;
  test.difference = found.difference;
  test.p = found.p;
  if (found.testable && found.floor >= report.options.alpha) {
    test.testable = false;
    test.reason = fmt::format(
        "the least p that {} can give is {:.4g}, not below alpha = {:g}",
        options.paired
            ? fmt::format("{} pairs", report.a.values.size())
            : fmt::format("{} against {} values", report.a.values.size(), report.b.values.size()),
        found.floor,
        report.options.alpha);
  }
  report.permutation = found;
  return test;
}

}  // namespace

Sample read_sample(const std::string& argument, Reading reading) {
  Sample sample;
  sample.given = argument;
  if (std::error_code ignored; std::filesystem::exists(argument, ignored)) {
    const std::string text = read_text(argument);
    sample.values = values_in(text, argument);
    if (has_decimal_commas(text)) {
      sample.doubt = argument +
                     ": every line is two whole numbers with a comma between, and was "
                     "read as two values; a decimal point must be a point";
    }
    sample.summary = summarise(sample.values);
    return sample;
  }
  const std::vector<Word> words = split(argument, false);
  std::string faults;
  std::size_t count = 0;
  for (std::size_t i = 0; i < words.size(); ++i) {
    const std::string fault = read_number(words[i].text, sample.values.emplace_back());
    if (!fault.empty()) {
      ++count;
      faults += fmt::format("\n  number {}: {}", i + 1, fault);
    }
  }
  const bool is_list = argument.find(',') != std::string::npos;
  if (!words.empty() && count == words.size() && !is_list && !is_infinite(argument)) {
    throw not_found_error(
        "a sample is \"mean,sd,n\", a comma list of values, or a file, and there is no such file")
        .with("got", argument);
  }
  if (count > 0 || words.empty()) {
    throw usage_error("a list needs finite numbers, separated by commas")
        .with("got", argument)
        .hint(words.empty() ? "e.g. 84.92,1.62,5" : faults.substr(1));
  }
  sample.three_values = words.size() == 3 && reading == Reading::automatic;
  const bool fits = words.size() == 3 && is_count(words[2].text) && sample.values[1] >= 0;
  if (reading == Reading::summary && !fits) {
    throw usage_error("this is not a mean, SD and n: three numbers, the SD not negative, n whole")
        .with("got", argument)
        .hint("values can be given in a file, or without --summary");
  }
  if (fits && reading != Reading::values) {
    sample.only_summary = true;
    sample.three_values = false;
    sample.could_be_values = reading == Reading::automatic && of_like_size(sample.values);
    sample.summary.mean = sample.values[0];
    sample.summary.n = std::stoi(words[2].text);
    if (sample.summary.n > 1) {
      sample.summary.sd = sample.values[1];
    }
    sample.values.clear();
    return sample;
  }
  sample.summary = summarise(sample.values);
  return sample;
}

std::string reading_notice(const Sample& a, const Sample& b) {
  const bool same_kind = a.only_summary == b.only_summary;
  std::string doubtful;
  std::string mistyped;
  std::string notice;
  const auto append = [](std::string& text, const char* between, const std::string& more) {
    text += (text.empty() ? "" : between) + more;
  };
  for (const Sample* sample : {&a, &b}) {
    if (sample->could_be_values) {
      append(doubtful, " and ", sample->given);
    }
    if (sample->three_values && (!same_kind || ends_like_a_summary(sample->values))) {
      append(mistyped, " and ", sample->given);
    }
    if (!sample->doubt.empty()) {
      append(notice, "; ", sample->doubt);
    }
  }
  if (!same_kind && !mistyped.empty()) {
    throw usage_error(
        "one sample is mean, SD and n; the other has three numbers that are not: the SD must not "
        "be negative, and n is written as a whole number")
        .with("got", mistyped)
        .hint("correct it, or say --values or --summary; three values may also stand in a file");
  }
  if (!same_kind && !doubtful.empty()) {
    throw usage_error("one sample is a list of values; the other may be values or mean, SD and n")
        .with("got", doubtful)
        .hint("say --values, or give the list of values in a file and say --summary");
  }
  if (!doubtful.empty()) {
    append(notice, "; ", doubtful + ": read as mean, SD, n; --values reads three values");
  }
  if (!mistyped.empty()) {
    append(notice,
           "; ",
           mistyped +
               ": read as three values; mean, SD, n needs an SD that is not negative and n "
               "written as a whole number");
  }
  return notice;
}

double sd_of_both(const Summary& a, const Summary& b) {
  return std::hypot(std::sqrt(a.n - 1.0) * *a.sd, std::sqrt(b.n - 1.0) * *b.sd) /
         std::sqrt(static_cast<double>(a.n) + b.n - 2);
}

ExitCode TTestReport::exit_code() const {
  return chosen.testable ? ExitCode::ok : ExitCode::results_missing;
}

TTestReport ttest_report(const Sample& a, const Sample& b, const TTestOptions& options) {
  check_options(a, b, options);
  TTestReport report;
  report.a = a;
  report.b = b;
  report.options = options;
  report.student = student_test(a.summary, b.summary, options.alpha);
  report.welch = welch_test(a.summary, b.summary, options.alpha);
  if (options.test == "student") {
    report.chosen = report.student;
  } else if (options.test == "welch") {
    report.chosen = report.welch;
  } else if (options.test == "paired") {
    report.chosen = options.correlation
                        ? paired_test(a.summary, b.summary, *options.correlation, options.alpha)
                        : paired_test(std::span<const double>(a.values), b.values, options.alpha);
  } else if (options.test == "corrected-cv") {
    report.chosen = corrected_cv_test(a.values, b.values, *options.test_train_ratio, options.alpha);
  } else {
    report.chosen = permutation_as_test(report);
  }
  if (options.margin) {
    report.equivalence = equivalence_test(
        a.summary, b.summary, *options.margin, options.test == "student", options.alpha);
  }
  if (report.student.testable && (options.test == "student" || options.test == "welch")) {
    report.detectable = sd_of_both(a.summary, b.summary) *
                        detectable_effect(a.summary.n, b.summary.n, options.power, options.alpha);
  }
  return report;
}

}  // namespace sar
