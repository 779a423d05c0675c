#include "results/figures/style.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace sar {
namespace {

struct Named {
  std::string name;
  MethodStyle style;
};

/// Of the nine methods of Table 2 each differs from every other in point and dash, and in colour by
/// at least 0.09 in OKLab under normal vision and each simulated deficiency, found by annealing
/// under the bound of a 3:1 contrast; the colours of a method in light and dark are alike in hue.
/// Scratch is grey; the reference warm and solid, its single scales in shades of it.
const std::vector<Named> kMethods = {
    {"scratch", {"#566070", "#a3adba", 2, "(2,3)"}},
    {"genesis", {"#495dea", "#6692ed", 5, "(9,4)"}},
    {"rpl", {"#2a9f7c", "#8cf5b4", 9, "(9,3,2,3)"}},
    {"jig", {"#b3851a", "#fdbe12", 1, "(4,3)"}},
    {"rot", {"#8a6aaf", "#d1ccfd", 11, "(14,4)"}},
    {"cpc", {"#2a3498", "#6b62e6", 3, "(9,3,2,3,2,3)"}},
    {"mial", {"#740159", "#c72991", 15, "(5,3,2,3)"}},
    {"sa", {"#4c3b0b", "#906d08", 13, "(14,3,4,3)"}},
    {"sar", {"#c8321a", "#ff7b5a", 7, "1"}},
    {"scale2", {"#ce7375", "#fbcdc8", 8, "(9,4)"}},
    {"scale4", {"#8f2013", "#d94a1e", 4, "(9,3,2,3)"}},
    {"scale8", {"#5a0125", "#a0727b", 12, "(4,3)"}},
};
/// For methods that are not known here.
const std::vector<Named> kOthers = {
    {"other1", {"#0f7a8a", "#5fd3e0", 6, "(6,3)"}},
    {"other2", {"#7a5c00", "#d9c36a", 10, "(12,3,3,3)"}},
    {"other3", {"#a0307d", "#f095cf", 14, "(3,3)"}},
    {"other4", {"#3f7d20", "#a3d977", 4, "(7,3,2,3)"}},
    {"other5", {"#5b4bb5", "#b3a8ff", 8, "(11,5)"}},
    {"other6", {"#64748f", "#c3cede", 12, "(5,2,2,2)"}},
};

const Named& named(const std::string& method) {
  const auto known = std::ranges::find(kMethods, method, &Named::name);
  if (known != kMethods.end()) {
    return *known;
  }
  std::uint32_t hash = 2166136261U;  // FNV-1a
  for (const char byte : method) {
    hash = (hash ^ static_cast<unsigned char>(byte)) * 16777619U;
  }
  return kOthers[hash % kOthers.size()];
}

struct Theme {
  std::string name, light, dark;
};
const std::vector<Theme> kTheme = {
    {"ink", figures::kInk, "#e6eaf0"},
    {"muted", figures::kMuted, "#a7b1be"},
    {"grid", figures::kGrid, "#333c49"},
    {"paper", figures::kPaper, "#12161d"},
    {"panel", "#f4f6f8", "#1a202a"},
    {"link", "#1a5fb4", "#8ab8ff"},
    {"accent", "#c02f18", "#ff7f5f"},
    {"ok", "#1b7340", "#6fd08c"},
    {"warn", "#855600", "#f0b849"},
    {"bad", "#b3261e", "#ff8a80"},
};

}  // namespace

MethodStyle method_style(const std::string& method) {
  return named(method).style;
}

std::string method_property(const std::string& method) {
  return "--method-" + figures::identifier(method);
}

std::string figure_css(const std::vector<std::string>& methods) {
  std::vector<std::string> names;
  for (const auto* list : {&kMethods, &kOthers}) {
    for (const Named& each : *list) {
      names.push_back(each.name);
    }
  }
  for (const std::string& method : methods) {
    if (std::ranges::find(names, method) == names.end()) {
      names.push_back(method);
    }
  }
  const auto properties = [&](bool dark) {
    std::string text = dark ? "color-scheme:dark" : "color-scheme:light";
    for (const Theme& each : kTheme) {
      text += fmt::format(";--{}:{}", each.name, dark ? each.dark : each.light);
    }
    for (const std::string& name : names) {
      const auto other = std::ranges::find(kOthers, name, &Named::name);
      const MethodStyle style = other == kOthers.end() ? method_style(name) : other->style;
      text += fmt::format(";{}:{}", method_property(name), dark ? style.dark : style.light);
    }
    return "{" + text + "}";
  };
  // Paper is white, whatever the screen is.
  return ":root" + properties(false) + "\n@media screen{[data-theme=dark]" + properties(true) +
         "}\n@media screen and (prefers-color-scheme:dark){:root:not([data-theme=light])" +
         properties(true) + "}\n";
}

namespace figures {

std::vector<std::pair<std::string, std::string>> colour_variables() {
  std::vector<std::pair<std::string, std::string>> result;
  for (const Theme& each : kTheme) {
    result.emplace_back(each.light, "var(--" + each.name + ")");
  }
  for (const auto* list : {&kMethods, &kOthers}) {
    for (const Named& each : *list) {
      result.emplace_back(each.style.light, "var(" + method_property(each.name) + ")");
    }
  }
  return result;
}

std::string identifier(const std::string& text) {
  std::string result;
  for (const char c : text) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '-' || c == '_';
    result += kept ? std::string(1, c) : fmt::format("-x{:02x}", static_cast<unsigned char>(c));
  }
  return result;
}

std::string line_style(const std::string& colour, double width, const std::string& dash) {
  return fmt::format("linecolor rgb '{}' linewidth {} dashtype {}", colour, number(width), dash);
}

std::string point_style(const MethodStyle& style, double size) {
  return fmt::format("pointtype {} pointsize {} linecolor rgb '{}' linewidth 1.5",
                     style.point,
                     number(size),
                     style.light);
}

std::vector<std::string> mark_elements(const std::string& data,
                                       const MethodStyle& style,
                                       double size,
                                       bool hollow) {
  const auto element = [&](MethodStyle shown, double scale) {
    return data + " using 1:2 with points " + point_style(shown, size * scale);
  };
  if (!hollow) {
    return {element(style, 1)};
  }
  // A mark of lines has no inside: it stands in a ring.
  const bool lines = style.point <= 3;
  const MethodStyle outer{style.light, style.dark, lines ? 7 : style.point, style.dash};
  const MethodStyle inner{kPaper, kPaper, outer.point, style.dash};
  std::vector<std::string> elements{element(outer, lines ? 1.1 : 1),
                                    element(inner, lines ? 0.9 : 0.62)};
  if (lines) {
    elements.push_back(element(style, 0.6));
  }
  return elements;
}

bool stands_out(const std::string& method) {
  return method == "sar";
}

std::string number(double value) {
  return std::isfinite(value) ? fmt::format("{:.6g}", value) : "NaN";
}

}  // namespace figures
}  // namespace sar
