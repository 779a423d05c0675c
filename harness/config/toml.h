#pragma once

#include "harness/core/json.h"

#include <filesystem>
#include <map>
#include <string>

namespace sar {

/// A TOML file as flat dotted keys with the line of each. Throws Error 2 with file, line and
/// column.
struct TomlFile {
  std::filesystem::path path;
  Json tree;                        ///< nested, as written
  std::map<std::string, int> line;  ///< dotted key to line number
};
TomlFile read_toml(const std::filesystem::path& path);
/// "a.b": value for each leaf; arrays are leaves.
std::map<std::string, Json> flatten(const Json& tree);
/// The value of `--set key=value` or an environment variable: TOML if it parses as such, else text.
Json parse_value(const std::string& text);

}  // namespace sar
