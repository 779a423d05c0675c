#include "results/report/section.h"

#include "harness/core/error.h"

#include <catch2/catch.hpp>

#include <set>

namespace sar {
namespace {

SectionContent with_figure() {
  SectionContent section;
  section.message("first");
  Figure figure;
  figure.id = "f";
  figure.data.header = {"A"};
  figure.data.rows = {{"1"}};
  section.figure(figure);
  return section;
}

std::set<std::string> names(const ReportFiles& files) {
  std::set<std::string> result;
  for (const auto& [name, content] : files) {
    result.insert(name);
  }
  return result;
}

TEST_CASE("a figure that is drawn stands in its place, with its picture among the files") {
  SectionContent section = with_figure();
  section.figures().front().drawing = {"<svg/>", "png", "<svg class=\"page\"/>"};
  const Json blocks = section.blocks();
  REQUIRE(blocks.size() == 4);
  CHECK(blocks[1].at("figure").at("svg").at("drawing") == "<svg class=\"page\"/>");
  CHECK(blocks[2].at("sheet").at("heads").size() == 1);
  CHECK(blocks[3].at("files").at("file")[0].at("href") == "figures/f.svg");
  CHECK(names(section.files()) ==
        std::set<std::string>{"figures/f.csv", "figures/f.json", "figures/f.png", "figures/f.svg"});
}

TEST_CASE("a figure that is not drawn says why, and its numbers stay") {
  SectionContent section = with_figure();
  section.figures().front().not_drawn = "no pen";
  const Json blocks = section.blocks();
  CHECK(blocks.at(1).at("figure").at("not_drawn")[0].at("text") == "no pen");
  CHECK(blocks.at(1).at("figure").at("svg") == false);
  CHECK(blocks.at(3).at("files").at("file").size() == 2);
  CHECK(names(section.files()) == std::set<std::string>{"figures/f.csv", "figures/f.json"});
}

TEST_CASE("a file of a section takes the place of the numbers of its figure") {
  SectionContent section = with_figure();
  section.file("figures/f.csv", "points");
  CHECK(section.files().at("figures/f.csv") == "points");
}

TEST_CASE("very many rows of numbers stand in the files alone") {
  SectionContent section;
  Figure figure;
  figure.id = "f";
  figure.data.header = {"A"};
  figure.data.rows.assign(1001, {"1"});
  section.figure(figure);
  section.figures().front().not_drawn = "no pen";
  CHECK(section.blocks().at(1).at("message").at("message_text") ==
        "Its 1001 rows of numbers are in the CSV and JSON files.");
}

TEST_CASE("sections are in order by their numbers, each id and number once") {
  SectionRegistry registry;
  registry.add({20, "b", "", {}, {}});
  registry.add({10, "a", "", {}, {}});
  CHECK(registry.sections().front().id == "a");
  CHECK_THROWS_AS(registry.add({30, "a", "", {}, {}}), Error);
  CHECK_THROWS_AS(registry.add({20, "c", "", {}, {}}), Error);
}

TEST_CASE("the sections of the product are in the order of the page") {
  SectionRegistry registry;
  sections::register_all(registry);
  std::vector<std::string> ids;
  for (const Section& section : registry.sections()) {
    ids.push_back(section.id);
  }
  CHECK(ids == std::vector<std::string>{"tables",
                                        "forest",
                                        "curves",
                                        "size",
                                        "labels",
                                        "ranks",
                                        "examples",
                                        "pretraining",
                                        "claims",
                                        "audit",
                                        "failures",
                                        "assumptions",
                                        "run"});
}

}  // namespace
}  // namespace sar
