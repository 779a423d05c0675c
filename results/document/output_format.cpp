#include "results/document/output_format.h"

#include "harness/core/error.h"

#include <algorithm>
#include <utility>

namespace sar {

void OutputFormats::add(OutputFormat format) {
  for (const OutputFormat& other : formats_) {
    if (other.name == format.name || other.place == format.place) {
      throw internal_error("two formats have one name or one place")
          .with("formats", other.name + ", " + format.name);
    }
  }
  const auto place = std::ranges::upper_bound(formats_, format.place, {}, &OutputFormat::place);
  formats_.insert(place, std::move(format));
}

const OutputFormats& known_formats() {
  static const OutputFormats known = [] {
    OutputFormats registry;
    formats::register_all(registry);
    return registry;
  }();
  return known;
}

}  // namespace sar
