// The HTML report, made by the real program from a made-up database, in a real browser: does it
// show the numbers that `show`, `claims` and `audit` print, can everybody use it, and does nothing
// that came from outside turn into markup?

#include "harness/core/files.h"
#include "harness/core/json.h"
#include "results/database/store.h"
#include "tests/support/browser.h"
#include "tests/support/page_checks.h"
#include "tests/support/process.h"
#include "tests/support/synthetic_database.h"

#include <catch2/catch.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <map>
#include <regex>
#include <set>

namespace {

namespace fs = std::filesystem;
using sar::Json;
using sar::test::Browser;
using sar::test::Outcome;
using sar::test::PageOptions;
using sar::test::sar_bench;

const std::vector<std::string> kNone;

/// An environment variable for the programs that start meanwhile.
class Environment {
 public:
  Environment(std::string name, const std::string& value) : name_(std::move(name)) {
    if (const char* before = std::getenv(name_.c_str())) {
      before_ = before;
    }
    ::setenv(name_.c_str(), value.c_str(), 1);
  }
  ~Environment() {
    if (before_) {
      ::setenv(name_.c_str(), before_->c_str(), 1);
    } else {
      ::unsetenv(name_.c_str());
    }
  }
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
  Environment(Environment&&) = delete;
  Environment& operator=(Environment&&) = delete;

 private:
  std::string name_;
  std::optional<std::string> before_;
};

/// The database and its report, made once.
struct Made {
  sar::TemporaryFolder folder;
  fs::path database = folder.path() / "runs.sqlite";
  fs::path report = folder.path() / "report";
  fs::path page = report / "report.html";
  Outcome outcome;

  Made() {
    sar::test::write_synthetic_database(database);
    outcome = make(report);
  }

  [[nodiscard]] Outcome run(std::vector<std::string> arguments) const {
    const Environment fixed("SOURCE_DATE_EPOCH", "1714557600");
    arguments.insert(arguments.end(), {"--db", database.string()});
    return sar_bench(folder.path(), arguments);
  }
  [[nodiscard]] Outcome make(const fs::path& into) const {
    return run({"report", "-o", into.string()});
  }
  /// What a command prints as JSON; `stored`: it reads the database.
  [[nodiscard]] Json json(std::vector<std::string> arguments, bool stored = true) const {
    arguments.emplace_back("--json");
    const Outcome answer = stored ? run(arguments) : sar_bench(folder.path(), arguments);
    INFO(answer.err);
    REQUIRE(answer.code == 0);
    return Json::parse(answer.out);
  }
};

const Made& made() {
  static const Made once;
  INFO(once.outcome.out << once.outcome.err);
  REQUIRE(once.outcome.code == 0);
  REQUIRE(fs::exists(once.page));
  return once;
}

Browser& browser() {
  static Browser one;
  return one;
}

Browser& shown(const PageOptions& options = {}) {
  browser().open(made().page, options);
  return browser();
}

/// Every file below a folder, by path relative to it.
std::map<std::string, std::string> contents_of(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) {
      files[fs::relative(entry.path(), folder).string()] = sar::read_file(entry.path());
    }
  }
  return files;
}

/// A text as the page shows it: runs of blanks are one.
std::string one_line(const std::string& text) {
  return std::regex_replace(text, std::regex("[ \t\r\n]+"), " ");
}

std::string quoted(const std::string& text) {
  return Json(text).dump();
}

TEST_CASE("the report says nothing on the console and asks for nothing", "[report]") {
  CHECK(made().outcome.err.empty());
  for (const char* scheme : {"light", "dark"}) {
    shown({.scheme = scheme});
    CHECK(browser().messages() == kNone);
    CHECK(browser().requests() == kNone);
  }
  const std::string policy = browser().evaluate(
      "document.querySelector('meta[http-equiv=Content-Security-Policy]').content");
  CHECK_THAT(policy, Catch::Contains("default-src 'none'"));
  const std::string scripts = policy.substr(policy.find("script-src"));
  CHECK_THAT(scripts.substr(0, scripts.find(';')),
             Catch::Contains("'sha256-") && !Catch::Contains("unsafe"));
  CHECK(browser().evaluate("document.scripts.length") == 1);
}

TEST_CASE("everybody can use the report, at every width and in both colour schemes", "[report]") {
  for (const char* scheme : {"light", "dark"}) {
    for (const auto& [width, height] : {std::pair{360, 740}, {1280, 900}, {1920, 1080}}) {
      if (width == 1920 && scheme == std::string("dark")) {
        continue;  // colours do not depend on the width
      }
      shown({.width = width, .height = height, .scheme = scheme});
      CAPTURE(scheme, width);
      browser().evaluate("document.querySelectorAll('details').forEach(d => d.open = true)");
      CHECK(page_faults(browser()) == kNone);
    }
    shown({.width = 360, .height = 740, .scheme = scheme});
    const auto tour = tab_through(browser());
    CHECK(tour.faults == kNone);
    CHECK(tour.stops > 20);
  }
  CHECK(dead_links(browser(), made().page) == kNone);
}

