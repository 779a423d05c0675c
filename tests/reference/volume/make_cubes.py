"""Reference values of harness/volume/cube_generator.h and intensity.h from NumPy, SciPy and
scikit-image, on the draws of random_streams.py.

Command (from this folder): python3 make_cubes.py
Writes cubes.json and prints how many boxes each cube took. Made with NumPy 2.4.6, SciPy 1.17.1,
scikit-image 0.26.0 and randomgen 2.5.1. Arrays are indexed x, y, z and stored with x fastest.
"""

import json

import numpy as np
from scipy import ndimage

from random_streams import Stream, check_generator, flat, pattern
from resizing import resized

rng = np.random.default_rng(20240608)

DEFAULTS = {"minimum_side": 8, "per_axis": True, "scale_jitter": 0.0, "cubic": False,
            "antialias": True, "filter": "none", "minimum_standard_deviation": 0.01,
            "maximum_retries": 50}


ROUGH = {"factor": 2, "summand": -0.5}  # a quarter of the values is 0 and a quarter 1
# Around -150 HU, 0.425: more and less than 4/7 of the values are tissue.
LUNG = [{"factor": 1 / 16, "summand": summand} for summand in (205 / 512, 203 / 512)]


def make_volume(size, flat_axis, flat_below, factor, summand):
    """Disordered values; 0 below a place on one axis. One rounding in single precision."""
    values = np.float32(factor) * pattern(size) + np.float32(summand)
    volume = np.clip(values, 0, 1).astype(np.float64)
    np.moveaxis(volume, flat_axis, 0)[:flat_below] = 0
    return volume


def box_sides(size, scale, shape, options, jitter):
    if scale == "native":
        return [min(n, m) for n, m in zip(size, shape)]
    share = {"small": 1 / 8, "medium": 1 / 4, "large": 1 / 2}[scale]
    wholes = size if options["per_axis"] else [np.cbrt(np.prod(size))] * 3
    sides = [int(np.floor(whole * share * (1 + jitter) + 0.5)) for whole in wholes]
    return [min(n, max(options["minimum_side"], side)) for n, side in zip(size, sides)]


def tissue_score(volume, box):
    """1 for a voxel at or above -150 HU of [-1000, 1000], 1/2 if only its successor along z
    is, else 0."""
    tissue = volume >= 0.425
    ahead = np.concatenate([tissue[:, :, 1:], tissue[:, :, -1:]], axis=2)
    return np.mean(np.where(tissue, 1.0, np.where(ahead, 0.5, 0.0))[box])


scores_seen = []  # by the lung filter
spreads_seen = []  # standard deviations, each over its limit


