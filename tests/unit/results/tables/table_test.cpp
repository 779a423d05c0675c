#include "results/tables/table.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/statistics/statistics.h"
#include "results/tables/table_document.h"
#include "results/text/layout.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <chrono>
#include <cmath>
#include <cstdlib>
#include <regex>
#include <sstream>

namespace {

using namespace std::string_literals;
using sar::Json;
using sar::Store;
using sar::Table;
using sar::TableCell;
using sar::TableOptions;
using sar::TableSpec;
using sar::TemporaryFolder;
using sar::TrialDice;

TrialDice trial(const std::string& method,
                const std::string& task,
                const std::string& target,
                const std::string& bucket,
                int number,
                double dice) {
  return {method, task, "1", target, bucket, number, 4, dice, {}};
}

/// Three trials of everything but: Scratch has one trial of brats, Genesis none of pancreas.
std::vector<TrialDice> sample_trials() {
  std::vector<TrialDice> trials;
  const std::vector<std::string> buckets = {"S", "M", "L", "all"};
  for (int number = 0; number < 3; ++number) {
    for (std::size_t b = 0; b < buckets.size(); ++b) {
      const double shift = 1.5 * number + 0.25 * static_cast<double>(b) * number;
      const double base = 60 + 8 * static_cast<double>(b);
      if (number == 0) {
        trials.push_back(trial("scratch", "brats", "tumor", buckets[b], number, base - 9.126));
      }
      trials.push_back(trial("genesis", "brats", "tumor", buckets[b], number, base + shift));
      trials.push_back(
          trial("sar", "brats", "tumor", buckets[b], number, base + (b == 1 ? -2 : 7) + shift / 2));
    }
    for (const auto& [target, base] : {std::pair("organ"s, 70.0), std::pair("tumor"s, 20.0)}) {
      trials.push_back(trial("scratch", "pancreas", target, "all", number, base));
      trials.push_back(trial("sar", "pancreas", target, "all", number, base + 3 + number));
    }
  }
  return trials;
}

std::vector<sar::RunRow> sample_runs() {
  sar::RunRow failed;
  failed.cell = sar::test::cell_row("protocol-of-sample", "scratch", "brats", 1);
  failed.state = "failed";
  failed.reason = "loss is not finite";
  return {failed};
}

Table sample_table(const TableOptions& options = {}) {
  return sar::build_table(sample_trials(),
                          sample_runs(),
                          sar::test::protocol_row("protocol-of-sample"),
                          sar::test::small_spec(3),
                          options);
}

bool is_number(const std::string& text) {
  char* end = nullptr;
  std::strtod(text.c_str(), &end);
  return !text.empty() && *end == '\0';
}

/// Equal token by token; numbers of unrounded formats to 1e-9, since another machine's
/// mathematical library may differ in the last digits.
bool same_tokens(const std::string& a, const std::string& b) {
  const std::regex separator("[,\\s\\[\\]{}]+");
  std::sregex_token_iterator left(a.begin(), a.end(), separator, -1);
  std::sregex_token_iterator right(b.begin(), b.end(), separator, -1);
  const std::sregex_token_iterator end;
  for (; left != end && right != end; ++left, ++right) {
    const std::string x = *left;
    const std::string y = *right;
    const bool equal =
        is_number(x) && is_number(y) ? std::stod(x) == Approx(std::stod(y)).epsilon(1e-9) : x == y;
    if (!equal) {
      UNSCOPED_INFO(x << " is not " << y);
      return false;
    }
  }
  return left == end && right == end;
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) {
    ++found;
  }
  return found;
}

