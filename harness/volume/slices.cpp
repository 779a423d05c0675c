#include "harness/volume/slices.h"

#include "harness/core/error.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

namespace sar {
namespace {

/// How a plane lies in the grid: the axes that run across, down and through it.
struct PlaneAxes {
  const char* name;
  std::size_t across, down, through;
};
// z grows to the head, so that the rows of coronal and sagittal slices run against it.
constexpr std::array<PlaneAxes, 3> kPlanes{
    {{"axial", 0, 1, 2}, {"coronal", 0, 2, 1}, {"sagittal", 1, 2, 0}}};
constexpr std::size_t kUpwards = 2;

constexpr float kBackgroundTolerance = 0.05F;

std::size_t place_of(const Size3& size, const Size3& voxel) {
  return (static_cast<std::size_t>(voxel[2]) * static_cast<std::size_t>(size[1]) +
          static_cast<std::size_t>(voxel[1])) *
             static_cast<std::size_t>(size[0]) +
         static_cast<std::size_t>(voxel[0]);
}

/// Calls `visit` with each voxel of a mask, in the order of memory.
template <typename Visit>
void for_each_voxel(std::span<const std::uint8_t> mask, const Size3& size, const Visit& visit) {
  std::size_t i = 0;
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x, ++i) {
        if (mask[i] != 0) {
          visit(Size3{x, y, z});
        }
      }
    }
  }
}

/// The voxel of a mask that is nearest to its centroid, the first of equals; none if it is empty.
std::optional<Size3> central_voxel(std::span<const std::uint8_t> mask, const Geometry& grid) {
  std::array<std::int64_t, 3> sum{};
  std::int64_t count = 0;
  for_each_voxel(mask, grid.size, [&](const Size3& voxel) {
    for (std::size_t axis = 0; axis < 3; ++axis) {
      sum[axis] += voxel[axis];
    }
    ++count;
  });
  std::optional<Size3> nearest;
  double least = 0;
  for_each_voxel(mask, grid.size, [&](const Size3& voxel) {
    double squared = 0;
    for (std::size_t axis = 0; axis < 3; ++axis) {
      const double centroid = static_cast<double>(sum[axis]) / static_cast<double>(count);
      const double distance = (voxel[axis] - centroid) * grid.spacing_mm[axis];
      squared += distance * distance;
    }
    if (!nearest || squared < least) {
      nearest = voxel;
      least = squared;
    }
  });
  return nearest;
}

/// Where a voxel of the grid lies between two voxels of the image, along one axis.
struct Between {
  int low = 0, high = 0;
  float share = 0;  ///< of the higher one
};
Between between(int i, int size, int image_size) {
  const double x =
      std::clamp((static_cast<double>(i) + 0.5) * image_size / size - 0.5, 0.0, image_size - 1.0);
  const int low = static_cast<int>(std::floor(x));
  return {low, std::min(low + 1, image_size - 1), static_cast<float>(x - low)};
}

float interpolated(const Volume& image, const std::array<Between, 3>& place) {
  const auto& [x, y, z] = place;
  const auto along_x = [&](int v, int w) {
    const float low = image.voxels[place_of(image.geometry.size, {x.low, v, w})];
    const float high = image.voxels[place_of(image.geometry.size, {x.high, v, w})];
    return (1 - x.share) * low + x.share * high;
  };
  const auto along_y = [&](int w) {
    return (1 - y.share) * along_x(y.low, w) + y.share * along_x(y.high, w);
  };
  return (1 - z.share) * along_y(z.low) + z.share * along_y(z.high);
}

/// Pixels near `background` that hang together with the border of the slice (by edges).
std::vector<bool> background_of(const std::vector<float>& values,
                                int width,
                                int height,
                                float background) {
  std::vector<bool> found(values.size());
  std::vector<std::size_t> queue;
  const auto reach = [&](int column, int row) {
    if (column < 0 || row < 0 || column >= width || row >= height) {
      return;
    }
    const auto i = static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                   static_cast<std::size_t>(column);
    if (!found[i] && std::abs(values[i] - background) <= kBackgroundTolerance) {
      found[i] = true;
      queue.push_back(i);
    }
  };
  for (int column = 0; column < width; ++column) {
    reach(column, 0);
    reach(column, height - 1);
  }
  for (int row = 0; row < height; ++row) {
    reach(0, row);
    reach(width - 1, row);
  }
  while (!queue.empty()) {
    const int column = static_cast<int>(queue.back() % static_cast<std::size_t>(width));
    const int row = static_cast<int>(queue.back() / static_cast<std::size_t>(width));
    queue.pop_back();
    reach(column - 1, row);
    reach(column + 1, row);
    reach(column, row - 1);
    reach(column, row + 1);
  }
  return found;
}

