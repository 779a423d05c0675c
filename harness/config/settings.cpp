#include "harness/config/settings.h"

#include "harness/core/error.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace sar {
namespace {

/// The kind of a value, in the words of an error message.
std::string kind_of(const Json& value) {
  if (value.is_boolean()) {
    return "true or false";
  }
  if (value.is_number_integer()) {
    return "a whole number";
  }
  if (value.is_number()) {
    return "a number";
  }
  if (value.is_string()) {
    return "text";
  }
  if (value.is_array()) {
    return value.empty() ? "a list" : "a list of which each is " + kind_of(value.front());
  }
  return "a table";
}

std::string join(const std::vector<std::string>& words) {
  std::string text;
  for (const auto& word : words) {
    text += (text.empty() ? "" : ", ") + word;
  }
  return text;
}

class Checker {
 public:
  Checker(const KeySpec& key, const Json& value, std::string_view origin)
      : key_(key), value_(value), origin_(origin) {}

  Json check() const { return check(key_.default_value, value_); }

 private:
  Json check(const Json& model, const Json& value) const {
    if (model.is_array()) {
      return check_list(model, value);
    }
    if (model.is_boolean() && value.is_boolean()) {
      return value;
    }
    if (model.is_string() && value.is_string()) {
      check_choice(value.get<std::string>());
      return value;
    }
    if (model.is_number_integer() && value.is_number_integer()) {
      if (std::abs(value.get<double>()) > std::numeric_limits<int>::max()) {
        refuse("must be at most 2147483647");
      }
      check_range(value.get<double>());
      return value.get<std::int64_t>();
    }
    if (model.is_number_float() && value.is_number()) {
      check_range(value.get<double>());
      return value.get<double>();
    }
    refuse("must be " + kind_of(key_.default_value));
  }

  Json check_list(const Json& model, const Json& value) const {
    if (!value.is_array()) {
      refuse("must be " + kind_of(model));
    }
    const bool fixed_length = key_.name.ends_with("_voxels") || key_.name.ends_with("spacing_mm") ||
                              key_.name.ends_with("clip_hu") || key_.name.ends_with("clip_ct_hu") ||
                              key_.name.ends_with("clip_mri");
    if (fixed_length && value.size() != model.size()) {
      refuse("must be a list of " + std::to_string(model.size()) + " values");
    }
    Json list = Json::array();
    for (const Json& element : value) {
      list.push_back(check(model.front(), element));
    }
    return list;
  }

  void check_choice(const std::string& text) const {
    if (!key_.choices.empty() && std::ranges::find(key_.choices, text) == key_.choices.end()) {
      const std::string nearest = nearest_match(text, key_.choices);
      refuse("must be one of " + join(key_.choices),
             nearest.empty() ? std::string() : "did you mean '" + nearest + "'?");
    }
  }

  void check_range(double number) const {
    if (!std::isfinite(number)) {
      refuse("must be finite");
    }
    if (key_.minimum && number < *key_.minimum) {
      refuse("must be at least " + Json(*key_.minimum).dump());
    }
    if (key_.maximum && number > *key_.maximum) {
      refuse("must be at most " + Json(*key_.maximum).dump());
    }
  }

  [[noreturn]] void refuse(const std::string& why, std::string hint = {}) const {
    throw usage_error(key_.name + " " + why)
        .with("value", value_.dump())
        .with("set by", origin_)
        .hint(std::move(hint));
  }

  const KeySpec& key_;
  const Json& value_;
  std::string_view origin_;
};

}  // namespace

void to_json(Json& json, const KeySpec& key) {
  json = Json{{"name", key.name},
              {"default", key.default_value},
              {"meaning", key.meaning},
              {"choices", key.choices},
              {"gap", key.gap},
              {"added_later", key.added_later}};
  json["minimum"] = key.minimum ? Json(*key.minimum) : Json();
  json["maximum"] = key.maximum ? Json(*key.maximum) : Json();
}

void from_json(const Json& json, KeySpec& key) {
  key.name = json.at("name");
  key.default_value = json.at("default");
  key.meaning = json.at("meaning");
  key.choices = json.at("choices").get<std::vector<std::string>>();
  key.gap = json.at("gap");
  key.added_later = json.at("added_later");
  const auto bound = [&](const char* name) {
    return json.at(name).is_null() ? std::nullopt : std::optional<double>(json.at(name));
  };
  key.minimum = bound("minimum");
  key.maximum = bound("maximum");
}

