#include "results/figures/figure_parts.h"
#include "results/figures/plot.h"
#include "results/text/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <set>

namespace sar {
namespace svg_rewriting {
using namespace figure_parts;

/// An element of gnuplot's SVG.
struct Element {
  std::string name;
  std::vector<std::pair<std::string, std::string>> attributes;
  std::string text;
  std::vector<Element> children;

  [[nodiscard]] std::string get(const std::string& attribute) const {
    const auto found =
        std::ranges::find(attributes, attribute, [](const auto& entry) { return entry.first; });
    return found == attributes.end() ? "" : found->second;
  }
};

/// What gnuplot writes: tags, attributes in either quotes, text; neither CDATA nor "<" in values.
class Reader {
 public:
  explicit Reader(const std::string& text) : text_(text) {}

  Element read() {
    Element top;
    read_children(top);
    return top;
  }

 private:
  void read_children(Element& parent) {
    while (at_ < text_.size()) {
      const std::size_t tag = std::min(text_.find('<', at_), text_.size());
      parent.text += text_.substr(at_, tag - at_);
      at_ = tag;
      if (text_.compare(at_, 2, "</") == 0) {
        skip_past(">");
        return;
      }
      if (text_.compare(at_, 4, "<!--") == 0) {
        skip_past("-->");
      } else if (text_.compare(at_, 2, "<?") == 0 || text_.compare(at_, 2, "<!") == 0) {
        skip_past(">");
      } else if (at_ < text_.size()) {
        read_element(parent);
      }
    }
  }
  void read_element(Element& parent) {
    Element element;
    ++at_;
    element.name = word();
    while (at_ < text_.size()) {
      blanks();
      if (text_.compare(at_, 2, "/>") == 0) {
        at_ += 2;
        break;
      }
      if (at_ >= text_.size() || text_[at_] == '>') {
        ++at_;
        read_children(element);
        break;
      }
      const std::string name = word();
      blanks();
      if (name.empty() || at_ >= text_.size() || text_[at_] != '=') {
        ++at_;
        continue;
      }
      ++at_;
      blanks();
      const char quote = at_ < text_.size() ? text_[at_] : '"';
      const std::size_t end = std::min(text_.find(quote, at_ + 1), text_.size());
      element.attributes.emplace_back(name, text_.substr(at_ + 1, end - at_ - 1));
      at_ = end + 1;
    }
    parent.children.push_back(std::move(element));
  }
  std::string word() {
    const std::size_t end = std::min(text_.find_first_of(" \t\r\n=/>", at_), text_.size());
    std::string result = text_.substr(at_, end - at_);
    at_ = end;
    return result;
  }
  void blanks() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }
  void skip_past(std::string_view mark) {
    const std::size_t found = text_.find(mark, at_);
    at_ = found == std::string::npos ? text_.size() : found + mark.size();
  }

  const std::string& text_;
  std::size_t at_ = 0;
};

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

class Writer {
 public:
  Writer(const Figure& figure, bool page)
      : figure_(figure), page_(page), prefix_(page ? identifier(figure.id) + "-" : "") {
    for (const auto& [colour, variable] : colour_variables()) {
      variables_.emplace(colour, variable);
    }
  }

  std::string document(const Element& root) {
    // Marks that are used, and those that these are made of.
    collect(root, false);
    for (std::size_t before = 0; before != used_.size();) {
      before = used_.size();
      collect(root, true);
    }
    std::string body;
    for (const Element& child : root.children) {
      body += element(child);
    }
    const std::string width = std::to_string(figure_.width);
    const std::string title = prefix_ + "title";
    const std::string description = prefix_ + "desc";
    const int top = page_ ? kTitleBand : 0;
    return fmt::format(
        "{}<svg xmlns=\"http://www.w3.org/2000/svg\" xmlns:xlink=\"http://www.w3.org/1999/xlink\" "
        "{}viewBox=\"0 {} {} {}\" role=\"img\" aria-labelledby=\"{} {}\">\n<title "
        "id=\"{}\">{}</title>\n<desc id=\"{}\">{}</desc>\n{}</svg>\n",
        page_ ? "" : "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"no\"?>\n",
        page_ ? "" : fmt::format("width=\"{}\" height=\"{}\" ", width, figure_.height),
        top,
        width,
        figure_.height - top,
        title,
        description,
        title,
        escape_xml(plain(figure_.title, 1000)),
        description,
        escape_xml(plain(figure_.description, 4000)),
        body);
  }