/// The values at the 1st and 99th percentile, nearest rank.
std::array<float, 2> grey_window(std::vector<float> values) {
  if (values.empty()) {
    return {0, 0};
  }
  std::array<float, 2> window{};
  for (std::size_t i = 0; i < 2; ++i) {
    const auto rank = static_cast<std::size_t>(
        std::lround((i == 0 ? 0.01 : 0.99) * static_cast<double>(values.size() - 1)));
    const auto place = values.begin() + static_cast<std::ptrdiff_t>(rank);
    std::nth_element(values.begin(), place, values.end());
    window[i] = *place;
  }
  return window;
}

}  // namespace

std::vector<Contour> outline(std::span<const std::uint8_t> mask, int width, int height) {
  if (mask.size() != static_cast<std::size_t>(width) * static_cast<std::size_t>(height)) {
    throw internal_error("a mask that does not fill its slice");
  }
  const auto inside = [&](int column, int row) {
    return column >= 0 && row >= 0 && column < width && row < height &&
           mask[static_cast<std::size_t>(row) * static_cast<std::size_t>(width) +
                static_cast<std::size_t>(column)] != 0;
  };
  // Edges that leave a corner, as bits of their directions: right, down, left, up. The inside is on
  // the right of each, seen along it.
  constexpr std::array<int, 4> kStepX{1, 0, -1, 0};
  constexpr std::array<int, 4> kStepY{0, 1, 0, -1};
  const auto corner = [&](int x, int y) {
    return static_cast<std::size_t>(y) * static_cast<std::size_t>(width + 1) +
           static_cast<std::size_t>(x);
  };
  std::vector<std::uint8_t> edges(static_cast<std::size_t>(width + 1) *
                                  static_cast<std::size_t>(height + 1));
  for (int y = 0; y <= height; ++y) {
    for (int x = 0; x <= width; ++x) {
      const bool upper_left = inside(x - 1, y - 1);
      const bool upper_right = inside(x, y - 1);
      const bool lower_left = inside(x - 1, y);
      const bool lower_right = inside(x, y);
      edges[corner(x, y)] = static_cast<std::uint8_t>(
          (lower_right && !upper_right ? 1 : 0) | (lower_left && !lower_right ? 2 : 0) |
          (upper_left && !lower_left ? 4 : 0) | (upper_right && !upper_left ? 8 : 0));
    }
  }
  std::vector<Contour> contours;
  std::vector<bool> drawn(edges.size());  // the edge to the right of a corner
  for (int top = 0; top <= height; ++top) {
    for (int left = 0; left <= width; ++left) {
      // The first edge of a line begins at a turn: an edge straight before it would have come
      // first.
      if ((edges[corner(left, top)] & 1U) == 0 || drawn[corner(left, top)]) {
        continue;
      }
      Contour& contour = contours.emplace_back();
      int x = left;
      int y = top;
      unsigned direction = 0;
      unsigned before = 4;  // none
      do {
        if (direction != before) {
          contour.insert(contour.end(), {x, y});
        }
        if (direction == 0) {
          drawn[corner(x, y)] = true;
        }
        x += kStepX[direction];
        y += kStepY[direction];
        before = direction;
        // Where two pixels touch at a corner, the turn to the right stays with the same pixel.
        const unsigned leaving = edges[corner(x, y)];
        for (const unsigned turn : {1U, 0U, 3U}) {
          direction = (before + turn) % 4;
          if ((leaving >> direction & 1U) != 0) {
            break;
          }
        }
      } while (x != left || y != top || direction != 0);
    }
  }
  return contours;
}