/// One cell of the page, as its attributes and texts say.
const std::string kCells = R"((table => [...document.querySelectorAll(
  `[data-table="${table}"] tbody tr[data-method] td[data-cell]`)].map(td => ({
  cell: td.dataset.cell, source: td.dataset.source, method: td.parentElement.dataset.method,
  mean: td.dataset.mean ?? null, sd: td.dataset.sd ?? null, n: td.dataset.n ?? null,
  p: td.dataset.p ?? null, p_adjusted: td.dataset.pAdjusted ?? null,
  value: td.querySelector('.value').textContent,
  marks: td.querySelector('.marks')?.textContent ?? '',
  best: td.classList.contains('best'), tip: td.querySelector('.tip').textContent}))))";

/// The number of an attribute, read as JSON reads it; null if absent.
Json number(const Json& attribute) {
  return attribute.is_null() ? Json() : Json::parse(attribute.get<std::string>());
}

void check_cell(const Json& on_page, const Json& expected, double alpha) {
  for (const auto& [name, key] : {std::pair{"mean", "mean"},
                                  {"sd", "sd"},
                                  {"p", "p_vs_sar"},
                                  {"p_adjusted", "p_adjusted"},
                                  {"n", "n"}}) {
    CAPTURE(name);
    CHECK(number(on_page.at(name)) == expected.at(key));  // bit by bit
  }
  std::string value = "–";
  if (!expected.at("mean").is_null()) {
    value = fmt::format("{:.2f}", expected.at("mean").get<double>());
    if (!expected.at("sd").is_null()) {
      value += fmt::format("±{:.2f}", expected.at("sd").get<double>());
    }
  }
  CHECK(on_page.at("value") == value);
  CHECK(on_page.at("best") == expected.at("best"));
  const Json& p = expected.at("p_adjusted");
  const std::string marks = on_page.at("marks");
  CHECK((marks.find("†") != std::string::npos) == (!p.is_null() && p.get<double>() < alpha));
  const std::string tip = on_page.at("tip");
  CHECK_THAT(tip, Catch::Contains("sar-bench explain " + on_page.at("cell").get<std::string>()));
  if (const Json& test = expected.at("student"); !test.is_null()) {
    CHECK_THAT(tip, Catch::Contains(fmt::format("t = {:.2f}", test.at("t").get<double>())));
    CHECK_THAT(tip, Catch::Contains(fmt::format("df = {:.4g}", test.at("df").get<double>())));
    CHECK_THAT(tip, Catch::Contains(fmt::format("n = {}", expected.at("n").get<int>())));
  }
}

TEST_CASE("every cell of the report equals show, number by number", "[report]") {
  shown();
  int gaps = 0;
  for (const char* table : {"table2", "table3", "table4"}) {
    const Json json = made().json({"show", table, "--source", "both"});
    std::map<std::pair<std::string, std::string>, Json> on_page;  // by path and source
    const Json cells = browser().evaluate(fmt::format("{}({})", kCells, quoted(table)));
    for (const Json& cell : cells) {
      CHECK(on_page.emplace(std::pair{cell.at("cell"), cell.at("source")}, cell).second);
    }
    std::size_t expected = 0;
    for (const Json& row : json.at("rows")) {
      for (const Json& cell : row.at("cells")) {
        std::string path = fmt::format("{}/{}/{}/{}/{}",
                                       table,
                                       row.at("method").get<std::string>(),
                                       cell.at("task").get<std::string>(),
                                       cell.at("target").get<std::string>(),
                                       cell.at("bucket").get<std::string>());
        if (cell.at("fraction") != "1") {
          path += "/" + cell.at("fraction").get<std::string>();
        }
        for (const char* source : {"measured", "published"}) {
          CAPTURE(path, source);
          REQUIRE(on_page.contains({path, source}));
          const Json& there = on_page.at({path, source});
          CHECK(there.at("method") == row.at("method"));
          check_cell(there, cell.at(source), json.at("alpha"));
          gaps += there.at("value") == "–" ? 1 : 0;
          ++expected;
        }
      }
    }
    CHECK(cells.size() == expected);
    CHECK(expected > 30);
    CHECK(sar::read_json(made().report / "tables" / (table + std::string(".json"))) == json);
  }
  CHECK(gaps > 0);
}

TEST_CASE("a cell of each table and source is explained", "[report]") {
  shown();
  for (const char* table : {"table2", "table3", "table4"}) {
    const Json cells = browser().evaluate(fmt::format("{}({})", kCells, quoted(table)));
    std::set<std::string> tried;
    for (const Json& cell : cells) {
      if (!cell.at("mean").is_null() && tried.insert(cell.at("source")).second) {
        const std::string path = cell.at("cell");
        CAPTURE(path);
        CHECK(made().run({"explain", path}).code == 0);
      }
    }
    CHECK(tried.size() == 2);
  }
}

