#pragma once

#include "harness/core/json.h"

#include <string>

namespace sar {

/// A mustache template filled with a view: objects, lists, texts and truth values; a number is
/// written as JSON writes it, null is false. Texts are escaped for HTML unless the template says
/// otherwise. Throws Error 70 for a faulty template.
std::string filled_template(const std::string& text, const Json& view);

}  // namespace sar