 private:
  static bool drawn(const std::string& name) {
    static const std::set<std::string> kNames = {"g",
                                                 "defs",
                                                 "path",
                                                 "circle",
                                                 "rect",
                                                 "line",
                                                 "polyline",
                                                 "polygon",
                                                 "use",
                                                 "text",
                                                 "tspan"};
    return kNames.contains(name);
  }

  /// Ids that `use` refers to outside the definitions, or in those definitions that are used.
  void collect(const Element& element, bool definitions) {
    for (const Element& child : element.children) {
      if (child.name == "defs" && !definitions) {
        continue;
      }
      if (child.name == "use" && (child.get("id").empty() || used_.contains(child.get("id")))) {
        used_.insert(child.get("xlink:href").substr(1));
      }
      collect(child, definitions);
    }
  }

  std::string colour(const std::string& value) const {
    if (value == "none" || value == "currentColor") {
      return value;
    }
    const std::string hex = hexadecimal(value);
    const auto variable = variables_.find(hex);
    return page_ && variable != variables_.end() ? variable->second : hex;
  }

  std::string attributes(const Element& element) const {
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
    std::string result;
    const bool definition = element.get("id").starts_with("gp");
    for (const auto& [name, value] : element.attributes) {
      std::string shown;
      if (name == "id" && definition) {
        shown = prefix_ + identifier(value);
      } else if (name == "xlink:href") {
        shown = "#" + prefix_ + identifier(value.substr(std::min<std::size_t>(1, value.size())));
      } else if (name == "fill" || name == "stroke" || name == "color") {
        shown = colour(value);
      } else if (kNumbers.contains(name)) {
        // The shapes of marks are one pixel wide and stay exact; crosses get bolder strokes.
        const std::string id = element.get("id");
        const bool cross = id == "gpPt0" || id == "gpPt1" || id == "gpPt2";
        shown = name == "stroke-width" && cross ? "0.42" : definition ? value : shortened(value);
      } else if (kWords.contains(name)) {
        shown = value;
      } else if (name == "font-family" && !page_) {
        shown = "sans-serif";
      } else {
        continue;
      }
      result += " " + (page_ && name == "xlink:href" ? "href" : name) + "=\"" +
                replace_all(shown, {{"&", "&amp;"}, {"<", "&lt;"}, {"\"", "&quot;"}}) + "\"";
    }
    const std::string size = shortened(element.get("font-size"));
    if (size == number(kTitleSize) || size == number(kHeadingSize)) {
      result += " font-weight=\"600\"";  // gnuplot's SVG terminal drops it
    }
    return result;
  }

  std::string element(const Element& item) {
    if (!drawn(item.name)) {
      return "";
    }
    const bool background = item.name == "rect" && item.get("x") == "0" && item.get("y") == "0" &&
                            item.get("width") == std::to_string(figure_.width);
    if (page_ && background) {
      return "";
    }
    if (item.get("id").starts_with("gp") && item.name != "g" && !used_.contains(item.get("id"))) {
      return "";
    }
    if (page_ && item.name == "g" && in_title_band(item)) {
      return "";
    }
    std::string content;
    for (std::size_t i = 0; i < item.children.size();) {
      const std::size_t run = run_of_marks(item.children, i);
      if (run > 1) {
        content += marks(item.children, i, run);
        i += run;
      } else {
        content += element(item.children[i++]);
      }
    }
    if (item.name == "text" || item.name == "tspan") {
      // gnuplot has escaped the text; what is not an escape of its own is escaped here.
      std::string words = shortened_blanks(item.text);
      words = replace_all(words, {{"&amp;", "&"}, {"&lt;", "<"}, {"&gt;", ">"}, {"&quot;", "\""}});
      content = escape_xml(words) + content;
    }
    if (content.empty() && (item.name == "g" || item.name == "defs" || item.name == "text")) {
      return "";
    }
    // The groups of single plots hold nothing but an id and a title.
    const std::string shown = attributes(item);
    if (item.name == "g" && shown.empty()) {
      return content;
    }
    return "<" + item.name + shown +
           (content.empty() ? "/>" : ">" + content + "</" + item.name + ">") +
           (item.name == "g" || item.name == "path" || item.name == "use" ? "\n" : "");
  }

