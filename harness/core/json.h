#pragma once

#include <nlohmann/json.hpp>

#include <filesystem>
#include <string>

namespace sar {

/// JSON object keys are kept sorted, so `dump()` of equal values is the same text: what is hashed.
using Json = nlohmann::json;

/// Parses a JSON file. Throws Error (65) naming the file and the place of the fault, (66) if
/// absent.
Json read_json(const std::filesystem::path& path);

/// Whether a text can be part of a JSON document as it is.
bool is_utf8(const std::string& text);

/// A document as text, ended by a line feed. Bytes that are not UTF-8 (of a file name, say) become
/// the replacement character instead of an exception. `indent`: blanks per level.
std::string to_text(const Json& json, int indent = 2);

}  // namespace sar