TEST_CASE("the report's Table 1, claims and audit are those of their commands", "[report]") {
  shown();
  const Json data = made().json({"show", "table1", "--source", "both"});
  const Json rows = browser().evaluate(
      "[...document.querySelectorAll('[data-sheet=table1] tbody tr')]"
      ".map(row => [...row.cells].map(cell => cell.textContent))");
  std::vector<std::vector<std::string>> expected;
  for (const Json& row : data.at("rows")) {
    for (const char* source : {"printed", "measured"}) {
      if (const Json& values = row.at(source); !values.is_null()) {
        std::vector<std::string> line;
        for (const char* key : {"modality", "organ", "cases", "median_shape"}) {
          line.push_back(values.at(key));
        }
        for (const Json& count : values.at("cubes")) {
          line.push_back(count.dump());
        }
        expected.push_back(line);
      }
    }
  }
  REQUIRE(rows.size() == expected.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const std::vector<std::string> line = rows.at(i);
    REQUIRE(line.size() == expected[i].size() + 2);  // data set and source before them
    CHECK(std::equal(expected[i].begin(), expected[i].end(), line.begin() + 2));
  }
  for (const char* source : {"published", "measured"}) {
    CAPTURE(source);
    const Json claims = made().json({"claims", "--source", source}).at("claims");
    CHECK(claims.size() > 10);
    for (const Json& claim : claims) {
      const std::string id = claim.at("id");
      CAPTURE(id);
      const Json text = browser().evaluate(
          fmt::format("(row => [row?.querySelector('td[data-source={}]').dataset.verdict, "
                      "row?.textContent])(document.querySelector('tr[data-claim={}]'))",
                      source,
                      quoted(id)));
      CHECK(text.at(0) == claim.at("verdict"));
      CHECK_THAT(one_line(text.at(1)),
                 Catch::Contains(one_line(claim.at("statement"))) &&
                     Catch::Contains(one_line(claim.at("summary"))));
    }
    CHECK(browser().evaluate("document.querySelectorAll('tr[data-claim]').length") ==
          claims.size());
  }
  const Json audit = made().json({"audit"}, false);
  const Json findings = browser().evaluate(
      "[...document.querySelectorAll('[data-finding]')].map(f => [f.dataset.finding, "
      "f.querySelector('.lamp').classList.contains('error') ? 'error' : "
      "f.querySelector('.lamp').classList.contains('note') ? 'note' : 'inconsistent', "
      "f.querySelector('p').textContent, f.querySelector('.cells').textContent])");
  REQUIRE(findings.size() == audit.at("findings").size());
  for (std::size_t i = 0; i < findings.size(); ++i) {
    const Json& finding = audit.at("findings").at(i);
    CHECK(findings.at(i).at(0) == finding.at("id"));
    CHECK(findings.at(i).at(1) == finding.at("severity"));
    CHECK(one_line(findings.at(i).at(2)) == one_line(finding.at("message")));
    CHECK(one_line(findings.at(i).at(3)) ==
          fmt::format("{} ", fmt::join(finding.at("cells").get<std::vector<std::string>>(), " ")));
  }
  const fs::path tables = made().report / "tables";
  CHECK(sar::read_json(tables / "audit.json") == audit);
  CHECK(sar::read_json(tables / "claims.json") == made().json({"claims"}));
  CHECK(sar::read_json(tables / "claims-measured.json") ==
        made().json({"claims", "--source", "measured"}));
}

TEST_CASE("texts from outside are shown as texts", "[report]") {
  shown();
  CHECK(browser().evaluate("document.title") != "owned");
  CHECK(browser().evaluate(
            "document.querySelectorAll('.owned, b, [onerror], [onmouseover]').length") == 0);
  const std::string text =
      one_line(browser().evaluate("document.body.textContent").get<std::string>());
  for (const std::string& hostile : sar::test::hostile_texts()) {
    CAPTURE(hostile);
    CHECK((text.find(one_line(hostile)) != std::string::npos));  // as a host
  }
  // In files, too: none is taken for markup or breaks a line of a table.
  for (const auto& [name, content] : contents_of(made().report)) {
    if (name.ends_with(".svg")) {
      CAPTURE(name);
      CHECK_THAT(content, !Catch::Contains("class=\"owned\""));
    }
  }
}

