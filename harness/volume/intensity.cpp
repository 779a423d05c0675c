#include "harness/volume/intensity.h"

#include "harness/core/error.h"
#include "harness/volume/resample.h"

#include <algorithm>
#include <cmath>

namespace sar {

void clip(std::span<float> values, float low, float high) {
  for (float& value : values) {
    value = std::min(std::max(value, low), high);
  }
}

void normalise_volume(std::span<float> values) {
  if (values.empty()) {
    return;
  }
  const auto [low, high] = std::minmax_element(values.begin(), values.end());
  normalise_range(values, *low, *high);
}

void normalise_range(std::span<float> values, float low, float high) {
  if (!(high > low)) {
    std::fill(values.begin(), values.end(), 0.0F);
    return;
  }
  const float extent = high - low;
  for (float& value : values) {
    value = (value - low) / extent;  // a division, so that `high` becomes exactly 1
  }
}

void normalise_nonzero(std::span<float> values, bool zero_background) {
  double sum = 0;
  std::size_t count = 0;
  for (const float value : values) {
    sum += static_cast<double>(value);
    count += value != 0.0F ? 1 : 0;
  }
  const double mean = count == 0 ? 0.0 : sum / static_cast<double>(count);
  double squares = 0;
  for (const float value : values) {
    const double difference = value != 0.0F ? static_cast<double>(value) - mean : 0.0;
    squares += difference * difference;
  }
  const double deviation = count == 0 ? 0.0 : std::sqrt(squares / static_cast<double>(count));
  if (!(deviation > 0)) {
    std::fill(values.begin(), values.end(), 0.0F);
    return;
  }
  const double background = zero_background ? 0.0 : -mean / deviation;
  for (float& value : values) {
    value = static_cast<float>(value != 0.0F ? (static_cast<double>(value) - mean) / deviation
                                             : background);
  }
}

Box nonzero_box(const Volume& volume) {
  const Size3& size = volume.geometry.size;
  Size3 low = size;
  Size3 high{-1, -1, -1};
  const float* row = volume.voxels.data();
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y, row += size[0]) {
      const float* end = row + size[0];
      const float* first = std::find_if(row, end, [](float v) { return v != 0.0F; });
      if (first == end) {
        continue;
      }
      const float* last = end - 1;
      while (*last == 0.0F) {
        --last;
      }
      low = {std::min(low[0], static_cast<int>(first - row)),
             std::min(low[1], y),
             std::min(low[2], z)};
      high = {std::max(high[0], static_cast<int>(last - row)), std::max(high[1], y), z};
    }
  }
  if (high[0] < 0) {
    return {{0, 0, 0}, size};
  }
  return {low, {high[0] - low[0] + 1, high[1] - low[1] + 1, high[2] - low[2] + 1}};
}

Volume crop_volume(const Volume& volume, const Box& box) {
  const Geometry& old = volume.geometry;
  for (std::size_t axis = 0; axis < 3; ++axis) {
    if (box.origin[axis] < 0 || box.size[axis] < 1 ||
        box.origin[axis] > old.size[axis] - box.size[axis]) {
      throw internal_error("the box to crop leaves the volume")
          .with("box", to_string(box.size))
          .with("volume", to_string(old.size));
    }
  }
  Volume result;
  result.geometry = old;
  result.geometry.size = box.size;
  for (std::size_t row = 0; row < 3; ++row) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      result.geometry.origin_mm[row] += old.direction[3 * row + axis] * old.spacing_mm[axis] *
                                        static_cast<double>(box.origin[axis]);
    }
  }
  result.voxels = crop(volume, box, 0.0F).values;
  return result;
}

}  // namespace sar