  static std::string shortened_blanks(const std::string& text) {
    const std::size_t from = text.find_first_not_of(" \t\r\n");
    return from == std::string::npos
               ? ""
               : text.substr(from, text.find_last_not_of(" \t\r\n") + 1 - from);
  }

  /// The drawn title is a group that stands in the band above the figure.
  static bool in_title_band(const Element& group) {
    double x = 0;
    double y = 0;
    return !group.children.empty() && group.children.front().name == "text" &&
           std::sscanf(  // NOLINT(cert-err34-c)
               group.get("transform").c_str(),
               "translate(%lf,%lf)",
               &x,
               &y) == 2 &&
           y < kTitleBand - 4;
  }

  /// Number of like marks from position `from` on.
  static std::size_t run_of_marks(const std::vector<Element>& items, std::size_t from) {
    std::size_t end = from;
    while (end < items.size() && items[end].name == "use" && items[end].get("id").empty() &&
           items[end].get("xlink:href") == items[from].get("xlink:href") &&
           items[end].get("color") == items[from].get("color") &&
           items[end].get("opacity") == items[from].get("opacity") && items[end].get("x").empty()) {
      ++end;
    }
    return end - from;
  }

  /// Their colour once; opacity by the fill, so that marks show through each other.
  std::string marks(const std::vector<Element>& items, std::size_t from, std::size_t count) const {
    const std::string opacity = items[from].get("opacity");
    std::string result = "<g color=\"" + colour(items[from].get("color")) + "\"" +
                         (opacity.empty() ? ">" : " fill-opacity=\"" + opacity + "\">");
    const std::string reference = (page_ ? "\n<use href=\"#" : "\n<use xlink:href=\"#") + prefix_ +
                                  identifier(items[from].get("xlink:href").substr(1)) +
                                  "\" transform=\"";
    for (std::size_t i = from; i < from + count; ++i) {
      result +=
          reference + replace_all(shortened(items[i].get("transform")), {{") s", ")s"}}) + "\"/>";
    }
    return result + "\n</g>";
  }

  const Figure& figure_;
  bool page_;
  std::string prefix_;
  std::map<std::string, std::string> variables_;
  std::set<std::string> used_;
};

}  // namespace svg_rewriting

namespace figure_parts {

std::string terminal(const std::string& format, int width, int height) {
  // Cairo's fonts are in points, of which 72 are 96 pixels; its marks are smaller than those of
  // SVG.
  if (format == "svg") {
    return fmt::format(
        "svg noenhanced name 'figure' size {},{} font 'sans,13' background '#ffffff'",
        width,
        height);
  }
  return fmt::format(
      "pngcairo noenhanced size {},{} font 'sans,13' fontscale 1.5 linewidth 2 pointscale 3 "
      "background '#ffffff'",
      2 * width,
      2 * height);
}

std::string finished_svg(const std::string& svg, const Figure& figure, bool page) {
  const svg_rewriting::Element top = svg_rewriting::Reader(svg).read();
  const auto root = std::ranges::find(top.children, "svg", &svg_rewriting::Element::name);
  return root == top.children.end() ? "" : svg_rewriting::Writer(figure, page).document(*root);
}

}  // namespace figure_parts

std::vector<Drawing> draw(const std::vector<Figure>& figures) {
  std::vector<PlotJob> jobs;
  for (const Figure& figure : figures) {
    jobs.push_back({figure.id,
                    figure.commands,
                    {figure_parts::terminal("svg", figure.width, figure.height),
                     figure_parts::terminal("png", figure.width, figure.height)}});
  }
  const auto pictures = plotted(jobs);
  std::vector<Drawing> drawings;
  for (std::size_t i = 0; i < figures.size(); ++i) {
    drawings.push_back({figure_parts::finished_svg(pictures[i][0], figures[i], false),
                        pictures[i][1],
                        figure_parts::finished_svg(pictures[i][0], figures[i], true)});
  }
  return drawings;
}

}  // namespace sar