def draw_cube(volume, scale, shape, options, stream):
    for attempt in range(options["maximum_retries"] + 1):
        jitter = options["scale_jitter"] * (2 * stream.uniform() - 1)  # drawn even if there is none
        sides = box_sides(volume.shape, scale, shape, options, jitter)
        origin = []
        for axis, (n, side) in enumerate(zip(volume.shape, sides)):
            margin = 0
            if options["filter"] == "genesis_lung":
                margin = min((100, 100, 30)[axis], (n - side) // 2)
            origin.append(stream.between(margin, n - side - margin))
        box = tuple(slice(o, o + s) for o, s in zip(origin, sides))
        cube = resized(volume[box], shape, options["cubic"], options["antialias"])
        last = attempt == options["maximum_retries"]
        if options["filter"] == "genesis_lung" and not last:
            scores_seen.append(tissue_score(volume, box))
            if scores_seen[-1] > 0.15:
                continue
        if options["filter"] == "min_std":
            spreads_seen.append(cube.std() / options["minimum_standard_deviation"])
            if spreads_seen[-1] < 1:
                continue
        break
    return origin, sides, np.clip(cube, 0, 1), attempt + 1


def cubes():
    size = (26, 22, 18)
    cases = []
    for scale, shape, changes in (
            ("small", (7, 6, 5), {}),
            ("large", (15, 4, 9), {}),  # grows, shrinks, keeps
            ("medium", (4, 3, 16), {"minimum_side": 2}),  # 6.5, 5.5 and 4.5 are rounded up
            ("large", (6, 14, 4), {"antialias": False}),
            ("large", (6, 14, 4), {"cubic": True}),
            ("medium", (11, 3, 8), {"cubic": True}),
            ("large", (6, 14, 4), {"cubic": True, "antialias": False}),
            ("large", (8, 8, 4), {"per_axis": False}),
            ("large", (9, 4, 8), {"scale_jitter": 0.3}),
            ("large", (9, 4, 8), {"scale_jitter": 0.3, "cubic": True, "minimum_side": 2}),
            ("small", (5, 6, 7), {"minimum_side": 20}),
            ("native", (8, 8, 4), {}),
            ("native", (4, 24, 3), {}),
            ("small", (6, 6, 6), {"filter": "min_std"}),
            ("small", (6, 6, 6), {"filter": "min_std", "scale_jitter": 0.5, "minimum_side": 1}),
            ("small", (6, 6, 6), {"filter": "min_std", "minimum_standard_deviation": 0.9,
                                  "maximum_retries": 3}),
            ("medium", (4, 4, 6), {"filter": "genesis_lung", "maximum_retries": 2}),
            *[("small", (2, 2, 2), {"filter": "genesis_lung"})] * 20,
            *[("small", (4, 4, 4), {"filter": "min_std", "minimum_standard_deviation": 0.105})] * 6):
        options = {**DEFAULTS, **changes}
        if options["filter"] == "genesis_lung":
            place = {"size": (30, 24, 100), "flat_axis": 2, "flat_below": 46,
                     **LUNG[len(cases) % 2]}
        else:
            place = {"size": size, "flat_axis": 0,
                     "flat_below": 23 if options["filter"] == "min_std" else 0, **ROUGH}
        volume = make_volume(*place.values())
        seed, indices = 17, [0xFEDCBA987654321, len(cases), 4]
        origin, sides, cube, boxes = draw_cube(volume, scale, shape, options,
                                               Stream(seed).at("cube", indices))
        print(f"{scale} {sides} to {shape}, {options['filter']}: {boxes} boxes")
        cases.append({**place, "scale": scale, "shape": shape, "options": changes, "seed": seed,
                      "indices": indices, "origin": origin, "sides": sides,
                      "values": [round(float(v), 8) for v in flat(cube)]})
    # Either filter has accepted and rejected boxes, some of them near its limit; none so near that
    # single precision decides.
    for seen, limit in ((scores_seen, 0.15), (spreads_seen, 1)):
        distances = np.array(seen) - limit
        below, above = distances[distances < 0].max(), distances[distances > 0].min()
        print(f"limit {limit}: next value below by {-below:.4f}, next above by {above:.4f}")
        assert min(-below, above) < 0.1 * limit and min(-below, above) > 1e-3 * limit
    return cases


def numbers(values):
    """Single precision, in digits that bring it back."""
    return [float(f"{value:.9g}") for value in values]


def intensities():
    """Clipping and scaling are single roundings: NumPy's single precision gives the same bits."""
    cases = []
    for low, high, values in ((-1000, 1000, rng.normal(-200, 800, 60)),
                              (0, 4000, rng.gamma(2.0, 900, 60) - 100),
                              (0, 4000, rng.gamma(2.0, 30, 60)),  # never reaches the limits
                              (-96, 215, rng.normal(60, 120, 60))):
        values = values.astype(np.float32)
        clipped = np.clip(values, np.float32(low), np.float32(high))
        extent = clipped.max() - clipped.min()
        cases.append({"low": low, "high": high, "values": numbers(values), "clipped": numbers(clipped),
                      "by_volume": numbers((clipped - clipped.min()) / extent),
                      "by_range": numbers((clipped - np.float32(low)) / np.float32(high - low))})
    return cases


def scores():
    """Values far from zero, whose squares would cancel in single precision; and of both signs."""
    cases = []
    for values in (rng.normal(20000, 3, 80), rng.normal(0, 1, 80), rng.normal(-5, 0.5, 80)):
        values = np.where(rng.random(80) < 0.3, 0, values).astype(np.float32)
        inside = values[values != 0].astype(np.float64)
        kept = (values.astype(np.float64) - inside.mean()) / inside.std()
        cases.append({"values": numbers(values), "scores": [float(f"{v:.10g}") for v in kept],
                      "zeroed": [float(f"{v:.10g}") for v in np.where(values == 0, 0.0, kept)]})
    return cases


def nonzero_boxes():
    cases = []
    size = (7, 6, 5)
    for density in (0.01, 0.02, 0.05):
        mask = rng.random(size) < density
        mask[tuple(rng.integers(0, size))] = True  # never empty
        (box,) = ndimage.find_objects(mask.astype(int))
        cases.append({"size": size, "values": flat(mask).astype(int).tolist(),
                      "origin": [s.start for s in box], "sides": [s.stop - s.start for s in box]})
    return cases


if __name__ == "__main__":
    check_generator()
    document = {"defaults": DEFAULTS, "cubes": cubes(), "intensities": intensities(), "scores": scores(),
                "nonzero_boxes": nonzero_boxes()}
    with open("cubes.json", "w", encoding="ascii") as file:
        json.dump(document, file, separators=(",", ":"))
        file.write("\n")