CaseSlices cut_slices(const Volume& image,
                      const Geometry& grid,
                      std::span<const std::uint8_t> truth,
                      std::span<const std::uint8_t> prediction,
                      std::optional<float> background) {
  if (truth.size() != count_voxels(grid.size) || prediction.size() != truth.size()) {
    throw internal_error("a mask that does not fill its grid").with("size", to_string(grid.size));
  }
  CaseSlices result;
  result.centre = "truth";
  std::optional<Size3> centre = central_voxel(truth, grid);
  if (!centre) {
    result.centre = "prediction";
    centre = central_voxel(prediction, grid);
  }
  if (!centre) {
    result.centre = "middle";
    centre = Size3{grid.size[0] / 2, grid.size[1] / 2, grid.size[2] / 2};
  }

  std::array<std::vector<float>, 3> values;
  std::array<std::vector<bool>, 3> outside;
  std::vector<float> seen;
  for (std::size_t p = 0; p < 3; ++p) {
    const PlaneAxes& plane = kPlanes[p];
    Slice& slice = result.slices[p];
    slice.plane = plane.name;
    slice.index = (*centre)[plane.through];
    slice.width = grid.size[plane.across];
    slice.height = grid.size[plane.down];
    slice.pixel_mm = {grid.spacing_mm[plane.across], grid.spacing_mm[plane.down]};
    std::vector<std::uint8_t> true_mask;
    std::vector<std::uint8_t> predicted_mask;
    Size3 voxel = *centre;
    for (int row = 0; row < slice.height; ++row) {
      voxel[plane.down] = plane.down == kUpwards ? slice.height - 1 - row : row;
      for (int column = 0; column < slice.width; ++column) {
        voxel[plane.across] = column;
        true_mask.push_back(truth[place_of(grid.size, voxel)]);
        predicted_mask.push_back(prediction[place_of(grid.size, voxel)]);
        std::array<Between, 3> place;
        for (std::size_t axis = 0; axis < 3; ++axis) {
          place[axis] = between(voxel[axis], grid.size[axis], image.geometry.size[axis]);
        }
        values[p].push_back(interpolated(image, place));
      }
    }
    slice.truth = outline(true_mask, slice.width, slice.height);
    slice.prediction = outline(predicted_mask, slice.width, slice.height);
    outside[p] = background ? background_of(values[p], slice.width, slice.height, *background)
                            : std::vector<bool>(values[p].size());
    for (std::size_t i = 0; i < values[p].size(); ++i) {
      if (!outside[p][i]) {
        seen.push_back(values[p][i]);
      }
    }
  }
  const auto [low, high] = grey_window(std::move(seen));
  for (std::size_t p = 0; p < 3; ++p) {
    for (std::size_t i = 0; i < values[p].size(); ++i) {
      const float share =
          high > low ? std::clamp((values[p][i] - low) / (high - low), 0.0F, 1.0F) : 0.0F;
      result.slices[p].grey.push_back(
          outside[p][i] ? std::uint8_t{0} : static_cast<std::uint8_t>(std::lround(255 * share)));
    }
  }
  return result;
}

std::vector<ExampleCase> example_cases(const std::vector<ScoredCase>& cases) {
  const auto rank = [](const std::string& bucket) {
    return std::pair(bucket == "S" ? 0 : bucket == "M" ? 1 : bucket == "L" ? 2 : 3, bucket);
  };
  std::map<std::pair<int, std::string>, std::vector<std::size_t>> buckets;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    buckets[rank(cases[i].bucket)].push_back(i);
  }
  std::vector<ExampleCase> examples;
  for (auto& [bucket, members] : buckets) {
    std::sort(members.begin(), members.end(), [&](std::size_t a, std::size_t b) {
      return std::pair(cases[a].dice, cases[a].id) < std::pair(cases[b].dice, cases[b].id);
    });
    const std::size_t first_of_bucket = examples.size();
    const auto add = [&](std::size_t index, const char* place) {
      const auto known =
          std::find_if(examples.begin() + static_cast<std::ptrdiff_t>(first_of_bucket),
                       examples.end(),
                       [&](const ExampleCase& each) { return each.index == index; });
      (known == examples.end() ? examples.emplace_back(ExampleCase{index, {}}) : *known)
          .places.emplace_back(place);
    };
    add(members.back(), "best");
    add(members[(members.size() - 1) / 2], "median");
    add(members.front(), "worst");
  }
  return examples;
}

}  // namespace sar