TEST_CASE("columns of the same runs are one comparison, and are said to be the same") {
  std::vector<TrialDice> trials;
  const auto add = [&](const std::string& method,
                       const std::string& fraction,
                       int number,
                       double dice,
                       const std::string& evaluation) {
    trials.push_back({method, "brats", fraction, "tumor", "all", number, 6, dice, evaluation});
  };
  for (int number = 0; number < 3; ++number) {
    const std::string trial = std::to_string(number);
    for (const auto& [fraction, node] :
         {std::pair{"1/2", "half"}, {"1/20", "few"}, {"1/50", "few"}}) {
      add("scratch",
          fraction,
          number,
          (node[0] == 'h' ? 50.0 : 30.0) + number,
          node + ("s" + trial));
      add("sar",
          fraction,
          number,
          (node[0] == 'h' ? 53.0 : 35.0) + 2 * number,
          node + ("r" + trial));
    }
  }
  sar::TableSpec spec;
  spec.id = "fractions";
  spec.title = "Fractions";
  spec.trials = 3;
  spec.rows = {{"scratch", "Scratch"}, {"sar", "SAR"}};
  for (const char* fraction : {"1/2", "1/20", "1/50"}) {
    spec.columns.push_back({"BraTS", fraction, "brats", "tumor", "all", fraction});
  }
  sar::TableOptions options;
  options.correction = "holm";
  const Table table = sar::build_table(trials, {}, sar::test::protocol_row("p"), spec, options);
  CHECK(table.same_runs == std::vector<std::vector<std::size_t>>{{1, 2}});
  const auto p = [&](std::size_t column) { return *table.cells[0][column].student; };
  // Two comparisons, not three: the smaller p is doubled, the larger stays.
  CHECK(p(1).p < p(0).p);
  CHECK(p(1).p_adjusted == Approx(2 * p(1).p).epsilon(1e-12));  // double rounding
  CHECK(p(0).p_adjusted == Approx(std::max(p(0).p, 2 * p(1).p)).epsilon(1e-12));
  CHECK(p(2).p_adjusted == p(1).p_adjusted);
  CHECK_THAT(sar::written(sar::document_of(table), "text"),
             Catch::Contains("1/20, 1/50 come to the"));
}

TEST_CASE("where nothing could be tested no difference is denied") {
  std::vector<TrialDice> trials;
  for (const char* method : {"scratch", "genesis", "sar"}) {
    trials.push_back({method, "brats", "1", "tumor", "all", 0, 6, 50.0, {}});
  }
  const Table table =
      sar::build_table(trials, {}, sar::test::protocol_row("p"), sar::test::small_spec(1), {});
  const std::string text = sar::written(sar::document_of(table), "text");
  CHECK_THAT(text, !Catch::Contains("no cell does"));
  CHECK_THAT(text, Catch::Contains("could not be tested against"));
}

}  // namespace

TEST_CASE("each format renders the approved text") {
  // SARBENCH_APPROVE=1 writes the files anew; the difference is then reviewed like code.
  const Table table = sample_table();
  for (const std::string format : {"text", "md", "latex", "html", "csv", "json"}) {
    const std::filesystem::path path =
        std::string(SARBENCH_SOURCE_DIR) + "/tests/golden/results/table." + format + ".approved";
    const std::string rendered = sar::written(sar::document_of(table), format);
    if (std::getenv("SARBENCH_APPROVE") != nullptr) {
      sar::write_file_atomically(path, rendered);
    }
    INFO(format);
    const std::string approved = sar::read_file(path);
    if (format == "csv" || format == "json") {
      CHECK(same_tokens(rendered, approved));
    } else {
      CHECK(rendered == approved);
    }
  }
}

TEST_CASE("measured and published numbers stand in two lines of each method, in every layout") {
  const Table measured = sample_table();
  Table published = sample_table();
  published.source = "published";
  published.cells[2][0].mean = 12.34;
  published.cells[2][0].best = false;
  const std::string text = sar::written(sar::document_of(measured, published), "text");
  CHECK_THAT(text, Catch::StartsWith("Comparison with state-of-the-art methods, measured and"));
  CHECK_THAT(text, Catch::Contains("SAR      measured   67.75±0.75*"));
  CHECK_THAT(text, Catch::Contains("         published  12.34±0.75 "));
  CHECK_THAT(text, Catch::Contains("\nAs published: Dice in percent"));
  CHECK_THAT(text, Catch::Contains("\nMeasured: t-tests of each row against SAR"));
  CHECK_THAT(text, Catch::Contains("\nPublished: t-tests of each row against SAR"));
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    CHECK(sar::display_width(line) <= sar::kTextWidth);
  }
  CHECK_THAT(sar::written(sar::document_of(measured, published), "md"),
             Catch::Contains("| SAR | measured | **67.75 ± 0.75** |") &&
                 Catch::Contains("|  | published | 12.34 ± 0.75 |"));
  // Whoever reads a page row by row needs the method in each.
  CHECK_THAT(sar::written(sar::document_of(measured, published), "html"),
             Catch::Contains("<th scope=\"row\">SAR</th><td>published</td><td>12.34 ± 0.75</td>"));
  CHECK_THAT(sar::written(sar::document_of(measured, published), "latex"),
             Catch::Contains(" & published & $12.34_{\\pm 0.75}$ &"));
}

