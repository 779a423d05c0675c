#pragma once

#include "harness/config/settings.h"

#include <string>
#include <utility>
#include <vector>

namespace sar {

/// Builds a KeySpec so that each key is one readable entry:
/// `Key("rot.pool_grid", 2, "side of …").between(1, 4).gap(28)`.
struct Key {
  KeySpec spec;
  Key(std::string name, Json value, std::string meaning) {
    spec.name = std::move(name);
    spec.default_value = std::move(value);
    spec.meaning = std::move(meaning);
  }
  Key&& one_of(std::vector<std::string> choices) && {
    spec.choices = std::move(choices);
    return std::move(*this);
  }
  Key&& at_least(double low) && {
    spec.minimum = low;
    return std::move(*this);
  }
  Key&& between(double low, double high) && {
    spec.minimum = low;
    spec.maximum = high;
    return std::move(*this);
  }
  Key&& gap(int number) && {
    spec.gap = number;
    return std::move(*this);
  }
  Key&& added_later() && {
    spec.added_later = true;
    return std::move(*this);
  }
};

/// The specifications of a list of keys.
inline std::vector<KeySpec> specs_of(std::vector<Key> keys) {
  std::vector<KeySpec> specs;
  for (Key& key : keys) {
    specs.push_back(std::move(key.spec));
  }
  return specs;
}

}  // namespace sar
