"""Reference values of harness/volume/transforms.h: the rules of Models Genesis (Zhou et al., MICCAI
2019) in NumPy and SciPy, on the draws of random_streams.py.

Command (from this folder): python3 make_transforms.py
Writes transforms.json and prints how often each branch of the rules was taken; it fails if one was
not. Made with NumPy 2.4.6, SciPy 1.17.1 and randomgen 2.5.1. Blocks are indexed x, y, z and stored
with x fastest.
"""

import collections
import json

import numpy as np
from scipy.interpolate import BPoly

from random_streams import Stream, check_generator, exact, flat, pattern

branches = collections.Counter()


# ---- the rules


def automatic_windows(size):
    window = np.prod([(1 + max(1, n // 10)) / 2 for n in size])
    return int(np.floor(1.8692 * np.prod(size) / window + 0.5))


def shuffle(voxels, stream):
    """Fisher-Yates from the last place down. Up to 256 voxels, one word decides four steps."""
    count = len(voxels)
    while count > 1:
        steps = 1 if count > 256 else 4
        branches["shuffle of more than 256 voxels" if steps == 1 else "shuffle of up to 256"] += 1
        places = stream.digits([max(1, count - step) for step in range(steps)])
        for place, other in zip(range(count - 1, 0, -1), places):
            voxels[[place, other]] = voxels[[other, place]]
        count -= steps


def local_shuffle(cube, windows, stream):
    """Windows are read from the unmodified cube; a later one overwrites an earlier one."""
    result = cube.copy()
    for _ in range(windows):
        sides = [1 + d for d in stream.digits([max(1, n // 10) for n in cube.shape])]
        origin = stream.digits([n - s + 1 for n, s in zip(cube.shape, sides)])
        window = tuple(slice(o, o + s) for o, s in zip(origin, sides))
        voxels = flat(cube[window]).copy()
        shuffle(voxels, stream)
        result[window] = voxels.reshape(sides, order="F")
    branches["a word refused"] += stream.rejected
    return result


def nonlinear(cube, points, stream):
    """The curve is sampled far more densely than the table, whose entries are joined by lines. The
    second value is what a voxel computed in single precision, off a table read from a polyline of
    4 * points pieces, may differ by."""
    u1, u2, u3, u4 = (stream.uniform() for _ in range(4))
    inverted = stream.chance(0.5)
    branches["inverted curve" if inverted else "increasing curve"] += 1
    t = np.linspace(0, 1, 1_000_001)
    x_of = BPoly([[0], [u1], [u3], [1]], [0, 1])
    y_of = BPoly([[0], [u2], [u4], [1]], [0, 1])
    x, y = x_of(t), y_of(t)
    if inverted:
        y = y[::-1]
    at = np.linspace(0, 1, points)
    result = np.interp(cube.astype(np.float64), at, np.interp(at, x, y))

    # A chord of the curve over a step h of t lies off it by up to (h x')^2 / 8 * |d2y/dx2|.
    x1, x2 = x_of(t, 1), x_of(t, 2)
    y1, y2 = (-y_of(t, 1)[::-1], y_of(t, 2)[::-1]) if inverted else (y_of(t, 1), y_of(t, 2))
    chord = np.max(np.abs(y2 * x1 - y1 * x2) / x1) / 8 / (4 * points) ** 2
    # The position in the table is rounded, as are its entries, their difference and the sum.
    slope = np.max(np.abs(y1) / x1)
    return result, chord + (3 + slope) / 2**24


def painted_box(size, least, most, stream):
    """Sides along x, y, z, then origins. 3 voxels from the border; less where there is no room."""
    sides = [stream.between(max(1, low), max(1, low, high)) for low, high in zip(least, most)]
    origin = []
    for n, side in zip(size, sides):
        margin = min(3, (n - side) // 2)
        branches["full margin" if margin == 3 else "margin below 3"] += 1
        origin.append(stream.between(margin, n - side - margin))
    return tuple(slice(o, o + s) for o, s in zip(origin, sides))


def inpaint(cube, stream):
    result = cube.copy()
    count = 0
    while count < 5 and stream.chance(0.95):
        box = painted_box(cube.shape, [n // 6 for n in cube.shape], [n // 3 for n in cube.shape], stream)
        sides = result[box].shape
        result[box] = stream.noise(np.prod(sides)).reshape(sides, order="F")
        count += 1
    branches[f"{count} in-painted boxes"] += 1
    return result


def outpaint(cube, stream):
    result = stream.noise(cube.size).reshape(cube.shape, order="F").astype(cube.dtype)
    count = 0
    while count < 5 and (count == 0 or stream.chance(0.95)):
        box = painted_box(cube.shape, [n - 4 * n // 7 for n in cube.shape],
                          [n - 3 * n // 7 for n in cube.shape], stream)
        result[box] = cube[box]
        count += 1
    branches[f"{count} kept windows"] += 1
    return result


def restoration_pair(cube, options, rng):
    """Each step has a stream of its own, whose first draw is the step's gate."""
    flips, shuffling, mapping, painting = (rng.at("transform", [step]) for step in range(4))
    target = cube
    flipped = [0, 0, 0]
    draws = 0
    while draws < 3 and flips.chance(options["flip_rate"]):
        draws += 1
        axis = flips.below(3)
        if options["flip_axes"] == "repo":
            # The official arrays are (channel, x, y, z), and axes 0, 1, 2 are drawn.
            axis -= 1
            branches["flip of the channel axis" if axis < 0 else "flip of x or y"] += 1
        if axis >= 0:
            target = np.flip(target, axis)
            flipped[axis] += 1
    branches[f"{draws} flips"] += 1
    branches.update(f"flip of {name}" for name, count in zip("xyz", flipped) if count == 1)
    branches["flips that cancel"] += max(flipped) == 2

    result = target
    shuffled = shuffling.chance(options["local_shuffle_rate"])
    if shuffled:
        windows = options["local_shuffle_windows"]
        branches["given number of windows" if windows else "automatic number of windows"] += 1
        result = local_shuffle(result, windows or automatic_windows(cube.shape), shuffling)
    branches["shuffled" if shuffled else "not shuffled"] += 1

    tolerance = 0.0
    mapped = mapping.chance(options["nonlinear_rate"])
    if mapped:
        result, tolerance = nonlinear(result, options["bezier_points"], mapping)
    branches["mapped" if mapped else "not mapped"] += 1

    if not painting.chance(options["paint_rate"]):
        branches["not painted"] += 1
    elif painting.chance(options["inpaint_rate"]):
        branches["in-painted"] += 1
        result = inpaint(result, painting)
    else:
        branches["out-painted"] += 1
        result = outpaint(result, painting)
    return result, target, tolerance


EXPECTED_BRANCHES = [
    "a number below drawn again", "shuffle of more than 256 voxels", "shuffle of up to 256", "a word refused",
    "increasing curve", "inverted curve", "full margin", "margin below 3",
    *(f"{k} in-painted boxes" for k in range(6)), *(f"{k} kept windows" for k in range(1, 6)),
    *(f"{k} flips" for k in range(4)), "flip of x", "flip of y", "flip of z", "flips that cancel",
    "flip of the channel axis", "flip of x or y", "shuffled", "not shuffled",
    "given number of windows", "automatic number of windows", "mapped", "not mapped",
    "in-painted", "out-painted", "not painted"]


# ---- what is stored


def row_sums(block):
    """For blocks that are only known within a tolerance: a weighted sum of every row along x, with
    weights between 1 and 2 that differ between neighbours."""
    weights = 1 + np.arange(block.shape[0]) * 7 % 16 / 16
    return [round(float(value), 7) for value in flat(np.tensordot(weights, block, 1))]


def streams():
    """Words, then numbers below some ranges; large ranges refuse many words."""
    cases = []
    for seed, purpose, indices in ((0, "transform", []), (1, "cube", [3]), (7, "transform", [2, 5]),
                                   (2**63 + 12345, "proxy", [2**40 + 1, 0, 2**64 - 1])):
        stream = Stream(seed).at(purpose, indices)
        words = [stream.word() for _ in range(9)]
        ranges = [1, 7, 2**31 + 1, 3 * 10**9, 2**32 - 1] * 8
        start = stream.drawn
        numbers = [stream.below(count) for count in ranges]
        branches["a number below drawn again"] += stream.drawn - start - len(ranges)
        cases.append({"seed": str(seed), "purpose": purpose, "indices": [str(i) for i in indices],
                      "words": words, "ranges": ranges, "below": numbers})
    return cases


def flips():
    size = (5, 4, 3)
    block = np.arange(60).reshape(size, order="F")
    cases = []
    for bits in range(8):
        axes = [axis for axis in range(3) if bits >> axis & 1]
        cases.append({"axes": axes, "values": flat(np.flip(block, axes)).tolist()})
    return {"size": size, "cases": cases}


def on_pattern(rule, key, **extra):
    size, seed, indices = key
    result = rule(pattern(size), Stream(seed).at("transform", indices))
    return {"size": size, "seed": seed, "indices": indices, **extra, **exact(result)}


def shuffles():
    cases = []
    for size, windows in (((16, 16, 16), 40), ((24, 20, 16), 1), ((24, 20, 16), 500),
                          ((32, 32, 16), 60), ((40, 9, 31), 200), ((6, 5, 4), 9), ((64, 64, 32), 800),
                          ((90, 70, 50), 250)):
        cases.append(on_pattern(lambda cube, stream: local_shuffle(cube, windows, stream),
                                (size, len(cases), [1, 2]), windows=windows))
    return cases


def maps():
    """Along a ramp that leaves [0, 1] by as much as the transforms allow."""
    cases = []
    for seed in range(8):
        points = 1000 if seed < 5 else 250
        ramp = np.linspace(-1e-4, 1 + 1e-4, 201).astype(np.float32)
        result, tolerance = nonlinear(ramp, points, Stream(seed).at("transform", [4]))
        cases.append({"seed": seed, "indices": [4], "points": points, "tolerance": tolerance,
                      "values": [round(float(value), 9) for value in result]})
    return {"ramp": [float(f"{value:.9g}") for value in ramp], "cases": cases}


def paints():
    cases = []
    for kind, rule in (("inpaint", inpaint), ("outpaint", outpaint)):
        for size, cubes in (((16, 16, 16), range(6)), ((24, 20, 16), range(6)), ((6, 5, 4), range(2)),
                            ((64, 64, 32), [0])):
            for cube in cubes:
                cases.append(on_pattern(rule, (size, 3, [1, cube]), kind=kind))
    # Few boxes are rare: look for streams that stop early.
    for kind, rule, wanted in (("inpaint", inpaint, range(5)), ("outpaint", outpaint, range(1, 5))):
        for count in wanted:
            name = f"{count} in-painted boxes" if kind == "inpaint" else f"{count} kept windows"
            for cube in range(6, 2000):
                before = branches[name]
                case = on_pattern(rule, ((16, 16, 16), 3, [1, cube]), kind=kind)
                if branches[name] > before:
                    cases.append(case)
                    break
    return cases


OFFICIAL = {"flip_rate": 0.4, "flip_axes": "xyz", "local_shuffle_rate": 0.5,
            "local_shuffle_windows": 0, "nonlinear_rate": 0.9, "bezier_points": 1000,
            "paint_rate": 0.9, "inpaint_rate": 0.2}


def pairs():
    chosen = []
    for cube in range(10):  # official rates
        chosen.append(((16, 16, 16) if cube % 2 else (24, 20, 16), 5 + cube % 3, 1 + cube // 4, cube, {}))
    for cube in range(8):  # without the curve the whole pair is exact
        chosen.append(((24, 20, 16) if cube % 2 else (16, 16, 16), 40, 3, cube,
                       {"nonlinear_rate": 0, "flip_rate": 0.8, "inpaint_rate": 0.5,
                        "local_shuffle_windows": 30 * (cube % 3)}))
    for cube in range(6):
        chosen.append(((24, 20, 16), 41, 0, cube,
                       {"flip_axes": "repo", "flip_rate": 0.8, "nonlinear_rate": 0.3, "paint_rate": 0.4,
                        "bezier_points": 250}))
    for inpaint_rate in (0, 1):
        chosen.append(((64, 64, 32), 0, 1, 7 + inpaint_rate,
                       {"local_shuffle_rate": 1, "nonlinear_rate": 0, "paint_rate": 1,
                        "inpaint_rate": inpaint_rate}))
    cases = []
    for size, seed, epoch, cube, changes in chosen:
        options = {**OFFICIAL, **changes}
        result, target, tolerance = restoration_pair(
            pattern(size), options, Stream(seed).at("transform", [epoch, cube]))
        cases.append({"size": size, "seed": seed, "indices": [epoch, cube], "options": options,
                      "target": exact(target), "tolerance": tolerance,
                      "input": row_sums(result) if tolerance > 0 else exact(result)})
    return cases


if __name__ == "__main__":
    check_generator()
    document = {"streams": streams(), "flips": flips(), "shuffles": shuffles(), "maps": maps(),
                "paints": paints(), "pairs": pairs()}
    for name in EXPECTED_BRANCHES:
        print(f"{branches[name]:9d}  {name}")
        assert branches[name] > 0
    with open("transforms.json", "w", encoding="ascii") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")