TEST_CASE("without a run the measured lines are gaps and name no protocol") {
  const Table published = sample_table();
  const Table measured =
      sar::build_table(std::vector<TrialDice>{}, {}, {}, sar::test::small_spec(5), {});
  const std::string text = sar::written(sar::document_of(measured, published), "text");
  CHECK_THAT(text, Catch::Contains("No run of it is stored."));
  CHECK_THAT(text, !Catch::Contains("Protocol , profile"));
}

TEST_CASE("a cell's text is what every layout shows") {
  const Table table = sample_table();
  const sar::CellText best = sar::cell_text(table, 2, 0);
  CHECK(best.value == "67.75±0.75");
  CHECK(best.marks.empty());
  CHECK(best.best);
  CHECK(sar::cell_text(table, 1, 0).marks == "†");
  CHECK(sar::is_significant(table, table.cells[1][0]));
  CHECK_FALSE(sar::is_significant(table, table.cells[2][0]));
  CHECK(sar::cell_text(table, 0, 0).value == "50.87");
  CHECK(sar::cell_text(table, 0, 0).marks == " (1/3)");
  CHECK(sar::cell_text(table, 1, 4).value == "–");
  CHECK(sar::column_name(table.spec, 0) == "TumorS");
}

TEST_CASE("a cell holds mean, spread and tests of its trials") {
  const Table table = sample_table();
  const sar::TableCell& cell = table.cells[1][0];  // Genesis, TumorS: 60, 61.5, 63
  CHECK(cell.n == 3);
  CHECK(*cell.mean == Approx(61.5).epsilon(1e-14));  // tolerance: rounding of a mean of three
  CHECK(*cell.sd == Approx(1.5).epsilon(1e-14));
  const sar::TTest expected = sar::student_test({61.5, 1.5, 3}, {67.75, 0.75, 3});
  REQUIRE(cell.student);
  CHECK(cell.student->t == Approx(expected.t).epsilon(1e-12));
  CHECK(cell.student->p == Approx(expected.p).epsilon(1e-12));
  CHECK(cell.student->t < 0);  // row minus reference
  REQUIRE(cell.welch);
  CHECK(cell.welch->df < cell.student->df);
}

TEST_CASE("the best of each column is marked once and the reference is not tested") {
  const Table table = sample_table();
  for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
    int best = 0;
    for (const auto& row : table.cells) {
      best += row[column].best ? 1 : 0;
      if (row[column].best) {
        for (const auto& other : table.cells) {
          CHECK(other[column].mean.value_or(0) <= *row[column].mean);
        }
      }
    }
    CHECK(best == 1);
    CHECK_FALSE(table.cells[2][column].student);
    CHECK(table.cells[2][column].not_testable.empty());
  }
  CHECK(table.cells[1][1].best);  // Genesis wins TumorM
}

TEST_CASE("equal best values share the mark and a lone value has none") {
  TableSpec spec = sar::test::small_spec(1);
  spec.columns.resize(1);
  std::vector<TrialDice> trials = {trial("genesis", "brats", "tumor", "S", 0, 70.0)};
  const auto marks = [&] {
    const Table table = sar::build_table(trials, {}, sar::test::protocol_row("p"), spec, {});
    return std::vector<bool>{
        table.cells[0][0].best, table.cells[1][0].best, table.cells[2][0].best};
  };
  CHECK(marks() == std::vector<bool>{false, false, false});
  trials.push_back(trial("sar", "brats", "tumor", "S", 0, 70.0));
  CHECK(marks() == std::vector<bool>{false, true, true});
}