TEST_CASE("tables are sorted by keyboard, and say how they are sorted", "[report]") {
  shown();
  const std::string sort = "[data-table=table2] thead button.sort";
  const auto state = [&](const std::string& column) {
    return browser().evaluate(fmt::format(
        "(table => ({{sorted: [...table.querySelectorAll('[aria-sort]')].map(h => [h.localName, "
        "h.getAttribute('aria-sort')]), order: [...table.tBodies[0].rows].map(r => "
        "r.dataset.method), "
        "means: [...table.tBodies[0].rows].map(r => r.cells[{}].dataset.mean ?? null)}}))"
        "(document.querySelector('[data-table=table2]'))",
        column));
  };
  browser().evaluate(fmt::format("document.querySelectorAll({})[1].focus()", quoted(sort)));
  const std::string column = browser().evaluate("document.activeElement.dataset.column ?? '1'");
  const Json before = state(column);
  CHECK(before.at("sorted").empty());
  std::set<std::string> directions;
  for (const char* key : {"Enter", "Space"}) {
    browser().press(key);
    browser().settle();
    const Json after = state(column);
    REQUIRE(after.at("sorted").size() == 1);
    CHECK(after.at("sorted").at(0).at(0) == "th");
    const std::string direction = after.at("sorted").at(0).at(1);
    directions.insert(direction);
    CAPTURE(direction);
    CHECK(after.at("order") != before.at("order"));
    std::vector<double> means;
    for (const Json& mean : after.at("means")) {
      if (!mean.is_null()) {
        means.push_back(number(mean));
      }
    }
    CHECK(means.size() == before.at("means").size() - 1);  // cpc was never run on brats
    CHECK(after.at("means").back().is_null());
    if (direction == "descending") {
      std::ranges::reverse(means);
    }
    CHECK(std::ranges::is_sorted(means));
  }
  CHECK(directions == std::set<std::string>{"ascending", "descending"});
  // Every column of every table can be sorted there and back; only cells of the heading say so.
  browser().evaluate(
      "document.querySelectorAll('button.sort').forEach(b => { b.click(); b.click(); })");
  CHECK(browser().evaluate("document.querySelectorAll('[aria-sort]').length") ==
        browser().evaluate("document.querySelectorAll('table:has(button.sort)').length"));
  browser().evaluate(
      "document.querySelectorAll('table').forEach(t => "
      "t.querySelector('button.sort')?.click())");
  CHECK(browser().messages() == kNone);
  CHECK(page_faults(browser()) == kNone);
}

TEST_CASE("the theme button goes round, whatever the system prefers", "[report]") {
  for (const char* scheme : {"light", "dark"}) {
    shown({.scheme = scheme});
    std::map<std::string, std::string> papers;
    for (int i = 0; i < 3; ++i) {
      const std::string theme =
          browser().evaluate("document.documentElement.dataset.theme ?? 'auto'");
      papers[theme] = browser().evaluate("getComputedStyle(document.body).backgroundColor");
      CAPTURE(scheme, theme);
      if (theme != "auto" && theme != scheme) {
        CHECK(page_faults(browser()) == kNone);
      }
      browser().evaluate("document.querySelector('#theme').focus()");
      browser().press("Enter");
      browser().settle();
    }
    REQUIRE(papers.size() == 3);
    CHECK(papers.at("light") != papers.at("dark"));
    CHECK(papers.at("auto") == papers.at(scheme));
    CHECK(browser().evaluate("document.documentElement.dataset.theme ?? 'auto'") == "auto");
  }
}

TEST_CASE("a cell's details open on focus and on hover, and close on Escape", "[report]") {
  const auto open = [] {
    return browser().evaluate("document.querySelector('#tip').checkVisibility()") == true;
  };
  for (const char* scheme : {"light", "dark"}) {
    for (const int width : {360, 1280}) {
      CAPTURE(scheme, width);
      shown({.width = width, .height = 740, .scheme = scheme});
      CHECK(browser().evaluate("document.querySelector('#tip').getAttribute('role')") == "tooltip");
      CHECK(!open());
      // From the last button of the heading, Tab leads into the body.
      browser().evaluate(
          "[...document.querySelectorAll('[data-table=table2] thead button')].at(-1).focus()");
      browser().settle();  // it may have scrolled
      browser().press("Tab");
      browser().settle();
      const Json cell = browser().evaluate("document.activeElement.dataset.cell ?? null");
      REQUIRE(cell.is_string());
      CHECK(open());
      CHECK(browser().evaluate("document.querySelector('#tip').textContent") ==
            browser().evaluate("document.activeElement.querySelector('.tip').textContent"));
      CHECK(browser().evaluate("document.activeElement.getAttribute('aria-describedby')") == "tip");
      CHECK(browser().evaluate(
                "(b => b.left >= 0 && b.top >= 0 && b.right <= innerWidth && b.bottom <= "
                "innerHeight)(document.querySelector('#tip').getBoundingClientRect())") == true);
      if (width == 360) {
        CHECK(page_faults(browser()) == kNone);
      }
      browser().press("ArrowDown");
      browser().settle();
      CHECK(browser().evaluate("document.activeElement.dataset.cell ?? null") != cell);
      CHECK(open());
      browser().press("Escape");
      browser().settle();
      CHECK(!open());
    }
  }
  browser().hover("[data-table=table3] td[data-cell]");
  CHECK(open());
  browser().press("Escape");
  browser().settle();
  CHECK(!open());
}

TEST_CASE("measured, published or both are shown on request", "[report]") {
  shown();
  const auto visible = [] {
    return browser()
        .evaluate(
            "['measured', 'published'].map(s => [...document.querySelectorAll("
            "`[data-table=table2] td[data-source=${s}]`)].filter(e => e.checkVisibility())"
            ".length > 0)")
        .dump();
  };
  CHECK(visible() == "[true,true]");
  browser().click("fieldset[data-for$=table2] input[value=measured]");
  CHECK(visible() == "[true,false]");
  CHECK(page_faults(browser()) == kNone);
  browser().click("fieldset[data-for$=table2] input[value=published]");
  CHECK(visible() == "[false,true]");
  browser().click("fieldset[data-for$=table2] input[value=both]");
  CHECK(visible() == "[true,true]");
}

