#include "results/document/latex_tables.h"

#include "results/text/escape.h"
#include "results/text/layout.h"
#include "results/text/utf8.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace sar {
namespace {

// Of LaTeX's article at 10 pt, in points.
constexpr double kTextWidthPt = 345;
constexpr double kTextHeightPt = 530;  // 550, less what the estimates may be off

/// Type and gaps that a table may be set in. Widths against those of \normalsize, of text and of
/// subscripts: digits of Computer Modern in its sizes of 10, 9, 8 and 7 pt, and 7, 6 and 5 pt.
struct Setting {
  const char* commands;
  double column_gap_pt;  ///< \tabcolsep: on either side of each column but for the table's edges
  double text_scale, script_scale;
  double line_pt;
};
const std::array<Setting, 7> kSettings{
    {{"", 6, 1, 1, 12},
     {"\\small\n", 6, 0.925, 0.92, 11},
     {"\\small\n\\setlength{\\tabcolsep}{4pt}\n", 4, 0.925, 0.92, 11},
     {"\\small\n\\setlength{\\tabcolsep}{3pt}\n", 3, 0.925, 0.92, 11},
     {"\\footnotesize\n\\setlength{\\tabcolsep}{4pt}\n", 4, 0.85, 0.92, 9.5},
     {"\\footnotesize\n\\setlength{\\tabcolsep}{3pt}\n", 3, 0.85, 0.92, 9.5},
     {"\\scriptsize\n\\setlength{\\tabcolsep}{3pt}\n", 3, 0.8, 0.85, 8}}};

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// Mean and spread of a number "78.10±3.20"; a label may hold the sign as well.
bool is_spread(const std::string& text) {
  const std::size_t sign = text.find("±");
  const auto number = [](std::string part) {
    part.erase(0, part.starts_with('-') ? 1 : 0);
    return !part.empty() &&
           std::ranges::all_of(part, [](char c) { return is_digit(c) || c == '.'; });
  };
  return sign != std::string::npos && number(text.substr(0, sign)) &&
         number(text.substr(sign + std::string_view("±").size()));
}

/// Minus signs before digits, not hyphens.
std::string with_minus_signs(const std::string& text) {
  std::string result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool begins = i == 0 || text[i - 1] == ' ' || text[i - 1] == '[' || text[i - 1] == '(';
    const bool minus = text[i] == '-' && begins && i + 1 < text.size() && is_digit(text[i + 1]);
    result += minus ? "−" : std::string(1, text[i]);
  }
  return result;
}

/// "78.10±3.20" as the paper sets it, with the spread as a subscript.
std::string cell(const CellText& shown, bool text_column) {
  const bool dagger = shown.marks.starts_with("†");
  const std::string marks =
      (dagger ? "$^{\\dagger}$" : "") +
      escape_latex(dagger ? shown.marks.substr(std::string_view("†").size()) : shown.marks);
  if (is_spread(shown.value)) {
    const std::size_t sign = shown.value.find("±");
    const std::string number = shown.value.substr(0, sign) + "_{\\pm " +
                               shown.value.substr(sign + std::string_view("±").size()) + "}";
    return (shown.best ? "$\\mathbf{" + number + "}$" : "$" + number + "$") + marks;
  }
  const std::string text = escape_latex(text_column ? shown.value : with_minus_signs(shown.value));
  return (shown.best ? "\\textbf{" + text + "}" : text) + marks;
}

/// Width in \normalsize of Computer Modern, in points.
double width_pt(const std::string& text) {
  double width = 0;
  const std::string plain = replace_all(text, {{"†", "+"}});
  for (std::string_view rest = plain; !rest.empty();) {
    const auto [bytes, point] = take_character(rest);
    const char c = bytes.front();
    width += !point || *point >= 0x80                         ? 7.8  // "×"; few are wider
             : is_digit(c)                                    ? 5
             : (c >= 'A' && c <= 'Z') || c == 'm' || c == 'w' ? 7.2
             : std::string_view(" .,:;()[]|/-ijl'+").find(c) != std::string_view::npos ? 3.7
             : c >= 'a' && c <= 'z'                                                    ? 4.8
                                                                                       : 6;
  }
  return width;
}

double width_pt(const CellText& shown, const Setting& setting) {
  const double text_bold = shown.best ? 1.13 : 1;
  const double marks = width_pt(shown.marks) * setting.text_scale;
  if (!is_spread(shown.value)) {
    return text_bold * width_pt(shown.value) * setting.text_scale + marks;
  }
  // A digit is 5 pt wide, in a subscript 4; its sign is 6.2 pt, a point about half of a digit.
  const std::size_t sign = shown.value.find("±");
  const double mean = 5.0 * static_cast<double>(sign) - 2.2;
  const double spread = 4.0 * static_cast<double>(shown.value.size() - sign - 2) + 4.9;
  return text_bold * mean * setting.text_scale +
         (shown.best ? 1.1 : 1) * spread * setting.script_scale + marks;
}

