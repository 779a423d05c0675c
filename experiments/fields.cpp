#include "experiments/fields.h"

#include "harness/core/error.h"

#include <algorithm>

namespace sar {

std::string Place::path() const {
  if (outer_ == nullptr) {
    return {};
  }
  const std::string before = outer_->path();
  if (name_.empty()) {
    return before + "[" + std::to_string(element_) + "]";
  }
  return (before.empty() ? "" : before + ".") + std::string(name_);
}

void Place::refuse(std::string_view what) const {
  const Place* document = this;
  while (document->outer_ != nullptr) {
    document = document->outer_;
  }
  const std::string field = path();
  throw internal_error(std::string(document->name_) + ": " +
                       (field.empty() ? std::string("it") : "field '" + field + "'") + " " +
                       std::string(what));
}

namespace fields_detail {

Reader::Reader(const Json& json, const Place& place) : json_(json), place_(place) {
  if (!json.is_object()) {
    place.refuse("must be an object");
  }
}

const Json& Reader::named(const char* name, const Place& field) {
  const auto found = json_.find(name);
  if (found == json_.end()) {
    field.refuse("is missing");
  }
  known_.emplace_back(name);
  return *found;
}

void Reader::refuse_unknown() const {
  for (const auto& [name, value] : json_.items()) {
    if (std::ranges::find(known_, name) == known_.end()) {
      Place(place_, name).refuse("is unknown");
    }
  }
}

void read_text(std::string& value, const Json& json, const Place& place) {
  if (!json.is_string()) {
    place.refuse("must be a text");
  }
  value = json.get<std::string>();
}

void read_key(KeySpec& value, const Json& json, const Place& place) {
  try {
    value = json.get<KeySpec>();
  } catch (const Json::exception& error) {
    place.refuse(std::string("must be a configuration key: ") + error.what());
  }
  if (Json(value) != json) {
    place.refuse("must be a configuration key without further fields");
  }
}

std::string take_tag(Json& document, const char* tag, std::string_view what) {
  const Place place(what);
  const Place field(place, tag);
  if (!document.is_object()) {
    place.refuse("must be an object");
  }
  const auto found = document.find(tag);
  if (found == document.end()) {
    field.refuse("is missing");
  }
  std::string kind;
  read_text(kind, *found, field);
  document.erase(found);
  return kind;
}

void refuse_kind(const std::string& kind, std::string_view what) {
  throw internal_error("unknown " + std::string(what) + " '" + kind + "'");
}

}  // namespace fields_detail
}  // namespace sar
