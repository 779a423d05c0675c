#include "results/figures/figure.h"

#include "harness/core/error.h"
#include "harness/core/files.h"
#include "results/figures/curves.h"
#include "results/figures/efficiency.h"
#include "results/figures/forest.h"
#include "results/figures/rank.h"
#include "results/figures/size.h"
#include "results/figures/style.h"
#include "tests/support/fixtures.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <regex>
#include <set>

namespace sar::figure_test {

const std::vector<TableRow> kRows = {{"scratch", "Scratch"},
                                     {"genesis", "Genesis"},
                                     {"rpl", "RPL"},
                                     {"jig", "Jigsaw"},
                                     {"rot", "Rotation"},
                                     {"cpc", "CPC"},
                                     {"mial", "MIAL"},
                                     {"sa", "SA"},
                                     {"sar", "SAR"}};

/// Strings that would run, break out or break the plot if they were not made safe.
const std::vector<std::string> kHostile = {
    "<script>alert(1)</script>",
    "'; system \"touch pwned\"; '",
    "`touch pwned`",
    "\"`touch pwned`\" \\n \\",
    "line\nplot nonsense(\nEND",
    "@pwned $d1 %s %d ^_{a} ~",
    "&#x3c;b&#xzz; & &amp; ]]> <!-- <![CDATA[",
    "😀 \xE2\x80\xAEmirrored \xD7\xA9\xD7\x9C\xD7\x95\xD7\x9D",
    std::string("\x01\x1b[31m\xff\xc0\x80\xed\xa0\x80", 12),
    "x' onload='alert(1)",
    ""};

std::string at(const std::vector<std::string>& list, std::size_t i) {
  return list[i % list.size()];
}

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) {
    ++found;
  }
  return found;
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
  const std::regex expression(pattern);
  std::vector<std::string> found;
  for (std::sregex_iterator it(text.begin(), text.end(), expression), end; it != end; ++it) {
    found.push_back((*it)[1]);
  }
  return found;
}

/// Elements nest, attributes are quoted, every ampersand begins one of five references.
bool well_formed(const std::string& xml) {
  std::vector<std::string> open;
  const std::string kept = std::regex_replace(xml, std::regex("&(amp|lt|gt|quot|apos);"), "");
  if (kept.find('&') != std::string::npos) {
    return false;
  }
  for (std::size_t i = 0; (i = kept.find('<', i)) != std::string::npos;) {
    const std::size_t end = kept.find('>', i);
    if (end == std::string::npos) {
      return false;
    }
    std::string tag;  // without the values of its attributes
    bool inside = false;
    for (const char c : kept.substr(i + 1, end - i - 1)) {
      inside = c == '"' ? !inside : inside;
      tag += inside && c != '"' ? "" : std::string(1, c);
    }
    i = end;
    if (tag.starts_with("?")) {
      continue;
    }
    if (tag.starts_with("/")) {
      if (open.empty() || open.back() != tag.substr(1)) {
        return false;
      }
      open.pop_back();
      continue;
    }
    static const std::regex kTag("([A-Za-z]+)(\\s+[A-Za-z:-]+=\"\")*\\s*/?");
    if (!std::regex_match(tag, kTag)) {
      return false;
    }
    if (!tag.ends_with("/")) {
      open.push_back(tag.substr(0, tag.find_first_of(" \n")));
    }
  }
  return open.empty();
}

/// Value of a custom property in the first block (light) or the second (dark).
std::string property(const std::string& css, const std::string& name, bool dark) {
  const std::string block = css.substr(dark ? css.find("[data-theme=dark]") : 0);
  const std::size_t found = block.find(name + ":");
  return found == std::string::npos ? "" : block.substr(found + name.size() + 1, 7);
}

ForestPanel panel(const std::vector<TableRow>& rows, const std::string& name, double shift = 0) {
  ForestPanel result;
  result.name = name;
  result.column = {"Task 1. " + name, name, "brats", "tumor", "S", "1"};
  for (std::size_t i = 0; i < rows.size(); ++i) {
    ForestRow row;
    row.method = rows[i].method;
    row.label = rows[i].label;
    row.reference = {80, 2.0, 5};
    row.row = {78 + static_cast<double>(i) * 0.5 + shift, 1.5, 5};
    row.test = student_test(row.reference, row.row);
    row.p_adjusted = row.test->p;
    result.rows.push_back(row);
  }
  return result;
}

