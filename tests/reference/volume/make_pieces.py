"""Reference values of harness/volume/pieces.h from NumPy, SciPy and scikit-image, on the draws of
random_streams.py.

Command (from this folder): python3 make_pieces.py
Writes pieces.json and prints the least and mean distances of the sets of permutations. Made with
NumPy 2.4.6, SciPy 1.17.1, scikit-image 0.26.0 and randomgen 2.5.1. Blocks are indexed x, y, z and
stored with x fastest.
"""

import json
from math import factorial

import numpy as np
from scipy.spatial.distance import pdist
from skimage.util import view_as_blocks

from random_streams import Stream, check_generator, exact, flat, pattern
from resizing import resized


def proxy_stream(seed, indices):
    return Stream(seed).at("proxy", indices)


def rotations():
    """Rotation 1 + 3 a + (t - 1) is t times numpy.rot90 in the plane of the two axes that follow a
    in the circle x, y, z."""
    side = 5
    block = np.arange(side**3).reshape([side] * 3, order="F")
    turned = [block]
    turned += [np.rot90(block, t, ((a + 1) % 3, (a + 2) % 3)) for a in range(3) for t in (1, 2, 3)]
    assert len({one.tobytes() for one in turned}) == 10
    # The same ten as rot90 by 1, 2, 3 in the planes (0, 1), (1, 2), (0, 2) gives.
    planes = [np.rot90(block, t, plane) for plane in ((0, 1), (1, 2), (0, 2)) for t in (1, 2, 3)]
    assert {one.tobytes() for one in turned} == {one.tobytes() for one in [block, *planes]}
    inverses = [0]
    for a in range(3):
        for t in (1, 2, 3):
            undone = [r for r in range(10) if r == 0 or (r - 1) // 3 == a if np.array_equal(
                np.rot90(turned[1 + 3 * a + t - 1], 0 if r == 0 else (r - 1) % 3 + 1,
                         ((a + 1) % 3, (a + 2) % 3)), block)]
            assert len(undone) == 1
            inverses += undone
    return {"side": side, "turned": [flat(one).tolist() for one in turned], "inverses": inverses}