TEST_CASE("a link to a number that is toggled away brings it back", "[report]") {
  shown();
  browser().click("fieldset[data-for$=table2] input[value=measured]");
  const std::string link = ".audit a[href^='#published-table2']";
  for (int i = 0; i < 2; ++i) {  // the second time the address stays the same
    browser().evaluate(fmt::format("document.querySelector({}).click()", quoted(link)));
    browser().settle();
    CHECK(browser().evaluate(fmt::format(
              "document.getElementById(document.querySelector({}).hash.slice(1)).checkVisibility()",
              quoted(link))) == true);
    browser().click("fieldset[data-for$=table2] input[value=measured]");
  }
}

TEST_CASE("every file beside the page can be reached from it", "[report]") {
  shown();
  std::set<std::string> linked;
  for (const Json& link : browser().evaluate(
           "[...document.querySelectorAll('a[href]')].map(a => a.getAttribute('href'))")) {
    linked.insert(link.get<std::string>());
  }
  for (const auto& [name, content] : contents_of(made().report)) {
    CAPTURE(name);
    const bool picture = name.starts_with("figures/example-") && name.ends_with(".png");
    CHECK((linked.contains(name) || picture || name == "report.html" || name == "files.json"));
  }
}

TEST_CASE("on paper there is nothing to press and nothing is cut off", "[report]") {
  // A4 less Chromium's margins of 0.4 inch is 718 px wide, 1046 px across; what is wider is shrunk,
  // to two thirds at the least, and cut off from there on.
  const std::string pdf = shown().pdf();
  REQUIRE(pdf.starts_with("%PDF"));
  std::smatch box;
  REQUIRE(std::regex_search(pdf, box, std::regex("/MediaBox *\\[ *0 +0 +([0-9.]+) +([0-9.]+)")));
  const int width = std::stod(box[1]) > std::stod(box[2]) ? 1569 : 1080;
  shown({.width = width, .height = 1500, .medium = "print"});
  load_page_checks(browser());
  const auto cut = [] {
    std::vector<std::string> faults;
    for (const Json& fault : browser().evaluate("pageChecks.cut()")) {
      faults.push_back(sar::test::fault_text(fault));
    }
    return faults;
  };
  CHECK(cut() == kNone);
  CHECK(browser().evaluate("document.scrollingElement.scrollWidth").get<int>() <= width);
  const Json controls = browser().evaluate(
      "[...document.querySelectorAll('button, input, select')].filter(e => e.checkVisibility())"
      ".filter(e => !e.matches('button.sort') || parseFloat(getComputedStyle(e).borderWidth) > 0 "
      "|| "
      "!/none|\"\"/.test(getComputedStyle(e, '::after').content + getComputedStyle(e, "
      "'::after').display)).map(e => e.outerHTML)");  // a heading keeps its words, not its arrow
  CHECK(controls == Json::array());
  CHECK(browser().evaluate("document.querySelector('#tip').checkVisibility()") == false);
  // A dark theme is for the screen.
  browser().evaluate("document.documentElement.dataset.theme = 'dark'");
  CHECK(browser().evaluate("getComputedStyle(document.body).backgroundColor") ==
        "rgb(255, 255, 255)");
  for (const std::string& fault : page_faults(browser())) {
    CAPTURE(fault);
    CHECK(!fault.starts_with("contrast:"));
  }
}

TEST_CASE("without scripts the report shows the same numbers and nothing that does not work",
          "[report]") {
  shown();
  const std::string cells =
      "[...document.querySelectorAll('td[data-cell]')].filter(e => "
      "e.checkVisibility()).map(e => e.querySelector('.value').textContent)";
  const Json with = browser().evaluate(cells);
  shown({.scripts = false});
  CHECK(browser().evaluate(cells) == with);
  CHECK(browser().evaluate("document.querySelector('#theme').checkVisibility()") == false);
  CHECK(browser().messages() == kNone);
}

TEST_CASE("the same database gives the same report, byte by byte", "[report]") {
  const fs::path again = made().folder.path() / "again";
  REQUIRE(made().make(again).code == 0);
  const auto first = contents_of(made().report);
  const auto second = contents_of(again);
  CHECK(first.size() == second.size());
  for (const auto& [name, content] : first) {
    CAPTURE(name);
    REQUIRE(second.contains(name));
    CHECK((second.at(name) == content));
  }
  // Into the same folder: nothing is left of what an earlier report had more.
  const fs::path stale = again / "tables/stale.csv";
  sar::write_file_atomically(stale, "a\n");
  Json list = sar::read_json(again / "files.json");
  list.at("files").push_back("tables/stale.csv");
  list.at("files").push_back("../runs.sqlite");  // not a report's file, whatever the list says
  sar::write_file_atomically(again / "files.json", list.dump());
  REQUIRE(made().make(again).code == 0);
  CHECK((contents_of(again) == first));
  CHECK(fs::exists(made().database));
}