Table table(const std::vector<TableRow>& rows) {
  Table result;
  result.spec = test::small_spec(5);
  result.spec.rows = rows;
  result.protocol = test::protocol_row("0123456789abcdef");
  result.test = "student";
  result.correction = "holm";
  return result;
}

std::vector<CaseRow> cases(const std::vector<TableRow>& rows, int number = 30) {
  std::vector<CaseRow> list;
  for (const TableRow& row : rows) {
    for (int i = 0; i < number; ++i) {
      for (int trial = 0; trial < 2; ++trial) {
        const int third = 3 * i / number;
        list.push_back({row.method,
                        "brats",
                        "1",
                        trial,
                        "case" + std::to_string(100000 + i),
                        "tumor",
                        third == 0   ? "S"
                        : third == 1 ? "M"
                                     : "L",
                        100.0 * (i + 1),
                        std::min(99.0, 30.0 + 2.0 * (i % 30) + trial)});
      }
    }
  }
  return list;
}

LabelEfficiency group(const std::vector<TableRow>& rows, const std::string& title) {
  LabelEfficiency result;
  result.title = title;
  result.reference = "sar";
  result.reference_label = "SAR";
  for (const TableRow& row : rows) {
    EfficiencyCurve& curve = result.curves.emplace_back();
    curve.method = row.method;
    curve.label = row.label;
    for (const char* fraction : {"1/50", "1/5", "1", "nonsense", "1/0"}) {
      curve.points.push_back({fraction, 7.0, {60, 2.0, 5}});
    }
  }
  result.saved = {{"scratch", "1", 60, "1/5", 61, 0.8, false}};
  return result;
}

RankStability ranks(const std::vector<TableRow>& rows, const std::string& label) {
  RankStability result;
  result.column = {"Task", label, "brats", "tumor", "all", "1"};
  result.trials = 5;
  result.cases = 66;
  result.samples = 1000;
  result.same_first = 0.75;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    RankedMethod method{rows[i].method, rows[i].label, 80, static_cast<double>(i + 1), {}, 1, 2};
    method.share.assign(rows.size(), 1 / static_cast<double>(rows.size()));
    result.methods.push_back(method);
  }
  return result;
}

LossCurves losses(const std::vector<TableRow>& rows, int steps, const std::string& title = "Loss") {
  CurveSpec spec;
  spec.id = "fig3";
  spec.title = title;
  spec.rows = rows;
  spec.tasks = {"brats"};
  std::vector<StoredCurveRow> stored;
  for (const TableRow& row : rows) {
    for (int step = 1; step <= steps; ++step) {
      const double loss = step == steps / 2       ? 3.5
                          : step == steps / 2 + 1 ? 0.125
                                                  : 1.0 + step % 7 / 100.0;
      stored.push_back(
          {row.method, "brats", 0, {step, (step - 1) / 10 + 1, "train", loss, 1e-3, 1}});
      if (step % 10 == 0) {
        stored.push_back(
            {row.method, "brats", 0, {step, (step - 1) / 10 + 1, "val", 1.1, 1e-3, 1}});
      }
    }
  }
  return build_curves(stored, test::protocol_row("p"), spec);
}

/// One of each kind.
std::vector<Figure> all_figures(const std::vector<TableRow>& rows,
                                const std::vector<std::string>& words) {
  const ProtocolRow protocol = test::protocol_row("0123456789abcdef");
  std::vector<ForestPanel> measured;
  std::vector<ForestPanel> published;
  for (std::size_t i = 0; i < 4; ++i) {
    measured.push_back(panel(rows, at(words, i) + std::to_string(i)));
    published.push_back(panel(rows, at(words, i) + std::to_string(i), 3));
  }
  return {
      forest_figure("forest", at(words, 0), measured, published, table(rows)),
      size_figure("size", at(words, 1), cases(rows), rows, "brats", "tumor", protocol),
      efficiency_figure("efficiency", at(words, 2), {group(rows, at(words, 3))}, protocol),
      rank_figure(
          "ranks", at(words, 4), {ranks(rows, at(words, 5)), ranks(rows, at(words, 6))}, protocol),
      curves_figure(losses(rows, 40, at(words, 6)), 1),
  };
}