double longest_word_pt(const std::string& text) {
  double longest = 0;
  for (std::size_t from = 0; from < text.size();) {
    const std::size_t to = std::min(text.find(' ', from), text.size());
    longest = std::max(longest, width_pt(text.substr(from, to - from)));
    from = to + 1;
  }
  return longest;
}

/// How a grid is set: a column is as wide as its widest cell, or broken at a given width.
struct Layout {
  Setting setting = kSettings.back();
  std::vector<double> broken_pt;  ///< per column; 0: not broken
  bool fits = true;
};

std::vector<double> natural_widths(const Grid& grid, const Setting& setting) {
  std::vector<double> widths;
  for (std::size_t i = 0; i < grid.header.size(); ++i) {
    double width = width_pt(grid.header[i]) * setting.text_scale;
    for (const auto& row : grid.rows) {
      width = std::max(width, width_pt(row[i], setting));
    }
    widths.push_back(width);
  }
  return widths;
}

Layout layout_of(const Grid& grid) {
  const std::size_t columns = grid.header.size();
  Layout layout;
  layout.broken_pt.assign(columns, 0);
  std::vector<double> natural;
  double room = 0;
  for (const Setting& setting : kSettings) {
    natural = natural_widths(grid, setting);
    room = kTextWidthPt - 2 * setting.column_gap_pt * static_cast<double>(columns - 1);
    if (std::accumulate(natural.begin(), natural.end(), 0.0) <= room) {
      layout.setting = setting;
      return layout;
    }
  }
  // Columns of numbers keep their width; what is left is shared by the text columns, each getting
  // at least its longest word, the rest in proportion to the root of its length: long texts get
  // more lines, short ones stay readable.
  std::vector<double> least = natural;
  double roots = 0;
  for (std::size_t i = 0; i < std::min(columns, grid.text_columns); ++i) {
    double word = longest_word_pt(grid.header[i]);
    for (const auto& row : grid.rows) {
      word = std::max(word, std::min(90.0, longest_word_pt(row[i].value)));
    }
    word *= 1.05 * layout.setting.text_scale;
    if (natural[i] > 40 && word < natural[i]) {
      least[i] = word;
      roots += std::sqrt(natural[i] - word);
    }
  }
  const double left = room - std::accumulate(least.begin(), least.end(), 0.0);
  layout.fits = left >= 0 && roots > 0;
  for (std::size_t i = 0; i < columns; ++i) {
    if (least[i] < natural[i]) {
      layout.broken_pt[i] =
          least[i] + std::max(0.0, left) * std::sqrt(natural[i] - least[i]) / roots;
    }
  }
  return layout;
}

/// The text columns of a grid and some of the others, with their groups.
Grid part_of(const Grid& grid, std::size_t first, std::size_t end) {
  Grid part;
  part.text_columns = grid.text_columns;
  const auto take = [&](const auto& from, auto& to) {
    for (std::size_t column = 0; column < from.size(); ++column) {
      if (column < grid.text_columns || (column >= first && column < end)) {
        to.push_back(from[column]);
      }
    }
  };
  take(grid.header, part.header);
  for (const auto& row : grid.rows) {
    take(row, part.rows.emplace_back());
  }
  std::size_t column = grid.text_columns;
  for (const auto& [label, span] : grid.groups) {
    const std::size_t from = std::max(first, column);
    const std::size_t to = std::min(end, column + span);
    if (from < to) {
      part.groups.emplace_back(label, to - from);
    }
    column += span;
  }
  return part;
}

/// The grid in parts that fit side by side, a group being kept together if it can.
std::vector<Grid> parts_of(const Grid& grid) {
  if (layout_of(grid).fits || grid.header.size() <= grid.text_columns + 1) {
    return {grid};
  }
  std::vector<std::size_t> ends;  // of groups, or of columns where there are none
  std::size_t column = grid.text_columns;
  for (const auto& group : grid.groups) {
    ends.push_back(column += group.second);
  }
  if (ends.size() < 2) {
    ends.clear();
    for (std::size_t end = grid.text_columns + 1; end <= grid.header.size(); ++end) {
      ends.push_back(end);
    }
  }
  std::vector<Grid> parts;
  std::size_t first = grid.text_columns;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    if (i + 1 == ends.size() || !layout_of(part_of(grid, first, ends[i + 1])).fits) {
      const Grid part = part_of(grid, first, ends[i]);
      const auto narrower = part.groups.size() == 1 && grid.groups.size() > 1
                                ? parts_of(part)
                                : std::vector<Grid>{part};
      parts.insert(parts.end(), narrower.begin(), narrower.end());
      first = ends[i];
    }
  }
  return parts;
}

/// Lines that a row takes, roughly.
double lines_of(const std::vector<CellText>& row, const Layout& layout) {
  double lines = 1.1;  // a group of rows begins with some space
  for (std::size_t i = 0; i < row.size(); ++i) {
    if (layout.broken_pt[i] > 0) {
      lines = std::max(lines,
                       std::ceil(1.25 * width_pt(row[i].value) * layout.setting.text_scale /
                                 layout.broken_pt[i]));
    }
  }
  return lines;
}

