#include "harness/volume/pieces.h"

#include "harness/core/error.h"
#include "harness/volume/resample.h"

#include <algorithm>
#include <cmath>
#include <set>

namespace sar {
namespace {

constexpr int kCandidates = 20'000;

Volume as_volume(const Block& block) {
  Volume volume;
  volume.geometry.size = block.size;
  volume.voxels = block.values;
  return volume;
}

std::size_t index(const Size3& size, int x, int y, int z) {
  return (static_cast<std::size_t>(z) * static_cast<std::size_t>(size[1]) +
          static_cast<std::size_t>(y)) *
             static_cast<std::size_t>(size[0]) +
         static_cast<std::size_t>(x);
}

/// A block of `size` whose voxel (x, y, z) is `from(x, y, z)`.
template <class From>
Block filled(const Size3& size, const From& from) {
  Block block{size, std::vector<float>(count_voxels(size))};
  float* to = block.values.data();
  for (int z = 0; z < size[2]; ++z) {
    for (int y = 0; y < size[1]; ++y) {
      for (int x = 0; x < size[0]; ++x) {
        *to++ = from(x, y, z);
      }
    }
  }
  return block;
}

Block part(const Block& block, const Size3& origin, const Size3& size) {
  return filled(size, [&](int x, int y, int z) {
    return block.values[index(block.size, x + origin[0], y + origin[1], z + origin[2])];
  });
}

using Order = std::vector<int>;

Order random_order(int pieces, Rng& rng) {
  const auto order = rng.permutation(static_cast<std::uint32_t>(pieces));
  return {order.begin(), order.end()};
}

/// Different random orders: as many as asked for, or all that exist.
std::vector<Order> random_orders(int wanted, int pieces, Rng& rng) {
  std::set<Order> seen;
  std::vector<Order> orders;
  while (static_cast<int>(orders.size()) < wanted) {
    Order order = random_order(pieces, rng);
    if (seen.insert(order).second) {
      orders.push_back(std::move(order));
    }
  }
  return orders;
}

/// pieces! where it is at most `limit`, else `limit`.
int count_orders(int pieces, int limit) {
  std::int64_t count = 1;
  for (int i = 2; i <= pieces && count < limit; ++i) {
    count *= i;
  }
  return static_cast<int>(std::min<std::int64_t>(count, limit));
}

}  // namespace

Block resized(const Block& block, const Size3& size) {
  if (block.size == size) {
    return block;
  }
  return crop_and_resize(as_volume(block), {{0, 0, 0}, block.size}, size, {});
}

std::vector<Block> cut_grid(const Block& block, const GridOptions& grid, Rng& rng) {
  Size3 cell{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    cell[axis] = block.size[axis] / grid.cells;
    if (grid.patch[axis] < 1 || grid.jitter < 0 || grid.patch[axis] + grid.jitter > cell[axis]) {
      throw internal_error("a patch and its jitter leave the grid's cell")
          .with("cell", std::to_string(cell[axis]))
          .with("patch", std::to_string(grid.patch[axis]))
          .with("jitter", std::to_string(grid.jitter));
    }
  }
  std::vector<Block> patches;
  for (int z = 0; z < grid.cells; ++z) {
    for (int y = 0; y < grid.cells; ++y) {
      for (int x = 0; x < grid.cells; ++x) {
        Size3 origin{x, y, z};
        for (std::size_t axis = 0; axis < 3; ++axis) {
          const int least = (cell[axis] - grid.patch[axis] - grid.jitter) / 2;
          origin[axis] = origin[axis] * cell[axis] + least + rng.between(0, grid.jitter);
        }
        patches.push_back(part(block, origin, grid.patch));
      }
    }
  }
  return patches;
}

Block rotated(const Block& block, int rotation) {
  const int n = block.size[0];
  if (block.size[1] != n || block.size[2] != n || rotation < 0 || rotation >= kRotations) {
    throw internal_error("only cubes are turned, by rotation 0 to 9")
        .with("size", to_string(block.size))
        .with("rotation", std::to_string(rotation));
  }
  if (rotation == 0) {
    return block;
  }
  const auto axis = static_cast<std::size_t>((rotation - 1) / 3);
  const int turns = (rotation - 1) % 3 + 1;
  const std::size_t u = (axis + 1) % 3;
  const std::size_t v = (axis + 2) % 3;
  return filled(block.size, [&](int x, int y, int z) {
    Size3 at{x, y, z};
    for (int turn = 0; turn < turns; ++turn) {
      const int old = at[u];
      at[u] = at[v];
      at[v] = n - 1 - old;
    }
    return block.values[index(block.size, at[0], at[1], at[2])];
  });
}

Block cropped_and_padded(const Block& block, const Size3& side, Rng& rng) {
  Size3 origin{};
  Size3 place{};
  for (std::size_t axis = 0; axis < 3; ++axis) {
    const int room = block.size[axis] - side[axis];
    if (room < 0 || side[axis] < 1) {
      throw internal_error("a crop is larger than its block")
          .with("block", to_string(block.size))
          .with("crop", to_string(side));
    }
    origin[axis] = rng.between(0, room);
    place[axis] = room / 2;
  }
  return filled(block.size, [&](int x, int y, int z) {
    const Size3 at{x - place[0], y - place[1], z - place[2]};
    for (std::size_t axis = 0; axis < 3; ++axis) {
      if (at[axis] < 0 || at[axis] >= side[axis]) {
        return 0.0F;
      }
    }
    return block.values[index(block.size, at[0] + origin[0], at[1] + origin[1], at[2] + origin[2])];
  });
}

Block mirrored_x(const Block& block) {
  return filled(block.size, [&](int x, int y, int z) {
    return block.values[index(block.size, block.size[0] - 1 - x, y, z)];
  });
}

std::vector<std::vector<int>> permutation_set(int count,
                                              int pieces,
                                              const std::string& selection,
                                              std::uint64_t seed) {
  const int existing = count_orders(pieces, std::max(count, 2 * kCandidates));
  if (count > existing) {
    throw usage_error("there are not so many orders")
        .with("pieces", std::to_string(pieces))
        .with("orders", std::to_string(existing))
        .with("wanted", std::to_string(count));
  }
  Rng rng = Rng(seed).at(purpose::proxy);
  if (selection == "random") {
    return random_orders(count, pieces, rng);
  }
  if (selection != "maxmin") {
    throw usage_error("permutations are selected by maxmin or random").with("got", selection);
  }
  // A draw among few orders would seldom find the last ones: half of them are candidates enough.
  const int candidates = std::max(count, std::min(kCandidates, (existing + 1) / 2));
  const auto orders = random_orders(candidates, pieces, rng);
  std::vector<int> least(orders.size(), pieces + 1);  // distance to the nearest chosen one
  std::vector<std::vector<int>> chosen;
  std::size_t next = 0;
  while (static_cast<int>(chosen.size()) < count) {
    chosen.push_back(orders[next]);
    for (std::size_t i = 0; i < orders.size(); ++i) {
      least[i] = std::min(least[i], hamming_distance(orders[i], chosen.back()));
    }
    next = static_cast<std::size_t>(std::ranges::max_element(least) - least.begin());
  }
  return chosen;
}

int hamming_distance(const std::vector<int>& a, const std::vector<int>& b) {
  int distance = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    distance += a[i] == b[i] ? 0 : 1;
  }
  return distance;
}

}  // namespace sar
