#include "harness/volume/volume.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace sar {

std::string to_string(const Size3& size) {
  return fmt::format("{}x{}x{}", size[0], size[1], size[2]);
}

std::string geometry_difference(const Geometry& a, const Geometry& b, double tolerance) {
  std::string text;
  const auto add = [&](const std::string& part) {
    text += text.empty() ? "" : "; ";
    text += part;
  };
  if (a.size != b.size) {
    add(fmt::format("size {} against {} voxels", to_string(a.size), to_string(b.size)));
  }
  // Negated comparisons, so that a NaN counts as a difference.
  const auto differ = [](const auto& left, const auto& right, const auto& limit) {
    for (std::size_t i = 0; i < left.size(); ++i) {
      if (!(std::abs(left[i] - right[i]) <= limit(i))) {
        return true;
      }
    }
    return false;
  };
  const auto relative = [&](std::size_t axis) {
    return tolerance * std::min(std::abs(a.spacing_mm[axis]), std::abs(b.spacing_mm[axis]));
  };
  const auto triple = [](const std::array<double, 3>& v) {
    return fmt::format("({:.6g}, {:.6g}, {:.6g})", v[0], v[1], v[2]);
  };
  if (differ(a.spacing_mm, b.spacing_mm, relative)) {
    add(fmt::format("spacing {} against {} mm", triple(a.spacing_mm), triple(b.spacing_mm)));
  }
  if (differ(a.origin_mm, b.origin_mm, relative)) {
    add(fmt::format("origin {} against {} mm", triple(a.origin_mm), triple(b.origin_mm)));
  }
  if (differ(a.direction, b.direction, [&](std::size_t) { return tolerance; })) {
    const auto matrix = [&](const std::array<double, 9>& d) {
      return fmt::format("[{} {} {}]",
                         triple({d[0], d[1], d[2]}),
                         triple({d[3], d[4], d[5]}),
                         triple({d[6], d[7], d[8]}));
    };
    add(fmt::format("direction {} against {}", matrix(a.direction), matrix(b.direction)));
  }
  return text;
}

}  // namespace sar
