#include "results/document/document.h"

#include "harness/core/error.h"
#include "results/document/output_format.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <span>

namespace sar {
namespace {

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
  for (const OutputFormat& format : known_formats().all()) {
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
  const auto found = std::ranges::find(known_formats().all(), format, &OutputFormat::name);
  if (found == known_formats().all().end() || std::ranges::find(known, format) == known.end()) {
    throw lacks_format(document, format);
  }
  return found->write(document, options);
}

}  // namespace sar
