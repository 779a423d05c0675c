#include "results/figures/style.h"

#include "results/tables/table.h"

#include <catch2/catch.hpp>

#include <algorithm>
#include <array>
#include <cmath>
#include <regex>
#include <set>

namespace sar {
namespace {

const std::vector<TableRow> kRows = {{"scratch", "Scratch"},
                                     {"genesis", "Genesis"},
                                     {"rpl", "RPL"},
                                     {"jig", "Jigsaw"},
                                     {"rot", "Rotation"},
                                     {"cpc", "CPC"},
                                     {"mial", "MIAL"},
                                     {"sa", "SA"},
                                     {"sar", "SAR"}};

std::size_t count(const std::string& text, const std::string& part) {
  std::size_t found = 0;
  for (std::size_t i = text.find(part); i != std::string::npos; i = text.find(part, i + 1)) {
    ++found;
  }
  return found;
}

using Rgb = std::array<double, 3>;

/// Linear light of "#rrggbb" (IEC 61966-2-1).
Rgb linear(const std::string& hex) {
  Rgb result{};
  for (std::size_t i = 0; i < 3; ++i) {
    const double value = std::stoi(hex.substr(1 + 2 * i, 2), nullptr, 16) / 255.0;
    result[i] = value <= 0.04045 ? value / 12.92 : std::pow((value + 0.055) / 1.055, 2.4);
  }
  return result;
}

using Matrix = std::array<Rgb, 3>;
Rgb product(const Matrix& matrix, const Rgb& colour) {
  Rgb result{};
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) {
      result[i] += matrix[i][j] * colour[j];
    }
  }
  return result;
}

/// Normal vision, and G. M. Machado, M. M. Oliveira, L. A. F. Fernandes, "A Physiologically-based
/// Model for Simulation of Color Vision Deficiency" (IEEE TVCG 15, 2009), severity 1, on linear
/// RGB.
const std::vector<std::pair<std::string, Matrix>> kVision = {
    {"normal", {{{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}}},
    {"protanopia",
     {{{0.152286, 1.052583, -0.204868},
       {0.114503, 0.786281, 0.099216},
       {-0.003882, -0.048116, 1.051998}}}},
    {"deuteranopia",
     {{{0.367322, 0.860646, -0.227968},
       {0.280085, 0.672501, 0.047413},
       {-0.011820, 0.042940, 0.968881}}}},
    {"tritanopia",
     {{{1.255528, -0.076749, -0.178779},
       {-0.078411, 0.930809, 0.147602},
       {0.004733, 0.691367, 0.303900}}}}};

/// B. Ottosson, "A perceptual color space for image processing" (2020), from linear RGB.
Rgb oklab(Rgb colour) {
  for (double& channel : colour) {
    channel = std::clamp(channel, 0.0, 1.0);
  }
  Rgb cones = product({{{0.4122214708, 0.5363325363, 0.0514459929},
                        {0.2119034982, 0.6806995451, 0.1073969566},
                        {0.0883024619, 0.2817188376, 0.6299787005}}},
                      colour);
  for (double& cone : cones) {
    cone = std::cbrt(cone);
  }
  return product({{{0.2104542553, 0.7936177850, -0.0040720468},
                   {1.9779984951, -2.4285922050, 0.4505937099},
                   {0.0259040371, 0.7827717662, -0.8086757660}}},
                 cones);
}

double distance(const Rgb& a, const Rgb& b) {
  return std::hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]);
}

/// WCAG 2.1.
double contrast(const std::string& a, const std::string& b) {
  const auto luminance = [](const std::string& hex) {
    const Rgb light = linear(hex);
    return 0.2126 * light[0] + 0.7152 * light[1] + 0.0722 * light[2];
  };
  const auto [low, high] = std::minmax({luminance(a), luminance(b)});
  return (high + 0.05) / (low + 0.05);
}

/// Value of a custom property in the first block (light) or the second (dark).
std::string property(const std::string& css, const std::string& name, bool dark) {
  const std::string block = css.substr(dark ? css.find("[data-theme=dark]") : 0);
  const std::size_t found = block.find(name + ":");
  return found == std::string::npos ? "" : block.substr(found + name.size() + 1, 7);
}