/// Lines and fields of RFC 4180.
std::vector<std::vector<std::string>> csv_of(const std::string& text) {
  std::vector<std::vector<std::string>> lines(1, {""});
  bool inside = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (c == '"' && inside && i + 1 < text.size() && text[i + 1] == '"') {
      lines.back().back() += '"';
      ++i;
    } else if (c == '"') {
      inside = !inside;
    } else if (c == ',' && !inside) {
      lines.back().emplace_back();
    } else if (c == '\n' && !inside) {
      lines.push_back({""});
    } else {
      lines.back().back() += c;
    }
  }
  lines.pop_back();  // after the last line feed
  return lines;
}

unsigned int big_endian(const std::string& bytes, std::size_t at) {
  unsigned int value = 0;
  for (std::size_t i = at; i < at + 4; ++i) {
    value = value << 8U | static_cast<unsigned char>(bytes.at(i));
  }
  return value;
}

TEST_CASE("every file of the report is listed and well-formed", "[report]") {
  std::map<std::string, std::string> files = contents_of(made().report);
  std::set<std::string> listed;
  const Json list = Json::parse(files.at("files.json"));
  for (const Json& name : list.at("files")) {
    listed.insert(name.get<std::string>());
  }
  files.erase("files.json");
  std::set<std::string> there;
  std::map<std::string, int> kinds;
  browser().open("/dev/null");
  for (const auto& [name, content] : files) {
    CAPTURE(name);
    there.insert(name);
    const std::string extension = fs::path(name).extension();
    ++kinds[extension];
    CHECK(!content.empty());
    if (extension != ".png") {
      CHECK_NOTHROW(Json(content).dump());  // which refuses what is not UTF-8
    }
    if (extension == ".json") {
      CHECK(Json::accept(content));
    } else if (extension == ".csv") {
      const auto lines = csv_of(content);
      REQUIRE(lines.size() >= 2);
      for (const auto& line : lines) {
        CHECK(line.size() == lines.front().size());
      }
    } else if (extension == ".svg") {
      const Json drawing = browser().evaluate(fmt::format(
          "(d => ({{error: d.querySelector('parsererror')?.textContent ?? null, root: "
          "d.documentElement.localName, width: parseFloat(d.documentElement.getAttribute('width')),"
          " height: parseFloat(d.documentElement.getAttribute('height')), outside: "
          "d.querySelectorAll('script, foreignObject, image[href^=http]').length, "
          "title: d.querySelector('title')?.textContent ?? ''}}))"
          "(new DOMParser().parseFromString({}, 'image/svg+xml'))",
          quoted(content)));
      CHECK(drawing.at("error").is_null());
      CHECK(drawing.at("root") == "svg");
      CHECK(drawing.at("outside") == 0);
      const std::string image = files.at(fs::path(name).replace_extension(".png"));
      REQUIRE(image.starts_with("\x89PNG\r\n\x1a\n"));
      CHECK(image.ends_with(std::string("IEND\xae\x42\x60\x82")));
      const double scale = big_endian(image, 16) / drawing.at("width").get<double>();
      CHECK(scale >= 1);
      CHECK(big_endian(image, 20) / drawing.at("height").get<double>() ==
            Approx(scale).epsilon(0.005));
    }
  }
  CHECK(there == listed);
  CHECK(kinds[".html"] == 1);
  CHECK(kinds[".svg"] >= 6);
  CHECK(kinds[".svg"] == kinds[".png"]);
  CHECK(kinds[".md"] >= 7);
  CHECK(kinds[".md"] == kinds[".tex"]);
}

TEST_CASE("without gnuplot the report is made and says what it lacks", "[report]") {
  const fs::path into = made().folder.path() / "plain";
  const Environment nothing("PATH", made().folder.path().string());
  const Outcome outcome = made().make(into);
  INFO(outcome.err);
  REQUIRE(outcome.code == 0);
  CHECK_THAT(outcome.err, Catch::Contains("gnuplot"));
  browser().open(into / "report.html");
  CHECK(browser().messages() == kNone);
  CHECK(page_faults(browser()) == kNone);
  CHECK(dead_links(browser(), into / "report.html") == kNone);
  CHECK(browser().evaluate("document.body.textContent.includes('gnuplot')") == true);
  for (const auto& [name, content] : contents_of(into)) {
    CHECK(!name.ends_with(".svg"));
    CHECK(!name.ends_with(".png"));
  }
}

