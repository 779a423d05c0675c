#include "results/figures/svg.h"

#include "harness/core/error.h"
#include "results/figures/canvas.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <map>
#include <pugixml.hpp>
#include <set>
#include <sstream>

namespace sar::figures {
namespace {

using pugi::xml_node;

/// Numbers of a path with one decimal, blanks joined: a twentieth of a pixel is not seen.
std::string shortened(const std::string& text) {
  std::string result;
  for (std::size_t at = 0; at < text.size();) {
    const char c = text[at];
    if ((c >= '0' && c <= '9') || c == '.') {
      std::size_t end = at;
      while (end < text.size() && ((text[end] >= '0' && text[end] <= '9') || text[end] == '.')) {
        ++end;
      }
      const std::string digits = text.substr(at, end - at);
      double value = 0;
      const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), value);
      result += parsed.ec == std::errc() && digits.find('.') != std::string::npos
                    ? fmt::format("{}", std::round(value * 10) / 10)
                    : digits;
      at = end;
    } else if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
      at = std::min(text.find_first_not_of(" \t\r\n", at), text.size());
      result += result.empty() || at == text.size() ? "" : " ";
    } else {
      result += c;
      ++at;
    }
  }
  return result;
}

/// "#rrggbb" of "rgb( 17, 34, 51)", of a named colour that gnuplot itself uses, or as it is.
std::string hexadecimal(const std::string& colour) {
  int r = 0;
  int g = 0;
  int b = 0;
  if (std::sscanf(colour.c_str(), "rgb( %d , %d , %d", &r, &g, &b) == 3) {  // NOLINT(cert-err34-c)
    return fmt::format("#{:02x}{:02x}{:02x}", r & 255, g & 255, b & 255);
  }
  if (colour == "black") {
    return kInk;
  }
  std::string lower = colour;
  std::ranges::transform(lower, lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

/// `node` itself or the next of its siblings that is an element.
xml_node first_element(xml_node node) {
  while (node && node.type() != pugi::node_element) {
    node = node.next_sibling();
  }
  return node;
}

std::string get(const xml_node& element, const char* attribute) {
  return element.attribute(attribute).value();
}

std::string without_blanks_around(const std::string& text) {
  const std::size_t from = text.find_first_not_of(" \t\r\n");
  return from == std::string::npos ? ""
                                   : text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from);
}

void set(xml_node& element, const char* name, const std::string& value) {
  element.append_attribute(name).set_value(value.c_str());
}

void add_text(xml_node& element, const std::string& text) {
  element.append_child(pugi::node_pcdata).set_value(text.c_str());
}

/// Elements that are drawn; what else gnuplot writes is left out.
bool is_drawn(const std::string& name) {
  static const std::set<std::string> kNames = {
      "g", "defs", "path", "circle", "rect", "line", "polyline", "polygon", "use", "text", "tspan"};
  return kNames.contains(name);
}

/// The drawn title is a group that stands in the band above the figure.
bool is_in_title_band(const xml_node& group) {
  double x = 0;
  double y = 0;
  return std::string(first_element(group.first_child()).name()) == "text" &&
         std::sscanf(  // NOLINT(cert-err34-c)
             group.attribute("transform").value(),
             "translate(%lf,%lf)",
             &x,
             &y) == 2 &&
         y < kTitleBand - 4;
}

/// Writes gnuplot's elements anew, one after the other, into a document of ours.
class Rewriting {
 public:
  Rewriting(const Figure& figure, bool page)
      : figure_(figure), page_(page), prefix_(page ? identifier(figure.id) + "-" : "") {
    for (const auto& [colour, variable] : colour_variables()) {
      variables_.emplace(colour, variable);
    }
  }

  std::string document(const xml_node& root) {
    // Marks that are used, and those that these are made of.
    collect(root, false);
    for (std::size_t before = 0; before != used_.size();) {
      before = used_.size();
      collect(root, true);
    }
    pugi::xml_document document;
    xml_node svg = document.append_child("svg");
    const int top = page_ ? kTitleBand : 0;
    set(svg, "xmlns", "http://www.w3.org/2000/svg");
    set(svg, "xmlns:xlink", "http://www.w3.org/1999/xlink");
    if (!page_) {
      set(svg, "width", std::to_string(figure_.width));
      set(svg, "height", std::to_string(figure_.height));
    }
    set(svg, "viewBox", fmt::format("0 {} {} {}", top, figure_.width, figure_.height - top));
    set(svg, "role", "img");
    set(svg, "aria-labelledby", prefix_ + "title " + prefix_ + "desc");
    add_text(svg, "\n");
    for (const auto& [name, text] : {std::pair("title", plain(figure_.title, 1000)),
                                     std::pair("desc", plain(figure_.description, 4000))}) {
      xml_node words = svg.append_child(name);
      set(words, "id", prefix_ + name);
      add_text(words, text);
      add_text(svg, "\n");
    }
    for (const xml_node& child : root.children()) {
      add(svg, child);
    }
    std::ostringstream text;
    text << (page_ ? "" : "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n");
    svg.print(text, "", pugi::format_raw);
    text << '\n';
    return text.str();
  }

 private:
  /// Ids that `use` refers to outside the definitions, or in those definitions that are used.
  void collect(const xml_node& element, bool definitions) {
    for (const xml_node& child : element.children()) {
      const std::string name = child.name();
      if (name == "defs" && !definitions) {
        continue;
      }
      const std::string id = get(child, "id");
      if (name == "use" && (id.empty() || used_.contains(id))) {
        used_.insert(target(child));
      }
      collect(child, definitions);
    }
  }

  /// The id that a `use` refers to.
  static std::string target(const xml_node& use) {
    const std::string reference = get(use, "xlink:href");
    return reference.substr(std::min<std::size_t>(1, reference.size()));
  }

  [[nodiscard]] std::string colour(const std::string& value) const {
    if (value == "none" || value == "currentColor") {
      return value;
    }
    const std::string hex = hexadecimal(value);
    const auto variable = variables_.find(hex);
    return page_ && variable != variables_.end() ? variable->second : hex;
  }

  void copy_attributes(xml_node& to, const xml_node& from) const {
    static const std::set<std::string> kNumbers = {"x",
                                                   "y",
                                                   "x1",
                                                   "y1",
                                                   "x2",
                                                   "y2",
                                                   "r",
                                                   "cx",
                                                   "cy",
                                                   "width",
                                                   "height",
                                                   "d",
                                                   "points",
                                                   "transform",
                                                   "stroke-width",
                                                   "stroke-dasharray",
                                                   "font-size"};
    static const std::set<std::string> kWords = {"stroke-linecap",
                                                 "stroke-linejoin",
                                                 "opacity",
                                                 "fill-opacity",
                                                 "stroke-opacity",
                                                 "text-anchor",
                                                 "font-weight",
                                                 "font-style"};
    const std::string id = get(from, "id");
    const bool definition = id.starts_with("gp");
    for (const pugi::xml_attribute& attribute : from.attributes()) {
      const std::string name = attribute.name();
      const std::string value = attribute.value();
      if (name == "id" && definition) {
        set(to, "id", prefix_ + identifier(value));
      } else if (name == "xlink:href") {
        set(to, page_ ? "href" : "xlink:href", "#" + prefix_ + identifier(target(from)));
      } else if (name == "fill" || name == "stroke" || name == "color") {
        set(to, name.c_str(), colour(value));
      } else if (kNumbers.contains(name)) {
        // The shapes of marks are one pixel wide and stay exact; crosses get bolder strokes.
        const bool cross = id == "gpPt0" || id == "gpPt1" || id == "gpPt2";
        set(to,
            name.c_str(),
            name == "stroke-width" && cross ? "0.42"
            : definition                    ? value
                                            : shortened(value));
      } else if (kWords.contains(name)) {
        set(to, name.c_str(), value);
      } else if (name == "font-family" && !page_) {
        set(to, "font-family", "sans-serif");
      }
    }
    const std::string size = shortened(get(from, "font-size"));
    if (size == number(kTitleSize) || size == number(kHeadingSize)) {
      set(to, "font-weight", "600");  // gnuplot's SVG terminal drops it
    }
  }

  [[nodiscard]] bool is_left_out(const xml_node& item) const {
    const std::string name = item.name();
    const std::string id = get(item, "id");
    const bool background = name == "rect" && get(item, "x") == "0" && get(item, "y") == "0" &&
                            get(item, "width") == std::to_string(figure_.width);
    return !is_drawn(name) || (id.starts_with("gp") && name != "g" && !used_.contains(id)) ||
           (page_ && (background || (name == "g" && is_in_title_band(item))));
  }

  void add(xml_node& parent, const xml_node& item) {
    if (is_left_out(item)) {
      return;
    }
    const std::string name = item.name();
    xml_node element = parent.append_child(item.name());
    copy_attributes(element, item);
    if (name == "g" && !element.first_attribute()) {
      // The groups of single plots hold nothing but an id and a title.
      parent.remove_child(element);
      add_children(parent, item);
      return;
    }
    if (name == "text" || name == "tspan") {
      std::string words;
      for (const xml_node& child : item.children()) {
        words += child.type() == pugi::node_pcdata ? child.value() : "";
      }
      if (words = without_blanks_around(words); !words.empty()) {
        add_text(element, words);
      }
    }
    add_children(element, item);
    if (!element.first_child() && (name == "g" || name == "defs" || name == "text")) {
      parent.remove_child(element);
    } else if (name == "g" || name == "path" || name == "use") {
      add_text(parent, "\n");
    }
  }

  void add_children(xml_node& parent, const xml_node& item) {
    for (xml_node child = first_element(item.first_child()); child;) {
      const std::vector<xml_node> like = run_of_marks(child);
      if (like.size() > 1) {
        add_marks(parent, like);
        child = first_element(like.back().next_sibling());
      } else {
        add(parent, child);
        child = first_element(child.next_sibling());
      }
    }
  }

  /// Like marks from this element on.
  static std::vector<xml_node> run_of_marks(const xml_node& first) {
    std::vector<xml_node> run;
    for (xml_node item = first; item; item = first_element(item.next_sibling())) {
      const bool like =
          std::string(item.name()) == "use" && get(item, "id").empty() && get(item, "x").empty() &&
          std::ranges::all_of(
              std::array{"xlink:href", "color", "opacity"},
              [&](const char* attribute) { return get(item, attribute) == get(first, attribute); });
      if (!like) {
        break;
      }
      run.push_back(item);
    }
    return run;
  }

  /// Their colour once; opacity by the fill, so that marks show through each other.
  void add_marks(xml_node& parent, const std::vector<xml_node>& marks) const {
    xml_node group = parent.append_child("g");
    set(group, "color", colour(get(marks.front(), "color")));
    if (const std::string opacity = get(marks.front(), "opacity"); !opacity.empty()) {
      set(group, "fill-opacity", opacity);
    }
    for (const xml_node& mark : marks) {
      add_text(group, "\n");
      xml_node use = group.append_child("use");
      set(use, page_ ? "href" : "xlink:href", "#" + prefix_ + identifier(target(mark)));
      set(use, "transform", replace_all(shortened(get(mark, "transform")), {{") s", ")s"}}));
    }
    add_text(group, "\n");
  }

  const Figure& figure_;
  bool page_;
  std::string prefix_;
  std::map<std::string, std::string> variables_;
  std::set<std::string> used_;
};

}  // namespace

std::string finished_svg(const std::string& svg, const Figure& figure, bool page) {
  pugi::xml_document drawn;
  const auto outcome = drawn.load_buffer(
      svg.data(), svg.size(), pugi::parse_escapes | pugi::parse_ws_pcdata, pugi::encoding_utf8);
  if (!outcome || !drawn.child("svg")) {
    throw io_error("gnuplot could not draw the figure: what it wrote is not SVG")
        .with("message", outcome.description());
  }
  return Rewriting(figure, page).document(drawn.child("svg"));
}

}  // namespace sar::figures