TEST_CASE(
    "methods of a table differ in colour for every kind of colour vision, and in their marks") {
  // Bound: 0.08 in OKLab is about four times the smallest difference that is seen side by side
  // (0.02, by its author), since marks lie apart and are small.
  for (const bool dark : {false, true}) {
    for (const auto& [name, matrix] : kVision) {
      for (std::size_t i = 0; i < kRows.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j) {
          const MethodStyle a = method_style(kRows[i].method);
          const MethodStyle b = method_style(kRows[j].method);
          INFO(kRows[i].method << " " << kRows[j].method << " " << name << (dark ? " dark" : ""));
          CHECK(distance(oklab(product(matrix, linear(dark ? a.dark : a.light))),
                         oklab(product(matrix, linear(dark ? b.dark : b.light)))) >= 0.08);
          CHECK(a.point != b.point);
          CHECK(a.dash != b.dash);
        }
      }
    }
  }
}

TEST_CASE("the single scales differ from each other and from the reference in colour and mark") {
  const std::vector<std::string> methods = {"sar", "scale2", "scale4", "scale8"};
  for (std::size_t i = 0; i < methods.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const MethodStyle a = method_style(methods[i]);
      const MethodStyle b = method_style(methods[j]);
      CHECK(a.point != b.point);
      CHECK(a.dash != b.dash);
      for (const auto& [name, matrix] : kVision) {
        INFO(methods[i] << " " << methods[j] << " " << name);
        CHECK(distance(oklab(product(matrix, linear(a.light))),
                       oklab(product(matrix, linear(b.light)))) >= 0.08);
        CHECK(distance(oklab(product(matrix, linear(a.dark))),
                       oklab(product(matrix, linear(b.dark)))) >= 0.08);
      }
    }
  }
}

TEST_CASE(
    "colours are legible on paper and panels, light and dark") {  // WCAG 2.1: 4.5 text, 3 marks
  std::vector<std::string> methods = {"scale2", "scale4", "scale8", "a method of mine", "another"};
  for (const TableRow& row : kRows) {
    methods.push_back(row.method);
  }
  const std::string css = figure_css(methods);
  for (const bool dark : {false, true}) {
    for (const char* behind : {"--paper", "--panel"}) {
      const std::string paper = property(css, behind, dark);
      for (const char* name :
           {"--ink", "--muted", "--link", "--accent", "--ok", "--warn", "--bad"}) {
        INFO(name << " on " << behind << dark);
        CHECK(contrast(property(css, name, dark), paper) >= 4.5);
      }
      for (const std::string& method : methods) {
        INFO(method << " on " << behind << dark);
        CHECK(contrast(property(css, method_property(method), dark), paper) >= 3);
        const MethodStyle style = method_style(method);
        CHECK(property(css, method_property(method), dark) == (dark ? style.dark : style.light));
      }
    }
  }
  CHECK(property(css, "--paper", false) == "#ffffff");
  CHECK_THAT(css,
             Catch::Contains(
                 "@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light])"));
}

TEST_CASE("an unknown method has a style of its own, the same at all times, and a safe property") {
  CHECK(method_style("mine").light == method_style("mine").light);
  CHECK_FALSE(method_style("mine").dash.empty());
  std::set<std::string> colours;
  for (const char* name : {"a", "b", "c", "d", "e", "f", "g", "h"}) {
    colours.insert(method_style(name).light);
  }
  CHECK(colours.size() > 2);
  CHECK(method_property("sar") == "--method-sar");
  const std::vector<std::string> hostile = {
      "<script>alert(1)</script>", "a}b{c", "x' onload='alert(1)", "\xff\x1b[31m", "a:b;c", ""};
  for (const std::string& method : hostile) {
    CHECK(std::regex_match(method_property(method), std::regex("--method-[A-Za-z0-9_-]*")));
  }
  const std::string css = figure_css(hostile);
  CHECK(count(css, "{") == count(css, "}"));
  CHECK(css.find('<') == std::string::npos);
}

}  // namespace
}  // namespace sar
