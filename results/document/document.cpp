#include "results/document/document.h"

#include "harness/core/error.h"
#include "results/document/output_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace sar {
namespace formats {
void register_all(OutputFormats& registry);
}

namespace {

const OutputFormats& output_formats() {
  static const OutputFormats all = [] {
    OutputFormats found;
    formats::register_all(found);
    std::ranges::sort(found, {}, &OutputFormat::place);
    return found;
  }();
  return all;
}

/// "text, md or json"
std::string listed(const std::vector<std::string>& words, const char* last) {
  return fmt::format(
      "{} {} {}", fmt::join(std::span(words).first(words.size() - 1), ", "), last, words.back());
}

Error lacks_format(const Document& document, const std::string& format) {
  return document.formats.empty() ? usage_error("unknown format: " + format)
                                        .hint("use " + listed(common_formats(), "or"))
                                  : usage_error("unknown format of " + document.name)
                                        .with("format", format)
                                        .hint(listed(document.formats, "and") + " are known");
}

}  // namespace

std::string sentence(const Note& note, const std::string& best) {
  return note.on_best ? best + ": " + note.text : note.text;
}

std::string unrounded(const std::optional<double>& value) {
  return value ? fmt::format("{}", *value) : "";
}

std::vector<std::string> common_formats() {
  std::vector<std::string> names;
  for (const OutputFormat& format : output_formats()) {
    if (format.common) {
      names.push_back(format.name);
    }
  }
  return names;
}

std::string written(const Document& document,
                    const std::string& format,
                    const WriteOptions& options) {
  const std::vector<std::string> known =
      document.formats.empty() ? common_formats() : document.formats;
  const auto found = std::ranges::find(output_formats(), format, &OutputFormat::name);
  if (found == output_formats().end() || std::ranges::find(known, format) == known.end()) {
    throw lacks_format(document, format);
  }
  return found->write(document, options);
}

}  // namespace sar
