// What is printed as LaTeX compiles with pdflatex, in the class article with booktabs and nothing
// else, as the comment above each table says.

#include "harness/core/files.h"
#include "results/audit/audit.h"
#include "results/audit/audit_document.h"
#include "results/claims/claim_document.h"
#include "results/claims/claim_verdicts.h"
#include "results/document/latex_tables.h"
#include "results/paper/assumptions.h"
#include "results/paper/claims.h"
#include "results/paper/data_sheet.h"
#include "results/paper/paper.h"
#include "results/tables/table.h"
#include "results/tables/table_document.h"

#include <catch2/catch.hpp>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace {

using sar::Table;

sar::Paper paper() {
  return sar::read_paper(std::filesystem::path(SARBENCH_SOURCE_DIR) / "experiments/papers/sar2021");
}

/// The log of a document with this body; an error is a failure of the test that shows it.
std::string compile(const std::string& body) {
  const sar::TemporaryFolder folder("latex-test");
  sar::write_file_atomically(folder.path() / "page.tex",
                             "\\documentclass{article}\n\\usepackage{booktabs}\n"
                             "\\begin{document}\n" +
                                 body + "\\end{document}\n");
  const std::string command = "cd '" + folder.path().string() +
                              "' && pdflatex -interaction=nonstopmode -halt-on-error page.tex "
                              "> output.txt 2>&1";
  const int code = std::system(command.c_str());  // NOLINT(cert-env33-c)
  INFO(sar::read_file(folder.path() / "output.txt"));
  INFO("needs pdflatex (Debian: texlive-latex-recommended)");
  REQUIRE(code == 0);
  REQUIRE(std::filesystem::exists(folder.path() / "page.pdf"));
  return sar::read_file(folder.path() / "page.log");
}

/// Lines of a log that say that something does not fit or is not there.
std::string complaints(const std::string& log) {
  std::string found;
  std::size_t from = 0;
  while (from < log.size()) {
    const std::size_t end = std::min(log.find('\n', from), log.size());
    const std::string line = log.substr(from, end - from);
    for (const char* word :
         {"Overfull", "too large", "Missing character", "multiply defined", "! "}) {
      if (line.find(word) != std::string::npos) {
        found += line + "\n";
        break;
      }
    }
    from = end + 1;
  }
  return found;
}

Table published(const sar::PrintedTable& printed) {
  sar::TableOptions options;
  options.correction = "holm";
  return sar::published_table(printed, printed.spec, options);
}

/// As if it had been measured: a few trials missing, on phantom data.
Table measured(const sar::PrintedTable& printed) {
  Table table = published(printed);
  table.source = "measured";
  table.protocol = {"080f6ffcdd1768de3380", "phantom", "quick", {}, {}, false};
  for (auto& row : table.cells) {
    row.front().n = 3;
    row.front().planned = 5;
    row.back().failed = 1;
  }
  return table;
}

TEST_CASE("the paper's tables compile, alone and beside measured ones, and fit the page") {
  const sar::Paper read = paper();
  std::string body;
  for (const sar::PrintedTable& printed : read.tables) {
    Table alone = published(printed);
    alone.spec.id += "-alone";  // labels are for one table each
    body += sar::written(sar::document_of(alone), "latex");
    body += sar::written(sar::document_of(measured(printed), published(printed)), "latex") +
            "\\clearpage\n";
  }
  std::vector<std::string> datasets;
  for (const auto& dataset : read.datasets) {
    datasets.push_back(dataset.dataset);
  }
  body += sar::written(sar::document_of(sar::data_sheet(
                           "table1", "Pre-training data", datasets, nullptr, nullptr, &read)),
                       "latex");
  CHECK(complaints(compile(body)) == "");
}

TEST_CASE("reports with sentences compile and fit the page") {
  const sar::Paper read = paper();
  const auto claims = sar::read_claims(read);
  const std::string body =
      sar::written(sar::document_of(sar::audit(read, claims)), "latex") + "\\clearpage\n" +
      sar::written(
          sar::document_of(sar::judge_claims(read, claims, sar::published_cells(read), {})),
          "latex") +
      sar::written(
          sar::document_of(
              sar::read_assumptions(read.folder, {{"set", {"luna"}}, {"method", {"rpl"}}}),
              nullptr,
              {{"cubes.minimum_standard_deviation", 0.01}, {"luna.list", ""}, {"seed", 0}}),
          "latex");
  CHECK(complaints(compile(body)) == "");
}

TEST_CASE("labels with any characters compile") {
  const std::string hostile =
      "%&$#_{}~^\\ ± – — † × é ß ø ž ŧ αβγ Ω µ ≤ √ … “a” 漢字 \xff\xc3 \x01 <a> |b| \"c\" -- ?` ``";
  sar::Sheet sheet;
  sheet.id = hostile;
  sheet.title = hostile;
  sheet.header = {hostile, "[a]", "±1"};
  sheet.text_columns = 2;
  sheet.rows = {{"[1] " + hostile, hostile, "-1±2"},
                {"*", "50%±3", "1.0±0.5"},
                {"", "", "-0.52 [-1.80, 0.75]"}};
  sheet.notes = {hostile};
  Table table = published(paper().tables.front());
  table.spec.id = "a_b#c";
  table.spec.title = hostile;
  for (auto& row : table.spec.rows) {
    row.label = hostile.substr(0, 14);
  }
  table.spec.columns.front().label = "[S] %";
  table.spec.columns.front().group = hostile;
  const std::string log = compile(sar::written(sar::document_of(sheet), "latex") +
                                  sar::written(sar::document_of(table), "latex"));
  CHECK(log.find("Missing character") == std::string::npos);
}

TEST_CASE("cells are set as the paper sets them") {
  sar::Grid grid;
  grid.header = {"Method", "A", "B"};
  grid.rows = {{{"a±b", "", false}, {"78.10±3.20", "† (3/5)", true}, {"–", "", false}},
               {{"-5", "", false}, {"-5", "", true}, {"1 [-2, 3]", "", false}}};
  const std::string text = sar::latex_tables({"T"}, ".", "t", grid);
  CHECK_THAT(text,
             Catch::Contains("a$\\pm$b & $\\mathbf{78.10_{\\pm 3.20}}$$^{\\dagger}$ (3/5) & -- "));
  CHECK_THAT(text, Catch::Contains("-5 & \\textbf{$-$5} & 1 [$-$2, 3] "));
}

TEST_CASE("a table that is longer than a page goes on in another") {
  sar::Grid grid;
  grid.header = {"Row", "Value"};
  for (int i = 0; i < 100; ++i) {
    grid.rows.push_back({{"row " + std::to_string(i), "", false}, {"1", "", false}});
  }
  const std::string text = sar::latex_tables({"Many rows", "A note."}, ".", "many", grid);
  CHECK_THAT(text, Catch::Contains("Many rows. Continued."));
  CHECK_THAT(text, Catch::Contains("row 0 ") && Catch::Contains("row 99 "));
  std::size_t notes = 0;
  for (std::size_t at = text.find("A note."); at != std::string::npos;
       at = text.find("A note.", at + 1)) {
    ++notes;
  }
  CHECK(notes == 1);
  CHECK(complaints(compile(text)) == "");
}

}  // namespace