TEST_CASE("gaps, single trials and failures are shown as such") {
  const Table table = sample_table();
  CHECK(table.cells[1][4].n == 0);
  CHECK_FALSE(table.cells[1][4].mean);
  CHECK_FALSE(table.cells[1][4].student);
  CHECK(table.cells[0][0].n == 1);
  CHECK_FALSE(table.cells[0][0].sd);
  CHECK(table.cells[0][0].not_testable == "n = 1");
  CHECK(table.cells[0][0].failed == 1);
  CHECK(table.cells[0][4].failed == 0);
  CHECK(sar::filled_cells(table) == 16);
  const std::string text = sar::written(sar::document_of(table), "text");
  CHECK(text.find("(1/3)") != std::string::npos);
  CHECK(text.find("Failed trials: Scratch on brats:") != std::string::npos);
}

TEST_CASE("a table without any trial renders in every format") {
  const Table table = sar::build_table(std::vector<TrialDice>{},
                                       {},
                                       sar::test::protocol_row("p", "real"),
                                       sar::test::small_spec(5),
                                       {});
  CHECK(sar::filled_cells(table) == 0);
  for (const std::string format : {"text", "md", "latex", "html", "csv", "json"}) {
    CHECK_FALSE(sar::written(sar::document_of(table), format).empty());
  }
  CHECK(Json::parse(sar::written(sar::document_of(table), "json"))["rows"][0]["cells"][0]["mean"]
            .is_null());
}

TEST_CASE("phantom data is marked in every format, real data in none") {
  for (const std::string format : {"text", "md", "latex", "html", "csv", "json"}) {
    for (const std::string kind : {"phantom", "real"}) {
      const Table table = sar::build_table(
          sample_trials(), {}, sar::test::protocol_row("p", kind), sar::test::small_spec(3), {});
      INFO(format << " " << kind);
      CHECK((sar::written(sar::document_of(table), format).find("phantom") != std::string::npos) ==
            (kind == "phantom"));
    }
  }
}

TEST_CASE("corrections act on all cells of the table together") {
  TableOptions options;
  options.correction = "holm";
  const Table table = sample_table(options);
  std::vector<double> p;
  std::vector<double> adjusted;
  for (const auto& row : table.cells) {
    for (const sar::TableCell& cell : row) {
      if (cell.student) {
        p.push_back(cell.student->p);
        adjusted.push_back(cell.student->p_adjusted);
      }
    }
  }
  CHECK(p.size() == 6);  // Genesis on brats, Scratch on pancreas
  CHECK(adjusted == sar::adjust(p, "holm"));
  CHECK(sar::written(sar::document_of(table), "text").find("p holm") != std::string::npos);
}

TEST_CASE("the chosen test decides the marks") {
  TableOptions options;
  options.test = "welch";
  options.alpha = 0.01;
  const Table table = sample_table(options);
  const Json json = Json::parse(sar::written(sar::document_of(table), "json"));
  CHECK(json["rows"][1]["cells"][0]["p_vs_sar"] == table.cells[1][0].welch->p);
  CHECK(json["test"] == "welch");
  CHECK(json["alpha"] == 0.01);
  options.test = "wilcoxon";
  CHECK_THROWS_AS(sample_table(options), sar::Error);
  CHECK_THROWS_AS(sar::written(sar::document_of(table), "pdf"), sar::Error);
}

TEST_CASE("JSON holds the shape of the contract and the unrounded numbers") {
  const Table table = sample_table();
  const Json json = Json::parse(sar::written(sar::document_of(table), "json"));
  CHECK(json["schema_version"] == 1);
  CHECK(json["table"] == "table2");
  CHECK(json["source"] == "measured");
  CHECK(json["protocol"] == "protocol-of-sample");
  CHECK(json["data_kind"] == "phantom");
  REQUIRE(json["rows"].size() == 3);
  for (std::size_t row = 0; row < 3; ++row) {
    CHECK(json["rows"][row]["method"] == table.spec.rows[row].method);
    for (std::size_t column = 0; column < table.spec.columns.size(); ++column) {
      const Json& shown = json["rows"][row]["cells"][column];
      const sar::TableCell& cell = table.cells[row][column];
      CHECK(shown["target"] == cell.target);
      CHECK(shown["bucket"] == cell.bucket);
      CHECK(shown["task"] == cell.task);
      CHECK(shown["fraction"] == cell.fraction);
      CHECK(shown["n"] == cell.n);
      CHECK(shown["best"] == cell.best);
      CHECK(shown["mean"].is_null() == !cell.mean);
      CHECK(shown["sd"].is_null() == !cell.sd);
      CHECK(shown["p_vs_sar"].is_null() == !cell.student);
      if (cell.student) {  // exact: the text is the shortest that reads back the same
        CHECK(shown["mean"] == *cell.mean);
        CHECK(shown["p_vs_sar"] == cell.student->p);
        CHECK(shown["p_adjusted"] == cell.student->p_adjusted);
      }
    }
  }
}