TEST_CASE("figures of the page have no colour, size or id of their own, and say what they show") {
  const std::vector<Figure> figures = all_figures(kRows, {"A title"});
  const std::vector<Drawing> drawings = draw(figures);
  REQUIRE(drawings.size() == 5);
  std::set<std::string> ids;
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    const std::string& svg = drawings[i].inline_svg;
    const std::string& id = figures[i].id;
    INFO(id);
    CHECK(well_formed(svg));
    CHECK(svg.starts_with("<svg "));
    const std::string root = svg.substr(0, svg.find('>'));
    CHECK_THAT(root, Catch::Contains("viewBox=") && Catch::Contains("role=\"img\""));
    CHECK(root.find(" width=") == std::string::npos);
    CHECK(root.find(" height=") == std::string::npos);
    CHECK_THAT(root, Catch::Contains("aria-labelledby=\"" + id + "-title " + id + "-desc\""));
    CHECK_FALSE(std::regex_search(svg, std::regex("=\"(#[0-9a-fA-F]{6}|rgb|black|white)")));
    CHECK(svg.find("font-family") == std::string::npos);
    for (const char* never : {"<!--", "<?", "<!", "<script", "<style", "<filter", "xlink:href"}) {
      CHECK(svg.find(never) == std::string::npos);
    }
    std::set<std::string> own;
    for (const std::string& each : matches(svg, " id=\"([^\"]*)\"")) {
      CHECK(each.starts_with(id + "-"));
      CHECK(ids.insert(each).second);  // unique in the whole page
      own.insert(each);
    }
    for (const std::string& each : matches(svg, " href=\"#([^\"]*)\"")) {
      CHECK(own.contains(each));
    }
    for (const std::string& each : matches(svg, "var\\((--[a-z0-9-]+)\\)")) {
      CHECK_FALSE(property(figure_css({}), each, false).empty());
    }
    // The title is for who cannot see it; drawn it is in the file alone.
    CHECK(count(svg, "A title [phantom data]") == 1);
    CHECK_THAT(svg,
               Catch::Contains("<title id=\"" + id + "-title\">A title [phantom data]</title>"));
    CHECK_THAT(svg, Catch::Contains(figures[i].description.substr(0, 20)));
    CHECK(count(drawings[i].svg, "A title [phantom data]") == 2);
    CHECK(well_formed(drawings[i].svg));
    CHECK_THAT(drawings[i].svg, Catch::StartsWith("<?xml") && Catch::Contains("fill=\"#ffffff\""));
    CHECK(drawings[i].png.substr(1, 3) == "PNG");
    CHECK(std::ranges::any_of(figures[i].notes, [](const std::string& note) {
      return note.starts_with("Made with phantom data: ");
    }));
    CHECK_FALSE(figures[i].data.rows.empty());
    for (const auto& row : figures[i].data.rows) {
      CHECK(row.size() == figures[i].data.header.size());
    }
    for (const TableRow& row : kRows) {
      if (row.method != "sar") {
        CHECK_THAT(svg, Catch::Contains(">" + row.label + "</text>"));
      }
    }
  }
}

TEST_CASE("the same figures are drawn to the same bytes") {  // exact
  const std::vector<Figure> figures = all_figures(kRows, {"A title"});
  const std::vector<Drawing> first = draw(figures);
  const std::vector<Drawing> second = draw(all_figures(kRows, {"A title"}));
  for (std::size_t i = 0; i < figures.size(); ++i) {
    CHECK(first[i].svg == second[i].svg);
    CHECK(first[i].png == second[i].png);
    CHECK(first[i].inline_svg == second[i].inline_svg);
  }
}

