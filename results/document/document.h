#pragma once

#include "harness/core/json.h"
#include "results/document/grid.h"

#include <cstddef>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace sar {

/// What a label says of its line, for output in colour.
enum class Tone { plain, good, bad, mixed, faint, note, warning, error };

struct Heading {
  std::string text;
};

/// Text that is broken into lines.
struct Paragraph {
  std::string text;
  std::size_t indent = 0;  ///< columns, in plain text
  std::string mark = {};   ///< before the first line, e.g. "- "
};

/// A line that is not broken.
struct Line {
  std::string label;
  std::string text;
  std::size_t label_width = 0;  ///< columns that the label takes at least, in plain text
  Tone tone = Tone::plain;
};

/// Names and what is to be said of each.
struct Descriptions {
  std::vector<std::pair<std::string, std::string>> items;
};

/// Behind a line that opens it, where a format can.
struct Details {
  std::string summary;
  Grid grid;
};

/// A sentence below a table.
struct Note {
  std::string text;
  bool on_best = false;  ///< explains how the best cells are set apart: "bold: ..."
};
/// The sentence; `best`: how cells are set apart.
std::string sentence(const Note& note, const std::string& best);

/// A table under its title, with the sentences that belong to it.
struct TitledTable {
  std::string id, title;
  Grid grid;
  /// Paragraphs of sentences.
  std::vector<std::vector<Note>> notes;
  /// As a paper sets the table of its results: sentences of a paragraph run on, and "±" stands
  /// between blanks where there is room. Else each sentence stands alone.
  bool as_in_paper = false;
  std::string emphasis = {};  ///< behind the title, e.g. "phantom data"

  struct Further {
    std::string id, title;
    Grid grid;
    bool emphasis = true;  ///< has that of the table, where a format has room
  };
  std::vector<Further> further = {};  ///< of the same results, e.g. their tests
};

using Content = std::variant<Heading, Paragraph, Line, Descriptions, Grid, Details, TitledTable>;

/// Contents that belong together: blank lines are between parts.
struct Part {
  std::vector<Content> contents;
  std::vector<std::string> formats = {};  ///< the only ones that show it; none: all
};

/// Values as they were computed, for files that other programs read.
struct Values {
  std::vector<std::string> header;
  std::vector<std::vector<std::string>> rows;
};
/// The shortest text that reads back the same; empty without a value.
std::string unrounded(const std::optional<double>& value);

/// The value for JSON, or null.
template <class T>
Json json_or_null(const std::optional<T>& value) {
  return value ? Json(*value) : Json();
}
/// The text, or null if it is empty.
inline Json json_or_null(const std::string& text) {
  return text.empty() ? Json() : Json(text);
}

/// Results of tests as a continuous-integration server reads them.
struct TestSuite {
  struct Case {
    enum class Outcome { passed, failed, skipped };
    std::string group, name;
    Outcome outcome = Outcome::passed;
    std::string reason = {};  ///< unless it passed
    std::string detail = {};  ///< of a failure
  };
  std::string name;
  std::vector<std::pair<std::string, std::string>> properties;
  std::vector<Case> cases;
  std::string log;
};

/// A report, before it is written in a format.
struct Document {
  std::vector<Part> parts;
  Values values = {};        ///< for CSV
  TestSuite tests = {};      ///< for JUnit XML
  Json json = {};            ///< for JSON
  int json_indent = 2;       ///< blanks per level of JSON
  std::string section = {};  ///< class of an HTML <section> around it; empty: none
  /// Markdown as gates comment on pull requests: the side of each column is said, "&" stays as it
  /// is.
  bool is_comment = false;
  /// What it is called where it lacks a format, and those that it has; none: all common ones.
  std::string name = {};
  std::vector<std::string> formats = {};
};

struct WriteOptions {
  bool color = false;  ///< terminal escape codes, text only
};

/// The document in a format: "text" (paragraphs and tables within 100 columns), "md", "latex" (for
/// pdflatex with booktabs), "html", "csv" (unrounded), "json", "junit", as the files in formats/
/// say. Throws Error 2 for a format that is unknown or that the document does not have.
std::string written(const Document& document,
                    const std::string& format,
                    const WriteOptions& options = {});

/// The formats of a document that does not name its own, in the order in which they are listed.
std::vector<std::string> common_formats();

}  // namespace sar