TEST_CASE("CSV has one line per cell, all of equal length") {
  const std::string csv = sar::written(sar::document_of(sample_table()), "csv");
  CHECK(count(csv, "\n") == 1 + 3 * 6);
  std::istringstream lines(csv);
  std::string line;
  std::getline(lines, line);
  const std::size_t commas = count(line, ",");
  while (std::getline(lines, line)) {
    CHECK(count(line, ",") == commas);
  }
}

TEST_CASE("special characters cannot break a format") {
  TableSpec spec = sar::test::small_spec(3);
  spec.rows[0].label = "50% & <b>|_x_|</b>, \"q\" {#$^~\\}";
  spec.title = spec.rows[0].label;
  const Table table = sar::build_table(sample_trials(), {}, sar::test::protocol_row("p"), spec, {});
  const std::string html = sar::written(sar::document_of(table), "html");
  CHECK(html.find("<b>") == std::string::npos);
  CHECK(html.find("50% &amp; &lt;b&gt;") != std::string::npos);
  const std::string latex = sar::written(sar::document_of(table), "latex");
  CHECK(latex.find("50\\% \\& $<$b$>$$|$\\_x\\_$|$") != std::string::npos);
  CHECK(latex.find("\\{\\#\\$\\textasciicircum{}\\textasciitilde{}\\textbackslash{}\\}") !=
        std::string::npos);
  const std::string csv = sar::written(sar::document_of(table), "csv");
  CHECK(csv.find("\"50% & <b>|_x_|</b>, \"\"q\"\" {#$^~\\}\"") != std::string::npos);
  // Markdown: every line of a grid has as many unescaped bars as its rule below the header.
  const std::string md =
      std::regex_replace(sar::written(sar::document_of(table), "md"), std::regex(R"(\\\|)"), "");
  std::istringstream lines(md);
  std::string line;
  std::size_t bars = 0;
  while (std::getline(lines, line)) {
    if (line.starts_with("|")) {
      bars = bars == 0 ? count(line, "|") : bars;
      CHECK(count(line, "|") == bars);
    } else {
      bars = 0;
    }
  }
}

TEST_CASE("LaTeX environments, braces and dollars are balanced") {
  const std::string latex = sar::written(sar::document_of(sample_table()), "latex");
  CHECK(count(latex, "\\begin{table}") == 2);
  CHECK(count(latex, "\\begin{table}") == count(latex, "\\end{table}"));
  CHECK(count(latex, "\\begin{tabular}") == count(latex, "\\end{tabular}"));
  CHECK(count(latex, "\\toprule") == count(latex, "\\bottomrule"));
  CHECK(count(latex, "{") == count(latex, "}"));
  CHECK(count(latex, "$") % 2 == 0);
  CHECK(latex.find("$\\mathbf{67.75_{\\pm 0.75}}$") != std::string::npos);
  for (const char byte : latex) {  // pure ASCII: every engine reads it
    CHECK(static_cast<unsigned char>(byte) < 128);
  }
}

TEST_CASE("HTML elements are closed in order") {
  const std::string html = sar::written(sar::document_of(sample_table()), "html");
  std::vector<std::string> open;
  const std::regex tag("<(/?)([a-z]+)[^>]*>");
  for (std::sregex_iterator at(html.begin(), html.end(), tag), end; at != end; ++at) {
    if ((*at)[1].length() == 0) {
      open.push_back((*at)[2]);
    } else {
      REQUIRE_FALSE(open.empty());
      CHECK(open.back() == (*at)[2].str());
      open.pop_back();
    }
  }
  CHECK(open.empty());
}