void Schema::add(KeySpec key) {
  if (!index_.emplace(key.name, keys_.size()).second) {
    throw internal_error("configuration key declared twice").with("key", key.name);
  }
  keys_.push_back(std::move(key));
}

const KeySpec* Schema::find(std::string_view name) const {
  const auto found = index_.find(name);
  return found == index_.end() ? nullptr : &keys_[found->second];
}

const KeySpec& Schema::at(std::string_view name, std::string_view origin) const {
  if (const KeySpec* key = find(name)) {
    return *key;
  }
  std::vector<std::string> names;
  for (const auto& key : keys_) {
    names.push_back(key.name);
  }
  const std::string nearest = nearest_match(name, names);
  throw usage_error("unknown configuration key '" + std::string(name) + "'")
      .with("set by", origin)
      .hint(nearest.empty() ? "sar-bench config show lists every key"
                            : "did you mean '" + nearest + "'?");
}

Json Schema::checked(const KeySpec& key, const Json& value, std::string_view origin) const {
  return Checker(key, value, origin).check();
}

Settings::Settings(const Schema& schema) {
  for (const auto& key : schema.keys()) {
    values_[key.name] = {key.default_value, "built-in"};
  }
  remember_later(schema);
}

void Settings::remember_later(const Schema& schema) {
  for (const auto& key : schema.keys()) {
    if (key.added_later) {
      added_later_[key.name] = key.default_value;
    }
  }
}

Settings Settings::from_resolved(const Json& values, const Schema& schema) {
  Settings settings = from_resolved(values);
  settings.remember_later(schema);
  return settings;
}

Settings Settings::from_resolved(const Json& values) {
  Settings settings;
  for (const auto& [name, value] : values.items()) {
    settings.values_[name] = {value, "resolved"};
  }
  return settings;
}

void Settings::set(const Schema& schema,
                   std::string_view name,
                   const Json& value,
                   std::string_view origin) {
  const KeySpec& key = schema.at(name, origin);
  values_.insert_or_assign(std::string(name),
                           Value{schema.checked(key, value, origin), std::string(origin)});
}

void Settings::derive(std::string_view name, Json value, std::string_view why) {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw internal_error("configuration key is not declared").with("key", name);
  }
  found->second.value = std::move(value);
  if (!why.empty()) {
    found->second.origin += ", ";
    found->second.origin += why;
  }
}

const Json& Settings::get(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end()) {
    throw internal_error("configuration key is not declared").with("key", name);
  }
  return found->second.value;
}

bool Settings::flag(std::string_view name) const {
  return get(name).get<bool>();
}
int Settings::integer(std::string_view name) const {
  return get(name).get<int>();
}
double Settings::number(std::string_view name) const {
  return get(name).get<double>();
}
std::string Settings::text(std::string_view name) const {
  return get(name).get<std::string>();
}

std::vector<int> Settings::integers(std::string_view name) const {
  return get(name).get<std::vector<int>>();
}

std::vector<double> Settings::numbers(std::string_view name) const {
  return get(name).get<std::vector<double>>();
}

std::vector<std::string> Settings::texts(std::string_view name) const {
  return get(name).get<std::vector<std::string>>();
}

std::array<int, 3> Settings::integers3(std::string_view name) const {
  return get(name).get<std::array<int, 3>>();
}

std::array<double, 3> Settings::numbers3(std::string_view name) const {
  return get(name).get<std::array<double, 3>>();
}

Json Settings::subset(const std::vector<std::string>& sections) const {
  Json chosen = Json::object();
  for (const auto& [name, value] : values_) {
    const std::string section = name.substr(0, name.find('.'));
    for (const auto& wanted : sections) {
      if ((name == wanted || section == wanted) && is_hashed(name, value.value)) {
        chosen[name] = value.value;
      }
    }
  }
  return chosen;
}

bool Settings::is_hashed(std::string_view name, const Json& value) const {
  const auto later = added_later_.find(name);
  return later == added_later_.end() || value != later->second;
}

Json Settings::hashed() const {
  Json all = Json::object();
  for (const auto& [name, value] : values_) {
    if (is_hashed(name, value.value)) {
      all[name] = value.value;
    }
  }
  return all;
}

Json Settings::resolved() const {
  Json all = Json::object();
  for (const auto& [name, value] : values_) {
    all[name] = value.value;
  }
  return all;
}

}  // namespace sar
