#pragma once

#include "results/document/document.h"

#include <algorithm>
#include <functional>
#include <string>
#include <variant>
#include <vector>

namespace sar {

/// A format of documents; each file of formats/ registers one.
struct OutputFormat {
  std::string name;
  int place = 0;       ///< in lists of formats
  bool common = true;  ///< every document has it that does not name its own
  std::function<std::string(const Document&, const WriteOptions&)> write;
};
using OutputFormats = std::vector<OutputFormat>;

/// What a format shows of a document, with blank lines between parts. `writer` gives the text of
/// each content.
template <class Writer>
std::string written_parts(const Document& document,
                          const std::string& format,
                          const Writer& writer) {
  std::string text;
  bool first = true;
  for (const Part& part : document.parts) {
    if (!part.formats.empty() && std::ranges::find(part.formats, format) == part.formats.end()) {
      continue;
    }
    text += first ? "" : "\n";
    first = false;
    for (const Content& content : part.contents) {
      text += std::visit(writer, content);
    }
  }
  return text;
}

}  // namespace sar
