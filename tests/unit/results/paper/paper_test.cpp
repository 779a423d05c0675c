#include "results/paper/paper.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/paper/claims.h"
#include "results/tables/table_document.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <cmath>
#include <map>

namespace sar::paper_test {

const std::filesystem::path kSar =
    std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021";

TEST_CASE("a printed number keeps its digits and the interval that they stand for") {  // exact
  const PrintedNumber number = parse_printed("78.30");
  CHECK(number.text == "78.30");
  CHECK(number.value == 78.3);
  CHECK(number.half_unit == Approx(0.005).epsilon(1e-15));
  CHECK(parse_printed("7").half_unit == 0.5);
  CHECK(parse_printed("-2.5").value == -2.5);
  for (const char* text :
       {"", ".", "78.", "78,3", "7e1", "NaN", "1.2.3", " 7", "7 ", "±7", "0x10"}) {
    INFO(text);
    CHECK_THROWS_AS(parse_printed(text), Error);
  }
}

TEST_CASE("the SAR paper's tables are read as printed") {  // exact
  const Paper paper = read_paper(kSar);
  CHECK(paper.id == "sar2021");
  CHECK(paper.reference == "sar");
  CHECK(paper.data_table == "table1");
  const std::map<std::string, std::pair<std::size_t, std::size_t>> sizes{
      {"table2", {9, 6}}, {"table3", {4, 4}}, {"table4", {2, 10}}};
  for (const auto& [id, size] : sizes) {
    INFO(id);
    const PrintedTable* table = paper.find(id);
    REQUIRE(table != nullptr);
    CHECK(table->cells.size() == size.first);
    CHECK(table->spec.columns.size() == size.second);
    for (const auto& row : table->cells) {
      for (const PrintedCell& cell : row) {
        CHECK(cell.mean.half_unit == Approx(0.005).epsilon(1e-12));  // two decimals everywhere
        CHECK(cell.sd.has_value() == (id != "table4"));
        CHECK(cell.bold.has_value() == (id == "table2"));
      }
    }
  }
  CHECK(paper.find("table9") == nullptr);
  const PrintedTable& table2 = *paper.find("table2");
  // Sums of all means and SDs in hundredths, per column and per row, taken by a script from the
  // paper's text: no digit can be mistyped without moving one of each.
  using Sums = std::vector<long>;
  const auto hundredths = [](const PrintedNumber& number) {
    return std::lround(100 * number.value);
  };
  const auto sums = [&](const std::string& id, bool columns, bool spread) {
    const auto& cells = paper.find(id)->cells;
    Sums list(columns ? cells[0].size() : cells.size());
    for (std::size_t row = 0; row < cells.size(); ++row) {
      for (std::size_t column = 0; column < cells[row].size(); ++column) {
        const PrintedCell& cell = cells[row][column];
        list[columns ? column : row] += hundredths(spread ? *cell.sd : cell.mean);
      }
    }
    return list;
  };
  CHECK(sums("table2", true, false) == Sums{63241, 73660, 72243, 70739, 66098, 26697});
  CHECK(sums("table2", true, true) == Sums{3529, 1283, 1762, 1651, 1400, 2955});
  CHECK(sums("table2", false, false) ==
        Sums{39157, 43597, 42090, 38345, 38145, 38764, 43826, 44033, 44721});
  CHECK(sums("table2", false, true) == Sums{2530, 1863, 984, 1368, 877, 1993, 781, 967, 1217});
  CHECK(sums("table3", true, false) == Sums{30646, 34556, 34894, 33692});
  CHECK(sums("table3", true, true) == Sums{1446, 461, 1329, 907});
  CHECK(sums("table3", false, false) == Sums{33496, 33088, 33443, 33761});
  CHECK(sums("table3", false, true) == Sums{708, 1403, 1200, 832});
  CHECK(sums("table4", true, false) ==
        Sums{14785, 12666, 12070, 8596, 5731, 8885, 7550, 6516, 5522, 2573});
  CHECK(sums("table4", false, false) == Sums{38478, 46416});
  // SAR is the same row in Tables 2 and 3.
  for (std::size_t column = 0; column < 4; ++column) {
    CHECK(table2.cells[8][column].mean.text == paper.find("table3")->cells[3][column].mean.text);
    CHECK(table2.cells[8][column].sd->text == paper.find("table3")->cells[3][column].sd->text);
  }
  REQUIRE(paper.datasets.size() == 4);
  long cubes = 0;
  long ct = 0;
  long mri = 0;
  for (const PrintedDataset& set : paper.datasets) {
    for (const long count : set.cube_counts()) {
      cubes += count;
    }
    (set.modality == "CT" ? ct : mri) += set.volumes();
  }
  CHECK(cubes == 106'560);
  CHECK(ct == 734);
  CHECK(mri == 790);
}

TEST_CASE("published numbers are tested from mean, SD and n") {
  const Paper paper = read_paper(kSar);
  const PrintedTable& printed = *paper.find("table2");
  const Table table = published_table(printed, printed.spec, {});
  CHECK(table.source == "published");
  CHECK(filled_cells(table) == 54);
  // Scratch against SAR on TumorS, by SciPy 1.17.1:
  // scipy.stats.ttest_ind_from_stats(65.41, 7.82, 5, 78.10, 3.20, 5), and with equal_var=False.
  // Tolerance: double rounding of either side.
  const TableCell& cell = table.cells[0][0];
  REQUIRE(cell.student);
  CHECK(cell.student->t == Approx(-3.3583088452188328).epsilon(1e-10));
  CHECK(cell.student->df == 8);
  CHECK(cell.student->p == Approx(0.009956737863254331).epsilon(1e-10));
  REQUIRE(cell.welch);
  CHECK(cell.welch->p == Approx(0.01841237438219546).epsilon(1e-10));
  CHECK_FALSE(table.cells[8][0].student);  // the reference itself
}

TEST_CASE("published numbers take the rows and columns of the table that is shown") {
  const Paper paper = read_paper(kSar);
  const PrintedTable& printed = *paper.find("table2");
  TableSpec spec = printed.spec;
  std::ranges::reverse(spec.rows);
  std::ranges::reverse(spec.columns);
  spec.rows.push_back({"scale2", "1/2"});  // the paper's Table 2 has no such row
  const Table table = published_table(printed, spec, {});
  CHECK(table.cells[0][0].mean == 33.92);
  CHECK(table.cells[8][5].mean == 65.41);
  CHECK_FALSE(table.cells[9][0].mean);
  CHECK(table.cells[9][0].n == 0);
}

TEST_CASE("without a printed SD a cell has a mean and no test") {
  const Paper paper = read_paper(kSar);
  const Table table = published_table(*paper.find("table4"), paper.find("table4")->spec, {});
  CHECK(table.cells[0][0].mean == 68.37);
  CHECK_FALSE(table.cells[0][0].sd);
  CHECK_FALSE(table.cells[0][0].student);
  CHECK(table.cells[0][0].not_testable == "n is not stated");
  CHECK(filled_cells(table) == 20);
  const std::string text = written(document_of(table), "text");
  CHECK_THAT(text, Catch::Contains("over how many trials is not stated"));
  CHECK_THAT(text, Catch::Contains("could not be tested against SAR (n is not stated)"));
  CHECK_THAT(text, !Catch::Contains("no cell does"));
  CHECK(Json::parse(written(document_of(table), "json"))
            .at("rows")[0]
            .at("cells")[0]
            .at("n")
            .is_null());
}

/// A paper in a folder of its own, with some texts of one table replaced.
using Changes = std::vector<std::pair<std::string, std::string>>;
struct Copy {
  TemporaryFolder folder;
  explicit Copy(const Changes& changes, const std::string& name = "table3") {
    std::filesystem::copy(kSar, folder.path(), std::filesystem::copy_options::recursive);
    std::string text = read_file(folder.path() / (name + ".toml"));
    for (const auto& [from, to] : changes) {
      const auto at = text.find(from);
      REQUIRE(at != std::string::npos);
      text.replace(at, from.size(), to);
    }
    write_file_atomically(folder.path() / (name + ".toml"), text);
  }
  [[nodiscard]] std::string fault(ExitCode code = ExitCode::data_invalid) const {
    try {
      read_paper(folder.path());
    } catch (const Error& error) {
      CHECK(error.code() == code);
      return error.what();
    }
    return "accepted";
  }
};

TEST_CASE("all faults of a paper's files are reported at once, with their places") {
  const std::string message = Copy(Changes{{"76.17±2.55", "76,17±2.55"},
                                           {"\"75.31±4.49\", ", ""},
                                           {"method = \"scale8\"", "method = 8"}})
                                  .fault();
  CHECK_THAT(message, Catch::Contains("table3.toml: row 1: cell 1: '76,17' is not a plain number"));
  CHECK_THAT(message, Catch::Contains("table3.toml: row 2: has 3 cells for 4 columns"));
  CHECK_THAT(message, Catch::Contains("table3.toml: row 3: 'method' must be given as text"));
  CHECK_THAT(message, Catch::Contains("3 faults"));
}

TEST_CASE("counts, bold marks and file names of a paper are checked") {
  CHECK_THAT(Copy(Changes{{"190x4", "190 of 285"}}, "table1").fault(),
             Catch::Contains("whole number"));
  CHECK_THAT(
      Copy(Changes{{"bold = [false, true, false, false, false, false]", "bold = [true]"}}, "table2")
          .fault(),
      Catch::Contains("one per cell"));
  CHECK_THAT(Copy(Changes{{"id = \"table3\"", "id = \"table5\""}}).fault(),
             Catch::Contains("named table3"));
  CHECK_THAT(Copy(Changes{{"trials = 5", "trials = 0"}}).fault(), Catch::Contains("'trials'"));
  const Copy absent(Changes{});
  std::filesystem::remove(absent.folder.path() / "table4.toml");
  CHECK_THAT(absent.fault(ExitCode::data_not_found), Catch::Contains("table4.toml"));
}

TEST_CASE(
    "a file that is not TOML is named with line and column, beside the faults of the others") {
  const Copy copy(Changes{{"id = \"table3\"", "id = \"table3"}});
  const std::string table2 = read_file(copy.folder.path() / "table2.toml");
  write_file_atomically(copy.folder.path() / "table2.toml",
                        std::string(table2).replace(table2.find("65.41"), 5, "65,41"));
  const std::string message = copy.fault();
  CHECK_THAT(message,
             Catch::Contains("2 faults") && Catch::Contains("table3.toml: not valid TOML") &&
                 Catch::Contains("line: 2") && Catch::Contains("column: ") &&
                 Catch::Contains("table2.toml: row 1: cell 1: '65,41' is not a plain number"));
  write_file_atomically(copy.folder.path() / "paper.toml", "id = \n");
  CHECK_THAT(copy.fault(),
             Catch::Contains("paper.toml: not valid TOML") && Catch::Contains("line: 1"));
}

TEST_CASE("cells that are not numbers, an SD that is missing, and a table of one row are refused") {
  for (const char* cell : {"n/a",
                           "–",
                           "",
                           "±2.55",
                           "76.17±",
                           "76.17±2.55±1",
                           "7 6.17±2.55",
                           "76.17%",
                           "1e2±3",
                           "nan",
                           "76.17 (2.55)"}) {
    INFO(cell);
    CHECK_THAT(Copy(Changes{{"76.17±2.55", cell}}).fault(),
               Catch::Contains("table3.toml: row 1: cell 1: ") &&
                   Catch::Contains("is not a plain number"));
  }
  const std::string missing =
      Copy(Changes{{"76.17±2.55", "76.17"}, {"85.97±1.75", "85.97"}}).fault();
  CHECK_THAT(missing,
             Catch::Contains("2 faults") &&
                 Catch::Contains("row 1: cell 1: '76.17' has no SD, but other cells") &&
                 Catch::Contains("row 2: cell 2: '85.97' has no SD"));
  CHECK(Copy(Changes{{"76.17±2.55", "76.17"}, {"trials = 5", "trials = 5\nincomplete_sd = true"}})
            .fault() == "accepted");
  const Copy one_row(Changes{});
  const auto file = one_row.folder.path() / "table4.toml";
  const std::string text = read_file(file);
  write_file_atomically(file, text.substr(0, text.rfind("[[rows]]")));
  CHECK_THAT(one_row.fault(), Catch::Contains("table4.toml: a table needs at least two rows"));
}

TEST_CASE("numbers too large to count with are refused") {
  CHECK_THAT(Copy(Changes{{"trials = 5", "trials = 4294967301"}}).fault(),  // 5 in 32 bits
             Catch::Contains("'trials'"));
  CHECK_THAT(Copy(Changes{{"190x4", "99999999999x99999999999"}}, "table1").fault(),
             Catch::Contains("'cases' is more than 1000000000000"));
  PrintedDataset set;
  set.cases = "99999999999x99999999999";
  CHECK_THROWS_AS(set.volumes(), Error);
}

TEST_CASE("a table that is listed twice and a second table of data sets are refused") {
  const std::string tables = R"("table1", "table2", "table3", "table4"])";
  CHECK_THAT(
      Copy(Changes{{tables, R"("table1", "table2", "table3", "table4", "table2"])"}}, "paper")
          .fault(),
      Catch::Contains("'tables' lists 'table2' twice"));
  const Copy copy(Changes{{tables, R"("table1", "table2", "table3", "table4", "table5"])"}},
                  "paper");
  std::string text = read_file(copy.folder.path() / "table1.toml");
  text.replace(text.find("\"table1\""), std::string("\"table1\"").size(), "\"table5\"");
  write_file_atomically(copy.folder.path() / "table5.toml", text);
  CHECK_THAT(copy.fault(), Catch::Contains("a second table of data sets beside table1"));
}

TEST_CASE("slips in names are refused: unknown fields, doubles, references to nothing") {
  CHECK_THAT(Copy(Changes{{"trials = 5", "trails = 5"}}).fault(),
             Catch::Contains("unknown field 'trails'; did you mean 'trials'?"));
  CHECK_THAT(Copy(Changes{{"bucket = \"S\"", "buckets = \"S\""}}).fault(),
             Catch::Contains("column 1: unknown field 'buckets'; did you mean 'bucket'?"));
  CHECK_THAT(Copy(Changes{{"method = \"scale4\"", "method = \"scale2\""}}).fault(),
             Catch::Contains("row 2: 'scale2' is row 1 already"));
  CHECK_THAT(Copy(Changes{{"bucket = \"M\"", "bucket = \"S\""}}).fault(),
             Catch::Contains("column 2: task, target, bucket and fraction are those of column 1"));
  CHECK_THAT(Copy(Changes{{"reference = \"sar\"", "reference = \"sa2\""}}, "paper").fault(),
             Catch::Contains("no table has a row of method 'sa2'; did you mean 'sa'?"));
  CHECK_THAT(Copy(Changes{{"\"M\", \"L\"]", "\"M\", \"XL\"]"}}, "paper").fault(),
             Catch::Contains("buckets 1: no table has a column of task 'brats', target 'tumor', "
                             "bucket 'XL'"));
  CHECK_THAT(Copy(Changes{{"cases = 95", "cases = 2"}}, "paper").fault(),
             Catch::Contains("buckets 1: 'cases' must be the number of test cases"));
}

TEST_CASE("a paper of other methods, tasks, buckets and decimals is read, with its claims") {
  const Paper paper =
      read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/invented2024");
  CHECK(paper.reference == "ours");
  CHECK(paper.data_table == "cohorts");
  REQUIRE(paper.find("main") != nullptr);
  CHECK(paper.find("main")->spec.trials == 3);
  CHECK(paper.find("main")->cells[0][0].mean.half_unit == Approx(0.05).epsilon(1e-12));
  CHECK(paper.find("labels")->spec.trials == 0);
  CHECK(paper.bucket_groups.at(0).parts == std::vector<std::string>{"small", "large"});
  CHECK(paper.datasets.at(1).volumes() == 120);
  CHECK_THAT(paper.title, Catch::Contains("no number in it was measured"));
  CHECK(read_claim_files(paper, {}).size() == 8);
}

}  // namespace sar::paper_test
