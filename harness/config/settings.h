#pragma once

#include "harness/core/json.h"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace sar {

/// One configuration key. Its type is that of its default value.
struct KeySpec {
  std::string name;                  ///< "finetune.learning_rate"; units are part of the name
  Json default_value;                ///< boolean, integer, number, text, or a list of one of these
  std::string meaning;               ///< one line for `config show`
  std::vector<std::string> choices;  ///< allowed texts; empty: any
  std::optional<double> minimum;     ///< least number (of each element of a list)
  std::optional<double> maximum;
  int gap = 0;  ///< number in the ledger of docs/protocol.md; 0: none
  /// Declared when databases had already been written without it: content keys leave it out at its
  /// default, so that what those hold is found and not computed again.
  bool added_later = false;
};
void to_json(Json& json, const KeySpec& key);
void from_json(const Json& json, KeySpec& key);

/// All keys that exist. Built once at start and passed down.
class Schema {
 public:
  /// Throws Error 70 if the name is taken.
  void add(KeySpec key);
  [[nodiscard]] const KeySpec* find(std::string_view name) const;
  /// Throws Error 2 naming the nearest key.
  [[nodiscard]] const KeySpec& at(std::string_view name, std::string_view origin) const;
  [[nodiscard]] const std::vector<KeySpec>& keys() const { return keys_; }
  /// The value in the key's own type (an integer is accepted where a number is wanted).
  /// Throws Error 2 saying key, origin, value, and what is allowed.
  [[nodiscard]] Json checked(const KeySpec& key, const Json& value, std::string_view origin) const;

 private:
  std::vector<KeySpec> keys_;
  std::map<std::string, std::size_t, std::less<>> index_;
};

/// Resolved configuration: every key has a value and the place where the value was set.
class Settings {
 public:
  struct Value {
    Json value;
    std::string origin;  ///< "built-in", "profile quick.toml:12", "--set", ...
  };

  /// All defaults.
  explicit Settings(const Schema& schema);
  /// Values as another process resolved them: {"finetune.batch_size": 16, ...}. No key can be
  /// added.
  static Settings from_resolved(const Json& values);
  /// The same; `schema` says which keys were added later.
  static Settings from_resolved(const Json& values, const Schema& schema);

  /// Throws Error 2 for an unknown key or a wrong value.
  void set(const Schema& schema, std::string_view name, const Json& value, std::string_view origin);
  /// Puts a value that another value decides, unchecked; the key must exist. `why` is added to its
  /// origin.
  void derive(std::string_view name, Json value, std::string_view why = {});

  [[nodiscard]] bool flag(std::string_view name) const;
  [[nodiscard]] int integer(std::string_view name) const;
  [[nodiscard]] double number(std::string_view name) const;
  [[nodiscard]] std::string text(std::string_view name) const;
  [[nodiscard]] std::vector<int> integers(std::string_view name) const;
  [[nodiscard]] std::vector<double> numbers(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> texts(std::string_view name) const;
  /// Exactly three values, x, y, z.
  [[nodiscard]] std::array<int, 3> integers3(std::string_view name) const;
  [[nodiscard]] std::array<double, 3> numbers3(std::string_view name) const;

  [[nodiscard]] const std::map<std::string, Value, std::less<>>& values() const { return values_; }
  /// {"key": value} of every key below the given sections ("finetune") or named in full; what a
  /// content key hashes: without keys that were added later and have their default. Sorted.
  [[nodiscard]] Json subset(const std::vector<std::string>& sections) const;
  [[nodiscard]] Json hashed() const;    ///< all keys that a content key hashes
  [[nodiscard]] Json resolved() const;  ///< all keys

 private:
  Settings() = default;
  [[nodiscard]] const Json& get(std::string_view name) const;
  void remember_later(const Schema& schema);
  [[nodiscard]] bool is_hashed(std::string_view name, const Json& value) const;
  std::map<std::string, Value, std::less<>> values_;
  std::map<std::string, Json, std::less<>> added_later_;  ///< their defaults
};

}  // namespace sar