TEST_CASE("no text of a user runs, breaks out of the figure or breaks the plot") {
  std::vector<TableRow> rows;
  for (const std::string& word : kHostile) {
    rows.push_back({word + "m", word + "l"});
  }
  rows.push_back({"sar", kHostile[0]});
  std::vector<Figure> figures = all_figures(rows, kHostile);
  for (std::size_t i = 0; i < figures.size(); ++i) {
    figures[i].id = kHostile[i] + std::to_string(i);
    figures[i].description = kHostile[i];
  }
  const std::vector<Drawing> drawings = draw(figures);
  CHECK_FALSE(std::filesystem::exists("pwned"));
  for (std::size_t i = 0; i < drawings.size(); ++i) {
    INFO(i);
    for (const std::string& svg : {drawings[i].svg, drawings[i].inline_svg}) {
      CHECK(well_formed(svg));
      CHECK(svg.find("<script") == std::string::npos);
      CHECK(svg.find("onload=\"") == std::string::npos);
      CHECK(svg.find("\xE2\x80\xAE") == std::string::npos);  // would turn the page's text around
      CHECK(svg.find('\x1b') == std::string::npos);
      CHECK(svg.find('\xff') == std::string::npos);
    }
  }
  const std::string& forest = drawings[0].inline_svg;
  CHECK_THAT(forest, Catch::Contains("&lt;script&gt;aler"));
  CHECK_THAT(forest, Catch::Contains("`touch pwned`l</text>"));
  CHECK_THAT(forest, Catch::Contains("😀 mirrored"));
}

TEST_CASE("one figure that cannot be drawn is an error that names it") {
  std::vector<Figure> figures = all_figures({{"sar", "SAR"}}, {"t"});
  figures[1].commands = "reset\nplot nonsense(\n";
  figures[1].id = "broken";
  try {
    draw(figures);
    FAIL("drawn");
  } catch (const Error& error) {
    CHECK(error.code() == ExitCode::input_output);
    CHECK_THAT(error.what(), Catch::Contains("broken"));
  }
  CHECK(draw({}).empty());
}

TEST_CASE("figures without any number can be drawn") {
  const ProtocolRow protocol = test::protocol_row("p", "real");
  const std::vector<Figure> figures = {
      forest_figure("a", "t", {}, {}, table({})),
      size_figure("b", "t", {}, kRows, "brats", "tumor", protocol),
      size_figure("c", "t", {}, {}, "brats", "tumor", protocol),
      efficiency_figure("d", "t", {}, protocol),
      rank_figure("e", "t", {}, protocol),
      curves_figure(losses(kRows, 0), 1),
  };
  for (const Drawing& drawing : draw(figures)) {
    CHECK(well_formed(drawing.inline_svg));
  }
  CHECK(figures[1].title == "t");
}

TEST_CASE("a forest spells out its direction, its test and what is hollow") {
  const Figure both = forest_figure(
      "f", "t", {panel({{"rpl", "RPL"}}, "A")}, {panel({{"rpl", "RPL"}}, "A", 1)}, table(kRows));
  CHECK_THAT(both.commands, Catch::Contains("'SAR better →'"));
  CHECK_THAT(both.commands, Catch::Contains("'← SAR worse'"));
  CHECK(count(both.commands, "\nplot ") == 1);  // one panel for both
  CHECK_THAT(both.notes[0], Catch::Contains("Student") && Catch::Contains("n = 5 trials"));
  CHECK_THAT(both.notes[1], Catch::Contains("Hollow"));
  // Published numbers alone say nothing of the run.
  const Figure paper = forest_figure("f", "t", {}, {panel({{"rpl", "RPL"}}, "A")}, table(kRows));
  CHECK(paper.title == "t");
  CHECK(paper.commands.find("measured") == std::string::npos);
}