def grids():
    cases = []
    for size, cells, patch, jitter in (
            ((54, 54, 54), 3, (16, 16, 16), 2),  # the two grids of the paper profile
            ((64, 64, 64), 4, (16, 16, 16), 0),
            ((24, 20, 16), 2, (12, 10, 8), 0),
            ((23, 20, 17), 3, (4, 3, 2), 3),  # left-over voxels, unequal cells
            ((23, 20, 17), 2, (5, 6, 1), 1),  # odd slack: the first position is rounded down
            ((9, 9, 9), 1, (9, 9, 9), 0)):
        seed, indices = 11, [2, len(cases)]
        block = pattern(size)
        cell = [n // cells for n in size]
        stream = proxy_stream(seed, indices)
        patches = []
        origins = []
        for index in np.ndindex(cells, cells, cells):
            at = index[::-1]  # x fastest
            origin = [i * c + (c - p - jitter) // 2 + stream.between(0, jitter)
                      for i, c, p in zip(at, cell, patch)]
            origins.append(origin)
            patches.append(block[tuple(slice(o, o + p) for o, p in zip(origin, patch))])
        if jitter == 0 and tuple(cell) == patch:
            whole = block[tuple(slice(0, c * cells) for c in cell)]
            blocks = view_as_blocks(np.ascontiguousarray(whole), patch)
            for number, index in enumerate(np.ndindex(cells, cells, cells)):
                assert np.array_equal(patches[number], blocks[index[::-1]])
        # One digest of all patches, one after the other along z.
        cases.append({"size": size, "cells": cells, "patch": patch, "jitter": jitter, "seed": seed,
                      "indices": indices, "count": len(patches),
                      "patches": exact(np.concatenate(patches, axis=2))})
    return cases


def crops():
    cases = []
    for size, side in (((64, 64, 64), (60, 60, 60)), ((16, 16, 16), (14, 14, 14)),
                       ((9, 8, 7), (6, 7, 2)), ((9, 8, 7), (9, 5, 7)), ((5, 5, 5), (5, 5, 5))):
        for cube in range(2):
            seed, indices = 12, [1, cube]
            stream = proxy_stream(seed, indices)
            origin = [stream.between(0, n - s) for n, s in zip(size, side)]
            crop = pattern(size)[tuple(slice(o, o + s) for o, s in zip(origin, side))]
            padded = np.pad(crop, [((n - s) // 2, n - s - (n - s) // 2) for n, s in zip(size, side)])
            cases.append({"size": size, "side": side, "seed": seed, "indices": indices, **exact(padded)})
    return cases


def mirrors():
    return [{"size": size, **exact(np.flip(pattern(size), 0))} for size in ((5, 4, 3), (6, 1, 2))]


def resizes():
    cases = []
    for size, new in (((12, 9, 7), (6, 6, 6)), ((12, 9, 7), (13, 10, 8)), ((12, 9, 7), (5, 9, 13)),
                      ((8, 8, 4), (7, 7, 7)), ((7, 1, 5), (3, 3, 5))):
        values = resized(pattern(size).astype(np.float64), new, cubic=False, antialias=True)
        cases.append({"size": size, "new": new, "values": [round(float(v), 8) for v in flat(values)]})
    return cases


def random_orders(count, pieces, stream):
    """Different ones; a repeated draw is passed over."""
    orders = {}
    while len(orders) < count:
        orders.setdefault(tuple(stream.permutation(pieces)))
    return np.array(list(orders))


def permutation_sets():
    candidates = {}
    last = 0  # place of the last candidate of 20,000 that was ever chosen
    cases = []
    for count, pieces, selection, seed in (
            (100, 27, "maxmin", 0), (24, 27, "maxmin", 0), (8, 27, "maxmin", 0), (24, 27, "maxmin", 3),
            (100, 8, "maxmin", 0), (100, 8, "maxmin", 24), (24, 8, "maxmin", 0),
            (8, 8, "maxmin", 0), (8, 8, "maxmin", 3),
            (10, 4, "maxmin", 0), (24, 4, "maxmin", 0),
            (24, 27, "random", 0), (24, 4, "random", 1)):
        stream = Stream(seed).at("proxy")
        if selection == "random":
            orders = random_orders(count, pieces, stream)
        else:
            # 20,000 candidates; half of all orders where that is fewer; but as many as wanted.
            among = max(count, min(20_000, (factorial(pieces) + 1) // 2))
            if (among, pieces, seed) not in candidates:
                candidates[among, pieces, seed] = random_orders(among, pieces, stream)
            pool = candidates[among, pieces, seed]
            chosen = [0]
            least = np.sum(pool != pool[0], axis=1)
            while len(chosen) < count:
                chosen.append(int(np.argmax(least)))  # the first of several
                least = np.minimum(least, np.sum(pool != pool[chosen[-1]], axis=1))
            orders = pool[chosen]
            last = max(last, max(chosen))
        assert np.array_equal(np.sort(orders), np.tile(np.arange(pieces), (count, 1)))
        distances = np.rint(pdist(orders, "hamming") * pieces)
        least, mean = int(distances.min()), float(distances.mean())
        print(f"{count:4d} of {pieces:2d} pieces, {selection}, seed {seed}: "
              f"least distance {least}, mean {mean:.2f}")
        assert least > 0
        cases.append({"count": count, "pieces": pieces, "selection": selection, "seed": seed,
                      "least_distance": least, "sum_of_distances": int(distances.sum()),
                      "orders": orders.tolist()})
    assert last > 19_980, "seed 24 is there because it shows that all candidates are considered"
    return cases


if __name__ == "__main__":
    check_generator()
    document = {"rotations": rotations(), "grids": grids(), "crops": crops(), "mirrors": mirrors(),
                "resizes": resizes(), "permutation_sets": permutation_sets()}
    with open("pieces.json", "w", encoding="ascii") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")
