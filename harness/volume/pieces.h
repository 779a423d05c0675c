#pragma once

#include "harness/core/rng.h"
#include "harness/volume/volume.h"

#include <cstdint>
#include <string>
#include <vector>

namespace sar {

/// The whole block resized by trilinear interpolation with half-pixel centres and a Gaussian
/// prefilter on axes that shrink.
Block resized(const Block& block, const Size3& size);

/// Regular grid of `cells` x `cells` x `cells` cells over a block. Cell sides are floor(side /
/// cells); what is left over at the upper border is not used.
struct GridOptions {
  int cells = 3;
  Size3 patch{16, 16, 16};  ///< voxels of the patch that each cell gives
  int jitter = 2;           ///< a patch lies up to this far from its least position, in voxels
};

/// One patch of every cell in the order of the cell index (x fastest). The range of positions is
/// centred in the cell (rounded down); each patch draws its own position from `rng`. Throws Error
/// 70 if patch and jitter leave the cell.
std::vector<Block> cut_grid(const Block& block, const GridOptions& grid, Rng& rng);

/// Number of rotations by right angles about one axis: the identity, and 90, 180, 270 degrees about
/// x, y, z (Taleb et al., NeurIPS 2020, section 3.3; the twelve turns have the identity three
/// times).
inline constexpr int kRotations = 10;
/// Rotation 0 is the identity, 1 + 3 a + (t - 1) turns t times 90 degrees about axis a (x, y, z),
/// from the next axis towards the one after it.
/// The block must be a cube; throws Error 70 otherwise.
Block rotated(const Block& block, int rotation);

/// A random crop of `side` voxels per axis, put back in the middle of zeros of the block's size.
/// Throws Error 70 if the crop is larger than the block.
Block cropped_and_padded(const Block& block, const Size3& side, Rng& rng);

/// The block mirrored along x.
Block mirrored_x(const Block& block);

/// `count` different orders of `pieces` pieces. "maxmin": greedy farthest-point choice among 20,000
/// random orders (half of them where fewer exist), the next one being the one whose least Hamming
/// distance to those chosen is largest, the earlier of equals; "random": random orders. Depends on
/// `seed` only. Throws Error 2 if there are fewer than `count` orders, or for another name.
std::vector<std::vector<int>> permutation_set(int count,
                                              int pieces,
                                              const std::string& selection,
                                              std::uint64_t seed);

/// Positions in which two orders differ.
int hamming_distance(const std::vector<int>& a, const std::vector<int>& b);

}  // namespace sar