TEST_CASE("text keeps within 100 columns, breaking a wide table between groups") {
  TableSpec spec = sar::test::small_spec(3);
  const std::vector<sar::TableColumn> columns = spec.columns;
  for (const auto& column : columns) {  // twice as wide
    spec.columns.push_back(column);
    spec.columns.back().group += " again";
  }
  const Table table = sar::build_table(sample_trials(), {}, sar::test::protocol_row("p"), spec, {});
  std::string text = sar::written(sar::document_of(table), "text");
  text.resize(text.find("t-tests of"));  // the list of tests is as wide as its names
  CHECK(count(text, "Method") > 1);
  CHECK(text.find("Tumorall\n") != std::string::npos);  // the end of a group ends a block
  std::istringstream lines(text);
  std::string line;
  while (std::getline(lines, line)) {
    const auto width = std::count_if(line.begin(), line.end(), [](char byte) {
      return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U;
    });
    INFO(line);
    CHECK(width <= 100);
  }
}

TEST_CASE("colour replaces the star of the best value by bold print") {
  const Table table = sample_table();
  const std::string plain = sar::written(sar::document_of(table), "text");
  const std::string color = sar::written(sar::document_of(table), "text", {true});
  CHECK(plain.find('\x1b') == std::string::npos);
  CHECK(count(plain, "*") == 6 + 1);  // one a column, and the note
  CHECK(count(color, "\x1b[1m") == 6);
  CHECK(count(color, "\x1b[0m") == 6);
  CHECK(color.find('*') == std::string::npos);
}

TEST_CASE("the tests of a whole Table 2 are quick") {
  TableSpec spec = sar::test::small_spec(5);
  const std::vector<sar::TableColumn> columns = spec.columns;
  std::vector<TrialDice> trials;
  spec.rows.clear();
  for (const std::string method :
       {"scratch", "genesis", "rpl", "jig", "rot", "cpc", "mial", "sa", "sar"}) {
    spec.rows.push_back({method, method});
    for (const sar::TableColumn& column : columns) {
      for (int number = 0; number < 5; ++number) {
        const auto salt = static_cast<double>(trials.size() * trials.size() % 97);
        trials.push_back(
            trial(method, column.task, column.target, column.bucket, number, 60 + salt / 10));
      }
    }
  }
  const auto start = std::chrono::steady_clock::now();
  const Table table = sar::build_table(trials, {}, sar::test::protocol_row("p"), spec, {});
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  CHECK(sar::filled_cells(table) == 54);
  INFO("48 comparisons by two tests: " << seconds.count() * 1e3 << " ms");
  CHECK(seconds.count() < 0.3);
}

TEST_CASE("a table built from the store shows what v_cell and v_ttest hold") {
  const TemporaryFolder folder;
  Store store(folder.path() / "runs.sqlite", Store::Mode::read_write);
  store.put_protocol(sar::test::protocol_row("proto1"));
  for (const char* method : {"scratch", "genesis", "sar"}) {
    for (int trial = 0; trial < 3; ++trial) {
      const double dice = 70 + 3.3 * trial + 2 * static_cast<double>(method[0] == 's');
      sar::test::put_done_cell(store,
                               sar::test::cell_row("proto1", method, "brats", trial),
                               sar::test::brats_cases(dice));
      sar::test::put_done_cell(store,
                               sar::test::cell_row("proto1", method, "pancreas", trial),
                               sar::test::pancreas_cases(dice, dice / 2));
    }
  }
  store.renew_statistics("proto1", {sar::test::small_spec(3)});
  TableOptions options;
  options.correction = "holm";
  const Table table =
      sar::build_table(store, *store.protocol("proto1"), sar::test::small_spec(3), options);
  CHECK(sar::filled_cells(table) == 18);
  for (std::size_t r = 0; r < table.cells.size(); ++r) {
    for (const TableCell& cell : table.cells[r]) {
      const std::string where = " WHERE method = '" + table.spec.rows[r].method + "' AND task = '" +
                                cell.task + "' AND target = '" + cell.target + "' AND bucket = '" +
                                cell.bucket + "'";
      // Exact: the same function over the same rows.
      const Json stored = store.query("SELECT mean, sd, n_trials FROM v_cell" + where)["rows"];
      CHECK(stored == Json::array({Json::array({*cell.mean, *cell.sd, cell.n})}));
      const Json tests = store.query("SELECT p, p_adjusted FROM v_ttest" + where +
                                     " AND test = 'student'")["rows"];
      if (cell.student) {
        CHECK(tests == Json::array({Json::array({cell.student->p, cell.student->p_adjusted})}));
      } else {
        CHECK(tests.empty());
      }
    }
  }
}
