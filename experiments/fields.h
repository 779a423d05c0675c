#pragma once

#include "harness/config/settings.h"
#include "harness/core/json.h"

#include <concepts>
#include <cstddef>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

/// Structs as JSON objects. A struct lists its fields once, for reader and writer alike:
///
///   struct Progress {
///     std::int64_t done = 0, total = 0;
///     template <class V>
///     void fields(V& v) {
///       v("done", done);
///       v("total", total);
///     }
///   };
///
/// Every field is always written, and reading refuses an unknown one, a missing one, and one of the
/// wrong type. A field may be a boolean, a number, a text, another such struct, a vector, a map by
/// name, an optional (null if empty), a configuration key, or Json: an object of any content.
namespace sar {

/// Where in a document a value stands.
class Place {
 public:
  /// `document`: "job 'cubes'"; must outlive the place.
  explicit Place(std::string_view document) : name_(document) {}
  Place(const Place& outer, std::string_view field) : outer_(&outer), name_(field) {}
  Place(const Place& outer, std::size_t element) : outer_(&outer), element_(element) {}
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

  /// Throws Error 70 such as "job 'cubes': field 'cases[3].label' is missing"; `what`: "is
  /// missing".
  [[noreturn]] void refuse(std::string_view what) const;

 private:
  [[nodiscard]] std::string path() const;

  const Place* outer_ = nullptr;  ///< none: the document itself
  std::string_view name_;         ///< empty: an element of a list
  std::size_t element_ = 0;
};

namespace fields_detail {

class Writer;
template <class T>
concept Structured = requires(T& value, Writer& writer) {
  value.fields(writer);
};

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsMap : std::false_type {};
template <class T>
struct IsMap<std::map<std::string, T>> : std::true_type {};

template <class T>
Json written(const T& value);

class Writer {
 public:
  template <class T>
  void operator()(const char* name, const T& value) {
    object_[name] = written(value);
  }
  Json take() { return std::move(object_); }

 private:
  Json object_ = Json::object();
};

template <class T>
Json written(const T& value) {
  if constexpr (Structured<T>) {
    Writer writer;
    const_cast<T&>(value).fields(writer);  // a writer takes each field as const
    return writer.take();
  } else if constexpr (IsOptional<T>::value) {
    return value ? written(*value) : Json();
  } else if constexpr (IsVector<T>::value) {
    Json list = Json::array();
    for (const auto& each : value) {
      list.push_back(written(each));
    }
    return list;
  } else if constexpr (IsMap<T>::value) {
    Json object = Json::object();
    for (const auto& [name, each] : value) {
      object[name] = written(each);
    }
    return object;
  } else {
    return value;
  }
}

template <class T>
void read_into(T& value, const Json& json, const Place& place);

class Reader {
 public:
  /// Throws Error 70 if `json` is not an object.
  Reader(const Json& json, const Place& place);

  template <class T>
  void operator()(const char* name, T& value) {
    const Place field(place_, name);
    read_into(value, named(name, field), field);
  }
  /// Throws Error 70 naming a field that nothing asked for.
  void refuse_unknown() const;

 private:
  const Json& named(const char* name, const Place& field);

  const Json& json_;
  const Place& place_;
  std::vector<std::string_view> known_;
};

void read_text(std::string& value, const Json& json, const Place& place);
void read_key(KeySpec& value, const Json& json, const Place& place);

template <class T>
void read_into(T& value, const Json& json, const Place& place) {
  if constexpr (Structured<T>) {
    Reader reader(json, place);
    value.fields(reader);
    reader.refuse_unknown();
  } else if constexpr (std::is_same_v<T, bool>) {
    if (!json.is_boolean()) {
      place.refuse("must be true or false");
    }
    value = json.get<bool>();
  } else if constexpr (std::integral<T>) {
    const bool fits = json.is_number_unsigned()
                          ? std::in_range<T>(json.get<std::uint64_t>())
                          : json.is_number_integer() && std::in_range<T>(json.get<std::int64_t>());
    if (!fits) {
      place.refuse("must be a whole number of its range");
    }
    value = json.get<T>();
  } else if constexpr (std::floating_point<T>) {
    if (!json.is_number()) {
      place.refuse("must be a number");
    }
    value = json.get<T>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    read_text(value, json, place);
  } else if constexpr (std::is_same_v<T, KeySpec>) {
    read_key(value, json, place);
  } else if constexpr (std::is_same_v<T, Json>) {
    if (!json.is_object()) {
      place.refuse("must be an object");
    }
    value = json;
  } else if constexpr (IsOptional<T>::value) {
    value.reset();
    if (!json.is_null()) {
      read_into(value.emplace(), json, place);
    }
  } else if constexpr (IsVector<T>::value) {
    if (!json.is_array()) {
      place.refuse("must be a list");
    }
    value.clear();
    value.reserve(json.size());
    for (std::size_t i = 0; i < json.size(); ++i) {
      read_into(value.emplace_back(), json[i], Place(place, i));
    }
  } else {
    static_assert(IsMap<T>::value, "a type that no field can have");
    if (!json.is_object()) {
      place.refuse("must be an object");
    }
    value.clear();
    for (const auto& [name, each] : json.items()) {
      read_into(value[name], each, Place(place, name));
    }
  }
}

template <class T>
struct Alternatives;
template <class... Kinds>
struct Alternatives<std::variant<Kinds...>> {
  template <class Try>
  static bool any(const Try& attempt) {
    return (attempt(std::type_identity<Kinds>{}) || ...);
  }
};

/// Takes the text `tag` out of a document; `what`: "job".
std::string take_tag(Json& document, const char* tag, std::string_view what);
[[noreturn]] void refuse_kind(const std::string& kind, std::string_view what);

}  // namespace fields_detail

/// The struct as a JSON object.
template <class T>
Json write(const T& value) {
  return fields_detail::written(value);
}

/// The struct that `json` holds. Throws Error 70 naming `document` ("result of job 'cubes'") and
/// the field that is unknown, missing or of the wrong type.
template <class T>
T read(const Json& json, std::string_view document) {
  T value{};
  fields_detail::read_into(value, json, Place(document));
  return value;
}

/// One of several structs, its `kind` in the field `tag` beside its own fields.
template <class... Kinds>
Json write_kind(const std::variant<Kinds...>& value, const char* tag) {
  return std::visit(
      [&](const auto& each) {
        Json json = write(each);
        json[tag] = std::decay_t<decltype(each)>::kind;
        return json;
      },
      value);
}

/// The same, read back; `what` ("job") is how messages call it. Throws Error 70 as `read`, and for
/// an unknown kind.
template <class Variant>
Variant read_kind(Json document, const char* tag, std::string_view what) {
  const std::string kind = fields_detail::take_tag(document, tag, what);
  Variant value;
  const bool known = fields_detail::Alternatives<Variant>::any([&]<class T>(std::type_identity<T>) {
    if (kind != T::kind) {
      return false;
    }
    value = read<T>(document, std::string(what) + " '" + kind + "'");
    return true;
  });
  if (!known) {
    fields_detail::refuse_kind(kind, what);
  }
  return value;
}

}  // namespace sar