TEST_CASE("no results, a folder that is a file and a full disk are told apart", "[report]") {
  const fs::path folder = made().folder.path();
  { const sar::Store empty(folder / "empty.sqlite", sar::Store::Mode::read_write); }
  const auto code = [&](const std::string& database, const std::string& into) {
    return sar_bench(folder, {"report", "-o", into, "--db", database}).code;
  };
  CHECK(code("empty.sqlite", "none") == 4);
  CHECK(code("nowhere.sqlite", "none") == 4);
  CHECK(!fs::exists(folder / "none" / "report.html"));
  sar::write_file_atomically(folder / "taken", "a file");
  // Somebody else's files stay as they are.
  sar::write_file_atomically(folder / "foreign" / "report.html", "mine");
  sar::write_file_atomically(folder / "foreign" / "files.json", "[1, 2]");
  CHECK(code("runs.sqlite", "foreign") == 74);
  CHECK(sar::read_file(folder / "foreign" / "report.html") == "mine");
  CHECK(code("runs.sqlite", "taken") == 74);
  CHECK(sar::read_file(folder / "taken") == "a file");
  CHECK(code("runs.sqlite", "/proc/report") == 74);
  CHECK(code("runs.sqlite", "taken/below") == 74);
  // No file may grow beyond 100 KiB: the page does not fit, what a reader has stays as it was.
  const fs::path old = folder / "old";
  fs::create_directory(old);
  sar::write_file_atomically(old / "report.html", "an earlier report");
  fs::copy_file(made().page.parent_path() / "files.json", old / "files.json");
  REQUIRE(fs::file_size(made().page) > 100 * 1024);
  const Outcome full =
      sar::test::Program({"/bin/sh",
                          "-c",
                          "trap '' XFSZ; ulimit -f 200; exec \"$0\" report -o old --db runs.sqlite",
                          SARBENCH_PROGRAM},
                         folder)
          .finish();
  INFO(full.err);
  CHECK(full.code == 74);
  CHECK(sar::read_file(old / "report.html") == "an earlier report");
  for (const auto& [name, content] : contents_of(old)) {
    CAPTURE(name);
    CHECK((name == "report.html" || name == "files.json" || name.starts_with("tables/") ||
           name.starts_with("figures/")));
  }
}

TEST_CASE("a report that was interrupted is made again in the same folder", "[report]") {
  const fs::path folder = made().folder.path();
  const Outcome full =
      sar::test::Program({"/bin/sh",
                          "-c",
                          "trap '' XFSZ; ulimit -f 200; exec \"$0\" report -o first --db "
                          "runs.sqlite",
                          SARBENCH_PROGRAM},
                         folder)
          .finish();
  INFO(full.err);
  REQUIRE(full.code == 74);
  REQUIRE(fs::exists(folder / "first" / "figures"));
  REQUIRE(!fs::exists(folder / "first" / "report.html"));
  REQUIRE(made().make(folder / "first").code == 0);
  CHECK((contents_of(folder / "first") == contents_of(made().report)));
}

/// A database of its own and its report.
struct Special {
  explicit Special(const sar::test::SyntheticRuns& runs) {
    sar::test::write_synthetic_database(database, runs);
  }
  Outcome make(std::vector<std::string> more = {}) const {
    more.insert(more.begin(),
                {"report", "-o", (folder.path() / "report").string(), "--db", database.string()});
    return sar_bench(folder.path(), more);
  }
  /// Makes it and opens it.
  void show(const std::vector<std::string>& more = {}) const {
    const Outcome outcome = make(more);
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
    browser().open(folder.path() / "report/report.html");
    CHECK(browser().messages() == kNone);
    CHECK(page_faults(browser()) == kNone);
    CHECK(dead_links(browser(), folder.path() / "report/report.html") == kNone);
  }
  void change(const std::string& sql) const {
    const Outcome outcome =
        sar::test::Program({"/usr/bin/sqlite3", database.string(), "-bail", sql}, folder.path())
            .finish();
    INFO(outcome.err);
    REQUIRE(outcome.code == 0);
  }
  [[nodiscard]] static std::string text_of(const std::string& selector) {
    return one_line(browser().evaluate(fmt::format(
        "[...document.querySelectorAll({})].map(e => e.textContent).join(' ')", quoted(selector))));
  }

  sar::TemporaryFolder folder;
  fs::path database = folder.path() / "runs.sqlite";
};

TEST_CASE("without a measured comparison no figure stands under our protocol", "[report]") {
  const Special special({.methods = {"scratch"}, .tasks = {"pancreas"}, .fractions = {}});
  special.show();
  CHECK(browser().evaluate("document.querySelectorAll('#forest figure').length") == 0);
  CHECK_THAT(Special::text_of("#forest .message"),
             Catch::Contains("table2: no column has trials of both SAR and another method yet."));
  CHECK(browser().evaluate("document.querySelectorAll('#ranks figure').length") == 0);
  CHECK_THAT(Special::text_of("#ranks .message"), Catch::Contains("only one method has trials"));
  CHECK(
      browser().evaluate("[...document.querySelectorAll('#size figure')].map(f => f.id).join()") ==
      "figure-size-pancreas-tumor");
}

TEST_CASE("a count of the data that was changed is named, and the rest is shown", "[report]") {
  const Special special({.methods = {"scratch", "sar"}, .tasks = {"brats"}, .fractions = {}});
  const fs::path survey = special.database.string() + ".work/survey.json";
  sar::write_file_atomically(survey, "not a count");
  special.show();
  CHECK_THAT(Special::text_of("#tables .notes"),
             Catch::Contains("was changed since it was written"));
  CHECK_THAT(Special::text_of("[data-sheet=table1]"), !Catch::Contains("measured"));
  fs::remove(survey);
  special.show();
  CHECK_THAT(Special::text_of("#tables .notes"),
             Catch::Contains("not in the work folder any more"));
}

