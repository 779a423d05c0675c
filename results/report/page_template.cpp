#include "results/report/page_template.h"

#include "harness/core/error.h"

#include <kainjow/mustache.hpp>

namespace sar {
namespace {

using kainjow::mustache::data;

data to_data(const Json& value) {
  if (value.is_object()) {
    data object{data::type::object};
    for (const auto& [name, member] : value.items()) {
      object.set(name, to_data(member));
    }
    return object;
  }
  if (value.is_array()) {
    data list{data::type::list};
    for (const Json& entry : value) {
      list << to_data(entry);
    }
    return list;
  }
  if (value.is_string()) {
    return data{value.get<std::string>()};
  }
  if (value.is_number()) {
    return data{value.dump()};
  }
  return data{value.is_boolean() && value.get<bool>() ? data::type::bool_true
                                                      : data::type::bool_false};
}

}  // namespace

std::string filled_template(const std::string& text, const Json& view) {
  kainjow::mustache::mustache page{text};
  if (!page.is_valid()) {
    throw internal_error("the template is faulty").with("reason", page.error_message());
  }
  return page.render(to_data(view));
}

}  // namespace sar
