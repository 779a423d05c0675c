#include "results/document/output_format.h"
#include "results/text/layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>

namespace sar::formats::text {
namespace {

std::string spaces(std::size_t width) {
  return std::string(width, ' ');
}

std::string trimmed(std::string line) {
  line.erase(line.find_last_not_of(' ') + 1);
  return line + "\n";
}

struct TextColumn {
  std::size_t text = 0, marks = 0;
  [[nodiscard]] std::size_t width() const { return text + marks; }
};

std::string text_block(const Grid& grid,
                       const std::vector<TextColumn>& widths,
                       const std::vector<std::size_t>& columns,
                       bool color) {
  const std::string gap = "  ";
  std::string result;
  // Group headings, each over a rule as wide as its columns in this block.
  std::string labels;
  std::string rules;
  std::size_t first = grid.text_columns;
  for (const auto& [label, span] : grid.groups) {
    std::size_t width = 0;
    for (const std::size_t column : columns) {
      if (column >= first && column < first + span) {
        width += widths[column].width() + gap.size();
      }
    }
    if (width > 0) {
      width -= gap.size();
      const std::size_t filled = std::max(width, display_width(label));
      labels += gap + label + spaces(filled - display_width(label));
      rules += gap + std::string(width, '-') + spaces(filled - width);
    }
    first += span;
  }
  if (!grid.groups.empty()) {
    std::size_t stub = (grid.text_columns - 1) * gap.size();
    for (std::size_t column = 0; column < grid.text_columns; ++column) {
      stub += widths[column].width();
    }
    result += trimmed(spaces(stub) + labels);
    result += trimmed(spaces(stub) + rules);
  }
  const auto add_line = [&](const std::function<CellText(std::size_t)>& cell_at) {
    std::string line;
    for (const std::size_t column : columns) {
      const CellText cell = cell_at(column);
      const TextColumn& width = widths[column];
      const std::string pad = spaces(width.text - display_width(cell.value));
      const std::string shown =
          color && cell.best ? "\x1b[1m" + cell.value + "\x1b[0m" : cell.value;
      line += line.empty() ? "" : gap;
      const bool left =
          column < grid.text_columns || (grid.text_at_end && column + 1 == grid.header.size());
      line += left ? shown + pad : pad + shown;
      line += cell.marks + spaces(width.marks - display_width(cell.marks));
    }
    result += trimmed(std::move(line));
  };
  add_line([&](std::size_t column) { return CellText{grid.header[column], "", false}; });
  for (const auto& row : grid.rows) {
    add_line([&](std::size_t column) { return row[column]; });
  }
  return result;
}

std::string text_grid(Grid grid, bool color) {
  std::vector<TextColumn> widths(grid.header.size());
  for (auto& row : grid.rows) {
    for (std::size_t column = 0; column < row.size(); ++column) {
      CellText& cell = row[column];
      if (cell.best && !color) {
        cell.marks.insert(0, "*");
      }
      widths[column].text = std::max(widths[column].text, display_width(cell.value));
      widths[column].marks = std::max(widths[column].marks, display_width(cell.marks));
    }
  }
  for (std::size_t column = 0; column < grid.header.size(); ++column) {
    widths[column].text = std::max(widths[column].text, display_width(grid.header[column]));
  }
  // As many columns side by side as fit, a group being kept together if it can.
  const auto block_width = [&](const std::vector<std::size_t>& columns) {
    std::size_t width = 0;
    for (const std::size_t column : columns) {
      width += widths[column].width() + 2;
    }
    return width - 2;
  };
  std::vector<std::vector<std::size_t>> blocks(1);
  for (std::size_t column = 0; column < grid.text_columns; ++column) {
    blocks.back().push_back(column);
  }
  const std::vector<std::size_t> stub = blocks.back();
  const auto place = [&](const std::vector<std::size_t>& columns) {
    std::vector<std::size_t> together = blocks.back();
    together.insert(together.end(), columns.begin(), columns.end());
    if (block_width(together) > kTextWidth && blocks.back().size() > stub.size()) {
      blocks.push_back(stub);
    }
    blocks.back().insert(blocks.back().end(), columns.begin(), columns.end());
  };
  if (grid.groups.empty()) {
    for (std::size_t column = grid.text_columns; column < grid.header.size(); ++column) {
      blocks.back().push_back(column);
    }
  }
  std::size_t next = grid.text_columns;
  for (const auto& group : grid.groups) {
    std::vector<std::size_t> columns(group.second);
    std::generate(columns.begin(), columns.end(), [&] { return next++; });
    std::vector<std::size_t> alone = stub;
    alone.insert(alone.end(), columns.begin(), columns.end());
    if (block_width(alone) <= kTextWidth) {
      place(columns);
    } else {
      for (const std::size_t column : columns) {
        place({column});
      }
    }
  }
  std::string result;
  for (const auto& block : blocks) {
    result += (result.empty() ? "" : "\n") + text_block(grid, widths, block, color);
  }
  return result;
}

std::string colored(const std::string& text, Tone tone) {
  const char* code = tone == Tone::good      ? "32"
                     : tone == Tone::bad     ? "31"
                     : tone == Tone::mixed   ? "33"
                     : tone == Tone::faint   ? "2"
                     : tone == Tone::note    ? "1;36"
                     : tone == Tone::warning ? "1;33"
                                             : "1;31";
  return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

struct Writer {
  bool color = false;

  std::string operator()(const Heading& heading) const { return wrapped(heading.text); }
  std::string operator()(const Paragraph& paragraph) const {
    return wrapped(paragraph.text, paragraph.indent, paragraph.mark);
  }
  std::string operator()(const Line& line) const {
    const std::string label = fmt::format("{:<{}}", line.label, line.label_width);
    return (color && line.tone != Tone::plain ? colored(label, line.tone) : label) + line.text +
           "\n";
  }
  std::string operator()(const Descriptions& list) const {
    std::string text;
    for (const auto& [name, what] : list.items) {
      text += wrapped(name + ": " + what);
    }
    return text;
  }
  std::string operator()(const Grid& grid) const { return text_grid(grid, color); }
  std::string operator()(const Details& details) const {
    return wrapped(details.summary) + "\n" + text_grid(details.grid, color);
  }
  std::string operator()(const TitledTable& titled) const {
    std::string text =
        titled.emphasis.empty() ? titled.title : titled.title + " [" + titled.emphasis + "]";
    text = (titled.as_in_paper ? wrapped(text) : text + "\n") + "\n" +
           text_grid(titled.grid, color) + (titled.notes.empty() ? "" : "\n");
    for (const auto& paragraph : titled.notes) {
      std::vector<std::string> sentences;
      for (const Note& note : paragraph) {
        sentences.push_back(sentence(note, color ? "bold" : "*"));
      }
      if (titled.as_in_paper) {
        text += wrapped(fmt::format("{}", fmt::join(sentences, " ")));
      } else {
        for (const std::string& each : sentences) {
          text += wrapped(each);
        }
      }
    }
    for (const TitledTable::Further& further : titled.further) {
      text += "\n" + wrapped(further.title) + "\n" + text_grid(further.grid, color);
    }
    return text;
  }
};

std::string write(const Document& document, const WriteOptions& options) {
  return written_parts(document, "text", Writer{options.color});
}

}  // namespace

void register_in(OutputFormats& registry) {
  registry.add({"text", 1, true, write});
}

}  // namespace sar::formats::text