TEST_CASE("a report of one table counts its trials and says what it lacks", "[report]") {
  const Special special({.methods = {"sar"}, .tasks = {"brats"}, .fractions = {"1/2"}});
  special.show({"table3"});
  CHECK_THAT(
      Special::text_of(".fact:first-child"),
      Catch::Contains("5 of 5") && Catch::Contains("12 of 16 cells of the tables are empty"));
  CHECK_THAT(Special::text_of("#forest .message"), Catch::Contains("table3: no column has trials"));
  special.show({"table1"});
  CHECK_THAT(Special::text_of("#tables"), !Catch::Contains("Point at a number"));
}

TEST_CASE("the level of the marks does not change the audit of what is printed", "[report]") {
  const Special special({.methods = {"sar", "scratch"}, .tasks = {"brats"}, .fractions = {}});
  special.show({"--alpha", "0.01"});
  CHECK_THAT(Special::text_of(".facts"), Catch::Contains("significant at 0.01"));
  CHECK(sar::read_json(special.folder.path() / "report/tables/audit.json") ==
        made().json({"audit"}, false));
}

TEST_CASE("volumes that no body has are left out, and every figure is drawn", "[report]") {
  const Special special({.methods = {"sar", "scratch"}, .tasks = {"brats"}, .fractions = {}});
  special.change("update case_dice set volume_mm3 = 1e308");
  special.show();
  CHECK_THAT(Special::text_of("#size"), Catch::Contains("without a possible volume"));
  CHECK(browser().evaluate("document.querySelectorAll('#forest svg').length >= 1") == true);
}

TEST_CASE("a database cannot make the report read a device, or fail without a name", "[report]") {
  const Special special({.methods = {"sar", "scratch"}, .tasks = {"brats"}, .fractions = {}});
  special.change("update node set path = '/dev/zero'");
  special.show();
  CHECK_THAT(Special::text_of("#tables .notes") + Special::text_of("#examples"),
             Catch::Contains("the file of the count of the data is not a regular file") &&
                 Catch::Contains("the file of the evaluation is not a regular file"));
  special.change("update protocol set settings = '{}'");
  const Outcome outcome = special.make();
  CHECK(outcome.code == 65);
  CHECK_THAT(outcome.err,
             Catch::Contains("the settings of a protocol") && Catch::Contains("protocol: "));
}

TEST_CASE("what the page says of significance fits the correction that was chosen", "[report]") {
  const Special special({.methods = {"scratch", "sar"}, .tasks = {"brats"}, .fractions = {}});
  special.show();
  CHECK_THAT(
      Special::text_of(".facts"),
      Catch::Contains("significant at 0.05 without correction;") && Catch::Contains("after Holm"));
  special.show({"--correction", "bh"});
  CHECK_THAT(
      Special::text_of(".facts"),
      Catch::Contains("significant at 0.05 after Benjamini–Hochberg") && !Catch::Contains("Holm"));
  special.show({"--correction", "none"});
  CHECK_THAT(
      Special::text_of(".facts") + Special::text_of("#claims"),
      Catch::Contains("must be significant without correction") && !Catch::Contains("after none"));
}

TEST_CASE("a date of the report that is not a date is refused", "[report]") {
  for (const char* wrong : {"soon", "-1", "99999999999999999999", "300000000000"}) {
    CAPTURE(wrong);
    const Environment fixed("SOURCE_DATE_EPOCH", wrong);
    const Outcome outcome = sar_bench(made().folder.path(),
                                      {"report", "-o", "never", "--db", made().database.string()});
    CHECK(outcome.code == 2);
    CHECK_THAT(outcome.err, Catch::Contains("SOURCE_DATE_EPOCH"));
  }
}

TEST_CASE("a table in HTML can be put into a page of one's own", "[report]") {
  for (const char* table : {"table1", "table2", "table4"}) {
    CAPTURE(table);
    const Outcome html = made().run({"show", table, "--format", "html"});
    REQUIRE(html.code == 0);
    const fs::path page = made().folder.path() / "table.html";
    sar::write_file_atomically(
        page,
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><meta name=\"viewport\" "
        "content=\"width=device-width\"><title>Table</title><style>.results { overflow-x: auto; }"
        "</style></head><body><nav><a href=\"#top\" id=\"top\">Top</a></nav><main><h1>Table</h1>" +
            html.out + "</main></body></html>");
    browser().open(page, {.width = 1920});
    CHECK(browser().messages() == kNone);
    CHECK(browser().evaluate("document.title") == "Table");
    CHECK(browser().evaluate("document.querySelectorAll('.owned').length") == 0);
    CHECK(page_faults(browser()) == kNone);
  }
  const Json json = made().json({"show", "table2"});
  const Outcome html = made().run({"show", "table2", "--format", "html"});
  for (const Json& row : json.at("rows")) {
    for (const Json& cell : row.at("cells")) {
      if (!cell.at("sd").is_null()) {
        CHECK_THAT(
            html.out,
            Catch::Contains(fmt::format(
                "{:.2f} ± {:.2f}", cell.at("mean").get<double>(), cell.at("sd").get<double>())));
      }
    }
  }
}

}  // namespace
