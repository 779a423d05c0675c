#include "harness/config/toml.h"

#include "harness/core/error.h"
#include "harness/core/files.h"

#include <toml++/toml.h>

#include <algorithm>
#include <sstream>
#include <string_view>

namespace sar {
namespace {

std::string format(const auto& value) {
  std::ostringstream text;
  text << value;
  return text.str();
}

Json convert(const toml::node& node, const std::string& name, TomlFile* file) {
  if (file != nullptr && !name.empty()) {
    file->line.emplace(name, static_cast<int>(node.source().begin.line));
  }
  if (const auto* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) {
      const std::string word(key.str());
      object[word] = convert(value, name.empty() ? word : name + "." + word, file);
    }
    return object;
  }
  if (const auto* array = node.as_array()) {
    Json list = Json::array();
    for (const auto& value : *array) {
      list.push_back(convert(value, {}, nullptr));
    }
    return list;
  }
  if (const auto* text = node.as_string()) {
    return text->get();
  }
  if (const auto* integer = node.as_integer()) {
    return integer->get();
  }
  if (const auto* number = node.as_floating_point()) {
    return number->get();
  }
  if (const auto* flag = node.as_boolean()) {
    return flag->get();
  }
  // Dates and times have no use here and are kept as text.
  if (const auto* date = node.as_date()) {
    return format(*date);
  }
  if (const auto* time = node.as_time()) {
    return format(*time);
  }
  return format(*node.as_date_time());
}

/// Each part of a dotted key is a table inside the one before; so many would end the stack. Dots in
/// strings and comments do not count.
void refuse_deep_keys(const std::string& text, const std::filesystem::path& path) {
  constexpr int kMostParts = 100;  // a choice; keys have two
  int line = 1;
  int parts = 1;
  std::string quote;  // that is open
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char character = text[i];
    line += character == '\n' ? 1 : 0;
    if (!quote.empty()) {
      if (quote.front() == '"' && character == '\\') {
        ++i;
      } else if (text.compare(i, quote.size(), quote) == 0 ||
                 (quote.size() == 1 && character == '\n')) {
        i += quote.size() - 1;
        quote.clear();
      }
    } else if (character == '"' || character == '\'') {
      const std::string three(3, character);
      quote = text.compare(i, 3, three) == 0 ? three : std::string(1, character);
      i += quote.size() - 1;
    } else if (character == '#') {
      i = std::min(text.find('\n', i), text.size()) - 1;
    } else if (std::string_view("\n=,[]{}").find(character) != std::string_view::npos) {
      parts = 1;
    } else if (character == '.' && ++parts > kMostParts) {
      throw usage_error("more than " + std::to_string(kMostParts) + " parts in a dotted key")
          .with("file", path.string())
          .with("line", std::to_string(line));
    }
  }
}

void flatten_into(std::map<std::string, Json>& flat, const Json& tree, const std::string& prefix) {
  for (const auto& [key, value] : tree.items()) {
    const std::string name = prefix.empty() ? key : prefix + "." + key;
    if (value.is_object()) {
      flatten_into(flat, value, name);
    } else {
      flat[name] = value;
    }
  }
}

}  // namespace

TomlFile read_toml(const std::filesystem::path& path) {
  TomlFile file;
  file.path = path;
  const std::string text = read_file(path);
  refuse_deep_keys(text, path);
  try {
    const toml::table table = toml::parse(text, path.string());
    file.tree = convert(table, {}, &file);
  } catch (const toml::parse_error& error) {
    const auto& where = error.source().begin;
    throw usage_error("not valid TOML: " + std::string(error.description()))
        .with("file", path.string())
        .with("line", std::to_string(where.line))
        .with("column", std::to_string(where.column));
  }
  return file;
}

std::map<std::string, Json> flatten(const Json& tree) {
  std::map<std::string, Json> flat;
  flatten_into(flat, tree, {});
  return flat;
}

Json parse_value(const std::string& text) {
  refuse_deep_keys(text, "a value");
  try {
    const toml::table table = toml::parse("value = " + text);
    return convert(*table.get("value"), {}, nullptr);
  } catch (const toml::parse_error&) {
    return text;
  }
}

}  // namespace sar