TEST_CASE("edges of buckets lie midway; where buckets overlap, a band shows it") {  // exact
  const std::vector<TableRow> rows = {{"sar", "SAR"}};
  std::vector<CaseRow> list;
  const auto add = [&](const char* id, const char* bucket, double volume) {
    list.push_back({"sar", "brats", "1", 0, id, "tumor", bucket, volume, 50});
  };
  add("a", "S", 100);
  add("b", "S", 200);
  add("c", "M", 400);
  add("d", "L", 1000);
  const ProtocolRow protocol = test::protocol_row("p");
  const Figure apart = size_figure("s", "t", list, rows, "brats", "tumor", protocol);
  CHECK_THAT(apart.commands, Catch::Contains("300 -3\n") && Catch::Contains("700 -3\n"));
  CHECK(apart.commands.find("set object rectangle") == std::string::npos);
  CHECK_THAT(apart.commands, Catch::Contains("in mm³"));
  add("e", "S", 500);
  const Figure overlap = size_figure("s", "t", list, rows, "brats", "tumor", protocol);
  CHECK_THAT(overlap.commands,
             Catch::Contains("set object rectangle from first 400,graph 0 to first 500,graph 1"));
  for (CaseRow& row : list) {
    row.bucket = "all";
  }
  add("f", "all", 0);  // no place on a logarithmic axis
  const Figure whole = size_figure("s", "t", list, rows, "brats", "tumor", protocol);
  CHECK(
      std::ranges::none_of(whole.notes, [](const auto& note) { return note.starts_with("S, M"); }));
  CHECK(std::ranges::any_of(whole.notes,
                            [](const auto& note) { return note.starts_with("Not drawn: 1"); }));
  CHECK(whole.data.rows.size() == 6);
}

TEST_CASE(
    "a point is a case's mean over trials with its range; very many are thinned, and it says so") {
  const std::vector<TableRow> rows = {{"sar", "SAR"}, {"sa", "SA"}};
  const Figure figure =
      size_figure("s", "t", cases(rows), rows, "brats", "tumor", test::protocol_row("p"));
  CHECK_THAT(figure.commands, Catch::Contains("\n0.1 30.5 30 1\n"));  // 100 mm3 are 0.1 ml
  CHECK(figure.data.rows.size() == 60);
  const Figure many =
      size_figure("s", "t", cases(rows, 10'500), rows, "brats", "tumor", test::protocol_row("p"));
  CHECK(std::ranges::any_of(many.notes, [](const std::string& note) {
    return note.starts_with("Of 21000 points one in 2");
  }));
  CHECK(many.data.rows.size() == 21'000);
}

TEST_CASE("five thousand points stay below 600 kB") {
  const std::vector<TableRow> rows(kRows.begin(), kRows.end());
  const Drawing drawing = draw({size_figure(
      "s", "t", cases(rows, 556), rows, "brats", "tumor", test::protocol_row("p"))})[0];
  CHECK(drawing.svg.size() < 600'000);
  CHECK(drawing.inline_svg.size() < 600'000);
}

TEST_CASE("fractions are tics with their cases; what is not a fraction is left out") {
  const Figure figure = efficiency_figure("e", "t", {group(kRows, "G")}, test::protocol_row("p"));
  CHECK_THAT(figure.commands, Catch::Contains("set xtics ('' 0.02, '' 0.2, '' 1)"));
  CHECK_THAT(figure.commands, Catch::Contains("'1/50'") && Catch::Contains("'(7)'"));
  CHECK(figure.commands.find("nonsense") == std::string::npos);
  CHECK_THAT(figure.description, Catch::Contains("with 1/5 of the labels SAR reaches 61.0"));
}

TEST_CASE("a column without ranks says why") {
  RankStability none = ranks({}, "Organ");
  none.reason = "no trial yet";
  const Figure figure =
      rank_figure("r", "t", {ranks(kRows, "Tumor"), none}, test::protocol_row("p"));
  CHECK_THAT(figure.commands, Catch::Contains("'no trial yet'"));
  CHECK_THAT(figure.description,
             Catch::Contains("Tumor: Scratch is first as measured, and in 75 %"));
}

TEST_CASE("long loss curves are thinned, and their spikes stay") {
  const LossCurves curves = losses({{"scratch", "Scratch"}, {"sar", "SAR"}}, 10'000);
  const Figure figure = curves_figure(curves, 1);
  CHECK_THAT(figure.commands, Catch::Contains("5000 3.5 "));
  CHECK_THAT(figure.commands, Catch::Contains("5001 0.125 0.125 "));
  const std::string first = figure.commands.substr(figure.commands.find("$d1 << END"));
  CHECK(count(first.substr(0, first.find("\nEND\n")), "\n") <= 401);
  // Short ones are drawn as they are.
  CHECK_THAT(curves_figure(losses({{"sar", "SAR"}}, 300), 1).commands, Catch::Contains("\n299 "));
}

}  // namespace sar::figure_test