/// Text in a broken column: ragged, and names of keys and paths may break too, fractions not.
std::string broken(const std::string& text) {
  std::string result = "\\raggedright ";
  for (std::size_t i = 0; i < text.size(); ++i) {
    result += text[i];
    const bool digit_follows = i + 1 < text.size() && is_digit(text[i + 1]);
    if ((text[i] == '.' || text[i] == '/' || text[i] == '_') && !digit_follows) {
      result += "\\allowbreak{}";
    }
  }
  return result;
}

std::string tabular(const Grid& grid, const Layout& layout, std::size_t first, std::size_t end) {
  std::string format;
  for (std::size_t i = 0; i < grid.header.size(); ++i) {
    format += layout.broken_pt[i] > 0
                  ? fmt::format("p{{{:.3f}\\linewidth}}", layout.broken_pt[i] / kTextWidthPt)
              : i < grid.text_columns ? "l"
                                      : "r";
  }
  std::string result = "\\begin{tabular}{@{}" + format + "@{}}\n\\toprule\n";
  if (!grid.groups.empty()) {
    std::string labels(2 * (grid.text_columns - 1), ' ');
    for (std::size_t i = 0; i + 1 < grid.text_columns; ++i) {
      labels[2 * i] = '&';
    }
    std::string rules;
    std::size_t column = grid.text_columns + 1;  // counted from 1
    for (const auto& [label, span] : grid.groups) {
      labels += fmt::format("& \\multicolumn{{{}}}{{c}}{{{}}} ", span, escape_latex(label));
      rules += fmt::format("\\cmidrule(lr){{{}-{}}}", column, column + span - 1);
      column += span;
    }
    result += labels + "\\\\\n" + rules + "\n";
  }
  const auto add = [&](const auto& text_of) {
    std::vector<std::string> line;
    for (std::size_t i = 0; i < grid.header.size(); ++i) {
      const std::string text = text_of(i);
      line.push_back(layout.broken_pt[i] > 0 ? broken(text) : text);
    }
    // A bracket or star after the end of a line would be an argument of it.
    const bool argument = line.front().starts_with('[') || line.front().starts_with('*');
    // In a ragged last column "\\" would end a line of its text.
    const char* line_end = layout.broken_pt.back() > 0 ? "\\tabularnewline" : "\\\\";
    result += fmt::format("{}{} {}\n", argument ? "{}" : "", fmt::join(line, " & "), line_end);
  };
  add([&](std::size_t i) { return escape_latex(grid.header[i]); });
  result += "\\midrule\n";
  const bool in_groups =
      std::ranges::any_of(grid.rows, [](const auto& row) { return row.front().value.empty(); });
  for (std::size_t row = first; row < end; ++row) {
    if (in_groups && row > first && !grid.rows[row].front().value.empty()) {
      result += "\\addlinespace\n";
    }
    add([&](std::size_t i) { return cell(grid.rows[row][i], i < grid.text_columns); });
  }
  return result + "\\bottomrule\n\\end{tabular}\n";
}

std::string label_name(std::string label) {
  std::ranges::replace_if(
      label,
      [](char c) {
        return !(is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-');
      },
      '-');
  return label;
}

}  // namespace

std::string latex_needs() {
  return "% needs \\usepackage{booktabs}\n";
}

std::string latex_tables(const std::vector<std::string>& caption,
                         const std::string& note,
                         const std::string& label,
                         const Grid& grid) {
  std::string result;
  for (const Grid& part : parts_of(grid)) {
    const Layout layout = layout_of(part);
    std::size_t first = 0;
    do {
      const bool begins = result.empty();
      std::string words = escape_latex(caption.front()) + note;
      if (begins) {
        for (std::size_t i = 1; i < caption.size(); ++i) {
          words += " " + escape_latex(caption[i]);
        }
      } else {
        words += " Continued.";
      }
      double room = kTextHeightPt - 60 - 12 * std::ceil(width_pt(words) / kTextWidthPt) -
                    3 * layout.setting.line_pt;
      std::size_t end = first;
      while (end < part.rows.size()) {
        room -= lines_of(part.rows[end], layout) * layout.setting.line_pt;
        if (room < 0 && end > first) {
          break;
        }
        ++end;
      }
      result += (begins ? "" : "\n") + std::string("\\begin{table}[tp]\n\\centering\n") +
                (begins ? "" : "\\addtocounter{table}{-1}\n") + "\\caption{" + words + "}\n" +
                (begins ? "\\label{tab:" + label_name(label) + "}\n" : "") + "\\smallskip\n" +
                layout.setting.commands + tabular(part, layout, first, end) + "\\end{table}\n";
      first = end;
    } while (first < part.rows.size());
  }
  return result;
}

}  // namespace sar
