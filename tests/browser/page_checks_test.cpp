// The checks of a page, checked: a page that passes, and for each check a change of it that must
// be found.

#include "tests/support/page_checks.h"

#include "harness/core/files.h"
#include "tests/support/browser.h"

#include <catch2/catch.hpp>
#include <fmt/ranges.h>

namespace {

namespace fs = std::filesystem;
using sar::test::Browser;

const std::string kGood = R"(<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Results</title>
<style>
:root { color-scheme: light dark; --method-sar: #0060c0; }
body { color: #222; background: #fff; margin: 8px; }
a { color: #0050b0; }
th { color: #555; }
button, input { min-width: 24px; min-height: 24px; }
:focus-visible { outline: 2px solid #0050b0; }
.wide { overflow-x: auto; }
.wide table { width: 900px; }
.badge { background: rgba(0, 0, 0, 0.8); color: #fff; }
@media (prefers-color-scheme: dark) {
  :root { --method-sar: #60b0ff; }
  body { color: #ddd; background: #111; }
  th { color: #aaa; }
  a { color: #8cf; }
  :focus-visible { outline-color: #8cf; }
}
@media print { button { display: none; } .wide { overflow: visible; } .wide table { width: auto; } }
</style>
</head>
<body>
<nav aria-label="Contents"><a href="#one">One</a> <a href="data.csv">Data</a></nav>
<main>
<h1>Results</h1>
<h2 id="one">One</h2>
<p>Text <span class="badge">phantom</span> <button accesskey="a">Sort</button>
<label>Find <input></label></p>
<div class="wide" tabindex="0" role="region" aria-label="Table 2"><table>
<caption>Dice</caption>
<thead><tr><th scope="col">Method</th><th scope="col">Dice</th></tr></thead>
<tbody><tr><th scope="row">SAR</th><td>62.72</td></tr>
<tr><th scope="row">Genesis</th><td>60.10</td></tr></tbody>
</table></div>
<svg role="img" aria-label="A forest" viewBox="0 0 100 40" width="200" height="80">
<defs><path id="dot" d="M0,0 L1,1"/></defs><use href="#dot"/>
<text x="5" y="20" font-size="8" fill="currentColor">Dice</text>
<rect x="50" y="0" width="50" height="40" fill="#000"/>
<text x="55" y="20" font-size="8" fill="#fff">SAR</text>
</svg>
<img alt="A dot" src="data:image/gif;base64,R0lGODlhAQABAAAAACwAAAAAAQABAAA=">
</main>
</body>
</html>
)";

const std::vector<std::string> kNone;

struct Change {
  std::string check, from, to;
};

Browser& browser() {
  static Browser one;
  return one;
}

/// Opens a page of this text.
fs::path opened(const std::string& html, const sar::test::PageOptions& options = {}) {
  static const sar::TemporaryFolder folder;
  const fs::path page = folder.path() / "page.html";
  sar::write_file_atomically(page, html);
  sar::write_file_atomically(folder.path() / "data.csv", "a\n");
  browser().open(page, options);
  return page;
}

std::string changed(const Change& change) {
  std::string html = kGood;
  const std::size_t place = html.find(change.from);
  REQUIRE(place != std::string::npos);
  return html.replace(place, change.from.size(), change.to);
}

bool names(const std::vector<std::string>& faults, const std::string& check) {
  return std::ranges::any_of(faults,
                             [&](const auto& each) { return each.starts_with(check + ":"); });
}

TEST_CASE("a page without faults passes at every width and in both schemes", "[page]") {
  for (const char* scheme : {"light", "dark"}) {
    for (const int width : {360, 1280, 1920}) {
      const fs::path page = opened(kGood, {.width = width, .height = 740, .scheme = scheme});
      CAPTURE(scheme, width);
      CHECK(page_faults(browser()) == kNone);
      const auto tour = tab_through(browser());
      CHECK(tour.faults == kNone);
      CHECK(tour.stops == 5);
      CHECK(dead_links(browser(), page) == kNone);
      CHECK(browser().messages() == kNone);
      CHECK(browser().requests() == kNone);
    }
  }
}

TEST_CASE("each check of a page finds its fault", "[page]") {
  const std::vector<Change> changes{
      {"doctype", "<!doctype html>", ""},
      {"charset", "<meta charset=\"utf-8\">", "<meta charset=\"latin1\">"},
      {"lang", "<html lang=\"en\">", "<html>"},
      {"title", "<title>Results</title>", ""},
      {"viewport", "<meta name=\"viewport\"", "<meta name=\"other\""},
      {"viewport", "initial-scale=1", "user-scalable=no"},
      {"refresh", "<title>", "<meta http-equiv=\"refresh\" content=\"900\"><title>"},
      {"one-h1", "<h1>Results</h1>", "<h1>Results</h1><h1>More</h1>"},
      {"heading-order", "<h2 id=\"one\">One</h2>", "<h3 id=\"one\">One</h3>"},
      {"landmark", "<main>", "<div>"},
      {"landmark", "<nav aria-label=\"Contents\">", "<div>"},
      {"landmark", "<main>", "<nav aria-label=\"Contents\"></nav><main>"},
      {"unique-id", "<p>Text", "<p id=\"one\">Text"},
      {"reference", "href=\"#one\"", "href=\"#two\""},
      {"reference", "<input>", "<input aria-describedby=\"nothing\">"},
      {"reference", "<use href=\"#dot\"/>", "<use href=\"#one\"/>"},
      {"reference", "<text x=\"5\"", "<text clip-path=\"url(#nothing)\" x=\"5\""},
      {"table-caption", "<caption>Dice</caption>", ""},
      {"table-scope", "<th scope=\"row\">SAR", "<th>SAR"},
      {"table-rows", "<td>62.72</td>", "<td>62.72</td><td>1</td>"},
      {"tabindex", "tabindex=\"0\"", "tabindex=\"2\""},
      {"accesskey", "<label>", "<button accesskey=\"a\">B</button><label>"},
      {"nested-control", "<a href=\"#one\">One</a>", "<button><a href=\"#one\">One</a></button>"},
      {"hidden-focus", "<button ", "<button aria-hidden=\"true\" "},
      {"aria-sort", "<td>62.72", "<td aria-sort=\"ascending\">62.72"},
      {"target-size", "min-height: 24px;", "height: 20px;"},
      {"image-name", "<img alt=\"A dot\"", "<img"},
      {"image-name", "<svg role=\"img\" aria-label=\"A forest\"", "<svg"},
      {"name", "aria-label=\"A forest\"", ""},
      {"name", ">Sort</button>", "></button>"},
      {"name", ">One</a>", "></a>"},
      {"name", "<label>Find <input></label>", "<input>"},
      {"name", "aria-label=\"Table 2\"", ""},
      {"overflow", ".wide { overflow-x: auto; }", ""},
      {"cut-off", ".wide { overflow-x: auto; }", ".wide { overflow-x: hidden; }"},
      {"scroll-focus", "<div class=\"wide\" tabindex=\"0\"", "<div class=\"wide\""},
      {"text-size", "font-size=\"8\"", "font-size=\"3\""},
      {"contrast", "color: #222;", "color: #999;"},
      {"contrast", "th { color: #555; }", "th { opacity: 0.5; }"},
      {"contrast", "th { color: #555; }", "th { background: linear-gradient(red, blue); }"},
      {"contrast", "rgba(0, 0, 0, 0.8)", "rgba(0, 0, 0, 0.3)"},
      {"contrast", "fill=\"currentColor\"", "fill=\"#999\""},
      {"contrast", "fill=\"#fff\"", "fill=\"#333\""},
      {"contrast", "--method-sar: #0060c0", "--method-sar: #ffe000"},
  };
  for (const Change& change : changes) {
    opened(changed(change), {.width = 360, .height = 740});
    const auto faults = page_faults(browser());
    INFO(change.check << ": " << change.from << " -> " << change.to);
    CAPTURE(faults);
    CHECK(names(faults, change.check));
  }
  // A colour that is wrong in one scheme only is found in that one.
  const std::string dark = changed({"contrast", "color: #aaa;", "color: #333;"});
  opened(dark);
  CHECK(page_faults(browser()) == kNone);
  opened(dark, {.scheme = "dark"});
  CHECK(names(page_faults(browser()), "contrast"));
}

TEST_CASE("the tour by Tab finds what hides the focus, the links their missing files", "[page]") {
  opened(changed({"", "outline: 2px solid #0050b0;", "outline: none;"}));
  CHECK(names(tab_through(browser()).faults, "focus-visible"));
  opened(changed({"", "outline: 2px solid #0050b0;", "outline: 2px solid #f8f8f8;"}));
  CHECK(names(tab_through(browser()).faults, "focus-visible"));
  opened(changed(
      {"", "<main>", "<div style=\"position: fixed; inset: 0; background: #fff\"></div><main>"}));
  CHECK(names(tab_through(browser()).faults, "focus-obscured"));
  const fs::path page = opened(changed({"", "data.csv", "nowhere.csv"}));
  CHECK(dead_links(browser(), page) == std::vector<std::string>{"nowhere.csv"});
}

TEST_CASE("in print, a box that scrolls on the screen is cut off", "[page]") {
  opened(kGood, {.width = 700, .medium = "print"});
  load_page_checks(browser());
  CHECK(browser().evaluate("pageChecks.cut()").empty());
  opened(changed({"", ".wide { overflow: visible; } .wide table { width: auto; }", ""}),
         {.width = 700, .medium = "print"});
  load_page_checks(browser());
  CHECK(browser().evaluate("pageChecks.cut()").size() == 1);
}

TEST_CASE("the browser notes whatever a page does beside being shown", "[page]") {
  const auto noted = [](const std::string& into, const std::string& text) {
    opened(changed({"", "<main>", into + "<main>"}));
    INFO(into << "\n" << fmt::format("{}", fmt::join(browser().messages(), "\n")));
    CHECK(std::ranges::any_of(browser().messages(), [&](const auto& each) {
      return each.find(text) != std::string::npos;
    }));
  };
  noted("<script>console.log('hello')</script>", "console.log: \"hello\"");
  noted("<script>nothing.at.all</script>", "nothing is not defined");
  noted("<script>alert('owned')</script>", "dialog: owned");
  noted("<img alt=\"\" src=\"nowhere.png\">", "ERR_FILE_NOT_FOUND");
  noted("<script>window.open('about:blank#owned')</script>", "it opened a window");
  CHECK(browser().requests().empty());
  opened(changed({"", "<main>", "<img alt=\"\" src=\"http://127.0.0.1:9/a.png\"><main>"}));
  CHECK(browser().requests() == std::vector<std::string>{"http://127.0.0.1:9/a.png"});
  // What a content security policy forbids is said and not done.
  const std::string policy =
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'; img-src data:\"><title>";
  std::string html = changed({"", "<title>", policy});
  html.insert(html.find("<main>"), "<script>document.title = 'owned'</script>");
  opened(html);
  CHECK(browser().evaluate("document.title") == "Results");
  REQUIRE(browser().messages().size() >= 1);
  CHECK_THAT(browser().messages().front(), Catch::Contains("Content Security Policy"));
}

TEST_CASE("keys, the pointer and switched-off scripts work as for a reader", "[page]") {
  opened(changed({"",
                  "<main>",
                  "<script>addEventListener('keydown', e => document.title = e.key);"
                  "addEventListener('mouseover', e => document.body.dataset.over = "
                  "e.target.localName);"
                  "addEventListener('click', e => document.body.dataset.clicked = "
                  "e.target.localName);</script><main>"}));
  for (const char* key : {"Tab", "Enter", "Escape", "ArrowDown"}) {
    browser().press(key);
    CHECK(browser().evaluate("document.title") == key);
  }
  browser().hover("h1");
  CHECK(browser().evaluate("document.body.dataset.over") == "h1");
  browser().evaluate("document.querySelector('button').focus()");
  browser().press("Space");
  CHECK(browser().evaluate("document.body.dataset.clicked") == "button");
  browser().click("h2");
  CHECK(browser().evaluate("document.body.dataset.clicked") == "h2");
  CHECK(browser().pdf().starts_with("%PDF"));
  CHECK(browser().screenshot().starts_with("\x89PNG"));
  opened(changed({"", "<main>", "<script>document.title = 'ran'</script><main>"}),
         {.scripts = false});
  CHECK(browser().evaluate("document.title") == "Results");
  CHECK_THROWS_WITH(browser().evaluate("nothing.at.all"),
                    Catch::Contains("nothing is not defined"));
  CHECK_THROWS(browser().open("/nowhere/page.html"));
}

}  // namespace
